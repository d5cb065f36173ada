//! What `#[chip]` expands to: the traits between a struct of columns and its recording.
//!
//! The macro parses and checks; everything else happens here and in the types that implement these
//! traits. A generated [`Schema::bind`] is one line a field: it asks the [`Binder`] for the field's
//! columns, which allocates them the first time and finds them again for the row below. The file
//! `dsl/tests/expansion.rs` shows whole expansions, written by hand.

use std::fmt::Debug;

use chipwright_ir::Field;
pub use chipwright_ir::chip::{CellType, ColumnKind, Location, StepRole};

use crate::binder::{Binder, Place};
use crate::builder::{Assignable, Builder};
use crate::expr::Expr;
use crate::ports::PortPlace;

/// The columns of a chip. Implemented by `#[chip]`.
pub trait Schema: Sized + 'static {
    /// One handle a field: what rules are written with.
    type Row: Clone + Debug;
    /// Native values of the `#[input]` and `#[record]` columns of one row.
    type Record: Clone + Debug;
    /// Native values of the `#[fixed]` columns of one row; `()` if there are none.
    type Fixed: Clone + Debug;
    /// Native values of the `#[periodic]` columns of one row; `()` if there are none.
    type Periodic: Clone + Debug;
    /// Native values of the `#[public]` values; `()` if there are none.
    type Publics: Clone + Debug;
    /// The types of the `#[input]` columns: `()`, the one type, or a tuple.
    type Inputs: ColumnType;
    /// The types of the `#[output]` columns: `()`, the one type, or a tuple.
    type Outputs: ColumnType;

    /// The author's doc comment on the struct.
    const DOC: &'static str;
    /// The options of `#[chip(..)]`.
    const OPTIONS: Options;

    /// The chip's name: the struct's in `snake_case`, followed by its const generic arguments
    /// (`poseidon2_8`).
    fn name() -> String;
    /// Binds every field, in order of declaration.
    fn bind(binder: &mut Binder<'_>) -> Self::Row;
    /// Writes the `#[input]` and `#[record]` columns of a row, in order of declaration.
    fn store(record: &Self::Record, cells: &mut Cells<'_>);
    /// Writes the `#[fixed]` columns of a row, in order of declaration.
    fn store_fixed(fixed: &Self::Fixed, cells: &mut Cells<'_>);
    /// Writes the `#[periodic]` columns of a row, in order of declaration.
    fn store_periodic(periodic: &Self::Periodic, cells: &mut Cells<'_>);
    /// Writes the public values, in order of declaration.
    fn store_publics(publics: &Self::Publics, cells: &mut Cells<'_>);
}

/// The row handles of a chip.
pub type Row<C> = <C as Schema>::Row;
/// The native record of a chip's row.
pub type Record<C> = <C as Schema>::Record;

/// The rules of a chip. All of them are recorded once; everything else interprets the recording.
pub trait Chip: Schema {
    /// Rules that hold on every row, padding included.
    fn row(c: &Builder, row: &Self::Row) {
        let _ = (c, row);
    }
    /// Rules that hold on the first real row.
    fn first(c: &Builder, row: &Self::Row) {
        let _ = (c, row);
    }
    /// Rules between a real row and the real row below it.
    fn step(c: &Builder, row: &Self::Row, next: &Self::Row) {
        let _ = (c, row, next);
    }
    /// Rules that hold on the last real row.
    fn last(c: &Builder, row: &Self::Row) {
        let _ = (c, row);
    }
    /// The contents of the fixed columns, one entry a row. Empty if a machine supplies them.
    fn fixed(field: Field) -> Vec<Self::Fixed> {
        let _ = field;
        Vec::new()
    }
    /// One period of the periodic columns, one entry a row; a power of two.
    fn periodic(field: Field) -> Vec<Self::Periodic> {
        let _ = field;
        Vec::new()
    }
}

/// The options of `#[chip(..)]`. Written with the rest of [`Options::DEFAULT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Every row is real; heights are powers of two.
    pub dense: bool,
    /// The chip is only sound over fields of at least so many bits.
    pub field_bits: u32,
}

impl Options {
    /// Padded, over any field.
    pub const DEFAULT: Self = Self { dense: false, field_bits: 0 };
}

/// What is known of a field of the struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// The field's name.
    pub name: &'static str,
    /// What the column is for. Ignored for ports, public values and embedded chips.
    pub kind: ColumnKind,
    /// The doc comment.
    pub doc: &'static str,
    /// The reason of `#[free("..")]`.
    pub free: Option<&'static str>,
    /// The bus of `#[port(bus = "..")]`; by default the name of the chip that is called, or else the
    /// field's name.
    pub bus: Option<&'static str>,
    /// What a public value is of a step, and the part of the state that it belongs to:
    /// `#[public(before = "..")]`.
    pub part: Option<(StepRole, &'static str)>,
    /// Where the field is.
    pub location: Location,
}

/// A type of columns: how many cells, what they may hold, and how a native value fills them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a column type",
    note = "column types are Felt, Ext, Bit, U8, U16, U32, OneHot<E>, Digest, arrays and tuples of these, and structs with #[derive(Columns)]"
)]
pub trait ColumnType: Sized + 'static {
    /// Handles of the cells.
    type Row: Copy + Debug + As<Self> + Assignable;
    /// The native value.
    type Native: Clone + Debug;

    /// The type as text: `u32`, `[bit; 2]`.
    fn type_name() -> String;
    /// Appends the cells, in order, with names relative to the column (`[0]`, `.x`, or nothing).
    fn layout(layout: &mut Layout);
    /// Takes the cells, in order, out of the place that the binder allocated.
    fn bind(place: &mut Place<'_>) -> Self::Row;
    /// Writes one canonical value a cell, in order.
    fn store(native: &Self::Native, cells: &mut Cells<'_>);

    /// The cells' names and types over a field.
    fn cells(field: Field) -> Vec<(String, CellType)> {
        let mut layout = Layout::new(field);
        Self::layout(&mut layout);
        layout.cells
    }
}

/// A value that can stand where a column type is asked for: a handle of that type, a constant, or an
/// expression where the type promises nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known to be a `{T}`",
    label = "expected a value of type `{T}`",
    note = "a cell of the type, a constant that fits, or the result of `c.range(..)` is"
)]
pub trait As<T: ColumnType> {
    /// Appends one expression a cell.
    fn elements(self, out: &mut Elements);
}

