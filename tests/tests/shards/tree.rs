//! One proof of all shards.

use std::fs;
use std::sync::Mutex;

use chipwright_backend_stark::config::Config;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::claims::{Claim, StepValues};
use chipwright_recursion::layer::LayerError;
use chipwright_recursion::shard::{
    Joined, Named, Observer, ShardError, ShardTree, Spot, TreeVerifier,
};
use chipwright_recursion::store::Store;

use crate::vm::{Loaded, State};
use crate::{MENU, RUN, TREE, pick};

#[test]
fn shards_of_two_kinds_become_one_proof() {
    let shards = pick(&RUN, &[0, 1, 2, 3, 4]);
    let root = MENU.compress(&TREE, &RUN.common, shards, None, &()).expect("they are linked");
    let verify = |common: &Loaded, first: &State, last: &State| {
        TREE.verify(&*MENU, [&common.parts(), &first.parts(), &last.parts()], &root.proof)
    };
    verify(&RUN.common, RUN.first(), RUN.last()).expect("the run is proven");
    // What the proof says is made of the values, by their names.
    let shape = TREE.shape();
    let [first, last] = [RUN.first(), RUN.last()]
        .map(|state| shape.state::<Goldilocks2>(&state.parts()).expect("a state"));
    let common = shape.common::<Goldilocks2>(&RUN.common.parts());
    let claim = StepValues::claim::<Goldilocks2>(&common.expect("common values"), &first, &last);
    assert_eq!(root.statement.claim, claim);
    assert!(matches!(claim, Claim::Step(_)));

    let refused = |verdict: Result<_, ShardError>| {
        assert!(matches!(verdict, Err(ShardError::Verify(_))), "{verdict:?}");
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
        let (first, last) = (shards[0].before.parts(), shards[shards.len() - 1].after.parts());
        let root = MENU.compress(&TREE, &RUN.common, shards, None, &()).expect("they are linked");
        TREE.verify(&*MENU, [&RUN.common.parts(), &first, &last], &root.proof)
            .expect("it is proven");
    }
}

#[test]
fn shards_that_do_not_follow_each_other_are_not_joined() {
    for numbers in [&[0, 2, 3, 4][..], &[0, 1, 3, 2, 4], &[0, 0], &[0, 4], &[4, 0]] {
        let shards = pick(&RUN, numbers);
        let verdict = MENU.compress(&TREE, &RUN.common, shards, None, &());
        assert!(matches!(verdict, Err(ShardError::Layer(LayerError::Step(_)))), "{numbers:?}");
    }
    let verdict = MENU.compress(&TREE, &RUN.common, Vec::new(), None, &());
    assert!(matches!(verdict, Err(ShardError::Empty)));
    let mut shards = pick(&RUN, &[0, 1]);
    shards[1].kind = 2;
    let verdict = MENU.compress(&TREE, &RUN.common, shards, None, &());
    assert!(matches!(verdict, Err(ShardError::Shard { shard: 1, .. })));
}

#[derive(Default)]
struct Watcher {
    joined: Mutex<Vec<Joined>>,
    is_cancelled: bool,
}

