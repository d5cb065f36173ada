//! Running a chip on native values: evaluating its expressions and replaying its fills.
//!
//! Expressions are compiled once per chip into a `Program`, a flat list of instructions over slots (one
//! slot a node), and run once per row without allocation. Fills are compiled into a `Tape`: programs
//! interleaved with the cells that they set.

mod program;
mod tape;

use p3_field::PrimeField64;

pub(crate) use program::{Program, Scene, Slots};
pub(crate) use tape::{Pinned, Rows, Services, Site, Tape};

use super::Chip;
use crate::FieldPair;
use crate::machine::fill::{FillErrors, FillOptions};
use crate::machine::{ChipRows, Machine, MachineInput, Table, fill_with};

/// Fills the table of one chip on its own: its rows, then padding to a power of two. `publics` are its
/// public values.
///
/// # Errors
///
/// Fails as [`fill`](crate::machine::fill()) does; lookups of buses that the chip does not itself provide
/// are ignored, but fills that call another chip fail.
pub fn fill_rows<P: FieldPair>(
    chip: &Chip,
    rows: ChipRows,
    publics: &[u64],
) -> Result<Table<P::Base>, FillErrors> {
    let mut machine = Machine::new(chip.name.clone(), chip.field);
    machine.chips.push(chip.clone());
    let input = MachineInput {
        rows: vec![(chip.name.clone(), rows)],
        publics: vec![(chip.name.clone(), publics.to_vec())],
        memory: Vec::new(),
    };
    let options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
    let mut trace = fill_with::<P>(&machine, &input, &options)?;
    Ok(trace.tables.swap_remove(0))
}

/// The canonical integers of a slice of elements.
pub(crate) fn canonical<F: PrimeField64>(elements: &[F]) -> Vec<u64> {
    elements.iter().map(PrimeField64::as_canonical_u64).collect()
}
