//! Circuits on the standard chips: assembled, filled, and checked row by row.

use chipwright_chips::{MAX_DEPTH, library};
use chipwright_ir::Field;
use chipwright_ir::circuit::{
    BinaryOp, ChipCall, ChipLibrary, Environment, Form, Graph, Inputs, Library, Tables, ValueType,
    Witness, lower_to_slots, lower_to_tables,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{Report, check, fill};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_8};
use p3_symmetric::Permutation;

const FIELD: Field = Field::Goldilocks2;

fn tables(graph: &Graph, form: Form) -> Tables {
    lower_to_tables(lower_to_slots(graph, form).expect("the circuit is consistent"))
}

/// What a proof of the witness would show.
fn report(tables: &Tables, library: &Library, witness: &Witness<Goldilocks2>) -> Report {
    let assembly = tables.assemble(library).expect("the library has every chip");
    let trace = fill::<Goldilocks2>(&assembly.machine, &assembly.input(witness));
    check::<Goldilocks2>(&assembly.machine, &trace.expect("the witness has every value"))
}

#[test]
fn the_toy_circuit_holds_for_three_and_for_nothing_else() {
    let mut graph = Graph::new("toy", FIELD);
    let x = graph.public(ValueType::Felt);
    let factor = graph.constant(37);
    let constant = graph.constant(111);
    let product = graph.binary(BinaryOp::Mul, factor, x);
    let difference = graph.binary(BinaryOp::Sub, product, constant);
    graph.assert_zero(difference);
    let library = library(FIELD);
    for form in [Form::Fused, Form::Separate] {
        let tables = tables(&graph, form);
        let run = |x| {
            tables.program.execute::<Goldilocks2>(&Inputs::publics([x]), Environment::default())
        };
        let mut witness = run(3).expect("37·3 = 111");
        let honest = report(&tables, &library, &witness);
        assert!(honest.is_ok(), "{honest}");

        assert!(run(4).is_err());
        let slot = tables.program.publics[0].index();
        witness.values[slot] = Goldilocks::from_u64(4).into();
        assert!(!report(&tables, &library, &witness).is_ok(), "37·4 is not 111");
    }
}

/// The leaf and the index are private, the root is public.
fn membership(depth: u32, library: &Library) -> Graph {
    let mut graph = Graph::new("membership", FIELD);
    let root: Vec<_> = (0..4).map(|_| graph.public(ValueType::Felt)).collect();
    let inputs: Vec<_> = (0..5).map(|_| graph.private(ValueType::Felt)).collect();
    let call = ChipCall { rows: depth, ..ChipCall::new("merkle_path") };
    let signature = library.signature(&call).expect("the depth is allowed");
    let result = graph.call(call, &signature, &inputs);
    for (found, claimed) in result.outputs.into_iter().zip(root) {
        graph.assert_eq(found, claimed);
    }
    graph
}

/// The root above a leaf, by the native permutation.
fn root(leaf: [u64; 4], index: u64, siblings: &[[u64; 4]]) -> [u64; 4] {
    let permutation = default_goldilocks_poseidon2_8();
    siblings.iter().enumerate().fold(leaf, |node, (level, &sibling)| {
        let right = index >> level & 1 == 1;
        let pair = if right { [sibling, node] } else { [node, sibling] };
        let state: [Goldilocks; 8] =
            std::array::from_fn(|i| Goldilocks::from_u64(pair[i / 4][i % 4]));
        let permuted = permutation.permute(state);
        std::array::from_fn(|i| (permuted[i] + state[i]).as_canonical_u64())
    })
}

fn path(depth: u32) -> ([u64; 4], Vec<[u64; 4]>) {
    let sibling = |level: u64| std::array::from_fn(|i| 1000 * level + i as u64);
    ([7, 8, 9, 10], (1..=u64::from(depth)).map(sibling).collect())
}

