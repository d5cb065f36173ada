//! Compression: the proofs of all segments of a run become one proof, whose size does not depend on how many
//! there are.
//!
//! A segment is a step from one state to another. A tree of circuits verifies the segments' proofs, demands
//! that each starts in the state in which the one before ended, and claims the first and the last state only.
//! The verifier asks about the same states as it does without compression, and about the same program, input
//! and output.
//!
//! ```no_run
//! use chipwright_examples::brainfuck::{
//!     Program, ProveOptions, compress, prove, verify_compressed,
//! };
//!
//! let (program, options) = (Program::compile(",[.,]")?, ProveOptions::default());
//! let (proof, run) = prove(&program, b"hi", &options)?;
//! let compressed = compress(&program, b"hi", &run.output, &proof, &options, &|_| {})?;
//! verify_compressed(&program, b"hi", b"hi", &compressed, &options)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use chipwright_backend_stark::circuit::CircuitError;
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::claims::{Claims, Expected, StepValues};
use chipwright_recursion::layer::LayerError;
use chipwright_recursion::level::Level;
use chipwright_recursion::tree::{Grown, Leaf, Tree};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::Goldilocks;
use serde::{Deserialize, Serialize};

use super::claim::Claim as RunClaim;
use super::engine::Engine;
use super::machine::Shape;
use super::program::Program;
use super::proof::{
    End, Proof, ProveError, ProveOptions, ReadError, VerifyError, decode, encode, expected_claim,
    fast_100, verify, verifying_engine,
};
use super::segment::{Digest, State};

/// A digest of the recursion.
type ElementDigest = chipwright_recursion::batch::Digest<Goldilocks2>;

/// One proof of a run of any length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compressed {
    /// What the proof is said to be about.
    pub claim: RunClaim,
    /// The heights of the segments' tables.
    pub shape: Shape,
    /// The number of bytes that the run reads.
    pub read: u64,
    /// The state that it ends in.
    pub end: State,
    /// The proof, as bytes; none for a run of no cycles.
    pub proof: Option<Vec<u8>>,
}

/// What a compressed proof's bytes begin with; the last byte is the version of the format.
const MAGIC: &[u8] = b"chipwrightc\x02";

impl Compressed {
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

    /// Whether bytes begin as a compressed proof does.
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }
}

/// The configuration of the layers over segments of a configuration. Those of `fast-100` get the layers of
/// `proven-100`, which has the same security and a third of the queries, each of which costs rows of the next layer.
pub fn layer_config(config: &Config) -> Config {
    let config = if *config == fast_100() { &Config::proven_100() } else { config };
    config.for_wide_layers()
}

/// The circuits that verify segments, and what these claim.
#[derive(Debug)]
pub struct Compressor<'a> {
    engine: &'a Engine,
    tree: Tree<Goldilocks2>,
    values: StepValues,
}

impl<'a> Compressor<'a> {
    /// The circuits over the segments of an engine. Proving and verifying need the same ones.
    ///
    /// # Errors
    ///
    /// Fails if the configuration's proofs cannot be verified in circuits.
    pub fn new(engine: &'a Engine) -> Result<Self, LayerError> {
        let values = step_values(engine)?;
        let claims = Claims::Steps(values.clone());
        let config = layer_config(engine.key().config());
        let tree = Tree::new(engine.key(), &engine.log_heights(), claims, &config)?;
        Ok(Self { engine, tree, values })
    }

    /// The levels, and their keys.
    pub fn tree(&self) -> &Tree<Goldilocks2> {
        &self.tree
    }

    /// A segment's proof, as the tree takes it.
    ///
    /// # Errors
    ///
    /// Fails if a number of a state is not canonical.
    pub fn leaf(
        &self,
        (start, end): (&State, &State),
        claim: Digest,
        proof: StarkProof<Goldilocks2>,
    ) -> Result<Leaf<Goldilocks2>, LayerError> {
        Ok(Leaf { publics: publics(self.engine, start, end, claim)?, proof })
    }

    /// Makes one proof of the proofs of segments that follow each other.
    ///
    /// # Errors
    ///
    /// Fails if there are none, they do not follow each other, or one is not valid.
    pub fn prove(
        &self,
        leaves: &[Leaf<Goldilocks2>],
        grown: &(dyn Fn(Grown) + Sync),
    ) -> Result<Vec<u8>, LayerError> {
        Ok(self.tree.prove(self.engine.key(), leaves, grown)?.proof.to_bytes())
    }

    /// What to expect of a proof about a run from one state to another.
    ///
    /// # Errors
    ///
    /// Fails if a number of a state is not canonical.
    pub fn expected(
        &self,
        start: &State,
        end: &State,
        claim: Digest,
    ) -> Result<Expected<ElementDigest>, LayerError> {
        let values = publics(self.engine, start, end, claim)?.concat();
        Ok(Claims::Steps(self.values.clone()).expect::<Goldilocks2>(&values)?)
    }

