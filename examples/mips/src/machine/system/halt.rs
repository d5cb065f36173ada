//! The end of a program.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{A0, V0};

use super::{Call, CallChip, Fixed, FixedNative, InputWordRecord, fetch};
use crate::machine::access::Accesses;
use crate::machine::bus::{Access, Cycle, Instruction, Slot, register};

/// `HALT`, and Linux's `exit` and `exit_group`: the program ends, and its exit code is `$a0`; of Linux's calls, the lowest
/// byte of that.
///
/// # Soundness
///
/// Rows of instructions take a state that is not halted, so no row follows. The digits of `$a0` are bounded so that
/// there is one way to cut it.
#[chip]
pub struct Halt {
    #[record]
    pub cycle: Cycle,
    /// The number of the call: `$v0`.
    #[record]
    pub number: Fixed,
    /// The exit code: `$a0`.
    #[record]
    pub argument: Fixed,
    /// Whether the call is one of Linux.
    #[record]
    pub linux: Bit,
    /// Whether it is the second one of Linux.
    #[record]
    pub group: Bit,
    /// The lowest byte of the argument.
    low: U16,
    /// The other digits of the argument: 16 bits, 8 bits.
    high: [U16; 2],
    #[ports]
    ports: Instruction,
}

/// `exit` of Linux.
const EXIT: i64 = 4001;
/// `exit_group` of Linux.
const EXIT_GROUP: i64 = 4246;

impl Chip for Halt {
    fn row(c: &Builder, row: &Row<Self>) {
        let &HaltRow { cycle, number, argument, linux, group, low, high, ports } = row;
        c.assert_zero(group * (1 - linux)).named("the second call of Linux is one of Linux");
        c.assert_eq(number.value, linux * EXIT + group * (EXIT_GROUP - EXIT))
            .named("the call is one that ends a program");
        let code = argument.value.int();
        c.fill(low, code & 0xff);
        c.fill(high[0], (code >> 8) & 0xffff);
        c.fill(high[1], code >> 24);
        c.range::<16>(low * (1 << 8));
        c.range::<16>(high[1] * (1 << 8));
        c.assert_eq(argument.value, low + high[0] * (1 << 8) + high[1] * (1 << 24))
            .named("the digits of the argument");
        fetch(c, ports, cycle);
        ports.halts(c, cycle, argument.value + linux * (low - argument.value));
        let slots = [(number, Slot::First, V0), (argument, Slot::Second, A0)];
        for (fixed, slot, name) in slots {
            let address = Expr::from(register(name.number().into()).cast_signed());
            let elapsed = fixed.elapsed.into();
            let access = Access { clk: cycle.clk, slot, address, elapsed };
            ports.access(c, access, fixed.value, fixed.value);
        }
    }
}

impl CallChip for Halt {
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        _: &mut Vec<InputWordRecord>,
    ) -> Option<HaltRecord> {
        let number = call.number().cast_signed();
        if ![0, EXIT, EXIT_GROUP].contains(&number) {
            return None;
        }
        let mut read = |slot, name: chipwright_mips_isa::Register| {
            let register = register(name.number().into());
            let value = accesses.value(register);
            let (value, elapsed) = accesses.replace(register, call.cycle.clk, slot, value);
            FixedNative { value, elapsed }
        };
        Some(HaltRecord {
            cycle: call.cycle.clone(),
            number: read(Slot::First, V0),
            argument: read(Slot::Second, A0),
            linux: number != 0,
            group: number == EXIT_GROUP,
        })
    }
}
