//! This crate's own prover: the proofs of `p3_batch_stark::prove_batch`, in less time.
//!
//! The protocol is Plonky3's, driven through Plonky3's transcripts; a proof is the same bytes as the one of
//! its prover, and is checked by its verifier. What differs is how the numbers are computed: matrices are
//! kept in tiles, which everything after the extension reads without gathering; lookups are
//! compiled once for a key; rules are evaluated several blocks of rows at a time; openings are combined
//! before they are extended; and the preprocessed columns stay in the key, extended and hashed.

mod extend;
mod grind;
mod lookup;
mod messages;
mod opening;
mod phases;
mod quotient;
mod tiles;
mod tree;

use chipwright_ir::FieldPair;
use chipwright_ir::chip::Chip;
use p3_air::BaseAir;
use p3_batch_stark::proof::OpenedValuesWithLookups;
use p3_batch_stark::{
    BatchCommitments, BatchOpenedValues, BatchProof, BatchProverTranscript, BatchShape,
    OpenedValues,
};
use p3_commit::Mmcs;
use p3_field::{
    BasedVectorSpace, ExtensionField, Field, PackedValue, PrimeCharacteristicRing, TwoAdicField,
};
use p3_lookup::{LogUpGadget, Lookup, LookupTerminal};
use p3_uni_stark::{PreprocessedOpenedValues, StarkGenericConfig};
use p3_util::log2_strict_usize;

use self::extend::{Pool, TwiddleSet, Twiddles, extend, extend_rows, interpolate};
pub use self::grind::Candidates;
use self::grind::Least;
use self::lookup::Rows;
use self::messages::{Challenges, Messages};
use self::opening::{Committed, CommittedOver, Round};
pub use self::phases::{Phase, Phases};
use self::quotient::Constraints;
use self::tiles::{Tiles, lanes};
pub use self::tree::{Nodes, TreeHash};
use crate::air::RecordedAir;
use crate::config::{Parameters, Stark, StarkField};
use crate::tape::Tape;

type Packing<P> = <<P as FieldPair>::Base as Field>::Packing;
type PackedExt<P> =
    <<P as FieldPair>::Ext as ExtensionField<<P as FieldPair>::Base>>::ExtensionPacking;
type Transcript<'a, P> = BatchProverTranscript<
    'a,
    Least<<P as StarkField>::Challenger>,
    <P as FieldPair>::Base,
    <P as FieldPair>::Ext,
    Commitment<P>,
>;
type Commitment<P> = <<P as StarkField>::Mmcs as Mmcs<<P as FieldPair>::Base>>::Commitment;

/// What the prover keeps of a machine.
#[derive(Debug)]
pub struct Prepared<P: StarkField> {
    parameters: Parameters,
    hash: P::TreeHash,
    /// The preprocessed columns of the tables that have some.
    fixed: Option<CommittedOver<P>>,
    /// The rules of each table.
    rules: Vec<Tape<P::Base>>,
    /// The lookup columns of each table.
    messages: Vec<Messages<P::Base>>,
    /// The memory of extensions, between proofs.
    pool: Pool<Packing<P>>,
}

/// A table to be proven.
#[derive(Debug)]
pub struct Instance<'a, P: StarkField> {
    pub(crate) air: &'a RecordedAir<P::Base>,
    pub(crate) lookups: &'a [Lookup<P::Base>],
    /// Row by row.
    pub(crate) main: &'a [P::Base],
    pub(crate) publics: &'a [P::Base],
    pub(crate) log_height: usize,
    /// The base-2 logarithm of the number of the quotient's chunks.
    pub(crate) log_chunks: usize,
}

