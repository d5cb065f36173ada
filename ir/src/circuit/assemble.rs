//! From stage `tables` to a machine: every table becomes a chip on the witness bus, with the wiring of the
//! circuit in its fixed columns.
//!
//! The machine depends on the circuit alone; a witness only decides what the executor says about each
//! row. So a circuit is proven exactly as any other machine is, and all that makes it *this* circuit
//! is in the preprocessed columns that the verifying key commits to.
//!
//! Public inputs have no cells: the chip `public` puts the public values themselves on the bus, all in
//! its first row.

use std::collections::BTreeMap;

use p3_field::{BasedVectorSpace, PrimeField64};

use super::call::{CallPort, ChipCall};
use super::execute::Witness;
use super::library::{CalledChip, Library};
use super::rows::{A, B, C, OUT, Port, Relation, Role, Row, RowOp, SlotId};
use super::tables::{Table, TableKind, Tables};
use super::value::ValueType;
use crate::chip::passes::{WITNESS_BUS, WitnessBusError, on_witness_bus, witness_values};
use crate::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, Fill, FillOp, FixedData, Graph, Group,
    Interaction, Label, Node, Origin, Public, PublicId, Rule, Section, Sign,
};
use crate::field::FieldPair;
use crate::machine::{ChipRows, Machine, MachineInput};

/// The name of the chip that holds the public inputs.
pub const PUBLIC_TABLE: &str = "public";

/// A circuit as a machine.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The chips, wired.
    pub machine: Machine,
    tables: Vec<Plan>,
    publics: Vec<(SlotId, usize)>,
}

/// Where the cells of a table's rows come from.
#[derive(Clone, Debug)]
struct Plan {
    chip: String,
    rows: Vec<RowPlan>,
    called: Option<CalledChip>,
}

#[derive(Clone, Debug)]
struct RowPlan {
    /// The slot wired to each value of the interface.
    slots: Vec<Option<SlotId>>,
    /// The row within its call, and the position of the call's private data.
    row: u32,
    data: Option<u32>,
    /// The call that begins in this row, and where its inputs are.
    begins: Option<(ChipCall, Vec<CallPort>)>,
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
}

impl Tables {
    /// Builds the machine.
    ///
    /// # Errors
    ///
    /// Fails if the library lacks a chip, or has one that does not fit its table.
    pub fn assemble(&self, library: &Library) -> Result<Assembly, AssembleError> {
        let field = self.program.field;
        if library.field() != field {
            return Err(AssembleError::Field { circuit: field, library: library.field() });
        }
        let mut machine = Machine::new(self.program.name.clone(), field);
        let mut plans = Vec::new();
        for table in &self.tables {
            if table.kind == TableKind::Public {
                machine.chips.push(self.public_chip(table));
                continue;
            }
            let (chip, plan) = self.wire(table, library)?;
            machine.chips.push(chip);
            plans.push(plan);
        }
        let helpers: Vec<Chip> = library.helpers_of(&machine.chips).into_iter().cloned().collect();
        machine.chips.extend(helpers);
        let publics = self
            .program
            .publics
            .iter()
            .map(|&slot| (slot, self.program.slots[slot.index()].ty.width(field)));
        Ok(Assembly { machine, tables: plans, publics: publics.collect() })
    }

