//! The rules of the chips, one by one: a run that violates only the one.

use chipwright_chips::recursion::{IndexSegment, Leaf, RowKind, RowSpec, Script, index_call};
use chipwright_ir::Field;
use chipwright_ir::circuit::ChipLibrary;
use chipwright_ir::field::{Goldilocks2, KoalaBear4};
use chipwright_recursion::batch::RecursiveField;
use chipwright_tests::FIELD;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

use crate::forging::{Ext, P, honestly};
use crate::single::{
    BITS, CAPACITY, Computed, ENTRY, FOURTH, INDEX, OWN, POINT, Rows, SUM, Single,
};

/// A row that absorbs elements of the bus.
fn absorb(kind: RowKind, taken: usize) -> RowSpec {
    RowSpec { read: (1 << taken) - 1, ..RowSpec::new(kind, taken) }
}

/// A row that shows the first elements of the state.
fn echo(count: usize) -> RowSpec {
    RowSpec { written: (1 << count) - 1, ..RowSpec::new(RowKind::Echo, 0) }
}

fn leaf(taken: usize, what: Leaf) -> RowSpec {
    RowSpec { enter: true, leaf: what, ..RowSpec::new(RowKind::Leaf, taken) }
}

/// The inputs of a path: the index, and a point at which nothing is combined.
const fn place(index: u64) -> [u64; 3] {
    [index, 0, 0]
}

fn end(kind: RowKind) -> RowSpec {
    RowSpec { end: true, ..RowSpec::new(kind, 0) }
}

/// A call of the hash chip; a path ends in the cap of its tree.
fn hasher(tree: u64, rows: &[RowSpec], inputs: &[u64]) -> Single {
    let call = Script { tree, rows: rows.to_owned() }.call();
    let library = chipwright_chips::library(FIELD);
    let count = library.signature(&call).expect("the script is sound").data;
    let data: Vec<u64> = (0..u64::from(count)).map(|i| 1000 + i * i).collect();
    let ends = rows.iter().position(|row| row.end);
    let rows = Rows(honestly(&library, &call, inputs, &data).0);
    let digest = rows.after(ends.unwrap_or(0));
    let cap = (tree.max(1), digest[..4].to_vec());
    let single = Single { call, inputs: inputs.to_vec(), data, caps: vec![cap] };
    single.accept();
    single
}

fn only(rule: &str) -> Vec<String> {
    vec![format!("call_hasher: {rule}")]
}

#[test]
fn a_transcript_keeps_its_capacity() {
    use RowKind::{Absorb, Begin, Resume};
    let inputs: Vec<u64> = (1..=13).collect();
    let transcript = hasher(0, &[absorb(Begin, 12), absorb(Absorb, 1), echo(4)], &inputs);
    let violated = transcript.forge(&inputs, None, |rows, outputs| {
        rows.0[1][CAPACITY..CAPACITY + 4].copy_from_slice(&[1, 0, 0, 0]);
        rows.chain(2, 0);
        *outputs = rows.0[2][..4].to_vec();
    });
    assert_eq!(violated, only("capacity"));

    let script = vec![absorb(Begin, 1), echo(1), absorb(Resume, 1), echo(1)];
    let transcript = hasher(0, &script, &[11, 5]);
    let violated = transcript.forge(&[11, 5], None, |rows, outputs| {
        rows.0[2][CAPACITY + 2] = 7;
        rows.chain(3, 0);
        outputs[1] = rows.0[3][0];
    });
    assert_eq!(violated, only("resumed capacity"));
}

#[test]
fn a_sponge_begins_empty_and_keeps_what_it_does_not_take() {
    let sponge = hasher(0, &[leaf(4, Leaf::Plain), echo(4)], &place(0));
    let forge = |at: usize| {
        sponge.forge(&place(0), None, move |rows, outputs| {
            rows.0[0][at] = 7;
            rows.chain(1, 0);
            *outputs = rows.0[1][..4].to_vec();
        })
    };
    assert_eq!(forge(CAPACITY + 1), only("empty capacity"));
    assert_eq!(forge(9), only("other elements"));

    let next = RowSpec::new(RowKind::LeafNext, 4);
    let sponge = hasher(0, &[leaf(12, Leaf::Plain), next, echo(4)], &place(0));
    let violated = sponge.forge(&place(0), None, |rows, outputs| {
        rows.0[1][7] ^= 1;
        rows.chain(2, 0);
        *outputs = rows.0[2][..4].to_vec();
    });
    assert_eq!(violated, only("kept element"));
    // A sample is what the state says.
    let violated = sponge.forge(&place(0), None, |rows, outputs| {
        rows.0[2][0] ^= 1;
        *outputs = rows.0[2][..4].to_vec();
    });
    assert_eq!(violated, only("kept element"));
}

