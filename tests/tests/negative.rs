//! Bugs that somebody shipped, or holes found by reading: each is forged here and must be rejected.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::compile;
use chipwright_backend_stark::proof::{Proof, VerifyError};
use chipwright_ir::circuit::passes::OPTIMISATIONS;
use chipwright_ir::circuit::{
    BinaryOp, ChipCall, ChipLibrary, Environment, Form, Graph, Inputs, SlotId, ValueType,
    WitnessError, lower_to_slots, parse,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{Machine, check};
use chipwright_tests::{Compiled, FIELD, expect_rejected, sum_of_squares, toy};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

const FORMS: [Form; 2] = [Form::Fused, Form::Separate];

/// A circuit that calls one standard chip on public inputs and compares the results with public inputs.
fn calling(chip: &str) -> (Compiled, usize) {
    let library = chipwright_chips::library(FIELD);
    let call = ChipCall::new(chip);
    let signature = library.signature(&call).unwrap_or_else(|| panic!("no chip `{chip}`"));
    let mut graph = Graph::new(chip, FIELD);
    let inputs: Vec<_> = signature.inputs.iter().map(|port| graph.public(port.ty)).collect();
    let outputs = graph.call(call, &signature, &inputs).outputs;
    for output in &outputs {
        let claimed = graph.public(graph.ty(*output).without_bit());
        graph.assert_eq(*output, claimed);
    }
    (Compiled::with_library(&graph, Form::Fused, &library), inputs.len())
}

/// The honest trace of some inputs, then some cells overwritten, proven for some public inputs.
fn forge(
    compiled: &Compiled,
    honest: &[u64],
    claimed: &[u64],
    table: &str,
    cells: &[(&str, u64)],
) -> Proof<Goldilocks2> {
    let mut trace = compiled.trace(&Inputs::publics(honest.iter().copied()));
    let index = compiled.table(table);
    let chip = &compiled.prover.machine().chips[index];
    let positions = chip.positions();
    for &(name, value) in cells {
        let column = chip.columns.iter().position(|column| column.name == name);
        let column = column.unwrap_or_else(|| panic!("`{table}` has no column `{name}`"));
        trace.tables[index].values[positions[column]] = Goldilocks::from_u64(value);
    }
    trace.publics[compiled.table("public")] =
        claimed.iter().map(|&value| Goldilocks::from_u64(value)).collect();
    compiled.prove_trace(trace)
}

#[test]
fn n_06_a_select_bit_that_is_two_is_rejected() {
    let library = chipwright_chips::library(FIELD);
    let call = ChipCall::new("select");
    let signature = library.signature(&call).expect("a standard chip");
    let mut graph = Graph::new("select", FIELD);
    // Two rules say that the bit is one: that of the circuit's input, and that of the call's table.
    let bit = graph.public(ValueType::Bit);
    let inputs = [bit, graph.public(ValueType::Felt), graph.public(ValueType::Felt)];
    let outputs = graph.call(call, &signature, &inputs).outputs;
    let claimed = graph.public(ValueType::Felt);
    graph.assert_eq(outputs[0], claimed);
    let compiled = Compiled::with_library(&graph, Form::Fused, &library);
    let honest = [1, 10, 20, 10];
    compiled.verify(&honest, &compiled.prove(&Inputs::publics(honest))).unwrap();
    // `bit·x + (1 − bit)·y` with bit = 2 is 2·10 − 20 = 0: every rule but that of the bit holds.
    let claimed = [2, 10, 20, 0];
    let forged = forge(&compiled, &honest, &claimed, "call_select", &[("bit", 2), ("out[0]", 0)]);
    expect_rejected(compiled.verify(&claimed, &forged));
}

#[test]
fn n_10_a_product_has_no_alias_modulo_the_field() {
    let (compiled, inputs) = calling("mul32");
    assert_eq!(inputs, 4, "two limbs for each factor");
    // 3 · 5 = 15 = 0·2^32 + 15. The alias 15 + p = 2^64 − 2^32 + 16 has limbs 16, 0, 0xffff, 0xffff.
    let honest = [3, 0, 5, 0, 15, 0, 0, 0];
    compiled.verify(&honest, &compiled.prove(&Inputs::publics(honest))).unwrap();
    let claimed = [3, 0, 5, 0, 16, 0, 0xffff, 0xffff];
    let cells = [("low[0]", 16), ("low[1]", 0), ("high[0]", 0xffff), ("high[1]", 0xffff)];
    let forged = forge(&compiled, &honest, &claimed, "call_mul32", &cells);
    expect_rejected(compiled.verify(&claimed, &forged));
}

#[test]
fn n_16_equal_tuples_on_two_buses_do_not_cancel() {
    // One chip sends the message (5) on bus `a`, another receives it from bus `b`: each bus is
    // unbalanced by the same tuple, with opposite signs.
    let message = |name: &str, bus: &str, verb: &str| {
        format!(
            "chip {name} over goldilocks^2, dense {{
  x: record felt c0
  port {bus}: {verb} {bus}(value: felt)
  row {{
    eq x, 5
    {verb} {bus}(x)
  }}
}}"
        )
    };
    let machine = |second: &str| {
        let mut machine = Machine::new("two_buses", FIELD);
        for (name, bus, verb) in [("sender", "a", "send"), ("receiver", second, "receive")] {
            let text = message(name, bus, verb);
            machine.chips.push(
                chipwright_ir::chip::parse::parse(&text)
                    .unwrap_or_else(|error| panic!("{error}\n{text}")),
            );
        }
        machine
    };
    let trace = || chipwright_ir::machine::MachineTrace {
        tables: vec![table_of_fives(); 2],
        publics: vec![Vec::new(); 2],
    };
    let verdict = |machine: &Machine| {
        let (prover, verifier) = compile::<Goldilocks2>(machine, &Config::testing()).unwrap();
        verifier.verify(&[Vec::new(), Vec::new()], &prover.prove(trace()).unwrap())
    };
    verdict(&machine("a")).expect("on one bus the messages cancel");
    assert!(matches!(verdict(&machine("b")), Err(VerifyError::Rejected { .. })));
    assert!(!check::<Goldilocks2>(&machine("b"), &trace()).is_ok());
}

