//! Calls of the hash chip whose results nobody computes.

use chipwright_chips::library;
use chipwright_chips::recursion::{
    HashField, HashSizes, IndexSegment, Leaf, RowKind, RowSpec, Script, index_call,
};
use chipwright_ir::audit::Rng;
use chipwright_ir::circuit::{CallInput, ChipCall, ChipLibrary};
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4, KoalaBear5};
use chipwright_ir::{Field, with_field};

use crate::forging::Run;

fn leaf(what: Leaf, taken: usize) -> RowSpec {
    RowSpec { enter: true, leaf: what, ..RowSpec::new(RowKind::Leaf, taken) }
}

fn leaf_next(what: Leaf, taken: usize) -> RowSpec {
    RowSpec { leaf: what, ..RowSpec::new(RowKind::LeafNext, taken) }
}

fn row(kind: RowKind) -> RowSpec {
    RowSpec::new(kind, 0)
}

fn absorb(kind: RowKind, taken: usize) -> RowSpec {
    RowSpec { read: (1 << taken) - 1, ..RowSpec::new(kind, taken) }
}

/// A row that shows a digest.
fn echo(field: Field) -> RowSpec {
    RowSpec { written: HashSizes::of(field).mask(0), ..row(RowKind::Echo) }
}

fn end(row: RowSpec) -> RowSpec {
    RowSpec { end: true, ..row }
}

fn sum(row: RowSpec) -> RowSpec {
    RowSpec { sum: true, ..row }
}

fn own(row: RowSpec) -> RowSpec {
    RowSpec { own: true, ..row }
}

/// The rows of a leaf that folds a coset.
fn fold(field: Field, log_arity: usize) -> Vec<RowSpec> {
    let in_row = HashSizes::of(field).rate() / field.degree();
    let starts = (0..1_usize << log_arity).step_by(in_row);
    let part = |(part, start): (usize, usize)| {
        let taken = in_row.min((1 << log_arity) - start) * field.degree();
        let what = Leaf::Fold { log_arity, part };
        if part == 0 { leaf(what, taken) } else { leaf_next(what, taken) }
    };
    starts.enumerate().map(part).collect()
}

fn script(tree: u64, rows: impl Into<Vec<RowSpec>>) -> Script {
    Script { tree, rows: rows.into() }
}

fn is_answered(field: Field, script: &Script) -> bool {
    library(field).signature(&script.call()).is_some()
}

/// Demands that a run of a script can be forged, and that the chip does not answer the call.
fn forged_and_refused<P: HashField>(script: &Script) {
    let mut rng = Rng::new(7);
    let honest = Run::<P>::honest(script, &mut rng);
    assert!(honest.is_accepted(), "{script:?} over {}", P::FIELD);
    let forgery = honest.forgery(&mut rng, 100);
    assert!(forgery.is_some(), "nothing is forged of {script:?} over {}", P::FIELD);
    refused(P::FIELD, script);
}

/// Demands that the chip does not answer a call, nor compute it.
fn refused(field: Field, script: &Script) {
    assert!(!is_answered(field, script), "{script:?} over {field}");
    let library = library(field);
    let hasher = library.called("hasher").expect("a standard chip");
    let runs = hasher.native_runs(&script.call(), &[CallInput { inputs: &[], data: &[] }]);
    let [Err(error)] = &runs.expect("the chip says what rows hold")[..] else {
        panic!("{script:?} over {field} is computed")
    };
    assert_eq!(error, "the parameters of the call are not a sound script");
}

/// Runs a check over every field.
macro_rules! over_every_field {
    ($check:ident) => {
        $check::<Goldilocks2>();
        $check::<Goldilocks3>();
        $check::<KoalaBear4>();
        $check::<KoalaBear5>();
    };
}

