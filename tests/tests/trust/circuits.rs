//! Circuits: signatures of calls, the codes of the verifier, and base elements.

use chipwright_backend_stark::circuit::{
    CircuitError, compile_circuit, compile_circuit_with_layout,
};
use chipwright_backend_stark::config::{Config, StarkField};
use chipwright_ir::circuit::verify::{Code, VerifierErrors, verify_in};
use chipwright_ir::circuit::{
    AssembleError, BinaryOp, Call, ChipCall, ChipLibrary, Circuit, Form, Graph, Inputs, RuleKind,
    SlotId, Tables, ValueType, lower_to_slots, lower_to_tables, parse, passes,
};
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_tests::{FIELD, expect_rejected};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

use crate::hostile;

fn codes(errors: &VerifierErrors) -> Vec<Code> {
    errors.0.iter().map(|error| error.code).collect()
}

/// The tables of a text, by the passes that the command line runs, but without a look at its calls.
fn lowered(text: &str) -> Tables {
    let circuit = parse(text).expect("the text parses");
    let tables = match circuit {
        Circuit::Slots(slots) => return lower_to_tables(slots),
        other => passes::default_pipeline(Form::Fused).run(other),
    };
    let Ok(Circuit::Tables(tables)) = tables else { panic!("the text is lowered: {tables:?}") };
    tables
}

/// What all three ways to a key say about tables: apart, in a chosen layout, and assembled.
#[track_caller]
fn expect_no_key(tables: &Tables, code: Code) {
    let library = chipwright_chips::library(FIELD);
    let config = Config::testing();
    let apart = compile_circuit::<Goldilocks2>(tables.clone(), &library, &config).err();
    let fused =
        compile_circuit_with_layout::<Goldilocks2>(tables.clone(), &library, &config, None).err();
    for error in [apart, fused] {
        match error {
            Some(CircuitError::Assemble(AssembleError::Invalid(errors))) => {
                assert!(codes(&errors).contains(&code), "{code:?}: {errors}");
            }
            other => panic!("{code:?} was expected, got {other:?}"),
        }
    }
}

#[test]
fn h_01_a_text_with_another_signature_than_its_chips_is_refused() {
    let library = chipwright_chips::library(FIELD);
    for name in ["bit.ir", "bit_slots.ir", "output_at_input.ir", "cap_of_tree_0.ir"] {
        let circuit = parse(&hostile(name)).expect("the text parses");
        let errors = verify_in(&circuit, &library).expect_err(name);
        assert_eq!(codes(&errors), [Code::V10], "{name}: {errors}");
        expect_no_key(&lowered(&hostile(name)), Code::V10);
    }
    // What the chip gives is proven.
    let honest =
        hostile("bit.ir").replace(") : bit\n  assert_bit %p", ") : felt\n  assert_eq %p, %base");
    verify_in(&parse(&honest).unwrap(), &library).expect("the signature is the chip's");
    compile_circuit::<Goldilocks2>(lowered(&honest), &library, &Config::testing()).unwrap();
}

#[test]
fn h_01_a_call_differs_from_its_chip_in_nothing() {
    let library = chipwright_chips::library(FIELD);
    let chip = ChipCall { rows: 2, ..ChipCall::new("merkle_path") };
    let honest = library.signature(&chip).expect("a path of two rows");
    let tables = |call: &dyn Fn(&mut Call)| {
        let mut graph = Graph::new("path", FIELD);
        let inputs: Vec<_> = honest.inputs.iter().map(|port| graph.public(port.ty)).collect();
        graph.call(chip.clone(), &honest, &inputs);
        let mut slots = lower_to_slots(&graph, Form::Fused).expect("the circuit is lowered");
        call(&mut slots.calls[0]);
        lower_to_tables(slots)
    };
    compile_circuit::<Goldilocks2>(tables(&|_| {}), &library, &Config::testing()).unwrap();
    let changes: [&dyn Fn(&mut Call); 8] = [
        &|call| call.signature.outputs[0].ty = ValueType::Bit,
        &|call| call.signature.inputs[0].ty = ValueType::Bit,
        &|call| call.signature.outputs[0].row = 0,
        &|call| call.signature.data -= 1,
        &|call| call.data = None,
        &|call| call.chip.rows = 3,
        &|call| call.chip.parameters = vec![7],
        &|call| "no_chip".clone_into(&mut call.chip.chip),
    ];
    for change in changes {
        expect_no_key(&tables(change), Code::V10);
    }
}

/// By code: lines of stage `slots` that violate it, and nothing else.
const FAULTS: [(Code, &str); 7] = [
    (Code::V01, "w0 = const 1\nw1 = add w2, w0\nw2 = const 3\ncheck_add w1, w2 -> w0"),
    (Code::V03, "w0 = public 1"),
    (Code::V06, "w0 = const 1\nw0 = const 2"),
    (Code::V07, "w0 = const 1\n(w0) = const 2"),
    (Code::V09, "w0 = public 0 : ext\nw1 = const 1\nw2 = add w0, w1"),
    (Code::V10, "w0 = public 0\nw1 = call no_chip(w0)"),
    (Code::V11, "w0 = public 0 : ext\ncheck_eq w0, w0 : ext"),
];

