//! Programs: from source text to the words that the machine executes.
//!
//! A compiled program is a list of *words*. A command is a word, the code of its character; a bracket is
//! followed by a second word, the place where it jumps to: behind the partner's second word. The instruction
//! pointer `ip` is an index into these words, so it grows by one, by two over a bracket that does not jump, or
//! becomes the target. The program ends where `ip` is the number of words.
//!
//! ```
//! use chipwright_examples::brainfuck::Program;
//!
//! let program = Program::compile("+[-] all other characters are comments")?;
//! let codes = program.words().iter().map(|&word| char::from(word as u8)).collect::<String>();
//! assert_eq!(program.words()[2], 6); // `[` at 1 jumps to the end …
//! assert_eq!(program.words()[5], 3); // … and `]` at 4 to the `-` at 3
//! assert!(codes.starts_with("+["));
//! # Ok::<(), chipwright_examples::brainfuck::CompileError>(())
//! ```

use std::fmt;

use chipwright_dsl::prelude::*;
use chipwright_ir::text::Position;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, OneHot)]
pub enum Symbol {
    /// `>`: the pointer moves right.
    Right,
    /// `<`: the pointer moves left.
    Left,
    /// `+`: the cell grows by one.
    Increment,
    /// `-`: the cell shrinks by one.
    Decrement,
    /// `,`: the cell gets the next byte of the input.
    Input,
    /// `.`: the output gets the cell.
    Output,
    /// `[`: jumps behind the partner if the cell is zero.
    Open,
    /// `]`: jumps behind the partner if the cell is not zero.
    Close,
}

impl Symbol {
    /// Every command with its character.
    pub const ALL: [(Self, u8); 8] = [
        (Self::Right, b'>'),
        (Self::Left, b'<'),
        (Self::Increment, b'+'),
        (Self::Decrement, b'-'),
        (Self::Input, b','),
        (Self::Output, b'.'),
        (Self::Open, b'['),
        (Self::Close, b']'),
    ];

    /// The command that a character stands for; all others are comments.
    pub fn of(character: char) -> Option<Self> {
        let is = |code: u8| char::from(code) == character;
        Self::ALL.into_iter().find(|&(_, code)| is(code)).map(|(symbol, _)| symbol)
    }

    /// The code of the command's character: what the register `ci` holds.
    pub const fn code(self) -> u8 {
        Self::ALL[self as usize].1
    }

    /// Whether a second word follows.
    pub const fn is_bracket(self) -> bool {
        matches!(self, Self::Open | Self::Close)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        char::from(self.code()).fmt(f)
    }
}

/// What the program says about an instruction pointer: the registers `ci` and `ni`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The instruction pointer.
    pub ip: u64,
    /// The current instruction.
    pub ci: Symbol,
    /// The next word: the target of a bracket, else the code of the command that follows, or zero at the end.
    pub ni: u64,
}

/// A compiled program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    words: Vec<u64>,
    instructions: Vec<Instruction>,
    /// For each word, the instruction that starts there.
    starts: Vec<Option<u32>>,
    /// For each instruction, where its command stands in the source.
    positions: Vec<Position>,
}

/// A program that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A bracket has no partner.
    #[error("{at}: `{bracket}` has no matching `{partner}`")]
    Unmatched {
        /// The bracket.
        bracket: Symbol,
        /// What is missing.
        partner: Symbol,
        /// Where the bracket stands.
        at: Position,
    },
    /// There are too many words.
    #[error("{at}: a program has at most {MAX_WORDS} words, and more are here")]
    TooLong {
        /// The first command that is too much.
        at: Position,
    },
}

/// The longest program.
pub const MAX_WORDS: usize = 1 << 20;

impl Program {
    /// Compiles a source text. Characters that are no commands are comments.
    ///
    /// # Errors
    ///
    /// Fails at the first bracket without a partner, or if the program is too long.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        // A byte order mark is no character of the text.
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let mut words: Vec<u64> = Vec::new();
        let mut symbols: Vec<(usize, Symbol)> = Vec::new();
        let mut positions = Vec::new();
        let mut open: Vec<(usize, Position)> = Vec::new();
        let mut at = Position { line: 1, column: 0 };
        for character in source.chars() {
            if character == '\n' {
                at = Position { line: at.line + 1, column: 0 };
                continue;
            }
            at.column += 1;
            let Some(symbol) = Symbol::of(character) else { continue };
            let ip = words.len();
            symbols.push((ip, symbol));
            positions.push(at);
            words.push(symbol.code().into());
            match symbol {
                Symbol::Open => {
                    open.push((ip, at));
                    words.push(0);
                }
                Symbol::Close => {
                    let (partner, _) = open.pop().ok_or(CompileError::Unmatched {
                        bracket: Symbol::Close,
                        partner: Symbol::Open,
                        at,
                    })?;
                    words.push(partner as u64 + 2);
                    words[partner + 1] = ip as u64 + 2;
                }
                _ => {}
            }
            if words.len() > MAX_WORDS {
                return Err(CompileError::TooLong { at });
            }
        }
        if let Some((_, at)) = open.pop() {
            let (bracket, partner) = (Symbol::Open, Symbol::Close);
            return Err(CompileError::Unmatched { bracket, partner, at });
        }
        let mut starts = vec![None; words.len()];
        let next = |ip: usize| words.get(ip + 1).copied().unwrap_or(0);
        let instructions = symbols
            .into_iter()
            .zip(0..)
            .map(|((ip, ci), index)| {
                starts[ip] = Some(index);
                Instruction { ip: ip as u64, ci, ni: next(ip) }
            })
            .collect();
        Ok(Self { words, instructions, starts, positions })
    }

    /// The words.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The instructions, in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The instruction at `ip`; `None` at the end, and inside of brackets.
    pub fn fetch(&self, ip: u64) -> Option<Instruction> {
        Some(self.instructions[self.index(ip)?])
    }

    /// Where the command at `ip` stands in the source.
    pub fn position(&self, ip: u64) -> Option<Position> {
        Some(self.positions[self.index(ip)?])
    }

    /// The number of the instruction at `ip`.
    fn index(&self, ip: u64) -> Option<usize> {
        let start = *self.starts.get(usize::try_from(ip).ok()?)?;
        Some(start? as usize)
    }

    /// Where `ip` is when the program has ended: the number of words.
    pub fn end(&self) -> u64 {
        self.words.len() as u64
    }
}
