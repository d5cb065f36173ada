//! What holds for every circuit. `CIRCUITS=1000000` runs more of them.

use chipwright_ir::circuit::passes::{OPTIMISATIONS, optimisations};
use chipwright_ir::circuit::verify::verify_structure;
use chipwright_ir::circuit::{Circuit, Form, Graph, LowerError, lower_to_slots, parse};
use chipwright_ir::{Field, with_field};
use proptest::prelude::*;

use crate::check::{Outcome, check_lowering, execute, inputs, interpret};
use crate::random::{build, steps};

fn config() -> ProptestConfig {
    let cases = std::env::var("CIRCUITS").ok().and_then(|count| count.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(10_000),
        failure_persistence: None,
        ..Default::default()
    }
}

/// Operations other than constants and inputs.
fn operations(graph: &Graph) -> usize {
    graph.ids().filter(|&id| graph.as_constant(id).is_none()).count()
}

fn same_meaning(before: &Graph, after: &Graph) -> Vec<Outcome> {
    (0..6)
        .map(|seed| {
            let inputs = inputs(before, seed);
            let expected = interpret(before, &inputs);
            assert_eq!(interpret(after, &inputs), expected, "on {inputs:?}:\n{before}\n{after}");
            expected
        })
        .collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_pass_keeps_satisfaction_and_violation(steps in steps(), field in 0usize..2) {
        let field = [Field::Goldilocks2, Field::KoalaBear4][field];
        let graph = build(field, &steps);
        prop_assert!(verify_structure(&graph).is_ok());
        for pass in OPTIMISATIONS {
            match pass.apply(&graph) {
                Ok(after) => {
                    prop_assert!(verify_structure(&after).is_ok(), "{after}");
                    same_meaning(&graph, &after);
                    prop_assert!(operations(&after) <= operations(&graph), "{graph}\n{after}");
                    let again = pass.apply(&after).expect("the result has no connections");
                    prop_assert_eq!(again.to_string(), after.to_string());
                }
                Err(LowerError::Cycle { .. }) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
    }

    #[test]
    fn the_pipeline_and_both_lowerings_keep_satisfaction_and_violation(steps in steps()) {
        let graph = build(Field::Goldilocks2, &steps);
        let Ok(Circuit::Expr(optimised)) = optimisations().run(Circuit::Expr(graph.clone())) else {
            return Ok(());
        };
        same_meaning(&graph, &optimised);
        for graph in [&graph, &optimised] {
            with_field!(graph.field, P => check_lowering::<P>(graph));
        }
        if lower_to_slots(&graph, Form::Fused).is_err_and(|e| matches!(e, LowerError::Contradiction { .. })) {
            let inputs = inputs(&graph, 1);
            prop_assert_eq!(interpret(&graph, &inputs), Outcome::Violated);
            prop_assert_eq!(execute(&optimised, Form::Fused, &inputs), Outcome::Violated);
        }
    }

    #[test]
    fn text_reads_back_as_the_same_circuit(steps in steps()) {
        let graph = build(Field::Goldilocks2, &steps);
        let text = graph.to_string();
        let Ok(Circuit::Expr(read)) = parse(&text) else {
            return Err(TestCaseError::fail(format!("{text}\n{}", parse(&text).unwrap_err())));
        };
        prop_assert_eq!(&read, &graph.normalised());
        prop_assert_eq!(read.to_string(), text);
        for form in [Form::Fused, Form::Separate] {
            let Ok(slots) = lower_to_slots(&graph, form) else { continue };
            let text = slots.to_string();
            match parse(&text) {
                Ok(Circuit::Slots(read)) => {
                    prop_assert_eq!(read.to_string(), text);
                    prop_assert_eq!(read, slots);
                }
                Ok(_) => return Err(TestCaseError::fail("another stage")),
                Err(error) => return Err(TestCaseError::fail(format!("{error}\n{text}"))),
            }
        }
    }
}
