//! Graphs and rows that neither builders nor texts make, as a pass with a mistake could: every guard of the verifier
//! speaks for itself.

use super::{VerifierErrors, verify, verify_slots, verify_structure, verify_tables};
use crate::circuit::graph::{BinaryOp, Call, Graph, Hint, NodeId, Op, Rule, RuleKind};
use crate::circuit::rows::{Origin, Port, Relation, Role, RowOp, Rows, SlotId};
use crate::circuit::slots::{Form, SlotInfo, Slots};
use crate::circuit::tables::TableKind;
use crate::circuit::value::{Constant, ValueType};
use crate::circuit::{
    CallId, ChipCall, HintId, HintKind, Signature, Symbol, lower_to_slots, lower_to_tables,
};
use crate::field::Field;

use ValueType::{Bit, Ext, Felt};

/// The errors, each as its code and sentence.
fn complaints(result: Result<(), VerifierErrors>) -> Vec<String> {
    let errors = result.err().map_or(Vec::new(), |VerifierErrors(errors)| errors);
    errors.iter().map(|error| format!("{:?} {}", error.code, error.message)).collect()
}

#[track_caller]
fn check_graph(graph: &Graph, expected: &[&str]) {
    assert_eq!(complaints(verify_structure(graph)), expected);
}

/// A graph with the public inputs `%0 : felt` and `%1 : ext`.
fn graph() -> (Graph, NodeId, NodeId) {
    let mut graph = Graph::new("test", Field::Goldilocks2);
    let (felt, ext) = (graph.public(Felt), graph.public(Ext));
    (graph, felt, ext)
}

fn push_rule(graph: &mut Graph, kind: RuleKind) {
    graph.push_rule(Rule { kind, label: Symbol::NONE, scope: Symbol::NONE, location: None });
}

#[test]
fn an_operation_does_not_use_itself_nor_what_has_no_value() {
    let (mut graph, x, _) = graph();
    let itself = NodeId::new(graph.len());
    graph.push(Op::Binary(BinaryOp::Add), Ext, &[x, itself]);
    check_graph(
        &graph,
        &["V01 %2 is used before it is defined", "V02 the result is felt, not ext"],
    );

    let (mut graph, ..) = super::tests::graph();
    graph.push(Op::Binary(BinaryOp::Mul), Bit, &[itself; 2]);
    let early = "V01 %2 is used before it is defined";
    check_graph(&graph, &[early, early, "V02 nothing guarantees that %2 is a bit"]);

    let (mut graph, x, _) = super::tests::graph();
    let call = graph.push_call(call(&[Felt], &[]), &[x]).node;
    graph.push(Op::Binary(BinaryOp::Add), Felt, &[x, call]);
    check_graph(&graph, &["V02 %2 has outputs, but no value"]);
}

#[test]
fn every_operation_has_its_number_of_operands() {
    let sum = Op::Binary(BinaryOp::Add);
    for (op, ty, given, expected) in [
        (Op::Public(2), Felt, 1, 0),
        (Op::Private(0), Felt, 1, 0),
        (sum, Felt, 1, 2),
        (sum, Felt, 3, 2),
        (Op::MulAdd, Felt, 2, 3),
        (Op::MulSub, Felt, 4, 3),
        (Op::FromCoefficients, Ext, 1, 2),
    ] {
        let (mut graph, x, _) = graph();
        graph.push(op, ty, &vec![x; given]);
        check_graph(&graph, &[&format!("V02 {expected} operands were expected, {given} came")]);
    }
    let (mut graph, x, _) = graph();
    let value = graph.constant(5);
    graph.push(graph.op(value), Felt, &[x]);
    check_graph(&graph, &["V02 0 operands were expected, 1 came"]);

    let (mut graph, x, _) = super::tests::graph();
    graph.push_call(call(&[Felt, Felt], &[]), &[x]);
    check_graph(&graph, &["V02 2 operands were expected, 1 came"]);
}

