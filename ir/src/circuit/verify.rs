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
//! | V08 | `tables`: the witness bus balances, slot by slot |
//! | V10 | every call names a chip of the library, and has its signature |
//!
//! [`verify_structure`] checks what must hold between any two passes (V01 to V03). [`verify`] adds V04
//! and V05, which are demands on the author (advice that nothing binds is a hole; dead code hides
//! mistakes), and holds again after `remove-dead`. It does *not* check that a circuit means what its
//! author wanted, nor that a division by a value that may be 0 is harmless.

mod graph;
mod rows;

use std::fmt;

pub use graph::{verify, verify_calls, verify_structure};
pub use rows::{verify_slots, verify_tables};

use super::graph::NodeId;
use super::rows::SlotId;

/// The number of an invariant, `V01` to `V10`.
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
    V10,
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
