//! Verifiers of STARK proofs as circuits.
//!
//! [`batch::verify_batch`] adds the verification of one proof to a circuit. Everything that a verifying key and
//! the heights of the tables fix, a [`batch::BatchShape`], is a constant of the circuit.

pub mod batch;
pub mod chain;
pub mod claims;
mod compiled;
pub mod constraints;
pub mod cost;
pub mod domain;
mod draft;
mod field;
pub mod foreign;
pub mod keys;
pub mod layer;
pub mod level;
mod levels;
pub mod pcs;
pub mod shard;
mod steady;
pub mod store;
mod transcript;
pub mod tree;
mod witness;

pub use witness::WitnessError;
