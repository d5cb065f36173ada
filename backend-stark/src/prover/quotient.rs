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
    Algebra, BasedVectorSpace, ExtensionField, Field, PackedFieldPow2, PackedValue,
    PrimeCharacteristicRing, TwoAdicField,
};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_util::{log2_strict_usize, reverse_bits_len};
use rayon::prelude::*;

use super::lookup::invert_all;
use super::messages::{self, Challenges, Messages};
use super::tiles::{Tiles, lanes};
use crate::tape::{Source, Tape};

/// The blocks that are evaluated at once. With twice as many, their values leave the caches; with half as many,
/// decoding instructions takes longer (both measured over Goldilocks and KoalaBear).
const BLOCKS: usize = 4;
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
    /// The challenges of the lookups.
    pub(crate) challenges: &'a Challenges<F, E>,
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
        let mut weights: Weights<F> = std::array::from_fn(|_| vec![Vec::new(); E::DIMENSION]);
        for (section, alpha) in self.rules.sections().zip(&alphas) {
            let coordinates = alpha.as_basis_coefficients_slice();
            for (weights, &coordinate) in
                weights[section_index(section)].iter_mut().zip(coordinates)
            {
                weights.push(coordinate);
            }
        }
        let selectors = Selectors::new(self);
        let periodic: Vec<Vec<F>> =
            self.periodic.iter().map(|column| self.extended_period(column)).collect();
        let blocks = usize::max(size / lanes, 1);
        let mut quotient = E::ExtensionPacking::zero_vec(blocks);
        quotient.par_chunks_mut(TASK).enumerate().for_each_init(
            Scratch::default,
            |scratch, (task, values)| {
                for (index, values) in values.chunks_mut(BLOCKS).enumerate() {
                    let first = task * TASK + index * BLOCKS;
                    // The last blocks of a tiny table are evaluated more than once.
                    let at: [usize; BLOCKS] = std::array::from_fn(|i| (first + i).min(blocks - 1));
                    let next = at.map(|block| self.next(block));
                    let mut sums = self.rule_sums(&at, &next, &weights, &periodic, scratch);
                    scratch.cells.clear();
                    scratch.cells.extend(self.messages.sources().iter().map(|&source| {
                        let mut values = [F::Packing::ZERO; BLOCKS];
                        self.load(source, &at, &next, &periodic, &mut values);
                        values
                    }));
                    for (index, value) in values.iter_mut().enumerate() {
                        let sums = &mut sums[index];
                        if let Some(lookup) = self.lookup {
                            let slots = &mut scratch.message_slots;
                            slots.clear();
                            slots.extend(scratch.cells.iter().map(|values| values[index]));
                            self.messages.run(slots);
                            let (block, next) = (at[index], &next[index]);
                            let alphas = &alphas[rules..];
                            self.add_lookups(sums, lookup, block, next, alphas, scratch);
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
        weights: &Weights<F>,
        periodic: &[Vec<F>],
        scratch: &mut Scratch<F::Packing, E::ExtensionPacking>,
    ) -> [Sums<E::ExtensionPacking>; BLOCKS] {
        let Scratch { slots, values, .. } = scratch;
        values.iter_mut().flatten().for_each(Vec::clear);
        self.rules.run_blocks(
            slots,
            |source, values| self.load(source, at, next, periodic, values),
            |section, block, value| values[section_index(section)][block].push(value),
        );
        std::array::from_fn(|i| {
            let sum = |section: Section| {
                let section = section_index(section);
                let (values, weights) = (&values[section][i], &weights[section]);
                E::ExtensionPacking::from_basis_coefficients_fn(|d| {
                    F::Packing::batched_linear_combination(values, &weights[d])
                })
            };
            Sums {
                row: sum(Section::Row),
                first: sum(Section::First),
                step: sum(Section::Step),
                last: sum(Section::Last),
            }
        })
    }

    /// Adds the constraints of the lookup columns of a block, whose messages are in place.
    fn add_lookups(
        &self,
        sums: &mut Sums<E::ExtensionPacking>,
        lookup: &Tiles<F>,
        block: usize,
        next: &Next,
        alphas: &[E],
        scratch: &mut Scratch<F::Packing, E::ExtensionPacking>,
    ) {
        let slots = &scratch.message_slots;
        let cell = |column: usize| {
            E::ExtensionPacking::from_basis_coefficients_fn(|d| {
                lookup.packed(block, column * E::DIMENSION + d)
            })
        };
        let mut sum = E::ExtensionPacking::ZERO;
        for (column, &alpha) in alphas[..self.messages.columns()].iter().enumerate() {
            let fraction = cell(column + 1);
            sum += fraction;
            let scratch = &mut scratch.fractions;
            let constraint =
                self.messages.constraint(column, slots, self.challenges, scratch, fraction);
            sums.row += constraint * alpha;
        }
        let here = cell(0);
        let after = E::ExtensionPacking::from_basis_coefficients_fn(|d| after(lookup, d, next));
        if let [first, step, last] = alphas[self.messages.columns()..] {
            sums.first += here * first;
            sums.step += (after - here - sum) * step;
            sums.last += (E::ExtensionPacking::from(self.terminal) - here - sum) * last;
        }
    }

    /// A source for some blocks.
    #[inline]
    fn load(
        &self,
        source: Source,
        at: &[usize; BLOCKS],
        next: &[Next; BLOCKS],
        periodic: &[Vec<F>],
        values: &mut [F::Packing; BLOCKS],
    ) {
        let mut load_next = |tiles: &Tiles<F>, column: usize| {
            for (value, next) in values.iter_mut().zip(next) {
                *value = after(tiles, column, next);
            }
        };
        match (source, self.fixed) {
            (Source::MainNext(column), _) => load_next(self.main, column),
            (Source::FixedNext(column), Some(fixed)) => load_next(fixed, column),
            (Source::Main(column), _) => self.main.load(column, at, values),
            (Source::Fixed(column), Some(fixed)) => fixed.load(column, at, values),
            (Source::Fixed(_) | Source::FixedNext(_), None) => values.fill(F::Packing::ZERO),
            (Source::Periodic(column), _) => {
                for (value, &block) in values.iter_mut().zip(at) {
                    *value = self.repeated(&periodic[column], block);
                }
            }
            (Source::Public(index), _) => values.fill(broadcast(self.publics[index])),
        }
    }

    /// A column of some period for a block.
    #[inline(never)]
    fn repeated(&self, period: &[F], block: usize) -> F::Packing {
        F::Packing::from_fn(|lane| period[self.natural(block, lane) % period.len()])
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

/// A column of the rows after a block. What is made lane by lane is called: inlined, it would make what can be
/// moved as a whole move lane by lane, too.
#[inline]
fn after<F: Field>(tiles: &Tiles<F>, column: usize, next: &Next) -> F::Packing {
    match next {
        Next::Block(block) => tiles.packed(*block, column),
        Next::Rows(rows) => gather(tiles, column, rows),
    }
}

/// A column of some rows.
#[inline(never)]
fn gather<F: Field>(tiles: &Tiles<F>, column: usize, rows: &[usize]) -> F::Packing {
    F::Packing::from_fn(|lane| tiles.cell(rows[lane], column))
}

/// A value in every lane.
#[inline(never)]
fn broadcast<F: Field>(value: F) -> F::Packing {
    value.into()
}

const fn section_index(section: Section) -> usize {
    match section {
        Section::Row => 0,
        Section::First => 1,
        Section::Step => 2,
        Section::Last => 3,
    }
}

/// The powers of the folding challenge, by section and coordinate: one for each of the section's rules.
type Weights<F> = [Vec<Vec<F>>; 4];

/// The buffers of a thread.
struct Scratch<V, X> {
    slots: Vec<[V; BLOCKS]>,
    /// The values of the rules, by section and block.
    values: [[Vec<V>; BLOCKS]; 4],
    /// What messages are made of, for all blocks.
    cells: Vec<[V; BLOCKS]>,
    message_slots: Vec<V>,
    fractions: messages::Scratch<V, X>,
}

impl<V, X> Default for Scratch<V, X> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            values: Default::default(),
            cells: Vec::new(),
            message_slots: Vec::new(),
            fractions: messages::Scratch::default(),
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
