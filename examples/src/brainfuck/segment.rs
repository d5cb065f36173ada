//! Segments: a run cut into pieces of bounded length, and what one leaves to the next.
//!
//! ```
//! use chipwright_examples::brainfuck::{Options, Program, Segments, Shape};
//!
//! let program = Program::compile("++++++++[>++++++++<-]>+.")?;
//! let segments = Segments::new(&program, b"", Options::default(), Shape::LEAST);
//! let segments: Vec<_> = segments.collect::<Result<_, _>>()?;
//! assert!(segments.len() > 1);
//! assert!(segments.windows(2).all(|pair| pair[0].end == pair[1].start));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use chipwright_ir::field::{NotCanonical, canonical_element};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_8};
use p3_symmetric::Permutation;
use serde::{Deserialize, Serialize};

use super::machine::{CELLS_A_ROW, Shape};
use super::program::{Program, Symbol};
use super::vm::{Cycle, Options, RunError, Vm};

/// Four field elements: a hash.
pub type Digest = [u64; 4];

/// What a run leaves to its continuation. Its numbers are elements of the field in canonical form: what is read from a
/// file and is not is refused, since a number and that number plus the modulus would be one state with two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[u64; State::VALUES]", into = "[u64; State::VALUES]")]
pub struct State {
    /// The number of cycles so far.
    pub clk: u64,
    /// The instruction pointer.
    pub ip: u64,
    /// The memory pointer.
    pub mp: u64,
    /// The digest of the tape.
    pub memory: Digest,
    /// The digest of the bytes read so far.
    pub input: Digest,
    /// The digest of the bytes written so far.
    pub output: Digest,
}

impl State {
    /// The number of elements of a state.
    pub const VALUES: usize = 15;

    /// The state with these elements, in the order of the fields.
    fn of(values: [u64; Self::VALUES]) -> Self {
        let digest = |first: usize| std::array::from_fn(|i| values[first + i]);
        let [clk, ip, mp, ..] = values;
        Self { clk, ip, mp, memory: digest(3), input: digest(7), output: digest(11) }
    }

    /// A state whose elements are consecutive numbers.
    pub(super) fn numbered(first: u64) -> Self {
        Self::of(std::array::from_fn(|i| first + i as u64))
    }

    /// Before the first cycle: the tape holds zeros.
    pub fn initial(shape: &Shape) -> Self {
        let memory = Hasher::new().tape(&[], shape);
        Self { clk: 0, ip: 0, mp: 0, memory, input: [0; 4], output: [0; 4] }
    }
}

impl TryFrom<[u64; Self::VALUES]> for State {
    type Error = NotCanonical;

    fn try_from(values: [u64; Self::VALUES]) -> Result<Self, NotCanonical> {
        values
            .into_iter()
            .try_for_each(|value| canonical_element::<Goldilocks>(value).map(drop))?;
        Ok(Self::of(values))
    }
}

impl From<State> for [u64; State::VALUES] {
    fn from(State { clk, ip, mp, memory, input, output }: State) -> Self {
        let mut values = [clk; State::VALUES];
        values[1..3].copy_from_slice(&[ip, mp]);
        values[3..].copy_from_slice(&[memory, input, output].concat());
        values
    }
}

/// The hash of the machine's tables: Poseidon2 with feed-forward, compressing a digest and four elements to a digest.
#[derive(Clone)]
pub struct Hasher {
    permutation: Poseidon2Goldilocks<8>,
}

impl Hasher {
    /// The hash.
    pub fn new() -> Self {
        Self { permutation: default_goldilocks_poseidon2_8() }
    }

    /// Appends four elements.
    pub fn append(&self, digest: &mut Digest, block: [u64; 4]) {
        let state: [Goldilocks; 8] = std::array::from_fn(|i| {
            Goldilocks::from_u64(if i < 4 { digest[i] } else { block[i - 4] })
        });
        let permuted = self.permutation.permute(state);
        *digest = std::array::from_fn(|i| (permuted[i] + state[i]).as_canonical_u64());
    }

    /// Appends bytes, one at a time.
    pub fn append_bytes(&self, digest: &mut Digest, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            self.append(digest, [byte.into(), 0, 0, 0]);
        }
    }

    /// The digest of a tape; cells that are not given are zero.
    pub fn tape(&self, cells: &[u64], shape: &Shape) -> Digest {
        let mut digest = [0; 4];
        let cell = |index: usize| cells.get(index).copied().unwrap_or(0);
        for row in (0..shape.cells()).step_by(CELLS_A_ROW) {
            self.append(&mut digest, std::array::from_fn(|i| cell(row + i)));
        }
        digest
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

/// A piece of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it starts from.
    pub start: State,
    /// What it leaves.
    pub end: State,
    /// Its cycles: at least one.
    pub cycles: Vec<Cycle>,
    /// The cells before, as far as they are known not to be zero.
    pub before: Vec<u64>,
    /// The cells after.
    pub after: Vec<u64>,
    /// For each cell, the number of cycles after which it was accessed last.
    pub seen: Vec<u64>,
    /// The bytes read, with the cycles in which they are.
    pub read: Vec<(u64, u8)>,
    /// The bytes written, with the cycles in which they are.
    pub written: Vec<(u64, u8)>,
}

/// The segments of a run, executed as they are asked for.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    vm: Vm<'a>,
    shape: Shape,
    state: State,
    hasher: Hasher,
}

impl<'a> Segments<'a> {
    /// The segments of a run that is about to start.
    pub fn new(program: &'a Program, input: &'a [u8], options: Options, shape: Shape) -> Self {
        let options = Options { tape: options.tape.min(shape.cells()), ..options };
        Self {
            vm: Vm::new(program, input, options),
            shape,
            state: State::initial(&shape),
            hasher: Hasher::new(),
        }
    }

    /// Executes up to the end of a segment: its tables are full, or the program ends.
    fn segment(&mut self) -> Result<Option<Segment>, RunError> {
        let start = self.state;
        let before = self.vm.tape.clone();
        // Within a segment, cells that were accessed before it are seen when it starts.
        self.vm.seen.fill(start.clk);
        let mut cycles = Vec::new();
        let (mut read, mut written) = (Vec::new(), Vec::new());
        while cycles.len() < self.shape.cycles()
            && read.len() < 1 << self.shape.log_input
            && written.len() < 1 << self.shape.log_output
        {
            let Some(mut cycle) = self.vm.step()? else { break };
            cycle.seen = cycle.seen.max(start.clk);
            match cycle.instruction.ci {
                Symbol::Input => read.push((cycle.clk, cycle.new as u8)),
                Symbol::Output => written.push((cycle.clk, cycle.new as u8)),
                _ => {}
            }
            cycles.push(cycle);
        }
        if cycles.is_empty() {
            return Ok(None);
        }
        let mut end = State {
            clk: self.vm.clk,
            ip: self.vm.ip,
            mp: self.vm.mp,
            memory: self.hasher.tape(&self.vm.tape, &self.shape),
            ..start
        };
        self.hasher.append_bytes(&mut end.input, read.iter().map(|&(_, byte)| byte));
        self.hasher.append_bytes(&mut end.output, written.iter().map(|&(_, byte)| byte));
        self.state = end;
        let (after, seen) = (self.vm.tape.clone(), self.vm.seen.clone());
        Ok(Some(Segment { start, end, cycles, before, after, seen, read, written }))
    }
}

impl Iterator for Segments<'_> {
    type Item = Result<Segment, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.segment().transpose()
    }
}
