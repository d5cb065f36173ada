//! Provers that lie at one step, and are honest about all that follows from it.
//!
//! An alteration of a finished proof changes the challenges after it, so nearly everything fails. Here Plonky3's own
//! prover makes the proof, over a transcript and a commitment scheme that deviate where a [`Deceit`] says so: the
//! proof is what a dishonest prover would send, and only one check stands against it.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chipwright_backend_stark::air::RecordedAir;
use chipwright_backend_stark::config::{Challenger, FriMmcs, Stark, StarkField};
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::FieldPair;
use chipwright_ir::circuit::Inputs;
use chipwright_recursion::batch::CapTree;
use p3_batch_stark::common::{GlobalPreprocessed, ProverOnlyData};
use p3_batch_stark::{BatchProof, CommonData, ProverData, StarkInstance, prove_batch};
use p3_challenger::{CanObserve, CanSample, CanSampleBits, FieldChallenger, GrindingChallenger};
use p3_commit::{CommitmentOpening, Mmcs, OpenedValues, OpeningRequest, Pcs, UnivariateStarkPcs};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_fri::prover::prove_fri;
use p3_fri::{
    BatchMultiOpening, FriFoldingStrategy, FriParameters, PcsProverTranscript, PcsShape,
    TwoAdicFriFoldingForMmcs,
};
use p3_goldilocks::Goldilocks;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::MerkleCap;
use p3_uni_stark::{StarkConfig, StarkGenericConfig};
use p3_util::{log2_strict_usize, reverse_bits_len};

use crate::forging::{Ext, P};
use crate::scene::Scene;

type Hash = <P as StarkField>::Mmcs;
type Honest = <Stark<P> as StarkGenericConfig>::Pcs;
type Dishonest = StarkConfig<Openings, Ext, Transcript>;
/// The degree of the extension.
const DEGREE: usize = <P as FieldPair>::FIELD.degree();

type Opening<'a> = OpeningRequest<'a, <Honest as Pcs<Ext, Transcript>>::ProverData, Ext>;

/// Alters opened values: by commitment, matrix, point and column.
pub(crate) type Claim = Arc<dyn Fn(&mut OpenedValues<Ext>) + Send + Sync>;

/// Where a prover deviates.
#[derive(Clone, Default)]
pub(crate) struct Deceit {
    /// The proof of work, by its number in the transcript, whose witness is none.
    pub(crate) lazy: Option<usize>,
    /// The first element that the transcript observes as another one. It may be observed again: what the prover says
    /// later may be the same.
    pub(crate) observed: Option<(Goldilocks, Goldilocks)>,
    /// A sample, by its number among the base elements that challenges are made of, that is taken to be another one.
    pub(crate) sampled: Option<(usize, Goldilocks)>,
    /// What is said of the values at the out-of-domain point, once they are known; the polynomials are the committed ones.
    pub(crate) opened: Option<Claim>,
    /// The polynomial that the openings of one height reduce to, by its number from the tallest: another one of its
    /// degree enters the low-degree test.
    pub(crate) reduced: Option<usize>,
    /// The folding round after which the polynomial is another one of its degree.
    pub(crate) folded: Option<usize>,
}

/// The polynomials of the folding rounds, each by coset and place.
type Codewords = Vec<Vec<Vec<Ext>>>;

/// A proof by a prover that deviates.
pub(crate) struct Deception {
    pub(crate) proof: Proof<P>,
    /// The sample that is taken to be another one.
    pub(crate) unheeded: Option<Goldilocks>,
    codewords: Codewords,
}

