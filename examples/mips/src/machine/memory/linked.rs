//! Loads that link, and stores that depend on it.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{
    Cycle, Fetch, FixedTarget, FixedTargetNative, Instruction, Slot, Source, Target, effective,
    number, register, word,
};
use crate::machine::field::inverse as inverse_of;
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `ll`: `target = memory[first + constant]`, which is then linked. `sc`, where the mode is one: `memory[first + constant] = second` if
/// it is linked; `target` = whether it was; nothing is linked any more.
///
/// What is linked is the value of a pseudo-register: the address, plus one.
///
/// # Soundness
///
/// As that of [`LoadWord`](super::LoadWord). Whether the address is linked is determined, as in
/// [`Branch`](crate::machine::control::Branch): the difference is zero, or has an inverse.
#[chip]
pub struct Linked {
    #[record]
    pub cycle: Cycle,
    #[record]
    pub first: Source,
    #[record]
    pub second: Source,
    #[record]
    pub target: Target,
    #[record]
    pub constant: Felt,
    /// Whether it is a store.
    #[record]
    pub store: Felt,
    /// What the word held.
    #[record]
    pub before: Felt,
    /// The time since the access before, less one.
    #[record]
    pub since: [U16; 2],
    /// What is linked.
    #[record]
    pub link: FixedTarget,
    /// What the effective address carries.
    carry: Bit,
    /// Whether the address is linked.
    linked: Bit,
    /// The inverse of the distance from what is linked.
    #[free("where the address is linked, nothing is multiplied with it")]
    inverse: Felt,
    #[ports]
    ports: Instruction,
}

impl Chip for Linked {
    fn row(c: &Builder, row: &Row<Self>) {
        let &LinkedRow { cycle, first, second, target, constant, store, before, .. } = row;
        let &LinkedRow { since, link, carry, linked, inverse, ports, .. } = row;
        let address = effective(c, first, constant, carry);
        let next = address + 1;
        let difference = link.before - next;
        c.when(c.real(), |c| {
            c.fill(linked, difference.int().equals(0));
            c.fill_with("inverse", inverse, [difference], |difference, inverse| {
                inverse[0] = inverse_of(difference[0]);
                Ok(())
            });
        });
        c.assert_zero(difference * linked).named("what is linked is this address");
        c.assert_eq(difference * inverse, c.real().expr() - linked).named("or another one");
        ports.fetch(
            c,
            Fetch {
                pc: cycle.pc,
                operation: operation::LINKED,
                mode: store,
                target: target.register,
                first: first.register,
                second: second.register,
                constant,
            },
        );
        ports.goes_on(c, cycle);
        ports.read(c, cycle.clk, Slot::First, first);
        ports.read(c, cycle.clk, Slot::Second, second);
        let after = before + store * linked * (second.value - before);
        ports.memory(c, cycle.clk, (address, since), before, after);
        ports.write(c, cycle.clk, target, before + store * (linked - before));
        let link_after = next - store * next;
        ports.replace(c, (cycle.clk, Slot::Link), number::LINK, link, link_after);
    }
}

impl InstructionChip for Linked {
    const OPERATIONS: &'static [i64] = &[operation::LINKED];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<LinkedRecord> {
        let &Step { constant, mode: store, .. } = step;
        let (cycle, clk) = (step.cycle.clone(), step.cycle.clk);
        let first = accesses.read(step.first, clk, Slot::First);
        let second = accesses.read(step.second, clk, Slot::Second);
        let address = word(first.value + constant);
        let before = accesses.value(address);
        let stores = store == 1;
        let linked = accesses.value(register(number::LINK)) == address + 1;
        let after = if stores && linked { second.value } else { before };
        let since = accesses.memory(address, clk, after);
        let value = if stores { linked.into() } else { before };
        let target = accesses.write(step.target, clk, value);
        let link_after = if stores { 0 } else { address + 1 };
        let (held, elapsed) = accesses.replace(register(number::LINK), clk, Slot::Link, link_after);
        let link = FixedTargetNative { before: held, elapsed };
        Some(LinkedRecord { cycle, first, second, target, constant, store, before, since, link })
    }
}
