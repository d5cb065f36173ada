//! Ports: where a chip exchanges messages with a bus.
//!
//! The type of a port says what may be done with it: a [`Lookup`] asks, a [`Provide`] answers, a [`Send`]
//! and a [`Receive`] balance, a [`Memory`] does both at once. Handing a port to the wrong verb, or a
//! message of the wrong type to a port, does not compile.

use std::fmt;
use std::marker::PhantomData;

use chipwright_ir::chip::{CellType, Port, PortId, PortKind};

use crate::column_types::Felt;
use crate::recording::Arena;
use crate::schema::{ColumnType, FieldSpec, Layout, Message, PortType};

/// Where a port is made, or found again.
#[derive(Debug)]
pub struct PortPlace<'a> {
    arena: &'static Arena,
    spec: &'a FieldSpec,
    prefix: &'a str,
    known: Option<PortId>,
}

impl<'a> PortPlace<'a> {
    pub(crate) fn new(
        arena: &'static Arena,
        spec: &'a FieldSpec,
        prefix: &'a str,
        known: Option<PortId>,
    ) -> Self {
        Self { arena, spec, prefix, known }
    }

    /// The port that was bound.
    pub(crate) fn id(&self) -> PortId {
        self.known.expect("`PortType::bind` asks for a port")
    }

    /// The port, with a default for the bus and the elements of its message.
    pub(crate) fn port(
        &mut self,
        kind: PortKind,
        bus: Option<String>,
        message: impl FnOnce(&mut Layout),
    ) -> PortId {
        let (arena, spec, prefix) = (self.arena, self.spec, self.prefix);
        *self.known.get_or_insert_with(|| {
            let mut layout = Layout::new(arena.field());
            message(&mut layout);
            let elements = layout
                .into_cells()
                .into_iter()
                .map(|(name, ty)| (name.trim_start_matches('.').to_owned(), ty))
                .collect();
            arena.with(|state| {
                state.ports.push(Port {
                    name: format!("{prefix}{}", spec.name),
                    bus: spec
                        .bus
                        .map(str::to_owned)
                        .or(bus)
                        .unwrap_or_else(|| spec.name.to_owned()),
                    kind,
                    message: elements,
                    location: Some(spec.location),
                });
                PortId::new(state.ports.len() - 1)
            })
        })
    }
}

macro_rules! port {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        pub struct $name<M> {
            pub(crate) id: PortId,
            message: PhantomData<fn() -> M>,
        }

        impl<M> Clone for $name<M> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<M> Copy for $name<M> {}

        impl<M> fmt::Debug for $name<M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.id)
            }
        }

        impl<M: Message> PortType for $name<M> {
            fn bind(place: &mut PortPlace<'_>) -> Self {
                let id = place.port(PortKind::$kind, M::bus(), M::layout);
                Self { id, message: PhantomData }
            }
        }
    };
}

port! {
    /// Asks a table: every message must be one of the table's entries. `Lookup<Add32>` asks for a row of
    /// the chip `Add32`.
    Lookup, Lookup
}
port! {
    /// Is the table of a bus: each row can provide entries, asked for any number of times.
    Provide, Table
}
port! {
    /// Sends messages, each received exactly once.
    Send, Send
}
port! {
    /// Receives messages, each sent exactly once.
    Receive, Receive
}

/// Reads and writes a memory whose cells hold values of type `V`, at addresses of type `A`.
///
/// # Soundness
///
/// The chip's own rules must make the times of its accesses grow, from 1 on, below the bound of
/// [`Builder::read`](crate::Builder::read), and no two accesses of a machine to one memory may share a
/// time and an address.
pub struct Memory<V, A = Felt> {
    pub(crate) id: PortId,
    types: PhantomData<fn() -> (V, A)>,
}

impl<V, A> Clone for Memory<V, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, A> Copy for Memory<V, A> {}

impl<V, A> fmt::Debug for Memory<V, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)
    }
}

impl<V: ColumnType, A: ColumnType> PortType for Memory<V, A> {
    fn bind(place: &mut PortPlace<'_>) -> Self {
        let id = place.port(PortKind::Memory, None, |layout| {
            layout.within(".address", A::layout);
            layout.within(".time", |layout| layout.cell(CellType::Felt));
            layout.within(".value", V::layout);
        });
        Self { id, types: PhantomData }
    }
}
