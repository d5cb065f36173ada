//! Comparison of 32-bit integers.

use chipwright_dsl::prelude::*;

/// `less` is one exactly if `a < b`, both read without sign.
///
/// # Soundness
///
/// Assumes that the limbs of `a` and `b` are below 2^16. `b − a − 1` is cut limb by limb, lifted by 2^16 each
/// time; the carry out of the highest limb says that it is not negative.
#[chip]
pub struct Less32 {
    /// The left side.
    #[input]
    pub a: U32,
    /// The right side.
    #[input]
    pub b: U32,
    /// Whether `a < b`.
    #[output]
    pub less: Bit,
    /// `b − a − 1` modulo 2^32.
    difference: U32,
    /// Whether the low limb of `a` is less than that of `b`.
    low: Bit,
}

/// `equal` is one exactly if `a = b`.
///
/// # Soundness
///
/// Assumes that the limbs of `a` and `b` are below 2^16, so that equal integers have equal limbs.
#[chip]
pub struct Equal32 {
    /// The left side.
    #[input]
    pub a: U32,
    /// The right side.
    #[input]
    pub b: U32,
    /// Whether they are equal.
    #[output]
    pub equal: Bit,
}

impl Chip for Less32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let (a, b, difference) = (row.a, row.b, row.difference);
        c.split(b[0] - a[0] + 65535, (difference[0], row.low)).named("low limb");
        c.split(b[1] - a[1] + 65535 + row.low, (difference[1], row.less)).named("high limb");
    }
}

impl Chip for Equal32 {
    fn row(c: &Builder, row: &Row<Self>) {
        c.define(row.equal, c.equal(row.a, row.b));
    }
}
