//! The chip that does all hashing of a recursive verifier: transcripts, leaves, Merkle paths.

use std::sync::Arc;

use chipwright_dsl::prelude::*;
use chipwright_ir::chip::Chip as IrChip;
use chipwright_ir::circuit::{CallPlan, CalledChip, ChipCall};

use super::HashSizes;
use super::cap::CapEntry;
use super::kernel::{FoldPart, MAX_LOG_ARITY, fold_parts, lagrange};
use super::script::Script;
use super::trace;
use crate::hash::Parameters;

/// The absorbed elements that are added to the opening combination before the sum becomes a column: with more of them
/// the sum's degree would be too high.
const PART: usize = 12;

/// The number of columns for the digest, if digests have `D` elements: none if the state after the permutation is in
/// columns, whose first elements it is.
const fn digest_columns(d: usize) -> usize {
    if d == 4 { d } else { 0 }
}

/// One permutation of Poseidon2 a row, chained to the row before as the circuit fixes it. Digests have `D`
/// elements, and states four times as many: `D` is 4 over Goldilocks, and 8 over KoalaBear
/// ([`HashSizes`](super::HashSizes)).
///
/// A call is a [`Script`]: a transcript, or the opening of one tree. The elements that a transcript absorbs and
/// samples are on the witness bus, `3·D` a row. The elements of leaves and the siblings of paths are private
/// data; of them the bus sees what the same rows compute: a sum of powers (the opening combination of FRI)
/// or a fold. Paths end in the table of caps.
///
/// # Soundness
///
/// Assumes nothing of its inputs, and answers only scripts whose every result follows from them and from the private
/// data: the module `sound` says which these are, and that is part of the chip. What a row's state may be is fixed by the
/// circuit: free elements are those that a leaf or a transcript absorbs, and siblings. All others are zero, or are
/// chained to the row before. A row that is chained is never the first of the table, so the rules between rows reach
/// it. Rules hold in every row; where no call is, all fixed columns are zero, and so is what they demand.
///
/// Parents of four are compressed by the permutation alone, as those of Plonky3's trees are. That binds digests, not
/// elements of anybody's choice, and it is digests that are compressed: one of the four is that of the row before, and
/// a path begins with a leaf, hashed with an empty capacity. Parents of two, and of an injected digest, have an empty half.
#[chip(dense)]
pub struct Hasher<const D: usize> {
    /// Whether an element may be anything; the first ones are.
    #[fixed]
    taken: [[Bit; D]; 3],
    /// Other elements of the rate are those after the previous row's permutation.
    #[fixed]
    keep: Bit,
    /// The capacity is that after the previous row's permutation, plus the tag.
    #[fixed]
    carry: Bit,
    /// The capacity is that before the previous row's permutation, plus the tag.
    #[fixed]
    resume: Bit,
    /// Other elements of the rate are zero; unless it is carried or resumed, the capacity is the tag alone.
    #[fixed]
    zero: Bit,
    /// The number of absorbed elements, in transcripts.
    #[fixed]
    tag: Felt,
    /// One of the four digests is that of the previous row.
    #[fixed]
    parent: Bit,
    /// The index, its bits and the point are those of the previous row.
    #[fixed]
    hold: Bit,
    /// A leaf begins: the index comes from the bus, sums begin at zero.
    #[fixed]
    enter: Bit,
    /// Whether a bit of the index is used in this row. Which further ones are follows from what the row does.
    #[fixed]
    used: Bit,
    /// The absorbed elements are added to the opening combination.
    #[fixed]
    combine: Bit,
    /// The absorbed elements are this part of the evaluations of a coset.
    #[fixed]
    fold: [Bit; 4],
    /// The path ends with this row's digest.
    #[fixed]
    end: Bit,
    /// The number of the tree where the path ends.
    #[fixed]
    tree: Felt,
    /// Absorbed elements are on the bus as the coefficients of extension elements: those that
    /// [`HashSizes::joined`](super::HashSizes::joined) says.
    #[fixed]
    joined: Bit,
    /// The rate before the permutation.
    #[input]
    pub before: [[Felt; D]; 3],
    /// The index of a leaf, or of an evaluation within all leaves, where a path begins.
    #[input]
    pub entry: Felt,
    /// The point of the opening combination or of the fold.
    #[input]
    pub point: Ext,
    /// The combination, or the fold, of all elements absorbed in rows before.
    #[input]
    pub sum: Ext,
    /// The evaluation at the place that the index says, of those absorbed in rows before.
    #[input]
    pub own: Ext,
    /// The capacity before the permutation.
    #[record]
    capacity: [Felt; D],
    /// The index of the node.
    #[record]
    index: Felt,
    /// The place among the siblings, or in the coset.
    #[record]
    bits: [Bit; 3],
    /// The fourth power of the point.
    #[record]
    fourth: Ext,
    /// With S-boxes of degree 7 the state before the last round: what is after it is of low enough a degree not to need
    /// columns, but for the digest. With S-boxes of degree 3, of which two rounds fit between columns, the state
    /// after it.
    last: [[Felt; D]; 4],
    /// The first elements after the permutation, if `last` are not these.
    #[len(digest_columns(D))]
    digest: Vec<Felt>,
    /// The opening combination after each part of the absorbed elements but the last.
    #[len((3 * D).div_ceil(PART) - 1)]
    partial: Vec<Ext>,
    #[port]
    cap: Lookup<CapEntry<D>>,
}

