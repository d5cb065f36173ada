//! The command line `chipwright`.
//!
//! A command is a module with its arguments and a function that writes its result. What went wrong is one
//! line on standard error that says how to mend it; the exit code is then 1, or 2 if the command line
//! itself makes no sense. Progress is shown on a terminal only.
//!
//! ```
//! use clap::Parser;
//! use chipwright_examples::cli::Cli;
//!
//! let cli = Cli::try_parse_from(["chipwright", "security", "--json"])?;
//! let mut output = Vec::new();
//! cli.run(&mut output).expect("every named configuration is valid");
//! assert!(output.starts_with(b"["));
//! # Ok::<(), clap::Error>(())
//! ```

pub mod audit;
pub mod bf;
pub mod chips;
pub mod circuit;
pub mod demo;
pub mod error;
pub mod file;
pub mod progress;
pub mod recurse;
pub mod security;
pub mod table;
pub mod value;

use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;

use chipwright_ir::text::echo_up_to;
use clap::{CommandFactory, Parser, Subcommand};

use error::CliError;

/// STARK circuits: write chips, read their IR, prove and verify.
///
/// Without a command, a tour: a toy circuit from its text to a verified proof, and what a violated rule
/// looks like.
#[derive(Debug, Parser)]
#[command(name = "chipwright", version)]
pub struct Cli {
    /// What to do; the tour if nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Show, prove and verify circuits written as IR text.
    #[command(subcommand)]
    Circuit(circuit::CircuitCommand),
    /// List the standard chips with what they cost, or print the IR of one.
    Chips(chips::Arguments),
    /// Forge cells and delete rules of the standard chips, and report what nobody notices.
    Audit(audit::Arguments),
    /// Run Brainfuck programs, prove what they do, and verify it.
    #[command(subcommand)]
    Bf(bf::BfCommand),
    /// Verify proofs in circuits: chains, trees, proofs of foreign AIRs.
    #[command(subcommand)]
    Recurse(recurse::RecurseCommand),
    /// What each named configuration is worth, computed.
    Security(security::Arguments),
}

impl Cli {
    /// Runs the command and writes its result to `out`.
    ///
    /// # Errors
    ///
    /// Fails if the command cannot do what it is asked for, or `out` cannot be written.
    pub fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match &self.command {
            None => demo::run(out),
            Some(Command::Circuit(command)) => circuit::run(command, out),
            Some(Command::Chips(arguments)) => chips::run(arguments, out),
            Some(Command::Audit(arguments)) => audit::run(arguments, out),
            Some(Command::Bf(command)) => bf::run(command, out),
            Some(Command::Recurse(command)) => recurse::run(command, out),
            Some(Command::Security(arguments)) => security::run(arguments, out),
        }
    }
}

/// The help of the program and of each command.
pub fn help() -> String {
    fn write(command: &mut clap::Command, name: &str, text: &mut String) {
        let help = command.clone().bin_name(name).render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        text.extend(["$ ", name, " --help\n", lines.join("\n").trim_end(), "\n\n"]);
        for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
            let name = format!("{name} {}", sub.get_name());
            write(sub, &name, text);
        }
    }
    let mut text = String::new();
    write(&mut Cli::command(), "chipwright", &mut text);
    text
}

/// Writes a value as indented JSON.
fn write_json(out: &mut dyn Write, value: &impl serde::Serialize) -> Result<(), CliError> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The program: reads the arguments of the process, and runs.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        panic::set_hook(Box::new(|fault| {
            let text = fault.to_string();
            let text = echo_up_to(&text, LONGEST_LINE);
            complain(&format!("{text}; this is a mistake of chipwright, please report it"));
        }));
    }
    let run = || {
        let mut out = io::stdout().lock();
        cli.run(&mut out).and_then(|()| Ok(out.flush()?))
    };
    match panic::catch_unwind(panic::AssertUnwindSafe(run)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough.
        Ok(Err(CliError::Output(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            complain(&error.line());
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// Shows help, the version, or what is wrong with the arguments, which are repeated there.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if !error.use_stderr() {
        // If standard output is closed, nobody wants the help.
        let _ = write!(io::stdout(), "{text}");
        return ExitCode::SUCCESS;
    }
    for line in text.lines() {
        let _ = writeln!(io::stderr(), "{}", echo_up_to(line, LONGEST_LINE));
    }
    ExitCode::from(2)
}

/// The most characters of a line about wrong arguments.
const LONGEST_LINE: usize = 500;

fn complain(line: &str) {
    // If standard error is closed, the exit code still tells.
    let _ = writeln!(io::stderr(), "error: {line}");
}
