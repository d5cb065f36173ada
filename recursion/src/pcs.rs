//! The commitment scheme: openings of Merkle trees, their combination, and FRI.
//!
//! Everything here is fixed by a [`PcsShape`]: which matrices each commitment holds, at which points they are
//! opened, and the parameters. Values of a leaf are combined in the rows that hash it; the bus sees one sum a
//! leaf and query.
//!
//! Source: `p3-fri`, `verify_fri` and `open_inputs`; `p3-merkle-tree`, `verify_batch`.

mod shape;
mod trees;

use std::collections::BTreeMap;

use chipwright_chips::recursion::{HashSizes, IndexSegment, Script, index_call, index_outputs};
use chipwright_dsl::circuit::{AnyTarget, CircuitBuilder, DataTarget, ExtTarget, Target};

use crate::domain::{constant, shift};

pub use shape::{MatrixShape, PcsShape};
pub(crate) use trees::{Group, TreePlan, plant};

/// What the transcript says that the commitment scheme needs.
#[derive(Debug)]
pub(crate) struct PcsClaims {
    /// The caps of the commitments: elements, digest by digest.
    pub(crate) caps: Vec<Vec<Target>>,
    /// The opened values, by commitment, matrix and point.
    pub(crate) opened: Vec<Vec<Vec<Vec<ExtTarget>>>>,
    /// The out-of-domain point.
    pub(crate) zeta: ExtTarget,
    /// Its first coefficient.
    pub(crate) zeta_in_base: Target,
    /// The next point, for every base-2 logarithm of a trace height.
    pub(crate) next_points: BTreeMap<usize, ExtTarget>,
    /// The batching challenge.
    pub(crate) alpha: ExtTarget,
    /// The folding challenges.
    pub(crate) betas: Vec<ExtTarget>,
    /// The caps of the folding rounds.
    pub(crate) fold_caps: Vec<Vec<Target>>,
    /// The coefficients of the final polynomial.
    pub(crate) final_poly: Vec<ExtTarget>,
    /// The samples whose lowest bits are the query indices.
    pub(crate) indices: Vec<Target>,
}

/// Where a run supplies the private data of one query.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueryData {
    /// Path, then injected leaves, for each commitment.
    pub(crate) openings: Vec<(DataTarget, Vec<DataTarget>)>,
    /// One for each folding round.
    pub(crate) folds: Vec<DataTarget>,
}

/// What all queries share.
struct Shared<'a> {
    shape: &'a PcsShape,
    claims: &'a PcsClaims,
    trees: Vec<TreePlan>,
    fold_trees: Vec<TreePlan>,
    log_arities: Vec<usize>,
    numbers: Vec<u64>,
    fold_numbers: Vec<u64>,
    /// The inverse of the batching challenge.
    point: ExtTarget,
    /// Σ αⁱ·pᵢ(z) over all that is opened at ζ or its successor, by log trace height.
    claimed: BTreeMap<usize, [Option<ExtTarget>; 2]>,
    /// By commitment and group: the factors of the sum, or of each matrix's sum.
    factors: Vec<Vec<Vec<[Option<ExtTarget>; 2]>>>,
    segment: IndexSegment,
}

/// Verifies all queries.
pub(crate) fn verify(
    builder: &mut CircuitBuilder,
    shape: &PcsShape,
    claims: &PcsClaims,
) -> Vec<QueryData> {
    let shared = builder.scope("openings", |builder| Shared::new(builder, shape, claims));
    let query = |builder: &mut CircuitBuilder, &sample: &Target| shared.query(builder, sample);
    claims.indices.iter().map(|sample| builder.scope("query", |b| query(b, sample))).collect()
}

