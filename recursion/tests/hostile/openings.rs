//! Openings and the low-degree test, step by step: proofs in which the prover goes on with something else than the step
//! before it gives, and is honest otherwise.

use std::sync::Arc;

use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::Form;
use p3_commit::OpenedValues;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_goldilocks::Goldilocks;

use crate::forging::{Ext, P, config};
use crate::prover::{Claim, Deceit, deceive};
use crate::scene::{SUM, Scene};

/// One folded value is not the one of the step before.
const OWN: &[&str] = &["bus witness", "call_hasher: own"];
const FINAL: &[&str] = &["verify/query/final polynomial"];
const CONSTANT: &[&str] = &["verify/query/a table of one row is constant"];

/// One query: no two paths meet, so what is wrong with one evaluation is wrong with no other's path.
fn config_of_one_query(log_final_poly_len: usize) -> Config {
    let mut config = config(log_final_poly_len);
    config.parameters.queries = 1;
    config
}

/// Proofs of tables of 64, 32 and one row, folded thrice.
fn scene() -> Scene<P> {
    let scene = Scene::of(&config_of_one_query(0), Form::Separate);
    assert_eq!(scene.proof.log_heights(), [6, 0, 0, 5, 5]);
    assert_eq!(scene.proof.batch().opening_proof.commit_phase_commits.len(), 3);
    scene
}

/// What the proof of a prover that deviates violates; the proof of its verification is made and rejected.
fn violated(scene: &Scene<P>, deceit: &Deceit) -> Vec<String> {
    let deception = deceive(scene, deceit);
    assert!(!scene.native_accepts(&deception.proof, SUM));
    let inputs = deception.inputs(scene, SUM);
    let forged = scene.circuit.force(&inputs);
    let mut violated = forged.violated();
    if violated == ["bus witness"] {
        violated.extend(forged.misread().into_iter().map(|(_, port)| port));
    }
    let proof = scene.circuit.prove(forged);
    assert!(!scene.circuit.accepts(&inputs, &proof), "accepted, although {violated:?}");
    violated
}

#[test]
fn a_prover_of_another_make_is_believed_if_it_is_honest() {
    let scene = scene();
    let deception = deceive(&scene, &Deceit::default());
    assert!(scene.native_accepts(&deception.proof, SUM));
    let inputs = deception.inputs(&scene, SUM);
    let forged = scene.circuit.force(&inputs);
    assert!(forged.report.is_ok() && forged.violated().is_empty(), "{}", forged.report);
    assert!(scene.circuit.accepts(&inputs, &scene.circuit.prove(forged)));
}

#[test]
fn what_is_folded_is_what_the_openings_of_every_height_reduce_to() {
    let scene = scene();
    // The tallest are folded first; shorter ones enter after the first round, and after the last one.
    for (number, expected) in [OWN, OWN, FINAL].into_iter().enumerate() {
        let deceit = Deceit { reduced: Some(number), ..Deceit::default() };
        assert_eq!(violated(&scene, &deceit), expected, "height {number}");
    }
}

#[test]
fn every_round_goes_on_with_the_fold_of_the_one_before() {
    let scene = scene();
    for (round, expected) in [OWN, OWN, FINAL].into_iter().enumerate() {
        let deceit = Deceit { folded: Some(round), ..Deceit::default() };
        assert_eq!(violated(&scene, &deceit), expected, "round {round}");
    }
    // A final polynomial of two coefficients.
    let scene = Scene::of(&config_of_one_query(1), Form::Separate);
    let rounds = scene.proof.batch().opening_proof.commit_phase_commits.len();
    let deceit = Deceit { folded: Some(rounds - 1), ..Deceit::default() };
    assert_eq!(violated(&scene, &deceit), FINAL);
}

/// Says something else of a quotient, by its number: of its two coefficient polynomials, with the same sum.
fn quotient(number: usize) -> Claim {
    Arc::new(move |opened: &mut OpenedValues<Ext>| {
        let [first, second] = &mut opened[1][number][0][..] else { panic!("two coefficients") };
        *first += Ext::from_basis_coefficients_fn(|i| [Goldilocks::ZERO, Goldilocks::ONE][i]);
        *second -= Goldilocks::ONE;
    })
}

/// Says something else of a lookup column at the next point.
fn next_row(table: usize, column: usize) -> Claim {
    Arc::new(move |opened: &mut OpenedValues<Ext>| opened[3][table][1][column] += Ext::ONE)
}

#[test]
fn a_claimed_value_is_that_of_the_committed_polynomial() {
    let scene = scene();
    // Of the tables of 64 and of 32 rows, and of a column whose next row no rule reads.
    for (what, claim) in [
        ("64 rows", quotient(0)),
        ("32 rows", quotient(3)),
        ("32 rows, another table", quotient(4)),
        ("64 rows, next row", next_row(0, 2)),
        ("32 rows, next row", next_row(3, 2)),
    ] {
        let deceit = Deceit { opened: Some(claim), ..Deceit::default() };
        assert_eq!(violated(&scene, &deceit), OWN, "{what}");
    }
}

#[test]
fn a_table_of_one_row_is_constant() {
    let scene = scene();
    // What does not reduce to zero is not added to the folded polynomial: the circuit knows that it is zero.
    let deceit = Deceit { opened: Some(quotient(1)), ..Deceit::default() };
    assert_eq!(violated(&scene, &deceit), CONSTANT);
}
