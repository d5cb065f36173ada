//! Figures of a proof: exact counts, and times.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{CoreProof, MipsProver, Options, ProveError, VerifyError};
use crate::{Executor, Input, Program};

/// What the proof of a run took.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The program.
    pub program: String,
    /// The instructions executed.
    pub instructions: u64,
    /// The kinds of its shards, in order.
    pub layouts: Vec<&'static str>,
    /// The part of the cells of instruction rows that is not padding, without the last shard if there are several.
    pub fill_rate: f64,
    /// The number of shards.
    pub shards: usize,
    /// The time of the execution alone.
    pub execute_ms: f64,
    /// The time to cut the run, and to record and fill the traces.
    pub trace_ms: f64,
    /// The time to prove the traces.
    pub prove_ms: f64,
    /// The time to verify the proof.
    pub verify_ms: f64,
    /// Instructions a second, from the program to the proof.
    pub instructions_per_s: f64,
    /// All cells that the proof commits to, by instruction.
    pub cells_per_instruction: f64,
    /// The bytes of the proof.
    pub proof_bytes: usize,
    /// Whether the proof was verified.
    pub verified: bool,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The run cannot be proven.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof is not one.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl MipsProver {
    /// Proves and verifies the first instructions of a run, up to `limit` of them, and says what it took.
    ///
    /// # Errors
    ///
    /// Fails if the run cannot be proven.
    pub fn bench(
        &self,
        name: &str,
        program: &Program,
        input: &Input,
        options: &Options,
    ) -> Result<Run, BenchError> {
        let start = Instant::now();
        let mut executor = Executor::new(program, input);
        executor.run(options.limit, &mut ()).map_err(ProveError::from)?;
        let execute = start.elapsed();
        let instructions = executor.state().clock;
        drop(executor);
        // Keys are made once for all runs.
        let mut kinds = Vec::new();
        for shard in self.shards(program, input, options, ()) {
            let shard = shard?;
            self.keys(shard.kind).map_err(ProveError::from)?;
            kinds.push(shard.kind);
        }

        let start = Instant::now();
        let mut proving = Duration::ZERO;
        let mut fills = Vec::new();
        let mut shards = self.shards(program, input, options, ());
        let mut proofs = Vec::new();
        for shard in shards.by_ref() {
            let shard = shard?;
            let (trace, fill) = self.trace(program, input, &shard)?;
            fills.push(fill);
            let begun = Instant::now();
            proofs.push(self.prove_trace(&shard, trace)?);
            proving += begun.elapsed();
        }
        let proof = CoreProof::new(proofs, shards.tree());
        let all = start.elapsed();

        let begun = Instant::now();
        let outcome = self.verify_core(&self.setup(program), &proof)?;
        let verify_ms = milliseconds(begun.elapsed());
        let cells: u64 = kinds.iter().map(|&kind| self.menu()[kind].cells).sum();
        let counted = &fills[..fills.len().saturating_sub(1).max(1).min(fills.len())];
        Ok(Run {
            program: name.to_owned(),
            instructions,
            layouts: kinds.iter().map(|&kind| self.menu()[kind].name).collect(),
            fill_rate: counted.iter().sum::<f64>() / counted.len().max(1) as f64,
            shards: kinds.len(),
            execute_ms: milliseconds(execute),
            trace_ms: milliseconds(all.saturating_sub(proving)),
            prove_ms: milliseconds(proving),
            verify_ms,
            instructions_per_s: instructions as f64 / all.as_secs_f64(),
            cells_per_instruction: cells as f64 / instructions.max(1) as f64,
            proof_bytes: proof.to_bytes().len(),
            verified: outcome.instructions == instructions,
        })
    }
}
