//! Comparisons.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, Instruction, Slot, Source, Target, WORD, is_word, sign, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `slt`, `sltu`, `slti`, `sltiu`: `target = first < second + constant`, one of which is zero.
///
/// # Soundness
///
/// Numbers with signs are compared as those without after `2^31` is added modulo `2^32`; that the sum is below `2^32` says
/// which sign a number has. The difference, with `2^32` if it is negative, is below `2^32`, too: for the other
/// answer it is not.
#[chip]
pub struct Less {
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
    /// Whether the numbers have signs.
    #[record]
    pub signed: Bit,
    /// Whether each number has a sign and is negative.
    negative: [Bit; 2],
    /// The lower half of each number, as it is compared.
    half: [U16; 2],
    /// The answer.
    less: Bit,
    /// The lower half of the difference.
    low: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for Less {
    fn row(c: &Builder, row: &Row<Self>) {
        let &LessRow { cycle, first, second, target, constant, signed, .. } = row;
        let &LessRow { negative, half, less, low, ports, .. } = row;
        let numbers = [Expr::from(first.value), second.value + constant];
        let compared = [0, 1].map(|i| sign(c, numbers[i], signed, (negative[i], half[i])));
        let biased = compared.map(|number| (number + signed * (1 << 31)).int());
        c.fill(less, biased[0].less(biased[1]));
        let difference = compared[0] - compared[1] + less * WORD;
        c.fill(low, difference.int() & 0xffff);
        is_word(c, difference, low);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::LESS,
                mode: signed,
                target: target.register,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        ports.write(c, cycle.clk, target, less);
    }
}

impl InstructionChip for Less {
    const OPERATIONS: &'static [i64] = &[operation::LESS];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<LessRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let signed = step.mode == 1;
        let compared = |value: u64| word(value + (u64::from(signed) << 31));
        let less = compared(first.value) < compared(second.value + constant);
        let target = accesses.write(step.target, clk, less.into());
        Some(LessRecord { cycle, first, second, target, constant, signed })
    }
}
