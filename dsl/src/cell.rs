//! Handles of cells, and of what is known about values.
//!
//! A handle's type says what its cell may hold: a [`Bit`] is zero or one, a [`Limb<16>`] is below 2^16.
//! The types [`Flag`] and [`Bounded`] say the same of expressions that need not be cells. All of them
//! convert to [`Expr`]; nothing converts back, because that would be a claim without a proof.

use std::fmt;
use std::iter::Product;
use std::ops::{BitAnd, BitOr, Index, Not};

use chipwright_ir::chip::{Cell as IrCell, Node, PublicId};

use crate::expr::{Expr, Repr};
use crate::hint::Hint;
use crate::recording::Arena;

/// A column, on this row or the one below.
#[derive(Clone, Copy)]
pub struct Cell {
    pub(crate) arena: &'static Arena,
    pub(crate) cell: IrCell,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cell.next {
            f.write_str("next.")?;
        }
        write!(f, "{}", self.cell.column)
    }
}

impl From<Cell> for Expr {
    fn from(cell: Cell) -> Self {
        let id = cell.arena.with(|state| state.cell(cell.cell));
        Self(Repr::Node(cell.arena, id))
    }
}

/// A cell that is zero or one.
#[derive(Clone, Copy, Debug)]
pub struct Bit(pub(crate) Cell);

/// An expression that is zero or one: a [`Bit`], its negation, a product of such.
#[derive(Clone, Copy, Debug)]
pub struct Flag(pub(crate) Expr);

/// A cell below `2^BITS`.
#[derive(Clone, Copy, Debug)]
pub struct Limb<const BITS: usize>(pub(crate) Cell);

/// An expression below `2^BITS`.
#[derive(Clone, Copy, Debug)]
pub struct Bounded<const BITS: usize>(pub(crate) Expr);

/// A cell that holds a byte.
pub type U8 = Limb<8>;
/// A cell that holds a 16-bit integer.
pub type U16 = Limb<16>;

/// Two cells that hold a 32-bit integer: its 16-bit halves, the lower first.
#[derive(Clone, Copy, Debug)]
pub struct U32(pub(crate) [U16; 2]);

/// An expression for each half of a 32-bit integer.
#[derive(Clone, Copy, Debug)]
pub struct Word(pub(crate) [Bounded<16>; 2]);

/// A public value.
#[derive(Clone, Copy)]
pub struct PublicValue {
    pub(crate) arena: &'static Arena,
    pub(crate) id: PublicId,
}

impl fmt::Debug for PublicValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)
    }
}

impl From<PublicValue> for Expr {
    fn from(value: PublicValue) -> Self {
        let id = value.arena.with(|state| state.node(Node::Public(value.id)));
        Self(Repr::Node(value.arena, id))
    }
}

impl Bit {
    /// The cell without its type.
    pub fn cell(self) -> Cell {
        self.0
    }
}

impl<const BITS: usize> Limb<BITS> {
    /// The cell without its type.
    pub fn cell(self) -> Cell {
        self.0
    }
}

impl U32 {
    /// The halves, the lower first.
    pub fn limbs(self) -> [U16; 2] {
        self.0
    }

    /// The integer as one expression. Distinct integers give distinct field elements only over fields
    /// of more than 32 bits.
    #[track_caller]
    pub fn felt(self) -> Expr {
        self.0[0] + self.0[1] * 65536
    }
}

impl Index<usize> for U32 {
    type Output = U16;

    fn index(&self, index: usize) -> &U16 {
        &self.0[index]
    }
}

impl Flag {
    /// The flag as an expression.
    pub fn expr(self) -> Expr {
        self.0
    }
}

impl From<Bit> for Cell {
    fn from(bit: Bit) -> Self {
        bit.0
    }
}

impl<const BITS: usize> From<Limb<BITS>> for Cell {
    fn from(limb: Limb<BITS>) -> Self {
        limb.0
    }
}

impl From<Bit> for Expr {
    fn from(bit: Bit) -> Self {
        bit.0.into()
    }
}

impl From<Flag> for Expr {
    fn from(flag: Flag) -> Self {
        flag.0
    }
}

