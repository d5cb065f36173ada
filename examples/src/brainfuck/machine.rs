//! The machine of a program, and what it is given for one segment of a run.
//!
//! The program is in preprocessed columns, so a verifying key is about one program. The [`Shape`] says how high
//! the tables are: all segments of a run have the same shape, hence one key.
//!
//! ```
//! use chipwright_examples::brainfuck::{Program, Shape, machine};
//!
//! let program = Program::compile("+[-]")?;
//! let machine = machine(&program, &Shape::LEAST)?;
//! assert!(machine.buses().iter().any(|bus| bus.name == "memory"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use chipwright_dsl::{Field, Input, Machine, MachineErrors};
use chipwright_ir::machine::{Machine as IrMachine, MachineInput};
use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;
use serde::{Deserialize, Serialize};

use super::chips::{
    InputTable, InputTablePublics, InputTableRecord, Memory, MemoryFixed, MemoryPublics,
    MemoryRecord, OutputTable, OutputTablePublics, OutputTableRecord, Processor, ProcessorPublics,
    ProcessorRecord, ProgramTable, ProgramTableFixed, PublicProgram, PublicProgramPublics,
    PublicProgramRecord, TICKS, Ticks,
};
use super::program::Program;
use super::segment::{Digest, Hasher, Segment, State};
use super::vm::Cycle;

/// The field of the machine.
pub const FIELD: Field = Field::Goldilocks2;

/// The cells that a row of the tape holds.
pub(super) const CELLS_A_ROW: usize = 4;

/// The base-2 logarithm of the lowest table.
const LOG_LEAST: u8 = 5;

/// The heights of the tables that a run can choose, as base-2 logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// The cycles of a segment.
    pub log_cycles: u8,
    /// The cells of the tape.
    pub log_cells: u8,
    /// The bytes that a segment can read.
    pub log_input: u8,
    /// The bytes that a segment can write.
    pub log_output: u8,
}

impl Shape {
    /// The smallest shape.
    pub const LEAST: Self = Self {
        log_cycles: LOG_LEAST,
        log_cells: LOG_LEAST + CELLS_A_ROW.ilog2() as u8,
        log_input: LOG_LEAST,
        log_output: LOG_LEAST,
    };

    /// The largest shape: lengths of time have two digits.
    pub const GREATEST: Self = Self {
        log_cycles: 2 * TICKS.ilog2() as u8,
        log_cells: 20,
        log_input: 2 * TICKS.ilog2() as u8,
        log_output: 2 * TICKS.ilog2() as u8,
    };

    /// The smallest shape that holds segments of so many cycles, cells, bytes read and bytes written.
    pub fn holding(cycles: usize, cells: usize, input: usize, output: usize) -> Self {
        let log = |count: usize, least: u8| (count.next_power_of_two().ilog2() as u8).max(least);
        Self {
            log_cycles: log(cycles, Self::LEAST.log_cycles),
            log_cells: log(cells, Self::LEAST.log_cells),
            log_input: log(input, Self::LEAST.log_input),
            log_output: log(output, Self::LEAST.log_output),
        }
    }

    /// Whether no height is out of range: no table is lower or higher than those of [`Self::LEAST`] and
    /// [`Self::GREATEST`].
    pub fn is_valid(&self) -> bool {
        let (least, greatest) = (Self::LEAST, Self::GREATEST);
        (least.log_cycles..=greatest.log_cycles).contains(&self.log_cycles)
            && (least.log_cells..=greatest.log_cells).contains(&self.log_cells)
            && (least.log_input..=greatest.log_input).contains(&self.log_input)
            && (least.log_output..=greatest.log_output).contains(&self.log_output)
    }

    /// The cycles of a segment.
    pub const fn cycles(&self) -> usize {
        1 << self.log_cycles
    }

    /// The cells of the tape.
    pub const fn cells(&self) -> usize {
        1 << self.log_cells
    }

