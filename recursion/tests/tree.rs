//! Trees that were interrupted go on where they were; trees end with a smaller proof.

use std::fs;
use std::sync::Mutex;

use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::{Form, Inputs};
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::claims::Claims;
use chipwright_recursion::store::Store;
use chipwright_recursion::tree::{Leaf, Tree};
use chipwright_tests::{Compiled, toy};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

/// A proof of the toy circuit.
fn leaf(compiled: &Compiled) -> Leaf<Goldilocks2> {
    let tables = compiled.verifier.key().tables().iter();
    let publics = tables.map(|table| vec![Goldilocks::from_u64(3); table.publics]);
    Leaf { publics: publics.collect(), proof: compiled.prove(&Inputs::publics([3])) }
}

/// The levels over proofs of the toy circuit.
fn tree(compiled: &Compiled) -> Tree<Goldilocks2> {
    let heights = leaf(compiled).proof.batch().degree_bits.clone();
    let key = compiled.verifier.key();
    Tree::new(key, &heights, Claims::Facts, &Config::testing()).expect("a tree")
}

#[test]
fn the_last_level_shrinks_the_proof_and_proves_the_same() {
    let compiled = Compiled::new(&toy(), Form::Fused);
    let key = compiled.verifier.key();
    let publics = [leaf(&compiled).publics];
    let plain = tree(&compiled);
    let config = Config::testing().for_last_layer();
    let shrunk = tree(&compiled).shrunk(&config).expect("a level above");
    let root = |tree: &Tree<Goldilocks2>| {
        tree.prove(key, &[leaf(&compiled)], &|_| {}).expect("the leaf is valid")
    };
    let (own, other) = (root(&shrunk), root(&plain));
    assert_eq!(own.levels, other.levels + 1);
    assert_eq!(own.statement, other.statement, "the same keys, the same claim");
    shrunk.verify(&publics, &own.proof).expect("the proof is valid");
    plain.verify(&publics, &other.proof).expect("the proof is valid");
    // The proofs of the level below are incomplete, and none of the two verifies for the other.
    shrunk.verify(&publics, &other.proof).expect_err("not of the last level");
    plain.verify(&publics, &own.proof).expect_err("of a level that this tree does not have");
    let mut altered = publics.clone();
    altered[0].iter_mut().flatten().for_each(|value| *value += Goldilocks::ONE);
    shrunk.verify(&altered, &own.proof).expect_err("another claim");
}

#[test]
fn proofs_on_disk_are_used_again_if_they_are_valid() {
    let compiled = Compiled::new(&toy(), Form::Fused);
    let key = compiled.verifier.key();
    let leaves = [leaf(&compiled)];
    let tree = tree(&compiled);

    let folder = std::env::temp_dir().join(format!("chipwright-store-{}", std::process::id()));
    let store = Store::open(&folder).expect("a folder for temporary files");
    let grow = || {
        let found = Mutex::new(Vec::new());
        let root = tree
            .prove_with(key, &leaves, Some(&store), &|g| found.lock().unwrap().push(g.found))
            .expect("the leaf is valid");
        tree.verify(&[leaves[0].publics.clone()], &root.proof).expect("the root is valid");
        found.into_inner().unwrap()
    };
    let levels = tree.height(1);
    assert_eq!(grow(), vec![false; levels]);
    assert_eq!(grow(), vec![true; levels]);

    // A file that is cut off, one that is altered, and one that is gone.
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), levels);
    let bytes = fs::read(&files[0]).unwrap();
    for damage in [bytes[..bytes.len() / 2].to_vec(), {
        let mut altered = bytes.clone();
        let last = altered.len() - 1;
        altered[last] ^= 1;
        altered
    }] {
        fs::write(&files[0], damage).unwrap();
        assert_eq!(grow().iter().filter(|found| !**found).count(), 1);
    }
    fs::remove_file(&files[0]).unwrap();
    assert_eq!(grow().iter().filter(|found| !**found).count(), 1);
    fs::remove_dir_all(&folder).unwrap();
}
