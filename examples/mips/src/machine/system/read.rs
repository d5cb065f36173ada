//! Calls that put bytes of the input into memory.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{A0, A1, A2, V0};

use super::{Call, CallChip, InputWordRecord as WordRecord, Returning};
use crate::machine::access::Accesses;
use crate::machine::alu::And;
use crate::machine::bus::{Instruction, SLOTS, Slot, Stored, elapsed};

/// Bytes that remain to be put into memory.
#[message]
pub struct Fill {
    /// The instruction that puts them there.
    pub clk: Felt,
    /// The address of the next word.
    pub address: Felt,
    /// The bytes of that word that stay, from its first one on.
    pub skip: Felt,
    /// How many bytes remain.
    pub bytes: Felt,
}

/// `HINT_READ`, and `read` of Linux from descriptor 0: bytes of the input. And `getrandom`, which is no other.
///
/// # Soundness
///
/// The bytes are the prover's. `HINT_READ` puts as many into memory as it is asked for, at an address that is aligned;
/// the calls of Linux at most as many, and they say how many. Only the words that have such bytes are written to: [`InputWord`].
#[chip]
pub struct Read {
    #[record]
    pub call: Returning,
    /// Whether the call is one of Linux.
    #[record]
    pub linux: Bit,
    /// Whether it is `getrandom`.
    #[record]
    pub random: Bit,
    /// The number of bytes.
    #[record]
    pub bytes: U32,
    /// How many more are asked for.
    #[record]
    pub fewer: U32,
    /// The number of the first word.
    #[record]
    pub word: U32,
    /// Which byte of the first word is the first, if it is not the lowest one.
    #[record]
    pub skip: [Bit; 3],
    /// The address and the bytes that stay, behind the last word.
    #[record]
    pub end: [Felt; 2],
    #[port(bus = "fill")]
    send: Send<Fill>,
    #[port(bus = "fill")]
    receive: Receive<Fill>,
    #[ports]
    ports: Instruction,
}

/// The number of `HINT_READ`.
const HINT_READ: i64 = 0xf1;
/// The number of `read`.
const READ: i64 = 4003;
/// The number of `getrandom`.
const GETRANDOM: i64 = 4353;

impl Chip for Read {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ReadRow { call, linux, random, bytes, fewer, word, skip, end, send, receive, ports } =
            row;
        let [a0, a1, a2] = call.arguments.map(|argument| argument.value);
        c.assert_zero(random * (1 - linux)).named("`getrandom` is a call of Linux");
        let number =
            HINT_READ * c.real().expr() + linux * (READ - HINT_READ) + random * (GETRANDOM - READ);
        c.assert_eq(call.number.value, number).named("the call is one that reads");
        // Those of `read` are descriptor, address, length; those of the others address, length.
        let shifted = linux - random;
        c.assert_zero(shifted * a0).named("from descriptor 0");

        let (count, fewer) = (bytes.felt(), fewer.felt());
        let asked = a1 + shifted * (a2 - a1);
        c.assert_eq(asked, count + fewer).named("no more than is asked for");
        c.assert_zero((1 - linux) * fewer).named("as much as `HINT_READ` is asked for");

        let skipped = skip[0] + 2 * skip[1] + 3 * skip[2];
        let some = skip[0] + skip[1] + skip[2];
        c.assert_zero(some * (some - 1)).named("there is one first byte");
        let aligned = word.felt() * 4;
        c.assert_eq(aligned + skipped, a0 + shifted * (a1 - a0)).named("the address");
        c.assert_zero((1 - linux) * skipped).named("`HINT_READ` begins with a word");

        let clk = call.cycle.clk;
        c.send(send, Fill { clk, address: aligned, skip: skipped, bytes: count });
        let [address, skip] = end;
        c.receive(receive, Fill { clk, address, skip, bytes: 0 });
        let result = call.number.value + linux * (count - call.number.value);
        call.returns(c, ports, result, (1 - linux) * call.failed.value);
    }
}

