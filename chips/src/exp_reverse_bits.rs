//! A power whose exponent is given by its bits, the highest first.

use chipwright_dsl::prelude::*;

/// `power = base^e`, where `e = Σ bits[i] · 2^(N − 1 − i)`: with the bits of an index, lowest first, the
/// exponent is the index with its bits reversed, which is how an evaluation domain in bit-reversed order
/// numbers its points.
///
/// # Soundness
///
/// Assumes that the bits are zero or one.
#[chip]
pub struct ExpReverseBits<const N: usize> {
    /// The base.
    #[input]
    pub base: Felt,
    /// The exponent's bits, the highest first.
    #[input]
    pub bits: [Bit; N],
    /// The power.
    #[output]
    pub power: Felt,
    /// The power so far, after each bit.
    partial: [Felt; N],
}

impl<const N: usize> Chip for ExpReverseBits<N> {
    fn row(c: &Builder, row: &Row<Self>) {
        let mut power = Expr::ONE;
        for i in 0..N {
            let factor = c.select(row.bits[i], row.base.into(), Expr::ONE);
            c.define(row.partial[i], power.square() * factor).named("square and multiply");
            power = row.partial[i].into();
        }
        c.define(row.power, power);
    }
}
