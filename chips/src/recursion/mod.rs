//! The chips of recursive verifiers: what a STARK verifier does most, in as few cells as possible.
//!
//! One chip does all hashing. Its rows chain, so a sponge, a Merkle path or a transcript never puts its
//! state on the witness bus, and the values that a leaf row absorbs are combined in the same row:
//! [`Hasher`]. [`Cap`] holds the tops of Merkle trees as a table, and [`Index`] turns a sampled element into
//! a query index and a point of the evaluation domain.

mod cap;
mod hasher;
mod index;
mod kernel;
mod native;
mod script;
mod sound;
mod trace;

pub use cap::Cap;
pub(crate) use cap::cap_chip;
pub use hasher::{Hasher, hasher};
pub use index::{Index, IndexSegment, index_call, index_chip, index_outputs};
pub use native::{HashField, HashSizes};
pub use script::{Leaf, RowKind, RowSpec, Script};
pub use trace::HasherError;
