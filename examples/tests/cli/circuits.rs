//! `chipwright circuit`: shown, proven, verified, and what is refused.

use std::fs;
use std::path::PathBuf;

use super::{TOY, fails, file, succeeds, text, write};

/// A proof of the toy circuit for x = 3.
fn toy_proof(name: &str) -> PathBuf {
    let proof = file(name);
    succeeds(&["circuit", "prove", TOY, "--public", "3", "--out", text(&proof)]);
    proof
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
