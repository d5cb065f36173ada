//! What the chips tell each other, and the part of a row that every instruction has.
//!
//! ```text
//!                     program (pc, operation, registers, constant)
//!                        │
//!   state (pc, next_pc, clk) ──► instruction ──► state (next_pc, .., clk + 1)
//!                        │ ▲
//!    take (address, time, value)  leave (address, later, value')
//! ```
//!
//! A row of an instruction takes the state off its bus and puts the next one there; so the rows of all chips together
//! are one run, whatever their order. Registers and memory are one bus: an access takes what the one before left, and
//! leaves what the next one takes.
//!
//! Time is `8·clk + slot`. An instruction accesses at most one place a [`Slot`], so no two accesses have one time, and an
//! instruction whose operands are one register needs no case of its own.

use chipwright_dsl::MessageOf;
use chipwright_dsl::prelude::*;

/// The registers lie beyond memory, where no effective address leads: `x + constant` is below `2^33`.
pub const REGISTERS: i64 = 3 << 32;

/// The numbers of the registers that have no number in an instruction.
pub mod number {
    /// `HI`.
    pub const HI: u64 = 32;
    /// `LO`.
    pub const LO: u64 = 33;
    /// What is written to `$zero` goes here.
    pub const SCRATCH: u64 = 34;
    /// What `ll` linked: the address, plus one.
    pub const LINK: u64 = 35;
    /// What `rdhwr $29` gives.
    pub const THREAD_POINTER: u64 = 36;
    /// What `brk` gives.
    pub const HEAP_END: u64 = 37;
    /// Where `mmap` maps next.
    pub const MAPPED_END: u64 = 38;
    /// The first of the eight committed words: each is zero, or one more than the word. They have a leaf of their own.
    pub const COMMITTED: u64 = 48;
}

/// The address of a register on the bus of memory.
pub const fn register(number: u64) -> u64 {
    REGISTERS as u64 + 4 * number
}

/// The first or second register of an instruction that has none: `$zero`.
pub const ZERO_SOURCE: i64 = register(0).cast_signed();

/// The target of an instruction that has none.
pub const NO_TARGET: i64 = register(number::SCRATCH).cast_signed();

/// `2^32`.
pub const WORD: i64 = 1 << 32;

/// `2^−5` in the field: `2^96 = −1`, so it is `−2^91 = 2^27 − 2^59`.
pub const INVERSE_32: i64 = (1 << 27) - (1 << 59);

/// `2^−24` in the field: `−2^72 = 2^8 − 2^40`.
pub const INVERSE_THREE_BYTES: i64 = (1 << 8) - (1 << 40);

/// `1/2` in the field.
pub const HALF: Expr = Expr::constant((0xffff_ffff_0000_0001 - 1) / 2 + 1);

/// `2^−16` in the field: `2^96 = −1`, so it is `−2^80 = 2^16 − 2^48`.
const INVERSE_HALF: i64 = (1 << 16) - (1 << 48);

/// When within its cycle an instruction accesses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first operand.
    First = 0,
    /// The second operand.
    Second = 1,
    /// Memory.
    Memory = 2,
    /// The result.
    Target = 3,
    /// `HI`.
    High = 4,
    /// `LO`.
    Low = 5,
    /// What is linked.
    Link = 6,
    /// Something that only few instructions have to do with.
    Last = 7,
}

/// Slots in a cycle.
pub const SLOTS: i64 = 8;

/// What the program says about an address.
#[message]
pub struct Fetch {
    /// The address.
    pub pc: Felt,
    /// What is done there: one of [`operation`](super::operation).
    pub operation: Felt,
    /// Which variant of it.
    pub mode: Felt,
    /// The register that is written: the scratch register if it is `$zero`, or none.
    pub target: Felt,
    /// The first register that is read, or `$zero`.
    pub first: Felt,
    /// The second register that is read, or `$zero`.
    pub second: Felt,
    /// The constant.
    pub constant: Felt,
}

