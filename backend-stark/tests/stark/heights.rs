//! Heights that proofs may have, and what they are worth then.

use crate::machines::{fibonacci, fibonacci_trace, squares, squares_trace};
use crate::proofs::{is_rejected, keys};
use chipwright_backend_stark::config::{Config, StarkField};
use chipwright_backend_stark::key::{HeightsError, KeyShape, VerifyingKey, compile};
use chipwright_backend_stark::proof::{Proof, ProveError, VerifyError};
use chipwright_backend_stark::security::SecurityReport;
use chipwright_ir::Field;
use chipwright_ir::chip::{CellType, Column, ColumnKind};
use chipwright_ir::field::{Goldilocks2, KoalaBear4};
use chipwright_ir::machine::MachineTrace;
use p3_batch_stark::StarkInstance;
use p3_goldilocks::Goldilocks;
use p3_matrix::dense::RowMajorMatrix;

#[test]
fn n_19_a_claimed_height_is_checked() {
    let keys = keys::<Goldilocks2>(&squares(Field::default()));
    let trace = squares_trace(&[3, 3, 7, 0]);
    let publics = trace.publics.clone();
    let mut proof = keys.0.prove(trace).expect("shapes fit");
    for (table, height) in [(0, 40), (0, usize::MAX), (1, 3), (1, 5)] {
        let honest = proof.log_heights()[table];
        proof.batch_mut().degree_bits[table] = height;
        let error = keys.1.verify(&publics, &proof).expect_err("wrong height");
        assert!(matches!(error, VerifyError::Heights(HeightsError::Height { .. })), "{error}");
        proof.batch_mut().degree_bits[table] = honest;
    }
    for height in [0, 1, 3, 20] {
        proof.batch_mut().degree_bits[0] = height;
        assert!(is_rejected(keys.1.verify(&publics, &proof)), "2^{height}");
    }
    proof.batch_mut().degree_bits.pop();
    let error = keys.1.verify(&publics, &proof).expect_err("a table is missing");
    let expected = HeightsError::Tables { expected: 2, found: 1 };
    assert_eq!(error, VerifyError::Heights(expected));
}

#[test]
fn multiplicities_that_could_wrap_around_the_field_are_refused() {
    // 2^20 messages in each row: together they may be fewer than the order of the field, and no more.
    let config = Config::testing_over(Field::KoalaBear4);
    let mut machine = squares(config.field);
    machine.chips[0].interactions[0].weight = 1 << 20;
    let key = KeyShape::<KoalaBear4>::new(&machine, &config).expect("a shape");
    for (log_height, admitted) in [(10, true), (11, false), (20, false)] {
        let verdict = key.admit(&[log_height, 4]).map(|_| ());
        let wraps = matches!(verdict, Err(HeightsError::Multiplicities { .. }));
        assert_eq!((verdict.is_ok(), wraps), (admitted, !admitted), "{verdict:?}");
    }
}

#[test]
fn a_table_is_not_lower_than_the_period_of_a_column() {
    let mut machine = fibonacci(Field::default());
    let chip = &mut machine.chips[0];
    chip.columns.push(Column {
        name: "beat".to_owned(),
        kind: ColumnKind::Periodic,
        ty: CellType::Felt,
    });
    chip.periodic.push((0..8).collect());
    let key = KeyShape::<Goldilocks2>::new(&machine, &Config::testing()).expect("a shape");
    assert!(key.admit(&[3]).is_ok());
    let error = key.admit(&[2]).expect_err("four rows have no period of eight");
    assert!(matches!(error, HeightsError::Height { found: 2, low: 3, .. }), "{error}");
}

/// A valid proof that the key's own prover does not make, since it is worth less than the target.
fn proof_below_the_target(
    key: &VerifyingKey<Goldilocks2>,
    trace: MachineTrace<Goldilocks>,
) -> Proof<Goldilocks2> {
    let air = &key.airs()[0];
    let matrix = RowMajorMatrix::new(trace.tables[0].values.clone(), 2);
    let data = Goldilocks2::prover_data(key.stark(), key.airs(), &[0], key.config())
        .expect("there are no fixed columns");
    let public_values = trace.publics[0].clone();
    let instances = [StarkInstance { air, trace: &matrix, public_values }];
    let batch = Goldilocks2::prove(key.stark(), &instances, &data).expect("Plonky3 proves it");
    // Written as a proof of another key, and read as one of this.
    let other = keys::<Goldilocks2>(&fibonacci(Field::default()));
    let mut proof = other.0.prove(trace).expect("shapes fit");
    *proof.batch_mut() = batch;
    let mut bytes = proof.to_bytes();
    bytes[13..45].copy_from_slice(key.digest());
    Proof::from_bytes(key, &bytes).expect("well formed")
}

#[test]
fn a_proof_below_the_target_is_refused_by_prover_and_verifier() {
    let with_target = |target| {
        let config = Config { target, ..Config::testing() };
        compile::<Goldilocks2>(&fibonacci(config.field), &config).expect("compiles")
    };
    let (publics, trace) = (fibonacci_trace(3).publics, || fibonacci_trace(3));
    let few = with_target(Some(1));
    few.1.verify(&publics, &proof_below_the_target(&few.1, trace())).expect("one bit is little");
    let demanding = with_target(Some(50));
    let error = demanding.0.prove(trace()).expect_err("a few bits are not fifty");
    assert!(matches!(error, ProveError::Heights(HeightsError::Security(_))), "{error}");
    // The proof is valid, and that it is worth so little is all that is wrong with it.
    let proof = proof_below_the_target(&demanding.1, trace());
    let error = demanding.1.verify(&publics, &proof).expect_err("a few bits are not fifty");
    let VerifyError::Heights(HeightsError::Security(error)) = error else { panic!("{error}") };
    assert_eq!((error.required, error.proven), (50, 3));
}

#[test]
fn h_04_a_table_as_low_as_the_configuration_wants_and_no_lower_is_verified() {
    let mut config = Config::testing();
    config.parameters.min_log_height = 2;
    let (_, key) = compile::<Goldilocks2>(&fibonacci(config.field), &config).expect("compiles");
    for (log_height, admitted) in [(0, false), (1, false), (2, true), (3, true)] {
        let trace = fibonacci_trace(log_height);
        let publics = trace.publics.clone();
        // Plonky3's verifier has no such limit: the proof is one.
        let verdict = key.verify(&publics, &proof_below_the_target(&key, trace));
        assert_eq!(verdict.is_ok(), admitted, "2^{log_height}: {verdict:?}");
    }
}

#[test]
fn what_a_proof_is_worth_depends_on_its_tallest_table_and_on_nothing_asked_before() {
    let (_, key) = keys::<Goldilocks2>(&squares(Field::default()));
    let beyond = key.max_log_height() + 1;
    for log_heights in [[4, 4], [3, 4], [12, 5], [4, 3], [beyond, 1], [5, 12]] {
        let report = SecurityReport::new(key.config(), &key.shape().batch_shape(&log_heights));
        assert_eq!(key.security(&log_heights), report, "{log_heights:?}");
        let tallest = [log_heights[0].max(log_heights[1])];
        assert_eq!(key.security(&tallest), report, "{log_heights:?}");
    }
}
