//! Shifts and rotations.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, HALF, Instruction, Slot, Source, Target, WORD, ZERO_SOURCE, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;
use crate::machine::program::{LOWER, UPPER};

/// The product of a number and a power of two, cut at bit 32.
///
/// # Soundness
///
/// The product is at least `−2^62` and below `2^63`: the number is below `2^32`, or one with a sign, and the power at most `2^31`.
/// What it is cut into is `low + 2^32·high` with `high` between `−3·2^29` and `2^32 − 3·2^29`: of the integers that are
/// congruent to the product modulo `p`, that leaves the product itself, and so one way to cut it.
#[derive(Debug, Columns)]
pub struct Product {
    /// The lower half of the product.
    low: [U16; 2],
    /// The lower half of the upper half.
    high: U16,
    /// The upper half of the upper half, plus [`OFFSET`].
    top: U16,
}

/// Between `2^14` and `2^15`.
const OFFSET: i64 = 3 << 13;

impl ProductRow {
    /// Cuts a product: its lower half, and its upper half, which may be negative.
    #[track_caller]
    pub fn cut(self, c: &Builder, product: Expr) -> (Expr, Expr) {
        let Self { low, high, top } = self;
        let shifted = (product + c.real().expr() * (OFFSET << 48)).int();
        c.fill(low[0], shifted & 0xffff);
        c.fill(low[1], (shifted >> 16) & 0xffff);
        c.fill(high, (shifted >> 32) & 0xffff);
        c.fill(top, shifted >> 48);
        let (lower, upper) = (low[0] + low[1] * (1 << 16), high + top * (1 << 16));
        let offset = c.real().expr() * (OFFSET << 16);
        c.assert_eq(product, lower + (upper - offset) * WORD).named("product");
        (lower, upper - offset)
    }
}

/// What of a product is the result: the lower half for [`LOWER`], the upper one for [`UPPER`], both for
/// [`BOTH`](crate::machine::program::BOTH).
pub fn selected(selector: impl Into<Expr>, (lower, upper): (Expr, Expr)) -> Expr {
    let selector = selector.into();
    let has_lower = (selector - 1) * (selector - 1);
    let has_upper = selector * (3 - selector) * HALF;
    lower * has_lower + upper * has_upper
}

/// As [`selected`], of a product that is not negative.
pub(super) fn selected_of(selector: u64, product: u64) -> u64 {
    match selector {
        LOWER => word(product),
        UPPER => product >> 32,
        _ => word(product) + (product >> 32),
    }
}

/// `sll`, `srl`, `rotr`: of the product `first · constant`, which is `2^amount` or `2^(32 − amount)`, one half or both.
///
/// # Soundness
///
/// The constant is at most `2^31`, since a shift to the right by zero is one to the left: see [`Product`]. The selector is
/// the program's.
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
    /// What of the product is the result.
    #[record]
    pub selector: Felt,
    product: Product,
    #[ports]
    ports: Instruction,
}

impl Chip for Shift {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ShiftRow { cycle, first, target, constant, selector, product, ports } = row;
        let halves = product.cut(c, first.value * constant);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::SHIFT,
                mode: selector,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.write(c, cycle.clk, target, selected(selector, halves));
    }
}

impl InstructionChip for Shift {
    const OPERATIONS: &'static [i64] = &[operation::SHIFT];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<ShiftRecord> {
        let &Step { constant, mode: selector, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let target =
            accesses.write(step.target, clk, selected_of(selector, first.value * constant));
        Some(ShiftRecord { cycle, first, target, constant, selector })
    }
}
