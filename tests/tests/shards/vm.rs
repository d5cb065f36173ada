//! A stack machine of eight instructions, whole: what the author of a virtual machine writes.
//!
//! The stack has four places, all in the state. The program is data, its digest common to all shards of a run: the keys serve
//! every program. Long shards fold the processor's table, the short one at the end of a run does not.

use std::ops::{Add, Mul, Sub};

use chipwright_chips::Compress;
use chipwright_dsl::prelude::*;
use chipwright_dsl::{Input, Machine};
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::MachineInput;
use chipwright_recursion::shard::{Kind, Named, Parts, VirtualMachine};
use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_8};
use p3_symmetric::Permutation;

/// The rows of the lowest table, and the most instructions of a program.
const ROWS: usize = 32;
/// The most cycles of a shard, by kind.
const CYCLES: [usize; 2] = [4 * ROWS, ROWS];
const FIELD: Field = Field::Goldilocks2;

/// What an instruction does: [`Op::apply`] to the stack. `Jump` goes on at its argument, unless the top is zero.
#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
pub enum Op {
    Push,
    Pop,
    Dup,
    Swap,
    Add,
    Sub,
    Mul,
    Jump,
}

impl Op {
    /// The stack after the instruction: what the executor computes, and what the rules say.
    fn apply<T>(self, argument: T, [top, second, third, fourth]: [T; 4], zero: T) -> [T; 4]
    where
        T: Copy + Add<Output = T> + Sub<Output = T> + Mul<Output = T>,
    {
        match self {
            Self::Push => [argument, top, second, third],
            Self::Pop | Self::Jump => [second, third, fourth, zero],
            Self::Dup => [top, top, second, third],
            Self::Swap => [second, top, third, fourth],
            Self::Add => [second + top, third, fourth, zero],
            Self::Sub => [second - top, third, fourth, zero],
            Self::Mul => [second * top, third, fourth, zero],
        }
    }
}

/// What the program says about `pc`.
#[message]
pub struct Fetch {
    pub pc: Felt,
    pub op: Felt,
    pub argument: Felt,
}

/// One cycle a row.
#[chip]
pub struct Processor {
    #[record]
    pub pc: Felt,
    #[record]
    pub op: OneHot<Op>,
    #[record]
    pub argument: Felt,
    #[record]
    pub stack: [Felt; 4],
    /// The inverse of the top, or zero.
    #[record]
    pub inverse: Felt,
    /// One unless the top is zero.
    full: Felt,
    next_pc: Felt,
    next_stack: [Felt; 4],
    #[public(before = "pc")]
    pub pc_before: Felt,
    #[public(before = "stack")]
    pub stack_before: [Felt; 4],
    #[public(after = "pc")]
    pub pc_after: Felt,
    #[public(after = "stack")]
    pub stack_after: [Felt; 4],
    #[port]
    program: Lookup<Fetch>,
}

impl Chip for Processor {
    fn row(c: &Builder, row: &Row<Self>) {
        let &ProcessorRow { pc, op, argument, inverse, full, .. } = row;
        c.lookup(row.program, Fetch { pc, op: op.code(), argument });
        let stack = row.stack.map(Expr::from);
        let top = stack[0];
        c.define(full, top * inverse).named("zero has no inverse");
        c.assert_zero(top * (1 - full)).named("all else has one");
        let zero = Expr::ZERO;
        c.case(op, |c, op| {
            let next = op.apply(argument.into(), stack, zero);
            c.define_all(&row.next_stack, &next).named("stack");
            let jump = if op == Op::Jump { full * (argument - pc - 1) } else { zero };
            c.define(row.next_pc, pc + 1 + jump).named("goes on");
        });
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.expose(row.pc_before, row.pc);
        c.expose(row.stack_before, row.stack);
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.assert_eq(next.pc, row.next_pc).named("pc");
        for (next, cell) in next.stack.into_iter().zip(row.next_stack) {
            c.assert_eq(next, cell).named("stack");
        }
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.pc_after, row.next_pc);
        c.expose(row.stack_after, row.next_stack);
    }
}

/// The program: one instruction a row, hashed from the first to the last.
#[chip(dense)]
pub struct Program {
    #[record]
    pub instruction: [Felt; 4],
    digest: Digest,
    #[embed]
    hash: Compress,
    hashed: Digest,
    #[public(common = "program")]
    pub program_digest: Digest,
    #[port]
    program: Provide<Fetch>,
}

impl Chip for Program {
    fn row(c: &Builder, row: &Row<Self>) {
        let [pc, op, argument, _] = row.instruction;
        c.provide(row.program, Fetch { pc, op, argument });
        let hash = c.embed(row.hash, (row.digest, row.instruction));
        c.define(row.hashed, hash.parent);
    }

    fn first(c: &Builder, row: &Row<Self>) {
        c.define(row.digest, [0; 4]).named("nothing comes before");
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.define(next.digest, row.hashed).named("goes on");
    }

    fn last(c: &Builder, row: &Row<Self>) {
        c.expose(row.program_digest, row.hashed).named("program");
    }
}

