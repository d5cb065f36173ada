//! This crate's own prover against Plonky3's: the same bytes, for every kind of table.

use chipwright_backend_stark::config::{Config, Grinding, StarkField};
use chipwright_backend_stark::key::compile;
use chipwright_chips::Poseidon2;
use chipwright_dsl::prelude::record;
use chipwright_ir::Field;
use chipwright_ir::chip::{CellType, ColumnKind, FixedData, Node, Section, Sign};
use chipwright_ir::field::{Goldilocks2, Goldilocks3, KoalaBear4};
use chipwright_ir::machine::{
    ChipRows, FillOptions, Machine, MachineInput, MachineTrace, Table, fill_with,
};
use p3_field::PrimeCharacteristicRing;

use crate::machines::{Writer, fibonacci, fibonacci_trace, squares, squares_trace};

/// Configurations that differ in all that shapes a proof. None grinds, as Plonky3's provers find any
/// witness there is.
fn configs(field: Field) -> Vec<Config> {
    let testing = Config::testing_over(field);
    let with = |change: fn(&mut Config)| {
        let mut config = testing.clone();
        config.parameters.grinding = Grinding::NONE;
        change(&mut config);
        config
    };
    vec![
        with(|_| ()),
        with(|config| config.parameters.queries = 40),
        with(|config| config.parameters.cap_height = 0),
        with(|config| {
            config.parameters.max_log_arity = 4;
            config.parameters.cap_height = 2;
        }),
        with(|config| {
            config.parameters.max_log_arity = 1;
            config.parameters.log_final_poly_len = 2;
            config.parameters.log_blowup = 4;
        }),
    ]
}

/// Proves by both provers, and verifies.
fn agree<P: StarkField>(machine: &Machine, traces: &[MachineTrace<P::Base>]) {
    for config in configs(P::FIELD) {
        let (key, verifying) = compile::<P>(machine, &config).expect("the machine compiles");
        for trace in traces {
            if trace.tables.iter().any(|table| table.height < config.min_height()) {
                continue;
            }
            let reference = key.prove_by_reference(trace.clone()).expect("the shapes fit");
            let own = key.prove(trace.clone()).expect("the shapes fit");
            let heights: Vec<_> = trace.tables.iter().map(|table| table.height).collect();
            assert!(own.to_bytes() == reference.to_bytes(), "{}: {heights:?}", machine.name);
            assert_eq!(verifying.verify(&trace.publics, &own), Ok(()), "{}", machine.name);
        }
    }
}

#[test]
fn tables_without_buses_are_proven_alike_at_every_height() {
    fn run<P: StarkField>() {
        let traces: Vec<_> = (0..9).map(fibonacci_trace).collect();
        agree::<P>(&fibonacci(P::FIELD), &traces);
    }
    run::<Goldilocks2>();
    run::<Goldilocks3>();
    run::<KoalaBear4>();
}

#[test]
fn tables_of_different_heights_on_a_bus_are_proven_alike() {
    fn run<P: StarkField>() {
        let traces = [&[3, 3, 7, 0][..], &[15], &[1, 2], &[1; 64], &[9; 512]].map(squares_trace);
        agree::<P>(&squares(P::FIELD), &traces);
    }
    run::<Goldilocks2>();
    run::<Goldilocks3>();
    run::<KoalaBear4>();
}

