//! The binary as a user runs it: its output, and what it says when something is wrong.

mod brainfuck;
mod circuits;
mod recursion;
mod terminal;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/circuits/toy.ir");

/// Runs the binary.
fn chipwright(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chipwright"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// Runs the binary with something to read from standard input.
fn with_stdin(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chipwright"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // A program that ends without reading closes the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("the binary ends")
}

/// The output of a run that succeeds and says nothing on standard error.
#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let output = chipwright(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    assert_eq!(errors, "", "{arguments:?}");
    String::from_utf8(output.stdout).expect("output is text")
}

/// The one line that a run says when it fails with exit code 1.
#[track_caller]
fn fails(arguments: &[&str]) -> String {
    let output = chipwright(arguments);
    let errors = String::from_utf8(output.stderr).expect("errors are text");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.starts_with("error: ") && errors.ends_with('\n'), "{errors}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
    errors.trim_end().to_owned()
}

/// A file of a test, in a directory of its own.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

fn write(name: &str, contents: &[u8]) -> PathBuf {
    let path = file(name);
    fs::write(&path, contents).expect("the directory of tests is writable");
    path
}

#[test]
fn the_tour_proves_verifies_and_shows_what_is_violated() {
    let tour = succeeds(&[]);
    for part in [
        "%1 = mul %0, %x",
        "pass simplify",
        "stage slots",
        "bus witness {",
        "table mul {",
        "table alu {",
        "verified in",
        "proven-100 over goldilocks^2: proven 1",
        "the prover refuses: ",
        "error[R0001]: rule ",
        "its proof is no proof: the proof is rejected",
        "chip add32 over goldilocks^2 {",
        "error[B0001]: bus `u16` does not balance",
        "(65536) is no entry of",
    ] {
        assert!(tour.contains(part), "`{part}` is missing in:\n{tour}");
    }
}

#[test]
fn usage_errors_have_exit_code_2() {
    for arguments in [
        &["circut"][..],
        &["circuit"],
        &["circuit", "show"],
        &["circuit", "show", TOY, "--stage", "rows"],
        &["circuit", "prove", TOY, "--public", "three", "--out", "x"],
        &["circuit", "prove", TOY, "--public", "1,2", "--out", "x"],
        &["circuit", "prove", TOY],
        &["security", "--yaml"],
    ] {
        let output = chipwright(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn chips_are_listed_as_json_and_as_a_table() {
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&["chips", "--json"])).expect("valid JSON");
    let chips = json.as_array().expect("a list");
    assert!(chips.len() >= 15, "{} chips", chips.len());
    for chip in chips {
        assert!(chip["name"].is_string());
        for key in ["columns", "cells_per_row", "rules", "degree", "lookups", "source_lines"] {
            assert!(chip[key].is_u64(), "{key}: {chip}");
        }
        assert!(chip["columns"].as_u64() <= chip["cells_per_row"].as_u64(), "{chip}");
        assert!(chip["source_lines"].as_u64() > Some(0), "{chip}");
    }
    let table = succeeds(&["chips"]);
    assert_eq!(table.lines().count(), chips.len() + 2);
    assert!(table.contains("| add32 "), "{table}");
}

#[test]
fn the_ir_of_a_chip_is_shown() {
    let chip = succeeds(&["chips", "show", "add32"]);
    assert!(chip.contains("chip add32 over goldilocks^2 {") && !chip.contains(".rs:"), "{chip}");
    assert!(succeeds(&["chips", "show", "add32", "--sources"]).contains("add.rs:"));
    let error = fails(&["chips", "show", "add33"]);
    assert!(error.contains("there is no chip `add33`; known are "), "{error}");
}

#[test]
fn an_audit_of_one_chip_is_reported_as_json_and_as_a_table() {
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&["audit", "select", "--json"])).expect("valid JSON");
    let [chip] = &json["chips"].as_array().expect("a list")[..] else { panic!("{json}") };
    assert_eq!((&chip["name"], &chip["escapes"]), (&"select".into(), &0.into()));
    for key in ["rules", "deletions", "caught", "forged"] {
        assert!(chip[key].as_u64() > Some(0), "{key}: {chip}");
    }
    assert!(chip["free"].is_array() && chip["uncaught"].is_array(), "{chip}");
    assert!(succeeds(&["audit", "select"]).contains("| select |"));
    let error = fails(&["audit", "choose"]);
    assert!(error.contains("there is no chip `choose`"), "{error}");
}

#[test]
fn security_is_reported_as_json_and_as_a_table() {
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&["security", "--json"])).expect("valid JSON");
    let reports = json.as_array().expect("a list");
    assert_eq!(reports.len(), 6);
    for report in reports {
        for (key, is_text) in [
            ("name", true),
            ("field", true),
            ("extension_degree", false),
            ("log_blowup", false),
            ("queries", false),
            ("pow_bits", false),
            ("proven_bits", false),
            ("conjectured_bits", false),
            ("limiting_term", true),
        ] {
            let value = &report[key];
            assert!(if is_text { value.is_string() } else { value.is_u64() }, "{key}: {report}");
        }
    }
    assert_eq!(reports[0]["name"], "proven-100");
    assert!(reports[0]["proven_bits"].as_u64() >= Some(100));
    assert!(succeeds(&["security"]).contains("| proven-128 "));
}
