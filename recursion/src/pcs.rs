//! The commitment scheme: openings of Merkle trees, their combination, and FRI.
//!
//! Everything here is fixed by a [`PcsShape`]: which matrices each commitment holds, at which points they are
//! opened, and the parameters. Values of a leaf are combined in the rows that hash it; the bus sees one sum a
//! leaf and query.
//!
//! Source: `p3-fri`, `verify_fri` and `open_inputs`; `p3-merkle-tree`, `verify_batch`.

use std::collections::BTreeMap;

use chipwright_backend_stark::config::Parameters;
use chipwright_chips::recursion::{
    HashSizes, IndexSegment, Leaf, RowKind, RowSpec, Script, index_call, index_outputs,
};
use chipwright_dsl::circuit::{AnyTarget, CircuitBuilder, DataTarget, ExtTarget, Target};
use chipwright_ir::Field;
use chipwright_ir::circuit::ChipCall;

use crate::domain::{constant, shift};

/// A committed matrix: the evaluations of polynomials of degree below `2^log_height`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatrixShape {
    /// The base-2 logarithm of the number of rows before the low-degree extension.
    pub log_height: usize,
    /// The number of columns.
    pub width: usize,
    /// Whether it is opened at the next point as well as at ζ.
    pub next: bool,
}

/// What a proof of the commitment scheme looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcsShape {
    /// The parameters.
    pub parameters: Parameters,
    /// The field.
    pub field: Field,
    /// The matrices of each commitment, in the order of the verifier.
    pub commitments: Vec<Vec<MatrixShape>>,
}

/// A group of matrices of one height in one tree: they are hashed together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The base-2 logarithm of the number of leaves.
    pub(crate) log_height: usize,
    /// Positions in the commitment, in the order of hashing.
    pub(crate) matrices: Vec<usize>,
    /// The number of elements of a leaf.
    pub(crate) width: usize,
    /// Whether the sum of powers over the whole leaf is what the openings need.
    pub(crate) combined: bool,
}

/// How a tree is opened: scripts of the hash chip.
#[derive(Clone, Debug)]
pub(crate) struct TreePlan {
    /// From the tallest matrices down.
    pub(crate) groups: Vec<Group>,
    /// The rows of the leaf of the tallest group and of the path; the tree's number is not set.
    pub(crate) path: Vec<RowSpec>,
    /// The rows of the leaves of the other groups.
    pub(crate) injected: Vec<Vec<RowSpec>>,
    /// The number of digests of the cap.
    pub(crate) cap: usize,
}

/// The number of nodes of a layer of `raw` nodes with padding: layers have one node, or four or more.
const fn padded(raw: usize) -> usize {
    if raw == 2 { 4 } else { raw }
}

impl TreePlan {
    /// The plan for matrices of some widths and numbers of leaves.
    pub(crate) fn new(
        matrices: &[(usize, usize, bool)],
        combine: bool,
        cap_height: usize,
        fold: Option<usize>,
        field: Field,
    ) -> Self {
        let sizes = HashSizes::of(field);
        let mut groups: BTreeMap<std::cmp::Reverse<usize>, Vec<usize>> = BTreeMap::new();
        for (position, &(_, log_height, _)) in matrices.iter().enumerate() {
            groups.entry(std::cmp::Reverse(log_height)).or_default().push(position);
        }
        let groups: Vec<Group> = groups
            .into_iter()
            .map(|(std::cmp::Reverse(log_height), positions)| {
                let single = positions.iter().all(|&i| !matrices[i].2);
                Group {
                    log_height,
                    width: positions.iter().map(|&i| matrices[i].0).sum(),
                    combined: combine && (positions.len() == 1 || single),
                    matrices: positions,
                }
            })
            .collect();
        let heights: Vec<usize> = groups.iter().map(|group| 1 << group.log_height).collect();
        // (arity, whether the next group is injected above it)
        let mut levels = Vec::new();
        let mut nodes = padded(heights[0]);
        let mut rest = &heights[1..];
        while nodes > 1 {
            let between = rest.iter().any(|&height| height > nodes / 4);
            let arity = if nodes < 4 || between { 2 } else { 4 };
            let above = nodes / arity;
            let injects = rest.first() == Some(&above);
            if injects {
                rest = &rest[1..];
            }
            levels.push((arity, injects));
            nodes = padded(above);
        }
        let kept = levels.len() - cap_height.min(levels.len());
        let mut cap = padded(heights[0]);
        for &(arity, _) in &levels[..kept] {
            cap = padded(cap / arity);
        }
        levels.truncate(kept);

        let mut path = match fold {
            None => leaf_rows(sizes, &groups[0], true),
            Some(log_arity) => fold_rows(field, log_arity),
        };
        let leaf_length = path.len();
        for &(arity, injects) in &levels {
            let kind = if arity == 4 { RowKind::Parent4 } else { RowKind::Parent2 };
            path.push(RowSpec::new(kind, 0));
            if injects {
                path.push(RowSpec { read: sizes.mask(1), ..RowSpec::new(RowKind::Inject, 0) });
            }
        }
        if let Some(last) = path.last_mut() {
            last.end = true;
        }
        if groups[0].combined || fold.is_some() {
            if path.len() == leaf_length {
                path.push(RowSpec::new(RowKind::Rest, 0));
            }
            path[leaf_length].sum = true;
            path[leaf_length].own = fold.is_some();
        }
        let injected = groups[1..]
            .iter()
            .map(|group| {
                let mut rows = leaf_rows(sizes, group, group.combined);
                let mut digest = RowSpec::new(RowKind::Echo, 0);
                digest.written = sizes.mask(0);
                digest.sum = group.combined;
                rows.push(digest);
                rows
            })
            .collect();
        Self { groups, path, injected, cap }
    }

