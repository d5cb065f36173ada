//! System calls.

use chipwright_dsl::prelude::*;

use crate::machine::bus::{Cycle, Fetch, Instruction, NO_TARGET, Slot, Source};
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
