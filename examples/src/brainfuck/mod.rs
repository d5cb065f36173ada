//! A Brainfuck machine with proofs.

pub mod chips;
pub mod machine;
pub mod program;
pub mod proof;
pub mod segment;
pub mod vm;

pub use machine::{Shape, machine};
pub use program::{CompileError, Instruction, Program, Symbol};
pub use proof::{
    Engine, Proof, ProveError, ProveOptions, ReadError, SegmentProof, VerifyError, claim, plan,
    prove, prove_with_progress, verify,
};
pub use segment::{Digest, Hasher, Segment, Segments, State};
pub use vm::{Cells, Cycle, EndOfInput, Options, Run, RunError, Vm, run};
