//! Trees over shards of several kinds.
//!
//! The proofs of each kind have a shape of their own. A *ladder* brings them to the shape that layers over layers settle on:
//! its first layer verifies one proof of the kind, each further one two neighbours of the layer before, or one alone. From
//! there on all nodes look alike, whatever stands below them, and one circuit pairs them up to the root, and itself.
//!
//! ```text
//!                            root                  pair
//!                 ┌───────────┴──────────┐
//!               node                   node        pair
//!           ┌─────┴─────┐          ┌─────┘
//!         node        node       node              the last layers of the ladders
//!        ┌──┴──┐        │       ┌──┴──┐
//!       over  over     over    over  over          the first layers, one for each kind
//!        A     A        B       A     A            shards
//! ```
//!
//! # Soundness
//!
//! Each layer takes the keys of the layer below it and no others of the set: keys of several shapes have places of their own in
//! it. What is claimed is linked as everywhere: neighbours have the same common values, and one starts where the other
//! ends, whatever their kinds are.

use std::sync::atomic::{AtomicUsize, Ordering};

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof;
use rayon::prelude::*;

use super::ShardError;
use super::parts::{Parts, StepShape};
use super::settle::{KeyPlaces, Settled, settle};
use crate::batch::{Digest, RecursiveField};
use crate::claims::{Claims, Expected, StepValues};
use crate::keys::KeySet;
use crate::layer::{Child, Layer, LayerError, Statement};
use crate::level::Level;
use crate::store::Store;
use crate::tree::Grown;

/// Proofs that a tree stands on: one kind of them.
#[derive(Debug)]
pub struct Base<'a, P: RecursiveField> {
    /// Their key.
    pub key: &'a VerifyingKey<P>,
    /// The base-2 logarithms of the heights of their tables.
    pub log_heights: &'a [usize],
    /// What they claim: steps.
    pub claims: Claims,
}

/// A proof at the bottom of a tree.
#[derive(Debug)]
pub struct ShardLeaf<'a, P: RecursiveField> {
    /// Which of the tree's bases it is of.
    pub kind: usize,
    /// The public values of every table.
    pub publics: Vec<Vec<P::Base>>,
    /// The proof.
    pub proof: &'a Proof<P>,
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

/// The circuits over shards of several kinds.
#[derive(Debug)]
pub struct ShardTree<P: RecursiveField> {
    ladders: Vec<Ladder<P>>,
    /// The layer over two of the common shape, which has that shape itself.
    pair: Layer<P>,
    keys: KeySet<Digest<P>>,
    shape: StepShape,
}

/// The layers from the proofs of one kind to the common shape.
#[derive(Debug)]
struct Ladder<P: RecursiveField> {
    base: VerifyingKey<P>,
    /// The first verifies a proof of the kind; the last one has the common shape.
    rungs: Vec<Layer<P>>,
}

/// A node of a tree that grows.
struct Node<P: RecursiveField> {
    place: Place,
    statement: Statement<Digest<P>>,
    proof: Proof<P>,
}

/// Which layer a node is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A layer of a ladder, by kind and rung.
    Rung(usize, usize),
    /// The layer that pairs.
    Pair,
}

/// What is to be proven next.
enum Task<P: RecursiveField> {
    /// Nothing: the others have to come to the common shape first.
    Wait(Node<P>),
    /// A layer over one node or two.
    Prove(Place, Vec<Node<P>>),
}

