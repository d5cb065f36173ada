//! The chips of instructions: what each of them does with an instruction that is executed.
//!
//! A chip is one file and one line of [`INSTRUCTIONS`]. Which opcodes are its rows is said by the table of opcodes
//! ([`program`](super::program)).

use chipwright_dsl::prelude::*;
use chipwright_dsl::schema::Cells;
use chipwright_ir::machine::ChipRows;

use super::access::Accesses;
use super::bus::CycleNative;
use super::{FIELD, alu, control, memory};

/// A chip whose rows are instructions.
pub trait InstructionChip: Chip {
    /// The [operations](super::operation) that are its own.
    const OPERATIONS: &'static [i64];

    /// The row of an instruction that will be executed. It makes the accesses of the instruction, in the order of their slots.
    /// `None` if the chip cannot prove the instruction.
    fn record(step: &Step, accesses: &mut Accesses) -> Option<Self::Record>;
}

/// An instruction that will be executed, as the bus `program` says it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where the run is.
    pub cycle: CycleNative,
    /// The operation.
    pub operation: i64,
    /// Which variant of it.
    pub mode: u64,
    /// The address of the register that is written.
    pub target: u64,
    /// The address of the first register that is read.
    pub first: u64,
    /// The address of the second register that is read.
    pub second: u64,
    /// The constant.
    pub constant: u64,
}

/// A chip in the list of [`INSTRUCTIONS`].
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// Its name.
    pub name: fn() -> String,
    /// The operations that are its own.
    pub operations: &'static [i64],
    /// Adds it to a machine.
    pub add: fn(chipwright_dsl::Machine) -> chipwright_dsl::Machine,
    record: fn(&Step, &mut Accesses, &mut ChipRows, &mut Vec<u64>) -> Option<()>,
}

impl Registered {
    /// The entry of a chip.
    pub const fn of<C: InstructionChip>() -> Self {
        Self {
            name: C::name,
            operations: C::OPERATIONS,
            add: chipwright_dsl::Machine::add::<C>,
            record: |step, accesses, rows, cells| {
                let record = C::record(step, accesses)?;
                cells.clear();
                C::store(&record, &mut Cells::new(FIELD, cells));
                rows.push(cells.iter().copied());
                Some(())
            },
        }
    }
}

/// The chips of the instructions.
pub const INSTRUCTIONS: &[Registered] = &[
    Registered::of::<alu::AddSub>(),
    Registered::of::<alu::AddConstant>(),
    Registered::of::<alu::Less>(),
    Registered::of::<alu::Shift>(),
    Registered::of::<alu::Bitwise>(),
    Registered::of::<alu::ShiftSigned>(),
    Registered::of::<alu::ShiftVariable>(),
    Registered::of::<alu::MultiplyLow>(),
    Registered::of::<alu::Multiply>(),
    Registered::of::<alu::Divide>(),
    Registered::of::<alu::AddChecked>(),
    Registered::of::<alu::MoveIf>(),
    Registered::of::<alu::Extend>(),
    Registered::of::<alu::Count>(),
    Registered::of::<alu::BitField>(),
    Registered::of::<memory::LoadWord>(),
    Registered::of::<memory::StoreWord>(),
    Registered::of::<memory::LoadByte>(),
    Registered::of::<memory::LoadHalf>(),
    Registered::of::<memory::StoreByte>(),
    Registered::of::<memory::StoreHalf>(),
    Registered::of::<memory::Unaligned>(),
    Registered::of::<memory::Linked>(),
    Registered::of::<control::Branch>(),
    Registered::of::<control::BranchSign>(),
    Registered::of::<control::BranchRare>(),
    Registered::of::<control::Jump>(),
    Registered::of::<control::JumpRegister>(),
    Registered::of::<control::TrapEqual>(),
    Registered::of::<control::Trap>(),
];

/// The rows of all chips of [`INSTRUCTIONS`].
#[derive(Clone, Debug)]
pub struct InstructionRows {
    rows: Vec<ChipRows>,
    /// The chip of each operation.
    chips: Vec<Option<usize>>,
    /// The cells of a row, while it is stored.
    cells: Vec<u64>,
}

impl Default for InstructionRows {
    fn default() -> Self {
        let mut chips = Vec::new();
        for (chip, registered) in INSTRUCTIONS.iter().enumerate() {
            for operation in registered.operations.iter().map(|&operation| operation as usize) {
                chips.resize(chips.len().max(operation + 1), None);
                chips[operation] = Some(chip);
            }
        }
        Self { rows: vec![ChipRows::default(); INSTRUCTIONS.len()], chips, cells: Vec::new() }
    }
}

impl InstructionRows {
    /// Adds the row of an instruction. `None` if no chip can prove it.
    pub fn record(&mut self, step: &Step, accesses: &mut Accesses) -> Option<()> {
        let chip = (*self.chips.get(usize::try_from(step.operation).ok()?)?)?;
        (INSTRUCTIONS[chip].record)(step, accesses, &mut self.rows[chip], &mut self.cells)
    }

    /// How many rows each chip has.
    pub fn lengths(&self) -> impl Iterator<Item = usize> + Clone {
        self.rows.iter().map(ChipRows::len)
    }

    /// The rows, with the names of the chips.
    pub fn into_rows(self) -> impl Iterator<Item = (String, ChipRows)> {
        INSTRUCTIONS.iter().map(|chip| (chip.name)()).zip(self.rows)
    }
}
