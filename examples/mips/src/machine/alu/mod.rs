//! Sums, comparisons, bits.

mod add;
mod bitwise;
mod less;
mod shift;

pub use add::{AddConstant, AddConstantRecord, AddSub, AddSubRecord};
pub use bitwise::{And, AndTable, Bitwise, BitwiseRecord, ByteSourceNative};
pub use less::{Less, LessRecord};
pub use shift::{Product, ProductRow, Shift, ShiftRecord, selected};