impl Observer for Watcher {
    fn joined(&self, joined: Joined) {
        self.joined.lock().unwrap().push(joined);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
}

#[test]
fn proofs_of_a_tree_are_kept_and_found_again() {
    let folder = std::env::temp_dir().join(format!("chipwright-shards-{}", std::process::id()));
    let store = Store::open(&folder).expect("a folder for temporary files");
    let found = || {
        let watcher = Watcher::default();
        let shards = pick(&RUN, &[3, 4]);
        MENU.compress(&TREE, &RUN.common, shards, Some(&store), &watcher).expect("a proof");
        watcher.joined.into_inner().unwrap().iter().map(|joined| joined.found).collect::<Vec<_>>()
    };
    // Two first layers, one over both, and the last one.
    assert_eq!(found(), [false; 4]);
    assert_eq!(found(), [true; 4]);
    fs::remove_dir_all(&folder).unwrap();

    let shards = pick(&RUN, &[3, 4]);
    let watcher = Watcher { is_cancelled: true, ..Watcher::default() };
    let verdict = MENU.compress(&TREE, &RUN.common, shards, None, &watcher);
    assert!(matches!(verdict, Err(ShardError::Cancelled)));
}

#[test]
fn a_run_becomes_one_proof_while_it_is_executed() {
    let watcher = Watcher::default();
    let start = RUN.first();
    let root = MENU.prove_compressed(&TREE, &crate::PROGRAM, start, None, &watcher);
    let root = root.expect("the run is proven");
    TREE.verify(&*MENU, [&RUN.common.parts(), &start.parts(), &RUN.last().parts()], &root.proof)
        .expect("the run is proven");
    let mut spots: Vec<Spot> =
        watcher.joined.into_inner().unwrap().iter().map(|joined| joined.spot).collect();
    spots.sort_unstable();
    let size = |level| spots.iter().filter(|spot| spot.level == level).count();
    assert_eq!([1, 2, 3, 4, 5].map(size), [5, 3, 2, 1, 0]);
    assert_eq!(root.levels, 4);
}

#[test]
fn a_tree_is_made_of_its_plan_as_far_as_it_is_needed() {
    let plan = TREE.plan().clone();
    let config = Config::testing();
    let (again, verifier) =
        ShardTree::plan_of(&*MENU, TREE.shape(), Some(&plan.layouts), &config, &|_| ())
            .expect("the plan is one of these kinds");
    assert_eq!(again, plan);
    let tree = ShardTree::planned(plan.clone(), 2, TREE.shape().clone(), &config).expect("a plan");
    assert!(tree.top().is_none());
    let shards = pick(&RUN, &[0, 1]);
    let step = [RUN.common.parts(), shards[0].before.parts(), shards[1].after.parts()];
    let step = [&step[0], &step[1], &step[2]];
    let root = MENU.compress(&tree, &RUN.common, shards, None, &()).expect("they are linked");
    verifier.verify(step, &root.proof).expect("two shards");

    // A plan that names other keys makes no proof.
    let mut other = plan.clone();
    let last = other.keys.last_mut().and_then(Option::as_mut).expect("a key");
    last.digest[0] ^= 1;
    let tree = ShardTree::planned(other, 2, TREE.shape().clone(), &config).expect("a plan");
    let verdict = MENU.compress(&tree, &RUN.common, pick(&RUN, &[4]), None, &());
    assert!(matches!(verdict, Err(ShardError::Layer(LayerError::Keys(_)))), "{verdict:?}");
    let root = MENU.compress(&tree, &RUN.common, pick(&RUN, &[0, 1]), None, &());
    let root = root.expect("the key is that of the other kind");
    assert!(matches!(verifier.verify(step, &root.proof), Err(ShardError::Verify(_))));
    // Nor one of other layouts, or with what is no digest.
    let mut other = plan.clone();
    other.layouts.first.log_height += 1;
    let tree = ShardTree::planned(other, 2, TREE.shape().clone(), &config).expect("a plan");
    let verdict = MENU.compress(&tree, &RUN.common, pick(&RUN, &[4]), None, &());
    assert!(verdict.is_err());
    let mut other = plan;
    other.keys[0].as_mut().expect("a key").digest[0] = u64::MAX;
    let verdict = ShardTree::<Goldilocks2>::planned(other, 2, TREE.shape().clone(), &config);
    assert!(matches!(verdict, Err(ShardError::Layer(LayerError::Keys(_)))));
}

#[test]
fn a_verifier_is_read_from_its_bytes() {
    let verifier = TREE.verifier(&*MENU).expect("all circuits are made");
    let bytes = verifier.to_bytes();
    let read = TreeVerifier::<Goldilocks2>::from_bytes(&bytes).expect("a verifier");
    assert_eq!((read.to_bytes(), read.digest()), (bytes.clone(), verifier.digest()));
    let shards = pick(&RUN, &[3, 4]);
    let (first, last) = (shards[0].before.parts(), shards[1].after.parts());
    let root = MENU.compress(&TREE, &RUN.common, shards, None, &()).expect("they are linked");
    let proof = root.proof.to_bytes();
    let verify = |verifier: &TreeVerifier<Goldilocks2>, proof: &[u8]| {
        let proof = verifier.read(proof)?;
        verifier.verify([&RUN.common.parts(), &first, &last], &proof)
    };
    let level = verify(&read, &proof).expect("two shards");
    assert_eq!(level, read.level());
    assert!(verify(&read, &proof[1..]).is_err());

    // Any byte that is altered makes it no verifier, or another one.
    for position in (0..bytes.len()).step_by(bytes.len() / 97) {
        let mut altered = bytes.clone();
        altered[position] ^= 1;
        if let Ok(other) = TreeVerifier::<Goldilocks2>::from_bytes(&altered) {
            assert_ne!(other.digest(), verifier.digest());
            assert!(verify(&other, &proof).is_err(), "byte {position}");
        }
    }
    assert!(TreeVerifier::<Goldilocks2>::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(TreeVerifier::<Goldilocks2>::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
}
