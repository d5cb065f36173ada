//! Trees over shards of several kinds.
//!
//! The proofs of each kind have a shape of their own, and a first layer of their own that verifies one of them. All first
//! layers look alike, and so do all nodes of one level above them, whatever kinds stand below.
//!
//! ```text
//! level 4              root             pair
//!               ┌────────┴──────┐
//! level 3      node            node     pair
//!           ┌────┴────┐     ┌────┘
//! level 2  node      node  node         join
//!         ┌──┴──┐   ┌──┴──┐ │
//! level 1 over over over over over      the first layers, one circuit for each kind
//!         A    A    B    A   A          shards
//! ```
//!
//! A *join* leads from the shape of first layers to that of the layer that pairs; there may be several. The layer that
//! pairs verifies proofs of its own shape, up to the root.
//!
//! # Soundness
//!
//! Each layer takes the keys of the layer below it and no others of the set: keys of several shapes have places of their own in
//! it. What is claimed is linked as everywhere: neighbours have the same common values, and one starts where the other
//! ends, whatever their kinds are.

use std::sync::{Mutex, OnceLock, PoisonError};

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use rayon::prelude::*;

use super::ShardError;
use super::grow::{self, Spot, grow};
use super::parts::{Parts, StepShape};
use super::plan::{PlannedKey, TreePlan, TreeVerifier};
use super::settle::{KeyPlaces, TreeLayouts, Upper, first, first_layout, upper};
use crate::batch::{Digest, RecursiveField};
use crate::claims::{Claims, Expected, StepValues};
use crate::keys::KeySet;
use crate::layer::{Child, Layer, LayerError, Statement};
use crate::level::Level;
use crate::store::Store;

/// Proofs that a tree stands on: one kind of them.
#[derive(Clone, Debug)]
pub struct Base<'a, P: RecursiveField> {
    /// Their key.
    pub key: &'a VerifyingKey<P>,
    /// The base-2 logarithms of the heights of their tables.
    pub log_heights: &'a [usize],
    /// What they claim: steps.
    pub claims: Claims,
}

/// The kinds of proofs that a tree stands on. Their keys are made when they are asked for.
pub trait Bases<P: RecursiveField>: Sync {
    /// How many there are.
    fn kinds(&self) -> usize;

    /// A kind, by its number.
    ///
    /// # Errors
    ///
    /// Fails if there is none of the number, or its keys cannot be made.
    fn base(&self, kind: usize) -> Result<Base<'_, P>, ShardError>;
}

impl<P: RecursiveField> Bases<P> for [Base<'_, P>] {
    fn kinds(&self) -> usize {
        self.len()
    }

    fn base(&self, kind: usize) -> Result<Base<'_, P>, ShardError> {
        let base = self.get(kind).ok_or(ShardError::Kind { kind, kinds: self.len() })?;
        Ok(base.clone())
    }
}

/// A proof at the bottom of a tree.
#[derive(Debug)]
pub struct ShardLeaf<P: RecursiveField> {
    /// Which of the tree's bases it is of.
    pub kind: usize,
    /// The public values of every table.
    pub publics: Vec<Vec<P::Base>>,
    /// The proof.
    pub proof: Proof<P>,
}

/// What makes a leaf, on one of the tree's threads.
pub type LeafTask<'a, P> = Box<dyn FnOnce() -> Result<ShardLeaf<P>, ShardError> + Send + 'a>;

/// A node of a tree that was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Where it is. Level 1 has the first layers, each over one shard.
    pub spot: Spot,
    /// Whether its proof was found in the store.
    pub found: bool,
}

/// How a tree is proven.
pub struct Growth<'a> {
    /// How many threads make leaves and nodes at once.
    pub workers: usize,
    /// Where proofs are kept, and found again.
    pub store: Option<&'a Store>,
    /// Is told of each node that is proven.
    pub joined: &'a (dyn Fn(Joined) + Sync),
    /// Is asked before each node whether to go on.
    pub go_on: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Growth<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Growth").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// The one proof of a tree.
#[derive(Debug)]
pub struct ShardRoot<P: RecursiveField> {
    /// The number of levels.
    pub levels: usize,
    /// What the proof says.
    pub statement: Statement<Digest<P>>,
    /// The proof.
    pub proof: Proof<P>,
}