/// Where a run is.
#[message]
pub struct State {
    /// Whether the program has ended.
    pub halted: Felt,
    /// The address of the next instruction; after the end, the exit code.
    pub pc: Felt,
    /// The address of the one after it.
    pub next_pc: Felt,
    /// The instructions executed so far.
    pub clk: Felt,
}

/// What a word of memory or a register holds, from one access to the next.
#[message]
pub struct Stored {
    /// The address.
    pub address: Felt,
    /// When it was accessed.
    pub time: Felt,
    /// What it holds.
    pub value: Felt,
}

/// Where an instruction that does not jump is in the run.
#[derive(Debug, Columns)]
pub struct Cycle {
    /// The instructions executed before.
    pub clk: Felt,
    /// Its address.
    pub pc: Felt,
    /// The address of the next one.
    pub next_pc: Felt,
}

/// A register that is read.
#[derive(Debug, Columns)]
pub struct Source {
    /// Its address.
    pub register: Felt,
    /// What it holds.
    pub value: Felt,
    /// The time since the access before, less one.
    pub elapsed: U16,
}

/// A register that is written.
#[derive(Debug, Columns)]
pub struct Target {
    /// Its address.
    pub register: Felt,
    /// What it held.
    pub before: Felt,
    /// The time since the access before, less one.
    pub elapsed: U16,
}

/// A register that is written, and has no number in the instruction.
#[derive(Debug, Columns)]
pub struct FixedTarget {
    /// What it held.
    pub before: Felt,
    /// The time since the access before, less one.
    pub elapsed: U16,
}

/// The ports of every instruction.
#[derive(Clone, Copy, Debug, Ports)]
pub struct Instruction {
    program: Lookup<Fetch>,
    #[port(bus = "state")]
    before: Receive<State>,
    #[port(bus = "state")]
    after: Send<State>,
    #[port(bus = "memory")]
    take: Receive<Stored>,
    #[port(bus = "memory")]
    leave: Send<Stored>,
}

impl Instruction {
    /// The program says that this is the instruction.
    #[track_caller]
    pub fn fetch(self, c: &Builder, fetch: impl MessageOf<Fetch>) {
        c.lookup(self.program, fetch);
    }

    /// The instruction is followed by the next one.
    #[track_caller]
    pub fn goes_on(self, c: &Builder, cycle: CycleRow) {
        let CycleRow { clk, pc, next_pc } = cycle;
        c.receive(self.before, State { halted: 0, pc, next_pc, clk });
        c.send(self.after, State { halted: 0, pc: next_pc, next_pc: next_pc + 4, clk: clk + 1 });
    }

    /// The instruction is followed by its delay slot and then by `target`. So it is in no delay slot itself.
    #[track_caller]
    pub fn jumps(self, c: &Builder, clk: Cell, pc: Cell, target: impl Into<Expr>) {
        c.receive(self.before, State { halted: 0, pc, next_pc: pc + 4, clk });
        c.send(self.after, State { halted: 0, pc: pc + 4, next_pc: target.into(), clk: clk + 1 });
    }

    /// The instruction is followed by another state. It is in no delay slot.
    #[track_caller]
    pub fn goes_to(self, c: &Builder, clk: Cell, pc: Cell, state: impl MessageOf<State>) {
        c.receive(self.before, State { halted: 0, pc, next_pc: pc + 4, clk });
        c.send(self.after, state);
    }

    /// The program ends here.
    #[track_caller]
    pub fn halts(self, c: &Builder, cycle: CycleRow, code: impl Into<Expr>) {
        let CycleRow { clk, pc, next_pc } = cycle;
        c.receive(self.before, State { halted: 0, pc, next_pc, clk });
        c.send(self.after, State { halted: 1, pc: code.into(), next_pc: 0, clk: clk + 1 });
    }

    /// Reads a register.
    #[track_caller]
    pub fn read(self, c: &Builder, clk: Cell, slot: Slot, source: SourceRow) {
        let SourceRow { register, value, elapsed } = source;
        self.access(
            c,
            Access { clk, slot, address: register.into(), elapsed: elapsed.into() },
            value,
            value,
        );
    }

