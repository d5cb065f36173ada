//! Openings and the low-degree test, step by step: proofs in which the prover goes on with something else than the step
//! before it gives, and is honest otherwise.

use std::sync::Arc;

use chipwright_backend_stark::config::Config;
use chipwright_dsl::circuit::CircuitBuilder;
use chipwright_ir::FieldPair;
use chipwright_ir::circuit::{Form, Inputs};

use chipwright_recursion::domain::OutOfDomain;
use p3_commit::OpenedValues;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_goldilocks::Goldilocks;

use crate::forging::{Ext, Forgeable, Lie, P, config_of_one_query, incurious};
use crate::prover::{Claim, Deceit, deceive};
use crate::scene::{SUM, Scene};

/// One folded value is not the one of the step before.
const OWN: &[&str] = &["bus witness", "call_hasher: own"];
const FINAL: &[&str] = &["verify/query/final polynomial"];
const CONSTANT: &[&str] = &["verify/query/a table of one row is constant"];

/// Proofs of tables of 64, 32 and one row, folded thrice. There is one query: what is wrong with an evaluation is wrong
/// with no path of another one.
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

/// Says something else of a column: by commitment, table, point and column. A quotient makes up for it.
fn column(place: [usize; 4], quotient: Ext) -> Claim {
    let [commitment, table, point, column] = place;
    Arc::new(move |opened: &mut OpenedValues<Ext>| {
        opened[commitment][table][point][column] += Ext::ONE;
        opened[1][table][0][0] += quotient;
    })
}

/// By how much a table's quotient is not what its constraints say, if something else is said of a column.
fn missing(scene: &Scene<P>, place: [usize; 4]) -> Ext {
    let opened = Some(column(place, Ext::ZERO));
    let deception = deceive(scene, &Deceit { opened, ..Deceit::default() });
    let forged = scene.circuit.force(&deception.inputs(scene, SUM));
    // One row of the circuit does not hold, and it has a rule for each coefficient.
    Ext::from_basis_coefficients_fn(|i| {
        let name = format!("relation[{i}]");
        let rule = forged.report.rules.iter().find(|rule| rule.name == name);
        let [left, right] = rule.map_or([0; 2], |rule| [rule.left, rule.right]);
        Goldilocks::from_i128(left) - Goldilocks::from_i128(right)
    })
}

#[test]
fn a_claimed_value_is_that_of_the_committed_polynomial() {
    let scene = scene();
    // Of tables of 64 and of 32 rows, the first and another one.
    for table in [0, 3, 4] {
        let deceit = Deceit { opened: Some(quotient(table)), ..Deceit::default() };
        assert_eq!(violated(&scene, &deceit), OWN, "quotient of table {table}");
        // Columns of the table, preprocessed ones, those of lookups; and the next row of one that no rule reads.
        for place in [[0, table, 0, 0], [2, table, 0, 0], [3, table, 0, 0], [3, table, 1, 2]] {
            let missing = missing(&scene, place);
            let verdicts = [missing, -missing].map(|quotient| {
                let opened = Some(column(place, quotient));
                violated(&scene, &Deceit { opened, ..Deceit::default() })
            });
            assert!(verdicts.iter().any(|verdict| verdict == OWN), "{place:?}: {verdicts:?}");
        }
    }
}

#[test]
fn a_table_of_one_row_is_constant() {
    let scene = scene();
    // What does not reduce to zero is not added to the folded polynomial: the circuit knows that it is zero.
    let deceit = Deceit { opened: Some(quotient(1)), ..Deceit::default() };
    assert_eq!(violated(&scene, &deceit), CONSTANT);
}

/// The second coefficient of the point: after it come two challenges of lookups, and the one of constraints.
const POINT: usize = 7;

#[test]
fn the_point_is_not_in_the_base_field() {
    let scene = scene();
    let deceit = Deceit { sampled: Some((POINT, Goldilocks::ZERO)), ..Deceit::default() };
    let deception = deceive(&scene, &deceit);
    assert!(!scene.native_accepts(&deception.proof, SUM));
    // No sample is like that, so the transcript has to lie as well.
    let sample = deception.unheeded.expect("the point is sampled").as_canonical_u64();
    let honest = incurious();
    let lie: Lie = Arc::new(move |library, call, inputs, data| {
        let (mut rows, mut outputs) = honest(library, call, inputs, data);
        let cells = rows.iter_mut().flatten().chain(&mut outputs);
        cells.filter(|cell| **cell == sample).for_each(|cell| *cell = 0);
        (rows, outputs)
    });
    let circuit = scene.circuit.relying_on("hasher", &lie);
    let inputs = deception.inputs(&scene, SUM);
    let forged = circuit.force(&inputs);
    assert_eq!(forged.violated(), ["call_hasher: kept element", "verify/openings/"]);
    assert!(!circuit.accepts(&inputs, &circuit.prove(forged)));
}

#[test]
fn the_point_is_no_row_of_a_table() {
    let mut builder = CircuitBuilder::with_library("point", chipwright_chips::library(P::FIELD));
    let point = builder.public();
    OutOfDomain::new(point).selectors(&mut builder, 3);
    let circuit = Forgeable::<P>::new(builder.build().expect("a circuit"), &Config::testing());
    let row = Goldilocks::two_adic_generator(3).exp_u64(3).as_canonical_u64();
    for (point, violated) in [(row, vec!["/"]), (row + 1, vec![])] {
        let inputs = Inputs { publics: vec![vec![point, 0]], ..Inputs::default() };
        let forged = circuit.force(&inputs);
        assert_eq!(forged.violated(), violated);
        assert_eq!(circuit.accepts(&inputs, &circuit.prove(forged)), violated.is_empty());
    }
}