    /// The chip of a table with its fixed columns, and the plan of its rows.
    fn wire(&self, table: &Table, library: &Library) -> Result<(Chip, Plan), AssembleError> {
        let missing = || AssembleError::NoChip(table.kind.clone());
        let called = match &table.kind {
            TableKind::Call(name) => Some(library.called(name).ok_or_else(missing)?.clone()),
            _ => None,
        };
        let bare = match &called {
            Some(called) => called.chip(),
            None => library.primitive(&table.kind).ok_or_else(missing)?,
        };
        let values = witness_values(bare);
        let own: Vec<String> = bare
            .columns_of(ColumnKind::Fixed)
            .map(|id| bare.columns[id.index()].name.clone())
            .collect();
        let mut chip = on_witness_bus(bare)?;
        let mut columns: Vec<Vec<u64>> = vec![Vec::new(); chip.fixed_width()];
        let mut weight = vec![1_u32; values.len()];
        let mut rows = Vec::new();
        for row in table.rows.iter() {
            let mut slots = vec![None; values.len()];
            let mut counts = vec![0_i128; values.len()];
            for &port in row.ports.iter().filter(|port| port.role != Role::Peeks) {
                let value = Self::value_index(&table.kind, &values, port)?;
                slots[value] = Some(port.slot);
                counts[value] = self.multiplicity(port).into();
                weight[value] = weight[value].max(counts[value].unsigned_abs() as u32);
            }
            let (fixed, plan) = self.own_columns(&table.kind, &own, row, called.as_ref())?;
            let wiring = slots.iter().zip(&counts).flat_map(|(slot, &count)| {
                let slot = slot.map_or(0, |slot: SlotId| slot.0.into());
                [slot, chip.field.reduce(count)]
            });
            let active = chip.real().map(|_| 1);
            for (column, value) in
                columns.iter_mut().zip(fixed.into_iter().chain(wiring).chain(active))
            {
                column.push(value);
            }
            rows.push(RowPlan { slots, ..plan });
        }
        for interaction in &mut chip.interactions {
            let named = values.iter().position(|value| value.name == interaction.label.name);
            if let Some(value) = named.filter(|_| interaction.origin == Origin::Interface) {
                interaction.weight = weight[value];
            }
        }
        chip.name = table.kind.to_string().replace(' ', "_");
        chip.fixed = Some(FixedData { columns });
        let plan = Plan { chip: chip.name.clone(), rows, called };
        Ok((chip, plan))
    }

    fn value_index(
        table: &TableKind,
        values: &[crate::chip::passes::WitnessValue],
        port: Port,
    ) -> Result<usize, AssembleError> {
        let missing = |what: String| AssembleError::Interface { table: table.clone(), what };
        if let TableKind::Call(_) = table {
            let index = usize::from(port.position);
            return if index < values.len() {
                Ok(index)
            } else {
                Err(missing(format!("port {index}")))
            };
        }
        let name = match (table, port.position) {
            (TableKind::Add | TableKind::Mul | TableKind::Alu(_), A) => "a",
            (TableKind::Add | TableKind::Mul | TableKind::Alu(_), B) => "b",
            (TableKind::Add | TableKind::Mul | TableKind::Alu(_), C) => "c",
            (TableKind::Add | TableKind::Mul | TableKind::Alu(_), OUT) => "out",
            _ => "value",
        };
        values
            .iter()
            .position(|value| value.name == name)
            .ok_or_else(|| missing(format!("input `{name}`")))
    }

    /// The contents of the chip's own fixed columns in a row, and what else the row needs.
    fn own_columns(
        &self,
        table: &TableKind,
        names: &[String],
        row: Row<'_>,
        called: Option<&CalledChip>,
    ) -> Result<(Vec<u64>, RowPlan), AssembleError> {
        let mut plan = RowPlan { slots: Vec::new(), row: 0, data: None, begins: None };
        if let (Some(called), RowOp::Call { call, row }) = (called, row.op) {
            let info = &self.program.calls[call.index()];
            plan.row = *row;
            plan.data = info.data;
            if *row == 0 {
                plan.begins = Some((info.chip.clone(), info.signature.inputs.clone()));
            }
            let fixed: Vec<u64> = fixed_row(called, &info.chip, *row, names.len());
            return Ok((fixed, plan));
        }
        let cell = |name: &String| {
            self.selector(row, name).ok_or_else(|| AssembleError::Interface {
                table: table.clone(),
                what: format!("use for its fixed column `{name}`"),
            })
        };
        Ok((names.iter().map(cell).collect::<Result<_, _>>()?, plan))
    }

