//! Circuits whose tables are fused into one: what they prove, and what they do not.

use chipwright_backend_stark::circuit::{CircuitError, cost_parameters};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::machine::MachineError;
use chipwright_ir::circuit::layout::{Lanes, LayoutError};
use chipwright_ir::circuit::{
    AssembleError, BinaryOp, ChipCall, ChipLibrary, Form, Graph, Inputs, Layout, NodeId, TableKind,
    Tables, ValueType,
};
use chipwright_tests::{Compiled, FIELD, expect_rejected, tables, toy};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

/// Paths from one leaf to several public roots of trees of different depths; the bits of the common index
/// are summed up, and the sum is public.
fn paths(depths: &[u32]) -> Tables {
    let library = chipwright_chips::library(FIELD);
    let mut graph = Graph::new("paths", FIELD);
    let index = graph.public(ValueType::Felt);
    let ones = graph.public(ValueType::Felt);
    let leaf: Vec<NodeId> = (0..4).map(|_| graph.private(ValueType::Felt)).collect();
    let inputs: Vec<NodeId> = leaf.iter().copied().chain([index]).collect();
    for &depth in depths {
        let call = ChipCall { rows: depth, ..ChipCall::new("merkle_path") };
        let signature = library.signature(&call).expect("the depth is allowed");
        let found = graph.call(call, &signature, &inputs).outputs;
        // The sum of the root's elements, computed and claimed.
        let sum = found[1..].iter().fold(found[0], |sum, &x| graph.binary(BinaryOp::Add, sum, x));
        let claimed = graph.public(ValueType::Felt);
        graph.assert_eq(sum, claimed);
    }
    let call = ChipCall::new("bits_64");
    let signature = library.signature(&call).expect("a standard chip");
    let bits = graph.call(call, &signature, &[index]).outputs;
    let sum = bits[1..].iter().fold(bits[0], |sum, &bit| graph.binary(BinaryOp::Add, sum, bit));
    graph.assert_eq(sum, ones);
    tables(&graph, Form::Fused)
}

/// Inputs that satisfy [`paths`].
fn path_inputs(depths: &[u32], index: u64) -> (Vec<u64>, Inputs) {
    let library = chipwright_chips::library(FIELD);
    let mut publics = vec![index, index.count_ones().into()];
    let leaf = [7, 8, 9, 10];
    let mut data = Vec::new();
    for &depth in depths {
        let call = ChipCall { rows: depth, ..ChipCall::new("merkle_path") };
        let siblings: Vec<u64> = (0..4 * u64::from(depth)).map(|i| 1000 * i + 1).collect();
        let mut root = Vec::new();
        let inputs = [&leaf[..], &[index]].concat();
        library.evaluate(&call, &inputs, &siblings, &mut root).expect("the index is below");
        let sum: Goldilocks = root.iter().map(|&x| Goldilocks::from_u64(x)).sum();
        publics.push(sum.as_canonical_u64());
        data.push(siblings);
    }
    let inputs = Inputs::publics(publics.iter().copied()).with_privates(leaf);
    (publics, Inputs { data, ..inputs })
}

/// A layout of a given height: as many lanes as it takes.
fn layout_of(circuits: &[&Tables], log_height: usize) -> Layout {
    let library = chipwright_chips::library(FIELD);
    let mut parameters = cost_parameters(&Config::testing());
    (parameters.min_log_height, parameters.max_log_height) = (log_height, log_height);
    Layout::choose_common(circuits, &library, &parameters).expect("the rows fit")
}

fn lanes(layout: &Layout, table: &TableKind) -> usize {
    layout.lanes(table).map_or(0, |lanes| lanes.lanes)
}

fn merkle() -> TableKind {
    TableKind::Call("merkle_path".to_owned())
}

#[test]
fn the_toy_circuit_is_proven_in_one_table() {
    for form in [Form::Fused, Form::Separate] {
        for config in [Config::testing(), Config::proven_100()] {
            let compiled = Compiled::fused(tables(&toy(), form), &config, None).unwrap();
            assert_eq!(compiled.verifier.key().tables().len(), 1);
            let proof = compiled.prove(&Inputs::publics([3]));
            compiled.verify(&[3], &proof).unwrap();
            expect_rejected(compiled.verify(&[4], &proof));
        }
    }
}

