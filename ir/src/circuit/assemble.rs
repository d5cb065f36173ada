//! From stage `tables` to a machine: every table becomes a chip on the witness bus, with the wiring of the
//! circuit in its fixed columns.
//!
//! The machine depends on the circuit alone; a witness only decides what the executor says about each
//! row. So a circuit is proven exactly as any other machine is, and all that makes it *this* circuit
//! is in the preprocessed columns that the verifying key commits to.
//!
//! A [`Layout`] cuts tables into lanes, each of which is a chip of this machine; the chips are then put side
//! by side by [`Fusion`](super::layout::Fusion).

use std::sync::Arc;

use p3_field::{BasedVectorSpace, PrimeField64};
use rayon::prelude::*;

use super::call::{CallPort, ChipCall};
use super::execute::Witness;
use super::interface::Interface;
use super::layout::{Lanes, Layout, LayoutError, deal, table_name};
use super::library::{CalledChip, Library};
use super::public_table::PUBLIC_TABLE;
use super::rows::{Relation, Role, Row, RowOp, SlotId};
use super::tables::{Table, TableKind, Tables};
use super::value::ValueType;
use crate::chip::passes::{Wire, WiredChip, WitnessBusError, WitnessValue, on_witness_bus};
use crate::chip::{Chip, ColumnKind, FixedData, Origin};
use crate::field::FieldPair;
use crate::machine::{ChipRows, Machine, MachineInput};

/// A circuit as a machine.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The chips, wired.
    pub machine: Machine,
    plans: Vec<Plan>,
    publics: Vec<(SlotId, usize)>,
    /// The slots of which there are copies.
    copies: Vec<SlotId>,
    numbers: Numbers,
    layout: Option<Layout>,
    /// By chip: the chip of the first lane of its table.
    first_lanes: Vec<usize>,
}

/// The calls whose records one thread computes at a time, at least.
const CALLS_AT_A_TIME: usize = 64;

/// Where the cells of a chip's rows come from.
#[derive(Clone, Debug)]
struct Plan {
    chip: String,
    interface: Arc<Interface>,
    /// The slot wired to each value of the interface, row by row.
    slots: Vec<Option<SlotId>>,
    rows: Vec<RowPlan>,
    /// The calls of a chip that says itself what its rows hold, in the order of their first rows.
    native: Option<Native>,
}

#[derive(Clone, Debug)]
struct Native {
    called: CalledChip,
    /// Each call, and where its inputs are.
    calls: Vec<(ChipCall, Vec<CallPort>)>,
}

/// The row within its call, and the position of the call's private data.
#[derive(Clone, Copy, Debug, Default)]
struct RowPlan {
    row: u32,
    data: Option<u32>,
}

