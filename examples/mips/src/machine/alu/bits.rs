//! Fields of bits, extended signs, swapped bytes, counted bits.

use chipwright_dsl::prelude::*;

use super::bitwise::{And, ByteSource, ByteSourceNative, ByteSourceRow, of_bytes};
use super::shift::{Product, selected_of};
use crate::machine::access::Accesses;
use crate::machine::bus::{
    Access, Cycle, Fetch, Instruction, Slot, Source, SourceNative, Target, WORD, ZERO_SOURCE,
    is_word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;
use crate::machine::program::{BOTH, Power, power, power_entry};

/// `ext`, `ins`: `target` is `second`, and where the mask has bits, `first` rotated. The constant is the power that rotates, the mode the
/// mask. For `ext`, `second` is `$zero`.
///
/// # Soundness
///
/// As that of [`Product`]; both halves of the product do not have a bit in common. The table proves that words are made of bytes, and the
/// conjunctions with those of the mask.
#[chip]
pub struct BitField {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: ByteSource,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// The bytes of the mask.
    #[record]
    pub mask: [Felt; 4],
    /// The bytes of the first operand, rotated.
    #[record]
    pub rotated: [Felt; 4],
    /// The bytes of the second operand.
    #[record]
    pub bytes: [Felt; 4],
    /// The conjunctions of the first operand and the mask.
    #[record]
    pub inserted: [Felt; 4],
    /// The conjunctions of the second operand and the mask.
    #[record]
    pub replaced: [Felt; 4],
    product: Product,
    #[port]
    table: Lookup<And>,
    #[ports]
    ports: Instruction,
}

/// `seb`, `seh`, `wsbh`: the lowest byte of `first` with its sign, the lower half with its sign, or the bytes of both halves
/// swapped, for the modes one, two and zero.
///
/// # Soundness
///
/// A word has one set of bytes. The table says what the highest bit of the highest byte that is kept is.
#[chip]
pub struct Extend {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: ByteSource,
    #[record]
    pub target: Target,
    /// Whether a byte is extended.
    #[record]
    pub byte: Bit,
    /// Whether a half is extended.
    #[record]
    pub half: Bit,
    /// The bytes.
    #[record]
    pub bytes: [U8; 4],
    /// Whether what is extended is negative.
    negative: Felt,
    #[port]
    table: Lookup<And>,
    #[ports]
    ports: Instruction,
}

/// `clz`, `clo`: `target` = the number of zeros that `first` begins with, or its complement, where the mode is one.
///
/// # Soundness
///
/// The word is between the lowest and the highest one that begin with so many zeros, which the table of powers says.
#[chip]
pub struct Count {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    /// Whether ones are counted.
    #[record]
    pub ones: Felt,
    /// The number.
    #[record]
    pub count: Felt,
    /// The lowest and the highest word with this number.
    #[record]
    pub bounds: [Felt; 2],
    /// The lower halves of the distances to the bounds.
    low: [U16; 2],
    #[port(bus = "powers")]
    powers: Lookup<Power>,
    #[ports]
    ports: Instruction,
}

/// Reads a register that is given by its bytes.
#[track_caller]
fn read(c: &Builder, ports: Instruction, when: (Cell, Slot), source: ByteSourceRow, value: Expr) {
    let ((clk, slot), ByteSourceRow { register, elapsed }) = (when, source);
    let access = Access { clk, slot, address: register.into(), elapsed: elapsed.into() };
    ports.access(c, access, value, value);
}

impl Chip for BitField {
    fn row(c: &Builder, row: &Row<Self>) {
        let &BitFieldRow { cycle, first, second, target, constant, mask, rotated, .. } = row;
        let &BitFieldRow { bytes, inserted, replaced, product, table, ports, .. } = row;
        let (lower, upper) = product.cut(c, first.value * constant);
        c.assert_eq(of_bytes(rotated), lower + upper).named("rotated");
        for i in 0..4 {
            c.lookup(table, And { a: rotated[i], b: mask[i], both: inserted[i] });
            c.lookup(table, And { a: bytes[i], b: mask[i], both: replaced[i] });
        }
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::BIT_FIELD,
                mode: of_bytes(mask),
                target: target.register,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        let before = of_bytes(bytes);
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        read(c, ports, (cycle.clk, Slot::Second), second, before);
        ports.write(c, cycle.clk, target, before - of_bytes(replaced) + of_bytes(inserted));
    }
}

impl Chip for Extend {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ExtendRow { cycle, first, target, byte, half, bytes, negative, table, ports } = row;
        let extends = byte + half;
        let highest = byte * bytes[0] + half * bytes[1];
        c.fill(negative, highest.int() >> 7);
        c.lookup(table, And { a: highest, b: extends * 128, both: negative * 128 });
        let lower = bytes[0] + bytes[1] * (1 << 8);
        let of_byte = bytes[0] + negative * (WORD - (1 << 8));
        let of_half = lower + negative * (WORD - (1 << 16));
        let swapped = of_bytes([bytes[1], bytes[0], bytes[3], bytes[2]]);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::EXTEND,
                mode: byte + half * 2,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        read(c, ports, (cycle.clk, Slot::First), first, of_bytes(bytes));
        let result = byte * of_byte + half * of_half + (1 - extends) * swapped;
        ports.write(c, cycle.clk, target, result);
    }
}

