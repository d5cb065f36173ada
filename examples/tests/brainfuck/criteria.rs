//! The criteria of the Brainfuck engine, B-01 to B-28, each in a test that bears its number.
//!
//! Where the engine's document and the machine differ, the machine is described and tested.

use std::collections::BTreeSet;

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::machine::compile_machine;
use chipwright_examples::brainfuck::{
    Cells, CompileError, Engine, Options, Program, ProveOptions, Run, RunError, Shape, Symbol,
    VerifyError, machine, programs, prove, run, verify,
};
use chipwright_examples::toy_cpu;
use chipwright_ir::chip::{ColumnKind, Section};
use chipwright_ir::field::Goldilocks2;
use p3_field::extension::BinomialExtensionField;
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64, TwoAdicField};
use p3_goldilocks::Goldilocks;

use crate::forging::{Case, options};

fn compile(source: &str) -> Program {
    Program::compile(source).expect("the program compiles")
}

fn runs(source: &str, input: &[u8]) -> Result<Run, RunError> {
    run(&compile(source), input, &Options::default())
}

#[test]
fn b_01_program_input_and_output_are_what_is_proven() {
    let (source, input) = (",.,.+.", b"ab");
    let program = compile(source);
    let (proof, run) = prove(&program, input, &options()).unwrap();
    assert_eq!(run.output, b"abc");
    verify(&program, input, b"abc", &proof, &options()).unwrap();
    // Each of the three altered by one symbol, removed or added.
    for other in [",.,.-.", ",.,.+,", ",.,.+", ",.,.+..", ",.,+.."] {
        assert!(verify(&compile(other), input, b"abc", &proof, &options()).is_err(), "{other}");
    }
    for other in [&b"aa"[..], b"a", b"abb", b"", b"ba"] {
        assert!(verify(&program, other, b"abc", &proof, &options()).is_err(), "{other:?}");
    }
    for other in [&b"abd"[..], b"ab", b"abcc", b"", b"bac"] {
        assert!(verify(&program, input, other, &proof, &options()).is_err(), "{other:?}");
    }
    // Even input that nobody reads is part of the claim.
    let program = compile("+.");
    let (proof, _) = prove(&program, b"unread", &options()).unwrap();
    verify(&program, b"unread", &[1], &proof, &options()).unwrap();
    assert!(verify(&program, b"unreal", &[1], &proof, &options()).is_err());
    assert!(verify(&program, b"", &[1], &proof, &options()).is_err());
}

#[test]
fn b_01_the_digests_say_what_was_read_and_written() {
    // The honest trace, proven for a claim of another output: the claim alone fits.
    let case = Case::new(",.,.", b"ab");
    for wrong in [&b"ac"[..], b"a", b"abc", b"", b"ba"] {
        let verdict = case.verdict(&case.segment, wrong, &|_, _| {}, |_| {});
        assert!(matches!(verdict, Err(VerifyError::Output)), "{wrong:?}: {verdict:?}");
    }
    // The honest trace of another input.
    let mut case = Case::new(",.,.", b"ab");
    let other = Case::new(",.,.", b"cb");
    case.segment = other.segment;
    let verdict = case.verdict(&case.segment, b"cb", &|_, _| {}, |_| {});
    assert!(matches!(verdict, Err(VerifyError::Input)), "{verdict:?}");
    // Fewer or more bytes than were read.
    for read in [0, 1, 3, u64::MAX] {
        let mut case = Case::new(",.,.", b"ab");
        case.read = read;
        let verdict = case.verdict(&case.segment, b"ab", &|_, _| {}, |_| {});
        assert!(matches!(verdict, Err(VerifyError::Input | VerifyError::Read { .. })), "{read}");
    }
}

#[test]
fn b_02_clk_grows_by_one() {
    let case = Case::new("+-+-", b"");
    case.accepts();
    for (clk, name) in [(3, "clk"), (1, "clk"), (0, "clk")] {
        case.rejects_cycles(|cycles| cycles[2].clk = clk, name);
    }
    case.rejects_cycles(|cycles| cycles.iter_mut().for_each(|cycle| cycle.clk += 1), "clk before");
    case.rejects_cycles(
        |cycles| {
            cycles.remove(1);
        },
        "clk",
    );
    case.rejects_cycles(|cycles| cycles.insert(1, cycles[1]), "clk");
}

