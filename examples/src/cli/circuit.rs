//! `chipwright circuit`: IR text files of circuits, shown, proven and verified.
//!
//! Proving and verifying start from the same text and go the same way: passes, lowering, assembly with the
//! standard chips, keys. So the verifying side trusts nothing but the text: a proof carries the digest of the
//! statement that it was made for, and is refused if the text gives another.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chipwright_backend_stark::circuit::{
    CircuitProver, CircuitVerifier, compile_circuit, cost_parameters,
};
use chipwright_backend_stark::config::{Config, StarkField};
use chipwright_backend_stark::proof::Proof;
use chipwright_backend_stark::with_stark_field;
use chipwright_ir::Field;
use chipwright_ir::circuit::verify::{VerifierError, VerifierErrors};
use chipwright_ir::circuit::{
    Circuit, Form, Inputs, Layout, SourceLines, Tables, parse_with_lines, passes, verify,
};
use chipwright_ir::pass::Pipeline;
use chipwright_ir::text::{echo, quoted};
use clap::{Args, Subcommand, ValueEnum};

use super::error::CliError;
use super::file;
use super::progress::Progress;
use super::value::{self, Data, Value};

/// Commands over circuits.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum CircuitCommand {
    /// Print a circuit at one of its stages.
    Show(Show),
    /// Prove a circuit for given inputs.
    Prove(Prove),
    /// Verify a proof of a circuit.
    Verify(Verify),
}

/// A stage of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Stage {
    /// The graph of expressions.
    Expr,
    /// The witness table.
    Slots,
    /// The rows of each table.
    Tables,
}

/// The tables that a circuit is lowered to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TableForm {
    /// The tables Witness, Const, Public, Add and Mul.
    Separate,
    /// Creators carry the number of reads; rows compute a·b + c.
    #[default]
    Fused,
}

/// The arguments of `chipwright circuit show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The circuit, as IR text.
    file: PathBuf,
    /// The stage to show.
    #[arg(long, value_enum, default_value_t = Stage::Expr)]
    stage: Stage,
    /// The form of the tables.
    #[arg(long, value_enum, default_value_t)]
    form: TableForm,
    /// Show the expressions as they are after the named pass.
    #[arg(long, value_name = "PASS")]
    after: Option<String>,
    /// Write the graph of expressions in the language of Graphviz.
    #[arg(long)]
    dot: bool,
}

/// What proving and verifying have in common.
#[derive(Debug, Args)]
pub struct Statement {
    /// The circuit, as IR text.
    file: PathBuf,
    /// A public input: `3`, `-1`, or `[1,2]` for an extension element. In order, one for each.
    #[arg(long = "public", value_name = "VALUE", allow_hyphen_values = true)]
    publics: Vec<Value>,
    /// The configuration; by default the one with the highest target over the circuit's field.
    #[arg(long, value_name = "NAME")]
    config: Option<String>,
    /// The form of the tables.
    #[arg(long, value_enum, default_value_t)]
    form: TableForm,
}

/// The arguments of `chipwright circuit prove`.
#[derive(Debug, Args)]
pub struct Prove {
    #[command(flatten)]
    statement: Statement,
    /// A private input, as --public.
    #[arg(long = "private", value_name = "VALUE", allow_hyphen_values = true)]
    privates: Vec<Value>,
    /// The private data of a call, as `1,2,3`. In order, one for each call that takes data.
    #[arg(long = "data", value_name = "INTEGERS", allow_hyphen_values = true)]
    data: Vec<Data>,
    /// Where to write the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The arguments of `chipwright circuit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    statement: Statement,
    /// The proof.
    proof: PathBuf,
}

impl From<TableForm> for Form {
    fn from(form: TableForm) -> Self {
        match form {
            TableForm::Separate => Self::Separate,
            TableForm::Fused => Self::Fused,
        }
    }
}

/// Runs a command.
///
/// # Errors
///
/// Says why the circuit cannot be read, proven or verified.
pub fn run(command: &CircuitCommand, out: &mut dyn Write) -> Result<(), CliError> {
    match command {
        CircuitCommand::Show(arguments) => show(arguments, out),
        CircuitCommand::Prove(arguments) => {
            let config = arguments.statement.config()?;
            with_stark_field!(config.field, P => prove::<P>(arguments, &config, out))
        }
        CircuitCommand::Verify(arguments) => {
            let config = arguments.statement.config()?;
            with_stark_field!(config.field, P => check::<P>(arguments, &config, out))
        }
    }
}