    /// Writes a register. The value must be known to be below `2^32`.
    #[track_caller]
    pub fn write(self, c: &Builder, clk: Cell, target: TargetRow, value: impl Into<Expr>) {
        let TargetRow { register, before, elapsed } = target;
        let slot = Slot::Target;
        self.access(
            c,
            Access { clk, slot, address: register.into(), elapsed: elapsed.into() },
            before,
            value,
        );
    }

    /// Replaces a register that has no number in the instruction. The value must be known to be below `2^32`.
    #[track_caller]
    pub fn replace(
        self,
        c: &Builder,
        (clk, slot): (Cell, Slot),
        number: u64,
        fixed: FixedTargetRow,
        value: impl Into<Expr>,
    ) {
        let FixedTargetRow { before, elapsed } = fixed;
        let address = Expr::constant(register(number));
        let access = Access { clk, slot, address, elapsed: elapsed.into() };
        self.access(c, access, before, value);
    }

    /// Replaces a word of memory. The value must be known to be below `2^32`.
    #[track_caller]
    pub fn memory(
        self,
        c: &Builder,
        clk: Cell,
        (address, since): (Expr, [U16; 2]),
        before: impl Into<Expr>,
        after: impl Into<Expr>,
    ) {
        let access = Access { clk, slot: Slot::Memory, address, elapsed: elapsed(since) };
        self.access(c, access, before, after);
    }

    /// Takes what the access before left, and leaves something.
    #[track_caller]
    pub fn access(
        self,
        c: &Builder,
        access: Access,
        before: impl Into<Expr>,
        after: impl Into<Expr>,
    ) {
        let Access { clk, slot, address, elapsed } = access;
        let time = clk * SLOTS + slot as i64;
        c.receive(self.take, Stored { address, time: time - 1 - elapsed, value: before.into() });
        c.send(self.leave, Stored { address, time, value: after.into() });
    }
}

/// When and where something is accessed.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The cycle.
    pub clk: Cell,
    /// When in the cycle.
    pub slot: Slot,
    /// The address.
    pub address: Expr,
    /// The time since the access before, less one: below `2^32`.
    pub elapsed: Expr,
}

/// A time with two digits: more than any shard is long.
pub fn elapsed(digits: [U16; 2]) -> Expr {
    digits[0] + digits[1] * (1 << 16)
}

/// The word that is an element of the field, or its lower 32 bits.
pub const fn word(value: u64) -> u64 {
    value & 0xffff_ffff
}

/// Demands that a value whose lower half is `low` is below `2^32`.
#[track_caller]
pub fn is_word(c: &Builder, value: impl Into<Expr>, low: U16) {
    c.range::<16>((value.into() - low) * INVERSE_HALF);
}

/// The number that a word with a sign is: `negative` says whether it has one and is below zero, `half` is the lower half of
/// what is compared. Without a sign, it is the word.
///
/// # Soundness
///
/// The value is a word, and `signed` zero or one. The word with `2^31` added modulo `2^32` is below `2^32`, which leaves one
/// choice; without a sign the word is, with nothing taken off.
#[track_caller]
pub fn sign(
    c: &Builder,
    value: impl Into<Expr>,
    signed: impl Into<Expr>,
    (negative, half): (Bit, U16),
) -> Expr {
    let (value, signed) = (value.into(), signed.into());
    c.fill(negative, (value.int() >> 31) * signed.int());
    let number = value - negative * WORD;
    let compared = number + signed * (1 << 31);
    c.fill(half, compared.int() & 0xffff);
    is_word(c, compared, half);
    number
}

/// `first + constant` modulo `2^32`, if whatever is at that address says so.
///
/// # Soundness
///
/// A carry that is not that of the sum leads below zero or beyond `2^32`, where nothing gives out addresses.
#[track_caller]
pub fn effective(c: &Builder, first: SourceRow, constant: Cell, carry: Bit) -> Expr {
    c.fill(carry, (first.value.int() + constant.int()) >> 32);
    first.value + constant - carry * WORD
}
