//! Low-degree extension of wide matrices, from rows to tiles.
//!
//! A slab of columns is extended at a time, so that its coefficients and the coset at work stay in the
//! second-level cache: an inverse transform, then one forward transform for each coset of the trace
//! domain. The domain is the coset `g·K` of the generator `g`, in bit-reversed order, in which every
//! coset of the trace domain is a contiguous range. Both transforms are networks whose twiddle depends
//! on the block alone; the forward one takes the shift of the coset into its twiddles for free.

use std::sync::{Mutex, PoisonError};

use p3_field::{Field, PackedFieldPow2, PrimeCharacteristicRing, TwoAdicField};
use p3_util::{log2_strict_usize, reverse_bits_len};
use rayon::prelude::*;

use super::tiles::{Tiles, append, lanes, pack, slab_width, transpose};

/// Rows below which a transform's last layers are done block by block, in the first-level cache.
const BLOCK: usize = 256;

/// The twiddles of extensions of one height.
#[derive(Clone, Debug)]
pub(crate) struct Twiddles<F> {
    log_height: usize,
    /// The base-2 logarithm of the number of cosets of the trace domain that are committed.
    log_blowup: usize,
    /// The base-2 logarithm of the number of cosets that there are twiddles for.
    log_cosets: usize,
    /// Of the inverse transform on the trace domain, in bit-reversed order; a layer of `2^l` blocks
    /// takes a prefix.
    inverse: Vec<F>,
    /// Of the forward transform on the extended coset; layer `l` has `2^l`, from position `2^l` on.
    forward: Vec<F>,
}

impl<F: TwoAdicField> Twiddles<F> {
    /// The twiddles for `2^log_height` rows: `2^log_blowup` cosets are committed, and `2^log_cosets`, at least as
    /// many, can be evaluated.
    pub(crate) fn new(log_height: usize, log_blowup: usize, log_cosets: usize) -> Self {
        let log_cosets = log_cosets.max(log_blowup);
        let log_size = log_height + log_cosets;
        let inverse_root = F::two_adic_generator(log_height).inverse();
        let inverse = bit_reversed_powers(inverse_root, log_height.saturating_sub(1));
        let roots =
            bit_reversed_powers(F::two_adic_generator(log_size), log_size.saturating_sub(1));
        let mut forward = F::zero_vec(1 << log_size);
        for layer in log_cosets..log_size {
            let shift = F::GENERATOR.exp_power_of_2(log_size - layer - 1);
            let twiddles = &mut forward[1 << layer..2 << layer];
            for (twiddle, &root) in twiddles.iter_mut().zip(&roots) {
                *twiddle = shift * root;
            }
        }
        Self { log_height, log_blowup, log_cosets, inverse, forward }
    }

    /// The twiddles of [`interpolate`].
    pub(crate) fn inverse(&self) -> &[F] {
        &self.inverse
    }
}

/// The twiddles of every height that a proof extends from.
#[derive(Debug)]
pub(crate) struct TwiddleSet<F> {
    of: Vec<Twiddles<F>>,
}

impl<F: TwoAdicField> TwiddleSet<F> {
    /// The twiddles for tables of `2^log_height` rows, for each of some heights.
    pub(crate) fn new(log_heights: &[usize], log_blowup: usize, log_cosets: usize) -> Self {
        let mut log_heights = log_heights.to_vec();
        log_heights.sort_unstable();
        log_heights.dedup();
        let of = |log_height| Twiddles::new(log_height, log_blowup, log_cosets);
        Self { of: log_heights.into_iter().map(of).collect() }
    }

    /// The twiddles of a height, which is one of those of [`Self::new`].
    pub(crate) fn get(&self, log_height: usize) -> &Twiddles<F> {
        let found = self.of.iter().find(|twiddles| twiddles.log_height == log_height);
        found.expect("made for every table's height")
    }
}

/// Buffers of earlier extensions. Memory that a process has used before costs no page faults.
#[derive(Debug)]
pub(crate) struct Pool<V> {
    buffers: Mutex<Vec<Vec<V>>>,
}

impl<V> Default for Pool<V> {
    fn default() -> Self {
        Self { buffers: Mutex::default() }
    }
}

