//! A memory while it is being used: what every address held last, and since when.

use super::tuples::TupleMap;
use super::{ChipRows, MemoryCell};

/// The contents of one memory bus.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    cells: TupleMap<Contents>,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    time: u64,
    value: Vec<u64>,
    initial: Vec<u64>,
}

impl Memory {
    /// Gives an address its initial value, at time zero.
    pub(crate) fn initialise(&mut self, cell: &MemoryCell) {
        let (value, initial) = (cell.value.clone(), cell.value.clone());
        self.cells.insert(&cell.address, Contents { time: 0, value, initial });
    }

    /// Records an access: puts the previous value into `previous` and returns the previous time.
    pub(crate) fn access(
        &mut self,
        address: &[u64],
        time: u64,
        write: Option<&[u64]>,
        previous: &mut [u64],
    ) -> u64 {
        let width = previous.len();
        let contents = self.cells.entry(address, || Contents {
            time: 0,
            value: vec![0; width],
            initial: vec![0; width],
        });
        for (place, value) in previous.iter_mut().zip(&contents.value) {
            *place = *value;
        }
        if let Some(value) = write {
            contents.value = value.to_vec();
        }
        std::mem::replace(&mut contents.time, time)
    }

    /// The rows of the memory's table, sorted by address: address, final time, final value, initial value.
    pub(crate) fn rows(&self) -> ChipRows {
        self.cells
            .sorted(|_| true)
            .into_iter()
            .map(|(address, Contents { time, value, initial })| {
                [address, &[*time], value, initial].concat()
            })
            .collect()
    }
}
