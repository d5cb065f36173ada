//! `chipwright bf`: Brainfuck programs, run, proven and verified.
//!
//! Proving writes the output of the program to standard output, and the proof to a file. Verifying needs the
//! program, the input and the output, and nothing else that the prover knew.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use chipwright_backend_stark::config::Config;
use clap::{Args, Subcommand};

use super::error::CliError;
use super::progress::Progress;
use crate::brainfuck::{self, EndOfInput, Options, Program, Proof, ProveOptions};

/// Commands over Brainfuck programs.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum BfCommand {
    /// Run a program: its output goes to standard output.
    Run(RunArguments),
    /// Run a program and prove it: its output goes to standard output.
    Prove(ProveArguments),
    /// Verify that a program turns an input into an output.
    Verify(VerifyArguments),
}

/// What all commands have in common.
#[derive(Debug, Args)]
pub struct Execution {
    /// The program.
    file: PathBuf,
    /// The input; without it, there is none.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Fail where the program reads behind the end of its input; without this, it reads zeros.
    #[arg(long)]
    strict_input: bool,
}

/// The arguments of `chipwright bf run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    execution: Execution,
    /// Give up after so many cycles.
    #[arg(long, value_name = "CYCLES", default_value_t = 1 << 32)]
    limit: u64,
}

/// The arguments of `chipwright bf prove`.
#[derive(Debug, Args)]
pub struct ProveArguments {
    #[command(flatten)]
    execution: Execution,
    /// Where to write the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Give up after so many cycles.
    #[arg(long, value_name = "CYCLES", default_value_t = 1 << 32)]
    limit: u64,
    /// A segment has at most 2^N cycles.
    #[arg(long, value_name = "N", default_value_t = 18)]
    segment: u8,
    /// The configuration.
    #[arg(long, value_name = "NAME", default_value = "proven-100")]
    config: String,
}

/// The arguments of `chipwright bf verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    execution: Execution,
    /// The output; without it, there is none.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The proof.
    proof: PathBuf,
    /// The configuration.
    #[arg(long, value_name = "NAME", default_value = "proven-100")]
    config: String,
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
    }
}

impl Execution {
    fn program(&self) -> Result<Program, CliError> {
        let source = read(&self.file)?;
        // What is no text is a comment.
        let source = String::from_utf8_lossy(&source);
        Program::compile(&source)
            .map_err(|error| CliError::Compile { path: self.file.clone(), error })
    }

    fn input(&self) -> Result<Vec<u8>, CliError> {
        self.input.as_deref().map_or(Ok(Vec::new()), read)
    }

    fn options(&self, max_cycles: u64) -> Options {
        let end_of_input = if self.strict_input { EndOfInput::Fail } else { EndOfInput::default() };
        Options { end_of_input, max_cycles, ..Options::default() }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|reason| CliError::Read { path: path.to_owned(), reason })
}

fn config(name: &str) -> Result<Config, CliError> {
    Config::named(name).ok_or_else(|| CliError::UnknownConfig { name: name.to_owned() })
}

fn execute(arguments: &RunArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let execution = &arguments.execution;
    let (program, input) = (execution.program()?, execution.input()?);
    let run = brainfuck::run(&program, &input, &execution.options(arguments.limit))?;
    out.write_all(&run.output)?;
    Ok(())
}

fn prove(arguments: &ProveArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let ProveArguments { execution, out: path, limit, segment, config: name } = arguments;
    let (program, input) = (execution.program()?, execution.input()?);
    let options = ProveOptions {
        execution: execution.options(*limit),
        log_cycles: *segment,
        config: config(name)?,
    };
    let progress = Progress::new("running");
    let start = Instant::now();
    let report = |done: u64, all: u64| {
        let rate = done as f64 / start.elapsed().as_secs_f64();
        progress.next(format!("proven {done} of {all} cycles, {rate:.0} a second"));
    };
    let (proof, run) = brainfuck::prove_with_progress(&program, &input, &options, &report)?;
    drop(progress);
    let elapsed = start.elapsed();
    let bytes = proof.to_bytes();
    fs::write(path, &bytes).map_err(|reason| CliError::Write { path: path.clone(), reason })?;
    out.write_all(&run.output)?;
    // Standard output is the program's.
    writeln!(
        io::stderr(),
        "proved {} cycles in {} segments in {elapsed:.2?}: {} bytes in {}",
        run.cycles,
        proof.segments.len(),
        bytes.len(),
        path.display()
    )?;
    Ok(())
}

fn verify(arguments: &VerifyArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let VerifyArguments { execution, output, proof: path, config: name } = arguments;
    let (program, input) = (execution.program()?, execution.input()?);
    let output = output.as_deref().map_or(Ok(Vec::new()), read)?;
    let options = ProveOptions {
        execution: execution.options(u64::MAX),
        config: config(name)?,
        ..ProveOptions::default()
    };
    let proof = Proof::from_bytes(&read(path)?)
        .map_err(|error| CliError::ReadProof { path: path.clone(), error })?;
    let progress = Progress::new("verifying");
    let start = Instant::now();
    brainfuck::verify(&program, &input, &output, &proof, &options)
        .map_err(|error| CliError::NotProven { path: path.clone(), error })?;
    let elapsed = start.elapsed();
    drop(progress);
    let cycles = proof.segments.last().map_or(0, |segment| segment.end.clk);
    writeln!(
        out,
        "verified: the program turns {} bytes of input into {} of output in {cycles} cycles ({elapsed:.2?})",
        input.len(),
        output.len()
    )?;
    Ok(())
}
