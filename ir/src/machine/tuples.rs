//! Maps whose keys are messages: short tuples of canonical integers.
//!
//! Tables have millions of entries and are asked millions of times, and a key comes from the prover's own
//! trace, so a cheap hash without a secret is enough.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from tuples. Iteration order is arbitrary: sort before anything depends on it.
#[derive(Clone, Debug)]
pub(crate) struct TupleMap<V> {
    map: HashMap<Box<[u64]>, V, BuildHasherDefault<TupleHasher>>,
}

impl<V> Default for TupleMap<V> {
    fn default() -> Self {
        Self { map: HashMap::default() }
    }
}

impl<V> TupleMap<V> {
    pub(crate) fn get(&self, tuple: &[u64]) -> Option<&V> {
        self.map.get(tuple)
    }

    pub(crate) fn get_mut(&mut self, tuple: &[u64]) -> Option<&mut V> {
        self.map.get_mut(tuple)
    }

    /// The values, in arbitrary order.
    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.map.into_values()
    }

    pub(crate) fn insert(&mut self, tuple: &[u64], value: V) {
        self.map.insert(tuple.into(), value);
    }

    /// The value of a tuple, made if it is not there.
    pub(crate) fn entry(&mut self, tuple: &[u64], make: impl FnOnce() -> V) -> &mut V {
        if !self.map.contains_key(tuple) {
            self.map.insert(tuple.into(), make());
        }
        self.map.get_mut(tuple).expect("the tuple was inserted if it was not there")
    }

    /// The tuples whose values are wanted, sorted, with these.
    pub(crate) fn sorted(&self, wanted: impl Fn(&V) -> bool) -> Vec<(&[u64], &V)> {
        let entries = self.map.iter().filter(|(_, value)| wanted(value));
        let mut entries: Vec<_> = entries.map(|(key, value)| (&**key, value)).collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TupleHasher(u64);

impl TupleHasher {
    fn mix(&mut self, word: u64) {
        let product =
            u128::from(self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for TupleHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_usize(&mut self, length: usize) {
        self.mix(length as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
