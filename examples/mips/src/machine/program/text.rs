//! The text: all words that are instructions, under one root. It is only read.

use chipwright_chips::Poseidon2;
use chipwright_dsl::prelude::*;

use crate::machine::memory::{WORDS, digest};

/// A word of the text.
#[message]
pub struct TextWord {
    /// Its address.
    pub address: Felt,
    /// The word.
    pub word: Felt,
}

/// A node of the tree of the text.
#[message]
pub struct TextChild {
    /// Its level: leaves have zero.
    pub level: Felt,
    /// Its position within the level.
    pub index: Felt,
    /// Its digest.
    pub digest: Digest,
}

/// Sixteen words of the text, some of which the shard executes.
///
/// # Soundness
///
/// The root comes from the boundary alone, and a node takes each of its children once or not at all: so there is one row at most
/// for each leaf of the tree, with the words under the root.
#[chip]
pub struct TextLeaf {
    /// Its position: the first address, divided by 64.
    #[record]
    pub index: Felt,
    #[record]
    pub words: [Felt; WORDS],
    #[embed]
    hash: Poseidon2<16>,
    #[port(bus = "words")]
    provided: Provide<TextWord>,
    #[port(bus = "text")]
    up: Send<TextChild>,
}

/// A node above leaves of the text that the shard executes.
#[chip]
pub struct TextNode {
    #[record]
    pub level: Felt,
    #[record]
    pub index: Felt,
    /// The digests of the children.
    #[record]
    pub children: [Felt; 16],
    /// Whether there is a row for each child.
    #[free("a child without a row gives out nothing")]
    #[record]
    pub touched: [Bit; 4],
    #[embed]
    hash: Poseidon2<16>,
    #[port(bus = "text")]
    down: Receive<TextChild>,
    #[port(bus = "text")]
    up: Send<TextChild>,
}

impl Chip for TextLeaf {
    fn row(c: &Builder, row: &Row<Self>) {
        let &TextLeafRow { index, words, provided, up, .. } = row;
        for (word, offset) in words.into_iter().zip((0_i64..).step_by(4)) {
            c.provide(provided, TextWord { address: index * 64 + offset, word });
        }
        let hashed = c.embed(row.hash, words);
        c.send(up, TextChild { level: 0, index, digest: digest(hashed.after, words) });
    }
}

impl Chip for TextNode {
    fn row(c: &Builder, row: &Row<Self>) {
        let &TextNodeRow { level, index, children, touched, down, up, .. } = row;
        for (child, offset) in (0..4).zip(0_i64..) {
            c.when(touched[child], |c| {
                let digest = [0, 1, 2, 3].map(|i| children[4 * child + i]);
                let index = index * 4 + offset;
                c.receive(down, TextChild { level: level - 1, index, digest });
            });
        }
        let hashed = c.embed(row.hash, children);
        c.send(up, TextChild { level, index, digest: digest(hashed.after, children) });
    }
}
