//! From a checked [AST](crate::ast) to Rust.
//!
//! Generated code is thin: structs of handles and of native values, and impls of the library's traits
//! with one line a field. The impls stand in `const _: () = { .. }`, where no name can leak or clash.

mod chip;
mod columns;
mod generics;
mod message;
mod one_hot;
mod ports;
mod structs;

pub(crate) use chip::{bare, chip};
pub(crate) use columns::columns;
pub(crate) use message::message;
pub(crate) use one_hot::one_hot;
pub(crate) use ports::ports;
