//! Proofs of the circuit, and claims that are rejected.

use chipwright_backend_stark::circuit::{
    CircuitError, CircuitProver, CircuitVerifier, compile_circuit,
};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::VerifyError;
use chipwright_example_outsider::path;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::check;
use p3_field::PrimeCharacteristicRing;

fn keys(steps: usize) -> (CircuitProver<Goldilocks2>, CircuitVerifier<Goldilocks2>) {
    let circuit = path(steps).expect("the circuit is consistent");
    compile_circuit(circuit.tables, &circuit.library, &Config::testing())
        .expect("the circuit compiles")
}

fn verify(
    (prover, verifier): &(CircuitProver<Goldilocks2>, CircuitVerifier<Goldilocks2>),
    publics: [u64; 3],
) -> Result<(), CircuitError> {
    let proof = prover.prove(&Inputs::publics(publics))?;
    verifier.verify(&publics.map(|value| vec![value]), &proof)
}

#[test]
fn a_path_is_proven() {
    let keys = keys(8);
    verify(&keys, [6, 1, 54]).expect("6 → 3 → 10 → 5 → 16 → 8 → 4 → 2 → 1");
    verify(&keys, [1, 2, 19]).expect("1 → 4 → 2 → 1 → 4 → 2 → 1 → 4 → 2");
}

#[test]
fn a_wrong_end_or_sum_has_no_proof() {
    let keys = keys(8);
    for wrong in [[6, 2, 54], [6, 1, 55]] {
        assert!(matches!(verify(&keys, wrong), Err(CircuitError::Witness(_))));
    }
}

#[test]
fn a_number_too_large_for_the_chip_has_no_proof() {
    let keys = keys(1);
    let largest = (1 << 17) - 2;
    assert!(verify(&keys, [largest, largest / 2, largest]).is_ok());
    assert!(verify(&keys, [1 << 17, 1 << 16, 1 << 17]).is_err());
}

#[test]
fn a_forged_path_is_rejected() {
    let (prover, verifier) = keys(3);
    let witness = prover.witness(&Inputs::publics([6, 5, 19]), None).expect("6 → 3 → 10 → 5");
    for slot in 0..witness.values.len() {
        let mut forged = witness.clone();
        forged.values[slot] += <Goldilocks2 as chipwright_ir::FieldPair>::Ext::ONE;
        let trace = prover.trace(&forged).expect("the tables can be filled");
        let report = check::<Goldilocks2>(prover.machine(), &trace);
        assert!(!report.is_ok(), "slot {slot} may be forged");
        // Public inputs may be forged too: the verifier is asked about those of the trace.
        let publics = trace.publics.clone();
        let proof = prover.key().prove(trace).expect("the trace has the right shape");
        let result = verifier.key().verify(&publics, &proof);
        assert!(matches!(result, Err(VerifyError::Rejected { .. })), "slot {slot}: {result:?}");
    }
}
