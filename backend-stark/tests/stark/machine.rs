//! Machines from records to verdicts.

use crate::machines::{fibonacci, squares};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::machine::{
    MachineError, MachineProver, MachineVerifier, compile_machine,
};
use chipwright_backend_stark::proof::VerifyError;
use chipwright_ir::Field;
use chipwright_ir::chip::{ColumnKind, Node};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{ChipRows, Machine, MachineInput};

fn compiled(mut machine: Machine) -> (MachineProver<Goldilocks2>, MachineVerifier<Goldilocks2>) {
    // The columns are advice here: their values come with the input.
    let chip = &mut machine.chips[0];
    for kind in chip
        .columns
        .iter_mut()
        .map(|column| &mut column.kind)
        .chain(chip.groups.iter_mut().map(|group| &mut group.kind))
    {
        *kind = ColumnKind::Record;
    }
    compile_machine(machine, &Config::testing()).expect("the machine compiles")
}

fn input(chip: &str, rows: &[[u64; 2]], publics: &[u64]) -> MachineInput {
    let rows = rows.iter().map(|row| row.to_vec()).collect::<ChipRows>();
    MachineInput {
        rows: vec![(chip.to_owned(), rows)],
        publics: vec![(chip.to_owned(), publics.to_vec())],
        memory: vec![],
    }
}

#[test]
fn records_become_a_proof_of_their_public_values() {
    let (prover, verifier) = compiled(fibonacci(Field::default()));
    let input = input("fibonacci", &[[0, 1], [1, 1], [1, 2], [2, 3]], &[0, 1, 3]);
    let proof = prover.prove(&input).expect("the records are right");
    verifier.verify(&input.publics, &proof).expect("the proof is right");
    for publics in [vec![0, 1, 4], vec![1, 1, 3]] {
        let error = verifier
            .verify(&[("fibonacci".to_owned(), publics)], &proof)
            .expect_err("other public values");
        let MachineError::Verify(VerifyError::Rejected { .. }) = error else { panic!("{error}") };
    }
}

#[test]
fn public_values_are_matched_by_name_and_checked() {
    let (prover, verifier) = compiled(fibonacci(Field::default()));
    let input = input("fibonacci", &[[0, 1]], &[0, 1, 1]);
    let proof = prover.prove(&input).expect("the records are right");
    let named = |name: &str, values: &[u64]| (name.to_owned(), values.to_vec());
    for (publics, message) in [
        (vec![named("lucas", &[0, 1, 1])], "chip `lucas`, which does not exist"),
        (vec![named("fibonacci", &[0, 1, 1]); 2], "which was given some already"),
        (vec![named("fibonacci", &[0, u64::MAX, 1])], "public value 1 of chip `fibonacci`"),
        (vec![named("fibonacci", &[0, 1])], "takes [3] public values per table, [2] were given"),
        (vec![], "takes [3] public values per table, [0] were given"),
    ] {
        let error = verifier.verify(&publics, &proof).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn what_does_not_hold_is_reported_before_it_is_proven() {
    let (prover, _) = compiled(fibonacci(Field::default()));
    let error = prover
        .prove(&input("fibonacci", &[[0, 1], [1, 1], [1, 3], [3, 4]], &[0, 1, 5]))
        .expect_err("1 + 1 is not 3, and 4 is not 5");
    let MachineError::Violated(report) = error else { panic!("{error}") };
    assert_eq!((report.failing_rules, report.unbalanced_tuples), (2, 0));
}

#[test]
fn a_message_without_a_table_entry_is_an_error_of_the_trace() {
    let (prover, _) = compiled(squares(Field::default()));
    let mut input = input("squares", &[[3, 9], [4, 15]], &[]);
    input.publics.clear();
    let error = prover.prove(&input).expect_err("4² is not 15");
    assert!(matches!(error, MachineError::Fill(_)), "{error}");
}

#[test]
fn rules_of_a_high_degree_are_lowered() {
    let mut machine = fibonacci(Field::default());
    let chip = &mut machine.chips[0];
    // b₀¹¹ = 1 on the first row.
    let b = chip.rules[1].left;
    let power = (1..11).fold(b, |power, _| chip.graph.add(Node::Mul(power, b)));
    chip.rules[1].left = power;
    let (prover, verifier) = compiled(machine);
    assert!(prover.machine().chips[0].degree() <= Config::testing().max_degree());
    let input = input("fibonacci", &[[0, 1], [1, 1]], &[0, 1, 1]);
    let proof = prover.prove(&input).expect("the new columns are filled");
    verifier.verify(&input.publics, &proof).expect("the proof is right");
}

#[test]
fn n_19_a_machine_without_the_table_of_a_bus_is_refused() {
    let mut machine = squares(Field::default());
    machine.chips.pop();
    let error = compile_machine::<Goldilocks2>(machine, &Config::testing()).expect_err("no table");
    assert!(matches!(error, MachineError::Invalid(_)), "{error}");
    assert!(error.to_string().contains("square"), "{error}");
}
