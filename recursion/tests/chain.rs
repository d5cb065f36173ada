//! Chains of layers reach a fixed point.

use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::chain::Chain;
use chipwright_tests::{Compiled, toy};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

#[test]
fn r_31_layers_over_layers_reach_a_fixed_point() {
    let compiled = Compiled::new(&toy(), chipwright_ir::circuit::Form::Fused);
    let proof = compiled.prove(&Inputs::publics([3]));
    let heights = proof.batch().degree_bits.clone();
    let key = compiled.verifier.key();
    let chain = Chain::<Goldilocks2>::new(key, &heights, &Config::testing(), 7).expect("builds");
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
    let mut publics: Vec<Vec<Goldilocks>> =
        key.tables().iter().map(|t| vec![Goldilocks::from_u64(3); t.publics]).collect();
    publics.truncate(key.tables().len());
    let at = chain.fixed_point_at();
    println!("fixed point at {at:?}");
    let count = at.map_or(2, |at| at + 2);
    let (statement, proof) = chain.prove(key, &publics, &proof, count).expect("proves");
    chain
        .layer(count)
        .verify_result(chain.keys(), statement.claim, &statement, &proof)
        .expect("verifies");
    assert!(at.is_some_and(|at| at <= 4));
}
