//! The criteria of the Brainfuck engine, B-01 to B-28, each in a test that bears its number.
//!
//! Where the engine's document and the machine differ, the machine is described and tested.

mod buses;
mod proofs;
mod semantics;

use chipwright_examples::brainfuck::{Options, Program, Run, RunError, run};
use p3_field::extension::BinomialExtensionField;
use p3_goldilocks::Goldilocks;

fn compile(source: &str) -> Program {
    Program::compile(source).expect("the program compiles")
}

fn runs(source: &str, input: &[u8]) -> Result<Run, RunError> {
    run(&compile(source), input, &Options::default())
}

type Ext = BinomialExtensionField<Goldilocks, 2>;
