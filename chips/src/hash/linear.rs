//! The linear layers of Poseidon2, as short chains of additions.

use chipwright_dsl::prelude::*;

use super::parameters::Parameters;

/// The matrix of the full rounds: the 4 × 4 matrix on each block of four, then the sum of all blocks added
/// to every block.
pub(super) fn external(mut state: Vec<Expr>) -> Vec<Expr> {
    for block in state.chunks_exact_mut(4) {
        mix_block(block);
    }
    let sums: [Expr; 4] =
        std::array::from_fn(|lane| state.iter().skip(lane).step_by(4).copied().sum());
    state.into_iter().enumerate().map(|(i, element)| element + sums[i % 4]).collect()
}

/// The matrix of the partial rounds: every element becomes the sum of all, plus a multiple of itself.
pub(super) fn internal(parameters: &Parameters, state: &[Expr]) -> Vec<Expr> {
    let sum: Expr = state.iter().copied().sum();
    let modulus = parameters.field.modulus();
    let elements = state.iter().zip(&parameters.diagonal);
    elements.map(|(&element, &factor)| add_multiple(sum, element, factor, modulus)).collect()
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
fn add_multiple(sum: Expr, value: Expr, factor: u64, modulus: u64) -> Expr {
    let twice = || value + value;
    match factor {
        1 => sum + value,
        2 => sum + twice(),
        3 => sum + (twice() + value),
        4 => {
            let twice = twice();
            sum + (twice + twice)
        }
        _ => match modulus - factor {
            2 => sum - twice(),
            3 => sum - (twice() + value),
            4 => {
                let twice = twice();
                sum - (twice + twice)
            }
            _ => sum + value * Expr::constant(factor),
        },
    }
}
