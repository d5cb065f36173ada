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
    /// The degree of the extension.
    degree: usize,
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
        Self { values, cells, data, degree: chip.field.degree() }
    }

    /// The record of row `row` of a call. `value` gives a coefficient of a value, if something is
    /// wired to it; `data` is the private data of all rows of the call.
    pub(super) fn record(
        &self,
        row: u32,
        data: &[u64],
        value: impl Fn(usize, usize) -> Option<u64>,
    ) -> impl Iterator<Item = u64> {
        let first = self.data * row as usize;
        let cell = move |source: &Source| match *source {
            Source::Value { value: index, coefficient } => {
                value(index, coefficient).or_else(|| {
                    let (whole, coefficient) = self.joined(index)?;
                    value(whole, coefficient)
                })
            }
            Source::Data(index) => data.get(first + index).copied(),
        };
        self.cells.iter().map(move |source| cell(source).unwrap_or(0))
    }

    /// The value that has this one as a coefficient in rows that join them, and which one.
    fn joined(&self, value: usize) -> Option<(usize, usize)> {
        let whole = |coefficient: usize| {
            let whole = value.checked_sub(coefficient)?;
            self.values[whole].joined_if.map(|_| (whole, coefficient))
        };
        (1..self.degree).find_map(whole)
    }
}
