//! The verifier of circuits. It collects all errors; each has a code, an item and a sentence.
//!
//! | code | invariant |
//! |---|---|
//! | V01 | `expr`: every operand stands before its user; `slots`: every slot is created before it is used |
//! | V02 | arity and types of every operation; constants are canonical; a `bit` comes from an operation that guarantees it (0, 1, a product of bits, an output of a chip) or has an `assert_bit` |
//! | V03 | public and private inputs are `0..n`, each declared once |
//! | V04 | every hint output and every private input is used by an operation or a rule, not only by hints |
//! | V05 | every operation is used: by a rule, a call, or a division (which demands its divisor) |
//! | V06 | `slots`: each slot has exactly one creator, and a row creates at most one slot (hints and calls: their outputs) |
//! | V07 | `slots`: a constant's slot, and a public's, is created by the row of that constant or public |
//! | V08 | `tables`: the witness bus balances, slot by slot; `slots`: a slot is read as often as it says |
//! | V09 | `slots`: what a row over base elements reads is a base element, wherever the row is proven: by the type of its creator, by a `check_base`, by a call that takes or gives a base element there, or because such a row leaves no choice |
//! | V10 | every call names a chip of the library, and has the signature that the library gives it: inputs, outputs, types, ports, rows and private data |
//! | V11 | every check says something: no rule demands that a value equals itself, no row holds whatever its slots hold |
//!
//! What is asked where:
//!
//! | function | codes | asked by |
//! |---|---|---|
//! | [`verify_structure`] | V01 to V03 | every pass |
//! | [`verify`] | V01 to V05, V11 | the builder, of what it has optimised |
//! | [`verify_slots`] | V01 to V03, V06 to V09, V11 | [`verify_tables`] |
//! | [`verify_tables`] | those of its slots, V06 and V08 of the rows of tables | [`assemble`](super::Tables::assemble), and with it every key of a circuit |
//! | [`verify_calls`] | V10 | the builder, before any pass |
//! | [`verify_in`] | all that are about the stage | whoever reads a text; [`assemble`](super::Tables::assemble) |
//!
//! V04 and V05 are demands on the author, of a text of stage `expr` or `slots` or with a builder (advice that nothing
//! binds is a hole; dead code hides mistakes), and hold again after `remove-dead`. The verifier does *not* check that
//! a circuit means what its author wanted, nor that a division by a value that may be 0 is harmless.

mod graph;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

pub use graph::{verify, verify_calls, verify_structure};
pub use rows::{verify_slots, verify_tables};

use super::call::{CallPort, ChipCall, ChipLibrary, Signature};
use super::graph::{Call, NodeId};
use super::parse::Circuit;
use super::rows::{RowOp, SlotId};
use super::slots::Slots;

/// Checks everything that is demanded of a circuit whose calls the chips of a library answer: V01 to V11, as far as
/// they are about its stage.
///
/// # Errors
///
/// All violations of the first kind that has any: of structure, of what is demanded of authors, of calls.
pub fn verify_in(circuit: &Circuit, library: &dyn ChipLibrary) -> Result<(), VerifierErrors> {
    match circuit {
        Circuit::Expr(graph) => {
            verify(graph)?;
            verify_calls(graph, library)
        }
        Circuit::Slots(slots) => {
            verify_slots(slots)?;
            rows::demands(slots)?;
            verify_slot_calls(slots, library)
        }
        Circuit::Tables(tables) => {
            verify_tables(tables)?;
            verify_slot_calls(&tables.program, library)
        }
    }
}

/// Checks the calls of a witness table against a library: V10.
///
/// # Errors
///
/// All violations.
pub fn verify_slot_calls(slots: &Slots, library: &dyn ChipLibrary) -> Result<(), VerifierErrors> {
    let mut errors = Errors::default();
    let mut signatures = Signatures { library, known: HashMap::new() };
    for (index, row) in slots.rows.iter().enumerate() {
        let RowOp::Call { call, .. } = row.op else { continue };
        let fault = slots.calls.get(call.index()).and_then(|call| signatures.fault(call));
        if let Some(message) = fault {
            let label = slots.names.text(row.origin.label).to_owned();
            errors.add(Code::V10, Item::Row(index), message, label);
        }
    }
    errors.finish()
}

