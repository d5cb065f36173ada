//! Shards one after the other: each is a step, and starts where the one before ends.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chipwright_backend_stark::machine::MachineError;
use chipwright_recursion::shard::{Observer, ProvenShard, ShardError, VirtualMachine};

use crate::vm::{Loaded, Op, StackMachine, State};
use crate::{MENU, OTHER, PROGRAM, RUN, Run, copy, pick};

type Shards = Vec<ProvenShard<StackMachine>>;

fn verify(shards: &Shards) -> Result<(), ShardError> {
    MENU.verify(&RUN.common, RUN.first(), RUN.last(), shards)
}

/// Whether the proof of a shard was looked at, and rejected.
fn is_rejected(verdict: &Result<(), ShardError>, number: usize) -> bool {
    let Err(ShardError::Shard { shard, error }) = verdict else { return false };
    let ShardError::Machine { error, .. } = &**error else { return false };
    *shard == number && matches!(**error, MachineError::Verify(_))
}

#[test]
fn a_run_is_proven_in_shards_of_two_kinds() {
    let kinds: Vec<usize> = RUN.shards.iter().map(|shard| shard.kind).collect();
    assert_eq!(kinds, [0, 0, 0, 0, 1]);
    let power = (0..66).fold(1_u128, |power, _| power * 3 % 0xffff_ffff_0000_0001);
    assert_eq!(*RUN.last(), State { pc: 10, stack: [0, power as u64, 0, 0] });
    verify(&RUN.shards).expect("the shards are proven");
}

#[test]
fn a_shard_that_is_left_out_exchanged_or_repeated_is_refused() {
    for (numbers, apart) in [
        (&[0, 2, 3, 4][..], 1),
        (&[0, 1, 3, 2, 4], 2),
        (&[0, 1, 1, 2, 3, 4], 2),
        (&[0, 1, 2, 4], 3),
    ] {
        let verdict = verify(&pick(&RUN, numbers));
        assert!(
            matches!(verdict, Err(ShardError::Apart(found)) if found == apart),
            "{numbers:?}: {verdict:?}"
        );
    }
    let verdict = verify(&pick(&RUN, &[1, 2, 3, 4]));
    assert!(matches!(verdict, Err(ShardError::Start)), "{verdict:?}");
    let verdict = verify(&pick(&RUN, &[0, 1, 2, 3]));
    assert!(matches!(verdict, Err(ShardError::End)), "{verdict:?}");
    let verdict = verify(&Vec::new());
    assert!(matches!(verdict, Err(ShardError::Empty)), "{verdict:?}");
}

#[test]
fn a_shard_said_to_go_where_it_does_not_is_refused() {
    // The states are said to fit, the proofs are those of others.
    let mut shards = pick(&RUN, &[0, 2, 3, 4]);
    shards[1].before = shards[0].after.clone();
    let verdict = verify(&shards);
    assert!(is_rejected(&verdict, 1), "{verdict:?}");

    let mut shards = pick(&RUN, &[0, 1, 2, 3, 4]);
    shards.swap(1, 2);
    let states = [&RUN.shards[1], &RUN.shards[2]].map(|shard| (&shard.before, &shard.after));
    for (shard, (before, after)) in shards[1..3].iter_mut().zip(states) {
        (shard.before, shard.after) = (before.clone(), after.clone());
    }
    let verdict = verify(&shards);
    assert!(is_rejected(&verdict, 1), "{verdict:?}");

    // A shard of a run from another start.
    let other = Run::new(&PROGRAM, 67);
    let mut shards = pick(&RUN, &[0, 1, 2, 3, 4]);
    shards[2].proof = copy(&other.shards[2]).proof;
    let verdict = verify(&shards);
    assert!(is_rejected(&verdict, 2), "{verdict:?}");
}

#[test]
fn shards_have_their_program_in_common() {
    let other = StackMachine.common(&OTHER, RUN.first());
    assert_ne!(other, RUN.common);
    let verdict = MENU.verify(&other, RUN.first(), RUN.last(), &RUN.shards);
    assert!(is_rejected(&verdict, 0), "{verdict:?}");
    // A shard of another program between those of this one, from the same state to the same state.
    let spliced = Run::new(&OTHER, 66);
    let mut shards = pick(&RUN, &[0, 1, 2, 3, 4]);
    shards[1] = copy(&spliced.shards[1]);
    assert_eq!(shards[1].after, RUN.shards[1].after);
    let verdict = verify(&shards);
    assert!(is_rejected(&verdict, 1), "{verdict:?}");
}

