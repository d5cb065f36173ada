//! Figures of a proof: exact counts, and times.

use std::fs;
use std::time::{Duration, Instant};

use chipwright_recursion::shard::in_order;
use serde::Serialize;

use super::cut::while_cut;
use super::{CoreProof, MipsProver, Options, ProveError, Shard, VerifyError};
use crate::{Executor, Input, Program};

/// What the proof of a run took.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The program.
    pub program: String,
    /// The instructions executed.
    pub instructions: u64,
    /// The kinds of its shards, in order.
    pub layout: Vec<&'static str>,
    /// The part of the cells of instruction rows that is not padding, without the last shard if there are several.
    pub fill_rate: f64,
    /// The number of shards.
    pub shards: usize,
    /// The time of the execution alone.
    pub execute_ms: f64,
    /// The time to record and fill the traces, summed over shards, of which several are proven at once.
    pub trace_ms: f64,
    /// The time to prove the traces, summed over shards.
    pub prove_ms: f64,
    /// The time to verify the proof.
    pub verify_ms: f64,
    /// Instructions a second, from the program to the proof.
    pub instructions_per_s: f64,
    /// All cells that the proof commits to, by instruction.
    pub cells_per_instruction: f64,
    /// The most memory that the process held meanwhile, in MiB; not known everywhere.
    pub peak_mib: Option<u64>,
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

/// The most memory that the process held since [`forget_peak`], if the system tells.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}

/// Makes the system forget how much memory the process held. Where it does not, the peak is that of all runs so far.
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
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

        forget_peak();
        let start = Instant::now();
        // By shard: the part of its cells that is used, and the times to fill and to prove it.
        let prove = |_, shard: Shard| {
            let begun = Instant::now();
            let trace = self.trace(program, input, &shard)?;
            let tables = self.keys(shard.kind)?.prover().machine().chips.iter().zip(&trace.tables);
            let rows: Vec<(String, usize)> =
                tables.map(|(chip, table)| (chip.name.clone(), table.real_rows)).collect();
            let fill = self.fill_rate(shard.kind, &rows);
            let (tracing, begun) = (begun.elapsed(), Instant::now());
            let proof = shard.proven(&self.prove_trace(shard.kind, trace)?);
            Ok::<_, ProveError>((proof, fill, tracing, begun.elapsed()))
        };
        let mut shards = self.shards(program, input, options, ());
        let proven =
            while_cut(&mut shards, |cut| in_order(cut.into_iter(), options.at_once, prove))?;
        let (all, peak_mib) = (start.elapsed(), peak_mib());
        let fills: Vec<f64> = proven.iter().map(|&(_, fill, ..)| fill).collect();
        let tracing: Duration = proven.iter().map(|&(_, _, tracing, _)| tracing).sum();
        let proving: Duration = proven.iter().map(|&(.., proving)| proving).sum();
        let proofs = proven.into_iter().map(|(proof, ..)| proof).collect();
        let proof = CoreProof::new(proofs, shards.tree());

        let begun = Instant::now();
        let outcome = self.verify_core(&self.setup(program), &proof)?;
        let verify_ms = milliseconds(begun.elapsed());
        let cells: u64 = kinds.iter().map(|&kind| self.menu()[kind].cells).sum();
        let counted = &fills[..fills.len().saturating_sub(1).max(1).min(fills.len())];
        Ok(Run {
            program: name.to_owned(),
            instructions,
            layout: kinds.iter().map(|&kind| self.menu()[kind].name).collect(),
            fill_rate: counted.iter().sum::<f64>() / counted.len().max(1) as f64,
            shards: kinds.len(),
            execute_ms: milliseconds(execute),
            trace_ms: milliseconds(tracing),
            prove_ms: milliseconds(proving),
            verify_ms,
            instructions_per_s: instructions as f64 / all.as_secs_f64(),
            cells_per_instruction: cells as f64 / instructions.max(1) as f64,
            peak_mib,
            proof_bytes: proof.to_bytes().len(),
            verified: outcome.instructions == instructions,
        })
    }
}
