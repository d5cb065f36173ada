//! Powers of two, and masks: what shifts, fields of bits and counts of bits are multiplied or compared with.

use chipwright_dsl::prelude::*;

/// An entry of the table: what an amount means.
#[message]
pub struct Power {
    /// What it is for: one of [`power`].
    pub kind: Felt,
    /// The amount of a shift, the lowest bit of a field, or a count.
    pub amount: Felt,
    /// The field `rd` of an instruction with a field of bits: its size less one, or its highest bit.
    pub high: Felt,
    /// The factor.
    pub factor: Felt,
    /// What else there is to know.
    pub selector: Felt,
}

/// What powers are for.
///
/// A shift is a product with the factor, which is at most `2^31`; the selector says what of it is the result (see
/// [`Product`](crate::machine::alu::Product)).
pub mod power {
    /// Nothing: zero, and the selector is zero.
    pub const NONE: u64 = 0;
    /// A shift to the left.
    pub const LEFT: u64 = 1;
    /// A shift to the right. By zero, it is one to the left.
    pub const RIGHT: u64 = 2;
    /// A rotation to the right.
    pub const ROTATE: u64 = 3;
    /// The field of `ext`: the rotation that brings it down, and the mask of what is left.
    pub const EXTRACT: u64 = 4;
    /// The field of `ins`: the rotation that brings it up, and the mask of where it is then.
    pub const INSERT: u64 = 5;
    /// A number of zeros: the lowest and the highest word that begins with so many of them.
    pub const COUNT: u64 = 6;
}

/// The lower half of a product is the result.
pub const LOWER: u64 = 0;
/// The upper half of a product is the result.
pub const UPPER: u64 = 1;
/// The sum of both is the result.
pub const BOTH: u64 = 2;

/// The table.
#[chip]
pub struct Powers {
    #[fixed]
    kind: Felt,
    #[fixed]
    amount: Felt,
    #[fixed]
    high: Felt,
    #[fixed]
    factor: Felt,
    #[fixed]
    selector: Felt,
    #[port(bus = "powers")]
    table: Provide<Power>,
}

impl Chip for Powers {
    fn row(c: &Builder, row: &Row<Self>) {
        let &PowersRow { kind, amount, high, factor, selector, table } = row;
        c.provide(table, Power { kind, amount, high, factor, selector });
    }

    fn fixed(_: Field) -> Vec<PowersFixed> {
        let kinds = power::NONE..=power::COUNT;
        let arguments = kinds.flat_map(|kind| (0..=32).map(move |amount| (kind, amount)));
        let arguments =
            arguments.flat_map(|(kind, amount)| (0..32).map(move |high| (kind, amount, high)));
        let row = |(kind, amount, high)| {
            let (factor, selector) = entry(kind, amount, high)?;
            Some(PowersFixed { kind, amount, high, factor, selector })
        };
        arguments.filter_map(row).collect()
    }
}

/// The factor and the selector of an entry, if there is one.
pub fn entry(kind: u64, amount: u64, high: u64) -> Option<(u64, u64)> {
    let right = if amount == 0 { 1 } else { 1 << (32 - amount.min(32)) };
    let mask = |size: u64| (1 << size) - 1;
    let has_high = matches!(kind, power::EXTRACT | power::INSERT);
    let largest = match kind {
        power::NONE => 0,
        power::COUNT => 32,
        _ => 31,
    };
    if amount > largest || !has_high && high > 0 {
        return None;
    }
    Some(match kind {
        power::NONE => (0, 0),
        power::LEFT => (1 << amount, LOWER),
        power::RIGHT => (right, if amount == 0 { LOWER } else { UPPER }),
        power::ROTATE => (right, BOTH),
        power::EXTRACT if amount + high < 32 => (right, mask(high + 1)),
        power::INSERT if amount <= high => (1 << amount, mask(high + 1 - amount) << amount),
        power::COUNT if amount == 32 => (0, 0),
        power::COUNT => (1 << (31 - amount), mask(32 - amount)),
        _ => return None,
    })
}
