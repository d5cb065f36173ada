//! Expressions compiled for evaluation: a tape of instructions in dependency order, with reused slots.
//!
//! Constraint evaluation is the one place where a recorded chip could be slower than a hand-written AIR:
//! it is interpreted. The tape keeps the price small. Every shared expression is computed once; an
//! instruction's operand is a tagged index, so cells and constants are read where they are; and a slot
//! is free again after its last reader, so that the working set stays in the first-level cache
//! (a Poseidon2 permutation of width 8 needs about twenty slots).

use std::collections::HashMap;

use chipwright_ir::chip::{Chip, ColumnKind, Node, NodeId, Section};
use p3_air::{AirBuilder, WindowAccess};
use p3_field::{Field, PrimeCharacteristicRing};

/// Where an operand is read from: three bits of tag, 29 bits of index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand(u32);

const TAG_SHIFT: u32 = 29;
const INDEX_MASK: u32 = (1 << TAG_SHIFT) - 1;
const SLOT: u32 = 0;
const MAIN: u32 = 1;
const MAIN_NEXT: u32 = 2;
const FIXED: u32 = 3;
const FIXED_NEXT: u32 = 4;
const PERIODIC: u32 = 5;
const PUBLIC: u32 = 6;
const CONSTANT: u32 = 7;

impl Operand {
    fn new(tag: u32, index: usize) -> Self {
        let index = u32::try_from(index).ok().filter(|&index| index <= INDEX_MASK);
        Self(tag << TAG_SHIFT | index.expect("fewer than 2^29 columns, constants and slots"))
    }

    const fn tag(self) -> u32 {
        self.0 >> TAG_SHIFT
    }

    const fn index(self) -> usize {
        (self.0 & INDEX_MASK) as usize
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Add,
    Sub,
    Mul,
    Neg,
    Double,
    Square,
    Assert(Section),
}

#[derive(Clone, Copy, Debug)]
struct Instruction {
    op: Op,
    target: u32,
    a: Operand,
    b: Operand,
}

/// A straight-line program over the cells of two rows.
#[derive(Clone, Debug)]
pub struct Tape<F> {
    instructions: Vec<Instruction>,
    constants: Vec<F>,
    slots: usize,
    outputs: Vec<Operand>,
}

impl<F: Field> Tape<F> {
    /// The tape that asserts every rule of a chip, in order.
    pub fn rules(chip: &Chip, constant: impl Fn(u64) -> F) -> Self {
        let mut compiler = Compiler::new(chip, constant);
        for rule in &chip.rules {
            compiler.count(rule.guard.into_iter().chain([rule.left, rule.right]));
        }
        for rule in &chip.rules {
            let left = compiler.operand(rule.left);
            let right = compiler.operand(rule.right);
            // Temporaries of this rule; nodes of the graph are freed by their last reader instead.
            let mut temporaries = Vec::new();
            let mut body = left;
            if !compiler.is_zero(rule.right) {
                body = compiler.emit(Op::Sub, body, right);
                temporaries.push(body);
            }
            if let Some(guard) = rule.guard {
                let guard = compiler.operand(guard);
                body = compiler.emit(Op::Mul, guard, body);
                temporaries.push(body);
            }
            compiler.push(Op::Assert(rule.section), 0, body, body);
            for temporary in temporaries {
                compiler.free(temporary);
            }
            compiler.release(rule.guard.into_iter().chain([rule.left, rule.right]));
        }
        compiler.finish(Vec::new())
    }

    /// The tape that computes some nodes, all of them available at the end.
    pub fn values(chip: &Chip, nodes: &[NodeId], constant: impl Fn(u64) -> F) -> Self {
        let mut compiler = Compiler::new(chip, constant);
        compiler.count(nodes.iter().copied());
        let outputs = nodes.iter().map(|&node| compiler.operand(node)).collect();
        compiler.finish(outputs)
    }

    /// The number of instructions.
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.instructions.is_empty()
    }

    /// The number of intermediate values alive at once.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Runs the tape on the rows of a builder and returns the outputs.
    pub fn run<AB: AirBuilder<F = F>>(&self, builder: &mut AB) -> Vec<AB::Expr> {
        let main = builder.main();
        let fixed = builder.preprocessed().clone();
        let periodic = builder.periodic_values().to_vec();
        let public = builder.public_values().to_vec();
        let (row, next) = (main.current_slice(), main.next_slice());
        let (fixed_row, fixed_next) = (fixed.current_slice(), fixed.next_slice());
        let mut slots = vec![AB::Expr::ZERO; self.slots];
        let fetch = |slots: &[AB::Expr], operand: Operand| -> AB::Expr {
            let index = operand.index();
            match operand.tag() {
                SLOT => slots[index].clone(),
                MAIN => row[index].into(),
                MAIN_NEXT => next[index].into(),
                FIXED => fixed_row[index].into(),
                FIXED_NEXT => fixed_next[index].into(),
                PERIODIC => periodic[index].into(),
                PUBLIC => public[index].into(),
                _ => self.constants[index].into(),
            }
        };
        for instruction in &self.instructions {
            let a = fetch(&slots, instruction.a);
            let value = match instruction.op {
                Op::Add => a + fetch(&slots, instruction.b),
                Op::Sub => a - fetch(&slots, instruction.b),
                Op::Mul => a * fetch(&slots, instruction.b),
                Op::Neg => -a,
                Op::Double => a.double(),
                Op::Square => a.square(),
                Op::Assert(section) => {
                    match section {
                        Section::Row => builder.assert_zero(a),
                        Section::First => builder.when_first_row().assert_zero(a),
                        Section::Step => builder.when_transition().assert_zero(a),
                        Section::Last => builder.when_last_row().assert_zero(a),
                    }
                    continue;
                }
            };
            slots[instruction.target as usize] = value;
        }
        self.outputs.iter().map(|&output| fetch(&slots, output)).collect()
    }
}

