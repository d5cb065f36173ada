//! A table as Plonky3's verifier sees it.
//!
//! The verifier asks for the constraints twice: as values at the out-of-domain point, and as expressions, only to
//! learn their degree. A key knows the degree already, and it is a third of the verifier's work to find it again.

use std::borrow::Cow;

use p3_air::{Air, BaseAir};
use p3_batch_stark::config::{StarkGenericConfig, Val};
use p3_batch_stark::folder::VerifierConstraintFolderWithLookups;
use p3_field::{ExtensionField, PrimeField64};
use p3_lookup::InteractionSymbolicBuilder;

use crate::air::RecordedAir;

/// A recorded chip whose constraints are only ever evaluated, as the number of its quotient's chunks is known.
#[derive(Clone, Copy, Debug)]
pub struct VerifierAir<'a, F> {
    air: &'a RecordedAir<F>,
    log_chunks: usize,
}

impl<'a, F: PrimeField64> VerifierAir<'a, F> {
    /// A table whose quotient is committed in `2^log_chunks` chunks.
    pub(crate) fn new(air: &'a RecordedAir<F>, log_chunks: usize) -> Self {
        Self { air, log_chunks }
    }
}

impl<F: PrimeField64> BaseAir<F> for VerifierAir<'_, F> {
    fn width(&self) -> usize {
        self.air.width()
    }

    fn preprocessed_width(&self) -> usize {
        self.air.preprocessed_width()
    }

    fn num_periodic_columns(&self) -> usize {
        self.air.num_periodic_columns()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        self.air.periodic_columns()
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        self.air.main_next_row_columns()
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        self.air.preprocessed_next_row_columns()
    }

    fn num_constraints(&self) -> Option<usize> {
        self.air.num_constraints()
    }

    /// The least degree with as many chunks, which the verifier takes where expressions tell it less.
    fn max_constraint_degree(&self) -> Option<usize> {
        Some((1 << self.log_chunks) + 1)
    }

    fn num_public_values(&self) -> usize {
        self.air.num_public_values()
    }
}

impl<SC> Air<VerifierConstraintFolderWithLookups<'_, SC>> for VerifierAir<'_, Val<SC>>
where
    SC: StarkGenericConfig,
    Val<SC>: PrimeField64,
{
    fn eval(&self, folder: &mut VerifierConstraintFolderWithLookups<'_, SC>) {
        self.air.eval(folder);
    }
}

impl<F, EF> Air<InteractionSymbolicBuilder<F, EF>> for VerifierAir<'_, F>
where
    F: PrimeField64,
    EF: ExtensionField<F>,
{
    /// No expressions: [`BaseAir::max_constraint_degree`] says all that is asked of them.
    fn eval(&self, _builder: &mut InteractionSymbolicBuilder<F, EF>) {}
}
