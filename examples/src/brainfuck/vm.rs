//! The virtual machine: executes a program, cycle by cycle or as fast as it can.
//!
//! Cells are bytes that wrap, the tape has [`Options::cells`] of them from the pointer's start to the right,
//! and input is followed by zeros without end. What is outside of that is an error with the cycle in which it
//! happens and the place of its command, and cannot be proven.
//!
//! ```
//! use chipwright_examples::brainfuck::{Options, Program, run};
//!
//! let program = Program::compile(",[.,]")?;
//! let run = run(&program, b"echo", &Options::default())?;
//! assert_eq!((run.output.as_slice(), run.cycles), (&b"echo"[..], 14));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

use chipwright_dsl::Field;
use chipwright_ir::text::Position;

use super::program::{Instruction, Program, Symbol};

/// How programs are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What a cell holds.
    pub cells: Cells,
    /// What `,` gives when the input is used up.
    pub end_of_input: EndOfInput,
    /// The number of cells of the tape.
    pub tape: usize,
    /// The number of cycles after which a run is given up.
    pub max_cycles: u64,
    /// The number of bytes of output after which a run is given up.
    pub max_output: u64,
}

impl Options {
    /// The cycles that a run may take unless more are asked for: some seconds.
    pub const MAX_CYCLES: u64 = 1 << 28;

    /// The bytes that a run may write unless more are asked for: 16 MiB.
    pub const MAX_OUTPUT: u64 = 1 << 24;
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cells {
    /// A byte: `255 + 1 = 0`, as most published programs expect.
    #[default]
    Bytes,
    /// An element of the base field, as in the document that describes the engine: `0 - 1` is the largest one.
    Field,
}

/// What `,` gives when the input is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndOfInput {
    /// Zero: input is followed by zeros without end.
    #[default]
    Zero,
    /// Nothing: the run fails.
    Fail,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cells: Cells::default(),
            end_of_input: EndOfInput::default(),
            tape: 1 << 15,
            max_cycles: Self::MAX_CYCLES,
            max_output: Self::MAX_OUTPUT,
        }
    }
}

/// Why a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The pointer leaves the tape on the left.
    #[error("{at}: `<` moves the pointer left of cell 0, in cycle {clk}")]
    LeftOfTape {
        /// The cycle.
        clk: u64,
        /// Where the command stands in the source.
        at: Position,
    },
    /// The pointer leaves the tape on the right.
    #[error("{at}: `>` moves the pointer behind the last of {cells} cells, in cycle {clk}")]
    RightOfTape {
        /// The cycle.
        clk: u64,
        /// Where the command stands in the source.
        at: Position,
        /// The number of cells.
        cells: usize,
    },
    /// The input is used up, and [`EndOfInput::Fail`] was asked for.
    #[error("{at}: `,` reads behind the {bytes} bytes of the input, in cycle {clk}")]
    InputExhausted {
        /// The cycle.
        clk: u64,
        /// Where the command stands in the source.
        at: Position,
        /// The length of the input.
        bytes: usize,
    },
    /// A cell that holds a field element is no byte.
    #[error("{at}: `.` outputs {value}, which is no byte, in cycle {clk}")]
    NoByte {
        /// The cycle.
        clk: u64,
        /// Where the command stands in the source.
        at: Position,
        /// The value of the cell.
        value: u64,
    },
    /// The program does not end in time.
    #[error("{at}: the program does not end within {max_cycles} cycles; here it is after these")]
    TooManyCycles {
        /// Where the next command stands in the source.
        at: Position,
        /// The number of cycles allowed.
        max_cycles: u64,
    },
    /// The program writes too much.
    #[error("{at}: the program writes more than {max_output} bytes")]
    TooMuchOutput {
        /// Where the command stands in the source.
        at: Position,
        /// The number of bytes allowed.
        max_output: u64,
    },
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The output.
    pub output: Vec<u8>,
    /// The number of cycles.
    pub cycles: u64,
    /// The number of bytes that were read, zeros behind the input included.
    pub read: u64,
    /// The number of cells up to the rightmost one that the pointer visited.
    pub cells: usize,
}

/// Executes a program.
///
/// # Errors
///
/// Fails if the pointer leaves the tape, if the program does not end in time, or as the options demand.
pub fn run(program: &Program, input: &[u8], options: &Options) -> Result<Run, RunError> {
    let mut vm = Vm::new(program, input, *options);
    while vm.step()?.is_some() {}
    Ok(vm.into_run())
}

/// One cycle: the registers before it, and what it does to the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The number of cycles before this one.
    pub clk: u64,
    /// The instruction.
    pub instruction: Instruction,
    /// The memory pointer.
    pub mp: u64,
    /// The memory value: the cell at `mp`.
    pub mv: u64,
    /// What the cell holds afterwards.
    pub new: u64,
    /// The number of cycles after which the cell got the value `mv`, or was looked at last.
    pub seen: u64,
}

