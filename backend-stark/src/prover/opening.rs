//! The opening argument: values at the points, and one low-degree test for all of them.
//!
//! The combination `Σ αⁱ·(pᵢ(z) − pᵢ(x)) / (z − x)` of committed polynomials has a degree below the height of
//! their tables, so it is computed on as many points as the tables have rows, a fraction of the committed
//! domain, and then extended as a single column.

use std::marker::PhantomData;

use p3_commit::{Mmcs, OpenedValues};
use p3_dft::{Radix2DFTSmallBatch, TwoAdicSubgroupDft};
use p3_field::{
    Algebra, BasedVectorSpace, Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing,
    TwoAdicField, chunked_linear_combination,
};
use p3_fri::{
    BatchMultiOpening, CommitPhaseMultiStep, FriFoldingStrategy, FriParameters, FriProof, FriShape,
    PcsProverTranscript, PcsShape, ProverTranscript, TwoAdicFriFolding,
};
use p3_matrix::dense::RowMajorMatrix;
use p3_util::{log2_strict_usize, reverse_bits_len, reverse_slice_index_bits};
use rayon::prelude::*;

use super::extend::{Pool, TwiddleSet, Twiddles, extend, interpolate};
use super::grind::Least;
use super::lookup::invert_all;
use super::phases::{Phase, Phases};
use super::tiles::{Tiles, lanes};
use super::tree::{Tree, TreeHash};
use super::{PackedExt, Packing};
use crate::config::{FriMmcs, StarkField};

/// Matrices committed to together.
#[derive(Debug)]
pub(crate) struct Committed<F: Field, D> {
    pub(crate) matrices: Vec<Tiles<F>>,
    /// The widths of the matrices that a verifier tells apart in each one of ours.
    pub(crate) parts: Vec<Vec<usize>>,
    pub(crate) tree: Tree<D>,
}

/// The digest of a field's tree hash.
pub(crate) type Digest<P> =
    <<P as StarkField>::TreeHash as TreeHash<<P as chipwright_ir::FieldPair>::Base>>::Digest;
/// Matrices over a field committed to together.
pub(crate) type CommittedOver<P> = Committed<<P as chipwright_ir::FieldPair>::Base, Digest<P>>;

impl<F: Field, D: Copy + Default + Send + Sync> Committed<F, D> {
    /// Commits to matrices.
    pub(crate) fn new<H: TreeHash<F, Digest = D>>(hash: &H, matrices: Vec<Tiles<F>>) -> Self {
        let parts = matrices.iter().map(|matrix| vec![matrix.width()]).collect();
        let tree = Tree::new(hash, &matrices);
        Self { matrices, parts, tree }
    }

    fn log_max_height(&self) -> usize {
        self.matrices.iter().map(|matrix| log2_strict_usize(matrix.height())).max().unwrap_or(0)
    }
}

/// Commitments, and the points that each of their matrices is opened at. A matrix of several parts has
/// one point.
pub(crate) struct Round<'a, P: StarkField> {
    pub(crate) committed: &'a CommittedOver<P>,
    pub(crate) points: Vec<Vec<P::Ext>>,
}

/// A point of the openings is in the committed domain, which a transcript gives with negligible
/// probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an opening point is in the committed domain")]
pub(crate) struct PointInDomain;

type Ext<P> = <P as chipwright_ir::FieldPair>::Ext;
type Base<P> = <P as chipwright_ir::FieldPair>::Base;
/// Plonky3's proof of the openings.
pub(crate) type OpeningProof<P> =
    FriProof<Ext<P>, FriMmcs<P>, Base<P>, Vec<BatchMultiOpening<Base<P>, <P as StarkField>::Mmcs>>>;

/// The points `z` at which matrices of one height are opened.
struct Denominators<P: StarkField> {
    point: Ext<P>,
    log_height: usize,
    /// For each block of the trace-sized prefix of the domain, `1 / (z − x)`.
    inverses: Vec<PackedExt<P>>,
    /// What a column's values are weighted with to give the value at `z`, by coordinate.
    weights: Vec<Vec<Packing<P>>>,
}

