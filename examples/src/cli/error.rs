//! What can go wrong on the command line: each error is one line that says what is wrong and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

use chipwright_backend_stark::circuit::CircuitError;
use chipwright_backend_stark::config::{Config, ConfigError};
use chipwright_backend_stark::encoding::DecodeError;
use chipwright_backend_stark::machine::MachineError;
use chipwright_backend_stark::proof::VerifyError;
use chipwright_ir::Field;
use chipwright_ir::circuit::WitnessError;
use chipwright_ir::pass::PipelineError;
use chipwright_ir::text::{ParseError, Position, echo, echo_up_to, quoted};
use chipwright_recursion::foreign::ForeignError;
use chipwright_recursion::layer::LayerError;

use super::file::Kind;
use crate::brainfuck;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// A file cannot be read.
    #[error("{} cannot be read: {reason}", name(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {reason}", name(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file has more bytes than is sensible.
    #[error("{} is longer than {} bytes, the most that {} may have", name(.path), .kind.most, .kind.name)]
    TooLong {
        /// The file.
        path: PathBuf,
        /// What it was read as.
        kind: Kind,
    },
    /// A file that should be text is none.
    #[error("{} cannot be read as {kind}: it is no UTF-8 text behind its first {at} bytes", name(.path))]
    NoText {
        /// The file.
        path: PathBuf,
        /// What it was read as.
        kind: &'static str,
        /// The number of bytes that are text.
        at: usize,
    },
    /// Two things are to be read from one place.
    #[error("--input and --output are both `-`, and standard input can be only one of them")]
    TwoInputs,
    /// A circuit's text cannot be read.
    #[error("{}:{error}", shown(.path))]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        error: ParseError,
    },
    /// A circuit breaks a rule of the IR, at places that its text shows.
    #[error("{}", places(.path, .mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// Where, if the mistake is about something that is written, and what is wrong.
        mistakes: Vec<(Option<Position>, String)>,
    },
    /// A pass refuses the circuit.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The stage asked for comes before the stage of the file.
    #[error("{} is of stage {found}, which cannot be shown as {asked}; a later stage can", name(.path))]
    Stage {
        /// The file.
        path: PathBuf,
        /// The stage of the file.
        found: &'static str,
        /// The stage asked for.
        asked: &'static str,
    },
    /// Only graphs can be drawn.
    #[error("stage {stage} is no graph; --dot draws --stage expr")]
    Dot {
        /// The stage asked for.
        stage: &'static str,
    },
    /// There is no pass of that name.
    #[error("there is no pass {}; known are {}", quoted(.name), .known.join(", "))]
    UnknownPass {
        /// The name.
        name: String,
        /// The passes that there are.
        known: Vec<&'static str>,
    },
    /// There is no chip of that name.
    #[error("there is no chip {}; known are {}", quoted(.name), .known.join(", "))]
    UnknownChip {
        /// The name.
        name: String,
        /// The chips that there are.
        known: Vec<String>,
    },
    /// A chip cannot be laid out or audited.
    #[error("chip `{chip}`: {reason}")]
    Chip {
        /// The chip.
        chip: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The audit found something.
    #[error(
        "the audit found {complaints} faults; they are listed in the report, under what is to be mended"
    )]
    Audit {
        /// Their number.
        complaints: usize,
    },
    /// There is no configuration of that name.
    #[error("there is no configuration {}; known are {}", quoted(.name), known_configs())]
    UnknownConfig {
        /// The name.
        name: String,
    },
    /// No configuration proves circuits over the field.
    #[error(
        "no named configuration is over {0}; circuits over goldilocks^2, goldilocks^3 and koala-bear^4 can be proven"
    )]
    NoConfig(Field),
    /// The circuit and the configuration are over different fields.
    #[error(
        "the circuit is over {circuit}, configuration {} is over {config}; choose another with --config", quoted(.name)
    )]
    ConfigField {
        /// The field of the circuit.
        circuit: Field,
        /// The configuration.
        name: String,
        /// Its field.
        config: Field,
    },
    /// An input is not an element of the field.
    #[error("{what} input {index} is {}, which is no element of {field}: its integers lie between −p and p, p = {}", echo(.value), .field.modulus())]
    NoElement {
        /// `public`, `private` or `data`.
        what: &'static str,
        /// The position.
        index: usize,
        /// As it was written.
        value: String,
        /// The field.
        field: Field,
    },
    /// An extension element has too many coefficients.
    #[error("{what} input {index} has {found} coefficients, elements of {field} have {}", .field.degree())]
    TooManyCoefficients {
        /// `public` or `private`.
        what: &'static str,
        /// The position.
        index: usize,
        /// The number of coefficients.
        found: usize,
        /// The field.
        field: Field,
    },
    /// The inputs do not satisfy the circuit, or it cannot be compiled.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// A configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file does not hold a proof of the circuit.
    #[error("{} holds no proof of this circuit under `{config}`: {error}", name(.path))]
    Decode {
        /// The file.
        path: PathBuf,
        /// The configuration.
        config: String,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The proof does not prove the public inputs given.
    #[error("{} does not verify: {error}", name(.path))]
    Rejected {
        /// The file.
        path: PathBuf,
        /// What the verifier says.
        error: CircuitError,
    },
    /// A program has a bracket without a partner.
    #[error("{}:{error}", shown(.path))]
    Compile {
        /// The program.
        path: PathBuf,
        /// Where, and what is missing.
        error: brainfuck::CompileError,
    },
    /// A program cannot be executed.
    #[error("{}:{error}", shown(.path))]
    Run {
        /// The program.
        path: PathBuf,
        /// Where it fails, and why.
        error: brainfuck::RunError,
    },
    /// A run cannot be proven.
    #[error(transparent)]
    Prove(#[from] brainfuck::ProveError),
    /// A file does not hold a proof of a run.
    #[error("{} holds no proof of a run: {error}", name(.path))]
    ReadProof {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: brainfuck::ReadError,
    },
    /// The proof does not prove the run given.
    #[error("{} does not prove that the program turns this input into this output: {error}", name(.path))]
    NotProven {
        /// The file.
        path: PathBuf,
        /// What the verifier says.
        error: Box<brainfuck::VerifyError>,
    },
    /// A layer cannot be built, proven or verified.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// Proofs of the AIR cannot be verified in a circuit.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// An AIR that this cannot prove over the field.
    #[error(
        "there is no AIR of {air} over {field}: it assumes a field below 2^32; give --field koala-bear"
    )]
    NoForeign {
        /// The AIR.
        air: &'static str,
        /// The field.
        field: Field,
    },
    /// The configuration is not over the field.
    #[error("configuration {} is not over {field}; over it are {}", quoted(.name), configs_over(*field))]
    NoConfigOver {
        /// The configuration.
        name: String,
        /// The field.
        field: Field,
    },
    /// A number that makes no sense.
    #[error("{what} is {got}, expected {low} to {high}")]
    OutOfRange {
        /// What.
        what: &'static str,
        /// The number given.
        got: usize,
        /// The smallest number.
        low: usize,
        /// The largest number.
        high: usize,
    },
    /// An honest proof failed.
    #[error("the proof below the first layer cannot be made: {0}")]
    Base(String),
    /// An honest step of the tour failed.
    #[error("the tour cannot go on: {0}")]
    Demo(String),
}

