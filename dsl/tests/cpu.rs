//! A toy processor: a program table, registers and memory, and an adder that it calls.

// The chips of these tests explain themselves.
#![allow(missing_docs)]

mod machines;

use std::collections::BTreeMap;

use chipwright_dsl::prelude::*;
use machines::{accepts, outputs, rejects_forged};

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
pub enum Op {
    Add,
    Lw,
    Sw,
    Beq,
    Halt,
}

/// What the program table proves about a program counter.
#[message]
pub struct Fetch {
    pub pc: Felt,
    pub op: Felt,
    pub rd: Felt,
    pub rs1: Felt,
    pub rs2: Felt,
    pub imm: Felt,
}

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
        let &ProgramRow { pc, op, rd, rs1, rs2, imm, .. } = row;
        c.provide(row.program, Fetch { pc, op, rd, rs1, rs2, imm });
    }
}

#[chip]
pub struct Add32 {
    #[input]
    a: U32,
    #[input]
    b: U32,
    #[output]
    sum: U32,
    carry: [Bit; 2],
}

impl Chip for Add32 {
    fn row(c: &Builder, row: &Row<Self>) {
        let mut carry = Expr::ZERO;
        for i in 0..2 {
            let total = row.a[i] + row.b[i] + carry;
            c.split(total, (row.sum[i], row.carry[i])).named("limb");
            carry = row.carry[i].into();
        }
    }
}

/// One executed instruction (addresses do not wrap).
#[chip]
pub struct Cpu {
    #[record]
    clk: Felt,
    #[record]
    pc: Felt,
    /// Exactly one flag is set on a real row.
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
    /// Values of `rs1`, `rs2`, and the value written to `rd`.
    x: U32,
    y: U32,
    z: U32,
    /// 1 iff `x = y`.
    same: Bit,
    #[public]
    entry: Felt,
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
            Op::Add => {
                c.call(row.add, (x, y), z);
                c.write(row.regs, rd, clk + 3, z);
            }
            Op::Lw => {
                c.read(row.ram, address, clk + 2, z);
                c.write(row.regs, rd, clk + 3, z);
            }
            Op::Sw => {
                c.write(row.ram, address, clk + 2, y);
            }
            Op::Beq | Op::Halt => {}
        });
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.pc, row.entry);
        c.assert_eq(row.clk, 4).because("0 is the time of initial memory");
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        let taken = c.case(row.op, |_, op| match op {
            Op::Beq => row.same.into(),
            Op::Add | Op::Lw | Op::Sw | Op::Halt => Expr::ZERO,
        });
        c.assert_eq(next.pc, row.pc + 4 + taken * (row.imm - 4)).named("next pc");
        c.assert_eq(next.clk, row.clk + 4).named("clock");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.op.is(Op::Halt), 1).named("ends in halt");
    }
}

type Instruction = (Op, u64, u64, u64, u64);

/// `r2 = ram[8]; do { r1 += r2; ram[8] = r1 } while (r1 != r3)`, one pass more in disguise: halts when equal.
const PROGRAM: [Instruction; 6] = [
    (Op::Lw, 2, 0, 0, 8),
    (Op::Add, 1, 1, 2, 0),
    (Op::Sw, 0, 0, 1, 8),
    (Op::Lw, 3, 0, 0, 12),
    (Op::Beq, 0, 1, 3, 4),
    (Op::Halt, 0, 0, 0, 0),
];

fn program() -> Vec<ProgramFixed> {
    let rows = PROGRAM.iter().zip(0..).map(|(&(op, rd, rs1, rs2, imm), index)| ProgramFixed {
        pc: 4 * index,
        op: op as u64,
        rd,
        rs1,
        rs2,
        imm,
    });
    rows.collect()
}

/// Straight-line execution: what a real executor would record.
fn records() -> Vec<CpuRecord> {
    let rows = PROGRAM.iter().zip(0..).map(|(&(op, rd, rs1, rs2, imm), index)| CpuRecord {
        clk: 4 * (index + 1),
        pc: 4 * index,
        op,
        rd,
        rs1,
        rs2,
        imm,
    });
    rows.collect()
}

fn machine() -> Machine {
    Machine::new("toy", Field::Goldilocks2)
        .add::<Cpu>()
        .add_with::<Program>(&program())
        .add::<Add32>()
        .memory::<U32>("regs")
        .memory_with_input::<U32>("ram")
}

fn input(records: Vec<CpuRecord>) -> Input {
    Input::new(Field::Goldilocks2)
        .rows::<Cpu>(records)
        .publics::<Cpu>(&CpuPublics { entry: 0 })
        .memory::<U32>("ram", BTreeMap::from([(8, 0x0001_ffff), (12, 77)]))
}

#[test]
fn an_execution_is_accepted_and_computes() {
    let z = outputs::<Cpu>(machine(), input(records()), "z");
    assert_eq!(z[0], [0xffff, 1], "loaded");
    assert_eq!(z[1], [0xffff, 1], "added to zero");
    assert_eq!(z[3], [77, 0], "loaded");
    let same = outputs::<Cpu>(machine(), input(records()), "same");
    assert_eq!(same.concat(), [1, 0, 0, 1, 0, 1]);
}

#[test]
fn a_forged_execution_is_rejected() {
    for (row, column, cell, value) in
        [(1, "z", 0, 5), (0, "z", 1, 0), (4, "same", 0, 1), (2, "pc", 0, 16), (3, "op", 0, 1)]
    {
        rejects_forged::<Cpu>(machine(), input(records()), row, column, cell, value);
    }
}

#[test]
fn executions_that_stop_early_or_start_elsewhere_are_rejected() {
    let mut early = records();
    early.pop();
    assert!(!accepts(&machine(), input(early)));
    let mut late = records();
    late.remove(0);
    assert!(!accepts(&machine(), input(late)));
}

#[test]
fn arms_share_columns_and_exclude_each_other() {
    let chip = record::<Cpu>(Field::Goldilocks2).unwrap();
    let groups: Vec<u32> = chip.interactions.iter().filter_map(|i| i.exclusive).collect();
    assert!(!groups.is_empty());
    for group in groups.iter().copied() {
        let ports: Vec<_> = chip
            .interactions
            .iter()
            .filter(|i| i.exclusive == Some(group))
            .map(|i| i.port)
            .collect();
        assert!(ports.len() > 1 && ports.windows(2).all(|pair| pair[0] == pair[1]), "{ports:?}");
    }
    assert!(chip.degree() <= 4, "{}", chip.degree());
}
