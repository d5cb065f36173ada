//! Expressions compiled for evaluation: a tape of instructions in dependency order, with reused slots.
//!
//! Constraint evaluation is the one place where a recorded chip could be slower than a hand-written AIR: it is
//! interpreted. What an interpreter loses, it loses to mispredicted branches, so the tape is scheduled in *runs*
//! of one operation: the eight lanes of a permutation are squared one after the other, and one branch serves them
//! all. Cells are loaded first, in the order in which they are stored. Rules are scheduled a window at a time,
//! and a slot is free again after its last reader, so the working set stays small.

mod compile;

use chipwright_ir::chip::{Chip, NodeId, Section};
use p3_air::{AirBuilder, WindowAccess};
use p3_field::{Algebra, Field, PrimeCharacteristicRing};

use self::compile::{Compiler, Style};

/// Where the value of a leaf comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    Main(usize),
    MainNext(usize),
    Fixed(usize),
    FixedNext(usize),
    Periodic(usize),
    Public(usize),
}

/// An operation on slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Op {
    Add,
    Sub,
    Mul,
    /// The sum of a list of slots.
    Sum,
    AddConst,
    MulConst,
    /// `a · constant + b`.
    MulConstAdd,
    /// The constant itself.
    Const,
    Neg,
    Double,
    Square,
    /// Asserts that the first operand is zero.
    Assert(Section),
    /// Asserts that both operands are equal.
    AssertEq(Section),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    target: u32,
    /// The first operand; of a sum, where its list begins.
    a: u32,
    /// The second operand; of a sum, the length of its list.
    b: u32,
    constant: u32,
}

/// Consecutive steps of one operation.
#[derive(Clone, Copy, Debug)]
struct Run {
    op: Op,
    start: u32,
    end: u32,
}

/// A straight-line program over the cells of two rows.
#[derive(Clone, Debug)]
pub struct Tape<F> {
    /// What the first slots hold.
    sources: Vec<Source>,
    constants: Vec<F>,
    /// The lists of slots that are summed.
    lists: Vec<u32>,
    steps: Vec<Step>,
    runs: Vec<Run>,
    slots: usize,
    outputs: Vec<u32>,
    /// Symbolic builders have no window over an absent preprocessed trace.
    reads_fixed: bool,
}

impl<F: Field> Tape<F> {
    /// The tape that asserts every rule of a chip, in order.
    ///
    /// Expressions that it makes have the shape of the chip's graph.
    pub fn rules(chip: &Chip, constant: impl Fn(u64) -> F) -> Self {
        Compiler::new(chip, constant, Style::Expressions).all_rules()
    }

    /// [`Self::rules`] in fewer instructions: a sum of many is one, and so is a multiple that is added.
    pub fn short_rules(chip: &Chip, constant: impl Fn(u64) -> F) -> Self {
        Compiler::new(chip, constant, Style::Short).all_rules()
    }

    /// The tape that computes some nodes, all of them available at the end.
    pub fn values(chip: &Chip, nodes: &[NodeId], constant: impl Fn(u64) -> F) -> Self {
        Compiler::new(chip, constant, Style::Expressions).all_values(nodes)
    }

