//! Machines: chips that exchange messages on named buses.
//!
//! A machine is no more than its chips; buses exist because chips name them. Chips that name the same bus
//! talk to each other: on a *lookup* bus every message asked must be an entry of a table, on a
//! *permutation* bus every message sent must be received exactly once. [`fill()`] computes the main trace
//! of every chip from the records of an executor, and [`check()`] lists everything that does not hold.
//!
//! ```
//! use chipwright_ir::{Field, machine::Machine};
//!
//! let machine = Machine::new("empty", Field::Goldilocks2);
//! assert!(machine.buses().is_empty());
//! ```

mod calls;
pub mod check;
mod desk;
mod evaluator;
pub mod fill;
mod fill_error;
pub mod layout;
pub(crate) mod memory;
mod multiplicity;
pub mod report;
mod rows;
pub(crate) mod tuples;
pub mod verify;

pub use check::check;
pub use fill::{FillError, FillErrors, FillOptions, Forge, fill, fill_with};
pub use layout::{Fusion, MachineLayout, MachineLayoutError};
pub use report::Report;
pub use rows::ChipRows;
pub use verify::verify;

use crate::Field;
use crate::chip::{Chip, PortId, PortKind};

/// A set of chips over one field, connected by the buses that they name.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// The machine's name.
    pub name: String,
    /// The field of every chip.
    pub field: Field,
    /// The chips, in the order of their tables. Names are unique.
    pub chips: Vec<Chip>,
}

/// A bus of a machine: a name that ports share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bus {
    /// The name.
    pub name: String,
    /// How its messages balance.
    pub kind: BusKind,
    /// The number of elements of a message.
    pub width: usize,
    /// Every port on the bus: the position of the chip in [`Machine::chips`], and the port.
    pub ports: Vec<(usize, PortId)>,
}

/// How the messages of a bus balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BusKind {
    /// Every message asked is an entry of a table.
    Lookup,
    /// Every message sent is received exactly once.
    Permutation,
}

impl Machine {
    /// A machine without chips.
    pub fn new(name: impl Into<String>, field: Field) -> Self {
        Self { name: name.into(), field, chips: Vec::new() }
    }

    /// The position of the chip with a name.
    pub fn position(&self, chip: &str) -> Option<usize> {
        self.chips.iter().position(|candidate| candidate.name == chip)
    }

    /// The buses, sorted by name. Kind and width are those of the bus's first port; that all ports agree
    /// is checked by [`verify()`].
    pub fn buses(&self) -> Vec<Bus> {
        let mut buses: Vec<Bus> = Vec::new();
        for (chip_index, chip) in self.chips.iter().enumerate() {
            for (port_index, port) in chip.ports.iter().enumerate() {
                let member = (chip_index, PortId::new(port_index));
                match buses.binary_search_by(|bus| bus.name.as_str().cmp(&port.bus)) {
                    Ok(position) => buses[position].ports.push(member),
                    Err(position) => buses.insert(
                        position,
                        Bus {
                            name: port.bus.clone(),
                            kind: BusKind::of(port.kind),
                            width: port.message.len(),
                            ports: vec![member],
                        },
                    ),
                }
            }
        }
        buses
    }
}

impl BusKind {
    /// The kind of bus that ports of a kind belong to.
    pub const fn of(port: PortKind) -> Self {
        if port.is_lookup() { Self::Lookup } else { Self::Permutation }
    }
}

/// Everything that [`fill()`] needs besides the machine itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineInput {
    /// The records, by chip name. Chips that are left out have the rows that others ask for, or the rows
    /// of their fixed columns, or none. A chip's rows are filled in the order given here.
    pub rows: Vec<(String, ChipRows)>,
    /// The public values, by chip name, in the order of the chip's declarations.
    pub publics: Vec<(String, Vec<u64>)>,
    /// The initial contents of memories, by bus name. Other addresses hold zeros.
    pub memory: Vec<(String, Vec<MemoryCell>)>,
}

/// The initial contents of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryCell {
    /// The address, as many elements as the bus's messages have before the time.
    pub address: Vec<u64>,
    /// The value, as many elements as the bus's messages have after the time.
    pub value: Vec<u64>,
}

/// The main trace of one chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<F> {
    /// The number of rows: a power of two, unless the table is to be folded into one of fewer rows.
    pub height: usize,
    /// The number of main-trace columns.
    pub width: usize,
    /// The cells, row by row: `height × width`.
    pub values: Vec<F>,
    /// The number of rows that are not padding; they come first.
    pub real_rows: usize,
}

impl<F> Table<F> {
    /// The cells of a row.
    ///
    /// # Panics
    ///
    /// Panics if `row` is not below the height.
    pub fn row(&self, row: usize) -> &[F] {
        &self.values[row * self.width..(row + 1) * self.width]
    }
}

/// The main traces of all chips, and their public values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineTrace<F> {
    /// One table a chip, in the order of [`Machine::chips`].
    pub tables: Vec<Table<F>>,
    /// The public values of each chip.
    pub publics: Vec<Vec<F>>,
}
