//! The layout of a circuit: how its tables become one table.
//!
//! Every height, matrix and quotient of a proof costs hashes where the proof is verified. A [`Layout`]
//! brings all tables of a circuit to one height: a table with more rows is cut into *lanes*, copies of its
//! chip side by side, and all lanes of all tables are [fused](crate::chip::passes::fuse()) into one chip.
//! A layout is a value: it is chosen by cost ([`Layout::choose`]), printed, stored, or given, so that
//! different circuits have tables of exactly one shape.
//!
//! ```text
//! layout of 2^6 rows
//!   public   1 felt, read at most 2 times
//!   const    1 lane
//!   alu      2 lanes
//! ```

mod cost;
mod fusion;
mod lanes;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use cost::{LayoutCost, TableCost};
pub(super) use lanes::deal;

use super::public_table::public_period;
use super::tables::{TableKind, Tables};
use super::value::ValueType;
pub use crate::chip::CostParameters;
use crate::chip::MAX_LOG_HEIGHT;
pub use crate::machine::layout::{FUSED_TABLE, Fusion, FusionError};

/// How the tables of a circuit become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The base-2 logarithm of the common height.
    pub log_height: usize,
    /// The number of base elements of each public input.
    pub publics: Vec<usize>,
    /// A bound on how often a public input is read.
    pub public_reads: u32,
    /// The other tables, in the order of [`TableKind`].
    pub tables: Vec<Lanes>,
}

/// The lanes of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lanes {
    /// Which table.
    pub table: TableKind,
    /// How many copies of its chip are side by side.
    pub lanes: usize,
    /// By value of the chip's interface, inputs first: a bound on the number of messages of a row, powers
    /// of two. They are part of the statement, so circuits of one shape share them.
    pub weights: Vec<u32>,
}

/// Why a circuit does not fit a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A table has more rows than its lanes hold.
    #[error(
        "table `{table}` has {rows} rows and needs {needed} lanes of {height} rows; the layout has \
         {lanes}"
    )]
    Rows {
        /// The table.
        table: TableKind,
        /// Its rows.
        rows: usize,
        /// The lanes that hold them.
        needed: usize,
        /// The common height.
        height: usize,
        /// The lanes of the layout.
        lanes: usize,
    },
    /// A single call has more rows than a lane.
    #[error("a call in table `{table}` has {rows} rows, a lane has {height}")]
    Call {
        /// The table.
        table: TableKind,
        /// The rows of the call.
        rows: usize,
        /// The common height.
        height: usize,
    },
    /// The circuit has other public inputs.
    #[error("the public inputs have the widths {found:?}, those of the layout {expected:?}")]
    Publics {
        /// The widths that the layout declares.
        expected: Vec<usize>,
        /// Those of the circuit.
        found: Vec<usize>,
    },
    /// A value is read more often than the layout says.
    #[error(
        "value {value} of table `{table}` is read {found} times, by the layout at most {limit}"
    )]
    Reads {
        /// The table.
        table: TableKind,
        /// The position of the value in the interface.
        value: usize,
        /// The largest number of readers.
        found: u32,
        /// The layout's bound.
        limit: u32,
    },
    /// The layout is for other chips.
    #[error("the layout bounds {expected} values of table `{table}`, its chip has {found}")]
    Values {
        /// The table.
        table: TableKind,
        /// The values that the layout bounds.
        expected: usize,
        /// The values of the chip's interface.
        found: usize,
    },
    /// A table is there twice, or the public inputs are among the tables.
    #[error("the layout lists table `{0}` twice, or where it does not belong")]
    Table(TableKind),
    /// The height is not usable.
    #[error("the layout's height is 2^{0}; at most 2^{MAX_LOG_HEIGHT} is possible")]
    Height(usize),
    /// There is nothing to lay out.
    #[error("a layout is chosen for at least one circuit")]
    NoCircuit,
    /// No height was allowed, or the rows fit none of those that were.
    #[error("no height from 2^{0} to 2^{1} holds the rows")]
    NoHeight(usize, usize),
}

impl Layout {
    /// The common height.
    pub const fn height(&self) -> usize {
        1 << self.log_height
    }

    /// The base-2 logarithm of the rows that public inputs take.
    fn public_log_height(publics: usize) -> usize {
        public_period(publics).trailing_zeros() as usize
    }

    /// The tables of a circuit as the layout wants them: if it has no lanes for arithmetic over base elements, or for free
    /// values, these go where arithmetic over extension elements is.
    pub fn place(&self, mut tables: Tables) -> Tables {
        if self.lanes(&TableKind::Private).is_none() {
            tables = tables.free_in_arithmetic();
        }
        if self.lanes(&TableKind::Alu(ValueType::Felt)).is_none() {
            tables = tables.over_extension();
        }
        tables
    }

    /// The lanes of a table, if it has any.
    pub fn lanes(&self, table: &TableKind) -> Option<&Lanes> {
        self.tables.iter().find(|lanes| lanes.table == *table)
    }

    /// Whether the layout is sound, and the circuit's public inputs and tables are among its own.
    pub(super) fn check(&self, circuit: &Tables) -> Result<(), LayoutError> {
        if self.log_height > MAX_LOG_HEIGHT {
            return Err(LayoutError::Height(self.log_height));
        }
        let ordered = self.tables.windows(2).find(|pair| pair[0].table >= pair[1].table);
        let public = self.lanes(&TableKind::Public);
        if let Some(wrong) = ordered.map(|pair| &pair[1]).or(public) {
            return Err(LayoutError::Table(wrong.table.clone()));
        }
        let found: Vec<usize> = circuit.public_widths().collect();
        if found != self.publics {
            return Err(LayoutError::Publics { expected: self.publics.clone(), found });
        }
        let (rows, height) = (public_period(found.len()), self.height());
        if rows > height {
            let table = TableKind::Public;
            return Err(LayoutError::Rows { table, rows, needed: 2, height, lanes: 1 });
        }
        let (table, limit) = (TableKind::Public, self.public_reads);
        match circuit.public_reads() {
            found if found > limit => {
                return Err(LayoutError::Reads { table, value: 0, found, limit });
            }
            _ => {}
        }
        let lanes = 0;
        for table in circuit.tables.iter().filter(|table| table.kind != TableKind::Public) {
            if self.lanes(&table.kind).is_none() {
                let (rows, needed) = (table.rows.len(), table.rows.len().div_ceil(height));
                let table = table.kind.clone();
                return Err(LayoutError::Rows { table, rows, needed, height, lanes });
            }
        }
        Ok(())
    }
}

impl Lanes {
    /// The name of a lane's chip: that of the table, with a number if there are several lanes.
    pub(super) fn name(&self, lane: usize) -> String {
        let name = table_name(&self.table);
        if self.lanes == 1 { name } else { format!("{name}[{lane}]") }
    }
}

/// The name of a table's chip.
pub(super) fn table_name(table: &TableKind) -> String {
    table.to_string().replace(' ', "_")
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "layout of 2^{} rows", self.log_height)?;
        if !self.publics.is_empty() {
            let elements: usize = self.publics.iter().sum();
            let (inputs, reads) = (self.publics.len(), self.public_reads);
            writeln!(
                f,
                "  public: {inputs} inputs of {elements} elements, read at most {reads} times"
            )?;
        }
        for Lanes { table, lanes, weights } in &self.tables {
            let reads = weights.iter().max().copied().unwrap_or(0);
            let plural = if *lanes == 1 { "lane" } else { "lanes" };
            writeln!(f, "  {table}: {lanes} {plural}, read at most {reads} times")?;
        }
        Ok(())
    }
}
