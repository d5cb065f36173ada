//! Filling the traces of a machine.
//!
//! The chips of a machine are filled one after the other, each row by row, or in parallel if no row needs
//! another: first the chips that consist of fixed contents, then those with records, in the order of the
//! input. A call is answered on the spot: the called chip gets a row for every distinct tuple of arguments,
//! which is filled at once, and whose outputs are the answer. Then the tables of memories, padding (callers
//! before callees), and at last the multiplicities, counted from the lookups of the finished rows.
//!
//! Nothing here decides whether a trace is *right*: rules are the business of [`check`](super::check()).

use std::collections::BTreeMap;

use p3_field::PrimeField64;
use rayon::prelude::*;

use super::calls::Clerk;
use super::desk::{Desk, Provider};
pub use super::fill_error::{FillError, FillErrors};
use super::memory::Memory;
use super::{ChipRows, Machine, MachineInput, MachineTrace, Table, multiplicity};
use crate::FieldPair;
use crate::chip::interpret::{Program, Services};
use crate::chip::{Chip, ColumnId, ColumnKind, FillOp, Node, PortKind, Section};
use crate::field::{NotCanonical, canonical_element, from_canonical};

/// How to fill, apart from the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FillOptions {
    /// No table is lower than this; a power of two, or zero.
    pub min_height: usize,
    /// Cells that keep a wrong value; everything filled later is computed from it. With forged cells,
    /// lookups that hit no entry and native functions that fail are no errors: cells that cannot be
    /// computed are zero.
    pub forge: Vec<Forge>,
    /// Lookups that hit no entry are no errors: they are left to [`check`](super::check()).
    pub allow_missing_entries: bool,
}

/// A wrong value for one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forge {
    /// The chip's name.
    pub chip: String,
    /// The row; if the table turns out to be lower, nothing is forged.
    pub row: usize,
    /// The column, of the main trace.
    pub column: ColumnId,
    /// The value, canonical.
    pub value: u64,
}

/// Fills the trace of every chip.
///
/// # Errors
///
/// Fails if the input does not fit the machine, if a Rust function of a fill fails, or if a lookup asks for
/// something that no table has. All errors of a run are collected.
pub fn fill<P: FieldPair>(
    machine: &Machine,
    input: &MachineInput,
) -> Result<MachineTrace<P::Base>, FillErrors> {
    fill_with::<P>(machine, input, &FillOptions::default())
}

/// [`fill()`] with options.
///
/// # Errors
///
/// Fails as [`fill()`] does.
pub fn fill_with<P: FieldPair>(
    machine: &Machine,
    input: &MachineInput,
    options: &FillOptions,
) -> Result<MachineTrace<P::Base>, FillErrors> {
    P::fill_machine(machine, input, options)
}

/// [`fill_with`], compiled here for each field.
pub(crate) fn fill_generic<P: FieldPair>(
    machine: &Machine,
    input: &MachineInput,
    options: &FillOptions,
) -> Result<MachineTrace<P::Base>, FillErrors> {
    let fields = |chip: &Chip| (chip.field, P::FIELD);
    if let Some((machine, asked)) = machine
        .chips
        .iter()
        .map(fields)
        .chain(std::iter::once((machine.field, P::FIELD)))
        .find(|(machine, asked)| machine != asked)
    {
        return Err(FillError::WrongField { machine, asked }.into());
    }
    fill_over(machine, input, options)
}

fn fill_over<F: PrimeField64>(
    machine: &Machine,
    input: &MachineInput,
    options: &FillOptions,
) -> Result<MachineTrace<F>, FillErrors> {
    let mut filler = Filler::new(machine, input, options)?;
    filler.fill_fixed(input);
    filler.fill_given(input);
    filler.fill_memory_tables();
    std::mem::take(&mut filler.errors).into_result()?;
    filler.pad(options.min_height.max(1));
    std::mem::take(&mut filler.errors).into_result()?;
    let mut trace = filler.finish();
    let lenient = options.allow_missing_entries || !options.forge.is_empty();
    multiplicity::count(machine, &mut trace, lenient)?;
    for forge in &options.forge {
        let chip =
            machine.position(&forge.chip).filter(|chip| forge.row < trace.tables[*chip].height);
        if let Some(chip) = chip {
            let position = machine.chips[chip].positions()[forge.column.index()];
            let table = &mut trace.tables[chip];
            table.values[forge.row * table.width + position] = from_canonical(forge.value);
        }
    }
    Ok(trace)
}

