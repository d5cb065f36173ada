//! Subtraction modulo 2^32.

use chipwright_dsl::prelude::*;

/// `difference = a − b mod 2^32`, on 16-bit limbs, least significant first.
///
/// # Soundness
///
/// Assumes that the limbs of `a` and `b` are below 2^16. Each total is lifted by 2^16, so it is not
/// negative, and lies below 2^17; its highest bit says that nothing was borrowed.
#[chip]
pub struct Sub32 {
    /// What is subtracted from.
    #[input]
    pub a: U32,
    /// What is subtracted.
    #[input]
    pub b: U32,
    /// The difference.
    #[output]
    pub difference: U32,
    /// One where a limb borrows nothing from the next.
    enough: [Bit; 2],
}

impl Chip for Sub32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let mut borrow = Expr::ZERO;
        for i in 0..2 {
            let total = row.a[i] - row.b[i] - borrow + 65536;
            c.split(total, (row.difference[i], row.enough[i])).named("limb");
            borrow = 1 - row.enough[i];
        }
    }
}
