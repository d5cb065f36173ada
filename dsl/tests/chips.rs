//! Every feature of `#[chip]`, end to end: what is declared is what is recorded.

#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]

use chipwright_dsl::prelude::*;
use chipwright_dsl::{Cells, Options, Schema};
use chipwright_ir::chip::ColumnKind;

const FIELD: Field = Field::Goldilocks2;

/// One instance of a generic chip.
type Sampler = Everything<2, U16>;

/// `sum = a + b mod 2^32`, on 16-bit limbs.
#[chip]
pub struct Add32 {
    #[input]
    pub a: U32,
    #[input]
    pub b: U32,
    #[output]
    pub sum: U32,
    /// Carry out of each limb.
    carry: [Bit; 2],
}

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

/// Three instructions.
#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
pub enum Op {
    /// Adds.
    Add,
    /// Loads.
    LoadByte,
    /// Does nothing, for ever.
    Halt,
}

/// What the program says.
#[message]
pub struct Fetch {
    /// The program counter.
    pub pc: Felt,
    pub op: Felt,
    pub length: U8,
}

/// A point of a curve.
#[derive(Debug, Columns)]
pub struct Point {
    /// The abscissa.
    pub x: Felt,
    /// Over the quadratic extension.
    pub y: [Felt; 2],
}

/// Every kind of field.
///
/// Over two paragraphs.
#[chip(name = "sampler", field_bits = 33)]
pub struct Everything<const W: usize, T: ColumnType> {
    #[record]
    op: OneHot<Op>,
    /// Where it is.
    #[record]
    at: Point,
    #[fixed]
    table: Felt,
    #[periodic]
    beat: Bit,
    #[len(W + 1)]
    #[free("only its sum matters")]
    words: Vec<T>,
    #[public]
    entry: Felt,
    #[embed]
    sum: Add32,
    #[port]
    program: Lookup<Fetch>,
    #[port(bus = "ram")]
    memory: Memory<U32>,
    #[port]
    adder: Lookup<Add32>,
}

impl<const W: usize, T: ColumnType<Row = U16>> Chip for Everything<W, T> {
    fn row(c: &Builder, row: &Row<Self>) {
        c.lookup(row.program, Fetch { pc: row.at.x, op: row.op.code(), length: 3_u8 });
        c.assert_eq(row.table, row.beat);
        c.assert_eq(row.words.iter().copied().sum::<Expr>(), row.at.y[0] * row.at.y[1]);
        let _ = (row.sum, row.memory, row.adder);
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.at.x, row.entry);
    }

    fn fixed(_: Field) -> Vec<EverythingFixed> {
        (0..4).map(|row| EverythingFixed { table: row % 2 }).collect()
    }

    fn periodic(_: Field) -> Vec<EverythingPeriodic> {
        [false, true].map(|beat| EverythingPeriodic { beat }).to_vec()
    }
}

/// The columns of a recording, one a line.
#[track_caller]
fn columns<C: Chip>() -> Vec<String> {
    let chip = record::<C>(FIELD).unwrap_or_else(|errors| panic!("{errors}"));
    let made_by_author = |kind| !matches!(kind, ColumnKind::Real | ColumnKind::Scratch);
    let groups = chip.groups.iter().filter(|group| made_by_author(group.kind));
    groups
        .map(|group| {
            let free = group.free.iter().map(|reason| format!(", free: {reason}"));
            let doc = Some(&group.doc).filter(|doc| !doc.is_empty());
            let doc = doc.map(|doc| format!(" ; {doc}")).unwrap_or_default();
            let free: String = free.collect();
            format!("{}: {} {} x{}{free}{doc}", group.name, group.kind, group.type_name, group.len)
        })
        .collect()
}

