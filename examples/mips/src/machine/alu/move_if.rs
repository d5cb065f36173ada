//! Moves under a condition.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{Cycle, Fetch, Instruction, Slot, Source, Target};
use crate::machine::field::inverse as inverse_of;
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `movz`, `movn`: `target = first` if `second` is zero, or if it is not, where the mode is one. Otherwise the target stays.
///
/// # Soundness
///
/// As that of [`Branch`](crate::machine::control::Branch). What stays is what the access before left.
#[chip]
pub struct MoveIf {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    /// Whether it is moved if the second operand is not zero.
    #[record]
    pub different: Bit,
    /// Whether it is moved.
    moved: Bit,
    /// The inverse of the second operand.
    #[free("where that is zero, nothing is multiplied with it")]
    inverse: Felt,
    #[ports]
    ports: Instruction,
}

impl Chip for MoveIf {
    fn row(c: &Builder, row: &Row<Self>) {
        let &MoveIfRow { cycle, first, second, target, different, moved, inverse, ports } = row;
        let zero = moved + different - 2 * moved * different;
        c.when(c.real(), |c| {
            let is_zero = second.value.int().equals(0);
            c.fill(moved, is_zero.select(Hint::from(1) - different.int(), different.int()));
            c.fill_with("inverse", inverse, [second.value], |value, inverse| {
                inverse[0] = inverse_of(value[0]);
                Ok(())
            });
        });
        c.assert_zero(second.value * zero).named("what counts as zero is");
        c.assert_eq(second.value * inverse, c.real().expr() - zero).named("or has an inverse");
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::MOVE_IF,
                mode: different,
                target: target.register,
                first: first.register,
                second: second.register,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        let result = target.before + moved * (first.value - target.before);
        ports.write(c, cycle.clk, target, result);
    }
}

impl InstructionChip for MoveIf {
    const OPERATIONS: &'static [i64] = &[operation::MOVE_IF];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<MoveIfRecord> {
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let different = step.mode == 1;
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let moved = (second.value != 0) == different;
        let value = if moved { first.value } else { accesses.value(step.target) };
        let target = accesses.write(step.target, clk, value);
        Some(MoveIfRecord { cycle, first, second, target, different })
    }
}
