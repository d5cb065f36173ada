//! Operations from outside, and paths with private siblings.

use chipwright_backend_stark::circuit::CircuitError;
use chipwright_dsl::prelude::*;
use chipwright_ir::circuit::passes::OPTIMISATIONS;
use chipwright_ir::circuit::{
    CalledChip, ChipCall, ChipLibrary, Form, Graph, Inputs, TableKind, ValueType, WitnessError,
};
use chipwright_tests::{Compiled, FIELD, expect_rejected, tables};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;
use p3_symmetric::Permutation;

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
        let state: [Goldilocks; 8] = std::array::from_fn(|i| pair[i / 4][i % 4]);
        let permuted = permutation.permute(state);
        node = std::array::from_fn(|i| permuted[i] + state[i]);
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
