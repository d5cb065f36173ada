//! The Poseidon2 permutation.

use chipwright_dsl::prelude::*;

use super::linear::{external, internal};
use super::parameters::Parameters;

/// One Poseidon2 permutation of `W` elements a row, with the parameters of Plonky3: `W` is 8, 12 or 16 over Goldilocks,
/// and 16, 24 or 32 over KoalaBear.
///
/// The state is a column after each full round whose S-boxes have degree 7, or after every second one if they have
/// degree 3, and its first element in each partial round: what is in between is linear. S-boxes are written
/// with their full degree; a backend with a smaller bound gets the powers in between as further columns.
///
/// # Soundness
///
/// Assumes nothing: every cell is a function of `before`. But a permutation is no hash: whoever may choose `before`
/// chooses `after` and inverts it, so some elements of `after` bind nothing. They do if enough elements of `before` are
/// constants, as those of a sponge's capacity are, or with [`FeedForward`](super::FeedForward).
#[chip]
pub struct Poseidon2<const W: usize> {
    /// The state before the permutation.
    #[input]
    pub before: [Felt; W],
    /// The state after it.
    #[output]
    pub after: [Felt; W],
}

impl<const W: usize> Chip for Poseidon2<W> {
    fn row(c: &Builder, row: &Row<Self>) {
        let Some(parameters) = Parameters::of(c.field(), W) else {
            c.refuse(format!("Poseidon2 of width {W}"));
            return;
        };
        let before = row.before.map(Expr::from).to_vec();
        let after = parameters.until_last(c, before, 0);
        c.define_all(&row.after, &after).named("after");
    }
}

impl Parameters {
    /// The state before the last rounds, `left` of them; the rounds before these are in scratch columns.
    pub(crate) fn until_last(&self, c: &Builder, before: Vec<Expr>, left: usize) -> Vec<Expr> {
        let mut state = external(before);
        let together = self.rounds_together();
        let full = |section: &str, round: usize, state: &[Expr], constants: &[u64], last: bool| {
            c.scope((section, round), |c| {
                let mut state = self.full_round(state, constants);
                if (round + 1).is_multiple_of(together) && !last {
                    for element in &mut state {
                        *element = c.save(*element).into();
                    }
                }
                state
            })
        };
        for (round, constants) in self.initial.iter().enumerate() {
            state = full("initial", round, &state, constants, false);
        }
        for (round, &constant) in self.partial.iter().enumerate() {
            let input = state[0] + Expr::constant(constant);
            state[0] = c.scope(("partial", round), |c| c.save(sbox(self.exponent, input)).into());
            state = internal(self, &state);
        }
        let rounds = self.terminal.len() - left;
        for (round, constants) in self.terminal[..rounds].iter().enumerate() {
            state = full("terminal", round, &state, constants, round + 1 == rounds);
        }
        state
    }

    /// The last rounds, `left` of them.
    pub(crate) fn last_rounds(&self, state: Vec<Expr>, left: usize) -> Vec<Expr> {
        let rounds = &self.terminal[self.terminal.len() - left..];
        rounds.iter().fold(state, |state, constants| self.full_round(&state, constants))
    }

    /// Adds the round constants, applies the S-box to every element, and mixes.
    fn full_round(&self, state: &[Expr], constants: &[u64]) -> Vec<Expr> {
        let inputs = state.iter().zip(constants).map(|(&x, &c)| x + Expr::constant(c));
        external(inputs.map(|x| sbox(self.exponent, x)).collect())
    }
}

/// `x^3`, or `x^7` by way of it: with the cube in a column of its own, no factor is more than that column.
fn sbox(exponent: u32, x: Expr) -> Expr {
    let cube = x * x * x;
    if exponent == 3 { cube } else { cube * cube * x }
}
