//! `chipwright recurse`: proofs that are verified in circuits, and these proven in turn.
//!
//! The proofs at the bottom are of a small embedded circuit, or of a foreign AIR. Everything above it is the same
//! for any circuit of a user.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use chipwright_backend_stark::circuit::{CircuitProver, CircuitVerifier, compile_circuit};
use chipwright_backend_stark::config::{Config, Stark, StarkField};
use chipwright_backend_stark::proof::Proof;
use chipwright_backend_stark::with_stark_field;
use chipwright_dsl::circuit::CircuitBuilder;
use chipwright_ir::Field;
use chipwright_ir::circuit::Inputs;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::batch::RecursiveField;
use chipwright_recursion::chain::Chain;
use chipwright_recursion::claims::Claims;
use chipwright_recursion::foreign::{foreign_key, foreign_shape};
use chipwright_recursion::keys::KeySet;
use chipwright_recursion::layer::{Child, Layer, LayerError};
use chipwright_recursion::store::Store;
use chipwright_recursion::tree::{Leaf, Tree};
use clap::{Args, Subcommand, ValueEnum};
use p3_air::{Air, DebugConstraintBuilder, SymbolicAirBuilder};
use p3_blake3_air::Blake3Air;
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_keccak_air::KeccakAir;
use p3_matrix::dense::RowMajorMatrix;
use p3_uni_stark::{QuotientAir, VerifierConstraintFolder};
use serde::Serialize;

use super::error::CliError;
use super::progress::Progress;

/// Commands over layers.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum RecurseCommand {
    /// Prove a small circuit, then layer over layer, each verifying the one below.
    Chain(ChainArguments),
    /// Prove several runs of a small circuit, and make one proof of them.
    Aggregate(Aggregate),
    /// Prove an AIR of another project, and verify that proof in a circuit.
    Foreign(Foreign),
}

/// What all commands have in common.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration; by default `proven-100`.
    #[arg(long, value_name = "NAME", default_value = "proven-100")]
    config: String,
    /// The base field.
    #[arg(long, value_enum, default_value_t)]
    field: BaseField,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// A base field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BaseField {
    /// `2^64 − 2^32 + 1`
    #[default]
    Goldilocks,
    /// `2^31 − 2^24 + 1`
    KoalaBear,
}

/// The arguments of `chipwright recurse chain`.
#[derive(Debug, Args)]
pub struct ChainArguments {
    /// The number of layers.
    #[arg(long, default_value_t = 6)]
    layers: usize,
    #[command(flatten)]
    common: Common,
}

/// The arguments of `chipwright recurse aggregate`.
#[derive(Debug, Args)]
pub struct Aggregate {
    /// The number of proofs to make one of.
    #[arg(long, default_value_t = 2)]
    leaves: usize,
    /// A folder where proofs are kept, to go on where an earlier run was interrupted.
    #[arg(long, value_name = "FOLDER")]
    proofs: Option<PathBuf>,
    /// End with a level of a higher blowup, which takes longer and has a smaller proof.
    #[arg(long)]
    shrink: bool,
    #[command(flatten)]
    common: Common,
}

/// The arguments of `chipwright recurse foreign`.
#[derive(Debug, Args)]
pub struct Foreign {
    /// The AIR.
    #[arg(long, value_enum)]
    air: ForeignAir,
    /// The number of hashes proven.
    #[arg(long, default_value_t = 4)]
    hashes: usize,
    #[command(flatten)]
    common: Common,
}

/// An AIR of another project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ForeignAir {
    /// `p3-keccak-air`
    Keccak,
    /// `p3-blake3-air`
    Blake3,
}

/// A table of a layer.
#[derive(Debug, Serialize)]
struct TableReport {
    name: String,
    rows: usize,
    columns: usize,
}

/// A layer of a chain.
#[derive(Debug, Serialize)]
struct LayerReport {
    build_ms: f64,
    witness_ms: f64,
    prove_ms: f64,
    verify_ms: f64,
    proof_bytes: usize,
    proven_bits: u32,
    cells: usize,
    permutations: usize,
    tables: Vec<TableReport>,
    vk: String,
}

#[derive(Debug, Serialize)]
struct ChainReport {
    config: String,
    field: String,
    layers: Vec<LayerReport>,
    fixed_point_at: Option<usize>,
}

#[derive(Debug, Serialize)]
struct AggregateReport {
    config: String,
    field: String,
    leaves: usize,
    layers: usize,
    proof_bytes: usize,
    prove_ms: f64,
    verify_ms: f64,
    proven_bits: u32,
    verified: bool,
}

#[derive(Debug, Serialize)]
struct ForeignReport {
    air: &'static str,
    config: String,
    field: String,
    rows: usize,
    base_ms: f64,
    layer_ms: f64,
    proof_bytes: usize,
    proven_bits: u32,
    verified: bool,
}

