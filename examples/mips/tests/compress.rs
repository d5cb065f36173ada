//! Runs become one proof, which the program's key and the key of the last circuit verify.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use chipwright_backend_stark::config::Config;
use chipwright_mips::prove::compress::{self, CompressedProof, Tree, Verifier, verify_compressed};
use chipwright_mips::prove::menu::Kind;
use chipwright_mips::prove::{
    CoreProof, MipsProver, Options, Outcome, Progress, Shard, VerifyError, VerifyingKey,
};
use chipwright_mips::{Input, Program};
use chipwright_mips_isa::{A0, A1, Assembler, T0, T1, V0, ZERO};
use chipwright_recursion::shard::{Joined, ShardError, Spot};
use chipwright_recursion::store::Store;

/// Few queries: what is proven is not worth much, but by the same circuits otherwise.
static PROVER: LazyLock<MipsProver> = LazyLock::new(|| {
    // Fewer kinds than the release has: each is a circuit.
    let prover = MipsProver::new(Config::testing()).expect("the chips fit together");
    prover.with_kinds(&["small", "general-13"])
});

static TREE: LazyLock<(Tree, Verifier)> = LazyLock::new(|| {
    let shape = PROVER.keys(0).expect("a kind").shape().clone();
    let config = Config::testing();
    let (plan, verifier) =
        Tree::plan_of(&*PROVER, &shape, None, &config, &|_| ()).expect("there are circuits");
    let tree = Tree::planned(plan, 2, shape, &config).expect("the plan is sound");
    (tree, verifier)
});

/// Counts down, commits to a word, and ends with exit code 9.
fn program(word: u32) -> Program {
    let mut asm = Assembler::new();
    asm.routine("main");
    asm.li(T0, 0x2000);
    asm.lw(A1, 0, T0);
    asm.li(T1, 5);
    let next = asm.here();
    asm.addiu(T1, T1, -1);
    asm.bne(T1, ZERO, next);
    asm.sw(T1, 4, T0);
    asm.li(A0, 2);
    asm.li(V0, 0x10);
    asm.syscall(0);
    asm.li(A0, 9);
    asm.li(V0, 0);
    asm.syscall(0);
    let code = asm.finish(0x1000).expect("labels have places");
    Program::assembled(&code, (0x2000, &[word])).expect("the program is sound")
}

fn key() -> VerifyingKey {
    PROVER.setup(&program(7))
}

/// Delays leaves and nodes, and remembers the latter.
#[derive(Default)]
struct Watch {
    spots: Mutex<Vec<(Spot, bool)>>,
    delays: bool,
}

impl Watch {
    fn delay(&self, number: usize) {
        if self.delays {
            std::thread::sleep(Duration::from_millis((number * 7919 % 5) as u64 * 40));
        }
    }

    /// The number of nodes by level.
    fn layers(&self) -> Vec<usize> {
        let spots = self.spots.lock().unwrap();
        let top = spots.iter().map(|(spot, _)| spot.level).max().unwrap_or(0);
        let count = |level| spots.iter().filter(|(spot, _)| spot.level == level).count();
        (1..=top).map(count).collect()
    }
}

impl Progress for Watch {
    fn proven(&self, shard: &Shard, _: &Kind) {
        self.delay(7 - shard.number % 7);
    }

    fn joined(&self, Joined { spot, found }: Joined) {
        self.spots.lock().unwrap().push((spot, found));
        self.delay(spot.index + spot.level);
    }
}

/// The proof of the run in shards of so many instructions.
fn compressed(word: u32, shard: u64, watch: &Watch) -> CompressedProof {
    let options = Options { shard, ..Options::default() };
    let (program, input) = (program(word), Input::default());
    let proof = PROVER.prove_compressed(&TREE.0, (&program, &input), &options, None, (), watch);
    proof.expect("the run is proven")
}

static PROOF: LazyLock<CompressedProof> = LazyLock::new(|| compressed(7, 10, &Watch::default()));

fn verified(proof: &CompressedProof) -> Result<Outcome, VerifyError> {
    verify_compressed(&TREE.1, &key(), proof)
}