/// Collects the cells of a type.
#[derive(Clone, Debug)]
pub struct Layout {
    field: Field,
    prefix: String,
    cells: Vec<(String, CellType)>,
}

impl Layout {
    pub(crate) fn new(field: Field) -> Self {
        Self { field, prefix: String::new(), cells: Vec::new() }
    }

    /// The field that is recorded over.
    pub fn field(&self) -> Field {
        self.field
    }

    /// Appends a cell with the name of the place.
    pub fn cell(&mut self, ty: CellType) {
        self.cells.push((self.prefix.clone(), ty));
    }

    /// Appends the cells of a part, called `.name`.
    pub fn part<T: ColumnType>(&mut self, name: &str) {
        self.within(&format!(".{name}"), T::layout);
    }

    /// Appends the cells of an element, called `[index]`.
    pub fn element<T: ColumnType>(&mut self, index: usize) {
        self.within(&format!("[{index}]"), T::layout);
    }

    /// Appends cells whose names continue with `suffix`.
    pub fn within(&mut self, suffix: &str, f: impl FnOnce(&mut Self)) {
        let length = self.prefix.len();
        self.prefix.push_str(suffix);
        f(self);
        self.prefix.truncate(length);
    }

    /// The cells so far.
    pub fn into_cells(self) -> Vec<(String, CellType)> {
        self.cells
    }
}

/// Collects values, one a cell, as they are: a value that is not below the modulus is refused by whoever uses it,
/// which is [`Machine::build`](crate::Machine::build) for fixed columns, filling for records, and the verifier for
/// public values.
#[derive(Debug)]
pub struct Cells<'a> {
    field: Field,
    values: &'a mut Vec<u64>,
}

impl<'a> Cells<'a> {
    /// Appends to `values`, over `field`.
    pub fn new(field: Field, values: &'a mut Vec<u64>) -> Self {
        Self { field, values }
    }

    /// The field that the values are of.
    pub fn field(&self) -> Field {
        self.field
    }

    /// Appends a value.
    pub fn push(&mut self, value: u64) {
        self.values.push(value);
    }