impl<'a> Shared<'a> {
    fn new(builder: &mut CircuitBuilder, shape: &'a PcsShape, claims: &'a PcsClaims) -> Self {
        let trees = shape.trees();
        let fold_trees = shape.fold_trees();
        let numbers: Vec<u64> = claims.caps.iter().map(|cap| plant(builder, cap)).collect();
        let fold_numbers = claims.fold_caps.iter().map(|cap| plant(builder, cap)).collect();
        // No query point is an opening point: those are in the base field, these are not.
        let beyond = builder.sub(claims.zeta, claims.zeta_in_base);
        builder.inverse(beyond);
        let alpha = claims.alpha;
        let point = builder.inverse(alpha);

        let offsets = shape.offsets();
        let mut claimed: BTreeMap<usize, [Option<ExtTarget>; 2]> = BTreeMap::new();
        for (commitment, opened) in claims.opened.iter().enumerate() {
            for (matrix, points) in opened.iter().enumerate() {
                let log_height = shape.commitments[commitment][matrix].log_height;
                for (which, values) in points.iter().enumerate() {
                    let sum = horner(builder, alpha, values);
                    let factor = builder.exp(alpha, offsets[commitment][matrix][which] as u64);
                    let total = &mut claimed.entry(log_height).or_default()[which];
                    *total = Some(match *total {
                        None => builder.mul(factor, sum),
                        Some(total) => builder.mul_add(factor, sum, total),
                    });
                }
            }
        }
        let rate = HashSizes::of(shape.field).rate();
        let mut factors = Vec::new();
        for (commitment, tree) in trees.iter().enumerate() {
            let matrices = &shape.commitments[commitment];
            let mut of_groups = Vec::new();
            for group in &tree.groups {
                let shift = if group.combined { group.width.next_multiple_of(rate) - 1 } else { 0 };
                let firsts =
                    if group.combined { &group.matrices[..1] } else { &group.matrices[..] };
                let of_group = firsts
                    .iter()
                    .map(|&matrix| {
                        std::array::from_fn(|which| {
                            let opened = which == 0 || matrices[matrix].next;
                            let power = offsets[commitment][matrix][which] + shift;
                            opened.then(|| builder.exp(alpha, power as u64))
                        })
                    })
                    .collect();
                of_groups.push(of_group);
            }
            factors.push(of_groups);
        }
        let segment = shape.segment();
        Self {
            shape,
            claims,
            trees,
            fold_trees,
            log_arities: shape.log_arities(),
            numbers,
            fold_numbers,
            point,
            claimed,
            factors,
            segment,
        }
    }

    fn query(&self, builder: &mut CircuitBuilder, sample: Target) -> QueryData {
        let called =
            builder.call_named(index_call(self.shape.field, &self.segment), &[sample.into()]);
        let outputs: Vec<Target> =
            called.outputs.into_iter().map(|output| builder.as_felt(output)).collect();
        let (indices, powers) = index_outputs(self.shape.field, &self.segment, &outputs);
        let at = |cuts: &[u32], values: &[Target], cut: usize| {
            let position = cuts.iter().position(|&c| c as usize == cut);
            values[position.expect("every cut is in the segment")]
        };
        let index = |cut: usize| at(&self.segment.index_cuts, &indices, cut);
        let power = |cut: usize| at(&self.segment.power_cuts, &powers, cut);
        let log_max = self.shape.log_max();
        let log_blowup = self.shape.parameters.log_blowup;
        let mut data = QueryData::default();

        let field = self.shape.field;
        let negated_shift = constant(builder, field.modulus() - shift(field));
        // Σ αⁱ·(pᵢ(z) − pᵢ(x)), by log trace height and point.
        let mut numerators = self.claimed.clone();
        for (commitment, tree) in self.trees.iter().enumerate() {
            let entry = index(log_max - tree.groups[0].log_height);
            data.openings.push(self.open(builder, commitment, tree, entry, &mut numerators));
        }

        let mut reduced: BTreeMap<usize, ExtTarget> = BTreeMap::new();
        for (&log_height, numerators) in &numerators {
            let cut = log_max - (log_height + log_blowup);
            let inverse = squared(builder, power(cut), cut);
            let points = [self.claims.zeta, self.claims.next_points[&log_height]];
            let mut total: Option<ExtTarget> = None;
            for (point, numerator) in points.into_iter().zip(numerators) {
                let Some(numerator) = *numerator else { continue };
                // 1/(z − x) = y/(z·y − g) with x = g/y.
                let denominator = builder.mul_add(point, inverse, negated_shift);
                let quotient = builder.div(numerator, denominator);
                total = Some(match total {
                    None => quotient,
                    Some(total) => builder.add(total, quotient),
                });
            }
            if let Some(total) = total {
                let opening = builder.mul(total, inverse);
                reduced.insert(log_height + log_blowup, opening);
            }
        }
        if let Some(&constant) = reduced.get(&log_blowup) {
            builder.assert_zero(constant).named("a table of one row is constant");
        }

        let mut height = log_max;
        let mut cut = 0;
        let mut folded = reduced[&log_max];
        for (round, tree) in self.fold_trees.iter().enumerate() {
            let log_arity = self.log_arities[round];
            let inverse = squared(builder, power(cut + log_arity), cut);
            let beta = self.claims.betas[round];
            let point = builder.mul(beta, inverse);
            let script = Script { tree: self.fold_numbers[round], rows: tree.path.clone() };
            let inputs = [index(cut).into(), point.into(), folded.into()];
            let called = builder.call_named(script.call(), &inputs);
            data.folds.extend(called.data);
            folded = builder.as_ext(called.outputs[0]);
            height -= log_arity;
            cut += log_arity;
            if let Some(&opening) = reduced.get(&height) {
                let power = builder.exp(beta, 1 << log_arity);
                folded = builder.mul_add(power, opening, folded);
            }
        }
        let coefficients = &self.claims.final_poly;
        if let &[constant] = &coefficients[..] {
            builder.assert_eq(folded, constant).named("final polynomial");
        } else {
            let inverse = squared(builder, power(cut), cut);
            let inverse = builder.lift(inverse);
            let x = builder.inverse(inverse);
            let expected = horner(builder, x, coefficients);
            builder.assert_eq(folded, expected).named("final polynomial");
        }
        data
    }

