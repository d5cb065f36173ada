//! Advice: cells that are computed but not constrained.

use std::panic::Location;
use std::sync::Arc;

use chipwright_ir::chip::{FillOp, NativeFn};

use super::{Builder, Rule};
use crate::cell::Cell;
use crate::hint::Hint;

impl Builder {
    /// Computes a cell from advice. No rule is recorded: others must determine the cell.
    #[track_caller]
    pub fn fill(&self, cell: impl Into<Cell>, value: impl Into<Hint>) -> Rule {
        let location = Location::caller();
        let cell = cell.into().cell;
        let value = value.into().node_in(self.arena, location);
        Rule::around(self, || {
            self.arena.with(|state| {
                let place = state.here();
                let label = state.label(location.into());
                state.fill(&place, FillOp::Set { cell, value }, &label);
            });
        })
    }

    /// Computes cells by a Rust function, from the canonical integers of `inputs`. The function appears in
    /// dumps by name only; no rule is recorded. An error of the function is a sentence.
    #[track_caller]
    pub fn fill_with<H: super::Assignable, I: Into<crate::Expr>>(
        &self,
        name: &str,
        cells: H,
        inputs: impl IntoIterator<Item = I>,
        function: impl Fn(&[u64], &mut [u64]) -> Result<(), String> + Send + Sync + 'static,
    ) -> Rule {
        let location = Location::caller();
        let mut targets = Vec::new();
        cells.cells(&mut targets);
        self.fill_all_with(name, &targets, inputs, function, location)
    }

    /// [`Self::fill_with`] for any number of cells.
    #[track_caller]
    pub fn fill_slice_with<I: Into<crate::Expr>>(
        &self,
        name: &str,
        cells: &[Cell],
        inputs: impl IntoIterator<Item = I>,
        function: impl Fn(&[u64], &mut [u64]) -> Result<(), String> + Send + Sync + 'static,
    ) -> Rule {
        self.fill_all_with(name, cells, inputs, function, Location::caller())
    }

    fn fill_all_with<I: Into<crate::Expr>>(
        &self,
        name: &str,
        cells: &[Cell],
        inputs: impl IntoIterator<Item = I>,
        function: impl Fn(&[u64], &mut [u64]) -> Result<(), String> + Send + Sync + 'static,
        location: &'static Location<'static>,
    ) -> Rule {
        let inputs = inputs.into_iter().map(|input| self.node(input.into(), location)).collect();
        let cells = cells.iter().map(|cell| cell.cell).collect();
        let function = NativeFn { name: name.to_owned(), call: Arc::new(function) };
        Rule::around(self, || {
            self.arena.with(|state| {
                let place = state.here();
                let label = state.label(location.into());
                state.fill(&place, FillOp::Native { cells, inputs, function }, &label);
            });
        })
    }
}
