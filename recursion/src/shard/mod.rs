//! Shards: what the author of a virtual machine writes, and what comes of it.
//!
//! A run is cut into *shards*, self-contained pieces that each go from one state to the next. Shards are of the kinds of a
//! *menu*: a machine under one or several layouts, so that a short rest or a stretch of multiplications need not be proven
//! in tables made for something else. The author says how a program is executed in shards ([`VirtualMachine`]), and
//! of that follow
//!
//! - proofs of all shards, made while the program still runs ([`Menu::prove`]);
//! - their verification: each is a step, and each starts where the one before ends ([`Menu::verify`]);
//! - one proof of all of them ([`ShardTree`]), of a size that does not depend on how many there are.
//!
//! What is common to all steps, and what is of the state before and after, is said by the public values of the machine's
//! chips, by name (`#[public(before = "pc")]`). States are given by the same names.
//!
//! ```text
//! program, input ─► shards ─► proofs: (common, s₀, s₁) (common, s₁, s₂) … ─► tree ─► one proof: (common, s₀, sₙ)
//! ```
//!
//! `tests/tests/shards` has the whole of a small virtual machine.

mod error;
mod grow;
mod kind;
mod menu;
mod parts;
mod pipeline;
mod plan;
mod settle;
mod tree;

use chipwright_ir::machine::MachineInput;

pub use error::ShardError;
pub use grow::Spot;
pub use kind::{CompiledKind, Kind};
pub use menu::{Menu, Observer, ProvenShard};
pub use parts::{Given, Named, Parts, PartsError, StepLayoutError, StepShape};
pub use pipeline::in_order;
pub use plan::{PlannedKey, TreePlan, TreeVerifier, VerifierError};
pub use settle::TreeLayouts;
pub(crate) use settle::Upper;
pub(crate) use tree::First;
pub use tree::{Base, Bases, Growth, Joined, LeafTask, ShardLeaf, ShardRoot, ShardTree};

use crate::batch::RecursiveField;

/// A virtual machine whose runs are proven in shards.
///
/// # Soundness
///
/// Nothing that a program's execution says is believed: a proof of a shard says that the *machine* goes from one state to
/// the other. So everything that a shard leaves to the next one is in its state, and everything that is to be the same in
/// all of them, such as the program, is a common value.
pub trait VirtualMachine: Sync {
    /// The field of the machines.
    type Field: RecursiveField;
    /// What is executed.
    type Program: Sync + ?Sized;
    /// What it is given.
    type Input: Sync + ?Sized;
    /// A piece of a run, with all that its proof takes.
    type Shard: Send;
    /// What all shards of a run have in common.
    type Common: Named + Clone + Sync;
    /// What a shard starts from and leaves.
    type State: Named + Clone + PartialEq + Send + Sync;
    /// Why a program cannot be executed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The kinds of shards that there are.
    fn menu(&self) -> Vec<Kind>;

    /// What all shards of a run have in common.
    fn common(&self, program: &Self::Program, input: &Self::Input) -> Self::Common;

    /// The shards of a run, executed as they are asked for.
    fn shards<'a>(
        &'a self,
        program: &'a Self::Program,
        input: &'a Self::Input,
    ) -> impl Iterator<Item = Result<Self::Shard, Self::Error>> + Send + 'a;

    /// Which kind of the [menu](Self::menu) a shard is, by its position.
    fn kind(&self, shard: &Self::Shard) -> usize;

    /// The states before and after a shard.
    fn states(&self, shard: &Self::Shard) -> (Self::State, Self::State);

    /// The rows that the machine is given to fill its tables for a shard; public values follow from the states.
    ///
    /// # Errors
    ///
    /// Fails if the machine cannot do what was executed.
    fn rows(
        &self,
        program: &Self::Program,
        input: &Self::Input,
        shard: &Self::Shard,
    ) -> Result<MachineInput, Self::Error>;
}