    /// Opens a tree, and takes away what its leaves contribute.
    fn open(
        &self,
        builder: &mut CircuitBuilder,
        commitment: usize,
        tree: &TreePlan,
        entry: Target,
        numerators: &mut BTreeMap<usize, [Option<ExtTarget>; 2]>,
    ) -> (DataTarget, Vec<DataTarget>) {
        let digest = HashSizes::of(self.shape.field).digest;
        let mut injected = Vec::new();
        let mut digests: Vec<AnyTarget> = Vec::new();
        for (position, rows) in tree.injected.iter().enumerate() {
            let group = &tree.groups[1 + position];
            let inputs: &[AnyTarget] =
                if group.combined { &[entry.into(), self.point.into()] } else { &[] };
            let script = Script { tree: 0, rows: rows.clone() };
            let called = builder.call_named(script.call(), inputs);
            injected.extend(called.data);
            let values = called.outputs.len() - digest - usize::from(group.combined);
            digests.extend(&called.outputs[values..values + digest]);
            let mut outputs = called.outputs;
            outputs.drain(values..values + digest);
            self.take_leaf(builder, commitment, tree, 1 + position, &outputs, numerators);
        }
        let mut inputs: Vec<AnyTarget> = vec![entry.into(), self.point.into()];
        inputs.extend(digests);
        let script = Script { tree: self.numbers[commitment], rows: tree.path.clone() };
        let called = builder.call_named(script.call(), &inputs);
        self.take_leaf(builder, commitment, tree, 0, &called.outputs, numerators);
        (called.data.expect("leaves are private data"), injected)
    }

    fn take_leaf(
        &self,
        builder: &mut CircuitBuilder,
        commitment: usize,
        tree: &TreePlan,
        number: usize,
        outputs: &[AnyTarget],
        numerators: &mut BTreeMap<usize, [Option<ExtTarget>; 2]>,
    ) {
        let group = &tree.groups[number];
        let log_height = group.log_height - self.shape.parameters.log_blowup;
        let mut parts: Vec<ExtTarget> = Vec::new();
        if group.combined {
            parts.push(builder.as_ext(outputs[0]));
        } else {
            let mut rest = outputs;
            for &matrix in &group.matrices {
                let (row, tail) = rest.split_at(self.shape.commitments[commitment][matrix].width);
                let row: Vec<ExtTarget> = row.iter().map(|&value| builder.as_ext(value)).collect();
                parts.push(horner(builder, self.claims.alpha, &row));
                rest = tail;
            }
        }
        let numerators = numerators.entry(log_height).or_default();
        for (part, factors) in parts.into_iter().zip(&self.factors[commitment][number]) {
            for (numerator, factor) in numerators.iter_mut().zip(factors) {
                let (Some(before), Some(factor)) = (*numerator, *factor) else { continue };
                let product = builder.mul(factor, part);
                *numerator = Some(builder.sub(before, product));
            }
        }
    }
}

/// `value^(2^times)`
fn squared(builder: &mut CircuitBuilder, value: Target, times: usize) -> Target {
    (0..times).fold(value, |value, _| builder.mul(value, value))
}

/// `Σ xⁱ·value[i]`
fn horner(builder: &mut CircuitBuilder, x: ExtTarget, values: &[ExtTarget]) -> ExtTarget {
    let (&last, rest) = values.split_last().expect("a polynomial has a coefficient");
    rest.iter().rev().fold(last, |sum, &value| builder.mul_add(sum, x, value))
}

/// Demands that the lowest `bits` bits of a sample are zero.
pub(crate) fn assert_work(builder: &mut CircuitBuilder, sample: Target, bits: usize) {
    let segment = IndexSegment { bits: bits as u32, index_cuts: vec![0], power_cuts: Vec::new() };
    let called = builder.call_named(index_call(builder.field(), &segment), &[sample.into()]);
    let index = builder.as_felt(called.outputs[0]);
    builder.assert_zero(index).named("proof of work");
}
