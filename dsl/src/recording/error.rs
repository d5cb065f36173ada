//! What can be wrong with a recording. All mistakes of a chip are reported at once.

use std::fmt;

use chipwright_ir::chip::Location;

/// Every mistake that was found while a chip was recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("chip `{chip}` cannot be recorded:{}", list(.errors))]
pub struct RecordingErrors {
    /// The chip.
    pub chip: String,
    /// The mistakes, in the order of the rules.
    pub errors: Vec<RecordingError>,
}

fn list(errors: &[RecordingError]) -> String {
    errors.iter().flat_map(|error| ["\n  ".to_owned(), error.to_string()]).collect()
}

/// One mistake and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    /// Where the rule or the column is.
    pub location: Option<Location>,
    /// What is wrong.
    pub kind: ErrorKind,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = self.location {
            write!(f, "{location}: ")?;
        }
        write!(f, "{}", self.kind)
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An expression of another chip's recording.
    #[error("the expression belongs to the recording of chip `{other}`")]
    Foreign {
        /// The other chip.
        other: String,
    },
    /// The value of a split may be negative, or too large for its parts.
    #[error(
        "the value to split lies in {low}..={high}, but its parts hold 0..={max}; \
         widen the parts or bound the value"
    )]
    SplitRange {
        /// The least possible value.
        low: i128,
        /// The largest possible value.
        high: i128,
        /// The largest value that the parts can hold.
        max: u128,
    },
    /// Nothing bounds the value of a split.
    #[error("nothing bounds the value to split: it reads {what}, which can be any field element")]
    SplitUnbounded {
        /// The unbounded operand.
        what: String,
    },
    /// The parts of a split can represent a value in two ways.
    #[error("the parts hold {bits} bits, which wraps around the field's order {modulus}")]
    SplitWraps {
        /// The width of all parts together.
        bits: u32,
        /// The field's order.
        modulus: u64,
    },
    /// A fill in `last`.
    #[error(
        "nothing can be filled in `last`; fill it in `row`, and check it here with `assert_eq`"
    )]
    FillInLast,
    /// A message outside `row`.
    #[error("messages can only be exchanged in `row`; guard the message with a flag of the row")]
    MessageOutsideRow,
    /// A periodic column on the next row.
    #[error("periodic column {name} cannot be read on the next row; declare it one step later")]
    PeriodicNext {
        /// The column.
        name: String,
    },
    /// The field is too small.
    #[error("the chip needs a field of at least {needed} bits; {field} has {bits}")]
    FieldTooSmall {
        /// Bits that the chip asks for.
        needed: u32,
        /// The field.
        field: String,
        /// Its bits.
        bits: u32,
    },
    /// What the chip computes does not exist over the field.
    #[error("there is no {what} over {field}")]
    NotOver {
        /// What the chip asks for.
        what: String,
        /// The field.
        field: String,
    },
    /// No table for a width.
    #[error("`{name}` has {bits} bits, for which there is no range table; use 1, 8 or 16")]
    NoRangeTable {
        /// The cell.
        name: String,
        /// Its width.
        bits: u8,
    },
    /// A public value in an embedded chip.
    #[error("`{name}` is a public value of an embedded chip; declare it in the chip around it")]
    EmbeddedPublic {
        /// The public value.
        name: String,
    },
    /// A rule that the padding row violates.
    #[error(
        "rule `{rule}` does not hold on a padding row, where {cells}; \
         guard it with `c.when(c.real(), ..)`"
    )]
    Padding {
        /// The rule.
        rule: String,
        /// The cells that it reads, with their values.
        cells: String,
    },
    /// The padding row cannot be filled.
    #[error("the padding row cannot be filled: {why}")]
    PaddingFill {
        /// Why.
        why: String,
    },
    /// Columns of unequal length.
    #[error("the contents of {what} have {rows} rows, which is not a power of two")]
    Period {
        /// Which columns.
        what: &'static str,
        /// The number of rows.
        rows: usize,
    },
    /// Nothing is demanded of the rows.
    #[error("the chip has no rule and exchanges no message")]
    Empty,
    /// Different numbers of cells and values.
    #[error("{cells} cells cannot be set to {values} values")]
    Arity {
        /// Cells.
        cells: usize,
        /// Values.
        values: usize,
    },
    /// A field name that means something else.
    #[error("there are two columns called `{name}`")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
}
