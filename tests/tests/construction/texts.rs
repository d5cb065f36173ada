//! Graphs, texts, keys: what is known before any witness.

use chipwright_backend_stark::proof::Proof;
use chipwright_ir::circuit::parse;
use chipwright_ir::circuit::passes::OPTIMISATIONS;
use chipwright_ir::circuit::{BinaryOp, Form, Graph, Inputs, TableKind, ValueType, lower_to_slots};
use chipwright_tests::{Compiled, FIELD, expect_rejected, sum_of_squares, tables, toy};

use super::{FORMS, position};

#[test]
fn r_01_compiling_twice_gives_identical_text_and_keys() {
    let once = || {
        let compiled = Compiled::new(&toy(), Form::Fused);
        let tables = compiled.prover.tables();
        (tables.to_string(), tables.program.to_string(), compiled.verifier.key().to_bytes())
    };
    assert_eq!(once(), once());
}

#[test]
fn r_02_the_key_depends_on_every_constant_wire_and_operation() {
    let variant = |constant: u64, swap: bool, op: BinaryOp| {
        let mut graph = Graph::new("toy", FIELD);
        let x = graph.public(ValueType::Felt);
        let k = graph.constant(37);
        let c = graph.constant(constant);
        let product = graph.binary(op, k, x);
        let (left, right) = if swap { (c, product) } else { (product, c) };
        let difference = graph.binary(BinaryOp::Sub, left, right);
        graph.assert_zero(difference);
        Compiled::new(&graph, Form::Separate)
    };
    let base = variant(111, false, BinaryOp::Mul);
    let others = [
        variant(112, false, BinaryOp::Mul),
        variant(111, true, BinaryOp::Mul),
        variant(111, false, BinaryOp::Add),
    ];
    let proof = base.prove(&Inputs::publics([3]));
    base.verify(&[3], &proof).expect("the honest proof verifies");
    for other in &others {
        assert_ne!(base.verifier.key().digest(), other.verifier.key().digest());
        assert!(other.verify(&[3], &proof).is_err(), "a proof verifies under another key");
        // Not even with the statement's digest exchanged: the transcript begins with it.
        let mut bytes = proof.to_bytes();
        let digest = other.verifier.key().digest();
        let place = position(&bytes, base.verifier.key().digest());
        bytes[place..place + 32].copy_from_slice(digest);
        let relabelled = Proof::from_bytes(other.verifier.key(), &bytes).expect("well-formed");
        expect_rejected(other.verify(&[3], &relabelled));
    }
}

#[test]
fn r_03_heights_are_known_before_any_witness() {
    for form in FORMS {
        let compiled = Compiled::new(&sum_of_squares(5), form);
        let heights: Vec<usize> =
            compiled.verifier.key().tables().iter().map(|t| 1 << t.log_height.unwrap()).collect();
        for (claimed, terms) in [(55, [1, 2, 3, 4, 5]), (5, [1, 1, 1, 1, 1])] {
            let trace = compiled.trace(&Inputs::publics([claimed]).with_privates(terms));
            let found: Vec<usize> = trace.tables.iter().map(|table| table.height).collect();
            assert_eq!(heights, found);
        }
    }
}

#[test]
fn r_10_texts_read_back() {
    for graph in [toy(), sum_of_squares(3)] {
        for form in FORMS {
            // Stage `tables` is printed for reading; what it says follows from stage `slots`.
            let slots = lower_to_slots(&graph, form).unwrap();
            for text in [graph.to_string(), slots.to_string()] {
                let circuit = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
                assert_eq!(circuit.to_string(), text);
            }
        }
    }
}

#[test]
fn r_11_common_subexpressions_are_computed_once() {
    let mut graph = Graph::new("twice", FIELD);
    let x = graph.public(ValueType::Felt);
    let y = graph.public(ValueType::Felt);
    let first = graph.binary(BinaryOp::Mul, x, y);
    let second = graph.binary(BinaryOp::Mul, x, y);
    let commuted = graph.binary(BinaryOp::Mul, y, x);
    let sum = graph.binary(BinaryOp::Add, first, second);
    let sum = graph.binary(BinaryOp::Add, sum, commuted);
    let claimed = graph.public(ValueType::Felt);
    graph.assert_eq(sum, claimed);
    let optimised = OPTIMISATIONS.iter().fold(graph, |graph, pass| pass.apply(&graph).unwrap());
    let rows = tables(&optimised, Form::Separate);
    assert_eq!(rows.table(&TableKind::Mul).unwrap().rows.len(), 1);
}

#[test]
fn r_12_a_cycle_is_a_build_error() {
    let mut graph = Graph::new("cycle", FIELD);
    let x = graph.public(ValueType::Felt);
    let one = graph.constant(1);
    let next = graph.binary(BinaryOp::Add, x, one);
    let after = graph.binary(BinaryOp::Mul, next, next);
    graph.connect(after, next);
    let error = lower_to_slots(&graph, Form::Fused).unwrap_err().to_string();
    insta::assert_snapshot!(error);
}

#[test]
fn r_13_the_graph_is_an_acyclic_petgraph_and_exports_dot() {
    let graph = sum_of_squares(4);
    assert!(!petgraph::algo::is_cyclic_directed(graph.dag()));
    let dot = graph.to_dot();
    assert!(dot.starts_with("digraph"), "{dot}");
    assert!(dot.matches("->").count() >= 8, "{dot}");
}

#[test]
fn r_20_contradicting_constants_are_a_build_error() {
    let mut graph = Graph::new("contradiction", FIELD);
    let one = graph.constant(1);
    graph.set_label(one, "one");
    let two = graph.constant(2);
    graph.set_label(two, "two");
    graph.connect(one, two);
    insta::assert_snapshot!(lower_to_slots(&graph, Form::Fused).unwrap_err().to_string());
}

#[test]
fn r_21_the_builder_has_the_names_of_the_document() {
    use chipwright_dsl::circuit::CircuitBuilder;
    let mut builder = CircuitBuilder::new();
    let x = builder.add_public_input();
    let c37 = builder.add_const(37);
    let c111 = builder.add_const(111);
    let zero = builder.add_const(0);
    let mul_result = builder.mul(c37, x);
    let sub_result = builder.sub(mul_result, c111);
    builder.connect(sub_result, zero);
    let circuit = builder.build().unwrap();
    let mut runner = circuit.runner();
    assert!(runner.set_public_inputs(&[3]).run().is_ok());
    assert!(runner.set_public_inputs(&[4]).run().is_err());
}

#[test]
fn r_22_every_stage_can_be_read() {
    let graph = toy();
    let optimised =
        OPTIMISATIONS.iter().fold(graph.clone(), |graph, pass| pass.apply(&graph).unwrap());
    let text = [
        graph.to_string(),
        optimised.to_string(),
        lower_to_slots(&optimised, Form::Fused).unwrap().to_string(),
        tables(&optimised, Form::Fused).to_string(),
    ]
    .join("\n");
    insta::assert_snapshot!(text);
}
