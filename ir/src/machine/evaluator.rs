//! Evaluating nodes on the rows of a finished table.

use p3_field::{PackedValue, PrimeField64};

use super::Table;
use crate::chip::interpret::{Program, Scene, Slots};
use crate::chip::{Chip, NodeId};

/// Evaluates nodes of a chip on rows of its table; below the last row is the first one.
pub(super) struct Evaluator<'a, F> {
    program: Program,
    scene: Scene<'a, F>,
    table: &'a Table<F>,
    slots: Slots<F>,
}

impl<'a, F: PrimeField64> Evaluator<'a, F> {
    pub(super) fn new(
        chip: &'a Chip,
        table: &'a Table<F>,
        publics: &'a [F],
        nodes: impl IntoIterator<Item = NodeId>,
    ) -> Self {
        Self {
            program: Program::new(chip, &chip.positions(), nodes),
            scene: Scene::new(chip, publics),
            table,
            slots: Slots::new(chip),
        }
    }

    pub(super) fn row(&mut self, row: usize) -> &Slots<F> {
        let next = (row + 1) % self.table.height;
        let scene = self.scene.at(row, next);
        self.program.run(&mut self.slots, &scene, self.table.row(row), self.table.row(next));
        &self.slots
    }

    /// Evaluates as many rows from `row` on as there are lanes, if none of them is the last one.
    pub(super) fn pack(&self, row: usize, slots: &mut Slots<F::Packing>) -> bool {
        let Table { width, height, ref values, .. } = *self.table;
        let end = row + F::Packing::WIDTH;
        if end >= height {
            return false;
        }
        let (this, next) = (&values[row * width..end * width], &values[(row + 1) * width..]);
        let next = &next[..this.len()];
        self.program.run(slots, &self.scene.at(row, row + 1), this, next);
        true
    }
}