impl CliError {
    /// The error on one line, with the hint if there is one.
    pub fn line(&self) -> String {
        let text = self.to_string();
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut line = echo_up_to(&lines.join("; "), LONGEST).to_string();
        if let Some(hint) = self.hint() {
            line.extend(["; ", hint]);
        }
        line
    }

    /// How to mend it, where the error itself does not say.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Circuit(CircuitError::Witness(error)) => witness_hint(error),
            Self::Circuit(CircuitError::PublicCount { .. })
            | Self::Rejected { error: CircuitError::PublicCount { .. }, .. } => {
                Some("give one --public for each public input")
            }
            Self::Rejected {
                error: CircuitError::Machine(MachineError::Verify(VerifyError::Rejected { .. })),
                ..
            } => Some("the file was altered, or the public inputs are not those it was made for"),
            Self::Decode { error: DecodeError::Statement { .. }, .. } => {
                Some("it was made for another circuit, --form or --config")
            }
            Self::Decode {
                error: DecodeError::Malformed { .. } | DecodeError::Truncated { .. },
                ..
            } => Some("the file is truncated or altered"),
            Self::Run { error, .. } => run_hint(error),
            Self::NotProven { error, .. } => match error.as_ref() {
                brainfuck::VerifyError::Other(brainfuck::Part::EndOfInput) => {
                    Some("--strict-input is part of what is proven")
                }
                brainfuck::VerifyError::Decode { error: DecodeError::Statement { .. }, .. }
                | brainfuck::VerifyError::Compressed(DecodeError::Statement { .. }) => Some(
                    "it was made under another --config, or one was made with --universal and the other without",
                ),
                brainfuck::VerifyError::Segment { .. } | brainfuck::VerifyError::Layer(_) => {
                    Some("the file was altered")
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// The most characters of an error, apart from its hint.
const LONGEST: usize = 2000;

/// A file's name in a sentence.
fn name(path: &Path) -> String {
    quoted(&path.to_string_lossy()).to_string()
}

/// A file's name before a line and a column.
fn shown(path: &Path) -> String {
    echo(&path.to_string_lossy()).to_string()
}

/// The mistakes of a file, a line each.
fn places(path: &Path, mistakes: &[(Option<Position>, String)]) -> String {
    let path = shown(path);
    let lines = mistakes.iter().map(|(position, message)| match position {
        Some(position) => format!("{path}:{position}: {}", echo(message)),
        None => format!("{path}: {}", echo(message)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn run_hint(error: &brainfuck::RunError) -> Option<&'static str> {
    match error {
        brainfuck::RunError::TooManyCycles { .. } => Some("--limit allows more of them"),
        brainfuck::RunError::TooMuchOutput { .. } => Some("--max-output allows more of them"),
        _ => None,
    }
}

fn witness_hint(error: &WitnessError) -> Option<&'static str> {
    match error {
        WitnessError::InputCount { what: "public", .. } => {
            Some("give one --public for each public input")
        }
        WitnessError::InputCount { .. } => Some("give one --private for each private input"),
        WitnessError::InputValue { .. } => {
            Some("write a base element as 3, an extension element as [1,2]")
        }
        WitnessError::Data { .. } | WitnessError::DataCount { .. } => {
            Some("give one --data for each call that takes private data, as 1,2,3")
        }
        WitnessError::Violated(_) => Some("there is no proof for inputs that violate a rule"),
        _ => None,
    }
}

fn known_configs() -> String {
    let mut names: Vec<String> = Vec::new();
    for config in Config::all() {
        if !names.contains(&config.name.to_string()) {
            names.push(config.name.into());
        }
    }
    names.join(", ")
}

fn configs_over(field: Field) -> String {
    let over = Config::all().into_iter().filter(|config| config.field.modulus() == field.modulus());
    let names: Vec<String> = over.map(|config| config.name.into()).collect();
    names.join(", ")
}
