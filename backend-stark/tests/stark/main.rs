//! The backend as its users see it: keys, proofs, and what is rejected.

mod import;
mod machine;
mod machines;
mod proofs;
mod prover;
