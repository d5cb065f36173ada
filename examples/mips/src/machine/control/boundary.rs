//! Where a shard begins and ends.

use chipwright_dsl::prelude::*;

use crate::machine::bus::{SLOTS, State, Stored, number, register};
use crate::machine::memory::{Child, LEVELS};
use crate::machine::program::TextChild;

/// The states before and after a shard, and the program.
///
/// # Soundness
///
/// There is one row. It gives out the state before, the root of the text and nothing else that a row of another chip could
/// begin with, and takes the state after; each of them is public. The register for what is discarded is cleared, so that the
/// memory after follows from the state of the program alone.
#[chip]
pub struct Boundary {
    /// `pc`, `next_pc`, `clk` before the shard: it is not halted.
    #[record]
    pub from: [Felt; 3],
    /// `halted`, `pc`, `next_pc`, `clk` after the shard.
    #[record]
    pub to: [Felt; 4],
    /// The root of the memory before the shard.
    #[record]
    pub before: Digest,
    /// The root of the memory after the shard.
    #[record]
    pub after: Digest,
    /// The root of the text.
    #[record]
    pub text: Digest,
    /// What was discarded last.
    #[record]
    pub discarded: Felt,
    /// The time since that, less one.
    #[record]
    pub since: U32,
    /// The root of the text: common to all shards.
    #[public(common)]
    pub program: Digest,
    /// `halted`, which is zero, `pc`, `next_pc`, `clk`.
    #[public(before = "control")]
    pub start: [Felt; 4],
    #[public(before = "memory")]
    pub start_memory: Digest,
    /// `halted`, `pc` (or the exit code), `next_pc`, `clk`.
    #[public(after = "control")]
    pub end: [Felt; 4],
    #[public(after = "memory")]
    pub end_memory: Digest,
    #[port(bus = "state")]
    give: Send<State>,
    #[port(bus = "state")]
    take: Receive<State>,
    #[port(bus = "memory")]
    clear: Receive<Stored>,
    #[port(bus = "memory")]
    cleared: Send<Stored>,
    #[port(bus = "image")]
    image: Receive<Child>,
    #[port(bus = "text")]
    text_root: Receive<TextChild>,
}

impl Chip for Boundary {
    fn row(c: &Builder, row: &Row<Self>) {
        let &BoundaryRow { from, to, before, after, text, give, take, image, text_root, .. } = row;
        let [pc, next_pc, clk] = from;
        c.send(give, State { halted: 0, pc, next_pc, clk });
        let &BoundaryRow { discarded, since, clear, cleared, .. } = row;
        let [halted, pc, next_pc, clk] = to;
        let address = register(number::SCRATCH).cast_signed();
        // No instruction of the shard is so late.
        let time = clk * SLOTS;
        c.receive(clear, Stored { address, time: time - 1 - since.felt(), value: discarded });
        c.send(cleared, Stored { address, time, value: 0 });
        c.receive(take, State { halted, pc, next_pc, clk });
        c.receive(image, Child { level: i64::from(LEVELS), index: 0, before, after });
        c.receive(text_root, TextChild { level: i64::from(LEVELS) - 1, index: 0, digest: text });
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.expose(row.program, row.text).named("program");
        let [pc, next_pc, clk] = row.from.map(Expr::from);
        c.expose(row.start, [Expr::ZERO, pc, next_pc, clk]).named("state before");
        c.expose(row.start_memory, row.before).named("memory before");
        c.expose(row.end, row.to).named("state after");
        c.expose(row.end_memory, row.after).named("memory after");
    }

    fn step(c: &Builder, _: &Row<Self>, _: &Row<Self>) {
        c.assert_eq(Expr::ONE, Expr::ZERO).named("there is one boundary");
    }
}
