//! Addition modulo 2^32.

use chipwright_dsl::prelude::*;

/// `sum = a + b mod 2^32`, on 16-bit limbs, least significant first.
///
/// # Soundness
///
/// Assumes that the limbs of `a` and `b` are below 2^16. Then each total is below 2^17, and its cut into a
/// limb and a carry is the only one.
#[chip]
pub struct Add32 {
    /// The first addend.
    #[input]
    pub a: U32,
    /// The second addend.
    #[input]
    pub b: U32,
    /// The sum.
    #[output]
    pub sum: U32,
    /// Carry out of each limb.
    carry: [Bit; 2],
}

impl Chip for Add32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let mut carry = Expr::ZERO;
        for i in 0..2 {
            let total = row.a[i] + row.b[i] + carry;
            c.split(total, (row.sum[i], row.carry[i])).named("limb");
            carry = row.carry[i].into();
        }
    }
}
