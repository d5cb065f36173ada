//! Runs are proven shard by shard, and verified by the program's key.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use chipwright_backend_stark::config::Config;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{check, fill};
use chipwright_mips::machine::machine;
use chipwright_mips::prove::menu::{Kind, menu};
use chipwright_mips::prove::{
    CoreProof, MipsProver, Options, Outcome, Progress, ReadError, Shard, ShardProof, VerifyError,
    VerifyingKey,
};
use chipwright_mips::{Executor, Input, Program};
use chipwright_mips_isa::{A0, A1, Assembler, RA, S0, S1, T0, T1, T2, V0, ZERO};
use chipwright_recursion::shard::Named;

static PROVER: LazyLock<MipsProver> =
    LazyLock::new(|| MipsProver::new(Config::testing()).expect("the chips fit together"));

/// Sums three words in a routine that is called for each, and commits to the sum.
fn program(words: [u32; 3]) -> Program {
    let mut asm = Assembler::new();
    asm.routine("main");
    let add = asm.label();
    asm.li(S0, 0x2000);
    asm.addiu(S1, S0, 12);
    asm.addu(T0, ZERO, ZERO);
    let next = asm.here();
    asm.jal(add);
    asm.lw(T1, 0, S0);
    asm.addiu(S0, S0, 4);
    asm.bne(S0, S1, next);
    asm.sw(T0, -4, S0);
    asm.li(A0, 2);
    asm.addu(A1, T0, ZERO);
    asm.li(V0, 0x10);
    asm.syscall(0);
    asm.li(A0, 9);
    asm.li(V0, 0);
    asm.syscall(0);
    asm.routine("add");
    asm.place(add);
    asm.addu(T0, T0, T1);
    asm.sll(T2, T0, 3);
    asm.jr(RA);
    asm.xor(T0, T0, T2);
    let code = asm.finish(0x1000).expect("labels have places");
    Program::assembled(&code, (0x2000, &words)).expect("the program is sound")
}

/// So many instructions has a shard of [`PROOF`]: the first ends behind a call, the second behind a return, each in front
/// of a delay slot.
const SHARD: u64 = 13;

/// With so many, the first ends behind a branch that is taken, the second behind a call.
const OTHER_SHARD: u64 = 11;

fn key() -> VerifyingKey {
    PROVER.setup(&program([3, 1, 4]))
}

fn proven(program: &Program, shard: u64) -> CoreProof {
    let options = Options { shard, ..Options::default() };
    PROVER.prove_core(program, &Input::default(), &options).expect("the run is proven")
}

static PROOF: LazyLock<CoreProof> = LazyLock::new(|| proven(&program([3, 1, 4]), SHARD));

/// The proof of another run: of a program with the same text and other data.
static OTHER: LazyLock<CoreProof> = LazyLock::new(|| proven(&program([2, 7, 1]), SHARD));

fn verified(proof: &CoreProof) -> Result<Outcome, VerifyError> {
    PROVER.verify_core(&key(), proof)
}

/// A proof with something changed.
fn changed(change: impl FnOnce(&mut CoreProof)) -> CoreProof {
    let mut proof = PROOF.clone();
    change(&mut proof);
    assert_ne!(proof, *PROOF);
    proof
}

#[test]
fn m_04_a_run_is_proven_in_shards_of_any_length() {
    let whole = proven(&program([3, 1, 4]), u64::MAX >> 1);
    assert_eq!(whole.shards.len(), 1);
    let whole = PROVER.verify_core(&key(), &whole).expect("one shard");
    assert_eq!((whole.exit_code, whole.committed.iter().flatten().count()), (9, 1));
    assert_eq!(PROOF.shards.len() as u64, whole.instructions.div_ceil(SHARD));
    let proof = CoreProof::from_bytes(&PROOF.to_bytes()).expect("it reads back");
    assert_eq!(verified(&proof).expect("all shards"), whole);
    let other = proven(&program([3, 1, 4]), OTHER_SHARD);
    assert_eq!(verified(&other).expect("all shards"), whole);
    for proof in [&PROOF, &other] {
        let slots = proof.shards.iter().take(2);
        assert!(slots.into_iter().all(|shard| shard.to.next_pc != shard.to.pc + 4));
    }
}

/// Delays shards, so that later ones are done before earlier ones.
struct Delays;

impl Progress for Delays {
    fn proven(&self, shard: &Shard, _: &Kind) {
        std::thread::sleep(Duration::from_millis(40 * (4 - shard.number as u64 % 4)));
    }
}

#[test]
fn m_09_shards_are_proven_at_once_and_in_any_order() {
    let (program, input) = (program([3, 1, 4]), Input::default());
    for at_once in [1, 2, 5] {
        let options = Options { shard: SHARD, at_once, ..Options::default() };
        let proof = PROVER.prove_with_context(&program, &input, &options, (), &Delays);
        assert!(proof.expect("the run is proven") == *PROOF, "{at_once} at once");
    }
    // The last one first.
    let options = Options { shard: SHARD, ..Options::default() };
    let shards: Result<Vec<Shard>, _> = PROVER.shards(&program, &input, &options, ()).collect();
    for shard in shards.expect("it can be cut").iter().rev() {
        let proof = PROVER.prove_shard(&program, &input, shard).expect("the shard is proven");
        assert!(proof == PROOF.shards[shard.number]);
    }
}

