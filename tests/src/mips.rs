//! The work of the recursive verifier as MIPS machine code, to compare a layer's cells with the cycles that a virtual
//! machine would have to prove.
//!
//! The instructions are real ones, and so is the machine that runs them (`chipwright_mips`): each instruction is one cycle,
//! also multiplications and those in delay slots.

mod execute;
mod goldilocks;
mod layer;
mod poseidon2;
mod routines;
mod run;
mod work;

pub use layer::{Comparison, compare_steady_layer};
pub use run::{Cycles, RunError};
pub use work::Work;
