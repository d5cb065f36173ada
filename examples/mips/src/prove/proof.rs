//! A proof of a run: its shards' proofs, and what it committed to.

use serde::{Deserialize, Serialize};

use super::bytes::{ReadError, decode, encode};
use super::key::ShardState;
use crate::machine::bus::{number, register};
use crate::machine::image::{Compression, Digest, Tree, Words, children, leaf_of};
use crate::machine::memory::LEVELS;

/// What a proof's bytes begin with; the last byte is the version of the format.
const MAGIC: &[u8] = b"chipwrightmipsp\x01";

/// A proof of a run, shard by shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreProof {
    /// The shards, in order.
    pub shards: Vec<ShardProof>,
    /// The committed words, in the last memory.
    pub committed: Opening,
}

/// A proof that a shard goes from the state before to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardProof {
    /// The position of its kind in the menu.
    pub kind: u8,
    /// The state that it leaves.
    pub to: ShardState,
    /// The proof, as bytes.
    pub proof: Vec<u8>,
}

impl CoreProof {
    /// A proof of shards that end with this memory.
    pub fn new(shards: Vec<ShardProof>, memory: &Tree) -> Self {
        Self { shards, committed: Opening::of(memory) }
    }

    /// The proof as versioned bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(MAGIC, self)
    }

    /// Reads a proof.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        decode(MAGIC, bytes)
    }
}

/// The leaf of the committed words, and what leads from it to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The words of the leaf.
    pub words: Words,
    /// The digests beside the path, from the leaf up: three a level.
    pub siblings: Vec<[Digest; 3]>,
}

/// The committed words, as far as they are set.
pub type Committed = [Option<u32>; 8];

impl Opening {
    /// The leaf of the committed words in a tree.
    pub fn of(tree: &Tree) -> Self {
        let leaf = leaf_of(register(number::COMMITTED));
        let mut index = leaf;
        let siblings = (0..LEVELS as usize).map(|level| {
            let (parent, place) = (index / 4, index % 4);
            let beside = [0, 1, 2, 3].into_iter().filter(|&child| child != place);
            let digests: Vec<Digest> =
                beside.map(|child| tree.digest(level, 4 * parent + child)).collect();
            index = parent;
            [digests[0], digests[1], digests[2]]
        });
        Self { siblings: siblings.collect(), words: tree.leaf(leaf) }
    }

    /// The committed words, if the leaf is one of the tree with this root.
    pub fn open(&self, root: &Digest) -> Option<Committed> {
        let canonical = |digest: &Digest| digest.iter().all(|&x| x < crate::machine::field::ORDER);
        let digests = self.siblings.iter().flatten();
        if self.siblings.len() != LEVELS as usize || !digests.into_iter().all(canonical) {
            return None;
        }
        // Zero, or one more than a word.
        if self.words.iter().any(|&word| word > 1 << 32) {
            return None;
        }
        let compression = Compression::default();
        let mut index = leaf_of(register(number::COMMITTED));
        let mut digest = compression.hash(&self.words);
        for siblings in &self.siblings {
            let mut all = siblings.to_vec();
            all.insert((index % 4) as usize, digest);
            digest = compression.hash(&children([all[0], all[1], all[2], all[3]]));
            index /= 4;
        }
        let word = |index: usize| self.words[index].checked_sub(1).map(|word| word as u32);
        (digest == *root).then(|| std::array::from_fn(word))
    }
}
