//! Compression of two digests to one.

use chipwright_dsl::prelude::*;

use super::Poseidon2;

/// The first four elements of the permutation of `left` and `right`: the inner nodes of a Merkle tree.
///
/// # Soundness
///
/// Assumes nothing.
#[chip(field_bits = 64)]
pub struct Compress {
    /// The left child.
    #[input]
    pub left: Digest,
    /// The right child.
    #[input]
    pub right: Digest,
    /// Their parent.
    #[output]
    pub parent: Digest,
    #[embed]
    permutation: Poseidon2<8>,
}

impl Chip for Compress {
    fn row(c: &Builder, row: &Row<Self>) {
        let [a, b, d, e] = row.left;
        let [f, g, h, i] = row.right;
        let permuted = c.embed(row.permutation, [a, b, d, e, f, g, h, i]);
        c.define(row.parent, [0, 1, 2, 3].map(|i| permuted.after[i]));
    }
}
