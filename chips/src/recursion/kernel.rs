//! What a hash row computes besides its permutation: the opening combination and the FRI fold.
//!
//! Both are sums over the values that a leaf row absorbs. They are linear in these values, with
//! coefficients that are polynomials in one extension element, the *point*.

use chipwright_ir::{Field, with_field};
use p3_field::{PrimeField64, TwoAdicField};

use super::native::HashSizes;

/// The largest base-2 logarithm of a folding arity: the fold has that degree minus one in the point.
pub(super) const MAX_LOG_ARITY: usize = 3;

/// The part of a FRI leaf that one row absorbs: the evaluations of a coset in bit-reversed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FoldPart {
    /// The base-2 logarithm of the arity.
    pub(super) log_arity: usize,
    /// The first evaluation in the row.
    pub(super) start: usize,
    /// The number of evaluations in the row.
    pub(super) count: usize,
}

/// Every part of a FRI leaf over a field: rows of all arities, in order.
pub(super) fn fold_parts(field: Field) -> Vec<FoldPart> {
    let in_row = HashSizes::of(field).rate() / field.degree();
    let mut parts = Vec::new();
    for log_arity in 1..=MAX_LOG_ARITY {
        for start in (0..1 << log_arity).step_by(in_row) {
            let count = in_row.min((1 << log_arity) - start);
            parts.push(FoldPart { log_arity, start, count });
        }
    }
    parts
}

/// The coefficients of the Lagrange polynomial of the `position`-th point (in bit-reversed order) of the
/// subgroup of order `2^log_arity`, lowest first.
pub(super) fn lagrange(field: Field, log_arity: usize, position: usize) -> Vec<u64> {
    with_field!(field, P => {
        lagrange_over::<<P as chipwright_ir::FieldPair>::Base>(log_arity, position)
    })
}

fn lagrange_over<F: PrimeField64 + TwoAdicField>(log_arity: usize, position: usize) -> Vec<u64> {
    let arity = 1 << log_arity;
    let exponent = position.reverse_bits() >> (usize::BITS as usize - log_arity);
    let inverse_point = F::two_adic_generator(log_arity).inverse().exp_u64(exponent as u64);
    let scale = F::from_u64(arity).inverse();
    inverse_point
        .shifted_powers(scale)
        .take(arity as usize)
        .map(|coefficient| coefficient.as_canonical_u64())
        .collect()
}
