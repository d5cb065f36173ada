//! The Poseidon2 permutation.

use chipwright_dsl::prelude::*;
use p3_goldilocks::Goldilocks;

use super::linear::{external, internal};
use super::parameters::Width;

/// One Poseidon2 permutation of `W` Goldilocks elements a row, with `W` 8, 12 or 16 and the parameters of
/// `p3-goldilocks`.
///
/// The state is a column after each full round, and its first element in each partial round: what is in
/// between is linear. S-boxes are written with their full degree of 7; a backend with a smaller bound gets
/// the cubes as further columns.
///
/// # Soundness
///
/// Assumes nothing: every cell is a function of `before`.
#[chip(field_bits = 64)]
pub struct Poseidon2<const W: usize> {
    /// The state before the permutation.
    #[input]
    pub before: [Felt; W],
    /// The state after it.
    #[output]
    pub after: [Felt; W],
}

impl<const W: usize> Chip for Poseidon2<W>
where
    Goldilocks: Width<W>,
{
    fn row(c: &Builder, row: &Row<Self>) {
        c.define(row.after, permute(c, row.before.map(Expr::from))).named("after");
    }
}

/// The state after the permutation; the rounds before the last one are in scratch columns.
pub(crate) fn permute<const W: usize>(c: &Builder, before: [Expr; W]) -> [Expr; W]
where
    Goldilocks: Width<W>,
{
    let mut state = external(before);
    for (round, constants) in Goldilocks::INITIAL.iter().enumerate() {
        state = c
            .scope(("initial", round), |c| full_round(&state, constants).map(|x| c.save(x).into()));
    }
    for (round, &constant) in Goldilocks::PARTIAL.iter().enumerate() {
        state[0] = c.scope(("partial", round), |c| c.save(sbox(state[0] + constant)).into());
        state = internal(state, &Goldilocks::DIAGONAL);
    }
    let [rounds @ .., last] = &Goldilocks::TERMINAL;
    for (round, constants) in rounds.iter().enumerate() {
        state = c.scope(("terminal", round), |c| {
            full_round(&state, constants).map(|x| c.save(x).into())
        });
    }
    full_round(&state, last)
}

/// Adds the round constants, applies the S-box to every element, and mixes.
fn full_round<const W: usize>(state: &[Expr; W], constants: &[Goldilocks; W]) -> [Expr; W] {
    external(std::array::from_fn(|i| sbox(state[i] + constants[i])))
}

/// `x^7` by way of `x^3`: with the cube in a column of its own, no factor is more than that column.
fn sbox(x: Expr) -> Expr {
    let cube = x * x * x;
    cube * cube * x
}
