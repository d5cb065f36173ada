//! What can go wrong while traces are filled.

use std::fmt;

/// One thing that went wrong while filling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FillError {
    /// The machine is over another field.
    #[error("the machine is over {machine}, not over {asked}")]
    WrongField {
        /// The machine's field.
        machine: crate::Field,
        /// The field that was asked to compute with.
        asked: crate::Field,
    },
    /// The input names a chip or a bus that the machine does not have.
    #[error("the machine has no {what} `{name}`")]
    Unknown {
        /// `chip`, `memory bus` or `column`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The chip's data structure is broken.
    #[error("chip `{chip}` is malformed: {reason}")]
    Malformed {
        /// The chip.
        chip: String,
        /// What is wrong.
        reason: String,
    },
    /// The chip's rows were given twice.
    #[error("the rows of chip `{chip}` are given twice")]
    GivenTwice {
        /// The chip.
        chip: String,
    },
    /// A record has too few or too many values.
    #[error("row {row} of chip `{chip}` has {actual} values; its record has {expected} cells")]
    RecordWidth {
        /// The chip.
        chip: String,
        /// The row.
        row: usize,
        /// Cells of Input and Record columns.
        expected: usize,
        /// Values given.
        actual: usize,
    },
    /// A value is not below the modulus.
    #[error("row {row} of chip `{chip}`: {value} for `{column}` is not a canonical field element")]
    NotCanonical {
        /// The chip.
        chip: String,
        /// The row.
        row: usize,
        /// The column.
        column: String,
        /// The value.
        value: u64,
    },
    /// A value of the input that belongs to no row is not below the modulus.
    #[error("{what} {name}: {error}")]
    NotCanonicalInput {
        /// `a public value of chip`, `the memory on bus` or `a forged cell of chip`.
        what: &'static str,
        /// The name of the chip or the bus.
        name: String,
        /// The value.
        error: crate::field::NotCanonical,
    },
    /// Too few or too many public values.
    #[error("chip `{chip}` has {expected} public values; {actual} were given")]
    PublicCount {
        /// The chip.
        chip: String,
        /// Declared.
        expected: usize,
        /// Given.
        actual: usize,
    },
    /// More rows than the fixed columns have.
    #[error("chip `{chip}` has {fixed} fixed rows; {rows} rows were given")]
    TooManyRows {
        /// The chip.
        chip: String,
        /// Rows given or asked for.
        rows: usize,
        /// Rows of the fixed columns.
        fixed: usize,
    },
    /// A dense chip needs a height that its rows fill.
    #[error(
        "chip `{chip}` is dense and has {rows} rows; it needs a power of two, at least {least}"
    )]
    NotDense {
        /// The chip.
        chip: String,
        /// Rows.
        rows: usize,
        /// The least height of the machine.
        least: usize,
    },
    /// A Rust function of a fill failed.
    #[error("row {row} of chip `{chip}`: `{function}` failed: {reason}")]
    Native {
        /// The chip.
        chip: String,
        /// The row.
        row: usize,
        /// The function's name.
        function: String,
        /// Its error.
        reason: String,
    },
    /// Nobody provides the table that a chip calls or asks.
    #[error("port `{port}` of chip `{chip}`: no chip provides a table on bus `{bus}`")]
    NoTable {
        /// The asking chip.
        chip: String,
        /// Its port.
        port: String,
        /// The bus.
        bus: String,
    },
    /// The table on a bus cannot be computed from the arguments of a call.
    #[error(
        "port `{port}` of chip `{chip}`: `{provider}` has {inputs} input cells in front of its \
         message of {width}; the call has {arguments} arguments and {results} results"
    )]
    CallShape {
        /// The calling chip.
        chip: String,
        /// Its port.
        port: String,
        /// The chip that is called.
        provider: String,
        /// Input cells at the start of the provider's message.
        inputs: usize,
        /// Elements of the provider's message.
        width: usize,
        /// Arguments of the call.
        arguments: usize,
        /// Results of the call.
        results: usize,
    },
    /// A chip calls itself, perhaps through others.
    #[error("a cycle of calls leads back to chip `{chip}`")]
    CallCycle {
        /// The chip.
        chip: String,
    },
    /// A lookup asks for something that is no entry.
    #[error("row {row} of chip `{chip}`, port `{port}`: {tuple:?} is no entry of bus `{bus}`")]
    NoEntry {
        /// The asking chip.
        chip: String,
        /// Its port.
        port: String,
        /// The row.
        row: usize,
        /// The bus.
        bus: String,
        /// The message.
        tuple: Vec<u64>,
    },
    /// The table's count has no multiplicity column to put the number of its readers in.
    #[error(
        "port `{port}` of chip `{chip}` gives entries, but its count is not one Multiplicity column"
    )]
    NoMultiplicity {
        /// The chip.
        chip: String,
        /// Its port.
        port: String,
    },
    /// The record of a memory's table does not fit its bus.
    #[error(
        "chip `{chip}` is the table of memory `{bus}`, with {expected} cells a row (address, final \
         time, final value, initial value), but its record has {actual} cells"
    )]
    MemoryWidth {
        /// The chip.
        chip: String,
        /// The bus.
        bus: String,
        /// Cells that the bus needs.
        expected: usize,
        /// Cells of Record columns.
        actual: usize,
    },
}

/// Everything that went wrong while filling: the first errors, and how many there were.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FillErrors {
    /// The first errors, at most [`FillErrors::LISTED`].
    pub errors: Vec<FillError>,
    /// The number of errors, also of those not listed.
    pub total: usize,
}

impl FillErrors {
    /// The number of errors that are listed.
    pub const LISTED: usize = 64;

    pub(crate) fn push(&mut self, error: FillError) {
        self.total += 1;
        if self.errors.len() < Self::LISTED {
            self.errors.push(error);
        }
    }

    /// `Ok` if there are no errors.
    ///
    /// # Errors
    ///
    /// Returns `self` if there is at least one error.
    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.total == 0 { Ok(()) } else { Err(self) }
    }
}

impl From<FillError> for FillErrors {
    fn from(error: FillError) -> Self {
        Self { errors: vec![error], total: 1 }
    }
}

impl fmt::Display for FillErrors {
    /// One error a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        match self.total - self.errors.len() {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for FillErrors {}
