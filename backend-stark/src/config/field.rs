//! The types of the proof system over each field: one instance of everything generic.

use std::fmt::Debug;

use chipwright_ir::FieldPair;
use chipwright_ir::field::{Goldilocks2, Goldilocks3};
use p3_air::symbolic::{
    AirLayout, ConstraintLayout, SymbolicExpr, SymbolicExpression, SymbolicExpressionExt,
};
use p3_batch_stark::symbolic::{
    get_constraint_layout, get_log_num_quotient_chunks, get_symbolic_constraints,
};
use p3_batch_stark::{
    BatchProof, CommonData, ProverData, StarkInstance, prove_batch, verify_batch,
};
use p3_challenger::{CanObserve, CanSample, DuplexChallenger, FieldChallenger, GrindingChallenger};
use p3_commit::{ExtensionMmcs, Mmcs};
use p3_dft::Radix2DitParallel;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{Field, PackedFieldPow2, PrimeCharacteristicRing, TwoAdicField};
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_goldilocks::{Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_16};
use p3_lookup::{LogUpGadget, Lookup, Lookups};
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{PaddingFreeSponge, TruncatedPermutation};
use p3_uni_stark::StarkConfig;
use p3_util::log2_ceil_usize;

use super::Parameters;
use crate::air::RecordedAir;
use crate::prover::{Candidates, Nodes, TreeHash};

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

/// A field pair with a hash, and so with a proof system.
///
/// The hash of Goldilocks is Poseidon2 of width 16 with the round constants of `p3-goldilocks`: a sponge
/// of rate 12 without padding (the lengths of all rows are part of the statement) hashes leaves, and the
/// first four elements of the permutation of four digests are their parent. Capacity and digests of four
/// elements resist collisions up to 2^128 work.
pub trait StarkField: FieldPair<Base: TwoAdicField<Packing: PackedFieldPow2>> {
    /// The tree hash.
    type Mmcs: Mmcs<
            Self::Base,
            MultiProof: Sync,
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

