//! Trees of layers: any number of proofs under one key become one.
//!
//! The lowest level verifies the proofs themselves, every level above verifies two layers each. A level with an
//! odd number of proofs has one left over: its parent verifies it twice, and passes on its claim alone. Levels
//! reach a fixed point as chains do, so a tree of any height needs the circuits of a few levels only.
//!
//! If the proofs are of steps, each from the state in which the one before ends, the tree proves one long step, and
//! is verified by its first and last state.
//!
//! Proofs of one level are proven in parallel, by work-stealing; their order is kept. With a [`Store`] they are kept
//! on disk, too, and found again.

use std::sync::atomic::{AtomicUsize, Ordering};

use chipwright_backend_stark::config::{Config, StarkField};
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use rayon::prelude::*;

use crate::batch::{Digest, RecursiveField};
use crate::claims::{Claims, Expected, expect_joined};
use crate::draft::Outline;
use crate::keys::KeySet;
use crate::layer::{Child, Layer, LayerError, Statement};
use crate::level::Level;
use crate::levels::Levels;
use crate::store::Store;

/// The levels over proofs under one key.
#[derive(Debug)]
pub struct Tree<P: RecursiveField> {
    claims: Claims,
    levels: Vec<Layer<P>>,
    keys: KeySet<Digest<P>>,
    /// The level over all others, if they end with a smaller proof.
    last: Option<Layer<P>>,
}

/// A proof at the bottom of a tree, with its public values, table by table.
#[derive(Debug)]
pub struct Leaf<P: StarkField> {
    /// The public values of every table.
    pub publics: Vec<Vec<P::Base>>,
    /// The proof.
    pub proof: Proof<P>,
}

/// The one proof of a tree.
#[derive(Debug)]
pub struct Root<P: RecursiveField> {
    /// The number of levels.
    pub levels: usize,
    /// What the proof says.
    pub statement: Statement<Digest<P>>,
    /// The proof.
    pub proof: Proof<P>,
}

/// What a tree tells while it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grown {
    /// The level, counted from 1.
    pub level: usize,
    /// How many proofs of the level are done.
    pub done: usize,
    /// How many there will be.
    pub of: usize,
    /// Whether the last one was found in the store.
    pub found: bool,
}

/// The largest number of levels until the fixed point.
const MOST_LEVELS: usize = 8;

impl<P: RecursiveField> Tree<P> {
    /// The levels over proofs under a key with tables of some heights (base-2 logarithms).
    ///
    /// # Errors
    ///
    /// Fails if such proofs cannot be verified in a circuit, or if there is no fixed point within eight levels.
    pub fn new(
        key: &VerifyingKey<P>,
        log_heights: &[usize],
        claims: Claims,
        config: &Config,
    ) -> Result<Self, LayerError> {
        P::tree(key, log_heights, claims, config)
    }

    pub(crate) fn new_generic(
        key: &VerifyingKey<P>,
        log_heights: &[usize],
        claims: Claims,
        config: &Config,
    ) -> Result<Self, LayerError> {
        let first = Layer::over(key, log_heights, &claims, config)?;
        let Levels { layers: levels, closed, .. } = Levels::over(first, true, config, MOST_LEVELS)?;
        if !closed {
            return Err(LayerError::NoFixedPoint { levels: MOST_LEVELS });
        }
        let keys = KeySet::new(&levels)?;
        Ok(Self { claims, levels, keys, last: None })
    }

    /// The same levels, with one above them all that shrinks their proof: under another configuration, as
    /// [`Config::for_last_layer`], which makes smaller proofs but takes longer. No circuit verifies its proofs, so its
    /// key is not among the [`Self::keys`].
    ///
    /// # Errors
    ///
    /// Fails if the configuration cannot prove a layer.
    pub fn shrunk(self, config: &Config) -> Result<Self, LayerError> {
        P::shrunk_tree(self, config)
    }

    pub(crate) fn shrunk_generic(self, config: &Config) -> Result<Self, LayerError> {
        let top = &self.levels[self.levels.len() - 1];
        let last = Outline::over_alike(top.under(), false, config)?.laid_out(None)?.compile()?;
        Ok(Self { last: Some(last), ..self })
    }

    /// The keys of all levels.
    pub fn keys(&self) -> &KeySet<Digest<P>> {
        &self.keys
    }

    /// The circuit of level number `level`, counted from 1, below the one that shrinks.
    pub fn level(&self, level: usize) -> &Layer<P> {
        &self.levels[level.clamp(1, self.levels.len()) - 1]
    }

    /// The number of levels of a tree with this many leaves: at least up to the fixed point, so that the last
    /// proof always has the same shape.
    pub fn height(&self, leaves: usize) -> usize {
        let pairs = leaves.max(1).next_power_of_two().ilog2() as usize;
        (1 + pairs).max(self.levels.len()) + usize::from(self.last.is_some())
    }

