//! The chips: the whole machine, as rules.
//!
//! ```text
//!   program ──(ip, ci, ni)──► processor ◄──(mp, clk, mv)──► memory
//!                              │     ▲
//!                 (clk, byte)  ▼     │  (clk, byte)
//!                            output input            ticks: ranges
//! ```
//!
//! The [`Processor`] has a row a cycle. An executor says what its registers are, and is not believed: the bus
//! `program` decides what is executed at `ip`, the bus `memory` what the cell at `mp` holds, the buses
//! `input` and `output` what is read and written, and the rules decide what follows.
//!
//! Everything that a run leaves to its continuation is a public value: the registers `clk`, `ip` and `mp`, and
//! digests of the tape, of the input read and of the output written. So a run can be cut anywhere.

use chipwright_chips::Compress;
use chipwright_dsl::Rule;
use chipwright_dsl::prelude::*;

use super::program::Symbol;

/// What the program says about `ip`.
#[message]
pub struct Fetch {
    /// The instruction pointer.
    pub ip: Felt,
    /// The current instruction.
    pub ci: Felt,
    /// The next word: the target of a bracket.
    pub ni: Felt,
}

/// The value of a cell, from the end of one access until the next one.
#[message]
pub struct Stored {
    /// The cell.
    pub mp: Felt,
    /// The number of cycles after which it was accessed.
    pub clk: Felt,
    /// What it holds.
    pub mv: Felt,
}

/// A byte that is read or written.
#[message]
pub struct Transfer {
    /// The cycle: bytes are ordered by it.
    pub clk: Felt,
    /// The byte.
    pub byte: Felt,
}

/// A digit to the base [`TICKS`].
#[message]
pub struct Digit {
    /// The digit.
    pub value: Felt,
}

/// The base in which lengths of time are written. They have two digits, so no segment has more than
/// `TICKS²` cycles.
pub const TICKS: u32 = 1 << 10;

/// One cycle a row.
///
/// # Soundness
///
/// Every real row looks up its instruction, and there is none at the end of the program: nothing follows it.
/// Padding takes no part in anything. The cell is proven to be the one last left behind, since an access
/// takes `(mp, seen, mv)` off the bus and puts `(mp, clk + 1, new)` on it, with `seen ≤ clk`.
///
/// Cells are bytes without a lookup: the tape begins with zeros, `+` and `-` make bytes of bytes, and what is
/// read is what the verifier hashes, which are bytes.
#[chip]
pub struct Processor {
    /// The number of cycles before this one.
    #[record]
    pub clk: Felt,
    /// The instruction pointer.
    #[record]
    pub ip: Felt,
    /// The current instruction.
    #[record]
    pub ci: OneHot<Symbol>,
    /// The next word of the program.
    #[record]
    pub ni: Felt,
    /// The memory pointer.
    #[record]
    pub mp: Felt,
    /// The memory value: the cell at `mp`.
    #[record]
    pub mv: Felt,
    /// The inverse of `mv`, or zero.
    #[record]
    pub inv: Felt,
    /// The inverse of `255 - mv`, or zero.
    #[record]
    pub room: Felt,
    /// What the cell holds after the cycle.
    #[record]
    pub new: Felt,
    /// The number of cycles after which the cell was accessed before.
    #[record]
    pub seen: Felt,
    /// One if `mv` is zero.
    zero: Felt,
    /// One if `mv` is 255.
    full: Felt,
    /// Where the program goes on.
    next_ip: Felt,
    /// The digits of `clk - seen`.
    elapsed: [Felt; 2],
    /// The digest of what the proof is about. Nothing is demanded of it: being public, it is part of the proof.
    #[public]
    pub claim: Digest,
    #[public]
    pub start_clk: Felt,
    #[public]
    pub start_ip: Felt,
    #[public]
    pub start_mp: Felt,
    #[public]
    pub end_clk: Felt,
    #[public]
    pub end_ip: Felt,
    #[public]
    pub end_mp: Felt,
    #[port]
    program: Lookup<Fetch>,
    #[port(bus = "memory")]
    take: Receive<Stored>,
    #[port(bus = "memory")]
    leave: Send<Stored>,
    #[port]
    ticks: Lookup<Digit>,
    #[port]
    input: Receive<Transfer>,
    #[port]
    output: Send<Transfer>,
}

impl Chip for Processor {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ProcessorRow { clk, ip, ci, ni, mp, mv, inv, room, new, seen, .. } = row;
        let &ProcessorRow { zero, full, next_ip, .. } = row;
        c.lookup(row.program, Fetch { ip, ci: code(ci), ni });
        c.receive(row.take, Stored { mp, clk: seen, mv });
        c.send(row.leave, Stored { mp, clk: clk + 1, mv: new });
        digits(c, clk - seen, row.elapsed).named("seen before");
        for value in row.elapsed {
            c.lookup(row.ticks, Digit { value });
        }