/// A leaf below one node of four children.
fn path(index: u64) -> Single {
    hasher(1, &[leaf(4, Leaf::Plain), end(RowKind::Parent4)], &place(index))
}

#[test]
fn n_24_a_path_begins_at_its_leaf_and_ends_in_the_cap() {
    let path = path(0);
    // Another digest than the leaf's: the children of the node are as they were.
    let violated = path.forge(&place(0), None, |rows, _| rows.0[0][0] ^= 1);
    assert_eq!(violated, only("child"));
    // The other digest's node: it is not in the cap.
    let violated = path.forge(&place(0), None, |rows, _| {
        rows.0[0][0] ^= 1;
        rows.child(1, 0);
    });
    assert_eq!(violated, ["bus cap"]);
    // A sibling that is not the tree's.
    let violated = path.forge(&place(0), None, |rows, _| rows.0[1][5] ^= 1);
    assert_eq!(violated, ["bus cap"]);
    // The right node at another place of the cap.
    let violated = path.forge(&place(4), None, |rows, _| {
        rows.0[0][ENTRY] = 4;
        rows.0[0][INDEX] = 4;
        rows.0[1][INDEX] = 1;
    });
    assert_eq!(violated, ["bus cap"]);
}

#[test]
fn n_24_a_path_follows_the_bits_of_its_index() {
    let path = path(0);
    // The path of leaf 0 for index 3, whose bits are (1, 1).
    let violated = path.forge(&place(3), None, |rows, _| {
        rows.0[0][ENTRY] = 3;
        rows.0[0][INDEX] = 3;
    });
    assert_eq!(violated, only("parent's index"));
    // An accumulated index that begins elsewhere.
    let violated = path.forge(&place(3), None, |rows, _| rows.0[0][ENTRY] = 3);
    assert_eq!(violated, only("index"));
    // A bit that the node does not use, for a leaf beyond the tree.
    let violated = path.forge(&place(4), None, |rows, _| {
        rows.0[0][ENTRY] = 4;
        rows.0[0][INDEX] = 4;
        rows.0[1][BITS + 2] = 1;
    });
    assert_eq!(violated, only("unused bit"));

    let next = RowSpec::new(RowKind::LeafNext, 4);
    let long = hasher(1, &[leaf(12, Leaf::Plain), next, end(RowKind::Parent4)], &place(0));
    let violated = long.forge(&place(3), None, |rows, _| {
        rows.0[0][ENTRY] = 3;
        rows.0[0][INDEX] = 3;
    });
    assert_eq!(violated, only("same index"));
}

#[test]
fn a_node_of_two_children_has_no_others() {
    let path = hasher(1, &[leaf(4, Leaf::Plain), end(RowKind::Parent2)], &place(0));
    let library = chipwright_chips::library(FIELD);
    for (at, rule) in [(9, "other elements"), (CAPACITY + 2, "empty capacity")] {
        // The cap is that of the node with another child.
        let mut rows = Rows(honestly(&library, &path.call, &path.inputs, &path.data).0);
        rows.0[1][at] = 7;
        let caps = vec![(1, rows.after(1)[..4].to_vec())];
        let (call, inputs, data) = (path.call.clone(), path.inputs.clone(), path.data.clone());
        let single = Single { call, inputs, data, caps };
        let violated = single.forge(&place(0), None, move |rows, _| rows.0[1][at] = 7);
        assert_eq!(violated, only(rule));
    }
}

#[test]
fn a_permutation_is_that_of_the_state() {
    // Another sibling, below a node whose digest is that of the honest children.
    let path = path(0);
    let kept = |column| Computed { chip: "call_hasher", row: 1, column, value: None };
    let found = Computed { chip: "call_cap", row: 0, column: "cap.count", value: None };
    for (columns, rule) in [
        (vec![found, kept("last"), kept("digest")], only("last round")),
        (vec![found, kept("digest")], only("digest")),
        (vec![], vec!["bus cap".to_owned()]),
    ] {
        let violated = path.forge_computed::<P>(&columns, |rows, _| rows.0[1][5] ^= 1);
        assert_eq!(violated, rule);
    }
}