    /// The height of a chip's table, as a base-2 logarithm, if it follows from the shape.
    pub fn log_height(&self, chip: &str) -> Option<usize> {
        let heights = [
            ("processor", self.log_cycles),
            ("input_table", self.log_input),
            ("output_table", self.log_output),
        ];
        heights.into_iter().find(|(name, _)| *name == chip).map(|(_, log)| usize::from(log))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log_cycles, log_cells, log_input, log_output } = self;
        write!(
            f,
            "2^{log_cycles} cycles, a tape of 2^{log_cells} cells, 2^{log_input} bytes read and 2^{log_output} written"
        )
    }
}

/// The machine that executes a program, which is in preprocessed columns.
///
/// # Errors
///
/// Fails if a chip has mistakes.
pub fn machine(program: &Program, shape: &Shape) -> Result<IrMachine, MachineErrors> {
    let instructions = instructions(program).into_iter();
    let instructions: Vec<ProgramTableFixed> =
        instructions.map(|[ip, ci, ni, _]| ProgramTableFixed { ip, ci, ni }).collect();
    around(Machine::new("brainfuck", FIELD).add_with::<ProgramTable>(&instructions), *shape)
}

/// The machine that executes any program, which is a public input.
///
/// # Errors
///
/// Fails if a chip has mistakes.
pub fn universal_machine(shape: &Shape) -> Result<IrMachine, MachineErrors> {
    around(Machine::new("brainfuck_universal", FIELD).add::<PublicProgram>(), *shape)
}

fn around(program: Machine, shape: Shape) -> Result<IrMachine, MachineErrors> {
    let cells: Vec<MemoryFixed> =
        (0..shape.cells() as u64).step_by(CELLS_A_ROW).map(|mp| MemoryFixed { mp }).collect();
    program
        .add::<Processor>()
        .add_with::<Memory>(&cells)
        .add::<InputTable>()
        .add::<OutputTable>()
        .add::<Ticks>()
        .build()
}

/// The rows of the program's table: `ip`, `ci`, `ni`, and zero.
fn instructions(program: &Program) -> Vec<[u64; 4]> {
    let instructions = program.instructions().iter();
    let mut rows: Vec<[u64; 4]> =
        instructions.map(|i| [i.ip, i.ci.code().into(), i.ni, 0]).collect();
    // Rows of zeros would be instructions at 0. An empty program consists of nothing that `ip` could reach.
    let height = rows.len().next_power_of_two().max(1 << LOG_LEAST);
    let last = rows.last().copied();
    rows.resize(height, last.unwrap_or([1 << 32, 0, 0, 0]));
    rows
}

/// The digest of a program, which the universal machine has as a public input.
pub fn program_digest(program: &Program) -> Digest {
    let hasher = Hasher::new();
    let mut digest = [0; 4];
    for instruction in instructions(program) {
        hasher.append(&mut digest, instruction);
    }
    digest
}

/// What the universal machine is given besides, for a program.
pub fn program_input(program: &Program) -> MachineInput {
    let rows = instructions(program).into_iter();
    Input::new(FIELD)
        .rows::<PublicProgram>(rows.map(|instruction| PublicProgramRecord { instruction }))
        .publics::<PublicProgram>(&PublicProgramPublics { program_digest: program_digest(program) })
        .into_ir()
}