    /// Commits to preprocessed columns and lays out the lookups: `ProverData::from_airs_and_degrees`.
    ///
    /// # Errors
    ///
    /// Gives the reason why the commitment scheme refuses.
    fn prover_data(
        stark: &Stark<Self>,
        airs: &[RecordedAir<Self::Base>],
        log_heights: &[usize],
        max_log_chunks: usize,
    ) -> Result<ProverData<Stark<Self>>, String>;
    /// The constraints of a table, lookups included, as expressions.
    fn symbolic(
        air: &RecordedAir<Self::Base>,
        lookups: &[Lookup<Self::Base>],
    ) -> SymbolicConstraints<Self::Base, Self::Ext>;
    /// The base-2 logarithm of the number of chunks that the quotient of a table of `2^log_height` rows
    /// is committed in.
    fn log_quotient_chunks(
        air: &RecordedAir<Self::Base>,
        lookups: &[Lookup<Self::Base>],
        log_height: usize,
    ) -> usize;
    /// Plonky3's prover: `prove_batch`.
    ///
    /// # Errors
    ///
    /// Gives the reason why the commitment scheme refuses.
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
        airs: &[RecordedAir<Self::Base>],
        proof: &BatchProof<Stark<Self>>,
        publics: &[Vec<Self::Base>],
        common: &CommonData<Stark<Self>>,
    ) -> Result<(), String>;

    /// The number of constraints of a table, lookups included, and their highest degree.
    fn constraints(
        air: &RecordedAir<Self::Base>,
        lookups: &[Lookup<Self::Base>],
    ) -> (usize, usize) {
        let SymbolicConstraints { base, extension, .. } = Self::symbolic(air, lookups);
        let degrees = base.iter().map(SymbolicExpr::degree_multiple);
        let degree = degrees.chain(extension.iter().map(SymbolicExpr::degree_multiple)).max();
        (base.len() + extension.len(), degree.unwrap_or(0))
    }

    /// The proof system, with a transcript that begins with `seed`: 32 bytes that name the statement.
    fn stark(parameters: &Parameters, seed: &[u8; 32]) -> Stark<Self> {
        let mmcs = Self::mmcs(parameters.cap_height);
        let grinding = parameters.grinding;
        let fri = Self::fri(parameters);
        let mut challenger = Self::challenger();
        // Three bytes an element: injective in every field of at least 24 bits.
        for chunk in seed.chunks(3) {
            let value = chunk.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
            challenger.observe(Self::Base::from_u64(value));
        }
        StarkConfig::new(TwoAdicFriPcs::new(Radix2DitParallel::default(), mmcs, fri), challenger)
            .with_lookup_proof_of_work_bits(grinding.lookup)
            .with_ood_proof_of_work_bits(grinding.out_of_domain)
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

/// The permutation of the hash over Goldilocks.
pub type Permutation = Poseidon2Goldilocks<16>;

type Packing = <Goldilocks as Field>::Packing;
type GoldilocksSponge = PaddingFreeSponge<Permutation, 16, 12, 4>;
type GoldilocksCompression = TruncatedPermutation<Permutation, 4, 4, 16>;
/// The tree hash over Goldilocks.
pub type GoldilocksMmcs =
    MerkleTreeMmcs<Packing, Packing, GoldilocksSponge, GoldilocksCompression, 4, 4>;

/// The degree up to which messages of one bus share a lookup column: the one that commits to the fewest
/// columns, as a higher degree packs more messages but splits the quotient into more chunks. Zero if
/// the constraints alone, of degree `degree`, need as many chunks as are allowed, or more.
fn packing_degree<F: Field>(lookups: &Lookups<F>, degree: usize, max_log_chunks: usize) -> usize {
    if lookups.is_empty() {
        return 0;
    }
    let gadget = LogUpGadget::new();
    let least = log2_ceil_usize(degree.max(2) - 1);
    (least..=max_log_chunks)
        .min_by_key(|&log_chunks| {
            let packed = lookups.clone().pack_same_bus(&gadget, (1 << log_chunks) + 1);
            packed.len() + (1 << log_chunks)
        })
        .map_or(0, |log_chunks| (1 << log_chunks) + 1)
}

/// The entries to Plonky3. They are not generic: the proof that extension elements embed into symbolic
/// expressions exists for each extension by itself.
macro_rules! plonky3 {
    () => {
        fn prover_data(
            stark: &Stark<Self>,
            airs: &[RecordedAir<Self::Base>],
            log_heights: &[usize],
            max_log_chunks: usize,
        ) -> Result<ProverData<Stark<Self>>, String> {
            let budgets: Vec<_> = airs
                .iter()
                .map(|air| {
                    let lookups = Lookups::from_air::<Self::Ext, _>(air);
                    let degree = Self::constraints(air, &lookups).1;
                    packing_degree(&lookups, degree, max_log_chunks)
                })
                .collect();
            ProverData::from_airs_and_degrees_with_lookup_budgets(
                stark,
                airs,
                log_heights,
                &budgets,
                max_log_chunks,
            )
            .map_err(|error| error.to_string())
        }

        fn symbolic(
            air: &RecordedAir<Self::Base>,
            lookups: &[Lookup<Self::Base>],
        ) -> SymbolicConstraints<Self::Base, Self::Ext> {
            let (layout, gadget) = (AirLayout::from_air(air), LogUpGadget::new());
            let (base, extension) = get_symbolic_constraints::<Self::Base, Self::Ext, _, _>(
                air, layout, lookups, &gadget,
            );
            let order =
                get_constraint_layout::<Self::Base, Self::Ext, _, _>(air, layout, lookups, &gadget);
            SymbolicConstraints { base, extension, order }
        }

        fn log_quotient_chunks(
            air: &RecordedAir<Self::Base>,
            lookups: &[Lookup<Self::Base>],
            log_height: usize,
        ) -> usize {
            get_log_num_quotient_chunks::<Self::Base, Self::Ext, _, _>(
                air,
                AirLayout::from_air(air),
                1 << log_height,
                lookups,
                0,
                &LogUpGadget::new(),
            )
        }

        fn prove(
            stark: &Stark<Self>,
            instances: &[StarkInstance<'_, Stark<Self>, RecordedAir<Self::Base>>],
            data: &ProverData<Stark<Self>>,
        ) -> Result<BatchProof<Stark<Self>>, String> {
            prove_batch(stark, instances, data).map_err(|error| error.to_string())
        }

        fn verify(
            stark: &Stark<Self>,
            airs: &[RecordedAir<Self::Base>],
            proof: &BatchProof<Stark<Self>>,
            publics: &[Vec<Self::Base>],
            common: &CommonData<Stark<Self>>,
        ) -> Result<(), String> {
            verify_batch(stark, airs, proof, publics, common).map_err(|error| error.to_string())
        }
    };
}

macro_rules! over_goldilocks {
    ($($pair:ty),*) => {$(
        impl StarkField for $pair {
            type Mmcs = GoldilocksMmcs;
            type TreeHash = Nodes<GoldilocksSponge, GoldilocksCompression, 4, 4>;
            type Challenger = DuplexChallenger<Goldilocks, Permutation, 16, 12>;

            plonky3!();

            const COLLISION_BITS: usize = 128;
            const HASH: &'static str = "Poseidon2 of width 16, rate 12, 4-to-1";

            fn mmcs(cap_height: usize) -> Self::Mmcs {
                let permutation = default_goldilocks_poseidon2_16();
                MerkleTreeMmcs::new(
                    PaddingFreeSponge::new(permutation.clone()),
                    TruncatedPermutation::new(permutation),
                    cap_height,
                )
            }

            fn tree_hash(cap_height: usize) -> Self::TreeHash {
                let permutation = default_goldilocks_poseidon2_16();
                Nodes::new(
                    PaddingFreeSponge::new(permutation.clone()),
                    TruncatedPermutation::new(permutation),
                    cap_height,
                )
            }

            fn challenger() -> Self::Challenger {
                DuplexChallenger::new(default_goldilocks_poseidon2_16())
            }
        }
    )*};
}

over_goldilocks!(Goldilocks2, Goldilocks3);

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
            other => return Err($crate::config::ConfigError::UnsupportedField(other).into()),
        }
    };
}

#[cfg(test)]
mod tests {
    use p3_challenger::CanSample;

    use super::*;

    #[test]
    fn another_seed_gives_other_challenges() {
        use p3_uni_stark::StarkGenericConfig;
        let parameters = crate::config::Config::testing().parameters;
        let sample = |seed: [u8; 32]| -> Goldilocks {
            Goldilocks2::stark(&parameters, &seed).initialise_challenger().sample()
        };
        let mut other = [7; 32];
        other[31] = 8;
        assert_eq!(sample([7; 32]), sample([7; 32]));
        assert_ne!(sample([7; 32]), sample(other));
    }
}
