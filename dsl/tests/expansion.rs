//! What the macros expand to, written by hand: the reference for `#[chip]`, `#[message]`,
//! `#[derive(Columns)]` and `#[derive(OneHot)]`.
//!
//! Each chip stands as its author writes it in a comment, and below it the expansion. The library crate is
//! called `::chipwright_dsl` throughout.

// The fields of an expansion carry the author's own comments, of which there are few here.
#![allow(missing_docs)]

use chipwright_dsl::prelude::*;
use chipwright_ir::chip::ColumnKind;
use chipwright_ir::chip::{Origin, PortKind, Section, Sign};

// /// `sum = a + b mod 2^32`, on 16-bit limbs, least significant first.
// #[chip]
// pub struct Add32 {
//     #[input]  pub a: U32,
//     #[input]  pub b: U32,
//     #[output] pub sum: U32,
//     /// Carry out of each limb.
//     carry: [Bit; 2],
// }

/// `sum = a + b mod 2^32`, on 16-bit limbs, least significant first.
#[derive(Clone, Copy, Debug)]
pub struct Add32;

/// The handles of a row of [`Add32`].
#[derive(Clone, Copy, Debug)]
pub struct Add32Row {
    pub a: <U32 as ::chipwright_dsl::ColumnType>::Row,
    pub b: <U32 as ::chipwright_dsl::ColumnType>::Row,
    pub sum: <U32 as ::chipwright_dsl::ColumnType>::Row,
    /// Carry out of each limb.
    carry: <[Bit; 2] as ::chipwright_dsl::ColumnType>::Row,
}

/// The native values of a row of [`Add32`] that its caller or executor gives.
#[derive(Clone, Debug)]
pub struct Add32Record {
    pub a: <U32 as ::chipwright_dsl::ColumnType>::Native,
    pub b: <U32 as ::chipwright_dsl::ColumnType>::Native,
}

