//! Values that all rows of a chip treat alike, and so need fewer columns to be wired.

use chipwright_chips::library;
use chipwright_chips::recursion::{IndexSegment, index_call};
use chipwright_ir::Field;
use chipwright_ir::chip::ColumnKind;
use chipwright_ir::circuit::verify::verify_tables;
use chipwright_ir::circuit::{
    AssembleError, CallPlan, CalledChip, ChipCall, ChipLibrary, Environment, Form, Graph, Inputs,
    Library, OUT, Relation, Role, RowOp, TableKind, Tables, ValueType, lower_to_slots,
    lower_to_tables,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{check, fill};

const FIELD: Field = Field::Goldilocks2;

fn tables(graph: &Graph) -> Tables {
    lower_to_tables(lower_to_slots(graph, Form::Fused).expect("the circuit is consistent"))
}

fn index() -> TableKind {
    TableKind::Call("index".to_owned())
}

/// The lowest four bits of an element, which are those of a public input, and what is left above two of them.
fn indices(library: &Library) -> Tables {
    let mut graph = Graph::new("indices", FIELD);
    let (element, claimed) = (graph.public(ValueType::Felt), graph.public(ValueType::Felt));
    let segment = IndexSegment { bits: 4, index_cuts: vec![0, 2], power_cuts: vec![0] };
    let call = index_call(FIELD, &segment);
    let signature = library.signature(&call).expect("a segment");
    let outputs = graph.call(call, &signature, &[element]).outputs;
    graph.assert_eq(outputs[0], claimed);
    tables(&graph)
}

#[test]
fn what_rows_only_create_has_a_slot_of_its_own_and_is_compared() {
    let library = library(FIELD);
    let plain = indices(&library);
    let roles = |tables: &Tables| -> Vec<Role> {
        let ports = tables.table(&index()).into_iter().flat_map(|table| table.rows.ports());
        ports.map(|port| port.role).collect()
    };
    // The index is that of the public input; the power and the rest of the index are new.
    let [reads, creates] = [Role::Reads, Role::Creates];
    assert_eq!(roles(&plain), [reads, reads, creates, creates]);
    let copied = plain.clone().with_copies(&library);
    assert_eq!(roles(&copied), [reads, creates, creates, creates]);
    verify_tables(&copied).expect("every slot is created once and read as often as it says");
    assert_eq!(copied.clone().with_copies(&library), copied);

    let public = copied.program.publics[1];
    let arithmetic = copied.table(&TableKind::Alu(ValueType::Felt)).expect("a row compares");
    let [row] = arithmetic.rows.iter().collect::<Vec<_>>()[..] else { panic!("one row") };
    assert_eq!(*row.op, RowOp::Arithmetic(Relation::Eq, ValueType::Felt));
    let [copy, original] = [row.ports[0].slot, row.port(OUT).expect("a row has one").slot];
    assert_eq!((original, copied.original(copy)), (public, public));

    // A run in which the public input is another index than the chip's.
    let assembly = copied.assemble(&library).expect("the library has every chip");
    let run = |claimed: u64| {
        let inputs = Inputs::publics([39, 7]);
        let environment = Environment { chips: &library, hints: None };
        let mut witness = copied.program.execute::<Goldilocks2>(&inputs, environment).unwrap();
        witness.values[public.index()] = p3_field::PrimeCharacteristicRing::from_u64(claimed);
        let trace = fill::<Goldilocks2>(&assembly.machine, &assembly.input(&witness)).unwrap();
        check::<Goldilocks2>(&assembly.machine, &trace)
    };
    assert!(run(7).is_ok(), "{}", run(7));
    let report = run(8);
    let [left, right] = &report.tuples[..] else { panic!("{report}") };
    for tuple in [left, right] {
        assert_eq!(tuple.bus, "witness");
        assert_eq!(assembly.slot(tuple.tuple[0]), Some(public));
    }
}

#[test]
fn slots_that_rows_create_are_numbered_as_they_lie_in_the_table() {
    let library = library(FIELD);
    let circuit = indices(&library).with_copies(&library);
    let assembly = circuit.assemble(&library).expect("the library has every chip");
    let chip = &assembly.machine.chips[assembly.machine.position("call_index").expect("called")];
    let names: Vec<&str> =
        chip.columns_of(ColumnKind::Fixed).map(|id| &chip.columns[id.index()].name[..]).collect();
    let wiring = ["element_slot", "element_count", "index_count", "power_count", "first_slot"];
    assert!(names.ends_with(&wiring), "{names:?}");
    let first_slots = chip.fixed.as_ref().expect("a circuit's chip").columns.last().expect("that");
    let table = circuit.table(&index()).expect("the circuit calls the chip");
    let mut seen = 0;
    for (row, first) in table.rows.iter().zip(first_slots) {
        for port in row.ports.iter().filter(|port| port.role == Role::Creates) {
            // `index` is the second value of the interface, `power` the third.
            let number = first + u64::from(port.position) - 1;
            assert_eq!(assembly.slot(number), Some(circuit.original(port.slot)));
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
    // Every slot has one number: the copy counts as another one of its original.
    let mut numbered: Vec<_> = (0..1000).filter_map(|number| assembly.slot(number)).collect();
    assert_eq!(numbered.len(), circuit.slot_count());
    numbered.sort_unstable();
    numbered.dedup();
    assert_eq!(numbered.len(), circuit.program.slots.len());
}

#[test]
fn rows_do_with_a_value_what_the_chip_says_of_all_rows() {
    let standard = library(FIELD);
    let refused = |tables: &Tables, library: &Library| match tables.assemble(library) {
        Err(AssembleError::Interface { what, .. }) => what,
        other => panic!("assembled: {}", other.is_ok()),
    };
    // The index is read, since a public input has its slot already.
    assert_eq!(refused(&indices(&standard), &standard), "rows that read `index`");

    // A cap whose rows say that they are not used.
    let honest = standard.called("cap").expect("a standard chip");
    let signing = standard.clone();
    let plan = CallPlan {
        signature: Box::new(move |call| signing.signature(call)),
        fixed: Box::new(|call, _| [&[0], &call.parameters[..]].concat()),
    };
    let unused = CalledChip::planned(honest.chip().clone(), plan).reading_if("used", &["digest"]);
    let mut graph = Graph::new("cap", FIELD);
    let digest: Vec<_> = (0..4).map(|_| graph.public(ValueType::Felt)).collect();
    let call = ChipCall { parameters: vec![1, 0], ..ChipCall::new("cap") };
    let signature = standard.signature(&call).expect("a place in a cap");
    graph.call(call, &signature, &digest);
    let circuit = tables(&graph);
    circuit.assemble(&standard).expect("the honest one says that they are");
    assert_eq!(refused(&circuit, &standard.with_chip(unused)), "rows that read `digest[0]`");
}

#[test]
#[should_panic(expected = "`cap` has no value `digests`")]
fn a_value_that_is_wired_is_one_of_the_chip() {
    let library = library(FIELD);
    let chip = library.called("cap").expect("a standard chip").chip().clone();
    drop(CalledChip::new(chip).creating(&["digests"]));
}
