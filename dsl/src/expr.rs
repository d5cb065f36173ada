//! Expressions: `Copy` handles of nodes in a recording.
//!
//! Operators push nodes into the recording that their operands belong to; constants belong to none
//! until they meet a node. A recording lives as long as the process, so a handle needs no lifetime.

use std::fmt;
use std::iter::{Product, Sum};
use std::panic::Location;

use chipwright_ir::chip::NodeId;

use crate::recording::Arena;

/// A polynomial over the cells of a row, the row below, and public values.
#[derive(Clone, Copy)]
pub struct Expr(pub(crate) Repr);

#[derive(Clone, Copy)]
pub(crate) enum Repr {
    /// A constant that has not met a recording yet, not reduced.
    Const(i128),
    Node(&'static Arena, NodeId),
}

/// An operation with two operands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
}

impl Expr {
    /// Zero.
    pub const ZERO: Self = Self(Repr::Const(0));
    /// One.
    pub const ONE: Self = Self(Repr::Const(1));

    /// A constant that need not fit an `i64`; it is reduced by the field's order.
    pub const fn constant(value: u64) -> Self {
        Self(Repr::Const(value as i128))
    }

    /// `self` to a power, by squaring; the products are shared.
    #[track_caller]
    #[must_use]
    pub fn pow(self, exponent: u64) -> Self {
        let mut result = Self::ONE;
        let mut base = self;
        let mut left = exponent;
        while left > 0 {
            if left & 1 == 1 {
                result *= base;
            }
            left >>= 1;
            if left > 0 {
                base = base * base;
            }
        }
        result
    }

    /// `self · self`.
    #[track_caller]
    #[must_use]
    pub fn square(self) -> Self {
        self * self
    }

    #[track_caller]
    pub(crate) fn binary(op: Binary, left: Self, right: Self) -> Self {
        let (arena, a, b) = match (left.0, right.0) {
            (Repr::Const(a), Repr::Const(b)) => {
                let value = match op {
                    Binary::Add => a.checked_add(b),
                    Binary::Sub => a.checked_sub(b),
                    Binary::Mul => a.checked_mul(b),
                };
                return Self(Repr::Const(value.expect("a constant leaves 128 bits")));
            }
            (Repr::Node(arena, a), _) => (arena, a, right.node_in(arena, Location::caller())),
            (_, Repr::Node(arena, b)) => (arena, left.node_in(arena, Location::caller()), b),
        };
        Self(Repr::Node(arena, arena.with(|state| state.binary(op, a, b))))
    }

    #[track_caller]
    pub(crate) fn negate(self) -> Self {
        match self.0 {
            Repr::Const(value) => Self(Repr::Const(-value)),
            Repr::Node(arena, id) => Self(Repr::Node(arena, arena.with(|state| state.negate(id)))),
        }
    }

    /// The node of this expression in a recording; an error of the recording if it belongs to another.
    pub(crate) fn node_in(
        self,
        arena: &'static Arena,
        location: &'static Location<'static>,
    ) -> NodeId {
        match self.0 {
            Repr::Const(value) => arena.with(|state| state.constant(value)),
            Repr::Node(own, id) if std::ptr::eq(own, arena) => id,
            Repr::Node(own, _) => arena.with(|state| {
                state.foreign(own.name(), location);
                state.constant(0)
            }),
        }
    }
}

impl fmt::Debug for Expr {
    /// The node's index, or the constant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Const(value) => write!(f, "{value}"),
            Repr::Node(_, id) => write!(f, "{id}"),
        }
    }
}

impl Default for Expr {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<i64> for Expr {
    fn from(value: i64) -> Self {
        Self(Repr::Const(value.into()))
    }
}

impl From<bool> for Expr {
    fn from(value: bool) -> Self {
        Self(Repr::Const(value.into()))
    }
}

macro_rules! from_field {
    ($($field:ty),*) => {$(
        impl From<$field> for Expr {
            fn from(value: $field) -> Self {
                Self::constant(p3_field::PrimeField64::as_canonical_u64(&value))
            }
        }
    )*};
}

from_field!(p3_goldilocks::Goldilocks, p3_koala_bear::KoalaBear);

impl<T: Into<Self>> Sum<T> for Expr {
    #[track_caller]
    fn sum<I: Iterator<Item = T>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |sum, term| sum + term.into())
    }
}

impl<T: Into<Self>> Product<T> for Expr {
    #[track_caller]
    fn product<I: Iterator<Item = T>>(iter: I) -> Self {
        iter.fold(Self::ONE, |product, factor| product * factor.into())
    }
}
