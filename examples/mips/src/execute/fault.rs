//! What goes wrong in a run, and the report of it.

use std::fmt;

use chipwright_mips_isa::{RA, Register};

use super::state::State;
use crate::program::{Location, Program};

/// Why an instruction is not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The word is no instruction.
    #[error("{word:#010x} is no instruction{}", coprocessor(*.word))]
    Reserved {
        /// The word.
        word: u32,
    },
    /// A jump left the text.
    #[error("a jump to {target:#x}, where there are no instructions")]
    BadJump {
        /// Where it went.
        target: u32,
    },
    /// A jump is in the delay slot of another.
    #[error("a jump in the delay slot of a jump")]
    DelaySlot,
    /// The architecture does not say what happens.
    #[error("an instruction that links to the register that it reads")]
    Unpredictable,
    /// The signed result has more than 32 bits.
    #[error("a signed overflow")]
    Overflow,
    /// A division by zero.
    #[error("a division by zero")]
    DivisionByZero,
    /// The condition of a trap holds.
    #[error("a trap{}", trap_reason(*.code))]
    Trap {
        /// The number in the instruction.
        code: u32,
    },
    /// A `break`.
    #[error("a break{}", trap_reason(*.code >> 10))]
    Break {
        /// The number in the instruction.
        code: u32,
    },
    /// A hardware register that this machine does not have.
    #[error("hardware register {number} is read, only 29 can be")]
    HardwareRegister {
        /// Its number.
        number: u8,
    },
    /// An address that the size of the access does not divide.
    #[error("an access of {size} bytes at {address:#x}, which {size} does not divide")]
    Unaligned {
        /// The address.
        address: u32,
        /// The number of bytes.
        size: u32,
    },
    /// An address at one of the ends of memory, as null pointers are.
    #[error("an access at {address:#x}, where there is no memory")]
    BadAddress {
        /// The address.
        address: u32,
    },
    /// The stack grew into an end of memory.
    #[error("the stack is exhausted at {address:#x}")]
    StackExhausted {
        /// The address.
        address: u32,
    },
    /// A store into the text.
    #[error("a store at {address:#x}, where instructions are")]
    TextStore {
        /// The address.
        address: u32,
    },
    /// The memory that a run may have is in use.
    #[error("the memory of {limit} bytes is exhausted at {address:#x}")]
    MemoryExhausted {
        /// The address.
        address: u32,
        /// The limit in bytes.
        limit: u64,
    },
    /// `brk` or `mmap` have no more addresses.
    #[error("the heap is exhausted: it ends at {end:#x}, and {asked:#x} bytes more are asked for")]
    HeapExhausted {
        /// Where it ends.
        end: u32,
        /// The bytes asked for.
        asked: u32,
    },
    /// A system call that there is not.
    #[error("system call {number:#x} ({number}), which is unknown")]
    UnknownCall {
        /// Its number.
        number: u32,
    },
    /// A write to a descriptor that is not open.
    #[error("a write to descriptor {descriptor}, which is not open")]
    Descriptor {
        /// The descriptor.
        descriptor: u32,
    },
    /// A write of more than a system call writes.
    #[error("a write of {bytes} bytes at once, at most {limit} are possible")]
    LongWrite {
        /// The bytes.
        bytes: u32,
        /// The greatest number.
        limit: u32,
    },
    /// A hint is read, and there are no more.
    #[error("a hint is asked for, and all {given} are taken")]
    NoHint {
        /// How many there were.
        given: usize,
    },
    /// A hint is read with another length than it has.
    #[error("a hint of {given} bytes is read as one of {asked}")]
    HintLength {
        /// The length asked for.
        asked: u32,
        /// The length that it has.
        given: usize,
    },
    /// Eight words can be committed.
    #[error("word {index} is committed, there are words 0 to 7")]
    CommitIndex {
        /// The index.
        index: u32,
    },
    /// A word is committed a second time.
    #[error("word {index} is committed as {now:#010x}, and was as {before:#010x}")]
    Recommitted {
        /// The index.
        index: u32,
        /// The word before.
        before: u32,
        /// The word now.
        now: u32,
    },
    /// Digests of deferred proofs of another machine.
    #[error("word {word:#010x} is committed to deferred proofs, which must be zero")]
    Deferred {
        /// The word.
        word: u32,
    },
    /// The run goes on for too long.
    #[error("the program did not end within {limit} instructions")]
    Limit {
        /// The instructions that it had.
        limit: u64,
    },
}

/// A hint for words of other instruction sets.
fn coprocessor(word: u32) -> &'static str {
    match word >> 26 {
        0x10 | 0x2f => " (of coprocessor 0, for operating systems)",
        0x11 | 0x13 | 0x31 | 0x35 | 0x39 | 0x3d => {
            " (of the floating-point unit; build with -msoft-float)"
        }
        0x12 | 0x32 | 0x36 | 0x3a | 0x3e => " (of coprocessor 2)",
        _ => "",
    }
}

/// The numbers that compilers use.
fn trap_reason(code: u32) -> String {
    match code {
        0 => String::new(),
        6 => " (6: an overflow)".to_owned(),
        7 => " (7: a division by zero)".to_owned(),
        code => format!(" ({code})"),
    }
}

/// A fault with all that helps to find its cause, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionError {
    /// What went wrong.
    pub fault: Fault,
    /// The address of the instruction.
    pub pc: u32,
    /// The instructions executed before it.
    pub clock: u64,
    /// The routine that the instruction is in.
    pub location: Option<Location>,
    /// The routine that `$ra` is in: the caller, if the routine has called nobody yet.
    pub caller: Option<Location>,
    /// The text of the instruction, if it is one.
    pub instruction: Option<String>,
    /// The registers.
    pub registers: [u32; Register::COUNT],
    /// `HI`.
    pub hi: u32,
    /// `LO`.
    pub lo: u32,
    /// What the program wrote last to its standard error.
    pub message: Option<String>,
}

impl ExecutionError {
    /// The report of a fault in a state.
    pub(crate) fn new(fault: Fault, program: &Program, state: &State) -> Box<Self> {
        let message = String::from_utf8_lossy(&state.message).trim().to_owned();
        let instruction = program.instruction(state.pc).flatten();
        Box::new(Self {
            fault,
            pc: state.pc,
            clock: state.clock,
            location: program.locate(state.pc),
            caller: program.locate(state.get(RA)),
            instruction: instruction.map(|instruction| instruction.at(state.pc).to_string()),
            registers: state.registers,
            hi: state.hi,
            lo: state.lo,
            message: (!message.is_empty()).then_some(message),
        })
    }
}

impl std::error::Error for ExecutionError {}

impl fmt::Display for ExecutionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:#x}", self.fault, self.pc)?;
        if let Some(location) = &self.location {
            write!(f, " in {location}")?;
        }
        if let Some(instruction) = &self.instruction {
            write!(f, ": `{instruction}`")?;
        }
        write!(f, ", after {} instructions", self.clock)?;
        if let Some(message) = &self.message {
            // What a guest writes may have control characters and any length of lines.
            write!(f, "; the program wrote {message:?}")?;
        }
        write!(f, "; registers that are not zero:")?;
        for (register, value) in Register::all().zip(self.registers) {
            if value != 0 {
                write!(f, " {register}={value:#x}")?;
            }
        }
        for (name, value) in [("hi", self.hi), ("lo", self.lo)] {
            if value != 0 {
                write!(f, " {name}={value:#x}")?;
            }
        }
        match &self.caller {
            Some(caller) => write!(f, "; $ra is in {caller}"),
            None => Ok(()),
        }
    }
}
