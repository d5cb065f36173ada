//! Layers, chains and trees, compiled once for each field.
//!
//! Layers verify natively what their circuits verify, hash, and prove on all threads: a lot of code for each field, which
//! those who are generic over a [`RecursiveField`] call but do not compile (`chipwright_ir::compiled_for!`).

use chipwright_backend_stark::config::{Config, Stark};
use chipwright_backend_stark::key::{KeyShape, VerifyingKey};
use chipwright_backend_stark::proof::Proof;
use chipwright_dsl::circuit::{CircuitBuilder, Target};
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_ir::{FieldPair, compiled_for};

use crate::WitnessError;
use crate::batch::{BatchShape, ChildKey, Digest, ProofData, ShapeError, verify_generic};
use crate::chain::Chain;
use crate::claims::Claims;
use crate::field::RecursiveField;
use crate::keys::{Domain, KeySet, digest_generic, key_digest_generic, parent_generic};
use crate::layer::{Child, Layer, LayerError, Statement};
use crate::shard::{
    Bases, First, Growth, LeafTask, ShardError, ShardRoot, ShardTree, TreeLayouts, TreePlan, Upper,
};
use crate::store::Store;
use crate::tree::{Grown, Leaf, Root, Tree};

type Element<P> = <P as FieldPair>::Base;

compiled_for! {
    [Goldilocks2, Goldilocks3, KoalaBear4]
    /// What this crate computes over a field.
    pub trait Compiled where Self: RecursiveField {
        fn batch_shape(
            key: &KeyShape<Self>,
            log_heights: &[usize],
        ) -> Result<BatchShape, ShapeError> {
            BatchShape::new_generic(key, log_heights)
        }

        fn verify_in_circuit(
            builder: &mut CircuitBuilder,
            shape: &BatchShape,
            key: &ChildKey<Target>,
            publics: &[Vec<Target>],
        ) -> Result<ProofData, ShapeError> {
            verify_generic::<Self>(builder, shape, key, publics)
        }

        fn witness(
            data: &ProofData,
            shape: &BatchShape,
            key: &VerifyingKey<Self>,
            publics: &[Vec<Element<Self>>],
            proof: &Proof<Self>,
        ) -> Result<Vec<Vec<u64>>, WitnessError> {
            data.witness_generic(shape, key, publics, proof)
        }

        fn foreign_witness(
            data: &ProofData,
            shape: &BatchShape,
            key: &ChildKey<Element<Self>>,
            publics: &[Element<Self>],
            proof: &p3_uni_stark::Proof<Stark<Self>>,
        ) -> Result<Vec<Vec<u64>>, WitnessError> {
            data.foreign_witness_generic::<Self>(shape, key, publics, proof)
        }

        fn digest_elements(domain: Domain, elements: &[Element<Self>]) -> Digest<Self> {
            digest_generic::<Self>(domain, elements)
        }

        fn digest_key(key: &VerifyingKey<Self>) -> Digest<Self> {
            key_digest_generic(key)
        }

        fn digest_children(children: &[Digest<Self>]) -> Digest<Self> {
            parent_generic::<Self>(children)
        }

        fn layer_over_shape(
            shape: BatchShape,
            key: &ChildKey<Element<Self>>,
            claims: &Claims,
            config: &Config,
        ) -> Result<Layer<Self>, LayerError> {
            Layer::over_shape_generic(shape, key, claims, config)
        }

        fn layer_above(layers: &[&Layer<Self>], config: &Config) -> Result<Layer<Self>, LayerError> {
            Layer::above_generic(layers, config)
        }

        fn layer_pair(layer: &Layer<Self>, config: &Config) -> Result<Layer<Self>, LayerError> {
            Layer::pair_generic(layer, config)
        }

        fn inputs_over(
            layer: &Layer<Self>,
            key: &VerifyingKey<Self>,
            publics: &[Vec<Element<Self>>],
            proof: &Proof<Self>,
            keys: Digest<Self>,
            complete: bool,
        ) -> Result<(Inputs, Statement<Digest<Self>>), LayerError> {
            layer.inputs_over_generic(key, publics, proof, keys, complete)
        }

        fn inputs_over_foreign(
            layer: &Layer<Self>,
            key: &ChildKey<Element<Self>>,
            publics: &[Element<Self>],
            proof: &p3_uni_stark::Proof<Stark<Self>>,
            keys: Digest<Self>,
            complete: bool,
        ) -> Result<(Inputs, Statement<Digest<Self>>), LayerError> {
            layer.inputs_over_foreign_generic(key, publics, proof, keys, complete)
        }

        fn inputs_above(
            layer: &Layer<Self>,
            children: &[Child<'_, Self>],
            keys: &KeySet<Digest<Self>>,
            complete: bool,
        ) -> Result<(Inputs, Statement<Digest<Self>>), LayerError> {
            layer.inputs_above_generic(children, keys, complete)
        }

        fn chain(
            key: &VerifyingKey<Self>,
            log_heights: &[usize],
            config: &Config,
            most: usize,
        ) -> Result<Chain<Self>, LayerError> {
            Chain::new_generic(key, log_heights, config, most)
        }

        fn prove_chain(
            chain: &Chain<Self>,
            key: &VerifyingKey<Self>,
            publics: &[Vec<Element<Self>>],
            proof: &Proof<Self>,
            count: usize,
        ) -> Result<(Statement<Digest<Self>>, Proof<Self>), LayerError> {
            chain.prove_generic(key, publics, proof, count)
        }

        fn tree(
            key: &VerifyingKey<Self>,
            log_heights: &[usize],
            claims: Claims,
            config: &Config,
        ) -> Result<Tree<Self>, LayerError> {
            Tree::new_generic(key, log_heights, claims, config)
        }

        fn shrunk_tree(tree: Tree<Self>, config: &Config) -> Result<Tree<Self>, LayerError> {
            tree.shrunk_generic(config)
        }

        fn prove_tree(
            tree: &Tree<Self>,
            key: &VerifyingKey<Self>,
            leaves: &[Leaf<Self>],
            store: Option<&Store>,
            grown: &(dyn Fn(Grown) + Sync),
        ) -> Result<Root<Self>, LayerError> {
            tree.prove_generic(key, leaves, store, grown)
        }

        fn plan_shard_tree(
            bases: &dyn Bases<Self>,
            layouts: Option<&TreeLayouts>,
            config: &Config,
            made: &(dyn Fn(usize, First<Self>) + Sync),
        ) -> Result<(TreePlan, Upper<Self>), ShardError> {
            ShardTree::plan_generic(bases, layouts, config, made)
        }

        fn prove_shard_tree(
            tree: &ShardTree<Self>,
            bases: &dyn Bases<Self>,
            leaves: &mut (dyn Iterator<Item = Result<LeafTask<'_, Self>, ShardError>> + Send),
            growth: &Growth<'_>,
        ) -> Result<ShardRoot<Self>, ShardError> {
            tree.prove_generic(bases, leaves, growth)
        }
    }
}
