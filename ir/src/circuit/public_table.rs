//! The chip that puts the public inputs on the witness bus.
//!
//! Public input `i` is the value of row `i`: a rule sets the value equal to the sum of all public values,
//! each times a periodic column that is one on its own row. Slots and numbers of readers are in fixed
//! columns, so that two circuits with as many public inputs have one and the same chip but for the
//! contents of its fixed columns. More than [`PERIOD`] inputs take several values a row.

use super::rows::{RowOp, SlotId};
use super::tables::{Table, TableKind, Tables};
use crate::chip::passes::WITNESS_BUS;
use crate::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, Fill, FillOp, FixedData, Graph, Group,
    Interaction, Label, Node, NodeId, Origin, Port, PortId, PortKind, Public, PublicId, Rule,
    Section, Sign,
};

/// The name of the chip that holds the public inputs.
pub const PUBLIC_TABLE: &str = "public";

/// The largest number of rows that hold public inputs: the number of periodic columns at most.
const PERIOD: usize = 32;

/// The rows that public inputs take, a power of two.
pub(super) fn public_period(inputs: usize) -> usize {
    inputs.next_power_of_two().min(PERIOD)
}

/// A public input: what its row says.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    slot: u64,
    count: u64,
    width: usize,
}

impl Tables {
    /// The number of base elements of each public input.
    pub(super) fn public_widths(&self) -> impl Iterator<Item = usize> + '_ {
        let program = &self.program;
        program.publics.iter().map(|slot| program.slots[slot.index()].ty.width(program.field))
    }

    /// The largest number of readers of a public input.
    pub(super) fn public_reads(&self) -> u32 {
        let reads = |table: &Table| {
            let ports = table.rows.ports().iter();
            ports.map(|port| self.multiplicity(*port).unsigned_abs() as u32).max()
        };
        self.table(&TableKind::Public).and_then(reads).unwrap_or(0)
    }

    fn public_entries(&self, number: impl Fn(SlotId) -> u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            self.public_widths().map(|width| Entry { width, ..Entry::default() }).collect();
        let rows = self.table(&TableKind::Public).into_iter().flat_map(|table| table.rows.iter());
        for row in rows {
            let (RowOp::Public(position), Some(&port)) = (row.op, row.ports.first()) else {
                continue;
            };
            if let Some(entry) = entries.get_mut(*position as usize) {
                entry.slot = number(port.slot);
                entry.count = self.program.field.reduce(self.multiplicity(port).into());
            }
        }
        entries
    }

    /// The chip that puts the public inputs on the bus. `weight` bounds the number of readers, `number` is that of a
    /// slot there.
    pub(super) fn public_chip(&self, weight: u32, number: impl Fn(SlotId) -> u64) -> Chip {
        let entries = self.public_entries(number);
        let period = public_period(entries.len());
        let mut maker = Maker::new(self, period);
        let mut first_public = 0;
        for (number, entries) in entries.chunks(period).enumerate() {
            let name = if self.program.publics.len() > period {
                format!("value{number}")
            } else {
                "value".to_owned()
            };
            maker.value(&name, entries, first_public, weight);
            first_public += entries.iter().map(|entry| entry.width).sum::<usize>();
        }
        maker.chip
    }
}

struct Maker {
    chip: Chip,
    /// By row: the node that is one there and zero on the other rows of a period.
    rows: Vec<NodeId>,
    /// The number of rows with public inputs.
    used: usize,
    number: usize,
}

impl Maker {
    fn new(tables: &Tables, period: usize) -> Self {
        let field = tables.program.field;
        let mut message = vec![("slot".to_owned(), CellType::Felt)];
        message.extend(
            (0..field.degree()).map(|i| (format!("value[{i}]"), CellType::Coordinate(i as u8))),
        );
        let mut chip = Chip {
            name: PUBLIC_TABLE.to_owned(),
            field,
            doc: "The public inputs, one a row, put on the witness bus.".to_owned(),
            dense: false,
            groups: Vec::new(),
            columns: Vec::new(),
            publics: Vec::new(),
            ports: vec![Port {
                name: WITNESS_BUS.to_owned(),
                bus: WITNESS_BUS.to_owned(),
                kind: PortKind::Witness,
                message,
                location: None,
            }],
            graph: Graph::new(),
            rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            fixed: Some(FixedData { columns: Vec::new() }),
            periodic: Vec::new(),
            memory_of: None,
        };
        let used = tables.program.publics.len().min(period);
        let rows = if period == 1 {
            vec![chip.graph.add(Node::Const(1))]
        } else {
            let first = columns(&mut chip, "row", ColumnKind::Periodic, used, CellType::BIT);
            let one_on = |row: usize| (0..period).map(|other| u64::from(other == row)).collect();
            chip.periodic = (0..used).map(one_on).collect();
            (0..used).map(|row| cell(&mut chip, first, row)).collect()
        };
        Self { chip, rows, used, number: 0 }
    }