/// What the machine is given for a segment.
pub fn input(segment: &Segment, shape: &Shape, claim: [u64; 4]) -> MachineInput {
    let Segment { start, end, cycles, before, after, seen, .. } = segment;
    let tape = |cells: &[u64], row: usize| -> [u64; CELLS_A_ROW] {
        std::array::from_fn(|i| cells.get(CELLS_A_ROW * row + i).copied().unwrap_or(0))
    };
    // Cells that nobody accessed are as they were before the first cycle.
    let untouched = |row: usize| -> [u64; CELLS_A_ROW] {
        std::array::from_fn(|i| {
            let seen = seen.get(CELLS_A_ROW * row + i).copied().unwrap_or(0);
            seen.max(start.clk)
        })
    };
    let memory = (0..shape.cells() / CELLS_A_ROW).map(|row| MemoryRecord {
        before: tape(before, row),
        after: tape(after, row),
        seen: untouched(row),
    });
    let inverses = Inverses::new();
    let processor = cycles.iter().map(|cycle| record(cycle, &inverses));
    let read = bytes(&segment.read, 1 << shape.log_input);
    let read = read.map(|(active, clk, block)| InputTableRecord { active, clk, block });
    let written = bytes(&segment.written, 1 << shape.log_output);
    let written = written.map(|(active, clk, block)| OutputTableRecord { active, clk, block });
    let publics = publics(start, end, claim);
    Input::new(FIELD)
        .rows::<Processor>(processor)
        .rows::<Memory>(memory)
        .rows::<InputTable>(read)
        .rows::<OutputTable>(written)
        .publics::<Processor>(&publics.0)
        .publics::<Memory>(&publics.1)
        .publics::<InputTable>(&publics.2)
        .publics::<OutputTable>(&publics.3)
        .into_ir()
}

/// The public values of a segment, by chip.
pub fn named_publics(start: &State, end: &State, claim: [u64; 4]) -> Vec<(String, Vec<u64>)> {
    let publics = publics(start, end, claim);
    Input::new(FIELD)
        .publics::<Processor>(&publics.0)
        .publics::<Memory>(&publics.1)
        .publics::<InputTable>(&publics.2)
        .publics::<OutputTable>(&publics.3)
        .into_ir()
        .publics
}

type Publics = (ProcessorPublics, MemoryPublics, InputTablePublics, OutputTablePublics);

fn publics(start: &State, end: &State, claim: [u64; 4]) -> Publics {
    let processor = ProcessorPublics {
        claim,
        start_clk: start.clk,
        start_ip: start.ip,
        start_mp: start.mp,
        end_clk: end.clk,
        end_ip: end.ip,
        end_mp: end.mp,
    };
    let memory =
        MemoryPublics { start_clk: start.clk, start_digest: start.memory, end_digest: end.memory };
    let input = InputTablePublics { start_digest: start.input, end_digest: end.input };
    let output = OutputTablePublics { start_digest: start.output, end_digest: end.output };
    (processor, memory, input, output)
}

/// The rows of a table of bytes.
fn bytes(bytes: &[(u64, u8)], rows: usize) -> impl Iterator<Item = (bool, u64, [u64; 4])> + '_ {
    (0..rows).map(|row| match bytes.get(row) {
        Some(&(clk, byte)) => (true, clk, [byte.into(), 0, 0, 0]),
        None => (false, 0, [0; 4]),
    })
}

fn record(cycle: &Cycle, inverses: &Inverses) -> ProcessorRecord {
    let &Cycle { clk, instruction, mp, mv, new, seen } = cycle;
    ProcessorRecord {
        clk,
        ip: instruction.ip,
        ci: instruction.ci,
        ni: instruction.ni,
        mp,
        mv,
        inv: inverses.of(mv),
        room: inverses.of(room(mv)),
        new,
        seen,
    }
}

/// How far a value is from the largest byte.
fn room(mv: u64) -> u64 {
    let room = || (Goldilocks::from_u8(255) - Goldilocks::from_u64(mv)).as_canonical_u64();
    255_u64.checked_sub(mv).unwrap_or_else(room)
}

/// The inverses of all bytes.
struct Inverses([u64; 256]);

impl Inverses {
    fn new() -> Self {
        Self(std::array::from_fn(|value| inverse(value as u64)))
    }

    fn of(&self, value: u64) -> u64 {
        self.0.get(value as usize).copied().unwrap_or_else(|| inverse(value))
    }
}

fn inverse(value: u64) -> u64 {
    Goldilocks::from_u64(value).try_inverse().map_or(0, |inverse| inverse.as_canonical_u64())
}
