//! From a sampled element to a query index and a point of the evaluation domain.

use std::sync::Arc;

use chipwright_dsl::prelude::*;
use chipwright_ir::chip::Chip as IrChip;
use chipwright_ir::circuit::{
    CallPlan, CallPort, CallRun, CalledChip, ChipCall, Signature, ValueType,
};
use chipwright_ir::{Field, with_field};
use p3_field::{PrimeField64, TwoAdicField};

/// The bits of an element, one or two a row, the lowest first; and what the lowest `n` of them are as an
/// index.
///
/// At every *cut* the bus can see the rest of the index, `index >> cut`, and the inverse of a power:
/// `Π ω(2^(i+1))^(−bit_i)` over the bits from the cut on, with `ω(m)` the generator of order `m`. At cut 0
/// that is the inverse of the domain's point number `index` in bit-reversed order.
///
/// # Soundness
///
/// Assumes nothing. The bits are those of the canonical form, so an element has one index: the order of the field is
/// `(2^u − 1)·2^l + 1`, with `u = l = 32` for Goldilocks, and `u = 7`, `l = 24` for KoalaBear. A number of `u + l` bits
/// whose upper `u` bits are not all ones is below the order; one whose are is so only if the lower `l` bits are
/// all zero.
#[chip(dense)]
pub struct Index {
    /// The row has one bit.
    #[fixed]
    single: Bit,
    /// The root for the first bit, less one.
    #[fixed]
    first_root: Felt,
    /// The root for the second bit, less one.
    #[fixed]
    second_root: Felt,
    /// The element ends in this row.
    #[fixed]
    last: Bit,
    /// The index goes on in the next row.
    #[fixed]
    index_more: Bit,
    /// The index ends in this row.
    #[fixed]
    index_last: Bit,
    /// The bits are among the upper ones, and not the last ones: the element goes on in the next row.
    #[fixed]
    upper: Bit,
    /// The bits are among the lower ones: the element goes on in the next row.
    #[fixed]
    lower: Bit,
    /// The element, from these bits on.
    #[input]
    pub element: Felt,
    /// The index, from these bits on.
    #[input]
    pub index: Felt,
    /// The inverse power, from these bits on.
    #[input]
    pub power: Felt,
    #[record]
    bits: [Bit; 2],
    /// Whether all bits of the upper half, from these on, are ones.
    #[record]
    ones: Felt,
}

impl Chip for Index {
    fn row(c: &Builder, row: &Row<Self>) {
        c.assert_zero(row.single * row.bits[1]).named("single bit");
        c.when(row.last, |c| {
            c.assert_eq(row.element, bits(row)).named("last bits of the element");
            c.assert_eq(row.ones, both(row)).named("last bits are ones");
        });
        c.when(row.index_last, |c| {
            c.assert_eq(row.index, bits(row)).named("last bits of the index");
            c.assert_eq(row.power, factor(row)).named("last factor");
        });
        c.when(row.lower, |c| {
            for bit in row.bits {
                c.assert_zero(row.ones * bit).named("canonical");
            }
        });
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        let rest = row.element - bits(row) - radix(row) * next.element;
        c.assert_zero((row.upper + row.lower) * rest).named("element");
        c.when(row.index_more, |c| {
            c.assert_eq(row.index, bits(row) + radix(row) * next.index).named("index");
            c.assert_eq(row.power, factor(row) * next.power).named("power");
        });
        c.when(row.upper, |c| {
            c.assert_eq(row.ones, both(row) * next.ones).named("upper ones");
        });
        c.when(row.lower, |c| {
            c.assert_eq(row.ones, next.ones).named("upper ones are known below");
        });
    }
}

fn bits(row: &Row<Index>) -> Expr {
    row.bits[0] + 2 * row.bits[1]
}

/// Two to the number of bits in the row.
fn radix(row: &Row<Index>) -> Expr {
    4 - 2 * row.single
}

/// One exactly if all bits of the row are.
fn both(row: &Row<Index>) -> Expr {
    row.bits[0] * (row.single + row.bits[1])
}

