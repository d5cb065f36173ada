//! Closes the rows beyond the contents of fixed columns.
//!
//! ```text
//!   k: fixed felt = 1..17                  k: fixed felt = 1..17
//!   send bus(k) times real           →     filled: fixed bit = 1 * 16
//!                                          eq real * filled, real
//!                                          send bus(k) times real
//! ```
//!
//! # Soundness
//!
//! Which rows are real is the prover's choice, and so is the multiplicity of an entry; which rows have contents is not. A
//! fixed column says it: where it is zero, no row is real and no message is exchanged, other than to ask a table.

use super::build;
use crate::chip::{
    CellType, Chip, ColumnKind, FixedData, Label, Node, NodeId, Origin, PortKind, Rule, Section,
};

/// The chip with rows that exchange nothing beyond the contents of its fixed columns, in a table of `height` rows. A chip
/// whose contents fill the table, or that is closed already, stays as it is.
#[must_use]
pub fn gate_contents(chip: &Chip, height: usize) -> Chip {
    let rows = chip.fixed.as_ref().map_or(height, FixedData::rows);
    if rows >= height || chip.fixed_width() == 0 || chip.open_beyond_contents().is_none() {
        return chip.clone();
    }
    let mut chip = chip.clone();
    let name = build::free_name(&chip, "filled");
    let doc = "Whether the row has contents.";
    let column = build::add_column(&mut chip, &name, ColumnKind::Fixed, doc);
    chip.columns[column.index()].ty = CellType::BIT;
    if let Some(group) = chip.groups.last_mut() {
        "bit".clone_into(&mut group.type_name);
    }
    if let Some(fixed) = &mut chip.fixed {
        fixed.columns.push(vec![1; rows]);
    }
    let filled = build::cell(&mut chip, column);
    if let Some(real) = chip.real() {
        let real = build::cell(&mut chip, real);
        only_where_filled(&mut chip, real, filled, "real rows have contents");
    }
    while let Some(index) = chip.open_beyond_contents() {
        let count = chip.interactions[index].count;
        let port = chip.interactions[index].port;
        let is_cell = matches!(chip.graph.node(count), Node::Cell(cell) if !cell.next);
        // The count of an entry stays a cell: it is one factor of the bus's sum.
        if is_cell && chip.ports[port.index()].kind == PortKind::Table {
            only_where_filled(&mut chip, count, filled, "entries have contents");
        } else {
            chip.interactions[index].count = chip.graph.add(Node::Mul(count, filled));
        }
    }
    chip
}

fn only_where_filled(chip: &mut Chip, cell: NodeId, filled: NodeId, name: &str) {
    let left = chip.graph.add(Node::Mul(cell, filled));
    chip.rules.push(Rule {
        section: Section::Row,
        guard: None,
        left,
        right: cell,
        origin: Origin::Pass,
        label: Label { name: name.to_owned(), ..Label::default() },
    });
}
