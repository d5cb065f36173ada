//! `chipwright mips prove --compress`, and `keys`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use chipwright_recursion::shard::Joined;
use chipwright_recursion::store::Store;
use clap::Args;
use serde::Serialize;

use super::prove::{ProveArguments, json_line, prover, warn_of_many, write};
use super::{CliError, Show};
use crate::prove::compress::{self, CompressedProof, Tree};
use crate::prove::menu::Kind;
use crate::prove::{Options, Progress, ProveError, Shard};
use crate::{Input, Program};

/// Counts what is proven, and shows it on a terminal.
#[derive(Default)]
struct Stages {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    shards: BTreeMap<usize, &'static str>,
    layers: BTreeMap<usize, usize>,
    found: usize,
}

impl Counts {
    fn show(&self) {
        if io::stderr().is_terminal() {
            let layers: Vec<String> = self.layers.values().map(usize::to_string).collect();
            eprintln!("shards proven: {}; layers: {}", self.shards.len(), layers.join(", "));
        }
    }
}

impl Stages {
    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut counts);
        counts.show();
    }
}

impl Progress for Stages {
    fn proven(&self, shard: &Shard, kind: &Kind) {
        self.change(|counts| {
            counts.shards.insert(shard.number, kind.name);
        });
    }

    fn has_many(&self, instructions: u64) {
        warn_of_many(instructions);
    }

    fn joined(&self, joined: Joined) {
        self.change(|counts| {
            *counts.layers.entry(joined.spot.level).or_default() += 1;
            counts.found += usize::from(joined.found);
        });
    }
}

/// A proof, as `mips prove --compress --json` writes it.
#[derive(Debug, Serialize)]
struct Proven {
    program: String,
    exit_code: u64,
    instructions: u64,
    committed: [Option<String>; 8],
    /// The kinds of the shards.
    shards: Vec<&'static str>,
    /// The number of proofs of each layer, from the one over shards up.
    layers: Vec<usize>,
    /// How many of them were found in the folder of `--keep`.
    found: usize,
    proof_bytes: usize,
    prove_ms: f64,
    configuration: String,
    layer_configuration: String,
}

/// Proves a run and makes one proof of it.
pub(super) fn prove(
    arguments: &ProveArguments,
    (program, input, options): (&Program, &Input, &Options),
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let prover = prover()?;
    let keep = arguments.keep.as_deref().map(Store::open).transpose();
    let keep = keep.map_err(|error| CliError::Write { path: error.path, reason: error.error })?;
    let tree = prover.tree(compress::plan()).map_err(ProveError::from)?;
    let stages = Stages::default();
    let start = Instant::now();
    let proof = if arguments.json {
        prover.prove_compressed(&tree, (program, input), options, keep.as_ref(), (), &stages)?
    } else {
        let mut show = Show { out: &mut *out, error: None };
        let run = (program, input);
        let proof =
            prover.prove_compressed(&tree, run, options, keep.as_ref(), &mut show, &stages)?;
        show.error.map_or(Ok(()), Err)?;
        proof
    };
    let prove_ms = start.elapsed().as_secs_f64() * 1e3;
    let bytes = proof.to_bytes();
    write(&arguments.out, &bytes)?;
    let CompressedProof { end, committed, .. } = &proof;
    let counts = stages.counts.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let layers: Vec<usize> = counts.layers.into_values().collect();
    let (shards, layer_configuration) = (counts.shards.len(), compress::layers().name.to_string());
    if arguments.json {
        let committed = committed.open(&end.memory).unwrap_or_default();
        let proven = Proven {
            program: arguments.elf.display().to_string(),
            exit_code: end.pc,
            instructions: end.clk,
            committed: committed.map(|word| word.map(|word| format!("{word:08x}"))),
            shards: counts.shards.into_values().collect(),
            layers,
            found: counts.found,
            proof_bytes: bytes.len(),
            prove_ms,
            configuration: prover.config().name.to_string(),
            layer_configuration,
        };
        return json_line(out, &proven);
    }
    let plural = if shards == 1 { "shard" } else { "shards" };
    let layers: Vec<String> = layers.iter().map(usize::to_string).collect();
    writeln!(
        out,
        "proven in {:.2} s: exit code {} after {} instructions, {shards} {plural} ({}), layers of {} ({layer_configuration}), {} bytes",
        prove_ms / 1e3,
        end.pc,
        end.clk,
        prover.config().name,
        layers.join(", "),
        bytes.len(),
    )?;
    Ok(())
}

/// The arguments of `chipwright mips keys`.
#[derive(Debug, Args)]
pub struct KeysArguments {
    /// Write the keys to this folder, instead of comparing them with those of the release.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Search for the layouts of the circuits, too.
    #[arg(long)]
    search: bool,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// The keys of the aggregation, as `mips keys --json` writes them.
#[derive(Debug, Serialize)]
struct Keys {
    kinds: usize,
    /// The BLAKE3 hash of the verifier's bytes.
    verifier: String,
    verifier_bytes: usize,
    /// Whether they are those of the release.
    released: bool,
    ms: f64,
}

/// Computes the keys of all circuits anew.
pub(super) fn keys(arguments: &KeysArguments, out: &mut dyn Write) -> Result<(), CliError> {
    let prover = prover()?;
    let start = Instant::now();
    let released = compress::plan();
    let layouts = (!arguments.search).then_some(&released.layouts);
    let told = |kind: usize| {
        if io::stderr().is_terminal() {
            eprintln!("{} of {} kinds", kind + 1, prover.menu().len());
        }
    };
    let shape = prover.keys(0).map_err(ProveError::from)?.shape().clone();
    let computed = Tree::plan_of(&prover, &shape, layouts, &compress::layers(), &told);
    let (plan, verifier) = computed.map_err(ProveError::from)?;
    let bytes = verifier.to_bytes();
    if let Some(folder) = &arguments.out {
        let text = serde_json::to_string_pretty(&plan).map_err(io::Error::from)?;
        write(&folder.join("plan.json"), format!("{text}\n").as_bytes())?;
        write(&folder.join("verifier.key"), &bytes)?;
    }
    let same = plan == released && bytes == compress::VERIFIER;
    let digest: String = verifier.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    let ms = start.elapsed().as_secs_f64() * 1e3;
    let kinds = prover.menu().len();
    if arguments.json {
        let verifier_bytes = bytes.len();
        json_line(out, &Keys { kinds, verifier: digest, verifier_bytes, released: same, ms })?;
    } else {
        let verdict = if same { "those of the release" } else { "not those of the release" };
        writeln!(out, "keys of {kinds} kinds in {:.1} s: {verdict}; verifier {digest}", ms / 1e3)?;
    }
    if same || arguments.out.is_some() { Ok(()) } else { Err(CliError::Keys) }
}
