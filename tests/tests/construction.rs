//! The criteria of the witness-table construction, R-01 to R-30, each in a test that bears its number.
//! are about verifiers in circuits: their tests are those of `chipwright-recursion`.
//!
//! Where the construction's document and the design differ, the design wins and the test says so.

use chipwright_backend_stark::circuit::CircuitError;
use chipwright_backend_stark::machine::MachineError;
use chipwright_backend_stark::proof::Proof;
use chipwright_dsl::prelude::*;
use chipwright_ir::chip::passes::{on_witness_bus, witness_values};
use chipwright_ir::circuit::parse;
use chipwright_ir::circuit::passes::OPTIMISATIONS;
use chipwright_ir::circuit::verify::verify_tables;
use chipwright_ir::circuit::{
    A, B, BinaryOp, CalledChip, ChipCall, ChipLibrary, Environment, Form, Graph, HintKind, Inputs,
    OUT, Relation, Role, RowOp, SlotId, TableKind, ValueType, WitnessError, lower_to_slots,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_tests::{Compiled, FIELD, expect_rejected, sum_of_squares, tables, toy};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;
use p3_symmetric::Permutation;

const FORMS: [Form; 2] = [Form::Fused, Form::Separate];

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

fn position(bytes: &[u8], digest: &[u8; 32]) -> usize {
    bytes.windows(32).position(|window| window == digest).expect("the proof names its statement")
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
fn r_04_a_wrong_number_of_inputs_is_a_typed_error() {
    let slots = lower_to_slots(&sum_of_squares(2), Form::Fused).unwrap();
    let run = |inputs: Inputs| slots.execute::<Goldilocks2>(&inputs, Environment::default());
    for inputs in [
        Inputs::default(),
        Inputs::publics([5]),
        Inputs::publics([5]).with_privates([1]),
        Inputs::publics([5]).with_privates([1, 2, 3]),
        Inputs::publics([5, 6]).with_privates([1, 2]),
    ] {
        assert!(matches!(run(inputs), Err(WitnessError::InputCount { .. })));
    }
    let not_canonical = Inputs::publics([u64::MAX]).with_privates([1, 2]);
    assert!(matches!(run(not_canonical), Err(WitnessError::InputValue { .. })));
    assert!(run(Inputs::publics([5]).with_privates([1, 2])).is_ok());
}

#[test]
fn r_05_the_executor_is_not_trusted() {
    for form in FORMS {
        let mut graph = Graph::new("two_products", FIELD);
        let x = graph.public(ValueType::Felt);
        let y = graph.public(ValueType::Felt);
        let square = graph.binary(BinaryOp::Mul, x, x);
        let product = graph.binary(BinaryOp::Mul, x, y);
        let sum = graph.binary(BinaryOp::Add, square, product);
        let claimed = graph.public(ValueType::Felt);
        graph.assert_eq(sum, claimed);
        let compiled = Compiled::new(&graph, form);
        let inputs = Inputs::publics([3, 4, 21]);
        compiled.verify(&[3, 4, 21], &compiled.prove(&inputs)).unwrap();

        // The two products exchanged: their sum is right, but each is the other's.
        let slots = &compiled.prover.tables().program;
        let created = |a: usize, b: usize| -> SlotId {
            let is = |row: &chipwright_ir::circuit::Row<'_>| {
                matches!(row.op, RowOp::Arithmetic(Relation::Mul, _))
                    && row.port(A).unwrap().slot == slots.publics[a]
                    && row.port(B).unwrap().slot == slots.publics[b]
            };
            slots.rows.iter().find(is).unwrap().port(OUT).unwrap().slot
        };
        let wrong = [(created(0, 0), 12), (created(0, 1), 9)];
        expect_rejected(compiled.verify(&[3, 4, 21], &compiled.prove_forged(&inputs, &wrong)));
    }
}

#[test]
fn r_05_another_topological_order_proves_the_same() {
    // The same circuit, with independent operations made in another order.
    let build = |flip: bool| {
        let mut graph = Graph::new("order", FIELD);
        let x = graph.public(ValueType::Felt);
        let y = graph.public(ValueType::Felt);
        let make = |graph: &mut Graph, a, b| graph.binary(BinaryOp::Mul, a, b);
        let (square, product) = if flip {
            let product = make(&mut graph, x, y);
            (make(&mut graph, x, x), product)
        } else {
            let square = make(&mut graph, x, x);
            (square, make(&mut graph, x, y))
        };
        let claimed = graph.public(ValueType::Felt);
        let sum = graph.binary(BinaryOp::Add, square, product);
        graph.assert_eq(sum, claimed);
        Compiled::new(&graph, Form::Fused)
    };
    for flip in [false, true] {
        let compiled = build(flip);
        let proof = compiled.prove(&Inputs::publics([3, 4, 21]));
        compiled.verify(&[3, 4, 21], &proof).unwrap();
    }
}

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

/// The sum of two products: an operation that no crate of the framework knows.
#[chip]
pub struct CrossSum {
    /// The factors of the first product.
    #[input]
    pub first: [Felt; 2],
    /// The factors of the second product.
    #[input]
    pub second: [Felt; 2],
    /// The sum of both products.
    #[output]
    pub sum: Felt,
}

impl Chip for CrossSum {
    fn row(c: &Builder, row: &Row<Self>) {
        let ([a, b], [x, y]) = (row.first, row.second);
        c.define(row.sum, a * b + x * y).named("sum of products");
    }
}

#[test]
fn r_14_an_operation_is_added_from_outside() {
    let library = chipwright_chips::library(FIELD)
        .with_chip(CalledChip::new((*record::<CrossSum>(FIELD).unwrap()).clone()));
    let mut graph = Graph::new("outside", FIELD);
    let call = ChipCall::new("cross_sum");
    let signature = library.signature(&call).expect("the chip was added");
    let inputs: Vec<_> = (0..4).map(|_| graph.public(ValueType::Felt)).collect();
    let sum = graph.call(call, &signature, &inputs).outputs[0];
    let claimed = graph.public(ValueType::Felt);
    graph.assert_eq(sum, claimed);
    let compiled = Compiled::with_library(&graph, Form::Fused, &library);
    let publics = [2, 3, 5, 7, 41];
    let proof = compiled.prove(&Inputs::publics(publics));
    compiled.verify(&publics, &proof).unwrap();
    expect_rejected(compiled.verify(&[2, 3, 5, 7, 42], &proof));
}

#[test]
fn r_15_calls_are_not_optimised_away() {
    let library = chipwright_chips::library(FIELD);
    let mut graph = Graph::new("calls", FIELD);
    let x = graph.public(ValueType::Felt);
    let call = ChipCall::new("is_zero");
    let signature = library.signature(&call).expect("a standard chip");
    // Twice the same call, and nobody uses the results.
    graph.call(call.clone(), &signature, &[x]);
    graph.call(call, &signature, &[x]);
    let optimised = OPTIMISATIONS.iter().fold(graph, |graph, pass| pass.apply(&graph).unwrap());
    let tables = tables(&optimised, Form::Fused);
    assert_eq!(tables.table(&TableKind::Call("is_zero".to_owned())).unwrap().rows.len(), 2);
}

/// A leaf and an index that are private, and the public root above them.
fn membership(depth: u32) -> Compiled {
    let library = chipwright_chips::library(FIELD);
    let mut graph = Graph::new("membership", FIELD);
    let root: Vec<_> = (0..4).map(|_| graph.public(ValueType::Felt)).collect();
    let index = graph.public(ValueType::Felt);
    let mut inputs: Vec<_> = (0..4).map(|_| graph.private(ValueType::Felt)).collect();
    inputs.push(index);
    let call = ChipCall { rows: depth, ..ChipCall::new("merkle_path") };
    let signature = library.signature(&call).expect("the depth is allowed");
    for (found, claimed) in graph.call(call, &signature, &inputs).outputs.into_iter().zip(root) {
        graph.assert_eq(found, claimed);
    }
    Compiled::with_library(&graph, Form::Fused, &library)
}

/// The inputs of [`membership`] with the root that the native permutation finds.
fn path(depth: u32, index: u64) -> (Vec<u64>, Inputs) {
    let permutation = p3_goldilocks::default_goldilocks_poseidon2_8();
    let (leaf, mut siblings) = ([7_u64, 8, 9, 10], Vec::new());
    let mut node = leaf.map(Goldilocks::from_u64);
    for level in 0..depth {
        let sibling: [u64; 4] = std::array::from_fn(|i| u64::from(level) * 1000 + i as u64);
        siblings.extend(sibling);
        let sibling = sibling.map(Goldilocks::from_u64);
        let pair = if index >> level & 1 == 1 { [sibling, node] } else { [node, sibling] };
        let state = permutation.permute(std::array::from_fn(|i| pair[i / 4][i % 4]));
        node = std::array::from_fn(|i| state[i]);
    }
    let mut publics: Vec<u64> = node.iter().map(PrimeField64::as_canonical_u64).collect();
    publics.push(index);
    let mut inputs = Inputs::publics(publics.iter().copied()).with_privates(leaf);
    inputs.data = vec![siblings];
    (publics, inputs)
}

#[test]
fn r_16_siblings_are_private_data() {
    let compiled = membership(4);
    let (publics, inputs) = path(4, 0b0110);
    compiled.verify(&publics, &compiled.prove(&inputs)).unwrap();
    // The witness table does not grow with the depth.
    let deeper = membership(20);
    let slots = |compiled: &Compiled| compiled.prover.tables().program.slots.len();
    assert_eq!(slots(&compiled), slots(&deeper));
    // Missing data is a typed error.
    let missing = Inputs { data: Vec::new(), ..inputs.clone() };
    assert!(matches!(
        compiled.prover.witness(&missing, None),
        Err(CircuitError::Witness(WitnessError::Data { .. } | WitnessError::DataCount { .. }))
    ));
    // A wrong sibling, and a wrong index bit, put into the honest witness.
    let witness = compiled.prover.witness(&inputs, None).unwrap();
    let mut wrong = witness.clone();
    wrong.data[0][5] += 1;
    let forged = compiled.prove_trace(compiled.prover.trace(&wrong).unwrap());
    expect_rejected(compiled.verify(&publics, &forged));
    let mut wrong = witness;
    let index = compiled.prover.tables().program.publics[4];
    wrong.values[index.index()] = Goldilocks::from_u64(0b0111).into();
    let forged = compiled.prove_trace(compiled.prover.trace(&wrong).unwrap());
    let mut claimed = publics;
    claimed[4] = 0b0111;
    expect_rejected(compiled.verify(&claimed, &forged));
}

#[test]
fn r_17_inclusion_is_proven_at_every_depth() {
    for depth in [1, 2, 3, 7, 16, 31, 32] {
        let compiled = membership(depth);
        let (publics, inputs) = path(depth, 0x9234_5679 >> (32 - depth));
        let proof = compiled.prove(&inputs);
        compiled.verify(&publics, &proof).unwrap();
        let mut wrong = publics;
        wrong[0] ^= 1;
        expect_rejected(compiled.verify(&wrong, &proof));
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

#[test]
fn r_27_every_multiplicity_counts() {
    let compiled = Compiled::new(&sum_of_squares(3), Form::Fused);
    let inputs = Inputs::publics([14]).with_privates([1, 2, 3]);
    let config = chipwright_backend_stark::config::Config::testing();
    let trace = compiled.trace(&inputs);
    // Each count of the wiring is changed in turn, in the key itself: the bus no longer balances.
    let mut changed = 0;
    for (chip_index, chip) in compiled.prover.machine().chips.iter().enumerate() {
        let Some(fixed) = &chip.fixed else { continue };
        let names: Vec<&str> = chip
            .columns
            .iter()
            .filter(|c| c.kind == chipwright_ir::chip::ColumnKind::Fixed)
            .map(|column| column.name.as_str())
            .collect();
        for (column, name) in names.iter().enumerate().filter(|(_, name)| name.ends_with("_count"))
        {
            let mut machine = compiled.prover.machine().clone();
            let cell = &mut machine.chips[chip_index].fixed.as_mut().unwrap().columns[column][0];
            *cell = FIELD.reduce(i128::from(*cell) + 1);
            let (prover, verifier) =
                chipwright_backend_stark::key::compile::<Goldilocks2>(&machine, &config).unwrap();
            let proof = prover.prove(trace.clone()).unwrap();
            let verdict = verifier.verify(&trace.publics, &proof);
            assert!(
                verdict.is_err(),
                "{}.{name} may be anything ({} rows)",
                chip.name,
                fixed.rows()
            );
            changed += 1;
        }
    }
    assert!(changed >= 5, "only {changed} counts were changed");
}

#[test]
fn r_27_a_slot_that_nobody_reads_is_legal() {
    for form in FORMS {
        let mut graph = toy();
        let unread = graph.public(ValueType::Felt);
        graph.set_label(unread, "unread");
        let compiled = Compiled::new(&graph, form);
        let slot = compiled.prover.tables().program.publics[1];
        let creators: Vec<_> = compiled
            .prover
            .tables()
            .rows()
            .flat_map(|(_, row)| row.ports.to_vec())
            .filter(|port| port.slot == slot && port.role == Role::Creates)
            .collect();
        assert_eq!(creators.len(), 1);
        let proof = compiled.prove(&Inputs::publics([3, 5]));
        compiled.verify(&[3, 5], &proof).unwrap();
    }
}

#[test]
fn r_28_the_order_of_rows_proves_nothing_and_costs_nothing() {
    let compiled = Compiled::new(&sum_of_squares(4), Form::Fused);
    let inputs = Inputs::publics([30]).with_privates([1, 2, 3, 4]);
    let mut machine = compiled.prover.machine().clone();
    let mut trace = compiled.trace(&inputs);
    let alu = compiled.table("alu");
    // Reverse the used rows of the table, fixed columns and all.
    let rows = machine.chips[alu].fixed.as_ref().unwrap().rows();
    assert!(rows > 2);
    for column in &mut machine.chips[alu].fixed.as_mut().unwrap().columns {
        column.reverse();
    }
    let table = &mut trace.tables[alu];
    let reversed: Vec<Goldilocks> =
        (0..rows).rev().flat_map(|row| table.row(row).to_vec()).collect();
    table.values[..rows * table.width].copy_from_slice(&reversed);
    let config = chipwright_backend_stark::config::Config::testing();
    let (prover, verifier) =
        chipwright_backend_stark::key::compile::<Goldilocks2>(&machine, &config).unwrap();
    let publics = trace.publics.clone();
    verifier.verify(&publics, &prover.prove(trace).unwrap()).unwrap();
}

#[test]
fn r_30_a_fold_of_two_is_made_of_primitives() {
    // FRI's fold by two: f(x²) = (f(x) + f(−x))/2 + β·(f(x) − f(−x))/(2x), from primitives; the
    // recursive verifier folds whole cosets in a chip of its own.
    use chipwright_ir::FieldPair;
    type Ext = <Goldilocks2 as FieldPair>::Ext;
    let mut graph = Graph::new("fold", FIELD);
    let even = graph.public(ValueType::Ext);
    let odd = graph.public(ValueType::Ext);
    let beta = graph.public(ValueType::Ext);
    let x = graph.public(ValueType::Felt);
    let two = graph.constant(2);
    let sum = graph.binary(BinaryOp::Add, even, odd);
    let difference = graph.binary(BinaryOp::Sub, even, odd);
    let half = graph.binary(BinaryOp::Div, sum, two);
    let twice = graph.binary(BinaryOp::Mul, two, x);
    let slope = graph.binary(BinaryOp::Div, difference, twice);
    let folded = graph.mul_add(beta, slope, half);
    let claimed = graph.public(ValueType::Ext);
    graph.assert_eq(folded, claimed);
    let compiled = Compiled::new(&graph, Form::Fused);

    let ext = |a: u64, b: u64| {
        <Ext as p3_field::BasedVectorSpace<Goldilocks>>::from_basis_coefficients_fn(|i| {
            Goldilocks::from_u64([a, b][i])
        })
    };
    let (even, odd, beta, x) = (ext(3, 5), ext(8, 13), ext(21, 34), Goldilocks::from_u64(55));
    let half = Ext::from(Goldilocks::TWO).inverse_of();
    let native = (even + odd) * half + beta * (even - odd) * half * Ext::from(x).inverse_of();
    let coefficients = |value: Ext| -> Vec<u64> {
        use p3_field::PrimeField64;
        p3_field::BasedVectorSpace::<Goldilocks>::as_basis_coefficients_slice(&value)
            .iter()
            .map(PrimeField64::as_canonical_u64)
            .collect()
    };
    let publics = vec![vec![3, 5], vec![8, 13], vec![21, 34], vec![55], coefficients(native)];
    let inputs = Inputs { publics: publics.clone(), ..Inputs::default() };
    let proof = compiled.prover.prove(&inputs).unwrap();
    compiled.verifier.verify(&publics, &proof).unwrap();
    let mut wrong = publics;
    wrong[4][0] ^= 1;
    expect_rejected(compiled.verifier.verify(&wrong, &proof));
}

trait Inverse {
    fn inverse_of(self) -> Self;
}

impl<F: p3_field::Field> Inverse for F {
    fn inverse_of(self) -> Self {
        self.inverse()
    }
}

#[test]
fn a_hint_that_no_rule_uses_is_found() {
    let mut graph = Graph::new("advice", FIELD);
    let x = graph.public(ValueType::Felt);
    graph.hint(HintKind::Bits(2), &[x]);
    let errors = chipwright_ir::circuit::verify::verify(&graph).unwrap_err().to_string();
    assert!(errors.contains("V04"), "{errors}");
}
