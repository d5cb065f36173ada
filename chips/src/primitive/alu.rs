//! Arithmetic of all kinds in one table: `product·a·b + left·a + right·b + addend·c = out`, with the four
//! selectors fixed by the circuit.

use chipwright_dsl::prelude::*;

/// One arithmetic row over base elements.
///
/// # Soundness
///
/// Assumes nothing. Guarantees the relation that the selectors say, and, because its messages carry one
/// cell a value, that all values are base elements.
#[chip]
pub struct Alu {
    /// Selects `a·b`.
    #[fixed]
    pub product: Felt,
    /// Selects `a`.
    #[fixed]
    pub left: Felt,
    /// Selects `b`.
    #[fixed]
    pub right: Felt,
    /// Selects `c`.
    #[fixed]
    pub addend: Felt,
    /// The first operand.
    #[input]
    pub a: Felt,
    /// The second operand.
    #[input]
    pub b: Felt,
    /// The addend of a fused multiplication.
    #[input]
    pub c: Felt,
    /// The result.
    #[input]
    pub out: Felt,
}

/// One arithmetic row over extension elements.
///
/// # Soundness
///
/// Assumes nothing. Guarantees the relation that the selectors say.
#[chip]
pub struct AluExt {
    /// Selects `a·b`.
    #[fixed]
    pub product: Felt,
    /// Selects `a`.
    #[fixed]
    pub left: Felt,
    /// Selects `b`.
    #[fixed]
    pub right: Felt,
    /// Selects `c`.
    #[fixed]
    pub addend: Felt,
    /// The first operand.
    #[input]
    pub a: Ext,
    /// The second operand.
    #[input]
    pub b: Ext,
    /// The addend of a fused multiplication.
    #[input]
    pub c: Ext,
    /// The result.
    #[input]
    pub out: Ext,
}

impl Chip for Alu {
    fn row(c: &Builder, row: &Row<Self>) {
        let product = row.product * (row.a * row.b);
        let sum = row.left * row.a + row.right * row.b + row.addend * row.c;
        c.assert_eq(product + sum, row.out).named("relation");
    }
}

impl Chip for AluExt {
    fn row(c: &Builder, row: &Row<Self>) {
        let product = row.a * row.b * row.product;
        let sum = row.a * row.left + row.b * row.right + row.c * row.addend;
        c.assert_same::<Ext>(product + sum, row.out).named("relation");
    }
}