/// Reads a circuit and verifies all of it, calls of chips included, so that passes can rely on it.
fn read(path: &Path) -> Result<Circuit, CliError> {
    let (circuit, lines) = parse_file(path)?;
    let library = chipwright_chips::library(field(&circuit).unwrap_or_default());
    verify::verify_in(&circuit, &library).map_err(|errors| mistakes(path, &lines, errors))?;
    Ok(circuit)
}

fn parse_file(path: &Path) -> Result<(Circuit, SourceLines), CliError> {
    let text = file::read_text(path, file::CIRCUIT)?;
    parse_with_lines(&text).map_err(|error| CliError::Parse { path: path.to_owned(), error })
}

/// What a verifier of circuits says, with the places in the file.
fn mistakes(path: &Path, lines: &SourceLines, errors: VerifierErrors) -> CliError {
    let place = |error: VerifierError| (lines.position(&error.item), error.to_string());
    let mistakes = errors.0.into_iter().map(place).collect();
    CliError::Mistakes { path: path.to_owned(), mistakes }
}

fn field(circuit: &Circuit) -> Option<Field> {
    match circuit {
        Circuit::Expr(graph) => Some(graph.field),
        Circuit::Slots(slots) => Some(slots.field),
        Circuit::Tables(tables) => Some(tables.program.field),
        _ => None,
    }
}

fn show(arguments: &Show, out: &mut dyn Write) -> Result<(), CliError> {
    let Show { file, stage, form, after, dot } = arguments;
    let mut circuit = read(file)?;
    let found = match circuit {
        Circuit::Expr(_) => Stage::Expr,
        Circuit::Slots(_) => Stage::Slots,
        _ => Stage::Tables,
    };
    if found > *stage {
        let (found, asked) = (circuit.stage(), stage.name());
        return Err(CliError::Stage { path: file.clone(), found, asked });
    }
    if found == Stage::Expr {
        circuit = optimised(circuit, *stage, after.as_deref())?;
        if *stage > Stage::Expr {
            circuit = Pipeline::new().then(passes::LowerToSlots((*form).into())).run(circuit)?;
        }
    }
    if *stage == Stage::Tables && matches!(circuit, Circuit::Slots(_)) {
        circuit = Pipeline::new().then(passes::LowerToTables).run(circuit)?;
    }
    match &circuit {
        Circuit::Expr(graph) if *dot => write!(out, "{}", graph.to_dot())?,
        other if *dot => return Err(CliError::Dot { stage: other.stage() }),
        Circuit::Tables(tables) => {
            write!(out, "{tables}")?;
            show_layout(tables, out)?;
        }
        other => write!(out, "{other}")?,
    }
    Ok(())
}

/// The layout that costs least with the standard chips, as comments: how the tables become one.
fn show_layout(tables: &Tables, out: &mut dyn Write) -> Result<(), CliError> {
    let field = tables.program.field;
    let library = chipwright_chips::library(field);
    let parameters = default_config(field).as_ref().map_or_else(Default::default, cost_parameters);
    let tables = tables.clone().with_copies(&library);
    let cost = Layout::choose(&tables, &library, &parameters)
        .and_then(|layout| layout.cost(&layout.place(tables), &library, &parameters));
    let text = match cost {
        Ok(cost) => cost.to_string(),
        Err(error) => format!("no layout: {error}"),
    };
    for line in text.lines() {
        writeln!(out, "; {line}")?;
    }
    Ok(())
}

/// The configuration of the highest target over a field.
fn default_config(field: Field) -> Option<Config> {
    let over_field = Config::all().into_iter().filter(|config| config.field == field);
    over_field.max_by_key(|config| config.target)
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Expr => "expr",
            Self::Slots => "slots",
            Self::Tables => "tables",
        }
    }
}

/// A graph after the named pass; by default as it was read at stage `expr`, and after all passes else.
fn optimised(circuit: Circuit, stage: Stage, after: Option<&str>) -> Result<Circuit, CliError> {
    let all = passes::OPTIMISATIONS;
    let count = match after {
        Some(name) => {
            let known = passes::optimisations().names();
            let position = known.iter().position(|pass| *pass == name);
            position.ok_or_else(|| CliError::UnknownPass { name: name.to_owned(), known })? + 1
        }
        None if stage == Stage::Expr => 0,
        None => all.len(),
    };
    let pipeline = all.into_iter().take(count).fold(Pipeline::new(), Pipeline::then);
    Ok(pipeline.run(circuit)?)
}

