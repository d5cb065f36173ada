//! Shifts of numbers with signs, and shifts by a register.

use chipwright_dsl::prelude::*;

use super::shift::{Product, selected, selected_of};
use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, INVERSE_32, Instruction, Slot, Source, Target, WORD, ZERO_SOURCE, is_word, sign,
    word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;
use crate::machine::program::{LOWER, Power, power_entry};

/// `sra`: of the product `first · constant`, where `first` has a sign and `constant` is `2^(32 − amount)`, the upper half. By zero it is a
/// shift to the left, and the lower one.
///
/// # Soundness
///
/// As that of [`Product`], and of [`sign`].
#[chip]
pub struct ShiftSigned {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// Whether the upper half is the result.
    #[record]
    pub selector: Felt,
    /// Whether the number is negative.
    negative: Bit,
    /// The lower half of the number, plus `2^31`.
    half: U16,
    product: Product,
    #[ports]
    ports: Instruction,
}

/// `sllv`, `srlv`, `rotrv`, `srav`: `second`, shifted by the lowest five bits of `first`. The mode is the kind of the power, plus
/// [`SIGNED`] for `srav`.
///
/// # Soundness
///
/// As that of [`Product`], and of [`sign`]. The lower half of the first operand is the amount and a multiple of 32, and the table
/// of powers has no amount beyond 31 for a shift. No kind is as large as [`SIGNED`], so the mode says both.
#[chip]
pub struct ShiftVariable {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    /// The kind of the power.
    #[record]
    pub kind: Felt,
    /// Whether the number has a sign.
    #[record]
    pub signed: Bit,
    /// The amount.
    #[record]
    pub amount: Felt,
    /// The factor.
    #[record]
    pub factor: Felt,
    /// What of the product is the result.
    #[record]
    pub selector: Felt,
    /// The lower half of the first operand.
    low: U16,
    /// Whether the number has a sign and is negative.
    negative: Bit,
    /// The lower half of the number, as its sign is found.
    half: U16,
    product: Product,
    #[port(bus = "powers")]
    powers: Lookup<Power>,
    #[ports]
    ports: Instruction,
}

/// What the mode of `srav` has besides the kind of the power.
pub const SIGNED: i64 = 16;

impl Chip for ShiftSigned {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ShiftSignedRow { cycle, first, target, constant, selector, .. } = row;
        let &ShiftSignedRow { negative, half, product, ports, .. } = row;
        let number = sign(c, first.value, 1, (negative, half));
        let (lower, upper) = product.cut(c, number * constant);
        let upper = upper + negative * WORD;
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::SHIFT_SIGNED,
                mode: selector,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.write(c, cycle.clk, target, lower + selector * (upper - lower));
    }
}

impl Chip for ShiftVariable {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ShiftVariableRow { cycle, first, second, target, kind, signed, amount, .. } = row;
        let &ShiftVariableRow { factor, selector, low, negative, half, product, .. } = row;
        let &ShiftVariableRow { powers, ports, .. } = row;
        c.fill(low, first.value.int() & 0xffff);
        is_word(c, first.value, low);
        c.range::<16>((low - amount) * INVERSE_32);
        c.lookup(powers, Power { kind, amount, high: 0, factor, selector });
        let number = sign(c, second.value, signed, (negative, half));
        let (lower, upper) = product.cut(c, number * factor);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::SHIFT_VARIABLE,
                mode: kind + signed * SIGNED,
                target: target.register,
                first: first.register,
                second: second.register,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        let result = selected(selector, (lower, upper + negative * WORD));
        ports.write(c, cycle.clk, target, result);
    }
}

/// A shift of a number with a sign, by a factor that is not [`LOWER`]'s.
fn signed_shift(selector: u64, value: u64, factor: u64) -> u64 {
    if selector == LOWER {
        return word(value * factor);
    }
    let product = i64::from((value as u32).cast_signed()) * factor.cast_signed();
    word((product >> 32).cast_unsigned())
}

impl InstructionChip for ShiftSigned {
    const OPERATIONS: &'static [i64] = &[operation::SHIFT_SIGNED];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<ShiftSignedRecord> {
        let &Step { constant, mode: selector, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let result = signed_shift(selector, first.value, constant);
        let target = accesses.write(step.target, clk, result);
        Some(ShiftSignedRecord { cycle, first, target, constant, selector })
    }
}

impl InstructionChip for ShiftVariable {
    const OPERATIONS: &'static [i64] = &[operation::SHIFT_VARIABLE];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<ShiftVariableRecord> {
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let signed = step.mode >= SIGNED.cast_unsigned();
        let kind = step.mode % SIGNED.cast_unsigned();
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let amount = first.value % 32;
        let (factor, selector) = power_entry(kind, amount, 0)?;
        let result = if signed {
            signed_shift(selector, second.value, factor)
        } else {
            selected_of(selector, second.value * factor)
        };
        let target = accesses.write(step.target, clk, result);
        Some(ShiftVariableRecord {
            cycle,
            first,
            second,
            target,
            kind,
            signed,
            amount,
            factor,
            selector,
        })
    }
}
