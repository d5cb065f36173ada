//! The records of a chip's rows.

/// What an executor says about the real rows of one chip: for each of them, one canonical value per
/// [`ColumnKind::Input`](crate::chip::ColumnKind::Input) and
/// [`ColumnKind::Record`](crate::chip::ColumnKind::Record) column, in layout order.
///
/// ```
/// use chipwright_ir::machine::ChipRows;
///
/// let rows: ChipRows = [vec![1, 2], vec![3, 4]].into_iter().collect();
/// assert_eq!(rows.iter().nth(1), Some(&[3, 4][..]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChipRows {
    /// The rows, one after the other.
    cells: Vec<u64>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl ChipRows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u64]> {
        (0..self.len()).map(|row| {
            let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.cells[start..self.ends[row]]
        })
    }

    /// Adds a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = u64>) {
        self.cells.extend(row);
        self.ends.push(self.cells.len());
    }

    /// Adds the rows of another.
    pub fn append(&mut self, rows: &Self) {
        let start = self.cells.len();
        self.cells.extend_from_slice(&rows.cells);
        self.ends.extend(rows.ends.iter().map(|end| start + end));
    }

    /// Drops the rows from number `count` on.
    pub fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.cells.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

impl<R: IntoIterator<Item = u64>> FromIterator<R> for ChipRows {
    fn from_iter<I: IntoIterator<Item = R>>(rows: I) -> Self {
        let mut all = Self::default();
        rows.into_iter().for_each(|row| all.push(row));
        all
    }
}

impl<R: IntoIterator<Item = u64>> From<Vec<R>> for ChipRows {
    fn from(rows: Vec<R>) -> Self {
        rows.into_iter().collect()
    }
}