fn inputs(root: [u64; 4], leaf: [u64; 4], index: u64, siblings: &[[u64; 4]]) -> Inputs {
    let mut inputs = Inputs::publics(root).with_privates(leaf).with_privates([index]);
    inputs.data = vec![siblings.concat()];
    inputs
}

#[test]
fn paths_of_every_depth_lead_to_the_root() {
    let library = library(FIELD);
    let environment = Environment { chips: &library, hints: None };
    let mut slots = Vec::new();
    for depth in 1..=MAX_DEPTH {
        let tables = tables(&membership(depth, &library), Form::Fused);
        let (leaf, siblings) = path(depth);
        let index = 0x9234_5678_9abc_def1 >> (64 - depth);
        let root = root(leaf, index, &siblings);
        let run = |inputs: &Inputs| tables.program.execute::<Goldilocks2>(inputs, environment);
        let honest = inputs(root, leaf, index, &siblings);
        let witness = run(&honest).expect("the path leads to the root");
        let report = report(&tables, &library, &witness);
        assert!(report.is_ok(), "depth {depth}:\n{report}");
        slots.push(tables.program.slots.len());

        let mut wrong = siblings.clone();
        wrong[depth as usize - 1][2] += 1;
        assert!(run(&inputs(root, leaf, index, &wrong)).is_err(), "a wrong sibling");
        assert!(run(&inputs(root, leaf, index ^ 1, &siblings)).is_err(), "a wrong index");
        assert!(run(&inputs(root, leaf, 1 << depth, &siblings)).is_err(), "an index too high");
        assert!(run(&Inputs { data: Vec::new(), ..honest }).is_err(), "no siblings");
    }
    slots.dedup();
    assert_eq!(slots.len(), 1, "siblings take no slots");
    for rows in [0, MAX_DEPTH + 1] {
        let call = ChipCall { rows, ..ChipCall::new("merkle_path") };
        assert!(library.signature(&call).is_none());
    }
}

#[test]
fn a_path_that_is_forged_after_the_fact_is_reported() {
    let library = library(FIELD);
    let tables = tables(&membership(3, &library), Form::Fused);
    let (leaf, siblings) = path(3);
    let honest = inputs(root(leaf, 5, &siblings), leaf, 5, &siblings);
    let environment = Environment { chips: &library, hints: None };
    let witness = tables.program.execute::<Goldilocks2>(&honest, environment).expect("honest");
    for place in 0..12 {
        let mut forged = witness.clone();
        forged.data[0][place] += 1;
        assert!(!report(&tables, &library, &forged).is_ok(), "sibling element {place}");
    }
    for slot in 0..witness.values.len() {
        let mut forged = witness.clone();
        forged.values[slot] += Goldilocks::ONE;
        assert!(!report(&tables, &library, &forged).is_ok(), "slot {slot}");
    }
}

#[test]
fn a_circuit_calls_chips_that_look_up_tables() {
    let library = library(FIELD);
    let mut graph = Graph::new("words", FIELD);
    let sum: Vec<_> = (0..2).map(|_| graph.public(ValueType::Felt)).collect();
    let terms: Vec<_> = (0..4).map(|_| graph.private(ValueType::Felt)).collect();
    let call = ChipCall::new("add32");
    let signature = library.signature(&call).expect("the library has the chip");
    let result = graph.call(call, &signature, &terms);
    for (found, claimed) in result.outputs.into_iter().zip(sum) {
        graph.assert_eq(found, claimed);
    }
    let tables = tables(&graph, Form::Fused);
    let environment = Environment { chips: &library, hints: None };
    let inputs = Inputs::publics([0x1111, 1]).with_privates([0x2222, 0, 0xeeef, 0]);
    let witness = tables.program.execute::<Goldilocks2>(&inputs, environment).expect("it adds up");
    let honest = report(&tables, &library, &witness);
    assert!(honest.is_ok(), "{honest}");
    let mut forged = witness;
    let slot = tables.program.publics[1].index();
    forged.values[slot] = Goldilocks::ZERO.into();
    assert!(!report(&tables, &library, &forged).is_ok(), "the carry is lost");
}
