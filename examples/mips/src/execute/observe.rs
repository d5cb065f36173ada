//! What can be seen of a run.

use std::io::{self, Write};

use chipwright_mips_isa::{Instruction, Opcode, Register};

use super::state::State;
use crate::program::Program;

/// An access to a word of memory, by an instruction or a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The address of the word.
    pub address: u32,
    /// What it holds before.
    pub before: u32,
    /// What it holds afterwards: the same if it is only read.
    pub after: u32,
}

/// Gets to see a run. An observer that leaves a method as it is costs nothing for it.
pub trait Observer {
    /// Whether accesses are of interest.
    const ACCESSES: bool = false;

    /// An instruction will be executed in this state.
    #[inline]
    fn instruction(&mut self, state: &State, instruction: &Instruction) {
        let _ = (state, instruction);
    }

    /// The instruction accesses memory. Called if [`ACCESSES`](Self::ACCESSES) says so.
    #[inline]
    fn access(&mut self, access: Access) {
        let _ = access;
    }

    /// The program writes to a descriptor: 1 is the output, 2 the standard error, 3 the public bytes.
    #[inline]
    fn output(&mut self, descriptor: u32, bytes: &[u8]) {
        let _ = (descriptor, bytes);
    }
}

/// Sees nothing.
impl Observer for () {}

impl<O: Observer> Observer for &mut O {
    const ACCESSES: bool = O::ACCESSES;

    #[inline]
    fn instruction(&mut self, state: &State, instruction: &Instruction) {
        (**self).instruction(state, instruction);
    }

    #[inline]
    fn access(&mut self, access: Access) {
        (**self).access(access);
    }

    #[inline]
    fn output(&mut self, descriptor: u32, bytes: &[u8]) {
        (**self).output(descriptor, bytes);
    }
}

/// Both see the run.
impl<A: Observer, B: Observer> Observer for (A, B) {
    const ACCESSES: bool = A::ACCESSES || B::ACCESSES;

    #[inline]
    fn instruction(&mut self, state: &State, instruction: &Instruction) {
        self.0.instruction(state, instruction);
        self.1.instruction(state, instruction);
    }

    #[inline]
    fn access(&mut self, access: Access) {
        self.0.access(access);
        self.1.access(access);
    }

    #[inline]
    fn output(&mut self, descriptor: u32, bytes: &[u8]) {
        self.0.output(descriptor, bytes);
        self.1.output(descriptor, bytes);
    }
}

/// Keeps what the program writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The output.
    pub output: Vec<u8>,
    /// The standard error.
    pub errors: Vec<u8>,
    /// The public bytes.
    pub public: Vec<u8>,
}

impl Observer for Output {
    fn output(&mut self, descriptor: u32, bytes: &[u8]) {
        match descriptor {
            1 => self.output.extend(bytes),
            2 => self.errors.extend(bytes),
            _ => self.public.extend(bytes),
        }
    }
}

/// Counts how often each instruction of the program is executed.
#[derive(Clone, Debug)]
pub struct Counts<'a> {
    program: &'a Program,
    /// For each text, the counts of its instructions.
    counts: Vec<Vec<u64>>,
}

impl<'a> Counts<'a> {
    /// No instructions yet.
    pub fn new(program: &'a Program) -> Self {
        let texts = program.text().iter();
        Self { program, counts: texts.map(|text| vec![0; text.instructions.len()]).collect() }
    }

    /// How often each instruction that was executed was, by address.
    pub fn by_address(&self) -> impl Iterator<Item = (u32, Instruction, u64)> {
        self.program.text().iter().zip(&self.counts).flat_map(|(text, counts)| {
            let counted = text.instructions.iter().zip(counts).enumerate();
            counted.filter_map(|(index, (instruction, &count))| {
                let instruction = instruction.filter(|_| count > 0)?;
                Some((text.start + 4 * index as u32, instruction, count))
            })
        })
    }

    /// How often each opcode was executed, the most frequent first.
    pub fn by_opcode(&self) -> Vec<(Opcode, u64)> {
        let mut counts = vec![0; Opcode::ALL.len()];
        for (_, instruction, count) in self.by_address() {
            counts[instruction.opcode as usize] += count;
        }
        let mut counts: Vec<(Opcode, u64)> = Opcode::ALL.iter().copied().zip(counts).collect();
        counts.retain(|(_, count)| *count > 0);
        counts.sort_by_key(|&(opcode, count)| (std::cmp::Reverse(count), opcode));
        counts
    }

    /// The instructions executed within a routine, without those of the routines that it calls.
    pub fn of_routine(&self, name: &str) -> u64 {
        let of =
            |address| self.program.locate(address).is_some_and(|location| location.name == name);
        self.by_address().filter(|&(address, ..)| of(address)).map(|(.., count)| count).sum()
    }
}

impl Observer for Counts<'_> {
    #[inline]
    fn instruction(&mut self, state: &State, _: &Instruction) {
        for (text, counts) in self.program.text().iter().zip(&mut self.counts) {
            if let Some(count) = counts.get_mut(text.index(state.pc)) {
                *count += 1;
                return;
            }
        }
    }
}

/// Writes the registers before each instruction, as `qemu-mipsel -singlestep -d nochain,cpu,exec` does.
#[derive(Debug)]
pub struct Trace<W> {
    out: W,
    left: u64,
    error: Option<io::Error>,
}

impl<W: Write> Trace<W> {
    /// Traces the first instructions.
    pub fn new(out: W, instructions: u64) -> Self {
        Self { out, left: instructions, error: None }
    }

    /// Ends the trace.
    ///
    /// # Errors
    ///
    /// Fails if something could not be written.
    pub fn finish(self) -> io::Result<()> {
        self.error.map_or(Ok(()), Err)
    }
}

impl<W: Write> Observer for Trace<W> {
    fn instruction(&mut self, state: &State, _: &Instruction) {
        if self.left == 0 || self.error.is_some() {
            return;
        }
        self.left -= 1;
        self.error = write_registers(&mut self.out, state).err();
    }
}

fn write_registers(out: &mut impl Write, state: &State) -> io::Result<()> {
    let State { pc, hi, lo, .. } = state;
    writeln!(out, "pc=0x{pc:08x} HI=0x{hi:08x} LO=0x{lo:08x}")?;
    for first in (0..Register::COUNT).step_by(4) {
        write!(out, "GPR{first:02}:")?;
        for register in Register::all().skip(first).take(4) {
            let name = if register.index() == 0 { "r0" } else { register.name() };
            write!(out, " {name} {:08x}", state.get(register))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
