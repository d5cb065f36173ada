//! The menu of a virtual machine with its keys: proving the shards of a run, and verifying them.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof;

use super::error::ShardError;
use super::kind::CompiledKind;
use super::parts::{Named, PartsError, StepShape};
use super::pipeline::in_order;
use super::tree::{Base, ShardLeaf, ShardRoot, ShardTree};
use super::{Parts, VirtualMachine};
use crate::store::Store;
use crate::tree::Grown;

/// The kinds of shards of a virtual machine, with their keys.
#[derive(Debug)]
pub struct Menu<'a, V: VirtualMachine> {
    vm: &'a V,
    kinds: Vec<CompiledKind<V::Field>>,
    in_flight: usize,
}

/// A proof that the machine goes from one state to another.
#[derive(Debug)]
pub struct ProvenShard<V: VirtualMachine> {
    /// The kind, by its position on the menu.
    pub kind: usize,
    /// What it starts from.
    pub before: V::State,
    /// What it leaves.
    pub after: V::State,
    /// The proof.
    pub proof: Proof<V::Field>,
}

/// Who watches shards being proven, and may stop that. Shards are told as they are done, from several threads.
pub trait Observer: Sync {
    /// A shard, counted from 0, is executed and about to be proven.
    fn executed(&self, shard: usize, kind: usize) {
        let _ = (shard, kind);
    }

    /// A shard is proven.
    fn proven(&self, shard: usize) {
        let _ = shard;
    }

    /// A node of the tree over the shards is proven.
    fn grown(&self, grown: Grown) {
        let _ = grown;
    }

    /// Whether to stop: asked before every proof.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody.
impl Observer for () {}

impl<'a, V: VirtualMachine> Menu<'a, V> {
    /// Compiles all kinds.
    ///
    /// # Errors
    ///
    /// Fails if there are none, if one cannot be compiled, or if they do not make the same steps.
    pub fn new(vm: &'a V, config: &Config) -> Result<Self, ShardError> {
        let kinds = vm.menu();
        let kinds: Vec<CompiledKind<V::Field>> =
            kinds.iter().map(|kind| CompiledKind::new(kind, config)).collect::<Result<_, _>>()?;
        let first = kinds.first().ok_or(ShardError::NoKinds)?;
        for other in &kinds {
            if let Some(what) = first.shape().difference(other.shape()) {
                let (first, second) = (first.name().to_owned(), other.name().to_owned());
                return Err(PartsError::Menu { first, second, what }.into());
            }
        }
        Ok(Self { vm, kinds, in_flight: rayon::current_num_threads() })
    }

    /// With so many shards in memory at most, executed and not yet proven; as many are proven at once. By default there are as
    /// many as threads. Each proof uses all threads, so large shards need few.
    #[must_use]
    pub fn with_in_flight(self, in_flight: usize) -> Self {
        Self { in_flight, ..self }
    }

    /// The kinds, in the order of the menu.
    pub fn kinds(&self) -> &[CompiledKind<V::Field>] {
        &self.kinds
    }

    /// The parts of a step.
    pub fn shape(&self) -> &StepShape {
        self.kinds[0].shape()
    }

    /// A kind by its position.
    ///
    /// # Errors
    ///
    /// Fails if it is not on the menu.
    pub fn kind(&self, kind: usize) -> Result<&CompiledKind<V::Field>, ShardError> {
        let kinds = self.kinds.len();
        self.kinds.get(kind).ok_or(ShardError::Kind { kind, kinds })
    }

    /// Proves the shards of a run while it is executed. A shard's proof depends on nothing but the shard.
    ///
    /// # Errors
    ///
    /// Fails at the first shard that cannot be executed or proven, or if the observer asks to stop.
    pub fn prove(
        &self,
        program: &V::Program,
        input: &V::Input,
        observer: &impl Observer,
    ) -> Result<Vec<ProvenShard<V>>, ShardError> {
        let common = self.vm.common(program, input).parts();
        let shards = self.vm.shards(program, input).enumerate().map(|(shard, executed)| {
            executed.map_err(|error| ShardError::Execution { shard, error: Box::new(error) })
        });
        in_order(shards, self.in_flight, |number, shard| {
            if observer.is_cancelled() {
                return Err(ShardError::Cancelled);
            }
            observer.executed(number, self.vm.kind(&shard));
            let proven = self.prove_shard(program, &common, shard);
            let proven = proven.map_err(ShardError::of(number))?;
            observer.proven(number);
            Ok(proven)
        })
    }