/// Why a circuit cannot be assembled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssembleError {
    /// The library lacks a chip.
    #[error("the library has no chip for table `{0}`")]
    NoChip(TableKind),
    /// A chip of the library does not have the columns that its table needs.
    #[error("the chip of table `{table}` has no {what}")]
    Interface {
        /// The table.
        table: TableKind,
        /// What is missing.
        what: String,
    },
    /// A chip cannot be wired.
    #[error(transparent)]
    WitnessBus(#[from] WitnessBusError),
    /// The library is for another field.
    #[error("the circuit is over {circuit}, the chips of the library are over {library}")]
    Field {
        /// The field of the circuit.
        circuit: crate::Field,
        /// The field of the library.
        library: crate::Field,
    },
    /// The circuit does not fit the layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl Tables {
    /// Builds the machine: one chip a table.
    ///
    /// # Errors
    ///
    /// Fails if the library lacks a chip, or has one that does not fit its table.
    pub fn assemble(&self, library: &Library) -> Result<Assembly, AssembleError> {
        self.check_field(library)?;
        let mut placed = Vec::new();
        for table in self.tables.iter().filter(|table| table.kind != TableKind::Public) {
            let wiring = Wiring::new(self, &table.kind, library)?;
            placed.push((wiring, vec![(0..table.rows.len()).collect()]));
        }
        let mut assembly = self.empty_assembly(Numbers::new(self, &placed)?);
        let mut placed = placed.iter();
        for table in &self.tables {
            if table.kind == TableKind::Public {
                let numbers = |slot| assembly.numbers.of(slot);
                assembly.machine.chips.push(self.public_chip(self.public_reads(), numbers));
                continue;
            }
            let Some((wiring, lanes)) = placed.next() else { continue };
            let name = table_name(&table.kind);
            assembly.push(wiring.wire(name, &lanes[0], None, &assembly.numbers)?);
        }
        Ok(assembly.with_helpers(library))
    }

    /// Builds the machine with the lanes of a layout: one chip a lane. All tables of the layout are there,
    /// those without rows, too.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::assemble`] does, or if the circuit does not fit the layout.
    pub fn assemble_with(
        &self,
        library: &Library,
        layout: &Layout,
    ) -> Result<Assembly, AssembleError> {
        self.check_field(library)?;
        layout.check(self)?;
        let mut placed = Vec::new();
        for lanes in &layout.tables {
            let wiring = Wiring::new(self, &lanes.table, library)?;
            let mut dealt = match wiring.table {
                Some(table) => deal(table, layout.height())?,
                None => Vec::new(),
            };
            if dealt.len() > lanes.lanes {
                return Err(AssembleError::Layout(LayoutError::Rows {
                    table: lanes.table.clone(),
                    rows: dealt.iter().map(Vec::len).sum(),
                    needed: dealt.len(),
                    height: layout.height(),
                    lanes: lanes.lanes,
                }));
            }
            dealt.resize(lanes.lanes, Vec::new());
            placed.push((wiring, dealt));
        }
        let mut assembly = self.empty_assembly(Numbers::new(self, &placed)?);
        if !layout.publics.is_empty() {
            let chip = self.public_chip(layout.public_reads, |slot| assembly.numbers.of(slot));
            assembly.machine.chips.push(chip);
        }
        for (lanes, (wiring, dealt)) in layout.tables.iter().zip(&placed) {
            let first = assembly.machine.chips.len();
            for (lane, rows) in dealt.iter().enumerate() {
                let name = lanes.name(lane);
                assembly.push(wiring.wire(name, rows, Some(lanes), &assembly.numbers)?);
            }
            assembly.first_lanes.resize(first, 0);
            assembly.first_lanes.resize(assembly.machine.chips.len(), first);
        }
        assembly.layout = Some(layout.clone());
        Ok(assembly.with_helpers(library))
    }

    /// By value of the interface of a table's chip: the largest number of messages of a row.
    pub(super) fn weights(
        &self,
        kind: &TableKind,
        library: &Library,
    ) -> Result<Vec<u32>, AssembleError> {
        let wiring = Wiring::new(self, kind, library)?;
        let mut weights = vec![1; wiring.interface.values.len()];
        for row in self.table(kind).into_iter().flat_map(|table| table.rows.iter()) {
            for port in row.ports.iter().filter(|port| port.role != Role::Peeks) {
                let weight = &mut weights[wiring.value_of(port.position)?];
                *weight = (*weight).max(self.multiplicity(*port).unsigned_abs() as u32);
            }
        }
        Ok(weights)
    }

    fn check_field(&self, library: &Library) -> Result<(), AssembleError> {
        let (circuit, library) = (self.program.field, library.field());
        if circuit == library {
            return Ok(());
        }
        Err(AssembleError::Field { circuit, library })
    }

    fn empty_assembly(&self, numbers: Numbers) -> Assembly {
        let publics = self.program.publics.iter().copied().zip(self.public_widths());
        Assembly {
            machine: Machine::new(self.program.name.clone(), self.program.field),
            plans: Vec::new(),
            publics: publics.collect(),
            copies: self.copies.clone(),
            numbers,
            layout: None,
            first_lanes: Vec::new(),
        }
    }
}

