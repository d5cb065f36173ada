//! The quotient of a table's constraints, evaluated on the committed extension.
//!
//! The domain is the prefix of the extension that the quotient's degree needs, in bit-reversed order, so
//! that cells are read where they are committed. The row after a block is another block, or, for the few
//! that wrap around a coset, a gather. Several blocks are evaluated at once: one decoded instruction of
//! the tape serves them all. Every constraint is scaled by its power of the folding challenge and added
//! to the sum of its section, and selectors multiply the sums alone.

use chipwright_ir::chip::Section;
use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{
    BasedVectorSpace, ExtensionField, Field, PackedFieldPow2, PackedValue, PrimeCharacteristicRing,
    TwoAdicField,
};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_util::{log2_strict_usize, reverse_bits_len};
use rayon::prelude::*;

use super::lookup::invert_all;
use super::messages::Messages;
use super::tiles::{Tiles, lanes};
use crate::tape::{Source, Tape};

/// The blocks that are evaluated at once.
const BLOCKS: usize = 2;
/// The blocks of a task.
const TASK: usize = 64;

/// A table on the extended domain, and the challenges of its constraints.
#[derive(Debug)]
pub(crate) struct Constraints<'a, F: Field, E> {
    pub(crate) rules: &'a Tape<F>,
    pub(crate) messages: &'a Messages<F>,
    pub(crate) main: &'a Tiles<F>,
    pub(crate) fixed: Option<&'a Tiles<F>>,
    /// The lookup columns, exactly if there are messages.
    pub(crate) lookup: Option<&'a Tiles<F>>,
    pub(crate) periodic: &'a [Vec<F>],
    pub(crate) publics: &'a [F],
    /// What tells the bus of each lookup apart.
    pub(crate) prefixes: &'a [E],
    /// The powers of the challenge that combines the elements of a message.
    pub(crate) powers: &'a [E],
    /// The sum of all fractions.
    pub(crate) terminal: E,
    /// The challenge that folds the constraints.
    pub(crate) alpha: E,
    pub(crate) log_height: usize,
    pub(crate) log_chunks: usize,
}

/// The rows that follow those of a block.
enum Next {
    Block(usize),
    Rows(Vec<usize>),
}

/// The sums of the folded constraints, by section.
#[derive(Clone, Copy)]
struct Sums<V> {
    row: V,
    first: V,
    step: V,
    last: V,
}

