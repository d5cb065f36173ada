//! What reaches the terminal of what others wrote: nothing that a terminal obeys, and nothing long.

use std::fs::File;

use super::{TOY, chipwright, fails, file, succeeds, text, with_stdin, write};

/// Whether a line could move the cursor, or be hidden.
fn is_clean(line: &str) -> bool {
    line.chars().all(|c| !c.is_control() && c != '\u{202e}') && line.chars().count() < 2500
}

#[track_caller]
fn clean(error: &str, part: &str) {
    assert!(is_clean(error), "{error:?}");
    assert!(error.contains(part), "{error}");
}

#[test]
fn names_and_arguments_are_shown_without_control_characters() {
    let escape = "\u{1b}[2Jx\u{202e}";
    let shown = r"\u{1b}[2Jx\u{202e}";
    for arguments in [
        &["circuit", "show", escape][..],
        &["circuit", "show", TOY, "--after", escape],
        &["circuit", "verify", TOY, "--config", escape, "x"],
        &["chips", "show", escape],
        &["audit", escape],
        &["bf", "run", escape],
        &["bf", "prove", escape, "--out", "x"],
        &["bf", "bench", "--config", escape],
        &["recurse", "chain", "--config", escape],
        &["circuit", "prove", TOY, "--public", "3", "--out", "no/such/\u{1b}[2Jx\u{202e}"],
    ] {
        clean(&fails(arguments), shown);
    }
    // Wrong usage repeats its arguments, too, without sequences that a terminal knows.
    for arguments in [&[escape][..], &["circuit", "prove", TOY, "--public", escape, "--out", "x"]] {
        let output = chipwright(arguments);
        let errors = String::from_utf8(output.stderr).expect("errors are text");
        assert_eq!(output.status.code(), Some(2));
        assert!(errors.lines().all(is_clean) && errors.contains(r"x\u{202e}"), "{errors:?}");
    }
}

#[test]
fn texts_with_control_characters_are_refused_with_their_place() {
    let toy = std::fs::read_to_string(TOY).expect("the toy circuit");
    let (start, _) = toy.split_once("37x").expect("a comment");
    let (line, column) =
        (start.lines().count(), start.lines().last().map_or(0, |l| l.chars().count()) + 1);
    let path = write("escape.ir", toy.replace("37x", "\u{1b}[2J").as_bytes());
    let error = fails(&["circuit", "show", text(&path)]);
    clean(&error, &format!("escape.ir:{line}:{column}: the character U+001B cannot be seen"));
}

#[test]
fn a_long_constant_gives_a_short_error() {
    let toy = std::fs::read_to_string(TOY).expect("the toy circuit");
    let path = write(
        "long.ir",
        toy.replace("const 37", &format!("const {}", "9".repeat(4 << 20))).as_bytes(),
    );
    let error = fails(&["circuit", "show", text(&path)]);
    clean(&error, "is not an integer of 64 bits");
    assert!(error.len() < 600, "{error}");
    let value = "9".repeat(100_000);
    let output = chipwright(&["circuit", "prove", TOY, "--public", &value, "--out", "x"]);
    assert!(output.stderr.len() < 2000, "{} bytes", output.stderr.len());
    // A name of a megabyte is shown in part, and its circuit is refused at the place of its mistake.
    let name = "n".repeat(1 << 20);
    let circuit = format!("circuit x over goldilocks, stage expr {{\n  %{name} = private 0\n}}");
    let path = write("name.ir", circuit.as_bytes());
    let error = fails(&["circuit", "prove", text(&path), "--out", "x"]);
    clean(&error, "name.ir:2:3: V04 no rule binds %nnn");
}

#[test]
fn mistakes_of_a_circuits_structure_have_line_and_column() {
    for (name, body, place) in [
        (
            "order",
            "  %x = public 1\n  assert_zero %x",
            "order.ir:2:3: V03 public inputs are numbered in order",
        ),
        (
            "bit",
            "  %x = public 0\n   %y = private 0 : bit\n  assert_eq %x, %y",
            "bit.ir:3:4: V02 nothing guarantees",
        ),
        ("unused", "  %x = public 0\n  assert_zero %x\n  %y = add %x, %x", "unused.ir:4:3: V05 "),
    ] {
        let circuit = format!("circuit x over goldilocks, stage expr {{\n{body}\n}}");
        let path = write(&format!("{name}.ir"), circuit.as_bytes());
        let error = fails(&["circuit", "prove", text(&path), "--public", "0", "--out", "x"]);
        clean(&error, place);
    }
    let slots = "circuit x over goldilocks, stage slots {\n  w0 = const 1\n  w1 = const 2\n  w1 = add w0, w0\n}";
    let path = write("twice.ir", slots.as_bytes());
    clean(&fails(&["circuit", "show", text(&path), "--stage", "slots"]), "twice.ir:4:3: V06 ");
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let toy = std::fs::read_to_string(TOY).expect("the toy circuit");
    let path = write("mark.ir", format!("\u{feff}{toy}").as_bytes());
    assert_eq!(succeeds(&["circuit", "show", text(&path)]), succeeds(&["circuit", "show", TOY]));
    let program = write("mark.bf", "\u{feff}+[.-]".as_bytes());
    assert_eq!(succeeds(&["bf", "run", text(&program)]), "\u{1}");
}

#[test]
fn every_input_has_a_limit_that_the_error_states() {
    /// A file that is so long and takes no room.
    fn long(name: &str, length: u64) -> std::path::PathBuf {
        let path = file(name);
        File::create(&path).and_then(|file| file.set_len(length)).expect("a sparse file");
        path
    }
    let program = long("long.bf", (1 << 24) + 1);
    let message = "is longer than 16777216 bytes, the most that a program may have";
    clean(&fails(&["bf", "run", text(&program)]), message);
    let circuit = long("too_long.ir", (1 << 26) + 1);
    let message = "is longer than 67108864 bytes, the most that the text of a circuit may have";
    clean(&fails(&["circuit", "show", text(&circuit)]), message);
    let (one, input) = (write("limit.bf", b"+"), long("long.in", (1 << 26) + 1));
    let message = "is longer than 67108864 bytes, the most that an input may have";
    clean(&fails(&["bf", "run", text(&one), "--input", text(&input)]), message);
    let zeros = with_stdin(&["bf", "verify", text(&one), "--input", "/dev/zero", "x"], b"");
    clean(String::from_utf8_lossy(&zeros.stderr).trim_end(), message);
    let proof = long("long.proof", (1 << 28) + 1);
    let message = "is longer than 268435456 bytes, the most that a proof may have";
    clean(&fails(&["bf", "verify", text(&one), text(&proof)]), message);
    clean(&fails(&["circuit", "verify", TOY, "--public", "3", text(&proof)]), message);
}

#[test]
fn refusals_show_no_names_of_types() {
    let out = file("types.proof");
    succeeds(&["circuit", "prove", TOY, "--public", "3", "--out", text(&out)]);
    let honest = std::fs::read(&out).expect("the proof was written");
    for position in (60..honest.len()).step_by(honest.len() / 12) {
        let mut bytes = honest.clone();
        bytes[position] ^= 4;
        let path = write("types.bad", &bytes);
        let error = fails(&["circuit", "verify", TOY, "--public", "3", text(&path)]);
        assert!(!error.contains("InputError") && !error.contains("Mismatch"), "{error}");
        assert!(!error.contains(" { ") && !error.contains("::"), "{error}");
    }
}
