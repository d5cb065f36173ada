//! The layout of a machine: how its tables become one table.
//!
//! Every height, matrix and quotient of a proof costs hashes, both where it is made and where it is verified. A
//! [`MachineLayout`] brings tables to one height: a table with more rows is [folded](crate::chip::passes::fold()), so
//! that a row holds several of its rows, and the folded chips are [fused](crate::chip::passes::fuse()) into one.
//! Tables that would gain nothing stand apart, as they are. A layout is a value: it is chosen by cost
//! ([`MachineLayout::choose`]), printed, read back, stored, or given.
//!
//! ```
//! use chipwright_ir::machine::MachineLayout;
//!
//! let layout: MachineLayout = "layout of 2^14 rows
//!   processor: 16 copies
//!   memory: 1 copy
//!   output: apart, 2^5 rows
//!   ticks: apart
//! ".parse()?;
//! assert_eq!(layout.rows("processor"), Some(16 << 14));
//! assert_eq!(layout.rows("output"), Some(1 << 5));
//! assert_eq!(layout.rows("ticks"), None);
//! # Ok::<(), chipwright_ir::machine::layout::ParseLayoutError>(())
//! ```
//!
//! Nobody fills or reads a folded table: a machine is filled, checked and audited as it is written, and a
//! [`Fusion`] makes the trace of the folded machine of the trace of that one, whose bytes it is.

mod choose;
mod fusion;
mod text;

use serde::{Deserialize, Serialize};

pub use choose::LayoutCells;
pub use fusion::{FUSED_TABLE, Fusion, FusionError, Written};
pub use text::ParseLayoutError;

use super::Machine;
use crate::chip::passes::{FoldError, FuseError, MAX_FOLDED_COLUMNS, deal_period};
use crate::chip::{Chip, FixedData, MAX_LOG_HEIGHT};

/// How the tables of a machine become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineLayout {
    /// The base-2 logarithm of the common height.
    pub log_height: usize,
    /// The chips that are folded and fused, side by side in this order. If there are none, the height says nothing.
    pub folded: Vec<Fold>,
    /// The chips whose tables stand apart.
    pub apart: Vec<Apart>,
}

/// How a chip is folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// The chip's name.
    pub chip: String,
    /// How many of its rows are in a row of the folded table.
    pub copies: usize,
}

/// A chip whose table stands apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// The chip's name.
    pub chip: String,
    /// The base-2 logarithm of the height of its table; `None` if it is as high as its rows demand.
    pub log_height: Option<usize>,
}

impl Apart {
    /// A table that is as high as its rows demand.
    pub fn new(chip: impl Into<String>) -> Self {
        Self { chip: chip.into(), log_height: None }
    }
}

/// Why a machine does not have a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MachineLayoutError {
    /// The height is not usable.
    #[error("the layout's height is 2^{found}; 2^{low} to 2^{high} is possible")]
    Height {
        /// The base-2 logarithm of the height.
        found: usize,
        /// The lowest one possible.
        low: usize,
        /// The largest one possible.
        high: usize,
    },
    /// The machine has no such chip, or the layout has it twice.
    #[error("the layout names chip `{chip}`, which {problem}")]
    Chip {
        /// The chip.
        chip: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The layout says nothing about a chip.
    #[error("the layout does not say how chip `{0}` is folded, nor that it stands apart")]
    Missing(String),
    /// The folded table has too many columns.
    #[error("the copies of the layout have {0} columns; at most {MAX_FOLDED_COLUMNS} are possible")]
    Columns(usize),
    /// The rows of a chip's fixed columns are not those of the layout.
    #[error("the fixed columns of chip `{chip}` have {rows} rows; the layout has {expected}")]
    Contents {
        /// The chip.
        chip: String,
        /// The rows of the contents.
        rows: usize,
        /// The rows of the copies.
        expected: usize,
    },
    /// A periodic column does not repeat within the common height.
    #[error(
        "a copy of a periodic column of chip `{chip}` repeats after {period} rows; the layout has {height}"
    )]
    Period {
        /// The chip.
        chip: String,
        /// The period of the copies.
        period: usize,
        /// The common height.
        height: usize,
    },
    /// No table is brought to the common height, or rows fit no height.
    #[error("no height from 2^{low} to 2^{high} holds the rows")]
    NoHeight {
        /// The lowest one allowed.
        low: usize,
        /// The largest one allowed.
        high: usize,
    },
    /// A chip cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The chips cannot be fused.
    #[error(transparent)]
    Fuse(#[from] FuseError),
}

impl MachineLayout {
    /// The layout in which every table stands apart.
    pub fn separate(machine: &Machine) -> Self {
        let apart = machine.chips.iter().map(|chip| Apart::new(&chip.name)).collect();
        Self { log_height: 0, folded: Vec::new(), apart }
    }

