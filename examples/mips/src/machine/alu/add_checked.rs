//! Sums and differences that must not overflow.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, Instruction, Slot, Source, Target, WORD, is_word, sign, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `add`, `addi`, `sub`: `target = first ± (second + constant)`, one of which is zero, of numbers with signs. An overflow has no proof.
///
/// # Soundness
///
/// As numbers with signs, see [`sign`], the result is between `−2^31` and `2^31`. The word that it is has one sign.
#[chip]
pub struct AddChecked {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// Whether it is a difference.
    #[record]
    pub subtract: Felt,
    /// Whether each operand is negative.
    negative: [Bit; 2],
    /// The lower half of each operand, plus `2^31`.
    half: [U16; 2],
    /// The lower half of the result, plus `2^31`.
    biased: U16,
    /// Whether the result is negative.
    below: Bit,
    /// The lower half of the result.
    low: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for AddChecked {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AddCheckedRow { cycle, first, second, target, constant, subtract, .. } = row;
        let &AddCheckedRow { negative, half, biased, below, low, ports, .. } = row;
        let x = sign(c, first.value, 1, (negative[0], half[0]));
        let y = sign(c, second.value + constant, 1, (negative[1], half[1]));
        let number = x + (1 - 2 * subtract) * y;
        let shifted = number + (1 << 31);
        c.fill(biased, shifted.int() & 0xffff);
        is_word(c, shifted, biased);
        c.fill(below, shifted.int().less(1 << 31));
        let result = number + below * WORD;
        c.fill(low, result.int() & 0xffff);
        is_word(c, result, low);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::ADD_CHECKED,
                mode: subtract,
                target: target.register,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        ports.write(c, cycle.clk, target, result);
    }
}

impl InstructionChip for AddChecked {
    const OPERATIONS: &'static [i64] = &[operation::ADD_CHECKED];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<AddCheckedRecord> {
        let &Step { constant, mode: subtract, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let other = second.value + constant;
        let result = if subtract == 1 {
            first.value.wrapping_sub(other)
        } else {
            first.value.wrapping_add(other)
        };
        let target = accesses.write(step.target, clk, word(result));
        Some(AddCheckedRecord { cycle, first, second, target, constant, subtract })
    }
}
