//! `chipwright mips setup`, `prove`, `verify`, and `cells`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use chipwright_backend_stark::config::Config;
use clap::Args;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{CliError, Show, compress, load, read};
use crate::prove::compress::{CompressedProof, verifier, verify_compressed};
use crate::prove::menu::Kind;
use crate::prove::{Committed, CoreProof, MipsProver, Options, Progress, Shard, VerifyingKey};
use crate::{Input, Program};

/// The arguments of `chipwright mips setup`.
#[derive(Debug, Args)]
pub struct SetupArguments {
    /// The program.
    elf: PathBuf,
    /// Where to write its key.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The arguments of `chipwright mips prove`.
#[derive(Debug, Args)]
pub struct ProveArguments {
    /// The program.
    pub(super) elf: PathBuf,
    /// The first buffer of the input, which descriptor 0 reads.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// A further buffer of the input; may be given several times.
    #[arg(long = "hint", value_name = "FILE")]
    hints: Vec<PathBuf>,
    /// Where to write the proof.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Prove shard by shard, which is the default.
    #[arg(long)]
    core: bool,
    /// Make one small proof of the proofs of all shards.
    #[arg(long, conflicts_with = "core")]
    compress: bool,
    /// Keep the proofs below the one in this folder, and go on from those that are there.
    #[arg(long, value_name = "FOLDER", requires = "compress")]
    pub(super) keep: Option<PathBuf>,
    /// No shard has more instructions; by default, as many as it has room for.
    #[arg(long, value_name = "INSTRUCTIONS")]
    shard: Option<u64>,
    /// Do not prove a run of more instructions.
    #[arg(long, value_name = "INSTRUCTIONS", default_value_t = 1 << 28)]
    limit: u64,
    /// Warn of a run of more instructions.
    #[arg(long, value_name = "INSTRUCTIONS", default_value_t = 1 << 26)]
    many: u64,
    /// Write JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// The arguments of `chipwright mips verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The program's key, as `setup` writes it, or the program.
    key: PathBuf,
    /// The proof.
    proof: PathBuf,
    /// Demand that the program committed to the SHA-256 of this file.
    #[arg(long, value_name = "FILE")]
    public_file: Option<PathBuf>,
    /// The exit code that the program is expected to have ended with.
    #[arg(long, value_name = "N", default_value_t = 0)]
    exit_code: u32,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// The arguments of `chipwright mips cells`.
#[derive(Debug, Args)]
pub struct CellsArguments {
    /// The kind of shard.
    #[arg(long, default_value = "general-16")]
    kind: String,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// The configuration of shards.
pub(super) fn prover() -> Result<MipsProver, CliError> {
    MipsProver::new(Config::fast_100()).map_err(|error| CliError::Prove(error.into()))
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    fs::write(path, bytes).map_err(|reason| CliError::Write { path: path.to_owned(), reason })
}

pub(super) fn setup(arguments: &SetupArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let key = VerifyingKey::new(&load(&arguments.elf)?).to_bytes();
    write(&arguments.out, &key)?;
    writeln!(out, "a key of {} bytes", key.len())?;
    Ok(())
}

/// Says that a run is long.
pub(super) fn warn_of_many(instructions: u64) {
    eprintln!("warning: the run has more than {instructions} instructions so far");
}

/// Shows shards as they are proven, on a terminal.
struct ShowShards;

impl Progress for ShowShards {
    fn proven(&self, shard: &Shard, kind: &Kind) {
        if io::stderr().is_terminal() {
            let (number, clk) = (shard.number + 1, shard.to.clk);
            eprintln!("shard {number} ({}): {clk} instructions are proven", kind.name);
        }
    }

