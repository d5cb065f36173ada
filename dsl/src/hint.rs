//! Advice: integers known while a row is filled.
//!
//! A [`Hint`] computes on canonical integers: shifts, masks, quotients. It can fill cells, and nothing
//! else: it does not convert to an [`Expr`](crate::Expr), so advice that no rule checks cannot slip into one.

use std::fmt;
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Rem, Shl, Shr, Sub};
use std::panic::Location;

use chipwright_ir::chip::{IntOp, Node, NodeId};

use crate::cell::{Bit, Bounded, Cell, Flag, Limb, PublicValue};
use crate::expr::{Expr, Repr};
use crate::recording::Arena;

/// An unsigned 128-bit integer, known at fill time. Sums, differences and products wrap.
#[derive(Clone, Copy)]
pub struct Hint(HintRepr);

#[derive(Clone, Copy)]
enum HintRepr {
    Const(u128),
    Node(&'static Arena, NodeId),
}

impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            HintRepr::Const(value) => write!(f, "int {value}"),
            HintRepr::Node(_, id) => write!(f, "int {id}"),
        }
    }
}

impl Hint {
    /// A constant.
    pub const fn constant(value: u128) -> Self {
        Self(HintRepr::Const(value))
    }

    #[track_caller]
    pub(crate) fn of(expr: Expr) -> Self {
        match expr.0 {
            // The sign bit reaches no further than 128 bits; fills reduce what they store.
            Repr::Const(value) => Self(HintRepr::Const(value as u128)),
            Repr::Node(arena, id) => {
                Self(HintRepr::Node(arena, arena.with(|state| state.node(Node::Int(id)))))
            }
        }
    }

    pub(crate) fn inverse_of(arena: &'static Arena, node: NodeId) -> Self {
        Self(HintRepr::Node(arena, arena.with(|state| state.node(Node::Inverse(node)))))
    }

    /// One if less, else zero.
    #[track_caller]
    #[must_use]
    pub fn less(self, other: impl Into<Self>) -> Self {
        Self::binary(IntOp::Less, self, other.into())
    }

    /// One if equal, else zero.
    #[track_caller]
    #[must_use]
    pub fn equals(self, other: impl Into<Self>) -> Self {
        Self::binary(IntOp::Equal, self, other.into())
    }

    /// The first value where `self` is not zero, else the second.
    #[track_caller]
    #[must_use]
    pub fn select(self, then: impl Into<Self>, otherwise: impl Into<Self>) -> Self {
        let (then, otherwise) = (then.into(), otherwise.into());
        let arena = [self, then, otherwise].into_iter().find_map(|hint| match hint.0 {
            HintRepr::Node(arena, _) => Some(arena),
            HintRepr::Const(_) => None,
        });
        let Some(arena) = arena else {
            return if matches!(self.0, HintRepr::Const(0)) { otherwise } else { then };
        };
        let location = Location::caller();
        let [condition, then, otherwise] =
            [self, then, otherwise].map(|hint| hint.node_in(arena, location));
        let id = arena.with(|state| state.node(Node::IntSelect(condition, then, otherwise)));
        Self(HintRepr::Node(arena, id))
    }

    #[track_caller]
    fn binary(op: IntOp, left: Self, right: Self) -> Self {
        let arena = match (left.0, right.0) {
            (HintRepr::Const(a), HintRepr::Const(b)) => {
                return Self(HintRepr::Const(fold(op, a, b)));
            }
            (HintRepr::Node(arena, _), _) | (_, HintRepr::Node(arena, _)) => arena,
        };
        let location = Location::caller();
        let (a, b) = (left.node_in(arena, location), right.node_in(arena, location));
        Self(HintRepr::Node(arena, arena.with(|state| state.node(Node::IntOp(op, a, b)))))
    }

    pub(crate) fn node_in(
        self,
        arena: &'static Arena,
        location: &'static Location<'static>,
    ) -> NodeId {
        match self.0 {
            HintRepr::Const(value) => arena.with(|state| state.node(Node::IntConst(value))),
            HintRepr::Node(own, id) if std::ptr::eq(own, arena) => id,
            HintRepr::Node(own, _) => arena.with(|state| {
                state.foreign(own.name(), location);
                state.node(Node::IntConst(0))
            }),
        }
    }
}

fn fold(op: IntOp, a: u128, b: u128) -> u128 {
    let shift = u32::try_from(b).unwrap_or(u32::MAX);
    match op {
        IntOp::Add => a.wrapping_add(b),
        IntOp::Sub => a.wrapping_sub(b),
        IntOp::Mul => a.wrapping_mul(b),
        IntOp::Div => a.checked_div(b).unwrap_or(0),
        IntOp::Rem => a.checked_rem(b).unwrap_or(a),
        IntOp::And => a & b,
        IntOp::Or => a | b,
        IntOp::Xor => a ^ b,
        IntOp::Shl => a.checked_shl(shift).unwrap_or(0),
        IntOp::Shr => a.checked_shr(shift).unwrap_or(0),
        IntOp::Less => u128::from(a < b),
        IntOp::Equal => u128::from(a == b),
        _ => 0,
    }
}

impl From<i64> for Hint {
    /// Negative values wrap: they are for differences, not for storing.
    fn from(value: i64) -> Self {
        Self(HintRepr::Const(i128::from(value) as u128))
    }
}

macro_rules! hint_from {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> From<$type> for Hint {
            #[track_caller]
            fn from(value: $type) -> Self {
                Self::of(value.into())
            }
        }
    )*};
}

hint_from! {
    [] Expr;
    [] Cell;
    [] Bit;
    [] Flag;
    [] PublicValue;
    [const BITS: usize] Limb<BITS>;
    [const BITS: usize] Bounded<BITS>;
}

macro_rules! hint_operators {
    ($($trait:ident, $method:ident, $op:ident;)*) => {$(
        impl<T: Into<Hint>> $trait<T> for Hint {
            type Output = Self;

            #[track_caller]
            fn $method(self, right: T) -> Self {
                Self::binary(IntOp::$op, self, right.into())
            }
        }
    )*};
}

hint_operators! {
    Add, add, Add;
    Sub, sub, Sub;
    Mul, mul, Mul;
    Div, div, Div;
    Rem, rem, Rem;
    BitAnd, bitand, And;
    BitOr, bitor, Or;
    BitXor, bitxor, Xor;
    Shl, shl, Shl;
    Shr, shr, Shr;
}
