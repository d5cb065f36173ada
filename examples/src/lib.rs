//! Runnable examples of Chipwright, and its command line.
//!
//! | module | shows |
//! |---|---|
//! | [`fibonacci`] | a chip that fills itself from its public values |
//! | [`toy_cpu`] | a machine: program, registers, memory, and a called chip |
//! | [`brainfuck`] | a virtual machine: compiler, executor, chips, proofs in segments |
//! | [`cli`] | the command `chipwright` |
//!
//! The crate `examples/outsider` shows how to use Chipwright from outside.

pub mod brainfuck;
pub mod cli;
pub mod fibonacci;
pub mod toy_cpu;

/// The Rust code of the documentation, compiled and run.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/building-a-circuit.md")]
    mod building_a_circuit {}
    #[doc = include_str!("../../docs/machines.md")]
    mod machines {}
    #[doc = include_str!("../../docs/snapshot-testing.md")]
    mod snapshot_testing {}
    #[doc = include_str!("../../docs/writing-a-chip.md")]
    mod writing_a_chip {}
}