        c.when(c.real(), |c| {
            c.define(zero, 1 - mv * inv).named("zero is told from the rest");
            c.define(full, 1 - (255 - mv) * room).named("255 is told from the rest");
        });
        c.assert_zero(mv * zero).named("a value that has no inverse is zero");
        c.assert_zero(inv * zero).named("zero has the inverse zero");
        c.assert_zero((255 - mv) * full).named("a value with room is not 255");
        c.assert_zero(room * full).named("255 has no room");

        c.case(ci, |c, symbol| {
            match symbol {
                Symbol::Increment => {
                    c.assert_eq(new, mv + 1 - 256 * full).named("one more, modulo 256");
                }
                Symbol::Decrement => {
                    c.assert_eq(new, mv - 1 + 256 * zero).named("one less, modulo 256");
                }
                Symbol::Input => {
                    c.receive(row.input, Transfer { clk, byte: new });
                }
                Symbol::Output => {
                    c.assert_eq(new, mv).named("the cell stays");
                    c.send(row.output, Transfer { clk, byte: new });
                }
                Symbol::Right | Symbol::Left | Symbol::Open | Symbol::Close => {
                    c.assert_eq(new, mv).named("the cell stays");
                }
            }
            match symbol {
                Symbol::Open => {
                    c.define(next_ip, ip + 2 + zero * (ni - ip - 2)).named("jumps if zero")
                }
                Symbol::Close => {
                    c.define(next_ip, ni + zero * (ip + 2 - ni)).named("jumps unless zero")
                }
                _ => c.define(next_ip, ip + 1).named("goes on"),
            };
        });
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.expose(row.start_clk, row.clk).named("clk before");
        c.expose(row.start_ip, row.ip).named("ip before");
        c.expose(row.start_mp, row.mp).named("mp before");
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.assert_eq(next.clk, row.clk + 1).named("clk");
        c.assert_eq(next.ip, row.next_ip).named("ip");
        c.assert_eq(next.mp, row.mp + moved(row)).named("mp");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.end_clk, row.clk + 1).named("clk after");
        c.expose(row.end_ip, row.next_ip).named("ip after");
        c.expose(row.end_mp, row.mp + moved(row)).named("mp after");
    }
}

/// The register `ci`: the code of the command's character.
fn code(ci: OneHot<Symbol>) -> Expr {
    Symbol::ALL.into_iter().map(|(symbol, code)| ci.is(symbol) * i64::from(code)).sum()
}

/// How far the memory pointer moves.
fn moved(row: &ProcessorRow) -> Expr {
    row.ci.is(Symbol::Right) - row.ci.is(Symbol::Left)
}

/// Writes a length of time with two digits, which look themselves up in [`Ticks`].
fn digits(c: &Builder, length: Expr, [low, high]: [Cell; 2]) -> Rule {
    const BASE: i64 = TICKS as i64;
    c.fill(low, length.int() & (BASE - 1));
    c.fill(high, length.int() >> i64::from(BASE.ilog2()));
    c.assert_eq(length, low + BASE * high)
}

/// The program: one instruction a row. Rows behind the last one repeat it.
#[chip]
pub struct ProgramTable {
    #[fixed]
    pub ip: Felt,
    #[fixed]
    pub ci: Felt,
    #[fixed]
    pub ni: Felt,
    #[port]
    program: Provide<Fetch>,
}

impl Chip for ProgramTable {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ProgramTableRow { ip, ci, ni, program } = row;
        c.provide(program, Fetch { ip, ci, ni });
    }
}

/// The program as a public input: one instruction a row, hashed from the first to the last. With this chip in the
/// place of [`ProgramTable`], one key serves all programs.
///
/// # Soundness
///
/// Every row is hashed, so the public digest is that of one list of instructions, and of its length.
#[chip(dense)]
pub struct PublicProgram {
    /// `ip`, `ci`, `ni`, and zero.
    #[record]
    pub instruction: [Felt; 4],
    /// The digest of the instructions before.
    digest: Digest,
    #[embed]
    hash: Compress,
    /// The digest with this instruction.
    hashed: Digest,
    #[public]
    pub program_digest: Digest,
    #[port]
    program: Provide<Fetch>,
}

impl Chip for PublicProgram {
    fn row(c: &Builder, row: &Row<Self>) {
        let [ip, ci, ni, _] = row.instruction;
        c.provide(row.program, Fetch { ip, ci, ni });
        let hash = c.embed(row.hash, (row.digest, row.instruction));
        c.define(row.hashed, hash.parent);
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.digest, [0; 4]).named("nothing comes before");
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.digest, row.hashed).named("goes on");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.program_digest, row.hashed).named("program");
    }
}

/// The digits.
#[chip]
pub struct Ticks {
    #[fixed]
    value: Felt,
    #[port]
    ticks: Provide<Digit>,
}

