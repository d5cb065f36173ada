//! Bit decomposition.

use chipwright_dsl::prelude::*;

/// The bits of a field element's canonical form, the lowest first: `N` is 64 over Goldilocks, 31 over
/// `KoalaBear`.
///
/// # Soundness
///
/// Assumes nothing. The weighted sum of the bits alone would leave small elements two decompositions,
/// since `x + p` has `N` bits too. Both orders are `1…10…0` plus one: a string of bits is below the order
/// exactly if its leading part is not all ones or its trailing part is all zeros.
#[chip]
pub struct Bits<const N: usize> {
    /// The element.
    #[input]
    pub x: Felt,
    /// Its bits.
    #[output]
    pub bits: [Bit; N],
}

impl<const N: usize> Chip for Bits<N> {
    fn row(c: &Builder, row: &Row<Self>) {
        for (i, bit) in (0_i64..).zip(row.bits) {
            c.fill(bit, (row.x.int() >> i) & 1);
        }
        let weighted = row.bits.into_iter().rev().fold(Expr::ZERO, |sum, bit| sum + sum + bit);
        c.assert_eq(weighted, row.x).named("value");

        let zeros = (c.field().modulus() - 1).trailing_zeros() as usize;
        let (trailing, leading) = row.bits.split_at(zeros.min(N));
        let missing = leading.iter().map(|&bit| 1 - bit).sum::<Expr>();
        let set = trailing.iter().copied().sum::<Expr>();
        c.when(c.is_zero(missing), |c| c.assert_zero(set).named("canonical"));
    }
}
