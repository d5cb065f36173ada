//! Traps under a condition: rows show that it does not hold.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, Instruction, NO_TARGET, Slot, Source, WORD, is_word, sign,
};
use crate::machine::field::inverse as inverse_of;
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `teq`, `teqi`: nothing, since `first` is not `second + constant`, one of which is zero.
///
/// # Soundness
///
/// The difference has an inverse. A trap has no proof.
#[chip]
pub struct TrapEqual {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub constant: Felt,
    /// The inverse of the difference.
    inverse: Felt,
    #[ports]
    ports: Instruction,
}

/// `tne`, `tge`, `tgeu`, `tlt`, `tltu` and those with a constant: nothing, since the condition does not hold for `first` and `second +
/// constant`, one of which is zero.
///
/// The mode says whether numbers have signs (1), whether `first` is less (2), and whether the numbers are equal (4).
///
/// # Soundness
///
/// As that of [`Less`](crate::machine::alu::Less); the answer is the mode's.
#[chip]
pub struct Trap {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub constant: Felt,
    /// Whether the numbers have signs.
    #[record]
    pub signed: Bit,
    /// Whether the first one is less.
    #[record]
    pub less: Bit,
    /// Whether they are equal.
    #[record]
    pub equal: Bit,
    /// Whether each number has a sign and is negative.
    negative: [Bit; 2],
    /// The lower half of each number, as it is compared.
    half: [U16; 2],
    /// The lower half of the difference.
    low: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for TrapEqual {
    fn row(c: &Builder, row: &Row<Self>) {
        let &TrapEqualRow { cycle, first, second, constant, inverse, ports } = row;
        let difference = first.value - second.value - constant;
        c.fill_with("inverse", inverse, [difference], |difference, inverse| {
            inverse[0] = inverse_of(difference[0]);
            Ok(())
        });
        c.assert_eq(difference * inverse, c.real().expr()).named("the numbers differ");
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::TRAP_EQUAL,
                mode: 0,
                target: NO_TARGET,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
    }
}

impl Chip for Trap {
    fn row(c: &Builder, row: &Row<Self>) {
        let &TrapRow { cycle, first, second, constant, signed, less, equal, .. } = row;
        let &TrapRow { negative, half, low, ports, .. } = row;
        let x = sign(c, first.value, signed, (negative[0], half[0]));
        let y = sign(c, second.value + constant, signed, (negative[1], half[1]));
        let difference = x - y + less * WORD;
        c.fill(low, difference.int() & 0xffff);
        is_word(c, difference, low);
        c.assert_zero((x - y) * equal).named("equal numbers have no difference");
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::TRAP,
                mode: signed + less * 2 + equal * 4,
                target: NO_TARGET,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
    }
}

impl InstructionChip for TrapEqual {
    const OPERATIONS: &'static [i64] = &[operation::TRAP_EQUAL];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<TrapEqualRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        Some(TrapEqualRecord { cycle, first, second, constant })
    }
}

impl InstructionChip for Trap {
    const OPERATIONS: &'static [i64] = &[operation::TRAP];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<TrapRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let [signed, less, equal] = [0, 1, 2].map(|bit| step.mode >> bit & 1 == 1);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        Some(TrapRecord { cycle, first, second, constant, signed, less, equal })
    }
}