impl Deception {
    /// What a run of the scene's circuit needs to verify the proof.
    ///
    /// The evaluation at a query's own place is not in a proof: who verifies it knows what it has to be. What the
    /// prover committed to may be something else, and only that has a path.
    pub(crate) fn inputs(&self, scene: &Scene<P>, sum: u64) -> Inputs {
        let mut inputs = scene.inputs(&self.proof, sum).expect("the proof has the shape");
        for piece in &mut inputs.data {
            for coset in self.codewords.iter().flatten() {
                let committed =
                    coset.iter().flat_map(BasedVectorSpace::as_basis_coefficients_slice);
                let committed: Vec<u64> =
                    committed.map(|x: &Goldilocks| x.as_canonical_u64()).collect();
                let Some(leaf) = piece.get_mut(..committed.len()) else { continue };
                let others = leaf.chunks(DEGREE).zip(committed.chunks(DEGREE));
                if others.filter(|(here, there)| here != there).count() == 1 {
                    leaf.copy_from_slice(&committed);
                }
            }
        }
        inputs
    }
}

/// The proof of the honest tables of a scene by a prover that deviates.
pub(crate) fn deceive(scene: &Scene<P>, deceit: &Deceit) -> Deception {
    let key = scene.key();
    let parameters = key.config().parameters;
    let challenger = P::challenger();
    let unheeded = Arc::<Mutex<_>>::default();
    let mut transcript = Transcript {
        challenger,
        deceit: deceit.clone(),
        works: 0,
        samples: 0,
        unheeded: Arc::clone(&unheeded),
    };
    transcript.observe_slice(&P::seed_elements(key.digest()));
    let openings = Openings {
        honest: key.stark().pcs().clone(),
        hash: P::mmcs(parameters.cap_height),
        fri: P::fri(&parameters),
        deceit: deceit.clone(),
        codewords: Arc::default(),
    };
    let codewords = Arc::clone(&openings.codewords);
    let stark = Dishonest::new(openings, transcript)
        .with_lookup_proof_of_work_bits(parameters.grinding.lookup)
        .with_ood_proof_of_work_bits(parameters.grinding.out_of_domain);

    let witness = scene.prover.witness(&Scene::<P>::inputs_below(), None).expect("honest inputs");
    let trace = scene.prover.trace(&witness).expect("the tables are filled");
    let mut contents = Vec::new();
    let mut airs = Vec::new();
    for (chip, table) in scene.prover.machine().chips.iter().zip(&trace.tables) {
        let columns = chip.fixed.as_ref().map_or(&[][..], |fixed| &fixed.columns);
        let cell = |row: usize, column: &Vec<u64>| column.get(row).copied().unwrap_or(0);
        let rows = (0..table.height).flat_map(|row| columns.iter().map(move |c| cell(row, c)));
        let values: Vec<Goldilocks> = rows.map(Goldilocks::from_u64).collect();
        let mut air = RecordedAir::new(chip);
        if !columns.is_empty() {
            let fixed = RowMajorMatrix::new(values, columns.len());
            let domain = Pcs::<Ext, Transcript>::natural_domain_for_degree(
                &stark.pcs().honest,
                table.height,
            );
            contents.push((domain, fixed.clone()));
            air = air.with_fixed(fixed);
        }
        airs.push(air);
    }
    let (commitment, data) = stark.pcs().commit(contents).expect("the columns are committed to");
    let fixed = key.common().preprocessed.as_ref().expect("there are fixed columns");
    assert!(fixed.commitment == commitment, "the columns are those of the key");
    let preprocessed = GlobalPreprocessed {
        commitment,
        instances: fixed.instances.clone(),
        matrix_to_instance: fixed.matrix_to_instance.clone(),
    };
    let data = ProverData {
        common: CommonData::new(Some(preprocessed), key.common().lookups.clone()),
        prover_only: ProverOnlyData { preprocessed_prover_data: Some(data) },
    };
    let matrices: Vec<_> =
        trace.tables.into_iter().map(|t| RowMajorMatrix::new(t.values, t.width)).collect();
    let instances: Vec<StarkInstance<'_, Dishonest, _>> = airs
        .iter()
        .zip(&matrices)
        .zip(trace.publics)
        .map(|((air, trace), public_values)| StarkInstance { air, trace, public_values })
        .collect();
    let batch = prove_batch(&stark, &instances, &data).expect("the tables have the right shape");
    let mut proof = scene.prover.prove(&Scene::<P>::inputs_below()).expect("the inputs are honest");
    *proof.batch_mut() = BatchProof {
        commitments: batch.commitments,
        opened_values: batch.opened_values,
        opening_proof: batch.opening_proof,
        lookup_terminals: batch.lookup_terminals,
        degree_bits: batch.degree_bits,
        lookup_pow_witness: batch.lookup_pow_witness,
        ood_pow_witness: batch.ood_pow_witness,
    };
    let codewords = std::mem::take(&mut *codewords.lock().expect("the prover is done"));
    let unheeded = unheeded.lock().expect("the prover is done").take();
    Deception { proof, unheeded, codewords }
}

