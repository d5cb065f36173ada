//! Quotients.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, FixedTarget, FixedTargetNative, Instruction, NO_TARGET, Slot, Source, WORD,
    is_word, number, register, sign, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `div`, `divu`: `LO = first / second`, `HI` = the remainder. Magnitudes are divided; the quotient has a sign if those of the operands
/// differ, the remainder that of the first operand.
///
/// # Soundness
///
/// The remainder's magnitude is a word and below that of the divisor, which is not zero then. `quotient · divisor + remainder` is below `p` for
/// words, so it is known as an integer, and determines both. A quotient without a sign is what `LO` is. One with a sign is the
/// negated `LO`, or `2^32` without it: below zero, the remainder would be as large as the divisor. The remainder's magnitude is
/// a word, which leaves one choice for `HI`.
#[chip]
pub struct Divide {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub hi: FixedTarget,
    #[record]
    pub lo: FixedTarget,
    /// Whether numbers have signs.
    #[record]
    pub signed: Felt,
    /// Whether each number has a sign and is negative.
    negative: [Bit; 2],
    /// The lower half of each number, as its sign is found.
    half: [U16; 2],
    /// The quotient's magnitude.
    quotient: Felt,
    /// The remainder's magnitude.
    remainder: Felt,
    /// The lower half of the remainder's magnitude.
    low: U16,
    /// The lower half of what it lacks to that of the divisor, less one.
    lacks: U16,
    /// Whether `LO` is `2^32` less the quotient's magnitude.
    quotient_wraps: Bit,
    /// The lower half of `LO`.
    low_of_quotient: U16,
    /// Whether `HI` is `2^32` less the remainder's magnitude.
    remainder_wraps: Bit,
    /// The lower half of `HI`.
    low_of_remainder: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for Divide {
    fn row(c: &Builder, row: &Row<Self>) {
        let &DivideRow { cycle, first, second, hi, lo, signed, negative, half, .. } = row;
        let &DivideRow { quotient, remainder, low, lacks, quotient_wraps, .. } = row;
        let &DivideRow { low_of_quotient, remainder_wraps, low_of_remainder, ports, .. } = row;
        let x = sign(c, first.value, signed, (negative[0], half[0]));
        let y = sign(c, second.value, signed, (negative[1], half[1]));
        let dividend = x * (1 - 2 * negative[0]);
        let divisor = y * (1 - 2 * negative[1]);
        c.fill(quotient, dividend.int() / divisor.int());
        c.fill(remainder, dividend.int() % divisor.int());
        c.assert_eq(dividend, quotient * divisor + remainder).named("quotient and remainder");
        for (half, value) in [(low, remainder.into()), (lacks, divisor - remainder - 1)] {
            c.fill(half, value.int() & 0xffff);
            is_word(c, value, half);
        }
        let differ = negative[0] + negative[1] - 2 * negative[0] * negative[1];
        let signed_as = |magnitude: Cell, negative: Expr, wraps: Bit, half: U16| {
            c.fill(wraps, Hint::from(0).less(magnitude.int()) * negative.int());
            let value = magnitude - 2 * negative * magnitude + wraps * WORD;
            c.fill(half, value.int() & 0xffff);
            is_word(c, value, half);
            value
        };
        c.assert_zero(quotient_wraps * (1 - differ)).named("without a sign, it is the magnitude");
        let new_lo = signed_as(quotient, differ, quotient_wraps, low_of_quotient);
        let new_hi = signed_as(remainder, negative[0].into(), remainder_wraps, low_of_remainder);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::DIVIDE,
                mode: signed,
                target: NO_TARGET,
                first: first.register,
                second: second.register,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        ports.replace(c, (cycle.clk, Slot::High), number::HI, hi, new_hi);
        ports.replace(c, (cycle.clk, Slot::Low), number::LO, lo, new_lo);
    }
}

impl InstructionChip for Divide {
    const OPERATIONS: &'static [i64] = &[operation::DIVIDE];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<DivideRecord> {
        let &Step { mode: signed, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let integer = |value: u64| {
            if signed == 1 { i64::from((value as u32).cast_signed()) } else { value.cast_signed() }
        };
        let (x, y) = (integer(first.value), integer(second.value));
        let quotient = x.checked_div(y)?;
        let mut replace = |number, slot, value: i64| {
            let value = word(value.cast_unsigned());
            let (before, elapsed) = accesses.replace(register(number), clk, slot, value);
            FixedTargetNative { before, elapsed }
        };
        let hi = replace(number::HI, Slot::High, x % y);
        let lo = replace(number::LO, Slot::Low, quotient);
        Some(DivideRecord { cycle, first, second, hi, lo, signed })
    }
}
