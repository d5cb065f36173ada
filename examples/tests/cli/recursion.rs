//! `chipwright recurse`: layers, trees, foreign AIRs.

use super::{fails, succeeds};

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
