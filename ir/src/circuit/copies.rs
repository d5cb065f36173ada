//! Copies of values, for chips whose rows only ever create the slots of what they hold.
//!
//! Where a call takes such a value from elsewhere, or gives one that is equal to a value with a slot, its row creates a
//! slot nevertheless. The two are compared by a row of arithmetic.

use super::library::Library;
use super::rows::{A, OUT, Port, Relation, Role, Row, RowOp, Rows, SlotId};
use super::slots::Slots;
use super::tables::{Table, TableKind, Tables};
use super::value::ValueType;
use crate::chip::passes::Wire;

impl Tables {
    /// The same circuit with a slot of its own for every value that rows of its chip [only create](Wire::Create),
    /// and a row that compares it with the slot that was read. Once done, there is nothing more to do.
    #[must_use]
    pub fn with_copies(mut self, library: &Library) -> Self {
        let mut equal = Vec::new();
        for position in 0..self.tables.len() {
            let Table { kind: TableKind::Call(name), rows } = &self.tables[position] else {
                continue;
            };
            let Some(called) = library.called(name) else { continue };
            let values = &called.interface().values;
            let copied = |port: &Port| {
                let value = values.get(usize::from(port.position));
                port.role == Role::Reads && value.is_some_and(|value| value.wire == Wire::Create)
            };
            if !rows.ports().iter().any(copied) {
                continue;
            }
            let mut with_copies = Rows::default();
            for row in rows.iter() {
                let ports = row.ports.iter().map(|&port| {
                    if !copied(&port) {
                        return port;
                    }
                    let copy = SlotId::new(self.program.slots.len() + self.copies.len());
                    let whole = holds_extension(&self.program, row, port);
                    let ty = if whole { ValueType::Ext } else { ValueType::Felt };
                    self.copies.push(port.slot);
                    self.multiplicities.push(1);
                    equal.push((ty, [copy, port.slot], row.origin));
                    Port { slot: copy, role: Role::Creates, ..port }
                });
                with_copies.push(row.op.clone(), ports.collect::<Vec<_>>(), row.origin);
            }
            self.tables[position].rows = with_copies;
        }
        for (ty, [copy, original], origin) in equal {
            let read = |slot, position| Port { slot, position, role: Role::Reads };
            let ports = [read(copy, A), read(original, OUT)];
            let op = RowOp::Arithmetic(Relation::Eq, ty);
            self.rows_of(TableKind::Alu(ty)).push(op, ports, origin);
        }
        self
    }

    /// The slot that a copy is one of, or the slot itself.
    pub fn original(&self, slot: SlotId) -> SlotId {
        let copy = slot.index().checked_sub(self.program.slots.len());
        copy.and_then(|copy| self.copies.get(copy)).copied().unwrap_or(slot)
    }

    /// The number of slots, copies included.
    pub fn slot_count(&self) -> usize {
        self.program.slots.len() + self.copies.len()
    }

    fn rows_of(&mut self, kind: TableKind) -> &mut Rows {
        let position = self.tables.partition_point(|table| table.kind < kind);
        if self.tables.get(position).is_none_or(|table| table.kind != kind) {
            self.tables.insert(position, Table { kind, rows: Rows::default() });
        }
        &mut self.tables[position].rows
    }
}

/// Whether a row of a call holds an element of the extension at a port.
fn holds_extension(program: &Slots, row: Row<'_>, port: Port) -> bool {
    let RowOp::Call { call, row } = row.op else { return false };
    let signature = &program.calls[call.index()].signature;
    signature.at(*row, port.position).any(|place| place.ty.is_ext())
}
