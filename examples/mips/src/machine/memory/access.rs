//! Loads and stores of words, and what bridges long times.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Access, Cycle, Fetch, Instruction, NO_TARGET, Slot, Source, Stored, Target, WORD, ZERO_SOURCE,
    elapsed, word,
};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `lw`: `target = memory[first + constant]`.
///
/// # Soundness
///
/// Only the leaves of the image give out addresses. Those of memory are below `2^32` and divisible by four, those of
/// registers beyond every sum of two words: so there is one carry for which there is something to load, and a word that is
/// not aligned cannot be loaded.
#[chip]
pub struct LoadWord {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// What is loaded.
    #[record]
    pub value: Felt,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What the effective address carries.
    carry: Bit,
    #[ports]
    ports: Instruction,
}

/// `sw`: `memory[first + constant] = second`.
///
/// # Soundness
///
/// As that of [`LoadWord`].
#[chip]
pub struct StoreWord {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub constant: Felt,
    /// What the word held.
    #[record]
    pub before: Felt,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What the effective address carries.
    carry: Bit,
    #[ports]
    ports: Instruction,
}

/// An access in between that reads: where more time passes than an instruction has digits for.
///
/// # Soundness
///
/// Time grows, as between any two accesses, and the value stays.
#[chip]
pub struct Refresh {
    #[record]
    pub address: Felt,
    /// When it was accessed.
    #[record]
    pub time: Felt,
    #[record]
    pub value: Felt,
    /// The time until it is accessed again, less one.
    #[record]
    pub gap: U32,
    #[port(bus = "memory")]
    take: Receive<Stored>,
    #[port(bus = "memory")]
    leave: Send<Stored>,
}

impl Chip for LoadWord {
    fn row(c: &Builder, row: &Row<Self>) {
        let &LoadWordRow { cycle, first, target, constant, value, since, carry, ports } = row;
        c.fill(carry, (first.value.int() + constant.int()) >> 32);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::LOAD_WORD,
                mode: 0,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        let address = first.value + constant - carry * WORD;
        let access =
            Access { clk: cycle.clk, slot: Slot::Memory, address, elapsed: elapsed(since) };
        ports.access(c, access, value, value);
        ports.write(c, cycle.clk, target, value);
    }
}

impl Chip for StoreWord {
    fn row(c: &Builder, row: &Row<Self>) {
        let &StoreWordRow { cycle, first, second, constant, before, since, carry, ports } = row;
        c.fill(carry, (first.value.int() + constant.int()) >> 32);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::STORE_WORD,
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
        let address = first.value + constant - carry * WORD;
        let access =
            Access { clk: cycle.clk, slot: Slot::Memory, address, elapsed: elapsed(since) };
        ports.access(c, access, before, second.value);
    }
}

impl Chip for Refresh {
    fn row(c: &Builder, row: &Row<Self>) {
        let &RefreshRow { address, time, value, gap, take, leave } = row;
        c.receive(take, Stored { address, time, value });
        c.send(leave, Stored { address, time: time + 1 + gap.felt(), value });
    }
}

impl InstructionChip for LoadWord {
    const OPERATIONS: &'static [i64] = &[operation::LOAD_WORD];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<LoadWordRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let address = word(first.value + constant);
        let value = accesses.value(address);
        let since = accesses.memory(address, clk, value);
        let target = accesses.write(step.target, clk, value);
        Some(LoadWordRecord { cycle, first, target, constant, value, since })
    }
}

impl InstructionChip for StoreWord {
    const OPERATIONS: &'static [i64] = &[operation::STORE_WORD];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<StoreWordRecord> {
        let (cycle, clk, constant) = (step.cycle.clone(), step.cycle.clk, step.constant);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let address = word(first.value + constant);
        let before = accesses.value(address);
        let since = accesses.memory(address, clk, second.value);
        Some(StoreWordRecord { cycle, first, second, constant, before, since })
    }
}