fn table_of_fives() -> chipwright_ir::machine::Table<Goldilocks> {
    let height = Config::testing().min_height();
    chipwright_ir::machine::Table {
        height,
        width: 1,
        values: vec![Goldilocks::from_u64(5); height],
        real_rows: height,
    }
}

/// A change to a proof.
type Edit = fn(&mut Proof<Goldilocks2>);

#[test]
fn n_18_every_observed_value_binds() {
    let compiled = Compiled::new(&sum_of_squares(2), Form::Fused);
    let honest = || compiled.prove(&Inputs::publics([25]).with_privates([3, 4]));
    compiled.verify(&[25], &honest()).unwrap();
    // The public value.
    expect_rejected(compiled.verify(&[24], &honest()));
    // The preprocessed commitment and the rules are in the digest that begins the transcript: a proof
    // of a circuit with one other constant, relabelled, is r_02. What remains is in the proof.
    let edits: [(&str, Edit); 7] = [
        ("main commitment", |proof| {
            let commitments = &mut proof.batch_mut().commitments;
            commitments.main = commitments.quotient_chunks.clone();
        }),
        ("lookup commitment", |proof| {
            let commitments = &mut proof.batch_mut().commitments;
            commitments.permutation = Some(commitments.main.clone());
        }),
        ("quotient commitment", |proof| {
            let commitments = &mut proof.batch_mut().commitments;
            commitments.quotient_chunks = commitments.main.clone();
        }),
        ("terminal", |proof| {
            let terminals = &mut proof.batch_mut().lookup_terminals;
            let present: Vec<usize> =
                (0..terminals.len()).filter(|&i| terminals[i].is_some()).collect();
            // Moved from one table to another, so that the sum stays zero.
            let (first, second) = (present[0], present[1]);
            terminals.swap(first, second);
        }),
        ("lookup proof of work", |proof| {
            let witness = &mut proof.batch_mut().lookup_pow_witness;
            *witness = witness.map(|witness| witness + Goldilocks::ONE);
        }),
        ("out-of-domain proof of work", |proof| {
            proof.batch_mut().ood_pow_witness += Goldilocks::ONE;
        }),
        ("opened value", |proof| {
            let values = &mut proof.batch_mut().opened_values.instances[0].base_opened_values;
            values.trace_local[0] += Goldilocks::ONE;
        }),
    ];
    for (what, edit) in edits {
        let mut proof = honest();
        edit(&mut proof);
        assert!(compiled.verify(&[25], &proof).is_err(), "the {what} does not bind");
    }
}

#[test]
fn n_19_heights_are_not_the_provers_to_choose() {
    for form in FORMS {
        let compiled = Compiled::new(&toy(), form);
        let honest = || compiled.prove(&Inputs::publics([3]));
        let tables = honest().log_heights().len();
        for table in 0..tables {
            for height in [0, 1, 7, 32, 40, 63, 64, 200, usize::MAX] {
                let mut proof = honest();
                if proof.batch().degree_bits[table] == height {
                    continue;
                }
                proof.batch_mut().degree_bits[table] = height;
                assert!(compiled.verify(&[3], &proof).is_err(), "2^{height} rows are accepted");
            }
        }
        // A table left out.
        let mut proof = honest();
        proof.batch_mut().degree_bits.pop();
        proof.batch_mut().opened_values.instances.pop();
        proof.batch_mut().lookup_terminals.pop();
        assert!(compiled.verify(&[3], &proof).is_err());
        // A table twice.
        let mut proof = honest();
        let last = proof.batch().degree_bits[tables - 1];
        proof.batch_mut().degree_bits.push(last);
        assert!(compiled.verify(&[3], &proof).is_err());
    }
}

