//! The bytes of a 32-bit integer.

use chipwright_dsl::prelude::*;

/// The four bytes of `x`, the lowest first: the way from arithmetic to logic.
///
/// # Soundness
///
/// Assumes nothing beyond the type of `x`: two bytes have only one sum `low + 256 · high`, and a limb that is
/// one is below 2^16.
#[chip]
pub struct Bytes32 {
    /// The integer.
    #[input]
    pub x: U32,
    /// Its bytes.
    #[output]
    pub bytes: [U8; 4],
}

impl Chip for Bytes32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let [b0, b1, b2, b3] = row.bytes;
        c.split(row.x[0], (b0, b1)).named("low limb");
        c.split(row.x[1], (b2, b3)).named("high limb");
    }
}
