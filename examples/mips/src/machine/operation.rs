//! What an instruction does, as the bus `program` says it: an operation for each chip, and a mode where a chip has several.

/// `target = first ± second`; the mode is one if it subtracts.
pub const ADD: i64 = 1;
/// `target = first + constant`.
pub const ADD_CONSTANT: i64 = 2;
/// `target = memory[first + constant]`.
pub const LOAD_WORD: i64 = 3;
/// `memory[first + constant] = second`.
pub const STORE_WORD: i64 = 4;
/// `target = first < second + constant`, one of which is zero. The mode is one if these have signs.
pub const LESS: i64 = 5;
/// `target` = the lower half of `first · constant`, the upper one if the mode is one, their sum if it is two.
pub const SHIFT: i64 = 6;
/// Goes on at `constant` if `first = second`; if they differ, where the mode is one.
pub const BRANCH: i64 = 7;
/// Goes on at `constant`; `target = pc + 8`.
pub const JUMP: i64 = 8;
/// Goes on at `first`; `target = pc + 8`.
pub const JUMP_REGISTER: i64 = 9;
/// Ends the program if `first` is zero. The exit code is `second`.
pub const SYSTEM_CALL: i64 = 10;
/// `target = mode · (first & other) + linear · (first + other)`, or its complement. `other` is `second + constant`, one of
/// which is zero, and the operation `BITWISE + linear`: see [`Bitwise`](super::alu::Bitwise).
pub const BITWISE: i64 = 12;