impl<F, E> Constraints<'_, F, E>
where
    F: TwoAdicField<Packing: PackedFieldPow2> + Ord,
    E: ExtensionField<F>,
{
    /// The quotient's values, block by block in bit-reversed order.
    pub(crate) fn quotient(&self) -> Vec<E::ExtensionPacking> {
        let lanes = lanes::<F>();
        let size = 1 << (self.log_height + self.log_chunks);
        let rules = self.rules.sections().count();
        let lookups = if self.lookup.is_some() { self.messages.columns() + 3 } else { 0 };
        let mut alphas = self.alpha.powers().collect_n(rules + lookups);
        alphas.reverse();
        let weights: Vec<Vec<F>> = (0..E::DIMENSION)
            .map(|d| alphas[..rules].iter().map(|a| a.as_basis_coefficients_slice()[d]).collect())
            .collect();
        let selectors = Selectors::new(self);
        let periodic: Vec<Vec<F>> =
            self.periodic.iter().map(|column| self.extended_period(column)).collect();
        let blocks = usize::max(size / lanes, 1);
        let mut quotient = E::ExtensionPacking::zero_vec(blocks);
        quotient.par_chunks_mut(TASK).enumerate().for_each_init(
            || Scratch::new(self.rules.slots()),
            |scratch, (task, values)| {
                for (index, values) in values.chunks_mut(BLOCKS).enumerate() {
                    let first = task * TASK + index * BLOCKS;
                    // The last blocks of a tiny table are evaluated more than once.
                    let at: [usize; BLOCKS] = std::array::from_fn(|i| (first + i).min(blocks - 1));
                    let next = at.map(|block| self.next(block));
                    let mut sums = self.rule_sums(&at, &next, &weights, &periodic, scratch);
                    for (index, value) in values.iter_mut().enumerate() {
                        let sums = &mut sums[index];
                        if let Some(lookup) = self.lookup {
                            let (block, next) = (at[index], &next[index]);
                            let alphas = &alphas[rules..];
                            self.add_lookups(sums, lookup, block, next, alphas, &periodic, scratch);
                        }
                        *value = selectors.quotient(sums, at[index]);
                    }
                }
            },
        );
        quotient
    }

    /// The folded rules of some blocks.
    fn rule_sums(
        &self,
        at: &[usize; BLOCKS],
        next: &[Next; BLOCKS],
        weights: &[Vec<F>],
        periodic: &[Vec<F>],
        scratch: &mut Scratch<F, E>,
    ) -> [Sums<E::ExtensionPacking>; BLOCKS] {
        let slots = &mut scratch.slots;
        slots.clear();
        slots.extend(self.rules.sources().iter().map(|&source| -> [F::Packing; BLOCKS] {
            std::array::from_fn(|i| self.load(source, at[i], &next[i], periodic))
        }));
        let zero = F::Packing::ZERO;
        let sums = &mut scratch.sums;
        sums.clear();
        sums.resize(4 * E::DIMENSION, [zero; BLOCKS]);
        let mut index = 0;
        self.rules.run_blocks(slots, |section, value| {
            let section = section_index(section) * E::DIMENSION;
            for (sum, weights) in sums[section..].iter_mut().zip(weights) {
                for (sum, value) in sum.iter_mut().zip(value) {
                    *sum += value * weights[index];
                }
            }
            index += 1;
        });
        std::array::from_fn(|i| {
            let sum = |section: Section| {
                let first = section_index(section) * E::DIMENSION;
                E::ExtensionPacking::from_basis_coefficients_fn(|d| sums[first + d][i])
            };
            Sums {
                row: sum(Section::Row),
                first: sum(Section::First),
                step: sum(Section::Step),
                last: sum(Section::Last),
            }
        })
    }

    /// Adds the constraints of the lookup columns of a block.
    fn add_lookups(
        &self,
        sums: &mut Sums<E::ExtensionPacking>,
        lookup: &Tiles<F>,
        block: usize,
        next: &Next,
        alphas: &[E],
        periodic: &[Vec<F>],
        scratch: &mut Scratch<F, E>,
    ) {
        let slots = &mut scratch.message_slots;
        slots.clear();
        slots.extend(
            self.messages.sources().iter().map(|&source| self.load(source, block, next, periodic)),
        );
        self.messages.run(slots);
        let cell = |column: usize| {
            E::ExtensionPacking::from_basis_coefficients_fn(|d| {
                lookup.packed(block, column * E::DIMENSION + d)
            })
        };
        let mut sum = E::ExtensionPacking::ZERO;
        for (column, (&prefix, &alpha)) in self.prefixes.iter().zip(alphas).enumerate() {
            let fraction = cell(column + 1);
            sum += fraction;
            let terms = &mut scratch.terms;
            let (numerator, denominator) =
                self.messages.fraction::<E, _>(column, slots, prefix, self.powers, terms);
            sums.row += (denominator * fraction - numerator) * alpha;
        }
        let here = cell(0);
        let after = E::ExtensionPacking::from_basis_coefficients_fn(|d| load(lookup, d, next));
        if let [first, step, last] = alphas[self.messages.columns()..] {
            sums.first += here * first;
            sums.step += (after - here - sum) * step;
            sums.last += (E::ExtensionPacking::from(self.terminal) - here - sum) * last;
        }
    }

    /// A source for a block.
    #[inline]
    fn load(&self, source: Source, block: usize, next: &Next, periodic: &[Vec<F>]) -> F::Packing {
        match source {
            Source::Main(column) => self.main.packed(block, column),
            Source::MainNext(column) => load(self.main, column, next),
            Source::Fixed(column) => {
                self.fixed.map_or(F::Packing::ZERO, |tiles| tiles.packed(block, column))
            }
            Source::FixedNext(column) => {
                self.fixed.map_or(F::Packing::ZERO, |tiles| load(tiles, column, next))
            }
            Source::Periodic(column) => {
                let values = &periodic[column];
                F::Packing::from_fn(|lane| values[self.natural(block, lane) % values.len()])
            }
            Source::Public(index) => F::Packing::from(self.publics[index]),
        }
    }

    /// The position in natural order of a row of a block.
    #[inline]
    fn natural(&self, block: usize, lane: usize) -> usize {
        let log_size = self.log_height + self.log_chunks;
        reverse_bits_len((block * lanes::<F>() + lane) & ((1 << log_size) - 1), log_size)
    }

    /// Where the rows after those of a block are.
    fn next(&self, block: usize) -> Next {
        let lanes = lanes::<F>();
        let log_size = self.log_height + self.log_chunks;
        let size = 1 << log_size;
        let after = |lane| {
            let natural = (self.natural(block, lane) + (1 << self.log_chunks)) & (size - 1);
            reverse_bits_len(natural, log_size)
        };
        if size > lanes {
            let natural = self.natural(block, 0);
            // The lanes of a block are the coset that the top bits of the natural position count.
            if natural + (1 << self.log_chunks) < size / lanes {
                return Next::Block(after(0) / lanes);
            }
        }
        Next::Rows((0..lanes).map(after).collect())
    }

    /// A periodic column on the extended domain, one period in natural order.
    fn extended_period(&self, column: &[F]) -> Vec<F> {
        let log_period = log2_strict_usize(column.len());
        let shift = F::GENERATOR.exp_power_of_2(self.log_height - log_period);
        Radix2DitParallel::default()
            .coset_lde_batch(RowMajorMatrix::new_col(column.to_vec()), self.log_chunks, shift)
            .to_row_major_matrix()
            .values
    }
}