fn factor(row: &Row<Index>) -> Expr {
    (Expr::ONE + row.bits[0] * row.first_root) * (Expr::ONE + row.bits[1] * row.second_root)
}

/// The number of bits of an element over a field, and how many of them are lower ones.
fn split(field: Field) -> (u32, u32) {
    (field.bits(), (field.modulus() - 1).trailing_zeros())
}

/// The largest number of bits of an index that a path can use.
///
/// A path is an equation `index = bits + 2^k · position` in the field. With at most so many bits, and a position below
/// [`cap_places`], the right side is below the order of the field, so an index has one path.
pub(super) fn path_bits(field: Field) -> u32 {
    split(field).1
}

/// The number of positions that a cap can have.
pub(super) fn cap_places(field: Field) -> u64 {
    (field.modulus() - 1) >> path_bits(field)
}

/// What a call of [`Index`] shows: the lowest `bits` bits as an index, and its parts from some cuts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSegment {
    /// The number of bits of the index.
    pub bits: u32,
    /// Where the rest of the index is shown; below `bits`, ascending.
    pub index_cuts: Vec<u32>,
    /// Where the inverse power is shown; below `bits`, ascending.
    pub power_cuts: Vec<u32>,
}

impl IndexSegment {
    /// The number of bits, the first bit of each row.
    fn rows(&self, field: Field) -> Vec<(u32, u32)> {
        let (all, lower) = split(field);
        let cut = |bit: u32| {
            bit == lower
                || bit == self.bits
                || bit == all
                || self.index_cuts.contains(&bit)
                || self.power_cuts.contains(&bit)
        };
        let mut rows = Vec::new();
        let mut start = 0;
        while start < all {
            let count = if cut(start + 1) { 1 } else { 2 };
            rows.push((start, count));
            start += count;
        }
        rows
    }

    fn of(field: Field, call: &ChipCall) -> Option<Self> {
        let [bits, index_cuts, power_cuts] = call.parameters[..] else { return None };
        let bits = u32::try_from(bits).ok().filter(|bits| (1..=split(field).1).contains(bits))?;
        let cuts = |mask: u64| (0..bits).filter(|&i| mask >> i & 1 == 1).collect();
        let (known, segment) = (
            (index_cuts | power_cuts) >> bits == 0,
            Self { bits, index_cuts: cuts(index_cuts), power_cuts: cuts(power_cuts) },
        );
        (known && segment.rows(field).len() == call.rows as usize).then_some(segment)
    }
}

/// The call of [`Index`] that shows what `segment` says.
pub fn index_call(field: Field, segment: &IndexSegment) -> ChipCall {
    // No index has as many bits as there are beyond the mask, so such a cut gives parameters that are refused.
    let bit = |cut: u32| 1_u64.checked_shl(cut).unwrap_or(u64::MAX);
    let mask = |cuts: &[u32]| cuts.iter().fold(0_u64, |mask, &cut| mask | bit(cut));
    ChipCall {
        chip: "index".to_owned(),
        parameters: vec![segment.bits.into(), mask(&segment.index_cuts), mask(&segment.power_cuts)],
        rows: segment.rows(field).len() as u32,
    }
}

/// The outputs of a call in the order of `segment`: first the indices, then the powers.
pub fn index_outputs<T: Copy>(
    field: Field,
    segment: &IndexSegment,
    outputs: &[T],
) -> (Vec<T>, Vec<T>) {
    let (mut indices, mut powers) = (Vec::new(), Vec::new());
    let mut outputs = outputs.iter().copied();
    for (start, _) in segment.rows(field) {
        if segment.index_cuts.contains(&start) {
            indices.extend(outputs.next());
        }
        if segment.power_cuts.contains(&start) {
            powers.extend(outputs.next());
        }
    }
    (indices, powers)
}

/// The inverse of the generator of order `2^(bit + 1)`.
fn inverse_root<F: TwoAdicField>(bit: u32) -> F {
    F::two_adic_generator(bit as usize + 1).inverse()
}