/// Runs a command.
///
/// # Errors
///
/// Fails if the configuration is not known or cannot be verified in circuits.
pub fn run(command: &RecurseCommand, out: &mut dyn Write) -> Result<(), CliError> {
    let common = match command {
        RecurseCommand::Chain(arguments) => &arguments.common,
        RecurseCommand::Aggregate(arguments) => &arguments.common,
        RecurseCommand::Foreign(arguments) => &arguments.common,
    };
    let config = common.config()?;
    with_stark_field!(config.field, P => run_over::<P>(command, &config, out))
}

impl Common {
    fn config(&self) -> Result<Config, CliError> {
        let name = &self.config;
        if let Some(config) = Config::named_over(name, self.field.smallest()) {
            return Ok(config);
        }
        Err(match Config::named(name) {
            Some(_) => CliError::NoConfigOver { name: name.clone(), field: self.field.smallest() },
            None => CliError::UnknownConfig { name: name.clone() },
        })
    }
}

impl BaseField {
    /// The field pair with the smallest extension.
    fn smallest(self) -> Field {
        match self {
            Self::Goldilocks => Field::Goldilocks2,
            Self::KoalaBear => Field::KoalaBear4,
        }
    }
}

fn run_over<P: RecursiveField>(
    command: &RecurseCommand,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match command {
        RecurseCommand::Chain(arguments) => chain::<P>(arguments, config, out),
        RecurseCommand::Aggregate(arguments) => aggregate::<P>(arguments, config, out),
        RecurseCommand::Foreign(arguments) => foreign::<P>(arguments, config, out),
    }
}

