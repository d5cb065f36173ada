//! What is demanded of those who write circuits, and where its violation is reported.

use std::panic::Location;

use chipwright_ir::Field;
use chipwright_ir::circuit::verify::{
    Code, VerifierErrors, verify, verify_calls, verify_in, verify_slot_calls, verify_slots,
};
use chipwright_ir::circuit::{
    BinaryOp, CallRun, ChipCall, ChipLibrary, Circuit, Form, Graph, Signature, ValueType,
    lower_to_slots, lower_to_tables, parse,
};

use ValueType::{Bit, Ext, Felt};

/// `double(x) = 2x`, and `keep(x | a, b) = x`, over base elements.
#[derive(Debug)]
struct Chips;

impl ChipLibrary for Chips {
    fn signature(&self, call: &ChipCall) -> Option<Signature> {
        let data = match call.chip.as_str() {
            "double" => 0,
            "keep" => 2,
            _ => return None,
        };
        Some(Signature::one_row(&[Felt], &[Felt], data))
    }

    fn run(&self, _: &ChipCall, _: &[u64], _: &[u64]) -> Result<CallRun, String> {
        Err("nothing is computed here".to_owned())
    }
}

/// Each mistake as its code and sentence.
fn listed(result: Result<(), VerifierErrors>) -> Vec<String> {
    let errors = result.err().map_or(Vec::new(), |errors| errors.0);
    errors.iter().map(|error| format!("{:?} {}", error.code, error.message)).collect()
}

/// What is wrong with rows.
fn complaints(rows: &str) -> Vec<String> {
    let text = format!("circuit test over goldilocks^2, stage slots {{\n{rows}\n}}");
    let circuit = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    listed(verify_in(&circuit, &Chips))
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
fn a_row_does_not_read_what_it_creates() {
    let early = "V01 slot w6 is used before it is created";
    assert_eq!(complaints(&format!("{NEEDED}\nw6 = solve add w0, w6 -> w6")), [early]);
}

#[test]
fn a_call_in_rows_is_as_its_chip_says() {
    let with = |call: &str| complaints(&format!("w0 = public 0\n{call}"));
    for call in ["w1 = call double(w0)", "w1 = call keep(w0 | data 0[2])"] {
        assert_eq!(with(call), [""; 0], "{call}");
    }
    for (call, expected) in [
        ("w1 = call triple(w0)", "no chip answers the call `triple` of 1 rows"),
        ("w1 = call double(w0, w0)", "`double` has 1 inputs, the call 2"),
        ("w1, w2 = call double(w0)", "`double` has 1 outputs, the call 2"),
        (
            "w1 = call double(w0) : bit",
            "output 0 of `double` is felt at 0.1, the call says bit at 0.1",
        ),
        (
            "w1 = call double(w0@0.3)",
            "input 0 of `double` is felt at 0.0, the call says felt at 0.3",
        ),
        (
            "w1 = call double(w0 | data 0[2])",
            "`double` takes 0 elements of private data, the call 2",
        ),
        ("w1 = call keep(w0)", "`keep` takes 2 elements of private data, the call 0"),
        ("w1 = call keep(w0 | data 0[3])", "`keep` takes 2 elements of private data, the call 3"),
    ] {
        assert_eq!(with(call)[0], format!("V10 {expected}"), "{call}");
    }
    // A call that says how much data it takes, and takes none.
    let text = "circuit test over goldilocks^2, stage slots {\nw0 = public 0\nw1 = call keep(w0 | data 0[2])\n}";
    let Ok(Circuit::Slots(mut slots)) = parse(text) else { panic!("{text}") };
    slots.calls[0].data = None;
    let expected = "V10 `keep` takes 2 elements of private data, the call 2";
    assert_eq!(listed(verify_slot_calls(&slots, &Chips)), [expected]);
}

#[test]
fn a_call_that_takes_a_base_element_says_that_it_is_one() {
    let rows = "w0 = public 0 : ext\nw1 = const 1\nw2 = add w0, w1\ncheck_mul w2, w2 -> w2";
    assert_eq!(complaints(rows), [no_base_element("w0")]);
    let text =
        format!("circuit test over goldilocks^2, stage slots {{\n{rows}\nw3 = call double(w0)\n}}");
    let Ok(Circuit::Slots(mut slots)) = parse(&text) else { panic!("{text}") };
    // In a text, a call takes what its slots hold.
    assert_eq!(listed(verify_slots(&slots)), [no_base_element("w0")]);
    slots.calls[0].signature.inputs[0].ty = Felt;
    assert_eq!(listed(verify_slots(&slots)), [""; 0]);
}

#[test]
fn a_call_of_a_graph_is_as_its_chip_says() {
    let calling = |outputs: &[ValueType]| {
        let mut graph = Graph::new("test", Field::Goldilocks2);
        let x = graph.public(Felt);
        graph.call(ChipCall::new("double"), &Signature::one_row(&[Felt], outputs, 0), &[x]);
        graph
    };
    assert_eq!(listed(verify_calls(&calling(&[Felt]), &Chips)), [""; 0]);
    let expected = "V10 output 0 of `double` is felt at 0.1, the call says bit at 0.1";
    assert_eq!(listed(verify_calls(&calling(&[Bit]), &Chips)), [expected]);
    assert_eq!(listed(verify_in(&Circuit::Expr(calling(&[Bit])), &Chips)), [expected]);
}

#[test]
fn a_stage_is_verified_as_it_is() {
    let mut graph = Graph::new("test", Field::Goldilocks2);
    let (x, secret, unused) = (graph.public(Felt), graph.private(Ext), graph.private(Felt));
    let sum = graph.binary(BinaryOp::Add, x, secret);
    graph.assert_zero(sum);
    let unbound = "V04 no rule binds %2, which the prover chooses freely";
    assert_eq!(listed(verify_in(&Circuit::Expr(graph.clone()), &Chips)), [unbound]);
    graph.assert_zero(unused);
    // An operand of an operation is bound like what a rule names.
    assert_eq!(listed(verify_in(&Circuit::Expr(graph.clone()), &Chips)), [""; 0]);
    let slots = lower_to_slots(&graph, Form::Fused).expect("the graph can be lowered");
    let mut tables = lower_to_tables(slots);
    assert_eq!(listed(verify_in(&Circuit::Tables(tables.clone()), &Chips)), [""; 0]);
    tables.multiplicities[0] += 1;
    let unbalanced = listed(verify_in(&Circuit::Tables(tables), &Chips));
    assert!(unbalanced[0].starts_with("V08"), "{unbalanced:?}");
}

#[test]
fn mistakes_of_a_graph_stand_in_its_order_with_their_names_and_lines() {
    let mut graph = Graph::new("test", Field::Goldilocks2);
    let x = graph.public(Felt);
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
