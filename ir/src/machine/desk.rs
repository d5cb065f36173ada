//! The table of one chip while it is being filled.

use std::collections::BTreeMap;

use p3_field::{PackedField, PackedValue, PrimeField64};
use rayon::prelude::*;

use super::ChipRows;
use super::fill::{FillError, FillErrors};
use super::tuples::TupleMap;
use crate::chip::interpret::{
    Pinned, Program, Rows, Scene, Services, Site, Slots, Tape, canonical,
};
use crate::chip::{Chip, ColumnKind, Section};
use crate::field::from_canonical;

/// The rows that one thread fills at a time, where rows are filled apart.
const ROWS_AT_A_TIME: usize = 128;

/// A chip at work.
pub(super) struct Desk<F> {
    pub(super) tape: Tape,
    pub(super) slots: Slots<F>,
    /// `rows × width` cells.
    pub(super) values: Vec<F>,
    pub(super) width: usize,
    pub(super) rows: usize,
    pub(super) real_rows: usize,
    pub(super) publics: Vec<F>,
    /// Positions of the Input and Record columns.
    pub(super) record: Vec<usize>,
    pub(super) real: Option<usize>,
    pub(super) pinned: Vec<Pinned<F>>,
    /// The row that answers a call, by bus and arguments.
    pub(super) answers: BTreeMap<usize, TupleMap<usize>>,
}

/// The chip that gives the entries of a bus.
pub(super) struct Provider {
    pub(super) chip: usize,
    pub(super) interaction: usize,
    /// Positions of the input cells that the message starts with, if a call can make new rows.
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Program,
    pub(super) callable: bool,
}

impl<F: PrimeField64> Desk<F> {
    /// An empty table, with memory for `least` rows, which it will have at least.
    pub(super) fn new(chip: &Chip, least: usize) -> Self {
        let tape = Tape::new(chip);
        let positions = tape.positions();
        let record = (0..chip.columns.len())
            .filter(|index| {
                matches!(chip.columns[*index].kind, ColumnKind::Input | ColumnKind::Record)
            })
            .map(|index| positions[index])
            .collect();
        Self {
            record,
            real: chip.real().map(|column| positions[column.index()]),
            slots: Slots::new(chip),
            values: Vec::with_capacity(least * chip.width()),
            width: chip.width(),
            rows: 0,
            real_rows: 0,
            publics: Vec::new(),
            pinned: Vec::new(),
            answers: BTreeMap::new(),
            tape,
        }
    }

    /// Appends rows with their records; the rows of fixed columns that no record is given for have zeros.
    pub(super) fn load(&mut self, chip: &Chip, given: &ChipRows, errors: &mut FillErrors) {
        let start = self.rows;
        let fixed = chip.fixed.as_ref().map_or(0, crate::chip::FixedData::rows);
        self.rows = (start + given.len()).max(fixed);
        self.values.resize(self.rows * self.width, F::ZERO);
        for (offset, record) in given.iter().enumerate() {
            let row = start + offset;
            if record.len() != self.record.len() {
                errors.push(FillError::RecordWidth {
                    chip: chip.name.clone(),
                    row,
                    expected: self.record.len(),
                    actual: record.len(),
                });
                continue;
            }
            let cells = &mut self.values[row * self.width..(row + 1) * self.width];
            for (position, &value) in self.record.iter().zip(record) {
                if value >= F::ORDER_U64 {
                    let position_of = |column: &usize| self.tape.positions()[*column] == *position;
                    let column = (0..chip.columns.len())
                        .find(|column| chip.columns[*column].kind.is_main() && position_of(column));
                    errors.push(FillError::NotCanonical {
                        chip: chip.name.clone(),
                        row,
                        column: column.map_or_else(String::new, |c| chip.columns[c].name.clone()),
                        value,
                    });
                }
                cells[*position] = from_canonical(value);
            }
        }
        for row in start..self.rows {
            if let Some(real) = self.real {
                self.values[row * self.width + real] = F::ONE;
            }
            self.pin(row);
        }
    }

    /// Gives the forged cells of a row their values.
    pub(super) fn pin(&mut self, row: usize) {
        for &(pinned_row, position, value) in &self.pinned {
            if pinned_row == row {
                self.values[row * self.width + position] = value;
            }
        }
    }

