//! Addition and multiplication over the extension field, each with a table of its own.

use chipwright_dsl::prelude::*;

/// `a + b = out`. A subtraction is the row whose addend is its result.
///
/// # Soundness
///
/// Assumes nothing. Guarantees the relation between the three values, whichever of them the row creates.
#[chip]
pub struct Add {
    /// The first addend.
    #[input]
    pub a: Ext,
    /// The second addend.
    #[input]
    pub b: Ext,
    /// The sum.
    #[input]
    pub out: Ext,
}

/// `a · b = out`. A division is the row whose factor is its result.
///
/// # Soundness
///
/// Assumes nothing. Guarantees the relation. It determines a factor only where the other one is not zero.
#[chip]
pub struct Mul {
    /// The first factor.
    #[input]
    pub a: Ext,
    /// The second factor.
    #[input]
    pub b: Ext,
    /// The product.
    #[input]
    pub out: Ext,
}

impl Chip for Add {
    fn row(c: &Builder, row: &Row<Self>) {
        c.assert_same::<Ext>(row.a + row.b, row.out).named("sum");
    }
}

impl Chip for Mul {
    fn row(c: &Builder, row: &Row<Self>) {
        c.assert_same::<Ext>(row.a * row.b, row.out).named("product");
    }
}
