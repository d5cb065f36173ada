//! Loads and stores of the parts of a word that is not aligned.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::alu::{ByteSource, ByteSourceNative, ByteSourceRow, of_bytes};
use crate::machine::bus::{
    Access, Cycle, Fetch, Instruction, Slot, Source, Target, effective, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `lwl`, `lwr`, `swl`, `swr`: of the word at `first + constant` and of `second`, bytes of both are in `target`, or in memory.
/// The mode is one for the left part, plus two for stores. A store writes the scratch register, too.
///
/// With the lane `j` of the address and bytes from the lowest on, `w` those of memory and `r` those of the register:
///
/// | | byte `i` of the result |
/// |---|---|
/// | `lwl` | `w[i + j − 3]` if `i ≥ 3 − j`, else `r[i]` |
/// | `lwr` | `w[i + j]` if `i ≤ 3 − j`, else `r[i]` |
/// | `swl` | `r[i + 3 − j]` if `i ≤ j`, else `w[i]` |
/// | `swr` | `r[i − j]` if `i ≥ j`, else `w[i]` |
///
/// # Soundness
///
/// Both words are made of bytes, and so is the result. Addresses are given out where four divides them, so the lane is that
/// of the effective address.
#[chip]
pub struct Unaligned {
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
    /// Whether the left part is meant.
    #[record]
    pub left: Bit,
    /// Whether it is stored.
    #[record]
    pub store: Bit,
    /// The bytes of the word in memory.
    #[record]
    pub memory: [U8; 4],
    /// The bytes of the register.
    #[record]
    pub bytes: [U8; 4],
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What the effective address carries.
    carry: Bit,
    /// Where in the word the address is.
    lane: [Bit; 2],
    /// The word that is loaded or stored.
    result: Felt,
    #[ports]
    ports: Instruction,
}

/// From which byte of memory (below four) or of the register (from four on) a byte of the result comes.
const fn source(left: bool, store: bool, lane: usize, byte: usize) -> usize {
    match (left, store) {
        (true, false) if byte + lane >= 3 => byte + lane - 3,
        (false, false) if byte + lane <= 3 => byte + lane,
        (_, false) => 4 + byte,
        (true, true) if byte <= lane => 4 + byte + 3 - lane,
        (false, true) if byte >= lane => 4 + byte - lane,
        (_, true) => byte,
    }
}

impl Chip for Unaligned {
    fn row(c: &Builder, row: &Row<Self>) {
        let &UnalignedRow { cycle, first, second, target, constant, left, store, .. } = row;
        let &UnalignedRow { memory, bytes, since, carry, lane, result, ports, .. } = row;
        let address = effective(c, first, constant, carry);
        c.fill(lane[0], address.int() & 1);
        c.fill(lane[1], (address.int() >> 1) & 1);
        let all: [Expr; 8] =
            std::array::from_fn(|i| if i < 4 { memory[i].into() } else { bytes[i - 4].into() });
        let either = |flag: Bit, set: bool| if set { flag.into() } else { 1 - flag };
        let mut sum = Expr::ZERO;
        for case in 0..16_usize {
            let (is_left, is_store, place) = (case & 1 == 1, case & 2 == 2, case >> 2);
            let picked = [0, 1, 2, 3].map(|byte| all[source(is_left, is_store, place, byte)]);
            let value =
                picked[0] + picked[1] * (1 << 8) + picked[2] * (1 << 16) + picked[3] * (1 << 24);
            let taken = either(left, is_left) * either(store, is_store);
            let taken = taken * either(lane[0], place & 1 == 1) * either(lane[1], place >= 2);
            sum += taken * value;
        }
        c.define(result, sum).named("bytes of both");
        let (held, read) = (of_bytes(memory), of_bytes(bytes));
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::UNALIGNED,
                mode: left + store * 2,
                target: target.register,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        let ByteSourceRow { register, elapsed } = second;
        let (address_of_second, elapsed) = (register.into(), elapsed.into());
        let access =
            Access { clk: cycle.clk, slot: Slot::Second, address: address_of_second, elapsed };
        ports.access(c, access, read, read);
        let base = address - lane[0] - lane[1] * 2;
        ports.memory(c, cycle.clk, (base, since), held, held + store * (result - held));
        ports.write(c, cycle.clk, target, result);
    }
}

impl InstructionChip for Unaligned {
    const OPERATIONS: &'static [i64] = &[operation::UNALIGNED];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<UnalignedRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let (left, store) = (step.mode & 1 == 1, step.mode & 2 == 2);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let address = word(first.value + constant);
        let (base, lane) = (address & !3, (address % 4) as usize);
        let held = accesses.value(base);
        let bytes = (second.value as u32).to_le_bytes();
        let memory = (held as u32).to_le_bytes();
        let all = [memory, bytes].concat();
        let result = [0, 1, 2, 3].map(|byte| all[source(left, store, lane, byte)]);
        let result = u64::from(u32::from_le_bytes(result));
        let since = accesses.memory(base, clk, if store { result } else { held });
        let target = accesses.write(step.target, clk, result);
        let second = ByteSourceNative { register: second.register, elapsed: second.elapsed };
        Some(UnalignedRecord {
            cycle,
            first,
            second,
            target,
            constant,
            left,
            store,
            memory,
            bytes,
            since,
        })
    }
}
