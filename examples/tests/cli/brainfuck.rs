//! `chipwright bf`: run, proven, verified, and what is refused.

use std::fs;

use super::{fails, file, succeeds, text, with_stdin, write};

const HELLO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/brainfuck/hello.bf");

#[test]
fn a_brainfuck_program_is_run_proven_and_verified() {
    let output = succeeds(&["bf", "run", HELLO]);
    assert_eq!(output, "Hello, world!\n");
    let (proof, output) = (file("hello.proof"), write("hello.out", output.as_bytes()));
    let proved = succeeds(&["bf", "prove", HELLO, "--out", text(&proof)]);
    assert!(proved.starts_with("proved 399 cycles in one segment"), "{proved}");
    let verify = ["bf", "verify", HELLO, "--output", text(&output), text(&proof)];
    assert!(succeeds(&verify).starts_with("verified: "));
    // Program, input and output, each altered by one symbol.
    let source = fs::read_to_string(HELLO).expect("the program is there");
    let program = write("altered.bf", format!("{source}+").as_bytes());
    let input = write("altered.in", b"x");
    let wrong = write("altered.out", b"Hello, worle!\n");
    for (arguments, part) in [
        (&["--output", text(&output)][..], "program"),
        (&["--input", text(&input), "--output", text(&output)], "input"),
        (&["--output", text(&wrong)], "output"),
        (&[], "output"),
    ] {
        let program = if part == "program" { text(&program) } else { HELLO };
        let error = fails(&[&["bf", "verify", program, text(&proof)], arguments].concat());
        let expected = format!(
            "error: `{}` does not prove that the program turns this input into this output: this proof is about \
             another {part}",
            text(&proof)
        );
        assert_eq!(error, expected);
    }
    let strict = ["bf", "verify", HELLO, "--output", text(&output), text(&proof), "--strict-input"];
    assert!(fails(&strict).ends_with("; --strict-input is part of what is proven"));
    let universal = ["bf", "verify", HELLO, "--output", text(&output), text(&proof), "--universal"];
    assert!(fails(&universal).contains("made under another --config"), "{}", fails(&universal));
    // One proof of several segments.
    let one = file("hello.one");
    let prove = ["bf", "prove", HELLO, "--out", text(&one), "--segment", "7", "--compress"];
    let proved = succeeds(&[&prove[..], &["--config", "peer-plonky2"]].concat());
    assert!(proved.starts_with("proved 399 cycles in 4 segments"), "{proved}");
    for (output, is_right) in [(&output, true), (&wrong, false)] {
        let arguments = ["bf", "verify", HELLO, "--output", text(output), text(&one)];
        let arguments = [&arguments[..], &["--config", "peer-plonky2"]].concat();
        if is_right {
            assert!(succeeds(&arguments).contains("in 399 cycles"));
        } else {
            assert!(fails(&arguments).contains("this proof is about another output"));
        }
    }
    let bytes = fs::read(&one).expect("the proof was written");
    let altered = write("hello.worse", &[&bytes[..bytes.len() - 9], &[1; 9]].concat());
    let truncated = write("hello.short", &bytes[..bytes.len() / 2]);
    for (path, message) in [
        (&altered, "does not prove that the program turns this input"),
        (&truncated, "holds no proof of a run"),
    ] {
        let arguments = ["bf", "verify", HELLO, "--output", text(&output), text(path)];
        let error = fails(&[&arguments[..], &["--config", "peer-plonky2"]].concat());
        assert!(error.contains(message), "{error}");
    }
    let bytes = fs::read(&proof).expect("the proof was written");
    let truncated = write("hello.bad", &bytes[..bytes.len() / 2]);
    let error = fails(&["bf", "verify", HELLO, "--output", text(&output), text(&truncated)]);
    assert!(error.contains("holds no proof of a run"), "{error}");
}

#[test]
fn brainfuck_programs_that_cannot_run_are_diagnosed() {
    let broken = write("broken.bf", b"+\n [-");
    let error = fails(&["bf", "run", text(&broken)]);
    assert!(error.contains("broken.bf:2:2: `[` has no matching `]`"), "{error}");
    let left = write("left.bf", b"<");
    let error = fails(&["bf", "run", text(&left)]);
    assert!(
        error.contains("left.bf:1:1: `<` moves the pointer left of cell 0, in cycle 0"),
        "{error}"
    );
    let reads = write("reads.bf", b",");
    let error = fails(&["bf", "run", text(&reads), "--strict-input"]);
    assert!(error.contains("reads behind the 0 bytes of the input"), "{error}");
}

#[test]
fn a_brainfuck_run_is_shown_on_a_page_and_measured() {
    let page = file("hello.html");
    succeeds(&["bf", "trace", HELLO, "--html", text(&page)]);
    let html = fs::read_to_string(page).expect("the page was written");
    assert!(html.contains("399 cycles, to the end of the program"));
    let bench = ["bf", "bench", "--json", "--log", "6", "--segment", "5"];
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&[&bench[..], &["--config", "peer-plonky2"]].concat()))
            .expect("valid JSON");
    let run = &json["runs"][0];
    assert_eq!(run["cycles"], 64);
    for key in ["prove_ms", "cycles_per_s", "cells_per_cycle", "peak_mib", "proof_bytes"] {
        assert!(run[key].as_f64() > Some(0.0), "{key}: {run}");
    }
    assert!(run["compressed_bytes"].as_f64() > Some(0.0), "{run}");
}

