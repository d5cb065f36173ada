//! One proof of a run, however long it is.
//!
//! The proofs of shards become one by [recursion](chipwright_recursion::shard): while the program runs, shards are proven, each
//! gets a first layer over it, and neighbours are joined. What is left is one proof, of one size, that the program of a key
//! ended in a state. Who verifies it needs the key of the last circuit and no circuit.

use std::sync::LazyLock;

use chipwright_backend_stark::config::Config;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::shard::{
    Growth, Joined, LeafTask, Named, ShardError, ShardLeaf, ShardRoot, ShardTree, TreePlan,
    TreeVerifier,
};
use chipwright_recursion::store::Store;
use serde::{Deserialize, Serialize};

use super::bytes::{ReadError, decode, encode};
use super::cut::while_cut;
use super::key::{ShardState, VerifyingKey};
use super::proof::{CoreProof, Opening};
use super::{MipsProver, Options, Outcome, Progress, ProveError, Shard, VerifyError, ended};
use crate::{Input, Observer, Program};

/// What a proof's bytes begin with; the last byte is the version of the format.
const MAGIC: &[u8] = b"chipwrightmipsr\x01";

/// The configuration of all layers.
pub fn layers() -> Config {
    Config::proven_100()
}

/// One proof of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressedProof {
    /// The state that the run ends in.
    pub end: ShardState,
    /// The committed words, in the last memory.
    pub committed: Opening,
    /// The proof, as bytes.
    pub proof: Vec<u8>,
}

impl CompressedProof {
    /// The proof as versioned bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(MAGIC, self)
    }

    /// Whether bytes begin as those of such a proof do.
    pub fn is_start_of(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads a proof.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        decode(MAGIC, bytes)
    }
}

/// The circuits over shards of a prover's menu.
pub type Tree = ShardTree<Goldilocks2>;

/// What verifies compressed proofs.
pub type Verifier = TreeVerifier<Goldilocks2>;

/// The plan of the circuits over shards of the [menu](super::menu) under the default configuration.
///
/// # Panics
///
/// Never: the file is part of the crate, and a test reads it.
pub fn plan() -> TreePlan {
    serde_json::from_str(include_str!("keys/plan.json")).expect("the plan is sound")
}

/// The bytes of [`verifier`].
pub const VERIFIER: &[u8] = include_bytes!("keys/verifier.key");

/// What verifies compressed proofs of all programs: the key of the last circuit.
///
/// # Panics
///
/// Never: the file is part of the crate, and a test reads it.
pub fn verifier() -> &'static Verifier {
    static VERIFIER: LazyLock<Verifier> =
        LazyLock::new(|| Verifier::from_bytes(self::VERIFIER).expect("the key is sound"));
    &VERIFIER
}

/// Verifies that a program, started on some input, ended as the result says.
///
/// # Errors
///
/// Says why the proof is none of the program.
pub fn verify_compressed(
    verifier: &Verifier,
    key: &VerifyingKey,
    proof: &CompressedProof,
) -> Result<Outcome, VerifyError> {
    let CompressedProof { end, committed, proof } = proof;
    let outcome = ended(end, committed)?;
    let proof = verifier.read(proof).map_err(ShardError::from).map_err(VerifyError::Root)?;
    verifier
        .verify([&key.common(), &key.start().parts(), &end.parts()], &proof)
        .map_err(VerifyError::Root)?;
    Ok(outcome)
}

/// Joins proofs of shards that follow each other.
struct Joining<'a> {
    prover: &'a MipsProver,
    tree: &'a Tree,
    store: Option<&'a Store>,
    progress: &'a dyn Progress,
}

impl Joining<'_> {
    fn grow(
        &self,
        leaves: &mut (dyn Iterator<Item = Result<LeafTask<'_, Goldilocks2>, ShardError>> + Send),
        workers: usize,
    ) -> Result<ShardRoot<Goldilocks2>, ShardError> {
        let growth = Growth {
            workers,
            store: self.store,
            joined: &|joined: Joined| self.progress.joined(joined),
            go_on: &|| true,
        };
        self.tree.prove(self.prover, leaves, &growth)
    }
}