/// Rules of every section, with guards, next rows, fixed and periodic columns; messages with computed
/// elements and counts, with public values, and exclusive ones.
fn mixture<P: StarkField>(log_height: usize) -> (Machine, MachineTrace<P::Base>) {
    let height = 1_u64 << log_height;
    let mut w = Writer::new("mixture", P::FIELD);
    let [a, b] = ["a", "b"].map(|name| w.column(name, ColumnKind::Private));
    let [f, even, odd] = ["f", "even", "odd"].map(|name| w.column(name, ColumnKind::Fixed));
    for flag in [even, odd] {
        w.chip.columns[flag.index()].ty = CellType::BIT;
    }
    let beat = w.column("beat", ColumnKind::Periodic);
    let [first, last] = ["first", "last"].map(|name| w.public(name));
    w.chip.periodic = vec![vec![5, 7, 11, 13]];
    let [a_here, b_here] = [a, b].map(|column| w.cell(column, false));
    let [f_here, even, odd] = [f, even, odd].map(|column| w.cell(column, false));
    let (a_next, f_next) = (w.cell(a, true), w.cell(f, true));
    let beat = w.cell(beat, false);
    let square = w.node(Node::Mul(a_here, a_here));
    let fifth = w.node(Node::Mul(square, a_here));
    let fifth = w.node(Node::Mul(fifth, square));
    let product = w.node(Node::Mul(fifth, beat));
    let sum = w.node(Node::Add(a_here, f_next));
    w.rule(Section::Row, b_here, product);
    w.rule(Section::First, a_here, first);
    w.rule(Section::Step, a_next, sum);
    w.rule(Section::Last, a_here, last);
    // Of two bits one is set: so messages may exclude each other.
    let either = w.node(Node::Add(even, odd));
    let set = w.node(Node::Const(1));
    w.rule(Section::Row, either, set);
    w.rule(Section::Row, square, square);
    w.chip.rules.last_mut().expect("just written").guard = Some(even);
    let [one, three] = [1, 3].map(|value| w.node(Node::Const(value)));
    let scaled = w.node(Node::Mul(three, a_here));
    let shifted = w.node(Node::Sub(scaled, f_next));
    let negative = w.node(Node::Neg(even));
    for sign in [Sign::Plus, Sign::Minus] {
        w.message("pairs", sign, vec![shifted, first], f_here, 64);
        w.message("pairs", sign, vec![b_here, negative], one, 1);
        for (group, flag, message) in [(0, even, [a_here, b_here]), (0, odd, [b_here, a_here])] {
            w.message("choices", sign, message.to_vec(), flag, 1);
            let group = group + u32::from(sign == Sign::Minus);
            w.chip.interactions.last_mut().expect("just written").exclusive = Some(group);
        }
    }
    let fixed = |of: fn(u64) -> u64| (0..height).map(of).collect();
    w.chip.fixed = Some(FixedData {
        columns: vec![fixed(|i| i * i % 61), fixed(|i| (i + 1) % 2), fixed(|i| i % 2)],
    });
    let mut a = P::Base::from_u64(3);
    let mut values = Vec::new();
    let mut publics = vec![a, a];
    for row in 0..height {
        let beat = P::Base::from_u64([5, 7, 11, 13][row as usize % 4]);
        values.extend([a, a.exp_u64(5) * beat]);
        publics[1] = a;
        a += P::Base::from_u64((row + 1) * (row + 1) % 61);
    }
    let table = Table { height: height as usize, width: 2, values, real_rows: height as usize };
    let machine = Machine { name: "mixture".to_owned(), field: P::FIELD, chips: vec![w.chip] };
    (machine, MachineTrace { tables: vec![table], publics: vec![publics] })
}

#[test]
fn every_kind_of_rule_and_message_is_proven_alike() {
    fn run<P: StarkField>() {
        for log_height in [2, 3, 4, 6, 8] {
            let (machine, trace) = mixture::<P>(log_height);
            agree::<P>(&machine, &[trace]);
        }
    }
    run::<Goldilocks2>();
    run::<Goldilocks3>();
    run::<KoalaBear4>();
}

#[test]
fn wide_tables_are_proven_alike() {
    fn run<P: StarkField, const W: usize>() {
        let chip = record::<Poseidon2<W>>(P::FIELD).expect("the chip records");
        let mut machine = Machine::new("permutations", P::FIELD);
        machine.chips.push((*chip).clone());
        let state = |row: u64| (0..W as u64).map(move |i| row * row + i);
        let rows = (0..40).map(state).collect::<ChipRows>();
        let input =
            MachineInput { rows: vec![(chip.name.clone(), rows)], ..MachineInput::default() };
        let trace = fill_with::<P>(&machine, &input, &FillOptions::default()).expect("fills");
        agree::<P>(&machine, &[trace]);
    }
    run::<Goldilocks2, 16>();
    run::<KoalaBear4, 32>();
}

#[test]
fn proofs_are_the_same_every_time() {
    fn run<P: StarkField>() {
        let trace = squares_trace::<P::Base>(&[3; 64]);
        let mut config = Config::testing_over(P::FIELD);
        config.parameters.grinding =
            Grinding { lookup: 6, out_of_domain: 5, batch: 7, fold: 3, query: 11 };
        let (key, _) = compile::<P>(&squares(P::FIELD), &config).expect("compiles");
        let proof = key.prove(trace.clone()).expect("the shapes fit").to_bytes();
        for _ in 0..10 {
            assert!(key.prove(trace.clone()).expect("the shapes fit").to_bytes() == proof);
        }
    }
    run::<Goldilocks2>();
    run::<KoalaBear4>();
}