    fn has_many(&self, instructions: u64) {
        warn_of_many(instructions);
    }
}

/// A proof, as `mips prove --json` writes it.
#[derive(Debug, Serialize)]
struct Proven {
    program: String,
    exit_code: u64,
    instructions: u64,
    shards: Vec<ProvenShard>,
    committed: [Option<String>; 8],
    proof_bytes: usize,
    prove_ms: f64,
    configuration: String,
}

#[derive(Debug, Serialize)]
struct ProvenShard {
    kind: &'static str,
    instructions: u64,
    proof_bytes: usize,
}

pub(super) fn prove(arguments: &ProveArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let ProveArguments { elf, input, hints, shard, limit, json, .. } = arguments;
    let program = load(elf)?;
    let buffers = input.iter().chain(hints).map(|path| read(path));
    let input = Input { buffers: buffers.collect::<Result<_, _>>()? };
    let mut options = Options { limit: *limit, many: arguments.many, ..Options::default() };
    options.shard = shard.unwrap_or(options.shard);
    if arguments.compress {
        return compress::prove(arguments, (&program, &input, &options), out);
    }
    let prover = prover()?;
    let start = Instant::now();
    let proof = if *json {
        prover.prove_with_context(&program, &input, &options, (), &ShowShards)?
    } else {
        let mut show = Show { out: &mut *out, error: None };
        let proof =
            prover.prove_with_context(&program, &input, &options, &mut show, &ShowShards)?;
        show.error.map_or(Ok(()), Err)?;
        proof
    };
    let prove_ms = start.elapsed().as_secs_f64() * 1e3;
    let bytes = proof.to_bytes();
    write(&arguments.out, &bytes)?;
    let Some(end) = proof.shards.last().map(|shard| shard.to) else { return Ok(()) };
    let committed = proof.committed.open(&end.memory).unwrap_or_default();
    if *json {
        let mut clk = 0;
        let shards = proof.shards.iter().map(|shard| ProvenShard {
            kind: prover.menu()[usize::from(shard.kind)].name,
            instructions: shard.to.clk - std::mem::replace(&mut clk, shard.to.clk),
            proof_bytes: shard.proof.len(),
        });
        let proven = Proven {
            program: elf.display().to_string(),
            exit_code: end.pc,
            instructions: end.clk,
            shards: shards.collect(),
            committed: committed.map(|word| word.map(|word| format!("{word:08x}"))),
            proof_bytes: bytes.len(),
            prove_ms,
            configuration: prover.config().name.to_string(),
        };
        return json_line(out, &proven);
    }
    let (shards, seconds) = (proof.shards.len(), prove_ms / 1e3);
    let plural = if shards == 1 { "shard" } else { "shards" };
    writeln!(
        out,
        "proven in {seconds:.2} s: exit code {} after {} instructions, {shards} {plural}, {} bytes ({})",
        end.pc,
        end.clk,
        bytes.len(),
        prover.config().name
    )?;
    Ok(())
}

pub(super) fn json_line(out: &mut dyn Write, value: &impl Serialize) -> Result<(), CliError> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The words that stand for public bytes: their SHA-256, as guests commit to it.
pub(super) fn words(bytes: &[u8]) -> Committed {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    std::array::from_fn(|word| {
        let bytes = [0, 1, 2, 3].map(|byte| digest[4 * word + byte]);
        Some(u32::from_be_bytes(bytes))
    })
}

/// A verdict, as `mips verify --json` writes it.
#[derive(Debug, Serialize)]
struct Verdict {
    verified: bool,
    exit_code: u32,
    instructions: u64,
    committed: [Option<String>; 8],
    verify_ms: f64,
}

pub(super) fn verify(arguments: &VerifyArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let VerifyArguments { key, proof, public_file, exit_code, json } = arguments;
    let unreadable = |path: &Path, error| CliError::Bytes { path: path.to_owned(), error };
    let bytes = read(key)?;
    let key = if bytes.starts_with(b"\x7fELF") {
        let elf = |error| CliError::Elf { path: key.clone(), error };
        VerifyingKey::new(&Program::from_elf(&bytes).map_err(elf)?)
    } else {
        VerifyingKey::from_bytes(&bytes).map_err(|error| unreadable(key, error))?
    };
    let path = proof;
    let bytes = read(path)?;
    let (outcome, start) = if CompressedProof::is_start_of(&bytes) {
        let proof = CompressedProof::from_bytes(&bytes).map_err(|error| unreadable(path, error))?;
        let start = Instant::now();
        (verify_compressed(verifier(), &key, &proof)?, start)
    } else {
        let proof = CoreProof::from_bytes(&bytes).map_err(|error| unreadable(path, error))?;
        let prover = prover()?;
        let start = Instant::now();
        (prover.verify_core(&key, &proof)?, start)
    };
    let verify_ms = start.elapsed().as_secs_f64() * 1e3;
    if outcome.exit_code != *exit_code {
        return Err(CliError::ExitCode { found: outcome.exit_code, expected: *exit_code });
    }
    if let Some(path) = public_file
        && outcome.committed != words(&read(path)?)
    {
        return Err(CliError::Public { path: path.clone() });
    }
    let committed = outcome.committed.map(|word| word.map(|word| format!("{word:08x}")));
    if *json {
        let (exit_code, instructions) = (outcome.exit_code, outcome.instructions);
        return json_line(
            out,
            &Verdict { verified: true, exit_code, instructions, committed, verify_ms },
        );
    }
    writeln!(
        out,
        "verified in {verify_ms:.0} ms: exit code {} after {} instructions",
        outcome.exit_code, outcome.instructions
    )?;
    if committed.iter().any(Option::is_some) {
        let words = committed.map(|word| word.unwrap_or_else(|| "-".repeat(8)));
        writeln!(out, "committed {}", words.join(" "))?;
    }
    Ok(())
}

pub(super) fn cells(arguments: &CellsArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let prover = prover()?;
    let position = prover.menu().iter().position(|kind| kind.name == arguments.kind);
    let kind = position.ok_or_else(|| CliError::Kind {
        found: arguments.kind.clone(),
        known: prover.menu().iter().map(|kind| kind.name).collect::<Vec<_>>().join(", "),
    })?;
    let cells = prover.cells(kind).map_err(|error| CliError::Prove(error.into()))?;
    if arguments.json {
        return json_line(out, &cells);
    }
    writeln!(
        out,
        "{:16} {:>5} {:>7} {:>9} {:>6} {:>6}",
        "chip", "main", "lookup", "quotient", "cells", "%"
    )?;
    for chip in &cells.by_chip {
        writeln!(
            out,
            "{:16} {:>5} {:>7.2} {:>9.2} {:>6.1} {:>6.2}",
            chip.name, chip.main, chip.lookup, chip.quotient_share, chip.cells, chip.instructions
        )?;
    }
    writeln!(
        out,
        "{:.1} cells an instruction of the mix, in shards of kind `{}`",
        cells.weighted_cells, cells.kind
    )?;
    Ok(())
}
