//! Memory, streams and programs: what tables say to each other.

use std::collections::BTreeSet;

use chipwright_backend_stark::config::Config;
use chipwright_examples::brainfuck::{
    Engine, Options, ProveOptions, Run, RunError, Shape, VerifyError, programs, prove, run, verify,
};
use chipwright_ir::chip::ColumnKind;
use chipwright_ir::text::Position;
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

use super::{Ext, compile};
use crate::forging::{Case, options};

#[test]
fn b_12_memory_is_consistent_in_time() {
    let case = Case::new("+><.-><+", b"");
    case.accepts();
    // A value between two accesses, and after a visit elsewhere.
    case.rejects_cell("processor", (4, "mv"), 0, "memory");
    case.rejects_cell("processor", (3, "mv"), 2, "memory");
    // An access that is seen from the wrong time, from itself, and from the future.
    for seen in [0, 1, 4, 5, 8] {
        case.rejects_cycles(|cycles| cycles[3].seen = seen, "memory");
    }
    // The claimed output of 2 is n_08.
    case.rejects_cell("processor", (3, "elapsed[0]"), 7, "seen before");
}

#[test]
fn b_13_the_program_is_preprocessed_and_counted() {
    let case = Case::new("+[-]+", b"");
    let machine = case.engine.prover().machine();
    let program = &machine.chips[case.table("program_table")];
    assert_eq!((program.fixed_width(), program.width()), (3, 1));
    assert_eq!(program.columns_of(ColumnKind::Multiplicity).count(), 1);
    let trace = case.trace(&case.segment, &case.output, &|_, _| {});
    let table = &trace.tables[case.table("program_table")];
    let counts: Vec<u64> = (0..6).map(|row| table.row(row)[0].as_canonical_u64()).collect();
    assert_eq!(counts, [1, 1, 1, 1, 1, 0]);
    // One program, one key.
    let keys: BTreeSet<[u8; 32]> = ["+[-]+", "+[-]-", "+[-]", "+[+]+"]
        .map(|source| {
            let engine = Engine::new(&compile(source), Shape::LEAST, &Config::testing()).unwrap();
            *engine.key().digest()
        })
        .into();
    assert_eq!(keys.len(), 4);
    case.rejects_cell("program_table", (0, "program.count"), 2, "program");
}

#[test]
fn b_13_the_program_may_be_a_public_input() {
    let options = ProveOptions { universal: true, ..options() };
    let program = compile(",+.");
    let (proof, run) = prove(&program, b"a", &options).unwrap();
    assert_eq!(run.output, b"b");
    verify(&program, b"a", b"b", &proof, &options).unwrap();
    for other in [",-.", ",+", ",+..", ",.+"] {
        assert!(verify(&compile(other), b"a", b"b", &proof, &options).is_err(), "{other}");
    }
    assert!(verify(&program, b"a", b"c", &proof, &options).is_err());
    // One key for all programs …
    let key = |source: &str| {
        let engine = Engine::universal(&compile(source), Shape::LEAST, &options.config).unwrap();
        *engine.key().digest()
    };
    assert_eq!(key("+"), key("[-[>]]"));
    // … and a proof says which one it is about: the rows of another under the digest of this one.
    let engine = Engine::universal(&program, proof.shape, &options.config).unwrap();
    let mut segments = chipwright_examples::brainfuck::Segments::new(
        &program,
        b"a",
        Options::default(),
        proof.shape,
    );
    let segment = segments.next().unwrap().unwrap();
    let trace = engine.trace(&segment, [0; 4]).unwrap();
    let machine = engine.prover().machine();
    let position = machine.position("public_program").unwrap();
    let count = machine.chips[position].width() - 1;
    for (row, cell) in [(0, 0), (1, 1), (2, 2), (9, 0), (0, 3), (0, 4), (31, count)] {
        let mut trace = trace.clone();
        let table = &mut trace.tables[position];
        table.values[row * table.width + cell] += Goldilocks::ONE;
        let forged = engine.prover().key().prove(trace).unwrap();
        let verdict = engine.verify(0, (&segment.start, &segment.end), [0; 4], &forged);
        assert!(matches!(verdict, Err(VerifyError::Segment { .. })), "row {row}, cell {cell}");
    }
}