#[test]
fn types_of_operations_follow_from_those_of_their_operands() {
    let (mut graph, x, e) = graph();
    graph.push(Op::Binary(BinaryOp::Sub), Felt, &[x, e]);
    graph.push(Op::MulAdd, Felt, &[x, x, e]);
    graph.push(Op::MulSub, Ext, &[x, x, x]);
    graph.push(Op::FromCoefficients, Ext, &[x, e]);
    graph.constant(Constant::felt(Field::Goldilocks2.modulus()));
    graph.constant(Constant::felt(Field::Goldilocks2.modulus() - 1));
    check_graph(
        &graph,
        &[
            "V02 the result is ext, not felt",
            "V02 the result is ext, not felt",
            "V02 the result is felt, not ext",
            "V02 coefficients are base elements, not ext",
            "V02 18446744069414584321 is not a canonical constant of goldilocks^2",
        ],
    );
}

/// A call of one row.
fn call(inputs: &[ValueType], outputs: &[ValueType]) -> Call {
    let signature = Signature::one_row(inputs, outputs, 0);
    Call { chip: ChipCall::new("chip"), signature, data: None }
}

#[test]
fn a_call_takes_values_of_its_types_in_rows_that_it_has() {
    let (mut graph, x, e) = graph();
    graph.push_call(call(&[Ext, Felt], &[]), &[x, e]);
    let mut beyond = call(&[Felt], &[Felt]);
    beyond.signature.outputs[0].row = 1;
    graph.push_call(beyond, &[x]);
    let mut none = call(&[], &[]);
    none.chip.rows = 0;
    graph.push_call(none, &[]);
    let mut two = call(&[Felt], &[Felt]);
    two.chip.rows = 2;
    two.signature.outputs[0].row = 1;
    graph.push_call(two, &[x]);
    check_graph(
        &graph,
        &[
            "V02 input 1 is ext, expected felt",
            "V02 a port lies outside of the 1 rows",
            "V02 a port lies outside of the 0 rows",
        ],
    );
}

#[test]
fn a_hint_takes_and_gives_what_its_kind_says() {
    let hint = |kind, inputs: &[ValueType], outputs: &[ValueType]| Hint {
        kind,
        inputs: inputs.to_vec(),
        outputs: outputs.to_vec(),
    };
    let (mut graph, x, e) = graph();
    graph.hint_with_outputs(hint(HintKind::Quotient(0), &[Felt], &[Felt]), &[x]);
    graph.hint_with_outputs(hint(HintKind::Bits(1), &[Felt, Felt], &[Felt]), &[x, x]);
    graph.hint_with_outputs(hint(HintKind::Equal, &[Ext], &[Felt]), &[e]);
    graph.hint_with_outputs(hint(HintKind::Bits(2), &[Felt], &[Felt]), &[x]);
    // Declared for base elements, given an extension element; and declared with one input, given two.
    let named = |outputs: &[ValueType]| HintKind::Extern {
        name: "some".to_owned(),
        outputs: outputs.to_vec(),
    };
    graph.hint_with_outputs(hint(named(&[Felt]), &[Felt], &[Felt]), &[e]);
    graph.hint_with_outputs(hint(named(&[Felt]), &[Felt], &[Felt]), &[x, x]);
    graph.hint_with_outputs(hint(named(&[Felt]), &[Ext], &[Felt]), &[x]);
    check_graph(
        &graph,
        &[
            "V02 the parameters of `quotient 0` make no sense",
            "V02 `bits 1` takes (felt), not (felt, felt)",
            "V02 `equal` takes (ext, ext), not (ext)",
            "V02 `bits 2` gives (felt, felt), not (felt)",
            "V02 `extern \"some\"` gives (felt), not (felt)",
            "V02 `extern \"some\"` gives (felt), not (felt)",
        ],
    );
}

/// A call with an input and an output of type `felt`, without the node of its output.
fn call_without_output(graph: &mut Graph, input: NodeId) -> NodeId {
    let node = graph.push_call(call(&[Felt], &[Felt]), &[input]).node;
    graph.push(graph.op(node), Felt, &[input])
}

