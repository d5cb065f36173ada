//! The fields whose proofs can be verified in circuits: those with a proof system whose hash a chip computes.

use chipwright_backend_stark::config::StarkField;
use chipwright_chips::recursion::HashField;
use p3_commit::Mmcs;
use p3_field::{Field, PackedValue};
use p3_matrix::Dimensions;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{CryptographicHasher, PseudoCompressionFunction};
use serde::{Serialize, de::DeserializeOwned};

use crate::compiled::Compiled;

/// A field whose proofs can be verified in circuits over it. There is nothing to implement: it needs a proof system
/// with trees of four children a node, and the chip of its hash.
pub trait RecursiveField: Compiled + StarkField<Mmcs: CapTree<Self::Base>> + HashField {}

impl<P> RecursiveField for P
where
    P: Compiled + StarkField + HashField,
    P::Mmcs: CapTree<P::Base>,
{
}

/// A digest over a field.
pub type Digest<P> = <P as HashField>::Digest;

/// A commitment, as Plonky3 knows it.
pub(crate) type Cap<P> =
    <<P as StarkField>::Mmcs as Mmcs<<P as chipwright_ir::FieldPair>::Base>>::Commitment;

/// What a circuit's witness takes of a tree hash.
pub trait CapTree<F: Field>: Mmcs<F> {
    /// The elements of a commitment, digest by digest.
    fn elements(cap: &Self::Commitment) -> Vec<F>;

    /// The siblings of each leaf's path, from a proof that shares them among leaves.
    ///
    /// # Errors
    ///
    /// Gives the reason why the proof does not have the shape of these leaves.
    fn siblings(
        &self,
        dimensions: &[Dimensions],
        leaves: &[usize],
        opened: &[Vec<Vec<F>>],
        proof: &Self::MultiProof,
    ) -> Result<Vec<Vec<F>>, String>;
}

impl<F, V, H, C, const D: usize> CapTree<F> for MerkleTreeMmcs<V, V, H, C, 4, D>
where
    F: Field,
    V: PackedValue<Value = F>,
    H: CryptographicHasher<F, [F; D]> + CryptographicHasher<V, [V; D]> + Sync,
    C: PseudoCompressionFunction<[F; D], 4> + PseudoCompressionFunction<[V; D], 4> + Sync,
    [F; D]: Serialize + DeserializeOwned,
{
    fn elements(cap: &Self::Commitment) -> Vec<F> {
        cap.roots().iter().flatten().copied().collect()
    }

    fn siblings(
        &self,
        dimensions: &[Dimensions],
        leaves: &[usize],
        opened: &[Vec<Vec<F>>],
        proof: &Self::MultiProof,
    ) -> Result<Vec<Vec<F>>, String> {
        let paths = self.restore_and_recompute_paths(dimensions, leaves, opened, proof);
        let paths = paths.map_err(|error| error.to_string())?;
        Ok(paths.into_iter().map(|path| path.siblings.into_flattened()).collect())
    }
}
