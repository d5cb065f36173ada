//! What a circuit needs to know about the proofs that it verifies, and what names the key that they are under.

use chipwright_backend_stark::config::{Grinding, Parameters, SEED};
use chipwright_backend_stark::key::{HeightsError, KeyShape, VerifyingKey};
use chipwright_chips::recursion::HashSizes;
use chipwright_dsl::circuit::{CircuitBuilder, Target};
use chipwright_ir::Field;
use p3_batch_stark::BatchShape as TranscriptShape;
use p3_field::PrimeField64;
use p3_uni_stark::StarkShape;

use crate::constraints::{BatchConstraints, ConstraintsError, TableConstraints};
use crate::domain::{constant, two_adicity};
use crate::field::{CapTree, RecursiveField};
use crate::level::Level;
use crate::pcs::{MatrixShape, PcsShape, TreePlan};

/// A table of a batch.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) log_height: usize,
    pub(super) width: usize,
    pub(super) next: bool,
    pub(super) fixed_width: usize,
    pub(super) fixed_next: bool,
    /// Base-field columns of the lookup argument.
    pub(super) lookup_width: usize,
    pub(super) chunks: usize,
    pub(super) publics: usize,
}

impl Table {
    fn of(table: &TableConstraints, degree: usize) -> Self {
        Self {
            log_height: table.log_height(),
            width: table.width(),
            next: table.opens_next(),
            fixed_width: table.fixed_width(),
            fixed_next: table.opens_next_fixed(),
            lookup_width: degree * table.lookup_columns(),
            chunks: 1 << table.log_chunks(),
            publics: table.publics(),
        }
    }
}

/// Which of Plonky3's verifiers a shape is of. Their transcripts begin differently.
#[derive(Debug)]
pub(crate) enum Protocol {
    /// `p3_batch_stark::verify_batch`
    Batch(TranscriptShape),
    /// `p3_uni_stark::verify_with_preprocessed`
    Single(StarkShape),
}

/// Everything that a circuit needs to know about the proofs that it verifies.
#[derive(Debug)]
pub struct BatchShape {
    pub(super) tables: Vec<Table>,
    pub(super) constraints: BatchConstraints,
    /// The commitment scheme: main columns, quotient chunks, preprocessed columns, lookup columns.
    pub pcs: PcsShape,
    pub(super) protocol: Protocol,
    /// The number of digests in the cap of the preprocessed columns; zero without such columns.
    pub(super) fixed_cap: usize,
    level: Level,
}

/// Why proofs cannot be verified in a circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The constraints cannot be evaluated in a circuit, or opened values do not fit them.
    #[error(transparent)]
    Constraints(#[from] ConstraintsError),
    /// The verifier refuses every proof of these heights.
    #[error(transparent)]
    Heights(#[from] HeightsError),
    /// A table to which the low-degree test does not apply.
    #[error(
        "a table of 2^{log_height} rows is below the final polynomial of 2^{log_final} coefficients: it would not be \
         tested for its degree"
    )]
    Untested {
        /// The base-2 logarithm of the height.
        log_height: usize,
        /// The base-2 logarithm of the number of coefficients at which folding ends.
        log_final: usize,
    },
    /// A table, or a batch, with nothing to open.
    #[error("there is a table without columns, or none at all")]
    NoColumns,
    /// A key or public values of another length than the shape's.
    #[error("the shape has {expected} {what}, {got} are given")]
    Length {
        /// Of what there is another number.
        what: &'static str,
        /// The number that the shape has.
        expected: usize,
        /// The number given.
        got: usize,
    },
    /// A parameter that the chips do not support.
    #[error("{what} is {got}, verification in circuits supports at most {limit}")]
    Parameter {
        /// The parameter.
        what: &'static str,
        /// Its value.
        got: usize,
        /// The largest value supported.
        limit: usize,
    },
}

impl BatchShape {
    /// The shape of the proofs under a key of some shape, for tables of the given heights (base-2 logarithms).
    ///
    /// # Errors
    ///
    /// Fails if [`VerifyingKey::verify`] refuses every proof of these heights, for their security or otherwise, or if
    /// the parameters of the key's configuration are not supported.
    pub fn new<P: RecursiveField>(
        key: &KeyShape<P>,
        log_heights: &[usize],
    ) -> Result<Self, ShapeError> {
        P::batch_shape(key, log_heights)
    }

    pub(crate) fn new_generic<P: RecursiveField>(
        key: &KeyShape<P>,
        log_heights: &[usize],
    ) -> Result<Self, ShapeError> {
        let level = Level::of(&key.admit(log_heights)?);
        let constraints = BatchConstraints::of_key(key, log_heights)?;
        let tables = constraints.tables();
        let grinding = key.config().parameters.grinding;
        let protocol = Protocol::Batch(TranscriptShape {
            trace_widths: tables.iter().map(TableConstraints::width).collect(),
            public_value_counts: tables.iter().map(TableConstraints::publics).collect(),
            preprocessed_widths: tables.iter().map(TableConstraints::fixed_width).collect(),
            has_preprocessed_commitment: tables.iter().any(|table| table.fixed_width() > 0),
            num_lookup_instances: tables.iter().filter(|t| t.lookup_columns() > 0).count(),
            lookup_pow_bits: grinding.lookup,
            has_randomization_commitment: false,
            ood_pow_bits: grinding.out_of_domain,
        });
        Self::assemble(P::FIELD, key.config().parameters, constraints, protocol, level)
    }

