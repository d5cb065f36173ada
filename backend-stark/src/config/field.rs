//! The types of the proof system over each field: one instance of everything generic.

use std::fmt::Debug;

use chipwright_ir::FieldPair;
use p3_air::symbolic::{
    ConstraintLayout, SymbolicExpr, SymbolicExpression, SymbolicExpressionExt,
    constraint_degree_from_poly_degree,
};
use p3_batch_stark::{BatchProof, CommonData};
#[cfg(feature = "reference")]
use p3_batch_stark::{ProverData, StarkInstance};
use p3_challenger::{CanObserve, CanSample, FieldChallenger, GrindingChallenger};
use p3_commit::{ExtensionMmcs, Mmcs};
use p3_dft::Radix2DitParallel;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{PackedFieldPow2, PrimeCharacteristicRing, TwoAdicField};
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_lookup::{LogUpGadget, Lookup, Lookups};
use p3_uni_stark::StarkConfig;
use p3_util::log2_ceil_usize;

use super::{Config, Parameters};
use crate::air::RecordedAir;
use crate::compiled::Compiled;
use crate::prover::{Candidates, Instance, Phases, Prepared, TreeHash};
use crate::verifier::VerifierAir;

/// The constraints of a table: those over the base field, those over the extension, and the order that
/// both have together.
#[derive(Debug)]
pub struct SymbolicConstraints<F, EF> {
    /// The constraints over the base field.
    pub base: Vec<SymbolicExpression<F>>,
    /// The constraints over the extension: those of the lookups.
    pub extension: Vec<SymbolicExpressionExt<F, EF>>,
    /// The places of both among all constraints.
    pub order: ConstraintLayout,
}

/// The constraints of a table: those over the base field, and those over the extension.
pub type Expressions<F, EF> = (Vec<SymbolicExpression<F>>, Vec<SymbolicExpressionExt<F, EF>>);

/// The sizes of a table's constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConstraintSizes {
    /// How many there are.
    pub count: usize,
    /// The highest degree, in multiples of the table's height.
    pub degree: usize,
    /// The base-2 logarithm of the number of chunks that the quotient is committed in.
    pub log_chunks: usize,
}

/// The number of elements of [`StarkField::seed_elements`].
pub const SEED: usize = 11;

/// A field pair with a hash, and so with a proof system.
///
/// The hash is Poseidon2 with the round constants of Plonky3, and as wide as four digests: a sponge whose rate is three
/// digests, without padding (the lengths of all rows are part of the statement), hashes leaves, and the first
/// digest of the permutation of four is their parent. Capacity and digests resist collisions up to
/// 2^[`COLLISION_BITS`](Self::COLLISION_BITS) work.
///
/// | base field | permutation | rate | digest |
/// |---|---|---|---|
/// | Goldilocks | 16 elements, degree 7 | 12 | 4 |
/// | KoalaBear | 32 elements, degree 3 | 24 | 8 |
pub trait StarkField: Compiled + FieldPair<Base: TwoAdicField<Packing: PackedFieldPow2>> {
    /// The tree hash.
    type Mmcs: Mmcs<
            Self::Base,
            MultiProof: Send + Sync,
            Error: Sync + Send + Debug,
            Commitment: Debug + PartialEq + Send + Sync,
            ProverData<p3_matrix::dense::RowMajorMatrix<Self::Base>>: Send + Sync,
        > + Send
        + Sync
        + 'static;
    /// The tree hash as this crate's own prover computes it.
    type TreeHash: TreeHash<
            Self::Base,
            Commitment = <Self::Mmcs as Mmcs<Self::Base>>::Commitment,
            MultiProof = <Self::Mmcs as Mmcs<Self::Base>>::MultiProof,
        >;
    /// The transcript.
    type Challenger: FieldChallenger<Self::Base>
        + CanSample<Self::Ext>
        + GrindingChallenger<Witness = Self::Base>
        + Candidates<Self::Base>
        + CanObserve<<Self::Mmcs as Mmcs<Self::Base>>::Commitment>
        + Clone
        + Send
        + Sync
        + 'static;

    /// The hash's collision resistance, in bits.
    const COLLISION_BITS: usize;
    /// The hash's name in reports.
    const HASH: &'static str;

    /// A tree hash that commits to layers `cap_height` below the root.
    fn mmcs(cap_height: usize) -> Self::Mmcs;
    /// The same tree hash for this crate's own prover.
    fn tree_hash(cap_height: usize) -> Self::TreeHash;
    /// A fresh transcript.
    fn challenger() -> Self::Challenger;

