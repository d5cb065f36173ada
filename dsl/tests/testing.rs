//! `chip_tests!` on chips of several shapes, and what it says about broken ones.

use chipwright_dsl::chip_tests;
use chipwright_dsl::prelude::*;
use chipwright_dsl::testing::{Sample, Specimen, Strategy, any};

/// `sum = a + b mod 2^32`, on 16-bit limbs.
#[chip]
pub struct Add32 {
    /// The first addend.
    #[input]
    pub a: U32,
    /// The second addend.
    #[input]
    pub b: U32,
    /// The sum.
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

chip_tests! { Add32, inputs: any::<(u32, u32)>(), spec: |(a, b)| a.wrapping_add(b) }

/// `out = 3·a + b`, by asking another chip.
#[chip]
pub struct Weighted {
    #[input]
    a: U32,
    #[input]
    b: U32,
    #[output]
    out: U32,
    twice: U32,
    thrice: U32,
    #[port]
    add: Lookup<Add32>,
}

impl Chip for Weighted {
    fn row(c: &Builder, row: &Row<Self>) {
        c.call(row.add, (row.a, row.a), row.twice);
        c.call(row.add, (row.a, row.twice), row.thrice);
        c.call(row.add, (row.thrice, row.b), row.out);
    }
}

chip_tests! {
    weighted: Weighted,
    providers: [Add32],
    inputs: any::<(u32, u32)>(),
    spec: |(a, b)| a.wrapping_mul(3).wrapping_add(b),
}

/// Squares without bounds, so that the next value depends on the last.
#[chip]
pub struct Squares {
    value: Felt,
    #[public]
    start: Felt,
    #[public]
    result: Felt,
}

impl Chip for Squares {
    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.value, row.start);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.value, row.value * row.value);
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.value, row.result);
    }
}

chip_tests! {
    squares: Squares,
    runs: |rng| {
        let start = rng.below(1000) as u64 + 2;
        // Two rows fill a table, three are padded.
        let rows = 2 + rng.below(2);
        let result = start.pow(1 << (rows - 1));
        Input::new(Field::Goldilocks2)
            .empty_rows::<Squares>(rows)
            .publics::<Squares>(&SquaresPublics { start, result })
    },
}

/// A quotient that nothing bounds.
#[chip]
pub struct LooseQuotient {
    #[input]
    n: U16,
    #[input]
    d: U8,
    #[output]
    quotient: Felt,
    remainder: U8,
}

impl Chip for LooseQuotient {
    fn row(c: &Builder, row: &Row<Self>) {
        c.fill(row.quotient, row.n.int() / row.d.int());
        c.fill(row.remainder, row.n.int() % row.d.int());
        c.assert_eq(row.quotient * row.d + row.remainder, row.n).named("division");
    }
}

/// Has an output that no rule binds.
#[chip]
pub struct Unbound {
    #[input]
    x: Felt,
    #[output]
    y: Felt,
    #[free("any value will do")]
    noise: Felt,
}

impl Chip for Unbound {
    fn row(c: &Builder, row: &Row<Self>) {
        c.fill(row.y, row.x.int() + 1);
        c.define(row.noise, row.x * row.x);
    }
}

fn complaints(specimen: &Specimen) -> String {
    specimen.honest();
    specimen.audit().complaints().join("\n")
}

#[test]
fn a_remainder_that_is_not_below_the_divisor_escapes() {
    let specimen = Sample::<LooseQuotient>::new()
        .inputs((256_u16..1000, 3_u8..16))
        .spec(|(n, d)| u64::from(n / u16::from(d)))
        .build();
    let complaints = complaints(&specimen);
    assert!(complaints.contains("chip `loose_quotient` accepts a forged cell"), "{complaints}");
    assert!(complaints.contains("quotient"), "{complaints}");
}

#[test]
fn an_output_that_is_only_filled_escapes() {
    let specimen = Sample::<Unbound>::new().inputs(any::<u32>().prop_map(u64::from)).build();
    let complaints = complaints(&specimen);
    assert!(
        complaints.contains("forge: chip `unbound` accepts a forged cell\n   y "),
        "{complaints}"
    );
}

#[test]
#[should_panic(expected = "on the right those of its specification")]
fn outputs_that_differ_from_the_specification_fail() {
    Sample::<Add32>::new().inputs(any::<(u32, u32)>()).spec(|(a, _)| a).build().honest();
}

#[test]
#[should_panic(expected = "does not pass `forge`")]
fn a_chip_that_escapes_does_not_pass() {
    let specimen = Sample::<Unbound>::new().inputs(any::<u32>().prop_map(u64::from)).build();
    Specimen::passes(&specimen.audit(), "forge");
}