/// `x⁴`, over base elements, among products of extension elements; with `divide`, a quotient too.
fn mixed(divide: bool) -> Tables {
    let mut graph = Graph::new("mixed", FIELD);
    let x = graph.public(ValueType::Felt);
    let fourth = graph.public(ValueType::Felt);
    let square = graph.binary(BinaryOp::Mul, x, x);
    let found = graph.binary(BinaryOp::Mul, square, square);
    graph.assert_eq(found, fourth);
    if divide {
        let quotient = graph.binary(BinaryOp::Div, fourth, x);
        let cube = graph.binary(BinaryOp::Mul, square, x);
        graph.assert_eq(quotient, cube);
    }
    let secret = graph.private(ValueType::Ext);
    let power = (0..20).fold(secret, |power, _| graph.binary(BinaryOp::Mul, power, secret));
    let other = graph.private(ValueType::Ext);
    graph.assert_eq(power, other);
    tables(&graph, Form::Fused)
}

fn rows_of(circuit: &Tables, kind: &TableKind) -> usize {
    circuit.table(kind).map_or(0, |table| table.rows.len())
}

#[test]
fn few_rows_over_base_elements_go_where_those_over_the_extension_are() {
    let (base, extension) = (TableKind::Alu(ValueType::Felt), TableKind::Alu(ValueType::Ext));
    let compiled = Compiled::fused(mixed(false), &Config::testing(), None).unwrap();
    assert_eq!(rows_of(&mixed(false), &base), 2);
    // Two rows, 20 products, and the free value.
    assert_eq!(rows_of(compiled.prover.tables(), &base), 0);
    assert_eq!(rows_of(compiled.prover.tables(), &TableKind::Private), 0);
    assert_eq!(rows_of(compiled.prover.tables(), &extension), 23);
    assert_eq!(lanes(compiled.prover.layout().unwrap(), &base), 0);
    // The 21st power of one is one.
    let privates = vec![vec![1, 0], vec![1, 0]];
    let inputs = Inputs { privates, ..Inputs::publics([3, 81]) };
    let proof = compiled.prove(&inputs);
    compiled.verify(&[3, 81], &proof).unwrap();
    expect_rejected(compiled.verify(&[3, 82], &proof));
}

#[test]
fn a_row_that_creates_a_factor_of_base_elements_stays_among_them() {
    // Over the extension 0·x = 0 would not keep x in the base field.
    let base = TableKind::Alu(ValueType::Felt);
    let creates_a_factor = |circuit: &Tables| {
        let rows = circuit.table(&base).into_iter().flat_map(|table| table.rows.iter());
        rows.filter(|row| row.creates().any(|slot| row.port(3).is_none_or(|out| out.slot != slot)))
            .count()
    };
    let circuit = mixed(true);
    assert_eq!(creates_a_factor(&circuit), 1);
    let moved = circuit.over_extension();
    assert_eq!((rows_of(&moved, &base), creates_a_factor(&moved)), (1, 1));
}

#[test]
fn a_free_base_element_that_only_arithmetic_reads_stays_by_itself() {
    // A row over the extension would let it be anything.
    let circuit = |ty: ValueType| {
        let mut graph = Graph::new("free", FIELD);
        let free = graph.private(ty);
        let point = graph.public(ValueType::Ext);
        let product = graph.binary(BinaryOp::Mul, free, point);
        let square = graph.binary(BinaryOp::Mul, product, product);
        graph.assert_eq(square, point);
        tables(&graph, Form::Fused).free_in_arithmetic()
    };
    assert_eq!(rows_of(&circuit(ValueType::Felt), &TableKind::Private), 1);
    assert_eq!(rows_of(&circuit(ValueType::Ext), &TableKind::Private), 0);
}

