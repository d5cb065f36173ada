//! The test for zero.

use chipwright_dsl::prelude::*;

/// `zero` is one exactly if `x` is zero.
///
/// # Soundness
///
/// Assumes nothing. If `x` is zero the product with any inverse is zero, so the bit is one; if not, the
/// bit times `x` must vanish, so it is zero.
#[chip]
pub struct IsZero {
    /// The value.
    #[input]
    pub x: Felt,
    /// Whether it is zero.
    #[output]
    pub zero: Bit,
}

impl Chip for IsZero {
    fn row(c: &Builder, row: &Row<Self>) {
        c.define(row.zero, c.is_zero(row.x));
    }
}