impl<P: RecursiveField> ShardTree<P> {
    /// The tree over proofs of some kinds, which all claim steps of one shape.
    ///
    /// # Errors
    ///
    /// Fails if there are no kinds, if proofs of one of them cannot be verified in a circuit, or if layers do not come to a
    /// common shape.
    pub fn new(
        bases: &[Base<'_, P>],
        shape: StepShape,
        config: &Config,
    ) -> Result<Self, LayerError> {
        P::shard_tree(bases, shape, config)
    }

    pub(crate) fn new_generic(
        bases: &[Base<'_, P>],
        shape: StepShape,
        config: &Config,
    ) -> Result<Self, LayerError> {
        let mut places = KeyPlaces::new(bases.len());
        let first =
            |base: &Base<'_, P>| Layer::over(base.key, base.log_heights, &base.claims, config);
        let firsts: Vec<Layer<P>> = bases.iter().map(first).collect::<Result<_, _>>()?;
        let Settled { ladders, pair } = settle(&firsts, &mut places, config)?;
        let ladders: Vec<Ladder<P>> = bases
            .iter()
            .zip(firsts)
            .zip(ladders)
            .map(|((base, first), above)| {
                let rungs = [first].into_iter().chain(above).collect();
                Ladder { base: base.key.clone(), rungs }
            })
            .collect();
        // In the order of `KeyPlaces`.
        let lasts = ladders.iter().map(Ladder::last);
        let rest = ladders.iter().flat_map(|ladder| &ladder.rungs[..ladder.rungs.len() - 1]);
        let layers = [&pair].into_iter().chain(lasts).chain(rest);
        let keys = KeySet::in_places(layers, places.levels)?;
        Ok(Self { ladders, pair, keys, shape })
    }

    /// The keys of all layers.
    pub fn keys(&self) -> &KeySet<Digest<P>> {
        &self.keys
    }

    /// The layer of every tree's last proof.
    pub fn top(&self) -> &Layer<P> {
        &self.pair
    }

    /// The parts of a step, which the last proof has as digests: [`StepShape::common`] under [`Domain::Common`] and
    /// [`StepShape::state`] under [`Domain::State`].
    ///
    /// [`Domain::Common`]: crate::keys::Domain::Common
    /// [`Domain::State`]: crate::keys::Domain::State
    pub fn shape(&self) -> &StepShape {
        &self.shape
    }

    /// The layers that bring proofs of a kind to the common shape.
    pub fn ladder(&self, kind: usize) -> Option<&[Layer<P>]> {
        self.ladders.get(kind).map(|ladder| ladder.rungs.as_slice())
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

    /// Makes one proof of the proofs of shards that follow each other. With a store, proofs that were made before are found
    /// there, and those that are made are kept.
    ///
    /// # Errors
    ///
    /// Fails if there are none, they do not follow each other, one is not valid, or a proof cannot be written; and as soon as
    /// `go_on` says no.
    pub fn prove(
        &self,
        leaves: &[ShardLeaf<'_, P>],
        store: Option<&Store>,
        grown: &(dyn Fn(Grown) + Sync),
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<ShardRoot<P>, ShardError> {
        P::prove_shard_tree(self, leaves, store, grown, go_on)
    }

    pub(crate) fn prove_generic(
        &self,
        leaves: &[ShardLeaf<'_, P>],
        store: Option<&Store>,
        grown: &(dyn Fn(Grown) + Sync),
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<ShardRoot<P>, ShardError> {
        if leaves.is_empty() {
            return Err(ShardError::Empty);
        }
        let done = AtomicUsize::new(0);
        let ask = || if go_on() { Ok(()) } else { Err(ShardError::Cancelled) };
        let tell = |level: usize, of: usize, found: bool| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            grown(Grown { level, done, of, found });
        };
        let first = |(number, leaf): (usize, &ShardLeaf<'_, P>)| {
            ask()?;
            let (node, found) = self.over(leaf, store).map_err(ShardError::of(number))?;
            tell(1, leaves.len(), found);
            Ok(node)
        };
        let mut nodes: Vec<Node<P>> =
            leaves.par_iter().enumerate().map(first).collect::<Result<_, ShardError>>()?;
        for levels in 2.. {
            let tasks = self.tasks(nodes);
            let of = tasks.iter().filter(|task| matches!(task, Task::Prove(..))).count();
            let complete = matches!(tasks.as_slice(), [Task::Prove(Place::Pair, _)]);
            done.store(0, Ordering::Relaxed);
            let next = |task| match task {
                Task::Wait(node) => Ok(node),
                Task::Prove(place, children) => {
                    ask()?;
                    let (node, found) = self.above(place, &children, complete, store)?;
                    tell(levels, of, found);
                    Ok(node)
                }
            };
            nodes = tasks.into_par_iter().map(next).collect::<Result<_, ShardError>>()?;
            if complete && let Some(Node { statement, proof, .. }) = nodes.pop() {
                return Ok(ShardRoot { levels, statement, proof });
            }
        }
        Err(ShardError::Empty)
    }

    /// What is to be proven over some nodes: those that have not the common shape come a rung nearer to it, neighbours of
    /// one rung together; if all have it, they are paired.
    fn tasks(&self, nodes: Vec<Node<P>>) -> Vec<Task<P>> {
        let settled = nodes.iter().all(|node| self.is_common(node.place));
        let mut tasks = Vec::new();
        let mut nodes = nodes.into_iter().peekable();
        while let Some(node) = nodes.next() {
            let place = match node.place {
                _ if settled => Place::Pair,
                place if self.is_common(place) => {
                    tasks.push(Task::Wait(node));
                    continue;
                }
                Place::Rung(kind, rung) => Place::Rung(kind, rung + 1),
                Place::Pair => Place::Pair,
            };
            let fits = |next: &Node<P>| settled || next.place == node.place;
            let second = nodes.next_if(fits);
            tasks.push(Task::Prove(place, [Some(node), second].into_iter().flatten().collect()));
        }
        tasks
    }

    fn is_common(&self, place: Place) -> bool {
        match place {
            Place::Pair => true,
            Place::Rung(kind, rung) => rung + 1 == self.ladders[kind].rungs.len(),
        }
    }

    fn layer(&self, place: Place) -> &Layer<P> {
        match place {
            Place::Pair => &self.pair,
            Place::Rung(kind, rung) => &self.ladders[kind].rungs[rung],
        }
    }

    /// The first layer over a proof.
    fn over(
        &self,
        leaf: &ShardLeaf<'_, P>,
        store: Option<&Store>,
    ) -> Result<(Node<P>, bool), ShardError> {
        let (kind, kinds) = (leaf.kind, self.ladders.len());
        let ladder = self.ladders.get(kind).ok_or(ShardError::Kind { kind, kinds })?;
        let layer = &ladder.rungs[0];
        let (inputs, statement) =
            layer.inputs_over(&ladder.base, &leaf.publics, leaf.proof, self.keys.root(), false)?;
        let (proof, found) = Store::find_or_prove(store, layer, &statement, &inputs)?;
        Ok((Node { place: Place::Rung(kind, 0), statement, proof }, found))
    }

    fn child<'a>(&'a self, node: &'a Node<P>) -> Child<'a, P> {
        let Node { place, statement, proof } = node;
        Child { key: self.layer(*place).key(), statement: *statement, proof }
    }

    /// A layer over one node or two.
    fn above(
        &self,
        place: Place,
        children: &[Node<P>],
        complete: bool,
        store: Option<&Store>,
    ) -> Result<(Node<P>, bool), ShardError> {
        let layer = self.layer(place);
        let children: Vec<Child<'_, P>> = children.iter().map(|node| self.child(node)).collect();
        let (inputs, statement) = layer.inputs_above(&children, &self.keys, complete)?;
        let (proof, found) = Store::find_or_prove(store, layer, &statement, &inputs)?;
        Ok((Node { place, statement, proof }, found))
    }

    /// Verifies that shards with these common values lead from one state to another. Tells what the proof is worth with all
    /// that it stands on.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not prove it.
    pub fn verify(&self, step: [&Parts; 3], proof: &Proof<P>) -> Result<Level, ShardError> {
        Ok(self.pair.verify(&self.keys, self.expected(step)?, proof)?)
    }
}

impl<P: RecursiveField> Ladder<P> {
    fn last(&self) -> &Layer<P> {
        &self.rungs[self.rungs.len() - 1]
    }
}
