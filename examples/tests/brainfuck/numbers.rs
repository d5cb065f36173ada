//! Numbers in the files of proofs: none is reduced, and none bounds a loop before it is compared with what the verifier
//! knows.

use std::time::{Duration, Instant};

use chipwright_backend_stark::machine::MachineError;
use chipwright_examples::brainfuck::{
    Compressed, Engine, Options, Program, Proof, ProveOptions, ReadError, Shape, State,
    VerifyError, machine, prove, verify, verify_compressed,
};
use chipwright_ir::machine::{FillError, MachineInput};

use crate::forging::options;

const MODULUS: u64 = machine::FIELD.modulus();

/// The time in which a number from a file is refused.
const AT_ONCE: Duration = Duration::from_millis(100);

struct Case {
    program: Program,
    output: Vec<u8>,
    options: ProveOptions,
    proof: Proof,
}

impl Case {
    fn new(source: &str) -> Self {
        let program = Program::compile(source).expect("the program compiles");
        let options = ProveOptions { log_cycles: 5, ..options() };
        let (proof, run) = prove(&program, b"", &options).expect("the run is proven");
        let case = Self { program, output: run.output, options, proof };
        case.verify(&case.proof).expect("the honest proof is verified");
        case
    }

    fn verify(&self, proof: &Proof) -> Result<(), VerifyError> {
        verify(&self.program, b"", &self.output, proof, &self.options)
    }

    fn verify_compressed(&self, proof: &Compressed) -> Result<(), VerifyError> {
        verify_compressed(&self.program, b"", &self.output, proof, &self.options)
    }
}

/// A compressed proof of the same run, of whose bytes nothing is asked before its numbers are found to be possible.
fn compressed(proof: &Proof) -> Compressed {
    let Proof { claim, shape, read, .. } = *proof;
    let end = proof.segments.last().expect("the run has cycles").end;
    Compressed { claim, shape, read, end, proof: Some(vec![0; 1000]) }
}

/// A state with one of its numbers raised by the modulus, if that is a number of 64 bits.
fn raised(state: State, place: usize) -> Option<State> {
    let mut state = state;
    let State { clk, ip, mp, memory, input, output } = &mut state;
    let number = [clk, ip, mp].into_iter().chain(memory).chain(input).chain(output).nth(place)?;
    *number = number.checked_add(MODULUS)?;
    Some(state)
}

#[test]
fn h_09_a_number_of_a_state_that_is_raised_by_the_modulus_is_refused() {
    let case = Case::new(&format!("{}.", "+-".repeat(20)));
    assert_eq!(case.proof.segments.len(), 2);
    let mut places = 0;
    for segment in 0..2 {
        for place in 0..State::VALUES {
            let mut proof = case.proof.clone();
            let Some(state) = raised(proof.segments[segment].end, place) else { continue };
            proof.segments[segment].end = state;
            places += 1;
            let what = format!("segment {segment}, number {place}");
            assert_eq!(Proof::from_bytes(&proof.to_bytes()), Err(ReadError::Malformed), "{what}");
            assert!(case.verify(&proof).is_err(), "{what}");
            if segment == 1 {
                let smaller = compressed(&proof);
                let read = Compressed::from_bytes(&smaller.to_bytes());
                assert_eq!(read, Err(ReadError::Malformed), "{what}");
            }
        }
    }
    // The three registers, and the digests of what nobody has read or, in the first segment, written.
    assert!(places >= 2 * 7 + 4, "{places} places");
}

#[test]
fn h_09_states_that_were_not_read_from_a_file_are_not_reduced_either() {
    let case = Case::new("+");
    let initial = State::initial(&case.proof.shape);
    let engine = Engine::of(&case.program, case.proof.shape, &case.options).expect("an engine");
    for place in 0..State::VALUES {
        let Some(state) = raised(State { memory: [0; 4], ..initial }, place) else { panic!() };
        for states in [(&initial, &state), (&state, &initial)] {
            let publics = engine.publics(states.0, states.1, [0; 4]);
            assert!(matches!(publics, Err(MachineError::NotCanonical { .. })), "number {place}");
        }
    }
    let mut proof = case.proof.clone();
    proof.segments[0].end.mp += MODULUS;
    let verdict = case.verify(&proof);
    assert!(matches!(verdict, Err(VerifyError::NotCanonical(_))), "{verdict:?}");
    // Of a state that is not the last one, the machine's verifier says so.
    let case = Case::new(&"+-".repeat(20));
    let mut proof = case.proof.clone();
    proof.segments[0].end.mp += MODULUS;
    let Err(VerifyError::Segment { error, .. }) = case.verify(&proof) else { panic!("accepted") };
    assert!(matches!(*error, MachineError::NotCanonical { value, .. } if value == MODULUS));
}

