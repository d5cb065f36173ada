//! Where the cells of a chip's rows come from, given the values of all slots.

use std::sync::Arc;

use rayon::prelude::*;

use crate::circuit::call::{CallPort, ChipCall};
use crate::circuit::interface::Interface;
use crate::circuit::library::CalledChip;
use crate::circuit::rows::SlotId;
use crate::machine::ChipRows;

/// The calls whose records one thread computes at a time, at least.
const CALLS_AT_A_TIME: usize = 64;

/// Where the cells of a chip's rows come from.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) chip: String,
    pub(super) interface: Arc<Interface>,
    /// The slot wired to each value of the interface, row by row.
    pub(super) slots: Vec<Option<SlotId>>,
    pub(super) rows: Vec<RowPlan>,
    /// The calls of a chip that says itself what its rows hold, in the order of their first rows.
    pub(super) native: Option<Native>,
}

/// A chip that says itself what its rows hold, and its calls.
#[derive(Clone, Debug)]
pub(super) struct Native {
    pub(super) called: CalledChip,
    /// Each call, and where its inputs are.
    pub(super) calls: Vec<(ChipCall, Vec<CallPort>)>,
}

/// The row within its call, and the position of the call's private data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowPlan {
    pub(super) row: u32,
    pub(super) data: Option<u32>,
}

impl Plan {
    /// The records of all rows; `coefficients` are those of all slots, `degree` a slot.
    pub(super) fn records(
        &self,
        coefficients: &[u64],
        degree: usize,
        data: &[Vec<u64>],
    ) -> ChipRows {
        let calls = self.native.iter().flat_map(|native| native.calls.iter().map(Some));
        let mut first = 0;
        let runs: Vec<_> = self
            .rows
            .chunk_by(|_, next| next.row != 0)
            .zip(calls.chain(std::iter::repeat(None)))
            .map(|(rows, call)| {
                first += rows.len();
                (first - rows.len(), rows, call)
            })
            .collect();
        let scene = (coefficients, degree, data);
        let rows = runs
            .into_par_iter()
            .with_min_len(CALLS_AT_A_TIME)
            .flat_map_iter(|(first, rows, call)| self.records_of_call(first, rows, call, scene))
            .collect();
        ChipRows { rows }
    }

    /// The records of the rows of one call, the first of which has number `first`.
    fn records_of_call(
        &self,
        first: usize,
        rows: &[RowPlan],
        call: Option<&(ChipCall, Vec<CallPort>)>,
        (coefficients, degree, data): (&[u64], usize, &[Vec<u64>]),
    ) -> Vec<Vec<u64>> {
        let width = self.interface.values.len();
        let data_of = |row: &RowPlan| {
            let data = row.data.and_then(|position| data.get(position as usize));
            data.map_or(&[][..], Vec::as_slice)
        };
        let mut records = Vec::new();
        if let (Some(native), Some((call, inputs)), Some(row)) = (&self.native, call, rows.first())
        {
            let inputs: Vec<u64> = inputs
                .iter()
                .flat_map(|port| {
                    let place = (first + port.row as usize) * width;
                    let slot = self.slots.get(place + usize::from(port.port)).copied().flatten();
                    let len = if port.ty.is_ext() { degree } else { 1 };
                    slot.map_or(&[][..], |slot| &coefficients[slot.index() * degree..][..len])
                })
                .copied()
                .collect();
            records = native.called.native_records(call, &inputs, data_of(row)).unwrap_or_default();
            records.truncate(rows.len());
        }
        let given = records.len();
        let slots = self.slots[first * width..].chunks_exact(width);
        let record = |(row, slots): (&RowPlan, &[Option<SlotId>])| {
            self.interface.record(row.row, data_of(row), |value, index| {
                slots[value].map_or(0, |slot| coefficients[slot.index() * degree + index])
            })
        };
        records.extend(rows.iter().zip(slots).skip(given).map(record));
        records
    }
}