#[test]
fn outputs_stand_behind_what_gives_them() {
    let missing = "V02 output 0 of 1 is missing or not felt";
    let (mut graph, x, _) = graph();
    call_without_output(&mut graph, x);
    check_graph(&graph, &[missing]);
    // What stands there instead: another output, one of another type, one of another call, no output.
    for (op, ty, operand) in [
        (Op::Output(1), Felt, 4),
        (Op::Output(0), Ext, 4),
        (Op::Output(0), Felt, 2),
        (Op::Binary(BinaryOp::Add), Felt, 0),
    ] {
        let (mut graph, x, _) = super::tests::graph();
        call_without_output(&mut graph, x);
        let operand = NodeId::new(operand);
        let two = [operand; 2];
        graph.push(op, ty, if operand == x { &two } else { &two[..1] });
        let found = complaints(verify_structure(&graph));
        assert!(found.iter().any(|complaint| complaint == missing), "{op:?}: {found:?}");
    }
    let (mut graph, x, _) = super::tests::graph();
    let hint = graph.hint(HintKind::Bits(1), &[x])[0];
    let hint = graph.operands(hint)[0];
    graph.push(graph.op(hint), Felt, &[x]);
    check_graph(&graph, &[missing]);
    // One too many, and one of what has no outputs.
    let (mut graph, x, _) = super::tests::graph();
    let node = graph.push_call(call(&[Felt], &[Felt]), &[x]).node;
    graph.push(Op::Output(1), Felt, &[node]);
    check_graph(&graph, &["V02 %2 has only 1 outputs"]);
    let (mut graph, x, _) = super::tests::graph();
    graph.push(Op::Output(0), Felt, &[x]);
    check_graph(&graph, &["V02 only hints and calls have outputs"]);
}

#[test]
fn a_bit_is_guaranteed_by_its_operation_or_by_a_rule() {
    let unknown = |number: usize| format!("V02 nothing guarantees that %{number} is a bit");
    let (mut graph, x, _) = graph();
    graph.push(Op::Binary(BinaryOp::Mul), Bit, &[x, x]);
    let sum = graph.push(Op::Binary(BinaryOp::Add), Bit, &[x, x]);
    check_graph(&graph, &[&unknown(2), &unknown(3)]);
    push_rule(&mut graph, RuleKind::Bit(sum));
    check_graph(&graph, &[&unknown(2)]);

    let (mut graph, x, _) = super::tests::graph();
    let bits = graph.push_call(call(&[Felt], &[Bit, Felt]), &[x]);
    graph.push(Op::Binary(BinaryOp::Mul), Bit, &[bits.outputs[0], bits.outputs[0]]);
    let one = graph.constant(1);
    graph.push(graph.op(one), Bit, &[]);
    let five = graph.constant(5);
    graph.push(graph.op(five), Bit, &[]);
    check_graph(&graph, &[&unknown(8)]);

    // An output that the call does not give as a bit.
    let (mut graph, x, _) = super::tests::graph();
    let again = call_without_output(&mut graph, x);
    graph.push(Op::Output(0), Bit, &[again]);
    check_graph(&graph, &[&unknown(3)]);
}

#[test]
fn rules_are_about_values() {
    let (mut graph, x, _) = graph();
    let node = graph.push_call(call(&[Felt], &[]), &[x]).node;
    push_rule(&mut graph, RuleKind::Equal(x, node));
    let beyond = NodeId::new(graph.len());
    push_rule(&mut graph, RuleKind::Bit(beyond));
    check_graph(&graph, &["V02 %2 has no value", "V02 %? has no value"]);
}

#[test]
fn what_nothing_binds_or_uses_is_reported() {
    let (mut graph, x, e) = graph();
    graph.assert_eq(x, e);
    let unbound = graph.private(Felt);
    let advice = graph.hint(HintKind::Bits(1), &[unbound]);
    let dead = graph.constant(7);
    graph.binary(BinaryOp::Add, dead, x);
    // A division demands its divisor, unless that is a constant other than zero.
    graph.binary(BinaryOp::Div, x, x);
    let two = graph.constant(2);
    graph.binary(BinaryOp::Div, x, two);
    graph.call(ChipCall::new("chip"), &Signature::one_row(&[Felt], &[Felt], 0), &[x]);
    let found = complaints(verify(&graph));
    assert_eq!(
        found,
        [
            "V04 no rule binds %2, which the prover chooses freely",
            "V05 %3 is not used",
            "V04 no rule binds %3, which the prover chooses freely",
            "V05 %4 is not used",
            "V05 %5 is not used",
            "V05 %7 is not used",
            "V05 %8 is not used",
        ]
    );
    graph.assert_zero(advice[0]);
    graph.assert_zero(unbound);
    let found = complaints(verify(&graph));
    assert_eq!(found.len(), 4, "{found:?}");
}

