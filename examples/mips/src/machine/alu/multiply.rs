//! Products.

use chipwright_dsl::prelude::*;

use crate::machine::FIELD;
use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, FixedTarget, FixedTargetNative, Instruction, NO_TARGET, Slot, Source, Target,
    WORD, is_word, number, register, sign, word,
};
use crate::machine::field::inverse as inverse_of;
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `mul`: `target` = the lower half of `first · second`.
///
/// # Soundness
///
/// A product of words is below `p`, so it is known as an integer. Both halves are words. A product below `2^32 − 1` is also congruent to
/// `p` and itself, whose upper half is `2^32 − 1`: no product of words has that, and the inverse excludes it.
#[chip]
pub struct MultiplyLow {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    /// The upper half of the product.
    high: Felt,
    /// The lower half of the upper half.
    half: U16,
    /// The lower half of the lower half.
    low: U16,
    /// The inverse of what the upper half lacks to `2^32 − 1`, negated.
    inverse: Felt,
    #[ports]
    ports: Instruction,
}

/// `mult`, `multu`, `madd`, `maddu`, `msub`, `msubu`: `HI:LO` = `first · second`, or what it was with that added or subtracted, modulo `2^64`.
///
/// The mode says whether numbers have signs (1), whether `HI:LO` counts (2), and whether the product is subtracted (4).
///
/// # Soundness
///
/// As that of [`MultiplyLow`] without signs. With signs, the product is between `−2^62` and `2^62`, and its upper half between `−2^31` and `2^31`:
/// no other integer that is congruent has such halves. Results are words, for one carry of each half.
#[chip]
pub struct Multiply {
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
    pub signed: Bit,
    /// Whether what `HI:LO` was counts.
    #[record]
    pub accumulate: Bit,
    /// Whether the product is subtracted.
    #[record]
    pub subtract: Bit,
    /// The upper half of the product, which may be negative.
    #[record]
    pub high: Felt,
    /// What each half of the result carries: −1, 0 or 1.
    #[record]
    pub carry: [Felt; 2],
    /// Whether each number has a sign and is negative.
    negative: [Bit; 2],
    /// The lower half of each number, as its sign is found.
    half: [U16; 2],
    /// The inverse of what the upper half lacks to `2^32 − 1`, negated.
    inverse: Felt,
    /// The lower halves of the halves of the product.
    product: [U16; 2],
    /// The lower halves of the halves of the result.
    result: [U16; 2],
    #[ports]
    ports: Instruction,
}

/// `2^32 − 1`.
const LARGEST: i64 = WORD - 1;

/// Demands that the upper half of a product of words is not `2^32 − 1`.
#[track_caller]
fn is_not_largest(c: &Builder, high: Cell, inverse: Cell) {
    let lacks = high - LARGEST;
    c.when(c.real(), |c| {
        c.fill_with("inverse", inverse, [lacks], |lacks, inverse| {
            inverse[0] = inverse_of(lacks[0]);
            Ok(())
        });
    });
    c.assert_eq(lacks * inverse, c.real().expr()).named("the product is below the modulus");
}

impl Chip for MultiplyLow {
    fn row(c: &Builder, row: &Row<Self>) {
        let &MultiplyLowRow { cycle, first, second, target, high, half, low, inverse, ports } = row;
        c.fill(high, (first.value.int() * second.value.int()) >> 32);
        c.fill(half, high.int() & 0xffff);
        is_word(c, high, half);
        is_not_largest(c, high, inverse);
        let lower = first.value * second.value - high * WORD;
        c.fill(low, lower.int() & 0xffff);
        is_word(c, lower, low);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::MULTIPLY_LOW,
                mode: 0,
                target: target.register,
                first: first.register,
                second: second.register,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        ports.write(c, cycle.clk, target, lower);
    }
}

impl Chip for Multiply {
    fn row(c: &Builder, row: &Row<Self>) {
        let &MultiplyRow { cycle, first, second, hi, lo, signed, accumulate, .. } = row;
        let &MultiplyRow { subtract, high, carry, negative, half, inverse, .. } = row;
        let &MultiplyRow { product, result, ports, .. } = row;
        let x = sign(c, first.value, signed, (negative[0], half[0]));
        let y = sign(c, second.value, signed, (negative[1], half[1]));
        let lower = x * y - high * WORD;
        let biased = high + signed * (1 << 31);
        for (half, value) in product.into_iter().zip([lower, biased]) {
            c.fill(half, value.int() & 0xffff);
            is_word(c, value, half);
        }
        is_not_largest(c, high, inverse);
        for carry in carry {
            c.assert_zero((carry - 1) * carry * (carry + 1)).named("a carry is −1, 0 or 1");
        }
        let factor = 1 - 2 * subtract;
        let new_lo = accumulate * lo.before + factor * lower - carry[0] * WORD;
        let new_hi = accumulate * hi.before + factor * high + carry[0] - carry[1] * WORD;
        for (half, value) in result.into_iter().zip([new_lo, new_hi]) {
            c.fill(half, value.int() & 0xffff);
            is_word(c, value, half);
        }
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::MULTIPLY,
                mode: signed + accumulate * 2 + subtract * 4,
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

impl InstructionChip for MultiplyLow {
    const OPERATIONS: &'static [i64] = &[operation::MULTIPLY_LOW];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<MultiplyLowRecord> {
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let result = word(first.value.wrapping_mul(second.value));
        let target = accesses.write(step.target, clk, result);
        Some(MultiplyLowRecord { cycle, first, second, target })
    }
}

impl InstructionChip for Multiply {
    const OPERATIONS: &'static [i64] = &[operation::MULTIPLY];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<MultiplyRecord> {
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let [signed, accumulate, subtract] = [0, 1, 2].map(|bit| step.mode >> bit & 1 == 1);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let integer = |value: u64| {
            if signed { i128::from((value as u32).cast_signed()) } else { i128::from(value) }
        };
        let product = integer(first.value) * integer(second.value);
        let (lower, high) = (product & 0xffff_ffff, product >> 32);
        let old = |number| {
            if accumulate { i128::from(accesses.value(register(number))) } else { 0 }
        };
        let factor = if subtract { -1 } else { 1 };
        let new_lo = old(number::LO) + factor * lower;
        let new_hi = old(number::HI) + factor * high + (new_lo >> 32);
        let carry = [new_lo >> 32, new_hi >> 32].map(|carry| FIELD.reduce(carry));
        let mut replace = |number, slot, value: i128| {
            let value = (value & 0xffff_ffff) as u64;
            let (before, elapsed) = accesses.replace(register(number), clk, slot, value);
            FixedTargetNative { before, elapsed }
        };
        let hi = replace(number::HI, Slot::High, new_hi);
        let lo = replace(number::LO, Slot::Low, new_lo);
        Some(MultiplyRecord {
            cycle,
            first,
            second,
            hi,
            lo,
            signed,
            accumulate,
            subtract,
            high: FIELD.reduce(high),
            carry,
        })
    }
}
