//! Calls that set a register that no program names, and bound it.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{A0, A1, A3};

use super::{Call, CallChip, Fixed, FixedNative, InputWordRecord, Returning, pseudo_register};
use crate::execute::{MAPPED_END, PAGE_BYTES};
use crate::machine::access::Accesses;
use crate::machine::bus::{Instruction, Slot, number, register};

/// `mmap` and `mmap2` of Linux for fresh memory, which is wherever mappings end; and `set_thread_area`.
///
/// # Soundness
///
/// What is mapped ends at the first page that is not before the end of what was asked for, by a distance below a page, and not
/// beyond the end of all mappings; what is asked for is one byte at least. The flags are cut into digits, whose ranges leave
/// one way to do that, so that they say that the memory is anonymous and may be anywhere: an `mmap` that fails has no
/// proof. Without a mapping all of these are zero.
#[chip]
pub struct Assign {
    #[record]
    pub call: Returning,
    /// Whether memory is mapped.
    #[record]
    pub maps: Bit,
    /// Whether that is by `mmap2`.
    #[record]
    pub second: Bit,
    /// The end of the mappings, or the thread pointer.
    #[record]
    pub target: Fixed,
    /// The pages up to the new end.
    #[record]
    pub pages: U32,
    /// How far that is behind the bytes that were asked for.
    slack: U16,
    /// The bytes that were asked for, less one.
    #[record]
    pub less: U32,
    /// How far the new end is from that of all mappings.
    #[record]
    pub room: U32,
    /// The digits of the flags besides two bits: four, six and twenty bits.
    #[record]
    pub flags: [U16; 4],
    #[ports]
    ports: Instruction,
}

const MMAP: i64 = 4090;
const MMAP2: i64 = 4210;
const SET_THREAD_AREA: i64 = 4283;

/// The flag that says that memory is of no file.
const ANONYMOUS: i64 = 1 << 11;

const PAGE: i64 = PAGE_BYTES as i64;

impl Chip for Assign {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AssignRow { call, maps, second, target, pages, slack, less, room, flags, ports } = row;
        let [a0, a1, _] = call.arguments.map(|argument| argument.value);
        c.assert_zero(second * (1 - maps)).named("`mmap2` maps");
        let number = SET_THREAD_AREA * c.real().expr()
            + maps * (MMAP - SET_THREAD_AREA)
            + second * (MMAP2 - MMAP);
        c.assert_eq(call.number.value, number).named("the call is one that assigns");

        let [low, middle, high, highest] = flags;
        c.range::<16>(low * (1 << 12));
        c.range::<16>(middle * (1 << 10));
        c.range::<16>(highest * (1 << 12));
        let digits = low + middle * (1 << 5) + high * (1 << 12) + highest * (1 << 28);
        c.assert_eq(digits + maps * ANONYMOUS, maps * call.failed.value)
            .named("the memory is anonymous, and may be anywhere");

        c.assert_eq(maps * a1, less.felt() + maps).named("there is something to map");
        let end = pages.felt() * PAGE;
        c.fill(slack, (end - maps * (target.value + a1)).int());
        c.range::<16>(slack * (1 << 4));
        c.assert_eq(end, maps * (target.value + a1) + slack).named("whole pages");
        c.assert_eq(end + room.felt(), maps * i64::from(MAPPED_END)).named("there is room");

        call.returns(c, ports, maps * target.value, Expr::ZERO);
        let (thread, mapped) =
            (number::THREAD_POINTER.cast_signed(), number::MAPPED_END.cast_signed());
        let at = (call.cycle.clk, Slot::Memory);
        let after = end + (1 - maps) * a0;
        pseudo_register(c, ports, at, maps * (mapped - thread) + thread, target, after);
    }
}

impl CallChip for Assign {
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        _: &mut Vec<InputWordRecord>,
    ) -> Option<AssignRecord> {
        let number = call.number().cast_signed();
        if ![MMAP, MMAP2, SET_THREAD_AREA].contains(&number) {
            return None;
        }
        let maps = number != SET_THREAD_AREA;
        let (length, given) = (call.argument(A1), call.argument(A3));
        let target = register(if maps { number::MAPPED_END } else { number::THREAD_POINTER });
        let page = u64::from(PAGE_BYTES);
        let (mut pages, mut less, mut room, mut flags) = (0, 0, 0, 0);
        if maps {
            if given & ANONYMOUS.cast_unsigned() == 0 || given & 0x10 != 0 {
                return None;
            }
            flags = given & !ANONYMOUS.cast_unsigned();
            less = length.checked_sub(1)?;
            pages = (accesses.value(target) + length).div_ceil(page);
            room = u64::from(MAPPED_END).checked_sub(pages * page)?;
        }
        let columns = Returning::record(call, accesses);
        let after = if maps { pages * page } else { call.argument(A0) };
        let (value, elapsed) = accesses.replace(target, call.cycle.clk, Slot::Memory, after);
        Some(AssignRecord {
            call: columns,
            maps,
            second: number == MMAP2,
            target: FixedNative { value, elapsed },
            pages: u32::try_from(pages).ok()?,
            less: u32::try_from(less).ok()?,
            room: u32::try_from(room).ok()?,
            flags: [flags & 0xf, flags >> 5 & 0x3f, flags >> 12 & 0xffff, flags >> 28]
                .map(|digit| digit as u16),
        })
    }
}
