//! Each pass, on circuits as small as they can be.

use chipwright_ir::circuit::passes::{
    FUSE, LowerToTables, REMOVE_DEAD, SHARE_COMMON, SIMPLIFY, default_pipeline,
};
use chipwright_ir::circuit::{Circuit, Form, LowerError, parse, parse_graph};
use chipwright_ir::pass::{Dump, Ir, Pass, PassError, Pipeline, PipelineError};

use crate::check::{check_pass, check_unchanged, circuit};

#[test]
fn a_difference_that_is_zero_becomes_an_equation() {
    check_pass!(SIMPLIFY, "
        %x = public 0
        %0 = const 37
        %1 = mul %0, %x
        %2 = const 111
        %3 = sub %1, %2
        assert_zero %3 ; 37x = 111
    ", @r"
    pass simplify
      %x = public 0
      %0 = const 37
      %1 = mul %0, %x
      %2 = const 111
    - %3 = sub %1, %2
    - assert_zero %3                  ; 37x = 111
    + assert_eq %1, %2                ; 37x = 111
    ; nodes 5 → 4, rules 1 → 1
    ");
}

#[test]
fn constants_are_folded() {
    check_pass!(SIMPLIFY, "
        %x = public 0
        %0 = const 3
        %1 = const 5
        %2 = mul_add %0, %1, %1
        %3 = sub %0, %2
        %4 = div %3, %1
        assert_eq %4, %x
    ", @r"
    pass simplify
      %x = public 0
    - %0 = const 3
    - %1 = const 5
    - %2 = mul_add %0, %1, %1
    - %3 = sub %0, %2
    - %4 = div %3, %1
    - assert_eq %4, %x
    + %0 = const 7378697627765833725
    + assert_eq %0, %x
    ; nodes 6 → 2, rules 1 → 1
    ");
}

#[test]
fn neutral_elements_vanish() {
    check_pass!(SIMPLIFY, "
        %x = public 0
        %0 = const 0
        %1 = const 1
        %2 = add %x, %0
        %3 = mul %1, %2
        %4 = mul_add %3, %0, %x
        %5 = div %4, %1
        %6 = mul_add %5, %1, %x
        assert_zero %6
    ", @r"
    pass simplify
      %x = public 0
    - %0 = const 0
    - %1 = const 1
    - %2 = add %x, %0
    - %3 = mul %1, %2
    - %4 = mul_add %3, %0, %x
    - %5 = div %4, %1
    - %6 = mul_add %5, %1, %x
    - assert_zero %6
    + %0 = add %x, %x
    + assert_zero %0
    ; nodes 8 → 2, rules 1 → 1
    ");
}

#[test]
fn a_division_by_a_constant_becomes_a_product() {
    check_pass!(SIMPLIFY, "
        %x = public 0
        %0 = const -1
        %1 = div %x, %0
        assert_eq %1, %x
    ", @r"
    pass simplify
      %x = public 0
      %0 = const -1
    - %1 = div %x, %0
    + %1 = mul %x, %0
      assert_eq %1, %x
    ; nodes 3 → 3, rules 1 → 1
    ");
}

#[test]
fn a_division_keeps_its_demand_on_the_divisor() {
    check_unchanged!(
        SIMPLIFY,
        "
        %x = public 0
        %0 = div %x, %x
        %1 = const 1
        assert_eq %0, %1
    "
    );
    check_unchanged!(
        REMOVE_DEAD,
        "
        %x = public 0
        %0 = div %x, %x
    "
    );
}

#[test]
fn rules_that_always_hold_are_dropped() {
    check_pass!(SIMPLIFY, "
        %x = public 0
        %0 = const 1
        %1 = sub %x, %x
        assert_zero %1
        assert_eq %x, %x
        assert_bit %0
        assert_bit %x
    ", @r"
    pass simplify
      %x = public 0 : bit
    - %0 = const 1
    - %1 = sub %x, %x
    - assert_zero %1
    - assert_eq %x, %x
    - assert_bit %0
      assert_bit %x
    ; nodes 3 → 1, rules 4 → 1
    ");
}

#[test]
fn a_contradiction_is_not_dropped() {
    check_unchanged!(
        SIMPLIFY,
        "
        %0 = const 1
        %1 = const 2
        assert_eq %0, %1
    "
    );
}

#[test]
fn a_product_and_its_mirror_image_are_computed_once() {
    check_pass!(SHARE_COMMON, "
        %x = public 0
        %y = public 1
        %0 = mul %x, %y
        %1 = mul %y, %x
        %2 = sub %0, %1
        %3 = sub %1, %0
        %4 = add %2, %3
        assert_eq %4, %x
        assert_eq %x, %4
    ", @r"
    pass share-common
      %x = public 0
      %y = public 1
      %0 = mul %x, %y
    - %1 = mul %y, %x
    - %2 = sub %0, %1
    - %3 = sub %1, %0
    - %4 = add %2, %3
    - assert_eq %4, %x
    - assert_eq %x, %4
    + %1 = sub %0, %0
    + %2 = add %1, %1
    + assert_eq %2, %x
    ; nodes 7 → 5, rules 2 → 1
    ");
}

#[test]
fn differences_are_not_shared_with_their_mirror_images() {
    check_unchanged!(
        SHARE_COMMON,
        "
        %x = public 0
        %y = public 1
        %0 = sub %x, %y
        %1 = sub %y, %x
        assert_eq %0, %1
    "
    );
}

#[test]
fn a_horner_step_is_shared_only_with_the_same_accumulator() {
    check_unchanged!(
        SHARE_COMMON,
        "
        %x = public 0
        %c = public 1
        %0 = const 0
        %1 = mul_add %c, %x, %0
        %2 = mul_add %c, %x, %c
        assert_eq %1, %2
    "
    );
}

#[test]
fn hints_are_not_shared() {
    check_unchanged!(
        SHARE_COMMON,
        "
        %x = public 0
        %0 = hint inverse_or_zero(%x)
        %1 = hint inverse_or_zero(%x)
        %2 = mul %0, %x
        %3 = mul %1, %x
        assert_eq %2, %3
    "
    );
}

#[test]
fn a_product_used_once_in_a_sum_is_fused() {
    check_pass!(FUSE, "
        %x = public 0
        %y = public 1
        %0 = mul %x, %y
        %1 = add %0, %x
        assert_zero %1
    ", @r"
    pass fuse
      %x = public 0
      %y = public 1
    - %0 = mul %x, %y
    - %1 = add %0, %x
    - assert_zero %1
    + %0 = mul_add %x, %y, %x
    + assert_zero %0
    ; nodes 4 → 3, rules 1 → 1
    ");
}

#[test]
fn a_product_used_twice_is_not_fused() {
    check_unchanged!(
        FUSE,
        "
        %x = public 0
        %y = public 1
        %0 = mul %x, %y
        %1 = add %0, %x
        %2 = add %0, %y
        assert_eq %1, %2
    "
    );
}

#[test]
fn a_product_that_a_rule_names_is_not_fused() {
    check_unchanged!(
        FUSE,
        "
        %x = public 0
        %0 = mul %x, %x
        %1 = add %0, %x
        assert_zero %1
        assert_eq %0, %x
    "
    );
}

#[test]
fn a_product_that_is_taken_away_is_fused() {
    check_pass!(FUSE, "
        %x = public 0
        %y = public 1
        %0 = mul %x, %y
        %1 = sub %x, %0
        assert_zero %1
    ", @r"
    pass fuse
      %x = public 0
      %y = public 1
    - %0 = mul %x, %y
    - %1 = sub %x, %0
    - assert_zero %1
    + %0 = mul_sub %x, %y, %x
    + assert_zero %0
    ; nodes 4 → 3, rules 1 → 1
    ");
}

#[test]
fn a_horner_chain_takes_one_operation_for_each_coefficient() {
    check_pass!(FUSE, "
        %x = public 0
        %a = public 1
        %b = public 2
        %c = public 3
        %0 = mul %a, %x
        %1 = add %0, %b
        %2 = mul %1, %x
        %3 = add %c, %2
        assert_zero %3
    ", @r"
    pass fuse
      %x = public 0
      %a = public 1
      %b = public 2
      %c = public 3
    - %0 = mul %a, %x
    - %1 = add %0, %b
    - %2 = mul %1, %x
    - %3 = add %c, %2
    - assert_zero %3
    + %0 = mul_add %a, %x, %b
    + %1 = mul_add %0, %x, %c
    + assert_zero %1
    ; nodes 8 → 6, rules 1 → 1
    ");
}

#[test]
fn a_dot_product_takes_one_operation_for_each_term() {
    check_pass!(FUSE, "
        %a = public 0
        %b = public 1
        %c = public 2
        %d = public 3
        %0 = mul %a, %b
        %1 = mul %b, %c
        %2 = mul %c, %d
        %3 = mul %d, %a
        %4 = add %0, %1
        %5 = add %2, %3
        %6 = add %4, %5
        assert_zero %6
    ", @r"
    pass fuse
      %a = public 0
      %b = public 1
      %c = public 2
      %d = public 3
      %0 = mul %a, %b
    - %1 = mul %b, %c
    - %2 = mul %c, %d
    - %3 = mul %d, %a
    - %4 = add %0, %1
    - %5 = add %2, %3
    - %6 = add %4, %5
    - assert_zero %6
    + %1 = mul_add %b, %c, %0
    + %2 = mul_add %c, %d, %1
    + %3 = mul_add %d, %a, %2
    + assert_zero %3
    ; nodes 11 → 8, rules 1 → 1
    ");
}

#[test]
fn base_elements_are_summed_before_extension_elements() {
    check_pass!(FUSE, "
        %e = public 0 : ext
        %x = public 1
        %0 = mul %e, %x
        %1 = mul %x, %x
        %2 = add %0, %1
        %3 = add %2, %x
        assert_zero %3
    ", @r"
    pass fuse
      %e = public 0 : ext
      %x = public 1
    - %0 = mul %e, %x
    - %1 = mul %x, %x
    - %2 = add %0, %1
    - %3 = add %2, %x
    - assert_zero %3
    + %0 = mul_add %x, %x, %x
    + %1 = mul_add %e, %x, %0
    + assert_zero %1
    ; nodes 6 → 4, rules 1 → 1
    ");
}

#[test]
fn what_nothing_depends_on_is_removed() {
    check_pass!(REMOVE_DEAD, "
        %x = public 0
        %y = public 1
        %0 = const 5
        %1 = mul %x, %0
        %2, %3 = hint bits 2(%x)
        %4 = add %2, %3
        assert_zero %y
    ", @r"
    pass remove-dead
      %x = public 0
      %y = public 1
    - %0 = const 5
    - %1 = mul %x, %0
    - %2, %3 = hint bits 2(%x)
    - %4 = add %2, %3
      assert_zero %y
    ; nodes 8 → 2, rules 1 → 1
    ");
}

#[test]
fn calls_are_never_removed() {
    let lines = "
        %x = public 0
        %0 = call range16(%x)
    ";
    let before = Circuit::Expr(parse_graph(&circuit(lines)).unwrap());
    let after = REMOVE_DEAD.run(&before).unwrap();
    assert_eq!(after.to_string(), before.to_string());
}

#[test]
fn sharing_does_not_turn_an_honest_connection_into_a_cycle() {
    let graph = parse_graph(&circuit(
        "
        %x = public 0
        %0 = add %x, %x
        %1 = add %x, %x
        %2 = mul %1, %x
        connect %0, %2
    ",
    ))
    .unwrap();
    let compiled = default_pipeline(Form::Fused).run(Circuit::Expr(graph));
    assert!(compiled.is_ok(), "{}", compiled.unwrap_err());
}

#[test]
fn a_pass_rejects_a_connection_with_a_value_computed_from_it() {
    let graph = parse_graph(&circuit(
        "
        %x = public 0
        %y = add %x, %x
        connect %x, %y
    ",
    ))
    .unwrap();
    assert!(matches!(SIMPLIFY.apply(&graph), Err(LowerError::Cycle { .. })));
}

const TOY: &str = "circuit toy over goldilocks, stage expr {
    %x = public 0
    %0 = const 37
    %1 = mul %0, %x
    %2 = const 111
    %3 = sub %1, %2
    assert_zero %3
}";

#[test]
fn the_default_pipeline_names_its_passes() {
    assert_eq!(
        default_pipeline(Form::Fused).names(),
        ["simplify", "share-common", "fuse", "remove-dead", "lower-to-slots", "lower-to-tables"]
    );
}

#[test]
fn a_pipeline_prints_what_it_is_asked_for() {
    let printed = |dump: &str| {
        let mut texts = Vec::new();
        let dump = Dump::from_text(dump);
        let toy = parse(TOY).unwrap();
        let pipeline = default_pipeline(Form::Fused);
        pipeline.run_with(toy, &dump, &mut |text| texts.push(text.to_owned())).unwrap();
        texts.iter().map(|text| text.lines().next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        printed("changed"),
        ["pass simplify", "pass lower-to-slots", "pass lower-to-tables"]
    );
    assert_eq!(printed("after:fuse"), ["; after fuse"]);
    assert_eq!(printed("all").len(), 6);
    assert!(printed("").is_empty());
}

#[test]
fn a_pass_of_another_stage_is_an_error() {
    let error = Pipeline::new().then(LowerToTables).run(parse(TOY).unwrap()).unwrap_err();
    let expected =
        "lower-to-tables: lower-to-tables takes a circuit of stage slots, not of stage expr";
    assert_eq!(error.to_string(), expected);
}

/// A pass that loses the operand of what it copies.
#[derive(Debug)]
struct Careless;

impl Pass<Circuit> for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }

    fn run(&self, circuit: &Circuit) -> Result<Circuit, PassError> {
        let text = circuit.to_string().replace("public 0", "public 7");
        Ok(parse(&text)?)
    }
}

/// A pass that fails outright.
#[derive(Debug)]
struct Panics;

impl Pass<Circuit> for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }

    fn run(&self, circuit: &Circuit) -> Result<Circuit, PassError> {
        let sizes = circuit.sizes();
        Err(format!("{}", sizes[sizes.len()].1).into())
    }
}

#[test]
fn a_broken_invariant_leaves_a_reproducer() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken");
    let pipeline = Pipeline::new().then(Careless).verify_each(true).reproducers(&directory);
    let error = pipeline.run(parse(TOY).unwrap()).unwrap_err();
    let PipelineError::Broken { file: Some(file), .. } = error else { panic!("{error}") };
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("; test pass careless\ncircuit toy over goldilocks^2, stage expr {"));
    assert_eq!(parse(&text).unwrap().to_string(), parse(TOY).unwrap().to_string());
}

#[test]
fn a_panic_leaves_a_reproducer() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("panic");
    let pipeline = Pipeline::new().then(Panics).reproducers(&directory);
    let run = std::panic::AssertUnwindSafe(|| pipeline.run(parse(TOY).unwrap()));
    assert!(std::panic::catch_unwind(run).is_err());
    let text = std::fs::read_to_string(directory.join("panics.ir")).unwrap();
    assert!(text.starts_with("; test pass panics\n"));
}
