//! The binary as a user runs it: its output, and what it says when something is wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chipwright_ir::machine::MachineLayout;

const TOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/circuits/toy.ir");

/// Runs the binary.
fn chipwright(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chipwright"))
        .args(arguments)
        .output()
        .expect("the binary runs")
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

/// A proof of the toy circuit for x = 3.
fn toy_proof(name: &str) -> PathBuf {
    let proof = file(name);
    succeeds(&["circuit", "prove", TOY, "--public", "3", "--out", text(&proof)]);
    proof
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
fn a_circuit_is_shown_at_each_stage() {
    let expr = succeeds(&["circuit", "show", TOY, "--stage", "expr"]);
    insta::assert_snapshot!("toy_expr", expr);
    insta::assert_snapshot!("toy_slots", succeeds(&["circuit", "show", TOY, "--stage", "slots"]));
    insta::assert_snapshot!("toy_tables", succeeds(&["circuit", "show", TOY, "--stage", "tables"]));
    let separate = ["circuit", "show", TOY, "--stage", "tables", "--form", "separate"];
    insta::assert_snapshot!("toy_tables_separate", succeeds(&separate));
}

#[test]
fn what_is_shown_at_stage_expr_and_slots_is_a_circuit_again() {
    for stage in ["expr", "slots"] {
        let shown = succeeds(&["circuit", "show", TOY, "--stage", stage]);
        let path = write(&format!("again_{stage}.ir"), shown.as_bytes());
        assert_eq!(succeeds(&["circuit", "show", text(&path), "--stage", stage]), shown);
        assert_eq!(
            succeeds(&["circuit", "show", text(&path), "--stage", "tables"]),
            succeeds(&["circuit", "show", TOY, "--stage", "tables"]),
        );
    }
}

#[test]
fn a_pass_is_shown_by_name() {
    let simplified = succeeds(&["circuit", "show", TOY, "--after", "simplify"]);
    assert!(simplified.contains("assert_eq") && !simplified.contains("sub"), "{simplified}");
    let error = fails(&["circuit", "show", TOY, "--after", "fold"]);
    assert!(error.contains("there is no pass `fold`; known are simplify, "), "{error}");
}

#[test]
fn a_circuit_is_drawn() {
    let drawn = succeeds(&["circuit", "show", TOY, "--dot"]);
    assert!(drawn.starts_with("digraph {") && drawn.contains("37x = 111"), "{drawn}");
    let error = fails(&["circuit", "show", TOY, "--stage", "tables", "--dot"]);
    assert!(error.contains("--dot draws --stage expr"), "{error}");
}

#[test]
fn an_earlier_stage_than_the_files_cannot_be_shown() {
    let slots = succeeds(&["circuit", "show", TOY, "--stage", "slots"]);
    let path = write("slots_only.ir", slots.as_bytes());
    let error = fails(&["circuit", "show", text(&path), "--stage", "expr"]);
    assert!(error.contains("is of stage slots"), "{error}");
}

#[test]
fn a_proof_verifies_for_its_public_input_only() {
    let proof = toy_proof("public.proof");
    let verified = succeeds(&["circuit", "verify", TOY, "--public", "3", text(&proof)]);
    assert!(verified.starts_with("verified `toy` for 3 in "), "{verified}");
    for public in ["4", "0", "-3", "[4,0]", "[3,1]"] {
        let error = fails(&["circuit", "verify", TOY, "--public", public, text(&proof)]);
        assert!(error.contains("public.proof` does not verify: "), "{public}: {error}");
    }
    for publics in [&[][..], &["--public", "3", "--public", "3"]] {
        let error = fails(&[&["circuit", "verify", TOY, text(&proof)], publics].concat());
        assert!(error.contains("give one --public for each public input"), "{error}");
    }
}

#[test]
fn inputs_that_violate_a_rule_are_not_proven() {
    let out = file("violated.proof");
    let prove = ["circuit", "prove", TOY, "--out", text(&out), "--public"];
    let error = fails(&[&prove[..], &["4"]].concat());
    assert!(error.contains("`37x = 111` does not hold"), "{error}");
    for (public, message) in [
        ("[3,0,0]", "has 3 coefficients, elements of goldilocks^2 have 2"),
        ("99999999999999999999", "is no element of goldilocks^2"),
    ] {
        let error = fails(&[&prove[..], &[public]].concat());
        assert!(error.contains(message), "{error}");
    }
    assert!(!out.exists());
}

#[test]
fn a_proof_of_another_circuit_form_or_configuration_is_refused() {
    let proof = toy_proof("other.proof");
    let other = fs::read_to_string(TOY).expect("the toy circuit").replace("111", "114");
    let other = write("other.ir", other.as_bytes());
    for arguments in [
        &["circuit", "verify", text(&other), "--public", "3", text(&proof)][..],
        &["circuit", "verify", TOY, "--form", "separate", "--public", "3", text(&proof)],
        &["circuit", "verify", TOY, "--config", "peer-plonky2", "--public", "3", text(&proof)],
    ] {
        let error = fails(arguments);
        assert!(error.contains("it was made for another circuit, --form or --config"), "{error}");
    }
}

#[test]
fn a_flipped_byte_anywhere_is_refused() {
    let honest = fs::read(toy_proof("flipped.proof")).expect("the proof was written");
    let last = honest.len() - 1;
    let spread = (0..24).map(|i| i * last / 23);
    // All of the header, and a spread over the rest.
    for position in [0, 9, 10, 11, 12, 13, 30, 44, 45, 46, 47, 60].into_iter().chain(spread) {
        let mut bytes = honest.clone();
        bytes[position] ^= 1 << (position % 8);
        let path = write("flipped.proof.bad", &bytes);
        let error = fails(&["circuit", "verify", TOY, "--public", "3", text(&path)]);
        assert!(error.contains("flipped.proof.bad`"), "byte {position}: {error}");
    }
}

#[test]
fn a_truncated_or_extended_proof_is_refused() {
    let honest = fs::read(toy_proof("truncated.proof")).expect("the proof was written");
    for length in [0, 1, 10, 44, 45, 46, 1000, honest.len() / 2, honest.len() - 1] {
        let path = write("truncated.proof.bad", &honest[..length]);
        let error = fails(&["circuit", "verify", TOY, "--public", "3", text(&path)]);
        assert!(error.contains("holds no proof of this circuit"), "{length} bytes: {error}");
    }
    let path = write("extended.proof.bad", &[&honest[..], &[0]].concat());
    let error = fails(&["circuit", "verify", TOY, "--public", "3", text(&path)]);
    assert!(error.contains("bytes follow the end"), "{error}");
}

#[test]
fn private_inputs_and_extension_elements_are_given_on_the_command_line() {
    // A public square of a private extension element.
    let circuit = "circuit square over goldilocks^2, stage expr {
        %y = public 0 : ext
        %x = private 0 : ext
        %0 = mul %x, %x
        assert_eq %0, %y
    }";
    let circuit = write("square.ir", circuit.as_bytes());
    let proof = file("square.proof");
    let (circuit, proof) = (text(&circuit), text(&proof));
    // (1 + 2X)² = 1 + 4·7 + 4X
    let prove = ["circuit", "prove", circuit, "--out", proof, "--public", "[29,4]"];
    succeeds(&[&prove[..], &["--private", "[1,2]"]].concat());
    succeeds(&["circuit", "verify", circuit, "--public", "[29,4]", proof]);
    for public in ["[29,5]", "29"] {
        let error = fails(&["circuit", "verify", circuit, "--public", public, proof]);
        assert!(error.contains("does not verify"), "{error}");
    }
    let error = fails(&prove);
    assert!(error.contains("give one --private for each private input"), "{error}");
}

#[test]
fn a_circuit_may_call_the_standard_chips() {
    let circuit = "circuit choice over goldilocks^2, stage expr {
        %bit = public 0
        %out = public 1
        assert_bit %bit
        %a = const 10
        %b = const 20
        %0 = call select(%bit : bit, %a : ext, %b : ext) : ext
        assert_eq %0, %out
    }";
    let circuit = write("choice.ir", circuit.as_bytes());
    let proof = file("choice.proof");
    let (circuit, proof) = (text(&circuit), text(&proof));
    succeeds(&["circuit", "prove", circuit, "--out", proof, "--public", "1", "--public", "10"]);
    succeeds(&["circuit", "verify", circuit, "--public", "1", "--public", "10", proof]);
    fails(&["circuit", "verify", circuit, "--public", "0", "--public", "10", proof]);
}

