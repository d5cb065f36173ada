//! The words that a program commits to.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{A0, A1};

use super::{Call, CallChip, Fixed, FixedNative, InputWordRecord, Returning, pseudo_register};
use crate::machine::access::Accesses;
use crate::machine::bus::{Instruction, Slot, number, register};

/// `COMMIT`: one of eight words, which can be set once.
///
/// # Soundness
///
/// A committed word is a pseudo-register: zero, or one more than the word. The index is below eight, so no other register
/// is written to.
#[chip]
pub struct Commit {
    #[record]
    pub call: Returning,
    /// The index of the word.
    index: U16,
    /// What is committed, before.
    #[record]
    pub before: Fixed,
    #[ports]
    ports: Instruction,
}

/// The number of the call.
const COMMIT: i64 = 0x10;

impl Chip for Commit {
    fn row(c: &Builder, row: &Row<Self>) {
        let &CommitRow { call, index, before, ports } = row;
        let [a0, a1, _] = call.arguments.map(|argument| argument.value);
        c.assert_eq(call.number.value, COMMIT * c.real().expr()).named("the call is `COMMIT`");
        c.fill(index, a0.int());
        c.assert_eq(a0, index).named("the index");
        c.range::<16>(index * (1 << 13));
        let now = a1 + c.real().expr();
        c.assert_zero(before.value * (now - before.value)).named("a word is set once");
        call.returns(c, ports, call.number.value, call.failed.value);
        let at = (call.cycle.clk, Slot::Memory);
        pseudo_register(c, ports, at, index + number::COMMITTED.cast_signed(), before, now);
    }
}

impl CallChip for Commit {
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        _: &mut Vec<InputWordRecord>,
    ) -> Option<CommitRecord> {
        if call.number() != COMMIT.cast_unsigned() {
            return None;
        }
        let columns = Returning::record(call, accesses);
        let address = register(number::COMMITTED + call.argument(A0));
        let now = call.argument(A1) + 1;
        let (value, elapsed) = accesses.replace(address, call.cycle.clk, Slot::Memory, now);
        Some(CommitRecord { call: columns, before: FixedNative { value, elapsed } })
    }
}