impl Chip for Count {
    fn row(c: &Builder, row: &Row<Self>) {
        let &CountRow { cycle, first, target, ones, count, bounds, low, powers, ports } = row;
        let kind = power::COUNT.cast_signed() * c.real().expr();
        let [factor, selector] = bounds;
        c.lookup(powers, Power { kind, amount: count, high: 0, factor, selector });
        let number = first.value + ones * (WORD - 1 - 2 * first.value);
        for (low, distance) in low.into_iter().zip([number - bounds[0], bounds[1] - number]) {
            c.fill(low, distance.int() & 0xffff);
            is_word(c, distance, low);
        }
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::COUNT,
                mode: ones,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.write(c, cycle.clk, target, count);
    }
}

fn source(SourceNative { register, elapsed, .. }: SourceNative) -> ByteSourceNative {
    ByteSourceNative { register, elapsed }
}

fn bytes(word: u64) -> [u64; 4] {
    (word as u32).to_le_bytes().map(u64::from)
}

impl InstructionChip for BitField {
    const OPERATIONS: &'static [i64] = &[operation::BIT_FIELD];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<BitFieldRecord> {
        let &Step { constant, mode: mask, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let rotated = selected_of(BOTH, first.value * constant);
        let before = second.value;
        let target = accesses.write(step.target, clk, before & !mask | rotated & mask);
        Some(BitFieldRecord {
            cycle,
            first,
            second: source(second),
            target,
            constant,
            mask: bytes(mask),
            rotated: bytes(rotated),
            bytes: bytes(before),
            inserted: bytes(rotated & mask),
            replaced: bytes(before & mask),
        })
    }
}

impl InstructionChip for Extend {
    const OPERATIONS: &'static [i64] = &[operation::EXTEND];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<ExtendRecord> {
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let (byte, half) = (step.mode == 1, step.mode == 2);
        let value = first.value as u32;
        let bytes = value.to_le_bytes();
        let result = match (byte, half) {
            (true, _) => i32::from((value as u8).cast_signed()).cast_unsigned(),
            (_, true) => i32::from((value as u16).cast_signed()).cast_unsigned(),
            _ => u32::from_le_bytes([bytes[1], bytes[0], bytes[3], bytes[2]]),
        };
        let target = accesses.write(step.target, clk, result.into());
        Some(ExtendRecord { cycle, first: source(first), target, byte, half, bytes })
    }
}

impl InstructionChip for Count {
    const OPERATIONS: &'static [i64] = &[operation::COUNT];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<CountRecord> {
        let &Step { mode: ones, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let word = first.value as u32;
        let count = u64::from(if ones == 1 { word.leading_ones() } else { word.leading_zeros() });
        let (low, high) = power_entry(power::COUNT, count, 0)?;
        let target = accesses.write(step.target, clk, count);
        Some(CountRecord { cycle, first, target, ones, count, bounds: [low, high] })
    }
}
