//! The standard chips of Chipwright.
//!
//! Each file describes one chip, or a few that belong together: its columns, its rules, what it assumes of
//! its inputs and what it guarantees. Traces, multiplicities, documentation and tests follow from that.
//! [`library`] collects what circuits are made of.
//!
//! ```
//! use chipwright_dsl::prelude::*;
//! use chipwright_chips::Add32;
//!
//! let chip = record::<Add32>(Field::Goldilocks2)?;
//! assert_eq!(chip.width(), 8);
//! # Ok::<(), chipwright_dsl::RecordingErrors>(())
//! ```

mod bits;
mod catalog;
mod exp_reverse_bits;
mod hash;
mod is_zero;
mod library;
pub mod primitive;
pub mod recursion;
mod select;
mod word;

pub use bits::Bits;
pub use catalog::{CatalogEntry, catalog};
pub use chipwright_dsl::{MemoryTable, Range8, Range16};
pub use exp_reverse_bits::ExpReverseBits;
pub use hash::{Compress, FeedForward, MAX_DEPTH, MerklePath, Poseidon2, merkle_path};
pub use is_zero::IsZero;
pub use library::library;
pub use select::Select;
pub use word::{
    Add32, And, Bitwise, ByteOperation, ByteTable, Bytes32, Equal32, Less32, Mul32, Operation, Or,
    Sub32, Xor,
};
