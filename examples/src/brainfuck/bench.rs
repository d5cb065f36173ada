//! How long proving takes, measured.
//!
//! What is proven are the first cycles of [`MILLION`]: a long run without input and output.

use std::fs;
use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;

use super::program::Program;
use super::programs::MILLION;
use super::proof::{Engine, ProveError, ProveOptions};
use super::segment::{Segment, Segments};
use super::{Shape, machine::FIELD};

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
    /// The most memory that the process ever used, in MiB; `None` where the system does not say.
    pub peak_mib: Option<u64>,
    /// The bytes of the proofs of all segments.
    pub proof_bytes: usize,
    /// The bytes of one proof that verifies all of these; `None` as long as they are not compressed.
    pub compressed_bytes: Option<usize>,
}

/// Proves the first `cycles` cycles of a long run.
///
/// # Errors
///
/// Fails if the options make no sense.
///
/// # Panics
///
/// Panics if our own program is not well formed, which its tests exclude.
pub fn measure(cycles: u64, options: &ProveOptions) -> Result<Measurement, ProveError> {
    let program = Program::compile(MILLION).expect("the program is well formed");
    let shape = Shape::holding((1 << options.log_cycles).min(cycles as usize), 128, 0, 0);
    let engine = Engine::new(&program, shape, &options.config)?;
    let start = Instant::now();
    let mut all = Segments::new(&program, b"", options.execution, shape);
    let (mut proven, mut proof_bytes, mut segments) = (0, 0, 0);
    while proven < cycles {
        let left = (cycles - proven).div_ceil(shape.cycles() as u64) as usize;
        let count = left.min(rayon::current_num_threads());
        let batch: Vec<Segment> = all.by_ref().take(count).collect::<Result<_, _>>()?;
        let Some(last) = batch.last() else { break };
        proven = last.end.clk;
        segments += batch.len();
        let sizes: Result<Vec<usize>, ProveError> = batch
            .par_iter()
            .map(|segment| Ok(engine.prove(segment, [0; 4])?.to_bytes().len()))
            .collect();
        proof_bytes += sizes?.into_iter().sum::<usize>();
    }
    let seconds = start.elapsed().as_secs_f64();
    let cells: usize = engine
        .key()
        .tables()
        .iter()
        .map(|table| {
            let log_height = table.log_height.or(shape.log_height(&table.name)).unwrap_or(0);
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
        peak_mib: peak_mib(),
        proof_bytes,
        compressed_bytes: None,
    })
}

/// The high-water mark of the process, where Linux tells it.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}
