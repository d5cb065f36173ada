//! Each pass on small chips: what it changes, as a diff.

use chipwright_ir::chip::parse::parse;
use chipwright_ir::chip::passes::{
    Interface, LowerDegree, LowerDegreeError, PackLookups, RemoveUnused, ShareCommon,
    default_pipeline, lower_degree,
};
use chipwright_ir::chip::{Chip, ColumnKind};
use chipwright_ir::pass::{Ir as _, Pass, diff};

/// A chip with four record columns `x, y, z, w` and a bus.
fn chip(body: &str) -> Chip {
    let text = format!(
        "chip test over goldilocks^2, dense {{
          x: record felt c0
          y: record felt c1
          z: record felt c2
          w: record felt c3
          port bus: send bus(value: felt)
          {body}
        }}"
    );
    parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What a pass changes.
fn changes(pass: &dyn Pass<Chip>, before: &Chip) -> String {
    let after = pass.run(before).unwrap_or_else(|error| panic!("{error}"));
    after.verify().unwrap_or_else(|error| panic!("{error}"));
    let diff = diff(pass.name(), before, &after);
    let changed = |line: &&str| line.starts_with(['+', '-', ';']);
    diff.text.lines().filter(changed).collect::<Vec<_>>().join("\n")
}

fn new_columns(before: &Chip, max: usize) -> usize {
    let after = lower_degree(before, max).unwrap_or_else(|error| panic!("{error}"));
    assert!(after.degree() <= max, "{after}");
    after.columns.len() - before.columns.len()
}

#[test]
fn a_seventh_power_costs_one_column() {
    let power = chip("row { eq y, x * x * x * x * x * x * x }");
    insta::assert_snapshot!(changes(&LowerDegree { max: 3 }, &power), @r"
    + low: scratch felt                c4            ; Lowers degrees: `x·x·x`.
    -   eq y, x * x * x * x * x * x * x
    +   %0 = x * x * x
    +   fill low = %0
    +   eq y, x * low * low
    +   eq low, %0                                   ; from pass: low
    - ; 4 columns, 1 rule (max degree 7)
    + ; 5 columns, 2 rules (max degree 3)
    ; columns 4 → 5, nodes 8 → 7, rules 1 → 2, messages 0 → 0, degree 7 → 3
    ");
}

#[test]
fn however_a_power_is_multiplied_out_it_costs_one_column() {
    for body in [
        "%0 = x * x
         %1 = %0 * %0
         eq y, %1 * %0 * x",
        "%0 = x * x * x
         eq y, %0 * %0 * x",
        "%0 = x * x
         eq y, x * %0 * (%0 * %0)",
        "%0 = z + w + 3
         eq y, %0 * %0 * %0 * %0 * %0 * %0 * %0",
    ] {
        assert_eq!(new_columns(&chip(&format!("row {{ {body} }}")), 3), 1, "{body}");
    }
}

#[test]
fn a_product_stored_for_one_rule_serves_all() {
    let rules = "row {
      %0 = x + 5
      %1 = %0 * %0 * %0 * %0 * %0 * %0 * %0
      eq y, %1
      eq z, %1 + y
      eq w * w, %0 * %0 * %0 * %0 * z
    }";
    assert_eq!(new_columns(&chip(rules), 3), 1);
}

#[test]
fn a_sum_of_powers_costs_a_column_for_each() {
    let rules = "row {
      %0 = x * x * x * x * x * x * x
      %1 = y * y * y * y * y * y * y
      eq z, 2 * %0 + 3 * %1
      eq w, %0 - %1
    }";
    assert_eq!(new_columns(&chip(rules), 3), 2);
}

#[test]
fn rules_within_the_bound_stay() {
    let power = chip("row { eq y, x * x * x * x * x * x * x }");
    for max in [7, 8, 9] {
        assert_eq!(lower_degree(&power, max), Ok(power.clone()));
    }
}

#[test]
fn a_column_that_holds_the_product_already_is_used() {
    let rules = chip(
        "row {
      eq z, x * x * x
      eq y, x * x * x * x * x * x * x
    }",
    );
    assert_eq!(new_columns(&rules, 3), 0);
}

