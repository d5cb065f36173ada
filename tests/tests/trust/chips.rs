//! Chips: rows beyond the contents of fixed columns, and counts that nothing bounds.

use chipwright_backend_stark::circuit::compile_circuit_with_layout;
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::{KeyError, StatementError, VerifyingKey, compile};
use chipwright_backend_stark::machine::{MachineError, compile_machine};
use chipwright_backend_stark::proof::VerifyError;
use chipwright_ir::chip::counts::count_faults;
use chipwright_ir::chip::parse::parse;
use chipwright_ir::chip::passes::{FuseError, fuse, gate_contents};
use chipwright_ir::chip::{Chip, OpenContents, Section};
use chipwright_ir::circuit::{
    CalledChip, ChipCall, ChipLibrary, Form, Graph, Inputs, Layout, ValueType,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{Machine, MachineTrace, Table};
use chipwright_tests::{FIELD, expect_rejected, tables};
use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

use crate::hostile;

fn chip(text: &str) -> Chip {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn machine(chips: &[&str]) -> Machine {
    let mut machine = Machine::new("hostile", FIELD);
    machine.chips.extend(chips.iter().map(|text| chip(text)));
    machine
}

/// The integers from 1 to 16 with their inverses.
fn inverses(dense: bool) -> String {
    let inverse = |x: u64| Goldilocks::from_u64(x).inverse().as_canonical_u64().to_string();
    let inverses: Vec<String> = (1..17).map(inverse).collect();
    format!(
        "chip inverses over goldilocks^2{} {{
  x: fixed felt c0
  y: fixed felt c1
  count: multiplicity felt c2
  port inverses: table inverses(x: felt, y: felt)
  contents x = 1..17
  contents y = {}
  row {{
    provide inverses(x, y) times count
  }}
}}",
        if dense { ", dense" } else { "" },
        inverses.join(", ")
    )
}

const ASKS: &str = "chip asks over goldilocks^2, dense {
  x: record felt c0
  y: record felt c1
  port inverses: lookup inverses(x: felt, y: felt)
  row {
    lookup inverses(x, y)
  }
}";

/// A table with the same cells in each of its rows.
fn constant_table(height: usize, row: &[u64]) -> Table<Goldilocks> {
    let row = row.iter().map(|&cell| Goldilocks::from_u64(cell));
    let values = (0..height).flat_map(|_| row.clone()).collect();
    Table { height, width: row.len(), values, real_rows: height }
}

fn is_rejected(verdict: &Result<(), VerifyError>) -> bool {
    matches!(verdict, Err(VerifyError::Rejected { .. }))
}

#[test]
fn h_03_a_short_table_does_not_give_zeros() {
    let config = Config::proven_100();
    let height = config.min_height();
    assert!(height > 16, "the contents are shorter than the table");
    for dense in [false, true] {
        let machine = machine(&[&inverses(dense), ASKS]);
        let (prover, verifier) = compile::<Goldilocks2>(&machine, &config).expect("it repeats");
        // All rows ask for the inverse of `x`; row `given` of the table says how often its entry was asked for.
        let verdict = |x: u64, y: u64, given: usize| {
            let mut table = constant_table(height, &[0]);
            table.values[given] = Goldilocks::from_usize(height);
            let tables = vec![table, constant_table(height, &[x, y])];
            let trace = MachineTrace { tables, publics: vec![Vec::new(); 2] };
            verifier.verify(&[Vec::new(), Vec::new()], &prover.prove(trace).unwrap())
        };
        verdict(1, 1, 0).expect("1 has the inverse 1");
        for given in [16, height - 1] {
            assert!(is_rejected(&verdict(0, 0, given)), "0 has the inverse 0, by row {given}");
        }
        // What follows the contents is the last of them.
        let sixteenth = Goldilocks::from_u64(16).inverse().as_canonical_u64();
        verdict(16, sixteenth, 16).expect("the last row is repeated");
    }
}

