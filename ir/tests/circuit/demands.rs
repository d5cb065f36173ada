//! What is demanded of those who write circuits, and where its violation is reported.

use std::panic::Location;

use chipwright_ir::Field;
use chipwright_ir::circuit::verify::{Code, VerifierErrors, verify, verify_in};
use chipwright_ir::circuit::{BinaryOp, Graph, NoChips, ValueType, parse};

/// What is wrong with rows, each as its code and sentence.
fn complaints(rows: &str) -> Vec<String> {
    let text = format!("circuit test over goldilocks^2, stage slots {{\n{rows}\n}}");
    let circuit = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let errors = verify_in(&circuit, &NoChips).err().map_or(Vec::new(), |errors| errors.0);
    errors.iter().map(|error| format!("{:?} {}", error.code, error.message)).collect()
}

/// Rows of which every one is needed: the last one demands that 2 is not zero, although nobody reads what it creates.
const NEEDED: &str = "
  w0 = public 0
  w1 = const 2
  w2, w3 = hint bits 2(w0)
  check_mul w2, w2 -> w2
  check_mul w3, w3 -> w3
  w4 = private 0
  check_mul w4, w4 -> w4
  w5 = solve mul w5, w1 -> w0";

#[test]
fn rows_that_are_needed_are_no_mistakes() {
    assert_eq!(complaints(NEEDED), [""; 0]);
}

#[test]
fn advice_that_no_row_binds_and_what_no_row_uses_are_mistakes() {
    for (row, expected) in [
        (
            "w6, w7 = hint bits 2(w0)\ncheck_eq w6, w0",
            "V04 no row binds w7, which the prover chooses freely",
        ),
        ("w6 = private 1", "V04 no row binds w6, which the prover chooses freely"),
        ("w6 = const 9", "V05 w6 is not used"),
        ("w6 = add w0, w1", "V05 w6 is not used"),
        ("w6 = solve add w0, w6 -> w1", "V05 w6 is not used"),
        ("w6 = mul w0, w1", "V05 w6 is not used"),
    ] {
        assert_eq!(complaints(&format!("{NEEDED}\n{row}")), [expected], "{row}");
    }
}

#[test]
fn a_check_that_says_nothing_is_a_mistake_over_base_elements_as_well() {
    let with = |rows: &str| complaints(&format!("{NEEDED}\n{rows}"));
    let nothing = |row: &str| format!("V11 `{row}` holds whatever the values are");
    assert_eq!(with("check_eq w0, w0"), [nothing("check_eq w0, w0")]);
    let zero = "w6 = const 0\ncheck_add w0, w6 -> w0";
    assert_eq!(with(zero), [nothing("check_add w0, w6 -> w0")]);
    // Of an extension element such a row says something untrue: that it is known to be a base element.
    let of_extension = with("w6 = public 1 : ext\ncheck_eq w6, w6");
    assert_eq!(of_extension, [no_base_element("w6")]);
}

fn no_base_element(slot: &str) -> String {
    format!(
        "V09 slot {slot} is read as a base element, but nothing says that it is one; `check_base {slot}` does"
    )
}

#[test]
fn a_base_element_is_what_a_row_of_base_elements_leaves_no_choice() {
    let with = |rows: &str| complaints(&format!("{NEEDED}\nw6 = public 1 : ext\n{rows}"));
    for row in [
        "check_add w0, w1 -> w6",
        "check_add w0, w6 -> w1",
        "check_mul w0, w1 -> w6",
        "check_add w5, w0 -> w6",
    ] {
        assert_eq!(with(row), [""; 0], "{row}");
    }
    // A factor is any element if the other one is zero.
    assert_eq!(with("check_mul w0, w6 -> w1"), [no_base_element("w6")]);
    // Each row is named once, in the order of rows.
    let rows = "w7 = public 2 : ext\nw8 = mul w7, w7\nw9 = add w6, w8\ncheck_mul w9, w9 -> w9";
    assert_eq!(with(rows), [no_base_element("w7"), no_base_element("w6")]);
}

#[test]
fn mistakes_of_a_graph_stand_in_its_order_with_their_names_and_lines() {
    let mut graph = Graph::new("test", Field::Goldilocks2);
    let x = graph.public(ValueType::Felt);
    graph.assert_eq(x, x);
    graph.set_rule_label("itself");
    let here = Location::caller();
    graph.set_location(Some(here));
    let sum = graph.binary(BinaryOp::Add, x, x);
    graph.set_label(sum, "sum");
    let VerifierErrors(errors) = verify(&graph).expect_err("a sum that nobody uses");
    let found: Vec<_> = errors.into_iter().map(|error| (error.code, error.source)).collect();
    assert_eq!(found, [(Code::V05, format!("sum {here}")), (Code::V11, "itself".to_owned())]);
}