/// The stack machine.
#[derive(Clone, Copy, Debug)]
pub struct StackMachine;

/// An instruction with its argument.
pub type Instruction = (Op, u64);

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub pc: u64,
    pub stack: [u64; 4],
}

impl Named for State {
    fn parts(&self) -> Parts {
        Parts::new().with("pc", [self.pc]).with("stack", self.stack)
    }
}

/// The digest of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded(pub [u64; 4]);

impl Named for Loaded {
    fn parts(&self) -> Parts {
        Parts::new().with("program", self.0)
    }
}

/// A piece of a run.
#[derive(Debug)]
pub struct Shard {
    before: State,
    after: State,
    cycles: Vec<ProcessorRecord>,
}

/// The program goes where there is no instruction.
#[derive(Debug, thiserror::Error)]
#[error("there is no instruction at {0}")]
pub struct OutOfProgram(u64);

/// The rows of a program. Those behind its end repeat the last one.
fn rows(program: &[Instruction]) -> Vec<[u64; 4]> {
    let row = |(pc, &(op, argument))| [pc, op as u64, argument, 0];
    let mut rows: Vec<[u64; 4]> = (0..).zip(program).map(row).collect();
    let last = rows.last().copied().unwrap_or([ROWS as u64, 0, 0, 0]);
    rows.resize(ROWS, last);
    rows
}

/// One cycle, and the state after it.
fn cycle(program: &[Instruction], state: &State) -> Result<(ProcessorRecord, State), OutOfProgram> {
    let &State { pc, stack } = state;
    let &(op, argument) = program.get(pc as usize).ok_or(OutOfProgram(pc))?;
    let elements = stack.map(Goldilocks::from_u64);
    let inverse = elements[0].try_inverse().map_or(0, |inverse| inverse.as_canonical_u64());
    let next = if op == Op::Jump && stack[0] != 0 { argument } else { pc + 1 };
    let after = op.apply(Goldilocks::from_u64(argument), elements, Goldilocks::ZERO);
    let after = after.map(|value| value.as_canonical_u64());
    let record = ProcessorRecord { pc, op, argument, stack, inverse };
    Ok((record, State { pc: next, stack: after }))
}

impl VirtualMachine for StackMachine {
    type Field = Goldilocks2;
    type Program = [Instruction];
    type Input = State;
    type Shard = Shard;
    type Common = Loaded;
    type State = State;
    type Error = OutOfProgram;

    fn menu(&self) -> Vec<Kind> {
        let machine = || {
            let chips = Machine::new("stack", FIELD).add::<Processor>().add::<Program>();
            chips.build().expect("the chips are well formed")
        };
        let layout = |text: &str| text.parse().expect("a layout");
        let long = "layout of 2^5 rows\n  processor: 4 copies\n  program: 1 copy";
        let short = "layout of 2^5 rows\n  processor: 1 copy\n  program: apart, 2^5 rows";
        [("long", long), ("short", short)]
            .map(|(name, text)| Kind::new(name, machine(), layout(text)))
            .to_vec()
    }

    fn common(&self, program: &[Instruction], _: &State) -> Loaded {
        let hash = default_goldilocks_poseidon2_8();
        let digest = rows(program).into_iter().fold([Goldilocks::ZERO; 4], |digest, row| {
            let row = row.map(Goldilocks::from_u64);
            let state: [Goldilocks; 8] =
                std::array::from_fn(|i| if i < 4 { digest[i] } else { row[i - 4] });
            let permuted = hash.permute(state);
            std::array::from_fn(|i| permuted[i] + state[i])
        });
        Loaded(digest.map(|element| element.as_canonical_u64()))
    }

    fn shards<'a>(
        &'a self,
        program: &'a [Instruction],
        input: &'a State,
    ) -> impl Iterator<Item = Result<Shard, OutOfProgram>> + std::marker::Send + 'a {
        let mut state = input.clone();
        let mut shard = move || {
            let before = state.clone();
            let mut cycles = Vec::new();
            while cycles.len() < CYCLES[0] && state.pc != program.len() as u64 {
                let (record, after) = cycle(program, &state)?;
                cycles.push(record);
                state = after;
            }
            let shard = Shard { before, after: state.clone(), cycles };
            Ok((!shard.cycles.is_empty()).then_some(shard))
        };
        std::iter::from_fn(move || shard().transpose())
    }

    fn kind(&self, shard: &Shard) -> usize {
        usize::from(shard.cycles.len() <= CYCLES[1])
    }

    fn states(&self, shard: &Shard) -> (State, State) {
        (shard.before.clone(), shard.after.clone())
    }

    fn rows(
        &self,
        program: &[Instruction],
        _: &State,
        shard: &Shard,
    ) -> Result<MachineInput, OutOfProgram> {
        let program = rows(program).into_iter().map(|instruction| ProgramRecord { instruction });
        let cycles = shard.cycles.iter().cloned();
        Ok(Input::new(FIELD).rows::<Processor>(cycles).rows::<Program>(program).into_ir())
    }
}
