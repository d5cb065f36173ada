//! A toy processor: a program in preprocessed columns, registers and memory as offline-checked memories,
//! and addition by another chip.
//!
//! One row executes one instruction. An executor says which one ([`CpuRecord`]), and is not believed: the
//! program bus decides what is executed, and the rules decide what follows. What is read and computed fills
//! itself, from the memories and from [`Add32`].
//!
//! ```
//! use chipwright_examples::toy_cpu::{Cpu, Instruction, Op, input, machine, run};
//!
//! let program = [Instruction::new(Op::Load, 1, 0, 0, 7), Instruction::new(Op::Halt, 0, 1, 0, 0)];
//! assert_eq!(run(&program, 10)?.result, 7);
//! assert_eq!(machine(&program)?.name, "toy_cpu");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use chipwright_chips::Add32;
use chipwright_dsl::prelude::*;
use chipwright_dsl::{Input, Machine, MachineErrors};
use chipwright_ir::machine::{Machine as IrMachine, MachineInput};

/// The field of the example.
pub const FIELD: Field = Field::Goldilocks2;

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, OneHot)]
pub enum Op {
    /// `rd = imm`.
    Load,
    /// `rd = rs1 + rs2`.
    Add,
    /// `rd = ram[rs1 + imm]`.
    Read,
    /// `ram[rs1 + imm] = rs2`.
    Write,
    /// Goes on at `pc + imm` if `rs1 = rs2`.
    Branch,
    /// Ends the run; the result is `rs1`.
    Halt,
}

/// What the program says about a program counter.
#[message]
pub struct Fetch {
    /// The program counter.
    pub pc: Felt,
    /// The position of the operation in [`Op`].
    pub op: Felt,
    /// The register written.
    pub rd: Felt,
    /// The first register read.
    pub rs1: Felt,
    /// The second register read.
    pub rs2: Felt,
    /// The constant.
    pub imm: Felt,
}

/// The program: one instruction a row.
///
/// # Soundness
///
/// Rows beyond the contents would be instructions too (all zeros), so [`machine`] fills a power of two of
/// them, the rest with `Halt`.
#[chip]
pub struct Program {
    #[fixed]
    pc: Felt,
    #[fixed]
    op: Felt,
    #[fixed]
    rd: Felt,
    #[fixed]
    rs1: Felt,
    #[fixed]
    rs2: Felt,
    #[fixed]
    imm: Felt,
    #[port]
    program: Provide<Fetch>,
}

impl Chip for Program {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ProgramRow { program, pc, op, rd, rs1, rs2, imm } = row;
        c.provide(program, Fetch { pc, op, rd, rs1, rs2, imm });
    }
}

/// One executed instruction. Addresses are not reduced: a program has to keep them small.
#[chip]
pub struct Cpu {
    /// Four ticks an instruction, from 4 on: time 0 is that of initial memory.
    #[record]
    clk: Felt,
    #[record]
    pc: Felt,
    #[record]
    op: OneHot<Op>,
    #[record]
    rd: Felt,
    #[record]
    rs1: Felt,
    #[record]
    rs2: Felt,
    #[record]
    imm: Felt,
    /// The value of `rs1`.
    x: U32,
    /// The value of `rs2`.
    y: U32,
    /// The value written to `rd`, or zero.
    z: U32,
    /// Whether `x = y`.
    same: Bit,
    /// What the program computes.
    #[public]
    result: Felt,
    #[port]
    program: Lookup<Fetch>,
    #[port]
    regs: Memory<U32>,
    #[port]
    ram: Memory<U32>,
    #[port]
    add: Lookup<Add32>,
}

impl Chip for Cpu {
    fn row(c: &Builder, row: &Row<Self>) {
        let &CpuRow { clk, pc, op, rd, rs1, rs2, imm, x, y, z, .. } = row;
        c.lookup(row.program, Fetch { pc, op: op.code(), rd, rs1, rs2, imm });
        c.read(row.regs, rs1, clk, x);
        c.read(row.regs, rs2, clk + 1, y);
        c.define(row.same, c.equal(x, y));

        let address = x.felt() + imm;
        c.case(op, |c, op| match op {
            Op::Load => {
                c.fill(z[0], imm.int() & 0xffff);
                c.fill(z[1], imm.int() >> 16);
                c.assert_eq(z.felt(), imm).named("the constant is loaded");
            }
            Op::Add => {
                c.call(row.add, (x, y), z);
            }
            Op::Read => {
                c.read(row.ram, address, clk + 2, z);
            }
            Op::Write => {
                c.write(row.ram, address, clk + 2, y);
                c.zero::<U32>(z);
            }
            Op::Branch | Op::Halt => {
                c.zero::<U32>(z);
            }
        });
        c.when(op.any([Op::Load, Op::Add, Op::Read]), |c| {
            c.write(row.regs, rd, clk + 3, z);
        });
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.assert_zero(row.pc).named("entry");
        c.assert_eq(row.clk, 4);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        let taken = row.op.is(Op::Branch) * row.same;
        c.assert_eq(next.pc, row.pc + 1 + taken * (row.imm - 1)).named("next pc");
        c.assert_eq(next.clk, row.clk + 4).named("clock");
        c.assert_zero(row.op.is(Op::Halt)).named("nothing follows a halt");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.op.is(Op::Halt), 1).named("ends in halt");
        c.expose(row.result, row.x.felt());
    }
}

