//! Arithmetic and logic on 32-bit integers.
//!
//! Arithmetic works on 16-bit halves, the lower first, and looks them up in the table of 16-bit integers;
//! logic works on bytes and looks up pairs of bytes.

mod add;
mod bitwise;
mod bytes;
mod compare;
mod mul;
mod sub;

pub use add::Add32;
pub use bitwise::{And, Bitwise, ByteOperation, ByteTable, Operation, Or, Xor};
pub use bytes::Bytes32;
pub use compare::{Equal32, Less32};
pub use mul::Mul32;
pub use sub::Sub32;
