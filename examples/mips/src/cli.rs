//! `chipwright mips`: ELF programs, executed, shown and proven.

mod bench;
mod compress;
mod prove;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use chipwright_mips_isa::Instruction;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::prove::{ProveError, ReadError, VerifyError};
use crate::{Counts, ElfError, ExecutionError, Executor, Input, Observer, Output, Program, Trace};

/// Commands over MIPS programs.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum MipsCommand {
    /// Run a program: what it writes, its exit code, what it commits to, and how often each instruction was executed.
    Run(RunArguments),
    /// Show the instructions of a program.
    Disassemble(DisassembleArguments),
    /// Write the key that proofs about a program are verified with.
    Setup(prove::SetupArguments),
    /// Run a program and prove it.
    Prove(prove::ProveArguments),
    /// Verify a proof with the key of a program.
    Verify(prove::VerifyArguments),
    /// Show what instructions cost, by chip.
    Cells(prove::CellsArguments),
    /// Prove and verify programs, and show what it takes.
    Bench(bench::BenchArguments),
    /// Compute the keys of the circuits that make one proof of many, and compare them with those of the release.
    Keys(compress::KeysArguments),
}

/// The arguments of `chipwright mips run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The program: a little-endian 32-bit ELF file, linked to fixed addresses.
    elf: PathBuf,
    /// The first buffer of the input, which descriptor 0 reads.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// A further buffer of the input; may be given several times.
    #[arg(long = "hint", value_name = "FILE")]
    hints: Vec<PathBuf>,
    /// Write the registers before each of the first N instructions to standard error, as qemu-mipsel does.
    #[arg(long, value_name = "N", default_value_t = 0)]
    trace: u64,
    /// Give up after so many instructions.
    #[arg(long, value_name = "INSTRUCTIONS", default_value_t = 1 << 32)]
    limit: u64,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// The arguments of `chipwright mips disassemble`.
#[derive(Debug, Args)]
pub struct DisassembleArguments {
    /// The program.
    elf: PathBuf,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// A file cannot be read.
    #[error("`{}` cannot be read: {reason}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file is no program.
    #[error("`{}` cannot be loaded: {error}", .path.display())]
    Elf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ElfError,
    },
    /// A program cannot be executed to its end.
    #[error(transparent)]
    Execution(#[from] Box<ExecutionError>),
    /// A file cannot be written.
    #[error("`{}` cannot be written: {reason}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file is no key, or no proof.
    #[error("`{}`: {error}", .path.display())]
    Bytes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ReadError,
    },
    /// A run cannot be proven.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// A proof does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The program ended otherwise than expected.
    #[error(
        "the program ended with exit code {found}, expected was {expected} (`--exit-code {found}` accepts it)"
    )]
    ExitCode {
        /// The exit code.
        found: u32,
        /// The expected one.
        expected: u32,
    },
    /// The program committed to something else.
    #[error("the program did not commit to the SHA-256 of `{}`", .path.display())]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// The keys of the release are others.
    #[error(
        "the keys of the release are others: `mips keys --out examples/mips/src/prove/keys` writes these"
    )]
    Keys,
    /// A size of programs that is none.
    #[error("programs of 2^{size} instructions cannot be made: sizes are from 10 to 32")]
    Size {
        /// The size.
        size: u32,
    },
    /// The menu has no such kind.
    #[error("there is no kind of shard `{found}`; known are {known}")]
    Kind {
        /// The name given.
        found: String,
        /// The names of the menu.
        known: String,
    },
}

/// Runs a command.
///
/// # Errors
///
/// Says why the program cannot be loaded or executed.
pub fn run(command: &MipsCommand, out: &mut dyn Write) -> Result<(), CliError> {
    match command {
        MipsCommand::Run(arguments) => execute(arguments, out),
        MipsCommand::Disassemble(arguments) => disassemble(arguments, out),
        MipsCommand::Setup(arguments) => prove::setup(arguments, out),
        MipsCommand::Prove(arguments) => prove::prove(arguments, out),
        MipsCommand::Verify(arguments) => prove::verify(arguments, out),
        MipsCommand::Cells(arguments) => prove::cells(arguments, out),
        MipsCommand::Bench(arguments) => bench::bench(arguments, out),
        MipsCommand::Keys(arguments) => compress::keys(arguments, out),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|reason| CliError::Read { path: path.to_owned(), reason })
}

