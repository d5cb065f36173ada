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
//! that the creator put on the bus is what forces the upper cells to 0. In the separate form, where all
//! rows are of type `ext`, the rows of the witness table do: of a slot of type `felt`, or that a
//! [`RowOp::Base`] is about, they say that it is a base element.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::rows::{A, B, OUT, Port, Relation, Role, Row, RowOp, Rows, SlotId};
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
    /// How often each slot's creator puts it on the bus, copies included.
    pub multiplicities: Vec<u32>,
    /// By copy: the slot that it is one of. Copies are the slots behind those of the program
    /// ([`Tables::with_copies`]).
    pub copies: Vec<SlotId>,
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
    /// creates: not if it creates a factor, which is free where the other factor is zero, unless the product is a
    /// constant and not zero. That rows over base elements read nothing else is V09 of
    /// [the verifier](super::verify). A row that says of a slot that it holds a base element ([`RowOp::Base`]) stays
    /// where that is proven.
    #[must_use]
    pub fn over_extension(self) -> Self {
        let constants = self.table(&TableKind::Const).into_iter().flat_map(|t| t.rows.iter());
        let slot = |row: Row<'_>| match row.op {
            RowOp::Const(value) if !value.is_zero() => row.ports.first().map(|port| port.slot),
            _ => None,
        };
        let not_zero: BTreeSet<SlotId> = constants.filter_map(slot).collect();
        let stays = |row: Row<'_>| {
            let factor = |port: &Port| port.role == Role::Creates && matches!(port.position, A | B);
            let product = || row.port(OUT).is_some_and(|port| not_zero.contains(&port.slot));
            match row.op {
                RowOp::Base => true,
                RowOp::Arithmetic(Relation::Mul, _) => row.ports.iter().any(factor) && !product(),
                RowOp::Arithmetic(Relation::MulAdd, _) => row.ports.iter().any(factor),
                _ => false,
            }
        };
        let base = TableKind::Alu(ValueType::Felt);
        self.in_arithmetic_over_extension(&base, |row| {
            (!stays(row)).then(|| (row.op.clone(), row.ports.to_vec()))
        })
    }

    /// The same circuit with the values that the prover fills freely in the table of arithmetic over extension elements, if
    /// there is one and all of them can be there: in rows that put a value on the bus and demand nothing of it.
    ///
    /// # Soundness
    ///
    /// That table does not force base elements into the base field. They can be there if a call reads them as what
    /// they are.
    #[must_use]
    pub fn free_in_arithmetic(self) -> Self {
        let read_as_base = self.read_as_base();
        let is_bound = |Port { slot, .. }: &Port| {
            self.program.slots[slot.index()].ty.is_ext() || read_as_base.contains(slot)
        };
        let mut free = self.table(&TableKind::Private).into_iter().flat_map(|t| t.rows.ports());
        if !free.all(is_bound) {
            return self;
        }
        self.in_arithmetic_over_extension(&TableKind::Private, |row| {
            let &[Port { slot, .. }] = row.ports else { return None };
            let port = |position, role| Port { slot, position, role };
            let ports = vec![port(A, Role::Peeks), port(OUT, Role::Creates)];
            Some((RowOp::Arithmetic(Relation::Eq, ValueType::Ext), ports))
        })
    }

    /// Moves rows of a table to that of arithmetic over the extension, if there is one.
    fn in_arithmetic_over_extension(
        mut self,
        from: &TableKind,
        moved: impl Fn(Row<'_>) -> Option<(RowOp, Vec<Port>)>,
    ) -> Self {
        let kinds = [from, &TableKind::Alu(ValueType::Ext)];
        let places = kinds.map(|kind| self.tables.iter().position(|table| table.kind == *kind));
        let [Some(from), Some(to)] = places else { return self };
        let mut stay = Rows::default();
        for row in std::mem::take(&mut self.tables[from].rows).iter() {
            match moved(row) {
                Some((op, ports)) => self.tables[to].rows.push(op, ports, row.origin),
                None => stay.push(row.op.clone(), row.ports.iter().copied(), row.origin),
            }
        }
        if stay.is_empty() {
            self.tables.remove(from);
        } else {
            self.tables[from].rows = stay;
        }
        self
    }

    /// Free values that a message of a call, or of a copy that a call makes, says to be base elements.
    fn read_as_base(&self) -> BTreeSet<SlotId> {
        let private = self.table(&TableKind::Private).into_iter();
        let private: BTreeSet<SlotId> =
            private.flat_map(|table| table.rows.ports()).map(|port| port.slot).collect();
        let as_base = |(_, row): (&TableKind, Row<'_>)| -> Vec<SlotId> {
            let reads = row.ports.iter().filter(|port| private.contains(&port.slot));
            let reads = reads.filter(|port| port.role == Role::Reads);
            let is_base = |port: &&Port| match row.op {
                RowOp::Call { call, row } => {
                    let signature = &self.program.calls[call.index()].signature;
                    signature.at(*row, port.position).any(|place| !place.ty.is_ext())
                }
                RowOp::Arithmetic(Relation::Eq, ValueType::Felt) => {
                    row.ports.iter().any(|other| self.original(other.slot) != other.slot)
                }
                _ => false,
            };
            reads.filter(is_base).map(|port| port.slot).collect()
        };
        self.rows().flat_map(as_base).collect()
    }

    /// The number of rows of all tables, before padding.
    pub fn row_count(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }
}
