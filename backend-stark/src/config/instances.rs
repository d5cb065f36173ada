//! The fields that have a proof system, each with its hash.
//!
//! A base field needs a permutation with room for three digests and a capacity of one: the sponge then absorbs three
//! digests a permutation, and four digests are compressed into one.

use std::fmt::Debug;

use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use p3_air::symbolic::AirLayout;
use p3_batch_stark::symbolic::{get_constraint_layout, get_symbolic_constraints};
use p3_batch_stark::{
    BatchProof, BatchVerificationError, CommonData, VerificationError, verify_batch,
};
#[cfg(feature = "reference")]
use p3_batch_stark::{ProverData, StarkInstance, prove_batch};
use p3_challenger::DuplexChallenger;
use p3_field::Field;
use p3_goldilocks::{Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_16};
use p3_koala_bear::{KoalaBear, Poseidon2KoalaBear, default_koalabear_poseidon2_32};
use p3_lookup::{LogUpGadget, Lookup, LookupError, Lookups};
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{PaddingFreeSponge, TruncatedPermutation};

use super::Config;
use super::field::{Expressions, Stark, StarkField, SymbolicConstraints};
use crate::air::RecordedAir;
use crate::prover::{Instance, Nodes, Phases, Prepared};
use crate::verifier::VerifierAir;

/// Why Plonky3's verifier rejects a proof, in words: its own speak of the types in which it is written.
fn rejection<E: Debug>(error: &BatchVerificationError<E>) -> String {
    match error {
        BatchVerificationError::Verification(VerificationError::OodEvaluationMismatch {
            index: Some(table),
        }) => format!("the rules of table {table} do not hold"),
        BatchVerificationError::Verification(VerificationError::OodEvaluationMismatch {
            index: None,
        }) => "the rules do not hold".to_owned(),
        BatchVerificationError::Verification(VerificationError::InvalidOpeningArgument(_)) => {
            "the opened values are not those of the committed tables".to_owned()
        }
        BatchVerificationError::Verification(VerificationError::InvalidOodPowWitness)
        | BatchVerificationError::Transcript(_) => {
            "its proof of work is for another transcript".to_owned()
        }
        BatchVerificationError::Verification(VerificationError::OodPointInDomain) => {
            "its challenge is a point of a table".to_owned()
        }
        BatchVerificationError::Lookup(LookupError::TerminalSumNonZero) => {
            "the messages on the buses do not balance".to_owned()
        }
        BatchVerificationError::Verification(_) | BatchVerificationError::Lookup(_) => {
            "its parts do not have the shapes that the statement demands".to_owned()
        }
    }
}

