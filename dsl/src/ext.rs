//! Extension-field elements: one cell a coefficient, and arithmetic on the coefficients.
//!
//! The degree is the recording's field's, so one chip serves all of them. Products are reduced while they
//! are recorded; what remains are polynomials over base-field cells like any other.

use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

use chipwright_ir::Field;
use chipwright_ir::chip::CellType;

use crate::binder::{Place, PublicPlace};
use crate::builder::{Assignable, CaseValue, Equatable, Exposable, Selectable};
use crate::cell::{Bit, Bounded, Cell, Flag, Limb, PublicValue};
use crate::expr::Expr;
use crate::schema::{As, Cells, ColumnType, Elements, Layout, PublicType};

/// The largest degree of a known field's extension.
pub(crate) const MAX_DEGREE: usize = 5;

/// The cells of an extension-field element, the constant coefficient first.
#[derive(Clone, Copy)]
pub struct Ext {
    cells: [Cell; MAX_DEGREE],
    degree: usize,
}

/// An expression over the extension field. An element of the base field is one, whatever the degree.
#[derive(Clone, Copy)]
pub struct ExtExpr {
    coefficients: [Expr; MAX_DEGREE],
    /// `None` while only the constant coefficient was ever set: then the field need not be known.
    field: Option<Field>,
}

/// Public values that form an extension-field element.
#[derive(Clone, Copy)]
pub struct ExtPublic {
    values: [PublicValue; MAX_DEGREE],
    degree: usize,
}

impl Ext {
    /// The coefficients, the constant one first.
    pub fn coefficients(&self) -> &[Cell] {
        &self.cells[..self.degree]
    }

    /// The element as an expression.
    pub fn expr(self) -> ExtExpr {
        self.into()
    }
}

impl ExtExpr {
    /// Zero.
    pub const ZERO: Self = Self { coefficients: [Expr::ZERO; MAX_DEGREE], field: None };
    /// One.
    pub const ONE: Self = {
        let mut one = Self::ZERO;
        one.coefficients[0] = Expr::ONE;
        one
    };

    /// An element from its coefficients over `field`, the constant one first; missing ones are zero, and
    /// those beyond the degree are ignored.
    pub fn new(field: Field, coefficients: impl IntoIterator<Item = impl Into<Expr>>) -> Self {
        let mut element = Self { field: Some(field), ..Self::ZERO };
        let slots = element.coefficients[..field.degree()].iter_mut();
        for (slot, coefficient) in slots.zip(coefficients) {
            *slot = coefficient.into();
        }
        element
    }

    /// The coefficients over a field.
    pub fn coefficients(&self, field: Field) -> &[Expr] {
        &self.coefficients[..field.degree()]
    }

    /// The square.
    #[track_caller]
    #[must_use]
    pub fn square(self) -> Self {
        self * self
    }

    #[track_caller]
    fn zip(self, other: Self, f: impl Fn(Expr, Expr) -> Expr) -> Self {
        let coefficients =
            std::array::from_fn(|index| f(self.coefficients[index], other.coefficients[index]));
        Self { coefficients, field: self.field.or(other.field) }
    }

    #[track_caller]
    fn scale(self, factor: Expr) -> Self {
        Self { coefficients: self.coefficients.map(|c| c * factor), field: self.field }
    }

    /// Schoolbook product, then `X^degree` and above replaced from the highest power down.
    #[track_caller]
    fn times(self, other: Self) -> Self {
        let field = match (self.field, other.field) {
            (None, _) => return other.scale(self.coefficients[0]),
            (_, None) => return self.scale(other.coefficients[0]),
            (Some(field), _) => field,
        };
        let degree = field.degree();
        let mut product = [Expr::ZERO; 2 * MAX_DEGREE - 1];
        for i in 0..degree {
            for j in 0..degree {
                product[i + j] += self.coefficients[i] * other.coefficients[j];
            }
        }
        for power in (degree..2 * degree - 1).rev() {
            let high = std::mem::take(&mut product[power]);
            for (offset, &factor) in field.reduction().iter().enumerate() {
                product[power - degree + offset] += high * factor;
            }
        }
        let mut coefficients = [Expr::ZERO; MAX_DEGREE];
        coefficients[..degree].copy_from_slice(&product[..degree]);
        Self { coefficients, field: Some(field) }
    }
}

impl fmt::Debug for Ext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.coefficients()).finish()
    }
}

impl fmt::Debug for ExtExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degree = self.field.map_or(1, Field::degree);
        f.debug_list().entries(&self.coefficients[..degree]).finish()
    }
}

impl fmt::Debug for ExtPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.values[..self.degree]).finish()
    }
}

impl From<Ext> for ExtExpr {
    fn from(element: Ext) -> Self {
        Self::new(element.cells[0].arena.field(), element.coefficients().iter().copied())
    }
}

