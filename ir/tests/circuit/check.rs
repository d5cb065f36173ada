//! The helpers of these tests: what it takes to say that a pass keeps the meaning of a circuit.

use chipwright_ir::circuit::verify::verify_structure;
use chipwright_ir::circuit::{
    Circuit, Environment, Form, Graph, Inputs, ValueType, WitnessError, lower_to_slots,
    lower_to_tables, parse_graph,
};
use chipwright_ir::pass::{Diff, Pass, diff};
use chipwright_ir::{FieldPair, with_field};

/// What inputs do to a circuit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All rules hold.
    Satisfied,
    /// A rule is violated, or a divisor is 0.
    Violated,
}

pub(crate) fn outcome<T>(result: Result<T, WitnessError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Satisfied,
        Err(WitnessError::Violated(_) | WitnessError::DivisionByZero { .. }) => Outcome::Violated,
        Err(other) => panic!("neither satisfied nor violated: {other}"),
    }
}

/// The outcome at stage `expr`.
pub(crate) fn interpret(graph: &Graph, inputs: &Inputs) -> Outcome {
    with_field!(graph.field, P => outcome(graph.interpret::<P>(inputs, Environment::default())))
}

/// The outcome at stage `slots`. A contradiction at build time violates whatever the inputs are.
pub(crate) fn execute(graph: &Graph, form: Form, inputs: &Inputs) -> Outcome {
    match lower_to_slots(graph, form) {
        Ok(slots) => with_field!(graph.field, P => {
            outcome(slots.execute::<P>(inputs, Environment::default()))
        }),
        Err(_) => Outcome::Violated,
    }
}

/// Inputs from a seed: small numbers, so that equalities between them are not rare.
pub(crate) fn inputs(graph: &Graph, seed: u64) -> Inputs {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % 4
    };
    let mut value = |ty: ValueType| match ty {
        ValueType::Ext => (0..graph.field.degree()).map(|_| next()).collect(),
        ValueType::Felt => vec![next()],
        ValueType::Bit => vec![next() % 2],
    };
    let publics = graph.publics().iter().map(|&id| value(graph.ty(id))).collect();
    let privates = graph.privates().iter().map(|&id| value(graph.ty(id))).collect();
    Inputs { publics, privates, data: Vec::new() }
}

/// Runs a pass on the lines of a circuit, checks that it keeps the meaning on `0..200` inputs and is
/// idempotent, and gives the diff.
pub(crate) fn apply(pass: &dyn Pass<Circuit>, lines: &str) -> Diff {
    let before = parse_graph(&circuit(lines)).expect("the circuit parses");
    verify_structure(&before).expect("the circuit is well formed");
    let once = Circuit::Expr(before.clone());
    let Ok(Circuit::Expr(after)) = pass.run(&once) else { panic!("the pass fails") };
    verify_structure(&after).expect("the result is well formed");
    let mut outcomes = Vec::new();
    for seed in 0..200 {
        let inputs = inputs(&before, seed);
        let expected = interpret(&before, &inputs);
        assert_eq!(interpret(&after, &inputs), expected, "on {inputs:?}:\n{before}\n{after}");
        outcomes.push(expected);
    }
    let after = Circuit::Expr(after);
    let again = pass.run(&after).expect("the pass runs twice");
    assert_eq!(again.to_string(), after.to_string(), "the pass is not idempotent");
    diff(pass.name(), &once, &after)
}

pub(crate) fn circuit(lines: &str) -> String {
    if lines.contains("circuit ") {
        return lines.to_owned();
    }
    format!("circuit test over goldilocks^2, stage expr {{\n{lines}\n}}")
}

/// The lowered circuit in both forms: well formed, balanced, and of the same meaning.
pub(crate) fn check_lowering<P: FieldPair>(graph: &Graph) {
    for form in [Form::Fused, Form::Separate] {
        let Ok(slots) = lower_to_slots(graph, form) else { continue };
        let tables = lower_to_tables(slots.clone());
        if let Err(errors) = chipwright_ir::circuit::verify::verify_tables(&tables) {
            panic!("{errors}\n{graph}\n{tables}");
        }
        for seed in 0..8 {
            let inputs = inputs(graph, seed);
            let expected = outcome(graph.interpret::<P>(&inputs, Environment::default()));
            let found = outcome(slots.execute::<P>(&inputs, Environment::default()));
            assert_eq!(found, expected, "on {inputs:?}:\n{graph}\n{slots}");
        }
    }
}

/// Runs a pass, checks that it keeps the meaning, and compares the diff with an inline snapshot.
macro_rules! check_pass {
    ($pass:expr, $lines:expr, @$diff:literal) => {
        insta::assert_snapshot!(crate::check::apply(&$pass, $lines).text, @$diff)
    };
}

/// Runs a pass that must change nothing.
macro_rules! check_unchanged {
    ($pass:expr, $lines:expr) => {
        let diff = crate::check::apply(&$pass, $lines);
        assert!(!diff.changed, "{}", diff.text);
    };
}

pub(crate) use {check_pass, check_unchanged};
