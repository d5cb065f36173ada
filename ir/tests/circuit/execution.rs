//! Witness generation.

use std::sync::Mutex;

use chipwright_ir::Field;
use chipwright_ir::circuit::{
    BinaryOp, CallInput, CallPort, CallRun, ChipCall, ChipLibrary, Circuit, Constant, Environment,
    Form, Graph, HintKind, HintRegistry, Inputs, NodeId, Schedule, Signature, Slots, TableKind,
    ValueType, WitnessError, lower_to_slots, lower_to_tables, parse,
};
use chipwright_ir::field::Goldilocks2;

fn graph() -> Graph {
    Graph::new("test", Field::Goldilocks2)
}

fn run(graph: &Graph, inputs: &Inputs) -> Result<Vec<u64>, WitnessError> {
    run_in(graph, inputs, Environment::default())
}

/// The first coefficient of every slot; the stages `expr` and `slots` agree on what is wrong.
fn run_in(
    graph: &Graph,
    inputs: &Inputs,
    environment: Environment<'_>,
) -> Result<Vec<u64>, WitnessError> {
    let slots: Slots = lower_to_slots(graph, Form::Fused).unwrap();
    let lowered = slots.execute::<Goldilocks2>(inputs, environment);
    let expected = graph.interpret::<Goldilocks2>(inputs, environment);
    assert_eq!(expected.is_ok(), lowered.is_ok());
    let low = |x: &_| Constant::from_ext::<Goldilocks2>(*x).coefficients()[0];
    lowered.map(|witness| witness.values.iter().map(low).collect())
}

#[test]
fn a_wrong_number_of_inputs_is_a_typed_error() {
    let mut graph = graph();
    graph.public(ValueType::Felt);
    let error = run(&graph, &Inputs::default()).unwrap_err();
    assert_eq!(error.to_string(), "1 public inputs were expected, 0 were given");
    let error = run(&graph, &Inputs::publics([1]).with_privates([2])).unwrap_err();
    assert_eq!(error.to_string(), "0 private inputs were expected, 1 were given");
}

#[test]
fn an_input_that_is_not_canonical_is_a_typed_error() {
    let mut graph = graph();
    graph.public(ValueType::Felt);
    let modulus = Field::Goldilocks2.modulus();
    let error = run(&graph, &Inputs::publics([modulus])).unwrap_err();
    assert!(matches!(error, WitnessError::InputValue { index: 0, .. }), "{error}");
    let two = Inputs { publics: vec![vec![1, 2]], ..Inputs::default() };
    let error = run(&graph, &two).unwrap_err();
    assert_eq!(error.to_string(), "public input 0 is not a canonical felt: [1, 2]");
}

#[test]
fn division_by_zero_is_a_typed_error_also_of_zero() {
    for (dividend, quotient_is_known) in [(1, false), (0, false), (0, true)] {
        let mut graph = graph();
        let (a, b) = (graph.public(ValueType::Felt), graph.public(ValueType::Felt));
        let c = graph.binary(BinaryOp::Div, a, b);
        graph.set_label(c, "ratio");
        if quotient_is_known {
            let known = graph.public(ValueType::Felt);
            graph.assert_eq(c, known);
        }
        let mut publics = vec![dividend, 0];
        publics.extend(quotient_is_known.then_some(7));
        let error = run(&graph, &Inputs::publics(publics)).unwrap_err();
        assert_eq!(error.to_string(), format!("division of {dividend} by 0 in ratio"));
    }
}

