//! Trees of one circuit: each has its own entries in the table of caps.

use chipwright_chips::library;
use chipwright_chips::recursion::{Leaf, RowKind, RowSpec, Script};
use chipwright_dsl::circuit::{AnyTarget, BuildError, CircuitBuilder, Target};
use chipwright_ir::Field;
use chipwright_ir::circuit::{
    AssembleError, ChipCall, ChipLibrary, CostParameters, Environment, Form, Graph, Inputs, Layout,
    Tables, ValueType, lower_to_slots, lower_to_tables, parse_graph,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::fill::{FillOptions, fill_with};
use chipwright_ir::machine::{Report, check};

const FIELD: Field = Field::Goldilocks2;

fn cap(tree: u64, position: u64) -> ChipCall {
    ChipCall { parameters: vec![tree, position], ..ChipCall::new("cap") }
}

/// The tables of a circuit with digests at some places, read from its text.
fn tables(places: [(u64, u64); 2]) -> Tables {
    let library = library(FIELD);
    let mut graph = Graph::new("caps", FIELD);
    for (tree, position) in places {
        let call = cap(tree, position);
        let digest: Vec<_> = (0..4).map(|_| graph.public(ValueType::Felt)).collect();
        let signature = library.signature(&call).expect("a place in a cap");
        graph.call(call, &signature, &digest);
    }
    let graph = parse_graph(&graph.to_string()).expect("what is printed can be read");
    lower_to_tables(lower_to_slots(&graph, Form::Fused).expect("it is consistent"))
}

#[test]
fn h_08_two_digests_of_one_place_in_a_cap_are_refused_in_every_layout() {
    let library = library(FIELD);
    let sound = tables([(1, 0), (1, 1)]);
    sound.assemble(&library).expect("two places");
    let layout = Layout::choose(&sound, &library, &CostParameters::default());
    let layout = layout.expect("it has a layout");
    sound.assemble_with(&library, &layout).expect("two places");
    tables([(2, 1), (1, 1)]).assemble(&library).expect("two trees");

    let double = tables([(1, 1), (1, 1)]);
    for refused in [double.assemble(&library), double.assemble_with(&library, &layout)] {
        let Err(AssembleError::Key(error)) = refused else { panic!("{:?}", refused.is_ok()) };
        assert_eq!((&error.key[..], error.rows), (&[1, 1][..], [0, 1]));
        let expected = "rows 0 and 1 of table `call cap` have the same tree and position: 1 and 1";
        assert_eq!(error.to_string(), expected);
    }
}

fn publics(builder: &mut CircuitBuilder) -> Vec<AnyTarget> {
    (0..4).map(|_| builder.public::<Target>().into()).collect()
}

#[test]
fn h_08_two_digests_of_one_place_in_a_cap_are_an_error_of_the_build() {
    let build = |positions: [u64; 2]| {
        let mut builder = CircuitBuilder::with_library("caps", library(FIELD));
        let tree = builder.new_tree();
        for position in positions {
            let digest = publics(&mut builder);
            builder.call_named(cap(tree, position), &digest);
        }
        builder.build()
    };
    assert!(build([0, 1]).is_ok());
    assert!(matches!(build([3, 3]), Err(BuildError::Key(_))));
}

/// Two trees of one leaf and three siblings each: what a run shows whose paths are those of the given data.
fn report(caps: [&[u64]; 2], data: [&[u64]; 2]) -> Report {
    let library = library(FIELD);
    let mut builder = CircuitBuilder::with_library("trees", library.clone());
    for _ in 0..2 {
        let (tree, digest) = (builder.new_tree(), publics(&mut builder));
        builder.call_named(cap(tree, 0), &digest);
        let leaf = RowSpec { enter: true, ..RowSpec::new(RowKind::Leaf, 4) };
        let root = RowSpec { end: true, ..RowSpec::new(RowKind::Parent4, 0) };
        let script = Script { tree, rows: vec![RowSpec { leaf: Leaf::Plain, ..leaf }, root] };
        let index = builder.add_const(2_i64);
        let point = builder.lift(index);
        builder.call_named(script.call(), &[index.into(), point.into()]);
    }
    let circuit = builder.build().expect("two trees");
    let assembly = circuit.tables.assemble(&library).expect("the library has every chip");
    let inputs =
        Inputs { data: data.map(<[u64]>::to_vec).to_vec(), ..Inputs::publics(caps.concat()) };
    let environment = Environment { chips: &library, hints: None };
    let witness =
        circuit.tables.program.execute::<Goldilocks2>(&inputs, environment).expect("values");
    let options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
    let trace = fill_with::<Goldilocks2>(&assembly.machine, &assembly.input(&witness), &options);
    check::<Goldilocks2>(&assembly.machine, &trace.expect("every cell has a value"))
}

/// The digest above a leaf in place 2.
fn root(data: &[u64]) -> Vec<u64> {
    use p3_field::{PrimeCharacteristicRing, PrimeField64};
    use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_16};
    use p3_symmetric::Permutation;
    let permutation = default_goldilocks_poseidon2_16();
    let element = |i: usize| Goldilocks::from_u64(data[i]);
    let leaf: [Goldilocks; 16] =
        std::array::from_fn(|i| if i < 4 { element(i) } else { Goldilocks::ZERO });
    let leaf = permutation.permute(leaf);
    let node = permutation.permute(std::array::from_fn(|i| match i {
        0..8 => element(4 + i),
        8..12 => leaf[i - 8],
        _ => element(i),
    }));
    node[..4].iter().map(PrimeField64::as_canonical_u64).collect()
}

#[test]
fn h_08_a_path_of_one_tree_does_not_end_in_the_cap_of_another() {
    let [one, other]: [Vec<u64>; 2] = [100, 200].map(|first| (first..first + 16).collect());
    let (first, second) = (root(&one), root(&other));
    let run = |data| report([&first, &second], data);
    assert!(run([&one, &other]).is_ok(), "{}", run([&one, &other]));
    for data in [[&other[..], &one], [&one, &one], [&other, &other]] {
        let report = run(data);
        assert!(!report.is_ok());
        assert!(report.tuples.iter().all(|tuple| tuple.bus == "cap"), "{report}");
    }
}
