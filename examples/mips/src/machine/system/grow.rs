//! The end of the heap.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::A0;

use super::{Call, CallChip, Fixed, FixedNative, InputWordRecord, Returning, pseudo_register};
use crate::machine::access::Accesses;
use crate::machine::bus::{Instruction, Slot, number, register};

/// `brk` of Linux: moves the end of the heap up, never down, and says where it is.
///
/// # Soundness
///
/// Whether the end that is asked for is beyond the present one is told by a difference below `2^32`. It does not go beyond
/// where mappings begin.
#[chip]
pub struct Grow {
    #[record]
    pub call: Returning,
    /// The end of the heap before.
    #[record]
    pub end: Fixed,
    /// Where the next mapping is.
    #[record]
    pub mapped: Fixed,
    /// Whether the end moves.
    moves: Bit,
    /// How far the end that is asked for is beyond the present one, less one; or how far before it.
    #[record]
    pub distance: U32,
    /// How far the end is from the next mapping.
    #[record]
    pub room: U32,
    #[ports]
    ports: Instruction,
}

/// The number of the call.
const BRK: i64 = 4045;

impl Chip for Grow {
    fn row(c: &Builder, row: &Row<Self>) {
        let &GrowRow { call, end, mapped, moves, distance, room, ports } = row;
        let asked = call.arguments[0].value;
        c.assert_eq(call.number.value, BRK * c.real().expr()).named("the call is `brk`");
        let is_beyond = end.value.int().less(asked.int());
        c.fill(moves, is_beyond);
        let ahead = moves * (2 * (asked - end.value) - 1) - (asked - end.value);
        c.assert_eq(ahead, distance.felt()).named("where the end that is asked for is");
        let after = end.value + moves * (asked - end.value);
        c.assert_eq(mapped.value - after, room.felt()).named("the heap ends before mappings");
        call.returns(c, ports, after, Expr::ZERO);
        let clk = call.cycle.clk;
        pseudo_register(c, ports, (clk, Slot::Memory), number::HEAP_END.cast_signed(), end, after);
        let at = (clk, Slot::Last);
        pseudo_register(c, ports, at, number::MAPPED_END.cast_signed(), mapped, mapped.value);
    }
}

impl CallChip for Grow {
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        _: &mut Vec<InputWordRecord>,
    ) -> Option<GrowRecord> {
        if call.number() != BRK.cast_unsigned() {
            return None;
        }
        let columns = Returning::record(call, accesses);
        let (end, mapped) = (register(number::HEAP_END), register(number::MAPPED_END));
        let (before, asked) = (accesses.value(end), call.argument(A0));
        let (after, limit) = (before.max(asked), accesses.value(mapped));
        let distance = if asked > before { asked - before - 1 } else { before - asked };
        let clk = call.cycle.clk;
        let mut access = |register, slot, after| {
            let (value, elapsed) = accesses.replace(register, clk, slot, after);
            FixedNative { value, elapsed }
        };
        Some(GrowRecord {
            call: columns,
            end: access(end, Slot::Memory, after),
            mapped: access(mapped, Slot::Last, limit),
            distance: u32::try_from(distance).ok()?,
            room: u32::try_from(limit.checked_sub(after)?).ok()?,
        })
    }
}
