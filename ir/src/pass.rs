//! Passes and pipelines.
//!
//! A pass is a value that rewrites an IR; a pipeline is a list of passes. Between passes the result is
//! verified (in debug builds, or with `IR_VERIFY=each`), and if a pass panics or breaks an invariant,
//! its *input* is written to `target/ir-repro/<pass>.ir`, so that the bug report is a test file.
//!
//! `IR_PRINT=changed` prints to standard error what each pass changed, as a diff; `IR_PRINT=all` prints
//! the IR after each pass, and `IR_PRINT=after:<pass>` after that one.
//!
//! ```
//! use chipwright_ir::circuit::{Circuit, Form, parse, passes};
//!
//! let toy = parse("circuit toy over goldilocks, stage expr {
//!     %x = public 0
//!     %0 = const 37
//!     %1 = mul %0, %x
//!     %2 = const 111
//!     %3 = sub %1, %2
//!     assert_zero %3
//! }")?;
//! let Circuit::Tables(tables) = passes::default_pipeline(Form::Fused).run(toy)? else { panic!() };
//! assert_eq!(tables.row_count(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

/// Why a pass does not apply: a sentence, or an error of the pass.
pub type PassError = Box<dyn std::error::Error + Send + Sync>;

/// What pipelines rewrite.
pub trait Ir: fmt::Display {
    /// Checks the invariants that hold between any two passes.
    ///
    /// # Errors
    ///
    /// All violations.
    fn verify(&self) -> Result<(), PassError>;

    /// What to count before and after a pass: `nodes`, `rules`, ….
    fn sizes(&self) -> Vec<(&'static str, usize)>;
}

/// A rewrite of an IR.
pub trait Pass<I>: fmt::Debug {
    /// The name in dumps, test files and `IR_PRINT`, such as `share-common`.
    fn name(&self) -> &'static str;

    /// Rewrites `ir`.
    ///
    /// # Errors
    ///
    /// The pass does not apply to this IR, or finds it contradictory.
    fn run(&self, ir: &I) -> Result<I, PassError>;
}

/// A pass failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The pass rejected its input.
    #[error("{pass}: {error}")]
    Rejected {
        /// The pass.
        pass: &'static str,
        /// What it says.
        error: PassError,
    },
    /// The pass broke an invariant: a mistake of the pass, not of its input.
    #[error("{pass} broke an invariant: {error}{}", reproducer(.file.as_ref()))]
    Broken {
        /// The pass.
        pass: &'static str,
        /// What the verifier says of its output.
        error: PassError,
        /// The file with the input of the pass, if it could be written.
        file: Option<PathBuf>,
    },
}

fn reproducer(file: Option<&PathBuf>) -> String {
    file.map_or_else(String::new, |file| format!("; its input is in {}", file.display()))
}

/// What to print while a pipeline runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dump {
    /// Nothing.
    #[default]
    Nothing,
    /// A diff for each pass that changes something.
    Changed,
    /// The IR after the named pass.
    After(String),
    /// The IR after each pass.
    All,
}

impl Dump {
    /// What the environment variable `IR_PRINT` asks for.
    pub fn from_environment() -> Self {
        std::env::var("IR_PRINT").map_or(Self::Nothing, |value| Self::from_text(&value))
    }

    /// `changed`, `all`, `after:<pass>`; anything else is nothing.
    pub fn from_text(text: &str) -> Self {
        match text {
            "changed" => Self::Changed,
            "all" => Self::All,
            _ => text.strip_prefix("after:").map_or(Self::Nothing, |p| Self::After(p.to_owned())),
        }
    }

    fn text<I: Ir>(&self, pass: &str, before: &I, after: &I) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Changed => {
                let diff = diff(pass, before, after);
                diff.changed.then_some(diff.text)
            }
            Self::After(name) if name != pass => None,
            Self::After(_) | Self::All => Some(format!("; after {pass}\n{after}")),
        }
    }
}

/// A list of passes.
#[derive(Debug)]
pub struct Pipeline<I> {
    passes: Vec<Box<dyn Pass<I>>>,
    verify: bool,
    reproducers: PathBuf,
}

impl<I> Default for Pipeline<I> {
    fn default() -> Self {
        let each = std::env::var("IR_VERIFY").is_ok_and(|value| value == "each");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
        Self {
            passes: Vec::new(),
            verify: each || cfg!(debug_assertions),
            reproducers: target.join("ir-repro"),
        }
    }
}

impl<I: Ir> Pipeline<I> {
    /// No passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a pass.
    #[must_use]
    pub fn then(mut self, pass: impl Pass<I> + 'static) -> Self {
        self.passes.push(Box::new(pass));
        self
    }

