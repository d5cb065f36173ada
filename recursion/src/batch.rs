//! The verifier of a batch proof, as a circuit.
//!
//! [`BatchShape`] is everything about a proof that a verifying key and the heights of its tables fix. The circuit
//! is made from it alone; what changes from key to key of one shape (the transcript's seed and the commitment
//! to the preprocessed columns) is a [`ChildKey`], of constants or of targets.
//!
//! Source: `p3-batch-stark`, `verify_batch`, step by step.

use std::collections::BTreeMap;
use std::ops::Range;

use chipwright_backend_stark::config::{GoldilocksMmcs, StarkField};
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_dsl::circuit::{CircuitBuilder, DataTarget, ExtTarget, Target};
use p3_air::BaseAir;
use p3_batch_stark::BatchShape as TranscriptShape;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_fri::{FriShape, PcsShape as PcsTranscriptShape};
use p3_goldilocks::Goldilocks;

use crate::constraints::{Challenges, Opened, Row, TableConstraints, assert_terminals};
use crate::domain;
use crate::pcs::{self, Forest, MatrixShape, PcsClaims, PcsShape, QueryData};
use crate::transcript::TranscriptPlan;

/// The fields whose proofs can be verified in circuits: those with the hash of the hash chip.
pub trait RecursiveField: StarkField<Base = Goldilocks, Mmcs = GoldilocksMmcs> {}

impl<P: StarkField<Base = Goldilocks, Mmcs = GoldilocksMmcs>> RecursiveField for P {}

/// The number of elements of the seed that names a statement: 32 bytes, three an element.
pub const SEED: usize = 11;

/// A table of a batch.
#[derive(Debug)]
struct Table {
    log_height: usize,
    width: usize,
    next: bool,
    fixed_width: usize,
    fixed_next: bool,
    /// Base-field columns of the lookup argument.
    lookup_width: usize,
    chunks: usize,
    publics: usize,
    constraints: TableConstraints,
}

/// Everything that a circuit needs to know about the proofs that it verifies.
#[derive(Debug)]
pub struct BatchShape {
    tables: Vec<Table>,
    /// The commitment scheme: main columns, quotient chunks, preprocessed columns, lookup columns.
    pub pcs: PcsShape,
    transcript: TranscriptShape,
    /// The number of digests in the cap of the preprocessed columns; zero without such columns.
    fixed_cap: usize,
}

