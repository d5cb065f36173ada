//! `chipwright mips bench`.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::prove::{json_line, prover};
use super::{CliError, load};
use crate::prove::Options;
use crate::prove::bench::{BenchError, Run};
use crate::{Executor, Input, Program};

/// The arguments of `chipwright mips bench`.
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// The programs, each as it is; by default, three that are embedded, at several sizes.
    elf: Vec<PathBuf>,
    /// The base-2 logarithms of the numbers of instructions that the embedded programs are asked for.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "18,20,22")]
    sizes: Vec<u32>,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// Figures, as `mips bench --json` writes them.
#[derive(Debug, Serialize)]
struct Bench {
    config: String,
    runs: Vec<Run>,
}

/// The programs of `mips bench`, which take the number of their rounds from the input: integers, memory, strings.
const GUESTS: [(&str, &[u8]); 3] = [
    ("integers", include_bytes!("../../guests/elf/integers.elf")),
    ("records", include_bytes!("../../guests/elf/records.elf")),
    ("words", include_bytes!("../../guests/elf/words.elf")),
];

/// So many rounds are executed to see how many instructions a round has.
const TRIED: u32 = 1 << 12;

fn rounds(number: u32) -> Input {
    Input { buffers: vec![number.to_le_bytes().to_vec()] }
}

/// The input with which a guest has about so many instructions.
fn sized(program: &Program, instructions: u64) -> Result<Input, CliError> {
    let input = rounds(TRIED);
    let mut executor = Executor::new(program, &input);
    executor.run(1 << 32, &mut ())?;
    let number = instructions * u64::from(TRIED) / executor.state().clock.max(1);
    Ok(rounds(u32::try_from(number).unwrap_or(u32::MAX)))
}

pub(super) fn bench(arguments: &BenchArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let mut runs = Vec::new();
    for path in &arguments.elf {
        runs.push((path.display().to_string(), load(path)?, Input::default()));
    }
    if runs.is_empty() {
        for &size in &arguments.sizes {
            let instructions = 1_u64.checked_shl(size).filter(|_| (10..=32).contains(&size));
            let instructions = instructions.ok_or(CliError::Size { size })?;
            for (name, elf) in GUESTS {
                let error = |error| CliError::Elf { path: name.into(), error };
                let program = Program::from_elf(elf).map_err(error)?;
                let input = sized(&program, instructions)?;
                runs.push((name.to_owned(), program, input));
            }
        }
    }
    let prover = prover()?;
    let options = Options::default();
    let mut bench = Bench { config: prover.config().name.to_string(), runs: Vec::new() };
    if !arguments.json {
        writeln!(
            out,
            "{:24} {:>12} {:>6} {:>5} {:>11} {:>6} {:>8} {:>6} {:>9}",
            "program",
            "instructions",
            "shards",
            "fill",
            "cells/instr",
            "trace",
            "instr/s",
            "MiB",
            "bytes"
        )?;
    }
    let count = runs.len();
    for (number, (name, program, input)) in runs.into_iter().enumerate() {
        if io::stderr().is_terminal() {
            eprintln!("{} of {count}: {name}", number + 1);
        }
        let run = prover.bench(&name, &program, &input, &options);
        let run = run.map_err(|error| match error {
            BenchError::Prove(error) => CliError::from(error),
            BenchError::Verify(error) => CliError::Verify(error),
        })?;
        if !arguments.json {
            writeln!(
                out,
                "{:24} {:>12} {:>6} {:>4.0}% {:>11.1} {:>5.0}% {:>8.0} {:>6} {:>9}",
                run.program,
                run.instructions,
                run.shards,
                100.0 * run.fill_rate,
                run.cells_per_instruction,
                100.0 * run.trace_ms / (run.trace_ms + run.prove_ms),
                run.instructions_per_s,
                run.peak_mib.map_or("-".to_owned(), |peak| peak.to_string()),
                run.proof_bytes
            )?;
        }
        bench.runs.push(run);
    }
    if arguments.json { json_line(out, &bench) } else { Ok(()) }
}