/// What of the input is not canonical.
const PUBLIC: &str = "a public value of chip";
const MEMORY: &str = "the memory on bus";
const FORGED: &str = "a forged cell of chip";

fn not_canonical(what: &'static str, name: &str, error: NotCanonical) -> FillError {
    FillError::NotCanonicalInput { what, name: format!("`{name}`"), error }
}

/// The machine while it is being filled.
pub(super) struct Filler<'m, F> {
    pub(super) machine: &'m Machine,
    /// `None` while the chip is being filled.
    pub(super) desks: Vec<Option<Desk<F>>>,
    pub(super) providers: BTreeMap<&'m str, Provider>,
    pub(super) memories: BTreeMap<&'m str, Memory>,
    /// Whether cells are forged.
    pub(super) forging: bool,
    pub(super) errors: FillErrors,
}

impl<'m, F: PrimeField64> Filler<'m, F> {
    fn new(
        machine: &'m Machine,
        input: &MachineInput,
        options: &FillOptions,
    ) -> Result<Self, FillErrors> {
        let mut errors = FillErrors::default();
        for chip in &machine.chips {
            if let Some(reason) = chip.malformation() {
                errors.push(FillError::Malformed { chip: chip.name.clone(), reason });
            }
        }
        errors.into_result()?;
        let least = options.min_height;
        let mut filler = Self {
            machine,
            desks: machine.chips.par_iter().map(|chip| Some(Desk::new(chip, least))).collect(),
            providers: BTreeMap::new(),
            memories: BTreeMap::new(),
            forging: !options.forge.is_empty(),
            errors: FillErrors::default(),
        };
        filler.find_providers();
        filler.load_publics(input);
        filler.load_memories(input);
        filler.load_forgeries(&options.forge);
        std::mem::take(&mut filler.errors).into_result()?;
        Ok(filler)
    }

    fn find_providers(&mut self) {
        let machine = self.machine;
        for (chip_index, chip) in machine.chips.iter().enumerate() {
            let positions = chip.positions();
            for (index, interaction) in chip.interactions.iter().enumerate() {
                let port = &chip.ports[interaction.port.index()];
                if port.kind != PortKind::Table || self.providers.contains_key(port.bus.as_str()) {
                    continue;
                }
                let inputs: Vec<usize> = interaction
                    .message
                    .iter()
                    .map_while(|node| match chip.graph.node(*node) {
                        Node::Cell(cell)
                            if !cell.next
                                && chip.columns[cell.column.index()].kind == ColumnKind::Input =>
                        {
                            Some(positions[cell.column.index()])
                        }
                        _ => None,
                    })
                    .collect();
                let callable = !inputs.is_empty()
                    && inputs.len() == chip.columns_of(ColumnKind::Input).count();
                let outputs = Program::new(chip, &positions, interaction.message.iter().copied());
                let provider =
                    Provider { chip: chip_index, interaction: index, inputs, outputs, callable };
                self.providers.insert(&port.bus, provider);
            }
        }
    }

    fn load_publics(&mut self, input: &MachineInput) {
        for (name, values) in &input.publics {
            let Some(index) = self.machine.position(name) else {
                self.errors.push(FillError::Unknown { what: "chip", name: name.clone() });
                continue;
            };
            if let Some(desk) = &mut self.desks[index] {
                desk.publics = vec![F::ZERO; values.len()];
                for (place, &value) in desk.publics.iter_mut().zip(values) {
                    match canonical_element(value) {
                        Ok(element) => *place = element,
                        Err(error) => self.errors.push(not_canonical(PUBLIC, name, error)),
                    }
                }
            }
        }
        for (chip, desk) in self.machine.chips.iter().zip(&self.desks) {
            let actual = desk.as_ref().map_or(0, |desk| desk.publics.len());
            if actual != chip.publics.len() {
                let expected = chip.publics.len();
                let chip = chip.name.clone();
                self.errors.push(FillError::PublicCount { chip, expected, actual });
            }
        }
    }