impl From<ExtPublic> for ExtExpr {
    fn from(element: ExtPublic) -> Self {
        Self::new(element.values[0].arena.field(), element.values[..element.degree].iter().copied())
    }
}

macro_rules! from_base {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> From<$type> for ExtExpr {
            fn from(value: $type) -> Self {
                let mut element = Self::ZERO;
                element.coefficients[0] = value.into();
                element
            }
        }
    )*};
}

from_base! {
    [] Expr;
    [] i64;
    [] Cell;
    [] Bit;
    [] Flag;
    [] PublicValue;
    [const BITS: usize] Limb<BITS>;
    [const BITS: usize] Bounded<BITS>;
}

macro_rules! ext_operators {
    ($($type:ty),*) => {$(
        impl<T: Into<ExtExpr>> Add<T> for $type {
            type Output = ExtExpr;

            #[track_caller]
            fn add(self, right: T) -> ExtExpr {
                ExtExpr::from(self).zip(right.into(), |a, b| a + b)
            }
        }

        impl<T: Into<ExtExpr>> Sub<T> for $type {
            type Output = ExtExpr;

            #[track_caller]
            fn sub(self, right: T) -> ExtExpr {
                ExtExpr::from(self).zip(right.into(), |a, b| a - b)
            }
        }

        impl<T: Into<ExtExpr>> Mul<T> for $type {
            type Output = ExtExpr;

            #[track_caller]
            fn mul(self, right: T) -> ExtExpr {
                ExtExpr::from(self).times(right.into())
            }
        }

        impl Neg for $type {
            type Output = ExtExpr;

            #[track_caller]
            fn neg(self) -> ExtExpr {
                ExtExpr::ZERO.zip(self.into(), |a, b| a - b)
            }
        }
    )*};
}

ext_operators!(Ext, ExtExpr, ExtPublic);

impl ColumnType for Ext {
    type Row = Self;
    /// Coefficients, the constant one first; missing ones are zero.
    type Native = Vec<u64>;

    fn type_name() -> String {
        "ext".to_owned()
    }

    fn layout(layout: &mut Layout) {
        for index in 0..layout.field().degree() {
            layout.within(&format!("[{index}]"), |layout| {
                layout.cell(CellType::Coordinate(index as u8));
            });
        }
    }

    fn bind(place: &mut Place<'_>) -> Self {
        let degree = place.field().degree();
        let first = place.cell();
        let mut cells = [first; MAX_DEGREE];
        for cell in &mut cells[1..degree] {
            *cell = place.cell();
        }
        Self { cells, degree }
    }

    fn store(native: &Vec<u64>, cells: &mut Cells<'_>) {
        for index in 0..cells.field().degree() {
            cells.push(native.get(index).copied().unwrap_or(0));
        }
    }
}

impl PublicType for Ext {
    type Row = ExtPublic;
    type Native = Vec<u64>;

    fn layout(layout: &mut Layout) {
        <Self as ColumnType>::layout(layout);
    }

    fn bind(place: &mut PublicPlace) -> ExtPublic {
        let degree = place.field().degree();
        let first = place.value();
        let mut values = [first; MAX_DEGREE];
        for value in &mut values[1..degree] {
            *value = place.value();
        }
        ExtPublic { values, degree }
    }

    fn store(native: &Vec<u64>, cells: &mut Cells<'_>) {
        <Self as ColumnType>::store(native, cells);
    }
}

impl<X: Into<ExtExpr>> As<Ext> for X {
    fn elements(self, out: &mut Elements) {
        let element = self.into();
        for &coefficient in element.coefficients(out.field()) {
            out.push(coefficient);
        }
    }
}

impl Assignable for Ext {
    type Shape = Self;

    fn cells(self, out: &mut Vec<Cell>) {
        out.extend(self.coefficients());
    }
}

impl Exposable for ExtPublic {
    type Shape = Ext;

    fn values(self, out: &mut Vec<Expr>) {
        out.extend(self.values[..self.degree].iter().map(|&value| Expr::from(value)));
    }
}

impl CaseValue for ExtExpr {
    fn combine(arms: Vec<(Flag, Self)>) -> Self {
        arms.into_iter().fold(Self::ZERO, |sum, (flag, value)| sum + value.scale(flag.0))
    }
}

macro_rules! ext_values {
    ($($type:ty),*) => {$(
        impl Equatable for $type {
            #[track_caller]
            fn differences(self, other: Self, _: bool, out: &mut Vec<Expr>) {
                let difference = self - other;
                let degree = difference.field.map_or(1, Field::degree);
                out.extend(&difference.coefficients[..degree]);
            }
        }

        impl Selectable for $type {
            type Output = ExtExpr;

            #[track_caller]
            fn select(self, flag: Flag, other: Self) -> ExtExpr {
                let other = ExtExpr::from(other);
                other + (ExtExpr::from(self) - other).scale(flag.0)
            }
        }
    )*};
}

ext_values!(Ext, ExtExpr, ExtPublic);