/// Schedules nodes depth first, so that a value is computed just before its first reader.
struct Compiler<'a, F, C> {
    chip: &'a Chip,
    positions: Vec<usize>,
    constant: C,
    constants: Vec<F>,
    constant_ids: HashMap<u64, usize>,
    /// How many readers of each node are still to come.
    readers: Vec<u32>,
    /// Where each computed node is.
    places: Vec<Option<Operand>>,
    free: Vec<u32>,
    slots: usize,
    instructions: Vec<Instruction>,
}

impl<'a, F: Field, C: Fn(u64) -> F> Compiler<'a, F, C> {
    fn new(chip: &'a Chip, constant: C) -> Self {
        Self {
            chip,
            positions: chip.positions(),
            constant,
            constants: Vec::new(),
            constant_ids: HashMap::new(),
            readers: vec![0; chip.graph.len()],
            places: vec![None; chip.graph.len()],
            free: Vec::new(),
            slots: 0,
            instructions: Vec::new(),
        }
    }

    /// Counts the readers below some roots; a root itself has one reader more.
    fn count(&mut self, roots: impl Iterator<Item = NodeId>) {
        let mut stack: Vec<NodeId> = roots.collect();
        while let Some(node) = stack.pop() {
            let readers = &mut self.readers[node.index()];
            *readers += 1;
            if *readers == 1 {
                stack.extend(self.chip.graph.node(node).operands());
            }
        }
    }

    fn is_zero(&self, node: NodeId) -> bool {
        self.chip.graph.node(node) == Node::Const(0)
    }

    fn leaf(&mut self, node: Node) -> Option<Operand> {
        Some(match node {
            Node::Const(value) => {
                let next = self.constants.len();
                let index = *self.constant_ids.entry(value).or_insert(next);
                if index == next {
                    self.constants.push((self.constant)(value));
                }
                Operand::new(CONSTANT, index)
            }
            Node::Cell(cell) => {
                let tag = match (self.chip.columns[cell.column.index()].kind, cell.next) {
                    (ColumnKind::Periodic, _) => PERIODIC,
                    (ColumnKind::Fixed, false) => FIXED,
                    (ColumnKind::Fixed, true) => FIXED_NEXT,
                    (_, false) => MAIN,
                    (_, true) => MAIN_NEXT,
                };
                Operand::new(tag, self.positions[cell.column.index()])
            }
            Node::Public(public) => Operand::new(PUBLIC, public.index()),
            _ => return None,
        })
    }

    /// Makes sure that a node is computed, and says where it is.
    fn operand(&mut self, root: NodeId) -> Operand {
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            if self.places[id.index()].is_some() {
                stack.pop();
                continue;
            }
            let node = self.chip.graph.node(id);
            if let Some(leaf) = self.leaf(node) {
                self.places[id.index()] = Some(leaf);
                stack.pop();
                continue;
            }
            let pending: Vec<NodeId> =
                node.operands().filter(|operand| self.places[operand.index()].is_none()).collect();
            if !pending.is_empty() {
                stack.extend(pending.into_iter().rev());
                continue;
            }
            stack.pop();
            let place = |operand: NodeId| self.places[operand.index()].expect("scheduled before");
            let (op, a, b) = match node {
                Node::Add(a, b) if a == b => (Op::Double, place(a), place(a)),
                Node::Mul(a, b) if a == b => (Op::Square, place(a), place(a)),
                Node::Mul(a, b) if self.chip.graph.node(b) == Node::Const(2) => {
                    (Op::Double, place(a), place(a))
                }
                Node::Mul(a, b) if self.chip.graph.node(a) == Node::Const(2) => {
                    (Op::Double, place(b), place(b))
                }
                Node::Add(a, b) => (Op::Add, place(a), place(b)),
                Node::Sub(a, b) => (Op::Sub, place(a), place(b)),
                Node::Mul(a, b) => (Op::Mul, place(a), place(b)),
                Node::Neg(a) => (Op::Neg, place(a), place(a)),
                other => unreachable!("the IR verifier lets no {other:?} into a rule or message"),
            };
            // The operands' slots may be overwritten by the result: they are read before it is stored.
            self.release(node.operands());
            let target = self.emit(op, a, b);
            self.places[id.index()] = Some(target);
        }
        self.places[root.index()].expect("computed above")
    }

    fn push(&mut self, op: Op, target: u32, a: Operand, b: Operand) {
        self.instructions.push(Instruction { op, target, a, b });
    }

    fn emit(&mut self, op: Op, a: Operand, b: Operand) -> Operand {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots as u32 - 1
        });
        self.push(op, slot, a, b);
        Operand::new(SLOT, slot as usize)
    }

    fn free(&mut self, operand: Operand) {
        if operand.tag() == SLOT {
            self.free.push(operand.index() as u32);
        }
    }

    /// Takes one reader off each node; a slot without readers is free.
    fn release(&mut self, nodes: impl Iterator<Item = NodeId>) {
        for node in nodes {
            let readers = &mut self.readers[node.index()];
            *readers -= 1;
            if *readers == 0
                && let Some(place) = self.places[node.index()]
            {
                self.free(place);
            }
        }
    }

    fn finish(self, outputs: Vec<Operand>) -> Tape<F> {
        Tape {
            instructions: self.instructions,
            constants: self.constants,
            slots: self.slots,
            outputs,
        }
    }
}
