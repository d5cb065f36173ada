//! From expressions to the witness table and its tables.

use std::panic::Location;

use chipwright_ir::Field;
use chipwright_ir::circuit::verify::verify_tables;
use chipwright_ir::circuit::{
    A, B, BinaryOp, Constant, Form, Graph, HintKind, LowerError, OUT, RowOp, Tables, ValueType,
    lower_to_slots, lower_to_tables,
};

use crate::check::check_lowering;

fn toy() -> Graph {
    let mut toy = Graph::new("toy", Field::Goldilocks2);
    let x = toy.public(ValueType::Felt);
    toy.set_label(x, "x");
    let k = toy.constant(37);
    let product = toy.binary(BinaryOp::Mul, k, x);
    let k = toy.constant(111);
    let difference = toy.binary(BinaryOp::Sub, product, k);
    let zero = toy.constant(0);
    toy.connect(difference, zero);
    toy.set_rule_label("37x = 111");
    toy
}

fn tables(graph: &Graph, form: Form) -> Tables {
    let tables = lower_to_tables(lower_to_slots(graph, form).unwrap());
    verify_tables(&tables).unwrap();
    tables
}

#[test]
fn the_toy_circuit_in_the_separate_form() {
    insta::assert_snapshot!(tables(&toy(), Form::Separate), @r"
    circuit toy over goldilocks^2, stage tables, form separate {
      bus witness {
        w0: +2 witness[0].out -1 public[0].out -1 mul[0].b
        w1: +2 witness[1].out -1 const[0].out -1 add[0].b
        w2: +2 witness[2].out -1 const[1].out -1 mul[0].a
        w3: +2 witness[3].out -1 const[2].out -1 add[0].a
        w4: +2 witness[4].out -1 add[0].out -1 mul[0].out
      }
      table witness {
        0: w0
        1: w1
        2: w2
        3: w3
        4: w4
      }
      table const {
        0: w1 = 0
        1: w2 = 37
        2: w3 = 111
      }
      table public {
        0: w0 = public 0              ; x
      }
      table add {
        0: add w3, w1 -> w4           ; 37x = 111
      }
      table mul {
        0: mul w2, w0 -> w4
      }
    }
    ; 11 rows, 5 slots, 15 bus terms: balanced
    ");
}

#[test]
fn the_toy_circuit_in_the_fused_form() {
    insta::assert_snapshot!(lower_to_slots(&toy(), Form::Fused).unwrap(), @r"
    circuit toy over goldilocks^2, stage slots {
      w0 = public 0                   ; x, read 1×
      w1 = const 0                    ; read 1×
      w2 = const 37                   ; read 1×
      w3 = const 111                  ; read 1×
      w4 = mul w2, w0                 ; read 1×
      check_add w3, w1 -> w4          ; 37x = 111
    }
    ");
    insta::assert_snapshot!(tables(&toy(), Form::Fused), @r"
    circuit toy over goldilocks^2, stage tables {
      bus witness {
        w0: +1 public[0].out -1 alu[0].b
        w1: +1 const[0].out -1 alu[1].b
        w2: +1 const[1].out -1 alu[0].a
        w3: +1 const[2].out -1 alu[1].a
        w4: +1 alu[0].out -1 alu[1].out
      }
      table const {
        0: w1 = 0
        1: w2 = 37
        2: w3 = 111
      }
      table public {
        0: w0 = public 0              ; x
      }
      table alu {
        0: mul w2, w0 -> w4
        1: add w3, w1 -> w4           ; 37x = 111
      }
    }
    ; 6 rows, 5 slots, 10 bus terms: balanced
    ");
}

#[test]
fn the_two_toy_tables_are_those_of_the_construction() {
    use chipwright_ir::circuit::{Environment, Inputs, TableKind};
    use chipwright_ir::field::Goldilocks2;

    let tables = tables(&toy(), Form::Separate);
    let run = tables
        .program
        .execute::<Goldilocks2>(&Inputs::publics([3]), Environment::default())
        .unwrap();
    let value = |slot| Constant::from_ext::<Goldilocks2>(run.value(slot)).coefficients().to_vec();
    let rows = |kind: TableKind| -> Vec<Vec<(u32, Vec<u64>)>> {
        let table = tables.table(&kind).unwrap();
        let row = |row: chipwright_ir::circuit::Row<'_>| {
            row.ports.iter().map(|port| (port.slot.0, value(port.slot))).collect()
        };
        table.rows.iter().map(row).collect()
    };
    let pairs = |pairs: &[(u32, u64)]| -> Vec<(u32, Vec<u64>)> {
        pairs.iter().map(|&(slot, value)| (slot, vec![value, 0])).collect()
    };
    assert_eq!(
        rows(TableKind::Witness).concat(),
        pairs(&[(0, 3), (1, 0), (2, 37), (3, 111), (4, 111)])
    );
    assert_eq!(rows(TableKind::Const).concat(), pairs(&[(1, 0), (2, 37), (3, 111)]));
    assert_eq!(rows(TableKind::Public).concat(), pairs(&[(0, 3)]));
    assert_eq!(rows(TableKind::Mul), [pairs(&[(2, 37), (0, 3), (4, 111)])]);
    assert_eq!(rows(TableKind::Add), [pairs(&[(3, 111), (1, 0), (4, 111)])]);
}

#[test]
fn a_subtraction_is_an_addition_that_creates_an_addend() {
    let mut graph = Graph::new("sub", Field::Goldilocks2);
    let (a, b) = (graph.public(ValueType::Felt), graph.public(ValueType::Felt));
    let c = graph.binary(BinaryOp::Sub, a, b);
    let d = graph.binary(BinaryOp::Div, c, b);
    graph.assert_eq(d, d);
    let slots = lower_to_slots(&graph, Form::Fused).unwrap();
    insta::assert_snapshot!(slots, @r"
    circuit sub over goldilocks^2, stage slots {
      w0 = public 0                   ; read 1×
      w1 = public 1                   ; read 2×
      w2 = solve add w1, w2 -> w0     ; read 1×
      w3 = solve mul w1, w3 -> w2     ; read 0×
    }
    ");
    let row = slots.rows.get(2);
    assert_eq!(row.creates().collect::<Vec<_>>(), [row.port(B).unwrap().slot]);
    assert_eq!(row.port(A).unwrap().slot, slots.publics[1]);
    assert_eq!(row.port(OUT).unwrap().slot, slots.publics[0]);
}

#[test]
fn a_hundred_connected_values_share_one_slot() {
    let mut graph = Graph::new("connect", Field::Goldilocks2);
    let values: Vec<_> = (0..100).map(|_| graph.private(ValueType::Felt)).collect();
    let mut state = 12345usize;
    for i in 1..values.len() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        graph.connect(values[i], values[(state >> 33) % i]);
    }
    let slots = lower_to_slots(&graph, Form::Fused).unwrap();
    assert_eq!(slots.slots.len(), 1);
    assert_eq!(lower_to_tables(slots).row_count(), 1);
}

#[test]
fn equal_constants_share_one_slot() {
    let mut graph = Graph::new("constants", Field::Goldilocks2);
    let x = graph.public(ValueType::Ext);
    for constant in [Constant::felt(5), Constant::felt(5), Constant::ext([5, 0])] {
        let k = graph.constant(constant);
        let sum = graph.binary(BinaryOp::Add, x, k);
        graph.assert_zero(sum);
    }
    let slots = lower_to_slots(&graph, Form::Fused).unwrap();
    let constants = slots.rows.iter().filter(|row| matches!(row.op, RowOp::Const(_))).count();
    assert_eq!(constants, 2, "0 and 5");
}

#[test]
fn two_different_constants_cannot_be_connected() {
    let mut graph = Graph::new("contradiction", Field::Goldilocks2);
    graph.set_location(Some(Location::caller()));
    let one = graph.constant(1);
    graph.set_label(one, "one");
    let two = graph.constant(2);
    graph.set_label(two, "two");
    graph.connect(one, two);
    let error = lower_to_slots(&graph, Form::Fused).unwrap_err().to_string();
    let file = file!();
    assert_eq!(error.matches(file).count(), 3, "{error}");
    assert!(error.starts_with("the constants one = 1 ("), "{error}");
    assert!(error.contains("and two = 2 ("), "{error}");
}

#[test]
fn constants_contradict_each_other_through_a_chain_of_values() {
    let mut graph = Graph::new("contradiction", Field::Goldilocks2);
    let x = graph.public(ValueType::Felt);
    let y = graph.private(ValueType::Felt);
    let (one, two) = (graph.constant(1), graph.constant(2));
    graph.connect(one, x);
    graph.assert_eq(x, y);
    graph.connect(y, two);
    let error = lower_to_slots(&graph, Form::Fused).unwrap_err();
    assert!(matches!(error, LowerError::Contradiction { .. }), "{error}");
}

#[test]
fn a_value_cannot_be_connected_with_one_computed_from_it() {
    let mut graph = Graph::new("cycle", Field::Goldilocks2);
    let x = graph.public(ValueType::Felt);
    graph.set_label(x, "x");
    let one = graph.constant(1);
    let y = graph.binary(BinaryOp::Add, x, one);
    let z = graph.binary(BinaryOp::Mul, y, y);
    graph.set_label(z, "z");
    graph.connect(z, x);
    let error = lower_to_slots(&graph, Form::Fused).unwrap_err();
    let expected = "connect connects z and x, but one of them is computed from the other; \
                    `assert_eq` demands such an equation";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_equation_between_a_value_and_one_computed_from_it_is_a_check() {
    let mut graph = Graph::new("square", Field::Goldilocks2);
    let x = graph.public(ValueType::Felt);
    let y = graph.binary(BinaryOp::Mul, x, x);
    graph.assert_eq(x, y);
    insta::assert_snapshot!(lower_to_slots(&graph, Form::Fused).unwrap(), @r"
    circuit square over goldilocks^2, stage slots {
      w0 = public 0                   ; read 3×
      check_mul w0, w0 -> w0
    }
    ");
    check_lowering::<chipwright_ir::field::Goldilocks2>(&graph);
}

#[test]
fn publics_that_are_connected_keep_their_slots() {
    let mut graph = Graph::new("publics", Field::Goldilocks2);
    let (x, y) = (graph.public(ValueType::Felt), graph.public(ValueType::Ext));
    let five = graph.constant(5);
    graph.connect(x, y);
    graph.connect(y, five);
    insta::assert_snapshot!(lower_to_slots(&graph, Form::Fused).unwrap(), @r"
    circuit publics over goldilocks^2, stage slots {
      w0 = public 0                   ; read 1×
      w1 = public 1 : ext             ; read 1×
      w2 = const 5                    ; read 2×
      check_eq w0, w2
      check_eq w1, w2 : ext
    }
    ");
    insta::assert_snapshot!(lower_to_slots(&graph, Form::Separate).unwrap(), @r"
    circuit publics over goldilocks^2, stage slots, form separate {
      w0 = public 0                   ; read 1×
      w1 = public 1 : ext             ; read 1×
      w2 = const 5                    ; read 2×
      w3 = const 0                    ; read 2×
      check_add w0, w3 -> w2
      check_add w1, w3 -> w2 : ext
    }
    ");
}

#[test]
fn definitions_of_one_slot_from_both_sides_stay_two_rows() {
    // r + w = u and r + w' = v with w = w' demand u = v.
    let mut graph = Graph::new("backwards", Field::Goldilocks2);
    let [r, u, v] = [0; 3].map(|_| graph.public(ValueType::Felt));
    let w = graph.binary(BinaryOp::Sub, u, r);
    let w2 = graph.binary(BinaryOp::Sub, v, r);
    graph.connect(w, w2);
    insta::assert_snapshot!(lower_to_slots(&graph, Form::Fused).unwrap(), @r"
    circuit backwards over goldilocks^2, stage slots {
      w0 = public 0                   ; read 2×
      w1 = public 1                   ; read 1×
      w2 = public 2                   ; read 1×
      w3 = solve add w0, w3 -> w1     ; read 1×
      check_add w0, w3 -> w2
    }
    ");
    check_lowering::<chipwright_ir::field::Goldilocks2>(&graph);
}

#[test]
fn coefficients_are_bound_by_their_recombination() {
    let mut graph = Graph::new("coefficients", Field::Goldilocks2);
    let x = graph.public(ValueType::Ext);
    let c = graph.coefficients(x);
    graph.assert_zero(c[1]);
    insta::assert_snapshot!(tables(&graph, Form::Fused), @r"
    circuit coefficients over goldilocks^2, stage tables {
      bus witness {
        w0 : ext: +1 public[0].out -1 alu_ext[0].out
        w1: +1 const[0].out -1 alu_ext[0].a
        w2: +1 private[0].out -1 alu_ext[0].c
        w3 : ext: +1 const[1].out -1 alu_ext[0].b
      }
      table const {
        0: w1 = 0
        1: w3 = [0, 1]
      }
      table public {
        0: w0 = public 0
      }
      table private {
        0: w2 = output 0 of hint 0 coefficients
      }
      table alu_ext {
        0: mul_add w1, w3, w2 -> w0 : ext
      }
    }
    ; 5 rows, 4 slots, 8 bus terms: balanced
    ");
    check_lowering::<chipwright_ir::field::Goldilocks2>(&graph);
}

#[test]
fn base_advice_on_an_extension_slot_is_checked_to_be_a_base_element() {
    let mut graph = Graph::new("base", Field::Goldilocks2);
    let x = graph.public(ValueType::Ext);
    let y = graph.private(ValueType::Felt);
    graph.assert_eq(x, y);
    insta::assert_snapshot!(lower_to_slots(&graph, Form::Fused).unwrap(), @r"
    circuit base over goldilocks^2, stage slots {
      w0 = public 0 : ext             ; read 1×
      (w0) = private 0
      check_base w0
    }
    ");
    check_lowering::<chipwright_ir::field::Goldilocks2>(&graph);
}

#[test]
fn heights_are_known_without_a_witness_and_text_is_the_same_twice() {
    let build = || {
        let mut graph = toy();
        let x = graph.private(ValueType::Ext);
        let bits = graph.hint(HintKind::Equal, &[x, x]);
        graph.assert_bit(bits[0]);
        graph.assert_zero(x);
        tables(&graph, Form::Fused)
    };
    assert_eq!(build().to_string(), build().to_string());
    let heights: Vec<_> =
        build().heights().into_iter().map(|(kind, height)| format!("{kind} {height}")).collect();
    assert_eq!(heights, ["const 3", "public 1", "private 1", "alu 3"]);
}

#[test]
fn every_row_is_counted_in_its_scope() {
    let mut graph = Graph::new("scopes", Field::Goldilocks2);
    let x = graph.public(ValueType::Felt);
    graph.push_scope("fri");
    let y = graph.binary(BinaryOp::Mul, x, x);
    graph.push_scope("fold");
    let e = graph.from_coefficients(&[x, y]);
    graph.pop_scope();
    let z = graph.binary(BinaryOp::Add, y, x);
    graph.pop_scope();
    graph.assert_zero(z);
    graph.assert_zero(e);
    let tables = tables(&graph, Form::Fused);
    let costs: Vec<_> = tables.costs().iter().map(ToString::to_string).collect();
    assert_eq!(costs, ["(top): 2 const, 1 public", "fri: 2 alu", "fri/fold: 1 alu_ext"]);
}

#[test]
fn the_graph_can_be_drawn_and_is_acyclic() {
    let toy = toy();
    assert!(!petgraph::algo::is_cyclic_directed(toy.dag()));
    insta::assert_snapshot!(toy.to_dot(), @r#"
    digraph {
        0 [ label = "%x = public 0"]
        1 [ label = "37"]
        2 [ label = "%1 = mul"]
        3 [ label = "111"]
        4 [ label = "%3 = sub\nequal: 37x = 111", peripheries = 2]
        5 [ label = "0\nequal: 37x = 111", peripheries = 2]
        1 -> 2 [ label = "0"]
        0 -> 2 [ label = "1"]
        2 -> 4 [ label = "0"]
        3 -> 4 [ label = "1"]
    }
    "#);
}
