//! The verifier of a batch proof, as a circuit.
//!
//! [`BatchShape`] is everything about a proof that a verifying key and the heights of its tables fix. The circuit
//! is made from it alone; what changes from key to key of one shape (the transcript's seed and the commitment
//! to the preprocessed columns) is a [`ChildKey`], of constants or of targets.
//!
//! A `p3-uni-stark` proof of a foreign AIR is a batch of one table without lookups, whose transcript begins
//! otherwise: [`crate::foreign`] describes its shape, and everything else is the same.
//!
//! Source: `p3-batch-stark`, `verify_batch`, step by step.

mod shape;

use std::collections::BTreeMap;
use std::ops::Range;

use chipwright_backend_stark::config::{SEED, StarkField};
use chipwright_dsl::circuit::{CircuitBuilder, DataTarget, ExtTarget, Target};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use p3_fri::{FriShape, PcsShape as PcsTranscriptShape};

use crate::constraints::{Challenges, Opened, Row};
use crate::domain::{OutOfDomain, constant};
use crate::pcs::{self, PcsClaims, QueryData};
use crate::transcript::{self, TranscriptPlan};

pub use crate::field::{CapTree, Digest, RecursiveField};
pub(crate) use shape::Protocol;
pub use shape::{BatchShape, ChildKey, ShapeError};