    /// The lookups of a table, one a message, and the degree up to which messages of one bus share a column.
    fn unpacked_lookups(
        air: &RecordedAir<Self::Base>,
        config: &Config,
    ) -> (Lookups<Self::Base>, usize);
    /// The setup of Plonky3's prover: `ProverData::from_airs_and_degrees`.
    ///
    /// # Errors
    ///
    /// Gives the reason why the commitment scheme refuses.
    #[cfg(feature = "reference")]
    fn prover_data(
        stark: &Stark<Self>,
        airs: &[RecordedAir<Self::Base>],
        log_heights: &[usize],
        config: &Config,
    ) -> Result<ProverData<Stark<Self>>, String>;
    /// The setup of this crate's own prover: compiled here, and not in the crates that use it.
    fn prepare(config: &Config, airs: &[RecordedAir<Self::Base>]) -> Prepared<Self>;
    /// This crate's own prover.
    ///
    /// # Errors
    ///
    /// Gives the reason why a lookup has no fraction, or the commitment scheme refuses.
    fn prove_prepared(
        prepared: &Prepared<Self>,
        stark: &Stark<Self>,
        instances: &[Instance<'_, Self>],
    ) -> Result<(BatchProof<Stark<Self>>, Phases), String>;
    /// The constraints of a table, lookups included, as expressions: those over the base field, and those over the extension.
    fn expressions(
        air: &RecordedAir<Self::Base>,
        lookups: &[Lookup<Self::Base>],
    ) -> Expressions<Self::Base, Self::Ext>;
    /// [`Self::expressions`], and the order in which they are combined.
    fn symbolic(
        air: &RecordedAir<Self::Base>,
        lookups: &[Lookup<Self::Base>],
    ) -> SymbolicConstraints<Self::Base, Self::Ext>;
    /// Plonky3's prover: `prove_batch`.
    ///
    /// # Errors
    ///
    /// Gives the reason why the commitment scheme refuses.
    #[cfg(feature = "reference")]
    fn prove(
        stark: &Stark<Self>,
        instances: &[StarkInstance<'_, Stark<Self>, RecordedAir<Self::Base>>],
        data: &ProverData<Stark<Self>>,
    ) -> Result<BatchProof<Stark<Self>>, String>;
    /// Plonky3's verifier: `verify_batch`.
    ///
    /// # Errors
    ///
    /// Gives the reason why the proof is rejected.
    fn verify(
        stark: &Stark<Self>,
        airs: &[VerifierAir<'_, Self::Base>],
        proof: &BatchProof<Stark<Self>>,
        publics: &[Vec<Self::Base>],
        common: &CommonData<Stark<Self>>,
    ) -> Result<(), String>;

    /// The lookups of a table, with messages of one bus in common columns.
    fn lookups(air: &RecordedAir<Self::Base>, config: &Config) -> Lookups<Self::Base> {
        let (lookups, degree) = Self::unpacked_lookups(air, config);
        lookups.pack_same_bus(&LogUpGadget::new(), degree)
    }

    /// The sizes of a table's constraints, lookups included. Periodic columns have a lower degree in a table whose height
    /// is known.
    fn sizes(
        air: &RecordedAir<Self::Base>,
        lookups: &[Lookup<Self::Base>],
        log_height: Option<usize>,
    ) -> ConstraintSizes {
        let (base, extension) = Self::expressions(air, lookups);
        let degrees = base.iter().map(SymbolicExpr::degree_multiple);
        let degrees: Vec<usize> =
            degrees.chain(extension.iter().map(SymbolicExpr::degree_multiple)).collect();
        let (count, degree) = (degrees.len(), degrees.iter().copied().max().unwrap_or(0));
        let log_chunks = |degree: usize| log2_ceil_usize(degree.max(2) - 1);
        let periods: Vec<usize> = air.periodic().iter().map(Vec::len).collect();
        let Some(log_height) = log_height.filter(|_| !periods.is_empty()) else {
            return ConstraintSizes { count, degree, log_chunks: log_chunks(degree) };
        };
        let height = 1 << log_height;
        let exact = |index: usize| match index.checked_sub(base.len()) {
            Some(index) => extension[index].poly_degree(height, &periods),
            None => base[index].poly_degree(height, &periods),
        };
        // A polynomial's degree is at most what its multiple says, so those of high degree decide.
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(degrees[index]));
        let mut most = 0;
        for index in order {
            if log_chunks(degrees[index]) <= most {
                break;
            }
            let degree = constraint_degree_from_poly_degree(exact(index), height);
            most = most.max(log_chunks(degree));
        }
        ConstraintSizes { count, degree, log_chunks: most }
    }

    /// The proof system, with a transcript that begins with `seed`: 32 bytes that name the statement.
    fn stark(parameters: &Parameters, seed: &[u8; 32]) -> Stark<Self> {
        let mmcs = Self::mmcs(parameters.cap_height);
        let grinding = parameters.grinding;
        let fri = Self::fri(parameters);
        let mut challenger = Self::challenger();
        challenger.observe_slice(&Self::seed_elements(seed));
        StarkConfig::new(TwoAdicFriPcs::new(Radix2DitParallel::default(), mmcs, fri), challenger)
            .with_lookup_proof_of_work_bits(grinding.lookup)
            .with_ood_proof_of_work_bits(grinding.out_of_domain)
    }

    /// The elements that a transcript begins with, made of the 32 bytes that name the statement: three bytes an
    /// element, so that no two seeds give the same elements in any field of at least 24 bits.
    fn seed_elements(seed: &[u8; 32]) -> [Self::Base; SEED] {
        let mut bytes = seed.chunks(3);
        std::array::from_fn(|_| {
            let chunk = bytes.next().unwrap_or_default().iter();
            Self::Base::from_u64(chunk.fold(0, |value, &byte| value << 8 | u64::from(byte)))
        })
    }

    /// The parameters of the low-degree test.
    fn fri(parameters: &Parameters) -> FriParameters<FriMmcs<Self>> {
        FriParameters {
            log_blowup: parameters.log_blowup,
            log_final_poly_len: parameters.log_final_poly_len,
            max_log_arity: parameters.max_log_arity,
            num_queries: parameters.queries,
            batch_proof_of_work_bits: parameters.grinding.batch,
            commit_proof_of_work_bits: parameters.grinding.fold,
            query_proof_of_work_bits: parameters.grinding.query,
            mmcs: ExtensionMmcs::new(Self::mmcs(parameters.cap_height)),
        }
    }

    /// The base-2 logarithm of the largest domain.
    fn max_log_domain() -> usize {
        Self::Base::TWO_ADICITY
    }
}

type Pcs<P> = TwoAdicFriPcs<
    <P as FieldPair>::Base,
    Radix2DitParallel<<P as FieldPair>::Base>,
    <P as StarkField>::Mmcs,
    FriMmcs<P>,
>;

/// The tree hash of the low-degree test, whose leaves are extension elements.
pub type FriMmcs<P> =
    ExtensionMmcs<<P as FieldPair>::Base, <P as FieldPair>::Ext, <P as StarkField>::Mmcs>;

/// The proof system over a field, as Plonky3 knows it.
pub type Stark<P> = StarkConfig<Pcs<P>, <P as FieldPair>::Ext, Challenger<P>>;

/// The transcript over a field.
pub type Challenger<P> = <P as StarkField>::Challenger;

/// The evaluation domains over a field.
pub type Domain<P> = TwoAdicMultiplicativeCoset<<P as FieldPair>::Base>;

/// Runs an expression with a type parameter bound to the [`StarkField`] of a field, or returns
/// [`ConfigError::UnsupportedField`](crate::config::ConfigError::UnsupportedField) from the function:
/// `with_stark_field!(field, P => prove::<P>(key))`.
#[macro_export]
macro_rules! with_stark_field {
    ($field:expr, $pair:ident => $body:expr) => {
        match $field {
            ::chipwright_ir::Field::Goldilocks2 => {
                type $pair = ::chipwright_ir::field::Goldilocks2;
                $body
            }
            ::chipwright_ir::Field::Goldilocks3 => {
                type $pair = ::chipwright_ir::field::Goldilocks3;
                $body
            }
            ::chipwright_ir::Field::KoalaBear4 => {
                type $pair = ::chipwright_ir::field::KoalaBear4;
                $body
            }
            other => return Err($crate::config::ConfigError::UnsupportedField(other).into()),
        }
    };
}

#[cfg(test)]
mod tests {
    use chipwright_ir::field::{Goldilocks2, KoalaBear4};
    use p3_challenger::CanSample;
    use p3_uni_stark::StarkGenericConfig;

    use super::*;

    fn first_sample<P: StarkField>(seed: &[u8; 32]) -> P::Base {
        let parameters = crate::config::Config::testing().parameters;
        P::stark(&parameters, seed).initialise_challenger().sample()
    }

    #[test]
    fn another_seed_gives_other_challenges() {
        let mut other = [7; 32];
        other[31] = 8;
        assert_eq!(first_sample::<Goldilocks2>(&[7; 32]), first_sample::<Goldilocks2>(&[7; 32]));
        assert_ne!(first_sample::<Goldilocks2>(&[7; 32]), first_sample::<Goldilocks2>(&other));
        assert_ne!(first_sample::<KoalaBear4>(&[7; 32]), first_sample::<KoalaBear4>(&other));
    }

    #[test]
    fn seeds_of_all_bytes_have_elements_of_their_own() {
        let elements = KoalaBear4::seed_elements(&[0xff; 32]);
        assert_eq!(elements[0], PrimeCharacteristicRing::from_u32(0xff_ffff));
        assert_eq!(elements[SEED - 1], PrimeCharacteristicRing::from_u32(0xffff));
    }
}
