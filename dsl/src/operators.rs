//! The operators: one impl an operator and left type, and one for `i64` on the left.

use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::cell::{Bit, Bounded, Cell, Flag, Limb, PublicValue};
use crate::expr::{Binary, Expr};

macro_rules! operator {
    ([$($generics:tt)*] $left:ty, $trait:ident, $method:ident) => {
        impl<$($generics)* T: Into<Expr>> $trait<T> for $left {
            type Output = Expr;

            #[track_caller]
            fn $method(self, right: T) -> Expr {
                Expr::binary(Binary::$trait, self.into(), right.into())
            }
        }

        impl<$($generics)*> $trait<$left> for i64 {
            type Output = Expr;

            #[track_caller]
            fn $method(self, right: $left) -> Expr {
                Expr::binary(Binary::$trait, self.into(), right.into())
            }
        }
    };
}

macro_rules! operators {
    ($([$($generics:tt)*] $left:ty;)*) => {$(
        operator!([$($generics)*] $left, Add, add);
        operator!([$($generics)*] $left, Sub, sub);
        operator!([$($generics)*] $left, Mul, mul);

        impl<$($generics)*> Neg for $left {
            type Output = Expr;

            #[track_caller]
            fn neg(self) -> Expr {
                Expr::from(self).negate()
            }
        }
    )*};
}

operators! {
    [] Expr;
    [] Cell;
    [] Bit;
    [] Flag;
    [] PublicValue;
    [const BITS: usize,] Limb<BITS>;
    [const BITS: usize,] Bounded<BITS>;
}

macro_rules! assign {
    ($($trait:ident, $method:ident, $operator:tt;)*) => {$(
        impl<T: Into<Expr>> $trait<T> for Expr {
            #[track_caller]
            fn $method(&mut self, right: T) {
                *self = *self $operator right;
            }
        }
    )*};
}

assign! {
    AddAssign, add_assign, +;
    SubAssign, sub_assign, -;
    MulAssign, mul_assign, *;
}
