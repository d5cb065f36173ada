//! The chip that does all hashing of a recursive verifier: transcripts, leaves, Merkle paths.

use std::sync::Arc;

use chipwright_dsl::prelude::*;
use chipwright_ir::chip::Chip as IrChip;
use chipwright_ir::circuit::{CallPlan, CalledChip, ChipCall};

use super::cap::CapEntry;
use super::kernel::{DIGEST, FoldPart, MAX_LOG_ARITY, RATE, fold_parts, lagrange};
use super::script::Script;
use super::trace;
use crate::hash::{last_round, until_last_round};

/// One permutation of Poseidon2 of width 16 a row, chained to the row before as the circuit fixes it.
///
/// A call is a [`Script`]: a transcript, or the opening of one tree. The elements that a transcript absorbs and
/// samples are on the witness bus, 12 a row. The elements of leaves and the siblings of paths are private
/// data; of them the bus sees what the same rows compute: a sum of powers (the opening combination of FRI)
/// or a fold. Paths end in the table of caps.
///
/// # Soundness
///
/// Assumes nothing of its inputs. What a row's state may be is fixed by the circuit: free elements are those
/// that a leaf or a transcript absorbs, and siblings. All others are zero, or are chained to the row
/// before. A row that is chained is never the first of the table, so the rules between rows reach it. Rules
/// hold in every row; where no call is, all fixed columns are zero, and so is what they demand.
#[chip(dense, field_bits = 64)]
pub struct Hasher {
    /// Whether an element may be anything; the first ones are.
    #[fixed]
    taken: [Bit; 12],
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
    /// Whether a bit of the index is used in this row.
    #[fixed]
    used: [Bit; 3],
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
    /// The rate before the permutation.
    #[input]
    pub before: [Felt; 12],
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
    capacity: Digest,
    /// The index of the node.
    #[record]
    index: Felt,
    /// The place among the siblings, or in the coset.
    #[record]
    bits: [Bit; 3],
    /// The fourth power of the point.
    #[record]
    fourth: Ext,
    /// The state before the last round. What is after it is of low enough a degree not to need columns, but for the
    /// digest.
    last: [Felt; 16],
    /// The first elements after the permutation.
    digest: Digest,
    #[port]
    cap: Lookup<CapEntry>,
}

