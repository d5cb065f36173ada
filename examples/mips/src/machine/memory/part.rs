//! Loads and stores of bytes and halves.

use chipwright_dsl::prelude::*;

use super::lane::{Byte, ByteRow, Half, HalfRow};
use crate::machine::access::Accesses;
use crate::machine::alu::And;
use crate::machine::bus::{
    Cycle, Fetch, INVERSE_THREE_BYTES, Instruction, NO_TARGET, Slot, Source, Target, WORD,
    ZERO_SOURCE, effective, is_word, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `lb`, `lbu`: `target` = the byte at `first + constant`.
///
/// # Soundness
///
/// As that of [`LoadWord`](super::LoadWord), and that of [`Byte`]. The table of conjunctions says that it is a byte, and
/// what its highest bit is.
#[chip]
pub struct LoadByte {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// Whether the byte has a sign.
    #[record]
    pub signed: Felt,
    /// The byte that is loaded.
    #[record]
    pub byte: Felt,
    /// The rest of the word.
    #[record]
    pub rest: Byte,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What the effective address carries.
    carry: Bit,
    /// Where in the word the byte is.
    lane: [Bit; 2],
    /// Whether the byte has a sign and is negative.
    negative: Felt,
    #[port]
    table: Lookup<And>,
    #[ports]
    ports: Instruction,
}

impl Chip for LoadByte {
    fn row(c: &Builder, row: &Row<Self>) {
        let &LoadByteRow { cycle, first, target, constant, signed, byte, rest, .. } = row;
        let &LoadByteRow { since, carry, lane, negative, table, ports, .. } = row;
        let address = effective(c, first, constant, carry);
        let base = ByteRow::base(c, address, lane);
        c.fill(negative, (byte.int() >> 7) * signed.int());
        c.lookup(table, And { a: byte, b: signed * 128, both: negative * 128 });
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::LOAD_BYTE,
                mode: signed,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        let value = rest.word(byte, lane);
        ports.memory(c, cycle.clk, (base, since), value, value);
        ports.write(c, cycle.clk, target, byte + negative * (WORD - (1 << 8)));
    }
}

impl InstructionChip for LoadByte {
    const OPERATIONS: &'static [i64] = &[operation::LOAD_BYTE];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<LoadByteRecord> {
        let &Step { constant, mode: signed, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let address = word(first.value + constant);
        let value = accesses.value(address & !3);
        let since = accesses.memory(address & !3, clk, value);
        let (byte, rest) = Byte::of(value, address);
        let extended = if signed == 1 { i64::from(byte.cast_signed()) } else { byte.into() };
        let target = accesses.write(step.target, clk, word(extended.cast_unsigned()));
        let byte = byte.into();
        Some(LoadByteRecord { cycle, first, target, constant, signed, byte, rest, since })
    }
}

/// `lh`, `lhu`: `target` = the half at `first + constant`.
///
/// # Soundness
///
/// As that of [`LoadWord`](super::LoadWord), and that of [`Half`]. A half with a sign is below `2^15` if it is not negative,
/// and after its highest bit is taken off if it is; without a sign, none is negative.
#[chip]
pub struct LoadHalf {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// Whether the half has a sign.
    #[record]
    pub signed: Felt,
    /// The half that is loaded.
    #[record]
    pub half: U16,
    /// The rest of the word.
    #[record]
    pub rest: Half,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What the effective address carries.
    carry: Bit,
    /// Where in the word the half is.
    lane: Bit,
    /// Whether the half has a sign and is negative.
    negative: Bit,
    #[ports]
    ports: Instruction,
}

impl Chip for LoadHalf {
    fn row(c: &Builder, row: &Row<Self>) {
        let &LoadHalfRow { cycle, first, target, constant, signed, half, rest, .. } = row;
        let &LoadHalfRow { since, carry, lane, negative, ports, .. } = row;
        let address = effective(c, first, constant, carry);
        let base = HalfRow::base(c, address, lane);
        c.fill(negative, (half.int() >> 15) * signed.int());
        c.assert_zero(negative * (1 - signed)).named("without a sign nothing is negative");
        c.range::<16>((half - negative * (1 << 15)) * signed * 2);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::LOAD_HALF,
                mode: signed,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        let value = rest.word(half, lane);
        ports.memory(c, cycle.clk, (base, since), value, value);
        ports.write(c, cycle.clk, target, half + negative * (WORD - (1 << 16)));
    }
}

impl InstructionChip for LoadHalf {
    const OPERATIONS: &'static [i64] = &[operation::LOAD_HALF];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<LoadHalfRecord> {
        let &Step { constant, mode: signed, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let address = word(first.value + constant);
        let value = accesses.value(address & !3);
        let since = accesses.memory(address & !3, clk, value);
        let (half, rest) = Half::of(value, address);
        let extended = if signed == 1 { i64::from(half.cast_signed()) } else { half.into() };
        let target = accesses.write(step.target, clk, word(extended.cast_unsigned()));
        Some(LoadHalfRecord { cycle, first, target, constant, signed, half, rest, since })
    }
}

/// `sb`: the byte at `first + constant` = the lowest of `second`.
///
/// # Soundness
///
/// As that of [`LoadWord`](super::LoadWord), and that of [`Byte`]. The stored word is cut into a byte, a half and a byte.
#[chip]
pub struct StoreByte {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub constant: Felt,
    /// The byte that was there.
    #[record]
    pub byte: U8,
    /// The rest of the word.
    #[record]
    pub rest: Byte,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What the effective address carries.
    carry: Bit,
    /// Where in the word the byte is.
    lane: [Bit; 2],
    /// The byte that is stored.
    stored: U8,
    /// The half above it.
    above: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for StoreByte {
    fn row(c: &Builder, row: &Row<Self>) {
        let &StoreByteRow { cycle, first, second, constant, byte, rest, since, .. } = row;
        let &StoreByteRow { carry, lane, stored, above, ports, .. } = row;
        let address = effective(c, first, constant, carry);
        let base = ByteRow::base(c, address, lane);
        c.fill(stored, second.value.int() & 0xff);
        c.fill(above, (second.value.int() >> 8) & 0xffff);
        c.range::<8>((second.value - stored - above * (1 << 8)) * INVERSE_THREE_BYTES);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::STORE_BYTE,
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
        let (before, after) = (rest.word(byte, lane), rest.word(stored, lane));
        ports.memory(c, cycle.clk, (base, since), before, after);
    }
}

impl InstructionChip for StoreByte {
    const OPERATIONS: &'static [i64] = &[operation::STORE_BYTE];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<StoreByteRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let address = word(first.value + constant);
        let before = accesses.value(address & !3);
        let (byte, rest) = Byte::of(before, address);
        let place = 8 * (address % 4);
        let after = before & !(0xff << place) | (second.value & 0xff) << place;
        let since = accesses.memory(address & !3, clk, after);
        Some(StoreByteRecord { cycle, first, second, constant, byte, rest, since })
    }
}

/// `sh`: the half at `first + constant` = the lower of `second`.
///
/// # Soundness
///
/// As that of [`LoadWord`](super::LoadWord), and that of [`Half`]. The stored word is cut into halves.
#[chip]
pub struct StoreHalf {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub constant: Felt,
    /// The half that was there.
    #[record]
    pub half: U16,
    /// The rest of the word.
    #[record]
    pub rest: Half,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What the effective address carries.
    carry: Bit,
    /// Where in the word the half is.
    lane: Bit,
    /// The half that is stored.
    stored: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for StoreHalf {
    fn row(c: &Builder, row: &Row<Self>) {
        let &StoreHalfRow { cycle, first, second, constant, half, rest, since, .. } = row;
        let &StoreHalfRow { carry, lane, stored, ports, .. } = row;
        let address = effective(c, first, constant, carry);
        let base = HalfRow::base(c, address, lane);
        c.fill(stored, second.value.int() & 0xffff);
        is_word(c, second.value, stored);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::STORE_HALF,
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
        let (before, after) = (rest.word(half, lane), rest.word(stored, lane));
        ports.memory(c, cycle.clk, (base, since), before, after);
    }
}

impl InstructionChip for StoreHalf {
    const OPERATIONS: &'static [i64] = &[operation::STORE_HALF];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<StoreHalfRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let address = word(first.value + constant);
        let before = accesses.value(address & !3);
        let (half, rest) = Half::of(before, address);
        let place = 8 * (address % 4);
        let after = before & !(0xffff << place) | (second.value & 0xffff) << place;
        let since = accesses.memory(address & !3, clk, after);
        Some(StoreHalfRecord { cycle, first, second, constant, half, rest, since })
    }
}