    /// The number of permutations of one opening.
    pub(crate) fn permutations(&self) -> usize {
        self.path.len() + self.injected.iter().map(Vec::len).sum::<usize>()
    }
}

/// The rows that hash a leaf; `enter` says whether the index comes in with it.
fn leaf_rows(sizes: HashSizes, group: &Group, enter: bool) -> Vec<RowSpec> {
    let rate = sizes.rate();
    let chunks = group.width.div_ceil(rate);
    (0..chunks)
        .map(|chunk| {
            let kind = if chunk == 0 { RowKind::Leaf } else { RowKind::LeafNext };
            let taken = rate.min(group.width - rate * chunk);
            let mut row = RowSpec::new(kind, taken);
            row.enter = enter && chunk == 0;
            if group.combined {
                row.leaf = Leaf::Combine;
            } else {
                row.written = (1 << taken) - 1;
            }
            row
        })
        .collect()
}

/// The rows that hash and fold the evaluations of a coset.
fn fold_rows(field: Field, log_arity: usize) -> Vec<RowSpec> {
    let degree = field.degree();
    let in_row = HashSizes::of(field).rate() / degree;
    (0..1_usize << log_arity)
        .step_by(in_row)
        .enumerate()
        .map(|(part, start)| {
            let kind = if part == 0 { RowKind::Leaf } else { RowKind::LeafNext };
            let count = in_row.min((1 << log_arity) - start);
            let mut row = RowSpec::new(kind, count * degree);
            row.enter = part == 0;
            row.leaf = Leaf::Fold { log_arity, part };
            row
        })
        .collect()
}

impl PcsShape {
    /// The base-2 logarithm of the size of the largest domain.
    pub fn log_max(&self) -> usize {
        self.lde_heights().first().copied().unwrap_or(0)
    }

    /// The base-2 logarithms of the sizes of all domains, the largest first.
    pub(crate) fn lde_heights(&self) -> Vec<usize> {
        let all = self.commitments.iter().flatten();
        let mut heights: Vec<usize> =
            all.map(|matrix| matrix.log_height + self.parameters.log_blowup).collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.dedup();
        heights
    }

    /// The base-2 logarithm of the arity of each folding round.
    pub(crate) fn log_arities(&self) -> Vec<usize> {
        let last = self.parameters.log_blowup + self.parameters.log_final_poly_len;
        p3_fri::fold_schedule(&self.lde_heights(), last, self.parameters.max_log_arity)
    }

    /// How each commitment is opened.
    pub(crate) fn trees(&self) -> Vec<TreePlan> {
        let plan = |matrices: &Vec<MatrixShape>| {
            let leaves: Vec<_> = matrices
                .iter()
                .map(|m| (m.width, m.log_height + self.parameters.log_blowup, m.next))
                .collect();
            TreePlan::new(&leaves, true, self.parameters.cap_height, None, self.field)
        };
        self.commitments.iter().map(plan).collect()
    }

