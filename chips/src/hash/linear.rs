//! The linear layers of Poseidon2, as short chains of additions.

use chipwright_dsl::prelude::*;
use p3_field::PrimeField64;
use p3_goldilocks::Goldilocks;

/// The matrix of the full rounds: the 4 × 4 matrix on each block of four, then the sum of all blocks added
/// to every block.
pub(super) fn external<const W: usize>(mut state: [Expr; W]) -> [Expr; W] {
    for block in state.chunks_exact_mut(4) {
        mix_block(block);
    }
    let sums: [Expr; 4] =
        std::array::from_fn(|lane| state.iter().skip(lane).step_by(4).copied().sum());
    std::array::from_fn(|i| state[i] + sums[i % 4])
}

/// The matrix of the partial rounds: every element becomes the sum of all, plus a multiple of itself.
pub(super) fn internal<const W: usize>(state: [Expr; W], diagonal: &[Goldilocks; W]) -> [Expr; W] {
    let sum: Expr = state.into_iter().sum();
    std::array::from_fn(|i| add_multiple(sum, state[i], diagonal[i]))
}

/// `circ(2, 3, 1, 1)`: seven additions and two doublings.
fn mix_block(block: &mut [Expr]) {
    let [a, b, c, d] = [block[0], block[1], block[2], block[3]];
    let (ab, cd) = (a + b, c + d);
    let all = ab + cd;
    let (with_b, with_d) = (all + b, all + d);
    block[0] = with_b + ab;
    block[1] = with_b + (c + c);
    block[2] = with_d + cd;
    block[3] = with_d + (a + a);
}

/// `sum + factor · value`, without a product for small factors.
fn add_multiple(sum: Expr, value: Expr, factor: Goldilocks) -> Expr {
    let twice = || value + value;
    let canonical = factor.as_canonical_u64();
    match canonical.cast_signed() {
        1 => sum + value,
        2 => sum + twice(),
        3 => sum + (twice() + value),
        4 => {
            let twice = twice();
            sum + (twice + twice)
        }
        _ => match Goldilocks::ORDER_U64 - canonical {
            2 => sum - twice(),
            3 => sum - (twice() + value),
            4 => {
                let twice = twice();
                sum - (twice + twice)
            }
            _ => sum + value * factor,
        },
    }
}