    /// A fixed column of a primitive chip, by name: the coefficients of a constant (`constant[0]` …),
    /// whether a slot is a base element (`felt`), the number of the row (`index`), or a coefficient of
    /// `product·a·b + left·a + right·b + addend·c = out`.
    fn selector(&self, row: Row<'_>, name: &str) -> Option<u64> {
        let flag = |relations: &[Relation]| match row.op {
            RowOp::Arithmetic(relation, _) => Some(u64::from(relations.contains(relation))),
            _ => None,
        };
        match name {
            "product" => flag(&[Relation::Mul, Relation::MulAdd]),
            "left" => flag(&[Relation::Add, Relation::Eq]),
            "right" => flag(&[Relation::Add]),
            "addend" => flag(&[Relation::MulAdd]),
            "felt" => {
                let slot = row.ports.first()?.slot;
                Some(u64::from(self.program.slots[slot.index()].ty != ValueType::Ext))
            }
            _ => {
                let index: usize =
                    name.strip_prefix("constant[")?.strip_suffix(']')?.parse().ok()?;
                let RowOp::Const(constant) = row.op else { return None };
                Some(constant.coefficients().get(index).copied().unwrap_or(0))
            }
        }
    }

    /// The chip that puts the public values on the bus, all in its first row.
    fn public_chip(&self, table: &Table) -> Chip {
        let field = self.program.field;
        let mut chip = Chip {
            name: PUBLIC_TABLE.to_owned(),
            field,
            doc: "The public inputs, put on the witness bus in the first row.".to_owned(),
            dense: false,
            groups: Vec::new(),
            columns: Vec::new(),
            publics: Vec::new(),
            ports: Vec::new(),
            graph: Graph::new(),
            rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            fixed: Some(FixedData { columns: vec![vec![1]] }),
            periodic: Vec::new(),
            memory_of: None,
        };
        let active = column(&mut chip, "active", ColumnKind::Fixed);
        // A trace has at least one column.
        let unit = column(&mut chip, "unit", ColumnKind::Private);
        let active = chip.graph.add(Node::Cell(Cell { column: active, next: false }));
        let unit_cell = Cell { column: unit, next: false };
        let unit = chip.graph.add(Node::Cell(unit_cell));
        let one = chip.graph.add(Node::Const(1));
        chip.rules.push(Rule {
            section: Section::Row,
            guard: None,
            left: unit,
            right: one,
            origin: Origin::Interface,
            label: Label { name: "unit".to_owned(), ..Label::default() },
        });
        chip.fills.push(Fill {
            section: Section::Row,
            guards: Vec::new(),
            op: FillOp::Set { cell: unit_cell, value: one },
            label: Label::default(),
        });
        let mut message = vec![("slot".to_owned(), CellType::Felt)];
        message.extend(
            (0..field.degree()).map(|i| (format!("value[{i}]"), CellType::Coordinate(i as u8))),
        );
        chip.ports.push(crate::chip::Port {
            name: WITNESS_BUS.to_owned(),
            bus: WITNESS_BUS.to_owned(),
            kind: crate::chip::PortKind::Witness,
            message,
            location: None,
        });
        for row in table.rows.iter() {
            let (RowOp::Public(position), Some(&port)) = (row.op, row.ports.first()) else {
                continue;
            };
            let width = self.program.slots[port.slot.index()].ty.width(field);
            let zero = chip.graph.add(Node::Const(0));
            let mut message = vec![chip.graph.add(Node::Const(port.slot.0.into()))];
            for coordinate in 0..width {
                let name = if width == 1 {
                    format!("public{position}")
                } else {
                    format!("public{position}[{coordinate}]")
                };
                let id = PublicId::new(chip.publics.len());
                chip.publics.push(Public { name });
                message.push(chip.graph.add(Node::Public(id)));
            }
            message.resize(1 + field.degree(), zero);
            let multiplicity = self.multiplicity(port);
            let times = chip.graph.add(Node::Const(field.reduce(multiplicity.into())));
            let count = chip.graph.add(Node::Mul(active, times));
            chip.interactions.push(Interaction {
                port: crate::chip::PortId(0),
                sign: Sign::Plus,
                message,
                count,
                weight: multiplicity.unsigned_abs() as u32,
                exclusive: None,
                origin: Origin::Interface,
                label: Label { name: format!("public {position}"), ..Label::default() },
            });
        }
        chip
    }
}

