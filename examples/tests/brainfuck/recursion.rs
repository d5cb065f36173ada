//! A proof of a run, verified in a circuit.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_examples::brainfuck::{Engine, Program, ProveOptions, State, claim, prove};
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::claims::Claims;
use chipwright_recursion::keys::KeySet;
use chipwright_recursion::layer::Layer;
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

#[test]
fn b_29_a_proof_of_a_run_is_verified_in_a_circuit_and_that_is_proven() {
    let options = ProveOptions { config: Config::testing(), ..ProveOptions::default() };
    let program = Program::compile("+++[>++<-]>.").expect("the brackets match");
    let (run_proof, run) = prove(&program, b"", &options).expect("the run can be proven");
    assert_eq!(run.output, [6]);
    let engine = Engine::new(&program, run_proof.shape, &options.config).expect("it compiles");
    let [segment] = &run_proof.segments[..] else { panic!("the run has one segment") };
    let proof = StarkProof::<Goldilocks2>::from_bytes(engine.key(), &segment.proof)
        .expect("the proof is of this machine");
    let about = claim(&program, b"", &run.output, &options.execution);
    let publics = engine
        .publics(&State::initial(&run_proof.shape), &segment.end, about)
        .expect("states are canonical");

    let heights = proof.log_heights();
    let layer = Layer::<Goldilocks2>::over(engine.key(), heights, &Claims::Facts, &options.config)
        .expect("the proof can be verified in a circuit");
    let keys = KeySet::new([&layer]).expect("one key is a set");
    let (inputs, _) = layer
        .inputs_over(engine.key(), &publics, &proof, keys.root(), true)
        .expect("the proof has the shape");
    let outer = layer.prove(&inputs).expect("the circuit accepts the proof");
    let expect = |publics: &[Vec<Goldilocks>]| {
        Claims::Facts.expect::<Goldilocks2>(&publics.concat()).expect("facts are any values")
    };
    layer.verify(&keys, expect(&publics), &outer).expect("the layer's proof verifies");

    // Other public values are another claim, for which there are no paths or no witness.
    let mut wrong = publics.clone();
    let value = wrong.iter_mut().flatten().last().expect("the machine has public values");
    *value += Goldilocks::ONE;
    let refused = layer
        .inputs_over(engine.key(), &wrong, &proof, keys.root(), true)
        .and_then(|(inputs, _)| layer.prove(&inputs));
    assert!(refused.is_err());
    assert!(layer.verify(&keys, expect(&wrong), &outer).is_err());
}
