//! Compression of two digests to one.

use chipwright_dsl::prelude::*;

use super::Poseidon2;

/// The first four elements of `P(x) + x`, where `x` is `left` and `right`, and `P` is Poseidon2: the inner nodes of a
/// Merkle tree.
///
/// # Soundness
///
/// Assumes nothing: the children may be any elements, digests or not. Of the permutation alone they would have to be
/// outputs of a hash. Whoever may choose them could choose the four elements of `P(x)` that are not shown instead, and
/// invert `P`: so every digest would be a parent, and of many children.
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
        c.define(row.parent, [0, 1, 2, 3].map(|i| permuted.after[i] + row.left[i]));
    }
}