impl<const D: usize> Chip for Hasher<D> {
    fn row(c: &Builder, row: &Row<Self>) {
        let Some(parameters) = Parameters::of(c.field(), 4 * D) else {
            c.refuse(format!("hash with digests of {D} elements"));
            return;
        };
        let state = (0..4 * D).map(|i| element(row, i)).collect();
        let last = parameters.until_last(c, state, rounds_left(row));
        c.define_all(row.last.as_flattened(), &last).named("last round");
        let after = after(c, row);
        c.define_all(&row.digest, &after[..row.digest.len()]).named("digest");
        for (part, &sum) in row.partial.iter().enumerate() {
            c.define(sum, combined(row, part)).named("combination");
        }

        let fourth = row.point.expr().square().square();
        c.assert_same::<Ext>(row.fourth.expr(), fourth).named("fourth power");
        for (&taken, &element) in absorbed(row) {
            let free = Expr::from(taken);
            c.assert_zero(row.zero * (Expr::ONE - free) * element).named("other elements");
        }
        for i in 0..D {
            let tag = if i == 0 { row.tag.into() } else { Expr::ZERO };
            let empty = row.zero * (Expr::ONE - row.carry) * (Expr::ONE - row.resume);
            c.assert_zero(empty * (row.capacity[i] - tag)).named("empty capacity");
        }
        for k in 0..MAX_LOG_ARITY {
            let unused = Expr::ONE - used(c, row, k);
            c.assert_zero(unused * row.bits[k]).named("unused bit");
        }
        c.when(row.enter, |c| {
            c.assert_eq(row.entry, low_bits(row) + radix(c, row) * row.index).named("index");
            c.zero::<Ext>(row.sum.expr()).named("empty sum");
            c.zero::<Ext>(row.own.expr()).named("nothing is chosen yet");
        });
        c.when(row.end, |c| {
            let digest: [Expr; D] = std::array::from_fn(|i| digest(row)[i].into());
            c.lookup(row.cap, CapEntry { tree: row.tree, position: row.index, digest });
        });
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        let after = after(c, row);
        for ((&taken, &element), &after) in absorbed(next).zip(&after) {
            let kept = next.keep * (Expr::ONE - taken);
            c.assert_zero(kept * (element - after)).named("kept element");
        }
        for (i, &after) in after.iter().skip(3 * D).enumerate() {
            let tag = if i == 0 { next.tag.into() } else { Expr::ZERO };
            let capacity = next.capacity[i] - tag;
            c.assert_zero(next.carry * (capacity - after)).named("capacity");
            c.assert_zero(next.resume * (capacity - row.capacity[i])).named("resumed capacity");
        }
        c.when(next.parent, |c| {
            for place in 0..4 {
                let here = bit(next.bits[0], place & 1) * bit(next.bits[1], place >> 1);
                for (i, &digest) in digest(row).iter().enumerate() {
                    let child = element(next, D * place + i);
                    c.assert_zero(here * (child - digest)).named("child");
                }
            }
            c.assert_eq(row.index, low_bits(next) + radix(c, next) * next.index)
                .named("parent's index");
        });
        c.when(next.hold, |c| {
            c.assert_eq(next.index, row.index).named("same index");
            for k in 0..MAX_LOG_ARITY {
                c.assert_eq(next.bits[k], row.bits[k]).named("same place");
            }
            c.assert_same::<Ext>(next.point.expr(), row.point.expr()).named("same point");
        });
        c.when(row.combine, |c| {
            let sum = combined(row, row.partial.len());
            c.assert_same::<Ext>(next.sum.expr(), sum).named("combination");
        });
        for (part, selector) in fold_parts(c.field()).into_iter().zip(row.fold) {
            c.when(selector, |c| {
                let (sum, own) = folded(c, row, part);
                c.assert_same::<Ext>(next.sum.expr(), sum).named("fold");
                c.assert_same::<Ext>(next.own.expr(), own).named("own evaluation");
            });
        }
    }
}

