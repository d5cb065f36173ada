//! What a proof of the commitment scheme looks like, and what follows from that.

use std::collections::BTreeMap;

use chipwright_backend_stark::config::Parameters;
use chipwright_chips::recursion::IndexSegment;
use chipwright_ir::Field;

use super::trees::TreePlan;

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

    /// What is shown of each query index.
    pub(super) fn segment(&self) -> IndexSegment {
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
