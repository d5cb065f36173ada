//! A chip as a circuit sees it: the values that are wired to slots, and where each cell of a row's record
//! comes from. Computed once a chip, read once a row.

use crate::chip::passes::{WitnessValue, witness_values};
use crate::chip::{Chip, ColumnKind};

/// The interface of a chip with the circuits that use it.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    /// The values that can be wired to slots, inputs first.
    pub(super) values: Vec<WitnessValue>,
    /// Where the cells of a record come from, in layout order.
    cells: Vec<Source>,
    /// The number of private data of a row.
    pub(super) data: usize,
}

/// Where a cell of a record comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A coefficient of a value.
    Value { value: usize, coefficient: usize },
    /// The row's private data, in order.
    Data(usize),
}

impl Interface {
    pub(super) fn new(chip: &Chip) -> Self {
        let values = witness_values(chip);
        let mut inputs = values
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.output)
            .flat_map(|(index, value)| (0..value.cells).map(move |cell| (index, cell)));
        let mut cells = Vec::new();
        let mut data = 0;
        for column in &chip.columns {
            match column.kind {
                ColumnKind::Record => {
                    cells.push(Source::Data(data));
                    data += 1;
                }
                // Values are the input columns in layout order, cut where coordinates begin anew.
                ColumnKind::Input => {
                    if let Some((value, coefficient)) = inputs.next() {
                        cells.push(Source::Value { value, coefficient });
                    }
                }
                _ => {}
            }
        }
        drop(inputs);
        Self { values, cells, data }
    }

    /// The record of row `row` of a call. `value` gives a coefficient of a value, zero where nothing is
    /// wired to it; `data` is the private data of all rows of the call.
    pub(super) fn record(
        &self,
        row: u32,
        data: &[u64],
        value: impl Fn(usize, usize) -> u64,
    ) -> Vec<u64> {
        let first = self.data * row as usize;
        let cell = |source: &Source| match *source {
            Source::Value { value: index, coefficient } => value(index, coefficient),
            Source::Data(index) => data.get(first + index).copied().unwrap_or(0),
        };
        self.cells.iter().map(cell).collect()
    }
}
