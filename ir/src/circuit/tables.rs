//! Stage `tables`: the rows of each table, and what each one puts on or takes from the witness bus.
//!
//! This is what a backend compiles. Everything here is fixed by the circuit: heights, slot numbers,
//! selectors and multiplicities are known before any witness, and go into preprocessed columns; only
//! the values of the slots come from the prover.
//!
//! A message of the bus is `(slot, value)`, the value padded with zeros to the degree of the extension.
//! A port that creates its slot has multiplicity `+reads`, a port that reads it `−1`; the sum over each
//! slot is zero.
//!
//! # Soundness
//!
//! A row of type `felt` has ports of one cell: it asserts that the upper coefficients of its values are
//! 0. A row of type `ext` has ports of `degree` cells, also for slots of type `felt`; there the padding
//! that the creator put on the bus is what forces the upper cells to 0.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rows::{A, B, Port, Relation, Role, Row, RowOp, Rows};
use super::slots::Slots;
use super::value::ValueType;

/// Which table rows belong to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TableKind {
    /// Slot `i` in row `i` (separate form only).
    Witness,
    /// Constants.
    Const,
    /// Public inputs: row `i` is public `i`.
    Public,
    /// Slots that the prover fills freely: private inputs and outputs of hints (fused form only). Rows
    /// create slots of the type of the slot.
    Private,
    /// Rows `a + b = out` (separate form only).
    Add,
    /// Rows `a · b = out` (separate form only).
    Mul,
    /// Arithmetic rows of all relations over base elements or over extension elements (fused form
    /// only).
    Alu(ValueType),
    /// The rows of a chip.
    Call(String),
}

impl fmt::Display for TableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Witness => f.write_str("witness"),
            Self::Const => f.write_str("const"),
            Self::Public => f.write_str("public"),
            Self::Private => f.write_str("private"),
            Self::Add => f.write_str("add"),
            Self::Mul => f.write_str("mul"),
            Self::Alu(ValueType::Ext) => f.write_str("alu_ext"),
            Self::Alu(_) => f.write_str("alu"),
            Self::Call(chip) => write!(f, "call {chip}"),
        }
    }
}

/// A table: its rows before padding.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Which table.
    pub kind: TableKind,
    /// Its rows.
    pub rows: Rows,
}

/// A circuit at stage `tables`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// The slots, hints and calls, and the program that computes the slots' values.
    pub program: Slots,
    /// The tables that have rows, in the order of [`TableKind`].
    pub tables: Vec<Table>,
    /// How often each slot's creator puts it on the bus.
    pub multiplicities: Vec<u32>,
}

/// Whether a row creates a factor of its product.
fn creates_factor(row: Row<'_>) -> bool {
    let product = matches!(row.op, RowOp::Arithmetic(Relation::Mul | Relation::MulAdd, _));
    let factor = |port: &Port| port.role == Role::Creates && matches!(port.position, A | B);
    product && row.ports.iter().any(factor)
}

impl Tables {
    /// The multiplicity of a port on the witness bus: positive for a creator, −1 for a reader.
    pub fn multiplicity(&self, port: Port) -> i64 {
        match port.role {
            Role::Creates => self.multiplicities[port.slot.index()].into(),
            Role::Reads => -1,
            Role::Peeks => 0,
        }
    }

    /// The table of a kind, if it has rows.
    pub fn table(&self, kind: &TableKind) -> Option<&Table> {
        self.tables.iter().find(|table| table.kind == *kind)
    }

    /// The number of rows of every table, before padding. They depend on the circuit alone.
    pub fn heights(&self) -> Vec<(TableKind, usize)> {
        self.tables.iter().map(|table| (table.kind.clone(), table.rows.len())).collect()
    }

    /// All rows, with their table.
    pub fn rows(&self) -> impl Iterator<Item = (&TableKind, Row<'_>)> {
        self.tables.iter().flat_map(|t| t.rows.iter().map(move |row| (&t.kind, row)))
    }

    /// The same circuit with rows over base elements in the table of those over extension elements, so that few
    /// rows take no table of their own. The rows stay what they are; only their table changes.
    ///
    /// # Soundness
    ///
    /// The table over the extension does not force its values into the base field; the readers' messages do, by
    /// the padding of their creators. So a row moves if base elements that it reads leave no choice of what it
    /// creates: not if it creates a factor, which is free where the other factor is zero.
    #[must_use]
    pub fn over_extension(mut self) -> Self {
        let (base, extension) = (TableKind::Alu(ValueType::Felt), TableKind::Alu(ValueType::Ext));
        let Some(place) = self.tables.iter().position(|table| table.kind == base) else {
            return self;
        };
        let (mut stay, mut moved) = (Rows::default(), Rows::default());
        for row in self.tables[place].rows.iter() {
            let to = if creates_factor(row) { &mut stay } else { &mut moved };
            to.push(row.op.clone(), row.ports.iter().copied(), row.origin);
        }
        let Some(table) = self.tables.iter_mut().find(|table| table.kind == extension) else {
            return self;
        };
        for row in moved.iter() {
            table.rows.push(row.op.clone(), row.ports.iter().copied(), row.origin);
        }
        if stay.is_empty() {
            self.tables.remove(place);
        } else {
            self.tables[place].rows = stay;
        }
        self
    }

    /// The number of rows of all tables, before padding.
    pub fn row_count(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }
}