#[test]
fn h_03_a_short_table_does_not_give_zeros_in_any_layout() {
    // `y` is looked up as the inverse of `x`, and filled with it; the inverse of 0 is filled as 0.
    let called = chip(
        "chip inverse over goldilocks^2 {
  x: input felt c0
  y: output felt c1
  real: real bit c2
  port inverses: lookup inverses(x: felt, y: felt)
  row {
    fill y = inverse(x)
    eq real * real, real
    lookup inverses(x, y) times real
  }
}",
    );
    let inverse = |x: u64| Goldilocks::from_u64(x).try_inverse().unwrap_or(Goldilocks::ZERO);
    let called = CalledChip::new(called).with_native(std::sync::Arc::new(move |_, inputs, _| {
        Ok(vec![inverse(inputs[0]).as_canonical_u64()])
    }));
    for dense in [false, true] {
        let library = chipwright_chips::library(FIELD)
            .with_chip(called.clone())
            .with_helper(chip(&inverses(dense)));
        let mut graph = Graph::new("inverse", FIELD);
        let x = graph.public(ValueType::Felt);
        let call = ChipCall::new("inverse");
        let signature = library.signature(&call).expect("the chip is there");
        let outputs = graph.call(call, &signature, &[x]).outputs;
        let claimed = graph.public(ValueType::Felt);
        graph.assert_eq(outputs[0], claimed);
        let circuit = tables(&graph, Form::Fused);
        for log_height in [5, 6, 7] {
            let config = Config::testing();
            let mut parameters = chipwright_backend_stark::circuit::cost_parameters(&config);
            (parameters.min_log_height, parameters.max_log_height) = (log_height, log_height);
            let layout = Layout::choose(&circuit, &library, &parameters).expect("a layout");
            let (prover, verifier) = compile_circuit_with_layout::<Goldilocks2>(
                circuit.clone(),
                &library,
                &config,
                Some(&layout),
            )
            .expect("the circuit compiles");
            let half = inverse(2).as_canonical_u64();
            let proof = prover.prove(&Inputs::publics([2, half])).expect("the inverse of 2");
            verifier.verify(&[vec![2], vec![half]], &proof).expect("the inverse of 2");

            // 0 is said to be the inverse of 0, and every row that has no contents says that it was asked.
            let witness = prover.witness(&Inputs::publics([2, half]), None).unwrap();
            let mut parts = prover.parts_trace(&witness).unwrap();
            let table = prover.parts().position("inverses").expect("the table");
            let asks = prover.parts().position("call_inverse").expect("the chip");
            let public = prover.parts().position("public").expect("the public inputs");
            parts.tables[public].values.fill(Goldilocks::ZERO);
            parts.tables[asks].values[..2].fill(Goldilocks::ZERO);
            parts.publics[public].fill(Goldilocks::ZERO);
            let height = parts.tables[table].height;
            for given in [16, height - 1] {
                parts.tables[table].values.fill(Goldilocks::ZERO);
                let width = parts.tables[table].width;
                parts.tables[table].values[given * width] = Goldilocks::ONE;
                let forged = prover.key().prove(prover.fused(parts.clone()).unwrap()).unwrap();
                expect_rejected(verifier.verify(&[vec![0], vec![0]], &forged));
            }
        }
    }
}

const SENDS: &str = "chip sends over goldilocks^2 {
  k: fixed felt c0
  real: real bit c1
  port numbers: send numbers(value: felt)
  contents k = 1..17
  row {
    eq real * real, real
    send numbers(k) times real
  }
}";

const RECEIVES: &str = "chip receives over goldilocks^2 {
  k: record felt c0
  real: real bit c1
  port numbers: receive numbers(value: felt)
  row {
    eq real * real, real
    receive numbers(k) times real
  }
}";

#[test]
fn h_03_rows_beyond_the_contents_send_nothing() {
    let config = Config::testing();
    let height = 32;
    let machine = machine(&[SENDS, RECEIVES]);
    let (prover, verifier) = compile_machine::<Goldilocks2>(
        machine.clone(),
        &Config { parameters: Config::proven_100().parameters, target: None, ..config.clone() },
    )
    .expect("the rows beyond the contents are closed");
    let trace = |row: usize, value: u64| {
        let mut tables = vec![constant_table(height, &[0]), constant_table(height, &[value, 0])];
        tables[0].values[row] = Goldilocks::ONE;
        tables[1].values[1] = Goldilocks::ONE;
        MachineTrace { tables, publics: vec![Vec::new(); 2] }
    };
    let verdict = |row, value| {
        let proof = prover.key().prove(trace(row, value)).unwrap();
        verifier.key().verify(&[Vec::new(), Vec::new()], &proof)
    };
    verdict(3, 4).expect("row 3 sends 4");
    assert!(is_rejected(&verdict(16, 0)), "a row without contents sends 0");
    assert!(is_rejected(&verdict(31, 0)), "a row without contents sends 0");
    // Without the gate there is no key, and nothing to fuse.
    let parameters = Config::proven_100().parameters;
    let high = Config { parameters, target: None, ..config };
    let error = compile::<Goldilocks2>(&machine, &high).map(|_| ()).unwrap_err();
    let StatementError::Contents { rows: 16, height: 32, message: 0, .. } = error else {
        panic!("{error}")
    };
    let mut long = chip(SENDS);
    "long".clone_into(&mut long.name);
    long.fixed.as_mut().unwrap().columns[0] = vec![1; 32];
    let short = chip(SENDS);
    let error = fuse(&[&long, &short], "both").unwrap_err();
    assert!(
        matches!(error, FuseError::Short(OpenContents { rows: 16, height: 32, .. })),
        "{error}"
    );
    fuse(&[&long, &gate_contents(&short, 32)], "both").expect("the gate closes them");
}