const _: () = {
    impl ::chipwright_dsl::Schema for Add32 {
        type Row = Add32Row;
        type Record = Add32Record;
        type Fixed = ();
        type Periodic = ();
        type Publics = ();
        // One input is its type, several are a tuple, none is `()`. The same for outputs.
        type Inputs = (U32, U32);
        type Outputs = U32;

        const DOC: &'static str =
            " `sum = a + b mod 2^32`, on 16-bit limbs, least significant first.";
        const OPTIONS: ::chipwright_dsl::Options = ::chipwright_dsl::Options::DEFAULT;

        fn name() -> ::std::string::String {
            "add32".into()
        }

        fn bind(binder: &mut ::chipwright_dsl::Binder<'_>) -> Self::Row {
            Add32Row {
                a: binder.column::<U32>(::chipwright_dsl::FieldSpec {
                    name: "a",
                    kind: ::chipwright_dsl::ColumnKind::Input,
                    doc: "",
                    free: ::core::option::Option::None,
                    bus: ::core::option::Option::None,
                    part: ::core::option::Option::None,
                    // `line!()` and `column!()` carry the span of the field.
                    location: ::chipwright_dsl::Location {
                        file: file!(),
                        line: line!(),
                        column: column!(),
                    },
                }),
                b: binder.column::<U32>(spec("b", ColumnKind::Input, line!())),
                sum: binder.column::<U32>(spec("sum", ColumnKind::Output, line!())),
                carry: binder.column::<[Bit; 2]>(spec("carry", ColumnKind::Private, line!())),
            }
        }

        fn store(record: &Self::Record, cells: &mut ::chipwright_dsl::Cells<'_>) {
            cells.put::<U32>(&record.a);
            cells.put::<U32>(&record.b);
        }

        fn store_fixed((): &Self::Fixed, _: &mut ::chipwright_dsl::Cells<'_>) {}
        fn store_periodic((): &Self::Periodic, _: &mut ::chipwright_dsl::Cells<'_>) {}
        fn store_publics((): &Self::Publics, _: &mut ::chipwright_dsl::Cells<'_>) {}
    }
};

impl Chip for Add32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let mut carry = Expr::ZERO;
        for i in 0..2 {
            let total = row.a[i] + row.b[i] + carry;
            c.split(total, (row.sum[i], row.carry[i])).named("limb");
            carry = row.carry[i].into();
        }
    }
}

/// Shortens this file; the macro writes the literal, as for the first field above.
fn spec(name: &'static str, kind: ColumnKind, line: u32) -> ::chipwright_dsl::FieldSpec {
    let location = ::chipwright_dsl::Location { file: file!(), line, column: 5 };
    ::chipwright_dsl::FieldSpec { name, kind, doc: "", free: None, bus: None, part: None, location }
}

// /// The Fibonacci sequence, one step per row.
// #[chip(dense)]
// pub struct Fibonacci {
//     a: Felt,
//     b: Felt,
//     #[public] start: [Felt; 2],
//     #[public] result: Felt,
// }

/// The Fibonacci sequence, one step per row.
#[derive(Clone, Copy, Debug)]
pub struct Fibonacci;

/// The handles of a row of [`Fibonacci`].
#[derive(Clone, Copy, Debug)]
pub struct FibonacciRow {
    a: <Felt as ::chipwright_dsl::ColumnType>::Row,
    b: <Felt as ::chipwright_dsl::ColumnType>::Row,
    start: <[Felt; 2] as ::chipwright_dsl::PublicType>::Row,
    result: <Felt as ::chipwright_dsl::PublicType>::Row,
}

/// Nothing is given by row.
#[derive(Clone, Debug)]
pub struct FibonacciRecord {}

/// The native public values of [`Fibonacci`]. Generated if there are any.
#[derive(Clone, Debug)]
pub struct FibonacciPublics {
    pub start: <[Felt; 2] as ::chipwright_dsl::PublicType>::Native,
    pub result: <Felt as ::chipwright_dsl::PublicType>::Native,
}

const _: () = {
    impl ::chipwright_dsl::Schema for Fibonacci {
        type Row = FibonacciRow;
        type Record = FibonacciRecord;
        type Fixed = ();
        type Periodic = ();
        type Publics = FibonacciPublics;
        type Inputs = ();
        type Outputs = ();

        const DOC: &'static str = " The Fibonacci sequence, one step per row.";
        const OPTIONS: ::chipwright_dsl::Options =
            ::chipwright_dsl::Options { dense: true, ..::chipwright_dsl::Options::DEFAULT };

        fn name() -> ::std::string::String {
            "fibonacci".into()
        }

        fn bind(binder: &mut ::chipwright_dsl::Binder<'_>) -> Self::Row {
            FibonacciRow {
                a: binder.column::<Felt>(spec("a", ColumnKind::Private, line!())),
                b: binder.column::<Felt>(spec("b", ColumnKind::Private, line!())),
                start: binder.public::<[Felt; 2]>(spec("start", ColumnKind::Private, line!())),
                result: binder.public::<Felt>(spec("result", ColumnKind::Private, line!())),
            }
        }

        fn store(_: &Self::Record, _: &mut ::chipwright_dsl::Cells<'_>) {}
        fn store_fixed((): &Self::Fixed, _: &mut ::chipwright_dsl::Cells<'_>) {}
        fn store_periodic((): &Self::Periodic, _: &mut ::chipwright_dsl::Cells<'_>) {}
        fn store_publics(publics: &Self::Publics, cells: &mut ::chipwright_dsl::Cells<'_>) {
            cells.put_public::<[Felt; 2]>(&publics.start);
            cells.put_public::<Felt>(&publics.result);
        }
    }
};

impl Chip for Fibonacci {
    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.a, row.start[0]);
        c.define(row.b, row.start[1]);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.a, row.b);
        c.define(next.b, row.a + row.b).named("next term");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.result, row.b);
    }
}

// #[message]
// pub struct Fetch { pub pc: Felt, pub op: Felt, pub length: U8 }

/// A message: each field's type becomes a parameter, so that a literal takes any value of the type.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<T0 = Felt, T1 = Felt, T2 = U8> {
    pub pc: T0,
    pub op: T1,
    pub length: T2,
}

const _: () = {
    impl ::chipwright_dsl::Message for Fetch {
        fn layout(layout: &mut ::chipwright_dsl::Layout) {
            layout.part::<Felt>("pc");
            layout.part::<Felt>("op");
            layout.part::<U8>("length");
        }
    }

    impl<T0, T1, T2> ::chipwright_dsl::MessageOf<Fetch> for Fetch<T0, T1, T2>
    where
        T0: ::chipwright_dsl::As<Felt>,
        T1: ::chipwright_dsl::As<Felt>,
        T2: ::chipwright_dsl::As<U8>,
    {
        fn elements(self, out: &mut ::chipwright_dsl::Elements) {
            out.put::<Felt>(self.pc);
            out.put::<Felt>(self.op);
            out.put::<U8>(self.length);
        }
    }
};