/// Why proofs cannot be verified in a circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The number of heights is not the number of tables.
    #[error("the key has {tables} tables, {heights} heights were given")]
    Heights {
        /// Tables of the key.
        tables: usize,
        /// Heights given.
        heights: usize,
    },
    /// A height that the key does not allow.
    #[error("table `{table}` has 2^{expected} rows by its key, not 2^{got}")]
    Height {
        /// The table.
        table: String,
        /// The key's.
        expected: usize,
        /// The one given.
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
    /// The shape of the proofs under a key, for tables of the given heights (base-2 logarithms).
    ///
    /// # Errors
    ///
    /// Fails if the heights do not fit the key, or if the parameters of its configuration are not supported.
    pub fn new<P: RecursiveField>(
        key: &VerifyingKey<P>,
        log_heights: &[usize],
    ) -> Result<Self, ShapeError> {
        if key.tables().len() != log_heights.len() {
            let (tables, heights) = (key.tables().len(), log_heights.len());
            return Err(ShapeError::Heights { tables, heights });
        }
        let parameters = key.config().parameters;
        let log_max = log_heights.iter().max().copied().unwrap_or(0) + parameters.log_blowup;
        for (what, got, limit) in [
            ("the base-2 logarithm of the folding arity", parameters.max_log_arity, 3),
            ("the base-2 logarithm of the largest domain", log_max, 32),
            ("the grinding before the queries", parameters.grinding.query, 32),
        ] {
            if got > limit {
                return Err(ShapeError::Parameter { what, got, limit });
            }
        }
        let degree = P::FIELD.degree();
        let mut tables = Vec::new();
        for (position, (table, &log_height)) in key.tables().iter().zip(log_heights).enumerate() {
            if let Some(expected) = table.log_height.filter(|&expected| expected != log_height) {
                let table = table.name.clone();
                return Err(ShapeError::Height { table, expected, got: log_height });
            }
            let air = &key.airs()[position];
            tables.push(Table {
                log_height,
                width: table.width,
                next: !air.main_next_row_columns().is_empty(),
                fixed_width: table.fixed_width,
                fixed_next: !air.preprocessed_next_row_columns().is_empty(),
                lookup_width: degree * table.lookup_columns,
                chunks: table.quotient_chunks,
                publics: table.publics,
                constraints: TableConstraints::of_key(key, position, log_height),
            });
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
        let pcs = PcsShape { parameters, degree, commitments };
        let transcript = TranscriptShape {
            trace_widths: tables.iter().map(|table| table.width).collect(),
            public_value_counts: tables.iter().map(|table| table.publics).collect(),
            preprocessed_widths: tables.iter().map(|table| table.fixed_width).collect(),
            has_preprocessed_commitment: has_fixed,
            num_lookup_instances: tables.iter().filter(|table| table.lookup_width > 0).count(),
            lookup_pow_bits: parameters.grinding.lookup,
            has_randomization_commitment: false,
            ood_pow_bits: parameters.grinding.out_of_domain,
        };
        let fixed_cap = if has_fixed { pcs.trees()[2].cap } else { 0 };
        Ok(Self { tables, pcs, transcript, fixed_cap })
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
        4 * self.fixed_cap
    }

    /// The number of permutations of each query, and of each commitment in it.
    pub fn permutations_per_query(&self) -> usize {
        let trees = self.pcs.trees();
        let folds = self.pcs.fold_trees();
        trees.iter().chain(&folds).map(pcs::TreePlan::permutations).sum()
    }

    fn has_lookups(&self) -> bool {
        self.transcript.num_lookup_instances > 0
    }
}

/// What names a verifying key among those of one shape.
#[derive(Clone, Debug)]
pub struct ChildKey {
    /// The seed of the transcript: [`SEED`] elements.
    pub seed: Vec<Target>,
    /// The commitment to the preprocessed columns: four elements a digest.
    pub fixed_cap: Vec<Target>,
}

impl ChildKey {
    /// A key that is a constant of the circuit.
    pub fn constant<P: RecursiveField>(builder: &mut CircuitBuilder, key: &VerifyingKey<P>) -> Self {
        let (seed, fixed_cap) = key_elements(key);
        let mut constants = |values: Vec<Goldilocks>| {
            values.into_iter().map(|value| builder.add_const(value)).collect()
        };
        Self { seed: constants(seed), fixed_cap: constants(fixed_cap) }
    }
}

/// The seed and the commitment of a key, as elements.
pub fn key_elements<P: RecursiveField>(
    key: &VerifyingKey<P>,
) -> (Vec<Goldilocks>, Vec<Goldilocks>) {
    let seed = key
        .digest()
        .chunks(3)
        .map(|chunk| chunk.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte)))
        .map(Goldilocks::from_u64)
        .collect();
    let fixed = key.common().preprocessed.as_ref().map(|fixed| cap_elements(&fixed.commitment));
    (seed, fixed.unwrap_or_default())
}

/// A commitment, as p3 knows it.
pub(crate) type Cap = p3_merkle_tree::MerkleCap<Goldilocks, [Goldilocks; 4]>;

pub(crate) fn cap_elements(cap: &Cap) -> Vec<Goldilocks> {
    cap.roots().iter().flatten().copied().collect()
}

/// Where a run supplies a proof.
#[derive(Clone, Debug)]
pub struct ProofData {
    /// What the proof says in the transcript.
    pub(crate) transcript: Option<DataTarget>,
    pub(crate) queries: Vec<QueryData>,
    /// The number of permutations of the transcript.
    pub transcript_permutations: usize,
}

/// Adds the verification of one proof to a circuit.
///
/// `publics` are the public values of every table.
///
/// # Soundness
///
/// The circuit is satisfied exactly if `verify_batch` accepts the proof for this key, these heights and these
/// public values; what the proof says is created by the transcript and cannot be chosen twice. Whoever calls
/// this must bind `key` (to constants, or to an allowed set) and `publics`.
pub fn verify_batch<P: RecursiveField>(
    builder: &mut CircuitBuilder,
    forest: &mut Forest,
    shape: &BatchShape,
    key: &ChildKey,
    publics: &[Vec<Target>],
) -> ProofData {
    builder.scope("verify", |builder| verify::<P>(builder, forest, shape, key, publics))
}

/// Positions of opened values in what the proof says: by commitment, matrix and point.
type Places = Vec<Vec<Vec<Vec<Range<usize>>>>>;

