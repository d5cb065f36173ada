//! Connects a chip to the witness table of a circuit.
//!
//! The values of a chip's interface are its input and output columns: one value a cell, or as many cells as the
//! degree for an extension element. For each value the pass adds two fixed columns, the slot and the count, and
//! one message `(slot, value)` with that count: plus the number of reads where the row creates the slot, minus
//! one where it reads it, zero on rows that do not use the port. The columns are fixed, so what a row is wired to
//! is part of the verifying key. A chip that does the same with a value in every row that uses it needs fewer of
//! them: [`Wire`]. Base elements that some rows hold as the coefficients of an extension element share a
//! message in those: [`WitnessValue::joined_if`].
//!
//! ```text
//!   x: input felt                  x: input felt
//!   y: output felt          →      y: output felt
//!                                  x_slot, x_count, y_slot, y_count: fixed felt
//!                                  send witness(x_slot, x, 0) times x_count
//!                                  send witness(y_slot, y, 0) times y_count
//! ```
//!
//! # Soundness
//!
//! A slot's type says at most that it holds one base element, so nothing is assumed of inputs: those
//! with a bounded type get the rules of their type. A chip with a padding bit would let the prover
//! declare a used row to be padding and drop its lookups; the bit is therefore set equal to a fixed
//! column `active`.

use crate::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, Group, Interaction, Label, Node, NodeId,
    Origin, Port, PortId, PortKind, Rule, Section, Sign,
};

/// The bus of the witness table.
pub const WITNESS_BUS: &str = "witness";

/// A value of a chip's interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessValue {
    /// The name of its first cell, without an index of coordinates.
    pub name: String,
    /// The first of its columns.
    pub start: ColumnId,
    /// The number of cells: 1, or the degree of the extension.
    pub cells: usize,
    /// Whether it is a result.
    pub output: bool,
    /// What rows do with it.
    pub wire: Wire,
    /// The position of a fixed column of the chip, a bit: where it is one, the value is an extension element, and
    /// the values behind it are its further coefficients.
    pub joined_if: Option<usize>,
}

/// What the rows of a chip do with a value of its interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// Some read its slot, some create it, others do not use it. The slot and the count are fixed columns.
    #[default]
    Any,
    /// Those read its slot where the chip's fixed column at this position, a bit, is one; the others do not use it. The
    /// column stands for the count.
    ReadIf(usize),
    /// Some create its slot, none reads it. The slots of all such values of a row have consecutive numbers, the
    /// first of which is a fixed column; the count is another.
    Create,
}

/// A chip on the witness bus, and which of its fixed columns wire it. Positions are those among the fixed columns.
#[derive(Clone, Debug)]
pub struct WiredChip {
    /// The chip: those of its own fixed columns come first.
    pub chip: Chip,
    /// By value of the interface: what says its slot and its count.
    pub values: Vec<(SlotSource, CountSource)>,
    /// The position of the first slot that a row creates, if there are values with [`Wire::Create`].
    pub first_slot: Option<usize>,
    /// The position of `active`, if the chip has a padding bit.
    pub active: Option<usize>,
}

/// What says the slot of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotSource {
    /// The column at this position.
    Column(usize),
    /// It is so many slots behind the first one that the row creates.
    Created(u64),
}

/// What says how often a value is on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountSource {
    /// The column at this position.
    Column(usize),
    /// The chip's own column at this position, which is one where the value is read.
    Flag(usize),
}

/// Why a chip cannot be connected to a witness table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessBusError {
    /// The chip has no inputs and no outputs.
    #[error("chip `{0}` has neither inputs nor outputs, so a circuit cannot call it")]
    NoInterface(String),
    /// The type of an input has rules that the pass does not know how to spell out.
    #[error(
        "input `{input}` of chip `{chip}` has type `{type_name}`; inputs of chips that circuits \
         call are felts, extension elements, bits, u8s and u16s, or made of these"
    )]
    InputType {
        /// The chip.
        chip: String,
        /// The input.
        input: String,
        /// Its type.
        type_name: String,
    },
}

