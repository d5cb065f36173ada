//! Arithmetic of all kinds in one table: `a·b`, `a·b + c`, `a + b` or `a` is `out`, with two selectors
//! fixed by the circuit.

use chipwright_dsl::prelude::*;

/// One arithmetic row over base elements.
///
/// # Soundness
///
/// Assumes nothing. Guarantees the relation that the selectors say, and, because its messages carry one
/// cell a value, that all values are base elements.
#[chip]
pub struct Alu {
    /// Selects `a·b`, instead of `a`.
    #[fixed]
    pub product: Felt,
    /// Whether something is added: `c` to a product, `b` to `a`.
    #[fixed]
    pub sum: Felt,
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
    /// Selects `a·b`, instead of `a`.
    #[fixed]
    pub product: Felt,
    /// Whether something is added: `c` to a product, `b` to `a`.
    #[fixed]
    pub sum: Felt,
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
        let product = row.a * row.b + row.sum * row.c;
        let plain = row.a + row.sum * row.b;
        let out = row.product * product + (Expr::ONE - row.product) * plain;
        c.assert_eq(out, row.out).named("relation");
    }
}

impl Chip for AluExt {
    fn row(c: &Builder, row: &Row<Self>) {
        let product = row.a * row.b + row.c * row.sum;
        let plain = row.a.expr() + row.b * row.sum;
        let out = product * row.product + plain * (Expr::ONE - row.product);
        c.assert_same::<Ext>(out, row.out).named("relation");
    }
}