#[test]
fn h_07_a_sum_behind_no_combination_is_refused() {
    fn check<P: HashField>() {
        let parent = row(RowKind::Parent4);
        for script in [
            script(0, [leaf(Leaf::Plain, 4), sum(row(RowKind::Rest))]),
            script(1, [leaf(Leaf::Combine, 4), parent, sum(end(parent))]),
            script(1, [leaf(Leaf::Combine, 4), end(parent), sum(row(RowKind::Rest))]),
            script(0, [absorb(RowKind::Begin, 4), sum(row(RowKind::Echo))]),
        ] {
            forged_and_refused::<P>(&script);
        }
        assert!(is_answered(P::FIELD, &script(1, [leaf(Leaf::Combine, 4), sum(end(parent))])));
    }
    over_every_field!(check);
}

#[test]
fn h_07_an_own_evaluation_behind_no_fold_is_refused() {
    fn check<P: HashField>() {
        let rest = row(RowKind::Rest);
        let parent = row(RowKind::Parent4);
        for script in [
            script(0, [leaf(Leaf::Plain, 4), own(rest)]),
            script(0, [leaf(Leaf::Combine, 4), own(rest)]),
            script(1, [fold(P::FIELD, 1), vec![parent, own(end(parent))]].concat()),
        ] {
            forged_and_refused::<P>(&script);
        }
        let sound = script(1, [fold(P::FIELD, 3), vec![own(sum(end(parent)))]].concat());
        assert!(is_answered(P::FIELD, &sound));
    }
    over_every_field!(check);
}

#[test]
fn h_07_an_own_evaluation_at_an_index_that_no_cap_binds_is_refused() {
    fn check<P: HashField>() {
        // Any place fits the index, as far as what is left of the index makes up for it.
        let open = script(0, [fold(P::FIELD, 2), vec![own(sum(row(RowKind::Rest)))]].concat());
        forged_and_refused::<P>(&open);
        let mut rows = fold(P::FIELD, 2);
        rows.last_mut().expect("a row").end = true;
        rows.push(own(sum(row(RowKind::Rest))));
        assert!(is_answered(P::FIELD, &script(1, rows)));
    }
    over_every_field!(check);
}

#[test]
fn h_07_a_coset_is_folded_to_its_last_evaluation_in_order() {
    fn check<P: HashField>() {
        let rows = fold(P::FIELD, 3);
        let last = own(sum(end(row(RowKind::Parent4))));
        let whole = script(1, [rows.clone(), vec![last]].concat());
        assert!(is_answered(P::FIELD, &whole) && rows.len() == 2);
        refused(P::FIELD, &script(1, vec![rows[0], last]));
        refused(P::FIELD, &script(1, vec![end(rows[0]), own(sum(row(RowKind::Rest)))]));
        refused(P::FIELD, &script(1, vec![rows[0], rows[1], rows[1], last]));
        refused(P::FIELD, &script(1, vec![rows[0], rows[0], last]));
        refused(P::FIELD, &script(1, vec![rows[0], leaf_next(Leaf::Plain, 4), last]));
        let other = RowSpec { leaf: Leaf::Fold { log_arity: 2, part: 0 }, ..rows[0] };
        refused(P::FIELD, &script(1, vec![other, rows[1], last]));
        let begun_later = RowSpec { kind: RowKind::Leaf, enter: true, ..rows[1] };
        refused(P::FIELD, &script(1, vec![begun_later, last]));
    }
    over_every_field!(check);
}

#[test]
fn h_07_a_path_that_does_not_begin_at_an_index_does_not_end() {
    fn check<P: HashField>() {
        let outside = RowSpec { enter: false, ..leaf(Leaf::Plain, 4) };
        let parent = row(RowKind::Parent4);
        for rows in [vec![end(outside)], vec![outside, end(parent)]] {
            forged_and_refused::<P>(&script(1, rows));
        }
        assert!(is_answered(P::FIELD, &script(1, [leaf(Leaf::Plain, 4), end(parent)])));
    }
    over_every_field!(check);
}

