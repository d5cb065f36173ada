//! What the verifier says of small chips and machines.

use chipwright_ir::chip::explain::explain_degree;
use chipwright_ir::chip::parse::{parse, parse_machine};
use chipwright_ir::chip::verify::{
    lint, padding_failures, verify, verify_degree, verify_structure,
};
use chipwright_ir::chip::{Chip, NodeId, Sign};
use chipwright_ir::machine;

/// The findings on a chip, one a line.
fn findings(text: &str) -> String {
    let text = format!("chip test over goldilocks^2 {{ {text} }}");
    let chip = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let texts: Vec<String> = lint(&chip).iter().map(ToString::to_string).collect();
    texts.join("\n")
}

const CLEAN: &str = "
  x: input felt c0
  y: output felt c1
  real: real bit c2
  port bus: lookup bus(value: felt)
  row {
    fill y = x + x
    eq y, x + x
    eq real * real, real
    lookup bus(y) times real
  }
  step { eq next.real, real * next.real }";

#[test]
fn a_clean_chip_has_no_findings() {
    assert_eq!(findings(CLEAN), "");
}

#[test]
fn each_code_has_a_chip_that_earns_it() {
    let with = |from: &str, to: &str| findings(&CLEAN.replace(from, to));
    insta::assert_snapshot!(with("lookup bus(y)", "lookup bus(y, y)"), @"error[V02]: a message of port `bus` of chip `test` has 2 elements; the port has 1");
    insta::assert_snapshot!(with("eq y, x + x", "").replace(
        "lookup bus(y)", "lookup bus(x)"), @"");
    insta::assert_snapshot!(findings("x: record felt c0"), @r"
    error[V05]: chip `test` has neither rules nor messages
       = note: any trace at all would be accepted
    warning[L03]: no rule reads `x` of chip `test`
       = help: constrain it, remove it, or declare it free with a reason
    ");
    insta::assert_snapshot!(with("eq y, x + x", "eq y, x + x + 1"), @r"
    error[V12]: rule `rule 0` of chip `test` does not hold on a padding row: 0 ≠ 1
       = rule: y = x + x + 1
       = y = 0, x = 0
       = help: guard it with `when(row.real(), ..)`, or make it hold for zeros
    ");
    insta::assert_snapshot!(with("fill y = x + x", ""), @r"
    warning[L01]: nothing fills `y` of chip `test`
       = help: use `define`, `split` or `fill`, or make it a record column
    ");
    insta::assert_snapshot!(with("fill y = x + x", "fill y = x + x \n fill y = 2 * x"), @"warning[L02]: `y` of chip `test` is filled twice in `row`");
    insta::assert_snapshot!(with("eq y, x + x", "eq y, x + x \n eq x + x, 2 * x"), @"warning[L05]: rule `rule 1` of chip `test` holds for all values");
    insta::assert_snapshot!(with("eq y, x + x", "eq y, x + x \n eq x + x, y"), @"warning[L06]: rule `rule 1` of chip `test` repeats rule `rule 0`");
}

fn clean() -> Chip {
    parse(&format!("chip test over goldilocks^2 {{ {CLEAN} }}")).expect("the chip parses")
}

/// The codes of what is found, and whether it is enough to refuse the chip.
#[track_caller]
fn check_refused(chip: &Chip, expected: &[&str], by_structure: bool) {
    let found: Vec<&str> = lint(chip).iter().map(|finding| finding.code).collect();
    assert_eq!(found, expected);
    assert!(verify(chip).is_err());
    assert!(verify_degree(chip, 9).is_err());
    assert_eq!(verify_structure(chip).is_err(), by_structure);
}

#[test]
fn nothing_else_is_said_of_a_chip_that_does_not_hang_together() {
    let mut chip = clean();
    chip.rules[0].left = NodeId(99);
    check_refused(&chip, &["V01"], true);
    assert!(padding_failures(&chip).is_empty());
}

#[test]
fn columns_and_ports_have_names_of_their_own() {
    let mut columns = clean();
    columns.columns[1].name = columns.columns[0].name.clone();
    check_refused(&columns, &["V02"], true);
    let mut ports = clean();
    ports.ports.push(ports.ports[0].clone());
    check_refused(&ports, &["V02"], true);
    let mut both = clean();
    both.ports[0].name = both.columns[0].name.clone();
    assert_eq!(lint(&both), []);
}

#[test]
fn a_table_gives_and_does_not_ask() {
    let text = "chip test over goldilocks^2, dense {
      x: record felt c0
      m: multiplicity felt c1
      port table: table table(value: felt)
      row { provide table(x) times m }
    }";
    let mut chip = parse(text).expect("the chip parses");
    assert_eq!(lint(&chip), []);
    chip.interactions[0].sign = Sign::Plus;
    // Whoever asks may not ask any number of times.
    check_refused(&chip, &["V02", "V06"], true);
}

#[test]
fn counts_and_fixed_contents_are_what_they_say() {
    insta::assert_snapshot!(findings(&CLEAN.replace("times real", "times x")), @"error[V06]: chip `test`: no rule says that the count x of message 0 is from 0 to its weight 1");
    let text = "chip test over goldilocks^2, dense {
      x: fixed u8 c0
      m: multiplicity felt c1
      port table: table table(value: felt)
      contents x = 3, 256
      row { provide table(x) times m }
    }";
    check_refused(&parse(text).expect("the chip parses"), &["V07"], false);
    let fits = text.replace("256", "255");
    assert_eq!(lint(&parse(&fits).expect("the chip parses")), []);
}

#[test]
fn an_input_is_read_by_a_rule_or_a_fill() {
    let with = |fill: &str| {
        findings(&format!(
            "x: input felt c0
             i: input felt c1
             y: output felt c2
             real: real bit c3
             row {{ fill y = {fill}  eq y, x  eq real * real, real }}
             step {{ eq next.real, real * next.real }}"
        ))
    };
    assert!(with("x").contains("warning[L03]: nothing reads input `i` of chip `test`"));
    assert!(!with("x + i").contains("L03"));
}

#[test]
fn padding_is_asked_of_rows_that_are_padding_and_known() {
    let with = |from: &str, to: &str| findings(&CLEAN.replace(from, to));
    let fails = "eq y, x + x + 1";
    assert!(with("eq y, x + x", fails).starts_with("error[V12]"));
    // The last row of a table need not be padding.
    assert_eq!(with("step {", "last { eq y, 7 } step {"), "");
    // A dense chip has no padding.
    let text = CLEAN.replace("eq y, x + x", fails).replace("  real: real bit c2\n", "");
    let text = text.replace("eq real * real, real", "").replace("times real", "times 1");
    let (text, _) = text.split_once("step").expect("a rule of steps");
    let chip = parse(&format!("chip test over goldilocks^2, dense {{ {text} }}"));
    assert_eq!(lint(&chip.expect("the chip parses")), []);
    // What another chip gives on padding rows is not known here.
    let calls = CLEAN
        .replace("fill y = x + x", "fill y = call bus(x)")
        .replace("(value: felt)", "(x: felt, y: felt)");
    let calls = calls.replace("lookup bus(y)", "lookup bus(x, y)").replace("eq y, x + x", fails);
    assert_eq!(findings(&calls), "");
}

#[test]
fn an_output_without_a_rule_is_an_error_unless_it_is_free() {
    let chip = "
      x: record felt c0
      y: output felt c1
      row { fill y = x \n eq x, 0 }";
    insta::assert_snapshot!(findings(chip), @r"
    error[V04]: no rule reads output `y` of chip `test`
       = help: constrain it, or declare it free with a reason
    ");
    assert_eq!(findings(&chip.replace("c1", "c1 free \"a hint for the caller\"")), "");
}

#[test]
fn a_table_that_padding_could_fill_is_reported() {
    let chip = "
      x: record felt c0
      real: real bit c1
      calls: multiplicity felt c2
      port range: lookup u16(value: u16)
      port table: table table(value: u16)
      row {
        eq real * real, real
        lookup range(x) times real
        provide table(x) times calls
        RULE
      }
      step { eq next.real, real * next.real }";
    insta::assert_snapshot!(findings(&chip.replace("RULE", "")), @r"
    warning[L08]: a padding row of chip `test` can give entries of table `table`
       = note: messages of padding rows are switched off, so the types that they stand for are not checked there
       = help: add the rule `count·real = count` for the multiplicity
    ");
    assert_eq!(findings(&chip.replace("RULE", "eq calls * real, calls")), "");
    assert_eq!(
        findings(&chip.replace("RULE", "").replace("times calls", "times calls * real")),
        ""
    );
}

#[test]
fn a_degree_is_explained_by_its_products() {
    let text = "chip test over goldilocks^2, dense {
      x: record felt c0
      g: record bit c1
      row {
        eq g * g, g
        %0 = x * x
        eq x, %0 * %0 + 1 when g   ; too high
      }
    }";
    let chip = parse(text).unwrap();
    assert!(verify_degree(&chip, 5).is_ok());
    insta::assert_snapshot!(verify_degree(&chip, 3).unwrap_err(), @r"
    error[V09]: rule `too high` of chip `test` has degree 5; the bound is 3
       = degree 5 = 1 (guard `g`) + 4 (`x·x·(x·x) + 1`)
       = degree 4 = 2 (`x·x`) + 2 (`x·x`)
       = degree 2 = 1 (`x`) + 1 (`x`)
       = help: `save` a part of it in a column, or lower degrees
    ");
    assert_eq!(explain_degree(&chip, 0)[0], "degree 2 = 2 (`g·g`)");
}

fn machine_errors(text: &str) -> String {
    let machine = parse_machine(text).unwrap_or_else(|error| panic!("{error}"));
    match machine::verify(&machine) {
        Ok(()) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

/// A machine of chips of one record column, a port and a message.
fn ports(ports: &[(&str, &str, &str)]) -> String {
    let chips: String = ports
        .iter()
        .map(|(name, kind, message)| {
            let verb = match *kind {
                "table" => "provide",
                kind => kind,
            };
            // Entries may be given any number of times; of other messages a rule bounds the count.
            let bound = if *kind == "table" { "" } else { "eq m * m, m" };
            let elements = message.split(',').map(|_| "x").collect::<Vec<_>>().join(", ");
            format!(
                "chip {name} over goldilocks^2, dense {{
                   x: record felt c0
                   m: multiplicity felt c1
                   port p: {kind} bus({message})
                   row {{ {bound} {verb} p({elements}) times m }}
                 }} "
            )
        })
        .collect();
    machine_errors(&format!("machine test over goldilocks^2 {{ {chips} }}"))
}

#[test]
fn ports_must_be_connected_and_agree() {
    let value = "v: felt";
    assert_eq!(ports(&[("a", "lookup", value), ("b", "table", value)]), "");
    assert_eq!(ports(&[("a", "send", value), ("b", "receive", value)]), "");
    insta::assert_snapshot!(ports(&[("a", "lookup", value)]), @r"
    error[V10]: no chip provides a table on bus `bus`, which `a.p` uses
       = help: add the chip that provides a table there to the machine
    ");
    insta::assert_snapshot!(ports(&[("a", "send", value), ("b", "send", value)]), @r"
    error[V10]: no chip receives on bus `bus`, which `a.p`, `b.p` uses
       = help: add the chip that receives there to the machine
    ");
    insta::assert_snapshot!(ports(&[("a", "lookup", value), ("b", "receive", value)]), @"error[V10]: bus `bus` is a lookup bus for `a.p` and a permutation bus for `b.p`");
    insta::assert_snapshot!(ports(&[("a", "lookup", value), ("b", "table", "v: felt, w: felt")]), @"error[V10]: messages of `b.p` on bus `bus` have 2 elements, those of `a.p` 1");
    insta::assert_snapshot!(ports(&[("a", "lookup", "v: u8"), ("b", "table", "v: u16")]), @"error[V10]: `a.p` takes `v` of bus `bus` for a u8, but `b.p` promises only a u16");
    assert_eq!(ports(&[("a", "lookup", value), ("b", "table", "v: u16")]), "");
    insta::assert_snapshot!(ports(&[("a", "send", value), ("a", "receive", value)]), @"error[V10]: two chips are named `a`");
}
