//! What decides where a program goes on, and where a shard of it begins and ends.

mod boundary;
mod branch;
mod jump;

pub use boundary::{Boundary, BoundaryPublics, BoundaryRecord};
pub use branch::{Branch, BranchRecord};
pub use jump::{Jump, JumpRecord, JumpRegister, JumpRegisterRecord};