/// An element of the state before the permutation.
fn element<const D: usize>(row: &Row<Hasher<D>>, i: usize) -> Expr {
    row.before.as_flattened().iter().chain(&row.capacity).nth(i).map_or(Expr::ZERO, |&x| x.into())
}

/// The elements of the rate, each with whether it may be anything.
fn absorbed<const D: usize>(row: &Row<Hasher<D>>) -> impl Iterator<Item = (&Bit, &Cell)> {
    row.taken.as_flattened().iter().zip(row.before.as_flattened())
}

/// The number of rounds after the state in columns.
fn rounds_left<const D: usize>(row: &Row<Hasher<D>>) -> usize {
    usize::from(!row.digest.is_empty())
}

/// The state after the permutation.
fn after<const D: usize>(c: &Builder, row: &Row<Hasher<D>>) -> Vec<Expr> {
    let state = row.last.as_flattened().iter().map(|&x| x.into()).collect();
    match Parameters::of(c.field(), 4 * D) {
        Some(parameters) => parameters.last_rounds(state, rounds_left(row)),
        None => state,
    }
}

/// The first elements of the state after the permutation.
fn digest<const D: usize>(row: &Row<Hasher<D>>) -> &[Cell] {
    if row.digest.is_empty() { &row.last[0] } else { &row.digest }
}

/// `bit` or its complement.
fn bit(bit: Bit, value: usize) -> Expr {
    if value == 1 { bit.into() } else { Expr::ONE - bit }
}

fn low_bits<const D: usize>(row: &Row<Hasher<D>>) -> Expr {
    row.bits[0] + 2 * row.bits[1] + 4 * row.bits[2]
}

/// Whether bit `k` of the index is used: the place in a coset has as many bits as the arity says, that among four
/// siblings two. Of parents, those of four nodes alone have no element that must be zero.
fn used<const D: usize>(c: &Builder, row: &Row<Hasher<D>>, k: usize) -> Expr {
    if k == 0 {
        return row.used.into();
    }
    let folds = fold_parts(c.field()).into_iter().zip(row.fold);
    let folds = folds.filter(|(part, _)| part.log_arity > k);
    let siblings = if k == 1 { row.parent * (Expr::ONE - row.zero) } else { Expr::ZERO };
    folds.fold(siblings, |used, (_, fold)| used + fold)
}

