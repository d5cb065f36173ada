//! How Merkle trees are opened: the rows of the hash chip that go from a leaf to an entry of the cap.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chipwright_chips::recursion::{HashSizes, Leaf, RowKind, RowSpec};
use chipwright_dsl::circuit::{AnyTarget, CircuitBuilder, Target};
use chipwright_ir::Field;
use chipwright_ir::circuit::ChipCall;

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
        let mut groups: BTreeMap<Reverse<usize>, Vec<usize>> = BTreeMap::new();
        for (position, &(_, log_height, _)) in matrices.iter().enumerate() {
            groups.entry(Reverse(log_height)).or_default().push(position);
        }
        let groups: Vec<Group> = groups
            .into_iter()
            .map(|(Reverse(log_height), positions)| {
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

/// Puts the cap of a new tree into the table of caps; the tree's number.
pub(crate) fn plant(builder: &mut CircuitBuilder, cap: &[Target]) -> u64 {
    let tree = builder.new_tree();
    let digests = cap.chunks_exact(HashSizes::of(builder.field()).digest);
    for (position, digest) in (0..).zip(digests) {
        let call = ChipCall { chip: "cap".to_owned(), parameters: vec![tree, position], rows: 1 };
        let digest: Vec<AnyTarget> = digest.iter().map(|&t| t.into()).collect();
        builder.call_named(call, &digest);
    }
    tree
}