/// What the chips of all lanes of a table have in common.
struct Wiring<'a> {
    tables: &'a Tables,
    kind: &'a TableKind,
    /// The table, if it has rows.
    table: Option<&'a Table>,
    called: Option<&'a CalledChip>,
    interface: Arc<Interface>,
    /// The chip, on the witness bus, without rows.
    wired: WiredChip,
    /// What the fixed columns of the bare chip say, if the chip is one of ours.
    selectors: Vec<Selector>,
    /// The number of fixed columns of the bare chip.
    own: usize,
    /// By value of the interface: the position of the fixed column that says whether rows read it, if there is one.
    flags: Vec<Option<usize>>,
    /// By position of a port: its value in the interface. Ports of calls are values by themselves.
    values: [Option<usize>; 4],
}

/// What a fixed column of a primitive chip says, by its name: which of `a·b` and `a` is meant (`product`), and
/// whether `c` or `b` is added to it (`sum`); whether a slot is a base element (`felt`), or the coefficients of a
/// constant (`constant[0]` …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selector {
    Product,
    Sum,
    Felt,
    Constant(usize),
}

impl Selector {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "product" => Self::Product,
            "sum" => Self::Sum,
            "felt" => Self::Felt,
            _ => {
                let index = name.strip_prefix("constant[")?.strip_suffix(']')?;
                Self::Constant(index.parse().ok()?)
            }
        })
    }

    fn value(self, tables: &Tables, row: Row<'_>) -> Option<u64> {
        let flag = |relations: &[Relation]| match row.op {
            RowOp::Arithmetic(relation, _) => Some(u64::from(relations.contains(relation))),
            _ => None,
        };
        match self {
            Self::Product => flag(&[Relation::Mul, Relation::MulAdd]),
            Self::Sum => flag(&[Relation::Add, Relation::MulAdd]),
            Self::Felt => {
                let slot = row.ports.first()?.slot;
                Some(u64::from(tables.program.slots[slot.index()].ty != ValueType::Ext))
            }
            Self::Constant(index) => match row.op {
                RowOp::Const(constant) => {
                    Some(constant.coefficients().get(index).copied().unwrap_or(0))
                }
                _ => None,
            },
        }
    }
}

impl<'a> Wiring<'a> {
    fn new(
        tables: &'a Tables,
        kind: &'a TableKind,
        library: &'a Library,
    ) -> Result<Self, AssembleError> {
        let (bare, called) = library.chip_of(kind).ok_or(AssembleError::NoChip(kind.clone()))?;
        let interface = match called {
            Some(called) => Arc::clone(called.interface()),
            None => Arc::new(Interface::new(bare)),
        };
        let missing = |what: String| AssembleError::Interface { table: kind.clone(), what };
        let mut selectors = Vec::new();
        let mut values = [None; 4];
        if called.is_none() {
            for id in bare.columns_of(ColumnKind::Fixed) {
                let name = &bare.columns[id.index()].name;
                let selector = Selector::of(name);
                selectors.push(
                    selector
                        .ok_or_else(|| missing(format!("use for its fixed column `{name}`")))?,
                );
            }
            let names: &[&str] = match kind {
                TableKind::Add | TableKind::Mul | TableKind::Alu(_) => &["a", "b", "c", "out"],
                _ => &["value"],
            };
            for (position, name) in names.iter().enumerate() {
                values[position] = interface.values.iter().position(|value| value.name == *name);
            }
        }
        let (wired, own) = (on_witness_bus(bare, &interface.values)?, bare.fixed_width());
        let flag = |value: &WitnessValue| match value.wire {
            Wire::ReadIf(flag) => bare.columns_of(ColumnKind::Fixed).position(|id| id == flag),
            Wire::Any | Wire::Create => None,
        };
        let flags = interface.values.iter().map(flag).collect();
        let table = tables.table(kind);
        Ok(Self { tables, kind, table, called, interface, wired, selectors, own, flags, values })
    }