#[test]
fn calls_of_many_rows_bits_and_arithmetic_are_proven_in_lanes() {
    let depths = [5, 3, 6, 2, 4];
    let (publics, inputs) = path_inputs(&depths, 1);
    for config in [Config::testing(), Config::proven_100()] {
        let circuit = paths(&depths);
        let layout = (config == Config::testing()).then(|| layout_of(&[&circuit], 3));
        if let Some(layout) = &layout {
            // 20 rows of paths in lanes of eight; a path is not cut.
            assert_eq!(lanes(layout, &merkle()), 3);
            assert!(lanes(layout, &TableKind::Alu(ValueType::Felt)) > 8);
        }
        let compiled = Compiled::fused(circuit, &config, layout.as_ref()).unwrap();
        let [table] = compiled.verifier.key().tables() else { panic!("one table is expected") };
        assert_eq!(table.log_height, compiled.prover.layout().map(|layout| layout.log_height));
        let proof = compiled.prove(&inputs);
        compiled.verify(&publics, &proof).unwrap();
        for position in 0..publics.len() {
            let mut wrong = publics.clone();
            wrong[position] ^= 1;
            expect_rejected(compiled.verify(&wrong, &proof));
        }
    }
}

/// The circuit of paths of some depths, fused into a table of `2^log_height` rows.
fn compiled_paths(depths: &[u32], log_height: usize) -> Compiled {
    let circuit = paths(depths);
    let layout = layout_of(&[&circuit], log_height);
    Compiled::fused(circuit, &Config::testing(), Some(&layout)).unwrap()
}

#[test]
fn a_wrong_witness_is_rejected() {
    let depths = [3, 2];
    let (publics, inputs) = path_inputs(&depths, 2);
    let compiled = compiled_paths(&depths, 3);
    let honest = compiled.prover.witness(&inputs, None).unwrap();
    // A value of a slot that an arithmetic row creates, and a sibling.
    let mut wrong = honest.clone();
    let last = wrong.values.len() - 1;
    wrong.values[last] += Goldilocks::ONE;
    let mut sibling = honest;
    sibling.data[1][3] += 1;
    for wrong in [wrong, sibling] {
        let parts = compiled.prover.parts_trace(&wrong).unwrap();
        assert!(!compiled.prover.check(&parts).is_ok());
        let forged = compiled.prove_trace(compiled.prover.fused(parts).unwrap());
        expect_rejected(compiled.verify(&publics, &forged));
    }
    let wrong_inputs = Inputs { publics: vec![vec![3]; publics.len()], ..inputs };
    assert!(compiled.prover.prove(&wrong_inputs).is_err());
}

#[test]
fn a_forged_cell_is_rejected_in_every_part() {
    let depths = [3];
    let (publics, inputs) = path_inputs(&depths, 5);
    let compiled = compiled_paths(&depths, 6);
    let witness = compiled.prover.witness(&inputs, None).unwrap();
    let honest = compiled.prover.parts_trace(&witness).unwrap();
    let parts = compiled.prover.parts().chips.len();
    assert!(parts >= 5, "public, const, private, alu, and two calls");
    for part in 0..parts {
        let mut forged = honest.clone();
        // The first cell of the first row: an input, a public value, or a fixed value's copy.
        forged.tables[part].values[0] += Goldilocks::ONE;
        let name = &compiled.prover.parts().chips[part].name;
        assert!(!compiled.prover.check(&forged).is_ok(), "a cell of `{name}` may be anything");
        let forged = compiled.prove_trace(compiled.prover.fused(forged).unwrap());
        expect_rejected(compiled.verify(&publics, &forged));
    }
}

#[test]
fn fused_and_separate_tables_find_the_same_faults() {
    let depths = [2, 3];
    let (_, inputs) = path_inputs(&depths, 3);
    let compiled = compiled_paths(&depths, 3);
    let witness = compiled.prover.witness(&inputs, None).unwrap();
    let honest = compiled.prover.parts_trace(&witness).unwrap();
    let mut compared = 0;
    for (part, table) in honest.tables.iter().enumerate() {
        for cell in (0..table.values.len()).step_by(29) {
            let mut forged = honest.clone();
            forged.tables[part].values[cell] += Goldilocks::TWO;
            let parts = compiled.prover.check(&forged);
            let fused = compiled.prover.fused(forged).unwrap();
            let machine = compiled.prover.machine();
            let fused =
                chipwright_ir::machine::check::<chipwright_ir::field::Goldilocks2>(machine, &fused);
            assert_eq!(parts.failing_rules, fused.failing_rules);
            assert_eq!(parts.unbalanced_tuples, fused.unbalanced_tuples);
            compared += 1;
        }
    }
    assert!(compared > 50, "only {compared} cells were compared");
}

