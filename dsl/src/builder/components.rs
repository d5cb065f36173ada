//! Small components that everyone needs: tests for zero and equality, inverses, selection.

use std::panic::Location;

use chipwright_ir::chip::{Cell as IrCell, CellType, FillOp};

use super::Builder;
use crate::cell::{Bit, Bounded, Cell, Flag, Limb, PublicValue, U32};
use crate::expr::{Binary, Expr};
use crate::hint::Hint;

/// Values that can be compared.
pub trait Equatable: Sized {
    /// Differences that are all zero exactly if the values are equal.
    fn differences(self, other: Self, wide: bool, out: &mut Vec<Expr>);
}

/// Values that can be chosen by a bit.
pub trait Selectable: Sized {
    /// The value as expressions.
    type Output;

    /// `other + bit · (self − other)`.
    fn select(self, flag: Flag, other: Self) -> Self::Output;
}

macro_rules! scalar_values {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> Equatable for $type {
            #[track_caller]
            fn differences(self, other: Self, _: bool, out: &mut Vec<Expr>) {
                out.push(Expr::from(self) - Expr::from(other));
            }
        }

        impl<$($generics)*> Selectable for $type {
            type Output = Expr;

            #[track_caller]
            fn select(self, flag: Flag, other: Self) -> Expr {
                let (this, other) = (Expr::from(self), Expr::from(other));
                other + flag.0 * (this - other)
            }
        }
    )*};
}

scalar_values! {
    [] Expr;
    [] Cell;
    [] Bit;
    [] Flag;
    [] PublicValue;
    [const BITS: usize] Limb<BITS>;
    [const BITS: usize] Bounded<BITS>;
}

impl Equatable for U32 {
    #[track_caller]
    fn differences(self, other: Self, wide: bool, out: &mut Vec<Expr>) {
        if wide {
            out.push(self.felt() - other.felt());
        } else {
            self.0.differences(other.0, wide, out);
        }
    }
}

impl Selectable for U32 {
    type Output = [Expr; 2];

    #[track_caller]
    fn select(self, flag: Flag, other: Self) -> [Expr; 2] {
        self.0.select(flag, other.0)
    }
}

impl<X: Equatable, const N: usize> Equatable for [X; N] {
    #[track_caller]
    fn differences(self, other: Self, wide: bool, out: &mut Vec<Expr>) {
        for (left, right) in self.into_iter().zip(other) {
            left.differences(right, wide, out);
        }
    }
}

impl<X: Selectable + Copy, const N: usize> Selectable for [X; N] {
    type Output = [X::Output; N];

    #[track_caller]
    fn select(self, flag: Flag, other: Self) -> Self::Output {
        std::array::from_fn(|index| self[index].select(flag, other[index]))
    }
}

impl Builder {
    /// One exactly if `value` is zero.
    #[track_caller]
    pub fn is_zero(&self, value: impl Into<Expr>) -> Bit {
        self.zero_test(value.into(), Location::caller())
    }

    /// One exactly if the values are equal.
    #[track_caller]
    pub fn equal<X: Equatable>(&self, left: X, right: X) -> Bit {
        let location = Location::caller();
        let mut differences = Vec::new();
        left.differences(right, self.field().bits() > 32, &mut differences);
        let tests: Vec<Bit> = differences
            .into_iter()
            .map(|difference| self.zero_test(difference, location))
            .collect();
        let mut tests = tests.into_iter();
        let first = tests
            .next()
            .unwrap_or_else(|| Bit(self.save_as("equal", CellType::BIT, Expr::ONE, location)));
        tests.fold(first, |all, test| {
            Bit(self.save_as("equal", CellType::BIT, all * test, location))
        })
    }

    /// The inverse of `value`, which must not be zero.
    #[track_caller]
    pub fn inverse(&self, value: impl Into<Expr>) -> Cell {
        let location = Location::caller();
        let value = self.node(value.into(), location);
        let hint = Hint::inverse_of(self.arena, value).node_in(self.arena, location);
        let cell = self.arena.with(|state| {
            let column = state.scratch("inverse", CellType::Felt, location.into());
            let cell = IrCell { column, next: false };
            let label = state.label(location.into());
            let (filled, ruled) = (state.everywhere(&[value]), state.here());
            state.fill(&filled, FillOp::Set { cell, value: hint }, &label);
            let inverse = state.cell(cell);
            let (product, one) = (state.binary(Binary::Mul, value, inverse), state.constant(1));
            state.rule(&ruled, product, one, &label);
            cell
        });
        Cell { arena: self.arena, cell }
    }

    /// `then` where the flag is one, else `otherwise`.
    #[track_caller]
    pub fn select<X: Selectable>(&self, flag: impl Into<Flag>, then: X, otherwise: X) -> X::Output {
        then.select(flag.into(), otherwise)
    }

    /// The two values in order, or exchanged where the flag is one.
    #[track_caller]
    pub fn swap_if<X: Selectable + Copy>(
        &self,
        flag: impl Into<Flag>,
        [left, right]: [X; 2],
    ) -> [X::Output; 2] {
        let flag = flag.into();
        [right.select(flag, left), left.select(flag, right)]
    }

    /// `value · inverse = 1 − zero` and `value · zero = 0`: if the value is zero the first makes the bit one;
    /// if not, the second makes it zero.
    fn zero_test(&self, value: Expr, location: &'static Location<'static>) -> Bit {
        let value = self.node(value, location);
        let hint = Hint::inverse_of(self.arena, value).node_in(self.arena, location);
        let cell = self.arena.with(|state| {
            let place = state.everywhere(&[value]);
            let label = state.label(location.into());
            let mut scratch =
                |name, ty| IrCell { column: state.scratch(name, ty, location.into()), next: false };
            let inverse = scratch("inverse", CellType::Felt);
            let zero = scratch("is_zero", CellType::BIT);
            state.fill(&place, FillOp::Set { cell: inverse, value: hint }, &label);
            state.bit_elsewhere(&place, zero.column, location.into());
            let (inverse, flag) = (state.cell(inverse), state.cell(zero));
            let (one, nothing) = (state.constant(1), state.constant(0));
            let product = state.binary(Binary::Mul, value, inverse);
            let complement = state.binary(Binary::Sub, one, product);
            state.fill(&place, FillOp::Set { cell: zero, value: complement }, &label);
            state.rule(&place, flag, complement, &label);
            let both = state.binary(Binary::Mul, value, flag);
            state.rule(&place, both, nothing, &label);
            zero
        });
        Bit::scratch(Cell { arena: self.arena, cell })
    }
}
