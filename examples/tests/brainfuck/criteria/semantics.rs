//! What programs do, row by row.

use chipwright_examples::brainfuck::{
    Cells, CompileError, Options, Program, RunError, Symbol, VerifyError, prove, run, verify,
};
use chipwright_ir::text::Position;

use super::{compile, runs};
use crate::forging::{Case, options};

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
    assert_eq!(error, RunError::LeftOfTape { clk: 1, at: at(1, 2) });
    let options = Options { tape: 3, ..Options::default() };
    let error = run(&compile(">>>"), b"", &options).unwrap_err();
    assert_eq!(error, RunError::RightOfTape { clk: 2, at: at(1, 3), cells: 3 });
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
    assert_eq!(error, RunError::NoByte { clk: 1, at: at(1, 2), value: modulus - 1 });
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
    assert_eq!(error, RunError::TooManyCycles { at: at(1, 3), max_cycles: 1000 });
    let options = Options { max_output: 9, ..Options::default() };
    let error = run(&compile("+\n [.]"), b"", &options).unwrap_err();
    assert_eq!(error, RunError::TooMuchOutput { at: at(2, 3), max_output: 9 });
    assert_eq!(error.to_string(), "2:3: the program writes more than 9 bytes");
    let most = Options { max_output: 3, ..Options::default() };
    assert_eq!(run(&compile("+..."), b"", &most).map(|run| run.output), Ok(vec![1; 3]));
}

#[test]
fn a_byte_order_mark_is_no_character_of_a_program() {
    let error = Program::compile("\u{feff}[").unwrap_err();
    assert_eq!(error.to_string(), "1:1: `[` has no matching `]`");
    assert_eq!(compile("\u{feff}+"), compile("+"));
}

#[test]
fn a_program_that_is_too_long_is_refused_where_it_is_too_long() {
    let longest = "+".repeat(1 << 20);
    assert_eq!(compile(&longest).words().len(), 1 << 20);
    let error = Program::compile(&format!("{longest}\n +")).unwrap_err();
    assert_eq!(error.to_string(), "2:2: a program has at most 1048576 words, and more are here");
}

/// A place in a source.
fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}
