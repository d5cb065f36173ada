//! Sums, comparisons, products, bits.

mod add;
mod add_checked;
mod bits;
mod bitwise;
mod divide;
mod less;
mod move_if;
mod multiply;
mod shift;
mod shift_variable;

pub use add::{AddConstant, AddConstantRecord, AddSub, AddSubRecord};
pub use add_checked::{AddChecked, AddCheckedRecord};
pub use bits::{BitField, BitFieldRecord, Count, CountRecord, Extend, ExtendRecord};
pub use bitwise::{
    And, AndTable, Bitwise, BitwiseRecord, ByteSource, ByteSourceNative, ByteSourceRow, of_bytes,
};
pub use divide::{Divide, DivideRecord};
pub use less::{Less, LessRecord};
pub use move_if::{MoveIf, MoveIfRecord};
pub use multiply::{Multiply, MultiplyLow, MultiplyLowRecord, MultiplyRecord};
pub use shift::{Product, ProductRow, Shift, ShiftRecord, selected};
pub use shift_variable::{
    SIGNED, ShiftSigned, ShiftSignedRecord, ShiftVariable, ShiftVariableRecord,
};