    /// The rows of the table at some positions.
    fn rows(&self, positions: &'a [usize]) -> impl Iterator<Item = Row<'a>> {
        let table = self.table.into_iter();
        table.flat_map(|table| positions.iter().map(|&position| table.rows.get(position)))
    }

    /// By value of the interface: its place among those whose slots rows create in order, if it is one of them.
    fn created(&self) -> (Vec<Option<u64>>, u64) {
        let mut count = 0;
        let values = self.interface.values.iter().map(|value| {
            let place = (value.wire == Wire::Create).then_some(count);
            count += u64::from(place.is_some());
            place
        });
        (values.collect(), count)
    }

    /// The chip with its fixed columns, and the plan of its rows. The bounds on the number of readers are
    /// those of the layout, or the least possible.
    fn wire(
        &self,
        name: String,
        rows: &[usize],
        lanes: Option<&Lanes>,
        numbers: &Numbers,
    ) -> Result<(Chip, Plan), AssembleError> {
        let width = self.interface.values.len();
        let WiredChip { chip, values, first_slot, active } = &self.wired;
        let field = chip.field;
        let (created, _) = self.created();
        let mut weights = vec![1_u32; width];
        let mut columns = vec![Vec::with_capacity(rows.len()); chip.fixed_width()];
        let mut slots = vec![None; width * rows.len()];
        let mut plans = Vec::with_capacity(rows.len());
        let mut native = self
            .called
            .filter(|called| called.has_records())
            .map(|called| Native { called: called.clone(), calls: Vec::new() });
        for (row, slots) in self.rows(rows).zip(slots.chunks_exact_mut(width)) {
            let plan = self.own_columns(row, &mut columns[..self.own])?;
            if let (Some(native), RowOp::Call { call, row: 0 }) = (&mut native, row.op) {
                let info = &self.tables.program.calls[call.index()];
                native.calls.push((info.chip.clone(), info.signature.inputs.clone()));
            }
            columns[self.own..].iter_mut().for_each(|column| column.push(0));
            let mut set = |column: Option<usize>, cell: u64| {
                let last = column.and_then(|column| columns[column].last_mut());
                last.into_iter().for_each(|last| *last = cell);
            };
            set(*active, 1);
            for port in row.ports {
                let value = self.value_of(port.position)?;
                slots[value] = Some(port.slot);
                if port.role == Role::Peeks {
                    continue;
                }
                let count = self.tables.multiplicity(*port);
                weights[value] = weights[value].max(count.unsigned_abs() as u32);
                let number = numbers.of(port.slot);
                set(values[value].slot, number);
                set(values[value].count, field.reduce(count.into()));
                if let Some(place) = created[value] {
                    set(*first_slot, number - place);
                }
            }
            self.check_wires(row, slots, &columns)?;
            plans.push(plan);
        }
        let weights = match lanes {
            Some(lanes) => self.bounded(&weights, lanes)?,
            None => &weights,
        };
        let mut chip = chip.clone();
        for interaction in &mut chip.interactions {
            let named = self.interface.values.iter().position(|v| v.name == interaction.label.name);
            if let Some(value) = named.filter(|_| interaction.origin == Origin::Interface) {
                interaction.weight = weights[value];
            }
        }
        chip.name.clone_from(&name);
        chip.fixed = Some(FixedData { columns });
        let interface = Arc::clone(&self.interface);
        Ok((chip, Plan { chip: name, interface, slots, rows: plans, native }))
    }

    /// Whether a row, whose fixed cells are the last ones, does with the values of the interface what the chip says that
    /// all rows do.
    fn check_wires(
        &self,
        row: Row<'_>,
        slots: &[Option<SlotId>],
        columns: &[Vec<u64>],
    ) -> Result<(), AssembleError> {
        let refuse = |value: &WitnessValue, what: &str| AssembleError::Interface {
            table: self.kind.clone(),
            what: format!("rows that {what} `{}`", value.name),
        };
        for port in row.ports {
            let value = &self.interface.values[self.value_of(port.position)?];
            match (value.wire, port.role) {
                (Wire::Create, Role::Reads) => return Err(refuse(value, "read")),
                (Wire::ReadIf(_), Role::Creates) => return Err(refuse(value, "create")),
                _ => {}
            }
        }
        for ((value, flag), slot) in self.interface.values.iter().zip(&self.flags).zip(slots) {
            let Some(flag) = *flag else { continue };
            match (columns[flag].last(), slot) {
                (Some(1), Some(_)) | (Some(0), None) => {}
                (_, None) => return Err(refuse(value, "do not read")),
                (_, Some(_)) => return Err(refuse(value, "read")),
            }
        }
        Ok(())
    }

    /// The bounds of the layout, if they hold.
    fn bounded<'l>(&self, weights: &[u32], lanes: &'l Lanes) -> Result<&'l [u32], LayoutError> {
        let table = || self.kind.clone();
        let (expected, found) = (lanes.weights.len(), weights.len());
        if expected != found {
            return Err(LayoutError::Values { table: table(), expected, found });
        }
        for (value, (&found, &limit)) in weights.iter().zip(&lanes.weights).enumerate() {
            if found > limit {
                return Err(LayoutError::Reads { table: table(), value, found, limit });
            }
        }
        Ok(&lanes.weights)
    }

    fn value_of(&self, position: u16) -> Result<usize, AssembleError> {
        let position = usize::from(position);
        let value = match self.called {
            Some(_) => Some(position).filter(|&value| value < self.interface.values.len()),
            None => self.values.get(position).copied().flatten(),
        };
        value.ok_or_else(|| AssembleError::Interface {
            table: self.kind.clone(),
            what: format!("value for port {position}"),
        })
    }

    /// Appends a row to the chip's own fixed columns, and says what else the row needs.
    fn own_columns(
        &self,
        row: Row<'_>,
        columns: &mut [Vec<u64>],
    ) -> Result<RowPlan, AssembleError> {
        if let (Some(called), RowOp::Call { call, row }) = (self.called, row.op) {
            let info = &self.tables.program.calls[call.index()];
            let mut fixed = called.fixed_row(&info.chip, *row).into_iter();
            columns.iter_mut().for_each(|column| column.push(fixed.next().unwrap_or(0)));
            return Ok(RowPlan { row: *row, data: info.data });
        }
        for (column, selector) in columns.iter_mut().zip(&self.selectors) {
            let value = selector.value(self.tables, row);
            column.push(value.ok_or_else(|| AssembleError::Interface {
                table: self.kind.clone(),
                what: format!("fixed column `{selector:?}` for a row of another kind"),
            })?);
        }
        Ok(RowPlan::default())
    }
}