// #[derive(Clone, Copy, Debug, PartialEq, OneHot)]
// pub enum Op { Add, LoadByte, Halt }

/// Three instructions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    Add,
    LoadByte,
    Halt,
}

const _: () = {
    impl ::chipwright_dsl::OneHotEnum for Op {
        const VARIANTS: &'static [Self] = &[Self::Add, Self::LoadByte, Self::Halt];
        const NAMES: &'static [&'static str] = &["add", "load_byte", "halt"];
    }
};

// /// A point of a curve.
// #[derive(Columns)]
// pub struct Point { pub x: Felt, pub y: [Felt; 2] }

/// A point of a curve. The struct itself is the column type.
#[derive(Clone, Copy, Debug)]
pub struct Point;

/// The handles of a [`Point`].
#[derive(Clone, Copy, Debug)]
pub struct PointRow {
    pub x: <Felt as ::chipwright_dsl::ColumnType>::Row,
    pub y: <[Felt; 2] as ::chipwright_dsl::ColumnType>::Row,
}

/// The native value of a [`Point`].
#[derive(Clone, Debug)]
pub struct PointNative {
    pub x: <Felt as ::chipwright_dsl::ColumnType>::Native,
    pub y: <[Felt; 2] as ::chipwright_dsl::ColumnType>::Native,
}

const _: () = {
    impl ::chipwright_dsl::ColumnType for Point {
        type Row = PointRow;
        type Native = PointNative;

        fn type_name() -> ::std::string::String {
            "point".into()
        }

        fn layout(layout: &mut ::chipwright_dsl::Layout) {
            layout.part::<Felt>("x");
            layout.part::<[Felt; 2]>("y");
        }

        fn bind(place: &mut ::chipwright_dsl::Place<'_>) -> Self::Row {
            PointRow {
                x: <Felt as ::chipwright_dsl::ColumnType>::bind(place),
                y: <[Felt; 2] as ::chipwright_dsl::ColumnType>::bind(place),
            }
        }

        fn store(native: &Self::Native, cells: &mut ::chipwright_dsl::Cells<'_>) {
            cells.put::<Felt>(&native.x);
            cells.put::<[Felt; 2]>(&native.y);
        }
    }

    impl ::chipwright_dsl::As<Point> for PointRow {
        fn elements(self, out: &mut ::chipwright_dsl::Elements) {
            out.put::<Felt>(self.x);
            out.put::<[Felt; 2]>(self.y);
        }
    }

    impl ::chipwright_dsl::Assignable for PointRow {
        type Shape = Point;

        fn cells(self, out: &mut ::std::vec::Vec<::chipwright_dsl::Cell>) {
            ::chipwright_dsl::Assignable::cells(self.x, out);
            ::chipwright_dsl::Assignable::cells(self.y, out);
        }
    }
};

// #[chip(name = "sampler", field_bits = 33)]
// pub struct Sampler<const W: usize, T: ColumnType> where T: Debug {
//     #[record] op: OneHot<Op>,
//     #[record] at: Point,
//     #[fixed] table: Felt,
//     #[periodic] beat: Bit,
//     #[len(W + 1)] #[free("only its sum matters")] words: Vec<T>,
//     #[embed] sum: Add32,
//     #[port] program: Lookup<Fetch>,
//     #[port(bus = "ram")] memory: Memory<U32>,
//     #[port] adder: Lookup<Add32>,
// }

/// Every kind of field that the others lack, with a const and a type parameter.
#[derive(Debug)]
pub struct Sampler<const W: usize, T: ColumnType>(::core::marker::PhantomData<fn() -> (T,)>);

/// The handles of a row of [`Sampler`]. `Copy` unless a field is a `Vec`.
#[derive(Debug)]
pub struct SamplerRow<const W: usize, T: ColumnType> {
    op: <OneHot<Op> as ::chipwright_dsl::ColumnType>::Row,
    at: <Point as ::chipwright_dsl::ColumnType>::Row,
    table: <Felt as ::chipwright_dsl::ColumnType>::Row,
    beat: <Bit as ::chipwright_dsl::ColumnType>::Row,
    words: ::std::vec::Vec<<T as ::chipwright_dsl::ColumnType>::Row>,
    sum: ::chipwright_dsl::Embedded<Add32>,
    program: Lookup<Fetch>,
    memory: Memory<U32>,
    adder: Lookup<Add32>,
}

