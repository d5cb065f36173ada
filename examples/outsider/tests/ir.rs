//! Snapshots of IR: what the chip and the circuit are, in the text that reviewers read.
//!
//! `cargo insta review` shows what changed; a snapshot is accepted like any other change of the source.

use chipwright_dsl::record;
use chipwright_example_outsider::{Collatz, FIELD, path};
use chipwright_ir::circuit::{Circuit, passes};
use chipwright_ir::pass::Dump;

#[test]
fn the_chip() {
    let chip = record::<Collatz>(FIELD).expect("the chip has no mistakes");
    insta::assert_snapshot!(chip);
}

#[test]
fn the_circuit_as_written() {
    insta::assert_snapshot!(path(2).expect("the circuit is consistent").expr);
}

#[test]
fn the_tables_of_the_circuit() {
    insta::assert_snapshot!(path(2).expect("the circuit is consistent").tables);
}

#[test]
fn what_each_pass_changes() {
    let written = path(2).expect("the circuit is consistent").expr;
    let mut diffs = String::new();
    passes::optimisations()
        .run_with(Circuit::Expr(written), &Dump::Changed, &mut |diff| diffs += diff)
        .expect("no pass refuses the circuit");
    insta::assert_snapshot!(diffs);
}
