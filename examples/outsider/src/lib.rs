//! A crate that uses Chipwright from outside.
//!
//! It brings a chip of its own, [`Collatz`], and makes it an operation of circuits, [`collatz`], next to
//! the standard ones. Nothing in Chipwright knows of either; `tests/` shows how such a crate tests its IR and
//! its proofs.
//!
//! ```
//! use chipwright_example_outsider::path;
//!
//! let circuit = path(3)?; // 6 → 3 → 10 → 5, and 6 + 3 + 10 = 19
//! assert!(circuit.runner().set_public_inputs(&[6, 5, 19]).run().is_ok());
//! assert!(circuit.runner().set_public_inputs(&[6, 4, 19]).run().is_err());
//! # Ok::<(), chipwright_dsl::circuit::BuildError>(())
//! ```

use chipwright_dsl::circuit::{BuildError, BuiltCircuit, CircuitBuilder, Target};
use chipwright_dsl::prelude::*;

/// The field of the example.
pub const FIELD: Field = Field::Goldilocks2;

/// One step of the Collatz sequence: `next = n / 2` if `n` is even, else `3·n + 1`.
///
/// # Soundness
///
/// Assumes nothing: `n = 2·half + odd` with `half` below 2^16 and a bit `odd` holds for one pair at most, and
/// for none if `n` is 2^17 or more.
#[chip]
pub struct Collatz {
    /// A number below 2^17.
    #[input]
    pub n: Felt,
    /// The number that follows.
    #[output]
    pub next: Felt,
    /// `n / 2`, rounded down.
    half: U16,
    /// Whether `n` is odd.
    odd: Bit,
}

impl Chip for Collatz {
    fn row(c: &Builder, row: &Row<Self>) {
        c.fill(row.odd, row.n.int() & 1);
        c.fill(row.half, row.n.int() >> 1);
        c.assert_eq(row.n, 2 * row.half + row.odd).named("halves");
        let half = Expr::from(row.half);
        c.define(row.next, c.select(row.odd, 3 * row.n + 1, half)).named("next");
    }
}

/// The operation: one row of [`Collatz`] for each call.
#[track_caller]
pub fn collatz(builder: &mut CircuitBuilder, n: Target) -> Target {
    builder.call::<Collatz>(n)
}

/// A circuit with public inputs `start`, `end` and `sum`: `end` is reached from `start` in `steps` steps, and
/// `sum` is that of all numbers before `end`.
///
/// # Errors
///
/// None in practice: the circuit is consistent for every number of steps.
pub fn path(steps: usize) -> Result<BuiltCircuit, BuildError> {
    let mut builder = CircuitBuilder::with_library("path", chipwright_chips::library(FIELD));
    let [start, end, sum] = std::array::from_fn(|_| builder.add_public_input());
    let mut n = start;
    let mut total = builder.add_const(0);
    for _ in 0..steps {
        total = builder.add(total, n);
        n = collatz(&mut builder, n);
    }
    builder.assert_eq(n, end).named("the path ends here");
    builder.assert_eq(total, sum).named("the sum of the path");
    builder.build()
}
