//! The wiring of a circuit in the fixed columns of its chips: which slot each value of a row is, and what the row
//! does with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::AssembleError;
use super::plan::{Native, Plan, PlannedCall, RowPlan};
use crate::chip::passes::{CountSource, SlotSource, Wire, WiredChip, WitnessValue, on_witness_bus};
use crate::chip::{Chip, ColumnKind, FixedData, Origin};
use crate::circuit::interface::Interface;
use crate::circuit::layout::{Lanes, LayoutError};
use crate::circuit::library::{CalledChip, Library};
use crate::circuit::rows::{Relation, Role, Row, RowOp, SlotId};
use crate::circuit::tables::{Table, TableKind, Tables};

/// What the chips of all lanes of a table have in common.
pub(super) struct Wiring<'a> {
    tables: &'a Tables,
    kind: &'a TableKind,
    /// The table, if it has rows.
    pub(super) table: Option<&'a Table>,
    called: Option<&'a CalledChip>,
    pub(super) interface: Arc<Interface>,
    /// The chip, on the witness bus, without rows.
    wired: WiredChip,
    /// What the fixed columns of the bare chip say, if the chip is one of ours.
    selectors: Vec<Selector>,
    /// The number of fixed columns of the bare chip.
    own: usize,
    /// The slots that are said to hold base elements, for the rows of the witness table.
    base: BTreeSet<SlotId>,
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

    fn value(self, tables: &Tables, base: &BTreeSet<SlotId>, row: Row<'_>) -> Option<u64> {
        let flag = |relations: &[Relation]| match row.op {
            RowOp::Arithmetic(relation, _) => Some(u64::from(relations.contains(relation))),
            // `a`, and nothing else.
            RowOp::Base => Some(0),
            _ => None,
        };
        match self {
            Self::Product => flag(&[Relation::Mul, Relation::MulAdd]),
            Self::Sum => flag(&[Relation::Add, Relation::MulAdd]),
            Self::Felt => {
                let slot = row.ports.first()?.slot;
                let is_ext = tables.program.slots[slot.index()].ty.is_ext();
                Some(u64::from(!is_ext || base.contains(&slot)))
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
    pub(super) fn new(
        tables: &'a Tables,
        kind: &'a TableKind,
        library: &'a Library,
    ) -> Result<Self, AssembleError> {
        let (Some((bare, called)), Some(interface)) =
            (library.chip_of(kind), library.interface_of(kind))
        else {
            return Err(AssembleError::NoChip(kind.clone()));
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
        let table = tables.table(kind);
        let base = match kind {
            TableKind::Witness => tables.program.base_claims(),
            _ => BTreeSet::new(),
        };
        Ok(Self { tables, kind, table, called, interface, wired, selectors, own, base, values })
    }

    /// The rows of the table at some positions.
    fn rows(&self, positions: &'a [usize]) -> impl Iterator<Item = Row<'a>> {
        let table = self.table.into_iter();
        table.flat_map(|table| positions.iter().map(|&position| table.rows.get(position)))
    }

    /// The chip with its fixed columns, and the plan of its rows. The bounds on the number of readers are
    /// those of the layout, or the least possible.
    pub(super) fn wire(
        &self,
        name: String,
        rows: &[usize],
        lanes: Option<&Lanes>,
        numbers: &Numbers,
    ) -> Result<(Chip, Plan), AssembleError> {
        let width = self.interface.values.len();
        let WiredChip { chip, values, first_slot, active } = &self.wired;
        let field = chip.field;
        let mut weights = vec![1_u32; width];
        let mut columns = vec![Vec::with_capacity(rows.len()); chip.fixed_width()];
        let mut slots = vec![None; width * rows.len()];
        let mut plans = Vec::with_capacity(rows.len());
        let mut native = self
            .called
            .filter(|called| called.has_run())
            .map(|called| Native { called: called.clone(), calls: Vec::new() });
        for (row, slots) in self.rows(rows).zip(slots.chunks_exact_mut(width)) {
            let plan = self.own_columns(row, &mut columns[..self.own])?;
            if let (Some(native), RowOp::Call { call, row: 0 }) = (&mut native, row.op) {
                let info = &self.tables.program.calls[call.index()];
                let (chip, inputs) = (info.chip.clone(), info.signature.inputs.clone());
                native.calls.push(PlannedCall { id: *call, chip, inputs });
            }
            columns[self.own..].iter_mut().for_each(|column| column.push(0));
            let mut set = |column: usize, cell: u64| {
                columns[column].last_mut().into_iter().for_each(|last| *last = cell);
            };
            active.iter().for_each(|active| set(*active, 1));
            for port in row.ports {
                let value = self.value_of(port.position)?;
                slots[value] = Some(port.slot);
                if port.role == Role::Peeks {
                    continue;
                }
                let count = self.tables.multiplicity(*port);
                weights[value] = weights[value].max(count.unsigned_abs() as u32);
                let (slot_source, count_source) = values[value];
                let number = numbers.of(port.slot);
                match (slot_source, first_slot) {
                    (SlotSource::Column(column), _) => set(column, number),
                    (SlotSource::Created(place), Some(column)) => set(*column, number - place),
                    (SlotSource::Created(_), None) => {}
                }
                if let CountSource::Column(column) = count_source {
                    set(column, field.reduce(count.into()));
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

    /// Whether a row, whose fixed cells are the last ones, does with the values of the interface what the chip
    /// says that all rows do.
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
        let sources = &self.wired.values;
        for ((value, &(_, count)), slot) in self.interface.values.iter().zip(sources).zip(slots) {
            let CountSource::Flag(flag) = count else { continue };
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

    pub(super) fn value_of(&self, position: u16) -> Result<usize, AssembleError> {
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
            let value = selector.value(self.tables, &self.base, row);
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
pub(super) struct Numbers {
    /// By slot.
    pub(super) of: Vec<u64>,
}

impl Numbers {
    /// The numbers of all slots, given the rows of each lane of each table.
    pub(super) fn new(
        tables: &Tables,
        placed: &[(Wiring<'_>, Vec<Vec<usize>>)],
    ) -> Result<Self, AssembleError> {
        let mut of = vec![None; tables.slot_count()];
        let mut next = 0;
        for (wiring, lanes) in placed {
            let sources = &wiring.wired.values;
            let is_created = |(slot, _): &&(SlotSource, _)| matches!(slot, SlotSource::Created(_));
            let created = sources.iter().filter(is_created).count() as u64;
            if created == 0 {
                continue;
            }
            for row in lanes.iter().flat_map(|lane| wiring.rows(lane)) {
                for port in row.ports.iter().filter(|port| port.role == Role::Creates) {
                    let (slot, _) = sources[wiring.value_of(port.position)?];
                    if let SlotSource::Created(place) = slot {
                        of[port.slot.index()] = Some(next + place);
                    }
                }
                next += created;
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

    pub(super) fn of(&self, slot: SlotId) -> u64 {
        self.of[slot.index()]
    }
}