impl MipsProver {
    /// The circuits of a [plan], made as they are needed.
    ///
    /// # Errors
    ///
    /// Fails if the plan is none of the prover's menu.
    pub fn tree(&self, plan: TreePlan) -> Result<Tree, ShardError> {
        Tree::planned(plan, self.menu().len(), self.keys(0)?.shape().clone(), &layers())
    }

    /// Executes a program and makes one proof of the run, while shards are proven. With a store, proofs that were made before
    /// are found there, and those that are made are kept.
    ///
    /// # Errors
    ///
    /// Fails if the program cannot be executed to its end, or the run cannot be proven.
    pub fn prove_compressed(
        &self,
        tree: &Tree,
        (program, input): (&Program, &Input),
        options: &Options,
        store: Option<&Store>,
        observer: impl Observer,
        progress: &dyn Progress,
    ) -> Result<CompressedProof, ProveError> {
        let joining = Joining { prover: self, tree, store, progress };
        let common = self.setup(program).common();
        let task = |shard: Shard| -> LeafTask<'_, Goldilocks2> {
            let common = &common;
            Box::new(move || {
                shard.check_for_high_cycles(options.many, progress);
                let kind = self.keys(shard.kind)?;
                let proof = self.prove_one(program, input, &shard);
                let proof = proof.map_err(|error| ShardError::Rows(Box::new(error)))?;
                progress.proven(&shard, &self.menu()[shard.kind]);
                let publics = kind.publics([common, &shard.from.parts(), &shard.to.parts()])?;
                Ok(ShardLeaf { kind: shard.kind, publics, proof })
            })
        };
        let mut shards = self.shards(program, input, options, observer);
        let mut failed = None;
        let root = while_cut(&mut shards, |cut| {
            let mut leaves = cut.into_iter().map(|shard| match shard {
                Ok(shard) => Ok(task(shard)),
                Err(error) => {
                    failed = Some(error);
                    Err(ShardError::Cancelled)
                }
            });
            joining.grow(&mut leaves, options.at_once)
        });
        failed.map_or(Ok(()), Err)?;
        let proof = root?.proof.to_bytes();
        Ok(CompressedProof { end: shards.state(), committed: Opening::of(shards.tree()), proof })
    }

    /// Makes one proof of the proofs of shards.
    ///
    /// # Errors
    ///
    /// Fails if they are none of the program, or do not follow each other.
    pub fn compress(
        &self,
        tree: &Tree,
        key: &VerifyingKey,
        proof: &CoreProof,
        options: &Options,
        store: Option<&Store>,
        progress: &dyn Progress,
    ) -> Result<CompressedProof, ProveError> {
        let joining = Joining { prover: self, tree, store, progress };
        let common = key.common();
        let mut from = key.start();
        let mut leaves = proof.shards.iter().enumerate().map(|(number, shard)| {
            let before = std::mem::replace(&mut from, shard.to);
            let common = &common;
            let task: LeafTask<'_, Goldilocks2> = Box::new(move || {
                let leaf = || {
                    let kind = usize::from(shard.kind);
                    let keys = self.keys(kind)?;
                    let publics = keys.publics([common, &before.parts(), &shard.to.parts()])?;
                    Ok(ShardLeaf { kind, publics, proof: keys.read(&shard.proof)? })
                };
                leaf().map_err(|error| ShardError::Shard { shard: number, error: Box::new(error) })
            });
            Ok(task)
        });
        let root = joining.grow(&mut leaves, options.at_once)?;
        let end = proof.shards.last().map(|shard| shard.to).ok_or(ShardError::Empty)?;
        Ok(CompressedProof {
            end,
            committed: proof.committed.clone(),
            proof: root.proof.to_bytes(),
        })
    }
}
