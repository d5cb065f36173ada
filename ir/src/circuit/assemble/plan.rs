//! Where the cells of a chip's rows come from, given the values of all slots.

use std::sync::Arc;

use rayon::prelude::*;

use crate::circuit::call::{CallPort, ChipCall};
use crate::circuit::execute::KnownRows;
use crate::circuit::graph::CallId;
use crate::circuit::interface::Interface;
use crate::circuit::library::CalledChip;
use crate::circuit::rows::SlotId;
use crate::machine::ChipRows;

/// The calls whose records one thread computes at a time.
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
    pub(super) calls: Vec<PlannedCall>,
}

/// A call, and where its inputs are.
#[derive(Clone, Debug)]
pub(super) struct PlannedCall {
    pub(super) id: CallId,
    pub(super) chip: ChipCall,
    pub(super) inputs: Vec<CallPort>,
}

/// The witness, as plans read it.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// The coefficients of all slots, `degree` a slot.
    pub(super) coefficients: &'a [u64],
    pub(super) degree: usize,
    pub(super) data: &'a [Vec<u64>],
    /// By call, as far as known.
    pub(super) calls: &'a [KnownRows],
}

/// The row within its call, and the position of the call's private data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowPlan {
    pub(super) row: u32,
    pub(super) data: Option<u32>,
}

impl Plan {
    /// The records of all rows.
    pub(super) fn records(&self, scene: Scene<'_>) -> ChipRows {
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
        let parts: Vec<ChipRows> = runs
            .par_chunks(CALLS_AT_A_TIME)
            .map(|runs| {
                let mut records = ChipRows::default();
                for &(first, rows, call) in runs {
                    self.add_call(&mut records, first, rows, call, scene);
                }
                records
            })
            .collect();
        let mut records = ChipRows::default();
        parts.iter().for_each(|part| records.append(part));
        records
    }

    /// Adds the records of the rows of one call, the first of which has number `first`.
    fn add_call(
        &self,
        records: &mut ChipRows,
        first: usize,
        rows: &[RowPlan],
        call: Option<&PlannedCall>,
        Scene { coefficients, degree, data, calls }: Scene<'_>,
    ) {
        let width = self.interface.values.len();
        let data_of = |row: &RowPlan| {
            let data = row.data.and_then(|position| data.get(position as usize));
            data.map_or(&[][..], Vec::as_slice)
        };
        let mut given = 0;
        if let (Some(native), Some(call), Some(row)) = (&self.native, call, rows.first()) {
            let inputs: Vec<u64> = call
                .inputs
                .iter()
                .flat_map(|port| {
                    let place = (first + port.row as usize) * width;
                    let slot = self.slots.get(place + usize::from(port.port)).copied().flatten();
                    let len = if port.ty.is_ext() { degree } else { 1 };
                    slot.map_or(&[][..], |slot| &coefficients[slot.index() * degree..][..len])
                })
                .copied()
                .collect();
            let before = records.len();
            let data = data_of(row);
            let is_this = |known: &&KnownRows| known.inputs == inputs && known.data == data;
            let known = calls.get(call.id.index()).filter(|known| !known.rows.is_empty());
            match known.filter(is_this) {
                Some(known) => records.append(&known.rows),
                None => {
                    let run = native.called.native_run(&call.chip, &inputs, data);
                    records.append(&run.and_then(Result::ok).unwrap_or_default().rows);
                }
            }
            records.truncate(before + rows.len());
            given = records.len() - before;
        }
        let slots = self.slots[first * width..].chunks_exact(width);
        for (row, slots) in rows.iter().zip(slots).skip(given) {
            records.push(self.interface.record(row.row, data_of(row), |value, index| {
                slots[value].map(|slot| coefficients[slot.index() * degree + index])
            }));
        }
    }
}
