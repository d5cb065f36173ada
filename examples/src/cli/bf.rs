//! `chipwright bf`: Brainfuck programs, run, proven and verified.
//!
//! Running writes the output of the program to standard output as it comes; proving writes a proof to a file. Verifying needs
//! the program, the input and the output, and nothing else that the prover knew.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use chipwright_backend_stark::config::Config;
use chipwright_ir::text::echo;
use chipwright_recursion::tree::Grown;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::error::CliError;
use super::file;
use super::progress::Progress;
use super::table;
use crate::brainfuck::bench::{Measurement, measure};
use crate::brainfuck::{
    self, Compressed, EndOfInput, Engine, Options, Program, Proof, ProveError, ProveOptions,
    RunError, Shape, Vm,
};

/// Commands over Brainfuck programs.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum BfCommand {
    /// Run a program: its output goes to standard output.
    Run(RunArguments),
    /// Run a program, and prove what it does.
    Prove(ProveArguments),
    /// Verify that a program turns an input into an output.
    Verify(VerifyArguments),
    /// Write a page that shows a run cycle by cycle.
    Trace(TraceArguments),
    /// Measure how long proving takes.
    Bench(BenchArguments),
}

/// What all commands have in common.
#[derive(Debug, Args)]
pub struct Execution {
    /// The program.
    file: PathBuf,
    /// The input; `-` is standard input. Without it there is none, but `bf run` reads standard input as the program asks
    /// for it.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Fail where the program reads behind the end of its input; without this, it reads zeros.
    #[arg(long)]
    strict_input: bool,
}

/// When to give up.
#[derive(Clone, Copy, Debug, Args)]
pub struct Limits {
    /// Give up after so many cycles.
    #[arg(long, value_name = "CYCLES", default_value_t = Options::MAX_CYCLES)]
    limit: u64,
    /// Give up after so many bytes of output.
    #[arg(long, value_name = "BYTES", default_value_t = Options::MAX_OUTPUT)]
    max_output: u64,
}

/// The arguments of `chipwright bf run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    execution: Execution,
    #[command(flatten)]
    limits: Limits,
}

/// The arguments of `chipwright bf prove`.
#[derive(Debug, Args)]
pub struct ProveArguments {
    #[command(flatten)]
    execution: Execution,
    /// Where to write the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    limits: Limits,
    /// A segment has at most 2^N cycles.
    #[arg(long, value_name = "N", default_value_t = 18)]
    segment: u8,
    /// Make one proof of those of all segments: its size does not depend on the number of cycles.
    #[arg(long)]
    compress: bool,
    /// The program is a public input, and the key serves all programs.
    #[arg(long)]
    universal: bool,
    /// The configuration: one of `chipwright security`, or fast-100.
    #[arg(long, value_name = "NAME", default_value = "proven-100")]
    config: String,
}

/// The arguments of `chipwright bf verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    execution: Execution,
    /// The output; `-` is standard input. Without it there is none.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The proof.
    proof: PathBuf,
    /// The program is a public input, and the key serves all programs.
    #[arg(long)]
    universal: bool,
    /// The configuration: one of `chipwright security`, or fast-100.
    #[arg(long, value_name = "NAME", default_value = "proven-100")]
    config: String,
}

/// The arguments of `chipwright bf trace`.
#[derive(Debug, Args)]
pub struct TraceArguments {
    #[command(flatten)]
    execution: Execution,
    /// Where to write the page.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
    /// Show so many cycles.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    cycles: u64,
}

/// The arguments of `chipwright bf bench`.
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// Write JSON.
    #[arg(long)]
    json: bool,
    /// A segment has at most 2^N cycles.
    #[arg(long, value_name = "N", default_value_t = 18)]
    segment: u8,
    /// Measure at 2^N cycles; may be given several times.
    #[arg(long = "log", value_name = "N", default_values_t = [16, 18, 20])]
    logs: Vec<u8>,
    /// The configuration: one of `chipwright security`, or fast-100.
    #[arg(long, value_name = "NAME", default_value = "fast-100")]
    config: String,
    /// Do not compress the proofs.
    #[arg(long)]
    segments_only: bool,
}

