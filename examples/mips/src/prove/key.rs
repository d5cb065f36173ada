//! The key of a program: what a proof about it is verified with.

use chipwright_recursion::shard::{Named, Parts};
use serde::{Deserialize, Serialize};

use super::bytes::{ReadError, decode, encode};
use crate::machine::image::{Compression, Digest, image, text};
use crate::{Program, State};

/// What a key's bytes begin with; the last byte is the version of the format.
const MAGIC: &[u8] = b"chipwrightmipsk\x01";

/// A program, as its proofs know it: some hundred bytes, whatever the program's size.
///
/// # Soundness
///
/// A key stands for a program only for whoever computed it from the program. One that comes from somebody else stands for
/// whatever they had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyingKey {
    /// The root of the text: what is executed.
    pub text: Digest,
    /// The root of memory and registers at the start.
    pub image: Digest,
    /// Where the program begins.
    pub entry: u32,
}

impl VerifyingKey {
    /// The key of a program.
    pub fn new(program: &Program) -> Self {
        Self {
            text: text(program).root(),
            image: image(&State::new(program)).root(),
            entry: program.entry(),
        }
    }

    /// Names the key: a hash of all that it says.
    pub fn digest(&self) -> Digest {
        let mut elements = [0; 16];
        elements[..4].copy_from_slice(&self.text);
        elements[4..8].copy_from_slice(&self.image);
        elements[8] = self.entry.into();
        Compression::default().hash(&elements)
    }

    /// The state that every run of the program begins with.
    pub fn start(&self) -> ShardState {
        let entry = u64::from(self.entry);
        ShardState { halted: 0, pc: entry, next_pc: entry + 4, clk: 0, memory: self.image }
    }

    /// What all shards of the program have in common.
    pub fn common(&self) -> Parts {
        Parts::new().with("program", self.text)
    }

    /// The key as versioned bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(MAGIC, self)
    }

    /// Reads a key.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let key: Self = decode(MAGIC, bytes)?;
        let elements = key.text.iter().chain(&key.image);
        if elements.into_iter().any(|&element| element >= crate::machine::field::ORDER) {
            return Err(ReadError::Malformed);
        }
        Ok(key)
    }
}

/// What a shard passes on to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardState {
    /// One if the program has ended.
    pub halted: u64,
    /// The address of the next instruction; after the end, the exit code.
    pub pc: u64,
    /// The address of the instruction after the next; after the end, zero.
    pub next_pc: u64,
    /// The instructions executed so far.
    pub clk: u64,
    /// The root of memory and registers.
    pub memory: Digest,
}

impl Named for ShardState {
    /// As the [boundary](crate::machine::control::Boundary) has them.
    fn parts(&self) -> Parts {
        let control = [self.halted, self.pc, self.next_pc, self.clk];
        Parts::new().with("control", control).with("memory", self.memory)
    }
}

impl ShardState {
    /// The state of a run whose memory has this root.
    pub fn of(state: &State, memory: Digest) -> Self {
        let (halted, pc, next_pc) = match state.exit {
            Some(code) => (1, code.into(), 0),
            None => (0, state.pc.into(), state.next_pc.into()),
        };
        Self { halted, pc, next_pc, clk: state.clock, memory }
    }
}
