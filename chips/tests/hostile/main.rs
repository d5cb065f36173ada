//! What a prover, or whoever writes a circuit, may not say: forged and refused.

mod forging;
mod hashes;
mod scripts;
mod trees;