#[test]
fn a_program_without_end_is_given_up_and_the_error_says_what_allows_more() {
    let endless = write("endless.bf", b"+\n[]");
    for command in [&["run"][..], &["prove", "--out", "no.proof"]] {
        let arguments = [&["bf"], command, &[text(&endless), "--limit", "1000"]].concat();
        let error = fails(&arguments);
        assert!(
            error.contains("endless.bf:2:2: the program does not end within 1000 cycles"),
            "{error}"
        );
        assert!(error.ends_with("; --limit allows more of them"), "{error}");
    }
    let writes = write("writes.bf", b"+[.]");
    let output = with_stdin(&["bf", "run", text(&writes), "--max-output", "100"], b"");
    assert_eq!((output.status.code(), output.stdout), (Some(1), vec![1; 100]));
    let error = String::from_utf8(output.stderr).expect("errors are text");
    assert!(error.contains("writes.bf:1:3: the program writes more than 100 bytes"), "{error}");
    assert!(error.ends_with("; --max-output allows more of them\n"), "{error}");
}

#[test]
fn a_program_reads_standard_input_when_it_asks_for_it_and_shows_what_it_wrote_before() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    // Writes a byte, reads one, writes the next one, and ends.
    let program = write("asks.bf", b"++++++++[->++++++++<]>+.,+.");
    let mut child = Command::new(env!("CARGO_BIN_EXE_chipwright"))
        .args(["bf", "run", text(&program)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut byte = [0];
    output.read_exact(&mut byte).expect("the first byte comes before anything is read");
    assert_eq!(byte, *b"A");
    input.write_all(b"B").expect("the program reads");
    output.read_exact(&mut byte).expect("the second byte comes while standard input is open");
    assert_eq!(byte, *b"C");
    assert!(child.wait().expect("the program ends").success());
}

#[test]
fn a_dash_is_standard_input_and_what_follows_it_are_zeros() {
    let echo = write("echo.bf", b",[.,]");
    for arguments in [&["bf", "run", text(&echo)][..], &["bf", "run", text(&echo), "--input", "-"]]
    {
        assert_eq!(with_stdin(arguments, b"hi").stdout, b"hi");
        assert_eq!(with_stdin(arguments, b"").stdout, b"");
    }
    let given = write("given.in", b"file");
    assert_eq!(
        with_stdin(&["bf", "run", text(&echo), "--input", text(&given)], b"hi").stdout,
        b"file"
    );
    let proof = file("dash.proof");
    let fast = ["--config", "peer-plonky2"];
    let prove = ["bf", "prove", text(&echo), "--input", "-", "--out", text(&proof)];
    assert!(with_stdin(&[&prove[..], &fast].concat(), b"hi").status.success());
    let output = write("dash.out", b"hi");
    let verify = ["bf", "verify", text(&echo), text(&proof)];
    let verify = [&verify[..], &fast].concat();
    for (given, from_file) in [("--input", "--output"), ("--output", "--input")] {
        let arguments = [&verify[..], &[given, "-", from_file, text(&output)]].concat();
        assert!(with_stdin(&arguments, b"hi").status.success(), "{given}");
        assert!(!with_stdin(&arguments, b"ho").status.success(), "{given}");
    }
    let error = fails(&[&verify[..], &["--input", "-", "--output", "-"]].concat());
    assert!(error.contains("--input and --output are both `-`"), "{error}");
}

#[test]
fn numbers_out_of_range_are_refused_in_words() {
    let one = write("one.bf", b"+");
    for (arguments, message) in [
        (
            &["prove", text(&one), "--out", "x", "--segment", "30"][..],
            "--segment is 30, expected 5 to 20",
        ),
        (
            &["prove", text(&one), "--out", "x", "--segment", "4"],
            "--segment is 4, expected 5 to 20",
        ),
        (&["bench", "--segment", "30"], "--segment is 30, expected 5 to 20"),
        (&["bench", "--log", "63"], "--log is 63, expected 1 to 20"),
        (
            &["trace", text(&one), "--html", "x", "--cycles", "0"],
            "--cycles is 0, expected 1 to 1048576",
        ),
    ] {
        assert_eq!(fails(&[&["bf"], arguments].concat()), format!("error: {message}"));
    }
}

#[test]
fn h_09_a_clock_raised_by_the_modulus_and_an_absurd_read_count_are_refused() {
    use chipwright_examples::brainfuck::Proof;

    let program = write("h_09_one.bf", b"+");
    let proof = file("h_09.proof");
    let fast = ["--config", "peer-plonky2"];
    succeeds(&[&["bf", "prove", text(&program), "--out", text(&proof)], &fast[..]].concat());
    let verify = ["bf", "verify", text(&program), text(&proof)];
    let verify = [&verify[..], &fast].concat();
    assert!(succeeds(&verify).contains("in 1 cycles"));
    let mut forged = Proof::from_bytes(&fs::read(&proof).unwrap()).expect("an honest proof");
    forged.read = 1 << 62;
    fs::write(&proof, forged.to_bytes()).unwrap();
    let error = fails(&verify);
    assert!(error.contains("the run reads 4611686018427387904 bytes, 1 may be read"), "{error}");
    forged.segments[0].end.clk += 0xffff_ffff_0000_0001;
    fs::write(&proof, forged.to_bytes()).unwrap();
    let error = fails(&verify);
    assert!(
        error.ends_with("holds no proof of a run: the proof is truncated or altered"),
        "{error}"
    );
}
