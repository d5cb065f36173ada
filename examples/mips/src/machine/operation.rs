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
/// `target` = the byte at `first + constant`. The mode is one if it has a sign.
pub const LOAD_BYTE: i64 = 20;
/// `target` = the half at `first + constant`. The mode is one if it has a sign.
pub const LOAD_HALF: i64 = 21;
/// The byte at `first + constant` = the lowest of `second`.
pub const STORE_BYTE: i64 = 22;
/// The half at `first + constant` = the lower of `second`.
pub const STORE_HALF: i64 = 23;
/// A part of the word at `first + constant` and a part of `second`, to `target`, or to memory: see
/// [`Unaligned`](super::memory::Unaligned).
pub const UNALIGNED: i64 = 24;
/// Loads and links, or stores if it is linked, where the mode is one.
pub const LINKED: i64 = 25;
/// Goes on at `constant` if `first` has a sign: see [`BranchSign`](super::control::BranchSign).
pub const BRANCH_SIGN: i64 = 26;
/// Branches that link or skip their delay slot: see [`BranchRare`](super::control::BranchRare).
pub const BRANCH_RARE: i64 = 27;
/// Traps if `first = second + constant`, one of which is zero.
pub const TRAP_EQUAL: i64 = 28;
/// Traps under another condition: see [`Trap`](super::control::Trap).
pub const TRAP: i64 = 29;
/// As [`SHIFT`], to the right, of a number with a sign.
pub const SHIFT_SIGNED: i64 = 30;
/// Shifts `second` by `first`: see [`ShiftVariable`](super::alu::ShiftVariable).
pub const SHIFT_VARIABLE: i64 = 31;
/// `target` = the lower half of `first · second`.
pub const MULTIPLY_LOW: i64 = 32;
/// `HI:LO` = `first · second`, or with that added or subtracted: see [`Multiply`](super::alu::Multiply).
pub const MULTIPLY: i64 = 33;
/// `LO = first / second`, `HI` = the remainder. The mode is one if these have signs.
pub const DIVIDE: i64 = 34;
/// As [`ADD`], of numbers with signs, without an overflow.
pub const ADD_CHECKED: i64 = 35;
/// `first · constant` rotated, where `mode` has bits, and `second` elsewhere.
pub const BIT_FIELD: i64 = 36;
/// Extends a sign, or swaps bytes: see [`Extend`](super::alu::Extend).
pub const EXTEND: i64 = 37;
/// `target` = the leading zeros of `first`, or ones if the mode is one.
pub const COUNT: i64 = 38;
/// `target = first` if `second` is zero, or if it is not where the mode is one.
pub const MOVE_IF: i64 = 39;
