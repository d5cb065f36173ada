//! The Fibonacci sequence: a chip without records, whose public values say where it starts and where it ends.
//!
//! ```
//! use chipwright_backend_stark::{config::Config, machine::compile_machine};
//! use chipwright_examples::fibonacci;
//! use chipwright_ir::field::Goldilocks2;
//!
//! let machine = fibonacci::machine()?;
//! let (prover, verifier) = compile_machine::<Goldilocks2>(machine, &Config::proven_100())?;
//! let input = fibonacci::input([1, 1], 32);
//! let proof = prover.prove(&input)?;
//! verifier.verify(&input.publics, &proof)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use chipwright_dsl::prelude::*;
use chipwright_dsl::{Input, Machine, MachineErrors};
use chipwright_ir::machine::{Machine as IrMachine, MachineInput};

/// The field of the example.
pub const FIELD: Field = Field::Goldilocks2;

/// The Fibonacci sequence, one step a row.
#[chip(dense)]
pub struct Fibonacci {
    /// The current term.
    a: Felt,
    /// The next term.
    b: Felt,
    /// The first two terms.
    #[public]
    start: [Felt; 2],
    /// `b` on the last row.
    #[public]
    result: Felt,
}

impl Chip for Fibonacci {
    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.a, row.start[0]);
        c.define(row.b, row.start[1]);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.a, row.b);
        c.define(next.b, row.a + row.b).named("next term");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.result, row.b);
    }
}

/// The machine: one chip.
///
/// # Errors
///
/// Fails if the chip has mistakes.
pub fn machine() -> Result<IrMachine, MachineErrors> {
    Machine::new("fibonacci", FIELD).add::<Fibonacci>().build()
}

/// The input for a table of `rows` rows, a power of two: the first two terms, and the one that they lead to.
pub fn input(start: [u64; 2], rows: usize) -> MachineInput {
    let sum = |a: u64, b: u64| FIELD.reduce(i128::from(a) + i128::from(b));
    let (_, result) = (1..rows).fold((start[0], start[1]), |(a, b), _| (b, sum(a, b)));
    Input::new(FIELD)
        .empty_rows::<Fibonacci>(rows)
        .publics::<Fibonacci>(&FibonacciPublics { start, result })
        .into_ir()
}