/// The circuits over shards of several kinds: those that a tree needs, made when it needs them.
#[derive(Debug)]
pub struct ShardTree<P: RecursiveField> {
    keys: KeySet<Digest<P>>,
    plan: TreePlan,
    firsts: Vec<OnceLock<First<P>>>,
    upper: OnceLock<Upper<P>>,
    /// Held while a circuit is made, so that nobody makes it a second time.
    making: Mutex<()>,
    shape: StepShape,
    config: Config,
}

/// A first layer, and the key of the proofs that it verifies.
#[derive(Debug)]
pub(crate) struct First<P: RecursiveField> {
    base: VerifyingKey<P>,
    layer: Layer<P>,
}

/// A proven node.
struct Node<P: RecursiveField> {
    /// The kind of the proof below, on the first level.
    kind: usize,
    spot: Spot,
    statement: Statement<Digest<P>>,
    proof: Proof<P>,
}

impl<P: RecursiveField> First<P> {
    fn new(
        bases: &dyn Bases<P>,
        kind: usize,
        layouts: &TreeLayouts,
        config: &Config,
    ) -> Result<Self, ShardError> {
        let draft = first(bases, kind, config)?.laid_out::<P>(Some(&layouts.first))?;
        let (base, layer) = (bases.base(kind)?.key.clone(), draft.compile()?);
        match layer.layout() {
            Some(layout) if *layout == layouts.first => Ok(Self { base, layer }),
            _ => Err(ShardError::Layout { kind }),
        }
    }
}

impl<P: RecursiveField> ShardTree<P> {
    /// The tree over proofs of some kinds, which all claim steps of one shape. All circuits are made, and their layouts
    /// are searched for.
    ///
    /// # Errors
    ///
    /// Fails if there are no kinds, if proofs of one of them cannot be verified in a circuit, or if layers do not come to a
    /// common shape.
    pub fn new(
        bases: &dyn Bases<P>,
        shape: StepShape,
        config: &Config,
    ) -> Result<Self, ShardError> {
        let firsts: Vec<OnceLock<First<P>>> = (0..bases.kinds()).map(|_| OnceLock::new()).collect();
        let keep = |kind: usize, first: First<P>| drop(firsts[kind].set(first));
        let (plan, upper) = P::plan_shard_tree(bases, None, config, &keep)?;
        let tree = Self::planned(plan, bases.kinds(), shape, config)?;
        Ok(Self { firsts, upper: OnceLock::from(upper), ..tree })
    }

    /// The plan of the tree over proofs of some kinds. All circuits are made, as many at once as there are threads, and none is kept. If
    /// layouts are given, no others are searched for. `told` is told of each kind that is done.
    ///
    /// # Errors
    ///
    /// As [`Self::new`], and if the circuits do not fit into the layouts that are given.
    pub fn plan_of(
        bases: &dyn Bases<P>,
        shape: &StepShape,
        layouts: Option<&TreeLayouts>,
        config: &Config,
        told: &(dyn Fn(usize) + Sync),
    ) -> Result<(TreePlan, TreeVerifier<P>), ShardError> {
        let drop = |kind: usize, first: First<P>| {
            drop(first);
            told(kind);
        };
        let (plan, upper) = P::plan_shard_tree(bases, layouts, config, &drop)?;
        let keys = plan.set::<P>(bases.kinds()).map_err(LayerError::from)?;
        let verifier = TreeVerifier::new(&upper.pair, &keys, shape.clone());
        Ok((plan, verifier))
    }

    pub(crate) fn plan_generic(
        bases: &dyn Bases<P>,
        layouts: Option<&TreeLayouts>,
        config: &Config,
        made: &(dyn Fn(usize, First<P>) + Sync),
    ) -> Result<(TreePlan, Upper<P>), ShardError> {
        let places = KeyPlaces::new(bases.kinds());
        if bases.kinds() == 0 {
            return Err(ShardError::NoKinds);
        }
        let (first, joins) = match layouts {
            Some(TreeLayouts { first, joins }) => (first.clone(), Some(joins.as_slice())),
            None => (first_layout(bases, config)?, None),
        };
        let layouts = TreeLayouts { first, joins: Vec::new() };
        let first = First::new(bases, 0, &layouts, config)?;
        let upper = upper(first.layer.under(), places, joins, config)?;
        let key = PlannedKey::of(&first.layer);
        made(0, first);
        let others = (1..bases.kinds()).into_par_iter().map(|kind| {
            let first = First::new(bases, kind, &layouts, config)?;
            let key = PlannedKey::of(&first.layer);
            made(kind, first);
            Ok(key)
        });
        let others: Vec<PlannedKey> = others.collect::<Result<_, ShardError>>()?;
        let firsts = [key].into_iter().chain(others).collect();
        let joins = upper.joins.iter().filter_map(|join| join.layout().cloned()).collect();
        let layouts = TreeLayouts { joins, ..layouts };
        let planned = upper.joins.iter().map(PlannedKey::of).collect();
        let keys = KeyPlaces::order(PlannedKey::of(&upper.pair), planned, firsts);
        Ok((TreePlan { layouts, keys }, upper))
    }

