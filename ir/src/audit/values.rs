//! Wrong values worth trying for a cell, and random numbers to choose among them.
//!
//! Off by one, zero, one, a random element, a value just outside the cell's type, a limb's carry, what a
//! neighbour or another row holds: each is a forgery that has fooled somebody's chip.

use p3_field::PrimeField64;

use crate::chip::CellType;

/// Deterministic random numbers (`SplitMix64`), so that a finding comes back on the next run.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`; zero if `bound` is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Puts a list in a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}

/// Wrong values for a cell that holds `value`, the likeliest first. `others` are values that the chip
/// holds elsewhere.
pub(super) fn wrong_values<F: PrimeField64>(
    value: F,
    ty: CellType,
    others: &[F],
    rng: &mut Rng,
) -> Vec<F> {
    let mut values = vec![value + F::ONE, value - F::ONE];
    if let CellType::Bits(bits) = ty {
        let limit = F::from_u64(1 << bits);
        values.extend([value + limit, value - limit, F::from_u64(rng.bits() % (1 << bits))]);
        if bits == 1 {
            values.push(F::TWO);
        }
    }
    values.extend([F::ZERO, F::ONE, F::from_u64(rng.bits() % F::ORDER_U64), -value]);
    values.extend(others);
    values.extend([F::from_u64(1 << 8), F::from_u64(1 << 16)].map(|limb| value + limb));
    let mut wrong: Vec<F> = Vec::with_capacity(values.len());
    for candidate in values {
        if candidate != value && !wrong.contains(&candidate) {
            wrong.push(candidate);
        }
    }
    wrong
}

/// Whether a value is of a type.
pub(super) fn is_of_type<F: PrimeField64>(value: F, ty: CellType) -> bool {
    match ty {
        CellType::Bits(bits) => value.as_canonical_u64() < 1 << bits,
        _ => true,
    }
}