/// A transcript that does not work, or observes or samples something else.
#[derive(Clone)]
struct Transcript {
    challenger: Challenger<P>,
    deceit: Deceit,
    /// How many proofs of work were made.
    works: usize,
    /// How many base elements were sampled for challenges.
    samples: usize,
    /// The sample that is taken to be another one.
    unheeded: Arc<Mutex<Option<Goldilocks>>>,
}

impl CanObserve<Goldilocks> for Transcript {
    fn observe(&mut self, value: Goldilocks) {
        let other = self.deceit.observed.take_if(|(honest, _)| *honest == value);
        self.challenger.observe(other.map_or(value, |(_, other)| other));
    }
}

impl CanObserve<MerkleCap<Goldilocks, [Goldilocks; 4]>> for Transcript {
    fn observe(&mut self, cap: MerkleCap<Goldilocks, [Goldilocks; 4]>) {
        self.observe_slice(&Hash::elements(&cap));
    }
}

impl<E: BasedVectorSpace<Goldilocks>> CanSample<E> for Transcript {
    fn sample(&mut self) -> E {
        E::from_basis_coefficients_fn(|_| {
            let sample: Goldilocks = self.challenger.sample();
            self.samples += 1;
            match self.deceit.sampled {
                Some((number, other)) if number + 1 == self.samples => {
                    *self.unheeded.lock().expect("nobody else samples") = Some(sample);
                    other
                }
                _ => sample,
            }
        })
    }
}

impl CanSampleBits<usize> for Transcript {
    fn sample_bits(&mut self, bits: usize) -> usize {
        self.challenger.sample_bits(bits)
    }
}

impl FieldChallenger<Goldilocks> for Transcript {}

impl GrindingChallenger for Transcript {
    type Witness = Goldilocks;

    fn grind(&mut self, bits: usize) -> Goldilocks {
        let lazy = self.deceit.lazy == Some(self.works);
        self.works += 1;
        let works = |witness: &Goldilocks| self.challenger.clone().check_witness(bits, *witness);
        let witness = (0..1 << 32).map(Goldilocks::from_u64).find(|witness| works(witness) != lazy);
        let witness = witness.expect("one of 2^bits works");
        assert_eq!(self.check_witness(bits, witness), !lazy);
        witness
    }
}

/// A commitment scheme that opens something else than it committed to.
#[derive(Clone)]
struct Openings {
    honest: Honest,
    hash: Hash,
    fri: FriParameters<FriMmcs<P>>,
    deceit: Deceit,
    /// What was committed to, for whoever asks.
    codewords: Arc<Mutex<Codewords>>,
}

