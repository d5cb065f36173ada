//! Every feature of `#[chip]`, end to end: what is declared is what is recorded.

#![warn(missing_docs, missing_debug_implementations, unreachable_pub)]

use chipwright_dsl::prelude::*;

/// `sum = a + b mod 2^32`, on 16-bit limbs.
#[chip]
pub struct Add32 {
    #[input]
    pub a: U32,
    #[input]
    pub b: U32,
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

#[test]
fn add32_records() {
    let chip = record::<Add32>(Field::Goldilocks).unwrap();
    println!("{chip:#?}");
}
