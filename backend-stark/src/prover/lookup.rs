//! Lookup columns: the fractions that each row adds to the buses, and their running sum.
//!
//! Column 0 holds the running sum before the row, column `i + 1` the fraction of lookup `i`, each as the
//! coordinates of an extension element.

use p3_field::{ExtensionField, Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;

use super::messages::{Challenges, Messages, Scratch};
use super::tiles::lanes;
use crate::tape::Source;

/// Blocks that are computed, and inverted, together.
const CHUNK: usize = 32;

/// Where a table's cells are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a, F> {
    /// The main trace, row by row.
    pub(crate) main: &'a [F],
    pub(crate) width: usize,
    /// The preprocessed trace, row by row.
    pub(crate) fixed: &'a [F],
    pub(crate) fixed_width: usize,
    /// One period of each periodic column.
    pub(crate) periodic: &'a [Vec<F>],
    pub(crate) publics: &'a [F],
    pub(crate) height: usize,
}

impl<F: Field> Rows<'_, F> {
    /// A source for the block of rows that begins with row `first`.
    #[inline]
    fn load(&self, source: Source, first: usize) -> F::Packing {
        let row = |lane: usize, offset: usize| (first + lane + offset) & (self.height - 1);
        match source {
            Source::Main(column) => {
                F::Packing::from_fn(|lane| self.main[row(lane, 0) * self.width + column])
            }
            Source::MainNext(column) => {
                F::Packing::from_fn(|lane| self.main[row(lane, 1) * self.width + column])
            }
            Source::Fixed(column) => {
                F::Packing::from_fn(|lane| self.fixed[row(lane, 0) * self.fixed_width + column])
            }
            Source::FixedNext(column) => {
                F::Packing::from_fn(|lane| self.fixed[row(lane, 1) * self.fixed_width + column])
            }
            Source::Periodic(column) => {
                let period = &self.periodic[column];
                F::Packing::from_fn(|lane| period[row(lane, 0) % period.len()])
            }
            Source::Public(index) => F::Packing::from(self.publics[index]),
        }
    }
}

/// A denominator is zero: two fingerprints collide, which no honest prover meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fingerprint of a message is zero")]
pub(crate) struct ZeroFingerprint;

/// The lookup columns of a table, row by row in base elements, and the sum of all fractions.
pub(crate) fn columns<F, E>(
    messages: &Messages<F>,
    rows: &Rows<'_, F>,
    challenges: &Challenges<F, E>,
) -> Result<(Vec<F>, E), ZeroFingerprint>
where
    F: Field,
    E: ExtensionField<F>,
{
    let lanes = lanes::<F>();
    let count = messages.columns();
    let width = (count + 1) * E::DIMENSION;
    let blocks = rows.height.div_ceil(lanes);
    let chunks: Vec<usize> = (0..blocks).step_by(CHUNK).collect();
    let fractions: Vec<Vec<E::ExtensionPacking>> = chunks
        .into_par_iter()
        .map(|first| {
            let chunk = first..blocks.min(first + CHUNK);
            let mut slots = Vec::new();
            let mut scratch = Scratch::default();
            let mut numerators = Vec::with_capacity(chunk.len() * count);
            let mut denominators = Vec::with_capacity(chunk.len() * count);
            for block in chunk {
                slots.clear();
                slots.extend(messages.sources().iter().map(|&s| rows.load(s, block * lanes)));
                messages.run(&mut slots);
                for column in 0..count {
                    let (numerator, denominator) =
                        messages.fraction(column, &slots, challenges, &mut scratch);
                    numerators.push(numerator);
                    denominators.push(denominator);
                }
            }
            invert_all::<F, E>(&mut denominators)?;
            numerators.iter_mut().zip(&denominators).for_each(|(n, &d)| *n *= d);
            Ok(numerators)
        })
        .collect::<Result<_, _>>()?;
    let mut values = F::zero_vec(rows.height * width);
    let mut sum = E::ZERO;
    let mut row = 0;
    for block in fractions.iter().flat_map(|chunk| chunk.chunks_exact(count)) {
        for lane in 0..lanes.min(rows.height - row) {
            let cells = &mut values[row * width..(row + 1) * width];
            cells[..E::DIMENSION].copy_from_slice(sum.as_basis_coefficients_slice());
            let fractions = cells[E::DIMENSION..].chunks_exact_mut(E::DIMENSION);
            for (cells, fraction) in fractions.zip(block) {
                let fraction = fraction.extract(lane);
                cells.copy_from_slice(fraction.as_basis_coefficients_slice());
                sum += fraction;
            }
            row += 1;
        }
    }
    Ok((values, sum))
}

/// Replaces packed values by their inverses, with one inversion for each lane.
pub(crate) fn invert_all<F, E>(values: &mut [E::ExtensionPacking]) -> Result<(), ZeroFingerprint>
where
    F: Field,
    E: ExtensionField<F>,
{
    let mut products = Vec::with_capacity(values.len());
    let mut product = E::ExtensionPacking::ONE;
    for &value in values.iter() {
        products.push(product);
        product *= value;
    }
    let inverses: Vec<E> = (0..lanes::<F>())
        .map(|lane| product.extract(lane).try_inverse().ok_or(ZeroFingerprint))
        .collect::<Result<_, _>>()?;
    let mut inverse = E::ExtensionPacking::from_ext_slice(&inverses);
    for (value, &before) in values.iter_mut().zip(&products).rev() {
        let next = inverse * *value;
        *value = inverse * before;
        inverse = next;
    }
    Ok(())
}