#[test]
fn h_01_every_code_is_asked_on_every_way_to_a_key() {
    let library = chipwright_chips::library(FIELD);
    let text = |lines: &str| format!("circuit c over goldilocks^2, stage slots {{\n{lines}\n}}");
    for (code, lines) in FAULTS {
        let circuit = parse(&text(lines)).expect("the text parses");
        let errors = verify_in(&circuit, &library).expect_err(lines);
        assert!(codes(&errors).contains(&code), "{lines}: {errors}");
        expect_no_key(&lowered(&text(lines)), code);
    }
    // A created slot of another type than its row's.
    let mut tables = lowered(&text("w0 = const 1\nw1 = public 0\ncheck_add w0, w1 -> w0"));
    tables.program.slots[0].ty = ValueType::Ext;
    expect_no_key(&tables, Code::V02);
    // A slot that is put on the bus more often than it is read.
    let mut tables = lowered(&text("w0 = const 1\nw1 = public 0\ncheck_add w0, w1 -> w0"));
    tables.multiplicities[1] += 1;
    expect_no_key(&tables, Code::V08);
    // Demands on authors, at both stages that have a text.
    let expr = |lines: &str| format!("circuit c over goldilocks^2, stage expr {{\n{lines}\n}}");
    for (code, text) in [
        (Code::V04, expr("%x = public 0\n%h = hint inverse_or_zero(%x)")),
        (Code::V04, text("w0 = public 0\nw1 = hint inverse_or_zero(w0)")),
        (Code::V05, expr("%x = public 0\n%y = add %x, %x")),
        (Code::V05, text("w0 = public 0\nw1 = add w0, w0")),
        (Code::V11, expr("%x = public 0\nassert_eq %x, %x")),
    ] {
        let errors = verify_in(&parse(&text).unwrap(), &library).expect_err(&text);
        assert!(codes(&errors).contains(&code), "{text}: {errors}");
    }
}

/// `x + y`, public extension elements, is a base element, by a private input.
fn base(field: chipwright_ir::Field) -> Graph {
    let mut graph = Graph::new("base", field);
    let x = graph.public(ValueType::Ext);
    let y = graph.public(ValueType::Ext);
    let sum = graph.binary(BinaryOp::Add, x, y);
    let private = graph.private(ValueType::Felt);
    graph.assert_eq(sum, private);
    graph
}

/// That a witness in which a slot of [`base`] is no base element is refused, in both forms and in a layout.
fn an_extension_element_is_no_base_element<P: StarkField>() {
    let library = chipwright_chips::library(P::FIELD);
    let config = Config::testing_over(P::FIELD);
    let degree = P::FIELD.degree();
    let element = |low: u64, high: u64| {
        let mut coefficients = vec![0; degree];
        (coefficients[0], coefficients[1]) = (low, high);
        coefficients
    };
    let minus_two = P::FIELD.reduce(-2);
    let honest = vec![element(1, 2), element(2, minus_two)];
    let claimed = vec![element(1, 2), element(2, 3)];
    for form in [Some(Form::Fused), Some(Form::Separate), None] {
        let tables = lower_to_tables(
            lower_to_slots(&base(P::FIELD), form.unwrap_or_default())
                .expect("the circuit is lowered"),
        );
        let (prover, verifier) = match form {
            Some(_) => compile_circuit::<P>(tables, &library, &config),
            None => compile_circuit_with_layout::<P>(tables, &library, &config, None),
        }
        .expect("the circuit compiles");
        let inputs = Inputs { publics: honest.clone(), ..Inputs::default() }.with_privates([3]);
        let proof = prover.prove(&inputs).expect("the sum is 3");
        verifier.verify(&honest, &proof).expect("the sum is 3");

        let mut witness = prover.witness(&inputs, None).expect("the sum is 3");
        let value = |coefficients: &[u64]| {
            P::Ext::from_basis_coefficients_fn(|i| P::Base::from_u64(coefficients[i]))
        };
        let sum = SlotId::new(2);
        assert_eq!(witness.value(sum), value(&element(3, 0)));
        witness.values[1] = value(&claimed[1]);
        witness.values[sum.index()] = value(&element(3, 5));
        let forged = prover.key().prove(prover.trace(&witness).unwrap()).unwrap();
        let verdict = verifier.verify(&claimed, &forged);
        expect_rejected(verdict);
    }
}

#[test]
fn h_02_an_extension_element_is_no_base_element_in_any_form_or_layout() {
    an_extension_element_is_no_base_element::<Goldilocks2>();
    an_extension_element_is_no_base_element::<Goldilocks3>();
    an_extension_element_is_no_base_element::<KoalaBear4>();
}

#[test]
fn h_02_a_base_element_is_claimed_by_a_row_of_its_own() {
    let slots = lower_to_slots(&base(FIELD), Form::Separate).unwrap();
    assert!(slots.to_string().contains("check_base w2"), "{slots}");
    let Ok(Circuit::Slots(read)) = parse(&slots.to_string()) else { panic!("{slots}") };
    assert_eq!(read, slots);
    assert!(matches!(base(FIELD).rules()[0].kind, RuleKind::Equal(..)));
}

#[test]
fn h_02_texts_that_only_seem_to_claim_a_base_element_are_refused() {
    let library = chipwright_chips::library(FIELD);
    for (name, code) in [("base_separate.ir", Code::V11), ("base_fused.ir", Code::V09)] {
        let errors = verify_in(&parse(&hostile(name)).unwrap(), &library).expect_err(name);
        assert_eq!(codes(&errors), [code], "{name}: {errors}");
        expect_no_key(&lowered(&hostile(name)), code);
    }
    // The text that does claim it is fine, and has no witness for 3 + 5w.
    let text = hostile("base.ir");
    verify_in(&parse(&text).unwrap(), &library).unwrap();
    let (prover, _) =
        compile_circuit::<Goldilocks2>(lowered(&text), &library, &Config::testing()).unwrap();
    let inputs =
        Inputs { publics: vec![vec![1, 2], vec![2, 3]], ..Inputs::default() }.with_privates([3]);
    assert!(prover.prove(&inputs).is_err());
}
