//! The chips behind the tables of a circuit: constants, free values, and arithmetic.
//!
//! Their values are all `#[input]`: the circuit's witness supplies every cell, the wiring in the fixed
//! columns says which slot each cell is, and the rules here say what a row proves about its cells.
//! Fixed columns are filled by name when a circuit is assembled, so the names are part of the contract
//! with [`Tables::assemble`](chipwright_ir::circuit::Tables::assemble).
//!
//! On a row that does not use a port, the port's count is zero and its cell proves nothing to anybody.

mod alu;
mod arithmetic;
mod values;

pub use alu::{Alu, AluExt};
pub use arithmetic::{Add, Mul};
pub use values::{Const, Private, Witness};
