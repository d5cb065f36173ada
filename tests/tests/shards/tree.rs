//! One proof of all shards.

use std::fs;
use std::sync::Mutex;

use chipwright_recursion::claims::{Claim, StepValues};
use chipwright_recursion::layer::LayerError;
use chipwright_recursion::shard::{Named, Observer, ShardError};
use chipwright_recursion::store::Store;
use chipwright_recursion::tree::Grown;

use crate::vm::{Loaded, State};
use crate::{MENU, RUN, TREE, pick};

#[test]
fn shards_of_two_kinds_become_one_proof() {
    let root = MENU.compress(&TREE, &RUN.common, &RUN.shards, None, &()).expect("they are linked");
    let verify = |common: &Loaded, first: &State, last: &State| {
        TREE.verify([&common.parts(), &first.parts(), &last.parts()], &root.proof)
    };
    verify(&RUN.common, RUN.first(), RUN.last()).expect("the run is proven");
    // What the proof says is made of the values, by their names.
    let shape = TREE.shape();
    let [first, last] = [RUN.first(), RUN.last()].map(|state| {
        shape.state::<chipwright_ir::field::Goldilocks2>(&state.parts()).expect("a state")
    });
    let common = shape.common::<chipwright_ir::field::Goldilocks2>(&RUN.common.parts());
    let claim = StepValues::claim::<chipwright_ir::field::Goldilocks2>(
        &common.expect("common values"),
        &first,
        &last,
    );
    assert_eq!(root.statement.claim, claim);
    assert!(matches!(claim, Claim::Step(_)));

    let refused = |verdict: Result<_, ShardError>| {
        assert!(matches!(verdict, Err(ShardError::Layer(LayerError::Circuit(_)))), "{verdict:?}");
    };
    let mut other = RUN.last().clone();
    other.stack[3] = 1;
    refused(verify(&RUN.common, RUN.first(), &other));
    refused(verify(&RUN.common, RUN.last(), RUN.first()));
    refused(verify(&RUN.common, &RUN.shards[1].before, RUN.last()));
    refused(verify(&RUN.common, RUN.first(), &RUN.shards[3].after));
    refused(verify(&Loaded([0; 4]), RUN.first(), RUN.last()));
}

#[test]
fn any_number_of_shards_has_a_proof_under_one_key() {
    for numbers in [&[0][..], &[4], &[3, 4], &[0, 1, 2], &[1, 2, 3, 4]] {
        let shards = pick(&RUN, numbers);
        let root = MENU.compress(&TREE, &RUN.common, &shards, None, &()).expect("they are linked");
        let (first, last) = (shards[0].before.parts(), shards[shards.len() - 1].after.parts());
        TREE.verify([&RUN.common.parts(), &first, &last], &root.proof).expect("it is proven");
    }
}

#[test]
fn shards_that_do_not_follow_each_other_are_not_joined() {
    for numbers in [&[0, 2, 3, 4][..], &[0, 1, 3, 2, 4], &[0, 0], &[0, 4], &[4, 0]] {
        let shards = pick(&RUN, numbers);
        let verdict = MENU.compress(&TREE, &RUN.common, &shards, None, &());
        assert!(matches!(verdict, Err(ShardError::Layer(LayerError::Step(_)))), "{numbers:?}");
    }
    let verdict = MENU.compress(&TREE, &RUN.common, &[], None, &());
    assert!(matches!(verdict, Err(ShardError::Empty)));
    let mut shards = pick(&RUN, &[0, 1]);
    shards[1].kind = 2;
    let verdict = MENU.compress(&TREE, &RUN.common, &shards, None, &());
    assert!(matches!(verdict, Err(ShardError::Shard { shard: 1, .. })));
}

#[derive(Default)]
struct Watcher {
    grown: Mutex<Vec<Grown>>,
    is_cancelled: bool,
}

impl Observer for Watcher {
    fn grown(&self, grown: Grown) {
        self.grown.lock().unwrap().push(grown);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
}

#[test]
fn proofs_of_a_tree_are_kept_and_found_again() {
    let folder = std::env::temp_dir().join(format!("chipwright-shards-{}", std::process::id()));
    let store = Store::open(&folder).expect("a folder for temporary files");
    let shards = pick(&RUN, &[3, 4]);
    let found = || {
        let watcher = Watcher::default();
        MENU.compress(&TREE, &RUN.common, &shards, Some(&store), &watcher).expect("a proof");
        watcher.grown.into_inner().unwrap().iter().map(|grown| grown.found).collect::<Vec<_>>()
    };
    // Two first layers, one over each, one over both.
    assert_eq!(found(), [false; 5]);
    assert_eq!(found(), [true; 5]);
    fs::remove_dir_all(&folder).unwrap();

    let watcher = Watcher { is_cancelled: true, ..Watcher::default() };
    let verdict = MENU.compress(&TREE, &RUN.common, &shards, None, &watcher);
    assert!(matches!(verdict, Err(ShardError::Cancelled)));
}
