//! The menu of a virtual machine with its keys: proving the shards of a run, and verifying them.

use std::sync::{Mutex, OnceLock, PoisonError};

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof;

use super::error::ShardError;
use super::kind::{CompiledKind, Kind};
use super::parts::{Named, PartsError, StepShape};
use super::pipeline::in_order;
use super::tree::{Base, Bases, Growth, Joined, LeafTask, ShardLeaf, ShardRoot, ShardTree};
use super::{Parts, VirtualMachine};
use crate::store::Store;

/// The kinds of shards of a virtual machine, with their keys.
#[derive(Debug)]
pub struct Menu<'a, V: VirtualMachine> {
    vm: &'a V,
    config: Config,
    kinds: Vec<Kind>,
    shape: StepShape,
    /// The kinds with their keys, made when they are needed.
    keys: Vec<OnceLock<CompiledKind<V::Field>>>,
    /// Held while keys are made, so that nobody makes them a second time.
    making: Mutex<()>,
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
    fn joined(&self, joined: Joined) {
        let _ = joined;
    }

    /// Whether to stop: asked before every proof.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody.
impl Observer for () {}

impl<'a, V: VirtualMachine> Menu<'a, V> {
    /// The menu of a virtual machine, whose proofs are under a configuration.
    ///
    /// # Errors
    ///
    /// Fails if it is empty, or if its kinds do not make the same steps.
    pub fn new(vm: &'a V, config: &Config) -> Result<Self, ShardError> {
        let kinds = vm.menu();
        let first = kinds.first().ok_or(ShardError::NoKinds)?;
        let shape = StepShape::of(&first.machine)?;
        for other in &kinds {
            if let Some(what) = shape.difference(&StepShape::of(&other.machine)?) {
                let (first, second) = (first.name.clone(), other.name.clone());
                return Err(PartsError::Menu { first, second, what }.into());
            }
        }
        let keys = kinds.iter().map(|_| OnceLock::new()).collect();
        let in_flight = rayon::current_num_threads();
        Ok(Self {
            vm,
            config: config.clone(),
            kinds,
            shape,
            keys,
            making: Mutex::new(()),
            in_flight,
        })
    }

    /// With so many shards in memory at most, executed and not yet proven; as many are proven at once. By default there are as
    /// many as threads. Each proof uses all threads, so large shards need few.
    #[must_use]
    pub fn with_in_flight(self, in_flight: usize) -> Self {
        Self { in_flight, ..self }
    }

    /// The kinds, in the order of the menu.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The parts of a step.
    pub fn shape(&self) -> &StepShape {
        &self.shape
    }

    /// A kind with its keys, by its position. They are made when they are first asked for.
    ///
    /// # Errors
    ///
    /// Fails if the kind is not on the menu, or cannot be compiled.
    pub fn kind(&self, kind: usize) -> Result<&CompiledKind<V::Field>, ShardError> {
        let kinds = self.kinds.len();
        let (Some(entry), Some(keys)) = (self.kinds.get(kind), self.keys.get(kind)) else {
            return Err(ShardError::Kind { kind, kinds });
        };
        if let Some(keys) = keys.get() {
            return Ok(keys);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = keys.get() {
            return Ok(keys);
        }
        let compiled = CompiledKind::new(entry, &self.config)?;
        Ok(keys.get_or_init(|| compiled))
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
            let proven = self.prove_shard(program, input, &common, shard);
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
        input: &V::Input,
        common: &Parts,
        shard: V::Shard,
    ) -> Result<ProvenShard<V>, ShardError> {
        let number = self.vm.kind(&shard);
        let kind = self.kind(number)?;
        let (before, after) = self.vm.states(&shard);
        let rows = self.vm.rows(program, input, &shard);
        let rows = rows.map_err(|error| ShardError::Rows(Box::new(error)))?;
        drop(shard);
        let trace = kind.trace(rows, [common, &before.parts(), &after.parts()])?;
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
        shards: Vec<ProvenShard<V>>,
        store: Option<&Store>,
        observer: &impl Observer,
    ) -> Result<ShardRoot<V::Field>, ShardError> {
        let common = common.parts();
        let (menu, common) = (self, &common);
        let mut leaves = shards.into_iter().enumerate().map(|(number, shard)| {
            let task: LeafTask<'_, V::Field> =
                Box::new(move || menu.leaf(common, shard).map_err(ShardError::of(number)));
            Ok(task)
        });
        self.grow(tree, &mut leaves, store, observer)
    }

    /// Proves a run and makes one proof of it, while it is executed: shards are executed, proven and joined at the same time.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::prove`] and [`Self::compress`] do.
    pub fn prove_compressed(
        &self,
        tree: &ShardTree<V::Field>,
        program: &V::Program,
        input: &V::Input,
        store: Option<&Store>,
        observer: &impl Observer,
    ) -> Result<ShardRoot<V::Field>, ShardError> {
        let common = self.vm.common(program, input).parts();
        let (menu, common) = (self, &common);
        let mut leaves = self.vm.shards(program, input).enumerate().map(|(shard, executed)| {
            let executed = executed
                .map_err(|error| ShardError::Execution { shard, error: Box::new(error) })?;
            let task: LeafTask<'_, V::Field> = Box::new(move || {
                observer.executed(shard, menu.vm.kind(&executed));
                let proven = menu.prove_shard(program, input, common, executed);
                let leaf = proven.and_then(|proven| {
                    observer.proven(shard);
                    menu.leaf(common, proven)
                });
                leaf.map_err(ShardError::of(shard))
            });
            Ok(task)
        });
        self.grow(tree, &mut leaves, store, observer)
    }

    fn leaf(
        &self,
        common: &Parts,
        shard: ProvenShard<V>,
    ) -> Result<ShardLeaf<V::Field>, ShardError> {
        let ProvenShard { kind, before, after, proof } = shard;
        let publics = self.kind(kind)?.publics([common, &before.parts(), &after.parts()])?;
        Ok(ShardLeaf { kind, publics, proof })
    }

    fn grow(
        &self,
        tree: &ShardTree<V::Field>,
        leaves: &mut (dyn Iterator<Item = Result<LeafTask<'_, V::Field>, ShardError>> + Send),
        store: Option<&Store>,
        observer: &impl Observer,
    ) -> Result<ShardRoot<V::Field>, ShardError> {
        let growth = Growth {
            workers: self.in_flight,
            store,
            joined: &|joined| observer.joined(joined),
            go_on: &|| !observer.is_cancelled(),
        };
        tree.prove(self, leaves, &growth)
    }

    /// The tree over shards of all kinds: the circuits that make one proof of theirs.
    ///
    /// # Errors
    ///
    /// Fails if proofs of some kind cannot be verified in a circuit, or if layers do not come to a common shape.
    pub fn tree(&self, config: &Config) -> Result<ShardTree<V::Field>, ShardError> {
        ShardTree::new(self, self.shape().clone(), config)
    }
}

impl<V: VirtualMachine> Bases<V::Field> for Menu<'_, V> {
    fn kinds(&self) -> usize {
        self.kinds.len()
    }

    fn base(&self, kind: usize) -> Result<Base<'_, V::Field>, ShardError> {
        Ok(self.kind(kind)?.base())
    }
}
