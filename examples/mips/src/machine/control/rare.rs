//! Branches that compilers hardly use any more.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{Fetch, Instruction, Slot, Source, State, Target, sign};
use crate::machine::field::inverse as inverse_of;
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// Branches that link, and those that skip their delay slot if they are not taken: `bltzal`, `bgezal`, `beql`, `bnel`, `blezl`,
/// `bgtzl`, `bltzl`, `bgezl`, `bltzall`, `bgezall`.
///
/// The mode says whether the condition holds if the operands are equal (1), if the first one is negative (2), whether the
/// branch is taken if it does not hold (4), and whether it is a likely one (8). The second operand is `$zero` where a sign counts.
/// The target is the scratch register where nothing is linked.
///
/// # Soundness
///
/// As that of [`Branch`](super::Branch) and of [`BranchSign`](super::BranchSign). That the register which is read is not linked to
/// is shown where the instruction is decoded. What is linked is below `2^32`: text ends below `2^32 − 16`.
#[chip]
pub struct BranchRare {
    #[record]
    pub clk: Felt,
    #[record]
    pub pc: Felt,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    /// Where it goes.
    #[record]
    pub constant: Felt,
    /// Whether equal operands count.
    #[record]
    pub by_equality: Bit,
    /// Whether a negative operand counts.
    #[record]
    pub by_sign: Bit,
    /// Whether it is taken if the condition does not hold.
    #[record]
    pub inverted: Bit,
    /// Whether the delay slot is skipped if it is not taken.
    #[record]
    pub likely: Bit,
    /// Whether the operands are equal.
    equal: Bit,
    /// The inverse of their difference.
    #[free("where the operands are equal, nothing is multiplied with it")]
    inverse: Felt,
    /// Whether the first operand is negative.
    negative: Bit,
    /// The lower half of the first operand, plus `2^31`.
    half: U16,
    /// Whether it is taken.
    taken: Felt,
    #[ports]
    ports: Instruction,
}

impl Chip for BranchRare {
    fn row(c: &Builder, row: &Row<Self>) {
        let &BranchRareRow { clk, pc, first, second, target, constant, .. } = row;
        let &BranchRareRow { by_equality, by_sign, inverted, likely, .. } = row;
        let &BranchRareRow { equal, inverse, negative, half, taken, ports, .. } = row;
        let difference = first.value - second.value;
        c.when(c.real(), |c| {
            c.fill(equal, difference.int().equals(0));
            c.fill_with("inverse", inverse, [difference], |difference, inverse| {
                inverse[0] = inverse_of(difference[0]);
                Ok(())
            });
        });
        c.assert_zero(difference * equal).named("equal operands have no difference");
        c.assert_eq(difference * inverse, c.real().expr() - equal).named("others have one");
        sign(c, first.value, 1, (negative, half));
        let holds = by_equality * equal + by_sign * negative;
        c.define(taken, holds + inverted - 2 * holds * inverted).named("taken");
        let skips = likely * (1 - taken);
        ports.fetch(
            c,
            Fetch {
                pc,
                operation: operation::BRANCH_RARE,
                mode: by_equality + by_sign * 2 + inverted * 4 + likely * 8,
                target: target.register,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        let next_pc = pc + 8 + taken * (constant - pc - 8) + skips * 4;
        let after = State { halted: 0, pc: pc + 4 + skips * 4, next_pc, clk: clk + 1 };
        ports.goes_to(c, clk, pc, after);
        ports.read(c, clk, Slot::First, first);
        ports.read(c, clk, Slot::Second, second);
        ports.write(c, clk, target, pc + 8);
    }
}

impl InstructionChip for BranchRare {
    const OPERATIONS: &'static [i64] = &[operation::BRANCH_RARE];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<BranchRareRecord> {
        let (clk, pc, constant) = (step.cycle.clk, step.cycle.pc, step.constant);
        let [by_equality, by_sign, inverted, likely] =
            [0, 1, 2, 3].map(|bit| step.mode >> bit & 1 == 1);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let target = accesses.write(step.target, clk, pc + 8);
        Some(BranchRareRecord {
            clk,
            pc,
            first,
            second,
            target,
            constant,
            by_equality,
            by_sign,
            inverted,
            likely,
        })
    }
}