/// The cells that a generated `store` writes.
fn cells(store: impl FnOnce(&mut Cells<'_>)) -> Vec<u64> {
    let mut values = Vec::new();
    store(&mut Cells::new(FIELD, &mut values));
    values
}

#[test]
fn columns_are_recorded_in_order_of_declaration_with_their_kinds_types_and_docs() {
    assert_eq!(
        columns::<Add32>(),
        [
            "a: input u32 x2",
            "b: input u32 x2",
            "sum: output u32 x2",
            "carry: private [bit; 2] x2 ; Carry out of each limb.",
        ]
    );
    assert_eq!(
        columns::<Sampler>(),
        [
            "op: record one_hot(add, load_byte, halt) x3",
            "at: record point x3 ; Where it is.",
            "table: fixed felt x1",
            "beat: periodic bit x1",
            "words: private [u16; 3] x3, free: only its sum matters",
            "sum.sum: private u32 x2",
            "sum.carry: private [bit; 2] x2 ; Carry out of each limb.",
        ]
    );
}

#[test]
fn names_docs_and_options_come_from_the_attribute_and_the_comment() {
    assert_eq!(Add32::name(), "add32");
    assert_eq!(Add32::DOC, "`sum = a + b mod 2^32`, on 16-bit limbs.");
    assert_eq!(Add32::OPTIONS, Options::DEFAULT);

    assert_eq!(Sampler::name(), "sampler_2_u16");
    assert_eq!(Sampler::DOC, "Every kind of field.\n\nOver two paragraphs.");
    assert_eq!(Sampler::OPTIONS, Options { field_bits: 33, ..Options::DEFAULT });
    assert_eq!(dense::Fibonacci::OPTIONS, Options { dense: true, ..Options::DEFAULT });
}

#[test]
fn a_chip_that_asks_for_more_bits_than_the_field_has_is_not_recorded() {
    let errors = record::<Sampler>(Field::KoalaBear4).unwrap_err();
    assert!(errors.to_string().contains("at least 33 bits"), "{errors}");
}

#[test]
fn a_column_is_located_at_its_field() {
    let chip = record::<Add32>(FIELD).unwrap();
    let source = include_str!("chips.rs");
    for group in &chip.groups {
        let place = group.location.unwrap();
        let line = source.lines().nth(place.line as usize - 1).unwrap();
        let field = &line[place.column as usize - 1..];
        assert!(place.file.ends_with("chips.rs"), "{place}");
        assert!(field.starts_with(&format!("{}: ", group.name)), "{place}: {line}");
    }
}

#[test]
fn ports_and_public_values_are_recorded() {
    let chip = record::<Sampler>(FIELD).unwrap();
    let author = chip.ports.iter().filter(|port| port.name != "u16");
    let ports: Vec<_> =
        author.map(|port| (port.name.as_str(), port.bus.as_str(), port.message.len())).collect();
    assert_eq!(ports, [("program", "program", 3), ("memory", "ram", 4), ("adder", "add32", 6)]);
    let publics: Vec<_> = chip.publics.iter().map(|public| public.name.as_str()).collect();
    assert_eq!(publics, ["entry"]);
}

#[test]
fn the_cells_of_nested_structs_and_messages_are_named_by_their_fields() {
    let chip = record::<Sampler>(FIELD).unwrap();
    let names: Vec<_> = chip.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names[3..6], ["at.x", "at.y[0]", "at.y[1]"]);
    let message: Vec<_> = chip.ports[0].message.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(message, ["pc", "op", "length"]);
}

#[test]
fn records_are_stored_in_order_of_declaration() {
    let record = Add32Record { a: 0x0001_0002, b: 0x0003_0004 };
    assert_eq!(cells(|cells| Add32::store(&record, cells)), [2, 1, 4, 3]);

    let record = EverythingRecord { op: Op::LoadByte, at: PointNative { x: 5, y: [6, 7] } };
    assert_eq!(cells(|cells| Sampler::store(&record, cells)), [0, 1, 0, 5, 6, 7]);
    let fixed = EverythingFixed { table: 8 };
    assert_eq!(cells(|cells| Sampler::store_fixed(&fixed, cells)), [8]);
    let periodic = EverythingPeriodic { beat: true };
    assert_eq!(cells(|cells| Sampler::store_periodic(&periodic, cells)), [1]);
    let publics = EverythingPublics { entry: 9 };
    assert_eq!(cells(|cells| Sampler::store_publics(&publics, cells)), [9]);
    let chip = chipwright_dsl::record::<Sampler>(FIELD).unwrap();
    assert_eq!(chip.fixed.as_ref().unwrap().columns, [[0, 1, 0, 1]]);
    assert_eq!(chip.periodic, [[0, 1]]);
}

#[test]
fn values_of_run_time_length_are_stored_one_after_the_other() {
    let record = generic::SpongeRecord { state: vec![1, 2, 3], rate: [4, 5] };
    let stored = cells(|cells| generic::Sponge::<generic::Small, Felt, 2>::store(&record, cells));
    assert_eq!(stored, [1, 2, 3, 4, 5]);
}

#[test]
fn generic_chips_are_recorded_once_for_each_instance() {
    use generic::{Large, Small, Sponge};
    assert_eq!(
        columns::<Sponge<Small, Felt, 2>>(),
        ["state: record [felt; 3] x3", "rate: record [felt; 2] x2",]
    );
    assert_eq!(
        columns::<Sponge<Large, U8, 1>>(),
        ["state: record [felt; 5] x5", "rate: record [u8; 1] x1",]
    );
    assert_eq!(Sponge::<Small, Felt, 2>::name(), "sponge_small_felt_2");
    assert_eq!(Sponge::<Large, U8, 1>::name(), "sponge_large_u8_1");
}