    fn load_memories(&mut self, input: &MachineInput) {
        for port in self.machine.chips.iter().flat_map(|chip| &chip.ports) {
            if port.kind == PortKind::Memory {
                self.memories.entry(&port.bus).or_default();
            }
        }
        for (bus, cells) in &input.memory {
            match self.memories.get_mut(bus.as_str()) {
                Some(memory) => {
                    for cell in cells {
                        let mut values = cell.address.iter().chain(&cell.value);
                        match values.try_for_each(|&v| canonical_element::<F>(v).map(drop)) {
                            Ok(()) => memory.initialise(cell),
                            Err(error) => self.errors.push(not_canonical(MEMORY, bus, error)),
                        }
                    }
                }
                None => {
                    self.errors.push(FillError::Unknown { what: "memory bus", name: bus.clone() });
                }
            }
        }
    }

    fn load_forgeries(&mut self, forgeries: &[Forge]) {
        for forge in forgeries {
            let Some(index) = self.machine.position(&forge.chip) else {
                self.errors.push(FillError::Unknown { what: "chip", name: forge.chip.clone() });
                continue;
            };
            let columns = &self.machine.chips[index].columns;
            match (columns.get(forge.column.index()), &mut self.desks[index]) {
                (Some(column), Some(desk)) if column.kind.is_main() => {
                    let position = desk.tape.positions()[forge.column.index()];
                    match canonical_element(forge.value) {
                        Ok(value) => desk.pinned.push((forge.row, position, value)),
                        Err(error) => {
                            self.errors.push(not_canonical(FORGED, &forge.chip, error));
                        }
                    }
                }
                _ => {
                    let name = format!("{} of chip {}", forge.column, forge.chip);
                    self.errors.push(FillError::Unknown { what: "main-trace column", name });
                }
            }
        }
    }

    /// Fills the chips whose rows are fixed and that no record is given for.
    fn fill_fixed(&mut self, input: &MachineInput) {
        for (index, chip) in self.machine.chips.iter().enumerate() {
            if chip.fixed.is_some() && !input.rows.iter().any(|(name, _)| *name == chip.name) {
                self.fill_chip(index, &ChipRows::default());
            }
        }
    }

    fn fill_given(&mut self, input: &MachineInput) {
        for (position, (name, rows)) in input.rows.iter().enumerate() {
            if input.rows[..position].iter().any(|(other, _)| other == name) {
                self.errors.push(FillError::GivenTwice { chip: name.clone() });
            } else if let Some(index) = self.machine.position(name) {
                self.fill_chip(index, rows);
            } else {
                self.errors.push(FillError::Unknown { what: "chip", name: name.clone() });
            }
        }
    }

    fn fill_memory_tables(&mut self) {
        for (index, chip) in self.machine.chips.iter().enumerate() {
            let Some(bus) = &chip.memory_of else { continue };
            let Some(memory) = self.memories.get(bus.as_str()) else {
                self.errors.push(FillError::Unknown { what: "memory bus", name: bus.clone() });
                continue;
            };
            let rows = memory.rows();
            let actual = chip.columns_of(ColumnKind::Record).count();
            let first = rows.iter().next();
            if let Some(expected) = first.map(<[u64]>::len).filter(|&width| width != actual) {
                let (chip, bus) = (chip.name.clone(), bus.clone());
                self.errors.push(FillError::MemoryWidth { chip, bus, expected, actual });
                continue;
            }
            self.fill_chip(index, &rows);
        }
    }

