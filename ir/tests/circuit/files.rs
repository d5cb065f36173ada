//! Circuits in files, with what is expected of them in comments.
//!
//! The first line says what the test does:
//! - `; test cat`: the circuit prints as it is written (comments aside) after it was read;
//! - `; test verify`: the errors of the parser and the verifier are those of the comments `; error: …`, each
//!   on the line that it is about, or on the last line if it is about none;
//! - `; test pass NAME`: the snapshot is the diff of the pass;
//! - `; test pipeline`: the snapshot is the circuit after all passes;
//! - `; test run`: each `; run: x=3, y=[1, 2] ok` or `; run: x=4 fails "37x = 111"` gives inputs by name and says
//!   what happens, at stage `expr` and at stage `slots`.

use std::path::Path;

use chipwright_ir::circuit::passes::{default_pipeline, pass_by_name};
use chipwright_ir::circuit::verify::{VerifierErrors, verify, verify_slots};
use chipwright_ir::circuit::{
    Circuit, Environment, Form, Graph, Inputs, NodeId, SourceLines, WitnessError, lower_to_slots,
    parse, parse_with_lines,
};
use chipwright_ir::pass::diff;
use chipwright_ir::with_field;

#[test]
fn files_do_what_their_comments_say() {
    insta::glob!("../files", "circuit/**/*.ir", run_file);
}

fn run_file(path: &Path) {
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let command =
        text.lines().next().and_then(|line| line.strip_prefix("; test ")).expect("a command");
    let mut words = command.split_whitespace();
    match (words.next(), words.next()) {
        (Some("cat"), None) => cat(&text),
        (Some("verify"), None) => verify_in_place(&text),
        (Some("pass"), Some(name)) => {
            let pass = pass_by_name(name).expect("a known pass");
            let before = parse(&text).expect("the circuit parses");
            let after = pass.run(&before).expect("the pass applies");
            insta::assert_snapshot!(diff(name, &before, &after).text);
        }
        (Some("pipeline"), form) => {
            let form = if form == Some("separate") { Form::Separate } else { Form::Fused };
            let circuit = parse(&text).expect("the circuit parses");
            insta::assert_snapshot!(default_pipeline(form).run(circuit).expect("the passes apply"));
        }
        (Some("run"), None) => runs(&text),
        _ => panic!("unknown test `{command}`"),
    }
}

/// The lines without comments and without white space around them.
fn code(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.split(';').next().unwrap_or("").trim());
    lines.filter(|line| !line.is_empty()).collect()
}

fn cat(text: &str) {
    let circuit = parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(code(&circuit.to_string()), code(text));
}

fn verify_in_place(text: &str) {
    let last = text.lines().count() as u32;
    let mut found = match parse_with_lines(text) {
        Err(error) => vec![(error.position.line, error.message)],
        Ok((Circuit::Expr(graph), lines)) => in_place(verify(&graph), &lines, last),
        Ok((Circuit::Slots(slots), lines)) => in_place(verify_slots(&slots), &lines, last),
        Ok(_) => Vec::new(),
    };
    found.sort();
    let expected: Vec<_> = text
        .lines()
        .zip(1..)
        .flat_map(|(line, number)| {
            let errors = line.split("; error: ").skip(1);
            errors.map(move |message| (number, message.trim().to_owned()))
        })
        .collect();
    assert_eq!(found, expected);
    assert!(!expected.is_empty(), "the file expects no error");
}

fn in_place(
    result: Result<(), VerifierErrors>,
    lines: &SourceLines,
    last: u32,
) -> Vec<(u32, String)> {
    let VerifierErrors(errors) = result.err().unwrap_or(VerifierErrors(Vec::new()));
    errors
        .into_iter()
        .map(|error| {
            let message = format!("{:?} {}", error.code, error.message);
            (lines.line(&error.item).unwrap_or(last), message)
        })
        .collect()
}

fn runs(text: &str) {
    let Ok(Circuit::Expr(graph)) = parse(text) else { panic!("{}", parse(text).unwrap_err()) };
    let slots = lower_to_slots(&graph, Form::Fused).expect("the circuit can be lowered");
    let mut count = 0;
    for line in text.lines() {
        let Some(run) = line.split("; run: ").nth(1) else { continue };
        count += 1;
        let (inputs, expected) = expectation(&graph, run);
        let outcomes = with_field!(graph.field, P => {
            [
                labels(graph.interpret::<P>(&inputs, Environment::default())),
                labels(slots.execute::<P>(&inputs, Environment::default())),
            ]
        });
        assert_eq!(outcomes, [expected.clone(), expected], "{run}");
    }
    assert!(count > 0, "the file has no runs");
}

/// The labels of the violated rules; for other errors, their text.
fn labels<T>(result: Result<T, WitnessError>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(WitnessError::Violated(violations)) => violations.into_iter().map(|v| v.rule).collect(),
        Err(other) => vec![other.to_string()],
    }
}

/// `x=3, y=[1, 2] ok` or `x=4 fails "37x = 111" "another"`
fn expectation(graph: &Graph, run: &str) -> (Inputs, Vec<String>) {
    let (inputs, expected) = match run.split_once(" fails ") {
        Some((inputs, failures)) => {
            let quoted = failures.split('"').skip(1).step_by(2).map(str::to_owned);
            (inputs, quoted.collect())
        }
        None => (run.trim_end().strip_suffix("ok").expect("`ok` or `fails`"), Vec::new()),
    };
    let value = |id: &NodeId| -> Vec<u64> {
        let name = graph.names.text(graph.node(*id).label);
        let assigned = inputs.split(&format!("{name}=")).nth(1);
        let assigned = assigned.unwrap_or_else(|| panic!("{name} has no value in `{run}`"));
        let end = if assigned.starts_with('[') { ']' } else { ',' };
        let digits = assigned.trim_start_matches('[').split([end, ' ']);
        let list = if end == ']' { assigned[1..].split(']').next().unwrap_or("") } else { "" };
        let numbers: Vec<&str> =
            if end == ']' { list.split(',').collect() } else { digits.take(1).collect() };
        numbers.iter().map(|n| graph.field.reduce(n.trim().parse().expect("a number"))).collect()
    };
    let inputs = Inputs {
        publics: graph.publics().iter().map(value).collect(),
        privates: graph.privates().iter().map(value).collect(),
        data: Vec::new(),
    };
    (inputs, expected)
}
