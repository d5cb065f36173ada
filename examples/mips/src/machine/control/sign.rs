//! Branches on the sign of a register.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{Fetch, Instruction, NO_TARGET, Slot, Source, ZERO_SOURCE, sign};
use crate::machine::field::inverse as inverse_of;
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `bltz`, `bgez`, `blez`, `bgtz`: goes on at `constant` if the operand is negative, or zero where the mode has two, and the other way
/// round where it has one.
///
/// # Soundness
///
/// The sign is that of [`sign`]. Zero counts where the mode says so: an operand that counts as zero is, and one that does not has an
/// inverse. In a delay slot there is no branch: the next instruction is at `pc + 4`.
#[chip]
pub struct BranchSign {
    #[record]
    pub clk: Felt,
    #[record]
    pub pc: Felt,
    #[record]
    pub first: Source,
    /// Where it goes.
    #[record]
    pub constant: Felt,
    /// Whether it goes there if the condition does not hold.
    #[record]
    pub inverted: Bit,
    /// Whether zero counts as negative.
    #[record]
    pub or_zero: Bit,
    /// Whether the operand is negative.
    negative: Bit,
    /// The lower half of the operand, plus `2^31`.
    half: U16,
    /// Whether it is zero, and that counts.
    zero: Felt,
    /// The inverse of the operand.
    #[free("where zero does not count, or the operand is zero, nothing is multiplied with it")]
    inverse: Felt,
    #[ports]
    ports: Instruction,
}

impl Chip for BranchSign {
    fn row(c: &Builder, row: &Row<Self>) {
        let &BranchSignRow { clk, pc, first, constant, inverted, or_zero, .. } = row;
        let &BranchSignRow { negative, half, zero, inverse, ports, .. } = row;
        sign(c, first.value, 1, (negative, half));
        c.fill(zero, first.value.int().equals(0) * or_zero.int());
        c.fill_with("inverse", inverse, [first.value], |value, inverse| {
            inverse[0] = inverse_of(value[0]);
            Ok(())
        });
        c.assert_zero(first.value * zero).named("what counts as zero is");
        c.assert_eq(or_zero * first.value * inverse, or_zero - zero).named("or has an inverse");
        let holds = negative + zero;
        let taken = holds + inverted - 2 * holds * inverted;
        ports.fetch(
            c,
            Fetch {
                pc,
                operation: operation::BRANCH_SIGN,
                mode: inverted + or_zero * 2,
                target: NO_TARGET,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.jumps(c, clk, pc, pc + 8 + taken * (constant - pc - 8));
        ports.read(c, clk, Slot::First, first);
    }
}

impl InstructionChip for BranchSign {
    const OPERATIONS: &'static [i64] = &[operation::BRANCH_SIGN];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<BranchSignRecord> {
        let (clk, pc, constant) = (step.cycle.clk, step.cycle.pc, step.constant);
        let (inverted, or_zero) = (step.mode & 1 == 1, step.mode & 2 == 2);
        let first = accesses.read(step.first, clk, Slot::First);
        Some(BranchSignRecord { clk, pc, first, constant, inverted, or_zero })
    }
}
