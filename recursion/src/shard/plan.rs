//! What the layers of a tree are, without their circuits; and the verifier that follows.
//!
//! Circuits over shards of many kinds take a while to make, but all that a prover must know of those that it does not use is
//! the digests of their keys, and all that a verifier must know is the key of the last layer and the root of the set.
//! So both are small, are published, and are computed anew by whoever does not believe them.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::encoding::DecodeError;
use chipwright_backend_stark::key::{KeyError, VerifyingKey};
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::field::canonical_element;
use p3_field::PrimeField64;
use serde::{Deserialize, Serialize};

use super::ShardError;
use super::parts::{Parts, StepShape};
use super::settle::{KeyPlaces, TreeLayouts};
use crate::batch::{Digest, RecursiveField};
use crate::claims::StepValues;
use crate::keys::{KeySet, KeySetError};
use crate::layer::{Layer, Statement, level_in};
use crate::level::Level;

/// How the layers of a tree are laid out, and the digests of their keys.
///
/// # Soundness
///
/// A plan is a prover's, and nothing is believed of it: a wrong one makes no proof that a right verifier accepts. A
/// [`TreeVerifier`] is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreePlan {
    /// The layouts.
    pub layouts: TreeLayouts,
    /// The keys, by their places in the set; not all places are taken.
    pub keys: Vec<Option<PlannedKey>>,
}

/// A key of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedKey {
    /// The key's digest, as canonical integers.
    pub digest: Vec<u64>,
    /// What proofs under the key are worth, with all that they stand on.
    pub level: Level,
}

impl PlannedKey {
    pub(super) fn of<P: RecursiveField>(layer: &Layer<P>) -> Self {
        let digest = crate::keys::key_digest(layer.key());
        let digest = digest.as_ref().iter().map(PrimeField64::as_canonical_u64).collect();
        Self { digest, level: layer.level() }
    }
}

/// A digest, if these are the canonical integers of one.
fn digest<P: RecursiveField>(values: &[u64]) -> Option<Digest<P>> {
    let mut digest = Digest::<P>::default();
    let elements = digest.as_mut();
    if elements.len() != values.len() {
        return None;
    }
    for (element, &value) in elements.iter_mut().zip(values) {
        *element = canonical_element(value).ok()?;
    }
    Some(digest)
}

impl TreePlan {
    /// The set of the plan's keys, for a tree over so many kinds.
    pub(super) fn set<P: RecursiveField>(
        &self,
        kinds: usize,
    ) -> Result<KeySet<Digest<P>>, KeySetError> {
        let key = |key: &Option<PlannedKey>| match key {
            None => Ok(None),
            Some(PlannedKey { digest: values, level }) => {
                let digest = digest::<P>(values).ok_or(KeySetError::NotADigest)?;
                Ok(Some((digest, *level)))
            }
        };
        let keys: Vec<_> = self.keys.iter().map(key).collect::<Result<_, _>>()?;
        KeySet::in_places::<P>(keys, KeyPlaces::new(kinds).levels)
    }
}

/// Verifies the one proof of any number of shards. It takes no circuit.
///
/// # Soundness
///
/// Whoever makes a verifier decides what it accepts. One is made from the circuits ([`ShardTree::verifier`]), or read from bytes
/// whose [digest](Self::digest) is known from there.
///
/// [`ShardTree::verifier`]: super::ShardTree::verifier
#[derive(Debug)]
pub struct TreeVerifier<P: RecursiveField> {
    key: VerifyingKey<P>,
    keys: Digest<P>,
    level: Level,
    shape: StepShape,
}

/// A verifier as it is written.
#[derive(Serialize, Deserialize)]
struct Body {
    key: Vec<u8>,
    keys: Vec<u64>,
    level: Level,
    shape: StepShape,
}

/// What the bytes of a verifier begin with; the last one is the version of the format.
const MAGIC: &[u8] = b"chipwrighttreev\x01";

/// Bytes that are no verifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// The bytes are something else, of another version, or altered.
    #[error("the bytes are not those of a verifier")]
    Malformed,
    /// The key in it cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It is said to be worth more than its key.
    #[error("the verifier is said to be worth more than proofs under its key are")]
    Level,
}

impl<P: RecursiveField> TreeVerifier<P> {
    pub(super) fn new(top: &Layer<P>, keys: &KeySet<Digest<P>>, shape: StepShape) -> Self {
        let key = top.key().clone();
        Self { key, keys: keys.root(), level: top.level().least(keys.level()), shape }
    }

    /// The key of the last layer.
    pub fn key(&self) -> &VerifyingKey<P> {
        &self.key
    }

    /// The parts of a step.
    pub fn shape(&self) -> &StepShape {
        &self.shape
    }

    /// What proofs are worth, with all that they stand on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The configuration of the last layer.
    pub fn config(&self) -> &Config {
        self.key.config()
    }

    /// Names the verifier: the BLAKE3 hash of its bytes.
    pub fn digest(&self) -> [u8; 32] {
        blake3::hash(&self.to_bytes()).into()
    }

    /// The verifier as versioned bytes.
    ///
    /// # Panics
    ///
    /// Never: plain data is always written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let keys = self.keys.as_ref().iter().map(PrimeField64::as_canonical_u64).collect();
        let (level, shape) = (self.level, self.shape.clone());
        let body = Body { key: self.key.to_bytes(), keys, level, shape };
        postcard::to_extend(&body, MAGIC.to_vec()).expect("plain data serialises")
    }

    /// Reads a verifier.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VerifierError> {
        let malformed = || VerifierError::Malformed;
        let body = bytes.strip_prefix(MAGIC).ok_or_else(malformed)?;
        let (Body { key, keys, level, shape }, rest) =
            postcard::take_from_bytes::<Body>(body).map_err(|_| malformed())?;
        let keys = digest::<P>(&keys).ok_or_else(malformed)?;
        let key = VerifyingKey::<P>::from_bytes(&key)?;
        let own = level_in(key.shape()).map_err(|_| malformed())?;
        if own.least(level) != level {
            return Err(VerifierError::Level);
        }
        let verifier = Self { key, keys, level, shape };
        if rest.is_empty() && verifier.to_bytes() == bytes {
            Ok(verifier)
        } else {
            Err(malformed())
        }
    }

    /// Reads a proof.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are no proof under the verifier's key.
    pub fn read(&self, bytes: &[u8]) -> Result<Proof<P>, DecodeError> {
        Proof::from_bytes(&self.key, bytes)
    }

    /// Verifies that shards with these common values lead from one state to another. Tells what that is worth.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not prove it.
    pub fn verify(&self, step: [&Parts; 3], proof: &Proof<P>) -> Result<Level, ShardError> {
        let [common, first, last] = step;
        let common = self.shape.common::<P>(common)?;
        let [first, last] = [self.shape.state::<P>(first)?, self.shape.state::<P>(last)?];
        self.level.require(self.config())?;
        let claim = StepValues::claim::<P>(&common, &first, &last);
        let statement = Statement { keys: self.keys, claim, complete: true };
        let values = statement.publics();
        let of = |table: &chipwright_backend_stark::key::TableShape| match table.publics {
            0 => Vec::new(),
            _ => values.clone(),
        };
        let publics: Vec<Vec<P::Base>> = self.key.tables().iter().map(of).collect();
        self.key.verify(&publics, proof)?;
        Ok(self.level)
    }
}
