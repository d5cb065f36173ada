//! Memory and registers between shards, as the verifier knows them: the root of a tree.
//!
//! [`Leaf`](super::memory::Leaf) and [`Node`](super::memory::Node) prove what is computed here.

use std::collections::{BTreeMap, BTreeSet};

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_16};
use p3_symmetric::Permutation;

use super::bus::{number, register};
use super::memory::{LEVELS, LeafRecord, NodeRecord, WORDS};
use crate::execute::State;
use crate::program::Program;
use chipwright_mips_isa::Register;

/// Four canonical elements of the field.
pub type Digest = [u64; 4];

/// Words of a leaf: canonical elements, below `2^32` if they are memory or registers.
pub type Words = [u64; WORDS];

/// Hashes sixteen elements to four, with feed-forward.
#[derive(Clone)]
pub struct Compression(Poseidon2Goldilocks<16>);

impl std::fmt::Debug for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compression")
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self(default_goldilocks_poseidon2_16())
    }
}

impl Compression {
    /// The digest of sixteen elements.
    pub fn hash(&self, input: &Words) -> Digest {
        let state = input.map(Goldilocks::from_u64);
        let permuted = self.0.permute(state);
        std::array::from_fn(|i| (permuted[i] + state[i]).as_canonical_u64())
    }

    /// The digests of trees whose words are all the same, by their number of levels.
    fn uniform(&self, word: u64) -> Vec<Digest> {
        let mut digests = vec![self.hash(&[word; WORDS])];
        for level in 0..LEVELS as usize {
            digests.push(self.hash(&children([digests[level]; 4])));
        }
        digests
    }
}

/// Four digests side by side.
pub(crate) fn children(digests: [Digest; 4]) -> Words {
    std::array::from_fn(|i| digests[i / 4][i % 4])
}

/// The digest of a part that nobody can open: a preimage of it is not known to anyone.
const SEALED: Digest = [0; 4];

/// A sparse tree of words: those that are not given are all the same.
///
/// Of a tree that has all [`LEVELS`], the second and the third quarter are sealed. Memory is the first one: so there is nothing
/// at the sum of an address and an offset that should have wrapped around.
#[derive(Clone, Debug)]
pub struct Tree {
    compression: Compression,
    /// The word that is not given.
    filler: u64,
    /// The digests of nodes under which no word is given, by level.
    empty: Vec<Digest>,
    leaves: BTreeMap<u64, Words>,
    /// The nodes above the leaves, by level (from one on) and index.
    nodes: Vec<BTreeMap<u64, Digest>>,
}

impl Tree {
    /// A tree of words by address, with `levels` levels of nodes; other words are `filler`.
    ///
    /// # Panics
    ///
    /// Panics if there are more levels than [`LEVELS`].
    pub fn new(words: impl IntoIterator<Item = (u64, u64)>, levels: u32, filler: u64) -> Self {
        assert!(levels <= LEVELS, "trees have {LEVELS} levels at most");
        let compression = Compression::default();
        let mut leaves: BTreeMap<u64, Words> = BTreeMap::new();
        for (address, value) in words {
            let place = (address / 4 % WORDS as u64) as usize;
            leaves.entry(leaf_of(address)).or_insert([filler; WORDS])[place] = value;
        }
        let empty = compression.uniform(filler);
        let nodes = vec![BTreeMap::new(); levels as usize];
        let mut tree = Self { compression, filler, empty, leaves, nodes };
        let indices: Vec<u64> = tree.leaves.keys().copied().collect();
        tree.rehash(&indices);
        tree
    }

    /// The digest of the whole.
    pub fn root(&self) -> Digest {
        self.digest(self.nodes.len(), 0)
    }

    /// The words of a leaf.
    pub fn leaf(&self, index: u64) -> Words {
        self.leaves.get(&index).copied().unwrap_or([self.filler; WORDS])
    }

    /// The word at an address.
    pub fn word(&self, address: u64) -> u64 {
        self.leaf(leaf_of(address))[(address / 4 % WORDS as u64) as usize]
    }

    /// The digest of a leaf or a node.
    pub fn digest(&self, level: usize, index: u64) -> Digest {
        if level == LEVELS as usize - 1 && self.nodes.len() > level && (index == 1 || index == 2) {
            return SEALED;
        }
        let known = match level.checked_sub(1) {
            None => self.leaves.get(&index).map(|words| self.compression.hash(words)),
            Some(above) => self.nodes[above].get(&index).copied(),
        };
        known.unwrap_or(self.empty[level])
    }

    /// The digests of a node's children.
    fn children(&self, level: usize, index: u64) -> Words {
        children([0, 1, 2, 3].map(|child| self.digest(level - 1, 4 * index + child)))
    }

    /// Replaces leaves.
    pub fn update(&mut self, leaves: impl IntoIterator<Item = (u64, Words)>) {
        let leaves: Vec<(u64, Words)> = leaves.into_iter().collect();
        let indices: Vec<u64> = leaves.iter().map(|&(index, _)| index).collect();
        self.leaves.extend(leaves);
        self.rehash(&indices);
    }

    /// Computes the nodes above leaves.
    fn rehash(&mut self, leaves: &[u64]) {
        let mut indices = leaves.to_vec();
        for level in 1..=self.nodes.len() {
            indices = above(&indices);
            for &index in &indices {
                let digest = self.compression.hash(&self.children(level, index));
                self.nodes[level - 1].insert(index, digest);
            }
        }
    }

