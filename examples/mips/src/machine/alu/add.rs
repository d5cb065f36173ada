//! Sums and differences modulo `2^32`.

use chipwright_dsl::prelude::*;

use crate::machine::bus::{
    Cycle, Fetch, Instruction, Slot, Source, Target, WORD, ZERO_SOURCE, is_word,
};
use crate::machine::operation;

/// `addu`, `subu`: `target = first ± second mod 2^32`.
///
/// # Soundness
///
/// Words are below `2^32`, and so is the result: there is one carry for which it is.
#[chip]
pub struct AddSub {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    /// Whether it is a difference.
    #[record]
    pub subtract: Bit,
    /// What the sum carries, or the difference borrows.
    carry: Bit,
    /// The lower half of the result.
    low: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for AddSub {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AddSubRow { cycle, first, second, target, subtract, carry, low, ports } = row;
        let (x, y) = (first.value, second.value);
        c.fill(carry, subtract.int().select(x.int().less(y.int()), (x.int() + y.int()) >> 32));
        let result = x + (1 - 2 * subtract) * (y - carry * WORD);
        c.fill(low, result.int() & 0xffff);
        is_word(c, result, low);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::ADD,
                mode: subtract,
                target: target.register,
                first: first.register,
                second: second.register,
                constant: 0,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        ports.write(c, cycle.clk, target, result);
    }
}

/// `addiu`, `lui`, moves to and from `HI` and `LO`: `target = first + constant mod 2^32`.
///
/// # Soundness
///
/// As that of [`AddSub`].
#[chip]
pub struct AddConstant {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// What the sum carries.
    carry: Bit,
    /// The lower half of the result.
    low: U16,
    #[ports]
    ports: Instruction,
}

impl Chip for AddConstant {
    fn row(c: &Builder, row: &Row<Self>) {
        let &AddConstantRow { cycle, first, target, constant, carry, low, ports } = row;
        c.fill(carry, (first.value.int() + constant.int()) >> 32);
        let result = first.value + constant - carry * WORD;
        c.fill(low, result.int() & 0xffff);
        is_word(c, result, low);
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::ADD_CONSTANT,
                mode: 0,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.write(c, cycle.clk, target, result);
    }
}
