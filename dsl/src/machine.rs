//! Machines in the author's types: chips, their records, and their results.
//!
//! ```text
//! let machine = Machine::new("vm", Field::Goldilocks2)
//!     .add::<Cpu>()
//!     .add::<Add32>()
//!     .memory::<U32>("ram")
//!     .build()?;
//! let input = Input::new(Field::Goldilocks2).rows::<Cpu>(records).publics::<Cpu>(&publics);
//! ```
//!
//! A chip that another one calls gets its interface when the machine is built, and range tables that somebody
//! asks for are added, so neither is the author's business.

use std::sync::Arc;

use chipwright_ir::chip::passes::interface;
use chipwright_ir::chip::{Chip as IrChip, ColumnKind, PortKind};
use chipwright_ir::field::NotCanonical;
use chipwright_ir::machine::{
    ChipRows, Machine as IrMachine, MachineInput, MachineTrace, MemoryCell,
};

use crate::Field;
use crate::column_types::Felt;
use crate::memory_table::MemoryTable;
use crate::range::{Range8, Range16};
use crate::recording::{RecordingErrors, fixed_data, record};
use crate::schema::{Cells, Chip, ColumnType};

/// Chips that are to become a machine.
#[derive(Clone, Debug)]
pub struct Machine {
    name: String,
    field: Field,
    chips: Vec<IrChip>,
    errors: Vec<MachineError>,
}

/// Everything that is wrong with the chips of a machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("machine `{machine}` cannot be built:{}", list(.errors))]
pub struct MachineErrors {
    /// The machine.
    pub machine: String,
    /// The mistakes, in the order of the chips.
    pub errors: Vec<MachineError>,
}

fn list(errors: &[MachineError]) -> String {
    errors.iter().flat_map(|error| ["\n".to_owned(), error.to_string()]).collect()
}

/// Something wrong with a chip of a machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// A chip has mistakes of its own.
    #[error(transparent)]
    Recording(#[from] RecordingErrors),
    /// Two chips have one name.
    #[error("chip `{0}` was added twice")]
    Twice(String),
    /// The contents of a fixed or periodic column are not below the modulus.
    #[error("row {row} of column `{column}` of chip `{chip}`: {error}")]
    NotCanonical {
        /// The chip.
        chip: String,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// The value.
        error: NotCanonical,
    },
    /// A lookup has no table, and a table is nobody's to make.
    #[error("port `{port}` of chip `{chip}` asks bus `{bus}`, where no chip provides a table")]
    NoTable {
        /// The asking chip.
        chip: String,
        /// Its port.
        port: String,
        /// The bus.
        bus: String,
    },
}

impl Machine {
    /// A machine without chips.
    pub fn new(name: impl Into<String>, field: Field) -> Self {
        Self { name: name.into(), field, chips: Vec::new(), errors: Vec::new() }
    }

    /// Adds a chip.
    #[must_use]
    pub fn add<C: Chip>(self) -> Self {
        self.push::<C>(|_| {})
    }

    /// Adds a chip with the contents of its fixed columns, one entry a row: a program, for example.
    #[must_use]
    pub fn add_with<C: Chip>(self, fixed: &[C::Fixed]) -> Self {
        let data = fixed_data::<C>(self.field, fixed);
        self.push::<C>(|chip| chip.fixed = data)
    }

    /// Adds a chip that is IR already.
    #[must_use]
    pub fn add_ir(mut self, chip: IrChip) -> Self {
        if self.chips.iter().any(|other| other.name == chip.name) {
            self.errors.push(MachineError::Twice(chip.name.clone()));
        }
        self.errors.extend(not_canonical(&chip));
        self.chips.push(chip);
        self
    }

    /// Adds the table of the memory on bus `bus`, whose initial contents are zero.
    #[must_use]
    pub fn memory<V: ColumnType>(self, bus: &str) -> Self {
        self.memory_table::<V, false>(bus)
    }

    /// Adds the table of the memory on bus `bus`, whose initial contents the prover chooses.
    #[must_use]
    pub fn memory_with_input<V: ColumnType>(self, bus: &str) -> Self {
        self.memory_table::<V, true>(bus)
    }

    fn memory_table<V: ColumnType, const INPUT: bool>(self, bus: &str) -> Self {
        self.push::<MemoryTable<V, INPUT>>(|chip| {
            bus.clone_into(&mut chip.name);
            for port in chip.ports.iter_mut().filter(|port| port.kind == PortKind::Memory) {
                bus.clone_into(&mut port.name);
                bus.clone_into(&mut port.bus);
            }
            chip.memory_of = Some(bus.to_owned());
        })
    }

    fn push<C: Chip>(mut self, change: impl FnOnce(&mut IrChip)) -> Self {
        match record::<C>(self.field) {
            Ok(chip) => {
                let mut chip = Arc::unwrap_or_clone(chip);
                change(&mut chip);
                self.add_ir(chip)
            }
            Err(errors) => {
                self.errors.push(errors.into());
                self
            }
        }
    }