impl<V> Pool<V> {
    /// An empty buffer of some capacity, or of more.
    fn take(&self, capacity: usize) -> Vec<V> {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = buffers
            .iter()
            .position(|buffer| buffer.capacity() >= capacity && buffer.capacity() <= 2 * capacity);
        fitting.map_or_else(|| Vec::with_capacity(capacity), |index| buffers.swap_remove(index))
    }

    /// Takes buffers that are no longer needed.
    pub(crate) fn give(&self, returned: impl Iterator<Item = Vec<V>>) {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.extend(returned.map(|mut buffer| {
            buffer.clear();
            buffer
        }));
    }
}

/// The first `2^log_count` powers of `base`, exponents in bit-reversed order.
fn bit_reversed_powers<F: Field>(base: F, log_count: usize) -> Vec<F> {
    let powers = base.powers().collect_n(1 << log_count);
    (0..1 << log_count).map(|index| powers[reverse_bits_len(index, log_count)]).collect()
}

/// Extends the columns of a row-major matrix on the trace domain to `2^log_cosets` cosets, or to those that are
/// committed if these are more.
pub(crate) fn extend_rows<F>(
    values: &[F],
    width: usize,
    twiddles: &Twiddles<F>,
    log_cosets: usize,
    pool: &Pool<F::Packing>,
) -> Tiles<F>
where
    F: TwoAdicField<Packing: PackedFieldPow2>,
{
    let log_height = twiddles.log_height;
    extend(width, twiddles, log_cosets, pool, |slab, buffer| {
        let first = slab * lanes::<F>();
        let columns = first..first + slab_width::<F>(width, slab);
        // Row by row: the memory that is read does not fit the caches, the buffer does.
        buffer.resize(1 << log_height, F::Packing::ZERO);
        for (row, cells) in values.chunks_exact(width).enumerate() {
            buffer[reverse_bits_len(row, log_height)] = pack(&cells[columns.clone()]);
        }
        interpolate(buffer, &twiddles.inverse);
        let scale = F::Packing::from(F::ONE.div_2exp_u64(log_height as u64));
        buffer.iter_mut().for_each(|value| *value *= scale);
    })
}

/// Extends `width` columns whose coefficients `fill` appends to a buffer, a slab at a time: a packed
/// value for each coefficient.
pub(crate) fn extend<F>(
    width: usize,
    twiddles: &Twiddles<F>,
    log_cosets: usize,
    pool: &Pool<F::Packing>,
    fill: impl Fn(usize, &mut Vec<F::Packing>) + Sync,
) -> Tiles<F>
where
    F: TwoAdicField<Packing: PackedFieldPow2>,
{
    let height = 1 << twiddles.log_height;
    let cosets = 1 << log_cosets.clamp(twiddles.log_blowup, twiddles.log_cosets);
    let slabs = (0..width.div_ceil(lanes::<F>()))
        .into_par_iter()
        .map_init(
            || (Vec::with_capacity(height), F::Packing::zero_vec(height)),
            |(coefficients, work), slab| {
                coefficients.clear();
                fill(slab, coefficients);
                let width = slab_width::<F>(width, slab);
                let mut tiles = pool.take((height * cosets).div_ceil(lanes::<F>()) * width);
                evaluate_slab(coefficients, work, twiddles, cosets, width, &mut tiles);
                tiles
            },
        )
        .collect();
    Tiles::new(height << twiddles.log_blowup, width, slabs)
}

/// Evaluates a slab of polynomials on the first cosets, and stores the values in tiles.
fn evaluate_slab<F>(
    coefficients: &[F::Packing],
    work: &mut [F::Packing],
    twiddles: &Twiddles<F>,
    cosets: usize,
    width: usize,
    tiles: &mut Vec<F::Packing>,
) where
    F: TwoAdicField<Packing: PackedFieldPow2>,
{
    let lanes = lanes::<F>();
    let mut square = F::Packing::zero_vec(lanes);
    let mut filled = 0;
    for coset in 0..cosets {
        evaluate(coefficients, work, coset, twiddles);
        for rows in work.chunks(lanes) {
            square[filled..filled + rows.len()].copy_from_slice(rows);
            filled += rows.len();
            if filled == lanes {
                transpose(&mut square);
                append(tiles, &square[..width]);
                filled = 0;
            }
        }
    }
    if filled > 0 {
        square[filled..].fill(F::Packing::ZERO);
        transpose(&mut square);
        append(tiles, &square[..width]);
    }
}

