//! What decides where a program goes on, and where a shard of it begins and ends.

mod boundary;
mod branch;
mod jump;
mod rare;
mod sign;
mod trap;

pub use boundary::{Boundary, BoundaryPublics, BoundaryRecord};
pub use branch::{Branch, BranchRecord};
pub use jump::{Jump, JumpRecord, JumpRegister, JumpRegisterRecord};
pub use rare::{BranchRare, BranchRareRecord};
pub use sign::{BranchSign, BranchSignRecord};
pub use trap::{Trap, TrapEqual, TrapEqualRecord, TrapRecord};