#[test]
fn a_row_is_copy_unless_a_length_is_known_at_run_time_only() {
    fn copy<T: Copy>() {}
    copy::<Row<Add32>>();
    copy::<Row<dense::Fibonacci>>();
    copy::<Add32>();
    let row: fn(&Row<Sampler>) -> Row<Sampler> = Clone::clone;
    let _ = row;
}

#[test]
fn generated_types_show_themselves_by_name() {
    assert_eq!(format!("{Add32:?}"), "Add32");
    assert_eq!(format!("{:?}", Add32Record { a: 1, b: 2 }), "Add32Record { a: 1, b: 2 }");
    let raw = keywords::KeywordsRecord { r#type: 1, r#match: true };
    assert_eq!(format!("{raw:?}"), "KeywordsRecord { type: 1, match: true }");
}

#[test]
fn raw_identifiers_lose_their_prefix() {
    assert_eq!(columns::<keywords::Keywords>(), ["type: record felt x1", "match: record bit x1"]);
}

#[test]
fn flags_are_variants_in_order_of_declaration() {
    use chipwright_dsl::OneHotEnum;
    assert_eq!(Op::VARIANTS, [Op::Add, Op::LoadByte, Op::Halt]);
    assert_eq!(Op::NAMES, ["add", "load_byte", "halt"]);
    assert!(Op::VARIANTS.iter().enumerate().all(|(i, op)| op.index() == i));
}

#[test]
fn expansions_stand_without_the_prelude_and_beside_columns_of_any_name() {
    let names = ["binder", "native", "cells", "name", "f", "layout", "place", "out", "value"];
    let columns = columns::<hostile::Hostile>();
    for name in names {
        assert!(columns.iter().any(|column| column.starts_with(&format!("{name}: "))), "{name}");
    }
    let nested = columns.last().unwrap();
    assert_eq!(nested, "nested: record nested x2");
}

#[test]
fn a_message_has_the_length_of_its_port() {
    let chip = record::<generic::Claims<3>>(FIELD).unwrap();
    let message: Vec<_> = chip.ports[0].message.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(message, ["root[0]", "root[1]", "root[2]", "leaf"]);
    assert_eq!(chip.interactions[0].message.len(), 4);
}

#[test]
fn a_nested_struct_is_set_by_a_tuple_or_by_another() {
    let chip = record::<nesting::Move>(FIELD).unwrap();
    assert_eq!(chip.rules.len(), 6);
    assert_eq!(chip.fills.len(), 6);
    assert_eq!(columns::<nesting::Move>()[2], "wide: record pair_point_2 x6");
}

#[test]
fn the_name_of_the_library_can_be_given() {
    assert_eq!(columns::<renamed::Renamed>(), ["x: record pair x2"]);
}

/// Every row is real.
pub mod dense {
    use super::*;

    /// The Fibonacci sequence, one step per row.
    #[chip(dense)]
    pub struct Fibonacci {
        a: Felt,
        b: Felt,
        #[public]
        start: [Felt; 2],
        #[public]
        result: Felt,
    }

    impl Chip for Fibonacci {
        fn first(c: &Builder, row: &Row<Self>) {
            c.define(row.a, row.start[0]);
            c.define(row.b, row.start[1]);
        }

        fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
            c.define(next.a, row.b);
            c.define(next.b, row.a + row.b);
        }

        fn last(c: &Builder, row: &Row<Self>) {
            c.expose(row.result, row.b);
        }
    }
}

/// Parameters that a row needs and a record does not, and the other way round.
pub mod generic {
    use super::*;

    /// Sizes of a sponge.
    pub trait Params: 'static {
        /// The number of cells.
        const WIDTH: usize;
    }

    /// Three cells.
    #[derive(Debug)]
    pub struct Small;
    /// Five cells.
    #[derive(Debug)]
    pub struct Large;

    impl Params for Small {
        const WIDTH: usize = 3;
    }
    impl Params for Large {
        const WIDTH: usize = 5;
    }

    /// A state and what is absorbed.
    #[chip]
    pub struct Sponge<P, T: ColumnType, const R: usize>
    where
        P: Params,
        T::Row: Into<Expr>,
    {
        #[record]
        #[len(P::WIDTH)]
        state: Vec<Felt>,
        #[record]
        rate: [T; R],
    }

    /// A root of any width.
    #[message]
    pub struct Claim<const W: usize> {
        pub root: [Felt; W],
        pub leaf: Felt,
    }

    /// Receives claims.
    #[chip]
    pub struct Claims<const W: usize> {
        #[record]
        root: [Felt; W],
        #[port]
        claims: Receive<Claim<W>>,
    }

    impl<const W: usize> Chip for Claims<W> {
        fn row(c: &Builder, row: &Row<Self>) {
            c.receive(row.claims, Claim { root: row.root, leaf: row.root[0] + 1 });
        }
    }

    impl<P: Params, T: ColumnType, const R: usize> Chip for Sponge<P, T, R>
    where
        T::Row: Into<Expr>,
    {
        fn row(c: &Builder, row: &Row<Self>) {
            for (cell, part) in row.state.iter().zip(row.rate) {
                c.assert_eq(*cell, part);
            }
        }
    }
}