#[test]
fn a_shard_of_another_kind_or_of_none_is_refused() {
    let mut shards = pick(&RUN, &[0, 1, 2, 3, 4]);
    shards[1].kind = 1;
    let verdict = verify(&shards);
    assert!(matches!(&verdict, Err(ShardError::Shard { shard: 1, .. })), "{verdict:?}");
    shards[1].kind = 2;
    let Err(ShardError::Shard { shard: 1, error }) = verify(&shards) else {
        panic!("there is no third kind")
    };
    assert!(matches!(*error, ShardError::Kind { kind: 2, kinds: 2 }), "{error}");
}

#[test]
fn a_trace_that_breaks_a_rule_gives_no_proof_of_a_shard() {
    let start = State { pc: 0, stack: [9, 0, 0, 0] };
    let common = StackMachine.common(&PROGRAM, &start);
    let shard = StackMachine.shards(&PROGRAM, &start).next().expect("a shard").expect("it runs");
    let (before, mut after) = StackMachine.states(&shard);
    after.stack[1] += 1;
    let kind = MENU.kind(StackMachine.kind(&shard)).expect("a kind of the menu");
    let step = [
        &chipwright_recursion::shard::Named::parts(&common),
        &chipwright_recursion::shard::Named::parts(&before),
        &chipwright_recursion::shard::Named::parts(&after),
    ];
    let rows = StackMachine.rows(&PROGRAM, &start, &shard).expect("they are made");
    let trace = kind.trace(rows, step).expect("it is filled");
    assert!(!kind.check(&trace).is_ok());
    let proof = kind.prove(trace).expect("anything can be tried");
    let verdict = kind.verify(step, &proof);
    assert!(matches!(verdict, Err(ShardError::Machine { .. })), "{verdict:?}");
}

#[test]
fn values_that_are_not_canonical_are_refused() {
    let mut shards = pick(&RUN, &[0, 1, 2, 3, 4]);
    // One value with two names.
    shards[4].after.stack[0] = 0xffff_ffff_0000_0001;
    let last = shards[4].after.clone();
    let verdict = MENU.verify(&RUN.common, RUN.first(), &last, &shards);
    let Err(ShardError::Shard { shard: 4, error }) = verdict else { panic!("{verdict:?}") };
    assert!(matches!(*error, ShardError::Parts(_)), "{error}");
}

/// Counts, and stops after some shards.
struct Watcher {
    executed: Mutex<Vec<(usize, usize)>>,
    proven: AtomicUsize,
    most: usize,
}

impl Watcher {
    fn new(most: usize) -> Self {
        Self { executed: Mutex::default(), proven: AtomicUsize::new(0), most }
    }
}

impl Observer for Watcher {
    fn executed(&self, shard: usize, kind: usize) {
        self.executed.lock().unwrap().push((shard, kind));
    }

    fn proven(&self, _: usize) {
        self.proven.fetch_add(1, Ordering::SeqCst);
    }

    fn is_cancelled(&self) -> bool {
        self.proven.load(Ordering::SeqCst) >= self.most
    }
}

#[test]
fn an_observer_is_told_and_may_stop() {
    let watcher = Watcher::new(usize::MAX);
    let again = MENU.prove(&PROGRAM, RUN.first(), &watcher).expect("the run is proven");
    let mut executed = watcher.executed.into_inner().unwrap();
    executed.sort_unstable();
    assert_eq!(executed, [(0, 0), (1, 0), (2, 0), (3, 0), (4, 1)]);
    // The same proofs, whatever the threads did.
    for (one, two) in again.iter().zip(&RUN.shards) {
        assert_eq!(one.proof.to_bytes(), two.proof.to_bytes());
    }

    let verdict = MENU.prove(&PROGRAM, RUN.first(), &Watcher::new(1));
    assert!(matches!(verdict, Err(ShardError::Cancelled)));
}

#[test]
fn a_run_that_cannot_go_on_says_where() {
    let astray = [(Op::Push, 1), (Op::Jump, 9)];
    let verdict = MENU.prove(&astray, &State { pc: 0, stack: [0; 4] }, &());
    let Err(ShardError::Execution { shard: 0, error }) = verdict else { panic!("{verdict:?}") };
    assert_eq!(error.to_string(), "there is no instruction at 9");
    assert_ne!(StackMachine.common(&astray, RUN.first()), Loaded([0; 4]));
}