    /// Verifies that segments lead from one state to another. Tells what the proof is worth with the segments' proofs, at
    /// the heights of the engine's tables.
    ///
    /// # Errors
    ///
    /// Says why the bytes do not prove it.
    pub fn verify(
        &self,
        (start, end): (&State, &State),
        claim: Digest,
        proof: &[u8],
    ) -> Result<Level, VerifyError> {
        let proof = StarkProof::from_bytes(self.tree.top().key(), proof)
            .map_err(VerifyError::Compressed)?;
        let expected = self.expected(start, end, claim)?;
        Ok(self.tree.verify_claim(expected, &proof)?)
    }
}

/// The public values of a segment, table by table.
fn publics(
    engine: &Engine,
    start: &State,
    end: &State,
    claim: Digest,
) -> Result<Vec<Vec<Goldilocks>>, LayerError> {
    Ok(engine.publics(start, end, claim).map_err(CircuitError::from)?)
}

/// Which public values of a segment are of the state before, which of the state after. The rest is about the run.
///
/// # Soundness
///
/// The start has a list of its own for every place in which the machine knows a part of it, so what two tables
/// know of one state is compared with the end twice.
fn step_values(engine: &Engine) -> Result<StepValues, LayerError> {
    // Numbers in the place of values say where each of them is. No digest of a program is as small.
    let count = State::VALUES as u64;
    let (first, second) = (State::numbered(1), State::numbered(1 + count));
    let numbers = publics(engine, &first, &second, [0; 4])?.concat();
    let place =
        |number: u64| numbers.iter().position(|&value| value == Goldilocks::from_u64(number));
    let (mut start, mut end) = (Vec::new(), Vec::new());
    for (before, value) in numbers.iter().enumerate() {
        let number = (1..=count).find(|&number| *value == Goldilocks::from_u64(number));
        if let Some(after) = number.and_then(|number| place(number + count)) {
            start.push(before);
            end.push(after);
        }
    }
    let is_common = |place: &usize| !start.contains(place) && !end.contains(place);
    let common = (0..numbers.len()).filter(is_common).collect();
    Ok(StepValues::new(common, start, end)?)
}

/// Makes one proof of the proof of a run.
///
/// # Errors
///
/// Fails if the proof is not one of this run, or cannot be verified in circuits.
pub fn compress(
    program: &Program,
    input: &[u8],
    output: &[u8],
    proof: &Proof,
    options: &ProveOptions,
    grown: &(dyn Fn(Grown) + Sync),
) -> Result<Compressed, ProveError> {
    verify(program, input, output, proof, options).map_err(Box::new)?;
    let Proof { claim, shape, read, segments } = proof;
    let engine = Engine::of(program, *shape, options)?;
    let about = claim.digest();
    let mut state = State::initial(shape);
    let (claim, shape, read) = (*claim, *shape, *read);
    let mut compressed = Compressed { claim, shape, read, end: state, proof: None };
    if segments.is_empty() {
        return Ok(compressed);
    }
    let compressor = Compressor::new(&engine)?;
    let mut leaves = Vec::new();
    for (segment, part) in segments.iter().enumerate() {
        let proof = StarkProof::from_bytes(engine.key(), &part.proof)
            .map_err(|error| Box::new(VerifyError::Decode { segment, error }))?;
        leaves.push(compressor.leaf((&state, &part.end), about, proof)?);
        state = part.end;
    }
    compressed.end = state;
    compressed.proof = Some(compressor.prove(&leaves, grown)?);
    Ok(compressed)
}

/// Verifies that a program, given an input, ends after writing an output. Tells what the proof is worth with all that it
/// stands on, at the heights that its prover chose; `None` for a run of no cycles, which takes no proof.
///
/// # Errors
///
/// Says why the proof does not prove it.
pub fn verify_compressed(
    program: &Program,
    input: &[u8],
    output: &[u8],
    compressed: &Compressed,
    options: &ProveOptions,
) -> Result<Option<Level>, VerifyError> {
    let Compressed { claim, shape, read, end: last, proof } = compressed;
    let about = expected_claim(claim, program, (input, output), options)?;
    let end = End { program, input, output, read: *read, execution: &options.execution };
    end.is_possible(last)?;
    let engine = verifying_engine(program, *shape, options)?;
    let start = State::initial(shape);
    let level = match proof {
        Some(proof) => Some(Compressor::new(&engine)?.verify((&start, last), about, proof)?),
        None if *last == start => None,
        None => return Err(VerifyError::Empty),
    };
    end.verify(last)?;
    Ok(level)
}