    /// Appends the cells of a native value.
    pub fn put<T: ColumnType>(&mut self, native: &T::Native) {
        T::store(native, self);
    }

    /// Appends the cells of several native values: a `#[len(..)] Vec<T>`.
    pub fn put_all<T: ColumnType>(&mut self, natives: &[T::Native]) {
        for native in natives {
            T::store(native, self);
        }
    }

    /// Appends a public value.
    pub fn put_public<T: PublicType>(&mut self, native: &T::Native) {
        T::store(native, self);
    }
}

/// Collects expressions, one a cell.
#[derive(Debug)]
pub struct Elements {
    pub(crate) field: Field,
    pub(crate) exprs: Vec<Expr>,
}

impl Elements {
    /// The field that is recorded over.
    pub fn field(&self) -> Field {
        self.field
    }

    /// Appends an expression.
    pub fn push(&mut self, expr: impl Into<Expr>) {
        self.exprs.push(expr.into());
    }

    /// Appends the elements of a value of type `T`.
    pub fn put<T: ColumnType>(&mut self, value: impl As<T>) {
        value.elements(self);
    }

    pub(crate) fn of<T: ColumnType>(field: Field, value: impl As<T>) -> Vec<Expr> {
        let mut out = Self { field, exprs: Vec::new() };
        value.elements(&mut out);
        out.exprs
    }
}

/// A type of public values.
pub trait PublicType: Sized + 'static {
    /// Handles of the values.
    type Row: Copy + Debug;
    /// The native value.
    type Native: Clone + Debug;

    /// Appends the values, as [`ColumnType::layout`].
    fn layout(layout: &mut Layout);
    /// Takes the values, in order.
    fn bind(place: &mut crate::binder::PublicPlace) -> Self::Row;
    /// Writes one canonical value an element, in order.
    fn store(native: &Self::Native, cells: &mut Cells<'_>);
}

/// What travels on a bus. Implemented by `#[message]`, and by every chip: its inputs, then its outputs.
pub trait Message: 'static {
    /// The bus that ports of this message join unless they name one; by default the field's name.
    fn bus() -> Option<String> {
        None
    }
    /// Appends the elements: [`Layout::part`] for each field.
    fn layout(layout: &mut Layout);
}

/// A value that can be sent where messages of type `M` travel.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message of type `{M}`",
    label = "expected a `{M}`"
)]
pub trait MessageOf<M: Message> {
    /// Appends the elements, in order.
    fn elements(self, out: &mut Elements);
}

impl<C: Schema> Message for C {
    fn bus() -> Option<String> {
        Some(C::name())
    }

    fn layout(layout: &mut Layout) {
        layout.within("in", C::Inputs::layout);
        layout.within("out", C::Outputs::layout);
    }
}

/// A call of a chip as a message: its inputs and its outputs.
impl<C: Schema, I: As<C::Inputs>, O: As<C::Outputs>> MessageOf<C> for (I, O) {
    fn elements(self, out: &mut Elements) {
        self.0.elements(out);
        self.1.elements(out);
    }
}

/// A type of ports: `Lookup<M>`, `Provide<M>`, `Send<M>`, `Receive<M>`, `Memory<V>`. The type of the
/// field is the type of the handle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a port",
    note = "ports are Lookup<M>, Provide<M>, Send<M>, Receive<M> and Memory<V>"
)]
pub trait PortType: Copy + Debug + 'static {
    /// Makes the handle.
    fn bind(place: &mut PortPlace<'_>) -> Self;
}

/// Ports that several chips have in common. Implemented by `#[derive(Ports)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group of ports",
    note = "a group of ports is a struct with #[derive(Ports)]"
)]
pub trait PortGroup: Copy + Debug + 'static {
    /// Makes the handles.
    fn bind(binder: &mut crate::binder::Binder<'_>) -> Self;
}

/// An enum without data whose variants are the flags of a `OneHot`. Implemented by `#[derive(OneHot)]`.
pub trait OneHotEnum: Copy + Debug + PartialEq + 'static {
    /// The variants, in order of declaration.
    const VARIANTS: &'static [Self];
    /// Their names, `snake_case`.
    const NAMES: &'static [&'static str];

    /// The position of the variant.
    fn index(self) -> usize {
        Self::VARIANTS.iter().position(|&variant| variant == self).unwrap_or(0)
    }
}
