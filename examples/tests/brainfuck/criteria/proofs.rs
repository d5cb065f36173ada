//! Sizes, rules and challenges; programs proven.

use std::collections::BTreeSet;

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::machine::compile_machine;
use chipwright_examples::brainfuck::{
    Engine, ProveOptions, Shape, VerifyError, machine, programs, prove, verify,
};
use chipwright_examples::toy_cpu;
use chipwright_ir::chip::Section;
use chipwright_ir::field::Goldilocks2;
use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use p3_goldilocks::Goldilocks;

use super::{Ext, compile};
use crate::forging::{Case, options};

#[test]
fn b_18_challenges_are_in_the_extension() {
    let config = Config::proven_100();
    assert_eq!((config.field.degree(), config.field.bits()), (2, 64));
    let case = Case::new("+.", b"");
    let engine = Engine::new(&case.program, case.shape, &config).unwrap();
    let report = engine.key().security(&engine.log_heights()).unwrap();
    assert!(report.proven_bits >= 100, "{report}");
    // Messages are compressed: clk, mp and mv to one element, as are ip, ci and ni.
    let widths: Vec<usize> =
        case.engine.prover().machine().buses().iter().map(|bus| bus.width).collect();
    assert_eq!(widths, [2, 3, 2, 3, 1]);
}

#[test]
fn b_19_tables_say_how_large_they_are() {
    let case = Case::new("++[-]", b"");
    let engine = Engine::separate(&case.program, case.shape, &Config::testing()).unwrap();
    let tables = engine.tables(engine.trace(&case.segment, [0; 4]).unwrap()).unwrap();
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let expected = ["program_table", "processor", "memory", "input_table", "output_table", "ticks"];
    assert_eq!(names, expected);
    let processor = &tables[1];
    assert_eq!((processor.length, processor.height), (case.segment.cycles.len(), 32));
    assert!(processor.base_width < processor.full_width);
    for table in &tables {
        assert!(table.length <= table.height && table.height.is_power_of_two(), "{table:?}");
        // The generator has the order of the height.
        let omicron = Goldilocks::from_u64(table.generator);
        assert_eq!(omicron.exp_u64(table.height as u64), Goldilocks::ONE);
        assert_ne!(omicron.exp_u64(table.height as u64 / 2), Goldilocks::ONE);
    }
    // Folded, they are one table of one height.
    let tables = case.engine.tables(case.engine.trace(&case.segment, [0; 4]).unwrap()).unwrap();
    assert_eq!((tables[0].name.as_str(), tables[0].height), ("fused", 32));
    assert!(tables[0].base_width > processor.base_width);
}

#[test]
fn b_20_there_are_rules_of_every_kind() {
    let machine = machine(&compile("+"), &Shape::LEAST).unwrap();
    for name in ["processor", "memory", "input_table", "output_table"] {
        let chip = &machine.chips[machine.position(name).unwrap()];
        let sections: BTreeSet<Section> = chip.rules.iter().map(|rule| rule.section).collect();
        assert_eq!(sections.len(), 4, "{name}: first, every, step and last");
    }
}

#[test]
fn b_21_extension_of_a_column_agrees_with_lagrange() {
    use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
    let values: Vec<Goldilocks> = (0..8).map(|i| Goldilocks::from_u64(i * i * i + 5)).collect();
    let points: Vec<Goldilocks> = Goldilocks::two_adic_generator(3).powers().take(8).collect();
    let shift = Goldilocks::GENERATOR;
    let extended = Radix2DitParallel::default().coset_lde(values.clone(), 2, shift);
    let larger = Goldilocks::two_adic_generator(5);
    for (x, found) in larger.shifted_powers(shift).take(32).zip(extended) {
        let naive: Goldilocks = (0..8)
            .map(|i| {
                let others = (0..8).filter(|&j| j != i);
                let basis: Goldilocks =
                    others.map(|j| (x - points[j]) / (points[i] - points[j])).product();
                values[i] * basis
            })
            .sum();
        assert_eq!(found, naive);
    }
}