    /// The number of instructions.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The number of runs: of branches that an evaluation takes.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The number of values alive at once.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The sections of the asserted rules, in order.
    pub(crate) fn sections(&self) -> impl Iterator<Item = Section> + '_ {
        self.runs.iter().flat_map(|run| {
            let section = match run.op {
                Op::Assert(section) | Op::AssertEq(section) => Some(section),
                _ => None,
            };
            section.into_iter().flat_map(|section| (run.start..run.end).map(move |_| section))
        })
    }

    /// Runs the tape on several blocks of rows at once: `load` stores a source of each, and every value that is
    /// asserted of a block goes to `assert`, in order. What is in `slots` does not matter.
    #[inline]
    pub(crate) fn run_blocks<V: Algebra<F> + Copy, const B: usize>(
        &self,
        slots: &mut Vec<[V; B]>,
        load: impl Fn(Source, &mut [V; B]),
        mut assert: impl FnMut(Section, usize, V),
    ) {
        let Self { sources, constants, lists, .. } = self;
        slots.resize(self.slots, [V::ZERO; B]);
        sources.iter().zip(&mut *slots).for_each(|(&source, slot)| load(source, slot));
        for run in &self.runs {
            let steps = &self.steps[run.start as usize..run.end as usize];
            match run.op {
                Op::Add => blocks(steps, slots, |a, b, _| a + b),
                Op::Sub => blocks(steps, slots, |a, b, _| a - b),
                Op::Mul => blocks(steps, slots, |a, b, _| a * b),
                Op::MulConstAdd => blocks(steps, slots, |a, b, c| a * constants[c] + b),
                Op::Neg => blocks_of_one(steps, slots, |a, _| -a),
                Op::Double => blocks_of_one(steps, slots, |a, _| a.double()),
                Op::Square => blocks_of_one(steps, slots, |a, _| a.square()),
                Op::AddConst => blocks_of_one(steps, slots, |a, c| a + constants[c]),
                Op::MulConst => blocks_of_one(steps, slots, |a, c| a * constants[c]),
                Op::Sum => {
                    for step in steps {
                        let mut sum = [V::ZERO; B];
                        for &term in step.list(lists) {
                            for (sum, &term) in sum.iter_mut().zip(&slots[term as usize]) {
                                *sum += term;
                            }
                        }
                        slots[step.target as usize] = sum;
                    }
                }
                Op::Const => {
                    for step in steps {
                        slots[step.target as usize] = [constants[step.constant as usize].into(); B];
                    }
                }
                Op::Assert(section) => {
                    for step in steps {
                        for block in 0..B {
                            assert(section, block, slots[step.a as usize][block]);
                        }
                    }
                }
                Op::AssertEq(section) => {
                    for step in steps {
                        let (a, b) = (step.a as usize, step.b as usize);
                        for block in 0..B {
                            assert(section, block, slots[a][block] - slots[b][block]);
                        }
                    }
                }
            }
        }
    }

    /// Runs the tape on the rows of a builder and returns the outputs.
    pub fn run<AB: AirBuilder<F = F>>(&self, builder: &mut AB) -> Vec<AB::Expr> {
        let mut slots = self.load(builder);
        slots.resize(self.slots, AB::Expr::ZERO);
        let Self { constants, lists, .. } = self;
        for run in &self.runs {
            let steps = &self.steps[run.start as usize..run.end as usize];
            match run.op {
                Op::Add => each(steps, &mut slots, |s, a, b, _| s[a].clone() + s[b].clone()),
                Op::Sub => each(steps, &mut slots, |s, a, b, _| s[a].clone() - s[b].clone()),
                Op::Mul => each(steps, &mut slots, |s, a, b, _| s[a].clone() * s[b].clone()),
                Op::MulConstAdd => {
                    each(steps, &mut slots, |s, a, b, c| {
                        s[a].clone() * constants[c] + s[b].clone()
                    });
                }
                Op::Neg => each(steps, &mut slots, |s, a, _, _| -s[a].clone()),
                Op::Double => each(steps, &mut slots, |s, a, _, _| s[a].double()),
                Op::Square => each(steps, &mut slots, |s, a, _, _| s[a].square()),
                Op::AddConst => each(steps, &mut slots, |s, a, _, c| s[a].clone() + constants[c]),
                Op::MulConst => each(steps, &mut slots, |s, a, _, c| s[a].clone() * constants[c]),
                Op::Const => each(steps, &mut slots, |_, _, _, c| constants[c].into()),
                Op::Sum => {
                    for step in steps {
                        let terms = step.list(lists).iter();
                        let sum = terms.map(|&term| slots[term as usize].clone()).sum();
                        slots[step.target as usize] = sum;
                    }
                }
                Op::Assert(section) => {
                    for step in steps {
                        assert(builder, section, slots[step.a as usize].clone());
                    }
                }
                Op::AssertEq(section) => {
                    for step in steps {
                        let (a, b) =
                            (slots[step.a as usize].clone(), slots[step.b as usize].clone());
                        assert(builder, section, a - b);
                    }
                }
            }
        }
        self.outputs.iter().map(|&slot| slots[slot as usize].clone()).collect()
    }

    fn load<AB: AirBuilder<F = F>>(&self, builder: &AB) -> Vec<AB::Expr> {
        let (main, fixed) = (builder.main(), builder.preprocessed());
        let (row, next) = (main.current_slice(), main.next_slice());
        let (fixed_row, fixed_next): (&[AB::Var], &[AB::Var]) =
            if self.reads_fixed { (fixed.current_slice(), fixed.next_slice()) } else { (&[], &[]) };
        let value = |source: &Source| match *source {
            Source::Main(index) => row[index].into(),
            Source::MainNext(index) => next[index].into(),
            Source::Fixed(index) => fixed_row[index].into(),
            Source::FixedNext(index) => fixed_next[index].into(),
            Source::Periodic(index) => builder.periodic_values()[index].into(),
            Source::Public(index) => builder.public_values()[index].into(),
        };
        self.sources.iter().map(value).collect()
    }
}

