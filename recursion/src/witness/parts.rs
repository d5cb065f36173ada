//! The parts of a proof that a circuit needs, and whether they have the lengths that it verifies.
//!
//! Plonky3's verifiers refuse a proof of any other shape before they read it, and so does this: otherwise the values of
//! one part could pass for those of the next. What they refuse here is
//!
//! - a part of another length, or one that is there and should not be, empty or not;
//! - a witness of a proof of work that takes no work, unless it is zero.
//!
//! Source: `p3-batch-stark`, `verify_batch`; `p3-uni-stark`, `verify_with_preprocessed`; `p3-fri`, `verify_fri`.

use chipwright_backend_stark::config::{Grinding, Stark, StarkField};
use chipwright_backend_stark::proof::Proof;
use p3_batch_stark::{OpenedValues, PcsProof};
use p3_field::PrimeCharacteristicRing;

use super::{WitnessError, length};
use crate::batch::{BatchShape, RecursiveField};
use crate::constraints::TableConstraints;
use crate::field::{Cap, CapTree};
use crate::pcs::TreePlan;

/// What is opened of a table, and of its lookup columns at both points.
type OpenedTable<'a, E> = (&'a OpenedValues<E>, [&'a [E]; 2]);

/// What the circuit needs of a proof, whichever of Plonky3's provers made it.
pub(super) struct Parts<'a, P: StarkField> {
    pub(super) log_heights: &'a [usize],
    pub(super) main: &'a Cap<P>,
    /// The commitment to the lookup columns, and the proof of work before their challenges.
    pub(super) lookups: Option<(&'a Cap<P>, P::Base)>,
    /// What the lookups of each table sum to.
    pub(super) terminals: Vec<Option<P::Ext>>,
    pub(super) quotient: &'a Cap<P>,
    pub(super) out_of_domain_work: P::Base,
    pub(super) tables: Vec<OpenedTable<'a, P::Ext>>,
    pub(super) fri: &'a PcsProof<Stark<P>>,
    /// Commitments that only proofs in zero knowledge have, and witnesses of work without a challenge.
    needless: usize,
}

impl<'a, P: RecursiveField> Parts<'a, P> {
    pub(super) fn of_batch(proof: &'a Proof<P>) -> Self {
        let batch = proof.batch();
        let lookups = batch.commitments.permutation.as_ref();
        let instances = batch.opened_values.instances.iter();
        let tables = instances.map(|table| {
            let lookups = [&table.permutation_local[..], &table.permutation_next[..]];
            (&table.base_opened_values, lookups)
        });
        let work = batch.lookup_pow_witness;
        let needless = usize::from(batch.commitments.random.is_some())
            + usize::from(work.is_some() != lookups.is_some());
        Self {
            log_heights: &batch.degree_bits,
            main: &batch.commitments.main,
            lookups: lookups.map(|cap| (cap, work.unwrap_or_default())),
            terminals: batch.lookup_terminals.iter().map(|t| t.as_ref().map(|t| t.0)).collect(),
            quotient: &batch.commitments.quotient_chunks,
            out_of_domain_work: batch.ood_pow_witness,
            tables: tables.collect(),
            fri: &batch.opening_proof,
            needless,
        }
    }

    pub(super) fn of_single(proof: &'a p3_uni_stark::Proof<Stark<P>>) -> Self {
        Self {
            log_heights: std::slice::from_ref(&proof.degree_bits),
            main: &proof.commitments.trace,
            lookups: None,
            terminals: vec![None],
            quotient: &proof.commitments.quotient_chunks,
            out_of_domain_work: proof.ood_pow_witness,
            tables: vec![(&proof.opened_values, [&[], &[]])],
            fri: &proof.opening_proof,
            needless: usize::from(proof.commitments.random.is_some()),
        }
    }

    /// Refuses parts of other lengths than a shape's.
    pub(super) fn check(&self, shape: &BatchShape) -> Result<(), WitnessError> {
        let tables = shape.constraints().tables();
        length("tables that are opened", tables.len(), self.tables.len())?;
        length("tables that may have terminals", tables.len(), self.terminals.len())?;
        for ((table, opened), terminal) in tables.iter().zip(&self.tables).zip(&self.terminals) {
            check_table::<P>(table, opened)?;
            let with_lookups = usize::from(table.lookup_columns() > 0);
            length("terminals of a table", with_lookups, usize::from(terminal.is_some()))?;
        }
        length("commitments or witnesses that nobody asks for", 0, self.needless)?;
        self.check_commitments(shape)?;
        self.check_work(shape.pcs.parameters.grinding)
    }

    fn check_commitments(&self, shape: &BatchShape) -> Result<(), WitnessError> {
        let digests = |cap: &Cap<P>| P::Mmcs::elements(cap).len() / P::SIZES.digest;
        let fri = self.fri;
        let lookups = shape.constraints().tables().iter().any(|table| table.lookup_columns() > 0);
        length("lookup commitments", usize::from(lookups), usize::from(self.lookups.is_some()))?;
        let trees = shape.pcs.trees();
        let fixed = usize::from(shape.fixed_cap_elements() > 0);
        let lookups = self.lookups.map(|(cap, _)| (cap, 2 + fixed));
        for (cap, tree) in [(self.main, 0), (self.quotient, 1)].into_iter().chain(lookups) {
            length("digests of a cap", trees[tree].cap, digests(cap))?;
        }
        let folds: Vec<TreePlan> = shape.pcs.fold_trees();
        length("folding commitments", folds.len(), fri.commit_phase_commits.len())?;
        length("witnesses of work before folds", folds.len(), fri.commit_pow_witnesses.len())?;
        for (tree, cap) in folds.iter().zip(&fri.commit_phase_commits) {
            length("digests of a fold's cap", tree.cap, digests(cap))?;
        }
        let coefficients = 1 << shape.pcs.parameters.log_final_poly_len;
        length("coefficients of the final polynomial", coefficients, fri.final_poly.len())
    }

    fn check_work(&self, grinding: Grinding) -> Result<(), WitnessError> {
        let Grinding { lookup, out_of_domain, batch, fold, query } = grinding;
        let lookup_work = self.lookups.map(|(_, work)| work).unwrap_or_default();
        let sites = [
            ("lookups", lookup, lookup_work),
            ("point", out_of_domain, self.out_of_domain_work),
            ("combination", batch, self.fri.batch_pow_witness),
            ("queries", query, self.fri.query_pow_witness),
        ];
        let folds = self.fri.commit_pow_witnesses.iter().map(|&work| ("folds", fold, work));
        match sites
            .into_iter()
            .chain(folds)
            .find(|&(_, bits, work)| bits == 0 && work != P::Base::ZERO)
        {
            Some((site, ..)) => Err(WitnessError::Work(site)),
            None => Ok(()),
        }
    }
}

fn check_table<P: RecursiveField>(
    table: &TableConstraints,
    (opened, lookups): &OpenedTable<'_, P::Ext>,
) -> Result<(), WitnessError> {
    let degree = P::FIELD.degree();
    length("main-trace columns", table.width(), opened.trace_local.len())?;
    let next = opened.trace_next.as_ref().map(Vec::len);
    optional("main-trace columns of the next row", table.opens_next(), table.width(), next)?;
    let fixed = opened.preprocessed.as_ref();
    let width = table.fixed_width();
    let local = fixed.map(|fixed| fixed.local.len());
    optional("preprocessed columns", width > 0, width, local)?;
    let next = fixed.and_then(|fixed| fixed.next.as_ref()).map(Vec::len);
    let opens_next = width > 0 && table.opens_next_fixed();
    optional("preprocessed columns of the next row", opens_next, width, next)?;
    for columns in lookups {
        length("lookup coefficients", table.lookup_columns() * degree, columns.len())?;
    }
    length("quotient chunks", 1 << table.log_chunks(), opened.quotient_chunks.len())?;
    for chunk in &opened.quotient_chunks {
        length("coefficients of a quotient chunk", degree, chunk.len())?;
    }
    length("masking polynomials", 0, usize::from(opened.random.is_some()))
}

/// A list that is there or not: an empty one is there.
fn optional(
    what: &'static str,
    present: bool,
    expected: usize,
    got: Option<usize>,
) -> Result<(), WitnessError> {
    match got {
        Some(got) if present => length(what, expected, got),
        None if !present => Ok(()),
        got => Err(WitnessError::Length {
            what,
            expected: if present { expected } else { 0 },
            got: got.unwrap_or(0),
        }),
    }
}
