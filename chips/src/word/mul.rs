//! Multiplication of 32-bit integers.

use chipwright_dsl::prelude::*;

/// `a · b = low + 2^32 · high`, on 16-bit limbs, least significant first.
///
/// # Soundness
///
/// Assumes that the limbs of `a` and `b` are below 2^16. The whole product is never a field element: in a
/// 64-bit field `low + 2^32 · high` and the same plus the field's order would be one element with two
/// readings. Every total here is below 2^32, which the recorder proves from the types of its terms, so each
/// cut is the only one.
#[chip(field_bits = 33)]
pub struct Mul32 {
    /// The first factor.
    #[input]
    pub a: U32,
    /// The second factor.
    #[input]
    pub b: U32,
    /// The product modulo 2^32.
    #[output]
    pub low: U32,
    /// The product divided by 2^32.
    #[output]
    pub high: U32,
    /// What the lowest product carries.
    carry: U16,
    /// The product of `a`'s low and `b`'s high limb, with the carry.
    middle: U32,
    /// What the other mixed product carries.
    mixed: U16,
}

impl Chip for Mul32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let (a, b, middle) = (row.a, row.b, row.middle);
        c.split(a[0] * b[0], (row.low[0], row.carry)).named("limb 0");
        c.split(a[0] * b[1] + row.carry, middle).named("limb 1, first half");
        c.split(a[1] * b[0] + middle[0], (row.low[1], row.mixed)).named("limb 1");
        c.split(a[1] * b[1] + middle[1] + row.mixed, row.high).named("limbs 2 and 3");
    }
}
