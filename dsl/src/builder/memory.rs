//! Reads and writes of a memory, checked offline.
//!
//! An access takes the previous one's `(address, time, value)` off the memory's bus and puts its own on it.
//! The bus balances only if every access saw what the access before it left behind, provided that time
//! grows from one to the next, which each access proves of itself.

use std::panic::Location;

use chipwright_ir::chip::{Cell as IrCell, FillOp, Sign};

use super::{Builder, Rule};
use crate::builder::Assignable;
use crate::cell::Cell;
use crate::expr::Expr;
use crate::ports::Memory;
use crate::schema::{As, ColumnType, Elements};

impl Builder {
    /// Reads: `value` is what the last access to `address` before `time` left behind, and is filled with it.
    ///
    /// # Soundness
    ///
    /// Times are at least one, since zero is the time of the memory's initial contents, and below 2^32, or
    /// below a quarter of the order of a smaller field. No two accesses share an address and a time.
    #[track_caller]
    pub fn read<V: ColumnType, A: ColumnType>(
        &self,
        port: Memory<V, A>,
        address: impl As<A>,
        time: impl Into<Expr>,
        value: V::Row,
    ) -> Rule {
        let location = Location::caller();
        let address = Elements::of(self.field(), address);
        let mut cells = Vec::new();
        value.cells(&mut cells);
        let values: Vec<Expr> = cells.iter().map(|&cell| cell.into()).collect();
        let time = time.into();
        Rule::around(self, || {
            let access = Access { address, time, previous: cells, value: values, write: false };
            self.access(port, access, location);
        })
    }

    /// Writes: later reads of `address` get `value`. The conditions of [`Self::read`] hold here too.
    #[track_caller]
    pub fn write<V: ColumnType, A: ColumnType>(
        &self,
        port: Memory<V, A>,
        address: impl As<A>,
        time: impl Into<Expr>,
        value: impl As<V>,
    ) -> Rule {
        let location = Location::caller();
        let address = Elements::of(self.field(), address);
        let value = Elements::of(self.field(), value);
        let time = time.into();
        Rule::around(self, || {
            let previous = value.iter().map(|_| self.scratch("previous", location)).collect();
            self.access(port, Access { address, time, previous, value, write: true }, location);
        })
    }

    /// One row of a memory's table: sends the initial value at time zero, and receives the final one.
    #[track_caller]
    pub fn memory_entry<V: ColumnType, A: ColumnType>(
        &self,
        port: Memory<V, A>,
        address: impl As<A>,
        last: (Expr, V::Row),
        initial: V::Row,
    ) -> Rule {
        let location = Location::caller();
        let address = Elements::of(self.field(), address);
        let entry = |time: Expr, value: V::Row| {
            let mut message = address.clone();
            message.push(time);
            message.extend(Elements::of::<V>(self.field(), value));
            self.nodes(&message, location)
        };
        Rule::around(self, || {
            let (first, last) = (entry(Expr::ZERO, initial), entry(last.0, last.1));
            self.arena.with(|state| {
                let label = state.label(location.into());
                state.message(port.id, Sign::Plus, first, None, 1, label.clone());
                state.message(port.id, Sign::Minus, last, None, 1, label);
            });
        })
    }

    fn access<V, A>(
        &self,
        port: Memory<V, A>,
        access: Access,
        location: &'static Location<'static>,
    ) {
        let Access { address, time, previous, value, write } = access;
        let previous_time = self.scratch("previous_time", location);
        // Shares no column with a limb that is checked on every row: the check below is the access's own.
        let (low, high) = (self.scratch("elapsed", location), self.scratch("elapsed", location));
        let high_bits = (self.field().bits() - 3).min(32) as u8 - 16;
        let elapsed = self.node(time - previous_time - 1, location);
        let parts = self.node(low + 65536 * high, location);
        let given = self.nodes(&previous.iter().map(|&c| c.into()).collect::<Vec<_>>(), location);
        let (address, value) = (self.nodes(&address, location), self.nodes(&value, location));
        let (time, before) = (self.node(time, location), self.node(previous_time.into(), location));
        let message = |time, value: &[_]| {
            let mut message = address.clone();
            message.push(time);
            message.extend(value);
            message
        };
        let (taken, left) = (message(before, &given), message(time, &value));
        self.arena.with(|state| {
            let mut label = state.label(location.into());
            let op = FillOp::Access {
                port: port.id,
                address: address.clone(),
                time,
                write: write.then(|| value.clone()),
                previous_time: previous_time.cell,
                previous_value: previous.iter().map(|cell| cell.cell).collect(),
            };
            let gated = state.on_real_rows();
            state.fill(&gated, op, &label);
            let widths: Vec<(IrCell, u8)> = vec![(low.cell, 16), (high.cell, high_bits)];
            state.fill(&gated, FillOp::Split { parts: widths, value: elapsed }, &label);
            state.message(port.id, Sign::Minus, taken, None, 1, label.clone());
            state.message(port.id, Sign::Plus, left, None, 1, label.clone());
            "time grows".clone_into(&mut label.name);
            state.rule(&gated, elapsed, parts, &label);
        });
        let (low, high) = (self.node(low.into(), location), self.node(high.into(), location));
        self.check_range(low, 16, location);
        self.check_range(high, high_bits, location);
    }
}

/// The operands of an access: `previous` are the cells that get what was there before.
struct Access {
    address: Vec<Expr>,
    time: Expr,
    previous: Vec<Cell>,
    value: Vec<Expr>,
    write: bool,
}
