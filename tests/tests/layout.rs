//! Circuits whose tables are fused into one: what they prove, and what they do not.

use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::{Form, Inputs};
use chipwright_tests::{Compiled, expect_rejected, tables, toy};

#[test]
fn the_toy_circuit_is_proven_in_one_table() {
    for form in [Form::Fused, Form::Separate] {
        let compiled = Compiled::fused(tables(&toy(), form), &Config::testing(), None).unwrap();
        assert_eq!(compiled.verifier.key().tables().len(), 1);
        let proof = compiled.prove(&Inputs::publics([3]));
        compiled.verify(&[3], &proof).unwrap();
        expect_rejected(compiled.verify(&[4], &proof));
    }
}
