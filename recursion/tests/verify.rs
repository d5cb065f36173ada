//! Proofs of circuits and machines, verified in a circuit.

use chipwright_backend_stark::circuit::compile_circuit;
use chipwright_backend_stark::config::Config;
use chipwright_chips::recursion::Script;
use chipwright_dsl::circuit::CircuitBuilder;
use chipwright_ir::circuit::{Environment, Inputs};
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::batch::{BatchShape, ChildKey, verify_batch};
use chipwright_tests::{Compiled, sum_of_squares, toy};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

#[test]
fn a_proof_of_the_toy_circuit_is_verified_in_a_circuit() {
    let compiled = Compiled::new(&toy(), chipwright_ir::circuit::Form::Fused);
    let proof = compiled.prove(&Inputs::publics([3]));
    compiled.verify(&[3], &proof).expect("the proof is honest");
    let key = compiled.verifier.key();
    let heights = proof.batch().degree_bits.clone();
    let shape = BatchShape::new(key.shape(), &heights).expect("the shape is supported");

    let mut builder = CircuitBuilder::with_library(
        "verifier",
        chipwright_chips::library(chipwright_ir::Field::Goldilocks2),
    );
    let child = ChildKey::of(key).constant(&mut builder);
    let values: Vec<Vec<Goldilocks>> =
        shape.publics().map(|n| vec![Goldilocks::from_u64(3); n]).collect();
    let publics: Vec<Vec<_>> =
        values.iter().map(|row| row.iter().map(|_| builder.add_public_input()).collect()).collect();
    let data = verify_batch::<Goldilocks2>(&mut builder, &shape, &child, &publics)
        .expect("the public values fit");
    println!("graph {} nodes", builder.graph().len());
    let circuit = builder.build().expect("the circuit is sound");
    for table in &circuit.tables.tables {
        println!("{}: {} rows", table.kind, table.rows.len());
    }
    let mut inputs = Inputs::publics([3]);
    inputs.data = data.witness(&shape, key, &values, &proof).expect("the proof has the shape");
    let environment = Environment { chips: &circuit.library, hints: None };
    if let Err(e) = circuit.tables.program.execute::<Goldilocks2>(&inputs, environment) {
        panic!("{e}");
    }
    let (prover, verifier) =
        compile_circuit::<Goldilocks2>(circuit.tables, &circuit.library, &Config::testing())
            .expect("compiles");
    let start = std::time::Instant::now();
    let proof = prover.prove(&inputs).expect("proves");
    println!("proved in {:?}", start.elapsed());
    verifier.verify(&[vec![3]], &proof).expect("verifies");
    let _ = sum_of_squares(1);
}

#[test]
fn h_08_two_proofs_in_one_circuit_have_trees_of_their_own() {
    let compiled = Compiled::new(&toy(), chipwright_ir::circuit::Form::Fused);
    let proof = compiled.prove(&Inputs::publics([3]));
    let key = compiled.verifier.key();
    let shape = BatchShape::new(key.shape(), proof.log_heights()).expect("the shape is supported");
    let library = chipwright_chips::library(chipwright_ir::Field::Goldilocks2);
    let mut builder = CircuitBuilder::with_library("verifier", library);
    let child = ChildKey::of(key).constant(&mut builder);
    let publics: Vec<Vec<_>> = shape
        .publics()
        .map(|count| (0..count).map(|_| builder.add_public_input()).collect())
        .collect();
    for _ in 0..2 {
        verify_batch::<Goldilocks2>(&mut builder, &shape, &child, &publics).expect("they fit");
    }
    let circuit = builder.build().expect("no place in a cap is that of two digests");
    let calls = || circuit.slots().calls.iter().map(|call| &call.chip);
    let caps: Vec<u64> = calls().filter(|c| c.chip == "cap").map(|c| c.parameters[0]).collect();
    // The first proof's caps come first, and its paths end in them alone.
    let (first, second) = caps.split_at(caps.len() / 2);
    assert!(!first.is_empty() && first.iter().all(|tree| !second.contains(tree)), "{caps:?}");
    let paths: Vec<u64> =
        calls().filter_map(Script::of).map(|script| script.tree).filter(|&tree| tree > 0).collect();
    let (own, others) = paths.split_at(paths.len() / 2);
    assert!(!own.is_empty() && own.iter().all(|tree| first.contains(tree)), "{own:?}");
    assert!(others.iter().all(|tree| second.contains(tree)), "{others:?}");
}