/// From values on a subgroup in bit-reversed order to coefficients times the height.
///
/// `inverse` holds the powers of the inverse of the subgroup's generator in bit-reversed order.
pub(crate) fn interpolate<F: Field>(values: &mut [F::Packing], inverse: &[F]) {
    let log_height = log2_strict_usize(values.len());
    let block = values.len().min(BLOCK);
    let log_block = log2_strict_usize(block);
    // The innermost layers first, block by block.
    for (index, rows) in values.chunks_exact_mut(block).enumerate() {
        for layer in (log_height - log_block..log_height).rev() {
            let first = index << (layer + log_block - log_height);
            interpolate_layer(rows, layer + log_block - log_height, &inverse[first..]);
        }
    }
    for layer in (0..log_height - log_block).rev() {
        interpolate_layer(values, layer, inverse);
    }
}

/// One layer of `2^layer` blocks with one twiddle each.
#[inline]
fn interpolate_layer<F: Field>(values: &mut [F::Packing], layer: usize, twiddles: &[F]) {
    let half = values.len() >> (layer + 1);
    for (block, &twiddle) in values.chunks_exact_mut(2 * half).zip(twiddles) {
        let (low, high) = block.split_at_mut(half);
        let twiddle = F::Packing::from(twiddle);
        for (a, b) in low.iter_mut().zip(high) {
            (*a, *b) = (*a + *b, (*a - *b) * twiddle);
        }
    }
}

/// From coefficients to values on a coset of the trace domain, in bit-reversed order.
fn evaluate<F: TwoAdicField>(
    coefficients: &[F::Packing],
    values: &mut [F::Packing],
    coset: usize,
    twiddles: &Twiddles<F>,
) {
    let log_height = twiddles.log_height;
    let layer_twiddles = |layer: usize, block: usize| {
        let layer = layer + twiddles.log_cosets;
        let blocks_before = coset << (layer - twiddles.log_cosets);
        &twiddles.forward[(1 << layer) + blocks_before + block..]
    };
    let block = values.len().min(BLOCK);
    let log_block = log2_strict_usize(block);
    let outer = log_height - log_block;
    let first = if outer < 2 {
        values.copy_from_slice(coefficients);
        0
    } else {
        let (twiddle, inner) = (layer_twiddles(0, 0)[0], layer_twiddles(1, 0));
        evaluate_first_layers(coefficients, values, [twiddle, inner[0], inner[1]]);
        2
    };
    evaluate_layers(values, first..outer, |layer| layer_twiddles(layer, 0));
    for (index, rows) in values.chunks_exact_mut(block).enumerate() {
        evaluate_layers(rows, 0..log_block, |layer| layer_twiddles(outer + layer, index << layer));
    }
}

/// The first two layers of the forward network, from `coefficients` to `values`.
fn evaluate_first_layers<F: Field>(
    coefficients: &[F::Packing],
    values: &mut [F::Packing],
    twiddles: [F; 3],
) {
    let quarter = values.len() / 4;
    let twiddles = twiddles.map(F::Packing::from);
    for position in 0..quarter {
        let at = |part: usize| coefficients[part * quarter + position];
        let results = two_layers([at(0), at(1), at(2), at(3)], twiddles);
        for (part, result) in results.into_iter().enumerate() {
            values[part * quarter + position] = result;
        }
    }
}

/// Two layers of the forward network on four values: the first has the first twiddle, the second the other two.
#[inline]
fn two_layers<V: PrimeCharacteristicRing + Copy>(
    [a, b, c, d]: [V; 4],
    [outer, left, right]: [V; 3],
) -> [V; 4] {
    let (scaled_c, scaled_d) = (c * outer, d * outer);
    let (a0, c0) = (a + scaled_c, a - scaled_c);
    let (b0, d0) = (b + scaled_d, b - scaled_d);
    let (scaled_b, scaled_d) = (b0 * left, d0 * right);
    [a0 + scaled_b, a0 - scaled_b, c0 + scaled_d, c0 - scaled_d]
}

