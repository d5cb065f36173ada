//! Proofs for layers to verify: those of the layers below them.

use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::circuit::Inputs;
use chipwright_recursion::batch::{Digest, RecursiveField};
use chipwright_recursion::keys::KeySet;
use chipwright_recursion::layer::{Child, Layer, LayerError, Statement};

use crate::Square;

/// The proof that a layer verifies, once or more often.
#[derive(Debug)]
pub struct Below<'a, P: RecursiveField> {
    key: &'a VerifyingKey<P>,
    statement: Statement<Digest<P>>,
    proof: Proof<P>,
    copies: usize,
}

impl<'a, P: RecursiveField> Below<'a, P> {
    /// The proof of layer `number`, by layers that each verify so many copies of the proof below.
    ///
    /// # Errors
    ///
    /// Fails if a layer cannot be proven.
    pub fn climb(
        square: &Square<P>,
        base: &Proof<P>,
        keys: &KeySet<Digest<P>>,
        number: usize,
        copies: usize,
        layer: impl Fn(usize) -> &'a Layer<P>,
    ) -> Result<Self, LayerError> {
        let (key, publics) = (square.verifier.key(), square.publics());
        let (inputs, statement) = layer(1).inputs_over(key, &publics, base, keys.root(), false)?;
        let proof = layer(1).prove(&inputs)?;
        let mut below = Self { key: layer(1).key(), statement, proof, copies };
        for layer in (2..=number).map(layer) {
            let (inputs, statement) = below.inputs_above(layer, keys)?;
            below = Self { key: layer.key(), statement, proof: layer.prove(&inputs)?, copies };
        }
        Ok(below)
    }

    /// The inputs of a run of a layer that verifies the proof, and what that layer's proof says.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not have the shape that the layer verifies.
    pub fn inputs_above(
        &self,
        layer: &Layer<P>,
        keys: &KeySet<Digest<P>>,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        let child = || Child { key: self.key, statement: self.statement, proof: &self.proof };
        let children: Vec<_> = std::iter::repeat_with(child).take(self.copies).collect();
        layer.inputs_above(&children, keys, false)
    }
}