#[test]
fn all_violated_rules_are_reported_in_one_run() {
    let mut graph = graph();
    let x = graph.public(ValueType::Felt);
    for (k, label) in [(1, "is one"), (2, "is two"), (3, "is three")] {
        let k = graph.constant(k);
        let y = graph.binary(BinaryOp::Mul, x, x);
        let y = graph.binary(BinaryOp::Sub, y, k);
        graph.push_scope("checks");
        graph.assert_zero(y);
        graph.set_rule_label(label);
        graph.pop_scope();
    }
    let error = run(&graph, &Inputs::publics([1])).unwrap_err();
    let WitnessError::Violated(violations) = &error else { panic!("{error}") };
    let rules: Vec<_> = violations.iter().map(|violation| &*violation.rule).collect();
    assert_eq!(rules, ["is two", "is three"]);
    insta::assert_snapshot!(error, @r"
    `is two` does not hold: w3 = 2, w1 = 0, w6 = 1, but 2 was computed
    `is three` does not hold: w4 = 3, w1 = 0, w7 = 1, but 3 was computed
    ");
}

#[test]
fn built_in_hints_compute_what_their_names_say() {
    let cases: [(HintKind, &[u64]); 7] = [
        (HintKind::Bits(4), &[1, 0, 1, 1]),
        (HintKind::Limbs { width: 2, count: 3 }, &[1, 3, 0]),
        (HintKind::Quotient(5), &[2]),
        (HintKind::Remainder(5), &[3]),
        (HintKind::Coefficients, &[13, 0]),
        (HintKind::Bits(66), &[1, 0, 1, 1, 0]),
        (HintKind::InverseOrZero, &[11_351_842_504_255_128_813]),
    ];
    for (kind, expected) in cases {
        let mut graph = graph();
        let x = graph.public(ValueType::Felt);
        graph.hint(kind.clone(), &[x]);
        let slots = run(&graph, &Inputs::publics([13])).unwrap();
        assert_eq!(&slots[1..=expected.len()], expected, "{kind}");
    }
    assert_eq!(
        u128::from(11_351_842_504_255_128_813u64) * 13 % u128::from(Field::Goldilocks2.modulus()),
        1
    );
}

#[test]
fn external_hints_come_from_a_registry() {
    let mut graph = graph();
    let x = graph.public(ValueType::Ext);
    let kind = HintKind::Extern { name: "swap".into(), outputs: vec![ValueType::Felt; 2] };
    graph.hint(kind, &[x]);
    let inputs = Inputs { publics: vec![vec![3, 4]], ..Inputs::default() };
    let error = run(&graph, &inputs).unwrap_err();
    let missing = "hint extern \"swap\": no external hint is registered as \"swap\"";
    assert_eq!(error.to_string(), missing);
    let swap = HintRegistry::new().with("swap", |inputs, outputs| {
        outputs.extend([inputs[1], inputs[0]]);
        Ok(())
    });
    let environment = Environment { hints: Some(&swap), ..Environment::default() };
    assert_eq!(run_in(&graph, &inputs, environment).unwrap(), [3, 4, 3]);
    let short = HintRegistry::new().with("swap", |_, _| Ok(()));
    let environment = Environment { hints: Some(&short), ..Environment::default() };
    let error = run_in(&graph, &inputs, environment).unwrap_err();
    let count = "hint extern \"swap\": 2 base elements were expected, 0 came";
    assert_eq!(error.to_string(), count);
}

/// `sum(leaf; data) = leaf + Σ data`, one row for each element of data.
#[derive(Debug)]
struct Sums;

impl ChipLibrary for Sums {
    fn signature(&self, call: &ChipCall) -> Option<Signature> {
        (call.chip == "sum").then(|| {
            let port = |row, port| CallPort { ty: ValueType::Felt, row, port };
            Signature {
                inputs: vec![port(0, 0)],
                outputs: vec![port(call.rows - 1, 1)],
                data: call.rows,
            }
        })
    }

    fn run(&self, _call: &ChipCall, inputs: &[u64], data: &[u64]) -> Result<CallRun, String> {
        if data.contains(&99) {
            return Err("99 is not allowed".into());
        }
        let outputs = vec![inputs[0] + data.iter().sum::<u64>()];
        Ok(CallRun { outputs, ..CallRun::default() })
    }
}

fn sums(rows: u32) -> (Graph, NodeId) {
    let mut graph = graph();
    let (leaf, root) = (graph.public(ValueType::Felt), graph.public(ValueType::Felt));
    let call = ChipCall { rows, ..ChipCall::new("sum") };
    let signature = Sums.signature(&call).unwrap();
    let result = graph.call(call, &signature, &[leaf]);
    graph.assert_eq(result.outputs[0], root);
    graph.set_rule_label("the sum is the root");
    (graph, result.outputs[0])
}

const SUMS: Environment<'_> = Environment { chips: &Sums, hints: None };

#[test]
fn private_data_is_not_in_the_witness_table() {
    for rows in [1, 5, 32] {
        let (graph, _) = sums(rows);
        let slots = lower_to_slots(&graph, Form::Fused).unwrap();
        assert_eq!(slots.slots.len(), 2);
        let tables = lower_to_tables(slots);
        let table = tables.table(&TableKind::Call("sum".into())).unwrap();
        assert_eq!(table.rows.len(), rows as usize);
        let ports: Vec<_> = table.rows.iter().map(|row| row.ports.len()).collect();
        assert_eq!(ports.iter().sum::<usize>(), 2);
        assert!(ports[0] >= 1 && ports[rows as usize - 1] >= 1);
    }
}

#[test]
fn private_data_that_is_missing_or_short_is_a_typed_error() {
    let (graph, _) = sums(3);
    let mut inputs = Inputs::publics([1, 7]);
    let error = run_in(&graph, &inputs, SUMS).unwrap_err();
    let expected = "the call of `sum` needs 3 elements of private data at position 0, 0 were given";
    assert_eq!(error.to_string(), expected);
    inputs.data = vec![vec![1, 2]];
    let error = run_in(&graph, &inputs, SUMS).unwrap_err();
    assert!(matches!(error, WitnessError::Data { expected: 3, got: 2, .. }), "{error}");
    inputs.data = vec![vec![1, 2, 3], vec![]];
    let error = run_in(&graph, &inputs, SUMS).unwrap_err();
    assert!(matches!(error, WitnessError::DataCount { expected: 1, got: 2 }), "{error}");
    inputs.data = vec![vec![1, 2, 3]];
    assert_eq!(run_in(&graph, &inputs, SUMS).unwrap(), [1, 7]);
}

#[test]
fn what_a_call_computes_is_checked_like_anything_else() {
    let (graph, _) = sums(2);
    let inputs = Inputs { data: vec![vec![1, 2]], ..Inputs::publics([1, 7]) };
    let error = run_in(&graph, &inputs, SUMS).unwrap_err();
    insta::assert_snapshot!(error, @"`the sum is the root` does not hold: w1 is 7, but 4 was computed");
    let inputs = Inputs { data: vec![vec![1, 99]], ..Inputs::publics([1, 7]) };
    let error = run_in(&graph, &inputs, SUMS).unwrap_err();
    assert_eq!(error.to_string(), "call sum: 99 is not allowed");
}

/// [`Sums`] that notes how many calls are computed together.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<usize>>);

impl ChipLibrary for Noting {
    fn signature(&self, call: &ChipCall) -> Option<Signature> {
        Sums.signature(call)
    }

    fn run(&self, call: &ChipCall, inputs: &[u64], data: &[u64]) -> Result<CallRun, String> {
        Sums.run(call, inputs, data)
    }

    fn run_all(&self, call: &ChipCall, given: &[CallInput<'_>]) -> Vec<Result<CallRun, String>> {
        self.0.lock().unwrap().push(given.len());
        given.iter().map(|given| self.run(call, given.inputs, given.data)).collect()
    }
}

/// `chains` chains of two calls that start from the same public input; each ends in a public input of its own.
fn chains(chains: usize) -> Graph {
    let mut graph = graph();
    let start = graph.public(ValueType::Felt);
    let call = ChipCall { rows: 1, ..ChipCall::new("sum") };
    let signature = Sums.signature(&call).unwrap();
    for chain in 0..chains {
        let half = graph.call(call.clone(), &signature, &[start]).outputs[0];
        let half = graph.binary(BinaryOp::Add, half, half);
        let end = graph.call(call.clone(), &signature, &[half]).outputs[0];
        let expected = graph.public(ValueType::Felt);
        graph.assert_eq(end, expected);
        graph.set_rule_label(&format!("chain {chain}"));
    }
    graph
}

#[test]
fn calls_that_do_not_wait_for_each_other_are_computed_together() {
    let slots = lower_to_slots(&chains(20), Form::Fused).unwrap();
    let data = (0..40).map(|value| vec![value]).collect();
    let expected = (0..20).map(|chain| 2 * (5 + 2 * chain) + 2 * chain + 1);
    let inputs = Inputs { data, ..Inputs::publics([5].into_iter().chain(expected)) };
    let noting = Noting::default();
    let environment = Environment { chips: &noting, hints: None };
    let schedule = Schedule::new(&slots);
    for _ in 0..2 {
        let together = slots.execute_in::<Goldilocks2>(&schedule, &inputs, environment).unwrap();
        let mut batches = std::mem::take(&mut *noting.0.lock().unwrap());
        batches.sort_unstable();
        assert_eq!(batches, [4, 4, 16, 16]);
        let alone = slots.execute::<Goldilocks2>(&inputs, SUMS).unwrap();
        assert_eq!(together.values, alone.values);
    }
}

#[test]
fn violations_are_in_the_order_of_the_rows_whatever_is_computed_first() {
    let mut graph = chains(2);
    // Its row waits for no call, and is visited before those of the chains.
    let (x, expected) = (graph.public(ValueType::Felt), graph.public(ValueType::Felt));
    let square = graph.binary(BinaryOp::Mul, x, x);
    graph.assert_eq(square, expected);
    graph.set_rule_label("square");
    let inputs = Inputs { data: vec![vec![0]; 4], ..Inputs::publics([5, 11, 12, 3, 8]) };
    let error = run_in(&graph, &inputs, SUMS).unwrap_err();
    let WitnessError::Violated(violations) = &error else { panic!("{error}") };
    let rules: Vec<_> = violations.iter().map(|violation| &*violation.rule).collect();
    assert_eq!(rules, ["chain 0", "chain 1", "square"]);
}

#[test]
fn a_call_without_a_result_is_a_typed_error() {
    #[derive(Debug)]
    struct Silent;
    impl ChipLibrary for Silent {
        fn signature(&self, call: &ChipCall) -> Option<Signature> {
            Sums.signature(call)
        }
        fn run(&self, _: &ChipCall, _: &[u64], _: &[u64]) -> Result<CallRun, String> {
            Err("not alone".into())
        }
        fn run_all(&self, _: &ChipCall, _: &[CallInput<'_>]) -> Vec<Result<CallRun, String>> {
            Vec::new()
        }
    }
    let (graph, _) = sums(1);
    let inputs = Inputs { data: vec![vec![1]], ..Inputs::publics([1, 2]) };
    let environment = Environment { chips: &Silent, hints: None };
    let error = run_in(&graph, &inputs, environment).unwrap_err();
    assert_eq!(error.to_string(), "call sum: 0 of 1 calls have a result");
}

#[test]
fn a_row_that_comes_before_the_creator_of_its_slot_has_no_value_to_read() {
    let text = lower_to_slots(&chains(1), Form::Fused).unwrap().to_string();
    let mut lines: Vec<_> = text.lines().collect();
    let last = lines.iter().position(|line| line.contains("chain 0")).unwrap();
    let call = lines.remove(last);
    let first = lines.iter().position(|line| line.contains("call")).unwrap();
    lines.insert(first, call);
    let Ok(Circuit::Slots(slots)) = parse(&lines.join("\n")) else { panic!("{lines:?}") };
    let inputs = Inputs { data: vec![vec![0]; 2], ..Inputs::publics([5, 10]) };
    let error = slots.execute::<Goldilocks2>(&inputs, SUMS).unwrap_err();
    assert!(matches!(error, WitnessError::Undefined { .. }), "{error}");
}

#[test]
fn a_call_that_comes_before_the_public_input_that_it_reads_has_no_value_to_read() {
    let (graph, _) = sums(1);
    let text = lower_to_slots(&graph, Form::Fused).unwrap().to_string();
    let mut lines: Vec<_> = text.lines().collect();
    let call = lines.iter().position(|line| line.contains("call")).unwrap();
    let call = lines.remove(call);
    lines.insert(1, call);
    let Ok(Circuit::Slots(slots)) = parse(&lines.join("\n")) else { panic!("{lines:?}") };
    let inputs = Inputs { data: vec![vec![0]], ..Inputs::publics([5, 5]) };
    let error = slots.execute::<Goldilocks2>(&inputs, SUMS).unwrap_err();
    assert_eq!(error.to_string(), "slot w0 is used before it has a value");
}

/// `twice(x) = (x, x)`.
#[derive(Debug)]
struct Twice;

impl ChipLibrary for Twice {
    fn signature(&self, _call: &ChipCall) -> Option<Signature> {
        Some(Signature::one_row(&[ValueType::Felt], &[ValueType::Felt; 2], 0))
    }

    fn run(&self, _call: &ChipCall, inputs: &[u64], _data: &[u64]) -> Result<CallRun, String> {
        Ok(CallRun { outputs: vec![inputs[0]; 2], ..CallRun::default() })
    }
}

#[test]
fn an_output_may_meet_the_slot_of_one_before_it() {
    let registry = HintRegistry::new().with("twice", |inputs, outputs| {
        outputs.extend([inputs[0], inputs[0]]);
        Ok(())
    });
    let environment = Environment { chips: &Twice, hints: Some(&registry) };
    for with_hint in [false, true] {
        let mut graph = graph();
        let call = ChipCall::new("twice");
        let signature = Twice.signature(&call).unwrap();
        // Neither row can be visited before the call has a result.
        let x = graph.public(ValueType::Felt);
        let y = graph.call(call.clone(), &signature, &[x]).outputs[0];
        let outputs = if with_hint {
            let outputs = vec![ValueType::Felt; 2];
            graph.hint(HintKind::Extern { name: "twice".into(), outputs }, &[y])
        } else {
            graph.call(call, &signature, &[y]).outputs
        };
        graph.assert_eq(outputs[0], outputs[1]);
        let end = graph.binary(BinaryOp::Mul, outputs[0], outputs[1]);
        let expected = graph.public(ValueType::Felt);
        graph.assert_eq(end, expected);
        run_in(&graph, &Inputs::publics([3, 9]), environment).unwrap();
        let error = run_in(&graph, &Inputs::publics([3, 8]), environment).unwrap_err();
        assert!(matches!(error, WitnessError::Violated(_)), "{error}");
    }
}

#[test]
#[should_panic(expected = "the schedule is of another circuit")]
fn a_schedule_serves_its_own_circuit() {
    let schedule = Schedule::new(&lower_to_slots(&chains(1), Form::Fused).unwrap());
    let other = lower_to_slots(&chains(2), Form::Fused).unwrap();
    let _ = other.execute_in::<Goldilocks2>(&schedule, &Inputs::default(), SUMS);
}

#[test]
fn a_call_reads_back_with_its_ports() {
    let (graph, output) = sums(4);
    let text = graph.to_string();
    insta::assert_snapshot!(text, @r"
    circuit test over goldilocks^2, stage expr {
      %0 = public 0
      %1 = public 1
      %2 = call sum(%0@0.0 | data 0[4]) rows 4 : felt@3.1
      assert_eq %2, %1                ; the sum is the root
    }
    ");
    assert_eq!(parse(&text).unwrap().to_string(), text);
    let slots = lower_to_slots(&graph, Form::Fused).unwrap().to_string();
    insta::assert_snapshot!(slots, @r"
    circuit test over goldilocks^2, stage slots {
      w0 = public 0                   ; read 1×
      w1 = public 1                   ; read 1×
      (w1) = call sum(w0@0.0 | data 0[4]) rows 4 : felt@3.1; the sum is the root
    }
    ");
    assert_eq!(parse(&slots).unwrap().to_string(), slots);
    assert_eq!(graph.ty(output), ValueType::Felt);
}
