//! What a proof of the commitment scheme looks like, and what follows from that.

use std::collections::BTreeMap;

use chipwright_backend_stark::config::Parameters;
use chipwright_chips::recursion::IndexSegment;
use chipwright_ir::Field;

use super::trees::TreePlan;
use crate::batch::ShapeError;

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
    /// Refuses matrices that folding would never come to.
    ///
    /// # Soundness
    ///
    /// The final polynomial has as many coefficients as the parameters say. A matrix of fewer rows has a domain on which
    /// *every* function is such a polynomial, or one that no fold reaches: nothing would be tested of it.
    ///
    /// Source: `p3-fri`, `fold_query`, which wants folding to end at the final height with nothing left to enter.
    pub(crate) fn check(&self) -> Result<(), ShapeError> {
        let log_final = self.parameters.log_final_poly_len;
        let matrices = || self.commitments.iter().flatten();
        if matrices().next().is_none() || matrices().any(|matrix| matrix.width == 0) {
            return Err(ShapeError::NoColumns);
        }
        match matrices().map(|matrix| matrix.log_height).find(|&height| height < log_final) {
            Some(log_height) => Err(ShapeError::Untested { log_height, log_final }),
            None => Ok(()),
        }
    }

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

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use chipwright_backend_stark::config::{Config, FriMmcs, StarkField};
    use chipwright_ir::FieldPair;
    use chipwright_ir::field::Goldilocks2;
    use p3_commit::Mmcs;
    use p3_field::PrimeCharacteristicRing;
    use p3_fri::verifier::fold_query;
    use p3_fri::{CommitPhaseMultiStep, TwoAdicFriFolding};
    use p3_matrix::dense::RowMajorMatrix;

    use super::*;

    type P = Goldilocks2;
    type Base = <P as FieldPair>::Base;
    type Ext = <P as FieldPair>::Ext;

    /// Whether Plonky3's verifier folds a query of these inputs, all zero, down to the final polynomial.
    fn folds(shape: &PcsShape) -> bool {
        let parameters = shape.parameters;
        let mmcs = P::fri(&parameters).mmcs;
        let (_, data) = mmcs.commit_matrix(RowMajorMatrix::new(Ext::zero_vec(4), 2));
        let (_, opening_proof) = mmcs.open_multi_batch(&[0], &data);
        let log_arities = shape.log_arities();
        let round = |log_arity: &usize| CommitPhaseMultiStep::<Ext, FriMmcs<P>> {
            sibling_values: vec![Ext::zero_vec((1 << log_arity) - 1)],
            opening_proof: opening_proof.clone(),
        };
        let openings: Vec<_> = log_arities.iter().map(round).collect();
        let inputs = shape.lde_heights().into_iter().map(|height| (height, Ext::ZERO)).collect();
        let rounds = log_arities.len();
        fold_query::<_, Base, Ext, FriMmcs<P>>(
            &TwoAdicFriFolding::<(), ()>(PhantomData),
            0,
            &mut 0,
            &Ext::zero_vec(rounds),
            &log_arities,
            &openings,
            inputs,
            shape.log_max(),
            parameters.log_blowup + parameters.log_final_poly_len,
            &mut vec![Vec::new(); rounds],
            &mut vec![Vec::new(); rounds],
        )
        .is_ok()
    }

    #[test]
    fn h_04_a_shape_is_accepted_exactly_if_plonky3_folds_its_queries_to_the_end() {
        let (mut accepted, mut refused) = (0, 0);
        // All sets of heights from one row to 2^6.
        for heights in 1_u32..1 << 7 {
            let log_heights: Vec<usize> = (0..7).filter(|bit| heights >> bit & 1 == 1).collect();
            for (log_blowup, log_final_poly_len, max_log_arity) in
                [1, 3].iter().flat_map(|&blowup| {
                    (0..6).flat_map(move |last| (1..4).map(move |arity| (blowup, last, arity)))
                })
            {
                let mut parameters = Config::testing().parameters;
                parameters.log_blowup = log_blowup;
                parameters.log_final_poly_len = log_final_poly_len;
                parameters.max_log_arity = max_log_arity;
                let matrix = |&log_height| vec![MatrixShape { log_height, width: 1, next: true }];
                let commitments = log_heights.iter().map(matrix).collect();
                let shape = PcsShape { parameters, field: P::FIELD, commitments };
                let verdict = shape.check();
                assert_eq!(verdict.is_ok(), folds(&shape), "{shape:?}: {verdict:?}");
                *(if verdict.is_ok() { &mut accepted } else { &mut refused }) += 1;
            }
        }
        // Six final polynomials: of 1 to 32 coefficients.
        let whole: u32 = (0..6).map(|last| (1 << (7 - last)) - 1).sum();
        assert_eq!((accepted, refused), (6 * whole, 6 * (6 * 127 - whole)));
    }

    #[test]
    fn h_04_a_shape_with_nothing_to_open_is_refused() {
        let parameters = Config::testing().parameters;
        let empty = MatrixShape { log_height: 3, width: 0, next: false };
        for commitments in [vec![], vec![vec![]], vec![vec![empty]]] {
            let shape = PcsShape { parameters, field: P::FIELD, commitments };
            assert_eq!(shape.check(), Err(ShapeError::NoColumns));
        }
    }
}
