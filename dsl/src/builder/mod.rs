//! The verbs that rules are written with.
//!
//! One verb constrains and fills: `define(cell, expr)` records the rule `cell = expr` and the step that
//! computes the cell, so no trace function is ever written. Verbs take `&self`, so they nest, and return a
//! [`Rule`] handle for a name or a reason.
//!
//! ```text
//! let total = row.a[0] + row.b[0];
//! c.split(total, (row.sum[0], row.carry[0])).named("limb");
//! ```

mod buses;
mod components;
mod fills;
mod guards;
mod memory;
mod rules;
mod split;

use std::fmt;
use std::panic::Location;

use chipwright_ir::Field;
use chipwright_ir::chip::{NodeId, Section};

use crate::cell::{Bit, Cell, Flag};
use crate::expr::{Expr, Repr};
use crate::recording::{Arena, ErrorKind};

pub use components::{Equatable, Selectable};
pub use guards::{CaseValue, ScopeName};
pub use rules::{Assignable, Exposable};
pub use split::Parts;

/// Records the rules of a chip.
pub struct Builder {
    pub(crate) arena: &'static Arena,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "builder of {:?}", self.arena)
    }
}

impl Builder {
    pub(crate) fn new(arena: &'static Arena) -> Self {
        Self { arena }
    }

    /// The field that is recorded over.
    pub fn field(&self) -> Field {
        self.arena.field()
    }

    /// Refuses the field that is recorded over, because `what` the chip computes does not exist there: the recording
    /// fails.
    #[track_caller]
    pub fn refuse(&self, what: impl Into<String>) {
        let kind = ErrorKind::NotOver { what: what.into(), field: self.field().to_string() };
        self.arena.with(|state| state.error(Some(Location::caller().into()), kind));
    }

    /// The padding bit: one on real rows. In a dense chip, where every row is real, it is the constant one.
    pub fn real(&self) -> Flag {
        let id = self.arena.with(|state| state.real(false));
        Flag(Expr(Repr::Node(self.arena, id)))
    }

    /// Runs rules in a section.
    pub(crate) fn section(&self, section: Section, f: &dyn Fn()) {
        self.arena.with(|state| state.section = section);
        f();
        let embedded = self.arena.with(|state| std::mem::take(&mut state.embedded));
        for rules in &embedded {
            rules(self, section);
        }
        self.arena.with(|state| {
            let late = std::mem::replace(&mut state.embedded, embedded);
            state.embedded.extend(late);
            state.section = Section::Row;
        });
    }

    pub(crate) fn node(&self, expr: Expr, location: &'static Location<'static>) -> NodeId {
        expr.node_in(self.arena, location)
    }

    pub(crate) fn nodes(
        &self,
        exprs: &[Expr],
        location: &'static Location<'static>,
    ) -> Vec<NodeId> {
        exprs.iter().map(|&expr| self.node(expr, location)).collect()
    }
}

/// A rule, message or group of rules that was just recorded: a handle for its name.
#[derive(Clone, Copy)]
pub struct Rule {
    arena: &'static Arena,
    rules: (usize, usize),
    interactions: (usize, usize),
    fills: (usize, usize),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rules of {:?}", self.rules.1 - self.rules.0, self.arena)
    }
}

impl Rule {
    /// Runs `f`, and refers to everything that it records.
    pub(crate) fn around(builder: &Builder, f: impl FnOnce()) -> Self {
        let arena = builder.arena;
        let marks =
            || arena.with(|state| [state.rules.len(), state.interactions.len(), state.fills.len()]);
        let before = marks();
        f();
        let after = marks();
        Self {
            arena,
            rules: (before[0], after[0]),
            interactions: (before[1], after[1]),
            fills: (before[2], after[2]),
        }
    }

    /// Names the rule in dumps, reports and documentation. Where one verb makes several rules, they get
    /// the name with an index.
    #[allow(clippy::must_use_candidate, clippy::return_self_not_must_use)]
    pub fn named(self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let count = self.rules.1 - self.rules.0;
        self.labels(|label, index| {
            label.name = if count > 1 { format!("{name}[{index}]") } else { name.to_owned() };
        });
        self
    }

    /// Says why the rule holds or is needed.
    #[allow(clippy::must_use_candidate, clippy::return_self_not_must_use)]
    pub fn because(self, reason: impl AsRef<str>) -> Self {
        self.labels(|label, _| reason.as_ref().clone_into(&mut label.because));
        self
    }

    fn labels(&self, mut f: impl FnMut(&mut chipwright_ir::chip::Label, usize)) {
        self.arena.with(|state| {
            // The two rules that one `last` rule becomes are one rule to its author.
            let mut index = 0;
            let mut previous = None;
            for rule in &mut state.rules[self.rules.0..self.rules.1] {
                if previous.is_some_and(|sides| sides != (rule.left, rule.right)) {
                    index += 1;
                }
                previous = Some((rule.left, rule.right));
                f(&mut rule.label, index);
            }
            let (start, end) = self.interactions;
            for (index, message) in state.interactions[start..end].iter_mut().enumerate() {
                f(&mut message.label, index);
            }
            for (index, fill) in state.fills[self.fills.0..self.fills.1].iter_mut().enumerate() {
                f(&mut fill.label, index);
            }
        });
    }
}

impl Bit {
    pub(crate) fn scratch(cell: Cell) -> Self {
        Self(cell)
    }
}