impl<P: StarkField> Prepared<P> {
    /// Extends and commits to the preprocessed columns of tables, which are row by row in their AIRs.
    ///
    /// No quotient may have more than `2^max_log_chunks` chunks.
    pub(crate) fn new(
        parameters: &Parameters,
        airs: &[RecordedAir<P::Base>],
        max_log_chunks: usize,
    ) -> Self {
        let hash = P::tree_hash(parameters.cap_height);
        let matrices: Vec<_> = airs
            .iter()
            .filter_map(|air| air.fixed())
            .map(|fixed| {
                let log_height = log2_strict_usize(fixed.values.len() / fixed.width);
                let twiddles = Twiddles::new(log_height, parameters.log_blowup, max_log_chunks);
                let pool = Pool::default();
                extend_rows(&fixed.values, fixed.width, &twiddles, max_log_chunks, &pool)
            })
            .collect();
        let fixed = (!matrices.is_empty()).then(|| Committed::new(&hash, matrices));
        let (rules, messages, pool) = (Vec::new(), Vec::new(), Pool::default());
        Self { parameters: *parameters, hash, fixed, rules, messages, pool }
    }

    /// The commitment to the preprocessed columns.
    pub(crate) fn commitment(&self) -> Option<Commitment<P>> {
        self.fixed.as_ref().map(|fixed| self.hash.commitment(fixed.tree.cap()))
    }

