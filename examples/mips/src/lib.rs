//! The MIPS machine: programs from real compilers, executed.
//!
//! A [`Program`] is what an ELF file says is in memory when a run begins; an [`Executor`] runs it, instruction by instruction,
//! and can be stopped between any two of them. What somebody wants to know of a run (its output, how often each instruction was
//! executed, its accesses to memory) an [`Observer`] gets to see.
//!
//! ```no_run
//! use chipwright_mips::{Executor, Input, Program};
//!
//! let program = Program::from_elf(&std::fs::read("fib.elf")?)?;
//! let input = Input::default();
//! let mut executor = Executor::new(&program, &input);
//! let code = executor.run(1 << 32, &mut ())?;
//! println!("exit code {code} after {} instructions", executor.state().clock);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod cli;
mod elf;
mod execute;
pub mod machine;
mod program;
pub mod prove;

pub use elf::ElfError;
pub use execute::{
    Access, Counts, Demand, Denied, ExecutionError, Executor, Fault, Input, Memory, Observer,
    Output, PAGE_BYTES, PAGE_WORDS, State, Stop, Trace,
};
pub use program::{Location, Program, ProgramError, Segment, Symbol};
