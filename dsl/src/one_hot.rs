//! One flag for each variant of an enum, of which exactly one is set on a real row.

use std::fmt;
use std::marker::PhantomData;

use chipwright_ir::chip::{Cell as IrCell, CellType, ColumnId};

use crate::binder::Place;
use crate::builder::Assignable;
use crate::cell::{Bit, Cell, Flag};
use crate::expr::Expr;
use crate::recording::Arena;
use crate::schema::{As, Cells, ColumnType, Elements, Layout, OneHotEnum};

/// The flags of an enum. On padding rows, none is set.
pub struct OneHot<E> {
    arena: &'static Arena,
    start: IrCell,
    variants: PhantomData<fn() -> E>,
}

impl<E> Clone for OneHot<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for OneHot<E> {}

impl<E> fmt::Debug for OneHot<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one hot from {}", self.start.column)
    }
}

impl<E: OneHotEnum> OneHot<E> {
    /// The flag of a variant.
    pub fn is(self, variant: E) -> Bit {
        self.flag(variant.index())
    }

    /// The flag of any of several variants.
    #[track_caller]
    pub fn any(self, variants: impl IntoIterator<Item = E>) -> Flag {
        Flag(variants.into_iter().map(|variant| self.is(variant)).sum())
    }

    /// The position of the set flag in the enum: `Σ index · flag`. Zero on padding rows.
    #[track_caller]
    pub fn code(self) -> Expr {
        (0_i64..).zip(self.flags()).map(|(index, flag)| flag * index).sum()
    }

    /// The flags, in order of declaration.
    pub fn flags(self) -> Vec<Bit> {
        (0..E::VARIANTS.len()).map(|index| self.flag(index)).collect()
    }

    fn flag(self, index: usize) -> Bit {
        let column = ColumnId::new(self.start.column.index() + index);
        Bit(Cell { arena: self.arena, cell: IrCell { column, ..self.start } })
    }
}

impl<E: OneHotEnum> ColumnType for OneHot<E> {
    type Row = Self;
    type Native = E;

    fn type_name() -> String {
        format!("one_hot({})", E::NAMES.join(", "))
    }

    fn layout(layout: &mut Layout) {
        for name in E::NAMES {
            layout.within(&format!(".{name}"), |layout| layout.cell(CellType::BIT));
        }
    }

    fn bind(place: &mut Place<'_>) -> Self {
        let cells: Vec<Cell> = E::VARIANTS.iter().map(|_| place.cell()).collect();
        place.exactly_one(&cells);
        let first = cells.first().expect("an enum of flags has a variant");
        Self { arena: first.arena, start: first.cell, variants: PhantomData }
    }

    fn store(native: &E, cells: &mut Cells<'_>) {
        for variant in E::VARIANTS {
            cells.push(u64::from(variant == native));
        }
    }
}

impl<E: OneHotEnum> As<Self> for OneHot<E> {
    fn elements(self, out: &mut Elements) {
        for flag in self.flags() {
            out.push(flag);
        }
    }
}

impl<E: OneHotEnum> Assignable for OneHot<E> {
    type Shape = Self;

    fn cells(self, out: &mut Vec<Cell>) {
        out.extend(self.flags().into_iter().map(Bit::cell));
    }
}