fn fixed_row(called: &CalledChip, call: &ChipCall, row: u32, width: usize) -> Vec<u64> {
    let mut fixed = called.fixed_row(call, row);
    fixed.resize(width, 0);
    fixed
}

fn column(chip: &mut Chip, name: &str, kind: ColumnKind) -> ColumnId {
    let id = ColumnId::new(chip.columns.len());
    chip.columns.push(Column { name: name.to_owned(), kind, ty: CellType::Felt });
    chip.groups.push(Group {
        name: name.to_owned(),
        kind,
        type_name: "felt".to_owned(),
        start: id,
        len: 1,
        doc: String::new(),
        free: None,
        location: None,
    });
    id
}

impl Assembly {
    /// What the executor of the machine says, given the values of all slots.
    pub fn input<P: FieldPair>(&self, witness: &Witness<P>) -> MachineInput {
        let coefficients = |slot: SlotId| -> Vec<u64> {
            let value = witness.value(slot);
            value.as_basis_coefficients_slice().iter().map(PrimeField64::as_canonical_u64).collect()
        };
        let mut values: BTreeMap<SlotId, Vec<u64>> = BTreeMap::new();
        let mut rows = Vec::new();
        for table in &self.tables {
            let chip = &self.machine.chips[self.position(&table.chip)];
            let primitive = CalledChip::new(chip.clone());
            let called = table.called.as_ref().unwrap_or(&primitive);
            let mut native: Vec<Vec<u64>> = Vec::new();
            let records = table.rows.iter().enumerate().map(|(number, row)| {
                if let Some((call, inputs)) = &row.begins {
                    let input = |port: &CallPort| {
                        let row = table.rows.get(number + port.row as usize)?;
                        let slot = row.slots.get(usize::from(port.port)).copied().flatten()?;
                        let mut coefficients = coefficients(slot);
                        if !port.ty.is_ext() {
                            coefficients.truncate(1);
                        }
                        Some(coefficients)
                    };
                    let inputs: Vec<u64> =
                        inputs.iter().flat_map(|port| input(port).unwrap_or_default()).collect();
                    let data = row.data.and_then(|position| witness.data.get(position as usize));
                    let data = data.map_or(&[][..], Vec::as_slice);
                    native = called.native_records(call, &inputs, data).unwrap_or_default();
                }
                if let Some(record) = native.get_mut(row.row as usize) {
                    return std::mem::take(record);
                }
                let data = row.data.and_then(|position| witness.data.get(position as usize));
                called.record(row.row, data.map_or(&[], Vec::as_slice), |port| {
                    let slot = row.slots.get(port).copied().flatten()?;
                    Some(values.entry(slot).or_insert_with(|| coefficients(slot)).clone())
                })
            });
            rows.push((table.chip.clone(), ChipRows { rows: records.collect() }));
        }
        let publics: Vec<u64> = self
            .publics
            .iter()
            .flat_map(|&(slot, width)| coefficients(slot).into_iter().take(width))
            .collect();
        let publics =
            if publics.is_empty() { Vec::new() } else { vec![(PUBLIC_TABLE.to_owned(), publics)] };
        MachineInput { rows, publics, memory: Vec::new() }
    }

    /// The number of base elements of each public input.
    pub fn public_widths(&self) -> impl Iterator<Item = usize> + '_ {
        self.publics.iter().map(|&(_, width)| width)
    }

    fn position(&self, chip: &str) -> usize {
        self.machine.position(chip).expect("every plan names a chip of the machine")
    }
}