/// The degree up to which messages of one bus share a lookup column: the one that commits to the fewest
/// columns, as a higher degree packs more messages but splits the quotient into more chunks. More chunks than the
/// blowup take a larger transform, so there are only as many as `2^log_chunks`, those of the constraints without packing.
fn packing_degree<F: Field>(lookups: &Lookups<F>, log_chunks: usize, log_blowup: usize) -> usize {
    if lookups.is_empty() {
        return 0;
    }
    let gadget = LogUpGadget::new();
    (log_chunks..=log_blowup.max(log_chunks))
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
        #[cfg(feature = "reference")]
        fn prover_data(
            stark: &Stark<Self>,
            airs: &[RecordedAir<Self::Base>],
            log_heights: &[usize],
            config: &Config,
        ) -> Result<ProverData<Stark<Self>>, String> {
            let budgets: Vec<_> =
                airs.iter().map(|air| Self::unpacked_lookups(air, config).1).collect();
            ProverData::from_airs_and_degrees_with_lookup_budgets(
                stark,
                airs,
                log_heights,
                &budgets,
                config.max_log_chunks(),
            )
            .map_err(|error| error.to_string())
        }

        fn prepare(config: &Config, airs: &[RecordedAir<Self::Base>]) -> Prepared<Self> {
            Prepared::new(&config.parameters, airs, config.max_log_chunks())
        }

        fn prove_prepared(
            prepared: &Prepared<Self>,
            stark: &Stark<Self>,
            instances: &[Instance<'_, Self>],
        ) -> Result<(BatchProof<Stark<Self>>, Phases), String> {
            prepared.prove(stark, instances)
        }

        fn unpacked_lookups(
            air: &RecordedAir<Self::Base>,
            config: &Config,
        ) -> (Lookups<Self::Base>, usize) {
            let lookups = Lookups::from_air::<Self::Ext, _>(air);
            let log_chunks = Self::sizes(air, &lookups, None).log_chunks;
            let most = packing_degree(&lookups, log_chunks, config.parameters.log_blowup);
            (lookups, most)
        }

        fn expressions(
            air: &RecordedAir<Self::Base>,
            lookups: &[Lookup<Self::Base>],
        ) -> Expressions<Self::Base, Self::Ext> {
            get_symbolic_constraints::<Self::Base, Self::Ext, _, _>(
                air,
                AirLayout::from_air(air),
                lookups,
                &LogUpGadget::new(),
            )
        }

        fn symbolic(
            air: &RecordedAir<Self::Base>,
            lookups: &[Lookup<Self::Base>],
        ) -> SymbolicConstraints<Self::Base, Self::Ext> {
            let (layout, gadget) = (AirLayout::from_air(air), LogUpGadget::new());
            let (base, extension) = Self::expressions(air, lookups);
            let order =
                get_constraint_layout::<Self::Base, Self::Ext, _, _>(air, layout, lookups, &gadget);
            SymbolicConstraints { base, extension, order }
        }

        #[cfg(feature = "reference")]
        fn prove(
            stark: &Stark<Self>,
            instances: &[StarkInstance<'_, Stark<Self>, RecordedAir<Self::Base>>],
            data: &ProverData<Stark<Self>>,
        ) -> Result<BatchProof<Stark<Self>>, String> {
            prove_batch(stark, instances, data).map_err(|error| error.to_string())
        }

        fn verify(
            stark: &Stark<Self>,
            airs: &[VerifierAir<'_, Self::Base>],
            proof: &BatchProof<Stark<Self>>,
            publics: &[Vec<Self::Base>],
            common: &CommonData<Stark<Self>>,
        ) -> Result<(), String> {
            verify_batch(stark, airs, proof, publics, common).map_err(|error| rejection(&error))
        }
    };
}

/// Instances with one hash: the field pairs, their base field, the permutation and its number of elements, the number
/// of elements of a digest, and what that is worth.
macro_rules! hashed {
    (
        $($pair:ty),*; $base:ty, $permutation:ty, $default:path,
        width $width:literal, rate $rate:literal, digest $digest:literal,
        bits $bits:literal, name $name:literal
    ) => {$(
        impl StarkField for $pair {
            type Mmcs = MerkleTreeMmcs<
                <$base as Field>::Packing,
                <$base as Field>::Packing,
                PaddingFreeSponge<$permutation, $width, $rate, $digest>,
                TruncatedPermutation<$permutation, 4, $digest, $width>,
                4,
                $digest,
            >;
            type TreeHash = Nodes<
                PaddingFreeSponge<$permutation, $width, $rate, $digest>,
                TruncatedPermutation<$permutation, 4, $digest, $width>,
                4,
                $digest,
            >;
            type Challenger = DuplexChallenger<$base, $permutation, $width, $rate>;

            plonky3!();

            const COLLISION_BITS: usize = $bits;
            const HASH: &'static str = $name;

            fn mmcs(cap_height: usize) -> Self::Mmcs {
                let (leaf, node) = (PaddingFreeSponge::new($default()), TruncatedPermutation::new($default()));
                MerkleTreeMmcs::new(leaf, node, cap_height)
            }

            fn tree_hash(cap_height: usize) -> Self::TreeHash {
                let (leaf, node) = (PaddingFreeSponge::new($default()), TruncatedPermutation::new($default()));
                Nodes::new(leaf, node, cap_height)
            }

            fn challenger() -> Self::Challenger {
                DuplexChallenger::new($default())
            }
        }
    )*};
}

hashed! {
    Goldilocks2, Goldilocks3; Goldilocks, Poseidon2Goldilocks<16>, default_goldilocks_poseidon2_16,
    width 16, rate 12, digest 4,
    bits 128, name "Poseidon2 of width 16, rate 12, 4-to-1"
}

// Eight elements are 247.9 bits: a collision is found in 2^123.9 steps.
hashed! {
    KoalaBear4; KoalaBear, Poseidon2KoalaBear<32>, default_koalabear_poseidon2_32,
    width 32, rate 24, digest 8,
    bits 123, name "Poseidon2 of width 32, rate 24, 4-to-1"
}
