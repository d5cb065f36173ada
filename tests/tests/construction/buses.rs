//! Multiplicities, and the order of rows.

use chipwright_ir::circuit::{Form, Inputs, Role, ValueType};
use chipwright_ir::field::Goldilocks2;
use chipwright_tests::{Compiled, FIELD, sum_of_squares, toy};
use p3_goldilocks::Goldilocks;

use super::FORMS;

#[test]
fn r_27_every_multiplicity_counts() {
    let compiled = Compiled::new(&sum_of_squares(3), Form::Fused);
    let inputs = Inputs::publics([14]).with_privates([1, 2, 3]);
    let config = chipwright_backend_stark::config::Config::testing();
    let trace = compiled.trace(&inputs);
    // Each count of the wiring is changed in turn, in the key itself: the bus no longer balances.
    let mut changed = 0;
    for (chip_index, chip) in compiled.prover.machine().chips.iter().enumerate() {
        let Some(fixed) = &chip.fixed else { continue };
        let names: Vec<&str> = chip
            .columns
            .iter()
            .filter(|c| c.kind == chipwright_ir::chip::ColumnKind::Fixed)
            .map(|column| column.name.as_str())
            .collect();
        for (column, name) in names.iter().enumerate().filter(|(_, name)| name.ends_with("_count"))
        {
            let mut machine = compiled.prover.machine().clone();
            let cell = &mut machine.chips[chip_index].fixed.as_mut().unwrap().columns[column][0];
            // Towards zero, since a count beyond the weight of its message has no key.
            let count = FIELD.signed(*cell);
            *cell = FIELD.reduce(if count == 0 { 1 } else { count - count.signum() });
            let (prover, verifier) =
                chipwright_backend_stark::key::compile::<Goldilocks2>(&machine, &config).unwrap();
            let proof = prover.prove(trace.clone()).unwrap();
            let verdict = verifier.verify(&trace.publics, &proof);
            assert!(
                verdict.is_err(),
                "{}.{name} may be anything ({} rows)",
                chip.name,
                fixed.rows()
            );
            changed += 1;
        }
    }
    assert!(changed >= 5, "only {changed} counts were changed");
}

#[test]
fn r_27_a_slot_that_nobody_reads_is_legal() {
    for form in FORMS {
        let mut graph = toy();
        let unread = graph.public(ValueType::Felt);
        graph.set_label(unread, "unread");
        let compiled = Compiled::new(&graph, form);
        let slot = compiled.prover.tables().program.publics[1];
        let creators: Vec<_> = compiled
            .prover
            .tables()
            .rows()
            .flat_map(|(_, row)| row.ports.to_vec())
            .filter(|port| port.slot == slot && port.role == Role::Creates)
            .collect();
        assert_eq!(creators.len(), 1);
        let proof = compiled.prove(&Inputs::publics([3, 5]));
        compiled.verify(&[3, 5], &proof).unwrap();
    }
}

#[test]
fn r_28_the_order_of_rows_proves_nothing_and_costs_nothing() {
    let compiled = Compiled::new(&sum_of_squares(4), Form::Fused);
    let inputs = Inputs::publics([30]).with_privates([1, 2, 3, 4]);
    let mut machine = compiled.prover.machine().clone();
    let mut trace = compiled.trace(&inputs);
    let alu = compiled.table("alu");
    // Reverse the used rows of the table, fixed columns and all.
    let rows = machine.chips[alu].fixed.as_ref().unwrap().rows();
    assert!(rows > 2);
    for column in &mut machine.chips[alu].fixed.as_mut().unwrap().columns {
        column.reverse();
    }
    let table = &mut trace.tables[alu];
    let reversed: Vec<Goldilocks> =
        (0..rows).rev().flat_map(|row| table.row(row).to_vec()).collect();
    table.values[..rows * table.width].copy_from_slice(&reversed);
    let config = chipwright_backend_stark::config::Config::testing();
    let (prover, verifier) =
        chipwright_backend_stark::key::compile::<Goldilocks2>(&machine, &config).unwrap();
    let publics = trace.publics.clone();
    verifier.verify(&publics, &prover.prove(trace).unwrap()).unwrap();
}
