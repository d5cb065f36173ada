//! Every level of the audit catches a chip that was broken for it, and lets the sound chip pass.

use super::{AuditOptions, ChipAudit, audit};
use crate::chip::parse::parse_machine;
use crate::machine::{ChipRows, MachineInput};

/// `sum = a + b` on two 8-bit limbs, with the statements in `row` in the place of the rules.
fn adder(rules: &str) -> String {
    format!(
        "machine adder over goldilocks^2 {{
  chip adder over goldilocks^2 {{
    a: input [u8; 2] c0..c2
    b: input [u8; 2] c2..c4
    sum: output [u8; 2] c4..c6
    carry: [bit; 2] c6..c8
    port u8: lookup u8(value: u8)
    row {{
      %0 = a[0] + b[0]
      fill sum[0], carry[0] = split(%0, 8, 1)
      %1 = a[1] + b[1] + carry[0]
      fill sum[1], carry[1] = split(%1, 8, 1)
      {rules}
    }}
  }}
  chip range8 over goldilocks^2, dense {{
    value: fixed u8 c0
    asked: multiplicity felt c1
    port u8: table u8(value: u8)
    contents value = 0..256
    row {{ provide u8(value) times asked }}
  }}
}}"
    )
}

const LIMBS: [&str; 2] =
    ["eq %0, sum[0] + 256 * carry[0] ; limb[0]", "eq %1, sum[1] + 256 * carry[1] ; limb[1]"];
const BITS: [&str; 2] = [
    "eq carry[0] * carry[0], carry[0] ; from type",
    "eq carry[1] * carry[1], carry[1] ; from type",
];
const RANGES: [&str; 2] = ["lookup u8(sum[0])", "lookup u8(sum[1])"];

/// All rules of the adder but the one at `left_out`, in the order limbs, bits, ranges.
fn without(left_out: Option<usize>) -> String {
    let rules: Vec<&str> = [LIMBS, BITS, RANGES]
        .concat()
        .into_iter()
        .enumerate()
        .filter(|(index, _)| Some(*index) != left_out)
        .map(|(_, rule)| rule)
        .collect();
    adder(&rules.join("\n"))
}

