//! Jumps.

use chipwright_dsl::prelude::*;

use crate::machine::access::Accesses;
use crate::machine::bus::{Fetch, Instruction, Slot, Source, Target, ZERO_SOURCE};
use crate::machine::instruction::{InstructionChip, Step};
use crate::machine::operation;

/// `j`, `jal`: goes on at `constant`, and links.
///
/// # Soundness
///
/// What is linked is below `2^32`: text ends below `2^32 − 16`.
#[chip]
pub struct Jump {
    #[record]
    pub clk: Felt,
    #[record]
    pub pc: Felt,
    #[record]
    pub target: Target,
    /// Where it goes.
    #[record]
    pub constant: Felt,
    #[ports]
    ports: Instruction,
}

/// `jr`, `jalr`: goes on where a register says, and links.
///
/// # Soundness
///
/// As that of [`Jump`]. A register may say anything; only at addresses of instructions does the program go on.
#[chip]
pub struct JumpRegister {
    #[record]
    pub clk: Felt,
    #[record]
    pub pc: Felt,
    #[record]
    pub first: Source,
    #[record]
    pub target: Target,
    #[ports]
    ports: Instruction,
}

impl Chip for Jump {
    fn row(c: &Builder, row: &Row<Self>) {
        let &JumpRow { clk, pc, target, constant, ports } = row;
        ports.fetch(
            c,
            Fetch {
                pc,
                operation: operation::JUMP,
                mode: 0,
                target: target.register,
                first: ZERO_SOURCE,
                second: ZERO_SOURCE,
                constant,
            },
        );
        ports.jumps(c, clk, pc, constant);
        ports.write(c, clk, target, pc + 8);
    }
}

impl Chip for JumpRegister {
    fn row(c: &Builder, row: &Row<Self>) {
        let &JumpRegisterRow { clk, pc, first, target, ports } = row;
        ports.fetch(
            c,
            Fetch {
                pc,
                operation: operation::JUMP_REGISTER,
                mode: 0,
                target: target.register,
                first: first.register,
                second: ZERO_SOURCE,
                constant: 0,
            },
        );
        ports.jumps(c, clk, pc, first.value);
        ports.read(c, clk, Slot::First, first);
        ports.write(c, clk, target, pc + 8);
    }
}

impl InstructionChip for Jump {
    const OPERATIONS: &'static [i64] = &[operation::JUMP];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<JumpRecord> {
        let (clk, pc, constant) = (step.cycle.clk, step.cycle.pc, step.constant);
        let target = accesses.write(step.target, clk, pc + 8);
        Some(JumpRecord { clk, pc, target, constant })
    }
}

impl InstructionChip for JumpRegister {
    const OPERATIONS: &'static [i64] = &[operation::JUMP_REGISTER];

    fn record(step: &Step, accesses: &mut Accesses) -> Option<JumpRegisterRecord> {
        let (clk, pc) = (step.cycle.clk, step.cycle.pc);
        let first = accesses.read(step.first, clk, Slot::First);
        let target = accesses.write(step.target, clk, pc + 8);
        Some(JumpRegisterRecord { clk, pc, first, target })
    }
}
