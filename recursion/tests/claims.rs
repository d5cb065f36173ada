//! What a layer claims: digests that mean one thing.

use chipwright_backend_stark::circuit::compile_circuit;
use chipwright_backend_stark::config::Config;
use chipwright_dsl::circuit::CircuitBuilder;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::keys::{Domain, KeySet, digest};
use chipwright_recursion::layer::{Layer, LayerError, Statement, joined};
use chipwright_tests::FIELD;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

#[test]
fn the_public_values_of_one_proof_are_not_the_claims_of_two() {
    // A circuit that demands nothing of its eight public values: a prover makes them two claims.
    let mut builder = CircuitBuilder::over("eight", FIELD);
    *builder.library_mut() = chipwright_chips::library(FIELD);
    for _ in 0..8 {
        let value = builder.add_public_input();
        builder.mul(value, value);
    }
    let circuit = builder.build().expect("a circuit");
    let config = Config::testing();
    let (prover, verifier) =
        compile_circuit::<Goldilocks2>(circuit.tables, &circuit.library, &config)
            .expect("it compiles");
    let claims = [[1, 2, 3, 4], [5, 6, 7, 8]].map(|claim| claim.map(Goldilocks::from_u64));
    let values = claims.as_flattened();
    let proof = prover
        .prove(&Inputs::publics(values.iter().map(PrimeField64::as_canonical_u64)))
        .expect("nothing is demanded");
    let key = verifier.key();
    let publics: Vec<Vec<Goldilocks>> =
        key.tables().iter().map(|table| values[..table.publics].to_vec()).collect();
    let layer = Layer::over(key, proof.log_heights(), &config).expect("a layer");
    let keys = KeySet::new([layer.key()]).expect("one key");
    let (mut inputs, statement) = layer
        .inputs_over(key, &publics, &proof, keys.root(), true)
        .expect("the proof has the shape");
    let honest = layer.prove(&inputs).expect("the proof is valid");
    let of_two = joined(&claims);
    assert_eq!(statement.claim, digest(Domain::Publics, values));
    assert_eq!(of_two, digest(Domain::Claims, values));
    assert_ne!(statement.claim, of_two);

    let verdict = layer.verify_result(&keys, of_two, &statement, &honest);
    assert!(matches!(verdict, Err(LayerError::Statement("claim"))), "{verdict:?}");
    let relabelled = Statement { claim: of_two, ..statement };
    let verdict = layer.verify_result(&keys, of_two, &relabelled, &honest);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
    // The circuit does not make that claim, either.
    inputs.publics =
        relabelled.publics().iter().map(|value| vec![value.as_canonical_u64()]).collect();
    let verdict = layer.prove(&inputs);
    assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{verdict:?}");
}
