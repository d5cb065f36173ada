//! The padding row of a chip, checked while the chip is recorded.
//!
//! Rules of `row` hold on every row, and padding rows are filled like any other, from an empty record. A rule
//! that such a row violates would make every table of the chip unprovable unless its height happened to be
//! a power of two, so it is a mistake of the recording.

use std::collections::BTreeSet;

use chipwright_ir::chip::interpret::fill_rows;
use chipwright_ir::chip::{Cell, Chip, ColumnKind, Node, NodeId, Section};
use chipwright_ir::machine::ChipRows;
use chipwright_ir::with_field;
use p3_field::PrimeField64;

use super::error::{ErrorKind, RecordingError};

/// What is wrong with the padding row of a chip.
pub(super) fn padding_errors(chip: &Chip) -> Vec<RecordingError> {
    if chip.dense {
        return Vec::new();
    }
    let row = match padding_row(chip) {
        Ok(row) => row,
        Err(why) => {
            return vec![RecordingError { location: None, kind: ErrorKind::PaddingFill { why } }];
        }
    };
    let values = evaluate(chip, &row);
    let value = |id: NodeId| values[id.index()];
    let mut errors = Vec::new();
    for rule in chip.rules.iter().filter(|rule| rule.section == Section::Row) {
        if rule.guard.is_some_and(|guard| value(guard) == 0)
            || value(rule.left) == value(rule.right)
        {
            continue;
        }
        let cells: Vec<String> = cells_of(chip, [rule.left, rule.right])
            .into_iter()
            .map(|cell| {
                let column = cell.column.index();
                let value = chip.field.signed(row[column]);
                format!("{} = {value}", chip.columns[column].name)
            })
            .collect();
        let rule_name = match (rule.label.name.as_str(), rule.label.location) {
            ("", Some(location)) => format!("{location}"),
            (name, _) => name.to_owned(),
        };
        errors.push(RecordingError {
            location: rule.label.location,
            kind: ErrorKind::Padding { rule: rule_name, cells: cells.join(", ") },
        });
    }
    errors
}

/// One canonical value a column. Fixed columns are zero; periodic ones are at the start of their period.
fn padding_row(chip: &Chip) -> Result<Vec<u64>, String> {
    let mut alone = chip.clone();
    alone.fixed = None;
    alone.memory_of = None;
    let publics = vec![0; chip.publics.len()];
    let main = with_field!(chip.field, P => {
        let table = fill_rows::<P>(&alone, ChipRows::default(), &publics);
        let table = table.map_err(|errors| errors.to_string())?;
        table.row(0).iter().map(PrimeField64::as_canonical_u64).collect::<Vec<u64>>()
    });
    let positions = chip.positions();
    let row = chip.columns.iter().zip(positions).map(|(column, position)| match column.kind {
        ColumnKind::Fixed => 0,
        ColumnKind::Periodic => chip.periodic[position].first().copied().unwrap_or(0),
        _ => main[position],
    });
    Ok(row.collect())
}

/// The value of every field node on a row; public values and the row below are zero.
fn evaluate(chip: &Chip, row: &[u64]) -> Vec<u64> {
    let modulus = u128::from(chip.field.modulus());
    let mut values: Vec<u64> = Vec::with_capacity(chip.graph.len());
    for node in chip.graph.nodes() {
        let of = |id: NodeId| u128::from(values[id.index()]);
        let value = match *node {
            Node::Const(value) => u128::from(value),
            Node::Cell(cell) if !cell.next => u128::from(row[cell.column.index()]),
            Node::Add(a, b) => of(a) + of(b),
            Node::Sub(a, b) => of(a) + modulus - of(b),
            Node::Mul(a, b) => of(a) * of(b),
            Node::Neg(a) => modulus - of(a),
            _ => 0,
        };
        values.push((value % modulus) as u64);
    }
    values
}

/// The cells that nodes read, in layout order.
fn cells_of(chip: &Chip, roots: [NodeId; 2]) -> BTreeSet<Cell> {
    let mut used = vec![false; chip.graph.len()];
    let mut cells = BTreeSet::new();
    for root in roots {
        used[root.index()] = true;
    }
    for index in (0..used.len()).rev() {
        if used[index] {
            let node = chip.graph.nodes()[index];
            if let Node::Cell(cell) = node {
                cells.insert(cell);
            }
            for operand in node.operands() {
                used[operand.index()] = true;
            }
        }
    }
    cells
}