/// Some layers of the forward network on `values`, two at a time.
#[inline]
fn evaluate_layers<'a, F: Field>(
    values: &mut [F::Packing],
    layers: std::ops::Range<usize>,
    twiddles: impl Fn(usize) -> &'a [F],
) {
    let mut layer = layers.start;
    if (layers.end - layers.start) % 2 == 1 {
        let half = values.len() >> (layer + 1);
        for (block, &twiddle) in values.chunks_exact_mut(2 * half).zip(twiddles(layer)) {
            let (low, high) = block.split_at_mut(half);
            let twiddle = F::Packing::from(twiddle);
            for (a, b) in low.iter_mut().zip(high) {
                let product = *b * twiddle;
                (*a, *b) = (*a + product, *a - product);
            }
        }
        layer += 1;
    }
    while layer < layers.end {
        let quarter = values.len() >> (layer + 2);
        let (outer, inner) = (twiddles(layer), twiddles(layer + 1));
        let blocks = values.chunks_exact_mut(4 * quarter);
        for ((block, &twiddle), inner) in blocks.zip(outer).zip(inner.chunks_exact(2)) {
            let (low, high) = block.split_at_mut(2 * quarter);
            let ((a, b), (c, d)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
            let twiddles = [twiddle, inner[0], inner[1]].map(F::Packing::from);
            for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
                [*a, *b, *c, *d] = two_layers([*a, *b, *c, *d], twiddles);
            }
        }
        layer += 2;
    }
}

#[cfg(test)]
mod tests {
    use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
    use p3_goldilocks::Goldilocks;
    use p3_matrix::Matrix;
    use p3_matrix::bitrev::BitReversibleMatrix;
    use p3_matrix::dense::RowMajorMatrix;

    use super::*;

    #[test]
    fn extensions_agree_with_plonky3_at_every_height() {
        for (log_height, log_blowup, width) in [
            (0, 1, 1),
            (0, 3, 9),
            (1, 1, 3),
            (2, 3, 8),
            (3, 2, 17),
            (6, 1, 5),
            (7, 3, 20),
            (9, 1, 2),
            (10, 2, 9),
            (11, 2, 3),
        ] {
            let values: Vec<Goldilocks> = (0..width << log_height)
                .map(|index| Goldilocks::from_usize(index * index + 7 * index + 1))
                .collect();
            let expected = Radix2DitParallel::default()
                .coset_lde_batch(
                    RowMajorMatrix::new(values.clone(), width),
                    log_blowup,
                    Goldilocks::GENERATOR,
                )
                .bit_reverse_rows()
                .to_row_major_matrix();
            let tiles = {
                let twiddles = Twiddles::new(log_height, log_blowup, 0);
                extend_rows(&values, width, &twiddles, 0, &Pool::default())
            };
            assert_eq!(tiles.height(), 1 << (log_height + log_blowup));
            for row in 0..tiles.height() {
                let found: Vec<_> = tiles.row(row).collect();
                let expected: Vec<_> = expected.row(row).expect("in range").into_iter().collect();
                assert_eq!(found, expected, "row {row} of 2^{log_height}, width {width}");
            }
        }
    }
    #[test]
    fn cosets_beyond_the_committed_ones_change_none_of_those() {
        for (log_height, log_blowup, log_cosets, width) in
            [(0, 2, 3, 3), (1, 1, 3, 9), (5, 2, 4, 11)]
        {
            let values: Vec<Goldilocks> = (0..width << log_height)
                .map(|index| Goldilocks::from_usize(index * index + 3))
                .collect();
            let few = Twiddles::new(log_height, log_blowup, log_blowup);
            let many = Twiddles::new(log_height, log_blowup, log_cosets);
            let whole = Twiddles::new(log_height, log_cosets, log_cosets);
            let pool = Pool::default();
            let few = extend_rows(&values, width, &few, log_cosets, &pool);
            let many = extend_rows(&values, width, &many, log_cosets, &pool);
            let whole = extend_rows(&values, width, &whole, 0, &pool);
            assert_eq!(many.height(), few.height());
            for row in 0..whole.height() {
                for column in 0..width {
                    assert_eq!(many.cell(row, column), whole.cell(row, column));
                    if row < few.height() {
                        assert_eq!(many.cell(row, column), few.cell(row, column));
                    }
                }
            }
        }
    }
}
