//! System calls.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{Cycle, Fetch, Instruction, NO_TARGET, Slot, Source};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `syscall` with the number zero: the program ends, and its exit code is the second operand.
///
/// # Soundness
///
/// Rows of instructions take a state that is not halted, so no row follows.
#[chip]
pub struct Halt {
    #[record]
    pub cycle: Cycle,
    /// The number of the call: `$v0`.
    #[record]
    pub first: Source,
    /// The exit code: `$a0`.
    #[record]
    pub second: Source,
    #[ports]
    ports: Instruction,
}

impl Chip for Halt {
    fn row(c: &Builder, row: &Row<Self>) {
        let &HaltRow { cycle, first, second, ports } = row;
        c.assert_zero(first.value).named("the call is the one that ends a program");
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::SYSTEM_CALL,
                mode: 0,
                target: NO_TARGET,
                first: first.register,
                second: second.register,
                constant: 0,
            },
        );
        ports.halts(c, cycle, second.value);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
    }
}

impl InstructionChip for Halt {
    const OPERATIONS: &'static [i64] = &[operation::SYSTEM_CALL];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<HaltRecord> {
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        (first.value == 0).then_some(HaltRecord { cycle, first, second })
    }
}
