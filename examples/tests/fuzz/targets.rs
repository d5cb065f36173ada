//! Readers, each with a corpus. A reader says whether it accepts; what is accepted must hold together: a text is printed
//! and read again, bytes have one encoding, and no proof but the honest one proves anything.

use chipwright_backend_stark::circuit::{CircuitProver, CircuitVerifier, compile_circuit};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_chips::{catalog, library};
use chipwright_examples::brainfuck::{
    Compressed, Engine, Options, Program, Proof, ProveOptions, programs, prove, run, verify,
};
use chipwright_ir::Field;
use chipwright_ir::chip::passes::lower_degree;
use chipwright_ir::chip::{parse as chip_text, verify as chip_verify};
use chipwright_ir::circuit::{Circuit, Form, Inputs, parse, passes, verify as circuit_verify};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::pass::Pipeline;

const FIELD: Field = Field::Goldilocks2;

/// A reader by name, and how many of all inputs it gets.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) share: u64,
}

pub(crate) const TARGETS: [Target; 7] = [
    Target { name: "circuit-text", share: 30 },
    Target { name: "chip-text", share: 24 },
    Target { name: "brainfuck-program", share: 20 },
    Target { name: "brainfuck-proof", share: 8 },
    Target { name: "compressed-proof", share: 8 },
    Target { name: "proof", share: 6 },
    Target { name: "key", share: 4 },
];

/// Reads an input, and says whether it is accepted.
type Read = Box<dyn FnMut(&[u8]) -> bool>;

/// What reads, and what it is first given.
pub(crate) struct Reader {
    pub(crate) corpus: Vec<Vec<u8>>,
    pub(crate) read: Read,
}

/// The reader of a name.
pub(crate) fn reader(target: &str) -> Reader {
    match target {
        "circuit-text" => circuits(),
        "chip-text" => chips(),
        "brainfuck-program" => brainfuck_programs(),
        "brainfuck-proof" => brainfuck_proofs(),
        "compressed-proof" => compressed_proofs(),
        "proof" => proofs(),
        "key" => keys(),
        other => panic!("there is no target `{other}`"),
    }
}

/// The files of a directory of the corpus, in order.
fn files(directory: &str) -> Vec<Vec<u8>> {
    let path = format!("{}/tests/fuzz/corpus/{directory}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let contents: Vec<_> =
        paths.iter().map(|path| std::fs::read(path).expect("readable")).collect();
    assert!(!contents.is_empty(), "{path} is empty");
    contents
}

const TOY: &str = include_str!("../../circuits/toy.ir");

/// Circuit IR: read, verified, optimised, lowered and put together with the standard chips.
fn circuits() -> Reader {
    let mut corpus = files("circuit");
    corpus.push(TOY.as_bytes().to_vec());
    let library = library(FIELD);
    let read = move |bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let Ok(circuit) = parse(text) else { return false };
        let printed = circuit.to_string();
        let verdict = match &circuit {
            Circuit::Expr(graph) => circuit_verify::verify_structure(graph),
            Circuit::Slots(slots) => circuit_verify::verify_slots(slots),
            _ => return false,
        };
        if verdict.map_err(|errors| errors.to_string()).is_err() {
            return false;
        }
        let again = parse(&printed).unwrap_or_else(|error| panic!("{error} in\n{printed}"));
        assert_eq!(again.to_string(), printed);
        if let Circuit::Expr(graph) = &circuit {
            let _ = circuit_verify::verify(graph).map_err(|errors| errors.to_string());
        }
        for form in [Form::Fused, Form::Separate] {
            let pipeline = match &circuit {
                Circuit::Expr(_) => passes::default_pipeline(form),
                _ => Pipeline::new().then(passes::LowerToTables),
            };
            if let Ok(Circuit::Tables(tables)) = pipeline.run(circuit.clone())
                && tables.program.field == FIELD
            {
                let _ = tables.to_string();
                let _ = tables.assemble(&library).map_err(|error| error.to_string());
            }
        }
        true
    };
    Reader { corpus, read: Box::new(read) }
}

/// Chip IR: read as a chip and as a machine, verified, and lowered to a degree.
fn chips() -> Reader {
    let mut corpus = files("chip");
    let small = catalog(FIELD).into_iter().map(|entry| entry.chip.to_string());
    corpus.extend(small.filter(|text| text.len() < 8 << 10).map(String::into_bytes));
    let read = |bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        if let Ok(machine) = chip_text::parse_machine(text) {
            let _ = chipwright_ir::machine::verify(&machine).map_err(|errors| errors.to_string());
        }
        let Ok(chip) = chip_text::parse(text) else { return false };
        let printed = chip.to_string();
        let again = chip_text::parse(&printed);
        let again = again.unwrap_or_else(|error| panic!("{error} in\n{printed}"));
        assert_eq!(again.to_string(), printed);
        if chip_verify::verify(&chip).map_err(|errors| errors.to_string()).is_err() {
            return false;
        }
        for degree in [3, 9] {
            let _ = lower_degree(&chip, degree).map_err(|error| error.to_string());
        }
        true
    };
    Reader { corpus, read: Box::new(read) }
}