#[test]
fn h_07_a_path_ends_in_a_tree() {
    fn check<P: HashField>() {
        // Tree zero is that of the unused rows of the table of caps, which hold any digest.
        let nowhere = script(0, [leaf(Leaf::Plain, 4), end(row(RowKind::Parent4))]);
        let mut rng = Rng::new(3);
        let [one, other] = [(); 2].map(|()| {
            let mut run = Run::<P>::honest(&nowhere, &mut rng);
            run.move_to(0);
            run
        });
        assert!(one.shown() != other.shown() && one.is_accepted() && other.is_accepted());
        refused(P::FIELD, &nowhere);
        let library = library(P::FIELD);
        let cap = |parameters: Vec<u64>| {
            library.signature(&ChipCall { parameters, ..ChipCall::new("cap") }).is_some()
        };
        assert!(cap(vec![1, 0]) && !cap(vec![0, 0]) && !cap(vec![P::FIELD.modulus(), 0]));
        assert!(!cap(vec![1]) && !cap(vec![1, 0, 0]));
        // A tree in which no path ends, and one whose number is another one's.
        refused(P::FIELD, &script(1, [leaf(Leaf::Plain, 4), echo(P::FIELD)]));
        let far = P::FIELD.modulus() + 1;
        refused(P::FIELD, &script(far, [leaf(Leaf::Plain, 4), end(row(RowKind::Parent4))]));
    }
    over_every_field!(check);
}

#[test]
fn h_07_what_has_no_digest_is_nobodys_child() {
    fn check<P: HashField>() {
        let rest = row(RowKind::Rest);
        let inject = RowSpec { read: P::SIZES.mask(1), ..row(RowKind::Inject) };
        for script in [
            script(0, [leaf(Leaf::Plain, 4), rest, echo(P::FIELD)]),
            script(
                0,
                [absorb(RowKind::Begin, 4), rest, absorb(RowKind::Absorb, 4), echo(P::FIELD)],
            ),
            script(0, [rest, echo(P::FIELD)]),
            script(1, [leaf(Leaf::Plain, 4), rest, end(row(RowKind::Parent4))]),
            script(1, [leaf(Leaf::Plain, 4), rest, end(inject)]),
            script(1, [leaf(Leaf::Plain, 4), end(rest)]),
            script(1, [leaf(Leaf::Plain, 4), end(echo(P::FIELD))]),
        ] {
            forged_and_refused::<P>(&script);
        }
        assert!(is_answered(P::FIELD, &script(1, [leaf(Leaf::Plain, 4), end(inject)])));
    }
    over_every_field!(check);
}

#[test]
fn h_07_the_digest_of_a_node_is_compared_with_a_cap_and_not_shown() {
    fn check<P: HashField>() {
        let parent = row(RowKind::Parent4);
        // Its place among its siblings would be the prover's to choose.
        forged_and_refused::<P>(&script(0, [leaf(Leaf::Plain, 4), parent, echo(P::FIELD)]));
        refused(P::FIELD, &script(0, [leaf(Leaf::Plain, 4), parent]));
        refused(P::FIELD, &script(0, [leaf(Leaf::Plain, 4), parent, row(RowKind::Rest)]));
        refused(P::FIELD, &script(1, [leaf(Leaf::Plain, 4), end(parent), end(parent)]));
        refused(P::FIELD, &script(1, [leaf(Leaf::Plain, 4), end(parent), echo(P::FIELD)]));
    }
    over_every_field!(check);
}

