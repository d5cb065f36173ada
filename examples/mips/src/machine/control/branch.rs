//! Branches.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{Fetch, Instruction, NO_TARGET, Slot, Source};
use crate::machine::field::inverse as inverse_of;
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `beq`, `bne`: goes on at `constant` if the operands are equal, or if they differ.
///
/// # Soundness
///
/// The difference of two operands that count as equal is zero, and that of others has an inverse. In a delay slot there
/// is no branch: the next instruction is at `pc + 4`.
#[chip]
pub struct Branch {
    #[record]
    pub clk: Felt,
    #[record]
    pub pc: Felt,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    /// Where it goes.
    #[record]
    pub constant: Felt,
    /// Whether it goes there if the operands differ.
    #[record]
    pub different: Bit,
    /// Whether it goes there.
    taken: Bit,
    /// The inverse of the difference.
    #[free("where the operands are equal, nothing is multiplied with it")]
    inverse: Felt,
    #[ports]
    ports: Instruction,
}

impl Chip for Branch {
    fn row(c: &Builder, row: &Row<Self>) {
        let &BranchRow { clk, pc, first, second, constant, different, taken, inverse, ports } = row;
        let difference = first.value - second.value;
        let equal = taken + different - 2 * taken * different;
        c.when(c.real(), |c| {
            let is_equal = difference.int().equals(0);
            c.fill(taken, is_equal.select(Hint::from(1) - different.int(), different.int()));
            c.fill_with("inverse", inverse, [difference], |difference, inverse| {
                inverse[0] = inverse_of(difference[0]);
                Ok(())
            });
        });
        c.assert_zero(difference * equal).named("equal operands have no difference");
        c.assert_eq(difference * inverse, c.real().expr() - equal).named("others have one");
        ports.fetch(
            c,
            Fetch {
                pc,
                operation: operation::BRANCH,
                mode: different,
                target: NO_TARGET,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.jumps(c, clk, pc, pc + 8 + taken * (constant - pc - 8));
        ports.read(c, clk, Slot::First, first);
        ports.read(c, clk, Slot::Second, second);
    }
}

impl InstructionChip for Branch {
    const OPERATIONS: &'static [i64] = &[operation::BRANCH];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<BranchRecord> {
        let &Step { constant, mode, .. } = step;
        let (clk, pc) = (step.cycle.clk, step.cycle.pc);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        Some(BranchRecord { clk, pc, first, second, constant, different: mode == 1 })
    }
}
