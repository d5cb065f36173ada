//! The machine: one chip for each kind of instruction, for memory, and for the program.
//!
//! A run is proven in shards. A shard is a statement about two states: the program with this root goes from the one to
//! the other. See [`bus`] for how rows make a run, [`memory::Leaf`] for memory between shards, and
//! [`program::Decode`] for what makes words instructions.

pub mod access;
pub mod alu;
pub mod bus;
pub mod control;
pub mod field;
pub mod image;
pub mod instruction;
pub mod memory;
pub mod operation;
pub mod program;
pub mod roles;
pub mod system;
pub mod trace;

use chipwright_dsl::{Field, Machine, MachineErrors};
use chipwright_ir::machine::Machine as IrMachine;

/// The field.
pub const FIELD: Field = Field::Goldilocks2;

/// The machine as it is written: one table for each chip.
///
/// # Errors
///
/// None in practice: the chips fit together.
pub fn machine() -> Result<IrMachine, MachineErrors> {
    let first = Machine::new("mips", FIELD).add::<control::Boundary>();
    let instructions =
        instruction::INSTRUCTIONS.iter().fold(first, |machine, chip| (chip.add)(machine));
    system::CALLS
        .iter()
        .fold(instructions, |machine, chip| (chip.add)(machine))
        .add::<system::InputWord>()
        .add::<system::Answers>()
        .add::<memory::Refresh>()
        .add::<memory::Leaf>()
        .add::<memory::Node>()
        .add::<program::Decode>()
        .add::<program::TextLeaf>()
        .add::<program::TextNode>()
        .add::<program::Opcodes>()
        .add::<program::Powers>()
        .add::<alu::AndTable>()
        .build()
}