#[test]
fn h_07_an_index_has_one_path() {
    fn check<P: HashField>(levels: usize) {
        let mut rows = vec![leaf(Leaf::Plain, 4)];
        rows.resize(levels, row(RowKind::Parent4));
        rows.push(end(row(RowKind::Parent4)));
        let long = script(1, rows.clone());
        let mut honest = Run::<P>::honest(&long, &mut Rng::new(1));
        honest.move_to(0);
        // The bits of the order of the field, which is zero.
        let order = P::FIELD.modulus();
        let bits: Vec<_> = (0..levels).map(|level| (1 + level, order >> (2 * level) & 3)).collect();
        let other = honest.with_bits(&bits);
        assert!(honest.is_accepted() && other.is_accepted() && other.shown() != honest.shown());
        refused(P::FIELD, &long);
        rows.remove(1);
        assert!(is_answered(P::FIELD, &script(1, rows)));
        // Nor does the rest of it, as the position in a cap.
        let library = library(P::FIELD);
        let places = (order - 1) >> (2 * (levels - 1));
        let cap = |position: u64| {
            let call = ChipCall { parameters: vec![1, position], ..ChipCall::new("cap") };
            library.signature(&call).is_some()
        };
        assert!(cap(places - 1) && !cap(places) && !cap(order - 1));
    }
    check::<Goldilocks2>(17);
    check::<Goldilocks3>(17);
    check::<KoalaBear4>(13);
    check::<KoalaBear5>(13);
}

#[test]
fn h_07_the_last_row_adds_to_no_sum() {
    fn check<P: HashField>() {
        // Another call's first row would have to have it.
        refused(P::FIELD, &script(0, [leaf(Leaf::Combine, 4)]));
        refused(P::FIELD, &script(1, [end(leaf(Leaf::Combine, 4))]));
        let mut rows = fold(P::FIELD, 1);
        rows.last_mut().expect("a row").end = true;
        refused(P::FIELD, &script(1, rows));
        assert!(is_answered(P::FIELD, &script(1, [end(leaf(Leaf::Plain, 4))])));
    }
    over_every_field!(check);
}

#[test]
fn h_07_what_has_no_code_is_no_other_row() {
    for field in Field::ALL {
        let far = RowSpec { taken: 256 + 4, ..leaf(Leaf::Plain, 4) };
        refused(field, &script(0, [far, echo(field)]));
        for (log_arity, part) in [(0, 0), (16, 0), (1, 16)] {
            let rows = [leaf(Leaf::Fold { log_arity, part }, 4), echo(field)];
            refused(field, &script(0, rows));
        }
        let wide = RowSpec { taken: 200, ..leaf(Leaf::Plain, 4) };
        refused(field, &script(0, [wide, echo(field)]));
        let library = library(field);
        for cut in [64, 65, u32::MAX] {
            let segment = IndexSegment { bits: 8, index_cuts: vec![cut], power_cuts: vec![0] };
            assert!(library.signature(&index_call(field, &segment)).is_none());
        }
    }
}

/// A script of some shape that is sound.
fn sound(field: Field, rng: &mut Rng) -> Script {
    let sizes = HashSizes::of(field);
    let taken = |rng: &mut Rng| 1 + rng.below(sizes.rate());
    if rng.below(3) == 0 {
        return transcript(field, rng);
    }
    let mut rows = match rng.below(3) {
        0 => fold(field, 1 + rng.below(3)),
        kind => {
            let what = if kind == 1 { Leaf::Plain } else { Leaf::Combine };
            let mut rows = vec![leaf(what, taken(rng))];
            rows.extend((0..rng.below(3)).map(|_| leaf_next(what, taken(rng))));
            rows
        }
    };
    let what = rows[0].leaf;
    let folds = matches!(what, Leaf::Fold { .. });
    let shows = |row: RowSpec| RowSpec { sum: what != Leaf::Plain, own: folds, ..row };
    if !folds && rng.below(2) == 0 {
        rows.push(shows(if rng.below(2) == 0 { echo(field) } else { row(RowKind::Rest) }));
        return script(0, rows);
    }
    let behind = rows.len();
    for _ in 0..rng.below(4) {
        rows.push(match rng.below(3) {
            0 => row(RowKind::Parent4),
            1 => row(RowKind::Parent2),
            _ => RowSpec { read: sizes.mask(1), ..row(RowKind::Inject) },
        });
    }
    rows.last_mut().expect("a leaf has a row").end = true;
    if rows.len() == behind {
        rows.push(row(RowKind::Rest));
    }
    rows[behind] = shows(rows[behind]);
    script(1 + rng.below(3) as u64, rows)
}