#[test]
fn b_03_ip_is_an_index_into_the_words_of_the_compiled_program() {
    let program = compile("+[>[-]<-].");
    let expected = [43, 91, 13, 62, 91, 9, 45, 93, 6, 60, 45, 93, 3, 46];
    assert_eq!(program.words(), expected);
    // One, two over a bracket that does not jump, or the target.
    let case = Case::new("+[->+<]>[-].", b"");
    let ips: Vec<u64> = case.segment.cycles.iter().map(|cycle| cycle.instruction.ip).collect();
    assert_eq!(ips, [0, 1, 3, 4, 5, 6, 7, 9, 10, 12, 13, 15]);
    case.accepts();
    // A jump that is not taken, one that is taken, and one too far.
    let fetch = |ip| case.program.fetch(ip).unwrap();
    case.rejects_cycles(|cycles| cycles[2].instruction = fetch(9), "ip");
    case.rejects_cycles(|cycles| cycles[7].instruction = fetch(3), "ip");
    case.rejects_cycles(|cycles| cycles[3].instruction = fetch(5), "ip");
    case.rejects_cell("processor", (6, "next_ip"), 3, "jumps unless zero");
    case.rejects_cell("processor", (1, "next_ip"), 9, "jumps if zero");
    case.rejects_cell("processor", (0, "next_ip"), 0, "goes on");
}

#[test]
fn b_04_every_row_executes_what_the_program_says() {
    let case = Case::new("+>-.", b"");
    // Another command, one that the program does not have, and one from elsewhere.
    for symbol in [Symbol::Decrement, Symbol::Input, Symbol::Left] {
        case.rejects_cycles(|cycles| cycles[0].instruction.ci = symbol, "program");
    }
    // No command at all, and two at once.
    case.rejects_cell("processor", (0, "ci.increment"), 0, "ci");
    case.rejects_cell("processor", (0, "ci.decrement"), 1, "ci");
    case.rejects_cell("processor", (0, "ci.increment"), 2, "ci");
}

#[test]
fn b_05_ni_is_bound_with_ci() {
    let case = Case::new("+[-]+", b"");
    case.rejects_cycles(|cycles| cycles[0].instruction.ni = 0, "program");
    // The bracket that jumps elsewhere.
    case.rejects_cycles(|cycles| cycles[3].instruction.ni = 6, "program");
    case.rejects_cell("processor", (1, "ni"), 3, "program");
}

#[test]
fn b_06_the_pointer_moves_by_one_and_stays_on_the_tape() {
    let case = Case::new(">+<-", b"");
    case.rejects_cycles(|cycles| cycles[1].mp = 2, "mp");
    case.rejects_cycles(|cycles| cycles.iter_mut().for_each(|cycle| cycle.mp += 1), "mp before");
    case.rejects_cell("processor", (1, "mp"), 0, "mp");
    // Left of cell 0 and right of the last cell is an error with the cycle and the place.
    let error = runs("+<+", b"").unwrap_err();
    assert_eq!(error, RunError::LeftOfTape { clk: 1, ip: 1 });
    let options = Options { tape: 3, ..Options::default() };
    let error = run(&compile(">>>"), b"", &options).unwrap_err();
    assert_eq!(error, RunError::RightOfTape { clk: 2, ip: 2, cells: 3 });
    // And nothing there can be proven: the forger's pointer is −1, or behind the tape.
    let case = Case::new("+<".replace('<', ">").as_str(), b"");
    assert_eq!(case.shape.cells(), 128);
    let case = Case::new("-+", b"");
    let modulus = chipwright_examples::brainfuck::machine::FIELD.modulus();
    for mp in [modulus - 1, 128] {
        case.rejects_cycles(|cycles| cycles[1].mp = mp, "memory");
    }
}

#[test]
fn b_07_cells_are_bytes_that_wrap() {
    let case = Case::new("-.+.", b"");
    assert_eq!(case.output, [255, 0]);
    case.accepts();
    // 255 + 1 is not 256, and 0 − 1 not the largest field element.
    case.rejects_cell("processor", (2, "new"), 256, "one more, modulo 256");
    let modulus = chipwright_examples::brainfuck::machine::FIELD.modulus();
    case.rejects_cell("processor", (0, "new"), modulus - 1, "one less, modulo 256");
    // Whether there is room for one more cannot be chosen, where there is and where there is none.
    case.rejects_cell("processor", (2, "full"), 0, "255 is told from the rest");
    case.rejects_cell("processor", (2, "room"), 1, "255 has no room");
    case.rejects_cell("processor", (0, "full"), 1, "a value with room is not 255");
    case.rejects_cell("processor", (0, "room"), 0, "255 is told from the rest");
    // The cell holds what was left behind.
    case.rejects_cell("processor", (1, "mv"), 254, "memory");
    case.rejects_cell("processor", (1, "new"), 254, "the cell stays");
    // As field elements, on request.
    let options = Options { cells: Cells::Field, ..Options::default() };
    let error = run(&compile("-."), b"", &options).unwrap_err();
    assert_eq!(error, RunError::NoByte { clk: 1, ip: 1, value: modulus - 1 });
}

