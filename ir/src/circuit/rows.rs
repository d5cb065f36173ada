//! Rows: the instructions of stages `slots` and `tables`.
//!
//! A row is a *relation* over slots of the witness table: `a + b = d`, `a·b = d`, `a·b + c = d`. At
//! most one of its ports creates its slot (for a hint or a call: all outputs may), the others read. So
//! a subtraction is an addition row that creates an addend, and an assertion is a row that creates
//! nothing.

use std::fmt;
use std::panic::Location;

use super::graph::{CallId, HintId};
use super::names::Symbol;
use super::value::{Constant, ValueType};

crate::typed_index!(
    /// A slot of the witness table.
    SlotId,
    "w"
);

/// What a port does to its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Puts the slot on the bus, as often as others read it. Each slot has exactly one creator.
    Creates,
    /// Takes the slot from the bus, once.
    Reads,
    /// Does not touch the bus: an input of a hint, or an output of a hint whose slot has another
    /// creator.
    Peeks,
}

/// One place of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Port {
    /// The slot.
    pub slot: SlotId,
    /// The place in the row: [`A`], [`B`], [`C`], [`OUT`] of an arithmetic row; the port of a chip;
    /// inputs, then outputs, of a hint; 0 of everything else.
    pub position: u16,
    /// What is done to the slot.
    pub role: Role,
}

impl Port {
    /// The ports of a [`RowOp::Base`] row: the slot is read at [`A`], and its value stands at [`OUT`], too.
    pub const fn of_base(slot: SlotId) -> [Self; 2] {
        [
            Self { slot, position: A, role: Role::Reads },
            Self { slot, position: OUT, role: Role::Peeks },
        ]
    }
}

/// The first factor or addend.
pub const A: u16 = 0;
/// The second factor or addend.
pub const B: u16 = 1;
/// The addend of `mul_add`.
pub const C: u16 = 2;
/// The result.
pub const OUT: u16 = 3;

/// The relation of an arithmetic row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// `A + B = OUT`
    Add,
    /// `A · B = OUT`
    Mul,
    /// `A · B + C = OUT`
    MulAdd,
    /// `A = OUT`
    Eq,
}

impl Relation {
    /// The positions of the ports, in order. The last one is [`OUT`].
    pub fn positions(self) -> &'static [u16] {
        match self {
            Self::Add | Self::Mul => &[A, B, OUT],
            Self::MulAdd => &[A, B, C, OUT],
            Self::Eq => &[A, OUT],
        }
    }

    /// Whether the relation holds whatever the slots of its ports hold, given which of them are the constants 0 and 1.
    pub(super) fn holds_always(
        self,
        ports: &[Port],
        zero: impl Fn(SlotId) -> bool,
        one: impl Fn(SlotId) -> bool,
    ) -> bool {
        let at = |position| ports.iter().find(|port| port.position == position).map(|p| p.slot);
        let sum = |x, y| {
            if zero(x) { Some(y) } else { zero(y).then_some(x) }
        };
        let product = |x, y| {
            if zero(x) || one(y) { Some(x) } else { (zero(y) || one(x)).then_some(y) }
        };
        let (Some(a), Some(out)) = (at(A), at(OUT)) else { return false };
        let result = match (self, at(B), at(C)) {
            (Self::Eq, ..) => Some(a),
            (Self::Add, Some(b), _) => sum(a, b),
            (Self::Mul, Some(b), _) => product(a, b),
            (Self::MulAdd, Some(b), Some(c)) => product(a, b).and_then(|product| sum(product, c)),
            _ => None,
        };
        result == Some(out)
    }

    /// The name in the text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Mul => "mul",
            Self::MulAdd => "mul_add",
            Self::Eq => "eq",
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowOp {
    /// A row of the witness table: slot `i` in row `i` (separate form only).
    Witness,
    /// A constant.
    Const(Constant),
    /// A public input, by position.
    Public(u32),
    /// A private input, by position.
    Private(u32),
    /// A relation over base elements ([`ValueType::Felt`]: upper coefficients of every port are 0) or
    /// over extension elements ([`ValueType::Ext`]).
    Arithmetic(Relation, ValueType),
    /// That a slot, which an extension element created, holds a base element. Such a row is in the table over base
    /// elements and in no other; in the separate form, where there is none, the row of the slot in the witness table
    /// says it.
    Base,
    /// The computation of a hint; not a row of any table. Ports are inputs ([`Role::Peeks`]), then
    /// outputs.
    Hint(HintId),
    /// The row that creates the slot of one hint output (stage `tables`).
    Advice {
        /// The hint.
        hint: HintId,
        /// The position among its outputs.
        output: u32,
    },
    /// A call. In stage `slots` one row stands for the whole call, with all inputs, then all outputs;
    /// in stage `tables` there is one for each row of the chip's table.
    Call {
        /// The call.
        call: CallId,
        /// The row within the call.
        row: u32,
    },
}

/// Where a row comes from, for messages and for cost reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The name given by the author to the operation or, if the row checks something, to the rule.
    pub label: Symbol,
    /// The path of scopes.
    pub scope: Symbol,
    /// The source line.
    pub location: Option<&'static Location<'static>>,
}

/// A row with its ports.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What it is.
    pub op: &'a RowOp,
    /// Its ports, in the order of their positions (a hint or call: inputs, then outputs).
    pub ports: &'a [Port],
    /// Where it comes from.
    pub origin: Origin,
}

impl Row<'_> {
    /// The port at a position.
    pub fn port(&self, position: u16) -> Option<Port> {
        self.ports.iter().copied().find(|port| port.position == position)
    }

    /// The slots that the row creates.
    pub fn creates(&self) -> impl Iterator<Item = SlotId> + '_ {
        self.ports.iter().filter(|port| port.role == Role::Creates).map(|port| port.slot)
    }
}

/// A list of rows; the ports of all of them are in one vector.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    entries: Vec<Entry>,
    ports: Vec<Port>,
}

#[derive(Clone, Debug)]
struct Entry {
    op: RowOp,
    first_port: u32,
    origin: Origin,
}

impl Rows {
    /// Appends a row.
    pub fn push(&mut self, op: RowOp, ports: impl IntoIterator<Item = Port>, origin: Origin) {
        let first_port = self.ports.len() as u32;
        self.ports.extend(ports);
        self.entries.push(Entry { op, first_port, origin });
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The row of an index.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    pub fn get(&self, index: usize) -> Row<'_> {
        let entry = &self.entries[index];
        let end =
            self.entries.get(index + 1).map_or(self.ports.len(), |next| next.first_port as usize);
        Row {
            op: &entry.op,
            ports: &self.ports[entry.first_port as usize..end],
            origin: entry.origin,
        }
    }

    /// All rows, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator {
        (0..self.len()).map(|index| self.get(index))
    }

    /// All ports of all rows, in order.
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }
}

impl PartialEq for Rows {
    /// Equality of operations and ports; names and source lines are not meaning.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|(a, b)| a.op == b.op && a.ports == b.ports)
    }
}
