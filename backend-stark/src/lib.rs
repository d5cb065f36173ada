//! The STARK backend: compiles IR to tables of one AIR, and proves and verifies them with Plonky3.

pub mod air;
pub mod config;
pub mod security;
pub mod tape;