/// Proofs of runs that are honest but for some public inputs and the values of one slot, which are forged: every slot that
/// has the value `from` is given the value `to`, one after the other, and each proof has to be rejected.
fn forge_one_slot(
    compiled: &Compiled,
    inputs: &Inputs,
    claimed: &[(usize, u64)],
    from: u64,
    to: u64,
) -> usize {
    let honest = compiled.prover.witness(inputs, None).expect("the inputs are honest");
    let slots = &compiled.prover.tables().program;
    let mut publics: Vec<u64> = inputs.publics.iter().map(|value| value[0]).collect();
    let mut wrong = Vec::new();
    for &(position, value) in claimed {
        publics[position] = value;
        wrong.push((slots.publics[position], value));
    }
    let from = Goldilocks::from_u64(from);
    let holds = |slot: &usize| honest.value(SlotId::new(*slot)) == from.into();
    let candidates: Vec<usize> = (0..honest.values.len()).filter(holds).collect();
    for &slot in &candidates {
        let mut wrong = wrong.clone();
        wrong.push((SlotId::new(slot), to));
        let forged = compiled.prove_forged(inputs, &wrong);
        expect_rejected(compiled.verify(&publics, &forged));
    }
    candidates.len()
}

#[test]
fn n_25_operations_that_define_a_value_backwards_keep_their_equality() {
    // r + w = u and r + w = v, written as subtractions: u − w = r and v − w = r, with u = 3² and v = 5².
    let mut graph = Graph::new("backwards", FIELD);
    let r = graph.private(ValueType::Felt);
    let w = graph.private(ValueType::Felt);
    let three = graph.public(ValueType::Felt);
    let five = graph.public(ValueType::Felt);
    let u = graph.binary(BinaryOp::Mul, three, three);
    let v = graph.binary(BinaryOp::Mul, five, five);
    let first = graph.binary(BinaryOp::Sub, u, w);
    let second = graph.binary(BinaryOp::Sub, v, w);
    graph.connect(first, r);
    graph.connect(second, r);
    let optimised =
        OPTIMISATIONS.iter().fold(graph.clone(), |graph, pass| pass.apply(&graph).unwrap());
    for graph in [graph, optimised] {
        for form in FORMS {
            let slots = lower_to_slots(&graph, form).unwrap();
            let run = |three: u64, five: u64| {
                let inputs = Inputs::publics([three, five]).with_privates([5, 4]);
                slots.execute::<Goldilocks2>(&inputs, Environment::default())
            };
            assert!(matches!(run(3, 5), Err(WitnessError::Violated(_))), "3² = 5² in {slots}");
            assert!(run(3, 3).is_ok());

            // The prover's own trace: v is 25 in it, u is 9, and r and w are what they are for u.
            let compiled = Compiled::new(&graph, form);
            let honest = Inputs::publics([3, 3]).with_privates([5, 4]);
            compiled.verify(&[3, 3], &compiled.prove(&honest)).unwrap();
            let forged = forge_one_slot(&compiled, &honest, &[(1, 5)], 9, 25);
            assert!(forged >= 2, "u and v are two slots");
        }
    }
}

#[test]
fn n_26_fused_steps_with_different_accumulators_stay_apart() {
    // a = c·x + c and b = c·x + d share a product, not a value.
    let mut graph = Graph::new("horner", FIELD);
    let c = graph.public(ValueType::Felt);
    let d = graph.public(ValueType::Felt);
    let x = graph.public(ValueType::Felt);
    let product = graph.binary(BinaryOp::Mul, c, x);
    let first = graph.binary(BinaryOp::Add, product, c);
    let product = graph.binary(BinaryOp::Mul, c, x);
    let second = graph.binary(BinaryOp::Add, product, d);
    graph.assert_eq(first, second);
    let optimised = OPTIMISATIONS.iter().fold(graph, |graph, pass| pass.apply(&graph).unwrap());
    for form in FORMS {
        let slots = lower_to_slots(&optimised, form).unwrap();
        let run = |d: u64| {
            slots.execute::<Goldilocks2>(&Inputs::publics([4, d, 6]), Environment::default())
        };
        assert!(matches!(run(5), Err(WitnessError::Violated(_))));
        assert!(run(4).is_ok());

        // The prover's own trace: d is 5 in it, and what was 4·6 + 4 = 28 is 29 wherever it stands, or stays.
        let compiled = Compiled::new(&optimised, form);
        let honest = Inputs::publics([4, 4, 6]);
        compiled.verify(&[4, 4, 6], &compiled.prove(&honest)).unwrap();
        for result in [28, 29] {
            let forged = forge_one_slot(&compiled, &honest, &[(1, 5)], 28, result);
            assert!(forged >= 1, "the sum has a slot");
        }
    }
}

