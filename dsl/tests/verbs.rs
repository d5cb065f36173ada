//! Every verb fills what it constrains, and constrains what it fills.

// The chips of these tests explain themselves.
#![allow(missing_docs)]

mod machines;

use chipwright_dsl::prelude::*;
use machines::{accepts, outputs, rejects_forged};

/// The message of a chip that cannot be recorded.
fn errors_of<C: Chip>(field: Field) -> String {
    record::<C>(field).expect_err("the chip has mistakes").to_string()
}

#[chip]
pub struct Add32 {
    #[input]
    a: U32,
    #[input]
    b: U32,
    #[output]
    sum: U32,
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

#[test]
fn split_fills_limbs_and_carries() {
    let records = [(1, 2), (0xffff_ffff, 1), (0x1_ffff, 0x1)].map(|(a, b)| Add32Record { a, b });
    let machine = Machine::new("add", Field::Goldilocks2).add::<Add32>();
    let input = || Input::new(Field::Goldilocks2).rows::<Add32>(records.clone());
    assert_eq!(
        outputs::<Add32>(machine.clone(), input(), "sum"),
        [vec![3, 0], vec![0, 0], vec![0, 2]]
    );
    rejects_forged::<Add32>(machine.clone(), input(), 1, "sum", 0, 7);
    rejects_forged::<Add32>(machine, input(), 1, "carry", 0, 0);
}

#[chip]
pub struct Sums {
    #[input]
    x: Felt,
    #[input]
    y: Felt,
    #[output]
    same: Bit,
    #[output]
    inverse: Felt,
    #[output]
    larger: [Felt; 2],
    #[output]
    quotient: Felt,
    #[output]
    cube: Felt,
}

impl Chip for Sums {
    fn row(c: &Builder, row: &Row<Self>) {
        let same = c.equal(row.x, row.y);
        c.define(row.same, same);
        c.define(row.inverse, c.inverse(row.x * row.x + 1));
        c.define(row.larger, c.swap_if(same, [row.x + 1, row.y.into()]));
        c.fill(row.quotient, row.x.int() / 10);
        let square = c.save(row.x.square());
        c.define(row.cube, square * row.x);
        c.when(!same, |c| c.assert_eq(row.quotient * 10, row.x));
    }
}

#[test]
fn components_fill_what_they_constrain() {
    let records = [(30, 4), (5, 5)].map(|(x, y)| SumsRecord { x, y });
    let machine = Machine::new("sums", Field::KoalaBear4).add::<Sums>();
    let input = || Input::new(Field::KoalaBear4).rows::<Sums>(records.clone());
    assert_eq!(outputs::<Sums>(machine.clone(), input(), "same"), [[0], [1]]);
    assert_eq!(outputs::<Sums>(machine.clone(), input(), "larger"), [[31, 4], [5, 6]]);
    assert_eq!(outputs::<Sums>(machine.clone(), input(), "quotient"), [[3], [0]]);
    assert_eq!(outputs::<Sums>(machine.clone(), input(), "cube"), [[27_000], [125]]);
    rejects_forged::<Sums>(machine.clone(), input(), 0, "same", 0, 1);
    rejects_forged::<Sums>(machine, input(), 0, "quotient", 0, 4);
}

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
pub enum Op {
    Square,
    Add,
    Call,
}

#[chip]
pub struct Alu {
    #[record]
    op: OneHot<Op>,
    #[record]
    x: U32,
    #[record]
    y: U32,
    z: U32,
    code: Felt,
    value: Felt,
    #[port]
    add: Lookup<Add32>,
}

impl Chip for Alu {
    fn row(c: &Builder, row: &Row<Self>) {
        c.define(row.code, row.op.code());
        let value = c.case(row.op, |c, op| match op {
            Op::Square => c.save(row.x[0] * row.x[0]).into(),
            Op::Add => c.save(row.x[0] + row.y[0]) * 2,
            Op::Call => {
                c.call(row.add, (row.x, row.y), row.z);
                row.z.felt()
            }
        });
        c.define(row.value, value);
    }
}

#[test]
fn a_case_selects_values_and_its_arms_share_scratch_columns() {
    let records = [(Op::Square, 3, 0), (Op::Add, 4, 5), (Op::Call, 0xffff, 2)]
        .map(|(op, x, y)| AluRecord { op, x, y });
    let machine = Machine::new("alu", Field::Goldilocks2).add::<Alu>().add::<Add32>();
    let input = || Input::new(Field::Goldilocks2).rows::<Alu>(records.clone());
    assert_eq!(outputs::<Alu>(machine.clone(), input(), "value"), [[9], [18], [0x1_0001]]);
    assert_eq!(outputs::<Alu>(machine.clone(), input(), "code"), [[0], [1], [2]]);
    rejects_forged::<Alu>(machine.clone(), input(), 2, "z", 0, 0);
    rejects_forged::<Alu>(machine, input(), 1, "value", 0, 19);
    let chip = record::<Alu>(Field::Goldilocks2).unwrap();
    let scratch = chip.groups.iter().filter(|group| group.name.starts_with("save"));
    assert_eq!(scratch.count(), 1);
}

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

#[test]
fn steps_fill_row_after_row() {
    let machine = Machine::new("fibonacci", Field::Goldilocks2).add::<Fibonacci>();
    let run = |result| {
        let publics = FibonacciPublics { start: [1, 1], result };
        Input::new(Field::Goldilocks2).empty_rows::<Fibonacci>(8).publics::<Fibonacci>(&publics)
    };
    assert_eq!(outputs::<Fibonacci>(machine.clone(), run(34), "b").last().unwrap(), &[34]);
    assert!(!accepts(&machine, run(35)));
}

/// Counts down from a public value, over as many rows as it takes.
#[chip]
pub struct Countdown {
    n: Felt,
    #[public]
    from: Felt,
}

impl Chip for Countdown {
    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.n, row.from);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.n, row.n - 1);
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.assert_zero(row.n).named("reaches zero");
    }
}