/// The values of a chip's interface, inputs first, each in layout order.
pub fn witness_values(chip: &Chip) -> Vec<WitnessValue> {
    let of_kind = |kind: ColumnKind, output: bool| {
        let mut values: Vec<WitnessValue> = Vec::new();
        for id in chip.columns_of(kind) {
            let column = &chip.columns[id.index()];
            match (column.ty, values.last_mut()) {
                (CellType::Coordinate(1..), Some(value)) => value.cells += 1,
                (ty, _) => {
                    let name = match ty {
                        CellType::Coordinate(_) => {
                            column.name.strip_suffix("[0]").unwrap_or(&column.name)
                        }
                        _ => &column.name,
                    };
                    let name = name.to_owned();
                    let (wire, joined_if) = (Wire::Any, None);
                    values.push(WitnessValue {
                        name,
                        start: id,
                        cells: 1,
                        output,
                        wire,
                        joined_if,
                    });
                }
            }
        }
        values
    };
    let mut values = of_kind(ColumnKind::Input, false);
    values.extend(of_kind(ColumnKind::Output, true));
    values
}

/// Adds the messages of the interface, and the fixed columns that wire them: `<value>_slot` and
/// `<value>_count` for each of the values, in order, as far as its [`Wire`] needs them; then `first_slot`, if there are
/// values that rows create in order, and `active`, if the chip has a padding bit. The values are those of
/// [`witness_values`].
///
/// The `weight` of the messages is 1; whoever fills the counts sets it to the largest one.
///
/// # Errors
///
/// Fails if the chip has no interface, or an input whose type is not made of felts, extension elements,
/// bits, u8s and u16s.
pub fn on_witness_bus(chip: &Chip, values: &[WitnessValue]) -> Result<WiredChip, WitnessBusError> {
    if values.is_empty() {
        return Err(WitnessBusError::NoInterface(chip.name.clone()));
    }
    let mut chip = chip.clone();
    input_rules(&mut chip)?;
    let degree = chip.field.degree();
    let mut message = vec![("slot".to_owned(), CellType::Felt)];
    message.extend((0..degree).map(|i| (format!("value[{i}]"), CellType::Coordinate(i as u8))));
    let port = add_port(&mut chip, WITNESS_BUS, PortKind::Witness, message);
    let mut fixed: Vec<ColumnId> = chip.columns_of(ColumnKind::Fixed).collect();
    let mut created = 0;
    let mut wired = Vec::with_capacity(values.len());
    for WitnessValue { name, wire, .. } in values {
        let slot = if *wire == Wire::Create {
            created += 1;
            SlotSource::Created(created - 1)
        } else {
            SlotSource::Column(add_fixed(&mut chip, &mut fixed, &format!("{name}_slot")))
        };
        let count = match *wire {
            Wire::ReadIf(flag) => CountSource::Flag(flag),
            Wire::Any | Wire::Create => {
                CountSource::Column(add_fixed(&mut chip, &mut fixed, &format!("{name}_count")))
            }
        };
        wired.push((slot, count));
    }
    let first_slot = (created > 0).then(|| add_fixed(&mut chip, &mut fixed, "first_slot"));
    for (index, &(slot, count)) in wired.iter().enumerate() {
        let slot = match slot {
            SlotSource::Column(position) => cell(&mut chip, fixed[position]),
            SlotSource::Created(place) => {
                let offset = chip.graph.add(Node::Const(place));
                let first = first_slot.map(|position| cell(&mut chip, fixed[position]));
                first.map_or(offset, |first| chip.graph.add(Node::Add(first, offset)))
            }
        };
        let count = match count {
            CountSource::Column(position) => cell(&mut chip, fixed[position]),
            CountSource::Flag(position) => {
                let flag = cell(&mut chip, fixed[position]);
                chip.graph.add(Node::Neg(flag))
            }
        };
        let zero = chip.graph.add(Node::Const(0));
        let value = &values[index];
        let mut message = vec![slot];
        let cells = value.start.index()..value.start.index() + value.cells;
        message.extend(cells.map(|column| cell(&mut chip, ColumnId::new(column))));
        if let Some(position) = value.joined_if {
            let flag = cell(&mut chip, fixed[position]);
            message.extend(values[index + 1..].iter().take(degree - 1).map(|value| {
                let coefficient = cell(&mut chip, value.start);
                chip.graph.add(Node::Mul(flag, coefficient))
            }));
        }
        message.resize(1 + degree, zero);
        chip.interactions.push(Interaction {
            port,
            sign: Sign::Plus,
            message,
            count,
            weight: 1,
            exclusive: None,
            origin: Origin::Interface,
            label: Label { name: value.name.clone(), ..Label::default() },
        });
    }
    let active = chip.real().map(|real| {
        let position = add_fixed(&mut chip, &mut fixed, "active");
        let (left, right) = (cell(&mut chip, real), cell(&mut chip, fixed[position]));
        push_rule(&mut chip, left, right, "used rows are real");
        position
    });
    Ok(WiredChip { chip, values: wired, first_slot, active })
}