    /// How each folding round's commitment is opened.
    pub(crate) fn fold_trees(&self) -> Vec<TreePlan> {
        let mut height = self.log_max();
        let plan = |log_arity: usize| {
            height -= log_arity;
            let leaf = [(self.field.degree() << log_arity, height, false)];
            let cap = self.parameters.cap_height;
            TreePlan::new(&leaf, false, cap, Some(log_arity), self.field)
        };
        self.log_arities().into_iter().map(plan).collect()
    }

    /// Where each opening's powers of the batching challenge begin: by commitment, matrix and point.
    pub(crate) fn offsets(&self) -> Vec<Vec<[usize; 2]>> {
        let mut ladders: BTreeMap<usize, usize> = BTreeMap::new();
        let offset = |matrix: &MatrixShape| {
            let ladder = ladders.entry(matrix.log_height).or_default();
            let here = *ladder;
            *ladder += matrix.width * (1 + usize::from(matrix.next));
            [here, here + matrix.width]
        };
        let mut offset = offset;
        self.commitments.iter().map(|matrices| matrices.iter().map(&mut offset).collect()).collect()
    }
}

/// Numbers trees, so that each has its own entries in the table of caps.
#[derive(Debug, Default)]
pub struct Forest {
    trees: u64,
}

impl Forest {
    /// The next tree, with the digests of its cap.
    pub(crate) fn plant(&mut self, builder: &mut CircuitBuilder, cap: &[Target]) -> u64 {
        self.trees += 1;
        for (position, digest) in
            cap.chunks_exact(HashSizes::of(builder.field()).digest).enumerate()
        {
            let call = ChipCall {
                chip: "cap".to_owned(),
                parameters: vec![self.trees, position as u64],
                rows: 1,
            };
            let digest: Vec<AnyTarget> = digest.iter().map(|&t| t.into()).collect();
            builder.call_named(call, &digest);
        }
        self.trees
    }
}

/// What the transcript says that the commitment scheme needs.
#[derive(Debug)]
pub(crate) struct PcsClaims {
    /// The caps of the commitments: elements, digest by digest.
    pub(crate) caps: Vec<Vec<Target>>,
    /// The opened values, by commitment, matrix and point.
    pub(crate) opened: Vec<Vec<Vec<Vec<ExtTarget>>>>,
    /// The out-of-domain point.
    pub(crate) zeta: ExtTarget,
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
    forest: &mut Forest,
    shape: &PcsShape,
    claims: &PcsClaims,
) -> Vec<QueryData> {
    let shared = builder.scope("openings", |builder| Shared::new(builder, forest, shape, claims));
    let query = |builder: &mut CircuitBuilder, &sample: &Target| shared.query(builder, sample);
    claims.indices.iter().map(|sample| builder.scope("query", |b| query(b, sample))).collect()
}