impl<const BITS: usize> From<Limb<BITS>> for Expr {
    fn from(limb: Limb<BITS>) -> Self {
        limb.0.into()
    }
}

impl<const BITS: usize> From<Bounded<BITS>> for Expr {
    fn from(bounded: Bounded<BITS>) -> Self {
        bounded.0
    }
}

impl From<Bit> for Flag {
    fn from(bit: Bit) -> Self {
        Self(bit.into())
    }
}

impl From<bool> for Flag {
    fn from(value: bool) -> Self {
        Self(value.into())
    }
}

impl<const BITS: usize> From<Limb<BITS>> for Bounded<BITS> {
    fn from(limb: Limb<BITS>) -> Self {
        Self(limb.into())
    }
}

impl From<u8> for Bounded<8> {
    fn from(value: u8) -> Self {
        Self(Expr::constant(value.into()))
    }
}

impl From<u16> for Bounded<16> {
    fn from(value: u16) -> Self {
        Self(Expr::constant(value.into()))
    }
}

impl From<U8> for Bounded<16> {
    fn from(limb: U8) -> Self {
        Self(limb.into())
    }
}

macro_rules! bit_is_bounded {
    ($($bits:literal),*) => {$(
        impl From<Bit> for Bounded<$bits> {
            fn from(bit: Bit) -> Self {
                Self(bit.into())
            }
        }

        impl From<Flag> for Bounded<$bits> {
            fn from(flag: Flag) -> Self {
                Self(flag.into())
            }
        }
    )*};
}

bit_is_bounded!(8, 16);

impl From<U32> for Word {
    fn from(value: U32) -> Self {
        Self(value.0.map(Into::into))
    }
}

impl From<u32> for Word {
    fn from(value: u32) -> Self {
        Self([(value as u16).into(), ((value >> 16) as u16).into()])
    }
}

impl<X: Into<Bounded<16>>> From<[X; 2]> for Word {
    fn from(halves: [X; 2]) -> Self {
        Self(halves.map(Into::into))
    }
}

impl Not for Bit {
    type Output = Flag;

    #[track_caller]
    fn not(self) -> Flag {
        !Flag::from(self)
    }
}

impl Not for Flag {
    type Output = Self;

    #[track_caller]
    fn not(self) -> Self {
        Self(1 - self.0)
    }
}

macro_rules! connectives {
    ($($left:ty),*) => {$(
        impl<T: Into<Flag>> BitAnd<T> for $left {
            type Output = Flag;

            #[track_caller]
            fn bitand(self, right: T) -> Flag {
                Flag(Expr::product([Flag::from(self).0, right.into().0].into_iter()))
            }
        }

        impl<T: Into<Flag>> BitOr<T> for $left {
            type Output = Flag;

            #[track_caller]
            fn bitor(self, right: T) -> Flag {
                let (left, right) = (Flag::from(self).0, right.into().0);
                Flag(left + right - left * right)
            }
        }
    )*};
}

connectives!(Bit, Flag);

macro_rules! advice {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> $type {
            /// The canonical integer of the value, as advice: it can fill cells but not enter rules.
            #[track_caller]
            pub fn int(self) -> Hint {
                Hint::of(self.into())
            }
        }
    )*};
}

advice! {
    [] Expr;
    [] Cell;
    [] Bit;
    [] Flag;
    [] PublicValue;
    [const BITS: usize] Limb<BITS>;
    [const BITS: usize] Bounded<BITS>;
}

macro_rules! powers {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> $type {
            /// The value to a power.
            #[track_caller]
            pub fn pow(self, exponent: u64) -> Expr {
                Expr::from(self).pow(exponent)
            }

            /// The square of the value.
            #[track_caller]
            pub fn square(self) -> Expr {
                Expr::from(self).square()
            }
        }
    )*};
}

powers! {
    [] Cell;
    [] PublicValue;
    [const BITS: usize] Limb<BITS>;
    [const BITS: usize] Bounded<BITS>;
}

impl U32 {
    /// The integer, as advice.
    #[track_caller]
    pub fn int(self) -> Hint {
        self.0[0].int() + (self.0[1].int() << 16)
    }
}
