//! Sums and differences modulo `2^32`.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, Instruction, Slot, Source, Target, WORD, ZERO_SOURCE, is_word, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `addu`, `subu`: `target = first ± second mod 2^32`.
///
/// # Soundness
///
/// Words are below `2^32`, and so is the result: there is one carry for which it is.
#[chip]
pub struct AddSub {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    /// Whether it is a difference.
    #[record]
    pub subtract: Bit,
    /// What the sum carries, or the difference borrows.
    carry: Bit,
    /// The lower half of the result.
    low: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for AddSub {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AddSubRow { cycle, first, second, target, subtract, carry, low, ports } = row;
        let (x, y) = (first.value, second.value);
        c.fill(carry, subtract.int().select(x.int().less(y.int()), (x.int() + y.int()) >> 32));
        let result = x + (1 - 2 * subtract) * (y - carry * WORD);
        c.fill(low, result.int() & 0xffff);
        is_word(c, result, low);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::ADD,
                mode: subtract,
                target: target.register,
                first: first.register,
                second: second.register,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        ports.write(c, cycle.clk, target, result);
    }
}

/// `addiu`, `lui`, moves to and from `HI` and `LO`: `target = first + constant mod 2^32`.
///
/// # Soundness
///
/// As that of [`AddSub`].
#[chip]
pub struct AddConstant {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// What the sum carries.
    carry: Bit,
    /// The lower half of the result.
    low: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for AddConstant {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AddConstantRow { cycle, first, target, constant, carry, low, ports } = row;
        c.fill(carry, (first.value.int() + constant.int()) >> 32);
        let result = first.value + constant - carry * WORD;
        c.fill(low, result.int() & 0xffff);
        is_word(c, result, low);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::ADD_CONSTANT,
                mode: 0,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.write(c, cycle.clk, target, result);
    }
}

impl InstructionChip for AddSub {
    const OPERATIONS: &'static [i64] = &[operation::ADD];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<AddSubRecord> {
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let (x, y) = (first.value, second.value);
        let subtract = step.mode == 1;
        let result = word(if subtract { x.wrapping_sub(y) } else { x + y });
        let target = accesses.write(step.target, clk, result);
        Some(AddSubRecord { cycle, first, second, target, subtract })
    }
}

impl InstructionChip for AddConstant {
    const OPERATIONS: &'static [i64] = &[operation::ADD_CONSTANT];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<AddConstantRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let target = accesses.write(step.target, clk, word(first.value + constant));
        Some(AddConstantRecord { cycle, first, target, constant })
    }
}
