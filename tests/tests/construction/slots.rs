//! Slots and rows: what becomes of values and operations.

use chipwright_backend_stark::circuit::CircuitError;
use chipwright_backend_stark::machine::MachineError;
use chipwright_backend_stark::proof::Proof;
use chipwright_ir::chip::passes::{on_witness_bus, witness_values};
use chipwright_ir::circuit::passes::OPTIMISATIONS;
use chipwright_ir::circuit::verify::verify_tables;
use chipwright_ir::circuit::{
    A, BinaryOp, ChipCall, ChipLibrary, Environment, Form, Graph, Inputs, Relation, RowOp, SlotId,
    TableKind, ValueType, WitnessError, lower_to_slots,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_tests::{Compiled, FIELD, expect_rejected, sum_of_squares, tables, toy};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

use super::{FORMS, position};

#[test]
fn r_06_a_constant_has_one_slot_and_one_row() {
    let mut graph = Graph::new("pool", FIELD);
    let x = graph.public(ValueType::Felt);
    let seven = graph.constant(7);
    let again = graph.constant(7);
    let three = graph.constant(3);
    let four = graph.constant(4);
    let folded = graph.binary(BinaryOp::Add, three, four);
    let sum = graph.binary(BinaryOp::Add, seven, again);
    let sum = graph.binary(BinaryOp::Add, sum, folded);
    let sum = graph.binary(BinaryOp::Mul, sum, x);
    let claimed = graph.public(ValueType::Felt);
    graph.assert_eq(sum, claimed);
    let optimised = OPTIMISATIONS.iter().fold(graph, |graph, pass| pass.apply(&graph).unwrap());
    let tables = tables(&optimised, Form::Separate);
    let mut constants: Vec<_> =
        tables.table(&TableKind::Const).unwrap().rows.iter().map(|row| row.op.clone()).collect();
    let rows = constants.len();
    constants.dedup();
    assert_eq!(constants.len(), rows, "a constant has two rows");
    assert_eq!(rows, 1, "7 + 7 + (3 + 4) folds to one constant");
}

#[test]
fn r_07_public_inputs_are_bound() {
    for form in FORMS {
        let compiled = Compiled::new(&sum_of_squares(2), form);
        let proof = compiled.prove(&Inputs::publics([25]).with_privates([3, 4]));
        compiled.verify(&[25], &proof).unwrap();
        for wrong in [0, 24, 26, u64::from(u32::MAX)] {
            expect_rejected(compiled.verify(&[wrong], &proof));
        }
        // The value's alias modulo the field is no value at all.
        assert!(matches!(
            compiled.verify(&[25 + FIELD.modulus()], &proof),
            Err(CircuitError::Machine(MachineError::NotCanonical { .. }))
        ));
        for row in compiled.prover.tables().program.rows.iter() {
            let writes_public =
                row.creates().any(|slot| compiled.prover.tables().program.publics.contains(&slot));
            assert_eq!(writes_public, matches!(row.op, RowOp::Public(_)));
        }
    }
}

#[test]
fn r_08_a_subtraction_is_an_addition_row() {
    let text = tables(&toy(), Form::Separate).program.to_string();
    assert!(!text.contains("sub"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn r_09_a_division_is_a_multiplication_row() {
    let mut graph = Graph::new("quotient", FIELD);
    let a = graph.public(ValueType::Felt);
    let b = graph.public(ValueType::Felt);
    let quotient = graph.binary(BinaryOp::Div, a, b);
    let claimed = graph.public(ValueType::Felt);
    graph.assert_eq(quotient, claimed);
    let compiled = Compiled::new(&graph, Form::Separate);
    assert!(!compiled.prover.tables().program.to_string().contains("div"));
    let proof = compiled.prove(&Inputs::publics([42, 6, 7]));
    compiled.verify(&[42, 6, 7], &proof).unwrap();
    // A zero divisor has no quotient; the executor also refuses 0 / 0, whose row any quotient satisfies.
    for dividend in [42, 0] {
        let error = compiled.prover.witness(&Inputs::publics([dividend, 0, 7]), None).unwrap_err();
        assert!(matches!(error, CircuitError::Witness(WitnessError::DivisionByZero { .. })));
    }
}

#[test]
fn r_18_the_results_of_a_call_are_slots_that_the_call_creates() {
    // The construction's document has calls introduce no targets. Here a call returns targets for its
    // outputs, and each is created by the call and by nothing else.
    let library = chipwright_chips::library(FIELD);
    let mut graph = Graph::new("call", FIELD);
    let x = graph.public(ValueType::Felt);
    let call = ChipCall::new("is_zero");
    let signature = library.signature(&call).unwrap();
    let outputs = graph.call(call, &signature, &[x]).outputs;
    let claimed = graph.public(ValueType::Felt);
    graph.assert_eq(outputs[0], claimed);
    let tables = tables(&graph, Form::Fused);
    verify_tables(&tables).unwrap();
    for slot in 0..tables.program.slots.len() {
        let creators = tables
            .rows()
            .flat_map(|(_, row)| row.creates().collect::<Vec<_>>())
            .filter(|created| created.index() == slot)
            .count();
        assert_eq!(creators, 1);
    }
}

#[test]
fn r_19_connect_shares_one_slot() {
    let mut graph = Graph::new("classes", FIELD);
    let mut seed = 7_u64;
    let values: Vec<_> = (0..101).map(|_| graph.private(ValueType::Felt)).collect();
    let before = lower_to_slots(&graph, Form::Fused).unwrap();
    assert_eq!(before.slots.len(), 101);
    // A hundred unions in a random order, each with a random earlier member.
    for index in 1..101 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        graph.connect(values[(seed >> 33) as usize % index], values[index]);
    }
    let after = lower_to_slots(&graph, Form::Fused).unwrap();
    assert_eq!(after.slots.len(), 1);
    // No rows check the equalities that share a slot, but one creator remains.
    let creators = after.rows.iter().flat_map(|row| row.creates().collect::<Vec<_>>()).count();
    assert_eq!(creators, 1);
}

#[test]
fn r_23_the_index_of_the_witness_table_is_preprocessed() {
    let honest = Compiled::new(&toy(), Form::Separate);
    // A prover who commits to another index column, with slot 2 twice, has another key.
    let mut machine = honest.prover.machine().clone();
    let witness = honest.table("witness");
    let index_column = {
        let chip = &machine.chips[witness];
        let mut fixed =
            chip.columns.iter().filter(|c| c.kind == chipwright_ir::chip::ColumnKind::Fixed);
        fixed.position(|column| column.name == "value_slot").expect("the slot column")
    };
    let index = &mut machine.chips[witness].fixed.as_mut().unwrap().columns[index_column];
    assert_eq!(*index, (0..index.len() as u64).collect::<Vec<_>>(), "0, 1, 2, …");
    index[3] = 2;
    let config = chipwright_backend_stark::config::Config::testing();
    let (forger, _) =
        chipwright_backend_stark::key::compile::<Goldilocks2>(&machine, &config).unwrap();
    let forged = forger.prove(honest.trace(&Inputs::publics([3]))).unwrap();
    assert_ne!(forged.statement(), honest.verifier.key().digest());
    let mut bytes = forged.to_bytes();
    let place = position(&bytes, forged.statement());
    bytes[place..place + 32].copy_from_slice(honest.verifier.key().digest());
    let relabelled = Proof::from_bytes(honest.verifier.key(), &bytes).unwrap();
    expect_rejected(honest.verify(&[3], &relabelled));
}

#[test]
fn r_24_a_base_operation_rejects_an_element_with_upper_coefficients() {
    for form in FORMS {
        let mut graph = Graph::new("square", FIELD);
        let x = graph.private(ValueType::Felt);
        let square = graph.binary(BinaryOp::Mul, x, x);
        let claimed = graph.public(ValueType::Felt);
        graph.assert_eq(square, claimed);
        let compiled = Compiled::new(&graph, form);
        // The square of the generator of Goldilocks² is 7: an honest base element, of a root that is
        // none.
        let w = <<Goldilocks2 as chipwright_ir::FieldPair>::Ext as p3_field::BasedVectorSpace<
            Goldilocks,
        >>::ith_basis_element(1)
        .unwrap();
        let honest = Inputs::publics([9]).with_privates([3]);
        let mut witness = compiled.prover.witness(&honest, None).unwrap();
        let slots = &compiled.prover.tables().program;
        let root = slots
            .rows
            .iter()
            .find(|row| matches!(row.op, RowOp::Arithmetic(Relation::Mul, _)))
            .unwrap()
            .port(A)
            .unwrap()
            .slot;
        witness.values[root.index()] = w;
        witness.values[slots.publics[0].index()] = w * w;
        for slot in 0..witness.values.len() {
            if witness.values[slot] == Goldilocks::from_u64(9).into() {
                witness.values[slot] = w * w;
            }
        }
        let trace = compiled.prover.trace(&witness).unwrap();
        expect_rejected(compiled.verify(&[7], &compiled.prove_trace(trace)));
    }
}

#[test]
fn r_25_every_operation_is_a_chip_that_can_be_inspected() {
    let library = chipwright_chips::library(FIELD);
    for (kind, values) in [
        (TableKind::Const, 1),
        (TableKind::Private, 1),
        (TableKind::Witness, 1),
        (TableKind::Add, 3),
        (TableKind::Mul, 3),
        (TableKind::Alu(ValueType::Felt), 4),
        (TableKind::Alu(ValueType::Ext), 4),
    ] {
        let bare = library.primitive(&kind).unwrap_or_else(|| panic!("no chip for {kind}"));
        let wired = on_witness_bus(bare, &witness_values(bare)).unwrap().chip;
        assert_eq!(wired.interactions.len(), values, "{kind}");
        assert_eq!(wired.ports.len(), 1, "{kind}");
        assert!(wired.width() >= values, "{kind}");
        assert!((0..=3).contains(&wired.degree()), "{kind}");
        // The text says all of it, and reads back; only the author's comments are lost.
        let read = chipwright_ir::chip::parse::parse(&wired.to_string()).unwrap();
        assert_eq!(read.columns, wired.columns, "{kind}");
        assert_eq!(read.ports, wired.ports, "{kind}");
        assert_eq!(read.rules.len(), wired.rules.len(), "{kind}");
        assert_eq!(read.interactions.len(), wired.interactions.len(), "{kind}");
    }
}

#[test]
fn r_26_the_toy_circuit_has_the_tables_of_the_document() {
    let graph = toy();
    let tables = tables(&graph, Form::Separate);
    let witness = tables
        .program
        .execute::<Goldilocks2>(&Inputs::publics([3]), Environment::default())
        .unwrap();
    let value = |slot: usize| witness.values[slot];
    let expected = [3, 0, 37, 111, 111];
    assert_eq!(tables.program.slots.len(), expected.len());
    for (slot, expected) in expected.into_iter().enumerate() {
        assert_eq!(value(slot), Goldilocks::from_u64(expected).into(), "slot {slot}");
    }
    let rows = |kind: &TableKind| -> Vec<Vec<u32>> {
        let table = tables.table(kind).unwrap();
        table.rows.iter().map(|row| row.ports.iter().map(|port| port.slot.0).collect()).collect()
    };
    assert_eq!(rows(&TableKind::Const), [[1], [2], [3]]);
    assert_eq!(rows(&TableKind::Mul), [[2, 0, 4]]);
    assert_eq!(rows(&TableKind::Add), [[3, 1, 4]]);

    // x = 4: no witness, and no proof of a forged one.
    let compiled = Compiled::new(&graph, Form::Separate);
    let error = compiled.prover.witness(&Inputs::publics([4]), None).unwrap_err();
    assert!(matches!(error, CircuitError::Witness(WitnessError::Violated(_))), "{error}");
    for wrong in [vec![(SlotId(0), 4)], vec![(SlotId(0), 4), (SlotId(4), 148)]] {
        let forged = compiled.prove_forged(&Inputs::publics([3]), &wrong);
        expect_rejected(compiled.verify(&[4], &forged));
    }
}
