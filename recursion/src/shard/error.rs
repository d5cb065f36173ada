//! Why shards cannot be proven, verified or made one proof of.

use chipwright_backend_stark::encoding::DecodeError;
use chipwright_backend_stark::machine::MachineError;
use chipwright_backend_stark::proof::VerifyError;

use super::parts::{PartsError, StepLayoutError};
use crate::claims::StepError;
use crate::layer::LayerError;
use crate::level::InsufficientLevel;

/// Why shards cannot be proven, verified or made one proof of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// Parts of a step that are none of the machine's, or public values that are no parts.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// Public values that make no step.
    #[error(transparent)]
    Step(#[from] StepError),
    /// There is nothing to choose from.
    #[error("the menu is empty")]
    NoKinds,
    /// A shard of a kind that is not on the menu.
    #[error("the shard is of kind {kind}, the menu has {kinds} kinds")]
    Kind {
        /// The number of the kind.
        kind: usize,
        /// How many there are.
        kinds: usize,
    },
    /// A first layer that does not fit into the layout that all of them have.
    #[error("the circuit over proofs of kind {kind} does not fit into the layout of the plan")]
    Layout {
        /// The number of the kind.
        kind: usize,
    },
    /// Proofs of one kind that could be of several shapes.
    #[error(
        "the layout of kind `{kind}` does not say how high all tables are that stand apart and have no fixed contents"
    )]
    Heights {
        /// The kind.
        kind: String,
    },
    /// A machine cannot be compiled, filled, proven or verified.
    #[error("kind `{kind}`: {error}")]
    Machine {
        /// The kind.
        kind: String,
        /// What is wrong.
        #[source]
        error: Box<MachineError>,
    },
    /// The virtual machine does not get further.
    #[error("shard {shard} cannot be executed: {error}")]
    Execution {
        /// The shard.
        shard: usize,
        /// Why.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The machine cannot do what was executed.
    #[error("the rows of its tables cannot be made: {0}")]
    Rows(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something is wrong with a shard.
    #[error("shard {shard}: {error}")]
    Shard {
        /// The shard, counted from 0.
        shard: usize,
        /// What is wrong with it.
        #[source]
        error: Box<ShardError>,
    },
    /// No shards.
    #[error("there are no shards, so nothing is proven")]
    Empty,
    /// The first shard starts elsewhere.
    #[error("the first shard does not start in the state that is asked about")]
    Start,
    /// Shards that do not follow each other.
    #[error("shard {0} does not start in the state in which the one before ends")]
    Apart(usize),
    /// The last shard ends elsewhere.
    #[error("the last shard does not end in the state that is asked about")]
    End,
    /// The bytes of a proof cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The one proof of all shards does not prove what it should.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The one proof of all shards is worth too little.
    #[error(transparent)]
    Level(#[from] InsufficientLevel),
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// Layers cannot be built, proven or verified.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl ShardError {
    /// The error of one shard of several.
    pub(super) fn of(shard: usize) -> impl Fn(Self) -> Self {
        move |error| Self::Shard { shard, error: Box::new(error) }
    }
}

impl From<StepLayoutError> for ShardError {
    fn from(error: StepLayoutError) -> Self {
        match error {
            StepLayoutError::Parts(error) => error.into(),
            StepLayoutError::Step(error) => error.into(),
        }
    }
}