/// A word that bytes of the input are put into.
///
/// # Soundness
///
/// The table of conjunctions proves that the word before and the new one consist of bytes. The bytes that are replaced
/// lie between a first one, told by what is received, and a last one: the highest, unless no bytes remain. There is one at
/// least, and no more than remain.
#[chip]
pub struct InputWord {
    #[record]
    pub clk: Felt,
    /// The address of the word.
    #[record]
    pub address: Felt,
    /// How many bytes remain.
    #[record]
    pub bytes: Felt,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// The bytes before.
    #[record]
    pub before: [Felt; 4],
    /// The bytes of the input.
    #[record]
    pub new: [Felt; 4],
    /// The conjunctions of both.
    #[record]
    pub and: [Felt; 4],
    /// Which byte is the first to be replaced.
    #[record]
    pub first: [Bit; 4],
    /// Which byte is the last to be replaced.
    #[record]
    pub last: [Bit; 4],
    /// How many bytes remain afterwards.
    #[record]
    pub rest: U32,
    #[port(bus = "fill")]
    receive: Receive<Fill>,
    #[port(bus = "fill")]
    send: Send<Fill>,
    #[port(bus = "memory")]
    take: Receive<Stored>,
    #[port(bus = "memory")]
    leave: Send<Stored>,
    #[port]
    table: Lookup<And>,
}

impl Chip for InputWord {
    fn row(c: &Builder, row: &Row<Self>) {
        let &InputWordRow { clk, address, bytes, since, before, new, and, .. } = row;
        let &InputWordRow { first, last, rest, receive, send, take, leave, table, .. } = row;
        for i in 0..4 {
            c.lookup(table, And { a: before[i], b: new[i], both: and[i] });
        }
        let one = c.real().expr();
        let sum = |bits: [Bit; 4]| bits[0] + bits[1] + bits[2] + bits[3];
        c.assert_eq(sum(first), one).named("one byte is the first");
        c.assert_eq(sum(last), one).named("one byte is the last");
        let place = |bits: [Bit; 4]| bits[1] + 2 * bits[2] + 3 * bits[3];
        let more = place(last) - place(first);
        c.range::<16>(more * (1 << 14));
        let rest = rest.felt();
        c.assert_eq(bytes - one - more, rest).named("no more bytes than remain");
        c.assert_zero((1 - last[3]) * rest).named("bytes go on to the end of a word");

        let mut replaced = Expr::ZERO;
        let (mut old, mut now) = (Expr::ZERO, Expr::ZERO);
        for i in 0..4 {
            let scale = 1_i64 << (8 * i);
            replaced += first[i];
            old += before[i] * scale;
            now += (before[i] + replaced * (new[i] - before[i])) * scale;
            replaced -= last[i];
        }
        let skip = place(first);
        c.receive(receive, Fill { clk, address, skip, bytes });
        c.send(send, Fill { clk, address: address + 4, skip: 0, bytes: rest });
        let time = clk * SLOTS + Slot::Memory as i64;
        c.receive(take, Stored { address, time: time - 1 - elapsed(since), value: old });
        c.send(leave, Stored { address, time, value: now });
    }
}

impl CallChip for Read {
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        words: &mut Vec<WordRecord>,
    ) -> Option<ReadRecord> {
        let number = call.number().cast_signed();
        let (reads, random) = (number == READ, number == GETRANDOM);
        let linux = reads || random;
        if !linux && number != HINT_READ || reads && call.argument(A0) != 0 {
            return None;
        }
        let columns = Returning::record(call, accesses);
        let (start, asked) = if reads {
            (call.argument(A1), call.argument(A2))
        } else {
            (call.argument(A0), call.argument(A1))
        };
        let bytes = if linux { call.result(V0) } else { asked };
        let clk = call.cycle.clk;
        let (mut address, mut skip, mut rest) = (start & !3, start & 3, bytes);
        while rest > 0 {
            let count = rest.min(4 - skip);
            let before = accesses.value(address);
            let now = u64::from(*call.stored.get(&u32::try_from(address).ok()?)?);
            let since = accesses.memory(address, clk, now);
            let digits = |word: u64| [0, 8, 16, 24].map(|shift| word >> shift & 0xff);
            let (old, new) = (digits(before), digits(now));
            let at = |place: u64| [0, 1, 2, 3].map(|byte| byte == place);
            words.push(WordRecord {
                clk,
                address,
                bytes: rest,
                since,
                before: old,
                new,
                and: std::array::from_fn(|byte| old[byte] & new[byte]),
                first: at(skip),
                last: at(skip + count - 1),
                rest: u32::try_from(rest - count).ok()?,
            });
            (address, skip, rest) = (address + 4, 0, rest - count);
        }
        Some(ReadRecord {
            call: columns,
            linux,
            random,
            bytes: u32::try_from(bytes).ok()?,
            fewer: u32::try_from(asked.checked_sub(bytes)?).ok()?,
            word: u32::try_from(start / 4).ok()?,
            skip: [1, 2, 3].map(|place| start & 3 == place),
            end: [address, skip],
        })
    }
}
