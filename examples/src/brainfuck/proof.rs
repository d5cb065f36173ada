//! Proving a run, and verifying what it claims: program, input and output.
//!
//! The prover cuts the run into segments and proves each under one key, which follows from the program and the
//! shape of the segments. The verifier sees no trace: it computes the key itself, follows the states from the
//! initial one, and compares the digests at the end with those of the input and the output it is asked about.
//!
//! ```
//! use chipwright_examples::brainfuck::{Program, ProveOptions, prove, verify};
//!
//! let program = Program::compile(",[.,]")?;
//! let (proof, run) = prove(&program, b"hi", &ProveOptions::default())?;
//! assert_eq!(run.output, b"hi");
//! verify(&program, b"hi", b"hi", &proof, &ProveOptions::default())?;
//! assert!(verify(&program, b"hi", b"ho", &proof, &ProveOptions::default()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use chipwright_backend_stark::config::{Config, Parameters};
use chipwright_backend_stark::encoding::DecodeError;
use chipwright_backend_stark::machine::MachineError;
use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_dsl::MachineErrors;
use chipwright_ir::field::NotCanonical;
use chipwright_recursion::layer::LayerError;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::claim::{Claim, Part};
use super::engine::Engine;
use super::machine::Shape;
use super::program::Program;
use super::segment::{Digest, Hasher, Segment, Segments, State};
use super::vm::{Cells, EndOfInput, Options, Run, RunError, Vm};

/// How a run is executed, cut and proven. What the verifier is asked about depends on the execution and the
/// configuration, not on the lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveOptions {
    /// How the program is executed.
    pub execution: Options,
    /// The base-2 logarithm of the largest number of cycles of a segment.
    pub log_cycles: u8,
    /// The configuration, over the machine's field.
    pub config: Config,
    /// Whether the program is a public input of the universal machine, whose key serves all programs; otherwise
    /// it is part of the key.
    pub universal: bool,
}

/// The configuration with a name: one of [`Config::all`], or [`fast_100`].
pub fn named_config(name: &str) -> Option<Config> {
    Config::named(name).or_else(|| Some(fast_100()).filter(|config| config.name == name))
}

/// 100 bits proven at blowup 2: a quarter of the commitments of [`Config::proven_100`], paid for by three times as
/// many queries. The processor's rules are of degree 3, which is as much as this blowup allows.
pub fn fast_100() -> Config {
    let Config { parameters, .. } = Config::proven_100();
    Config {
        name: "fast-100".into(),
        parameters: Parameters { log_blowup: 1, queries: 190, cap_height: 1, ..parameters },
        ..Config::proven_100()
    }
}

impl Default for ProveOptions {
    fn default() -> Self {
        Self {
            execution: Options::default(),
            log_cycles: 18,
            config: Config::default(),
            universal: false,
        }
    }
}

/// A proof of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What the proof is said to be about.
    pub claim: Claim,
    /// The heights of the tables.
    pub shape: Shape,
    /// The number of bytes that the run reads.
    pub read: u64,
    /// The segments, in order.
    pub segments: Vec<SegmentProof>,
}

/// A proof that a machine goes from one state to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentProof {
    /// The state that it leaves.
    pub end: State,
    /// The proof, as bytes.
    pub proof: Vec<u8>,
}

/// What a proof's bytes begin with; the last byte is the version of the format.
const MAGIC: &[u8] = b"chipwrightb\x02";

/// Bytes that are no proof of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are something else, or of another version.
    #[error("the bytes do not begin as a proof of this version does")]
    Magic,
    /// The body does not parse, or a number in it is not canonical.
    #[error("the proof is truncated or altered")]
    Malformed,
    /// Something follows the body, or it is not how it would be written.
    #[error("the proof is not encoded canonically")]
    NotCanonical,
}

impl Proof {
    /// The proof as versioned bytes.
    ///
    /// # Panics
    ///
    /// Never: plain data is always written.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(MAGIC, self)
    }

    /// Reads a proof.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        decode(MAGIC, bytes)
    }
}