    /// The shape of proofs of some tables by one of Plonky3's provers.
    pub(crate) fn assemble(
        field: Field,
        parameters: Parameters,
        constraints: BatchConstraints,
        protocol: Protocol,
        level: Level,
    ) -> Result<Self, ShapeError> {
        let degree = field.degree();
        let tables: Vec<Table> =
            constraints.tables().iter().map(|table| Table::of(table, degree)).collect();
        let log_height = tables.iter().map(|table| table.log_height).max().unwrap_or(0);
        let log_max = log_height + parameters.log_blowup;
        let Grinding { lookup, out_of_domain, batch, fold, query } = parameters.grinding;
        let grinding = lookup.max(out_of_domain).max(batch).max(fold).max(query);
        // Indices and proofs of work are made of the lower bits of an element.
        let bits = two_adicity(field);
        for (what, got, limit) in [
            ("the base-2 logarithm of the folding arity", parameters.max_log_arity, 3),
            ("the base-2 logarithm of the largest domain", log_max, bits),
            ("the number of bits of a proof of work", grinding, bits),
        ] {
            if got > limit {
                return Err(ShapeError::Parameter { what, got, limit });
            }
        }
        let matrix = |table: &Table, width: usize, next: bool| MatrixShape {
            log_height: table.log_height,
            width,
            next,
        };
        let quotients = |table: &Table| vec![matrix(table, degree, false); table.chunks];
        let fixed: Vec<MatrixShape> = tables
            .iter()
            .filter(|table| table.fixed_width > 0)
            .map(|table| matrix(table, table.fixed_width, table.fixed_next))
            .collect();
        let lookups: Vec<MatrixShape> = tables
            .iter()
            .filter(|table| table.lookup_width > 0)
            .map(|table| matrix(table, table.lookup_width, true))
            .collect();
        let mut commitments = vec![
            tables.iter().map(|table| matrix(table, table.width, table.next)).collect(),
            tables.iter().flat_map(quotients).collect(),
        ];
        let has_fixed = !fixed.is_empty();
        commitments.extend([fixed, lookups].into_iter().filter(|matrices| !matrices.is_empty()));
        let pcs = PcsShape { parameters, field, commitments };
        pcs.check()?;
        let fixed_cap = if has_fixed { pcs.trees()[2].cap } else { 0 };
        Ok(Self { tables, constraints, pcs, protocol, fixed_cap, level })
    }

    /// The tables' constraints.
    pub(crate) fn constraints(&self) -> &BatchConstraints {
        &self.constraints
    }

    /// What a proof of this shape is worth.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Refuses a key and public values that are not of this shape.
    pub(super) fn check_inputs<K>(
        &self,
        key: &ChildKey<K>,
        publics: &[Vec<K>],
    ) -> Result<(), ShapeError> {
        // What a foreign prover's transcript observed before the proof began has any length.
        let seed = match &self.protocol {
            Protocol::Batch(_) => SEED,
            Protocol::Single(_) => key.seed.len(),
        };
        let tables = ("tables with public values", self.tables.len(), publics.len());
        let counts = self.publics().zip(publics);
        let counts = counts.map(|(expected, row)| ("public values", expected, row.len()));
        let key = [
            ("elements of a key's seed", seed, key.seed.len()),
            (
                "elements of a preprocessed commitment",
                self.fixed_cap_elements(),
                key.fixed_cap.len(),
            ),
        ];
        match key
            .into_iter()
            .chain([tables])
            .chain(counts)
            .find(|(_, expected, got)| expected != got)
        {
            Some((what, expected, got)) => Err(ShapeError::Length { what, expected, got }),
            None => Ok(()),
        }
    }

    /// The number of public values of each table.
    pub fn publics(&self) -> impl Iterator<Item = usize> + '_ {
        self.tables.iter().map(|table| table.publics)
    }

    /// The base-2 logarithms of the heights of the tables.
    pub fn log_heights(&self) -> impl Iterator<Item = usize> + '_ {
        self.tables.iter().map(|table| table.log_height)
    }

    /// The number of elements of the commitment to the preprocessed columns.
    pub fn fixed_cap_elements(&self) -> usize {
        HashSizes::of(self.pcs.field).digest * self.fixed_cap
    }

    /// The number of permutations of each query, and of each commitment in it.
    pub fn permutations_per_query(&self) -> usize {
        let trees = self.pcs.trees();
        let folds = self.pcs.fold_trees();
        trees.iter().chain(&folds).map(TreePlan::permutations).sum()
    }

    /// The number of tables with lookups.
    pub(super) fn lookup_tables(&self) -> usize {
        self.tables.iter().filter(|table| table.lookup_width > 0).count()
    }
}

/// What names a verifying key among those of one shape, as targets or as elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildKey<K> {
    /// The seed of the transcript: [`SEED`](chipwright_backend_stark::config::SEED) elements.
    pub seed: Vec<K>,
    /// The commitment to the preprocessed columns, digest by digest.
    pub fixed_cap: Vec<K>,
}

impl<F: PrimeField64> ChildKey<F> {
    /// The elements of a key.
    pub fn of<P: RecursiveField<Base = F>>(key: &VerifyingKey<P>) -> Self {
        let fixed = key.common().preprocessed.as_ref();
        Self {
            seed: P::seed_elements(key.digest()).to_vec(),
            fixed_cap: fixed.map(|fixed| P::Mmcs::elements(&fixed.commitment)).unwrap_or_default(),
        }
    }

    /// The key as constants of a circuit.
    pub fn constant(&self, builder: &mut CircuitBuilder) -> ChildKey<Target> {
        let mut constants =
            |values: &[F]| values.iter().map(|v| constant(builder, v.as_canonical_u64())).collect();
        ChildKey { seed: constants(&self.seed), fixed_cap: constants(&self.fixed_cap) }
    }

    /// All elements, the seed first.
    pub fn elements(&self) -> impl Iterator<Item = F> + '_ {
        self.seed.iter().chain(&self.fixed_cap).copied()
    }
}