/// An instruction of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// The register written.
    pub rd: u64,
    /// The first register read.
    pub rs1: u64,
    /// The second register read.
    pub rs2: u64,
    /// The constant; distances of branches may be negative.
    pub imm: i64,
}

impl Instruction {
    /// An instruction; what the operation does not use is zero.
    pub const fn new(op: Op, rd: u64, rs1: u64, rs2: u64, imm: i64) -> Self {
        Self { op, rd, rs1, rs2, imm }
    }
}

/// An execution.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the executor says about each instruction executed.
    pub records: Vec<CpuRecord>,
    /// The result.
    pub result: u64,
}

/// Why a program has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There is no instruction where the program counter points.
    #[error("the program has no instruction {pc}")]
    NoInstruction {
        /// The program counter.
        pc: i64,
    },
    /// The program does not end.
    #[error("the program does not halt within {limit} instructions")]
    Endless {
        /// The number of instructions allowed.
        limit: usize,
    },
    /// A constant does not fit a register.
    #[error("instruction {pc} loads {imm}, which does not fit 32 bits")]
    Constant {
        /// The program counter.
        pc: i64,
        /// The constant.
        imm: i64,
    },
}

/// Executes a program of at most `limit` instructions.
///
/// # Errors
///
/// Fails if the program leaves its instructions, or does not halt.
pub fn run(program: &[Instruction], limit: usize) -> Result<Run, RunError> {
    let mut registers: BTreeMap<u64, u32> = BTreeMap::new();
    let mut ram: BTreeMap<u64, u32> = BTreeMap::new();
    let mut records = Vec::new();
    let mut pc = 0_i64;
    for step in 1..=limit as u64 {
        let &Instruction { op, rd, rs1, rs2, imm } = usize::try_from(pc)
            .ok()
            .and_then(|index| program.get(index))
            .ok_or(RunError::NoInstruction { pc })?;
        let register = |index| registers.get(&index).copied().unwrap_or(0);
        let (x, y) = (register(rs1), register(rs2));
        let address = FIELD.reduce(i128::from(x) + i128::from(imm));
        let z = match op {
            Op::Load => u32::try_from(imm).map_err(|_| RunError::Constant { pc, imm })?,
            Op::Add => x.wrapping_add(y),
            Op::Read => ram.get(&address).copied().unwrap_or(0),
            Op::Write | Op::Branch | Op::Halt => 0,
        };
        let imm_felt = FIELD.reduce(imm.into());
        let (clk, at) = (4 * step, FIELD.reduce(pc.into()));
        records.push(CpuRecord { clk, pc: at, op, rd, rs1, rs2, imm: imm_felt });
        match op {
            Op::Load | Op::Add | Op::Read => {
                registers.insert(rd, z);
            }
            Op::Write => {
                ram.insert(address, y);
            }
            Op::Branch if x == y => pc += imm - 1,
            Op::Branch => {}
            Op::Halt => return Ok(Run { records, result: x.into() }),
        }
        pc += 1;
    }
    Err(RunError::Endless { limit })
}

/// The machine that executes a program.
///
/// # Errors
///
/// Fails if a chip has mistakes.
pub fn machine(program: &[Instruction]) -> Result<IrMachine, MachineErrors> {
    let rows = program.len().next_power_of_two().max(32);
    let halt = Instruction::new(Op::Halt, 0, 0, 0, 0);
    let contents: Vec<ProgramFixed> = program
        .iter()
        .chain(std::iter::repeat(&halt))
        .take(rows)
        .zip(0..)
        .map(|(&Instruction { op, rd, rs1, rs2, imm }, pc)| ProgramFixed {
            pc,
            op: op as u64,
            rd,
            rs1,
            rs2,
            imm: FIELD.reduce(imm.into()),
        })
        .collect();
    Machine::new("toy_cpu", FIELD)
        .add::<Cpu>()
        .add_with::<Program>(&contents)
        .add::<Add32>()
        .memory::<U32>("regs")
        .memory::<U32>("ram")
        .build()
}

/// The input of the machine for an execution.
pub fn input(run: &Run) -> MachineInput {
    Input::new(FIELD)
        .rows::<Cpu>(run.records.iter().cloned())
        .publics::<Cpu>(&CpuPublics { result: run.result })
        .into_ir()
}

/// A program that adds 1 + 2 + … + n, and keeps the sum in memory.
pub fn sum_to(n: u32) -> Vec<Instruction> {
    use Op::{Add, Branch, Halt, Load, Read, Write};
    vec![
        Instruction::new(Load, 1, 0, 0, n.into()), // r1 = n
        Instruction::new(Load, 2, 0, 0, 0),        // r2 = i
        Instruction::new(Load, 3, 0, 0, 1),        // r3 = 1
        Instruction::new(Branch, 0, 1, 2, 6),      // until i = n:
        Instruction::new(Add, 2, 2, 3, 0),         //   i += 1
        Instruction::new(Read, 4, 0, 0, 100),      //   r4 = ram[100]
        Instruction::new(Add, 4, 4, 2, 0),         //   r4 += i
        Instruction::new(Write, 0, 0, 4, 100),     //   ram[100] = r4
        Instruction::new(Branch, 0, 0, 0, -5),     //   again
        Instruction::new(Read, 5, 0, 0, 100),
        Instruction::new(Halt, 0, 5, 0, 0),
    ]
}