/// A point, and a sum of powers of 12 elements.
fn combination(count: usize) -> Single {
    let mut rows = vec![leaf(12, Leaf::Combine)];
    for _ in 1..count {
        rows.push(RowSpec { leaf: Leaf::Combine, ..RowSpec::new(RowKind::LeafNext, 12) });
    }
    rows.push(RowSpec { sum: true, ..RowSpec::new(RowKind::Rest, 0) });
    hasher(0, &rows, &[0, 5, 6])
}

/// What a forged row adds to the opening combination of one row.
type Change = fn(&mut Rows) -> Ext;

#[test]
fn the_opening_combination_is_that_of_the_leaf() {
    let single = combination(1);
    let cases: [(&str, Change); 3] = [
        ("combination", |_| Ext::ONE),
        ("empty sum", |rows| {
            rows.add(0, SUM, Ext::ONE);
            // The sum so far counts for the twelfth power of the point.
            rows.ext(0, POINT).exp_u64(12)
        }),
        ("fourth power", |rows| {
            let block = |rows: &Rows, at: usize| {
                let point = rows.ext(0, POINT);
                (at..at + 4)
                    .fold(Ext::ZERO, |sum, i| sum * point + Goldilocks::from_u64(rows.0[0][i]))
            };
            let total = |rows: &Rows| {
                let fourth = rows.ext(0, FOURTH);
                (block(rows, 0) * fourth + block(rows, 4)) * fourth + block(rows, 8)
            };
            let before = total(rows);
            rows.add(0, FOURTH, Ext::ONE);
            total(rows) - before
        }),
    ];
    for (rule, change) in cases {
        let violated = single.forge(&[0, 5, 6], None, move |rows, outputs| {
            let change = change(rows);
            rows.add(1, SUM, change);
            *outputs = rows.0[1][SUM..SUM + 2].to_vec();
        });
        assert_eq!(violated, only(rule));
    }
    // Another point in the second row of a leaf.
    let single = combination(2);
    let violated = single.forge(&[0, 5, 6], None, |rows, outputs| {
        let combine = |rows: &Rows| {
            let point = rows.ext(1, POINT);
            let elements = rows.0[1][..12].iter();
            elements.fold(rows.ext(1, SUM), |sum, &e| sum * point + Goldilocks::from_u64(e))
        };
        let before = combine(rows);
        rows.add(1, POINT, Ext::ONE);
        let fourth = rows.ext(1, POINT).exp_u64(4) - rows.ext(1, FOURTH);
        rows.add(1, FOURTH, fourth);
        let change = combine(rows) - before;
        rows.add(2, SUM, change);
        *outputs = rows.0[2][SUM..SUM + 2].to_vec();
    });
    assert_eq!(violated, only("same point"));
}

/// Where the sum is over KoalaBear, of degree four: after 24 elements, the entry and the point.
const LONG_SUM: usize = 29;

#[test]
fn the_opening_combination_of_a_long_row_is_that_of_both_its_parts() {
    let field = Field::KoalaBear4;
    let rows =
        vec![leaf(24, Leaf::Combine), RowSpec { sum: true, ..RowSpec::new(RowKind::Rest, 0) }];
    let call = Script { tree: 0, rows }.call();
    let (inputs, data) = (vec![0, 2, 0, 0, 0], (1000..1024).collect());
    let single = Single { call, inputs, data, caps: vec![(1, vec![0; 8])] };
    single.accept_over::<KoalaBear4>();
    // One more after the first twelve elements counts for the twelfth power of the point.
    let computed = [Computed { chip: "call_hasher", row: 0, column: "partial", value: Some(1) }];
    let violated = single.forge_computed::<KoalaBear4>(&computed, move |rows, outputs| {
        let sum = (outputs[0] + (1 << 12)) % field.modulus();
        rows.0[1][LONG_SUM] = sum;
        outputs[0] = sum;
    });
    assert_eq!(violated, only("combination"));
}

/// The evaluations of a coset, six of them in a row: a leaf that is its own tree.
fn fold(log_arity: usize) -> Single {
    let elements = 2 << log_arity;
    let mut rows: Vec<RowSpec> = (0..elements)
        .step_by(12)
        .enumerate()
        .map(|(part, start)| {
            let kind = if part == 0 { RowKind::Leaf } else { RowKind::LeafNext };
            let taken = 12.min(elements - start);
            let enter = part == 0;
            RowSpec { enter, leaf: Leaf::Fold { log_arity, part }, ..RowSpec::new(kind, taken) }
        })
        .collect();
    // Nothing but a cap says which place it is.
    rows.last_mut().expect("a coset has an evaluation").end = true;
    rows.push(RowSpec { sum: true, own: true, ..RowSpec::new(RowKind::Rest, 0) });
    // The data are the squares and a thousand: the evaluation at place 0 is the first two of them.
    hasher(1, &rows, &[0, 5, 6, 1000, 1001])
}