#[test]
fn b_08_inv_tells_zero_from_the_rest() {
    let case = Case::new("++[-]", b"");
    case.accepts();
    // A value passed off as zero, and zero passed off as a value.
    let forged = |row: usize, inv: u64, zero: u64, because: &str| {
        let edit = |case: &Case, trace: &mut _| {
            case.set(trace, "processor", (row, "inv"), inv);
            case.set(trace, "processor", (row, "zero"), zero);
        };
        case.rejects(&case.segment, &case.output, &edit, because);
    };
    let last = case.segment.cycles.len() - 1;
    forged(2, 0, 1, "a value that has no inverse is zero");
    forged(last, 7, 1, "zero has the inverse zero");
    forged(last, 0, 0, "zero is told from the rest");
    forged(2, 1, 0, "zero is told from the rest");
}

#[test]
fn b_09_the_tape_starts_with_zeros_and_the_pointer_at_zero() {
    let case = Case::new(">.", b"");
    assert_eq!(case.output, [0]);
    case.rejects_cell("processor", (1, "mv"), 1, "memory");
    case.rejects_cell("memory", (0, "before[1]"), 1, "memory");
    case.rejects_cycles(|cycles| cycles.iter_mut().for_each(|cycle| cycle.mp += 2), "mp before");
}

#[test]
fn b_11_each_command_does_what_it_says() {
    let case = Case::new(",+-><.[-]", b"\x05");
    case.accepts();
    let machine = case.engine.prover().machine();
    let processor = &machine.chips[case.table("processor")];
    let names: Vec<&str> = processor.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names[..7], ["clk", "ip", "ci", "ni", "mp", "mv", "inv"]);
    let cycle = |symbol| {
        let is = |cycle: &&_| -> bool {
            let cycle: &chipwright_examples::brainfuck::Cycle = cycle;
            cycle.instruction.ci == symbol
        };
        let cycle = case.segment.cycles.iter().find(is).expect("every command is executed");
        cycle.clk as usize
    };
    for (symbol, column, value, rule) in [
        (Symbol::Increment, "new", 7, "one more, modulo 256"),
        (Symbol::Decrement, "new", 4, "one less, modulo 256"),
        (Symbol::Right, "new", 6, "the cell stays"),
        (Symbol::Left, "new", 6, "the cell stays"),
        (Symbol::Output, "new", 6, "the cell stays"),
        (Symbol::Open, "new", 4, "the cell stays"),
        (Symbol::Close, "new", 5, "the cell stays"),
        (Symbol::Input, "new", 6, "input"),
        (Symbol::Right, "next_ip", 9, "goes on"),
    ] {
        case.rejects_cell("processor", (cycle(symbol), column), value, rule);
    }
    case.rejects_cycles(|cycles| cycles[4].mp = 0, "mp");
}

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
    assert_eq!(error, Err(RunError::InputExhausted { clk: 0, ip: 0, bytes: 0 }));
}

fn run_with(source: &str, input: &[u8], options: &Options) -> Result<Run, RunError> {
    run(&compile(source), input, options)
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

type Ext = BinomialExtensionField<Goldilocks, 2>;

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

#[test]
fn b_18_challenges_are_in_the_extension() {
    let config = Config::proven_100();
    assert_eq!((config.field.degree(), config.field.bits()), (2, 64));
    let case = Case::new("+.", b"");
    let engine = Engine::new(&case.program, case.shape, &config).unwrap();
    let heights: Vec<usize> = engine
        .key()
        .tables()
        .iter()
        .map(|table| table.log_height.or(case.shape.log_height(&table.name)).unwrap())
        .collect();
    let report = engine.key().security(&heights).unwrap();
    assert!(report.proven_bits >= 100, "{report}");
    // Messages are compressed: clk, mp and mv to one element, as are ip, ci and ni.
    let widths: Vec<usize> =
        case.engine.prover().machine().buses().iter().map(|bus| bus.width).collect();
    assert_eq!(widths, [2, 3, 2, 3, 1]);
}

#[test]
fn b_19_tables_say_how_large_they_are() {
    let case = Case::new("++[-]", b"");
    let trace = case.engine.trace(&case.segment, [0; 4]).unwrap();
    let tables = case.engine.tables(&trace);
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
        other.engine.prover().key().prove(trace).unwrap().batch().commitments.main.clone()
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

#[test]
fn brackets_without_partners_are_diagnosed() {
    for (source, text) in [
        ("+\n [-", "2:2: `[` has no matching `]`"),
        ("+-]", "1:3: `]` has no matching `[`"),
        ("[[]\n\n]]", "3:2: `]` has no matching `[`"),
        ("é[", "1:2: `[` has no matching `]`"),
    ] {
        let error = Program::compile(source).unwrap_err();
        assert!(matches!(error, CompileError::Unmatched { .. }));
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_run_that_takes_too_long_is_given_up() {
    let options = Options { max_cycles: 1000, ..Options::default() };
    let error = run(&compile("+[]"), b"", &options).unwrap_err();
    assert_eq!(error, RunError::TooManyCycles { max_cycles: 1000 });
}