/// Bytes with the cycles that transfer them.
type Bytes = Vec<(u64, u8)>;

fn run_with(source: &str, input: &[u8], options: &Options) -> Result<Run, RunError> {
    run(&compile(source), input, options)
}

#[test]
fn b_14_input_and_output_are_ordered() {
    let case = Case::new(",.,.", b"ab");
    case.accepts();
    // Two bytes exchanged: with their cycles, and without them.
    for (whole, because) in [(true, "cycles grow"), (false, "output")] {
        let mut segment = case.segment.clone();
        segment.written.swap(0, 1);
        if !whole {
            let (first, second) = (segment.written[1].0, segment.written[0].0);
            (segment.written[0].0, segment.written[1].0) = (first, second);
        }
        let hasher = chipwright_examples::brainfuck::Hasher::new();
        segment.end.output = [0; 4];
        hasher.append_bytes(&mut segment.end.output, *b"ba");
        let swap = |_: &Case, _: &mut _| {};
        if whole {
            // The distance of the two cycles is negative: its digits are no digits.
            case.rejects(&segment, b"ba", &swap, "ticks");
        } else {
            case.rejects(&segment, b"ba", &swap, because);
        }
    }
    let mut segment = case.segment.clone();
    let cycles: Vec<u64> = segment.read.iter().map(|&(clk, _)| clk).collect();
    segment.read = vec![(cycles[0], b'b'), (cycles[1], b'a')];
    case.rejects(&segment, &case.output, &|_, _| {}, "input");
    // A byte dropped, a byte added, a byte twice.
    let edits: [fn(&mut Bytes); 3] = [
        |written| written.truncate(1),
        |written| written.push((9, 7)),
        |written| written.push(written[1]),
    ];
    for edit in edits {
        let mut segment = case.segment.clone();
        edit(&mut segment.written);
        case.rejects(&segment, &case.output, &|_, _| {}, "output");
    }
    case.rejects_cell("output_table", (0, "active"), 0, "inactive rows come last");
    case.rejects_cell("output_table", (1, "active"), 0, "output");
    case.rejects_cell("output_table", (0, "block[1]"), 1, "one byte at a time");
    case.rejects_cell("input_table", (0, "block[0]"), 1, "input");
}

#[test]
fn b_14_empty_and_long_streams_are_ordinary() {
    Case::new("+", b"").accepts();
    let long: Vec<u8> = (1..=255).chain(1..=45).collect();
    assert_eq!(long.len(), 300);
    let case = Case::new(programs::ECHO, &long);
    assert_eq!(case.output, long);
    case.accepts();
    // The empty program does nothing, in no cycles.
    let empty = compile("no commands at all");
    let (proof, run) = prove(&empty, b"", &options()).unwrap();
    assert_eq!((run.cycles, proof.segments.len()), (0, 0));
    verify(&empty, b"", b"", &proof, &options()).unwrap();
    assert!(verify(&empty, b"", b"x", &proof, &options()).is_err());
    assert!(verify(&compile("+"), b"", b"", &proof, &options()).is_err());
    // What is read behind the end of the input is zero, and no other byte.
    let case = Case::new(",.", b"");
    assert_eq!((case.output.as_slice(), case.read), (&[0][..], 1));
    case.accepts();
    let mut segment = case.segment.clone();
    (segment.cycles[0].new, segment.cycles[1].mv, segment.cycles[1].new) = (9, 9, 9);
    (segment.read[0].1, segment.written[0].1) = (9, 9);
    segment.after[0] = 9;
    let hasher = chipwright_examples::brainfuck::Hasher::new();
    segment.end.memory = hasher.tape(&[9], &case.shape);
    (segment.end.input, segment.end.output) = ([0; 4], [0; 4]);
    hasher.append_bytes(&mut segment.end.input, [9]);
    hasher.append_bytes(&mut segment.end.output, [9]);
    let verdict = case.verdict(&segment, &[9], &|_, _| {}, |_| {});
    assert!(matches!(verdict, Err(VerifyError::Input)), "{verdict:?}");
    // Who does not want zeros gets an error.
    let strict = Options {
        end_of_input: chipwright_examples::brainfuck::EndOfInput::Fail,
        ..Options::default()
    };
    let error = run_with(",.", b"", &strict);
    let at = Position { line: 1, column: 1 };
    assert_eq!(error, Err(RunError::InputExhausted { clk: 0, at, bytes: 0 }));
}

