//! Runs that are cut into segments.

use chipwright_examples::brainfuck::{
    Engine, Options, Program, Proof, ProveOptions, ReadError, Run, Segments, Shape, VerifyError,
    fast_100, programs, prove, verify,
};

use crate::forging::options;

/// The page that shows the layout of long segments.
const DOCS: &str = include_str!("../../../docs/brainfuck.md");

/// A run of 13 segments.
fn proven() -> (Program, Proof, Run, ProveOptions) {
    let program = Program::compile(programs::HELLO).expect("the program compiles");
    let options = ProveOptions { log_cycles: 5, ..options() };
    let (proof, run) = prove(&program, b"", &options).expect("the run is proven");
    assert_eq!(proof.segments.len(), 13);
    (program, proof, run, options)
}

#[test]
fn all_segments_of_a_run_have_one_key_and_one_shape() {
    let (program, proof, run, options) = proven();
    verify(&program, b"", &run.output, &proof, &options).expect("the run is verified");
    let engine = Engine::new(&program, proof.shape, &options.config).expect("the engine is made");
    let heights = proof.segments.iter().map(|segment| {
        let proof =
            chipwright_backend_stark::proof::Proof::from_bytes(engine.key(), &segment.proof);
        proof.expect("every segment's proof is read under one key").log_heights().to_vec()
    });
    let heights: Vec<_> = heights.collect();
    assert!(heights.windows(2).all(|pair| pair[0] == pair[1]), "{heights:?}");
}

#[test]
fn segments_are_neither_left_out_nor_exchanged_nor_repeated() {
    let (program, honest, run, options) = proven();
    // With one segment less there are fewer cycles than the last state speaks of.
    for position in [0, 5] {
        let mut proof = honest.clone();
        proof.segments.remove(position);
        let verdict = verify(&program, b"", &run.output, &proof, &options);
        assert!(matches!(verdict, Err(VerifyError::Cycles { .. })), "{verdict:?}");
    }
    let edits: [fn(&mut Proof); 5] = [
        |proof| proof.segments.swap(3, 4),
        |proof| proof.segments.insert(2, proof.segments[2].clone()),
        |proof| proof.segments[3].end.clk += 1,
        |proof| proof.segments[3].end.memory[0] ^= 1,
        |proof| proof.segments[3].end.output[0] ^= 1,
    ];
    for edit in edits {
        let mut proof = honest.clone();
        edit(&mut proof);
        let verdict = verify(&program, b"", &run.output, &proof, &options);
        assert!(matches!(verdict, Err(VerifyError::Segment { .. })), "{verdict:?}");
    }
    let mut proof = honest.clone();
    proof.segments.pop();
    let verdict = verify(&program, b"", &run.output, &proof, &options);
    assert!(matches!(verdict, Err(VerifyError::NotHalted { .. })), "{verdict:?}");
    let mut proof = honest;
    proof.shape.log_cycles += 1;
    let verdict = verify(&program, b"", &run.output, &proof, &options);
    // The layout follows from the shape, and the key from the layout.
    assert!(matches!(verdict, Err(VerifyError::Decode { .. })), "{verdict:?}");
}

#[test]
fn segments_of_another_height_than_the_shape_says_are_refused() {
    // So many cycles and queries that nothing with fixed columns, whose heights the key determines, is beside the
    // processor.
    let program = Program::compile("+[-]").expect("the program compiles");
    let shape = Shape { log_cycles: 14, ..Shape::LEAST };
    let mut config = options().config;
    config.parameters.queries = 190;
    let engine = Engine::new(&program, shape, &config).expect("the engine is made");
    assert_eq!(engine.key().tables()[0].log_height, None, "{}", engine.layout());
    let mut segments = Segments::new(&program, b"", Options::default(), shape);
    let segment = segments.next().expect("a segment").expect("the program runs");
    let trace = engine.trace(&segment, [0; 4]).expect("the segment is right");
    let mut trace = engine.prover().folded(trace).expect("the tables are those of the layout");
    for halved in [false, true] {
        let table = &mut trace.tables[0];
        if halved {
            table.height /= 2;
            table.values.truncate(table.height * table.width);
        }
        let proof = engine.prover().key().prove(trace.clone()).expect("a proof is made");
        let verdict = engine.verify(0, (&segment.start, &segment.end), [0; 4], &proof);
        assert_eq!(verdict.is_err(), halved, "{verdict:?}");
        let refused = matches!(verdict, Err(VerifyError::Height { .. }));
        assert_eq!(refused, halved, "{verdict:?}");
    }
}

#[test]
fn a_proof_has_one_encoding_and_hostile_bytes_are_errors() {
    let (program, proof, run, options) = proven();
    let bytes = proof.to_bytes();
    assert_eq!(Proof::from_bytes(&bytes).as_ref(), Ok(&proof));
    assert_eq!(Proof::from_bytes(b"something else"), Err(ReadError::Magic));
    for length in [0, 5, 12, 13, 40, bytes.len() / 2, bytes.len() - 1] {
        assert!(Proof::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(Proof::from_bytes(&longer).is_err());
    for position in (12..bytes.len()).step_by(bytes.len() / 40) {
        let mut bytes = bytes.clone();
        bytes[position] ^= 0x10;
        let verdict = Proof::from_bytes(&bytes)
            .map(|proof| verify(&program, b"", &run.output, &proof, &options));
        assert!(!matches!(verdict, Ok(Ok(()))), "byte {position}");
    }
}

#[test]
fn shapes_out_of_range_are_refused() {
    let (program, honest, run, options) = proven();
    for log in [0, 4, 21, 64, 255] {
        for field in 0..4 {
            let mut proof = honest.clone();
            let shape = &mut proof.shape;
            let logs = [
                &mut shape.log_cycles,
                &mut shape.log_cells,
                &mut shape.log_input,
                &mut shape.log_output,
            ];
            *logs[field] = log;
            let verdict = verify(&program, b"", &run.output, &proof, &options);
            assert!(matches!(verdict, Err(VerifyError::Shape(_))), "{verdict:?}");
        }
    }
}

#[test]
fn folded_tables_commit_to_at_most_28_elements_a_cycle() {
    let program = Program::compile(programs::MILLION).expect("the program compiles");
    for log_cycles in [16, 18] {
        let shape = Shape { log_cycles, log_cells: 7, ..Shape::LEAST };
        let cells = |engine: &Engine| engine.cells() as f64 / shape.cycles() as f64;
        let engine = Engine::new(&program, shape, &fast_100()).expect("the engine is made");
        let layout = engine.layout().to_string();
        assert_eq!(DOCS.contains(&layout), log_cycles == 18, "{layout}");
        let folded = cells(&engine);
        let engine = Engine::separate(&program, shape, &fast_100()).expect("the engine is made");
        let separate = cells(&engine);
        assert!(folded <= 28.0, "2^{log_cycles} cycles: {folded}");
        assert!(separate > 39.0, "2^{log_cycles} cycles: {separate}");
    }
}
