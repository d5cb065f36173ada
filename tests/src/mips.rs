//! The work of the recursive verifier as MIPS machine code, to compare a layer's cells with the cycles that a virtual
//! machine would have to prove.
//!
//! The instructions are those of MIPS32 release 2 in their real encodings, little endian; each of them is one cycle, also
//! multiplications and those in delay slots. [`Assembler`] makes a program of them, [`Machine`] runs it and counts how often
//! each was executed, [`Profile`] adds that up by routine.
//!
//! ```
//! use chipwright_tests::mips::{A0, A1, Assembler, Machine, V0};
//!
//! let mut asm = Assembler::new();
//! asm.routine("sum");
//! asm.addu(V0, A0, A1);
//! asm.stop();
//! let program = asm.finish()?;
//! let mut machine = Machine::new(&program, 0);
//! machine.set(A0, 30);
//! machine.set(A1, 12);
//! machine.run(10)?;
//! assert_eq!(machine.get(V0), 42);
//! assert_eq!(machine.profile(&program).cycles("sum"), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assembler;
mod goldilocks;
mod instruction;
mod layer;
mod machine;
mod poseidon2;
mod routines;
mod run;
mod work;

pub use assembler::{Assembler, AssemblerError, Label, Program};
pub use instruction::*;
pub use layer::{Comparison, compare_steady_layer};
pub use machine::{DATA, Machine, MachineError, Profile};
pub use run::{Cycles, RunError};
pub use work::Work;