/// Runs a command.
///
/// # Errors
///
/// Says why the program cannot be run, proven or verified.
pub fn run(command: &BfCommand, out: &mut dyn Write) -> Result<(), CliError> {
    match command {
        BfCommand::Run(arguments) => execute(arguments, out),
        BfCommand::Prove(arguments) => prove(arguments, out),
        BfCommand::Verify(arguments) => verify(arguments, out),
        BfCommand::Trace(arguments) => trace(arguments, out),
        BfCommand::Bench(arguments) => bench(arguments, out),
    }
}

impl Execution {
    fn program(&self) -> Result<Program, CliError> {
        let source = file::read(&self.file, file::PROGRAM)?;
        // What is no text is a comment.
        let source = String::from_utf8_lossy(&source);
        Program::compile(&source)
            .map_err(|error| CliError::Compile { path: self.file.clone(), error })
    }

    fn input(&self) -> Result<Vec<u8>, CliError> {
        optional(self.input.as_deref(), file::INPUT)
    }

    fn options(&self, limits: Limits) -> Options {
        let end_of_input = if self.strict_input { EndOfInput::Fail } else { EndOfInput::default() };
        let Limits { limit: max_cycles, max_output } = limits;
        Options { end_of_input, max_cycles, max_output, ..Options::default() }
    }

    fn failed(&self, error: RunError) -> CliError {
        CliError::Run { path: self.file.clone(), error }
    }

    /// A run that cannot be proven, with the place in the source if the run is what fails.
    fn unproven(&self, error: ProveError) -> CliError {
        match error {
            ProveError::Run(error) => self.failed(error),
            other => CliError::Prove(other),
        }
    }
}

/// A file that need not be given.
fn optional(path: Option<&Path>, kind: file::Kind) -> Result<Vec<u8>, CliError> {
    path.map_or(Ok(Vec::new()), |path| file::read_or_stdin(path, kind))
}

/// Demands that a number lies between two others, both included.
fn within(what: &'static str, got: u64, (low, high): (u64, u64)) -> Result<(), CliError> {
    if (low..=high).contains(&got) {
        return Ok(());
    }
    let [got, low, high] = [got, low, high].map(|number| number as usize);
    Err(CliError::OutOfRange { what, got, low, high })
}

/// Demands that segments can have 2^N cycles.
fn segments_of(log_cycles: u8) -> Result<(), CliError> {
    let bounds = (Shape::LEAST.log_cycles.into(), Shape::GREATEST.log_cycles.into());
    within("--segment", log_cycles.into(), bounds)
}

fn config(name: &str) -> Result<Config, CliError> {
    brainfuck::named_config(name).ok_or_else(|| CliError::UnknownConfig { name: name.to_owned() })
}

/// Runs a program. Standard input is read when the program asks for it; output is shown before that, and when a while
/// has passed. (Standard output itself shows every line that ends.)
fn execute(arguments: &RunArguments, out: &mut dyn Write) -> Result<(), CliError> {
    /// The cycles after which output is shown that has not been yet: some hundredths of a second.
    const WHILE: u64 = 1 << 20;
    let RunArguments { execution, limits } = arguments;
    let program = execution.program()?;
    let path = execution.input.as_deref().unwrap_or(Path::new("-"));
    let mut stdin = file::is_stdin(path).then(|| io::stdin().lock());
    let input = if stdin.is_some() { Vec::new() } else { execution.input()? };
    let mut vm = Vm::new(&program, &input, execution.options(*limits));
    loop {
        if vm.wants_input()
            && let Some(source) = &mut stdin
        {
            out.flush()?;
            let failed = |reason| CliError::Read { path: path.to_owned(), reason };
            let bytes = source.fill_buf().map_err(failed)?;
            let count = bytes.len();
            vm.give_input(bytes);
            source.consume(count);
            if count == 0 {
                stdin = None;
            }
        }
        let step = vm.step();
        if !vm.output.is_empty() {
            out.write_all(&vm.output)?;
            vm.output.clear();
        }
        if vm.clk.is_multiple_of(WHILE) {
            out.flush()?;
        }
        match step {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(out.flush()?),
            Err(error) => {
                out.flush()?;
                return Err(execution.failed(error));
            }
        }
    }
}