    /// Compiles the rules and the lookup columns of each table.
    pub(crate) fn compile<L: AsRef<[Lookup<P::Base>]>>(
        &mut self,
        chips: &[Chip],
        lookups: &[L],
    ) -> Result<(), String> {
        let rules = chips.iter().map(|chip| Tape::short_rules(chip, P::Base::from_u64));
        self.rules = rules.collect();
        let messages = lookups.iter().map(|lookups| Messages::new(lookups.as_ref()));
        self.messages = messages.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Proves tables.
    pub(crate) fn prove(
        &self,
        stark: &Stark<P>,
        instances: &[Instance<'_, P>],
    ) -> Result<(BatchProof<Stark<P>>, Phases), String> {
        let mut phases = Phases::start();
        let mut challenger = Least(stark.initialise_challenger());
        let mut transcript = Transcript::<P>::new(&mut challenger, self.shape(instances));
        let made = self.run(instances, &mut transcript, &mut phases);
        match made {
            Ok(proof) => {
                transcript.finish();
                phases.end(Phase::Queries);
                Ok((proof, phases))
            }
            Err(error) => {
                transcript.abort();
                Err(error)
            }
        }
    }

    /// Plays the transcript.
    fn run(
        &self,
        instances: &[Instance<'_, P>],
        transcript: &mut Transcript<'_, P>,
        phases: &mut Phases,
    ) -> Result<BatchProof<Stark<P>>, String> {
        let degree_bits: Vec<usize> = instances.iter().map(|i| i.log_height).collect();
        transcript.instance_bindings(&degree_bits);
        let most_chunks = instances.iter().map(|i| i.log_chunks).max().unwrap_or(0);
        let twiddles = TwiddleSet::new(&degree_bits, self.parameters.log_blowup, most_chunks);
        // The quotient is evaluated on as many cosets as it has chunks, committed or not.
        let extended = |values: &[P::Base], i: &Instance<'_, P>| {
            let width = values.len() >> i.log_height;
            extend_rows(values, width, twiddles.get(i.log_height), i.log_chunks, &self.pool)
        };
        let main = instances.iter().map(|i| extended(i.main, i)).collect();
        phases.end(Phase::Extension);
        let main = Committed::new(&self.hash, main);
        phases.end(Phase::Hashing);
        let main_commitment = self.hash.commitment(main.tree.cap());
        let publics: Vec<&[P::Base]> = instances.iter().map(|i| i.publics).collect();
        transcript.main_phase(main_commitment.clone(), &publics);
        transcript.preprocessed_phase(self.commitment());

        let lookups: Vec<&[Lookup<P::Base>]> = instances.iter().map(|i| i.lookups).collect();
        let (challenges, lookup_pow_witness) =
            transcript.lookup_phase(&lookups, &LogUpGadget::new());
        phases.end(Phase::Grinding);
        let challenges = self.challenges(&lookups, &challenges);
        let (columns, terminals) = self.lookup_columns(instances, &challenges)?;
        phases.end(Phase::Lookups);
        let with_lookups = instances.iter().filter(|i| !i.lookups.is_empty());
        let columns: Vec<_> =
            columns.iter().zip(with_lookups).map(|(values, i)| extended(values, i)).collect();
        phases.end(Phase::Extension);
        let lookup = (!columns.is_empty()).then(|| Committed::new(&self.hash, columns));
        phases.end(Phase::Hashing);
        let lookup_commitment =
            lookup.as_ref().map(|lookup| self.hash.commitment(lookup.tree.cap()));
        let sums: Vec<P::Ext> = terminals.iter().flatten().map(|terminal| terminal.0).collect();
        let alpha = transcript.permutation_phase(lookup_commitment.clone(), &sums);

        let quotients =
            self.quotients(instances, &main, lookup.as_ref(), &challenges, &terminals, alpha);
        phases.end(Phase::Quotient);
        let chunks = instances
            .iter()
            .zip(&quotients)
            .map(|(i, values)| extend_chunks(values, i, twiddles.get(i.log_height), &self.pool))
            .collect();
        phases.end(Phase::Extension);
        let mut quotient = Committed::new(&self.hash, chunks);
        quotient.parts =
            instances.iter().map(|i| vec![P::Ext::DIMENSION; 1 << i.log_chunks]).collect();
        phases.end(Phase::Hashing);
        let quotient_commitment = self.hash.commitment(quotient.tree.cap());
        transcript.quotient_phase(quotient_commitment.clone(), None);
        let (zeta, ood_pow_witness) = transcript.ood_phase();
        phases.end(Phase::Grinding);

        let rounds = self.rounds(instances, &main, &quotient, lookup.as_ref(), zeta);
        let parameters = P::fri(&self.parameters);
        let (opened, opening_proof) = transcript
            .delegate(|challenger| {
                opening::open::<P>(
                    &rounds,
                    &parameters,
                    &self.hash,
                    challenger,
                    &twiddles,
                    &self.pool,
                    phases,
                )
            })
            .map_err(|error| error.to_string())?;
        drop(rounds);
        for committed in [Some(main), Some(quotient), lookup].into_iter().flatten() {
            self.pool.give(committed.matrices.into_iter().flat_map(Tiles::into_slabs));
        }
        Ok(BatchProof {
            commitments: BatchCommitments {
                main: main_commitment,
                permutation: lookup_commitment,
                quotient_chunks: quotient_commitment,
                random: None,
            },
            opened_values: self.opened_values(instances, opened),
            opening_proof,
            lookup_terminals: terminals,
            degree_bits,
            lookup_pow_witness,
            ood_pow_witness,
        })
    }

    /// The numbers that fix the transcript.
    fn shape(&self, instances: &[Instance<'_, P>]) -> BatchShape {
        BatchShape {
            trace_widths: instances.iter().map(|i| i.air.width()).collect(),
            public_value_counts: instances.iter().map(|i| i.publics.len()).collect(),
            preprocessed_widths: instances
                .iter()
                .map(|i| i.air.fixed().map_or(0, |fixed| fixed.width))
                .collect(),
            has_preprocessed_commitment: self.fixed.is_some(),
            num_lookup_instances: instances.iter().filter(|i| !i.lookups.is_empty()).count(),
            lookup_pow_bits: self.parameters.grinding.lookup,
            has_randomization_commitment: false,
            ood_pow_bits: self.parameters.grinding.out_of_domain,
        }
    }

    /// The challenges of each table's lookups, from a pair for each lookup: the first tells its bus apart, the
    /// second, which combines the elements of messages, is common to all.
    fn challenges(
        &self,
        lookups: &[&[Lookup<P::Base>]],
        challenges: &[Vec<P::Ext>],
    ) -> Vec<Challenges<P::Base, P::Ext>> {
        let beta = challenges.iter().find_map(|of| of.get(1).copied()).unwrap_or_default();
        let messages = lookups.iter().copied().flatten().flat_map(|lookup| &lookup.elements);
        let longest = messages.map(Vec::len).max().unwrap_or(0);
        let powers = beta.powers().collect_n(longest.max(1));
        let of_table = |(messages, challenges): (&Messages<P::Base>, &Vec<P::Ext>)| {
            let prefixes: Vec<P::Ext> = challenges.iter().copied().step_by(2).collect();
            messages.challenges(&prefixes, &powers)
        };
        self.messages.iter().zip(challenges).map(of_table).collect()
    }

    /// The lookup columns of the tables that have some, row by row, and the terminal of every table.
    #[expect(clippy::type_complexity, reason = "two lists that are taken apart at once")]
    fn lookup_columns(
        &self,
        instances: &[Instance<'_, P>],
        challenges: &[Challenges<P::Base, P::Ext>],
    ) -> Result<(Vec<Vec<P::Base>>, Vec<Option<LookupTerminal<P::Ext>>>), String> {
        let (mut columns, mut terminals) = (Vec::new(), Vec::new());
        for ((instance, messages), challenges) in
            instances.iter().zip(&self.messages).zip(challenges)
        {
            if instance.lookups.is_empty() {
                terminals.push(None);
                continue;
            }
            let (values, terminal) = lookup::columns(messages, &instance.rows(), challenges)
                .map_err(|error| error.to_string())?;
            columns.push(values);
            terminals.push(Some(LookupTerminal(terminal)));
        }
        Ok((columns, terminals))
    }

    /// The quotients' values, block by block in bit-reversed order.
    fn quotients(
        &self,
        instances: &[Instance<'_, P>],
        main: &CommittedOver<P>,
        lookup: Option<&CommittedOver<P>>,
        challenges: &[Challenges<P::Base, P::Ext>],
        terminals: &[Option<LookupTerminal<P::Ext>>],
        alpha: P::Ext,
    ) -> Vec<Vec<PackedExt<P>>> {
        let mut fixed_tiles = self.fixed.iter().flat_map(|fixed| &fixed.matrices);
        let mut lookup_tiles = lookup.into_iter().flat_map(|lookup| &lookup.matrices);
        let mut quotients = Vec::with_capacity(instances.len());
        for (index, instance) in instances.iter().enumerate() {
            let fixed = if instance.air.fixed().is_some() { fixed_tiles.next() } else { None };
            let lookup = if instance.lookups.is_empty() { None } else { lookup_tiles.next() };
            let constraints = Constraints {
                rules: &self.rules[index],
                messages: &self.messages[index],
                main: &main.matrices[index],
                fixed,
                lookup,
                periodic: instance.air.periodic(),
                publics: instance.publics,
                challenges: &challenges[index],
                terminal: terminals[index].as_ref().map_or(P::Ext::ZERO, |terminal| terminal.0),
                alpha,
                log_height: instance.log_height,
                log_chunks: instance.log_chunks,
            };
            quotients.push(constraints.quotient());
        }
        quotients
    }

    /// What is opened where: the order is that of Plonky3.
    fn rounds<'a>(
        &'a self,
        instances: &[Instance<'_, P>],
        main: &'a CommittedOver<P>,
        quotient: &'a CommittedOver<P>,
        lookup: Option<&'a CommittedOver<P>>,
        zeta: P::Ext,
    ) -> Vec<Round<'a, P>> {
        let points = |i: &Instance<'_, P>, next: bool| {
            let next = next.then(|| zeta * P::Base::two_adic_generator(i.log_height));
            std::iter::once(zeta).chain(next).collect()
        };
        let of_main = |i| points(i, !i.air.main_next_row_columns().is_empty());
        let of_fixed = |i| points(i, !i.air.preprocessed_next_row_columns().is_empty());
        let mut rounds = vec![
            Round { committed: main, points: instances.iter().map(of_main).collect() },
            Round {
                committed: quotient,
                points: instances.iter().map(|i| points(i, false)).collect(),
            },
        ];
        if let Some(committed) = &self.fixed {
            let with_fixed = instances.iter().filter(|i| i.air.fixed().is_some());
            rounds.push(Round { committed, points: with_fixed.map(of_fixed).collect() });
        }
        if let Some(committed) = lookup {
            let with_lookups = instances.iter().filter(|i| !i.lookups.is_empty());
            let points = with_lookups.map(|i| points(i, true)).collect();
            rounds.push(Round { committed, points });
        }
        rounds
    }

    /// The opened values by table, from those by commitment in the order of [`Self::rounds`].
    fn opened_values(
        &self,
        instances: &[Instance<'_, P>],
        opened: p3_commit::OpenedValues<P::Ext>,
    ) -> BatchOpenedValues<P::Ext> {
        let mut opened = opened.into_iter();
        let mut round = || opened.next().unwrap_or_default().into_iter();
        let (mut of_main, mut of_quotient) = (round(), round());
        let mut of_fixed = if self.fixed.is_some() { round() } else { Vec::new().into_iter() };
        let mut of_lookup = round();
        let instances = instances
            .iter()
            .map(|instance| {
                let mut main = of_main.next().unwrap_or_default().into_iter();
                let chunks = of_quotient.by_ref().take(1 << instance.log_chunks);
                let fixed = if instance.air.fixed().is_some() { of_fixed.next() } else { None };
                let lookup = if instance.lookups.is_empty() { None } else { of_lookup.next() };
                let mut fixed = fixed.map(Vec::into_iter);
                let mut lookup = lookup.unwrap_or_default().into_iter();
                OpenedValuesWithLookups {
                    base_opened_values: OpenedValues {
                        trace_local: main.next().unwrap_or_default(),
                        trace_next: main.next(),
                        preprocessed: fixed.as_mut().map(|fixed| PreprocessedOpenedValues {
                            local: fixed.next().unwrap_or_default(),
                            next: fixed.next(),
                        }),
                        quotient_chunks: chunks.flatten().collect(),
                        random: None,
                    },
                    permutation_local: lookup.next().unwrap_or_default(),
                    permutation_next: lookup.next().unwrap_or_default(),
                }
            })
            .collect();
        BatchOpenedValues { instances }
    }
}

impl<P: StarkField> Instance<'_, P> {
    fn rows(&self) -> Rows<'_, P::Base> {
        let fixed = self.air.fixed();
        Rows {
            main: self.main,
            width: self.air.width(),
            fixed: fixed.map_or(&[], |fixed| &fixed.values),
            fixed_width: fixed.map_or(0, |fixed| fixed.width),
            periodic: self.air.periodic(),
            publics: self.publics,
            height: 1 << self.log_height,
        }
    }
}

/// Extends the chunks of a quotient: the columns are the coordinates of the first chunk, of the second, …
///
/// Chunk `c` is the quotient's values on the coset `g·ωᶜ·H` of the trace domain `H`, a contiguous range
/// in bit-reversed order.
fn extend_chunks<P: StarkField>(
    values: &[PackedExt<P>],
    instance: &Instance<'_, P>,
    twiddles: &Twiddles<P::Base>,
    pool: &Pool<Packing<P>>,
) -> Tiles<P::Base> {
    let lanes = lanes::<P::Base>();
    let Instance { log_height, log_chunks, .. } = *instance;
    let degree = P::Ext::DIMENSION;
    let height = 1 << log_height;
    let width = degree << log_chunks;
    let unshift = P::Base::GENERATOR.inverse();
    let root = P::Base::two_adic_generator(log_height + log_chunks).inverse();
    extend(width, twiddles, 0, pool, |slab, coefficients| {
        let column = |lane: usize| slab * lanes + lane;
        coefficients.extend((0..height).map(|row| {
            Packing::<P>::from_fn(|lane| {
                let (chunk, coordinate) = (column(lane) / degree, column(lane) % degree);
                if chunk >> log_chunks > 0 {
                    return P::Base::ZERO;
                }
                let position = p3_util::reverse_bits_len(chunk, log_chunks) * height + row;
                let value = values[position / lanes].as_basis_coefficients_slice();
                value[coordinate].as_slice()[position % lanes]
            })
        }));
        interpolate(coefficients, twiddles.inverse());
        let ratios =
            Packing::<P>::from_fn(|lane| unshift * root.exp_u64((column(lane) / degree) as u64));
        let mut scale = Packing::<P>::from(P::Base::ONE.div_2exp_u64(log_height as u64));
        for coefficient in coefficients {
            *coefficient *= scale;
            scale *= ratios;
        }
    })
}
