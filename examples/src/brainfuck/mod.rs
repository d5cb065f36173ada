//! A Brainfuck machine with proofs: the page to read to see how a virtual machine is built of chips.
//!
//! | module | holds |
//! |---|---|
//! | [`program`] | the compiler: commands, words, brackets |
//! | [`vm`] | the executor |
//! | [`chips`] | the machine, as rules |
//! | [`machine`](mod@machine) | the chips of a program put together, and what they are given |
//! | [`segment`] | runs cut into pieces, and what one leaves to the next |
//! | [`engine`] | proving and verifying a segment |
//! | [`claim`](mod@claim) | what a proof is about |
//! | [`proof`] | proving and verifying a run |
//! | [`mod@compress`] | one proof of a run of any length |
//! | [`generate`](mod@generate), [`programs`] | random programs, and ours |
//! | [`mod@bench`] | measurements |
//!
//! ```
//! use chipwright_examples::brainfuck::{Program, ProveOptions, prove, verify};
//!
//! let (program, options) = (Program::compile("+++[>+++<-]>.")?, ProveOptions::default());
//! let (proof, run) = prove(&program, b"", &options)?;
//! verify(&program, b"", &[9], &proof, &options)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is proven, and why it is sound, is said in `docs/brainfuck.md`.

pub mod bench;
pub mod chips;
pub mod claim;
pub mod compress;
pub mod engine;
pub mod generate;
pub mod machine;
mod page;
pub mod program;
pub mod programs;
pub mod proof;
pub mod segment;
pub mod vm;

pub use claim::{Claim, Part, claim};
pub use compress::{Compressed, Compressor, compress, layer_config, verify_compressed};
pub use engine::{Engine, TableReport};
pub use generate::generate;
pub use machine::{Shape, machine, program_digest, universal_machine};
pub use page::page;
pub use program::{CompileError, Instruction, Program, Symbol};
pub use proof::{
    Proof, ProveError, ProveOptions, ReadError, SegmentProof, VerifyError, fast_100, named_config,
    plan, prove, prove_with_progress, verify,
};
pub use segment::{Digest, Hasher, Segment, Segments, State};
pub use vm::{Cells, Cycle, EndOfInput, Options, Run, RunError, Vm, run};