fn verify<P: RecursiveField>(
    builder: &mut CircuitBuilder,
    forest: &mut Forest,
    shape: &BatchShape,
    key: &ChildKey,
    publics: &[Vec<Target>],
) -> ProofData {
    let degree = P::FIELD.degree();
    let parameters = shape.pcs.parameters;
    let grinding = parameters.grinding;
    let trees = shape.pcs.trees();
    let caps: Vec<usize> = trees.iter().map(|tree| 4 * tree.cap).collect();
    let [main_cap, quotient_cap] = [caps[0], caps[1]];
    let lookup_cap = caps.last().copied().filter(|_| shape.has_lookups());

    // The transcript.
    let mut plan = TranscriptPlan::default();
    for &element in &key.seed {
        plan.observe(element);
    }
    plan.observe_seed(builder, |recorder| {
        shape.transcript.domain_separator::<Goldilocks, P::Ext>().seed(recorder);
    });
    for table in &shape.tables {
        // A height is observed as an extension element.
        plan.observe_constant(builder, Goldilocks::from_usize(table.log_height));
        for _ in 1..degree {
            plan.observe_constant(builder, Goldilocks::ZERO);
        }
    }
    let main = plan.listen(main_cap);
    for &value in publics.iter().flatten() {
        plan.observe(value);
    }
    for &element in &key.fixed_cap {
        plan.observe(element);
    }
    let mut works: Vec<(usize, usize)> = Vec::new();
    let mut work = |plan: &mut TranscriptPlan, bits: usize| {
        if bits > 0 {
            plan.listen(1);
            works.push((plan.sample(), bits));
        }
    };
    let mut lookups = None;
    if let Some(cap) = lookup_cap {
        work(&mut plan, grinding.lookup);
        let challenges = [plan.sample_extension(degree), plan.sample_extension(degree)];
        let cap = plan.listen(cap);
        let terminals: Vec<Range<usize>> =
            (0..shape.transcript.num_lookup_instances).map(|_| plan.listen(degree)).collect();
        lookups = Some((challenges, cap, terminals));
    }
    let constraint = plan.sample_extension(degree);
    let quotient = plan.listen(quotient_cap);
    work(&mut plan, grinding.out_of_domain);
    let zeta = plan.sample_extension(degree);

    // The opening argument.
    let counts: Vec<Vec<Vec<usize>>> = shape
        .pcs
        .commitments
        .iter()
        .map(|matrices| {
            matrices.iter().map(|m| vec![m.width; 1 + usize::from(m.next)]).collect()
        })
        .collect();
    let pcs_transcript = PcsTranscriptShape {
        claimed_evaluation_counts: counts.clone(),
        batch_pow_bits: grinding.batch,
    };
    plan.observe_seed(builder, |recorder| {
        pcs_transcript.domain_separator::<Goldilocks, P::Ext>().seed(recorder);
    });
    let opened: Places = counts
        .iter()
        .map(|matrices| {
            let mut point = |&width: &usize| (0..width).map(|_| plan.listen(degree)).collect();
            matrices.iter().map(|points| points.iter().map(&mut point).collect()).collect()
        })
        .collect();
    work(&mut plan, grinding.batch);
    let alpha = plan.sample_extension(degree);

    // FRI.
    let fri_transcript = FriShape {
        log_arities: shape.pcs.log_arities(),
        final_poly_len: 1 << parameters.log_final_poly_len,
        commit_pow_bits: grinding.fold,
        query_pow_bits: grinding.query,
        num_queries: parameters.queries,
        index_bits: shape.pcs.log_max(),
        log_blowup: parameters.log_blowup,
        max_log_arity: parameters.max_log_arity,
    };
    plan.observe_seed(builder, |recorder| {
        fri_transcript.domain_separator::<Goldilocks, P::Ext>().seed(recorder);
    });
    let folds: Vec<(Range<usize>, Range<usize>)> = shape
        .pcs
        .fold_trees()
        .iter()
        .map(|tree| {
            let cap = plan.listen(4 * tree.cap);
            work(&mut plan, grinding.fold);
            (cap, plan.sample_extension(degree))
        })
        .collect();
    let final_poly: Vec<Range<usize>> =
        (0..1 << parameters.log_final_poly_len).map(|_| plan.listen(degree)).collect();
    work(&mut plan, grinding.query);
    let indices: Vec<usize> = (0..parameters.queries).map(|_| plan.sample()).collect();

    let transcript = builder.scope("transcript", |builder| plan.build(builder));
    let said = |range: &Range<usize>| transcript.said[range.clone()].to_vec();
    let ext = |builder: &mut CircuitBuilder, coefficients: &[Target]| {
        builder.from_coefficients(coefficients)
    };
    let challenge = |builder: &mut CircuitBuilder, range: &Range<usize>| {
        ext(builder, &transcript.samples[range.clone()])
    };
    builder.scope("grinding", |builder| {
        for (sample, bits) in works {
            pcs::assert_work(builder, transcript.samples[sample], bits);
        }
    });

    // Challenges and opened values as extension elements.
    let zeta = challenge(builder, &zeta);
    let opened: Vec<Vec<Vec<Vec<ExtTarget>>>> = opened
        .iter()
        .map(|matrices| {
            let mut point = |values: &Vec<Range<usize>>| {
                values.iter().map(|range| ext(builder, &transcript.said[range.clone()])).collect()
            };
            matrices.iter().map(|points| points.iter().map(&mut point).collect()).collect()
        })
        .collect();
    let (lookup_challenges, lookup_cap, terminals) = match &lookups {
        None => (None, None, Vec::new()),
        Some((challenges, cap, terminals)) => {
            let [a, b] = challenges;
            let challenges = [challenge(builder, a), challenge(builder, b)];
            let terminals: Vec<ExtTarget> = terminals
                .iter()
                .map(|range| ext(builder, &transcript.said[range.clone()]))
                .collect();
            (Some(challenges), Some(said(cap)), terminals)
        }
    };
    let mut next_points = BTreeMap::new();
    for table in &shape.tables {
        next_points
            .entry(table.log_height)
            .or_insert_with(|| domain::next_point(builder, zeta, table.log_height));
    }
    let constraint = challenge(builder, &constraint);

    builder.scope("constraints", |builder| {
        let zero = builder.lift(0);
        let [lookup_alpha, lookup_beta] = lookup_challenges.unwrap_or([zero, zero]);
        let challenges = Challenges { lookup_alpha, lookup_beta, constraint, zeta };
        for (position, table) in
            shape.opened_tables(&opened, publics, &terminals).into_iter().enumerate()
        {
            shape.tables[position].constraints.assert_quotient(builder, &table, &challenges);
        }
        assert_terminals(builder, &terminals);
    });

    let mut commitment_caps = vec![said(&main), said(&quotient)];
    if shape.fixed_cap > 0 {
        commitment_caps.push(key.fixed_cap.clone());
    }
    commitment_caps.extend(lookup_cap);
    let claims = PcsClaims {
        caps: commitment_caps,
        opened,
        zeta,
        next_points,
        alpha: challenge(builder, &alpha),
        betas: folds.iter().map(|(_, beta)| challenge(builder, beta)).collect(),
        fold_caps: folds.iter().map(|(cap, _)| said(cap)).collect(),
        final_poly: final_poly
            .iter()
            .map(|range| ext(builder, &transcript.said[range.clone()]))
            .collect(),
        indices: indices.into_iter().map(|index| transcript.samples[index]).collect(),
    };
    let queries = pcs::verify(builder, forest, &shape.pcs, &claims);
    ProofData {
        transcript: transcript.data,
        queries,
        transcript_permutations: transcript.permutations,
    }
}

