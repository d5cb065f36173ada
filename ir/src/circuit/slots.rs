//! Stage `slots`: the witness table, and the rows that fill and check it.
//!
//! Connected values share a slot, each slot has exactly one creator, and the number of its readers is
//! known, so the balance of the witness bus is decided before any proof exists. The rows are in an
//! order in which each one can be solved from the slots created before it.

use std::collections::BTreeSet;

use super::graph::{Call, Hint};
use super::names::Names;
use super::rows::{Role, RowOp, Rows, SlotId};
use super::value::ValueType;
use crate::field::Field;

/// Which family of tables a circuit is lowered to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Creators carry the number of reads; one table of arithmetic rows (`mul_add`) for each type.
    #[default]
    Fused,
    /// The original form of the construction: tables `Witness`, `Const`, `Public`, `Add` and `Mul`, all
    /// values extension elements, and every row of every table reads from `Witness`.
    Separate,
}

/// A slot of the witness table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotInfo {
    /// The type that its creator gives it.
    pub ty: ValueType,
    /// The number of ports that read it.
    pub reads: u32,
}

/// A circuit at stage `slots`.
#[derive(Clone, Debug)]
pub struct Slots {
    /// The name of the circuit.
    pub name: String,
    /// The field that it computes in.
    pub field: Field,
    /// The form that it is meant for: in the separate form there are no `mul_add` and `eq` rows.
    pub form: Form,
    /// The table of labels and scopes.
    pub names: Names,
    /// The slots.
    pub slots: Vec<SlotInfo>,
    /// The rows, in an order in which they can be executed.
    pub rows: Rows,
    /// The hints that rows refer to.
    pub hints: Vec<Hint>,
    /// The calls that rows refer to.
    pub calls: Vec<Call>,
    /// The slot of each public input, by position.
    pub publics: Vec<SlotId>,
    /// The type of each private input, by position.
    pub privates: Vec<ValueType>,
}

impl Slots {
    /// The type of each public input, by position.
    pub fn public_types(&self) -> impl ExactSizeIterator<Item = ValueType> + '_ {
        self.publics.iter().map(|slot| self.slots[slot.index()].ty)
    }

    /// The slots that a [`RowOp::Base`] row says to hold base elements.
    pub(super) fn base_claims(&self) -> BTreeSet<SlotId> {
        let claims = self.rows.iter().filter(|row| matches!(row.op, RowOp::Base));
        claims.flat_map(|row| row.ports.iter().map(|port| port.slot)).collect()
    }

    /// Counts the reads of every slot anew.
    pub(super) fn count_reads(&mut self) {
        for slot in &mut self.slots {
            slot.reads = 0;
        }
        for port in self.rows.ports() {
            if port.role == Role::Reads {
                self.slots[port.slot.index()].reads += 1;
            }
        }
    }
}

impl PartialEq for Slots {
    /// Equality of meaning: names of scopes and source lines do not count.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.field == other.field
            && self.form == other.form
            && self.slots == other.slots
            && self.rows == other.rows
            && self.hints == other.hints
            && self.calls == other.calls
            && self.publics == other.publics
            && self.privates == other.privates
    }
}
