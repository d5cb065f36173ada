//! Chains of layers reach a fixed point.

use chipwright_backend_stark::config::Config;
use chipwright_ir::field::{Goldilocks2, KoalaBear4};
use chipwright_recursion::batch::RecursiveField;
use chipwright_recursion::chain::Chain;
use chipwright_tests::Square;

/// Layers over a circuit that says that `3² = 9`.
fn layers_reach_a_fixed_point<P: RecursiveField>() {
    let config = Config::testing_over(P::FIELD);
    let square = Square::<P>::new(&config);
    let (key, publics, proof) = (square.verifier.key(), square.publics(), square.prove());
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
    let at = chain.fixed_point_at();
    println!("{}: fixed point at {at:?}", P::FIELD);
    let count = at.map_or(2, |at| at + 2);
    let (_, proof) = chain.prove(key, &publics, &proof, count).expect("proves");
    chain.verify(&publics, count, &proof).expect("verifies");
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
