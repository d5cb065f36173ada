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
fn permute<const W: usize>(c: &Builder, before: [Expr; W]) -> [Expr; W]
where
    Goldilocks: Width<W>,
{
    let state = until_last_round(c, before);
    let round = Goldilocks::TERMINAL.len() - 2;
    last_round(c.scope(("terminal", round), |c| state.map(|x| c.save(x).into())))
}

/// The state before the last round; those before are in scratch columns.
pub(crate) fn until_last_round<const W: usize>(c: &Builder, before: [Expr; W]) -> [Expr; W]
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
    let [rounds @ .., next_to_last, _] = &Goldilocks::TERMINAL;
    for (round, constants) in rounds.iter().enumerate() {
        state = c.scope(("terminal", round), |c| {
            full_round(&state, constants).map(|x| c.save(x).into())
        });
    }
    full_round(&state, next_to_last)
}

/// The last round.
pub(crate) fn last_round<const W: usize>(state: [Expr; W]) -> [Expr; W]
where
    Goldilocks: Width<W>,
{
    full_round(&state, &Goldilocks::TERMINAL[Goldilocks::TERMINAL.len() - 1])
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