/// Names that are words of Rust.
mod keywords {
    use super::*;

    #[chip]
    pub(crate) struct Keywords {
        #[record]
        r#type: Felt,
        #[record]
        pub r#match: Bit,
    }

    impl Chip for Keywords {
        fn row(c: &Builder, row: &Row<Self>) {
            c.assert_eq(row.r#type, row.r#match);
        }
    }
}

/// Chips that nobody outside sees, and whose records nobody makes.
mod private {
    use super::*;

    #[derive(Columns)]
    struct Local<T: ColumnType> {
        x: T,
    }

    #[chip]
    struct Hidden<T: ColumnType> {
        #[record]
        local: Local<T>,
        #[fixed]
        fixed: Felt,
        #[public]
        public: Felt,
    }

    impl<T: ColumnType<Row = Cell>> Chip for Hidden<T> {
        fn row(c: &Builder, row: &Row<Self>) {
            c.assert_eq(row.local.x, row.fixed);
        }

        fn first(c: &Builder, row: &Row<Self>) {
            c.assert_eq(row.local.x, row.public);
        }
    }

    #[test]
    fn private_chips_are_recorded_too() {
        let lines = columns::<Hidden<Felt>>();
        assert_eq!(lines, ["local: record local_felt x1", "fixed: fixed felt x1"]);
    }
}

/// A module without a prelude, with types and columns whose names the expansion uses itself.
mod hostile {
    #![no_implicit_prelude]
    #![allow(dead_code)]

    use ::chipwright_dsl::{Bit, Builder, Chip, Columns, Felt, Lookup, chip, message};

    struct Option;
    struct String;
    struct Vec;
    struct Clone;

    #[message]
    pub(super) struct Message {
        out: Felt,
        layout: Bit,
    }

    #[derive(Columns)]
    pub(super) struct Nested {
        place: Felt,
        out: Bit,
    }

    #[chip]
    pub(super) struct Hostile {
        #[record]
        pub(super) binder: Felt,
        #[record]
        native: Felt,
        #[fixed]
        cells: Felt,
        name: Felt,
        f: Felt,
        layout: Bit,
        place: Felt,
        out: Felt,
        value: Felt,
        #[public]
        pub(super) library: Felt,
        #[port]
        port: Lookup<Message>,
        #[record]
        nested: Nested,
    }

    impl Chip for Hostile {
        fn row(c: &Builder, row: &HostileRow) {
            c.assert_eq(row.binder, row.native);
            c.lookup(row.port, Message { out: row.out, layout: row.layout });
        }
    }
}

/// Structs within structs, with parameters.
pub mod nesting {
    use super::*;

    /// Any number of one type.
    #[derive(Debug, Columns)]
    pub struct Pair<T: ColumnType, const N: usize> {
        /// The parts, in order.
        pub parts: [T; N],
    }

    /// Points, twice.
    #[chip]
    pub struct Move {
        from: Point,
        to: Point,
        #[record]
        wide: Pair<Point, 2>,
    }

    impl Chip for Move {
        fn row(c: &Builder, row: &Row<Self>) {
            c.define(row.from, row.wide.parts[0]);
            c.define(row.to, (row.from.x + 1, row.wide.parts[1].y));
        }
    }
}

/// A crate that sees the library under another name.
pub mod renamed {
    use chipwright_dsl as library;
    use library::{Bit, Builder, Chip, Columns, Felt, Lookup, OneHot, chip, message};

    /// Two.
    #[derive(Debug, Columns)]
    #[columns(crate = library)]
    pub struct Pair {
        left: Felt,
        right: Felt,
    }

    /// Flags.
    #[derive(Clone, Copy, Debug, PartialEq, OneHot)]
    #[one_hot(crate = library)]
    pub enum Flags {
        /// The only one.
        One,
    }

    /// A bit.
    #[message(crate = library)]
    pub struct Signal {
        bit: Bit,
    }

    /// Nothing of the default path.
    #[chip(crate = library)]
    pub struct Renamed {
        #[record]
        x: Pair,
        #[port]
        signal: Lookup<Signal>,
    }

    impl Chip for Renamed {
        fn row(c: &Builder, row: &RenamedRow) {
            c.assert_eq(row.x.left, row.x.right);
            c.lookup(row.signal, Signal { bit: true });
            let _: fn(Flags) -> usize = library::OneHotEnum::index;
        }
    }
}