    /// The rows of a chip's table, if the layout says how many: it is folded, or stands apart with a height.
    pub fn rows(&self, chip: &str) -> Option<usize> {
        let height = |log: usize| 1_usize.checked_shl(u32::try_from(log).ok()?);
        if let Some(apart) = self.apart.iter().find(|apart| apart.chip == chip) {
            return height(apart.log_height?);
        }
        let fold = self.folded.iter().find(|fold| fold.chip == chip)?;
        fold.copies.checked_mul(height(self.log_height)?)
    }

    /// Whether no table is folded.
    pub fn is_separate(&self) -> bool {
        self.folded.is_empty()
    }

    /// Checks that the layout is one of a machine.
    ///
    /// # Errors
    ///
    /// Says what of the machine does not fit.
    pub fn check(&self, machine: &Machine) -> Result<(), MachineLayoutError> {
        let (low, high) = (0, MAX_LOG_HEIGHT);
        let apart = self.apart.iter().filter_map(|apart| apart.log_height);
        if let Some(found) = apart.chain([self.log_height]).find(|&found| found > high) {
            return Err(MachineLayoutError::Height { found, low, high });
        }
        let named = self.folded.iter().map(|fold| fold.chip.as_str());
        let named: Vec<&str> =
            named.chain(self.apart.iter().map(|apart| apart.chip.as_str())).collect();
        for (index, name) in named.iter().enumerate() {
            let problem = if machine.position(name).is_none() {
                "does not exist"
            } else if named[..index].contains(name) {
                "it names already"
            } else {
                continue;
            };
            return Err(MachineLayoutError::Chip { chip: (*name).to_owned(), problem });
        }
        if let Some(chip) = machine.chips.iter().find(|chip| !named.contains(&chip.name.as_str())) {
            return Err(MachineLayoutError::Missing(chip.name.clone()));
        }
        if !self.is_separate() && self.apart.iter().any(|apart| apart.chip == FUSED_TABLE) {
            let problem = "has the name of the fused table";
            return Err(MachineLayoutError::Chip { chip: FUSED_TABLE.to_owned(), problem });
        }
        let mut columns = 0_usize;
        for (chip, fold) in self.chips(machine) {
            if fold.copies == 0 {
                return Err(FoldError::NoCopies(chip.name.clone()).into());
            }
            columns = columns.saturating_add(chip.columns.len().max(1).saturating_mul(fold.copies));
        }
        if columns > MAX_FOLDED_COLUMNS {
            return Err(MachineLayoutError::Columns(columns));
        }
        for apart in &self.apart {
            let chip = machine.chips.iter().find(|chip| chip.name == apart.chip);
            let contents = chip.and_then(|chip| chip.fixed.as_ref()).map_or(0, FixedData::rows);
            if let Some(expected) = self.rows(&apart.chip).filter(|&rows| contents > rows) {
                let (chip, rows) = (apart.chip.clone(), contents);
                return Err(MachineLayoutError::Contents { chip, rows, expected });
            }
        }
        self.chips(machine).try_for_each(|(chip, fold)| fits(chip, fold.copies, self.log_height))
    }

    /// The folded chips of a machine.
    fn chips<'a>(&'a self, machine: &'a Machine) -> impl Iterator<Item = (&'a Chip, &'a Fold)> {
        let chip = |fold: &Fold| machine.chips.iter().find(|chip| chip.name == fold.chip);
        self.folded.iter().filter_map(move |fold| Some((chip(fold)?, fold)))
    }
}

/// Whether what is known of a chip's rows fits so many copies of `2^log_height` rows.
///
/// # Soundness
///
/// Rows beyond contents are rows like any other, and a table would give their entries. So contents fill the copies, unless
/// what follows them is no new entry ([`Chip::gives_only_contents`]); the wiring of circuits is made for padding.
fn fits(chip: &Chip, copies: usize, log_height: usize) -> Result<(), MachineLayoutError> {
    let (height, expected) = (1 << log_height, copies << log_height);
    if let Some(rows) = chip.fixed.as_ref().map(FixedData::rows) {
        let may_end_early = chip.is_wired() || chip.gives_only_contents();
        let fits = if may_end_early { rows <= expected } else { rows == expected };
        if chip.fixed_width() > 0 && !fits {
            return Err(MachineLayoutError::Contents { chip: chip.name.clone(), rows, expected });
        }
    }
    let periods = chip.periodic.iter().map(|column| deal_period(column, copies)[0].len());
    match periods.max() {
        Some(period) if period > height => {
            Err(MachineLayoutError::Period { chip: chip.name.clone(), period, height })
        }
        _ => Ok(()),
    }
}