/// A program in execution.
#[derive(Clone, Debug)]
pub struct Vm<'a> {
    program: &'a Program,
    input: Cow<'a, [u8]>,
    options: Options,
    /// The number of cycles executed.
    pub clk: u64,
    /// The instruction pointer.
    pub ip: u64,
    /// The memory pointer.
    pub mp: u64,
    /// The cells up to the rightmost one visited.
    pub tape: Vec<u64>,
    /// For each of these, one more than the cycle that accessed it last, or zero.
    pub seen: Vec<u64>,
    /// The number of bytes read.
    pub read: u64,
    /// The number of bytes written.
    pub written: u64,
    /// The bytes written, unless somebody has taken them out.
    pub output: Vec<u8>,
}

impl<'a> Vm<'a> {
    /// A program that is about to start.
    pub fn new(program: &'a Program, input: &'a [u8], options: Options) -> Self {
        Self {
            program,
            input: Cow::Borrowed(input),
            options,
            clk: 0,
            ip: 0,
            mp: 0,
            tape: vec![0],
            seen: vec![0],
            read: 0,
            written: 0,
            output: Vec::new(),
        }
    }

    /// Whether the next cycle reads a byte behind the end of the input, as far as it was given.
    pub fn wants_input(&self) -> bool {
        self.read as usize >= self.input.len()
            && self.instruction().is_some_and(|next| next.ci == Symbol::Input)
    }

    /// Appends to the input.
    pub fn give_input(&mut self, bytes: &[u8]) {
        self.input.to_mut().extend_from_slice(bytes);
    }

    /// The instruction that comes next; `None` at the end of the program.
    pub fn instruction(&self) -> Option<Instruction> {
        self.program.fetch(self.ip)
    }

    /// Executes one cycle; `None` at the end of the program.
    ///
    /// # Errors
    ///
    /// Fails as [`run`] does.
    pub fn step(&mut self) -> Result<Option<Cycle>, RunError> {
        let Some(instruction) = self.instruction() else { return Ok(None) };
        let Options { cells, end_of_input, tape, max_cycles, max_output } = self.options;
        let at =
            || self.program.position(instruction.ip).unwrap_or(Position { line: 1, column: 1 });
        if self.clk >= max_cycles {
            return Err(RunError::TooManyCycles { at: at(), max_cycles });
        }
        let (clk, ip, ni) = (self.clk, self.ip, instruction.ni);
        let cell = self.mp as usize;
        let (mv, seen) = (self.tape[cell], self.seen[cell]);
        let largest = match cells {
            Cells::Bytes => 255,
            Cells::Field => Field::Goldilocks2.modulus() - 1,
        };
        let (mut new, mut mp, mut next_ip) = (mv, self.mp, ip + 1);
        match instruction.ci {
            Symbol::Right => {
                mp += 1;
                if mp as usize >= tape {
                    return Err(RunError::RightOfTape { clk, at: at(), cells: tape });
                }
                if mp as usize == self.tape.len() {
                    self.tape.push(0);
                    self.seen.push(0);
                }
            }
            Symbol::Left => {
                mp = mp.checked_sub(1).ok_or_else(|| RunError::LeftOfTape { clk, at: at() })?;
            }
            Symbol::Increment => new = if mv == largest { 0 } else { mv + 1 },
            Symbol::Decrement => new = mv.checked_sub(1).unwrap_or(largest),
            Symbol::Input => {
                let byte = self.input.get(self.read as usize);
                new = match (byte, end_of_input) {
                    (Some(&byte), _) => byte.into(),
                    (None, EndOfInput::Zero) => 0,
                    (None, EndOfInput::Fail) => {
                        let bytes = self.input.len();
                        return Err(RunError::InputExhausted { clk, at: at(), bytes });
                    }
                };
                self.read += 1;
            }
            Symbol::Output => {
                let byte = u8::try_from(mv);
                let byte = byte.map_err(|_| RunError::NoByte { clk, at: at(), value: mv })?;
                if self.written >= max_output {
                    return Err(RunError::TooMuchOutput { at: at(), max_output });
                }
                self.output.push(byte);
                self.written += 1;
            }
            Symbol::Open => next_ip = if mv == 0 { ni } else { ip + 2 },
            Symbol::Close => next_ip = if mv == 0 { ip + 2 } else { ni },
        }
        self.tape[cell] = new;
        self.seen[cell] = clk + 1;
        (self.clk, self.ip, self.mp) = (clk + 1, next_ip, mp);
        let mp = cell as u64;
        Ok(Some(Cycle { clk, instruction, mp, mv, new, seen }))
    }

    /// What the program did so far.
    pub fn into_run(self) -> Run {
        Run { output: self.output, cycles: self.clk, read: self.read, cells: self.tape.len() }
    }
}
