//! The machine of a layout: folded chips side by side in one, and the chips that stand apart.

use p3_field::Field;
use rayon::prelude::*;

use super::{MachineLayout, MachineLayoutError};
use crate::chip::passes::{FuseError, fold, fuse, open_exclusive};
use crate::chip::{Chip, FixedData};
use crate::machine::{Machine, MachineTrace, Table};

/// The name of the chip that all folded chips are fused into.
pub const FUSED_TABLE: &str = "fused";

/// Rows that one thread puts together at a time.
const ROWS_AT_A_TIME: usize = 64;

/// A machine as it is written, and the one that its chips are folded and fused into.
#[derive(Clone, Debug)]
pub struct Fusion {
    /// The fused machine: the chip [`FUSED_TABLE`], if any chip is folded, then the chips that stand apart.
    pub machine: Machine,
    /// The chips of the fused one, in order.
    parts: Vec<Part>,
    /// The positions of the other ones in the machine as it is written.
    apart: Vec<usize>,
    height: usize,
}

/// A chip that is folded and fused.
#[derive(Clone, Debug)]
struct Part {
    /// Its position in the machine as it is written.
    chip: usize,
    name: String,
    copies: usize,
    /// The number of its main-trace columns.
    width: usize,
}

/// A cell of the machine as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The chip's position in the machine.
    pub chip: usize,
    /// The row.
    pub row: usize,
    /// The position in the row of the main trace.
    pub cell: usize,
}

/// Why a trace of the machine as it is written is no trace of the fused machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FusionError {
    /// The trace is one of another machine.
    #[error("the machine has {expected} chips, the trace {found} tables")]
    Tables {
        /// The chips of the machine.
        expected: usize,
        /// The tables of the trace.
        found: usize,
    },
    /// A table is not as high as the layout says.
    #[error("the table of `{chip}` has {found} rows, the layout {expected}")]
    Height {
        /// The chip.
        chip: String,
        /// The rows of the layout.
        expected: usize,
        /// The rows of its table.
        found: usize,
    },
    /// A table is as wide as that of another chip.
    #[error("the table of `{chip}` has {found} cells in rows of {expected}")]
    Width {
        /// The chip.
        chip: String,
        /// The columns of the chip.
        expected: usize,
        /// The cells of the table.
        found: usize,
    },
}

impl Fusion {
    /// Folds and fuses the chips of a machine by a layout. Messages that exclude each other share columns with
    /// others, where degrees up to `max_degree` allow.
    ///
    /// # Errors
    ///
    /// Fails if the layout is not one of the machine.
    pub fn new(
        machine: &Machine,
        layout: &MachineLayout,
        max_degree: usize,
    ) -> Result<Self, MachineLayoutError> {
        layout.check(machine)?;
        let mut folded = Machine::new(machine.name.clone(), machine.field);
        folded.chips.clone_from(&machine.chips);
        let mut parts = Vec::with_capacity(layout.folded.len());
        for fold in &layout.folded {
            let Some(index) = machine.position(&fold.chip) else { continue };
            folded.chips[index] = open_exclusive(&machine.chips[index], max_degree);
            parts.push((index, fold.copies));
        }
        if parts.is_empty() {
            let apart = (0..machine.chips.len()).collect();
            return Ok(Self { machine: folded, parts: Vec::new(), apart, height: 1 });
        }
        Ok(Self::of(&folded, 1 << layout.log_height, parts)?)
    }

    /// Fuses chips, given by position and number of copies, to a height.
    pub(crate) fn of(
        machine: &Machine,
        height: usize,
        folded: Vec<(usize, usize)>,
    ) -> Result<Self, FuseError> {
        let chips: Vec<Chip> = folded
            .iter()
            .map(|&(index, copies)| {
                let chip = &machine.chips[index];
                // The contents determine the height.
                let fixed = match chip.fixed {
                    Some(_) => Some(FixedData { columns: chip.closed_contents(copies * height)? }),
                    None => None,
                };
                Ok(fold(&Chip { fixed, ..chip.clone() }, copies)?)
            })
            .collect::<Result<_, FuseError>>()?;
        let mut fused = Machine::new(machine.name.clone(), machine.field);
        fused.chips.push(fuse(&chips.iter().collect::<Vec<_>>(), FUSED_TABLE)?);
        let is_part = |index: &usize| folded.iter().any(|(part, _)| part == index);
        let apart: Vec<usize> = (0..machine.chips.len()).filter(|at| !is_part(at)).collect();
        fused.chips.extend(apart.iter().map(|&index| machine.chips[index].clone()));
        let parts = folded.into_iter().map(|(index, copies)| {
            let chip = &machine.chips[index];
            Part { chip: index, name: chip.name.clone(), copies, width: chip.width() }
        });
        Ok(Self { machine: fused, parts: parts.collect(), apart, height })
    }

