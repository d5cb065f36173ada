//! Calls that read or write two words of memory.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{A0, A1, A2};

use super::{Call, CallChip, InputWordRecord, Returning};
use crate::machine::access::Accesses;
use crate::machine::bus::Instruction;

/// `writev` of Linux, of two buffers at most, and `clock_gettime`.
///
/// # Soundness
///
/// `writev` reads the lengths in its list; what it returns is the sum of those that count, which is a word. The buffers are shown,
/// and not read. `clock_gettime` stores two words, which are zero. Only the leaves of the image give out addresses, all
/// of them aligned and below `2^32`.
#[chip]
pub struct Vector {
    #[record]
    pub call: Returning,
    /// Whether the call is `clock_gettime`.
    #[record]
    pub clock: Bit,
    /// Whether the first word is accessed, and whether the second one is.
    #[record]
    pub some: [Bit; 2],
    /// What the words held; zero, if they are not accessed.
    #[record]
    pub before: [Felt; 2],
    /// The times since the accesses before, less one.
    #[record]
    pub since: [[U16; 2]; 2],
    /// What is returned.
    #[record]
    pub written: U32,
    #[ports]
    ports: Instruction,
}

const WRITEV: i64 = 4146;
const CLOCK_GETTIME: i64 = 4263;

impl Chip for Vector {
    fn row(c: &Builder, row: &Row<Self>) {
        let &VectorRow { call, clock, some, before, since, written, ports } = row;
        let [a0, a1, a2] = call.arguments.map(|argument| argument.value);
        let real = c.real().expr();
        c.assert_eq(call.number.value, WRITEV * real + clock * (CLOCK_GETTIME - WRITEV))
            .named("the call is one of two words");
        c.assert_zero(some[1] * (1 - some[0])).named("the second word follows the first");
        c.assert_zero(clock * (1 - some[1])).named("a time has two words");
        let writes = real - clock;
        c.assert_eq(writes * a2, some[0] + some[1] - 2 * clock)
            .named("as many as there are buffers");
        let descriptor = (a0 - 1) * (a0 - 2) * (a0 - 3);
        c.assert_zero(writes * descriptor).named("something that is shown");

        let clk = call.cycle.clk;
        for (word, (read, stored)) in [(4, 0), (12, 4)].into_iter().enumerate() {
            let address = a1 + writes * read + clock * stored;
            let (value, after) = (before[word], writes * before[word]);
            let at = (address, since[word]);
            c.when(some[word], |c| ports.memory(c, clk, at, value, after));
            c.assert_zero((1 - some[word]) * value).named("what is not accessed is zero");
            for digit in since[word] {
                c.assert_zero((1 - some[word]) * digit).named("and was never accessed");
            }
        }
        c.assert_eq(written.felt(), writes * (before[0] + before[1]))
            .named("all bytes are written");
        call.returns(c, ports, written.felt(), Expr::ZERO);
    }
}

impl CallChip for Vector {
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        _: &mut Vec<InputWordRecord>,
    ) -> Option<VectorRecord> {
        let number = call.number().cast_signed();
        let clock = number == CLOCK_GETTIME;
        let (list, count) = (call.argument(A1), if clock { 2 } else { call.argument(A2) });
        let writes = number == WRITEV && (1..=3).contains(&call.argument(A0)) && count <= 2;
        // Words beyond the end of memory, or across them, are accessed by no row.
        if !(clock || writes) || list % 4 != 0 || list + 12 >= 1 << 32 {
            return None;
        }
        let columns = Returning::record(call, accesses);
        let clk = call.cycle.clk;
        let (mut before, mut since, mut written) = ([0; 2], [[0; 2]; 2], 0);
        let offsets = if clock { [0, 4] } else { [4, 12] };
        for (word, offset) in offsets.into_iter().enumerate().take(count as usize) {
            let address = list + offset;
            before[word] = accesses.value(address);
            let after = if clock { 0 } else { before[word] };
            since[word] = accesses.memory(address, clk, after);
            written += if clock { 0 } else { before[word] };
        }
        Some(VectorRecord {
            call: columns,
            clock,
            some: [count > 0, count > 1],
            before,
            since,
            written: u32::try_from(written).ok()?,
        })
    }
}
