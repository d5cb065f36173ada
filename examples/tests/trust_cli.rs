//! Circuits of `tests/hostile`, which say more than they prove: the command line neither proves nor verifies them.

use std::path::{Path, PathBuf};
use std::process::Command;

const HOSTILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/hostile");

fn out(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// What the binary says when it refuses.
#[track_caller]
fn refuses(command: &str, file: &str, arguments: &[&str]) -> String {
    let path = Path::new(HOSTILE).join(file);
    let mut run = Command::new(env!("CARGO_BIN_EXE_chipwright"));
    let output = run.args(["circuit", command]).arg(&path).args(arguments).output();
    let output = output.expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{command} {file} {arguments:?}: {errors}");
    errors
}

#[test]
fn h_01_h_02_hostile_circuits_are_neither_proven_nor_verified() {
    let proof = out("hostile.proof");
    std::fs::write(&proof, b"no proof").expect("the directory of tests is writable");
    let proof = proof.to_str().expect("paths of tests are text");
    let refused = [
        (
            "bit.ir",
            &["7"][..],
            "V10 output 0 of `exp_reverse_bits_8` is felt at 0.9, the call says bit",
        ),
        ("bit_slots.ir", &["7"], "V10 output 0 of `exp_reverse_bits_8`"),
        ("output_at_input.ir", &["7"], "V10 output 0 of `exp_reverse_bits_8`"),
        ("cap_of_tree_0.ir", &["7"], "V10 no chip answers the call `cap<0, 0>`"),
        ("base_separate.ir", &["[1,2]", "[2,3]"], "V11"),
        ("base_fused.ir", &["[1,2]", "[2,3]"], "V09"),
    ];
    for (file, publics, reason) in refused {
        let publics: Vec<&str> = publics.iter().flat_map(|value| ["--public", *value]).collect();
        for form in ["fused", "separate"] {
            let given = [&publics[..], &["--form", form]].concat();
            let errors = refuses("prove", file, &[&given[..], &["--out", proof]].concat());
            assert!(errors.contains(reason), "prove {file}: {errors}");
            let errors = refuses("verify", file, &[&given[..], &[proof]].concat());
            assert!(errors.contains(reason), "verify {file}: {errors}");
        }
    }
}

#[test]
fn h_02_no_private_input_makes_a_base_element_of_another() {
    let proof = out("base.proof");
    let proof = proof.to_str().expect("paths of tests are text");
    for form in ["fused", "separate"] {
        let given = ["--public", "[1,2]", "--public", "[2,3]", "--private", "3", "--form", form];
        refuses("prove", "base.ir", &[&given[..], &["--out", proof]].concat());
    }
}
