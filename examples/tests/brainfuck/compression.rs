//! Runs of several segments, compressed to one proof.

use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_examples::brainfuck::{
    Cells, Compressed, Compressor, Engine, Options, Program, Proof, ProveError, ProveOptions,
    ReadError, State, VerifyError, claim, compress, prove, verify, verify_compressed,
};
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::claims::StepError;
use chipwright_recursion::layer::{Child, LayerError};
use chipwright_recursion::level::Level;
use chipwright_recursion::tree::Leaf;

use crate::forging::options;

/// Reads a byte and writes it three times as large.
const THREEFOLD: &str = ",[->+++<]>.";

/// A run of [`THREEFOLD`], by segments.
struct Case {
    program: Program,
    input: [u8; 1],
    output: [u8; 1],
    options: ProveOptions,
    proof: Proof,
    engine: Engine,
}

impl Case {
    fn new(byte: u8, universal: bool) -> Self {
        let program = Program::compile(THREEFOLD).expect("the program compiles");
        let options = ProveOptions { log_cycles: 5, universal, ..options() };
        let (proof, run) = prove(&program, &[byte], &options).expect("the run is proven");
        assert_eq!(run.output, [3 * byte]);
        let engine = Engine::of(&program, proof.shape, &options).expect("the engine is made");
        Self { program, input: [byte], output: [3 * byte], options, proof, engine }
    }

    fn compress(&self) -> Compressed {
        let Self { program, input, output, options, proof, .. } = self;
        compress(program, input, output, proof, options, &|_| {}).expect("the proof is compressed")
    }

    fn verify(&self, compressed: &Compressed) -> Result<Option<Level>, VerifyError> {
        let Self { program, input, output, options, .. } = self;
        verify_compressed(program, input, output, compressed, options)
    }

    fn claim(&self) -> [u64; 4] {
        claim(&self.program, &self.input, &self.output, &self.options.execution)
    }

    /// The state after so many segments.
    fn state(&self, segments: usize) -> State {
        let before = segments.checked_sub(1);
        before.map_or(State::initial(&self.proof.shape), |last| self.proof.segments[last].end)
    }

    fn leaf(&self, compressor: &Compressor<'_>, segment: usize) -> Leaf<Goldilocks2> {
        let bytes = &self.proof.segments[segment].proof;
        let proof = StarkProof::from_bytes(self.engine.key(), bytes).expect("an honest proof");
        let states = (&self.state(segment), &self.state(segment + 1));
        compressor.leaf(states, self.claim(), proof).expect("canonical states")
    }
}

#[test]
fn segments_become_one_proof_of_program_input_and_output() {
    for universal in [false, true] {
        let case = Case::new(20, universal);
        assert_eq!(case.proof.segments.len(), 5);
        let compressed = case.compress();
        case.verify(&compressed).expect("the compressed proof is verified");
        let Case { input, output, options, .. } = &case;
        let altered = Program::compile(",[->++<]>.").expect("the program compiles");
        for (what, verdict) in [
            ("program", verify_compressed(&altered, input, output, &compressed, options)),
            ("input", verify_compressed(&case.program, &[21], output, &compressed, options)),
            ("no input", verify_compressed(&case.program, &[], output, &compressed, options)),
            (
                "more input",
                verify_compressed(&case.program, &[20, 1], output, &compressed, options),
            ),
            ("output", verify_compressed(&case.program, input, &[61], &compressed, options)),
            ("no output", verify_compressed(&case.program, input, &[], &compressed, options)),
        ] {
            assert!(verdict.is_err(), "{what}, universal: {universal}");
        }
    }
}

#[test]
fn the_size_of_a_compressed_proof_does_not_depend_on_the_number_of_cycles() {
    let sizes = [4, 36].map(|byte| {
        let case = Case::new(byte, false);
        let compressed = case.compress();
        case.verify(&compressed).expect("the compressed proof is verified");
        (case.proof.segments.len(), compressed.to_bytes().len())
    });
    let [(few, small), (many, large)] = sizes;
    assert!(many > 4 * few, "{sizes:?}");
    assert!(large.abs_diff(small) < small / 10, "{sizes:?}");
}