/// Where a run supplies a proof.
#[derive(Clone, Debug)]
pub struct ProofData {
    /// What the proof says in the transcript.
    pub(crate) transcript: Option<DataTarget>,
    pub(crate) queries: Vec<QueryData>,
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
///
/// # Errors
///
/// Fails if the key or the public values do not have the lengths of the shape.
pub fn verify_batch<P: RecursiveField>(
    builder: &mut CircuitBuilder,
    shape: &BatchShape,
    key: &ChildKey<Target>,
    publics: &[Vec<Target>],
) -> Result<ProofData, ShapeError> {
    P::verify_in_circuit(builder, shape, key, publics)
}

/// [`verify_batch`], compiled here for each field.
pub(crate) fn verify_generic<P: RecursiveField>(
    builder: &mut CircuitBuilder,
    shape: &BatchShape,
    key: &ChildKey<Target>,
    publics: &[Vec<Target>],
) -> Result<ProofData, ShapeError> {
    shape.check_inputs(key, publics)?;
    builder.scope("verify", |builder| verify::<P>(builder, shape, key, publics))
}

/// Opened values, by commitment, matrix, point and column.
type ByPoint<T> = Vec<Vec<Vec<Vec<T>>>>;

/// Where everything is among what the proof says, and among the samples.
#[derive(Debug)]
struct Places {
    main: Range<usize>,
    /// Samples that a proof of work makes small, with the number of zero bits.
    works: Vec<(usize, usize)>,
    lookups: Option<LookupPlaces>,
    constraint: Range<usize>,
    quotient: Range<usize>,
    zeta: Range<usize>,
    opened: ByPoint<Range<usize>>,
    alpha: Range<usize>,
    /// The commitment and the challenge of each folding round.
    folds: Vec<(Range<usize>, Range<usize>)>,
    final_poly: Vec<Range<usize>>,
    indices: Range<usize>,
}

#[derive(Debug)]
struct LookupPlaces {
    challenges: [Range<usize>; 2],
    cap: Range<usize>,
    terminals: Vec<Range<usize>>,
}

/// What the verifier of a proof samples, and what the proof opens.
#[derive(Debug)]
pub(crate) struct NativeChallenges<P: StarkField> {
    pub(crate) zeta: P::Ext,
    pub(crate) alpha: P::Ext,
    pub(crate) betas: Vec<P::Ext>,
    pub(crate) indices: Vec<usize>,
    pub(crate) opened: ByPoint<P::Ext>,
}

impl BatchShape {
    /// The transcript of the verifier: the one place that knows its order.
    #[allow(clippy::too_many_lines, reason = "the order of one list is easier to see in one piece")]
    fn plan<P: RecursiveField, K: Copy>(
        &self,
        key: &ChildKey<K>,
        publics: &[Vec<K>],
        constant: &mut dyn FnMut(P::Base) -> K,
    ) -> (TranscriptPlan<K>, Places) {
        let degree = P::FIELD.degree();
        let parameters = self.pcs.parameters;
        let grinding = parameters.grinding;
        let caps: Vec<usize> =
            self.pcs.trees().iter().map(|tree| P::SIZES.digest * tree.cap).collect();
        let mut plan = TranscriptPlan::new();
        let mut works = Vec::new();
        let mut work = |plan: &mut TranscriptPlan<K>, bits: usize| {
            if bits > 0 {
                plan.listen(1);
                works.push((plan.sample(1).start, bits));
            }
        };
        let mut constants =
            |values: Vec<P::Base>| -> Vec<K> { values.into_iter().map(&mut *constant).collect() };

        plan.observe(key.seed.iter().copied());
        let separator = match &self.protocol {
            Protocol::Batch(shape) => shape.domain_separator::<P::Base, P::Ext>(),
            Protocol::Single(shape) => shape.domain_separator::<P::Base, P::Ext>(),
        };
        plan.observe(constants(transcript::seed(|recorder| separator.seed(recorder))));
        let publics = publics.iter().flatten().copied();
        let fixed_cap = key.fixed_cap.iter().copied();
        let main = match &self.protocol {
            Protocol::Batch(_) => {
                for table in &self.tables {
                    // A height is observed as an extension element.
                    let mut height = vec![P::Base::ZERO; degree];
                    height[0] = P::Base::from_usize(table.log_height);
                    plan.observe(constants(height));
                }
                let main = plan.listen(caps[0]);
                plan.observe(publics.chain(fixed_cap));
                main
            }
            // The height is part of the separator.
            Protocol::Single(_) => {
                let main = plan.listen(caps[0]);
                plan.observe(fixed_cap.chain(publics));
                main
            }
        };
        let lookup_tables = self.lookup_tables();
        let lookups = (lookup_tables > 0).then(|| {
            work(&mut plan, grinding.lookup);
            LookupPlaces {
                challenges: std::array::from_fn(|_| plan.sample(degree)),
                cap: plan.listen(caps[caps.len() - 1]),
                terminals: (0..lookup_tables).map(|_| plan.listen_ext(degree)).collect(),
            }
        });
        let constraint = plan.sample(degree);
        let quotient = plan.listen(caps[1]);
        work(&mut plan, grinding.out_of_domain);
        let zeta = plan.sample(degree);

        let counts: Vec<Vec<Vec<usize>>> = self
            .pcs
            .commitments
            .iter()
            .map(|matrices| {
                matrices.iter().map(|m| vec![m.width; 1 + usize::from(m.next)]).collect()
            })
            .collect();
        let opening = PcsTranscriptShape {
            claimed_evaluation_counts: counts,
            batch_pow_bits: grinding.batch,
        };
        plan.observe(constants(transcript::seed(|recorder| {
            opening.domain_separator::<P::Base, P::Ext>().seed(recorder);
        })));
        let opened = opening
            .claimed_evaluation_counts
            .iter()
            .map(|matrices| {
                let mut point =
                    |&width: &usize| (0..width).map(|_| plan.listen_ext(degree)).collect();
                matrices.iter().map(|points| points.iter().map(&mut point).collect()).collect()
            })
            .collect();
        work(&mut plan, grinding.batch);
        let alpha = plan.sample(degree);

        let fri = FriShape {
            log_arities: self.pcs.log_arities(),
            final_poly_len: 1 << parameters.log_final_poly_len,
            commit_pow_bits: grinding.fold,
            query_pow_bits: grinding.query,
            num_queries: parameters.queries,
            index_bits: self.pcs.log_max(),
            log_blowup: parameters.log_blowup,
            max_log_arity: parameters.max_log_arity,
        };
        plan.observe(constants(transcript::seed(|recorder| {
            fri.domain_separator::<P::Base, P::Ext>().seed(recorder);
        })));
        let folds = self
            .pcs
            .fold_trees()
            .iter()
            .map(|tree| {
                let cap = plan.listen(P::SIZES.digest * tree.cap);
                work(&mut plan, grinding.fold);
                (cap, plan.sample(degree))
            })
            .collect();
        let final_poly =
            (0..1 << parameters.log_final_poly_len).map(|_| plan.listen_ext(degree)).collect();
        work(&mut plan, grinding.query);
        let indices = plan.sample(parameters.queries);
        let places = Places {
            main,
            works,
            lookups,
            constraint,
            quotient,
            zeta,
            opened,
            alpha,
            folds,
            final_poly,
            indices,
        };
        (plan, places)
    }

