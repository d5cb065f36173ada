//! Chips that put values on the witness bus: constants, and values that the prover chooses.

use chipwright_dsl::prelude::*;

/// A constant of the circuit, one a row.
///
/// # Soundness
///
/// Assumes nothing. Guarantees that `value` is the constant that the verifying key commits to.
#[chip(name = "const")]
pub struct Const {
    /// The constant.
    #[fixed]
    pub constant: Ext,
    /// The value of the slot.
    #[input]
    pub value: Ext,
}

/// A slot that the prover fills freely: a private input, or a hint.
///
/// # Soundness
///
/// Assumes nothing. Guarantees that the slot of a base element holds one, and no more: what the value is
/// must follow from the rows that read it.
#[chip(name = "private")]
pub struct Private {
    /// Whether the slot holds a base element.
    #[fixed]
    pub felt: Bit,
    /// The value of the slot.
    #[input]
    pub value: Ext,
}

/// A slot of the witness table in the form where every slot has a row there.
///
/// # Soundness
///
/// As [`Private`]: the value is the prover's choice, within the type of the slot.
#[chip(name = "witness")]
pub struct Witness {
    /// Whether the slot holds a base element.
    #[fixed]
    pub felt: Bit,
    /// The value of the slot.
    #[input]
    pub value: Ext,
}

impl Chip for Const {
    fn row(c: &Builder, row: &Row<Self>) {
        c.assert_same::<Ext>(row.value, row.constant).named("value");
    }
}

impl Chip for Private {
    fn row(c: &Builder, row: &Row<Self>) {
        base_element(c, row.felt, row.value);
    }
}

impl Chip for Witness {
    fn row(c: &Builder, row: &Row<Self>) {
        base_element(c, row.felt, row.value);
    }
}

/// Where `felt` is set, all coefficients but the constant one are zero.
fn base_element(c: &Builder, felt: Bit, value: Ext) {
    c.when(felt, |c| {
        for &coefficient in &value.coefficients()[1..] {
            c.assert_zero(coefficient).named("a base element");
        }
    });
}