#[test]
fn what_a_compressed_proof_says_is_what_was_proven() {
    let case = Case::new(20, false);
    let honest = case.compress();
    let edits: [fn(&mut Compressed); 5] = [
        |compressed| compressed.read += 1,
        |compressed| compressed.shape.log_cycles += 1,
        |compressed| compressed.shape.log_cells += 1,
        |compressed| compressed.shape.log_input = 64,
        |compressed| compressed.proof = None,
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut compressed = honest.clone();
        edit(&mut compressed);
        assert_ne!(compressed, honest);
        assert!(case.verify(&compressed).is_err(), "edit {number}");
    }
    let compressor = Compressor::new(&case.engine).expect("the circuits are built");
    let proof = honest.proof.as_ref().expect("the run has cycles");
    let verify = |start: &State, end: &State, claim| compressor.verify((start, end), claim, proof);
    let (start, claim) = (case.state(0), case.claim());
    verify(&start, &honest.end, claim).expect("what was proven");
    let edits: [fn(&mut State); 6] = [
        |state| state.clk += 1,
        |state| state.ip += 1,
        |state| state.mp += 1,
        |state| state.memory[0] ^= 1,
        |state| state.input[3] ^= 1,
        |state| state.output[0] ^= 1,
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let (mut before, mut after) = (start, honest.end);
        edit(&mut before);
        edit(&mut after);
        assert!(verify(&before, &honest.end, claim).is_err(), "start {number}");
        assert!(verify(&start, &after, claim).is_err(), "end {number}");
    }
    for element in 0..4 {
        let mut claim = claim;
        claim[element] ^= 1;
        assert!(verify(&start, &honest.end, claim).is_err(), "claim {element}");
    }
}

#[test]
fn segments_that_are_left_out_exchanged_or_of_another_run_are_not_joined() {
    let (case, other) = (Case::new(20, false), Case::new(23, false));
    assert_eq!(case.proof.shape, other.proof.shape);
    let compressor = Compressor::new(&case.engine).expect("the circuits are built");
    let foreign = Compressor::new(&other.engine).expect("the circuits are built");
    let leaf = |segment| case.leaf(&compressor, segment);
    for (what, leaves) in [
        ("left out in the middle", vec![leaf(0), leaf(2)]),
        ("exchanged", vec![leaf(0), leaf(2), leaf(1), leaf(3)]),
        ("repeated", vec![leaf(0), leaf(0)]),
        ("another run", vec![leaf(0), other.leaf(&foreign, 1)]),
    ] {
        let verdict = compressor.prove(&leaves, &|_| {}).map(|proof| proof.len());
        let refused =
            matches!(verdict, Err(LayerError::Step(StepError::Apart(1) | StepError::Common(1))));
        assert!(refused, "{what}: {verdict:?}");
    }
    // A segment that is said to follow, and does not: its proof is about other states.
    let mut lying = leaf(2);
    lying.publics = leaf(1).publics;
    let verdict = compressor.prove(&[leaf(0), lying], &|_| {}).map(|proof| proof.len());
    assert!(verdict.is_err(), "{verdict:?}");

    // What ends early is proven to end early, which is not the end of the program.
    let prefix = compressor.prove(&[leaf(0), leaf(1)], &|_| {}).expect("the segments are linked");
    let (start, claim) = (case.state(0), case.claim());
    compressor.verify((&start, &case.state(2)), claim, &prefix).expect("two segments");
    let verdict = compressor.verify((&start, &case.state(5)), claim, &prefix);
    assert!(matches!(verdict, Err(VerifyError::Layer(_))), "{verdict:?}");
    let Proof { claim, shape, read, .. } = case.proof;
    let early = Compressed { claim, shape, read, end: case.state(2), proof: Some(prefix) };
    assert!(matches!(case.verify(&early), Err(VerifyError::NotHalted { .. })));
}