/// Rows `w0 = public 0`, `w1 = private 0 : ext`, and one of each kind, from which tests take what they spoil.
fn slots() -> Slots {
    let mut graph = Graph::new("test", Field::Goldilocks2);
    let (x, e) = (graph.public(Felt), graph.private(Ext));
    let k = graph.constant(3);
    let sum = graph.binary(BinaryOp::Add, x, k);
    let product = graph.mul_add(x, e, e);
    graph.assert_zero(product);
    let advice = graph.hint(HintKind::Bits(2), &[sum]);
    let call = graph.call(
        ChipCall::new("chip"),
        &Signature::one_row(&[Felt, Ext], &[Felt, Ext, Felt], 0),
        &[advice[0], e],
    );
    graph.assert_eq(call.outputs[0], advice[1]);
    graph.assert_eq(call.outputs[1], product);
    let created = graph.binary(BinaryOp::Add, call.outputs[2], x);
    graph.assert_zero(created);
    lower_to_slots(&graph, Form::Fused).expect("the graph can be lowered")
}

/// The rows with one of them changed. The numbers of reads follow.
fn changed(
    slots: &Slots,
    which: impl Fn(&RowOp) -> bool,
    change: impl Fn(&mut RowOp, &mut Vec<Port>),
) -> Slots {
    let mut rows = Rows::default();
    let mut done = false;
    for row in slots.rows.iter() {
        let (mut op, mut ports) = (row.op.clone(), row.ports.to_vec());
        if !done && which(&op) {
            change(&mut op, &mut ports);
            done = true;
        }
        rows.push(op, ports, row.origin);
    }
    assert!(done, "no row is changed");
    let mut changed = Slots { rows, ..slots.clone() };
    let count = changed.slots.len();
    if changed.rows.ports().iter().all(|port| port.slot.index() < count) {
        changed.count_reads();
    }
    changed
}

#[track_caller]
fn check_row(
    which: impl Fn(&RowOp) -> bool,
    change: impl Fn(&mut RowOp, &mut Vec<Port>),
    expected: &str,
) {
    let found = complaints(verify_slots(&changed(&slots(), which, change)));
    assert!(found.iter().any(|complaint| complaint == expected), "{found:#?}");
}

fn is_arithmetic(op: &RowOp) -> bool {
    matches!(op, RowOp::Arithmetic(..))
}

fn is_call(op: &RowOp) -> bool {
    matches!(op, RowOp::Call { .. })
}

fn is_hint(op: &RowOp) -> bool {
    matches!(op, RowOp::Hint(_))
}

#[test]
fn the_rows_of_the_tests_are_well_formed() {
    assert_eq!(complaints(verify_slots(&slots())), [""; 0]);
    assert_eq!(complaints(verify_tables(&lower_to_tables(slots()))), [""; 0]);
}

#[test]
fn a_row_has_the_ports_of_its_operation() {
    let missing = |_: &mut RowOp, ports: &mut Vec<Port>| ports.truncate(ports.len() - 1);
    check_row(is_arithmetic, missing, "V02 3 ports were expected, 2 came");
    check_row(is_hint, missing, "V02 3 ports were expected, 2 came");
    check_row(is_call, missing, "V02 5 ports were expected, 4 came");
    check_row(|op| matches!(op, RowOp::Const(_)), missing, "V02 1 ports were expected, 0 came");
    check_row(is_arithmetic, |_, ports| ports.swap(0, 1), "V02 the ports are not those of add");
    let unknown = |_: &mut RowOp, ports: &mut Vec<Port>| ports[0].slot = SlotId::new(99);
    check_row(is_arithmetic, unknown, "V01 there is no slot w99");
    let count = slots().slots.len();
    let first = |_: &mut RowOp, ports: &mut Vec<Port>| ports[0].slot = SlotId::new(count);
    check_row(is_arithmetic, first, &format!("V01 there is no slot w{count}"));
    let moved = |_: &mut RowOp, ports: &mut Vec<Port>| ports[0].position = 9;
    check_row(is_call, moved, "V02 the ports are not those of the call");
}

