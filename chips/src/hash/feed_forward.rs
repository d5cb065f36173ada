//! Poseidon2 with feed-forward: a hash of as many elements as the permutation has, whatever they are.

use chipwright_dsl::prelude::*;

use super::Parameters;

/// The first four elements of `P(x) + x`, with the Poseidon2 permutation `P` of `W` elements, one hash a row: `W` is 8,
/// 12 or 16.
///
/// It is [`Poseidon2`](super::Poseidon2) but for the last step, and shows four elements instead of all.
///
/// # Soundness
///
/// Assumes nothing: the digest is a function of `before`, and finding two values of `before` with one digest, or one with
/// a given digest, takes as long as for any hash of four elements, even if all `W` elements may be chosen. Without `+ x`
/// it would not: whoever chooses the elements of `P(x)` that are not shown finds `x` by inverting `P`.
///
/// Lists of different lengths are not told apart, nor are leaves and nodes; what is hashed where is for the circuit to fix.
#[chip(field_bits = 64)]
pub struct FeedForward<const W: usize> {
    /// What is hashed.
    #[input]
    pub before: [Felt; W],
    /// The digest.
    #[output]
    pub digest: Digest,
}

impl<const W: usize> Chip for FeedForward<W> {
    fn row(c: &Builder, row: &Row<Self>) {
        let Some(parameters) = Parameters::of(c.field(), W) else {
            c.refuse(format!("Poseidon2 of width {W}"));
            return;
        };
        let before = row.before.map(Expr::from).to_vec();
        let after = parameters.until_last(c, before, 0);
        c.define(row.digest, std::array::from_fn(|i| after[i] + row.before[i]));
    }
}