impl Step {
    /// The slots that are summed.
    #[inline]
    fn list<'a>(&self, lists: &'a [u32]) -> &'a [u32] {
        &lists[self.a as usize..][..self.b as usize]
    }
}

/// Runs the steps of one operation.
#[inline]
fn each<E>(steps: &[Step], slots: &mut [E], f: impl Fn(&[E], usize, usize, usize) -> E) {
    for step in steps {
        let (a, b) = (step.a as usize, step.b as usize);
        slots[step.target as usize] = f(slots, a, b, step.constant as usize);
    }
}

/// Runs the steps of one operation with two operands on several blocks.
#[inline]
fn blocks<V: Copy, const B: usize>(
    steps: &[Step],
    slots: &mut [[V; B]],
    f: impl Fn(V, V, usize) -> V,
) {
    for step in steps {
        let (a, b, target) = (step.a as usize, step.b as usize, step.target as usize);
        for block in 0..B {
            slots[target][block] = f(slots[a][block], slots[b][block], step.constant as usize);
        }
    }
}

/// Runs the steps of one operation with one operand on several blocks.
#[inline]
fn blocks_of_one<V: Copy, const B: usize>(
    steps: &[Step],
    slots: &mut [[V; B]],
    f: impl Fn(V, usize) -> V,
) {
    for step in steps {
        let (a, target) = (step.a as usize, step.target as usize);
        for block in 0..B {
            slots[target][block] = f(slots[a][block], step.constant as usize);
        }
    }
}

#[inline]
fn assert<AB: AirBuilder>(builder: &mut AB, section: Section, value: AB::Expr) {
    match section {
        Section::Row => builder.assert_zero(value),
        Section::First => builder.when_first_row().assert_zero(value),
        Section::Step => builder.when_transition().assert_zero(value),
        Section::Last => builder.when_last_row().assert_zero(value),
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use chipwright_chips::catalog;
    use chipwright_ir::Field;
    use p3_goldilocks::Goldilocks;

    use super::*;

    /// What a tape asserts of two blocks with arbitrary cells.
    fn asserted(tape: &Tape<Goldilocks>) -> Vec<(Section, usize, Goldilocks)> {
        let cell = |source: Source, cells: &mut [Goldilocks; 2]| {
            for (block, cell) in cells.iter_mut().enumerate() {
                let mut hasher = DefaultHasher::new();
                (source, block).hash(&mut hasher);
                *cell = Goldilocks::from_u64(hasher.finish());
            }
        };
        let mut asserted = Vec::new();
        let assert = |section, block, value| asserted.push((section, block, value));
        tape.run_blocks::<Goldilocks, 2>(&mut Vec::new(), cell, assert);
        asserted
    }

    #[test]
    fn short_tapes_assert_the_same_values_in_fewer_instructions() {
        let (mut all, mut short) = (0, 0);
        for entry in catalog(Field::Goldilocks2) {
            for chip in entry.machine().chips {
                let tapes = [Tape::rules, Tape::short_rules]
                    .map(|compile| compile(&chip, Goldilocks::from_u64));
                assert_eq!(asserted(&tapes[0]), asserted(&tapes[1]), "{}", chip.name);
                all += tapes[0].len();
                short += tapes[1].len();
            }
        }
        assert!(short * 10 < all * 9, "{short} of {all}");
    }
}
