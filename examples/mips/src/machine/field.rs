//! Arithmetic in the field for those who fill rows.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

/// The order of the field.
pub const ORDER: u64 = Goldilocks::ORDER_U64;

/// The inverse of an element, or zero.
pub fn inverse(value: u64) -> u64 {
    Goldilocks::from_u64(value).try_inverse().map_or(0, |inverse| inverse.as_canonical_u64())
}