/// Programs, compiled and run for a while on some input.
fn brainfuck_programs() -> Reader {
    let mut corpus = files("brainfuck");
    let ours = [programs::HELLO, programs::ECHO, programs::REVERSE, programs::SQUARES];
    corpus.extend(ours.map(|source| source.as_bytes().to_vec()));
    let options = Options { max_cycles: 20_000, max_output: 10_000, ..Options::default() };
    let read = move |bytes: &[u8]| {
        let source = String::from_utf8_lossy(bytes);
        let program = match Program::compile(&source) {
            Ok(program) => program,
            Err(error) => {
                assert!(error.to_string().len() < 200);
                return false;
            }
        };
        match run(&program, b"input", &options) {
            Ok(run) => assert!(run.cycles <= options.max_cycles),
            Err(error) => assert!(error.to_string().len() < 200),
        }
        true
    };
    Reader { corpus, read: Box::new(read) }
}

fn brainfuck_options() -> ProveOptions {
    ProveOptions { config: Config::testing(), log_cycles: 5, ..ProveOptions::default() }
}

/// A program that reads, writes, and takes more than one segment.
fn proven() -> (Program, Vec<u8>, Proof) {
    let program = Program::compile(",+.+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-").expect("a program");
    let (proof, run) = prove(&program, b"a", &brainfuck_options()).expect("the run is proven");
    assert_eq!(proof.segments.len(), 2);
    (program, run.output, proof)
}

/// Proofs of runs, verified.
fn brainfuck_proofs() -> Reader {
    let (program, output, proof) = proven();
    let honest = proof.to_bytes();
    let corpus = vec![honest.clone()];
    let read = move |bytes: &[u8]| {
        let Ok(proof) = Proof::from_bytes(bytes) else { return false };
        assert_eq!(proof.to_bytes(), bytes);
        let verdict = verify(&program, b"a", &output, &proof, &brainfuck_options());
        let accepted = verdict.map_err(|error| error.to_string()).is_ok();
        assert!(!accepted || bytes == honest, "an altered proof is accepted");
        accepted
    };
    Reader { corpus, read: Box::new(read) }
}

/// Compressed proofs, read. (The circuits that verify one take more time and memory than this measures.)
fn compressed_proofs() -> Reader {
    let (_, _, proof) = proven();
    let Proof { claim, shape, read, segments } = proof;
    let last = segments.into_iter().next_back().expect("two segments");
    let (end, inner) = (last.end, last.proof[..2000].to_vec());
    let compressed = Compressed { claim, shape, read, end, proof: Some(inner) };
    let corpus = vec![compressed.to_bytes(), Compressed { proof: None, ..compressed }.to_bytes()];
    let read = move |bytes: &[u8]| {
        let Ok(proof) = Compressed::from_bytes(bytes) else { return false };
        assert_eq!(proof.to_bytes(), bytes);
        true
    };
    Reader { corpus, read: Box::new(read) }
}

/// The keys of the toy circuit.
fn toy() -> (CircuitProver<Goldilocks2>, CircuitVerifier<Goldilocks2>) {
    let circuit = parse(TOY).expect("the toy circuit");
    let Ok(Circuit::Tables(tables)) = passes::default_pipeline(Form::Fused).run(circuit) else {
        panic!("the toy circuit has tables")
    };
    compile_circuit(tables, &library(FIELD), &Config::testing()).expect("the toy circuit compiles")
}

/// Proofs of the toy circuit, verified.
fn proofs() -> Reader {
    let (prover, verifier) = toy();
    let proof = prover.prove(&Inputs::publics([3])).expect("37·3 = 111");
    let honest = proof.to_bytes();
    let corpus = vec![honest.clone()];
    let read = move |bytes: &[u8]| {
        let Ok(proof) = StarkProof::from_bytes(verifier.key(), bytes) else { return false };
        assert_eq!(proof.to_bytes(), bytes);
        let verdict = verifier.verify(&[vec![3]], &proof);
        let accepted = verdict.map_err(|error| error.to_string()).is_ok();
        assert!(!accepted || bytes == honest, "an altered proof is accepted");
        accepted
    };
    Reader { corpus, read: Box::new(read) }
}

/// Keys of the toy circuit and of a program's segments.
fn keys() -> Reader {
    let (program, _, proof) = proven();
    let engine = Engine::of(&program, proof.shape, &brainfuck_options()).expect("an engine");
    let corpus = vec![toy().1.key().to_bytes(), engine.key().to_bytes()];
    let read = |bytes: &[u8]| {
        let Ok(key) = VerifyingKey::<Goldilocks2>::from_bytes(bytes) else { return false };
        assert_eq!(key.to_bytes(), bytes);
        true
    };
    Reader { corpus, read: Box::new(read) }
}
