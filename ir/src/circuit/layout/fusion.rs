//! The machine of a layout: all lanes side by side in one chip, and what does not fit beside it.
//!
//! Rows are filled lane by lane, in the machine that the circuit was assembled to; the trace of the fused
//! machine is these traces side by side.

use super::Layout;
use crate::chip::passes::FuseError;
use crate::chip::{Chip, ColumnKind, FixedData};
use crate::machine::Machine;
use crate::machine::layout::Fusion;

impl Layout {
    /// Fuses the chips of an assembled machine, their degrees lowered.
    ///
    /// A chip stands apart if its height is not known or is larger than the common one: a range table with
    /// more entries, or a helper whose rows are what others ask for.
    ///
    /// # Errors
    ///
    /// Fails if there is nothing to fuse.
    pub fn fuse(&self, parts: &Machine) -> Result<Fusion, FuseError> {
        let height = self.height();
        let fused = (0..parts.chips.len()).filter(|&index| fits(&parts.chips[index], height));
        Fusion::of(parts, height, fused.map(|index| (index, 1)).collect())
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