#[test]
fn last_is_the_last_real_row_with_and_without_padding() {
    let machine = Machine::new("countdown", Field::Goldilocks2).add::<Countdown>();
    let run = |from, rows| {
        Input::new(Field::Goldilocks2)
            .empty_rows::<Countdown>(rows)
            .publics::<Countdown>(&CountdownPublics { from })
    };
    for from in 0..9 {
        let rows = usize::try_from(from).unwrap() + 1;
        assert!(accepts(&machine, run(from, rows)), "{from}");
        assert!(!accepts(&machine, run(from + 1, rows)), "{from}");
    }
    assert!(!accepts(&machine, run(0, 0)), "padding alone proves nothing");
}

#[chip]
pub struct Memories {
    #[record]
    time: Felt,
    #[record]
    address: Felt,
    #[record]
    write: Bit,
    #[record]
    value: U32,
    old: U32,
    #[port]
    ram: Memory<U32>,
}

impl Chip for Memories {
    fn row(c: &Builder, row: &Row<Self>) {
        c.read(row.ram, row.address, row.time, row.old);
        c.when(row.write, |c| {
            c.write(row.ram, row.address, row.time + 1, row.value);
        });
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.time, 1);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.assert_eq(next.time, row.time + 2);
    }
}

#[test]
fn a_read_gets_what_was_written_last() {
    let accesses = [(7, true, 100), (3, false, 0), (7, true, 70_000), (7, false, 0), (9, false, 0)];
    let records = accesses.iter().zip(0..).map(|(&(address, write, value), index)| {
        MemoriesRecord { time: 2 * index + 1, address, write, value }
    });
    let records: Vec<_> = records.collect();
    let machine = Machine::new("ram", Field::Goldilocks2).add::<Memories>().memory::<U32>("ram");
    let input = || Input::new(Field::Goldilocks2).rows::<Memories>(records.clone());
    assert_eq!(
        outputs::<Memories>(machine.clone(), input(), "old"),
        [[0, 0], [0, 0], [100, 0], [70_000 - 65_536, 1], [0, 0]]
    );
    rejects_forged::<Memories>(machine.clone(), input(), 3, "old", 0, 100);
    let contents = [(3, 5_u32)];
    assert!(!accepts(&machine, input().memory::<U32>("ram", contents)), "memory starts with zeros");
    let machine =
        Machine::new("ram", Field::Goldilocks2).add::<Memories>().memory_with_input::<U32>("ram");
    let old = outputs::<Memories>(machine, input().memory::<U32>("ram", contents), "old");
    assert_eq!(old[1], [5, 0]);
}

#[chip]
pub struct Three {
    #[input]
    a: U32,
    #[input]
    b: U32,
    #[input]
    c: U32,
    #[output]
    sum: U32,
    #[embed]
    first: Add32,
    #[embed]
    second: Add32,
}

impl Chip for Three {
    fn row(c: &Builder, row: &Row<Self>) {
        let first = c.embed(row.first, (row.a, row.b));
        let second = c.embed(row.second, (first.sum, row.c));
        c.define(row.sum, second.sum);
    }
}

#[test]
fn embedded_chips_compute_in_the_row_around_them() {
    let machine = Machine::new("three", Field::Goldilocks2).add::<Three>();
    let input = || {
        let record = ThreeRecord { a: 0xffff_ffff, b: 5, c: 0x1_0000 };
        Input::new(Field::Goldilocks2).rows::<Three>([record])
    };
    assert_eq!(outputs::<Three>(machine.clone(), input(), "sum"), [[4, 1]]);
    rejects_forged::<Three>(machine.clone(), input(), 0, "first.sum", 0, 3);
    rejects_forged::<Three>(machine, input(), 0, "second.carry", 1, 1);
}

#[message]
pub struct Pair {
    pub x: Felt,
    pub y: U8,
}

