//! A run, cut into shards.
//!
//! A shard is as long as the rows of its kind last. Which kind that is shows when the run is executed: it is the one whose
//! cells give the most instructions.

use std::sync::Arc;

use chipwright_backend_stark::proof::Proof;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::MachineInput;

use super::key::ShardState;
use super::menu::Kind;
use super::proof::ShardProof;
use super::{Progress, ProveError};
use crate::machine::image::{Tree, image, leaf, text};
use crate::machine::trace::{Limits, Tracer};
use crate::{Executor, Input, Observer, Program, State, Stop};

/// What a shard costs besides its cells, whatever its kind, in cells: its openings, and the circuit that verifies it.
const BESIDES: u64 = 2_000_000;

/// So many instructions are executed before it is looked whether a shard is full.
const AT_A_TIME: u64 = 1 << 12;

/// A part of a run that is proven by itself.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Its number, from zero.
    pub number: usize,
    /// The position of its kind in the menu.
    pub kind: usize,
    /// The state that it begins with.
    pub from: ShardState,
    /// The state that it ends with.
    pub to: ShardState,
    start: State,
    before: Arc<Tree>,
    text: Arc<Tree>,
}

impl Shard {
    /// What the machine is given.
    ///
    /// # Errors
    ///
    /// Fails if an instruction has no chip.
    pub fn input(&self, program: &Program, input: &Input) -> Result<MachineInput, ProveError> {
        let (tracer, state) = self.traced(program, input)?;
        Ok(tracer.finish(&state)?)
    }

    /// How many rows its chips have: those of [`counted`](crate::machine::trace::counted).
    ///
    /// # Errors
    ///
    /// Fails if an instruction has no chip.
    pub fn rows(
        &self,
        program: &Program,
        input: &Input,
    ) -> Result<Vec<(String, usize)>, ProveError> {
        let (mut tracer, state) = self.traced(program, input)?;
        tracer.ends(&state)?;
        Ok(tracer.rows().collect())
    }

    fn traced(&self, program: &Program, input: &Input) -> Result<(Tracer, State), ProveError> {
        let (text, before) = (Arc::clone(&self.text), Arc::clone(&self.before));
        let mut tracer = Tracer::with_trees(text, before, &self.start);
        let mut executor = Executor::resume(program, input, self.start.clone());
        executor.run_until(self.to.clk, &mut tracer)?;
        Ok((tracer, executor.into_state()))
    }

    /// Its proof, for the proof of the run.
    pub(super) fn proven(&self, proof: &Proof<Goldilocks2>) -> ShardProof {
        ShardProof { kind: self.kind as u8, to: self.to, proof: proof.to_bytes() }
    }

    /// Tells if the run has more than `many` instructions, and this is the shard in which that shows.
    pub(super) fn check_for_high_cycles(&self, many: u64, progress: &dyn Progress) {
        if self.from.clk <= many && self.to.clk > many {
            progress.has_many(self.to.clk);
        }
    }

    /// The instructions that it executes.
    pub fn instructions(&self) -> u64 {
        self.to.clk - self.from.clk
    }
}

/// The shards of a run, one after the other.
#[derive(Debug)]
pub struct Shards<'a, O> {
    program: &'a Program,
    input: &'a Input,
    menu: &'a [Kind],
    /// No shard has more instructions.
    most: u64,
    /// The run ends at this clock, at the latest.
    limit: u64,
    observer: O,
    state: State,
    tree: Arc<Tree>,
    text: Arc<Tree>,
    number: usize,
    failed: bool,
}

impl<'a, O: Observer> Shards<'a, O> {
    /// The shards of a run of at most `limit` instructions, each of at most `most`. The observer sees the whole run.
    pub fn new(
        program: &'a Program,
        input: &'a Input,
        menu: &'a [Kind],
        (most, limit): (u64, u64),
        observer: O,
    ) -> Self {
        let state = State::new(program);
        let (tree, text) = (Arc::new(image(&state)), Arc::new(text(program)));
        let (number, failed) = (0, false);
        Self { program, input, menu, most, limit, observer, state, tree, text, number, failed }
    }

    /// Memory and registers after the shards so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The state after the shards so far.
    pub fn state(&self) -> ShardState {
        ShardState::of(&self.state, self.tree.root())
    }

    fn shard(&mut self) -> Result<Shard, ProveError> {
        let (text, before) = (Arc::clone(&self.text), Arc::clone(&self.tree));
        let limits = Limits::new(self.menu.iter().map(Kind::rows).collect());
        let mut tracer = Tracer::with_trees(text, before, &self.state).within(limits);
        let start = self.state.clone();
        let from = ShardState::of(&start, self.tree.root());
        let end = start.clock + self.most;

        // As far as one of the kinds goes.
        let mut ahead = Executor::resume(self.program, self.input, start.clone());
        while ahead.state().clock < end && !tracer.is_full() {
            let stop = (ahead.state().clock + AT_A_TIME).min(end);
            if ahead.run_until(stop, &mut tracer)? != Stop::Limit {
                break;
            }
        }
        let touched = tracer.ends(ahead.state())?;
        let reached = ahead.state().clock;
        drop(ahead);
        let (kind, clk) = self.choose(tracer.limits(), (start.clock, reached))?;

        let mut executor = Executor::resume(self.program, self.input, start.clone());
        if self.limit < clk {
            executor.run(self.limit, &mut self.observer)?;
        }
        executor.run_until(clk, &mut self.observer)?;
        self.state = executor.into_state();
        let mut tree = Tree::clone(&self.tree);
        tree.update(touched.into_iter().map(|index| (index, leaf(&self.state, index))));
        let before = std::mem::replace(&mut self.tree, Arc::new(tree));
        let to = ShardState::of(&self.state, self.tree.root());
        let number = self.number;
        self.number += 1;
        Ok(Shard { number, kind, from, to, start, before, text: Arc::clone(&self.text) })
    }

    /// The kind with the fewest cells an instruction, and the clock up to which it is used.
    fn choose(
        &self,
        limits: &Limits,
        (start, end): (u64, u64),
    ) -> Result<(usize, u64), ProveError> {
        let ends = limits.full().iter().map(|full| full.unwrap_or(end));
        let kinds = self.menu.iter().zip(ends).enumerate();
        let best = kinds.filter(|&(_, (_, end))| end > start).min_by(|a, b| {
            // Cells an instruction, compared without a division.
            let cost = |x: &(usize, (&Kind, u64)), y: &(usize, (&Kind, u64))| {
                u128::from(x.1.0.cells + BESIDES) * u128::from(y.1.1 - start)
            };
            cost(a, b).cmp(&cost(b, a))
        });
        best.map(|(index, (_, end))| (index, end)).ok_or(ProveError::TooLarge { clk: start })
    }
}

impl<O: Observer> Iterator for Shards<'_, O> {
    type Item = Result<Shard, ProveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.state.exit.is_some() {
            return None;
        }
        let shard = self.shard();
        self.failed = shard.is_err();
        Some(shard)
    }
}
