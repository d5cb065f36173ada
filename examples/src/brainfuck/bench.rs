//! How long proving takes, measured.
//!
//! What is proven are the first cycles of [`MILLION`]: a long run without input and output.

use std::fs;
use std::time::Instant;

use chipwright_backend_stark::proof::Proof as StarkProof;
use chipwright_ir::field::Goldilocks2;
use rayon::prelude::*;
use serde::Serialize;

use super::compress::Compressor;
use super::engine::Engine;
use super::machine::{FIELD, Shape};
use super::program::Program;
use super::programs::MILLION;
use super::proof::{ProveError, ProveOptions};
use super::segment::{Segment, Segments, State};

/// What proving so many cycles took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measurement {
    /// The number of cycles.
    pub cycles: u64,
    /// Executing, filling and proving, in milliseconds. Keys are made before.
    pub prove_ms: f64,
    /// Cycles a second.
    pub cycles_per_s: f64,
    /// Committed base elements a cycle, over all tables.
    pub cells_per_cycle: f64,
    /// The most memory that the process used from executing to the last segment's proof, in MiB; `None` where the
    /// system does not say.
    pub peak_mib: Option<u64>,
    /// The bytes of the proofs of all segments.
    pub proof_bytes: usize,
    /// The bytes of one proof that verifies all of these; `None` where that was not asked for.
    pub compressed_bytes: Option<usize>,
    /// Proving and verifying that one proof, in milliseconds, the layers' keys included.
    pub compress_ms: Option<f64>,
}

/// Proves the first `cycles` cycles of a long run, and compresses the proofs if `compress` says so.
///
/// # Errors
///
/// Fails if the options make no sense.
///
/// # Panics
///
/// Panics if our own program is not well formed, which its tests exclude.
pub fn measure(
    cycles: u64,
    options: &ProveOptions,
    compress: bool,
) -> Result<Measurement, ProveError> {
    let program = Program::compile(MILLION).expect("the program is well formed");
    let shape = Shape::holding((1 << options.log_cycles).min(cycles as usize), 128, 0, 0);
    let engine = Engine::new(&program, shape, &options.config)?;
    forget_peak();
    let start = Instant::now();
    let mut all = Segments::new(&program, b"", options.execution, shape);
    let (mut proven, mut proof_bytes, mut segments) = (0, 0, 0);
    let mut steps = Vec::new();
    while proven < cycles {
        let left = (cycles - proven).div_ceil(shape.cycles() as u64) as usize;
        let count = left.min(rayon::current_num_threads());
        let batch: Vec<Segment> = all.by_ref().take(count).collect::<Result<_, _>>()?;
        let Some(last) = batch.last() else { break };
        proven = last.end.clk;
        segments += batch.len();
        let proofs: Result<Vec<_>, ProveError> = batch
            .par_iter()
            .map(|segment| {
                let proof = engine.prove(segment, CLAIM)?;
                Ok((segment.end, proof.to_bytes().len(), proof))
            })
            .collect();
        for (end, bytes, proof) in proofs? {
            proof_bytes += bytes;
            steps.extend(compress.then_some((end, proof)));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let peak_mib = peak_mib();
    let compressed = if compress { Some(compressed(&engine, shape, steps)?) } else { None };
    let cells: usize = engine
        .key()
        .tables()
        .iter()
        .zip(engine.log_heights())
        .map(|(table, log_height)| {
            let width =
                table.width + FIELD.degree() * (table.lookup_columns + table.quotient_chunks);
            width << log_height
        })
        .sum();
    Ok(Measurement {
        cycles: proven,
        prove_ms: seconds * 1e3,
        cycles_per_s: proven as f64 / seconds,
        cells_per_cycle: (cells * segments) as f64 / proven as f64,
        peak_mib,
        proof_bytes,
        compressed_bytes: compressed.map(|(bytes, _)| bytes),
        compress_ms: compressed.map(|(_, milliseconds)| milliseconds),
    })
}

/// The claim of runs that are proven to be measured.
const CLAIM: [u64; 4] = [0; 4];

/// Makes one proof of proofs of segments, given with the states in which they end, and verifies it: its bytes, and
/// how long that takes, in milliseconds.
fn compressed(
    engine: &Engine,
    shape: Shape,
    steps: Vec<(State, StarkProof<Goldilocks2>)>,
) -> Result<(usize, f64), ProveError> {
    let clock = Instant::now();
    let compressor = Compressor::new(engine)?;
    let first = State::initial(&shape);
    let mut state = first;
    let leaves = steps.into_iter().map(|(end, proof)| {
        let start = std::mem::replace(&mut state, end);
        compressor.leaf((&start, &end), CLAIM, proof)
    });
    let leaves: Vec<_> = leaves.collect::<Result<_, _>>()?;
    let proof = compressor.prove(&leaves, &|_| {})?;
    compressor.verify((&first, &state), CLAIM, &proof).map_err(Box::new)?;
    Ok((proof.len(), clock.elapsed().as_secs_f64() * 1e3))
}

/// Sets the high-water mark of the process to what it uses now, where Linux can; elsewhere nothing is told of it.
fn forget_peak() {
    // The mark would be that of an earlier measurement where this fails: too high, never too low.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The high-water mark of the process, where Linux tells it.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}
