//! Files as commands read them: each kind has a greatest length, and `-` is standard input.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use chipwright_backend_stark::encoding::MAX_BYTES;

use super::error::CliError;

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What it is called in errors.
    pub name: &'static str,
    /// The most bytes that it may have.
    pub most: u64,
}

/// The text of a circuit.
pub const CIRCUIT: Kind = Kind { name: "the text of a circuit", most: 1 << 26 };

/// The source of a Brainfuck program.
pub const PROGRAM: Kind = Kind { name: "a program", most: 1 << 24 };

/// The input of a Brainfuck program.
pub const INPUT: Kind = Kind { name: "an input", most: 1 << 26 };

/// The output of a Brainfuck program.
pub const OUTPUT: Kind = Kind { name: "an output", most: 1 << 26 };

/// A proof.
pub const PROOF: Kind = Kind { name: "a proof", most: MAX_BYTES as u64 };

/// The path that means standard input.
const STDIN: &str = "-";

/// Whether a path means standard input.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}

/// Reads a file.
///
/// # Errors
///
/// Fails if the file cannot be read, or is longer than its kind may be.
pub fn read(path: &Path, kind: Kind) -> Result<Vec<u8>, CliError> {
    let failed = |reason| CliError::Read { path: path.to_owned(), reason };
    read_from(File::open(path).map_err(failed)?, path, kind)
}

/// Reads a file, or standard input if the path is `-`.
///
/// # Errors
///
/// Fails as [`read`] does.
pub fn read_or_stdin(path: &Path, kind: Kind) -> Result<Vec<u8>, CliError> {
    if is_stdin(path) { read_from(io::stdin().lock(), path, kind) } else { read(path, kind) }
}

/// Reads a text file.
///
/// # Errors
///
/// Fails as [`read`] does, and if the file is no text.
pub fn read_text(path: &Path, kind: Kind) -> Result<String, CliError> {
    String::from_utf8(read(path, kind)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        CliError::NoText { path: path.to_owned(), kind: kind.name, at }
    })
}

fn read_from(source: impl Read, path: &Path, kind: Kind) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    source
        .take(kind.most + 1)
        .read_to_end(&mut bytes)
        .map_err(|reason| CliError::Read { path: path.to_owned(), reason })?;
    if bytes.len() as u64 > kind.most {
        return Err(CliError::TooLong { path: path.to_owned(), kind });
    }
    Ok(bytes)
}

/// Writes a file.
///
/// # Errors
///
/// Fails if the file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    fs::write(path, bytes).map_err(|reason| CliError::Write { path: path.to_owned(), reason })
}