/// The native values of the record columns of [`Sampler`].
#[derive(Debug)]
pub struct SamplerRecord<const W: usize, T: ColumnType> {
    pub op: <OneHot<Op> as ::chipwright_dsl::ColumnType>::Native,
    pub at: <Point as ::chipwright_dsl::ColumnType>::Native,
    // Only if no field names a parameter:
    pub marker: ::core::marker::PhantomData<fn() -> (T,)>,
}

/// The native values of the fixed columns of [`Sampler`]. Generated if there are any.
#[derive(Debug)]
pub struct SamplerFixed<const W: usize, T: ColumnType> {
    pub table: <Felt as ::chipwright_dsl::ColumnType>::Native,
    pub marker: ::core::marker::PhantomData<fn() -> (T,)>,
}

/// The native values of the periodic columns of [`Sampler`]. Generated if there are any.
#[derive(Debug)]
pub struct SamplerPeriodic<const W: usize, T: ColumnType> {
    pub beat: <Bit as ::chipwright_dsl::ColumnType>::Native,
    pub marker: ::core::marker::PhantomData<fn() -> (T,)>,
}

const _: () = {
    // Derives would bound the parameters; the fields are all `Clone` already.
    impl<const W: usize, T: ColumnType> Clone for SamplerRow<W, T> {
        fn clone(&self) -> Self {
            Self { words: self.words.clone(), ..*self }
        }
    }

    impl<const W: usize, T: ColumnType> Clone for SamplerRecord<W, T> {
        fn clone(&self) -> Self {
            Self { op: self.op, at: self.at.clone(), marker: self.marker }
        }
    }

    impl<const W: usize, T: ColumnType> Clone for SamplerFixed<W, T> {
        fn clone(&self) -> Self {
            Self { table: self.table, marker: self.marker }
        }
    }

    impl<const W: usize, T: ColumnType> Clone for SamplerPeriodic<W, T> {
        fn clone(&self) -> Self {
            Self { beat: self.beat, marker: self.marker }
        }
    }

    impl<const W: usize, T: ColumnType + ::std::fmt::Debug> ::chipwright_dsl::Schema for Sampler<W, T> {
        type Row = SamplerRow<W, T>;
        type Record = SamplerRecord<W, T>;
        type Fixed = SamplerFixed<W, T>;
        type Periodic = SamplerPeriodic<W, T>;
        type Publics = ();
        type Inputs = ();
        type Outputs = ();

        const DOC: &'static str = "";
        const OPTIONS: ::chipwright_dsl::Options =
            ::chipwright_dsl::Options { field_bits: 33, ..::chipwright_dsl::Options::DEFAULT };

        fn name() -> ::std::string::String {
            // The name, then each const parameter's value and each type parameter's name.
            ::std::format!("sampler_{}_{}", W, T::type_name())
        }

        fn bind(binder: &mut ::chipwright_dsl::Binder<'_>) -> Self::Row {
            SamplerRow {
                op: binder.column::<OneHot<Op>>(spec("op", ColumnKind::Record, line!())),
                at: binder.column::<Point>(spec("at", ColumnKind::Record, line!())),
                table: binder.column::<Felt>(spec("table", ColumnKind::Fixed, line!())),
                beat: binder.column::<Bit>(spec("beat", ColumnKind::Periodic, line!())),
                words: binder.columns::<T>(
                    ::chipwright_dsl::FieldSpec {
                        free: ::core::option::Option::Some("only its sum matters"),
                        ..spec("words", ColumnKind::Private, line!())
                    },
                    W + 1,
                ),
                sum: binder.embed::<Add32>(spec("sum", ColumnKind::Private, line!())),
                program: binder.port::<Lookup<Fetch>>(spec(
                    "program",
                    ColumnKind::Private,
                    line!(),
                )),
                memory: binder.port::<Memory<U32>>(::chipwright_dsl::FieldSpec {
                    bus: ::core::option::Option::Some("ram"),
                    ..spec("memory", ColumnKind::Private, line!())
                }),
                adder: binder.port::<Lookup<Add32>>(spec("adder", ColumnKind::Private, line!())),
            }
        }

        fn store(record: &Self::Record, cells: &mut ::chipwright_dsl::Cells<'_>) {
            cells.put::<OneHot<Op>>(&record.op);
            cells.put::<Point>(&record.at);
        }

        fn store_fixed(fixed: &Self::Fixed, cells: &mut ::chipwright_dsl::Cells<'_>) {
            cells.put::<Felt>(&fixed.table);
        }

        fn store_periodic(periodic: &Self::Periodic, cells: &mut ::chipwright_dsl::Cells<'_>) {
            cells.put::<Bit>(&periodic.beat);
        }

        fn store_publics((): &Self::Publics, _: &mut ::chipwright_dsl::Cells<'_>) {}
    }
};

impl<const W: usize, T: ColumnType<Row = U16> + std::fmt::Debug> Chip for Sampler<W, T> {
    fn row(c: &Builder, row: &Row<Self>) {
        // Bound, and not used by any rule.
        let _ = (row.sum, row.memory, row.adder);
        c.lookup(row.program, Fetch { pc: row.at.x, op: row.op.code(), length: 3_u8 });
        let pair = c.case(row.op, |c, op| match op {
            Op::Add => {
                c.assert_eq(row.at.x, row.table);
                [row.at.y[0].into(), row.beat.into()]
            }
            Op::LoadByte => {
                let square = c.save(row.at.x * row.at.x);
                [square.into(), Expr::ZERO]
            }
            Op::Halt => [c.save(row.at.x * 3).into(), 2 * row.at.y[1]],
        });
        c.assert_eq(row.words.iter().copied().sum::<Expr>(), pair[0] * pair[1]);
    }

    fn periodic(_: Field) -> Vec<SamplerPeriodic<W, T>> {
        [false, true]
            .map(|beat| SamplerPeriodic { beat, marker: std::marker::PhantomData })
            .to_vec()
    }
}

#[test]
fn add32_records_its_limbs_and_the_rules_of_its_types() {
    let chip = record::<Add32>(Field::Goldilocks2).unwrap();
    let names: Vec<_> = chip.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["a[0]", "a[1]", "b[0]", "b[1]", "sum[0]", "sum[1]", "carry[0]", "carry[1]"]);
    assert_eq!(chip.rules.iter().filter(|rule| rule.origin == Origin::Author).count(), 2);
    assert_eq!(chip.rules.iter().filter(|rule| rule.origin == Origin::Type).count(), 2);
    assert_eq!(chip.fills.len(), 2);
    // Only the outputs are checked: the inputs are the caller's.
    assert_eq!(chip.interactions.len(), 2);
    assert!(chip.interactions.iter().all(|lookup| lookup.sign == Sign::Plus));
    assert_eq!(chip.real(), None);
    assert_eq!(chip.degree(), 2);
}

