//! Chains of layers: a proof, a proof of that proof, and so on, until the layers no longer change.
//!
//! Each layer verifies the layer below it. Its circuit depends only on the *shape* of the proofs below, so after
//! a few layers the shape, the circuit and the verifying key stay the same: the fixed point.

use std::time::{Duration, Instant};

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;

use crate::batch::{Digest, RecursiveField};
use crate::claims::{Claims, Expected};
use crate::keys::KeySet;
use crate::layer::{Child, Layer, LayerError, Statement};
use crate::level::Level;
use crate::levels::Levels;

/// The layers over one circuit, up to the fixed point.
#[derive(Debug)]
pub struct Chain<P: RecursiveField> {
    layers: Vec<Layer<P>>,
    /// Whether the last layer verifies proofs of itself.
    closed: bool,
    keys: KeySet<Digest<P>>,
    /// How long after the one below each layer was ready.
    build_times: Vec<Duration>,
}

impl<P: RecursiveField> Chain<P> {
    /// The layers over proofs under a key with tables of some heights (base-2 logarithms): `most` layers at most,
    /// fewer if the fixed point is reached before.
    ///
    /// # Errors
    ///
    /// Fails if such proofs cannot be verified in a circuit.
    pub fn new(
        key: &VerifyingKey<P>,
        log_heights: &[usize],
        config: &Config,
        most: usize,
    ) -> Result<Self, LayerError> {
        P::chain(key, log_heights, config, most)
    }

    pub(crate) fn new_generic(
        key: &VerifyingKey<P>,
        log_heights: &[usize],
        config: &Config,
        most: usize,
    ) -> Result<Self, LayerError> {
        let start = Instant::now();
        let first = Layer::over(key, log_heights, &Claims::Facts, config)?;
        let mut build_times = vec![start.elapsed()];
        let Levels { layers, closed, build_times: above } =
            Levels::over(first, false, config, most)?;
        build_times.extend(above);
        let keys = KeySet::new(&layers)?;
        Ok(Self { layers, closed, keys, build_times })
    }

    /// Layer number `number`, counted from 1.
    pub fn layer(&self, number: usize) -> &Layer<P> {
        &self.layers[number.clamp(1, self.layers.len()) - 1]
    }

    /// The number of the first layer whose key is that of all layers above it, if there is one.
    pub fn fixed_point_at(&self) -> Option<usize> {
        self.closed.then_some(self.layers.len())
    }

    /// How long after the one below each layer was ready: its circuit, its machine, its keys. A layer's circuit is made
    /// while the columns of the one below are committed to.
    pub fn build_times(&self) -> &[Duration] {
        &self.build_times
    }

    /// The keys of all layers.
    pub fn keys(&self) -> &KeySet<Digest<P>> {
        &self.keys
    }

    /// Proves layer after layer, `count` of them; the last one is complete.
    ///
    /// # Errors
    ///
    /// Fails if the proof below is not valid, or if more layers are asked for than the chain has.
    pub fn prove(
        &self,
        key: &VerifyingKey<P>,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
        count: usize,
    ) -> Result<(Statement<Digest<P>>, Proof<P>), LayerError> {
        P::prove_chain(self, key, publics, proof, count)
    }

    pub(crate) fn prove_generic(
        &self,
        key: &VerifyingKey<P>,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
        count: usize,
    ) -> Result<(Statement<Digest<P>>, Proof<P>), LayerError> {
        let keys = self.keys.root();
        let first = self.layer(1);
        let (inputs, mut statement) = first.inputs_over(key, publics, proof, keys, count == 1)?;
        let mut proof = first.prove(&inputs)?;
        for number in 2..=count {
            let child = Child { key: self.layer(number - 1).key(), statement, proof: &proof };
            let layer = self.layer(number);
            let (inputs, next) = layer.inputs_above(&[child], &self.keys, number == count)?;
            proof = layer.prove(&inputs)?;
            statement = next;
        }
        Ok((statement, proof))
    }

    /// Verifies the last of `count` layers, given the public values of the proof at the bottom, table by table. Tells
    /// what all layers and that proof are worth together.
    ///
    /// # Errors
    ///
    /// Fails if the proof is not one of that many layers over a proof with these public values.
    pub fn verify(
        &self,
        publics: &[Vec<P::Base>],
        count: usize,
        proof: &Proof<P>,
    ) -> Result<Level, LayerError> {
        self.layer(count).verify(&self.keys, Self::expected(publics)?, proof)
    }

    /// What every layer over a proof with these public values claims.
    ///
    /// # Errors
    ///
    /// None: any values are facts.
    pub fn expected(publics: &[Vec<P::Base>]) -> Result<Expected<Digest<P>>, LayerError> {
        Ok(Claims::Facts.expect::<P>(&publics.concat())?)
    }
}
