//! What a proof is about: a program, an input and an output, each by its digest.
//!
//! The claim stands at the beginning of a proof's file, so that the first error of whoever verifies the wrong thing
//! names it. Nothing rests on that: the verifier computes the claim from its own program, input and output, compares,
//! and goes on with its own.
//!
//! ```
//! use chipwright_examples::brainfuck::{Claim, Options, Part, Program};
//!
//! let program = Program::compile(",.")?;
//! let claim = Claim::new(&program, b"a", b"a", &Options::default());
//! let other = Claim::new(&program, b"a", b"b", &Options::default());
//! assert_eq!(claim.difference(&other), Some(Part::Output));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use super::program::Program;
use super::segment::Digest;
use super::vm::{Cells, EndOfInput, Options};

/// What a proof is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The digest of the program's words.
    program: [u8; 32],
    /// The digest of the input, of which the run need not read all.
    input: [u8; 32],
    /// The digest of the output.
    output: [u8; 32],
    /// Whether the cells are elements of the field; no such run is proven.
    field_cells: bool,
    /// Whether reading behind the end of the input fails.
    strict_input: bool,
}

/// A part of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The program.
    Program,
    /// The input.
    Input,
    /// The output.
    Output,
    /// What a cell holds.
    Cells,
    /// What `,` gives behind the end of the input.
    EndOfInput,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "program",
            Self::Input => "input",
            Self::Output => "output",
            Self::Cells => "kind of cells",
            Self::EndOfInput => "rule for reading behind the end of the input",
        })
    }
}

impl Claim {
    /// The claim that a program turns an input into an output.
    pub fn new(program: &Program, input: &[u8], output: &[u8], options: &Options) -> Self {
        let mut words = blake3::Hasher::new_derive_key("chipwright brainfuck program");
        for word in program.words() {
            words.update(&word.to_le_bytes());
        }
        Self {
            program: *words.finalize().as_bytes(),
            input: blake3::derive_key("chipwright brainfuck input", input),
            output: blake3::derive_key("chipwright brainfuck output", output),
            field_cells: options.cells == Cells::Field,
            strict_input: options.end_of_input == EndOfInput::Fail,
        }
    }

    /// The first part in which claims differ.
    pub fn difference(&self, other: &Self) -> Option<Part> {
        let parts = [
            (Part::Program, self.program == other.program),
            (Part::Input, self.input == other.input),
            (Part::Output, self.output == other.output),
            (Part::Cells, self.field_cells == other.field_cells),
            (Part::EndOfInput, self.strict_input == other.strict_input),
        ];
        parts.into_iter().find(|(_, equal)| !equal).map(|(part, _)| part)
    }

    /// The digest of the claim, a public value of every segment. It binds the parts of the input that nobody reads,
    /// too.
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("chipwright brainfuck claim");
        hasher.update(&[u8::from(self.field_cells), u8::from(self.strict_input)]);
        hasher.update(&self.program).update(&self.input).update(&self.output);
        let hash = *hasher.finalize().as_bytes();
        // Seven bytes make a canonical element.
        std::array::from_fn(|i| {
            let bytes = &hash[7 * i..7 * (i + 1)];
            bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
        })
    }
}

/// [`Claim::digest`] of [`Claim::new`].
pub fn claim(program: &Program, input: &[u8], output: &[u8], options: &Options) -> Digest {
    Claim::new(program, input, output, options).digest()
}