#[test]
fn h_09_a_clock_raised_by_the_modulus_and_a_read_count_of_2_to_the_62_are_refused_at_once() {
    let case = Case::new("+");
    let absurd = 1 << 62;
    for (clk, read) in [(1 + MODULUS, absurd), (1, absurd), (absurd, absurd), (1, 2), (1, u64::MAX)]
    {
        let mut proof = case.proof.clone();
        (proof.segments[0].end.clk, proof.read) = (clk, read);
        let clock = Instant::now();
        let bytes = proof.to_bytes();
        let refused = Proof::from_bytes(&bytes).map(|proof| case.verify(&proof));
        assert!(!matches!(refused, Ok(Ok(()))), "clock {clk}, read {read}");
        assert!(case.verify(&proof).is_err(), "clock {clk}, read {read}");
        assert!(clock.elapsed() < AT_ONCE, "{:?}", clock.elapsed());
        // How long a compressed run is only its proof can tell.
        if clk == absurd {
            continue;
        }
        let smaller = compressed(&proof);
        let clock = Instant::now();
        let refused = Compressed::from_bytes(&smaller.to_bytes());
        let refused = refused.map(|proof| case.verify_compressed(&proof));
        assert!(!matches!(refused, Ok(Ok(()))), "clock {clk}, read {read}");
        let verdict = case.verify_compressed(&smaller);
        assert!(matches!(verdict, Err(VerifyError::Read { .. })) || clk > MODULUS, "{verdict:?}");
        assert!(clock.elapsed() < AT_ONCE, "{:?}", clock.elapsed());
    }
}

#[test]
fn h_09_a_proof_chooses_no_longer_tape_than_the_machine_has() {
    let case = Case::new("+");
    let cells = Options::default().tape.ilog2() as u8;
    for log_cells in [cells + 1, Shape::GREATEST.log_cells, 64, 255] {
        let mut proof = case.proof.clone();
        proof.shape.log_cells = log_cells;
        let clock = Instant::now();
        let verdicts = [case.verify(&proof), case.verify_compressed(&compressed(&proof))];
        for verdict in verdicts {
            assert!(matches!(verdict, Err(VerifyError::Shape(_))), "{log_cells}: {verdict:?}");
        }
        assert!(clock.elapsed() < AT_ONCE, "{:?}", clock.elapsed());
    }
}

#[test]
fn h_09_records_and_public_values_of_a_segment_are_not_reduced() {
    let case = Case::new("+");
    let engine = Engine::of(&case.program, case.proof.shape, &case.options).expect("an engine");
    let segments = chipwright_examples::brainfuck::Segments::new(
        &case.program,
        b"",
        Options::default(),
        case.proof.shape,
    );
    let honest = segments.map(|segment| segment.expect("the program runs")).next().expect("one");
    let edits: [fn(&mut chipwright_examples::brainfuck::Segment); 3] = [
        |segment| segment.cycles[0].mp += MODULUS,
        |segment| segment.after[0] += MODULUS,
        |segment| segment.end.clk += MODULUS,
    ];
    for edit in edits {
        let mut segment = honest.clone();
        edit(&mut segment);
        let input: MachineInput = engine.input(&segment, [0; 4]);
        let Err(MachineError::Fill(errors)) = engine.prover().trace(&input) else {
            panic!("a number is reduced")
        };
        let [FillError::NotCanonical { .. } | FillError::NotCanonicalInput { .. }] =
            errors.errors.as_slice()
        else {
            panic!("{errors}")
        };
    }
}