impl BatchShape {
    /// The opened values table by table.
    fn opened_tables(
        &self,
        opened: &[Vec<Vec<Vec<ExtTarget>>>],
        publics: &[Vec<Target>],
        terminals: &[ExtTarget],
    ) -> Vec<Opened> {
        let row = |points: &Vec<Vec<ExtTarget>>| Row {
            local: points[0].clone(),
            next: points.get(1).cloned().unwrap_or_default(),
        };
        let mut chunks = opened[1].iter().map(|points| points[0].clone());
        let fixed = self.fixed_cap > 0;
        let mut fixed_rows = if fixed { opened[2].iter() } else { [].iter() };
        let lookups = self.has_lookups();
        let mut lookup_rows =
            if lookups { opened[2 + usize::from(fixed)].iter() } else { [].iter() };
        let mut terminals = terminals.iter().copied();
        self.tables
            .iter()
            .enumerate()
            .map(|(position, table)| Opened {
                main: row(&opened[0][position]),
                fixed: if table.fixed_width > 0 {
                    fixed_rows.next().map(row).unwrap_or_default()
                } else {
                    Row::default()
                },
                lookups: if table.lookup_width > 0 {
                    lookup_rows.next().map(row).unwrap_or_default()
                } else {
                    Row::default()
                },
                quotient: chunks.by_ref().take(table.chunks).collect(),
                publics: publics[position].clone(),
                terminal: if table.lookup_width > 0 { terminals.next() } else { None },
            })
            .collect()
    }
}

/// The canonical integers of elements.
pub(crate) fn canonical(values: impl IntoIterator<Item = Goldilocks>) -> Vec<u64> {
    values.into_iter().map(|value| value.as_canonical_u64()).collect()
}