#[test]
fn m_22_any_number_of_shards_becomes_one_proof() {
    let outcome = verified(&PROOF).expect("the run is proven");
    assert_eq!((outcome.exit_code, outcome.instructions), (9, 24));
    assert_eq!(outcome.committed.map(Option::unwrap_or_default), [0, 0, 7, 0, 0, 0, 0, 0]);
    for (shard, layers) in [(24, &[1, 1, 1][..]), (12, &[2, 1, 1]), (5, &[5, 3, 2, 1])] {
        let watch = Watch { delays: true, ..Watch::default() };
        let proof = compressed(7, shard, &watch);
        assert_eq!(watch.layers(), layers, "shards of {shard} instructions");
        // The end is the same, however the run was cut; and so is the proof's size, but for the encoding of numbers.
        assert_eq!(verified(&proof).expect("the run is proven"), outcome);
        assert_eq!((proof.end, &proof.committed), (PROOF.end, &PROOF.committed));
        let (one, two) = (proof.to_bytes().len(), PROOF.to_bytes().len());
        assert!(one.abs_diff(two) * 50 < two, "{one} and {two} bytes");
    }
}

#[test]
fn m_20_proofs_of_shards_are_compressed_when_the_run_is_over() {
    let options = Options { shard: 10, ..Options::default() };
    let core = |word| {
        let proof = PROVER.prove_core(&program(word), &Input::default(), &options);
        proof.expect("the run is proven")
    };
    let compress = |proof: &CoreProof| PROVER.compress(&TREE.0, &key(), proof, &options, None, &());
    let (proof, other) = (core(7), core(8));
    let made = compress(&proof).expect("the shards follow each other");
    assert_eq!(made, *PROOF);

    let refused = |change: &dyn Fn(&mut CoreProof)| {
        let mut proof = proof.clone();
        change(&mut proof);
        match compress(&proof) {
            Err(error) => error.to_string(),
            // What is proven is something else.
            Ok(made) => verified(&made).expect_err("another run").to_string(),
        }
    };
    // Left out, doubled, swapped, spliced, and without its end.
    refused(&|proof| drop(proof.shards.remove(1)));
    refused(&|proof| proof.shards.insert(1, proof.shards[1].clone()));
    refused(&|proof| proof.shards.swap(0, 1));
    refused(&|proof| proof.shards[1] = other.shards[1].clone());
    let error = refused(&|proof| drop(proof.shards.pop()));
    assert!(error.starts_with("the run does not end"), "{error}");
    let error = refused(&|proof| proof.shards.clear());
    assert_eq!(error, "there are no shards, so nothing is proven");
    let error = refused(&|proof| proof.shards[1].kind = 200);
    assert_eq!(error, "shard 1: the shard is of kind 200, the menu has 2 kinds");
    let error = refused(&|proof| proof.shards[2].proof.truncate(100));
    assert!(error.starts_with("shard 2: "), "{error}");
}

#[test]
fn m_27_every_number_of_the_last_state_is_bound() {
    let changes: [fn(&mut CompressedProof); 9] = [
        |proof| proof.end.halted = 0,
        |proof| proof.end.halted = 2,
        |proof| proof.end.pc = 0,
        |proof| proof.end.next_pc += 4,
        |proof| proof.end.clk += 1,
        |proof| proof.end.memory[3] ^= 1,
        // The same element of the field, written otherwise.
        |proof| proof.end.clk += 0xffff_ffff_0000_0001,
        |proof| proof.committed.words[2] += 1,
        |proof| proof.committed.siblings[3][1][2] ^= 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut proof = PROOF.clone();
        change(&mut proof);
        assert!(verified(&proof).is_err(), "change {number}");
    }
}

#[test]
fn m_26_a_proof_is_one_of_its_program_alone() {
    let verify = |key: &VerifyingKey| verify_compressed(&TREE.1, key, &PROOF);
    verify(&key()).expect("the run is proven");
    assert!(verify(&PROVER.setup(&program(8))).is_err());
    for change in [
        (|key: &mut VerifyingKey| key.text[0] ^= 1) as fn(&mut VerifyingKey),
        |key| key.image[0] ^= 1,
        |key| key.entry += 4,
    ] {
        let mut key = key();
        change(&mut key);
        assert!(verify(&key).is_err());
    }
}