    /// Appends a pass.
    #[must_use]
    pub fn then_boxed(mut self, pass: Box<dyn Pass<I>>) -> Self {
        self.passes.push(pass);
        self
    }

    /// Whether to verify the result of each pass; by default, in debug builds and with
    /// `IR_VERIFY=each`.
    #[must_use]
    pub fn verify_each(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// The directory for reproducer files; by default `target/ir-repro`.
    #[must_use]
    pub fn reproducers(mut self, directory: impl Into<PathBuf>) -> Self {
        self.reproducers = directory.into();
        self
    }

    /// The names of the passes, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.passes.iter().map(|pass| pass.name()).collect()
    }

    /// Runs the passes; prints to standard error what `IR_PRINT` asks for.
    ///
    /// # Errors
    ///
    /// A pass rejects its input, or breaks an invariant.
    pub fn run(&self, ir: I) -> Result<I, PipelineError> {
        Ok(self.run_on(&ir)?.unwrap_or(ir))
    }

    /// [`Self::run`] on what is still needed afterwards; `None` if there are no passes.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn run_on(&self, ir: &I) -> Result<Option<I>, PipelineError> {
        self.run_all(ir, &Dump::from_environment(), &mut |text| {
            use std::io::Write as _;
            // A closed standard error is no reason to fail.
            let _ = writeln!(std::io::stderr(), "{text}");
        })
    }

    /// Runs the passes; gives `sink` what `dump` asks for.
    ///
    /// # Errors
    ///
    /// A pass rejects its input, or breaks an invariant.
    pub fn run_with(
        &self,
        ir: I,
        dump: &Dump,
        sink: &mut dyn FnMut(&str),
    ) -> Result<I, PipelineError> {
        Ok(self.run_all(&ir, dump, sink)?.unwrap_or(ir))
    }

    fn run_all(
        &self,
        ir: &I,
        dump: &Dump,
        sink: &mut dyn FnMut(&str),
    ) -> Result<Option<I>, PipelineError> {
        let mut last = None;
        for pass in &self.passes {
            let (name, before) = (pass.name(), last.as_ref().unwrap_or(ir));
            let after = match catch_unwind(AssertUnwindSafe(|| pass.run(before))) {
                Ok(Ok(after)) => after,
                Ok(Err(error)) => return Err(PipelineError::Rejected { pass: name, error }),
                Err(panic) => self.unwind(name, before, panic),
            };
            if self.verify
                && let Err(error) = after.verify()
            {
                let file = self.reproduce(name, before);
                return Err(PipelineError::Broken { pass: name, error, file });
            }
            if let Some(text) = dump.text(name, before, &after) {
                sink(&text);
            }
            last = Some(after);
        }
        Ok(last)
    }

    fn unwind(&self, pass: &str, input: &I, panic: Box<dyn Any + Send>) -> ! {
        self.reproduce(pass, input);
        resume_unwind(panic)
    }

    /// Writes a test file that runs `pass` on `input`.
    fn reproduce(&self, pass: &str, input: &I) -> Option<PathBuf> {
        std::fs::create_dir_all(&self.reproducers).ok()?;
        let file = self.reproducers.join(format!("{pass}.ir"));
        std::fs::write(&file, format!("; test pass {pass}\n{input}")).ok()?;
        Some(file)
    }
}

/// What a pass changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The lines, `- ` before what went and `+ ` before what came, then the sizes.
    pub text: String,
    /// Whether any line differs.
    pub changed: bool,
}

/// The difference between two IRs, line by line, without their first and last lines.
pub fn diff<I: Ir>(pass: &str, before: &I, after: &I) -> Diff {
    let (old, new) = (before.to_string(), after.to_string());
    let lines = similar::TextDiff::from_lines(&old, &new);
    let mut text = format!("pass {pass}\n");
    let mut changed = false;
    for change in lines.iter_all_changes() {
        let line = change.value().trim_end();
        let (sign, differs) = match change.tag() {
            similar::ChangeTag::Delete => ("- ", true),
            similar::ChangeTag::Insert => ("+ ", true),
            similar::ChangeTag::Equal => ("  ", false),
        };
        changed |= differs;
        if differs || line.starts_with(' ') {
            let line = line.strip_prefix("  ").unwrap_or(line);
            text += format!("{sign}{line}").trim_end();
            text.push('\n');
        }
    }
    let (old, new) = (before.sizes(), after.sizes());
    let pairs = old.iter().zip(&new).map(|((what, old), (also, new))| {
        if what == also {
            format!("{what} {old} → {new}")
        } else {
            format!("{old} {what} → {new} {also}")
        }
    });
    let sizes: Vec<_> = pairs.collect();
    text.push_str("; ");
    text.push_str(&sizes.join(", "));
    text.push('\n');
    Diff { text, changed }
}