    /// The common height.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The rows of the tables that are fused, by chip.
    pub fn rows(&self) -> impl Iterator<Item = (&str, usize)> {
        self.parts.iter().map(|part| (part.name.as_str(), part.copies * self.height))
    }

    /// By table of the fused machine, the chips that it consists of: positions in the machine as it is written. Their
    /// public values, in this order, are those of the table.
    pub fn chips(&self) -> Vec<Vec<usize>> {
        let fused = (!self.parts.is_empty())
            .then(|| self.parts.iter().map(|part| part.chip).collect::<Vec<usize>>());
        let apart = self.apart.iter().map(|&index| vec![index]);
        fused.into_iter().chain(apart).collect()
    }

    /// Which cell of the machine as it is written a cell of the fused machine's main trace is; `None` if there is no such
    /// column.
    pub fn written(&self, table: usize, row: usize, cell: usize) -> Option<Written> {
        if table > 0 || self.parts.is_empty() {
            let index = table - usize::from(!self.parts.is_empty());
            return self.apart.get(index).map(|&chip| Written { chip, row, cell });
        }
        let mut cell = cell;
        for &Part { chip, copies, width, .. } in &self.parts {
            if cell < copies * width {
                return Some(Written {
                    chip,
                    row: row * copies + cell / width,
                    cell: cell % width,
                });
            }
            cell -= copies * width;
        }
        None
    }

    /// The trace of the fused machine, from that of the machine as it is written.
    ///
    /// # Errors
    ///
    /// Fails if the trace is one of another machine, or a table does not have the height of the layout.
    pub fn trace<F: Field>(
        &self,
        mut trace: MachineTrace<F>,
    ) -> Result<MachineTrace<F>, FusionError> {
        let (expected, found) = (self.parts.len() + self.apart.len(), trace.tables.len());
        if expected != found || trace.publics.len() != found {
            return Err(FusionError::Tables { expected, found });
        }
        let mut result = MachineTrace { tables: Vec::new(), publics: Vec::new() };
        let empty = Table { height: 0, width: 0, values: Vec::new(), real_rows: 0 };
        let mut take = |index: usize| std::mem::replace(&mut trace.tables[index], empty.clone());
        if !self.parts.is_empty() {
            let tables: Vec<Table<F>> = self
                .parts
                .iter()
                .map(|part| part.folded(take(part.chip), self.height))
                .collect::<Result<_, _>>()?;
            result.tables.push(beside(tables, self.height));
            let publics = self.parts.iter().flat_map(|part| trace.publics[part.chip].clone());
            result.publics.push(publics.collect());
        }
        for &apart in &self.apart {
            result.tables.push(take(apart));
            result.publics.push(std::mem::take(&mut trace.publics[apart]));
        }
        Ok(result)
    }
}

impl Part {
    /// A table of the chip, as one of the folded chip: the same bytes.
    fn folded<F>(&self, table: Table<F>, height: usize) -> Result<Table<F>, FusionError> {
        let &Self { copies, width, .. } = self;
        let chip = || self.name.clone();
        if table.height != copies * height {
            let (expected, found) = (copies * height, table.height);
            return Err(FusionError::Height { chip: chip(), expected, found });
        }
        if table.width != width || table.values.len() != table.height * width {
            let (expected, found) = (width, table.values.len());
            return Err(FusionError::Width { chip: chip(), expected, found });
        }
        let real_rows = table.real_rows.div_ceil(copies);
        Ok(Table { height, width: copies * width, real_rows, ..table })
    }
}

/// Tables of one height, side by side.
fn beside<F: Field>(mut tables: Vec<Table<F>>, height: usize) -> Table<F> {
    if tables.len() == 1
        && let Some(table) = tables.pop()
    {
        return table;
    }
    let width: usize = tables.iter().map(|table| table.width).sum();
    let mut values = F::zero_vec(height * width);
    let at_a_time = ROWS_AT_A_TIME * width.max(1);
    values.par_chunks_mut(at_a_time).enumerate().for_each(|(chunk, rows)| {
        let first = chunk * ROWS_AT_A_TIME;
        for (row, cells) in (first..).zip(rows.chunks_exact_mut(width)) {
            let mut rest = cells;
            for table in &tables {
                let (part, after) = rest.split_at_mut(table.width);
                part.copy_from_slice(table.row(row));
                rest = after;
            }
        }
    });
    let real_rows = tables.iter().map(|table| table.real_rows).max().unwrap_or(0);
    Table { height, width, values, real_rows }
}
