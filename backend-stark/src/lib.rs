//! The STARK backend: compiles IR to tables of one AIR, and proves and verifies them with Plonky3.

pub mod air;
pub mod circuit;
mod compiled;
pub mod config;
pub mod encoding;
pub mod import;
pub mod key;
pub mod machine;
pub mod proof;
pub mod prover;
pub mod security;
mod shape;
mod statement;
pub mod tape;
mod verifier;