/// Opens everything.
pub(crate) fn open<P: StarkField>(
    rounds: &[Round<'_, P>],
    parameters: &FriParameters<FriMmcs<P>>,
    hash: &P::TreeHash,
    challenger: &mut Least<P::Challenger>,
    twiddles: &TwiddleSet<Base<P>>,
    pool: &Pool<Packing<P>>,
    phases: &mut Phases,
) -> Result<(OpenedValues<Ext<P>>, OpeningProof<P>), PointInDomain> {
    let log_blowup = parameters.log_blowup;
    let denominators = denominators::<P>(rounds, log_blowup)?;
    let find = |point: Ext<P>, log_height: usize| {
        denominators
            .iter()
            .find(|of| of.point == point && of.log_height == log_height)
            .expect("computed for every point and height")
    };
    let whole: Vec<Vec<Vec<Vec<Ext<P>>>>> = rounds
        .iter()
        .map(|round| {
            let matrices = round.committed.matrices.iter().zip(&round.points);
            matrices
                .map(|(matrix, points)| {
                    let log_height = log2_strict_usize(matrix.height()) - log_blowup;
                    let of: Vec<_> = points.iter().map(|&point| find(point, log_height)).collect();
                    values_at::<P>(matrix, &of)
                })
                .collect()
        })
        .collect();
    let opened = split_parts::<P>(rounds, &whole);
    phases.end(Phase::Openings);

    let shape = PcsShape::from_opened_values(parameters, &opened);
    let mut transcript =
        PcsProverTranscript::<Least<P::Challenger>, Base<P>, Ext<P>>::new(challenger, shape);
    transcript.claimed_openings(&opened);
    let (alpha, batch_witness) = transcript.batch_phase();
    phases.end(Phase::Grinding);

    let inputs = combine::<P>(rounds, &whole, log_blowup, alpha, &find, twiddles, pool);
    phases.end(Phase::Openings);
    let proof = transcript.delegate(|challenger| {
        let batch_witness = batch_witness.unwrap_or(Base::<P>::ZERO);
        test::<P>(rounds, parameters, hash, challenger, inputs, batch_witness, phases)
    });
    transcript.finish();
    Ok((opened, proof))
}

fn denominators<P: StarkField>(
    rounds: &[Round<'_, P>],
    log_blowup: usize,
) -> Result<Vec<Denominators<P>>, PointInDomain> {
    let mut keys: Vec<(Ext<P>, usize)> = Vec::new();
    for round in rounds {
        for (matrix, points) in round.committed.matrices.iter().zip(&round.points) {
            let log_height = log2_strict_usize(matrix.height()) - log_blowup;
            for &point in points {
                if !keys.contains(&(point, log_height)) {
                    keys.push((point, log_height));
                }
            }
        }
    }
    keys.into_par_iter()
        .map(|(point, log_height)| {
            let lanes = lanes::<Base<P>>();
            let height = 1 << log_height;
            let root = Base::<P>::two_adic_generator(log_height);
            let powers = root.powers().collect_n(height);
            let x = |row: usize| Base::<P>::GENERATOR * powers[reverse_bits_len(row, log_height)];
            // Lanes after the last row repeat the first, with weight zero.
            let xs: Vec<Packing<P>> = (0..usize::max(height / lanes, 1))
                .map(|block| Packing::<P>::from_fn(|lane| x((block * lanes + lane) & (height - 1))))
                .collect();
            let mut inverses: Vec<_> =
                xs.iter().map(|&x| PackedExt::<P>::from(point) - x).collect();
            invert_all::<Base<P>, Ext<P>>(&mut inverses).map_err(|_| PointInDomain)?;
            let shift = Base::<P>::GENERATOR.exp_power_of_2(log_height);
            let scale = (point.exp_power_of_2(log_height) - shift)
                * (shift * Base::<P>::from_usize(height)).inverse();
            let mut weights: Vec<_> =
                inverses.iter().zip(&xs).map(|(&inverse, &x)| inverse * x * scale).collect();
            if height < lanes {
                weights[0] = PackedExt::<P>::from_ext_fn(|lane| {
                    if lane < height { weights[0].extract(lane) } else { Ext::<P>::ZERO }
                });
            }
            let weights = by_coordinate(&weights);
            Ok(Denominators { point, log_height, inverses, weights })
        })
        .collect()
}

/// The values of a matrix's columns at some points.
fn values_at<P: StarkField>(
    matrix: &Tiles<Base<P>>,
    points: &[&Denominators<P>],
) -> Vec<Vec<Ext<P>>> {
    let blocks = points.first().map_or(0, |point| point.inverses.len());
    let slabs: Vec<Vec<Vec<Ext<P>>>> = matrix
        .slabs()
        .par_iter()
        .enumerate()
        .map(|(slab, values)| {
            let width = matrix.slab_width(slab);
            let mut sums = vec![Vec::with_capacity(width); points.len()];
            let mut cells = Vec::new();
            for column in 0..width {
                cells.clear();
                cells.extend(values[column..].iter().step_by(width).take(blocks));
                for (sums, point) in sums.iter_mut().zip(points) {
                    sums.push(Ext::<P>::from_basis_coefficients_fn(|d| {
                        let weights = &point.weights[d];
                        let sum = chunked_linear_combination::<8, Packing<P>, Packing<P>>(
                            &cells, weights,
                        );
                        sum.as_slice().iter().copied().sum()
                    }));
                }
            }
            sums
        })
        .collect();
    (0..points.len())
        .map(|point| slabs.iter().flat_map(|slab| slab[point].iter().copied()).collect())
        .collect()
}

/// The coordinates of extension elements, coordinate by coordinate.
fn by_coordinate<F: PrimeCharacteristicRing + Copy, E: BasedVectorSpace<F>>(
    elements: &[E],
) -> Vec<Vec<F>> {
    let coordinate = |d: usize| {
        elements.iter().map(|element| element.as_basis_coefficients_slice()[d]).collect()
    };
    (0..E::DIMENSION).map(coordinate).collect()
}

/// The opened values, by the matrices that a verifier tells apart.
fn split_parts<P: StarkField>(
    rounds: &[Round<'_, P>],
    whole: &[Vec<Vec<Vec<Ext<P>>>>],
) -> OpenedValues<Ext<P>> {
    rounds
        .iter()
        .zip(whole)
        .map(|(round, matrices)| {
            let matrices = round.committed.parts.iter().zip(matrices);
            matrices
                .flat_map(|(parts, points)| {
                    let mut first = 0;
                    parts.iter().map(move |&width| {
                        let columns = first..first + width;
                        first += width;
                        points.iter().map(|values| values[columns.clone()].to_vec()).collect()
                    })
                })
                .collect()
        })
        .collect()
}

/// What the low-degree test is about: for each height, tallest first, the combination of all openings
/// on the committed domain.
fn combine<'a, P: StarkField>(
    rounds: &[Round<'_, P>],
    whole: &[Vec<Vec<Vec<Ext<P>>>>],
    log_blowup: usize,
    alpha: Ext<P>,
    find: &dyn Fn(Ext<P>, usize) -> &'a Denominators<P>,
    twiddles: &TwiddleSet<Base<P>>,
    pool: &Pool<Packing<P>>,
) -> Vec<Vec<Ext<P>>> {
    let mut heights: Vec<usize> = rounds
        .iter()
        .flat_map(|round| &round.committed.matrices)
        .map(|matrix| log2_strict_usize(matrix.height()) - log_blowup)
        .collect();
    heights.sort_unstable_by_key(|&log_height| std::cmp::Reverse(log_height));
    heights.dedup();
    let width = rounds
        .iter()
        .flat_map(|round| round.committed.matrices.iter().map(Tiles::width))
        .max()
        .unwrap_or(0);
    let powers = alpha.powers().collect_n(width);
    heights
        .into_iter()
        .map(|log_height| {
            // The matrices of this height, with the points they are opened at and the power of alpha
            // that the openings at each point begin with.
            let mut terms: Vec<Term<'_, P>> = Vec::new();
            let mut points: Vec<(&Denominators<P>, Ext<P>)> = Vec::new();
            let mut offset = Ext::<P>::ONE;
            for (round, opened) in rounds.iter().zip(whole) {
                let matrices = round.committed.matrices.iter().zip(&round.points).zip(opened);
                for ((matrix, at), opened) in matrices {
                    if matrix.height() != 1 << (log_height + log_blowup) {
                        continue;
                    }
                    let step = alpha.exp_u64(matrix.width() as u64);
                    let mut scales = Vec::new();
                    for (&point, values) in at.iter().zip(opened) {
                        let known = points.iter().position(|(of, _)| of.point == point);
                        let index = known.unwrap_or_else(|| {
                            points.push((find(point, log_height), Ext::<P>::ZERO));
                            points.len() - 1
                        });
                        let value: Ext<P> =
                            values.iter().zip(&powers).map(|(&value, &power)| value * power).sum();
                        points[index].1 += offset * value;
                        scales.push((index, offset));
                        offset *= step;
                    }
                    terms.push(Term { matrix, scales });
                }
            }
            let values = combined_blocks(&terms, &points, &powers);
            extend_column::<P>(&values, twiddles.get(log_height), log_height, pool)
        })
        .collect()
}

/// A matrix in a combination: for each point, by its index, the power of alpha to begin with.
struct Term<'a, P: StarkField> {
    matrix: &'a Tiles<Base<P>>,
    scales: Vec<(usize, Ext<P>)>,
}

/// The combination on the trace-sized prefix of the domain.
fn combined_blocks<P: StarkField>(
    terms: &[Term<'_, P>],
    points: &[(&Denominators<P>, Ext<P>)],
    powers: &[Ext<P>],
) -> Vec<PackedExt<P>> {
    let blocks = points.first().map_or(0, |(of, _)| of.inverses.len());
    let powers: Vec<Vec<Base<P>>> = by_coordinate(powers);
    (0..blocks)
        .into_par_iter()
        .with_min_len(16)
        .map_init(
            || (Vec::new(), vec![PackedExt::<P>::ZERO; points.len()]),
            |(columns, sums), block| {
                sums.iter_mut().zip(points).for_each(|(sum, (_, value))| *sum = (*value).into());
                for term in terms {
                    columns.clear();
                    term.matrix.extend_with_block(block, columns);
                    let compressed = PackedExt::<P>::from_basis_coefficients_fn(|d| {
                        let powers = &powers[d][..columns.len()];
                        Packing::<P>::batched_linear_combination(columns, powers)
                    });
                    for &(index, scale) in &term.scales {
                        sums[index] -= compressed * scale;
                    }
                }
                let sums = sums.iter().zip(points);
                sums.map(|(&sum, (of, _))| sum * of.inverses[block]).sum()
            },
        )
        .collect()
}

/// Extends a column of extension elements from the trace-sized prefix to the whole domain, both in
/// bit-reversed order.
fn extend_column<P: StarkField>(
    values: &[PackedExt<P>],
    twiddles: &Twiddles<Base<P>>,
    log_height: usize,
    pool: &Pool<Packing<P>>,
) -> Vec<Ext<P>> {
    let lanes = lanes::<Base<P>>();
    let degree = Ext::<P>::DIMENSION;
    let height = 1 << log_height;
    let tiles = extend(degree, twiddles, 0, pool, |slab, coefficients| {
        coefficients.extend((0..height).map(|row| {
            let value = values[row / lanes].as_basis_coefficients_slice();
            Packing::<P>::from_fn(|lane| {
                let column = slab * lanes + lane;
                if column < degree {
                    value[column].as_slice()[row % lanes]
                } else {
                    Base::<P>::ZERO
                }
            })
        }));
        interpolate(coefficients, twiddles.inverse());
        let unshift = Base::<P>::GENERATOR.inverse();
        let scales = unshift.shifted_powers(Base::<P>::ONE.div_2exp_u64(log_height as u64));
        coefficients.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
    });
    let column = (0..tiles.height())
        .map(|row| Ext::<P>::from_basis_coefficients_fn(|d| tiles.cell(row, d)))
        .collect();
    pool.give(tiles.into_slabs().into_iter());
    column
}

/// The low-degree test.
fn test<P: StarkField>(
    rounds: &[Round<'_, P>],
    parameters: &FriParameters<FriMmcs<P>>,
    hash: &P::TreeHash,
    challenger: &mut Least<P::Challenger>,
    inputs: Vec<Vec<Ext<P>>>,
    batch_pow_witness: Base<P>,
    phases: &mut Phases,
) -> OpeningProof<P> {
    let log_heights: Vec<usize> =
        inputs.iter().map(|input| log2_strict_usize(input.len())).collect();
    let log_max_height = log_heights[0];
    let shape = FriShape::new(parameters, &log_heights, log_max_height);
    let log_arities = shape.log_arities.clone();
    let mut transcript =
        ProverTranscript::<Least<P::Challenger>, Base<P>, Ext<P>>::new(challenger, shape);
    let folding = TwoAdicFriFolding::<(), ()>(PhantomData);
    let mut inputs = inputs.into_iter().peekable();
    let mut folded = inputs.next().unwrap_or_default();
    let (mut commits, mut trees, mut witnesses) = (Vec::new(), Vec::new(), Vec::new());
    for &log_arity in &log_arities {
        let (commit, tree) =
            parameters.mmcs.commit_matrix(RowMajorMatrix::new(folded, 1 << log_arity));
        phases.end(Phase::LowDegreeTest);
        let (beta, witness) = transcript.commit_round(commit.clone());
        phases.end(Phase::Grinding);
        commits.push(commit);
        witnesses.push(witness.unwrap_or(Base::<P>::ZERO));
        let leaves = parameters.mmcs.get_matrices(&tree)[0];
        folded = FriFoldingStrategy::<Base<P>, Ext<P>>::fold_matrix(
            &folding,
            beta,
            log_arity,
            leaves.as_view(),
        );
        trees.push(tree);
        if let Some(input) = inputs.next_if(|input| input.len() == folded.len()) {
            let scale = beta.exp_power_of_2(log_arity);
            folded.iter_mut().zip(input).for_each(|(value, added)| *value += scale * added);
        }
    }
    folded.truncate(parameters.final_poly_len());
    reverse_slice_index_bits(&mut folded);
    let final_poly = Radix2DFTSmallBatch::<Base<P>>::default().idft_algebra(folded);
    phases.end(Phase::LowDegreeTest);
    let (indices, query_witness) = transcript.query_phase(&final_poly);
    transcript.finish();
    phases.end(Phase::Grinding);

    let input_openings = rounds
        .iter()
        .map(|round| open_rows::<P>(round.committed, hash, &indices, log_max_height))
        .collect();
    let mut current = indices;
    let commit_phase_openings = log_arities
        .iter()
        .zip(&trees)
        .map(|(&log_arity, tree)| {
            let groups: Vec<usize> = current.iter().map(|&index| index >> log_arity).collect();
            let (rows, opening_proof) = parameters.mmcs.open_multi_batch(&groups, tree);
            let sibling_values = current
                .iter()
                .zip(rows)
                .map(|(&index, rows)| {
                    let own = index & ((1 << log_arity) - 1);
                    let row = rows.into_iter().flatten().enumerate();
                    row.filter(|&(place, _)| place != own).map(|(_, value)| value).collect()
                })
                .collect();
            current = groups;
            CommitPhaseMultiStep { sibling_values, opening_proof }
        })
        .collect();
    phases.end(Phase::Queries);
    FriProof {
        batch_pow_witness,
        commit_phase_commits: commits,
        commit_pow_witnesses: witnesses,
        input_openings,
        commit_phase_openings,
        final_poly,
        query_pow_witness: query_witness.unwrap_or(Base::<P>::ZERO),
    }
}

/// The rows at the queried indices of the tallest domain, and their proof.
fn open_rows<P: StarkField>(
    committed: &CommittedOver<P>,
    hash: &P::TreeHash,
    indices: &[usize],
    log_max_height: usize,
) -> BatchMultiOpening<Base<P>, P::Mmcs> {
    let log_height = committed.log_max_height();
    let indices: Vec<usize> =
        indices.iter().map(|&index| index >> (log_max_height - log_height)).collect();
    let opened_values = indices
        .iter()
        .map(|&index| {
            let matrices = committed.matrices.iter().zip(&committed.parts);
            matrices
                .flat_map(|(matrix, parts)| {
                    let log_rows = log2_strict_usize(matrix.height());
                    let mut row = matrix.row(index >> (log_height - log_rows));
                    let parts = parts.iter().map(|&width| row.by_ref().take(width).collect());
                    parts.collect::<Vec<Vec<Base<P>>>>()
                })
                .collect()
        })
        .collect();
    let opening_proof = hash.multi_proof(committed.tree.siblings(&indices));
    BatchMultiOpening { opened_values, opening_proof }
}