/// A chip that asks with some counts, by some rules.
fn asking(rules: &str, first: &str, second: &str) -> String {
    format!(
        "chip asks over goldilocks^2, dense {{
  x: record felt c0
  y: record felt c1
  a: record felt c2
  b: record felt c3
  c: record felt c4
  port squares: lookup squares(value: felt)
  row {{
    {rules}
    lookup squares(x) {first}
    lookup squares(y) {second}
  }}
}}"
    )
}

const SQUARES: &str = "chip squares over goldilocks^2, dense {
  value: fixed felt c0
  count: multiplicity felt c1
  port squares: table squares(value: felt)
  contents value = 1 * 7, 4 * 7, 9, 16
  row {
    provide squares(value) times count
  }
}";

/// That a machine has no key, neither by the IR's verifier nor by the statement's.
#[track_caller]
fn expect_unproven(text: &str) {
    let unproven = machine(&[text, SQUARES]);
    let error = compile::<Goldilocks2>(&unproven, &Config::testing()).map(|_| ()).unwrap_err();
    assert!(matches!(error, StatementError::Count { .. }), "{error}\n{text}");
    let error =
        compile_machine::<Goldilocks2>(unproven, &Config::testing()).map(|_| ()).unwrap_err();
    let MachineError::Invalid(errors) = error else { panic!("{error}\n{text}") };
    assert!(errors.0.iter().any(|error| error.code == "V06"), "{errors}");
}

#[track_caller]
fn expect_proven(text: &str) {
    compile_machine::<Goldilocks2>(machine(&[text, SQUARES]), &Config::testing())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
}

const BITS: &str = "eq a * a, a\n eq b * (b - 1), 0\n eq c * c, c\n";

#[test]
fn h_06_two_messages_at_once_are_no_exclusive_group() {
    // (2 + 7 + 1) / 2 = 5: between two messages of count 1, neither of which need be an entry, there is one that is.
    expect_unproven(&hostile("exclusive.chip"));
    let flags = ["times a exclusive 0", "times b exclusive 0"];
    let with = |rules: &str| asking(&format!("{BITS}{rules}"), flags[0], flags[1]);
    expect_unproven(&asking("eq a + b, 1", flags[0], flags[1]));
    expect_unproven(&with(""));
    expect_unproven(&with("eq a + b, c + 1"));
    expect_unproven(&with("eq a + b, 1 when c"));
    expect_unproven(&with("eq a + c, 1"));
    let mut first_row = chip(&with("eq a + b, 1"));
    let last = first_row.rules.last_mut().expect("the rule about both flags");
    last.section = Section::First;
    assert!(!count_faults(&first_row).is_empty());
    expect_proven(&with("eq a + b, 1"));
    expect_proven(&with("eq c, a + b"));
    expect_proven(&with("eq 1 - a - b, c"));
    expect_proven(&with("eq a * b, 0"));
    expect_proven(&with("eq 0, 3 * a * b"));
    for of_a_product in ["eq a * b, 1", "eq a * b, c", "eq a * b, 0 when c", "eq a * c, 0"] {
        expect_unproven(&with(of_a_product));
    }
    let products = ["times a * c exclusive 0", "times b * c exclusive 0"];
    expect_proven(&asking(&format!("{BITS}eq a + b, 1"), products[0], products[1]));
    expect_unproven(&asking(BITS, products[0], products[1]));
    let complement = ["times a exclusive 0", "times (1 - a) * c exclusive 0"];
    expect_proven(&asking(BITS, complement[0], complement[1]));
}