#[test]
fn n_27_bits_are_canonical() {
    let (compiled, inputs) = calling("bits_64");
    assert_eq!(inputs, 1);
    let bits = |value: u128| (0..64).map(move |i| (value >> i & 1) as u64);
    let claim = |value: u128| -> Vec<u64> { std::iter::once(5).chain(bits(value)).collect() };
    let honest = claim(5);
    let proof = compiled.prove(&Inputs::publics(honest.iter().copied()));
    compiled.verify(&honest, &proof).unwrap();
    // The bits of 5 + p recompose to 5 as well.
    let alias = 5 + u128::from(FIELD.modulus());
    let claimed = claim(alias);
    let names: Vec<String> = (0..64).map(|i| format!("bits[{i}]")).collect();
    let cells: Vec<(&str, u64)> = names.iter().map(String::as_str).zip(bits(alias)).collect();
    let forged = forge(&compiled, &honest, &claimed, "call_bits_64", &cells);
    expect_rejected(compiled.verify(&claimed, &forged));
}

#[test]
fn n_28_an_extension_element_is_no_base_element() {
    for form in FORMS {
        let mut graph = Graph::new("coefficients", FIELD);
        let x = graph.public(ValueType::Ext);
        let coefficients = graph.coefficients(x);
        for coefficient in coefficients {
            let claimed = graph.public(ValueType::Felt);
            graph.assert_eq(coefficient, claimed);
        }
        let compiled = Compiled::new(&graph, form);
        let publics = |a: u64, b: u64| vec![vec![3, 5], vec![a], vec![b]];
        let inputs = Inputs { publics: publics(3, 5), ..Inputs::default() };
        let proof = compiled.prover.prove(&inputs).unwrap();
        compiled.verifier.verify(&publics(3, 5), &proof).unwrap();

        // The claim (3 + 5w, 0): a "base" coefficient with an upper part. The recombination
        // a + w·b = x holds; that a is a base element is all that can reject it.
        let slots = &compiled.prover.tables().program;
        let mut witness = compiled.prover.witness(&inputs, None).unwrap();
        let (x, a, b) = (slots.publics[0], slots.publics[1], slots.publics[2]);
        let whole = witness.value(x);
        let (was_a, was_b) = (witness.value(a), witness.value(b));
        for slot in 0..witness.values.len() {
            let id = SlotId::new(slot);
            if id != x && witness.values[slot] == was_a {
                witness.values[slot] = whole;
            } else if id != x && witness.values[slot] == was_b {
                witness.values[slot] = Goldilocks::ZERO.into();
            }
        }
        let trace = compiled.prover.trace(&witness).unwrap();
        expect_rejected(compiled.verifier.verify(&publics(3, 0), &compiled.prove_trace(trace)));
    }
}

#[test]
fn n_29_a_verifier_takes_nothing_from_the_proof() {
    // One verifier, proofs of other circuits, of other shapes, and of other parameters.
    let compiled = Compiled::new(&toy(), Form::Fused);
    let others = [
        Compiled::new(&toy(), Form::Separate).prove(&Inputs::publics([3])),
        Compiled::new(&sum_of_squares(1), Form::Fused)
            .prove(&Inputs::publics([9]).with_privates([3])),
    ];
    for proof in &others {
        assert!(compiled.verify(&[3], proof).is_err());
        let mut bytes = proof.to_bytes();
        let place = bytes
            .windows(32)
            .position(|window| window == proof.statement())
            .expect("the proof names its statement");
        bytes[place..place + 32].copy_from_slice(compiled.verifier.key().digest());
        if let Ok(relabelled) = Proof::from_bytes(compiled.verifier.key(), &bytes) {
            expect_rejected(compiled.verify(&[3], &relabelled));
        }
    }
    // A key with fewer queries is another key.
    let mut weaker = Config::testing();
    weaker.parameters.queries = 1;
    let machine = compiled.prover.machine();
    let (prover, verifier) = compile::<Goldilocks2>(machine, &weaker).unwrap();
    assert_ne!(verifier.digest(), compiled.verifier.key().digest());
    let proof = prover.prove(compiled.trace(&Inputs::publics([3]))).unwrap();
    assert!(compiled.verify(&[3], &proof).is_err());
}

#[test]
fn hostile_circuit_texts_are_errors_not_panics() {
    for text in [
        "",
        "circuit",
        "circuit x over nothing {",
        "chip x {",
        "circuit a over goldilocks, stage expr { %0 = add %1, %1 }",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}