#[test]
fn files_that_are_missing_or_no_circuits_are_named() {
    let error = fails(&["circuit", "show", "no/such/file.ir"]);
    assert!(error.contains("`no/such/file.ir` cannot be read: "), "{error}");
    let broken = write("broken.ir", b"circuit x over goldilocks, stage expr {\n  %0 = frob 1\n}");
    let error = fails(&["circuit", "show", text(&broken)]);
    assert!(error.contains("broken.ir:2:"), "{error}");
    let out_of_range = "circuit x over goldilocks, stage expr {\n  %0 = public 1\n}";
    let invalid = write("invalid.ir", out_of_range.as_bytes());
    let error = fails(&["circuit", "show", text(&invalid), "--stage", "slots"]);
    assert!(error.contains("invalid.ir"), "{error}");
    let error = fails(&["circuit", "prove", TOY, "--public", "3", "--out", "/no/such/dir/proof"]);
    assert!(error.contains("cannot be written"), "{error}");
    let binary = write("binary.ir", &[0xff, 0xfe, 0]);
    fails(&["circuit", "show", text(&binary)]);
}

#[test]
fn configurations_are_chosen_by_name() {
    let error = fails(&["circuit", "verify", TOY, "--config", "best", "x.proof"]);
    assert!(error.contains("there is no configuration `best`; known are proven-100, "), "{error}");
    let error = fails(&["circuit", "verify", TOY, "--config", "proven-128", "x.proof"]);
    assert!(error.contains("choose another with --config"), "{error}");
    let koala = write(
        "koala.ir",
        b"circuit x over koala-bear^5, stage expr {\n  %0 = public 0\n  assert_zero %0\n}",
    );
    let error = fails(&["circuit", "verify", text(&koala), "--public", "0", "x.proof"]);
    assert!(error.contains("no named configuration is over koala-bear^5"), "{error}");
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
    for arguments in [
        &["bf", "verify", text(&program), "--output", text(&output), text(&proof)][..],
        &["bf", "verify", HELLO, "--input", text(&input), "--output", text(&output), text(&proof)],
        &["bf", "verify", HELLO, "--output", text(&wrong), text(&proof)],
        &["bf", "verify", HELLO, text(&proof)],
    ] {
        let error = fails(arguments);
        assert!(error.contains("does not prove that the program turns this input"), "{error}");
    }
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
            assert!(fails(&arguments).contains("does not write the given output"));
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
    assert!(error.contains("cycle 0: `<` at word 0 moves the pointer left of cell 0"), "{error}");
    let endless = write("endless.bf", b"+[]");
    let error = fails(&["bf", "run", text(&endless), "--limit", "1000"]);
    assert!(error.contains("does not end within 1000 cycles"), "{error}");
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
    let layout = |run: &serde_json::Value| {
        let layout = run["layout"].as_str().expect("a text");
        layout.parse::<MachineLayout>().expect("a layout")
    };
    assert!(layout(run).rows("processor").is_some(), "{run}");
    let separate = ["--layout", "separate", "--segments-only"];
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&[&bench[..], &separate].concat())).expect("valid JSON");
    assert!(layout(&json["runs"][0]).is_separate(), "{json}");
}

