//! What users of Chipwright write: chips, machines and circuits.
//!
//! A chip is a struct of columns and the rules that its rows obey. Its rules are recorded once, over
//! handles whose operators build a graph; everything else (constraints, trace, documentation, tests)
//! interprets that recording.

// Lets the macros' paths resolve inside this crate too.
extern crate self as chipwright_dsl;

pub mod binder;
pub mod builder;
mod cell;
pub mod circuit;
mod column_types;
mod embed;
mod expr;
mod ext;
mod hint;
mod instance;
pub mod machine;
mod macros;
mod memory_table;
mod one_hot;
mod operators;
mod ports;
mod range;
pub mod recording;
pub mod schema;
#[cfg(feature = "testing")]
pub mod testing;

pub use binder::{Binder, Place};
pub use builder::{Assignable, Builder, Rule};
pub use cell::{Bit, Bounded, Cell, Flag, Limb, PublicValue, U8, U16, U32, Word};
pub use chipwright_ir::Field;
pub use chipwright_ir::chip::{CellType, ColumnKind, Location, StepRole};
pub use column_types::{Digest, Felt};
pub use embed::Embedded;
pub use expr::Expr;
pub use ext::{Ext, ExtExpr, ExtPublic};
pub use hint::Hint;
pub use instance::instance;
pub use machine::{Input, Machine, MachineError, MachineErrors, column};
pub use macros::{Columns, OneHot, Ports, chip, message};
pub use memory_table::MemoryTable;
pub use one_hot::OneHot;
pub use ports::{Lookup, Memory, PortPlace, Provide, Receive, Send};
pub use range::{Byte, Half, Range8, Range16};
pub use recording::{RecordingError, RecordingErrors, record};
pub use schema::{
    As, Cells, Chip, ColumnType, Elements, FieldSpec, Layout, Message, MessageOf, OneHotEnum,
    Options, PortGroup, PortType, PublicType, Record, Row, Schema,
};

/// Everything that a chip's source needs.
pub mod prelude {
    pub use crate::{
        As, Bit, Bounded, Builder, Cell, Chip, ColumnType, Columns, Digest, Embedded, Expr, Ext,
        ExtExpr, Felt, Field, Flag, Hint, Input, Limb, Lookup, Machine, Memory, OneHot, Ports,
        Provide, PublicValue, Receive, Record, Row, Send, U8, U16, U32, chip, message, record,
    };
}
