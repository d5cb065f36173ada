//! Matrices in tiles: the layout in which everything after the low-degree extension reads them.
//!
//! A *block* is as many consecutive rows as a packed value has lanes, and a column of a block is one
//! packed value. Hashing, constraint evaluation and openings work on blocks, so none of them gathers.
//! Columns are grouped in *slabs*, one packed value wide, each with a buffer of its own, because an
//! extension is computed a slab at a time.
//!
//! ```text
//! slab s:  block 0: column 0, column 1, …  | block 1: column 0, column 1, …  | …
//! ```

use p3_field::{Field, PackedFieldPow2, PackedValue, PrimeCharacteristicRing};

/// The number of rows of a block, and of columns of a slab.
pub(crate) const fn lanes<F: Field>() -> usize {
    F::Packing::WIDTH
}

/// A matrix in tiles. If it has fewer rows than a block, the lanes that are left are nobody's.
///
/// The slabs may go on beyond the matrix: with the cosets of its extension that are not committed, which
/// only the quotient reads.
#[derive(Clone, Debug)]
pub(crate) struct Tiles<F: Field> {
    height: usize,
    width: usize,
    slabs: Vec<Vec<F::Packing>>,
}

impl<F: Field> Tiles<F> {
    /// A matrix of `height` rows from its slabs.
    pub(crate) fn new(height: usize, width: usize, slabs: Vec<Vec<F::Packing>>) -> Self {
        debug_assert_eq!(slabs.len(), width.div_ceil(lanes::<F>()));
        Self { height, width, slabs }
    }

    /// The number of rows.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The number of columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The slabs, each a buffer of blocks of at most as many columns as there are lanes.
    pub(crate) fn slabs(&self) -> &[Vec<F::Packing>] {
        &self.slabs
    }

    /// The slabs' buffers.
    pub(crate) fn into_slabs(self) -> Vec<Vec<F::Packing>> {
        self.slabs
    }

    /// The number of columns of a slab.
    pub(crate) fn slab_width(&self, slab: usize) -> usize {
        slab_width::<F>(self.width, slab)
    }

    /// A column of a block.
    #[inline]
    pub(crate) fn packed(&self, block: usize, column: usize) -> F::Packing {
        let slab = column / lanes::<F>();
        self.slabs[slab][block * self.slab_width(slab) + column % lanes::<F>()]
    }

    /// A column of some blocks.
    #[inline]
    pub(crate) fn load<const B: usize>(
        &self,
        column: usize,
        blocks: &[usize; B],
        values: &mut [F::Packing; B],
    ) {
        let slab = column / lanes::<F>();
        let (cells, width) = (&self.slabs[slab], self.slab_width(slab));
        for (value, block) in values.iter_mut().zip(blocks) {
            *value = cells[block * width + column % lanes::<F>()];
        }
    }

    /// A cell.
    #[inline]
    pub(crate) fn cell(&self, row: usize, column: usize) -> F {
        self.packed(row / lanes::<F>(), column).as_slice()[row % lanes::<F>()]
    }

    /// Appends the columns of a block to a buffer.
    #[inline]
    pub(crate) fn extend_with_block(&self, block: usize, buffer: &mut Vec<F::Packing>) {
        for (slab, values) in self.slabs.iter().enumerate() {
            let width = self.slab_width(slab);
            append(buffer, &values[block * width..(block + 1) * width]);
        }
    }

    /// A row, column by column.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = F> + '_ {
        (0..self.width).map(move |column| self.cell(row, column))
    }
}

/// The number of columns of a slab of a matrix of `width` columns.
#[inline]
pub(crate) fn slab_width<F: Field>(width: usize, slab: usize) -> usize {
    lanes::<F>().min(width - slab * lanes::<F>())
}

/// Copies values to the end of a buffer. Packed ones are `Copy` under a condition only, so that
/// [`Vec::extend_from_slice`] would clone them one by one.
#[inline]
pub(crate) fn append<V: Copy>(buffer: &mut Vec<V>, values: &[V]) {
    buffer.extend(values.iter().copied());
}

/// Transposes a square of as many packed values as there are lanes.
#[inline]
pub(crate) fn transpose<V: PackedFieldPow2>(square: &mut [V]) {
    let mut length = 1;
    while length < V::WIDTH {
        for first in 0..V::WIDTH {
            if first & length == 0 {
                let (low, high) = square[first].interleave(square[first + length], length);
                square[first] = low;
                square[first + length] = high;
            }
        }
        length *= 2;
    }
}

/// The packed value of up to as many elements as there are lanes; zeros follow.
#[inline]
pub(crate) fn pack<V: PackedValue<Value: PrimeCharacteristicRing + Copy>>(
    elements: &[V::Value],
) -> V {
    if elements.len() == V::WIDTH {
        *V::from_slice(elements)
    } else {
        V::from_fn(|lane| elements.get(lane).copied().unwrap_or(V::Value::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use p3_goldilocks::Goldilocks;

    use super::*;

    type Packing = <Goldilocks as Field>::Packing;

    #[test]
    fn transposing_exchanges_rows_and_columns() {
        let lanes = lanes::<Goldilocks>();
        let cell = |row: usize, column: usize| Goldilocks::from_usize(row * lanes + column);
        let mut square: Vec<Packing> =
            (0..lanes).map(|row| Packing::from_fn(|column| cell(row, column))).collect();
        transpose(&mut square);
        for (column, values) in square.iter().enumerate() {
            for (row, &value) in values.as_slice().iter().enumerate() {
                assert_eq!(value, cell(row, column));
            }
        }
    }
}