/// Remembers how long a run is said to be.
#[derive(Default)]
struct Many(Mutex<Vec<u64>>);

impl Progress for Many {
    fn has_many(&self, instructions: u64) {
        self.0.lock().unwrap().push(instructions);
    }
}

#[test]
fn m_08_a_run_of_many_instructions_is_told_of_once() {
    let (program, input) = (program([3, 1, 4]), Input::default());
    for (many, told) in [(20, &[2 * SHARD][..]), (1000, &[])] {
        let options = Options { shard: SHARD, many, ..Options::default() };
        let watch = Many::default();
        PROVER.prove_with_context(&program, &input, &options, (), &watch).expect("it is proven");
        assert_eq!(*watch.0.lock().unwrap(), told);
    }
}

#[test]
fn m_19_no_part_of_a_shards_proof_can_be_another() {
    let shard = &PROOF.shards[1];
    let keys = PROVER.keys(usize::from(shard.kind)).expect("a kind");
    let (before, common) = (PROOF.shards[0].to, key().common());
    let verify = |bytes: &[u8]| {
        let proof = keys.read(bytes)?;
        keys.verify([&common, &before.parts(), &shard.to.parts()], &proof)
    };
    verify(&shard.proof).expect("the shard is proven");
    // Commitments come first, openings and the rounds of FRI later: some bytes of each.
    let bytes = shard.proof.len();
    let places: Vec<usize> = (0..200).chain((200..bytes).step_by(bytes / 400 + 1)).collect();
    for &at in &places {
        let mut other = shard.proof.clone();
        other[at] ^= 1;
        assert!(verify(&other).is_err(), "byte {at} of {bytes} may be another");
    }
    println!("{} bytes altered, one at a time", places.len());
}

#[test]
fn m_05_a_run_may_be_cut_at_any_instruction() {
    let (program, input) = (program([3, 1, 4]), Input::default());
    let machine = machine().expect("the chips fit together");
    let options = Options { shard: 1, ..Options::default() };
    let mut slots = 0;
    let mut before = key().start();
    let mut shards = PROVER.shards(&program, &input, &options, ());
    for shard in shards.by_ref() {
        let shard = shard.expect("one instruction has room");
        assert_eq!(shard.from, before);
        slots += u64::from(before.next_pc != before.pc + 4);
        let trace = fill::<Goldilocks2>(&machine, &shard.input(&program, &input).unwrap()).unwrap();
        let report = check::<Goldilocks2>(&machine, &trace);
        assert!(report.is_ok(), "instruction {}: {report}", shard.number);
        before = shard.to;
    }
    // Behind three calls, three returns, and two branches that are taken.
    assert_eq!(slots, 8);
    let mut executor = Executor::new(&program, &input);
    assert_eq!(executor.run(1000, &mut ()).expect("it ends"), 9);
    assert_eq!((before.halted, before.pc, before.clk), (1, 9, executor.state().clock));
}

#[test]
fn m_05_shards_that_do_not_follow_each_other_are_refused() {
    let refused = |proof: CoreProof| verified(&proof).expect_err("the proof is forged").to_string();
    for shard in 0..PROOF.shards.len() {
        refused(changed(|proof| drop(proof.shards.remove(shard))));
        refused(changed(|proof| proof.shards.insert(shard, PROOF.shards[shard].clone())));
    }
    refused(changed(|proof| proof.shards.swap(0, 1)));
    refused(changed(|proof| proof.shards.swap(1, 2)));
    for shard in 0..PROOF.shards.len() {
        refused(changed(|proof| proof.shards[shard] = OTHER.shards[shard].clone()));
    }
    let error = refused(changed(|proof| drop(proof.shards.pop())));
    assert!(error.starts_with("the run does not end"), "{error}");
    let error = refused(changed(|proof| proof.shards.clear()));
    assert_eq!(error, "the proof has no shards");
    let error = refused(changed(|proof| proof.shards.push(PROOF.shards[0].clone())));
    assert!(error.ends_with("follows the end of the program"), "{error}");
}

#[test]
fn m_27_every_number_of_a_state_between_shards_is_bound() {
    let changes: [fn(&mut ShardProof); 6] = [
        |shard| shard.to.halted ^= 1,
        |shard| shard.to.pc += 4,
        |shard| shard.to.next_pc += 4,
        |shard| shard.to.clk += 1,
        |shard| shard.to.memory[3] ^= 1,
        // The same element of the field, written otherwise.
        |shard| shard.to.clk += 0xffff_ffff_0000_0001,
    ];
    for shard in 0..PROOF.shards.len() {
        for change in changes {
            let proof = changed(|proof| change(&mut proof.shards[shard]));
            assert!(verified(&proof).is_err());
        }
    }
}