#[test]
fn b_15_every_bus_notices_a_row_that_is_altered_on_one_side() {
    let case = Case::new(",+>-<.", b"a");
    let machine = case.engine.prover().machine();
    let buses: Vec<String> = machine.buses().into_iter().map(|bus| bus.name).collect();
    assert_eq!(buses, ["input", "memory", "output", "program", "ticks"]);
    for (chip, place, value, bus) in [
        ("processor", (0, "ip"), 1, "program"),
        ("program_table", (0, "program.count"), 0, "program"),
        ("processor", (3, "mv"), 9, "memory"),
        ("memory", (0, "after[1]"), 9, "memory"),
        ("processor", (0, "new"), 9, "input"),
        ("input_table", (0, "clk"), 9, "input"),
        ("processor", (5, "new"), 9, "output"),
        ("output_table", (0, "clk"), 9, "output"),
        ("processor", (1, "elapsed[0]"), 9, "ticks"),
        ("ticks", (0, "ticks.count"), 9, "ticks"),
    ] {
        case.rejects_cell(chip, place, value, bus);
    }
}

#[test]
fn b_16_terminals_sum_to_zero_bus_by_bus() {
    // The terminals of the proof are the sums of each table, and n_07 replaces them. Here two are exchanged, and
    // one is moved to another, so that the sum stays.
    let case = Case::new("+[-].", b"");
    for kind in 0..2 {
        let verdict = case.verdict(&case.segment, &case.output, &|_, _| {}, |proof| {
            let terminals = &mut proof.batch_mut().lookup_terminals;
            let (first, second) = (terminals[0].unwrap(), terminals[1].unwrap());
            if kind == 0 {
                terminals.swap(0, 1);
            } else {
                terminals[0].as_mut().unwrap().0 = first.0 + second.0;
                terminals[1].as_mut().unwrap().0 = second.0 - second.0;
            }
        });
        assert!(matches!(verdict, Err(VerifyError::Segment { .. })), "{verdict:?}");
    }
}

#[test]
fn b_17_products_forget_the_order_and_evaluations_do_not() {
    // w, x, y, z against x, y, w, z.
    let [w, x, y, z] = [3, 1, 4, 15].map(Goldilocks::from_u64);
    let alpha = Ext::from(Goldilocks::GENERATOR);
    let product = |values: [Goldilocks; 4]| -> Ext {
        values.into_iter().map(|value| alpha - Ext::from(value)).product()
    };
    let evaluation = |values: [Goldilocks; 4]| {
        values.into_iter().fold(Ext::ZERO, |sum, value| sum * alpha + Ext::from(value))
    };
    assert_eq!(product([w, x, y, z]), product([x, y, w, z]));
    assert_ne!(evaluation([w, x, y, z]), evaluation([x, y, w, z]));
    // A bus is a sum of inverses: it forgets the order too, unless messages bear their position.
    let sum = |values: [Goldilocks; 4], indexed: bool| -> Ext {
        let beta = alpha * alpha;
        let terms = values.into_iter().enumerate().map(|(index, value)| {
            let index = if indexed { beta * Goldilocks::from_usize(index) } else { Ext::ZERO };
            (alpha - Ext::from(value) - index).inverse()
        });
        terms.sum()
    };
    assert_eq!(sum([w, x, y, z], false), sum([x, y, w, z], false));
    assert_ne!(sum([w, x, y, z], true), sum([x, y, w, z], true));
}