/// The tables of a circuit in a file: what is proven.
fn tables(path: &Path, form: Form) -> Result<Tables, CliError> {
    let circuit = read(path)?;
    let pipeline = match &circuit {
        Circuit::Expr(_) => passes::default_pipeline(form),
        _ => Pipeline::new().then(passes::LowerToTables),
    };
    match pipeline.run(circuit)? {
        Circuit::Tables(tables) => Ok(tables),
        other => {
            Err(CliError::Stage { path: path.to_owned(), found: other.stage(), asked: "tables" })
        }
    }
}

impl Statement {
    fn config(&self) -> Result<Config, CliError> {
        let field = field(&read(&self.file)?).unwrap_or_default();
        let config = match &self.config {
            Some(name) => {
                Config::named(name).ok_or_else(|| CliError::UnknownConfig { name: name.clone() })?
            }
            None => default_config(field).ok_or(CliError::NoConfig(field))?,
        };
        if config.field == field {
            return Ok(config);
        }
        let name = config.name.to_string();
        Err(CliError::ConfigField { circuit: field, name, config: config.field })
    }

    fn compile<P: StarkField>(
        &self,
        config: &Config,
    ) -> Result<(CircuitProver<P>, CircuitVerifier<P>), CliError> {
        let tables = tables(&self.file, self.form.into())?;
        let library = chipwright_chips::library(P::FIELD);
        Ok(compile_circuit(tables, &library, config)?)
    }

    /// The public inputs as they were written, for reports.
    fn publics(&self) -> String {
        let values: Vec<_> = self.publics.iter().map(ToString::to_string).collect();
        let values = values.join(", ");
        if values.is_empty() { "no public inputs".to_owned() } else { echo(&values).to_string() }
    }
}

fn prove<P: StarkField>(
    arguments: &Prove,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let Prove { statement, privates, data, out: path } = arguments;
    let inputs = Inputs {
        publics: value::elements(&statement.publics, P::FIELD, "public")?,
        privates: value::elements(privates, P::FIELD, "private")?,
        data: value::data(data, P::FIELD)?,
    };
    let progress = Progress::new("compiling the circuit");
    let (prover, _) = statement.compile::<P>(config)?;
    progress.next("proving");
    let start = Instant::now();
    let proof = prover.prove(&inputs)?;
    let elapsed = start.elapsed();
    drop(progress);
    let bytes = proof.to_bytes();
    file::write(path, &bytes)?;
    let security = proof.security(prover.key().verifying_key())?;
    writeln!(
        out,
        "proved {} for {} in {elapsed:.2?}: {} bytes in {}",
        quoted(&prover.tables().program.name),
        statement.publics(),
        bytes.len(),
        echo(&path.to_string_lossy())
    )?;
    writeln!(out, "{security}")?;
    Ok(())
}

fn check<P: StarkField>(
    arguments: &Verify,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let Verify { statement, proof: path } = arguments;
    let mut publics = value::elements(&statement.publics, P::FIELD, "public")?;
    let bytes = file::read(path, file::PROOF)?;
    let progress = Progress::new("compiling the circuit");
    let (prover, verifier) = statement.compile::<P>(config)?;
    // A base element is an extension element whose other coefficients are zero.
    for (value, ty) in publics.iter_mut().zip(prover.tables().program.public_types()) {
        if value.len() == 1 {
            value.resize(ty.width(P::FIELD), 0);
        }
    }
    let proof = Proof::from_bytes(verifier.key(), &bytes).map_err(|error| CliError::Decode {
        path: path.clone(),
        config: config.name.to_string(),
        error,
    })?;
    progress.next("verifying");
    let start = Instant::now();
    verifier
        .verify(&publics, &proof)
        .map_err(|error| CliError::Rejected { path: path.clone(), error })?;
    let elapsed = start.elapsed();
    drop(progress);
    let security = proof.security(verifier.key())?;
    writeln!(
        out,
        "verified {} for {} in {elapsed:.2?}",
        quoted(&prover.tables().program.name),
        statement.publics()
    )?;
    writeln!(out, "{security}")?;
    Ok(())
}