#[test]
fn ports_of_arithmetic_rows_are_on_the_bus() {
    let create_all = |_: &mut RowOp, ports: &mut Vec<Port>| ports[0].role = Role::Creates;
    check_row(is_arithmetic, create_all, "V02 the row creates 2 slots");
    let off = "V02 every port of an arithmetic row is on the bus";
    check_row(is_arithmetic, |_, ports| ports[0].role = Role::Peeks, off);
    let other_type =
        |op: &mut RowOp, _: &mut Vec<Port>| *op = RowOp::Arithmetic(Relation::Add, Ext);
    check_row(is_arithmetic, other_type, "V02 the created slot is not ext");
    let separate = Slots { form: Form::Separate, ..slots() };
    assert_eq!(
        complaints(verify_slots(&separate)),
        ["V02 there is no mul_add row in the separate form"]
    );
}

#[test]
fn constants_are_canonical_and_of_the_type_of_their_slot() {
    let is_constant = |op: &RowOp| matches!(op, RowOp::Const(_));
    let modulus = Field::Goldilocks2.modulus();
    check_row(
        is_constant,
        |op, _| *op = RowOp::Const(Constant::felt(modulus)),
        "V02 18446744069414584321 is not a canonical constant of goldilocks^2",
    );
    let ext = |op: &mut RowOp, _: &mut Vec<Port>| *op = RowOp::Const(Constant::ext([0, 1]));
    check_row(is_constant, ext, "V02 the slot is not ext");
}

#[test]
fn a_claim_of_a_base_element_reads_a_slot_and_shows_it() {
    let with = |change: &dyn Fn(&mut [Port; 2])| {
        let mut slots = slots();
        let ext = slots.slots.iter().position(|slot| slot.ty.is_ext()).expect("there is one");
        let mut ports = Port::of_base(SlotId::new(ext));
        change(&mut ports);
        slots.rows.push(RowOp::Base, ports, Origin::default());
        slots.count_reads();
        complaints(verify_slots(&slots))
    };
    assert_eq!(with(&|_| {}), [""; 0]);
    let wrong = ["V02 one slot is read, and shown again as the result"];
    assert_eq!(with(&|ports| ports[1].slot = SlotId::new(0)), wrong);
    assert_eq!(with(&|ports| ports[0].role = Role::Peeks), wrong);
    assert_eq!(with(&|ports| ports.swap(0, 1)), wrong);
}

#[test]
fn hints_peek_and_calls_read() {
    let hint = "V02 a hint reads nothing from the bus";
    check_row(is_hint, |_, ports| ports[0].role = Role::Reads, hint);
    check_row(is_hint, |_, ports| ports[1].role = Role::Reads, hint);
    let call = "V02 every input of a call is read, every output is on the bus";
    check_row(is_call, |_, ports| ports[0].role = Role::Peeks, call);
    check_row(is_call, |_, ports| ports[2].role = Role::Peeks, call);
    let other_type = "V02 an output has another type than its slot".to_owned();
    let mut slots = slots();
    slots.hints[0].outputs[0] = Ext;
    assert_eq!(complaints(verify_slots(&slots)), std::slice::from_ref(&other_type));
    let mut slots = super::tests::slots();
    slots.calls[0].signature.outputs[2].ty = Ext;
    assert_eq!(complaints(verify_slots(&slots)), [other_type]);
    let unknown = |op: &mut RowOp, _: &mut Vec<Port>| *op = RowOp::Hint(HintId::new(1));
    check_row(is_hint, unknown, "V02 there is no hint h1");
    let unknown =
        |op: &mut RowOp, _: &mut Vec<Port>| *op = RowOp::Call { call: CallId::new(1), row: 0 };
    check_row(is_call, unknown, "V02 there is no call call1");
    let witness = |op: &mut RowOp, _: &mut Vec<Port>| *op = RowOp::Witness;
    check_row(is_call, witness, "V02 this row belongs to the stage `tables`");
}

#[test]
fn inputs_are_numbered_in_order() {
    let public = |op: &RowOp| matches!(op, RowOp::Public(_));
    check_row(public, |op, _| *op = RowOp::Public(1), "V03 public 1 should be 0");
    let private = |op: &RowOp| matches!(op, RowOp::Private(_));
    check_row(private, |op, _| *op = RowOp::Private(2), "V03 private 2 should be 0");
    // The second one counts on from the first.
    let mut slots = slots();
    let created = SlotId::new(slots.slots.len());
    slots.slots.push(SlotInfo { ty: Felt, reads: 0 });
    let port = Port { slot: created, position: 0, role: Role::Creates };
    slots.rows.push(RowOp::Private(1), [port], Origin::default());
    assert_eq!(complaints(verify_slots(&slots)), [""; 0]);
}