/// What the rest of the index counts for: two to the number of its used bits.
fn radix<const D: usize>(c: &Builder, row: &Row<Hasher<D>>) -> Expr {
    (0..MAX_LOG_ARITY).fold(Expr::ONE, |radix, k| radix * (Expr::ONE + used(c, row, k)))
}

/// `point^12 · sum + Σ point^(11 − i) · element[i]`, over those of the 12 elements of a part that are taken;
/// `sum` is that after the part before.
fn combined<const D: usize>(row: &Row<Hasher<D>>, part: usize) -> ExtExpr {
    let (point, fourth) = (row.point.expr(), row.fourth.expr());
    let before = part.checked_sub(1).map_or(row.sum, |before| row.partial[before]);
    let mut total = before.expr();
    let elements: Vec<_> = absorbed(row).skip(PART * part).take(PART).collect();
    for block in elements.chunks(4) {
        let mut partial = ExtExpr::ZERO;
        for &(&taken, &element) in block {
            partial = partial * point + taken * element;
        }
        total = total * fourth + partial;
    }
    total
}

/// The sums after a part of a coset: its evaluations times their Lagrange polynomials at the point, and the
/// evaluation at the own place.
fn folded<const D: usize>(c: &Builder, row: &Row<Hasher<D>>, part: FoldPart) -> (ExtExpr, ExtExpr) {
    let field = c.field();
    let evaluations: Vec<ExtExpr> = row
        .before
        .as_flattened()
        .chunks(field.degree())
        .take(part.count)
        .map(|coefficients| ExtExpr::new(field, coefficients.iter().copied()))
        .collect();
    // The coefficients of the polynomial first: they are linear in the evaluations.
    let polynomials: Vec<Vec<u64>> =
        (part.start..part.start + part.count).map(|i| lagrange(field, part.log_arity, i)).collect();
    let coefficient = |power: usize| {
        let terms = evaluations.iter().zip(&polynomials);
        terms.fold(ExtExpr::ZERO, |sum, (evaluation, polynomial)| {
            sum + *evaluation * Expr::constant(polynomial[power])
        })
    };
    let block = |powers: std::ops::Range<usize>| {
        powers.rev().fold(ExtExpr::ZERO, |sum, power| sum * row.point.expr() + coefficient(power))
    };
    let arity = 1 << part.log_arity;
    let mut fold = block(0..arity.min(4));
    if arity > 4 {
        fold = fold + block(4..arity) * row.fourth.expr();
    }
    let own =
        evaluations.iter().enumerate().fold(row.own.expr(), |own: ExtExpr, (i, evaluation)| {
            let place = part.start + i;
            let here = (0..part.log_arity)
                .map(|k| bit(row.bits[k], place >> k & 1))
                .reduce(|a, b| a * b)
                .unwrap_or(Expr::ONE);
            own + *evaluation * here
        });
    (row.sum.expr() + fold, own)
}

/// The recorded [`Hasher`] as a chip that circuits call with a [`Script`].
pub fn hasher(chip: IrChip) -> CalledChip {
    let chip = IrChip { name: "hasher".to_owned(), ..chip };
    let field = chip.field;
    let plan = CallPlan {
        signature: Box::new(move |call: &ChipCall| Script::of(call)?.signature(field)),
        fixed: Box::new(move |call, row| {
            Script::fixed(field, call, row as usize).unwrap_or_default()
        }),
    };
    CalledChip::planned(chip, plan)
        .creating(&["before", "sum"])
        .joining_if("joined", "before", HashSizes::joined(field))
        .reading_if("enter", &["entry", "point"])
        .with_runs(Arc::new(move |call, given| {
            let runs = trace::run_all(field, call, given).into_iter();
            runs.map(|run| run.map_err(|error| error.to_string())).collect()
        }))
}