impl Chip for Hasher {
    fn row(c: &Builder, row: &Row<Self>) {
        let state: [Expr; 16] = std::array::from_fn(|i| element(row, i));
        c.define(row.last, until_last_round(c, state)).named("last round");
        let [first, second, third, fourth, ..] = after(row);
        c.define(row.digest, [first, second, third, fourth]).named("digest");

        let fourth = row.point.expr().square().square();
        c.assert_same::<Ext>(row.fourth.expr(), fourth).named("fourth power");
        for i in 0..RATE {
            let free = Expr::from(row.taken[i]);
            c.assert_zero(row.zero * (Expr::ONE - free) * row.before[i]).named("other elements");
        }
        for i in 0..DIGEST {
            let tag = if i == 0 { row.tag.into() } else { Expr::ZERO };
            let empty = row.zero * (Expr::ONE - row.carry) * (Expr::ONE - row.resume);
            c.assert_zero(empty * (row.capacity[i] - tag)).named("empty capacity");
        }
        for k in 0..MAX_LOG_ARITY {
            let unused = Expr::ONE - row.used[k];
            c.assert_zero(unused * row.bits[k]).named("unused bit");
        }
        c.when(row.enter, |c| {
            c.assert_eq(row.entry, low_bits(row) + radix(row) * row.index).named("index");
            c.zero::<Ext>(row.sum.expr()).named("empty sum");
            c.zero::<Ext>(row.own.expr()).named("nothing is chosen yet");
        });
        c.when(row.end, |c| {
            let &HasherRow { tree, index: position, digest, .. } = row;
            c.lookup(row.cap, CapEntry { tree, position, digest });
        });
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        let after = after(row);
        for i in 0..RATE {
            let kept = next.keep * (Expr::ONE - next.taken[i]);
            c.assert_zero(kept * (next.before[i] - after[i])).named("kept element");
        }
        for i in 0..DIGEST {
            let tag = if i == 0 { next.tag.into() } else { Expr::ZERO };
            let capacity = next.capacity[i] - tag;
            c.assert_zero(next.carry * (capacity - after[RATE + i])).named("capacity");
            c.assert_zero(next.resume * (capacity - row.capacity[i])).named("resumed capacity");
        }
        c.when(next.parent, |c| {
            for place in 0..4 {
                let here = bit(next.bits[0], place & 1) * bit(next.bits[1], place >> 1);
                for i in 0..DIGEST {
                    let child = element(next, DIGEST * place + i);
                    c.assert_zero(here * (child - row.digest[i])).named("child");
                }
            }
            c.assert_eq(row.index, low_bits(next) + radix(next) * next.index)
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
            c.assert_same::<Ext>(next.sum.expr(), combined(row)).named("combination");
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
fn element(row: &Row<Hasher>, i: usize) -> Expr {
    if i < RATE { row.before[i].into() } else { row.capacity[i - RATE].into() }
}

/// The state after the permutation.
fn after(row: &Row<Hasher>) -> [Expr; 16] {
    last_round(row.last.map(Expr::from))
}

/// `bit` or its complement.
fn bit(bit: Bit, value: usize) -> Expr {
    if value == 1 { bit.into() } else { Expr::ONE - bit }
}

fn low_bits(row: &Row<Hasher>) -> Expr {
    row.bits[0] + 2 * row.bits[1] + 4 * row.bits[2]
}

/// What the rest of the index counts for: two to the number of its used bits.
fn radix(row: &Row<Hasher>) -> Expr {
    row.used.map(|used| Expr::ONE + used).into_iter().reduce(|a, b| a * b).unwrap_or(Expr::ONE)
}

/// `point^12 · sum + Σ point^(11 − i) · element[i]`, over the elements that are taken.
fn combined(row: &Row<Hasher>) -> ExtExpr {
    let (point, fourth) = (row.point.expr(), row.fourth.expr());
    let mut total = row.sum.expr();
    for block in 0..3 {
        let mut partial = ExtExpr::ZERO;
        for i in 4 * block..4 * block + 4 {
            partial = partial * point + row.taken[i] * row.before[i];
        }
        total = total * fourth + partial;
    }
    total
}

/// The sums after a part of a coset: its evaluations times their Lagrange polynomials at the point, and the
/// evaluation at the own place.
fn folded(c: &Builder, row: &Row<Hasher>, part: FoldPart) -> (ExtExpr, ExtExpr) {
    let field = c.field();
    let degree = field.degree();
    let evaluations: Vec<ExtExpr> = (0..part.count)
        .map(|i| ExtExpr::new(field, (0..degree).map(|j| row.before[degree * i + j])))
        .collect();
    // The coefficients of the polynomial first: they are linear in the evaluations.
    let polynomials: Vec<Vec<u64>> =
        (part.start..part.start + part.count).map(|i| lagrange(part.log_arity, i)).collect();
    let coefficient = |power: usize| {
        let terms = evaluations.iter().zip(&polynomials);
        terms.fold(ExtExpr::ZERO, |sum, (evaluation, polynomial)| {
            sum + *evaluation * Expr::from(constant(polynomial[power]))
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

fn constant(value: u64) -> p3_goldilocks::Goldilocks {
    p3_field::PrimeCharacteristicRing::from_u64(value)
}

/// The recorded [`Hasher`] as a chip that circuits call with a [`Script`].
pub fn hasher(chip: IrChip) -> CalledChip {
    let field = chip.field;
    let plan = CallPlan {
        signature: Box::new(move |call: &ChipCall| Script::of(call)?.signature(field)),
        fixed: Box::new(move |call, row| {
            Script::fixed(field, call, row as usize).unwrap_or_default()
        }),
    };
    CalledChip::planned(chip, plan)
        .with_native(Arc::new(move |call, inputs, data| {
            Ok(trace::run(field, call, inputs, data).map_err(|e| e.to_string())?.outputs)
        }))
        .with_records(Arc::new(move |call, inputs, data| {
            Ok(trace::run(field, call, inputs, data).map_err(|e| e.to_string())?.records)
        }))
}