#[test]
fn every_slot_has_one_creator_and_its_number_of_readers() {
    let mut slots = slots();
    let last = slots.slots.len();
    slots.slots.push(SlotInfo { ty: Felt, reads: 0 });
    slots.slots[0].reads += 1;
    let reads = slots.slots[0].reads;
    let count = format!("V08 slot w0 is read {} times, not {reads}", reads - 1);
    assert_eq!(
        complaints(verify_slots(&slots)),
        [count, format!("V06 slot w{last} has no creator")]
    );
    // A row reads its ports before it creates.
    let itself = |_: &mut RowOp, ports: &mut Vec<Port>| ports[0].slot = ports[2].slot;
    let found = complaints(verify_slots(&changed(&super::tests::slots(), is_arithmetic, itself)));
    assert!(found[0].ends_with("is used before it is created"), "{found:?}");
    // An output may meet the one before it, but not the one behind it.
    let early = |from: usize, to: usize| {
        let meets = |_: &mut RowOp, ports: &mut Vec<Port>| {
            ports[from].role = Role::Peeks;
            ports[from].slot = ports[to].slot;
        };
        let slots = super::tests::slots();
        let hint = slots.rows.iter().find(|row| is_hint(row.op)).expect("there is a hint");
        let complaint = format!("V01 slot {} is used before it is created", hint.ports[to].slot);
        complaints(verify_slots(&changed(&slots, is_hint, meets))).contains(&complaint)
    };
    assert!(!early(2, 1));
    assert!(early(1, 2));
}

#[test]
fn the_bus_of_tables_balances() {
    let whole = lower_to_tables(slots());
    let mut tables = whole.clone();
    tables.multiplicities[0] += 1;
    let (given, read) = (tables.multiplicities[0], whole.multiplicities[0]);
    assert_eq!(
        complaints(verify_tables(&tables)),
        [format!("V08 slot w0 is put on the bus {given} times, but read {read} times")]
    );
    // A row that is lost no longer creates and reads.
    let mut tables = whole.clone();
    let place = tables.tables.iter().position(|table| table.kind == TableKind::Alu(Felt));
    tables.tables.remove(place.expect("there is arithmetic"));
    let found = complaints(verify_tables(&tables));
    assert!(
        found
            .iter()
            .any(|complaint| complaint.starts_with("V06") && complaint.ends_with("has 0 creators")),
        "{found:?}"
    );
    assert!(found.iter().any(|complaint| complaint.starts_with("V08")), "{found:?}");
    for slot in [whole.slot_count(), 99] {
        let mut tables = whole.clone();
        let port = Port { slot: SlotId::new(slot), position: 0, role: Role::Reads };
        tables.tables[0].rows.push(RowOp::Public(9), [port], Origin::default());
        let expected = format!("V01 there is no slot w{slot}");
        assert_eq!(complaints(verify_tables(&tables)), [expected]);
    }
    // The program is checked as well.
    let mut tables = whole;
    tables.program.slots[0].reads += 1;
    assert_eq!(complaints(verify_tables(&tables)).len(), 1);
}

#[test]
fn the_witness_table_holds_slots_in_order() {
    let mut graph = Graph::new("test", Field::Goldilocks2);
    let (x, y) = (graph.public(Felt), graph.public(Felt));
    graph.assert_eq(x, y);
    let slots = lower_to_slots(&graph, Form::Separate).expect("the graph can be lowered");
    let mut tables = lower_to_tables(slots);
    assert_eq!(complaints(verify_tables(&tables)), [""; 0]);
    let mut rows = Rows::default();
    for row in tables.tables[0].rows.iter().rev() {
        rows.push(row.op.clone(), row.ports.iter().copied(), row.origin);
    }
    assert_eq!(tables.tables[0].kind, TableKind::Witness);
    let count = rows.len();
    tables.tables[0].rows = rows;
    let found = complaints(verify_tables(&tables));
    assert!(count > 1 && found[0] == "V08 row i of the witness table holds slot i", "{found:?}");
}