    /// The challenges of a proof, from what it says.
    pub(crate) fn native_challenges<P: RecursiveField>(
        &self,
        key: &ChildKey<P::Base>,
        publics: &[Vec<P::Base>],
        said: &[P::Base],
    ) -> NativeChallenges<P> {
        let (plan, places) = self.plan::<P, P::Base>(key, publics, &mut |constant| constant);
        let samples = plan.replay(P::challenger(), said);
        let element = |values: &[P::Base]| P::Ext::from_basis_coefficients_fn(|i| values[i]);
        let sample = |range: &Range<usize>| element(&samples[range.clone()]);
        let mask = (1 << self.pcs.log_max()) - 1;
        let index = |sample: &P::Base| (sample.as_canonical_u64() & mask) as usize;
        let column = |range: &Range<usize>| element(&said[range.clone()]);
        let point = |values: &Vec<Range<usize>>| values.iter().map(column).collect();
        let matrix = |points: &Vec<Vec<Range<usize>>>| points.iter().map(point).collect();
        NativeChallenges {
            zeta: sample(&places.zeta),
            alpha: sample(&places.alpha),
            betas: places.folds.iter().map(|(_, beta)| sample(beta)).collect(),
            indices: samples[places.indices].iter().map(index).collect(),
            opened: places
                .opened
                .iter()
                .map(|matrices| matrices.iter().map(matrix).collect())
                .collect(),
        }
    }

    /// How many elements a proof of this shape says.
    pub(crate) fn said<P: RecursiveField>(&self) -> usize {
        let zeros = |count: usize| vec![P::Base::ZERO; count];
        let key = ChildKey { seed: zeros(SEED), fixed_cap: zeros(self.fixed_cap_elements()) };
        let publics: Vec<_> = self.publics().map(zeros).collect();
        self.plan::<P, P::Base>(&key, &publics, &mut |constant| constant).0.said()
    }
}

fn verify<P: RecursiveField>(
    builder: &mut CircuitBuilder,
    shape: &BatchShape,
    key: &ChildKey<Target>,
    publics: &[Vec<Target>],
) -> Result<ProofData, ShapeError> {
    let (plan, places) =
        shape.plan::<P, Target>(key, publics, &mut |v| constant(builder, v.as_canonical_u64()));
    let transcript = builder.scope("transcript", |builder| plan.build(builder));
    builder.scope("grinding", |builder| {
        for &(sample, bits) in &places.works {
            pcs::assert_work(builder, transcript.samples[sample], bits);
        }
    });

    // Challenges and opened values as extension elements.
    let said = |range: &Range<usize>| transcript.said(range);
    let said_ext =
        |builder: &mut CircuitBuilder, range: &Range<usize>| transcript.said_ext(builder, range);
    let challenge = |builder: &mut CircuitBuilder, range: &Range<usize>| {
        builder.from_coefficients(&transcript.samples[range.clone()])
    };
    let mut zeta = OutOfDomain::new(challenge(builder, &places.zeta));
    let opened: ByPoint<ExtTarget> = places
        .opened
        .iter()
        .map(|matrices| {
            let mut point = |values: &Vec<Range<usize>>| {
                values.iter().map(|range| said_ext(builder, range)).collect()
            };
            matrices.iter().map(|points| points.iter().map(&mut point).collect()).collect()
        })
        .collect();
    let mut lookup_challenges = None;
    let mut terminals = Vec::new();
    if let Some(lookups) = &places.lookups {
        let [alpha, beta] = &lookups.challenges;
        lookup_challenges = Some((challenge(builder, alpha), challenge(builder, beta)));
        terminals.extend(lookups.terminals.iter().map(|range| said_ext(builder, range)));
    }
    let challenges = Challenges {
        lookup: lookup_challenges,
        constraint: challenge(builder, &places.constraint),
    };
    builder.scope("constraints", |builder| {
        let tables = shape.opened_tables(&opened, publics, &terminals);
        shape.constraints.assert_all(builder, &mut zeta, &tables, &challenges)
    })?;

    let mut caps = vec![said(&places.main), said(&places.quotient)];
    if shape.fixed_cap > 0 {
        caps.push(key.fixed_cap.clone());
    }
    caps.extend(places.lookups.as_ref().map(|lookups| said(&lookups.cap)));
    let mut next_points = BTreeMap::new();
    for table in &shape.tables {
        next_points.insert(table.log_height, zeta.next(builder, table.log_height));
    }
    let claims = PcsClaims {
        caps,
        opened,
        zeta: zeta.zeta(),
        zeta_in_base: transcript.samples[places.zeta.start],
        next_points,
        alpha: challenge(builder, &places.alpha),
        betas: places.folds.iter().map(|(_, beta)| challenge(builder, beta)).collect(),
        fold_caps: places.folds.iter().map(|(cap, _)| said(cap)).collect(),
        final_poly: places.final_poly.iter().map(|range| said_ext(builder, range)).collect(),
        indices: transcript.samples[places.indices.clone()].to_vec(),
    };
    let queries = pcs::verify(builder, &shape.pcs, &claims);
    Ok(ProofData { transcript: transcript.data, queries })
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
        let lookups = self.lookup_tables() > 0;
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