#[test]
fn h_06_a_count_is_within_its_weight() {
    let first = |rules: &str, first: &str| asking(rules, first, "times 1");
    for count in ["times a", "times 2", "times a - b", "times 0 - a", "times a weight 0", "times x"]
    {
        expect_unproven(&first(if count == "times a" { "" } else { BITS }, count));
    }
    expect_unproven(&first(BITS, "times a + b"));
    expect_unproven(&first(BITS, "times a + b + c weight 2"));
    expect_proven(&first(BITS, "times a"));
    expect_proven(&first(BITS, "times 1 - a"));
    expect_proven(&first(BITS, "times a + b weight 2"));
    expect_proven(&first(&format!("{BITS}eq a + b, 1"), "times a + b"));
    expect_proven(&first(&format!("{BITS}eq a + b, 1"), "times a * c + b * c"));
    // A product that a column stands for, as lowering of degrees makes them.
    expect_proven(&first("eq a * a, a\n eq b * b, b\n eq c, a * b", "times c"));
}

#[test]
fn h_06_fixed_counts_and_types_are_those_of_their_contents() {
    let text = |ty: &str, contents: &str, weight: &str| {
        format!(
            "chip asks over goldilocks^2, dense {{
  x: record felt c0
  n: fixed {ty} c1
  port squares: lookup squares(value: felt)
  contents n = {contents}
  row {{
    lookup squares(x) times n weight {weight}
  }}
}}"
        )
    };
    expect_proven(&text("felt", "2 * 16", "2"));
    expect_proven(&text("bit", "1 * 16", "1"));
    for (ty, contents, weight) in [
        ("felt", "3 * 16", "2"),
        ("felt", "18446744069414584320 * 16", "2"),
        ("bit", "2 * 16", "2"),
    ] {
        let unproven = machine(&[&text(ty, contents, weight), SQUARES]);
        let error = compile::<Goldilocks2>(&unproven, &Config::testing()).map(|_| ()).unwrap_err();
        assert!(matches!(error, StatementError::Count { .. }), "{error}");
        let error = compile_machine::<Goldilocks2>(unproven, &Config::testing()).map(|_| ());
        assert!(matches!(error, Err(MachineError::Invalid(_))));
    }
}

#[test]
fn h_06_a_key_whose_counts_are_not_proven_is_not_read() {
    let text = asking(&format!("{BITS}eq a + b, 1"), "times a exclusive 0", "times b exclusive 0");
    let (_, verifier) =
        compile::<Goldilocks2>(&machine(&[&text, SQUARES]), &Config::testing()).unwrap();
    let bytes = verifier.to_bytes();
    VerifyingKey::<Goldilocks2>::from_bytes(&bytes).expect("the key is whole");
    // One byte of the rules less: some of these are other rules, and then the digest is not even looked at.
    let mut unproven = 0;
    for place in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[place] ^= 1;
        let error = VerifyingKey::<Goldilocks2>::from_bytes(&altered).map(|_| ()).unwrap_err();
        unproven += usize::from(matches!(error, KeyError::Statement(StatementError::Count { .. })));
    }
    assert!(unproven > 0, "no altered key was refused for its counts");
}

#[test]
fn h_06_what_takes_too_long_to_prove_is_refused() {
    // One of several thousand flags: true, but as many pairs are more than a chip is worth.
    let one_of = |flags: usize| {
        let each =
            |line: &dyn Fn(usize) -> String| (0..flags).map(line).collect::<Vec<_>>().join("\n");
        let sum: Vec<String> = (0..flags).map(|i| format!("b{i}")).collect();
        let text = format!(
            "chip asks over goldilocks^2, dense {{\n{}\nport squares: lookup squares(value: felt)\nrow {{\n{}\neq {}, 1\n{}\n}}\n}}",
            each(&|i| format!("b{i}: record felt c{i}")),
            each(&|i| format!("eq b{i} * b{i}, b{i}")),
            sum.join(" + "),
            each(&|i| format!("lookup squares(b0) times b{i} exclusive 0")),
        );
        count_faults(&chip(&text))
    };
    assert_eq!(one_of(100), []);
    assert!(!one_of(4000).is_empty());
}