    pub(super) fn run(
        &mut self,
        chip: &Chip,
        section: Section,
        row: usize,
        services: &mut dyn Services,
    ) {
        let (before, after) = self.values.split_at_mut((row + 1) * self.width);
        let next_end = self.width.min(after.len());
        let mut rows = Rows { this: &mut before[row * self.width..], next: &mut after[..next_end] };
        let scene = Scene::new(chip, &self.publics).at(row, row + 1);
        let pinned = &self.pinned;
        self.tape.run(section, chip, &mut self.slots, &scene, &mut rows, pinned, services);
    }

    /// Fills the rows from `start` on in parallel, if they can be filled apart, and returns the native functions that
    /// failed.
    pub(super) fn run_apart(&mut self, chip: &Chip, start: usize) -> Option<Vec<(Site, String)>> {
        if self.width == 0 || !self.tape.rows_are_apart(chip) {
            return None;
        }
        let Self { tape, slots: single, values, publics, pinned, width, .. } = self;
        let apart = Apart { tape, chip, scene: Scene::new(chip, publics), pinned, width: *width };
        let packed = Slots::<F::Packing>::new(chip);
        let failures: Vec<Vec<_>> = values[start * *width..]
            .par_chunks_mut(ROWS_AT_A_TIME * *width)
            .enumerate()
            .map_init(
                || (packed.clone(), single.clone()),
                |(packed, single), (number, chunk)| {
                    let mut failures = Failures::default();
                    let first = start + number * ROWS_AT_A_TIME;
                    let rest = chunk.len() % (F::Packing::WIDTH * *width);
                    let (many, few) = chunk.split_at_mut(chunk.len() - rest);
                    apart.run(packed, first, many, &mut failures);
                    apart.run(single, first + many.len() / *width, few, &mut failures);
                    failures.0.sort_by_key(|(site, _)| (site.row, site.fill));
                    failures.0
                },
            )
            .collect();
        Some(failures.concat())
    }

    pub(super) fn evaluate(&mut self, chip: &Chip, program: &Program, row: usize) {
        let scene = Scene::new(chip, &self.publics).at(row, row + 1);
        let this = &self.values[row * self.width..(row + 1) * self.width];
        program.run(&mut self.slots, &scene, this, &[]);
    }

    /// The first row whose entry starts with the given elements.
    pub(super) fn entry(
        &mut self,
        chip: &Chip,
        provider: &Provider,
        prefix: &[u64],
    ) -> Option<usize> {
        if !self.answers.contains_key(&provider.interaction) {
            let message = &chip.interactions[provider.interaction].message;
            let mut rows = TupleMap::default();
            for row in 0..self.rows {
                self.evaluate(chip, &provider.outputs, row);
                let key: Vec<F> =
                    message[..prefix.len()].iter().map(|node| self.slots.field(*node)).collect();
                let key = canonical(&key);
                if rows.get(&key).is_none() {
                    rows.insert(&key, row);
                }
            }
            self.answers.insert(provider.interaction, rows);
        }
        self.answers[&provider.interaction].get(prefix).copied()
    }
}

/// A chip whose rows are filled apart.
struct Apart<'a, F> {
    tape: &'a Tape,
    chip: &'a Chip,
    scene: Scene<'a, F>,
    pinned: &'a [Pinned<F>],
    width: usize,
}

impl<F: PrimeField64> Apart<'_, F> {
    /// Fills the rows from `first` on, as many at once as there are lanes.
    fn run<P: PackedField<Scalar = F>>(
        &self,
        slots: &mut Slots<P>,
        first: usize,
        rows: &mut [F],
        failures: &mut Failures,
    ) {
        let packs = rows.chunks_exact_mut(P::WIDTH * self.width);
        for (row, this) in (first..).step_by(P::WIDTH).zip(packs) {
            let mut rows = Rows { this, next: &mut [] };
            let scene = self.scene.at(row, row + 1);
            let (chip, pinned) = (self.chip, self.pinned);
            self.tape.run(Section::Row, chip, slots, &scene, &mut rows, pinned, failures);
        }
    }
}

/// What rows that are filled apart ask of the machine: to hear of failures.
#[derive(Debug, Default)]
struct Failures(Vec<(Site, String)>);

impl Services for Failures {
    fn native_failed(&mut self, site: Site, message: String) {
        self.0.push((site, message));
    }
}
