//! The machine of a layout: all lanes side by side in one chip, and what does not fit beside it.
//!
//! Rows are filled lane by lane, in the machine that the circuit was assembled to; the trace of the fused
//! machine is these traces side by side.

use std::borrow::Cow;

use super::Layout;
use crate::chip::passes::{FuseError, fuse};
use crate::chip::{Chip, ColumnKind, FixedData};
use crate::machine::{Machine, MachineTrace, Table};

/// The name of the chip that all lanes are fused into.
pub const FUSED_TABLE: &str = "fused";

/// A machine and the one that its chips are fused into.
#[derive(Clone, Debug)]
pub struct Fusion {
    /// The fused machine: the chip [`FUSED_TABLE`], then the chips that stand apart.
    pub machine: Machine,
    /// The positions of the fused chips in the machine of parts, and their names.
    parts: Vec<(usize, String)>,
    /// The positions of the other ones.
    apart: Vec<usize>,
    height: usize,
}

/// Why a trace of the parts is no trace of the fused machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FusionError {
    /// The trace is one of another machine.
    #[error("the machine has {expected} chips, the trace {found} tables")]
    Tables {
        /// The chips of the machine of parts.
        expected: usize,
        /// The tables of the trace.
        found: usize,
    },
    /// A part does not have the common height.
    #[error("the table of `{chip}` has {found} rows, the layout {expected}")]
    Height {
        /// The part.
        chip: String,
        /// The common height.
        expected: usize,
        /// The rows of its table.
        found: usize,
    },
}

impl Fusion {
    /// Fuses the chips of an assembled machine, their degrees lowered.
    ///
    /// A chip stands apart if its height is not known or is larger than the common one: a range table with
    /// more entries, or a helper whose rows are what others ask for.
    ///
    /// # Errors
    ///
    /// Fails if there is nothing to fuse.
    pub fn new(parts: &Machine, layout: &Layout) -> Result<Self, FuseError> {
        let height = layout.height();
        let (fused, apart): (Vec<usize>, Vec<usize>) =
            (0..parts.chips.len()).partition(|&index| fits(&parts.chips[index], height));
        // The contents determine the height, and each part knows how its own go on.
        let mut chips: Vec<Cow<'_, Chip>> =
            fused.iter().map(|&index| Cow::Borrowed(&parts.chips[index])).collect();
        if let Some(first) = chips.first_mut() {
            let columns = first.contents(height);
            if let Some(message) = first.open_beyond_contents()
                && first.fixed.as_ref().is_some_and(|fixed| fixed.rows() < height)
            {
                let (chip, rows) =
                    (first.name.clone(), first.fixed.as_ref().map_or(0, FixedData::rows));
                return Err(FuseError::Short { chip, rows, height, message });
            }
            first.to_mut().fixed = Some(FixedData { columns });
        }
        let chips: Vec<&Chip> = chips.iter().map(AsRef::as_ref).collect();
        let chip = fuse(&chips, FUSED_TABLE)?;
        let mut machine = Machine::new(parts.name.clone(), parts.field);
        machine.chips.push(chip);
        machine.chips.extend(apart.iter().map(|&index| parts.chips[index].clone()));
        let name = |index: usize| (index, parts.chips[index].name.clone());
        let fused = fused.into_iter().map(name).collect();
        Ok(Self { machine, parts: fused, apart, height })
    }

    /// The common height.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The trace of the fused machine, from that of the parts.
    ///
    /// # Errors
    ///
    /// Fails if the trace is one of another machine, or a part does not have the common height.
    pub fn trace<F: Copy>(
        &self,
        mut trace: MachineTrace<F>,
    ) -> Result<MachineTrace<F>, FusionError> {
        let (expected, found) = (self.parts.len() + self.apart.len(), trace.tables.len());
        if expected != found || trace.publics.len() != found {
            return Err(FusionError::Tables { expected, found });
        }
        let tables: Vec<&Table<F>> =
            self.parts.iter().map(|(part, _)| &trace.tables[*part]).collect();
        for (table, (_, chip)) in tables.iter().zip(&self.parts) {
            if table.height != self.height {
                let (expected, found) = (self.height, table.height);
                return Err(FusionError::Height { chip: chip.clone(), expected, found });
            }
        }
        let width = tables.iter().map(|table| table.width).sum();
        let mut values = Vec::with_capacity(self.height * width);
        for row in 0..self.height {
            tables.iter().for_each(|table| values.extend_from_slice(table.row(row)));
        }
        let real_rows = tables.iter().map(|table| table.real_rows).max().unwrap_or(0);
        let fused = Table { height: self.height, width, values, real_rows };
        let publics = self.parts.iter().flat_map(|(part, _)| trace.publics[*part].iter().copied());
        let mut result = MachineTrace { tables: vec![fused], publics: vec![publics.collect()] };
        for &apart in &self.apart {
            let empty = Table { height: 0, width: 0, values: Vec::new(), real_rows: 0 };
            result.tables.push(std::mem::replace(&mut trace.tables[apart], empty));
            result.publics.push(std::mem::take(&mut trace.publics[apart]));
        }
        Ok(result)
    }
}

/// Whether a chip's rows fit into the common height, whatever the witness.
pub(super) fn fits(chip: &Chip, height: usize) -> bool {
    let rows = chip.fixed.as_ref().map(FixedData::rows);
    let has_fixed = chip.columns_of(ColumnKind::Fixed).next().is_some();
    has_fixed
        && chip.memory_of.is_none()
        && rows.is_some_and(|rows| {
            let needs_all = chip.dense && !chip.is_wired() && !chip.gives_only_contents();
            if needs_all { rows == height } else { rows <= height }
        })
}