#[test]
fn circuits_of_one_layout_have_one_shape_and_different_keys() {
    let small = paths(&[2, 2]);
    let large = paths(&[5, 3]);
    let layout = layout_of(&[&small, &large], 5);
    let [first, second] = [small, large]
        .map(|circuit| Compiled::fused(circuit, &Config::testing(), Some(&layout)).unwrap());
    assert_eq!(first.verifier.key().tables(), second.verifier.key().tables());
    assert_ne!(first.verifier.key().digest(), second.verifier.key().digest());
    // Not a constant of the constraints differs: all that does is in the fixed columns.
    let chip = |compiled: &Compiled| chipwright_ir::chip::Chip {
        fixed: None,
        ..compiled.prover.machine().chips[0].clone()
    };
    assert_eq!(chip(&first), chip(&second));
    let (publics, inputs) = path_inputs(&[2, 2], 1);
    let proof = first.prove(&inputs);
    first.verify(&publics, &proof).unwrap();
    assert!(second.verify(&publics, &proof).is_err());
    let (publics, inputs) = path_inputs(&[5, 3], 1);
    second.verify(&publics, &second.prove(&inputs)).unwrap();
}

#[test]
fn tables_without_rows_are_proven_all_the_same() {
    let mut other = Graph::new("sum", FIELD);
    let [a, b, c] = [(); 3].map(|()| other.public(ValueType::Felt));
    let sum = other.binary(BinaryOp::Add, a, b);
    other.assert_eq(sum, c);
    let other = tables(&other, Form::Fused);
    let path = paths(&[3]);
    let layout = layout_of(&[&path, &other], 5);
    let [with, without] = [path, other]
        .map(|circuit| Compiled::fused(circuit, &Config::testing(), Some(&layout)).unwrap());
    assert_eq!(with.verifier.key().tables(), without.verifier.key().tables());
    let proof = without.prove(&Inputs::publics([3, 4, 7]));
    without.verify(&[3, 4, 7], &proof).unwrap();
    expect_rejected(without.verify(&[3, 4, 8], &proof));
}

#[test]
fn many_public_inputs_of_both_types_keep_their_order() {
    // More than a period of them, so that a row holds several.
    let mut graph = Graph::new("publics", FIELD);
    let felts: Vec<NodeId> = (0..40).map(|_| graph.public(ValueType::Felt)).collect();
    let ext = graph.public(ValueType::Ext);
    let sum = felts[1..].iter().fold(felts[0], |sum, &x| {
        let two = graph.constant(2);
        let doubled = graph.binary(BinaryOp::Mul, sum, two);
        graph.binary(BinaryOp::Add, doubled, x)
    });
    let square = graph.binary(BinaryOp::Mul, ext, ext);
    let claimed = graph.public(ValueType::Ext);
    graph.assert_eq(square, claimed);
    let zero = graph.public(ValueType::Felt);
    let difference = graph.binary(BinaryOp::Sub, sum, zero);
    graph.assert_zero(difference);
    let values: Vec<u64> = (0..40).map(|i| i % 2).collect();
    let sum = values[1..].iter().fold(values[0], |sum, x| 2 * sum + x);
    let mut publics: Vec<Vec<u64>> = values.into_iter().map(|value| vec![value]).collect();
    // (1 + X)² = 1 + 2X + 7
    publics.extend([vec![1, 1], vec![8, 2], vec![sum]]);
    let compiled = Compiled::fused(tables(&graph, Form::Fused), &Config::testing(), None).unwrap();
    let inputs = Inputs { publics: publics.clone(), ..Inputs::default() };
    let proof = compiled.prover.prove(&inputs).unwrap();
    compiled.verifier.verify(&publics, &proof).unwrap();
    for (first, second) in [(0, 1), (31, 32), (38, 39)] {
        let mut swapped = publics.clone();
        swapped.swap(first, second);
        expect_rejected(compiled.verifier.verify(&swapped, &proof));
    }
}

