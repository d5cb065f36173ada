//! Rows of transcripts that put what they absorb on the bus as elements of the extension.

use chipwright_chips::library;
use chipwright_chips::recursion::{HashSizes, Leaf, RowKind, RowSpec, Script};
use chipwright_ir::circuit::{
    CallPlan, CalledChip, ChipCall, ChipLibrary, Environment, Form, Graph, Inputs, Library,
    ValueType, lower_to_slots, lower_to_tables,
};
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_ir::machine::{check, fill};
use chipwright_ir::{Field, FieldPair};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

const FIELDS: [Field; 3] = [Field::Goldilocks2, Field::Goldilocks3, Field::KoalaBear4];

/// A row that absorbs a whole block, all of it private data, and joins what it can.
fn whole(field: Field) -> RowSpec {
    let rate = HashSizes::of(field).rate();
    let degree = field.degree();
    let others = HashSizes::joined(field).flat_map(|first| first + 1..first + degree);
    let others = others.fold(0, |mask, i| mask | 1 << i);
    let written = ((1 << rate) - 1) & !others;
    RowSpec { written, joined: true, ..RowSpec::new(RowKind::Begin, rate) }
}

fn script(rows: Vec<RowSpec>) -> Script {
    Script { tree: 0, rows }
}

/// Whether a circuit that claims an element of the extension among those that a row absorbs, up to an error, has
/// a trace that keeps all rules.
fn claim<P: FieldPair>(error: P::Ext) -> bool {
    let (field, library) = (P::FIELD, library(P::FIELD));
    let rate = HashSizes::of(field).rate();
    let first = HashSizes::joined(field).last().expect("a block holds an element");
    let elements: Vec<u64> = (0..rate as u64).map(|i| 1000 + i * i).collect();
    let claimed = elements[first..first + field.degree()].to_vec();

    let mut graph = Graph::new("claim", field);
    let public = graph.public(ValueType::Ext);
    let call = script(vec![whole(field)]).call();
    let signature = library.signature(&call).expect("a sound script");
    let place = signature.outputs.iter().position(|port| usize::from(port.port) == first);
    let place = place.expect("the element is on the bus");
    assert_eq!(signature.outputs[place].ty, ValueType::Ext);
    let outputs = graph.call(call, &signature, &[]).outputs;
    graph.assert_eq(outputs[place], public);
    // The table where paths end.
    let digest: Vec<_> = (0..rate / 3).map(|_| graph.public(ValueType::Felt)).collect();
    let cap = ChipCall { parameters: vec![1, 0], ..ChipCall::new("cap") };
    let signature = library.signature(&cap).expect("a place in a cap");
    graph.call(cap, &signature, &digest);
    let slots = lower_to_slots(&graph, Form::Fused).expect("the circuit is consistent");
    let tables = lower_to_tables(slots).with_copies(&library);
    let assembly = tables.assemble(&library).expect("the library has every chip");

    let environment = Environment { chips: &library, hints: None };
    let publics = [vec![claimed], vec![vec![0]; rate / 3]].concat();
    let inputs = Inputs { publics, data: vec![elements], ..Inputs::default() };
    let mut witness = tables.program.execute::<P>(&inputs, environment).expect("it holds");
    witness.values[tables.program.publics[0].index()] += error;
    let trace =
        fill::<P>(&assembly.machine, &assembly.input(&witness)).expect("every cell has a value");
    check::<P>(&assembly.machine, &trace).is_ok()
}

fn every_coefficient<P: FieldPair>() {
    assert!(claim::<P>(P::Ext::ZERO));
    for coefficient in 0..P::FIELD.degree() {
        let error = P::Ext::from_basis_coefficients_fn(|i| P::Base::from_bool(i == coefficient));
        assert!(!claim::<P>(error), "coefficient {coefficient} over {}", P::FIELD);
    }
}

#[test]
fn every_coefficient_of_a_joined_element_is_that_of_the_row() {
    every_coefficient::<Goldilocks2>();
    every_coefficient::<Goldilocks3>();
    every_coefficient::<KoalaBear4>();
}

#[test]
fn scripts_join_whole_elements_of_transcripts() {
    for field in FIELDS {
        let library = library(field);
        let sound = |row: RowSpec| library.signature(&script(vec![row]).call()).is_some();
        let row = whole(field);
        let first = HashSizes::joined(field).next().expect("a block holds an element");
        assert!(sound(row));
        // A coefficient is missing.
        let taken = first + field.degree() - 1;
        assert!(!sound(RowSpec { taken, written: (1 << taken) - 1, ..row }));
        // One is given to the call, or on the bus by itself.
        let other = 1 << (first + 1);
        assert!(!sound(RowSpec { read: other, ..row }));
        assert!(!sound(RowSpec { written: row.written | other, ..row }));
        // The first one is given to the call.
        let head = 1 << first;
        assert!(!sound(RowSpec { read: head, written: row.written & !head, ..row }));
        // What is absorbed by a leaf is on the bus as it is.
        let end = RowSpec::new(RowKind::Rest, 0);
        let leaf = |joined: bool| {
            let row = RowSpec { kind: RowKind::Leaf, leaf: Leaf::Plain, joined, ..row };
            library.signature(&script(vec![row, end]).call()).is_some()
        };
        assert!(leaf(false) && !leaf(true));
    }
}

/// What a call says of its ports is what its rows do.
#[test]
fn elements_are_joined_where_the_fixed_columns_say_so() {
    for field in FIELDS {
        let standard = library(field);
        let honest = standard.called("hasher").expect("a standard chip");
        let call = script(vec![whole(field)]).call();
        let with = |joined: u64| -> Library {
            let (signing, fixed) = (standard.clone(), honest.clone());
            let plan = CallPlan {
                signature: Box::new(move |call| signing.signature(call)),
                fixed: Box::new(move |call, row| {
                    let mut row = fixed.fixed_row(call, row);
                    *row.last_mut().expect("the chip has fixed columns") = joined;
                    row
                }),
            };
            let firsts = HashSizes::joined(field);
            let chip = CalledChip::planned(honest.chip().clone(), plan)
                .creating(&["before", "sum"])
                .joining_if("joined", "before", firsts);
            let data = standard.called("hasher").expect("a standard chip").clone();
            standard.clone().with_chip(chip.with_run(std::sync::Arc::new(
                move |call, inputs, given| {
                    data.native_run(call, inputs, given).unwrap_or_else(|| Err(String::new()))
                },
            )))
        };
        assert!(with(1).signature(&call).is_some());
        assert!(with(0).signature(&call).is_none());
    }
}

#[test]
#[should_panic(expected = "`hasher` has no `jointly`")]
fn the_column_that_joins_is_one_of_the_chip() {
    let library = library(Field::Goldilocks2);
    let chip = library.called("hasher").expect("a standard chip").chip().clone();
    drop(CalledChip::new(chip).joining_if("jointly", "before", [0]));
}

#[test]
#[should_panic(expected = "`before[2][3]` has no 2 base elements behind it")]
fn elements_that_are_joined_are_whole() {
    let library = library(Field::Goldilocks2);
    let chip = library.called("hasher").expect("a standard chip").chip().clone();
    drop(CalledChip::new(chip).joining_if("joined", "before", [11]));
}