#[test]
fn m_28_a_run_that_goes_on_is_no_complete_one() {
    // A prefix of the run, whose proof is as sound as that of the whole.
    let options = Options { shard: 10, ..Options::default() };
    let proof = PROVER.prove_core(&program(7), &Input::default(), &options);
    let mut proof = proof.expect("the run is proven");
    proof.shards.pop();
    let made = PROVER.compress(&TREE.0, &key(), &proof, &options, None, &());
    let made = made.expect("two shards follow each other");
    assert!(matches!(verified(&made), Err(VerifyError::NotHalted { .. })));
    // It is not the whole run, whatever it is said to end in.
    let forged = CompressedProof { proof: made.proof, ..PROOF.clone() };
    let error = verified(&forged).expect_err("the proof is that of a prefix");
    assert!(matches!(error, VerifyError::Root(ShardError::Verify(_))), "{error}");
}

#[test]
fn m_29_another_verifier_accepts_nothing() {
    // The layers of the release have other keys, and so has a tree of other kinds.
    assert!(verify_compressed(compress::verifier(), &key(), &PROOF).is_err());
    let shape = PROVER.keys(0).expect("a kind").shape().clone();
    let prover = MipsProver::new(Config::testing()).expect("the chips fit together");
    let other = prover.with_kinds(&["small"]);
    let (_, verifier) = Tree::plan_of(&other, &shape, None, &Config::testing(), &|_| ()).unwrap();
    assert!(verify_compressed(&verifier, &key(), &PROOF).is_err());
}

#[test]
fn no_byte_of_a_compressed_proof_can_be_another() {
    let bytes = PROOF.to_bytes();
    assert_eq!(CompressedProof::from_bytes(&bytes).as_ref(), Ok(&*PROOF));
    let step = (bytes.len() / 200).max(1) | 1;
    let places: Vec<usize> =
        (0..bytes.len()).step_by(step).chain([0, 15, bytes.len() - 1]).collect();
    for &at in &places {
        let mut other = bytes.clone();
        other[at] ^= 4;
        let verdict = CompressedProof::from_bytes(&other).map(|proof| verified(&proof));
        assert!(!matches!(verdict, Ok(Ok(_))), "byte {at} of {} may be another", bytes.len());
    }
    println!("{} bytes altered, one at a time", places.len());
    for length in [0, 10, 16, bytes.len() / 2, bytes.len() - 1] {
        assert!(CompressedProof::from_bytes(&bytes[..length]).is_err());
    }
    assert!(CompressedProof::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn proofs_below_the_one_are_kept_and_found_again() {
    let folder = std::env::temp_dir().join(format!("chipwright-mips-{}", std::process::id()));
    let store = Store::open(&folder).expect("a folder for temporary files");
    let options = Options { shard: 12, ..Options::default() };
    let (program, input) = (program(7), Input::default());
    let found = || {
        let watch = Watch::default();
        let run = (&program, &input);
        let proof = PROVER.prove_compressed(&TREE.0, run, &options, Some(&store), (), &watch);
        verified(&proof.expect("the run is proven")).expect("it is proven");
        watch.spots.into_inner().unwrap().iter().filter(|(_, found)| *found).count()
    };
    assert_eq!(found(), 0);
    assert_eq!(found(), 4);
    // A file that was cut off costs the time of proving it again.
    let file = std::fs::read_dir(&folder).unwrap().next().expect("a file").unwrap().path();
    let kept = std::fs::read(&file).unwrap();
    std::fs::write(&file, &kept[..kept.len() / 2]).unwrap();
    assert_eq!(found(), 3);
    assert_eq!(std::fs::read(&file).unwrap(), kept);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_keys_of_the_release_are_those_of_its_circuits() {
    // Those of all kinds are computed by `mips keys`, which takes a minute; here is the first of them.
    let prover = MipsProver::new(Config::fast_100()).expect("the chips fit together");
    let tree = prover.tree(compress::plan()).expect("the plan is one of the menu");
    let verifier = tree.verifier(&prover).expect("the circuits fit into their layouts");
    assert_eq!(verifier.to_bytes(), compress::VERIFIER);
    assert_eq!(verifier.digest(), compress::verifier().digest());
    let first = tree.over(&prover, 0).expect("a kind");
    let digest = chipwright_recursion::keys::key_digest(first.key());
    let digest = digest.map(|element| p3_field::PrimeField64::as_canonical_u64(&element));
    let keys = compress::plan().keys;
    assert!(keys.iter().flatten().any(|key| key.digest == digest));
    assert_eq!(keys.iter().flatten().count(), prover.menu().len() + 1 + tree.height(1) - 2);
    // Whoever verifies is told what it is worth.
    assert!(verifier.level().proven >= 100, "{}", verifier.level());
}