#[test]
fn what_does_not_fit_a_layout_is_a_typed_error() {
    let circuit = paths(&[5, 3]);
    let good = layout_of(&[&circuit], 4);
    let attempt = |change: &dyn Fn(&mut Layout)| -> LayoutError {
        let mut layout = good.clone();
        change(&mut layout);
        match Compiled::fused(circuit.clone(), &Config::testing(), Some(&layout)) {
            Err(CircuitError::Assemble(AssembleError::Layout(error))) => error,
            Err(error) => panic!("another error: {error}"),
            Ok(_) => panic!("the layout was accepted"),
        }
    };
    let alu = TableKind::Alu(ValueType::Felt);
    let of = |layout: &mut Layout, kind: &TableKind, change: fn(&mut Lanes)| {
        layout.tables.iter_mut().filter(|lanes| lanes.table == *kind).for_each(change);
    };
    let error = attempt(&|layout| of(layout, &alu, |lanes| lanes.lanes -= 1));
    assert!(matches!(error, LayoutError::Rows { .. }), "{error}");
    let error = attempt(&|layout| layout.tables.retain(|lanes| lanes.table != merkle()));
    assert!(matches!(error, LayoutError::Rows { lanes: 0, .. }), "{error}");
    let error = attempt(&|layout| layout.log_height = 2);
    assert!(matches!(error, LayoutError::Rows { .. } | LayoutError::Call { .. }), "{error}");
    let error = attempt(&|layout| layout.publics.push(1));
    assert!(matches!(error, LayoutError::Publics { .. }), "{error}");
    let error = attempt(&|layout| layout.public_reads = 0);
    assert!(matches!(error, LayoutError::Reads { .. }), "{error}");
    let error = attempt(&|layout| of(layout, &alu, |lanes| lanes.weights.fill(0)));
    assert!(matches!(error, LayoutError::Reads { .. }), "{error}");
    let error = attempt(&|layout| of(layout, &alu, |lanes| lanes.weights.truncate(1)));
    assert!(matches!(error, LayoutError::Values { .. }), "{error}");
    let error = attempt(&|layout| layout.tables.reverse());
    assert!(matches!(error, LayoutError::Table(_)), "{error}");
    let error = attempt(&|layout| layout.log_height = 64);
    assert!(matches!(error, LayoutError::Height(64)), "{error}");
}

#[test]
fn the_cost_that_is_shown_is_the_cost_of_the_key() {
    let library = chipwright_chips::library(FIELD);
    for (config, log_height) in [(Config::testing(), 3), (Config::proven_100(), 5)] {
        for circuit in [tables(&toy(), Form::Fused), paths(&[5, 3, 6])] {
            let layout = layout_of(&[&circuit], log_height);
            let parameters = cost_parameters(&config);
            let cost = layout.cost(&circuit, &library, &parameters).unwrap();
            let compiled = Compiled::fused(circuit, &config, Some(&layout)).unwrap();
            let [table] = compiled.verifier.key().tables() else { panic!("one table") };
            assert_eq!(
                (cost.main, cost.fixed, cost.lookup, cost.quotient),
                (table.width, table.fixed_width, table.lookup_columns, table.quotient_chunks)
            );
            assert_eq!(Some(cost.log_height), table.log_height);
        }
    }
}

#[test]
fn a_report_of_a_violated_rule_names_the_lane() {
    let circuit = paths(&[3]);
    let layout = layout_of(&[&circuit], 5);
    let compiled = Compiled::fused(circuit, &Config::testing(), Some(&layout)).unwrap();
    let (_, inputs) = path_inputs(&[3], 1);
    let mut witness = compiled.prover.witness(&inputs, None).unwrap();
    let last = witness.values.len() - 1;
    witness.values[last] += Goldilocks::ONE;
    let report = compiled.prover.check(&compiled.prover.parts_trace(&witness).unwrap());
    let text = MachineError::Violated(report).to_string();
    assert!(text.contains("alu[") || text.contains("bits_64"), "{text}");
}
