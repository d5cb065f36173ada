//! A choice between two values.

use chipwright_dsl::prelude::*;

/// `out` is `then` where the bit is one, and `otherwise` where it is zero.
///
/// # Soundness
///
/// Assumes that `bit` is zero or one: with another value the output would be any combination of the two.
/// Callers discharge this by the type of what they pass; on the witness bus, where a slot has no such
/// type, the chip's own table checks it.
#[chip]
pub struct Select {
    /// Which value is chosen.
    #[input]
    pub bit: Bit,
    /// The value for one.
    #[input]
    pub then: Ext,
    /// The value for zero.
    #[input]
    pub otherwise: Ext,
    /// The chosen value.
    #[output]
    pub out: Ext,
}

impl Chip for Select {
    fn row(c: &Builder, row: &Row<Self>) {
        c.define(row.out, c.select(row.bit, row.then, row.otherwise)).named("choice");
    }
}