    /// Proves one shard.
    ///
    /// # Errors
    ///
    /// Fails if its kind is not on the menu, or if it is none of its kind.
    pub fn prove_shard(
        &self,
        program: &V::Program,
        common: &Parts,
        shard: V::Shard,
    ) -> Result<ProvenShard<V>, ShardError> {
        let number = self.vm.kind(&shard);
        let kind = self.kind(number)?;
        let (before, after) = self.vm.states(&shard);
        let input = self.vm.input(program, &shard);
        // What follows takes more memory than anything before.
        drop(shard);
        let trace = kind.trace(input, [common, &before.parts(), &after.parts()])?;
        let proof = kind.prove(trace)?;
        Ok(ProvenShard { kind: number, before, after, proof })
    }

    /// Verifies that shards lead from one state to another.
    ///
    /// # Errors
    ///
    /// Says which shard does not follow the one before, or is not proven.
    pub fn verify(
        &self,
        common: &V::Common,
        first: &V::State,
        last: &V::State,
        shards: &[ProvenShard<V>],
    ) -> Result<(), ShardError> {
        let common = common.parts();
        let mut state = first;
        if shards.is_empty() {
            return Err(ShardError::Empty);
        }
        for (number, ProvenShard { kind, before, after, proof }) in shards.iter().enumerate() {
            if before != state {
                return Err(if number == 0 {
                    ShardError::Start
                } else {
                    ShardError::Apart(number)
                });
            }
            let step = [&common, &before.parts(), &after.parts()];
            self.kind(*kind)
                .and_then(|kind| kind.verify(step, proof))
                .map_err(ShardError::of(number))?;
            state = after;
        }
        if state == last { Ok(()) } else { Err(ShardError::End) }
    }

    /// Makes one proof of the proofs of shards that follow each other.
    ///
    /// # Errors
    ///
    /// Fails if there are none, they do not follow each other, or one is not valid; and as soon as the observer asks to stop.
    pub fn compress(
        &self,
        tree: &ShardTree<V::Field>,
        common: &V::Common,
        shards: &[ProvenShard<V>],
        store: Option<&Store>,
        observer: &impl Observer,
    ) -> Result<ShardRoot<V::Field>, ShardError> {
        let common = common.parts();
        let leaf = |(number, shard): (usize, &'_ ProvenShard<V>)| {
            let ProvenShard { kind, before, after, .. } = shard;
            let step = [&common, &before.parts(), &after.parts()];
            let publics = self.kind(*kind).and_then(|kind| kind.publics(step));
            publics.map_err(ShardError::of(number))
        };
        let publics: Vec<_> = shards.iter().enumerate().map(leaf).collect::<Result<_, _>>()?;
        let leaves: Vec<ShardLeaf<'_, V::Field>> = shards
            .iter()
            .zip(publics)
            .map(|(shard, publics)| ShardLeaf { kind: shard.kind, publics, proof: &shard.proof })
            .collect();
        tree.prove(&leaves, store, &|told| observer.grown(told), &|| !observer.is_cancelled())
    }

    /// The tree over shards of all kinds: the circuits that make one proof of theirs.
    ///
    /// # Errors
    ///
    /// Fails if proofs of some kind cannot be verified in a circuit, or if layers do not come to a common shape.
    pub fn tree(&self, config: &Config) -> Result<ShardTree<V::Field>, ShardError> {
        let bases: Vec<Base<'_, V::Field>> = self
            .kinds
            .iter()
            .map(|kind| Base {
                key: kind.key(),
                log_heights: kind.log_heights(),
                claims: kind.claims(),
            })
            .collect();
        Ok(ShardTree::new(&bases, self.shape().clone(), config)?)
    }
}
