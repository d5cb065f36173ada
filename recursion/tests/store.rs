//! A tree that was interrupted goes on where it was.

use std::fs;
use std::sync::Mutex;

use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::{Form, Inputs};
use chipwright_recursion::claims::Claims;
use chipwright_recursion::store::Store;
use chipwright_recursion::tree::{Leaf, Tree};
use chipwright_tests::{Compiled, toy};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;

#[test]
fn proofs_on_disk_are_used_again_if_they_are_valid() {
    let compiled = Compiled::new(&toy(), Form::Fused);
    let key = compiled.verifier.key();
    let leaf = || {
        let publics = key.tables().iter().map(|t| vec![Goldilocks::from_u64(3); t.publics]);
        Leaf { publics: publics.collect(), proof: compiled.prove(&Inputs::publics([3])) }
    };
    let leaves = [leaf()];
    let heights = leaves[0].proof.batch().degree_bits.clone();
    let tree = Tree::new(key, &heights, Claims::Facts, &Config::testing()).expect("a tree");

    let folder = std::env::temp_dir().join(format!("chipwright-store-{}", std::process::id()));
    let store = Store::open(&folder).expect("a folder for temporary files");
    let grow = || {
        let found = Mutex::new(Vec::new());
        let root = tree
            .prove_with(key, &leaves, Some(&store), &|g| found.lock().unwrap().push(g.found))
            .expect("the leaf is valid");
        tree.verify(&[leaves[0].publics.clone()], &root).expect("the root is valid");
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