    /// The rows of nodes above leaves: level, index, the digests of the children, and which of them have rows.
    pub fn paths(&self, leaves: &[u64]) -> Vec<(u64, u64, Words, [bool; 4])> {
        let mut rows = Vec::new();
        let mut below = leaves.to_vec();
        for level in 1..=self.nodes.len() {
            let indices = above(&below);
            for &index in &indices {
                let touched =
                    [0, 1, 2, 3].map(|child| below.binary_search(&(4 * index + child)).is_ok());
                rows.push((level as u64, index, self.children(level, index), touched));
            }
            below = indices;
        }
        rows
    }
}

/// The nodes above leaves or nodes, sorted.
fn above(indices: &[u64]) -> Vec<u64> {
    let mut above: Vec<u64> = indices.iter().map(|index| index / 4).collect();
    above.sort_unstable();
    above.dedup();
    above
}

/// The leaf that an address is in.
pub const fn leaf_of(address: u64) -> u64 {
    address / (4 * WORDS as u64)
}

/// Registers and pseudo-registers of a state, by number. Others are zero.
fn registers(state: &State) -> impl Iterator<Item = (u64, u64)> {
    let numbered =
        Register::all().map(|register| (u64::from(register.number()), state.get(register)));
    let named = [
        (number::HI, state.hi),
        (number::LO, state.lo),
        (number::LINK, state.link),
        (number::THREAD_POINTER, state.thread_pointer),
        (number::HEAP_END, state.heap_end),
        (number::MAPPED_END, state.mapped_end),
    ];
    let registers = numbered.chain(named).map(|(number, value)| (number, u64::from(value)));
    let committed = state.committed.map(|word| word.map_or(0, |word| u64::from(word) + 1));
    registers.chain((number::COMMITTED..).zip(committed))
}

/// Memory and registers of a state.
pub fn image(state: &State) -> Tree {
    let memory = state.memory.words().map(|(address, word)| (address.into(), word.into()));
    let registers = registers(state).map(|(number, value)| (register(number), value));
    Tree::new(memory.chain(registers), LEVELS, 0)
}

/// A leaf of the image of a state.
pub fn leaf(state: &State, index: u64) -> Words {
    let mut words = [0; WORDS];
    let first = index * 4 * WORDS as u64;
    if let Ok(first) = u32::try_from(first) {
        for (word, address) in words.iter_mut().zip((first..).step_by(4)) {
            *word = state.memory.word(address).into();
        }
    } else {
        for (number, value) in registers(state) {
            let address = register(number);
            if leaf_of(address) == index {
                words[(address / 4 % WORDS as u64) as usize] = value;
            }
        }
    }
    words
}

/// The leaves of a tree that are touched, and the nodes above them.
#[derive(Clone, Debug)]
pub struct Touched {
    /// By level: the leaves, then the nodes.
    levels: Vec<BTreeSet<u64>>,
    nodes: usize,
}

impl Touched {
    /// None, in a tree with so many levels of nodes.
    pub fn new(levels: u32) -> Self {
        Self { levels: vec![BTreeSet::new(); levels as usize + 1], nodes: 0 }
    }

    /// Touches a leaf.
    pub fn touch(&mut self, leaf: u64) {
        let mut index = leaf;
        for (level, touched) in self.levels.iter_mut().enumerate() {
            if !touched.insert(index) {
                break;
            }
            self.nodes += usize::from(level > 0);
            index /= 4;
        }
    }

    /// The leaves that are touched, in order.
    pub fn leaves(&self) -> impl Iterator<Item = u64> {
        self.levels[0].iter().copied()
    }

    /// The number of leaves.
    pub fn count(&self) -> usize {
        self.levels[0].len()
    }

    /// The number of nodes above the leaves.
    pub fn nodes(&self) -> usize {
        self.nodes
    }
}

/// A word that is no instruction.
const UNDECODABLE: u64 = 0xffff_ffff;

/// The text of a program: what is not text is no instruction.
pub fn text(program: &Program) -> Tree {
    let words = program.words().map(|(address, word)| (address.into(), word.into()));
    Tree::new(words, LEVELS - 1, UNDECODABLE)
}

/// The rows of leaves and nodes that lead from one tree to the next.
///
/// `time` says when a word was accessed last.
pub fn rows(
    before: &Tree,
    after: &Tree,
    touched: &[u64],
    start: u64,
    time: impl Fn(u64) -> Option<u64>,
) -> (Vec<LeafRecord>, Vec<NodeRecord>) {
    let leaf = |&index: &u64| LeafRecord {
        index,
        start,
        before: before.leaf(index),
        after: after.leaf(index),
        time: std::array::from_fn(|word| {
            time(4 * (WORDS as u64 * index + word as u64)).unwrap_or(start)
        }),
    };
    let nodes = before.paths(touched).into_iter().zip(after.paths(touched)).map(|(old, new)| {
        let (level, index, before, touched) = old;
        NodeRecord { level, index, before, after: new.2, touched }
    });
    (touched.iter().map(leaf).collect(), nodes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_replaced_and_the_root_follows() {
        let words = [(0, 1), (64, 2), (register(3), 3)];
        let mut tree = Tree::new(words, LEVELS, 0);
        let before = tree.root();
        let mut leaf = tree.leaf(1);
        leaf[5] = 7;
        tree.update([(1, leaf)]);
        assert_ne!(tree.root(), before);
        assert_eq!(tree.word(64 + 20), 7);
        assert_eq!(tree.root(), Tree::new(words.into_iter().chain([(84, 7)]), LEVELS, 0).root());
        leaf[5] = 0;
        tree.update([(1, leaf)]);
        assert_eq!(tree.root(), before);
    }
}
