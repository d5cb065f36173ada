//! Proof of work whose witness is the least one, whatever the number of threads.
//!
//! Plonky3's challengers take the first witness that any thread finds. Here candidates are searched in
//! ranges that all threads share, so that the least witness costs no more than any.

use p3_challenger::{
    CanObserve, CanSample, CanSampleBits, DuplexChallenger, FieldChallenger, GrindingChallenger,
};
use p3_field::{Field, PackedValue, PrimeField64};
use p3_symmetric::CryptographicPermutation;
use rayon::prelude::*;

use super::tiles::lanes;

/// The packed candidates that are searched together.
const RANGE: u64 = 64;

/// A transcript that tries candidates without taking them.
pub trait Candidates<F> {
    /// The first of a packed value's worth of witnesses, from `first` on, after which the next `bits`
    /// bits are zero.
    fn find(&self, bits: usize, first: u64) -> Option<F>;
}

impl<F, P, const WIDTH: usize, const RATE: usize> Candidates<F>
    for DuplexChallenger<F, P, WIDTH, RATE>
where
    F: PrimeField64,
    P: CryptographicPermutation<[F; WIDTH]>
        + CryptographicPermutation<[<F as Field>::Packing; WIDTH]>,
{
    fn find(&self, bits: usize, first: u64) -> Option<F> {
        let place = self.input_buffer.len();
        let candidate = |lane: usize| F::from_u64((first + lane as u64) % F::ORDER_U64);
        // Absorbing pads with zeros, and adds the number of elements to the capacity.
        let mut state: [F::Packing; WIDTH] = std::array::from_fn(|index| match index {
            index if index < place => self.input_buffer[index].into(),
            index if index == place => F::Packing::from_fn(candidate),
            index if index < RATE => F::ZERO.into(),
            index if index == RATE => (self.sponge_state[index] + F::from_usize(place + 1)).into(),
            index => self.sponge_state[index].into(),
        });
        self.permutation.permute_mut(&mut state);
        let mask = (1 << bits) - 1;
        let samples = state[RATE - 1].as_slice().iter();
        let found = samples.map(PrimeField64::as_canonical_u64).position(|s| s & mask == 0);
        found.map(candidate)
    }
}

/// A transcript that grinds for the least witness.
#[derive(Clone, Debug)]
pub(crate) struct Least<C>(pub(crate) C);

impl<F: PrimeField64, C> GrindingChallenger for Least<C>
where
    C: FieldChallenger<F> + GrindingChallenger<Witness = F> + Candidates<F> + Clone + Sync,
{
    type Witness = F;

    fn grind(&mut self, bits: usize) -> F {
        if bits == 0 {
            return F::ZERO;
        }
        let lanes = lanes::<F>() as u64;
        let candidates = F::ORDER_U64.div_ceil(lanes);
        for range in (0..candidates).step_by(RANGE as usize) {
            let found = (range..range + RANGE)
                .into_par_iter()
                .find_map_first(|index| self.0.find(bits, index * lanes));
            if let Some(witness) = found {
                let mut taken = self.0.clone();
                if taken.check_witness(bits, witness) {
                    self.0 = taken;
                    return witness;
                }
                break;
            }
        }
        self.0.grind(bits)
    }
}

impl<T, C: CanObserve<T>> CanObserve<T> for Least<C> {
    fn observe(&mut self, value: T) {
        self.0.observe(value);
    }
}

impl<T, C: CanSample<T>> CanSample<T> for Least<C> {
    fn sample(&mut self) -> T {
        self.0.sample()
    }
}

impl<T, C: CanSampleBits<T>> CanSampleBits<T> for Least<C> {
    fn sample_bits(&mut self, bits: usize) -> T {
        self.0.sample_bits(bits)
    }
}
