//! The two languages of Chipwright: **chip IR** (columns, rules, fills, ports) and **circuit IR** (a DAG
//! of operations on targets, lowered to a witness table and then to tables of chips).
//!
//! This crate knows neither the DSL that writes IR nor the prover that compiles it, so an IR text file
//! is as good an input as a Rust program.

pub mod audit;
pub mod chip;
pub mod circuit;
mod compiled;
pub mod determinism;
pub mod field;
pub mod id;
pub mod machine;
pub mod pass;
pub mod text;

pub use field::{Field, FieldPair};