fn prove(arguments: &ProveArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let ProveArguments { execution, out: path, limits, segment, compress, config: name, universal } =
        arguments;
    segments_of(*segment)?;
    let (program, input) = (execution.program()?, execution.input()?);
    let options = ProveOptions {
        execution: execution.options(*limits),
        log_cycles: *segment,
        config: config(name)?,
        universal: *universal,
    };
    let progress = Progress::new("running");
    let start = Instant::now();
    let report = |done: u64, all: u64| {
        let rate = done as f64 / start.elapsed().as_secs_f64();
        progress.next(format!("proven {done} of {all} cycles, {rate:.0} a second"));
    };
    let (proof, run) = brainfuck::prove_with_progress(&program, &input, &options, &report)
        .map_err(|error| execution.unproven(error))?;
    let bytes = if *compress {
        progress.next("building the circuits that verify segments");
        let report = |Grown { level, done, of, .. }: Grown| {
            progress.next(format!("level {level}: verified {done} of {of} proofs in circuits"));
        };
        brainfuck::compress(&program, &input, &run.output, &proof, &options, &report)?.to_bytes()
    } else {
        proof.to_bytes()
    };
    drop(progress);
    let elapsed = start.elapsed();
    file::write(path, &bytes)?;
    let segments = match proof.segments.len() {
        1 => "one segment".to_owned(),
        several => format!("{several} segments"),
    };
    writeln!(
        out,
        "proved {} cycles in {segments}, which write {} bytes, in {elapsed:.2?}: {} bytes in {}",
        run.cycles,
        run.output.len(),
        bytes.len(),
        echo(&path.to_string_lossy())
    )?;
    Ok(())
}

/// The limits of a run that is not made, or of which only the beginning is.
const UNLIMITED: Limits = Limits { limit: u64::MAX, max_output: u64::MAX };

fn verify(arguments: &VerifyArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let VerifyArguments { execution, output, proof: path, config: name, universal } = arguments;
    if [&execution.input, output].into_iter().flatten().filter(|path| file::is_stdin(path)).count()
        > 1
    {
        return Err(CliError::TwoInputs);
    }
    let (program, input) = (execution.program()?, execution.input()?);
    let output = optional(output.as_deref(), file::OUTPUT)?;
    let options = ProveOptions {
        execution: execution.options(UNLIMITED),
        config: config(name)?,
        universal: *universal,
        ..ProveOptions::default()
    };
    let bytes = file::read(path, file::PROOF)?;
    let unreadable = |error| CliError::ReadProof { path: path.clone(), error };
    let progress = Progress::new("verifying");
    let start = Instant::now();
    let (cycles, verdict) = if Compressed::begins(&bytes) {
        let proof = Compressed::from_bytes(&bytes).map_err(unreadable)?;
        let verdict = brainfuck::verify_compressed(&program, &input, &output, &proof, &options);
        (proof.end.clk, verdict)
    } else {
        let proof = Proof::from_bytes(&bytes).map_err(unreadable)?;
        let cycles = proof.segments.last().map_or(0, |segment| segment.end.clk);
        let verdict = brainfuck::verify(&program, &input, &output, &proof, &options);
        (cycles, verdict.map(|()| None))
    };
    let level = verdict
        .map_err(|error| CliError::NotProven { path: path.clone(), error: Box::new(error) })?;
    let elapsed = start.elapsed();
    drop(progress);
    writeln!(
        out,
        "verified: the program turns {} bytes of input into {} of output in {cycles} cycles ({elapsed:.2?})",
        input.len(),
        output.len()
    )?;
    if let Some(level) = level {
        writeln!(out, "the proof with all that it stands on: {level}")?;
    }
    Ok(())
}