fn run(text: &str, chip: &str, rows: &[&[u64]], publics: &[u64]) -> ChipAudit {
    let machine = parse_machine(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let rows = rows.iter().map(|row| row.to_vec()).collect::<ChipRows>();
    let input = MachineInput {
        rows: vec![(chip.to_owned(), rows)],
        publics: vec![(chip.to_owned(), publics.to_vec())],
        memory: Vec::new(),
    };
    audit(&machine, chip, &[input], &AuditOptions::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn run_adder(text: &str) -> ChipAudit {
    run(text, "adder", &[&[1, 2, 3, 4], &[255, 255, 255, 255], &[200, 0, 100, 0]], &[])
}

#[track_caller]
fn assert_complains(audit: &ChipAudit, part: &str) {
    let complaints = audit.complaints();
    assert!(complaints.iter().any(|complaint| complaint.contains(part)), "{audit}");
}

#[track_caller]
fn assert_passes(audit: &ChipAudit) {
    assert_eq!(audit.complaints(), Vec::<String>::new(), "{audit}");
    assert_eq!(audit.findings.caught, audit.findings.deletions, "{audit}");
}

#[test]
fn a_sound_chip_passes_and_needs_its_rules() {
    let audit = run_adder(&without(None));
    assert_eq!(audit.complaints(), Vec::<String>::new(), "{audit}");
    assert_eq!((audit.findings.deletions, audit.findings.caught), (6, 5), "{audit}");
    assert!(audit.findings.swept > 100 && audit.findings.forged > 100, "{audit}");
}

#[test]
fn a_carry_between_range_checked_limbs_is_a_bit_anyway() {
    // 256·carry is a difference of bytes, and carry one of two bytes and a bit times 256.
    let audit = run_adder(&without(Some(2)));
    assert_eq!(audit.complaints(), Vec::<String>::new(), "{audit}");
}

#[test]
fn every_other_rule_that_is_left_out_lets_a_forgery_escape() {
    for left_out in [0, 1, 3, 4, 5] {
        let audit = run_adder(&without(Some(left_out)));
        assert_complains(&audit, "chip `adder` accepts a forged cell");
        assert!(!audit.findings.escapes.is_empty(), "without {left_out}: {audit}");
    }
}

#[test]
fn a_missing_carry_rule_is_shown_with_the_cell_that_compensates() {
    let audit = run_adder(&without(Some(3)));
    let carry = |escape: &super::Escape| escape.cells.iter().any(|cell| cell.column == "carry[1]");
    assert!(audit.findings.escapes.iter().any(carry), "{audit}");
}

#[test]
fn an_honest_run_that_fails_ends_the_audit() {
    let audit = run_adder(&adder("eq a[0], 7 ; seven"));
    assert_complains(&audit, "honest run: rule `seven` fails on row 0");
    assert_eq!(audit.findings.forged, 0);
}

/// `y = x + 1`, with a helper cell and a message.
fn helper(free: &str, extra: &str) -> String {
    format!(
        "machine helper over goldilocks^2 {{
  chip helper over goldilocks^2 {{
    x: input felt c0
    y: output felt c1
    help: felt c2{free}
    real: real bit c3
    port out: send out(value: felt)
    row {{
      fill y = x + 1
      fill help = x
      eq y, x + 1 ; successor
      eq real * real, real ; from padding
      {extra}
    }}
    step {{ eq next.real, real * next.real ; from padding
    }}
  }}
}}"
    )
}

fn run_helper(text: &str) -> ChipAudit {
    run(text, "helper", &[&[1], &[5], &[7]], &[])
}

#[test]
fn a_cell_that_nothing_binds_must_be_declared_free() {
    let audit = run_helper(&helper("", "send out(y) times real"));
    assert_complains(&audit, "free: chip `helper` accepts a forged cell\n   help  row");
    assert_eq!(audit.findings.escapes, []);
}

#[test]
fn padding_that_sends_is_found() {
    let audit = run_helper(&helper("", "eq help, x\nsend out(y)"));
    assert_complains(&audit, "padding: message `out(y)` exchanges [1] on padding row 3");
    let gated = run_helper(&helper("", "eq help, x\nsend out(y) times real"));
    assert_eq!(gated.complaints(), Vec::<String>::new());
}

#[test]
fn a_rule_that_says_nothing_new_is_reported() {
    let audit = run_helper(&helper(
        "",
        "eq help, x ; copy\neq help + 1, y ; again\nsend out(y) times real",
    ));
    assert_complains(&audit, "rules: without rule `again`");
    let declared = AuditOptions {
        redundant: ["successor", "copy", "again"]
            .map(|rule| (rule.to_owned(), "any two of the three do".to_owned()))
            .to_vec(),
        ..AuditOptions::default()
    };
    let machine = parse_machine(&helper(
        "",
        "eq help, x ; copy\neq help + 1, y ; again\nsend out(y) times real",
    ))
    .expect("the text is well-formed");
    let rows = ChipRows::from(vec![vec![1]]);
    let input = MachineInput { rows: vec![("helper".to_owned(), rows)], ..MachineInput::default() };
    let audit = audit_all(&machine, input, &declared);
    assert_eq!(audit.complaints(), Vec::<String>::new());
    assert_eq!(audit.findings.uncaught.len(), 3, "{audit}");
}

fn audit_all(
    machine: &crate::machine::Machine,
    input: MachineInput,
    options: &AuditOptions,
) -> ChipAudit {
    audit(machine, &machine.chips[0].name, &[input], options).expect("the input can be filled")
}

/// Fibonacci with rules for its four sections; the number of rows is the verifier's business.
fn fibonacci(rules: [&str; 3]) -> String {
    let [first, step, last] = rules;
    format!(
        "machine fibonacci over goldilocks^2 {{
  chip fib over goldilocks^2, dense {{
    a: felt c0
    b: felt c1
    public start[0]
    public start[1]
    public result
    first {{
      fill a = start[0]
      fill b = start[1]
      eq a, start[0]
      {first}
    }}
    step {{
      fill next.a = b
      fill next.b = a + b
      eq next.a, b
      {step}
    }}
    last {{ {last}
    }}
  }}
}}"
    )
}

const FIBONACCI: [&str; 3] = ["eq b, start[1]", "eq next.b, a + b", "eq b, result"];

fn run_fibonacci(rules: [&str; 3]) -> ChipAudit {
    run(&fibonacci(rules), "fib", &[&[] as &[u64]; 8], &[1, 1, 34])
}

#[test]
fn rules_between_rows_are_needed_and_enough() {
    assert_passes(&run_fibonacci(FIBONACCI));
}

#[test]
fn a_chain_with_a_missing_link_proves_any_result() {
    for missing in 0..3 {
        let mut rules = FIBONACCI;
        rules[missing] = "";
        let audit = run_fibonacci(rules);
        let result = |escape: &super::Escape| {
            escape.publics.contains(&"result".to_owned()) || !escape.changes.is_empty()
        };
        assert!(audit.findings.escapes.iter().any(result), "without {missing}: {audit}");
    }
}

#[test]
fn bits_of_a_value_plus_the_order_of_the_field_escape() {
    let list = |item: &dyn Fn(u32) -> String, between: &str| {
        (0..64).map(item).collect::<Vec<_>>().join(between)
    };
    let text = format!(
        "machine bits over goldilocks^2 {{
  chip bits over goldilocks^2 {{
    x: input felt c0
    bits: output [bit; 64] c1..c65
    row {{
      fill {} = split(x, {})
      {}
      eq {}, x ; value
    }}
  }}
}}",
        list(&|bit| format!("bits[{bit}]"), ", "),
        list(&|_| "1".to_owned(), ", "),
        list(&|bit| format!("eq bits[{bit}] * bits[{bit}], bits[{bit}]"), "\n"),
        list(&|bit| format!("{} * bits[{bit}]", 1_u64 << bit), " + "),
    );
    let audit = run(&text, "bits", &[&[5]], &[]);
    let aliased = |escape: &super::Escape| escape.cells.len() == 64;
    assert!(audit.findings.escapes.iter().any(aliased), "{audit}");
}
