//! Memory at the ends of a shard: a Merkle tree of which the shard has the leaves that it touches.
//!
//! A leaf is [`WORDS`] words, a node four digests. Both are hashed by one permutation with feed-forward, the first four
//! elements of `P(x) + x`: without it, whoever may choose all of `x` finds another `x` with the same digest by inverting the
//! permutation. Rows hash what is before the shard and what is after it, so the tree's shape is walked once.
//!
//! # Soundness
//!
//! The root is level [`LEVELS`], index 0, and comes from the boundary alone. A node takes each child that it
//! does not leave as it is exactly once, at the level below and at an index that follows from its own. So there is one row
//! at most for each leaf, its index below `4^LEVELS`, and it gives out each of its addresses once. The root has no
//! second and no third child with a row: there is nothing between memory and registers, so a sum of two words that is not
//! below `2^32` is no address.

use chipwright_chips::Poseidon2;
use chipwright_dsl::prelude::*;

use crate::machine::bus::Stored;

/// Words of a leaf.
pub const WORDS: usize = 16;

/// Levels of nodes above the leaves: `4^14` leaves are a quarter for each of four address spaces of `2^32` bytes, of which memory
/// is the first and the registers are the last.
pub const LEVELS: u32 = 14;

/// A node of the tree before and after a shard.
#[message]
pub struct Child {
    /// Its level: leaves have zero.
    pub level: Felt,
    /// Its position within the level.
    pub index: Felt,
    /// Its digest before the shard.
    pub before: Digest,
    /// Its digest after the shard.
    pub after: Digest,
}

/// Sixteen words that the shard touches.
#[chip]
pub struct Leaf {
    /// Its position: the first address, divided by 64.
    #[record]
    pub index: Felt,
    /// When its words count as accessed before the shard.
    #[free(
        "time only grows from one access to the next, so any start before the first one will do"
    )]
    #[record]
    pub start: Felt,
    /// The words before the shard.
    #[record]
    pub before: [Felt; WORDS],
    /// The words after the shard.
    #[record]
    pub after: [Felt; WORDS],
    /// When each word was accessed last.
    #[record]
    pub time: [Felt; WORDS],
    #[embed]
    hash_before: Poseidon2<16>,
    #[embed]
    hash_after: Poseidon2<16>,
    #[port(bus = "memory")]
    give: Send<Stored>,
    #[port(bus = "memory")]
    take: Receive<Stored>,
    #[port(bus = "image")]
    up: Send<Child>,
}

/// A node above leaves that the shard touches.
#[chip]
pub struct Node {
    #[record]
    pub level: Felt,
    #[record]
    pub index: Felt,
    /// The digests of the children before the shard.
    #[record]
    pub before: [Felt; 16],
    /// The digests of the children after the shard.
    #[record]
    pub after: [Felt; 16],
    /// Whether there is a row for each child; the others stay as they are.
    #[record]
    pub touched: [Bit; 4],
    #[embed]
    hash_before: Poseidon2<16>,
    #[embed]
    hash_after: Poseidon2<16>,
    #[port(bus = "image")]
    down: Receive<Child>,
    #[port(bus = "image")]
    up: Send<Child>,
}

impl Chip for Leaf {
    fn row(c: &Builder, row: &Row<Self>) {
        let &LeafRow { index, start, before, after, time, give, take, up, .. } = row;
        for (i, offset) in (0..WORDS).zip((0_i64..).step_by(4)) {
            let address = index * 64 + offset;
            c.send(give, Stored { address, time: start, value: before[i] });
            c.receive(take, Stored { address, time: time[i], value: after[i] });
        }
        let hashed = c.embed(row.hash_before, before);
        let rehashed = c.embed(row.hash_after, after);
        let (before, after) = (digest(hashed.after, before), digest(rehashed.after, after));
        c.send(up, Child { level: 0, index, before, after });
    }
}

impl Chip for Node {
    fn row(c: &Builder, row: &Row<Self>) {
        let &NodeRow { level, index, before, after, touched, down, up, .. } = row;
        for (child, offset) in (0..4).zip(0_i64..) {
            let of = |digests: [Cell; 16]| [0, 1, 2, 3].map(|i| digests[4 * child + i]);
            let (before, after) = (of(before), of(after));
            c.when(touched[child], |c| {
                let index = index * 4 + offset;
                c.receive(down, Child { level: level - 1, index, before, after });
            });
            c.when(!touched[child], |c| {
                c.assert_same::<Digest>(before, after).named("a child without a row stays");
            });
        }
        let hashed = c.embed(row.hash_before, before);
        let rehashed = c.embed(row.hash_after, after);
        let (before, after) = (digest(hashed.after, before), digest(rehashed.after, after));
        c.send(up, Child { level, index, before, after });
    }
}

/// The digest of sixteen elements: the first four elements of the permutation's result, with those of its input added.
pub fn digest(permuted: [Cell; 16], input: [Cell; 16]) -> [Expr; 4] {
    [0, 1, 2, 3].map(|i| permuted[i] + input[i])
}