#[test]
fn a_fold_of_any_arity_is_that_of_the_coset() {
    for log_arity in 1..=3 {
        let single = fold(log_arity);
        let last = single.call.rows as usize - 1;
        let violated = single.forge(&single.inputs, None, move |rows, outputs| {
            rows.add(last, SUM, Ext::ONE);
            *outputs = rows.0[last][SUM..SUM + 2].to_vec();
        });
        assert_eq!(violated, only("fold"), "{log_arity}");
        // Another value of the round before is claimed.
        let other = [0, 5, 6, 1001, 1001];
        let violated = single.forge(&other, None, move |rows, _| rows.add(last, OWN, Ext::ONE));
        assert_eq!(violated, only("own evaluation"), "{log_arity}");
    }
}

#[test]
fn a_fold_shows_the_own_evaluation_of_the_coset() {
    let single = fold(3);
    let other = [0, 5, 6, 1001, 1001];
    let violated = single.forge(&other, None, |rows, _| {
        for row in 0..3 {
            rows.add(row, OWN, Ext::ONE);
        }
    });
    assert_eq!(violated, only("nothing is chosen yet"));
    assert_eq!(single.forge(&other, None, |_, _| {}), ["bus witness"]);
    // The places 0 and 7 at once.
    let place = |i: u64| 1000 + i * i;
    let both = [0, 5, 6, place(0) + place(14), place(1) + place(15)];
    let violated = single.forge(&both, None, |rows, _| {
        rows.0[1][BITS..BITS + 3].fill(1);
        let own = rows.ext(1, 2);
        rows.add(2, OWN, own);
    });
    assert_eq!(violated, only("same place"));
    // A bit that is two: twice the evaluation at place 1, less that at place 0.
    let twice = |i: u64| 2 * place(i + 2) - place(i);
    let violated = single.forge(&[2, 5, 6, twice(0), twice(1)], None, |rows, _| {
        rows.0[0][ENTRY] = 2;
        for row in 0..2 {
            rows.0[row][BITS] = 2;
        }
        for row in 1..3 {
            let own = (rows.ext(0, 2) - rows.ext(0, 0)).double();
            rows.add(row, OWN, own);
        }
    });
    assert_eq!(violated.len(), 1, "{violated:?}");
    assert!(violated[0].contains("bits"), "{violated:?}");
}

/// The columns of the index chip.
const ELEMENT: usize = 0;
const REST: usize = 1;
const POWER: usize = 2;
const BIT: usize = 3;
const ONES: usize = 5;

/// The first bits of the rows of [`index`] that have bits of the index.
const START: [u32; 5] = [0, 2, 3, 5, 7];
/// The rows that have one bit.
const SINGLE: [usize; 2] = [1, 4];

/// The index of an element, and its inverse power.
fn index(element: u64) -> Single {
    index_over(FIELD, element)
}

fn index_over(field: Field, element: u64) -> Single {
    let segment = IndexSegment { bits: 8, index_cuts: vec![0, 3], power_cuts: vec![0, 3] };
    let call = index_call(field, &segment);
    Single { call, inputs: vec![element], data: Vec::new(), caps: Vec::new() }
}

/// The bits of `element + p`, which has as many, recompose to the element as well; the index would be another.
fn an_element_has_one_index<P: RecursiveField>(element: u64) {
    index_over(P::FIELD, element).accept_over::<P>();
    let alias = index_over(P::FIELD, element + P::FIELD.modulus());
    let violated =
        alias.forge_over::<P>(&[element], None, move |rows, _| rows.0[0][ELEMENT] = element);
    assert_eq!(violated, ["call_index: canonical"], "{element} over {}", P::FIELD);
    // And if the upper bits are said not to be all ones: by the first of them, by another one, or by the lower bits.
    let upper = (element + P::FIELD.modulus()) >> (P::FIELD.modulus() - 1).trailing_zeros();
    let lower_rows = move |rows: &Rows| rows.0.iter().filter(|row| row[ELEMENT] > upper).count();
    let liars: [(&str, Count); 3] = [
        ("last bits are ones", |_, rows| rows),
        ("upper ones", |_, rows| rows - 1),
        ("upper ones are known below", |lower, _| lower),
    ];
    for (rule, count) in liars {
        let violated = alias.forge_over::<P>(&[element], None, move |rows, _| {
            let count = count(lower_rows(rows), rows.0.len());
            rows.0[0][ELEMENT] = element;
            rows.0[..count].iter_mut().for_each(|row| row[ONES] = 0);
        });
        assert_eq!(violated, [format!("call_index: {rule}")], "{element} over {}", P::FIELD);
    }
}