#[test]
fn an_incomplete_proof_is_no_compressed_proof() {
    let case = Case::new(2, false);
    assert_eq!(case.proof.segments.len(), 1);
    let compressor = Compressor::new(&case.engine).expect("the circuits are built");
    let tree = compressor.tree();
    let Leaf { publics, proof } = case.leaf(&compressor, 0);
    let mut verdicts = Vec::new();
    for complete in [false, true] {
        let first = tree.level(1);
        let (inputs, mut statement) = first
            .inputs_over(case.engine.key(), &publics, &proof, tree.keys().root(), false)
            .expect("the proof has the shape");
        let mut node = first.prove(&inputs).expect("the segment is valid");
        let height = tree.height(1);
        for level in 2..=height {
            let child = Child { key: tree.level(level - 1).key(), statement, proof: &node };
            let layer = tree.level(level);
            let (inputs, next) = layer
                .inputs_above(&[child], tree.keys(), complete && level == height)
                .expect("a single child");
            node = layer.prove(&inputs).expect("the child is valid");
            statement = next;
        }
        let states = (&case.state(0), &case.state(1));
        verdicts.push(compressor.verify(states, case.claim(), &node.to_bytes()));
    }
    assert!(matches!(verdicts[0], Err(VerifyError::Layer(_))), "{verdicts:?}");
    assert!(verdicts[1].is_ok(), "{verdicts:?}");
}

#[test]
fn compressed_proofs_have_one_encoding_and_hostile_bytes_are_errors() {
    let case = Case::new(2, false);
    let compressed = case.compress();
    let bytes = compressed.to_bytes();
    assert!(Compressed::begins(&bytes));
    assert_eq!(Compressed::from_bytes(&bytes).as_ref(), Ok(&compressed));
    assert_eq!(Compressed::from_bytes(&case.proof.to_bytes()), Err(ReadError::Magic));
    for length in [0, 11, 12, 40, bytes.len() / 2, bytes.len() - 1] {
        assert!(Compressed::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(Compressed::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    let compressor = Compressor::new(&case.engine).expect("the circuits are built");
    let honest = compressed.proof.expect("the run has cycles");
    for position in (0..honest.len()).step_by(honest.len() / 60) {
        let mut proof = honest.clone();
        proof[position] ^= 0x10;
        let verdict = compressor.verify((&case.state(0), &case.state(1)), case.claim(), &proof);
        assert!(verdict.is_err(), "byte {position}");
    }
}

#[test]
fn a_run_of_no_cycles_is_compressed_to_nothing() {
    let program = Program::compile("no commands").expect("everything is a comment");
    let options = options();
    let (proof, _) = prove(&program, b"", &options).expect("there is nothing to prove");
    let compressed = compress(&program, b"", b"", &proof, &options, &|_| {}).expect("nothing");
    assert_eq!(compressed.proof, None);
    verify_compressed(&program, b"", b"", &compressed, &options).expect("nothing is right");
    assert!(verify_compressed(&program, b"", b"x", &compressed, &options).is_err());
}

#[test]
fn runs_with_cells_of_field_elements_are_neither_proven_nor_verified() {
    let program = Program::compile("+").expect("the program compiles");
    let (proof, _) = prove(&program, b"", &options()).expect("the run is proven");
    let execution = Options { cells: Cells::Field, ..Options::default() };
    let options = ProveOptions { execution, ..options() };
    let refused = prove(&program, b"", &options).map(|(proof, _)| proof);
    assert!(matches!(refused, Err(ProveError::Cells)), "{refused:?}");
    let verdict = verify(&program, b"", b"", &proof, &options);
    assert!(matches!(verdict, Err(VerifyError::Cells)), "{verdict:?}");
}
