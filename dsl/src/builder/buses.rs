//! Messages, calls and embedded chips.

use std::panic::Location;
use std::rc::Rc;

use chipwright_ir::chip::{CellType, FillOp, NodeId, Section, Sign};

use super::{Builder, Rule};
use crate::binder::Binder;
use crate::builder::Assignable;
use crate::cell::{Bounded, Cell};
use crate::embed::Embedded;
use crate::expr::Expr;
use crate::ports::{Lookup, Provide, Receive, Send};
use crate::schema::{As, Chip, ColumnType, Elements, Message, MessageOf, Schema};

impl Builder {
    /// Demands that the message is an entry of the table of the port's bus.
    #[track_caller]
    pub fn lookup<M: Message>(&self, port: Lookup<M>, message: impl MessageOf<M>) -> Rule {
        let location = Location::caller();
        Rule::around(self, || {
            let message = self.message_nodes(message, location);
            self.arena.with(|state| {
                let label = state.label(location.into());
                state.message(port.id, Sign::Plus, message, None, 1, label);
            });
        })
    }

    /// Provides the message as an entry of the table. How often it is asked for is counted by the machine.
    ///
    /// Padding rows of a chip that has other messages, or rules between rows, provide nothing.
    #[track_caller]
    pub fn provide<M: Message>(&self, port: Provide<M>, message: impl MessageOf<M>) -> Rule {
        let location = Location::caller();
        Rule::around(self, || {
            let message = self.message_nodes(message, location);
            self.arena.with(|state| {
                let label = state.label(location.into());
                let name = format!("{}.count", state.ports[port.id.index()].name);
                let column = state.multiplicity(&name, location.into());
                let count = state.this(column);
                let guards = state.guards.clone();
                let guard = state.product(&guards);
                state.multiplicities.push((column, guard, label.clone()));
                state.provide(port.id, message, count, label);
            });
        })
    }

    /// Sends the message to the port's bus, where it must be received exactly once.
    #[track_caller]
    pub fn send<M: Message>(&self, port: Send<M>, message: impl MessageOf<M>) -> Rule {
        let location = Location::caller();
        Rule::around(self, || {
            let message = self.message_nodes(message, location);
            self.arena.with(|state| {
                let label = state.label(location.into());
                state.message(port.id, Sign::Plus, message, None, 1, label);
            });
        })
    }

    /// Receives the message from the port's bus, to which it must be sent exactly once.
    #[track_caller]
    pub fn receive<M: Message>(&self, port: Receive<M>, message: impl MessageOf<M>) -> Rule {
        let location = Location::caller();
        Rule::around(self, || {
            let message = self.message_nodes(message, location);
            self.arena.with(|state| {
                let label = state.label(location.into());
                state.message(port.id, Sign::Minus, message, None, 1, label);
            });
        })
    }

    /// Asks a chip for its outputs: `results` are filled with what the chip computes from `arguments`, and
    /// looked up in its table.
    #[track_caller]
    pub fn call<C: Schema>(
        &self,
        port: Lookup<C>,
        arguments: impl As<C::Inputs>,
        results: <C::Outputs as ColumnType>::Row,
    ) -> Rule {
        let location = Location::caller();
        let arguments = Elements::of(self.field(), arguments);
        let mut cells = Vec::new();
        results.cells(&mut cells);
        Rule::around(self, || {
            let inputs = self.nodes(&arguments, location);
            let results: Vec<Expr> = cells.iter().map(|&cell| cell.into()).collect();
            let mut message = inputs.clone();
            message.extend(self.nodes(&results, location));
            self.arena.with(|state| {
                let label = state.label(location.into());
                let place = state.on_real_rows();
                let outputs = cells.iter().map(|cell| cell.cell).collect();
                state.fill(&place, FillOp::Call { port: port.id, inputs, outputs }, &label);
                state.message(port.id, Sign::Plus, message, None, 1, label);
            });
        })
    }

    /// Demands that `value` is below `2^BITS`, by a look-up in the range table of 8 or 16 bits.
    ///
    /// # Soundness
    ///
    /// Under a guard the bound is known only where the guard holds: use the result there.
    #[track_caller]
    pub fn range<const BITS: usize>(&self, value: impl Into<Expr>) -> Bounded<BITS> {
        let location = Location::caller();
        let value = value.into();
        let node = self.node(value, location);
        self.check_range(node, BITS as u8, location);
        Bounded(value)
    }

    /// Bounds a node by `2^bits`, with `bits ≤ 16`: by the table of that width, or by two look-ups of the
    /// next wider one, of the value and of the value scaled up to it.
    pub(crate) fn check_range(&self, node: NodeId, bits: u8, location: &'static Location<'static>) {
        self.arena.with(|state| {
            let mut label = state.label(location.into());
            label.name = format!("below 2^{bits}");
            let table = match bits {
                1..=8 => 8,
                9..=16 => 16,
                _ => {
                    let name = "value".to_owned();
                    let kind = crate::recording::ErrorKind::NoRangeTable { name, bits };
                    state.error(Some(location.into()), kind);
                    return;
                }
            };
            let port = state.range_port(table);
            if bits < table {
                let scale = state.constant(1 << (table - bits));
                let scaled = state.binary(crate::expr::Binary::Mul, scale, node);
                state.message(port, Sign::Plus, vec![scaled], None, 1, label.clone());
            }
            state.message(port, Sign::Plus, vec![node], None, 1, label);
        });
    }

    /// Replays the rules of an embedded chip in this row, with cells of this row as its inputs; returns the
    /// chip's row. Its rules for the first row, the last and between rows are replayed in theirs.
    #[track_caller]
    pub fn embed<C: Chip>(
        &self,
        place: Embedded<C>,
        inputs: <C::Inputs as ColumnType>::Row,
    ) -> C::Row {
        let mut given = Vec::new();
        inputs.cells(&mut given);
        let log = self.arena.with(|state| Rc::clone(&state.embeddings[place.index]));
        let arena = self.arena;
        let bind = move |next| C::bind(&mut Binder::replay(arena, &log, next, &given));
        let row: C::Row = bind(false);
        let name = C::name();
        self.scope(name.clone(), |c| C::row(c, &row));
        let below = bind(true);
        let this = row.clone();
        let rules = move |c: &Self, section| {
            c.scope(name.clone(), |c| match section {
                Section::First => C::first(c, &this),
                Section::Step => C::step(c, &this, &below),
                Section::Last => C::last(c, &this),
                Section::Row => {}
            });
        };
        self.arena.with(|state| state.embedded.push(Box::new(rules)));
        row
    }

    fn message_nodes<M: Message>(
        &self,
        message: impl MessageOf<M>,
        location: &'static Location<'static>,
    ) -> Vec<NodeId> {
        let mut elements = Elements { field: self.field(), exprs: Vec::new() };
        message.elements(&mut elements);
        self.nodes(&elements.exprs, location)
    }

    /// A scratch cell without a rule.
    pub(crate) fn scratch(&self, name: &str, location: &'static Location<'static>) -> Cell {
        let column = self.arena.with(|state| state.scratch(name, CellType::Felt, location.into()));
        Cell { arena: self.arena, cell: chipwright_ir::chip::Cell { column, next: false } }
    }
}