impl Chip for Ticks {
    fn row(c: &Builder, row: &Row<Self>) {
        c.provide(row.ticks, Digit { value: row.value });
    }

    fn fixed(_: Field) -> Vec<TicksFixed> {
        (0..TICKS).map(|value| TicksFixed { value: value.into() }).collect()
    }
}

/// The tape before and after: four cells a row.
///
/// # Soundness
///
/// The addresses are fixed, so each cell has one value before and one after. Both tapes are hashed row by
/// row, from the left, into the public digests.
#[chip(dense)]
pub struct Memory {
    /// The first of the row's cells.
    #[fixed]
    pub mp: Felt,
    /// The cells before the first cycle.
    #[record]
    pub before: [Felt; 4],
    /// The cells after the last cycle.
    #[record]
    pub after: [Felt; 4],
    /// The number of cycles after which each cell was accessed last.
    #[record]
    pub seen: [Felt; 4],
    /// The digests of the cells on the left, before and after.
    digest: [Digest; 2],
    /// The digests with the row's cells.
    hashed: [Digest; 2],
    #[embed]
    hash_before: Compress,
    #[embed]
    hash_after: Compress,
    #[public]
    pub start_clk: Felt,
    #[public]
    pub start_digest: Digest,
    #[public]
    pub end_digest: Digest,
    #[port(bus = "memory")]
    give: Send<Stored>,
    #[port(bus = "memory")]
    take: Receive<Stored>,
}

impl Chip for Memory {
    fn row(c: &Builder, row: &Row<Self>) {
        for (i, offset) in (0..4).zip(0_i64..) {
            let mp = row.mp + offset;
            c.send(row.give, Stored { mp, clk: row.start_clk, mv: row.before[i] });
            c.receive(row.take, Stored { mp, clk: row.seen[i], mv: row.after[i] });
        }
        let before = c.embed(row.hash_before, (row.digest[0], row.before));
        let after = c.embed(row.hash_after, (row.digest[1], row.after));
        c.define(row.hashed, [before.parent, after.parent]);
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.digest, [[0; 4]; 2]).named("nothing is on the left");
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.digest, row.hashed).named("goes on");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.start_digest, row.hashed[0]).named("tape before");
        c.expose(row.end_digest, row.hashed[1]).named("tape after");
    }
}

/// The two tables of bytes differ in their direction alone.
macro_rules! stream {
    ($(#[$doc:meta])* $name:ident $verb:ident $bus:ident: $port:ident) => {
        $(#[$doc])*
        ///
        /// # Soundness
        ///
        /// The processor says of each byte in which cycle it is transferred. Cycles grow from row to row, so
        /// the order is theirs. Rows that are not active take no part, and come last.
        #[chip(dense)]
        pub struct $name {
            /// Whether the row holds a byte.
            #[record]
            pub active: Bit,
            /// The cycle in which the byte is transferred.
            #[record]
            pub clk: Felt,
            /// The byte and three zeros: as much as is hashed at once.
            #[record]
            pub block: [Felt; 4],
            /// The digest of the bytes before.
            digest: Digest,
            /// The digest with this byte.
            hashed: Digest,
            /// The digits of the number of cycles between this byte and the next.
            gap: [Felt; 2],
            #[embed]
            hash: Compress,
            #[public]
            pub start_digest: Digest,
            #[public]
            pub end_digest: Digest,
            #[port]
            $bus: $port<Transfer>,
            #[port]
            ticks: Lookup<Digit>,
        }

        impl Chip for $name {
            fn row(c: &Builder, row: &Row<Self>) {
                let [byte, zeros @ ..] = row.block;
                c.when(row.active, |c| c.$verb(row.$bus, Transfer { clk: row.clk, byte }));
                c.zero::<[Felt; 3]>(zeros).named("one byte at a time");
                let hash = c.embed(row.hash, (row.digest, row.block));
                let after = c.select(row.active, hash.parent, row.digest);
                c.define(row.hashed, after).named("hash of a byte");
                for value in row.gap {
                    c.lookup(row.ticks, Digit { value });
                }
            }

            fn first(c: &Builder, row: &Row<Self>) {
                c.define(row.digest, row.start_digest).named("bytes before");
            }

            fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
                c.define(next.digest, row.hashed).named("goes on");
                c.assert_zero(next.active * (1 - row.active)).named("inactive rows come last");
                c.when(next.active, |c| {
                    digits(c, next.clk - row.clk - 1, row.gap).named("cycles grow");
                });
            }

            fn last(c: &Builder, row: &Row<Self>) {
                c.expose(row.end_digest, row.hashed).named("bytes after");
            }
        }
    };
}

stream! {
    /// The bytes that are read, in order, and their digest.
    InputTable send input: Send
}

stream! {
    /// The bytes that are written, in order, and their digest.
    OutputTable receive output: Receive
}