/// A column of the rows after a block.
#[inline]
fn load<F: Field>(tiles: &Tiles<F>, column: usize, next: &Next) -> F::Packing {
    match next {
        Next::Block(block) => tiles.packed(*block, column),
        Next::Rows(rows) => F::Packing::from_fn(|lane| tiles.cell(rows[lane], column)),
    }
}

const fn section_index(section: Section) -> usize {
    match section {
        Section::Row => 0,
        Section::First => 1,
        Section::Step => 2,
        Section::Last => 3,
    }
}

/// The buffers of a thread.
struct Scratch<F: Field, E: ExtensionField<F>> {
    slots: Vec<[F::Packing; BLOCKS]>,
    sums: Vec<[F::Packing; BLOCKS]>,
    message_slots: Vec<F::Packing>,
    terms: Vec<(E::ExtensionPacking, E::ExtensionPacking)>,
}

impl<F: Field, E: ExtensionField<F>> Scratch<F, E> {
    fn new(slots: usize) -> Self {
        Self {
            slots: Vec::with_capacity(slots),
            sums: Vec::new(),
            message_slots: Vec::new(),
            terms: Vec::new(),
        }
    }
}

/// What the sums of the sections are multiplied by: a section's selector over the polynomial that
/// vanishes on the trace domain.
struct Selectors<F: Field> {
    /// For each block, `1 / (x − 1)` and `1 / (x − ω⁻¹)`.
    inverses: Vec<F::Packing>,
    /// For each block, `x − ω⁻¹`.
    step: Vec<F::Packing>,
    /// For each chunk, in the order of the blocks, one over the vanishing polynomial.
    vanishing: Vec<F::Packing>,
    blocks_per_chunk: usize,
}

impl<F: TwoAdicField<Packing: PackedFieldPow2> + Ord> Selectors<F> {
    fn new<E: ExtensionField<F>>(constraints: &Constraints<'_, F, E>) -> Self {
        let lanes = lanes::<F>();
        let Constraints { log_height, log_chunks, .. } = *constraints;
        let log_size = log_height + log_chunks;
        let points = |exponent: usize| {
            F::GENERATOR * F::two_adic_generator(log_size).exp_u64(exponent as u64)
        };
        let blocks = usize::max((1 << log_size) / lanes, 1);
        let last = F::two_adic_generator(log_height).inverse();
        let (mut inverses, mut step) = (Vec::new(), Vec::new());
        let factors = F::Packing::from_fn(|lane| points(constraints.natural(0, lane)));
        let root = F::two_adic_generator(log_size);
        let powers = root.powers().collect_n(usize::max((1 << log_size) / lanes, 1));
        for block in 0..blocks {
            let x = factors * powers[constraints.natural(block, 0) & (blocks - 1)];
            inverses.extend([x - F::ONE, x - last]);
            step.push(x - last);
        }
        // The coset meets the trace domain nowhere, so none of these is zero.
        let inverted = invert_all::<F, F>(&mut inverses);
        debug_assert!(inverted.is_ok());
        let shift = F::GENERATOR.exp_power_of_2(log_height);
        let roots = F::two_adic_generator(log_chunks).powers().collect_n(1 << log_chunks);
        let vanishing_at =
            |natural: usize| shift * roots[natural & ((1 << log_chunks) - 1)] - F::ONE;
        let blocks_per_chunk = usize::max((1 << log_height) / lanes, 1);
        let vanishing = (0..blocks)
            .step_by(blocks_per_chunk)
            .map(|block| {
                F::Packing::from_fn(|lane| vanishing_at(constraints.natural(block, lane)).inverse())
            })
            .collect();
        Self { inverses, step, vanishing, blocks_per_chunk }
    }

    /// The quotient of a block.
    fn quotient<V>(&self, sums: &Sums<V>, block: usize) -> V
    where
        V: PrimeCharacteristicRing + Copy + std::ops::Mul<F::Packing, Output = V>,
    {
        let bounds =
            sums.first * self.inverses[2 * block] + sums.last * self.inverses[2 * block + 1];
        let inside = sums.row + sums.step * self.step[block];
        bounds + inside * self.vanishing[block / self.blocks_per_chunk]
    }
}