/// Plain data as bytes.
pub(super) fn encode<T: Serialize>(magic: &[u8], value: &T) -> Vec<u8> {
    postcard::to_extend(value, magic.to_vec()).expect("plain data serialises")
}

/// What [`encode`] wrote.
pub(super) fn decode<T: Serialize + DeserializeOwned>(
    magic: &[u8],
    bytes: &[u8],
) -> Result<T, ReadError> {
    let body = bytes.strip_prefix(magic).ok_or(ReadError::Magic)?;
    let value = postcard::from_bytes(body).map_err(|_| ReadError::Malformed)?;
    if encode(magic, &value) != bytes {
        return Err(ReadError::NotCanonical);
    }
    Ok(value)
}

/// Why a run cannot be proven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// Runs that the machine does not make.
    #[error(
        "only runs whose cells are bytes can be proven; a run with field elements can be executed"
    )]
    Cells,
    /// The program cannot be executed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The run does not fit the largest shape, or the options make no sense.
    #[error("no segment can have {0}")]
    Shape(Shape),
    /// The machine has mistakes.
    #[error(transparent)]
    Machine(#[from] MachineErrors),
    /// The proof system refuses.
    #[error(transparent)]
    Stark(#[from] MachineError),
    /// The proofs to compress are none of this run.
    #[error("the proof to compress does not verify: {0}")]
    Segments(#[from] Box<VerifyError>),
    /// The segments cannot be verified in circuits.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

/// Why a proof does not prove what it is said to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Runs that the machine does not make.
    #[error("no proof is about runs whose cells are not bytes")]
    Cells,
    /// The proof is about something else.
    #[error("this proof is about another {0}")]
    Other(Part),
    /// The heights are out of range, or hold more cells than the tape has.
    #[error("no segment can have {0}")]
    Shape(Shape),
    /// The machine has mistakes.
    #[error(transparent)]
    Machine(#[from] MachineErrors),
    /// The configuration cannot be used.
    #[error(transparent)]
    Stark(#[from] MachineError),
    /// A segment's proof cannot be read.
    #[error("segment {segment}: {error}")]
    Decode {
        /// The segment.
        segment: usize,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A segment's table has another height than the shape says.
    #[error("segment {segment}: table `{table}` has 2^{found} rows, the shape says 2^{expected}")]
    Height {
        /// The segment.
        segment: usize,
        /// The chip.
        table: String,
        /// The logarithm of the height that follows from the shape.
        expected: usize,
        /// The logarithm of the height of the table.
        found: usize,
    },
    /// A segment's proof is not one.
    #[error("segment {segment}: {error}")]
    Segment {
        /// The segment.
        segment: usize,
        /// Why it is rejected.
        error: Box<MachineError>,
    },
    /// The compressed proof cannot be read.
    #[error("the compressed proof cannot be read: {0}")]
    Compressed(DecodeError),
    /// There is no compressed proof, although something has to be proven.
    #[error("there is no proof that the run goes on after its first state")]
    Empty,
    /// Layers cannot be built, or the compressed proof is not one.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The last segment does not end where the program does.
    #[error("the run stops at word {found}, the program ends at {end}")]
    NotHalted {
        /// The instruction pointer.
        found: u64,
        /// The end of the program.
        end: u64,
    },
    /// A number of the last state is no canonical element.
    #[error("the last state has a number that is none of the field: {0}")]
    NotCanonical(#[from] NotCanonical),
    /// The run takes more cycles than its segments have.
    #[error("the run takes {found} cycles, its segments have {most} at most")]
    Cycles {
        /// The number of cycles that the proof speaks of.
        found: u64,
        /// The number that its segments can have.
        most: u64,
    },
    /// The run reads more than there is.
    #[error("the run reads {read} bytes, {available} may be read")]
    Read {
        /// The number of bytes that the proof speaks of.
        read: u64,
        /// The number that there can be.
        available: u64,
    },
    /// Other bytes were read.
    #[error("the run does not read the given input")]
    Input,
    /// Other bytes were written.
    #[error("the run does not write the given output")]
    Output,
}

/// Executes a program and proves the run.
///
/// # Errors
///
/// Fails if the program cannot be executed, or the run cannot be proven.
pub fn prove(
    program: &Program,
    input: &[u8],
    options: &ProveOptions,
) -> Result<(Proof, Run), ProveError> {
    prove_with_progress(program, input, options, &|_, _| {})
}

/// [`prove`], and says how many cycles of how many are proven, now and then.
///
/// # Errors
///
/// Fails as [`prove`] does.
pub fn prove_with_progress(
    program: &Program,
    input: &[u8],
    options: &ProveOptions,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(Proof, Run), ProveError> {
    let (run, shape) = plan(program, input, options)?;
    let engine = Engine::of(program, shape, options)?;
    let about = Claim::new(program, input, &run.output, &options.execution);
    let claim = about.digest();
    let mut all = Segments::new(program, input, options.execution, shape);
    let mut segments = Vec::new();
    progress(0, run.cycles);
    loop {
        // As many as there are processors are proven at once: what is in memory is bounded.
        let batch: Vec<Segment> =
            all.by_ref().take(rayon::current_num_threads()).collect::<Result<_, _>>()?;
        let Some(last) = batch.last() else { break };
        let clk = last.end.clk;
        let proofs: Vec<SegmentProof> = batch
            .par_iter()
            .map(|segment| {
                let proof = engine.prove(segment, claim)?;
                Ok(SegmentProof { end: segment.end, proof: proof.to_bytes() })
            })
            .collect::<Result<_, MachineError>>()?;
        segments.extend(proofs);
        progress(clk, run.cycles);
    }
    Ok((Proof { claim: about, shape, read: run.read, segments }, run))
}

/// Executes a program, and finds the smallest shape for its segments.
///
/// # Errors
///
/// Fails if the program cannot be executed, or a segment of so many cycles is out of range.
pub fn plan(
    program: &Program,
    input: &[u8],
    options: &ProveOptions,
) -> Result<(Run, Shape), ProveError> {
    let limit = 1_u64 << options.log_cycles.min(Shape::GREATEST.log_cycles);
    let mut vm = Vm::new(program, input, options.execution);
    let (mut most_read, mut most_written) = (0, 0);
    let (mut read, mut written) = (0, 0);
    while vm.step()?.is_some() {
        if vm.clk.is_multiple_of(limit) {
            (read, written) = (vm.read, vm.output.len() as u64);
        }
        most_read = most_read.max(vm.read - read);
        most_written = most_written.max(vm.output.len() as u64 - written);
    }
    let run = vm.into_run();
    let cycles = run.cycles.min(limit);
    let shape =
        Shape::holding(cycles as usize, run.cells, most_read as usize, most_written as usize);
    if options.log_cycles > Shape::GREATEST.log_cycles || !shape.is_valid() {
        return Err(ProveError::Shape(shape));
    }
    Ok((run, shape))
}

/// Verifies that a program, given an input, ends after writing an output.
///
/// # Errors
///
/// Says why the proof does not prove it.
pub fn verify(
    program: &Program,
    input: &[u8],
    output: &[u8],
    proof: &Proof,
    options: &ProveOptions,
) -> Result<(), VerifyError> {
    let Proof { claim, shape, read, segments } = proof;
    let claim = expected_claim(claim, program, (input, output), options)?;
    let end = End { program, input, output, read: *read, execution: &options.execution };
    check_shape(*shape, &options.execution)?;
    if let Some(last) = segments.last() {
        end.is_possible(&last.end)?;
        let most = segments.len() as u64 * shape.cycles() as u64;
        if last.end.clk > most {
            return Err(VerifyError::Cycles { found: last.end.clk, most });
        }
    }
    let engine = verifying_engine(program, *shape, options)?;
    let mut state = State::initial(shape);
    for (segment, SegmentProof { end, proof }) in segments.iter().enumerate() {
        let proof = StarkProof::from_bytes(engine.key(), proof)
            .map_err(|error| VerifyError::Decode { segment, error })?;
        engine.verify(segment, (&state, end), claim, &proof)?;
        state = *end;
    }
    end.verify(&state)
}

/// The digest of what the caller asks about, if the proof says that it is about that.
pub(super) fn expected_claim(
    stated: &Claim,
    program: &Program,
    (input, output): (&[u8], &[u8]),
    options: &ProveOptions,
) -> Result<Digest, VerifyError> {
    if options.execution.cells != Cells::Bytes {
        return Err(VerifyError::Cells);
    }
    let expected = Claim::new(program, input, output, &options.execution);
    match stated.difference(&expected) {
        Some(part) => Err(VerifyError::Other(part)),
        None => Ok(expected.digest()),
    }
}

/// Demands that tables can have the heights that a proof asks for, and hold no longer tape than runs have.
fn check_shape(shape: Shape, execution: &Options) -> Result<(), VerifyError> {
    let tape = execution.tape.checked_next_power_of_two().unwrap_or(usize::MAX);
    if shape.is_valid() && shape.cells() <= tape.max(Shape::LEAST.cells()) {
        Ok(())
    } else {
        Err(VerifyError::Shape(shape))
    }
}

/// The engine that verifies proofs of a shape, which may be anything.
pub(super) fn verifying_engine(
    program: &Program,
    shape: Shape,
    options: &ProveOptions,
) -> Result<Engine, VerifyError> {
    check_shape(shape, &options.execution)?;
    Engine::of(program, shape, options).map_err(|error| match error {
        ProveError::Stark(error) => VerifyError::Stark(error),
        ProveError::Machine(error) => VerifyError::Machine(error),
        ProveError::Cells => VerifyError::Cells,
        _ => VerifyError::Shape(shape),
    })
}

/// The end of a run: where a program halts, and what it has read and written until then.
pub(super) struct End<'a> {
    pub(super) program: &'a Program,
    pub(super) input: &'a [u8],
    pub(super) output: &'a [u8],
    /// The number of bytes read, as the proof says.
    pub(super) read: u64,
    pub(super) execution: &'a Options,
}

impl End<'_> {
    /// Compares what a proof says of its last state with what is known before anything is verified.
    pub(super) fn is_possible(&self, state: &State) -> Result<(), VerifyError> {
        State::try_from(<[u64; State::VALUES]>::from(*state))?;
        let (found, end) = (state.ip, self.program.end());
        if found != end {
            return Err(VerifyError::NotHalted { found, end });
        }
        let available = match self.execution.end_of_input {
            EndOfInput::Zero => state.clk,
            EndOfInput::Fail => self.input.len() as u64,
        };
        if self.read > available {
            return Err(VerifyError::Read { read: self.read, available });
        }
        Ok(())
    }

    /// Verifies that the run ends in a state, which is proven to be reached: a cycle reads one byte at most, so the bytes
    /// to hash are no more than the cycles that somebody has proven.
    pub(super) fn verify(&self, state: &State) -> Result<(), VerifyError> {
        self.is_possible(state)?;
        let hasher = Hasher::new();
        let mut digest = [0; 4];
        let zeros = std::iter::repeat(0);
        let read = self.input.iter().copied().chain(zeros).take(self.read as usize);
        hasher.append_bytes(&mut digest, read);
        if digest != state.input {
            return Err(VerifyError::Input);
        }
        let mut digest = [0; 4];
        hasher.append_bytes(&mut digest, self.output.iter().copied());
        if digest != state.output {
            return Err(VerifyError::Output);
        }
        Ok(())
    }
}