/// How many rows deny that the upper bits are ones, of so many with lower bits and so many in all.
type Count = fn(usize, usize) -> usize;

#[test]
fn n_27_an_element_has_one_index() {
    for element in [0, 5, (1 << 32) - 2] {
        an_element_has_one_index::<Goldilocks2>(element);
    }
    for element in [0, 5, (1 << 24) - 2] {
        an_element_has_one_index::<KoalaBear4>(element);
    }
}

#[test]
fn n_27_the_largest_element_of_a_field_has_an_index() {
    fn check<P: RecursiveField>() {
        index_over(P::FIELD, P::FIELD.modulus() - 1).accept_over::<P>();
    }
    check::<Goldilocks2>();
    check::<KoalaBear4>();
}

#[test]
fn an_index_and_its_power_are_made_of_the_bits_of_the_element() {
    let honest = index(5);
    let only = |rule: &str| vec![format!("call_index: {rule}")];
    assert_eq!(index(6).forge(&[5], None, |rows, _| rows.0[0][ELEMENT] = 5), only("element"));
    let violated = honest.forge(&[5], None, |rows, outputs| {
        rows.0[0][REST] = 6;
        outputs[0] = 6;
    });
    assert_eq!(violated, only("index"));
    let violated = honest.forge(&[5], None, |rows, outputs| {
        rows.0[0][POWER] ^= 1;
        outputs[1] ^= 1;
    });
    assert_eq!(violated, only("power"));

    // An index, or a power, that is no product of the bits at its end: all rows before follow from the last one.
    let honest = index(0);
    let violated = honest.forge(&[0], None, |rows, outputs| {
        for (row, rest) in rows.0.iter_mut().zip(START.map(|start| 256 >> start)) {
            row[REST] = rest;
        }
        (outputs[0], outputs[2]) = (256, 256 >> 3);
    });
    assert_eq!(violated, only("last bits of the index"));
    let violated = honest.forge(&[0], None, |rows, outputs| {
        rows.0[..START.len()].iter_mut().for_each(|row| row[POWER] = 7);
        (outputs[1], outputs[3]) = (7, 7);
    });
    assert_eq!(violated, only("last factor"));
    // So it is with the element: 2^64 is this one, and all of its 64 bits are zero.
    let element = u64::MAX - FIELD.modulus() + 1;
    let violated = honest.forge(&[element], None, move |rows, _| {
        let mut value = Goldilocks::from_u64(4);
        for number in (0..rows.0.len()).rev() {
            rows.0[number][ELEMENT] = value.as_canonical_u64();
            let before = number.checked_sub(1);
            let single = before.is_some_and(|row| SINGLE.contains(&row));
            value *= Goldilocks::from_u64(if single { 2 } else { 4 });
        }
    });
    assert_eq!(violated, only("last bits of the element"));
    // Eight is two to the second bit of a row that has one.
    let violated = honest.forge(&[8], None, |rows, outputs| {
        (rows.0[0][ELEMENT], rows.0[1][ELEMENT]) = (8, 2);
        (rows.0[0][REST], rows.0[1][REST]) = (8, 2);
        rows.0[1][BIT + 1] = 1;
        outputs[0] = 8;
    });
    assert_eq!(violated, only("single bit"));
    // A bit that is two, instead of the next one.
    let violated = index(2).forge(&[2], None, |rows, outputs| {
        (rows.0[0][BIT], rows.0[0][BIT + 1]) = (2, 0);
        // The root of the lowest bit is −1, and so is its inverse: 1 + 2·(−1 − 1).
        rows.0[0][POWER] = FIELD.modulus() - 3;
        outputs[1] = FIELD.modulus() - 3;
    });
    assert_eq!(violated.len(), 1, "{violated:?}");
    assert!(violated[0].contains("bits"), "{violated:?}");
}