/// The signatures that a library gives to calls, each asked for once.
struct Signatures<'a> {
    library: &'a dyn ChipLibrary,
    known: HashMap<&'a ChipCall, Option<Signature>>,
}

impl<'a> Signatures<'a> {
    /// What is wrong with a call.
    fn fault(&mut self, call: &'a Call) -> Option<String> {
        let known = self.known.entry(&call.chip);
        let signature = known.or_insert_with(|| self.library.signature(&call.chip));
        match signature {
            Some(signature) => call_fault(call, signature),
            None => {
                Some(format!("no chip answers the call `{}` of {} rows", call.chip, call.chip.rows))
            }
        }
    }
}

/// How a call differs from the signature that the library gives it.
fn call_fault(call: &Call, signature: &Signature) -> Option<String> {
    let (chip, given) = (&call.chip, &call.signature);
    let ports = |what: &str, expected: &[CallPort], found: &[CallPort]| {
        if expected.len() != found.len() {
            let (expected, found) = (expected.len(), found.len());
            return Some(format!("`{chip}` has {expected} {what}s, the call {found}"));
        }
        let differs = |(expected, found): &(&CallPort, &CallPort)| expected != found;
        let (index, (expected, found)) =
            expected.iter().zip(found).enumerate().find(|(_, pair)| differs(pair))?;
        let place = |port: &CallPort| format!("{} at {}.{}", port.ty, port.row, port.port);
        let (expected, found) = (place(expected), place(found));
        Some(format!("{what} {index} of `{chip}` is {expected}, the call says {found}"))
    };
    ports("input", &signature.inputs, &given.inputs)
        .or_else(|| ports("output", &signature.outputs, &given.outputs))
        .or_else(|| {
            let (expected, found) = (signature.data, given.data);
            let differs = expected != found || call.data.is_some() != (expected > 0);
            differs.then(|| {
                format!("`{chip}` takes {expected} elements of private data, the call {found}")
            })
        })
}

/// The number of an invariant, `V01` to `V11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the table in the module header is the specification")]
#[non_exhaustive]
pub enum Code {
    V01,
    V02,
    V03,
    V04,
    V05,
    V06,
    V07,
    V08,
    V09,
    V10,
    V11,
}

/// What an error is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Item {
    /// A node of the expression graph.
    Node(NodeId),
    /// A rule, by position.
    Rule(usize),
    /// A row of stage `slots`, by position.
    Row(usize),
    /// A slot.
    Slot(SlotId),
    /// A row of a table.
    TableRow {
        /// The name of the table.
        table: String,
        /// The row.
        row: usize,
    },
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(id) => write!(f, "{id}"),
            Self::Rule(index) => write!(f, "rule {index}"),
            Self::Row(index) => write!(f, "row {index}"),
            Self::Slot(slot) => write!(f, "{slot}"),
            Self::TableRow { table, row } => write!(f, "{table}[{row}]"),
        }
    }
}

/// A violated invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierError {
    /// Which invariant.
    pub code: Code,
    /// Where.
    pub item: Item,
    /// What is wrong.
    pub message: String,
    /// The name and source line of the item, if they are known.
    pub source: String,
}

impl fmt::Display for VerifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.code, self.message)?;
        if self.source.is_empty() { Ok(()) } else { write!(f, " ({})", self.source) }
    }
}

/// All violated invariants of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(|e| format!("{}: {e}", e.item)).collect::<Vec<_>>().join("\n"))]
pub struct VerifierErrors(pub Vec<VerifierError>);

/// Gathers errors.
#[derive(Debug, Default)]
struct Errors(Vec<VerifierError>);

impl Errors {
    fn add(&mut self, code: Code, item: Item, message: impl Into<String>, source: String) {
        self.0.push(VerifierError { code, item, message: message.into(), source });
    }

    fn finish(self) -> Result<(), VerifierErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(VerifierErrors(self.0)) }
    }
}