#[test]
fn b_22_padding_takes_no_part() {
    let case = Case::new("++>+.", b"");
    let trace = case.trace(&case.segment, &case.output, &|_, _| {});
    let table = &trace.tables[case.table("processor")];
    assert_eq!((table.real_rows, table.height), (5, 32));
    for row in 5..32 {
        assert!(table.row(row).iter().all(|cell| *cell == Goldilocks::ZERO));
    }
    // A padding row flagged as real, next to the others or alone.
    case.rejects_cell("processor", (5, "real"), 1, "program");
    case.rejects_cell("processor", (9, "real"), 1, "padding comes last");
    // A padding row that executes without being real.
    case.rejects_cell("processor", (5, "ci.output"), 1, "ci");
    case.rejects_cell("output_table", (1, "active"), 1, "output");
    // A program of padding alone proves nothing: the first row is real.
    case.rejects_cell("processor", (0, "real"), 0, "the first row is real");
}

#[test]
fn b_23_challenges_depend_on_the_commitments() {
    let case = Case::new(",.", b"a");
    let other = Case::new(",.", b"b");
    let main = {
        let trace = other.trace(&other.segment, &other.output, &|_, _| {});
        other.engine.prover().prove_trace(trace).unwrap().batch().commitments.main.clone()
    };
    // The trace of another run, and all challenges, sums and openings kept.
    let verdict = case.verdict(&case.segment, &case.output, &|_, _| {}, |proof| {
        let commitments = &mut proof.batch_mut().commitments;
        assert!(commitments.permutation.is_some(), "a second commitment, for the buses");
        commitments.main = main;
    });
    assert!(matches!(verdict, Err(VerifyError::Segment { .. })), "{verdict:?}");
}

#[test]
fn b_24_a_quotient_of_too_high_degree_is_rejected() {
    // A rule that fails on one row has no quotient of the bound degree.
    let case = Case::new("+", b"");
    case.rejects_cell("processor", (0, "new"), 2, "one more, modulo 256");
    // An opened quotient that is not the one committed to.
    let verdict = case.verdict(&case.segment, &case.output, &|_, _| {}, |proof| {
        let opened = &mut proof.batch_mut().opened_values.instances[0].base_opened_values;
        opened.quotient_chunks[0][0] += Ext::ONE;
    });
    assert!(matches!(verdict, Err(VerifyError::Segment { .. })), "{verdict:?}");
}

#[test]
fn b_27_one_machinery_proves_different_machines() {
    let program = toy_cpu::sum_to(4);
    let cpu = toy_cpu::run(&program, 1000).unwrap();
    let input = toy_cpu::input(&cpu);
    let machine = toy_cpu::machine(&program).unwrap();
    let (prover, verifier) = compile_machine::<Goldilocks2>(machine, &Config::testing()).unwrap();
    verifier.verify(&input.publics, &prover.prove(&input).unwrap()).unwrap();
    Case::new(programs::HELLO, b"").accepts();
}

#[test]
fn b_28_programs_are_proven_and_verified() {
    for (source, input, output, least) in [
        (programs::HELLO, &b""[..], &b"Hello, world!\n"[..], 100),
        (programs::ECHO, b"to be or not", b"to be or not", 30),
        (programs::REVERSE, b"to be", b"eb ot", 30),
        (programs::SQUARES, b"", &squares(), 10_000),
    ] {
        let program = compile(source);
        let (proof, run) = prove(&program, input, &options()).unwrap();
        assert_eq!(run.output, output);
        assert!(run.cycles >= least, "{} cycles", run.cycles);
        verify(&program, input, output, &proof, &options()).unwrap();
    }
}

#[test]
fn b_28_hello_world_is_proven_at_100_bits() {
    let options = ProveOptions::default();
    let program = compile(programs::HELLO);
    let (proof, run) = prove(&program, b"", &options).unwrap();
    verify(&program, b"", &run.output, &proof, &options).unwrap();
    assert!(verify(&program, b"", b"Hello, worlds\n", &proof, &options).is_err());
}

fn squares() -> Vec<u8> {
    (0..16).flat_map(|i| format!("{:03}\n", i * i).into_bytes()).collect()
}
