//! Plain rules, and cells that are defined by one.

use std::fmt::Debug;
use std::panic::Location;

use chipwright_ir::chip::{Cell as IrCell, CellType, FillOp, NodeId};

use super::{Builder, Rule};
use crate::cell::{Bit, Cell, Limb, PublicValue, U32};
use crate::column_types::Felt;
use crate::expr::Expr;
use crate::recording::{ErrorKind, Where};
use crate::schema::{As, ColumnType, Elements};

/// Handles of cells that can be set: one handle, or arrays of them.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a cell that can be set")]
pub trait Assignable: Copy + Debug {
    /// What the cells can be set to, before their own types' rules.
    type Shape: ColumnType;

    /// Appends the cells, in order.
    fn cells(self, out: &mut Vec<Cell>);
}

macro_rules! assignable_cell {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> Assignable for $type {
            type Shape = Felt;

            fn cells(self, out: &mut Vec<Cell>) {
                out.push(self.into());
            }
        }
    )*};
}

assignable_cell! {
    [] Cell;
    [] Bit;
    [const BITS: usize] Limb<BITS>;
}

impl Assignable for U32 {
    type Shape = [Felt; 2];

    fn cells(self, out: &mut Vec<Cell>) {
        self.0.cells(out);
    }
}

impl<H: Assignable, const N: usize> Assignable for [H; N] {
    type Shape = [H::Shape; N];

    fn cells(self, out: &mut Vec<Cell>) {
        for handle in self {
            handle.cells(out);
        }
    }
}

macro_rules! assignable_tuple {
    ($($type:ident $index:tt),*) => {
        impl<$($type: Assignable),*> Assignable for ($($type,)*) {
            type Shape = ($($type::Shape,)*);

            #[allow(unused_variables)]
            fn cells(self, out: &mut Vec<Cell>) {
                $(self.$index.cells(out);)*
            }
        }
    };
}

assignable_tuple!();
assignable_tuple!(A 0);
assignable_tuple!(A 0, B 1);
assignable_tuple!(A 0, B 1, C 2);
assignable_tuple!(A 0, B 1, C 2, D 3);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
assignable_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

/// Public values, one or several.
pub trait Exposable: Copy {
    /// What they can be compared with.
    type Shape: ColumnType;

    /// Appends the values, in order.
    fn values(self, out: &mut Vec<Expr>);
}

impl Exposable for PublicValue {
    type Shape = Felt;

    fn values(self, out: &mut Vec<Expr>) {
        out.push(self.into());
    }
}

impl<P: Exposable, const N: usize> Exposable for [P; N] {
    type Shape = [P::Shape; N];

    fn values(self, out: &mut Vec<Expr>) {
        for value in self {
            value.values(out);
        }
    }
}

impl Builder {
    /// Demands `left = right`.
    #[track_caller]
    pub fn assert_eq(&self, left: impl Into<Expr>, right: impl Into<Expr>) -> Rule {
        let location = Location::caller();
        let (left, right) = (left.into(), right.into());
        Rule::around(self, || {
            let (left, right) = (self.node(left, location), self.node(right, location));
            self.arena.with(|state| {
                let place = state.here();
                let label = state.label(location.into());
                state.rule(&place, left, right, &label);
            });
        })
    }

    /// Demands `value = 0`.
    #[track_caller]
    pub fn assert_zero(&self, value: impl Into<Expr>) -> Rule {
        self.assert_eq(value, 0)
    }

    /// Demands that two values of a type are equal, cell by cell.
    #[track_caller]
    pub fn assert_same<T: ColumnType>(&self, left: impl As<T>, right: impl As<T>) -> Rule {
        let left = Elements::of(self.field(), left);
        let right = Elements::of(self.field(), right);
        let location = Location::caller();
        Rule::around(self, || self.equate(&left, &right, location))
    }

    /// Demands that every cell of a value is zero.
    #[track_caller]
    pub fn zero<T: ColumnType>(&self, value: impl As<T>) -> Rule {
        let left = Elements::of(self.field(), value);
        let right = vec![Expr::ZERO; left.len()];
        let location = Location::caller();
        Rule::around(self, || self.equate(&left, &right, location))
    }

    /// Demands `target = value`, and computes the target by it.
    #[track_caller]
    pub fn define<H: Assignable>(&self, target: H, value: impl As<H::Shape>) -> Rule {
        let location = Location::caller();
        let values = Elements::of(self.field(), value);
        let mut cells = Vec::new();
        target.cells(&mut cells);
        Rule::around(self, || {
            let values = self.nodes(&values, location);
            let place = self.arena.with(|state| state.here());
            let cells: Vec<IrCell> = cells.iter().map(|cell| cell.cell).collect();
            self.define_at(&place, &cells, &values, location);
        })
    }

    /// [`Self::define`] for any number of cells.
    #[track_caller]
    pub fn define_all(&self, targets: &[Cell], values: &[Expr]) -> Rule {
        let location = Location::caller();
        Rule::around(self, || {
            let values = self.nodes(values, location);
            let place = self.arena.with(|state| state.here());
            let cells: Vec<IrCell> = targets.iter().map(|cell| cell.cell).collect();
            self.define_at(&place, &cells, &values, location);
        })
    }

    /// Stores a value in a scratch column. It is stored on every row, except in the arm of a `case`: there the
    /// column is the arm's alone while the arm is taken, and must not be read outside of it.
    #[track_caller]
    pub fn save(&self, value: impl Into<Expr>) -> Cell {
        self.save_as("save", CellType::Felt, value.into(), Location::caller())
    }

    /// Demands that public values equal `value`.
    #[track_caller]
    pub fn expose<P: Exposable>(&self, public: P, value: impl As<P::Shape>) -> Rule {
        let location = Location::caller();
        let mut left = Vec::new();
        public.values(&mut left);
        let right = Elements::of(self.field(), value);
        Rule::around(self, || self.equate(&left, &right, location))
    }

    pub(crate) fn equate(
        &self,
        left: &[Expr],
        right: &[Expr],
        location: &'static Location<'static>,
    ) {
        let (left, right) = (self.nodes(left, location), self.nodes(right, location));
        self.arena.with(|state| {
            let place = state.here();
            let label = state.label(location.into());
            if left.len() != right.len() {
                let kind = ErrorKind::Arity { cells: left.len(), values: right.len() };
                state.error(Some(location.into()), kind);
            }
            for (&left, &right) in left.iter().zip(&right) {
                state.rule(&place, left, right, &label);
            }
        });
    }

    pub(crate) fn save_as(
        &self,
        name: &str,
        ty: CellType,
        value: Expr,
        location: &'static Location<'static>,
    ) -> Cell {
        let value = self.node(value, location);
        let column = self.arena.with(|state| state.scratch(name, ty, location.into()));
        let cell = IrCell { column, next: false };
        let place = self.arena.with(|state| state.everywhere(&[value]));
        self.define_at(&place, &[cell], &[value], location);
        Cell { arena: self.arena, cell }
    }

    pub(crate) fn define_at(
        &self,
        place: &Where,
        cells: &[IrCell],
        values: &[NodeId],
        location: &'static Location<'static>,
    ) {
        self.arena.with(|state| {
            let label = state.label(location.into());
            if cells.len() != values.len() {
                let kind = ErrorKind::Arity { cells: cells.len(), values: values.len() };
                state.error(Some(location.into()), kind);
            }
            for (&cell, &value) in cells.iter().zip(values) {
                state.fill(place, FillOp::Set { cell, value }, &label);
                let left = state.cell(cell);
                state.rule(place, left, value, &label);
            }
        });
    }
}
