//! Conditions: rules, fills and messages that hold only where a flag is set.

use std::fmt::Display;
use std::panic::Location;

use super::Builder;
use crate::cell::Flag;
use crate::expr::Expr;
use crate::one_hot::OneHot;
use crate::recording::State;
use crate::schema::OneHotEnum;

/// A name of a scope: text, or text with a number.
pub trait ScopeName {
    /// The name.
    fn scope_name(&self) -> String;
}

impl ScopeName for &str {
    fn scope_name(&self) -> String {
        (*self).to_owned()
    }
}

impl ScopeName for String {
    fn scope_name(&self) -> String {
        self.clone()
    }
}

impl<N: Display> ScopeName for (&str, N) {
    fn scope_name(&self) -> String {
        format!("{}[{}]", self.0, self.1)
    }
}

/// What the arms of a `case` can return: nothing, or a value of which the taken arm's is selected.
pub trait CaseValue: Sized {
    /// `Σ flag · value`, element by element.
    fn combine(arms: Vec<(Flag, Self)>) -> Self;
}

impl CaseValue for () {
    fn combine(_: Vec<(Flag, ())>) {}
}

impl CaseValue for Expr {
    fn combine(arms: Vec<(Flag, Self)>) -> Self {
        arms.into_iter().map(|(flag, value)| flag * value).sum()
    }
}

impl<V: CaseValue, const N: usize> CaseValue for [V; N] {
    fn combine(arms: Vec<(Flag, Self)>) -> Self {
        let mut columns: [Vec<(Flag, V)>; N] = std::array::from_fn(|_| Vec::new());
        for (flag, values) in arms {
            for (column, value) in columns.iter_mut().zip(values) {
                column.push((flag, value));
            }
        }
        columns.map(V::combine)
    }
}

impl<A: CaseValue, B: CaseValue> CaseValue for (A, B) {
    fn combine(arms: Vec<(Flag, Self)>) -> Self {
        let (left, right) = arms.into_iter().map(|(flag, (a, b))| ((flag, a), (flag, b))).unzip();
        (A::combine(left), B::combine(right))
    }
}

impl Builder {
    /// Rules, fills and messages made by `f` hold only where `flag` is one.
    #[track_caller]
    pub fn when<R>(&self, flag: impl Into<Flag>, f: impl FnOnce(&Self) -> R) -> R {
        let guard = self.node(flag.into().0, Location::caller());
        self.arena.with(|state| state.guards.push(guard));
        let result = f(self);
        self.arena.with(|state| state.guards.pop());
        result
    }

    /// One arm a variant, each under its flag; a value is that of the arm that is taken, and zero on padding
    /// rows. Scratch columns of different arms are shared, and their messages exclude each other.
    #[track_caller]
    pub fn case<E: OneHotEnum, R: CaseValue>(
        &self,
        selector: OneHot<E>,
        mut arm: impl FnMut(&Self, E) -> R,
    ) -> R {
        let location = Location::caller();
        self.arena.with(State::open_case);
        let mut arms = Vec::with_capacity(E::VARIANTS.len());
        for &variant in E::VARIANTS {
            let flag = Flag::from(selector.is(variant));
            let guard = self.node(flag.0, location);
            self.arena.with(|state| {
                state.open_arm();
                state.guards.push(guard);
                state.scopes.push(E::NAMES[variant.index()].to_owned());
            });
            arms.push((flag, arm(self, variant)));
            self.arena.with(|state| {
                state.guards.pop();
                state.scopes.pop();
            });
        }
        self.arena.with(State::close_case);
        R::combine(arms)
    }

    /// Everything made by `f` is labelled with `name`.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "names are literals and pairs of small values"
    )]
    pub fn scope<R>(&self, name: impl ScopeName, f: impl FnOnce(&Self) -> R) -> R {
        self.arena.with(|state| state.scopes.push(name.scope_name()));
        let result = f(self);
        self.arena.with(|state| state.scopes.pop());
        result
    }
}