#[test]
fn fibonacci_has_no_padding_and_reads_its_public_values() {
    let chip = record::<Fibonacci>(Field::Goldilocks2).unwrap();
    assert_eq!(chip.width(), 2);
    assert_eq!(chip.publics.len(), 3);
    let sections: Vec<_> = chip.rules.iter().map(|rule| rule.section).collect();
    assert_eq!(
        sections,
        [Section::First, Section::First, Section::Step, Section::Step, Section::Last]
    );
    assert!(chip.rules.iter().all(|rule| rule.guard.is_none()));
    assert_eq!(chip.fills.len(), 4);
}

#[test]
fn every_kind_of_field_is_bound() {
    let chip = record::<Sampler<2, U16>>(Field::Goldilocks2).unwrap();
    assert_eq!(chip.name, "sampler_2_u16");
    let kinds: Vec<_> = chip.ports.iter().map(|port| (port.bus.as_str(), port.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("program", PortKind::Lookup),
            ("ram", PortKind::Memory),
            ("add32", PortKind::Lookup),
            ("u16", PortKind::Lookup),
        ]
    );
    assert_eq!(chip.periodic, [[0, 1]]);
    // Both arms save; one scratch column serves them.
    assert_eq!(chip.columns_of(ColumnKind::Scratch).count(), 1);
    assert!(chip.real().is_some());
}