/// Spells out the types of the inputs.
fn input_rules(chip: &mut Chip) -> Result<(), WitnessBusError> {
    let inputs: Vec<ColumnId> = chip.columns_of(ColumnKind::Input).collect();
    for id in inputs {
        let Column { name, ty, .. } = chip.columns[id.index()].clone();
        let cell = cell(chip, id);
        let group = chip.groups.iter().find(|group| {
            (group.start.index()..group.start.index() + group.len as usize).contains(&id.index())
        });
        let type_name = group.map(|group| group.type_name.clone()).unwrap_or_default();
        let refuse = |chip: &Chip| WitnessBusError::InputType {
            chip: chip.name.clone(),
            input: name.clone(),
            type_name: type_name.clone(),
        };
        if type_name.contains("one_hot") {
            return Err(refuse(chip));
        }
        match ty {
            CellType::Felt | CellType::Coordinate(_) => {}
            CellType::Bits(1) => {
                let square = chip.graph.add(Node::Mul(cell, cell));
                push_rule(chip, square, cell, &format!("{name} is a bit"));
            }
            CellType::Bits(bits @ (8 | 16)) => {
                let bus = format!("u{bits}");
                let message = vec![("value".to_owned(), ty)];
                let port = chip
                    .ports
                    .iter()
                    .position(|port| port.bus == bus && port.kind == PortKind::Lookup)
                    .map_or_else(|| add_port(chip, &bus, PortKind::Lookup, message), PortId::new);
                let count = chip.graph.add(Node::Const(1));
                chip.interactions.push(Interaction {
                    port,
                    sign: Sign::Plus,
                    message: vec![cell],
                    count,
                    weight: 1,
                    exclusive: None,
                    origin: Origin::Type,
                    label: Label { name: format!("{name} is a {bus}"), ..Label::default() },
                });
            }
            CellType::Bits(_) => return Err(refuse(chip)),
        }
    }
    Ok(())
}

fn push_rule(chip: &mut Chip, left: NodeId, right: NodeId, name: &str) {
    chip.rules.push(Rule {
        section: Section::Row,
        guard: None,
        left,
        right,
        origin: Origin::Interface,
        label: Label { name: name.to_owned(), ..Label::default() },
    });
}

fn add_port(
    chip: &mut Chip,
    bus: &str,
    kind: PortKind,
    message: Vec<(String, CellType)>,
) -> PortId {
    chip.ports.push(Port {
        name: bus.to_owned(),
        bus: bus.to_owned(),
        kind,
        message,
        location: None,
    });
    PortId::new(chip.ports.len() - 1)
}

/// Adds a fixed column to those that there are; its position among them.
fn add_fixed(chip: &mut Chip, fixed: &mut Vec<ColumnId>, name: &str) -> usize {
    let column = ColumnId::new(chip.columns.len());
    chip.columns.push(Column {
        name: name.to_owned(),
        kind: ColumnKind::Fixed,
        ty: CellType::Felt,
    });
    chip.groups.push(Group {
        name: name.to_owned(),
        kind: ColumnKind::Fixed,
        type_name: "felt".to_owned(),
        start: column,
        len: 1,
        doc: String::new(),
        free: None,
        location: None,
    });
    fixed.push(column);
    fixed.len() - 1
}

/// The node of a cell of the row.
fn cell(chip: &mut Chip, column: ColumnId) -> NodeId {
    chip.graph.add(Node::Cell(Cell { column, next: false }))
}
