//! The hash of a field as native code, and its sizes.

use std::fmt::Debug;

use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4, KoalaBear5};
use chipwright_ir::{Field, FieldPair};
use p3_field::{PackedValue, TwoAdicField};
use p3_goldilocks::{Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_16};
use p3_koala_bear::{KoalaBear, Poseidon2KoalaBear, default_koalabear_poseidon2_32};
use p3_symmetric::Permutation;

/// How many elements the hash of a field works on. Everything follows from the digest: the capacity is one, a row
/// absorbs three, and four are compressed into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashSizes {
    /// The number of elements of a digest.
    pub digest: usize,
}

impl HashSizes {
    /// The sizes over a field: digests have some 250 bits.
    pub const fn of(field: Field) -> Self {
        match field {
            Field::Goldilocks2 | Field::Goldilocks3 => Self { digest: 4 },
            Field::KoalaBear4 | Field::KoalaBear5 => Self { digest: 8 },
        }
    }

    /// The number of elements that a permutation absorbs.
    pub const fn rate(self) -> usize {
        3 * self.digest
    }

    /// Which elements of a state the digest number `place` is: a bit each, the first element lowest.
    pub const fn mask(self, place: usize) -> u32 {
        ((1 << self.digest) - 1) << (self.digest * place)
    }

    /// The elements that are first coefficients where a row of a transcript joins what it absorbs to elements of the
    /// extension.
    ///
    /// Rows are the blocks of the transcript, so where its extension elements begin is for the protocol to say.
    /// In the proof of a layer, which is one table with eight chunks of a quotient, 99 known elements over
    /// KoalaBear and 43 over Goldilocks come before the opened values: the encoding of the seed of Plonky3's
    /// `PcsShape`, 293 bytes and their number.
    pub fn joined(field: Field) -> impl Iterator<Item = usize> {
        let (rate, degree) = (Self::of(field).rate(), field.degree());
        let known = match field {
            Field::Goldilocks2 | Field::Goldilocks3 => 43,
            Field::KoalaBear4 | Field::KoalaBear5 => 99,
        };
        (known % rate % degree..=rate - degree).step_by(degree)
    }

    /// The number of elements of a state.
    pub const fn width(self) -> usize {
        4 * self.digest
    }
}

/// A field pair with the permutation of the [`Hasher`](super::Hasher) as native code.
pub trait HashField: FieldPair<Base: TwoAdicField> {
    /// A digest: [`HashSizes::digest`] elements.
    type Digest: Copy
        + Debug
        + Default
        + Eq
        + Send
        + Sync
        + AsRef<[Self::Base]>
        + AsMut<[Self::Base]>
        + 'static;
    /// The state of the permutation: [`HashSizes::width`] elements.
    type State: Copy + Debug + Default + AsRef<[Self::Base]> + AsMut<[Self::Base]>;
    /// The permutation.
    type Permutation: Permutation<Self::State>;

    /// The sizes.
    const SIZES: HashSizes = HashSizes::of(Self::FIELD);

    /// The permutation.
    fn permutation() -> Self::Permutation;

    /// Permutes states, as many at once as a vector has lanes.
    fn permute_all(permutation: &Self::Permutation, states: &mut [Self::State]);

    /// The first elements of a state.
    fn digest(state: &Self::State) -> Self::Digest {
        let mut digest = Self::Digest::default();
        for (element, &first) in digest.as_mut().iter_mut().zip(state.as_ref()) {
            *element = first;
        }
        digest
    }
}

/// Permutes states lane by lane.
fn permute_all<F, P, const N: usize>(permutation: &P, states: &mut [[F; N]])
where
    F: TwoAdicField,
    P: Permutation<[F; N]> + Permutation<[F::Packing; N]>,
{
    for states in states.chunks_mut(F::Packing::WIDTH) {
        // One alone is faster without the other lanes.
        if let [state] = states {
            permutation.permute_mut(state);
            continue;
        }
        let mut packed: [F::Packing; N] = std::array::from_fn(|i| {
            F::Packing::from_fn(|lane| states.get(lane).map_or(F::ZERO, |state| state[i]))
        });
        permutation.permute_mut(&mut packed);
        for (lane, state) in states.iter_mut().enumerate() {
            *state = std::array::from_fn(|i| packed[i].as_slice()[lane]);
        }
    }
}

macro_rules! hash_field {
    ($($pair:ty),*; $base:ty, $permutation:ident, $default:path, $digest:literal, $width:literal) => {$(
        impl HashField for $pair {
            type Digest = [$base; $digest];
            type State = [$base; $width];
            type Permutation = $permutation<$width>;

            fn permutation() -> Self::Permutation {
                $default()
            }

            fn permute_all(permutation: &Self::Permutation, states: &mut [Self::State]) {
                permute_all(permutation, states);
            }
        }
    )*};
}

hash_field!(
    Goldilocks2, Goldilocks3;
    Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_16, 4, 16
);
hash_field!(
    KoalaBear4, KoalaBear5;
    KoalaBear, Poseidon2KoalaBear, default_koalabear_poseidon2_32, 8, 32
);

#[cfg(test)]
mod tests {
    use chipwright_ir::with_field;

    use super::*;

    #[test]
    fn states_and_digests_have_the_sizes_of_their_field() {
        fn check<P: HashField>() {
            assert_eq!(P::State::default().as_ref().len(), P::SIZES.width());
            assert_eq!(P::Digest::default().as_ref().len(), P::SIZES.digest);
            assert_eq!(
                P::SIZES.rate() % P::FIELD.degree(),
                if P::FIELD.degree() == 5 { 4 } else { 0 }
            );
        }
        for field in Field::ALL {
            with_field!(field, P => check::<P>());
        }
    }
}