impl Openings {
    /// The polynomials that the openings of each height reduce to, on the domain of that height, the tallest first.
    ///
    /// Source: `p3-fri`, `TwoAdicFriPcs::open`.
    fn reduced(
        &self,
        requests: &[Opening<'_>],
        opened: &OpenedValues<Ext>,
        alpha: Ext,
    ) -> Vec<Vec<Ext>> {
        let mut reduced: BTreeMap<Reverse<usize>, (Ext, Vec<Ext>)> = BTreeMap::new();
        for (request, opened) in requests.iter().zip(opened) {
            let matrices = self.hash.get_matrices(request.prover_data);
            for ((matrix, points), opened) in matrices.iter().zip(&request.points).zip(opened) {
                let log_height = log2_strict_usize(matrix.height());
                let generator = Goldilocks::two_adic_generator(log_height);
                let (power, sums) = reduced
                    .entry(Reverse(log_height))
                    .or_insert_with(|| (Ext::ONE, Ext::zero_vec(matrix.height())));
                for (&point, values) in points.iter().zip(opened) {
                    for (row, sum) in sums.iter_mut().enumerate() {
                        let exponent = reverse_bits_len(row, log_height) as u64;
                        let x = Goldilocks::GENERATOR * generator.exp_u64(exponent);
                        let cells = matrix.row_slice(row).expect("the row is there");
                        let terms = values.iter().zip(cells.iter()).zip(alpha.powers());
                        let terms = terms.map(|((&value, &cell), power)| power * (value - cell));
                        *sum += *power * terms.sum::<Ext>() * (point - x).inverse();
                    }
                    *power *= alpha.exp_u64(values.len() as u64);
                }
            }
        }
        reduced.into_values().map(|(_, sums)| sums).collect()
    }
}

impl Pcs<Ext, Transcript> for Openings {
    type Domain = <Honest as Pcs<Ext, Transcript>>::Domain;
    type Commitment = <Honest as Pcs<Ext, Transcript>>::Commitment;
    type ProverData = <Honest as Pcs<Ext, Transcript>>::ProverData;
    type Proof = <Honest as Pcs<Ext, Transcript>>::Proof;
    type Error = <Honest as Pcs<Ext, Transcript>>::Error;
    type ProverError = <Honest as Pcs<Ext, Transcript>>::ProverError;

    fn natural_domain_for_degree(&self, degree: usize) -> Self::Domain {
        Pcs::<Ext, Transcript>::natural_domain_for_degree(&self.honest, degree)
    }

    fn commit(
        &self,
        evaluations: impl IntoIterator<Item = (Self::Domain, RowMajorMatrix<Goldilocks>)>,
    ) -> Result<(Self::Commitment, Self::ProverData), Self::ProverError> {
        Pcs::<Ext, Transcript>::commit(&self.honest, evaluations)
    }

    fn open(
        &self,
        requests: Vec<Opening<'_>>,
        challenger: &mut Transcript,
    ) -> Result<(OpenedValues<Ext>, Self::Proof), Self::ProverError> {
        let (honest, _) = self.honest.open(requests.clone(), &mut challenger.clone())?;
        let mut opened = honest.clone();
        if let Some(alter) = &self.deceit.opened {
            alter(&mut opened);
        }
        let shape = PcsShape::from_opened_values(&self.fri, &opened);
        let mut transcript =
            PcsProverTranscript::<Transcript, Goldilocks, Ext>::new(challenger, shape);
        transcript.claimed_openings(&opened);
        let (alpha, work) = transcript.batch_phase();
        let mut reduced = self.reduced(&requests, &honest, alpha);
        if let Some(number) = self.deceit.reduced {
            reduced[number].iter_mut().for_each(|value| *value += Ext::ONE);
        }
        let log_height = log2_strict_usize(reduced[0].len());
        let folding = Folding {
            honest: p3_fri::TwoAdicFriFolding(std::marker::PhantomData),
            codewords: RefCell::default(),
            wrong: self.deceit.folded,
        };
        let work = work.unwrap_or_default();
        let proof = transcript.delegate(|challenger| {
            prove_fri(
                &folding, &self.fri, reduced, challenger, log_height, &requests, &self.hash, work,
            )
        })?;
        transcript.finish();
        *self.codewords.lock().expect("nobody else proves") = folding.codewords.into_inner();
        Ok((opened, proof))
    }