    /// The machine as IR: called chips have their interfaces, and range tables are in place.
    ///
    /// # Errors
    ///
    /// All mistakes of the chips, and of their connections as far as they can be seen here.
    pub fn build(mut self) -> Result<IrMachine, MachineErrors> {
        if asks(&self.chips, "u8") {
            self = self.add::<Range8>();
        }
        if asks(&self.chips, "u16") {
            self = self.add::<Range16>();
        }
        for index in 0..self.chips.len() {
            let name = self.chips[index].name.clone();
            if asks(&self.chips, &name) {
                self.chips[index] = interface(&self.chips[index]);
            }
        }
        for chip in &self.chips {
            for port in chip.ports.iter().filter(|port| port.kind == PortKind::Lookup) {
                if !provides(&self.chips, &port.bus) {
                    self.errors.push(MachineError::NoTable {
                        chip: chip.name.clone(),
                        port: port.name.clone(),
                        bus: port.bus.clone(),
                    });
                }
            }
        }
        if !self.errors.is_empty() {
            return Err(MachineErrors { machine: self.name, errors: self.errors });
        }
        let mut machine = IrMachine::new(self.name, self.field);
        machine.chips = self.chips;
        Ok(machine)
    }
}

/// The first value of each fixed and periodic column that is not below the modulus.
fn not_canonical(chip: &IrChip) -> Vec<MachineError> {
    let modulus = chip.field.modulus();
    let fixed = chip.fixed.iter().flat_map(|data| &data.columns);
    let columns = |kind| chip.columns_of(kind);
    let fixed = columns(ColumnKind::Fixed).zip(fixed);
    let contents = fixed.chain(columns(ColumnKind::Periodic).zip(&chip.periodic));
    let errors = contents.filter_map(|(column, values)| {
        let row = values.iter().position(|&value| value >= modulus)?;
        let error = NotCanonical { value: values[row], modulus };
        let column = chip.columns[column.index()].name.clone();
        Some(MachineError::NotCanonical { chip: chip.name.clone(), column, row, error })
    });
    errors.collect()
}

/// Whether some chip asks a bus that nobody provides.
fn asks(chips: &[IrChip], bus: &str) -> bool {
    let asked = |chip: &IrChip| {
        chip.ports.iter().any(|port| port.kind == PortKind::Lookup && port.bus == bus)
    };
    chips.iter().any(asked) && !provides(chips, bus)
}

fn provides(chips: &[IrChip], bus: &str) -> bool {
    chips
        .iter()
        .flat_map(|chip| &chip.ports)
        .any(|port| port.kind == PortKind::Table && port.bus == bus)
}

/// The native input of a run, in the chips' own types.
#[derive(Clone, Debug)]
pub struct Input {
    field: Field,
    input: MachineInput,
}

impl Input {
    /// No rows.
    pub fn new(field: Field) -> Self {
        Self { field, input: MachineInput::default() }
    }

    /// The records of a chip's real rows, in order.
    #[must_use]
    pub fn rows<C: Chip>(mut self, records: impl IntoIterator<Item = C::Record>) -> Self {
        let rows = records.into_iter().map(|record| {
            let mut cells = Vec::new();
            C::store(&record, &mut Cells::new(self.field, &mut cells));
            cells
        });
        self.input.rows.push((C::name(), rows.collect()));
        self
    }

    /// As many real rows as given, for a chip whose rows need no record.
    #[must_use]
    pub fn empty_rows<C: Chip>(mut self, count: usize) -> Self {
        self.input.rows.push((C::name(), ChipRows::from(vec![[]; count])));
        self
    }

    /// The public values of a chip.
    #[must_use]
    pub fn publics<C: Chip>(mut self, publics: &C::Publics) -> Self {
        let mut values = Vec::new();
        C::store_publics(publics, &mut Cells::new(self.field, &mut values));
        self.input.publics.push((C::name(), values));
        self
    }

    /// The initial contents of the memory on a bus, by address; other addresses hold zeros.
    #[must_use]
    pub fn memory<V: ColumnType>(
        mut self,
        bus: &str,
        contents: impl IntoIterator<Item = (u64, V::Native)>,
    ) -> Self {
        let cells = contents.into_iter().map(|(address, native)| {
            let mut cell = MemoryCell { address: Vec::new(), value: Vec::new() };
            Cells::new(self.field, &mut cell.address).put::<Felt>(&address);
            Cells::new(self.field, &mut cell.value).put::<V>(&native);
            cell
        });
        self.input.memory.push((bus.to_owned(), cells.collect()));
        self
    }

    /// The input as values, which filling and the verifier demand to be canonical.
    pub fn into_ir(self) -> MachineInput {
        self.input
    }
}

impl From<Input> for MachineInput {
    fn from(input: Input) -> Self {
        input.input
    }
}

/// The cells of a declared column on the real rows of a chip: one vector a row. `None` if the machine has no
/// such chip or the chip no such main-trace column.
pub fn column<C: Chip, F: Clone>(
    machine: &IrMachine,
    trace: &MachineTrace<F>,
    name: &str,
) -> Option<Vec<Vec<F>>> {
    let index = machine.position(&C::name())?;
    let (chip, table) = (&machine.chips[index], &trace.tables[index]);
    let group = chip.groups.iter().find(|group| group.name == name && group.kind.is_main())?;
    let start = chip.positions()[group.start.index()];
    let cells = start..start + group.len as usize;
    Some((0..table.real_rows).map(|row| table.row(row)[cells.clone()].to_vec()).collect())
}