    /// Adds a value: its cells, its fixed columns, its rules and its message.
    fn value(&mut self, name: &str, entries: &[Entry], mut first_public: usize, weight: u32) {
        let used = self.used;
        let chip = &mut self.chip;
        let degree = chip.field.degree();
        let width = entries.iter().map(|entry| entry.width).max().unwrap_or(1);
        let ty = |width| if width == 1 { CellType::Felt } else { CellType::Coordinate(0) };
        let start = columns(chip, name, ColumnKind::Private, width, ty(width));
        let slot = columns(chip, &format!("{name}_slot"), ColumnKind::Fixed, 1, CellType::Felt);
        let count = columns(chip, &format!("{name}_count"), ColumnKind::Fixed, 1, CellType::Felt);
        if let Some(fixed) = &mut chip.fixed {
            let padded = |of: fn(&Entry) -> u64| {
                let mut column: Vec<u64> = entries.iter().map(of).collect();
                column.resize(used, 0);
                column
            };
            fixed.columns.push(padded(|entry| entry.slot));
            fixed.columns.push(padded(|entry| entry.count));
        }
        let zero = chip.graph.add(Node::Const(0));
        let mut sums = vec![zero; width];
        for (row, entry) in entries.iter().enumerate() {
            for (coordinate, sum) in sums.iter_mut().enumerate().take(entry.width) {
                let name = match entry.width {
                    1 => format!("public{}", self.number),
                    _ => format!("public{}[{coordinate}]", self.number),
                };
                chip.publics.push(Public::new(name));
                let public = chip.graph.add(Node::Public(PublicId::new(first_public)));
                first_public += 1;
                let here = if self.rows.len() == 1 {
                    public
                } else {
                    chip.graph.add(Node::Mul(self.rows[row], public))
                };
                *sum = if *sum == zero { here } else { chip.graph.add(Node::Add(*sum, here)) };
            }
            self.number += 1;
        }
        let mut message = vec![cell(chip, slot, 0)];
        for (coordinate, sum) in sums.into_iter().enumerate() {
            let value = cell(chip, start, coordinate);
            message.push(value);
            let label = Label { name: "public value".to_owned(), ..Label::default() };
            chip.rules.push(Rule {
                section: Section::Row,
                guard: None,
                left: value,
                right: sum,
                origin: Origin::Interface,
                label: label.clone(),
            });
            let cell = Cell { column: ColumnId::new(start.index() + coordinate), next: false };
            chip.fills.push(Fill {
                section: Section::Row,
                guards: Vec::new(),
                op: FillOp::Set { cell, value: sum },
                label,
            });
        }
        message.resize(1 + degree, zero);
        let count = cell(chip, count, 0);
        chip.interactions.push(Interaction {
            port: PortId(0),
            sign: Sign::Plus,
            message,
            count,
            weight,
            exclusive: None,
            origin: Origin::Interface,
            label: Label { name: name.to_owned(), ..Label::default() },
        });
    }
}

/// Adds a column of several cells; the types of coordinates count up.
fn columns(chip: &mut Chip, name: &str, kind: ColumnKind, len: usize, ty: CellType) -> ColumnId {
    let start = ColumnId::new(chip.columns.len());
    for index in 0..len {
        let name = if len == 1 { name.to_owned() } else { format!("{name}[{index}]") };
        let ty = match ty {
            CellType::Coordinate(_) => CellType::Coordinate(index as u8),
            ty => ty,
        };
        chip.columns.push(Column { name, kind, ty });
    }
    let type_name = match (ty, len) {
        (CellType::Coordinate(_), _) => "ext".to_owned(),
        (ty, 1) => ty.to_string(),
        (ty, len) => format!("[{ty}; {len}]"),
    };
    chip.groups.push(Group {
        name: name.to_owned(),
        kind,
        type_name,
        start,
        len: len as u32,
        doc: String::new(),
        free: None,
        location: None,
    });
    start
}

fn cell(chip: &mut Chip, start: ColumnId, offset: usize) -> NodeId {
    let column = ColumnId::new(start.index() + offset);
    chip.graph.add(Node::Cell(Cell { column, next: false }))
}