fn transcript(field: Field, rng: &mut Rng) -> Script {
    let rate = HashSizes::of(field).rate();
    let mut rows: Vec<RowSpec> = Vec::new();
    for _ in 0..=rng.below(4) {
        let kind = match rows.last().map(|row| row.kind) {
            None => RowKind::Begin,
            Some(_) if rng.below(2) == 0 => RowKind::Echo,
            Some(RowKind::Echo) => RowKind::Resume,
            Some(_) => RowKind::Absorb,
        };
        rows.push(if kind == RowKind::Echo {
            RowSpec { written: rng.bits() as u32 & ((1 << rate) - 1), ..row(kind) }
        } else {
            let taken = 1 + rng.below(rate);
            let read = rng.bits() as u32 & ((1 << taken) - 1);
            RowSpec { read, written: read ^ ((1 << taken) - 1), ..RowSpec::new(kind, taken) }
        });
    }
    script(0, rows)
}

/// Changes something of a script.
fn change(field: Field, script: &mut Script, rng: &mut Rng) {
    use RowKind::{
        Absorb, Begin, Echo, Inject, Leaf as Leaf_, LeafNext, Parent2, Parent4, Rest, Resume,
    };
    let kinds = [Begin, Absorb, Resume, Echo, Leaf_, LeafNext, Parent4, Parent2, Inject, Rest];
    let at = rng.below(script.rows.len());
    let rate = HashSizes::of(field).rate();
    match rng.below(14) {
        0 => script.tree = rng.below(3) as u64,
        1 if script.rows.len() > 1 => drop(script.rows.remove(at)),
        2 => script.rows.insert(at, row(RowKind::Rest)),
        3 => script.rows.insert(at, echo(field)),
        4 => script.rows.insert(at, row(RowKind::Parent4)),
        5 => script.rows.push(sum(row(RowKind::Rest))),
        6 => script.rows.push(echo(field)),
        7 => script.rows[at].kind = kinds[rng.below(kinds.len())],
        8 => script.rows[at].enter ^= true,
        9 => script.rows[at].sum ^= true,
        10 => script.rows[at].own ^= true,
        11 => script.rows[at].end ^= true,
        12 => script.rows[at].taken = rng.below(rate + 1),
        _ => {
            let (log_arity, part) = (1 + rng.below(3), rng.below(2));
            let leaves = [Leaf::Plain, Leaf::Combine, Leaf::Fold { log_arity, part }];
            script.rows[at].leaf = leaves[rng.below(3)];
        }
    }
}

/// Whatever the chip answers, no other result of it keeps the chip's rules.
#[test]
fn h_07_no_run_of_a_script_that_the_chip_answers_is_forged() {
    fn check<P: HashField>(seed: u64) -> [usize; 2] {
        let mut rng = Rng::new(seed);
        let mut script = sound(P::FIELD, &mut rng);
        assert!(is_answered(P::FIELD, &script), "{script:?} over {}", P::FIELD);
        let changes = rng.below(3);
        for _ in 0..changes {
            change(P::FIELD, &mut script, &mut rng);
        }
        if !is_answered(P::FIELD, &script) {
            return [0, 1];
        }
        let honest = Run::<P>::honest(&script, &mut rng);
        assert!(honest.is_accepted(), "{script:?} over {}", P::FIELD);
        if let Some(forged) = honest.forgery(&mut rng, 16) {
            panic!("{script:?} over {}: {:?} for {:?}", P::FIELD, forged.shown(), honest.shown());
        }
        [usize::from(changes > 0), 0]
    }
    let (mut changed, mut refused) = (0, 0);
    for seed in 0..200 {
        let field = Field::ALL[seed as usize % Field::ALL.len()];
        let [also, not] = with_field!(field, P => check::<P>(seed));
        changed += also;
        refused += not;
    }
    assert!(changed >= 10 && refused >= 60, "{changed} changed, {refused} refused");
}
