//! Shifts by a constant.

use chipwright_dsl::prelude::*;

use crate::machine::bus::{Cycle, Fetch, Instruction, Slot, Source, Target, WORD, ZERO_SOURCE};
use crate::machine::operation;

/// `sll`, `srl`: one half of the product `first · constant`, which is `2^amount` or `2^(32 − amount)`.
///
/// # Soundness
///
/// The constant is at most `2^31`, since a shift to the right by zero is one to the left, so the product is below `2^63`. The
/// upper half is `high[0] + 2^16·high[1]` with `high[1]` between `−2^14` and `2^16 − 2^14`: of the integers that are
/// congruent to the product modulo `p`, that leaves the product itself, and so one way to cut it.
#[chip]
pub struct Shift {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    /// `2^amount` to the left, `2^(32 − amount)` to the right.
    #[record]
    pub constant: Felt,
    /// Whether the result is the upper half.
    #[record]
    pub right: Bit,
    /// The lower half of the product.
    low: [U16; 2],
    /// The lower half of the upper half.
    high: U16,
    /// The upper half of the upper half.
    top: Felt,
    #[ports]
    ports: Instruction,
}

impl Chip for Shift {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ShiftRow { cycle, first, target, constant, right, low, high, top, ports } = row;
        let product = first.value.int() * constant.int();
        c.fill(low[0], product & 0xffff);
        c.fill(low[1], (product >> 16) & 0xffff);
        c.fill(high, (product >> 32) & 0xffff);
        c.fill(top, product >> 48);
        c.range::<16>(top + (1 << 14));
        let (lower, upper) = (low[0] + low[1] * (1 << 16), high + top * (1 << 16));
        c.assert_eq(first.value * constant, lower + upper * WORD).named("product");
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::SHIFT,
                mode: right,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.write(c, cycle.clk, target, lower + right * (upper - lower));
    }
}