#[test]
fn m_02_a_proof_is_one_of_its_program_alone() {
    assert!(PROVER.verify_core(&PROVER.setup(&program([3, 1, 5])), &PROOF).is_err());
    for change in [
        (|key: &mut VerifyingKey| key.text[0] ^= 1) as fn(&mut VerifyingKey),
        |key| key.image[0] ^= 1,
        |key| key.entry += 4,
    ] {
        let mut key = key();
        change(&mut key);
        assert!(PROVER.verify_core(&key, &PROOF).is_err());
    }
    // One bit of text or data changes the key.
    assert_eq!(key().text, PROVER.setup(&program([3, 1, 5])).text);
    assert_ne!(key().image, PROVER.setup(&program([3, 1, 5])).image);
}

#[test]
fn committed_words_are_those_of_the_last_state() {
    let committed = verified(&PROOF).expect("the proof is sound").committed;
    assert_eq!(committed.iter().position(Option::is_some), Some(2));
    for word in 0..16 {
        let proof = changed(|proof| proof.committed.words[word] += 1);
        assert!(matches!(verified(&proof), Err(VerifyError::Committed)));
    }
    for level in 0..PROOF.committed.siblings.len() {
        let proof = changed(|proof| proof.committed.siblings[level][1][2] ^= 1);
        assert!(matches!(verified(&proof), Err(VerifyError::Committed)));
    }
    let proof = changed(|proof| proof.committed.siblings.truncate(3));
    assert!(matches!(verified(&proof), Err(VerifyError::Committed)));
    // An element that is not canonical.
    let proof = changed(|proof| proof.committed.words[0] += 0xffff_ffff_0000_0001);
    assert!(matches!(verified(&proof), Err(VerifyError::Committed)));
}

#[test]
fn m_10_no_byte_of_a_proof_can_be_another() {
    let bytes = PROOF.to_bytes();
    let step = (bytes.len() / 40).max(1) | 1;
    for at in (0..bytes.len()).step_by(step).chain([0, 15, bytes.len() - 1]) {
        let mut other = bytes.clone();
        other[at] ^= 4;
        let verdict = CoreProof::from_bytes(&other).map(|proof| verified(&proof));
        assert!(!matches!(verdict, Ok(Ok(_))), "byte {at} of {} may be another", bytes.len());
    }
    for length in [0, 10, 16, bytes.len() / 2, bytes.len() - 1] {
        assert!(CoreProof::from_bytes(&bytes[..length]).is_err());
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(CoreProof::from_bytes(&longer), Err(ReadError::NotCanonical));
    let kind = changed(|proof| proof.shards[0].kind = 200);
    assert!(matches!(verified(&kind), Err(VerifyError::Kind { kind: 200, .. })));
    let kind = changed(|proof| proof.shards[0].kind += 1);
    assert!(verified(&kind).is_err());
}

#[test]
fn keys_read_back_and_no_other_bytes_do() {
    let bytes = key().to_bytes();
    assert!(bytes.len() <= 120, "{} bytes", bytes.len());
    assert_eq!(VerifyingKey::from_bytes(&bytes), Ok(key()));
    assert_eq!(VerifyingKey::from_bytes(b"something else"), Err(ReadError::Magic));
    for length in 0..bytes.len() {
        assert!(VerifyingKey::from_bytes(&bytes[..length]).is_err());
    }
    let mut key = key();
    key.text[0] = u64::MAX;
    assert_eq!(VerifyingKey::from_bytes(&key.to_bytes()), Err(ReadError::Malformed));
}

#[test]
fn every_kind_of_the_menu_can_be_proven() {
    for kind in 0..PROVER.menu().len() {
        PROVER.keys(kind).expect("the kind has keys");
    }
}

#[test]
fn the_mix_sums_to_a_hundred_and_names_chips() {
    let mix = chipwright_mips::prove::cells::mix();
    let sum: f64 = mix.iter().map(|share| share.percent).sum();
    assert!((sum - 100.0).abs() < 1e-9, "{sum}");
    for share in &mix {
        let known = chipwright_mips::machine::instruction::INSTRUCTIONS;
        assert!(known.iter().any(|chip| (chip.name)() == share.chip), "`{}`", share.chip);
    }
}

#[test]
fn every_kind_of_the_menu_is_a_layout_of_the_machine() {
    let machine = machine().expect("the chips fit together");
    for entry in menu() {
        let chips = entry.copies.keys().chain(entry.apart.keys());
        for chip in chips {
            assert!(machine.position(chip).is_some(), "`{}` has a chip `{chip}`", entry.name);
        }
    }
    for kind in PROVER.menu() {
        kind.layout.check(&machine).expect("the layout fits");
        let text = kind.layout.to_string();
        assert_eq!(text.parse().as_ref(), Ok(&kind.layout));
        assert!(kind.rows().iter().all(|&rows| rows > 0), "`{}`: {text}", kind.name);
    }
}