impl<'a> Shared<'a> {
    fn new(
        builder: &mut CircuitBuilder,
        forest: &mut Forest,
        shape: &'a PcsShape,
        claims: &'a PcsClaims,
    ) -> Self {
        let trees = shape.trees();
        let fold_trees = shape.fold_trees();
        let numbers: Vec<u64> = claims.caps.iter().map(|cap| forest.plant(builder, cap)).collect();
        let fold_numbers = claims.fold_caps.iter().map(|cap| forest.plant(builder, cap)).collect();
        // No query point is an opening point: those are in the base field, these are not.
        let coefficients = builder.coefficients(claims.zeta);
        let beyond = builder.sub(claims.zeta, coefficients[0]);
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

        let generator = constant(builder, shift(self.shape.field));
        // Σ αⁱ·pᵢ(x), by log trace height and point.
        let mut sums: BTreeMap<usize, [Option<ExtTarget>; 2]> = BTreeMap::new();
        for (commitment, tree) in self.trees.iter().enumerate() {
            let entry = index(log_max - tree.groups[0].log_height);
            data.openings.push(self.open(builder, commitment, tree, entry, &mut sums));
        }

        let mut reduced: BTreeMap<usize, ExtTarget> = BTreeMap::new();
        for (&log_height, claimed) in &self.claimed {
            let cut = log_max - (log_height + log_blowup);
            let inverse = squared(builder, power(cut), cut);
            let points = [self.claims.zeta, self.claims.next_points[&log_height]];
            let mut total: Option<ExtTarget> = None;
            for which in 0..2 {
                let (Some(claimed), Some(sum)) = (claimed[which], sums[&log_height][which]) else {
                    continue;
                };
                // 1/(z − x) = y/(z·y − g) with x = g/y.
                let numerator = builder.sub(claimed, sum);
                let scaled = builder.mul(points[which], inverse);
                let denominator = builder.sub(scaled, generator);
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
            // Of the point x the inverse y is known: with n coefficients, f = Σ cᵢ·xⁱ if yⁿ·f = y·Σ cᵢ·yⁿ⁻¹⁻ⁱ.
            let inverse = squared(builder, power(cut), cut);
            let reversed: Vec<ExtTarget> = coefficients.iter().rev().copied().collect();
            let y = builder.lift(inverse);
            let sum = horner(builder, y, &reversed);
            let expected = builder.mul(inverse, sum);
            let scale = squared(builder, inverse, self.shape.parameters.log_final_poly_len);
            let found = builder.mul(scale, folded);
            builder.assert_eq(found, expected).named("final polynomial");
        }
        data
    }

    /// Opens a tree, and adds what its leaves contribute.
    fn open(
        &self,
        builder: &mut CircuitBuilder,
        commitment: usize,
        tree: &TreePlan,
        entry: Target,
        sums: &mut BTreeMap<usize, [Option<ExtTarget>; 2]>,
    ) -> (DataTarget, Vec<DataTarget>) {
        let digest = HashSizes::of(self.shape.field).digest;
        let mut injected = Vec::new();
        let mut digests: Vec<AnyTarget> = Vec::new();
        for (position, rows) in tree.injected.iter().enumerate() {
            let group = &tree.groups[1 + position];
            let mut inputs: Vec<AnyTarget> = Vec::new();
            if group.combined {
                inputs.push(entry.into());
                inputs.push(self.point.into());
            }
            let script = Script { tree: 0, rows: rows.clone() };
            let called = builder.call_named(script.call(), &inputs);
            injected.extend(called.data);
            let values = called.outputs.len() - digest - usize::from(group.combined);
            digests.extend(&called.outputs[values..values + digest]);
            let mut outputs = called.outputs;
            outputs.drain(values..values + digest);
            self.add_leaf(builder, commitment, tree, 1 + position, &outputs, sums);
        }
        let mut inputs: Vec<AnyTarget> = vec![entry.into()];
        if tree.groups[0].combined {
            inputs.push(self.point.into());
        }
        inputs.extend(digests);
        let script = Script { tree: self.numbers[commitment], rows: tree.path.clone() };
        let called = builder.call_named(script.call(), &inputs);
        self.add_leaf(builder, commitment, tree, 0, &called.outputs, sums);
        (called.data.expect("leaves are private data"), injected)
    }

    fn add_leaf(
        &self,
        builder: &mut CircuitBuilder,
        commitment: usize,
        tree: &TreePlan,
        number: usize,
        outputs: &[AnyTarget],
        sums: &mut BTreeMap<usize, [Option<ExtTarget>; 2]>,
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
        let totals = sums.entry(log_height).or_default();
        for (part, factors) in parts.into_iter().zip(&self.factors[commitment][number]) {
            for (total, factor) in totals.iter_mut().zip(factors) {
                let Some(factor) = *factor else { continue };
                *total = Some(match *total {
                    None => builder.mul(factor, part),
                    Some(total) => builder.mul_add(factor, part, total),
                });
            }
        }
    }
}

impl PcsShape {
    /// What is shown of each query index.
    fn segment(&self) -> IndexSegment {
        let log_max = self.log_max();
        let mut index_cuts: Vec<usize> = Vec::new();
        let mut power_cuts: Vec<usize> = Vec::new();
        for tree in self.trees() {
            index_cuts.push(log_max - tree.groups[0].log_height);
        }
        power_cuts.extend(self.lde_heights().iter().map(|height| log_max - height));
        let mut cut = 0;
        for log_arity in self.log_arities() {
            index_cuts.push(cut);
            cut += log_arity;
            power_cuts.push(cut);
        }
        let sorted = |mut cuts: Vec<usize>| {
            cuts.sort_unstable();
            cuts.dedup();
            cuts.into_iter().map(|cut| cut as u32).collect()
        };
        IndexSegment {
            bits: log_max as u32,
            index_cuts: sorted(index_cuts),
            power_cuts: sorted(power_cuts),
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