fn trace(arguments: &TraceArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let TraceArguments { execution, html, cycles } = arguments;
    within("--cycles", *cycles, (1, 1 << 20))?;
    let (program, input) = (execution.program()?, execution.input()?);
    let page = brainfuck::page(&program, &input, &execution.options(UNLIMITED), *cycles)
        .map_err(|error| execution.failed(error))?;
    file::write(html, page.as_bytes())?;
    writeln!(out, "wrote {}", echo(&html.to_string_lossy()))?;
    Ok(())
}

/// The measurements, as `bf bench --json` writes them.
#[derive(Debug, Serialize)]
struct Measurements {
    config: String,
    segment: u8,
    runs: Vec<Measurement>,
}

fn bench(arguments: &BenchArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let BenchArguments { json, segment, logs, config: name, segments_only } = arguments;
    segments_of(*segment)?;
    for &log in logs {
        within("--log", log.into(), (1, 20))?;
    }
    let options =
        ProveOptions { log_cycles: *segment, config: config(name)?, ..ProveOptions::default() };
    let progress = Progress::new("measuring");
    let mut runs = Vec::new();
    for &log in logs {
        progress.next(format!("proving 2^{log} cycles"));
        runs.push(measure(1 << log, &options, !segments_only)?);
    }
    drop(progress);
    if *json {
        return super::write_json(
            out,
            &Measurements { config: name.clone(), segment: *segment, runs },
        );
    }
    let header = [
        "cycles",
        "ms",
        "cycles a second",
        "cells a cycle",
        "peak MiB",
        "proof bytes",
        "compressed bytes",
        "compressing, ms",
    ];
    let rows = runs.iter().map(|run| {
        vec![
            run.cycles.to_string(),
            format!("{:.0}", run.prove_ms),
            format!("{:.0}", run.cycles_per_s),
            format!("{:.1}", run.cells_per_cycle),
            run.peak_mib.map_or_else(String::new, |mib| mib.to_string()),
            run.proof_bytes.to_string(),
            run.compressed_bytes.map_or_else(String::new, |bytes| bytes.to_string()),
            run.compress_ms.map_or_else(String::new, |ms| format!("{ms:.0}")),
        ]
    });
    write!(out, "{}", table::markdown(&header, rows))?;
    Ok(())
}

/// The tables of a machine under the default configuration, as a Markdown table.
///
/// # Errors
///
/// Fails if the machine cannot be compiled.
pub fn markdown() -> Result<String, CliError> {
    let program = Program::compile(brainfuck::programs::HELLO)
        .map_err(|error| CliError::Compile { path: PathBuf::from("hello.bf"), error })?;
    let engine = Engine::new(&program, Shape::LEAST, &Config::default())?;
    let universal = Engine::universal(&program, Shape::LEAST, &Config::default())?;
    let tables = engine.key().tables().iter();
    let public = universal.key().tables().iter().filter(|table| table.name == "public_program");
    let header = ["chip", "columns", "preprocessed", "bus columns", "degree", "messages", "rows"];
    let rows = tables.chain(public).map(|table| {
        let rows = match table.name.as_str() {
            "processor" => "cycles of a segment",
            "program_table" | "public_program" => "instructions",
            "memory" => "cells / 4",
            "input_table" => "bytes read",
            "output_table" => "bytes written",
            "ticks" => "1024",
            _ => "256",
        };
        let bus_columns = engine.key().config().field.degree() * table.lookup_columns;
        let numbers = [table.width, table.fixed_width, bus_columns, table.degree, table.messages];
        let name = std::iter::once(table.name.clone());
        name.chain(numbers.map(|n| n.to_string())).chain([rows.to_owned()]).collect()
    });
    Ok(table::markdown(&header, rows))
}