fn load(path: &Path) -> Result<Program, CliError> {
    let elf = |error| CliError::Elf { path: path.to_owned(), error };
    Program::from_elf(&read(path)?).map_err(elf)
}

/// Writes what the program writes as soon as it does.
struct Show<'a> {
    out: &'a mut dyn Write,
    error: Option<io::Error>,
}

impl Observer for Show<'_> {
    fn output(&mut self, descriptor: u32, bytes: &[u8]) {
        let written = match descriptor {
            1 => self.out.write_all(bytes).and_then(|()| self.out.flush()),
            2 => io::stderr().write_all(bytes),
            // Public bytes are committed to, not shown.
            _ => Ok(()),
        };
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }
}

/// A run, as `mips run --json` writes it.
#[derive(Debug, Serialize)]
struct Report {
    program: String,
    exit_code: u32,
    instructions: u64,
    output: String,
    errors: String,
    public_bytes: usize,
    committed: [Option<String>; 8],
    memory_bytes: u64,
    execute_ms: f64,
    opcodes: Vec<Opcodes>,
}

#[derive(Debug, Serialize)]
struct Opcodes {
    name: &'static str,
    instructions: u64,
}

fn execute(arguments: &RunArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let RunArguments { elf, input, hints, trace, limit, json } = arguments;
    let program = load(elf)?;
    let buffers = input.iter().chain(hints).map(|path| read(path));
    let input = Input { buffers: buffers.collect::<Result<_, _>>()? };
    let mut counts = Counts::new(&program);
    let mut kept = Output::default();
    let mut trace = Trace::new(io::stderr().lock(), *trace);
    let mut executor = Executor::new(&program, &input);
    let start = Instant::now();
    let exit_code = if *json {
        executor.run(*limit, &mut ((&mut counts, &mut kept), &mut trace))?
    } else {
        let mut show = Show { out: &mut *out, error: None };
        let result = executor.run(*limit, &mut ((&mut counts, &mut show), &mut trace));
        // Whoever does not want to see more is not told what happened later.
        show.error.map_or(Ok(()), Err)?;
        result?
    };
    let execute_ms = start.elapsed().as_secs_f64() * 1e3;
    trace.finish()?;
    let state = executor.state();
    let committed = state.committed.map(|word| word.map(|word| format!("{word:08x}")));
    let memory_bytes = state.memory.resident();
    if *json {
        let opcodes = counts.by_opcode().into_iter();
        let report = Report {
            program: elf.display().to_string(),
            exit_code,
            instructions: state.clock,
            output: String::from_utf8_lossy(&kept.output).into_owned(),
            errors: String::from_utf8_lossy(&kept.errors).into_owned(),
            public_bytes: kept.public.len(),
            committed,
            memory_bytes,
            execute_ms,
            opcodes: opcodes
                .map(|(opcode, n)| Opcodes { name: opcode.name(), instructions: n })
                .collect(),
        };
        serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(
        out,
        "exit code {exit_code} after {} instructions, {memory_bytes} bytes of memory",
        state.clock
    )?;
    if committed.iter().any(Option::is_some) {
        let words = committed.map(|word| word.unwrap_or_else(|| "-".repeat(8)));
        writeln!(out, "committed {}", words.join(" "))?;
    }
    let opcodes = counts.by_opcode();
    let opcodes: Vec<String> =
        opcodes.iter().map(|(opcode, n)| format!("{} {n}", opcode.name())).collect();
    writeln!(out, "{}", opcodes.join(", "))?;
    Ok(())
}

fn disassemble(arguments: &DisassembleArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let program = load(&arguments.elf)?;
    for (address, word) in program.words() {
        if let Some(location) = program.locate(address).filter(|location| location.offset == 0) {
            writeln!(out, "\n{location}:")?;
        }
        match Instruction::decode(word) {
            Some(instruction) => {
                writeln!(out, "{address:8x}  {word:08x}  {}", instruction.at(address))?;
            }
            None => writeln!(out, "{address:8x}  {word:08x}")?,
        }
    }
    Ok(())
}