    /// Loads rows of a chip and runs its fills.
    fn fill_chip(&mut self, index: usize, given: &ChipRows) {
        let chip = &self.machine.chips[index];
        let Some(mut desk) = self.desks[index].take() else { return };
        let start = desk.rows;
        desk.load(chip, given, &mut self.errors);
        if let Some(failures) = desk.run_apart(chip, start) {
            let mut clerk = Clerk { filler: self, chip };
            failures.into_iter().for_each(|(site, message)| clerk.native_failed(site, message));
        } else {
            let end = desk.rows;
            for row in start..end {
                if row == 0 {
                    desk.run(chip, Section::First, row, &mut Clerk { filler: self, chip });
                }
                desk.run(chip, Section::Row, row, &mut Clerk { filler: self, chip });
                if row + 1 < end {
                    desk.run(chip, Section::Step, row, &mut Clerk { filler: self, chip });
                }
            }
        }
        self.desks[index] = Some(desk);
    }

    /// Adds padding rows, callers before callees: the fills of a padding row may call, too.
    fn pad(&mut self, min_height: usize) {
        for index in self.callers_first() {
            let chip = &self.machine.chips[index];
            let Some(mut desk) = self.desks[index].take() else { continue };
            desk.real_rows = desk.rows;
            let fixed = chip.fixed.as_ref().map_or(0, crate::chip::FixedData::rows);
            if chip.fixed.is_some() && desk.rows > fixed {
                let (chip, rows) = (chip.name.clone(), desk.rows);
                self.errors.push(FillError::TooManyRows { chip, rows, fixed });
            }
            let height = desk.rows.max(min_height).next_power_of_two();
            // Rows that a circuit does not use are filled like any other, from an empty record; those of a table of
            // fixed entries give none.
            let goes_on = chip.is_wired() || chip.gives_only_contents();
            if chip.dense && !goes_on && desk.rows != height {
                let (chip, rows) = (chip.name.clone(), desk.rows);
                self.errors.push(FillError::NotDense { chip, rows, least: min_height });
                self.desks[index] = Some(desk);
                continue;
            }
            desk.values.resize(height * desk.width, F::ZERO);
            // Beyond their contents, fixed columns are constant, so that padding repeats itself as periodic columns do.
            let repeats = desk.pinned.is_empty()
                && !chip.fills.iter().any(|fill| matches!(fill.op, FillOp::Access { .. }));
            let period = chip.periodic.iter().map(Vec::len).max().unwrap_or(1);
            for row in desk.rows..height {
                if repeats && row >= desk.rows + period {
                    let (like, width) = (row - period, desk.width);
                    desk.values.copy_within(like * width..(like + 1) * width, row * width);
                } else {
                    desk.pin(row);
                    desk.run(chip, Section::Row, row, &mut Clerk { filler: self, chip });
                }
            }
            desk.rows = height;
            self.desks[index] = Some(desk);
        }
    }

    /// The chips in an order in which every caller comes before the chips that it calls. Cycles are
    /// found when they are run into.
    fn callers_first(&self) -> Vec<usize> {
        let chips = &self.machine.chips;
        let callees = |chip: &Chip| -> Vec<usize> {
            chip.fills
                .iter()
                .filter_map(|fill| match &fill.op {
                    FillOp::Call { port, .. } => {
                        let bus = chip.ports[port.index()].bus.as_str();
                        self.providers.get(bus).map(|provider| provider.chip)
                    }
                    _ => None,
                })
                .collect()
        };
        let mut order = Vec::new();
        let mut seen = vec![false; chips.len()];
        for root in 0..chips.len() {
            let mut stack = vec![(root, false)];
            while let Some((index, finished)) = stack.pop() {
                if finished {
                    order.push(index);
                } else if !std::mem::replace(&mut seen[index], true) {
                    stack.push((index, true));
                    stack.extend(callees(&chips[index]).into_iter().map(|callee| (callee, false)));
                }
            }
        }
        order.reverse();
        order
    }

    fn finish(self) -> MachineTrace<F> {
        let mut trace = MachineTrace { tables: Vec::new(), publics: Vec::new() };
        for desk in self.desks.into_iter().flatten() {
            trace.tables.push(Table {
                height: desk.rows,
                width: desk.width,
                values: desk.values,
                real_rows: desk.real_rows,
            });
            trace.publics.push(desk.publics);
        }
        trace
    }
}