/// The numbers of slots on the witness bus: those that rows of a chip [create in order](Wire::Create) come first, all
/// others follow.
#[derive(Clone, Debug)]
struct Numbers {
    /// By slot.
    of: Vec<u64>,
}

impl Numbers {
    /// The numbers of all slots, given the rows of each lane of each table.
    fn new(
        tables: &Tables,
        placed: &[(Wiring<'_>, Vec<Vec<usize>>)],
    ) -> Result<Self, AssembleError> {
        let mut of = vec![None; tables.slot_count()];
        let mut next = 0;
        for (wiring, lanes) in placed {
            let (created, count) = wiring.created();
            if count == 0 {
                continue;
            }
            for row in lanes.iter().flat_map(|lane| wiring.rows(lane)) {
                for port in row.ports.iter().filter(|port| port.role == Role::Creates) {
                    if let Some(place) = created[wiring.value_of(port.position)?] {
                        of[port.slot.index()] = Some(next + place);
                    }
                }
                next += count;
            }
        }
        let number = |known: Option<u64>| {
            known.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        };
        Ok(Self { of: of.into_iter().map(number).collect() })
    }

    fn of(&self, slot: SlotId) -> u64 {
        self.of[slot.index()]
    }
}

impl Plan {
    /// The records of all rows; `coefficients` are those of all slots, `degree` a slot.
    fn records(&self, coefficients: &[u64], degree: usize, data: &[Vec<u64>]) -> ChipRows {
        let calls = self.native.iter().flat_map(|native| native.calls.iter().map(Some));
        let mut first = 0;
        let runs: Vec<_> = self
            .rows
            .chunk_by(|_, next| next.row != 0)
            .zip(calls.chain(std::iter::repeat(None)))
            .map(|(rows, call)| {
                first += rows.len();
                (first - rows.len(), rows, call)
            })
            .collect();
        let scene = (coefficients, degree, data);
        let rows = runs
            .into_par_iter()
            .with_min_len(CALLS_AT_A_TIME)
            .flat_map_iter(|(first, rows, call)| self.records_of_call(first, rows, call, scene))
            .collect();
        ChipRows { rows }
    }

    /// The records of the rows of one call, the first of which has number `first`.
    fn records_of_call(
        &self,
        first: usize,
        rows: &[RowPlan],
        call: Option<&(ChipCall, Vec<CallPort>)>,
        (coefficients, degree, data): (&[u64], usize, &[Vec<u64>]),
    ) -> Vec<Vec<u64>> {
        let width = self.interface.values.len();
        let data_of = |row: &RowPlan| {
            let data = row.data.and_then(|position| data.get(position as usize));
            data.map_or(&[][..], Vec::as_slice)
        };
        let mut records = Vec::new();
        if let (Some(native), Some((call, inputs)), Some(row)) = (&self.native, call, rows.first())
        {
            let inputs: Vec<u64> = inputs
                .iter()
                .flat_map(|port| {
                    let place = (first + port.row as usize) * width;
                    let slot = self.slots.get(place + usize::from(port.port)).copied().flatten();
                    let len = if port.ty.is_ext() { degree } else { 1 };
                    slot.map_or(&[][..], |slot| &coefficients[slot.index() * degree..][..len])
                })
                .copied()
                .collect();
            records = native.called.native_records(call, &inputs, data_of(row)).unwrap_or_default();
            records.truncate(rows.len());
        }
        let given = records.len();
        let slots = self.slots[first * width..].chunks_exact(width);
        let record = |(row, slots): (&RowPlan, &[Option<SlotId>])| {
            self.interface.record(row.row, data_of(row), |value, index| {
                slots[value].map_or(0, |slot| coefficients[slot.index() * degree + index])
            })
        };
        records.extend(rows.iter().zip(slots).skip(given).map(record));
        records
    }
}

impl Assembly {
    fn push(&mut self, (chip, plan): (Chip, Plan)) {
        self.machine.chips.push(chip);
        self.plans.push(plan);
    }

    fn with_helpers(mut self, library: &Library) -> Self {
        let helpers: Vec<Chip> =
            library.helpers_of(&self.machine.chips).into_iter().cloned().collect();
        self.machine.chips.extend(helpers);
        // Whatever is no lane stands for itself.
        let known = self.first_lanes.len();
        self.first_lanes.extend(known..self.machine.chips.len());
        self
    }

    /// What the executor of the machine says, given the values of all slots.
    pub fn input<P: FieldPair>(&self, witness: &Witness<P>) -> MachineInput {
        let degree = P::FIELD.degree();
        let copies = self.copies.iter().map(|slot| &witness.values[slot.index()]);
        let coefficients: Vec<u64> = witness
            .values
            .iter()
            .chain(copies)
            .flat_map(BasedVectorSpace::<P::Base>::as_basis_coefficients_slice)
            .map(PrimeField64::as_canonical_u64)
            .collect();
        let records =
            |plan: &Plan| (plan.chip.clone(), plan.records(&coefficients, degree, &witness.data));
        let rows = self.plans.iter().map(records).collect();
        let publics: Vec<u64> = self
            .publics
            .iter()
            .flat_map(|&(slot, width)| &coefficients[slot.index() * degree..][..width])
            .copied()
            .collect();
        let publics =
            if publics.is_empty() { Vec::new() } else { vec![(PUBLIC_TABLE.to_owned(), publics)] };
        MachineInput { rows, publics, memory: Vec::new() }
    }

    /// The number of base elements of each public input.
    pub fn public_widths(&self) -> impl Iterator<Item = usize> + '_ {
        self.publics.iter().map(|&(_, width)| width)
    }

    /// The slot with a number on the witness bus; of copies, the one that they are copies of.
    pub fn slot(&self, number: u64) -> Option<SlotId> {
        let slot = self.numbers.of.iter().position(|&other| other == number)?;
        let program = self.numbers.of.len() - self.copies.len();
        Some(slot.checked_sub(program).map_or(SlotId::new(slot), |copy| self.copies[copy]))
    }

    /// By chip of the machine: the position of the first lane of the same table, which differs only in its
    /// name and in the contents of its fixed columns.
    pub fn first_lanes(&self) -> &[usize] {
        &self.first_lanes
    }

    /// The layout that the machine's lanes follow.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }
}
