//! From a proof to the private data of the circuit that verifies it.
//!
//! A proof shares the siblings of its Merkle paths among queries; the circuit's hash chip takes one path a
//! query. Which paths these are depends on the query indices, so the transcript is replayed natively, by
//! p3's own drivers.

use chipwright_backend_stark::config::{Challenger, Stark};
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use p3_batch_stark::{BatchProof, BatchVerifierTranscript};
use p3_commit::CommitmentOpening;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_fri::{BatchMultiOpening, FriProof, PcsVerifierTranscript, VerifierTranscript};
use p3_goldilocks::Goldilocks;
use p3_lookup::LogUpGadget;
use p3_matrix::Dimensions;
use p3_merkle_tree::{MerkleAuthPath, PrunedMerklePaths};
use p3_uni_stark::StarkGenericConfig;

use crate::batch::{BatchShape, Cap, ProofData, RecursiveField, canonical, cap_elements};
use crate::pcs::{PcsShape, TreePlan};