#[test]
fn guard_and_section_count() {
    assert_eq!(new_columns(&chip("row { eq y, x * x * x when z }"), 4), 0);
    assert_eq!(new_columns(&chip("row { eq y, x * x * x when z }"), 3), 1);
    assert_eq!(new_columns(&chip("first { eq y, x * x * x }"), 3), 1);
    insta::assert_snapshot!(changes(
        &LowerDegree { max: 3 },
        &chip("row {
          %0 = z * w
          eq y, x * x when %0
          eq x, 5 * y * y when %0
        }"),
    ), @r"
    + low: scratch felt                c4            ; Lowers degrees: `z·w`.
    -   eq y, x * x when %0
    -   eq x, 5 * y * y when %0
    +   fill low = %0
    +   eq y, x * x when low
    +   eq x, 5 * y * y when low
    +   eq low, %0                                   ; from pass: low
    - ; 4 columns, 2 rules (max degree 4)
    + ; 5 columns, 3 rules (max degree 3)
    ; columns 4 → 5, nodes 9 → 10, rules 2 → 3, messages 0 → 0, degree 4 → 3
    ");
}

#[test]
fn a_product_over_the_next_row_is_the_next_cell_of_a_column_over_this_row() {
    let rules = chip("step { eq next.y, next.x * next.x * next.x * next.x * z }");
    insta::assert_snapshot!(changes(&LowerDegree { max: 3 }, &rules), @r"
    + low: scratch felt                c4            ; Lowers degrees: `x·x`.
    + row {
    +   %0 = x * x
    +   fill low = %0
    +   eq low, %0                                   ; from pass: low
    + }
    -   eq next.y, next.x * next.x * next.x * next.x * z
    +   eq next.y, z * next.low * next.low
    - ; 4 columns, 1 rule (max degree 5)
    + ; 5 columns, 2 rules (max degree 3)
    ; columns 4 → 5, nodes 7 → 8, rules 1 → 2, messages 0 → 0, degree 5 → 3
    ");
}

#[test]
fn a_product_of_both_rows_is_split_by_row() {
    assert_eq!(new_columns(&chip("step { eq next.y, next.x * next.x * x * x }"), 3), 1);
    let rules = chip("step { eq w, (x + next.x) * (x + next.x) * (x + next.x) * (x + next.x) }");
    let error = lower_degree(&rules, 3).unwrap_err();
    insta::assert_snapshot!(error, @"rule `rule 0` of chip `test` has degree 4, the bound is 3, and `(x + next.x)·(x + next.x)·(x + next.x)·(x + next.x)` cannot be stored in a column because it reads this row and the next, or a multiplicity; store a part of it with `save`");
}

#[test]
fn messages_are_lowered_to_one_less_than_the_bound() {
    let rules = chip("row { send bus(x * x * x) times y * y * y * y }");
    insta::assert_snapshot!(changes(&LowerDegree { max: 3 }, &rules), @r"
    + low: scratch felt                c4            ; Lowers degrees: `y·y`.
    + low1: scratch felt               c5            ; Lowers degrees: `x·x`.
    -   send bus(x * x * x) times y * y * y * y
    +   %0 = y * y
    +   fill low = %0
    +   eq low, %0                                   ; from pass: low
    +   %1 = x * x
    +   fill low1 = %1
    +   eq low1, %1                                  ; from pass: low1
    +   send bus(x * low1) times low * low
    - ; 4 columns, 0 rules (max degree 0), 1 send
    + ; 6 columns, 2 rules (max degree 2), 1 send
    ; columns 4 → 6, nodes 7 → 8, rules 0 → 2, messages 1 → 1, degree 0 → 2
    ");
}

#[test]
fn degrees_beyond_reason_are_refused() {
    let squares: String = (1..70).map(|i| format!("%{i} = %{} * %{}\n", i - 1, i - 1)).collect();
    let tower = chip(&format!("row {{ %0 = x * x\n {squares} eq y, %69 }}"));
    assert!(matches!(lower_degree(&tower, 3), Err(LowerDegreeError::TooHigh { .. })));
    assert_eq!(lower_degree(&tower, 1), Err(LowerDegreeError::Bound(1)));
}

#[test]
fn equal_expressions_become_one_and_neutral_elements_vanish() {
    let rules = chip(
        "row {
      eq x * y + 0, z
      eq y * x, z * 1
      eq z, x * y
      eq w, 2 * 3 - (5 + 1)
      eq x + y, y + x
    }",
    );
    insta::assert_snapshot!(changes(&ShareCommon, &rules), @r"
    -   %0 = x * y
    -   eq %0 + 0, z
    -   eq y * x, z * 1
    -   eq z, %0
    -   eq w, 2 * 3 - (5 + 1)
    -   eq x + y, y + x
    +   eq x * y, z
    +   eq w, 0
    - ; 4 columns, 5 rules (max degree 2)
    + ; 4 columns, 2 rules (max degree 2)
    ; columns 4 → 4, nodes 18 → 6, rules 5 → 2, messages 0 → 0, degree 2 → 2
    ");
}

#[test]
fn an_equality_with_the_roles_swapped_is_not_dropped_unless_it_is_the_same() {
    // `r + w = u` and `r + w = v` say that `u = v`.
    let rules = chip(
        "row {
      eq x + y, z
      eq x + y, w
    }",
    );
    assert_eq!(changes(&ShareCommon, &rules).lines().filter(|l| l.starts_with('-')).count(), 0);
}

#[test]
fn columns_that_nothing_reads_are_removed_with_their_fills() {
    let text = "chip test over goldilocks^2 {
      x: input felt c0
      dead: felt c1
      used: felt c2
      helper: felt c3
      y: output felt c4
      port unused: lookup bus(value: felt)
      row {
        fill dead = x * 3
        fill helper = x + 1
        fill used = helper * 2
        eq used, x + y
      }
    }";
    insta::assert_snapshot!(changes(&RemoveUnused, &parse(text).unwrap()), @r"
    - dead: felt                       c1
    - used: felt                       c2
    - helper: felt                     c3
    - y: output felt                   c4
    - port unused: lookup bus(value: felt)
    + used: felt                       c1
    + helper: felt                     c2
    + y: output felt                   c3
    -   fill dead = x * 3
    - ; 5 columns, 1 rule (max degree 1)
    + ; 4 columns, 1 rule (max degree 1)
    ; columns 5 → 4, nodes 11 → 9, rules 1 → 1, messages 0 → 0, degree 1 → 1
    ");
}

#[test]
fn an_interface_gives_inputs_and_outputs_and_nothing_on_padding() {
    let text = "chip double over goldilocks^2 {
      x: input felt c0
      y: output felt c1
      real: real bit c2
      row {
        fill y = x + x
        eq y, x + x
        eq real * real, real       ; from padding
      }
      step { eq next.real, real * next.real  ; from padding
      }
    }";
    let chip = parse(text).unwrap();
    insta::assert_snapshot!(changes(&Interface, &chip), @r"
    + calls: multiplicity felt         c3            ; How often the row is asked for.
    + port double: table double(x: felt, y: felt)
    +   eq calls * real, calls                       ; from interface: padding is not called
    +   provide double(x, y) times calls             ; from interface
    - ; 3 columns, 3 rules (max degree 2)
    + ; 4 columns, 4 rules (max degree 2), 1 table
    ; columns 3 → 4, nodes 7 → 9, rules 3 → 4, messages 0 → 1, degree 2 → 2
    ");
    let called = Interface.run(&chip).unwrap();
    assert_eq!(Interface.run(&called).unwrap(), called);
}

#[test]
fn messages_that_exclude_each_other_become_one() {
    let rules = "row {
      send bus(x) times z exclusive 0
      send bus(y) times w exclusive 0
    }";
    insta::assert_snapshot!(changes(&PackLookups { max: 3 }, &chip(rules)), @r"
    -   send bus(x) times z exclusive 0
    -   send bus(y) times w exclusive 0
    +   send bus(z * x + w * y) times z + w
    - ; 4 columns, 0 rules (max degree 0), 2 sends
    + ; 4 columns, 0 rules (max degree 0), 1 send
    ; columns 4 → 4, nodes 4 → 8, rules 0 → 0, messages 2 → 1, degree 0 → 0
    ");
    assert_eq!(changes(&PackLookups { max: 2 }, &chip(rules)).lines().count(), 1);
}

#[test]
fn the_same_message_twice_is_sent_once() {
    let rules = "row {
      send bus(x) times z
      send bus(x) times w
    }";
    insta::assert_snapshot!(changes(&PackLookups { max: 3 }, &chip(rules)), @r"
    -   send bus(x) times z
    -   send bus(x) times w
    +   send bus(x) times z + w weight 2
    - ; 4 columns, 0 rules (max degree 0), 2 sends
    + ; 4 columns, 0 rules (max degree 0), 1 send
    ; columns 4 → 4, nodes 3 → 4, rules 0 → 0, messages 2 → 1, degree 0 → 0
    ");
}

#[test]
fn the_pipeline_lowers_and_keeps_names() {
    let before = chip(
        "row { eq y, x * x * x * x * x * 1  ; fifth power
    }",
    );
    let after = default_pipeline(3).run(before).unwrap_or_else(|error| panic!("{error}"));
    assert!(after.rules.iter().any(|rule| rule.label.name == "fifth power"));
    assert_eq!(after.columns_of(ColumnKind::Scratch).count(), 1);
}
