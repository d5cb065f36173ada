//! The backend as its users see it: keys, proofs, and what is rejected.

mod heights;
mod import;
mod machine;
mod machines;
mod proofs;
mod prover;
