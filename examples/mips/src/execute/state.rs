//! The state of a run: all that its future depends on, apart from program and input.

use chipwright_mips_isa::{Register, SP, ZERO};

use super::memory::{Memory, PAGE_BYTES};
use crate::program::Program;

/// The stack pointer at the start. What is above it is zero: no arguments, no environment, no auxiliary vector.
pub(crate) const STACK: u32 = 0x7fff_f000;

/// What `mmap` gives out begins here, or behind the program.
const MAPPED: u32 = 0x3000_0000;

/// What `mmap` gives out ends here, 256 MiB below the stack.
pub(crate) const MAPPED_END: u32 = 0x7000_0000;

/// So much of what was written to the standard error is kept, for the reports of faults.
pub(crate) const MESSAGE: usize = 1024;

/// The buffers that a program can read.
///
/// The first one is what descriptor 0 reads. `HINT_READ` takes one after the other, the first included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The buffers.
    pub buffers: Vec<Vec<u8>>,
}

/// A proof that the program wants to be verified: of another program, with committed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The digest of the other program's key.
    pub key: [u32; 8],
    /// The committed words.
    pub committed: [u32; 8],
}

/// The state of a run between two instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The address of the next instruction.
    pub pc: u32,
    /// The address of the one after it: not `pc + 4` in the delay slot of a jump.
    pub next_pc: u32,
    /// The registers. `$zero` is zero.
    pub registers: [u32; Register::COUNT],
    /// `HI`.
    pub hi: u32,
    /// `LO`.
    pub lo: u32,
    /// The address that `ll` linked, plus one; zero if there is none.
    pub link: u32,
    /// What `rdhwr $29` gives.
    pub thread_pointer: u32,
    /// What `brk` gives.
    pub heap_end: u32,
    /// Where `mmap` maps next.
    pub mapped_end: u32,
    /// The instructions executed so far.
    pub clock: u64,
    /// The committed words, as far as they are set.
    pub committed: [Option<u32>; 8],
    /// The proofs demanded, in order.
    pub demanded: Vec<Demand>,
    /// The exit code, once the program ended.
    pub exit: Option<u32>,
    /// How much of the first buffer descriptor 0 has read.
    pub read: usize,
    /// How many buffers were taken as hints.
    pub hints: usize,
    /// How many bytes of randomness were given.
    pub random: u64,
    /// The last bytes that were written to the standard error.
    pub message: Vec<u8>,
    /// The memory.
    pub memory: Memory,
}

impl State {
    /// The state that a program begins with.
    pub fn new(program: &Program) -> Self {
        let mut registers = [0; Register::COUNT];
        registers[SP.index()] = STACK;
        let heap = program.end().checked_next_multiple_of(PAGE_BYTES).unwrap_or(MAPPED_END);
        Self {
            pc: program.entry(),
            next_pc: program.entry().wrapping_add(4),
            registers,
            hi: 0,
            lo: 0,
            link: 0,
            thread_pointer: 0,
            heap_end: heap,
            // A quarter of a gigabyte of heap fits between a large program and what is mapped.
            mapped_end: MAPPED.max(heap.saturating_add(1 << 28) & !(PAGE_BYTES - 1)),
            clock: 0,
            committed: [None; 8],
            demanded: Vec::new(),
            exit: None,
            read: 0,
            hints: 0,
            random: 0,
            message: Vec::new(),
            memory: Memory::new(program),
        }
    }

    /// What a register holds.
    #[inline]
    pub fn get(&self, register: Register) -> u32 {
        self.registers[register.index()]
    }

    /// Sets a register; `$zero` stays zero.
    #[inline]
    pub fn set(&mut self, register: Register, value: u32) {
        self.registers[register.index()] = value;
        self.registers[ZERO.index()] = 0;
    }
}
