//! Circuit IR: fixed-shape straight-line programs over a field and its extension.
//!
//! A circuit goes through three stages. `expr` ([`Graph`]) is a DAG of operations with rules beside it.
//! `slots` ([`Slots`]) is the witness table: connected values share a slot, every slot has one creator
//! and a known number of readers. `tables` ([`Tables`]) distributes the rows over the tables that a
//! backend proves.
//!
//! ```
//! use chipwright_ir::Field;
//! use chipwright_ir::circuit::{BinaryOp, Environment, Form, Graph, Inputs, ValueType};
//! use chipwright_ir::circuit::{lower_to_slots, lower_to_tables};
//! use chipwright_ir::field::Goldilocks2;
//!
//! // 37·x − 111 = 0
//! let mut toy = Graph::new("toy", Field::Goldilocks2);
//! let x = toy.public(ValueType::Felt);
//! let k = toy.constant(37);
//! let product = toy.binary(BinaryOp::Mul, k, x);
//! let k = toy.constant(111);
//! let difference = toy.binary(BinaryOp::Sub, product, k);
//! toy.assert_zero(difference);
//!
//! let slots = lower_to_slots(&toy, Form::Fused)?;
//! assert!(slots.execute::<Goldilocks2>(&Inputs::publics([3]), Environment::default()).is_ok());
//! assert!(slots.execute::<Goldilocks2>(&Inputs::publics([4]), Environment::default()).is_err());
//! let tables = lower_to_tables(slots);
//! assert_eq!(tables.row_count(), 6);
//! # Ok::<(), chipwright_ir::circuit::LowerError>(())
//! ```

mod assemble;
mod call;
mod copies;
mod cost;
mod dot;
mod execute;
mod graph;
mod hint;
mod interface;
mod interpret;
pub mod layout;
mod library;
mod lower;
mod names;
mod parse;
pub mod passes;
mod print;
mod public_table;
mod rows;
mod schedule;
mod slots;
mod tables;
mod value;
pub mod verify;

pub use assemble::{AssembleError, Assembly, DuplicateKey};
pub use call::{CallInput, CallPort, CallRun, ChipCall, ChipLibrary, NoChips, Signature};
pub use cost::ScopeCost;
pub use execute::{Environment, Inputs, Violation, Witness, WitnessError};
pub use graph::{
    BinaryOp, Call, CallId, CallResult, ConstantId, Graph, Hint, HintId, Node, NodeId, Op,
    Operands, Rule, RuleKind,
};
pub use hint::{HintFunction, HintKind, HintRegistry};
pub use layout::{CostParameters, Fusion, Layout, LayoutCost, LayoutError};
pub use library::{
    CallPlan, CallRow, CallSignature, CalledChip, Library, NativeEvaluation, NativeRun, NativeRuns,
};
pub use lower::{LowerError, lower_to_slots, lower_to_tables};
pub use names::{Names, Symbol};
pub use parse::{Circuit, SourceLines, parse, parse_graph, parse_with_lines};
pub use public_table::PUBLIC_TABLE;
pub use rows::{A, B, C, OUT, Origin, Port, Relation, Role, Row, RowOp, Rows, SlotId};
pub use schedule::Schedule;
pub use slots::{Form, SlotInfo, Slots};
pub use tables::{Table, TableKind, Tables};
pub use value::{Constant, UnknownType, ValueType, element};