fn ms(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

/// The embedded circuit: `x ← x² + i`, for `i` from 0 to 31, from a public start to a public end.
struct Base<P: StarkField> {
    prover: CircuitProver<P>,
    verifier: CircuitVerifier<P>,
}

impl<P: RecursiveField> Base<P> {
    const STEPS: i64 = 32;

    fn new(config: &Config) -> Result<Self, CliError> {
        let mut builder =
            CircuitBuilder::with_library("squares", chipwright_chips::library(P::FIELD));
        let start = builder.add_public_input();
        let end = builder.add_public_input();
        let last = (0..Self::STEPS).fold(start, |x, i| builder.mul_add(x, x, i));
        builder.assert_eq(last, end).named("end");
        let circuit = builder.build().map_err(LayerError::from)?;
        let (prover, verifier) = compile_circuit(circuit.tables, &circuit.library, config)?;
        Ok(Self { prover, verifier })
    }

    /// The public values of a run, table by table.
    fn publics(&self, start: u64) -> Vec<Vec<P::Base>> {
        let start = P::Base::from_u64(start);
        let end = (0..Self::STEPS).fold(start, |x, i| x * x + P::Base::from_i64(i));
        let tables = self.verifier.key().tables().iter();
        tables.map(|table| if table.publics == 2 { vec![start, end] } else { Vec::new() }).collect()
    }

    fn prove(&self, start: u64) -> Result<Proof<P>, CliError> {
        let publics = self.publics(start).concat();
        let inputs = Inputs::publics(publics.iter().map(PrimeField64::as_canonical_u64));
        Ok(self.prover.prove(&inputs)?)
    }
}

/// What the steady layer of the default configuration costs, in Markdown.
///
/// # Errors
///
/// Fails if the layers cannot be built.
pub fn markdown() -> Result<String, CliError> {
    let config = Config::default();
    let base = Base::<Goldilocks2>::new(&config)?;
    let heights = base.prove(3)?.batch().degree_bits.clone();
    let chain = Chain::new(base.verifier.key(), &heights, &config.for_layers(), 8)?;
    let layer = chain.layer(chain.fixed_point_at().unwrap_or(8));
    let cost = layer.cost()?;
    let layout = cost.layout.map(|layout| layout.to_string()).unwrap_or_default();
    Ok(format!("{}\n```text\n{}\n```\n", cost.hashes, layout.trim_end()))
}

fn chain<P: RecursiveField>(
    arguments: &ChainArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let count = arguments.layers;
    if !(1..=1000).contains(&count) {
        return Err(CliError::OutOfRange { what: "--layers", got: count, low: 1, high: 1000 });
    }
    let progress = Progress::new("proving the circuit below");
    let base = Base::<P>::new(config)?;
    let publics = base.publics(3);
    let below = base.prove(3)?;
    let heights = below.batch().degree_bits.clone();
    let chain = Chain::new(base.verifier.key(), &heights, &config.for_layers(), count)?;
    let mut reports = Vec::new();
    let mut child = None;
    for number in 1..=count {
        progress.next(format!("layer {number} of {count}"));
        let layer = chain.layer(number);
        let start = Instant::now();
        let built = number.min(chain.fixed_point_at().unwrap_or(number));
        let build_ms = chain.build_times()[built - 1].as_secs_f64() * 1e3;
        let keys = chain.keys();
        let (inputs, statement) = match &child {
            None => {
                let key = base.verifier.key();
                layer.inputs_over(key, &publics, &below, keys.root(), number == count)?
            }
            Some((statement, proof)) => {
                let key = chain.layer(number - 1).key();
                let child = Child { key, statement: *statement, proof };
                layer.inputs_above(&[child], keys, number == count)?
            }
        };
        let witness = layer.prover().witness(&inputs, None)?;
        let trace = layer.prover().trace(&witness)?;
        let witness_ms = ms(start);
        let start = Instant::now();
        let proof = layer.prover().key().prove(trace).map_err(|e| CliError::Base(e.to_string()))?;
        let prove_ms = ms(start);
        let start = Instant::now();
        let expected = Chain::<P>::expected(&publics)?;
        let level = if number == count {
            layer.verify(keys, expected, &proof)?
        } else {
            layer.verify_incomplete(keys, expected, &proof)?
        };
        let verify_ms = ms(start);
        reports.push(LayerReport {
            build_ms: (build_ms * 1e3).round() / 1e3,
            witness_ms,
            prove_ms,
            verify_ms,
            proof_bytes: proof.to_bytes().len(),
            proven_bits: level.proven,
            cells: cells(layer),
            permutations: layer.permutations(),
            tables: tables(layer),
            vk: hex(layer.key().digest()),
        });
        child = Some((statement, proof));
    }
    let at = chain.fixed_point_at().filter(|&at| at < count);
    let field = config.field.to_string();
    drop(progress);
    let report =
        ChainReport { config: config.name.to_string(), field, layers: reports, fixed_point_at: at };
    if arguments.common.json {
        return super::write_json(out, &report);
    }
    for (number, layer) in (1..).zip(&report.layers) {
        writeln!(
            out,
            "layer {number}: {} permutations, {} cells; witness {:.0} ms, proof {:.0} ms, {} bytes, verified in \
             {:.1} ms; {} bits proven; key {}",
            layer.permutations,
            layer.cells,
            layer.witness_ms,
            layer.prove_ms,
            layer.proof_bytes,
            layer.verify_ms,
            layer.proven_bits,
            &layer.vk[..16],
        )?;
    }
    match at {
        Some(at) => writeln!(out, "from layer {at} on, all layers have one key")?,
        None => writeln!(out, "the layers still change")?,
    }
    Ok(())
}

/// The base-field cells that a proof of the layer commits to before the blowup, without preprocessed columns.
fn cells<P: RecursiveField>(layer: &Layer<P>) -> usize {
    let degree = P::FIELD.degree();
    let table = |table: &chipwright_backend_stark::key::TableShape| {
        let columns = table.width + degree * (table.lookup_columns + table.quotient_chunks);
        columns << table.log_height.unwrap_or(0)
    };
    layer.key().tables().iter().map(table).sum()
}

fn tables<P: RecursiveField>(layer: &Layer<P>) -> Vec<TableReport> {
    let report = |table: &chipwright_backend_stark::key::TableShape| TableReport {
        name: table.name.clone(),
        rows: 1 << table.log_height.unwrap_or(0),
        columns: table.width,
    };
    layer.key().tables().iter().map(report).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn aggregate<P: RecursiveField>(
    arguments: &Aggregate,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let count = arguments.leaves;
    if !(1..=4096).contains(&count) {
        return Err(CliError::OutOfRange { what: "--leaves", got: count, low: 1, high: 4096 });
    }
    let progress = Progress::new("proving the leaves");
    let base = Base::<P>::new(config)?;
    let mut leaves = Vec::new();
    for start in 0..count as u64 {
        leaves.push(Leaf { publics: base.publics(start), proof: base.prove(start)? });
    }
    let heights = leaves[0].proof.batch().degree_bits.clone();
    let key = base.verifier.key();
    // Nodes that are too wide for the first configuration get the second.
    let tree = |layers: &Config| Tree::new(key, &heights, Claims::Facts, layers);
    let mut tree = tree(&config.for_pairs()).or_else(|_| tree(&config.for_wide_layers()))?;
    if arguments.shrink {
        tree = tree.shrunk(&config.for_last_layer())?;
    }
    let store = arguments.proofs.as_ref().map(Store::open).transpose().map_err(LayerError::from)?;
    let start = Instant::now();
    let root = tree.prove_with(key, &leaves, store.as_ref(), &|grown| {
        progress.next(format!("level {}: {} of {}", grown.level, grown.done, grown.of));
    })?;
    let prove_ms = ms(start);
    let publics: Vec<_> = leaves.into_iter().map(|leaf| leaf.publics).collect();
    let start = Instant::now();
    let level = tree.verify(&publics, &root.proof)?;
    let verify_ms = ms(start);
    drop(progress);
    let report = AggregateReport {
        config: config.name.to_string(),
        field: config.field.to_string(),
        leaves: count,
        layers: root.levels,
        proof_bytes: root.proof.to_bytes().len(),
        prove_ms,
        verify_ms,
        proven_bits: level.proven,
        verified: true,
    };
    if arguments.common.json {
        return super::write_json(out, &report);
    }
    writeln!(
        out,
        "{} proofs became one of {} bytes in {} levels and {:.0} ms; it is verified in {:.1} ms; {level}",
        report.leaves, report.proof_bytes, report.layers, report.prove_ms, report.verify_ms
    )?;
    Ok(())
}

fn foreign<P: RecursiveField>(
    arguments: &Foreign,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let hashes = arguments.hashes;
    if !(1..=4096).contains(&hashes) {
        return Err(CliError::OutOfRange { what: "--hashes", got: hashes, low: 1, high: 4096 });
    }
    match arguments.air {
        ForeignAir::Keccak => {
            let states =
                (0..hashes as u64).map(|i| std::array::from_fn(|lane| i << 8 | lane as u64));
            let trace = p3_keccak_air::generate_trace_rows(states.collect(), 0);
            foreign_proof::<P, _>("keccak", &KeccakAir {}, trace, arguments, config, out)
        }
        ForeignAir::Blake3 => {
            // A constant, so that there is no prover of the AIR over a field that it refuses.
            if const { P::FIELD.bits() > 32 } {
                return Err(CliError::NoForeign { air: "blake3", field: P::FIELD });
            }
            // A row a hash; the table is as high as the configuration wants it.
            let rows = hashes.next_power_of_two().max(config.min_height());
            let blocks = (0..rows as u32).map(|i| std::array::from_fn(|word| i << 8 | word as u32));
            let trace = p3_blake3_air::generate_trace_rows(blocks.collect(), 0);
            foreign_proof::<P, _>("blake3", &Blake3Air {}, trace, arguments, config, out)
        }
    }
}

/// Proves an AIR by `p3-uni-stark`, and verifies that proof in a circuit.
fn foreign_proof<P, A>(
    name: &'static str,
    air: &A,
    trace: RowMajorMatrix<P::Base>,
    arguments: &Foreign,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError>
where
    P: RecursiveField,
    A: QuotientAir<Stark<P>>
        + Air<SymbolicAirBuilder<P::Base>>
        + for<'a> Air<DebugConstraintBuilder<'a, P::Base>>
        + for<'a> Air<VerifierConstraintFolder<'a, Stark<P>>>,
{
    let progress = Progress::new(format!("proving {name}"));
    let seed = *b"an AIR of others, under a layer.";
    let rows = trace.values.len() / trace.width;
    let stark = P::stark(&config.parameters, &seed);
    let start = Instant::now();
    let proof = p3_uni_stark::prove(&stark, air, trace, &[])
        .map_err(|error| CliError::Base(error.to_string()))?;
    let base_ms = ms(start);
    progress.next("verifying it in a circuit");
    let shape = foreign_shape::<P, _>(name, air, config, rows.ilog2() as usize)?;
    let key = foreign_key::<P>(&shape, &P::seed_elements(&seed), None)?;
    let layers = config.for_wide_layers();
    let layer = Layer::<P>::over_shape(shape, &key, &Claims::Facts, &layers)?;
    let keys = KeySet::new([&layer]).map_err(LayerError::from)?;
    let start = Instant::now();
    let (inputs, _) = layer.inputs_over_foreign(&key, &[], &proof, keys.root(), true)?;
    let proof = layer.prove(&inputs)?;
    let layer_ms = ms(start);
    // The AIR has no public values: that is what the claim is made of, whatever the proof says.
    let expected = Claims::Facts.expect::<P>(&[]).map_err(LayerError::from)?;
    let level = layer.verify(&keys, expected, &proof)?;
    drop(progress);
    let report = ForeignReport {
        air: name,
        config: config.name.to_string(),
        field: config.field.to_string(),
        rows,
        base_ms,
        layer_ms,
        proof_bytes: proof.to_bytes().len(),
        proven_bits: level.proven,
        verified: true,
    };
    if arguments.common.json {
        return super::write_json(out, &report);
    }
    writeln!(
        out,
        "{rows} rows of {name} proven in {base_ms:.0} ms; the layer over that proof in {layer_ms:.0} ms, \
         {} bytes, verified; {level}",
        report.proof_bytes
    )?;
    Ok(())
}