/// The report of a run with `--json`.
#[track_caller]
fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&succeeds(&[arguments, &["--json"]].concat())).expect("JSON")
}

#[test]
fn layers_are_proven_one_over_the_other() {
    // Parameters of a peer, whose layers are the smallest.
    let report = json(&["recurse", "chain", "--layers", "4", "--config", "peer-plonky2"]);
    assert_eq!(report["config"], "peer-plonky2");
    assert_eq!(report["fixed_point_at"], 3);
    let layers = report["layers"].as_array().expect("a list");
    assert_eq!(layers.len(), 4);
    for key in ["build_ms", "witness_ms", "prove_ms", "verify_ms"] {
        assert!(layers.iter().all(|layer| layer[key].as_f64() > Some(0.0)), "{key}");
    }
    for key in ["proof_bytes", "cells", "permutations"] {
        assert!(layers.iter().all(|layer| layer[key].as_u64() > Some(100)), "{key}");
    }
    assert_eq!(layers[2]["vk"], layers[3]["vk"]);
    assert_ne!(layers[1]["vk"], layers[2]["vk"]);
    let [table] = &layers[3]["tables"].as_array().expect("a list")[..] else {
        panic!("a layer is one table")
    };
    assert_eq!(table["rows"], 1 << 11);
    assert!(table["columns"].as_u64() > Some(100));
}

#[test]
fn proofs_become_one_which_may_be_shrunk() {
    let aggregate = ["recurse", "aggregate", "--leaves", "2", "--config", "peer-plonky2"];
    let plain = json(&aggregate);
    let shrunk = json(&[&aggregate[..], &["--shrink"]].concat());
    for (report, layers) in [(&plain, 3), (&shrunk, 4)] {
        assert_eq!((&report["leaves"], &report["verified"]), (&2.into(), &true.into()));
        assert_eq!(report["layers"], layers);
    }
}

#[test]
fn proofs_of_foreign_airs_are_verified_in_circuits() {
    let report = json(&["recurse", "foreign", "--air", "keccak", "--hashes", "1"]);
    assert_eq!((&report["air"], &report["verified"]), (&"keccak".into(), &true.into()));
    assert_eq!(
        fails(&["recurse", "foreign", "--air", "blake3"]),
        "error: there is no AIR of blake3 over goldilocks^2: it assumes a field below 2^32; give --field koala-bear"
    );
}

#[test]
fn recursion_that_cannot_run_is_diagnosed() {
    for (arguments, error) in [
        (
            &["chain", "--config", "nothing"][..],
            "error: there is no configuration `nothing`; known are proven-100, proven-128, peer-plonky2, \
             peer-plonky3-recursion",
        ),
        (
            &["chain", "--config", "proven-128", "--field", "koala-bear"],
            "error: configuration `proven-128` is not over koala-bear^4; over it are proven-100, \
             peer-plonky3-recursion",
        ),
        (&["chain", "--layers", "0"], "error: --layers is 0, expected 1 to 1000"),
        (&["aggregate", "--leaves", "0"], "error: --leaves is 0, expected 1 to 4096"),
        (
            &["foreign", "--air", "keccak", "--hashes", "0"],
            "error: --hashes is 0, expected 1 to 4096",
        ),
    ] {
        assert_eq!(fails(&[&["recurse"], arguments].concat()), error);
    }
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