fn signature(field: Field, segment: &IndexSegment) -> Signature {
    let mut signature = Signature::default();
    let felt = |row, port| CallPort { ty: ValueType::Felt, row, port };
    signature.inputs.push(felt(0, 0));
    for (row, (start, _)) in (0..).zip(segment.rows(field)) {
        if segment.index_cuts.contains(&start) {
            signature.outputs.push(felt(row, 1));
        }
        if segment.power_cuts.contains(&start) {
            signature.outputs.push(felt(row, 2));
        }
    }
    signature
}

fn fixed<F: PrimeField64 + TwoAdicField>(
    field: Field,
    segment: &IndexSegment,
    row: usize,
) -> Option<Vec<u64>> {
    let (all, lower) = split(field);
    let &(start, count) = segment.rows(field).get(row)?;
    let root = |bit: u32| {
        let used = bit < segment.bits && bit < start + count;
        if used { (inverse_root::<F>(bit) - F::ONE).as_canonical_u64() } else { 0 }
    };
    let end = start + count;
    let columns = [
        u64::from(count == 1),
        root(start),
        root(start + 1),
        u64::from(end == all),
        u64::from(end < segment.bits),
        u64::from(end == segment.bits),
        u64::from(start >= lower && end < all),
        u64::from(start < lower),
    ];
    Some(columns.to_vec())
}

/// The outputs, and the input and record columns of every row.
fn run<F: PrimeField64 + TwoAdicField>(
    field: Field,
    call: &ChipCall,
    inputs: &[u64],
) -> Result<CallRun, String> {
    let (_, lower) = split(field);
    let segment =
        IndexSegment::of(field, call).ok_or("the parameters are not those of an index")?;
    let &[element] = inputs else { return Err("an index is made of one element".to_owned()) };
    let index = element & ((1 << segment.bits) - 1);
    let mut power = F::ONE;
    let mut ones = true;
    let mut records = Vec::new();
    for (start, count) in segment.rows(field).into_iter().rev() {
        let bit = |i: u32| if i < count { element >> (start + i) & 1 } else { 0 };
        for i in (0..count).filter(|i| start + i < segment.bits) {
            if bit(i) == 1 {
                power *= inverse_root::<F>(start + i);
            }
        }
        if start >= lower {
            ones &= (0..count).all(|i| bit(i) == 1);
        }
        let rest = if start < segment.bits { index >> start } else { 0 };
        records.push([
            element >> start,
            rest,
            if start < segment.bits { power.as_canonical_u64() } else { 0 },
            bit(0),
            bit(1),
            u64::from(ones),
        ]);
    }
    records.reverse();
    let mut outputs = Vec::new();
    for ((start, _), record) in segment.rows(field).into_iter().zip(&records) {
        if segment.index_cuts.contains(&start) {
            outputs.push(record[1]);
        }
        if segment.power_cuts.contains(&start) {
            outputs.push(record[2]);
        }
    }
    Ok(CallRun { outputs, rows: records.into() })
}

/// The recorded [`Index`] as a chip that circuits call: `element → indices and inverse powers`.
pub fn index_chip(chip: IrChip) -> CalledChip {
    let field = chip.field;
    with_field!(field, P => index_over::<<P as chipwright_ir::FieldPair>::Base>(chip))
}

fn index_over<F: PrimeField64 + TwoAdicField>(chip: IrChip) -> CalledChip {
    let field = chip.field;
    let plan = CallPlan {
        signature: Box::new(move |call| Some(signature(field, &IndexSegment::of(field, call)?))),
        fixed: Box::new(move |call, row| {
            let segment = IndexSegment::of(field, call);
            segment
                .and_then(|segment| fixed::<F>(field, &segment, row as usize))
                .unwrap_or_default()
        }),
    };
    CalledChip::planned(chip, plan)
        .creating(&["index", "power"])
        .with_run(Arc::new(move |call, inputs, _| run::<F>(field, call, inputs)))
}
