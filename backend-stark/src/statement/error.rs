//! Why a machine, or what is read as a key, has no statement.

use chipwright_ir::Field;

use crate::config::ConfigError;

/// A machine, or a statement read from outside, that no table can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The machine and the configuration speak of different fields.
    #[error("the machine is over {machine}, the configuration over {config}")]
    Field {
        /// The machine's field.
        machine: Field,
        /// The configuration's field.
        config: Field,
    },
    /// There is nothing to prove.
    #[error("the machine has no chips")]
    Empty,
    /// A chip has no columns in its main trace.
    #[error("chip `{chip}` has no columns to commit to")]
    NoColumns {
        /// The chip.
        chip: String,
    },
    /// A rule has too high a degree for the blowup.
    #[error("chip `{chip}`: rule {rule} has degree {degree}, the configuration's limit is {limit}")]
    Degree {
        /// The chip.
        chip: String,
        /// The rule's position.
        rule: usize,
        /// Its degree.
        degree: usize,
        /// The largest degree possible.
        limit: usize,
    },
    /// A message has too high a degree for the blowup.
    #[error(
        "chip `{chip}`: message {message} on bus `{bus}` makes a constraint of degree {degree}, the \
         configuration's limit is {limit}"
    )]
    MessageDegree {
        /// The chip.
        chip: String,
        /// The bus.
        bus: String,
        /// The interaction's position.
        message: usize,
        /// The degree of the constraint that the lookup argument makes of it.
        degree: usize,
        /// The largest degree possible.
        limit: usize,
    },
    /// The messages of a bus have different lengths.
    #[error("bus `{bus}` carries messages of {first} elements and, from chip `{chip}`, of {other}")]
    MessageWidth {
        /// The bus.
        bus: String,
        /// The length of the first message.
        first: usize,
        /// The chip whose messages differ.
        chip: String,
        /// The length of its messages.
        other: usize,
    },
    /// Fixed columns have no contents, or contents of different lengths.
    #[error("chip `{chip}` has {columns} fixed columns, but contents for {given}")]
    FixedContents {
        /// The chip.
        chip: String,
        /// The number of fixed columns.
        columns: usize,
        /// The number of columns of equal length that have contents.
        given: usize,
    },
    /// The contents of fixed columns are shorter than the table, and rows beyond them could exchange messages.
    #[error(
        "chip `{chip}` has contents for {rows} rows of {height}, and nothing keeps its message {message} out of the \
         others; `gate_contents` does"
    )]
    Contents {
        /// The chip.
        chip: String,
        /// The rows that have contents.
        rows: usize,
        /// The rows of the table.
        height: usize,
        /// The interaction's position.
        message: usize,
    },
    /// The rules do not prove what a message says of its count.
    #[error("chip `{chip}`: {reason}")]
    Count {
        /// The chip.
        chip: String,
        /// What is not proven.
        reason: String,
    },
    /// A table is taller than the field has domains for.
    #[error("chip `{chip}` has 2^{log_height} rows, the field and the blowup allow 2^{limit}")]
    Height {
        /// The chip.
        chip: String,
        /// The base-2 logarithm of its height.
        log_height: usize,
        /// The largest possible.
        limit: usize,
    },
    /// A table is lower than the configuration, or a period, allows.
    #[error("chip `{chip}` has 2^{log_height} rows, expected 2^{least} or more")]
    TooLow {
        /// The chip.
        chip: String,
        /// The base-2 logarithm of its height.
        log_height: usize,
        /// The smallest possible.
        least: usize,
    },
    /// A number stands for no element of the field.
    #[error("chip `{chip}`: {value} in a {what} column is not below the order of the field")]
    NotCanonical {
        /// The chip.
        chip: String,
        /// The kind of column.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// The preprocessed columns could not be committed to.
    #[error("the preprocessed columns cannot be committed to: {reason}")]
    Commitment {
        /// What the commitment scheme says.
        reason: String,
    },
    /// A key is to have the shape of another machine's.
    #[error("the shape is not that of the machine's key")]
    Shape,
    /// Something refers to what does not exist.
    #[error("chip `{chip}` is malformed: {reason}")]
    Malformed {
        /// The chip.
        chip: String,
        /// What is wrong.
        reason: &'static str,
    },
}
