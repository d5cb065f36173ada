//! Tests of the circuit language.

#[path = "circuit/check.rs"]
mod check;
#[path = "circuit/demands.rs"]
mod demands;
#[path = "circuit/execution.rs"]
mod execution;
#[path = "circuit/files.rs"]
mod files;
#[path = "circuit/lowering.rs"]
mod lowering;
#[path = "circuit/passes.rs"]
mod passes;
#[path = "circuit/properties.rs"]
mod properties;
#[path = "circuit/random.rs"]
mod random;