    /// What to expect of a tree over leaves with these public values.
    ///
    /// # Errors
    ///
    /// Fails if there are no leaves, or if they are steps that do not follow each other.
    pub fn expected(
        &self,
        leaves: &[Vec<Vec<P::Base>>],
    ) -> Result<Expected<Digest<P>>, LayerError> {
        let claims = leaves.iter().map(|publics| self.claims.expect::<P>(&publics.concat()));
        let mut claims: Vec<Expected<Digest<P>>> = claims.collect::<Result<_, _>>()?;
        while claims.len() > 1 {
            claims = claims.chunks(2).map(expect_joined::<P>).collect::<Result<_, _>>()?;
        }
        expect_joined::<P>(&claims)
    }

    /// Proves all levels.
    ///
    /// # Errors
    ///
    /// Fails if there are no leaves, or if one is not valid.
    pub fn prove(
        &self,
        key: &VerifyingKey<P>,
        leaves: &[Leaf<P>],
        grown: &(dyn Fn(Grown) + Sync),
    ) -> Result<Root<P>, LayerError> {
        self.prove_with(key, leaves, None, grown)
    }

    /// [`Self::prove`] with proofs that were made before, and keeping those that are made.
    ///
    /// # Errors
    ///
    /// As [`Self::prove`], and if a proof cannot be written.
    pub fn prove_with(
        &self,
        key: &VerifyingKey<P>,
        leaves: &[Leaf<P>],
        store: Option<&Store>,
        grown: &(dyn Fn(Grown) + Sync),
    ) -> Result<Root<P>, LayerError> {
        P::prove_tree(self, key, leaves, store, grown)
    }

    pub(crate) fn prove_generic(
        &self,
        key: &VerifyingKey<P>,
        leaves: &[Leaf<P>],
        store: Option<&Store>,
        grown: &(dyn Fn(Grown) + Sync),
    ) -> Result<Root<P>, LayerError> {
        if leaves.is_empty() {
            return Err(LayerError::Children { expected: 1, got: 0 });
        }
        let height = self.height(leaves.len());
        let done = AtomicUsize::new(0);
        let tell = |level: usize, of: usize, found: bool| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            grown(Grown { level, done, of, found });
        };
        let first = self.level(1);
        let mut nodes: Vec<(Statement<Digest<P>>, Proof<P>)> = leaves
            .par_iter()
            .map(|leaf| {
                let keys = self.keys.root();
                let (inputs, statement) =
                    first.inputs_over(key, &leaf.publics, &leaf.proof, keys, height == 1)?;
                let (proof, found) = Store::find_or_prove(store, first, &statement, &inputs)?;
                tell(1, leaves.len(), found);
                Ok((statement, proof))
            })
            .collect::<Result<_, LayerError>>()?;
        for level in 2..=height {
            done.store(0, Ordering::Relaxed);
            let below = self.level(level - 1).key();
            let layer = if level == height { self.top() } else { self.level(level) };
            let count = nodes.len().div_ceil(2);
            nodes = nodes
                .par_chunks(2)
                .map(|pair| {
                    let children: Vec<Child<'_, P>> = pair
                        .iter()
                        .map(|(statement, proof)| Child {
                            key: below,
                            statement: *statement,
                            proof,
                        })
                        .collect();
                    let (inputs, statement) =
                        layer.inputs_above(&children, &self.keys, level == height)?;
                    let (proof, found) = Store::find_or_prove(store, layer, &statement, &inputs)?;
                    tell(level, count, found);
                    Ok((statement, proof))
                })
                .collect::<Result<_, LayerError>>()?;
        }
        let (statement, proof) = nodes.swap_remove(0);
        Ok(Root { levels: height, statement, proof })
    }

    /// Verifies the one proof of a tree, given the public values of its leaves in order. Tells what the tree, its leaves
    /// included, is worth.
    ///
    /// # Errors
    ///
    /// Fails if the proof is not complete, or not about these leaves.
    pub fn verify(
        &self,
        leaves: &[Vec<Vec<P::Base>>],
        proof: &Proof<P>,
    ) -> Result<Level, LayerError> {
        self.verify_claim(self.expected(leaves)?, proof)
    }

    /// Verifies the one proof of a tree, given what it should claim: for steps that is made of their common values, the
    /// first state and the last one ([`StepValues::expect`](crate::claims::StepValues::expect)). Tells what the tree, its
    /// leaves included, is worth.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not prove this claim, or is not complete.
    pub fn verify_claim(
        &self,
        expected: Expected<Digest<P>>,
        proof: &Proof<P>,
    ) -> Result<Level, LayerError> {
        self.top().verify(&self.keys, expected, proof)
    }

    /// The level of every tree's last proof.
    pub fn top(&self) -> &Layer<P> {
        self.last.as_ref().unwrap_or(&self.levels[self.levels.len() - 1])
    }
}