    fn verify(
        &self,
        claims: Vec<CommitmentOpening<Ext, Self::Commitment, Self::Domain>>,
        proof: &Self::Proof,
        challenger: &mut Transcript,
    ) -> Result<(), Self::Error> {
        self.honest.verify(claims, proof, challenger)
    }
}

impl UnivariateStarkPcs<Ext, Transcript> for Openings {
    type EvaluationsOnDomain<'a> =
        <Honest as UnivariateStarkPcs<Ext, Transcript>>::EvaluationsOnDomain<'a>;

    const ZK: bool = <Honest as UnivariateStarkPcs<Ext, Transcript>>::ZK;

    fn log_max_trace_height(&self) -> usize {
        UnivariateStarkPcs::<Ext, Transcript>::log_max_trace_height(&self.honest)
    }

    fn log_min_trace_height(&self) -> usize {
        UnivariateStarkPcs::<Ext, Transcript>::log_min_trace_height(&self.honest)
    }

    fn get_quotient_ldes(
        &self,
        evaluations: impl IntoIterator<Item = (Self::Domain, RowMajorMatrix<Goldilocks>)>,
        chunks: usize,
    ) -> Result<Vec<RowMajorMatrix<Goldilocks>>, Self::ProverError> {
        UnivariateStarkPcs::<Ext, Transcript>::get_quotient_ldes(&self.honest, evaluations, chunks)
    }

    fn commit_ldes(
        &self,
        ldes: Vec<RowMajorMatrix<Goldilocks>>,
    ) -> Result<(Self::Commitment, Self::ProverData), Self::ProverError> {
        UnivariateStarkPcs::<Ext, Transcript>::commit_ldes(&self.honest, ldes)
    }

    fn get_evaluations_on_domain<'a>(
        &self,
        data: &'a Self::ProverData,
        index: usize,
        domain: Self::Domain,
    ) -> Self::EvaluationsOnDomain<'a> {
        UnivariateStarkPcs::<Ext, Transcript>::get_evaluations_on_domain(
            &self.honest,
            data,
            index,
            domain,
        )
    }
}

/// Folds to another polynomial in one round.
struct Folding {
    honest: TwoAdicFriFoldingForMmcs<Goldilocks, Hash>,
    /// What was folded.
    codewords: RefCell<Codewords>,
    wrong: Option<usize>,
}

impl FriFoldingStrategy<Goldilocks, Ext> for Folding {
    type InputProof = Vec<BatchMultiOpening<Goldilocks, Hash>>;
    type InputError = <Hash as Mmcs<Goldilocks>>::Error;

    fn extra_query_index_bits(&self) -> usize {
        FriFoldingStrategy::<Goldilocks, Ext>::extra_query_index_bits(&self.honest)
    }

    fn fold_row(
        &self,
        index: usize,
        log_height: usize,
        log_arity: usize,
        beta: Ext,
        evaluations: impl Iterator<Item = Ext>,
    ) -> Ext {
        FriFoldingStrategy::<Goldilocks, Ext>::fold_row(
            &self.honest,
            index,
            log_height,
            log_arity,
            beta,
            evaluations,
        )
    }

    fn fold_matrix<M: Matrix<Ext>>(&self, beta: Ext, log_arity: usize, matrix: M) -> Vec<Ext> {
        let cosets = matrix.rows().map(Iterator::collect).collect();
        self.codewords.borrow_mut().push(cosets);
        let round = self.codewords.borrow().len() - 1;
        let mut folded = FriFoldingStrategy::<Goldilocks, Ext>::fold_matrix(
            &self.honest,
            beta,
            log_arity,
            matrix,
        );
        if self.wrong == Some(round) {
            folded.iter_mut().for_each(|value| *value += Ext::ONE);
        }
        folded
    }
}