    /// The tree of a plan over so many kinds. Circuits are made when they are needed.
    ///
    /// # Errors
    ///
    /// Fails if the plan is none of so many kinds.
    pub fn planned(
        plan: TreePlan,
        kinds: usize,
        shape: StepShape,
        config: &Config,
    ) -> Result<Self, ShardError> {
        let keys = plan.set::<P>(kinds).map_err(LayerError::from)?;
        Ok(Self {
            keys,
            plan,
            firsts: (0..kinds).map(|_| OnceLock::new()).collect(),
            upper: OnceLock::new(),
            making: Mutex::new(()),
            shape,
            config: config.clone(),
        })
    }

    /// The plan.
    pub fn plan(&self) -> &TreePlan {
        &self.plan
    }

    /// The keys of all layers.
    pub fn keys(&self) -> &KeySet<Digest<P>> {
        &self.keys
    }

    /// The parts of a step, which the last proof has as digests: [`StepShape::common`] under [`Domain::Common`] and
    /// [`StepShape::state`] under [`Domain::State`].
    ///
    /// [`Domain::Common`]: crate::keys::Domain::Common
    /// [`Domain::State`]: crate::keys::Domain::State
    pub fn shape(&self) -> &StepShape {
        &self.shape
    }

    fn first(&self, bases: &dyn Bases<P>, kind: usize) -> Result<&First<P>, ShardError> {
        let kinds = self.firsts.len();
        let place = self.firsts.get(kind).ok_or(ShardError::Kind { kind, kinds })?;
        if let Some(first) = place.get() {
            return Ok(first);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = place.get() {
            return Ok(first);
        }
        let first = First::new(bases, kind, &self.plan.layouts, &self.config)?;
        Ok(place.get_or_init(|| first))
    }

    fn upper(&self, first: &Layer<P>) -> Result<&Upper<P>, ShardError> {
        if let Some(upper) = self.upper.get() {
            return Ok(upper);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(upper) = self.upper.get() {
            return Ok(upper);
        }
        let places = KeyPlaces::new(self.firsts.len());
        let joins = Some(self.plan.layouts.joins.as_slice());
        let made = upper(first.under(), places, joins, &self.config)?;
        Ok(self.upper.get_or_init(|| made))
    }

    /// The layer of every tree's last proof, if it was made.
    pub fn top(&self) -> Option<&Layer<P>> {
        self.upper.get().map(|upper| &upper.pair)
    }

    /// The first layer over proofs of a kind.
    ///
    /// # Errors
    ///
    /// Fails if there is no such kind, or the circuit does not fit into its layout.
    pub fn over(&self, bases: &dyn Bases<P>, kind: usize) -> Result<&Layer<P>, ShardError> {
        Ok(&self.first(bases, kind)?.layer)
    }

    /// The layer of the nodes of a level above the first, if it was made.
    pub fn above(&self, level: usize) -> Option<&Layer<P>> {
        let upper = self.upper.get()?;
        Some(upper.joins.get(level.checked_sub(2)?).unwrap_or(&upper.pair))
    }

    /// The verifier of the tree's last proofs. The circuits above those of a kind are made.
    ///
    /// # Errors
    ///
    /// Fails if a circuit does not fit into its layout.
    pub fn verifier(&self, bases: &dyn Bases<P>) -> Result<TreeVerifier<P>, ShardError> {
        let upper = self.upper(&self.first(bases, 0)?.layer)?;
        Ok(TreeVerifier::new(&upper.pair, &self.keys, self.shape.clone()))
    }

    /// What to expect of a proof that shards with these common values lead from one state to another.
    ///
    /// # Errors
    ///
    /// Fails if these are not the parts of a step.
    pub fn expected(
        &self,
        [common, first, last]: [&Parts; 3],
    ) -> Result<Expected<Digest<P>>, ShardError> {
        let common = self.shape.common::<P>(common)?;
        let [first, last] = [self.shape.state::<P>(first)?, self.shape.state::<P>(last)?];
        Ok(StepValues::expect::<P>(&common, &first, &last))
    }

    /// The number of levels of a tree over so many shards.
    pub fn height(&self, shards: usize) -> usize {
        grow::height(shards, 2 + self.plan.layouts.joins.len())
    }

    /// Makes one proof of the proofs of shards that follow each other, while these are made. With a store, proofs that were
    /// made before are found there, and those that are made are kept.
    ///
    /// # Errors
    ///
    /// Fails if there are none, they do not follow each other, one is not valid or cannot be made, or a proof cannot be
    /// written; and as soon as `go_on` says no.
    pub fn prove(
        &self,
        bases: &dyn Bases<P>,
        leaves: &mut (dyn Iterator<Item = Result<LeafTask<'_, P>, ShardError>> + Send),
        growth: &Growth<'_>,
    ) -> Result<ShardRoot<P>, ShardError> {
        P::prove_shard_tree(self, bases, leaves, growth)
    }

    pub(crate) fn prove_generic<'a>(
        &self,
        bases: &dyn Bases<P>,
        leaves: &mut (dyn Iterator<Item = Result<LeafTask<'a, P>, ShardError>> + Send),
        growth: &Growth<'_>,
    ) -> Result<ShardRoot<P>, ShardError> {
        let Growth { workers, store, joined, go_on } = *growth;
        let ask = || if go_on() { Ok(()) } else { Err(ShardError::Cancelled) };
        let leaf = |number: usize, task: LeafTask<'a, P>| {
            ask()?;
            let of = ShardError::of(number);
            let ShardLeaf { kind, publics, proof } = task()?;
            ask()?;
            let First { base, layer } = self.first(bases, kind).map_err(&of)?;
            let keys = self.keys.root();
            let (inputs, statement) = layer
                .inputs_over(base, &publics, &proof, keys, false)
                .map_err(|error| of(error.into()))?;
            drop(proof);
            let made = Store::find_or_prove(store, layer, &statement, &inputs);
            let (proof, found) = made.map_err(|error| of(error.into()))?;
            let spot = Spot { level: 1, index: number };
            joined(Joined { spot, found });
            Ok(Node { kind, spot, statement, proof })
        };
        let join = |spot: Spot, is_root: bool, below: Vec<Node<P>>| {
            ask()?;
            let kind = below.first().map_or(0, |node| node.kind);
            let upper = self.upper(&self.first(bases, kind)?.layer)?;
            let layer = upper.joins.get(spot.level - 2).unwrap_or(&upper.pair);
            let children = below.iter().map(|Node { kind, spot, statement, proof }| {
                let layer = match spot.level {
                    1 => &self.first(bases, *kind)?.layer,
                    level => upper.joins.get(level - 2).unwrap_or(&upper.pair),
                };
                Ok(Child { key: layer.key(), statement: *statement, proof })
            });
            let children: Vec<Child<'_, P>> = children.collect::<Result<_, ShardError>>()?;
            let (inputs, statement) = layer.inputs_above(&children, &self.keys, is_root)?;
            drop(children);
            let (proof, found) = Store::find_or_prove(store, layer, &statement, &inputs)?;
            joined(Joined { spot, found });
            Ok(Node { kind, spot, statement, proof })
        };
        let least = self.height(1);
        let root = grow(leaves, (workers, least), leaf, join)?.ok_or(ShardError::Empty)?;
        Ok(ShardRoot { levels: root.spot.level, statement: root.statement, proof: root.proof })
    }

    /// Verifies that shards with these common values lead from one state to another. Tells what the proof is worth with all
    /// that it stands on.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not prove it.
    pub fn verify(
        &self,
        bases: &dyn Bases<P>,
        step: [&Parts; 3],
        proof: &Proof<P>,
    ) -> Result<Level, ShardError> {
        self.verifier(bases)?.verify(step, proof)
    }
}
