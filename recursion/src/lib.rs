//! Verifiers of STARK proofs as circuits: the place for them, and nothing more yet.
//!
//! What they are built from is in the other crates: circuits with calls of chips, the Poseidon2 and Merkle
//! chips, and machines whose keys are values.

pub mod constraints;
pub mod domain;