#[chip]
pub struct Sender {
    #[record]
    x: Felt,
    #[record]
    active: Bit,
    #[port]
    pairs: Send<Pair>,
}

impl Chip for Sender {
    fn row(c: &Builder, row: &Row<Self>) {
        c.when(row.active, |c| c.send(row.pairs, Pair { x: 2 * row.x, y: 9_u8 }));
    }
}

#[chip]
pub struct Receiver {
    #[record]
    x: Felt,
    #[port]
    pairs: Receive<Pair>,
}

impl Chip for Receiver {
    fn row(c: &Builder, row: &Row<Self>) {
        c.receive(row.pairs, Pair { x: row.x, y: c.range(9) });
    }
}

#[test]
fn messages_are_received_as_often_as_they_are_sent() {
    let machine = Machine::new("pairs", Field::Goldilocks2).add::<Sender>().add::<Receiver>();
    let run = |sent: &[(u64, bool)], received: &[u64]| {
        let sent = sent.iter().map(|&(x, active)| SenderRecord { x, active });
        let received = received.iter().map(|&x| ReceiverRecord { x });
        Input::new(Field::Goldilocks2).rows::<Sender>(sent).rows::<Receiver>(received)
    };
    assert!(accepts(&machine, run(&[(1, true), (2, false), (3, true)], &[6, 2])));
    assert!(!accepts(&machine, run(&[(1, true), (2, false), (3, true)], &[6])));
    assert!(!accepts(&machine, run(&[(1, true)], &[2, 2])));
}

#[chip]
pub struct Quadratic {
    #[input]
    x: Ext,
    #[input]
    y: Ext,
    #[output]
    product: Ext,
    #[output]
    same: Bit,
}

impl Chip for Quadratic {
    fn row(c: &Builder, row: &Row<Self>) {
        c.define(row.product, (row.x + 1) * row.y - row.y);
        c.define(row.same, c.equal(row.x, row.y));
    }
}

#[test]
fn extension_products_are_reduced_by_the_field() {
    let cases = [
        (Field::Goldilocks2, vec![0, 2], vec![5, 3], vec![42, 10]),
        (Field::Goldilocks3, vec![0, 0, 1], vec![0, 1, 1], vec![1, 2, 1]),
        (Field::KoalaBear4, vec![0, 0, 0, 2], vec![0, 1, 0, 0], vec![6, 0, 0, 0]),
        (Field::KoalaBear5, vec![0, 0, 0, 0, 1], vec![0, 1], vec![1, 0, 2_130_706_432, 0, 0]),
    ];
    for (field, x, y, expected) in cases {
        let machine = Machine::new("ext", field).add::<Quadratic>();
        let input = Input::new(field).rows::<Quadratic>([QuadraticRecord { x, y }]);
        assert_eq!(outputs::<Quadratic>(machine, input, "product"), [expected], "{field}");
    }
}

/// Wrong in as many ways as fit.
#[chip]
pub struct Wrong {
    #[record]
    x: Felt,
    #[record]
    y: U16,
    low: U16,
    carry: Bit,
    one: Felt,
    #[port]
    pairs: Send<Pair>,
}

impl Chip for Wrong {
    fn row(c: &Builder, row: &Row<Self>) {
        c.split(row.x + 1, (row.low, row.carry));
        c.split(row.y * 4, (row.low, row.carry));
        c.split(row.y - 1, (row.low, row.carry));
        c.split(row.y, [row.low; 4]);
    }

    fn step(c: &Builder, row: &Row<Self>, _: &Row<Self>) {
        c.send(row.pairs, Pair { x: row.x, y: 0_u8 });
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.define(row.one, 1);
    }
}

#[test]
fn all_mistakes_of_a_recording_are_reported_at_once() {
    let text = errors_of::<Wrong>(Field::Goldilocks2);
    for part in [
        "reads `x`, which can be any field element",
        "lies in 0..=262140, but its parts hold 0..=131071",
        "lies in -1..=65534",
        "the parts hold 64 bits, which wraps around the field's order 18446744069414584321",
        "messages can only be exchanged in `row`",
        "nothing can be filled in `last`",
    ] {
        assert!(text.contains(part), "{part}\nin {text}");
    }
    assert_eq!(text.lines().count(), 7, "{text}");
    assert_eq!(text.matches("verbs.rs:").count(), 6, "{text}");
}

#[chip]
pub struct Unpaddable {
    #[record]
    x: Felt,
    #[record]
    never: Bit,
}

impl Chip for Unpaddable {
    fn row(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.x * row.x, 4).named("x squared is four");
        c.when(row.never, |c| c.assert_eq(row.x, 1));
        c.when(c.real(), |c| c.assert_eq(row.x, 2));
    }
}

#[test]
fn a_rule_that_padding_violates_is_a_mistake() {
    let text = errors_of::<Unpaddable>(Field::Goldilocks2);
    assert!(
        text.contains("rule `x squared is four` does not hold on a padding row, where x = 0"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 2, "{text}");
}
