//! Chains of layers reach a fixed point.

use chipwright_backend_stark::circuit::compile_circuit;
use chipwright_backend_stark::config::Config;
use chipwright_dsl::circuit::CircuitBuilder;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::{Goldilocks2, KoalaBear4};
use chipwright_recursion::batch::RecursiveField;
use chipwright_recursion::chain::Chain;
use p3_field::PrimeCharacteristicRing;

/// Layers over a circuit that says that `3² = 9`.
fn layers_reach_a_fixed_point<P: RecursiveField>() {
    let config = Config::testing_over(P::FIELD);
    let mut builder = CircuitBuilder::with_library("square", chipwright_chips::library(P::FIELD));
    let x = builder.add_public_input();
    let square = builder.mul(x, x);
    builder.assert_eq(square, 9).named("square");
    let circuit = builder.build().expect("the circuit is sound");
    let (prover, verifier) =
        compile_circuit::<P>(circuit.tables, &circuit.library, &config).expect("it compiles");
    let proof = prover.prove(&Inputs::publics([3])).expect("it is satisfied");
    let key = verifier.key();
    let chain = Chain::<P>::new(key, proof.log_heights(), &config, 7).expect("layers can be built");
    for number in 1..=7 {
        let layer = chain.layer(number);
        println!(
            "layer {number}: {} permutations, per query {:?}",
            layer.permutations(),
            layer.shapes().iter().map(|s| s.permutations_per_query()).collect::<Vec<_>>()
        );
        for (table, rows) in layer.key().tables().iter().zip(&layer.prover().tables().tables) {
            println!(
                "   {}: {} rows of 2^{:?}, {} + {} fixed + {} lookup, degree {}",
                table.name,
                rows.rows.len(),
                table.log_height,
                table.width,
                table.fixed_width,
                table.lookup_columns,
                table.degree
            );
        }
    }
    let publics: Vec<Vec<P::Base>> =
        key.tables().iter().map(|t| vec![P::Base::from_u64(3); t.publics]).collect();
    let at = chain.fixed_point_at();
    println!("{}: fixed point at {at:?}", P::FIELD);
    let count = at.map_or(2, |at| at + 2);
    let (statement, proof) = chain.prove(key, &publics, &proof, count).expect("proves");
    chain
        .layer(count)
        .verify_result(chain.keys(), statement.claim, &statement, &proof)
        .expect("verifies");
    assert!(at.is_some_and(|at| at <= 4));
}

#[test]
fn r_31_layers_over_layers_reach_a_fixed_point() {
    layers_reach_a_fixed_point::<Goldilocks2>();
}

#[test]
fn r_31_layers_over_koala_bear_reach_a_fixed_point() {
    layers_reach_a_fixed_point::<KoalaBear4>();
}
