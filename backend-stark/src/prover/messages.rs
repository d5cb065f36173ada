//! The lookup columns of a table as straight-line code.
//!
//! Plonky3 describes what a lookup column sums up by expression trees, and walks them for every row. Here
//! they are compiled once for a key: equal subexpressions are computed once, and what remains is a list
//! of steps on packed values.

use std::collections::HashMap;
use std::sync::Arc;

use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr, SymbolicExpression};
use p3_field::{Algebra, ExtensionField, Field, PackedFieldExtension, PrimeCharacteristicRing};
use p3_lookup::Lookup;

use crate::tape::Source;

/// The lookup columns of a table.
#[derive(Clone, Debug)]
pub(crate) struct Messages<F> {
    /// What is loaded into the first slots.
    sources: Vec<Source>,
    /// What follows them.
    constants: Vec<F>,
    /// One slot each, after the constants.
    steps: Vec<Step>,
    columns: Vec<Column>,
}

/// A lookup column: a sum of fractions, or one that is selected by flags.
#[derive(Clone, Debug)]
struct Column {
    terms: Vec<Term>,
    exclusive: bool,
}

/// The challenges of a table's lookup columns.
#[derive(Clone, Debug)]
pub(crate) struct Challenges<F, E> {
    /// What tells the bus of each column apart.
    prefixes: Vec<E>,
    /// By column, by term: the scales of its elements, coordinate by coordinate.
    scales: Vec<Vec<Vec<F>>>,
}

/// The buffers of a thread.
#[derive(Debug)]
pub(crate) struct Scratch<V, X> {
    elements: Vec<V>,
    terms: Vec<(X, X)>,
}

impl<V, X> Default for Scratch<V, X> {
    fn default() -> Self {
        Self { elements: Vec::new(), terms: Vec::new() }
    }
}

#[derive(Clone, Debug)]
struct Term {
    /// The slots of the elements but for the last, those that are always zero left out.
    elements: Vec<u32>,
    /// The exponent of the combining challenge that scales each of them.
    exponents: Vec<u32>,
    /// The last element, which is not scaled.
    last: Option<u32>,
    count: Count,
    /// The slot of the flag, of a term of an exclusive column.
    flag: u32,
}

/// The numerator of a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    One,
    MinusOne,
    Slot(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Add(u32, u32),
    Sub(u32, u32),
    Mul(u32, u32),
    Neg(u32),
}

/// What a slot holds before slots are numbered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Value {
    Source(u32),
    Constant(u32),
    Step(u32),
}

/// An expression of messages that a table cannot have: a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message reads a selector or a row beyond the next")]
pub(crate) struct UnsupportedMessage;

impl<F: Field> Messages<F> {
    /// Compiles the lookups of a table, in the order of their columns.
    pub(crate) fn new(lookups: &[Lookup<F>]) -> Result<Self, UnsupportedMessage> {
        let mut compiler = Compiler::default();
        let mut columns = Vec::with_capacity(lookups.len());
        for lookup in lookups {
            let mut terms = Vec::with_capacity(lookup.elements.len());
            for (index, elements) in lookup.elements.iter().enumerate() {
                let elements: Vec<Value> = elements
                    .iter()
                    .map(|element| compiler.value(element))
                    .collect::<Result<_, _>>()?;
                let count = compiler.value(&lookup.multiplicities[index])?;
                let flag = match &lookup.flags {
                    Some(flags) => Some(compiler.value(&flags[index])?),
                    None => None,
                };
                terms.push((elements, count, flag));
            }
            columns.push((terms, lookup.flags.is_some()));
        }
        Ok(compiler.finish(&columns))
    }

    /// What the first slots are to hold.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Computes the slots after the sources, which are in place.
    #[inline]
    pub(crate) fn run<V: Algebra<F> + Copy>(&self, slots: &mut Vec<V>) {
        slots.extend(self.constants.iter().map(|&constant| V::from(constant)));
        for &step in &self.steps {
            slots.push(match step {
                Step::Add(a, b) => slots[a as usize] + slots[b as usize],
                Step::Sub(a, b) => slots[a as usize] - slots[b as usize],
                Step::Mul(a, b) => slots[a as usize] * slots[b as usize],
                Step::Neg(a) => -slots[a as usize],
            });
        }
    }

    /// Prepares the challenges: `prefixes` tell the columns' buses apart, and `powers` are those of the challenge that
    /// combines the elements of a message.
    pub(crate) fn challenges<E>(&self, prefixes: &[E], powers: &[E]) -> Challenges<F, E>
    where
        E: ExtensionField<F>,
    {
        let scales = |term: &Term| -> Vec<F> {
            let coordinate = |d: usize, exponent: u32| {
                powers[exponent as usize].as_basis_coefficients_slice()[d]
            };
            (0..E::DIMENSION)
                .flat_map(|d| term.exponents.iter().map(move |&exponent| coordinate(d, exponent)))
                .collect()
        };
        let columns = self.columns.iter();
        Challenges {
            prefixes: prefixes.to_vec(),
            scales: columns.map(|column| column.terms.iter().map(scales).collect()).collect(),
        }
    }

    /// The numerator and the denominator of a column's fraction.
    #[inline]
    pub(crate) fn fraction<E, V>(
        &self,
        column: usize,
        slots: &[F::Packing],
        challenges: &Challenges<F, E>,
        scratch: &mut Scratch<F::Packing, V>,
    ) -> (V, V)
    where
        E: ExtensionField<F, ExtensionPacking = V>,
        V: PackedFieldExtension<F, E> + Copy,
    {
        self.add_up(column, slots, challenges, scratch);
        match scratch.terms.as_slice() {
            [] => (V::ZERO, V::ONE),
            &[sum] => sum,
            &[(a, over_a), (b, over_b)] => (a * over_b + b * over_a, over_a * over_b),
            _ => unreachable!("at most two are left"),
        }
    }

    /// The constraint of a column: its fraction's denominator times its cell, less the numerator.
    #[inline]
    pub(crate) fn constraint<E, V>(
        &self,
        column: usize,
        slots: &[F::Packing],
        challenges: &Challenges<F, E>,
        scratch: &mut Scratch<F::Packing, V>,
        cell: V,
    ) -> V
    where
        E: ExtensionField<F, ExtensionPacking = V>,
        V: PackedFieldExtension<F, E> + Copy,
    {
        self.add_up(column, slots, challenges, scratch);
        match scratch.terms.as_slice() {
            [] => cell,
            &[(a, over_a)] => over_a * cell - a,
            // One product less than with the common denominator.
            &[(a, over_a), (b, over_b)] => (over_a * cell - a) * over_b - b * over_a,
            _ => unreachable!("at most two are left"),
        }
    }

    /// A column's fraction as the sum of at most two, in `scratch.terms`.
    #[inline]
    fn add_up<E, V>(
        &self,
        column: usize,
        slots: &[F::Packing],
        challenges: &Challenges<F, E>,
        scratch: &mut Scratch<F::Packing, V>,
    ) where
        E: ExtensionField<F, ExtensionPacking = V>,
        V: PackedFieldExtension<F, E> + Copy,
    {
        let Scratch { elements, terms } = scratch;
        let prefix = challenges.prefixes[column].as_basis_coefficients_slice();
        let scales = &challenges.scales[column];
        let column = &self.columns[column];
        let slot = |index: u32| slots[index as usize];
        let mut denominator = |index: usize| -> V {
            let (term, scales) = (&column.terms[index], &scales[index]);
            elements.clear();
            elements.extend(term.elements.iter().map(|&element| slot(element)));
            V::from_basis_coefficients_fn(|d| {
                let scales = &scales[d * elements.len()..][..elements.len()];
                let sum = F::Packing::batched_linear_combination(elements, scales);
                let prefix = F::Packing::from(prefix[d]);
                match term.last {
                    Some(last) if d == 0 => prefix - sum - slot(last),
                    _ => prefix - sum,
                }
            })
        };
        terms.clear();
        if column.exclusive {
            let mut numerator = F::Packing::ZERO;
            let mut flags = F::Packing::ZERO;
            let mut sum = V::ZERO;
            for (index, term) in column.terms.iter().enumerate() {
                let flag = slot(term.flag);
                flags += flag;
                numerator += match term.count {
                    Count::One => flag,
                    Count::MinusOne => -flag,
                    Count::Slot(count) => flag * slot(count),
                };
                sum += denominator(index) * flag;
            }
            terms.push((V::from(numerator), sum + (F::Packing::ONE - flags)));
            return;
        }
        let scaled = |value: V, count: Count| match count {
            Count::One => value,
            Count::MinusOne => -value,
            Count::Slot(count) => value * slot(count),
        };
        for (pair, index) in column.terms.chunks(2).zip((0..).step_by(2)) {
            terms.push(match pair {
                [a, b] => {
                    let (over_a, over_b) = (denominator(index), denominator(index + 1));
                    (scaled(over_b, a.count) + scaled(over_a, b.count), over_a * over_b)
                }
                [a, ..] => (scaled(V::ONE, a.count), denominator(index)),
                [] => (V::ZERO, V::ONE),
            });
        }
        while terms.len() > 2 {
            let pairs = terms.len() / 2;
            for pair in 0..pairs {
                let ((a, over_a), (b, over_b)) = (terms[2 * pair], terms[2 * pair + 1]);
                terms[pair] = (a * over_b + b * over_a, over_a * over_b);
            }
            if terms.len() % 2 == 1 {
                terms[pairs] = terms[2 * pairs];
            }
            terms.truncate(terms.len() - pairs);
        }
    }
}

struct Compiler<F> {
    sources: Vec<Source>,
    constants: Vec<F>,
    steps: Vec<ValueStep>,
    source_ids: HashMap<Source, u32>,
    constant_ids: HashMap<F, u32>,
    step_ids: HashMap<ValueStep, u32>,
    /// Shared subtrees are one allocation; each is compiled once.
    shared: HashMap<usize, Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum ValueStep {
    Add(Value, Value),
    Sub(Value, Value),
    Mul(Value, Value),
    Neg(Value),
}

impl<F> Default for Compiler<F> {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            constants: Vec::new(),
            steps: Vec::new(),
            source_ids: HashMap::new(),
            constant_ids: HashMap::new(),
            step_ids: HashMap::new(),
            shared: HashMap::new(),
        }
    }
}

type Terms = Vec<(Vec<Value>, Value, Option<Value>)>;

impl<F: Field> Compiler<F> {
    fn value(&mut self, expression: &SymbolicExpression<F>) -> Result<Value, UnsupportedMessage> {
        Ok(match expression {
            SymbolicExpr::Leaf(leaf) => self.leaf(leaf)?,
            SymbolicExpr::Add { x, y, .. } => {
                let step = ValueStep::Add(self.subtree(x)?, self.subtree(y)?);
                self.step(step)
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let step = ValueStep::Sub(self.subtree(x)?, self.subtree(y)?);
                self.step(step)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let step = ValueStep::Mul(self.subtree(x)?, self.subtree(y)?);
                self.step(step)
            }
            SymbolicExpr::Neg { x, .. } => {
                let step = ValueStep::Neg(self.subtree(x)?);
                self.step(step)
            }
        })
    }

    fn subtree(&mut self, tree: &Arc<SymbolicExpression<F>>) -> Result<Value, UnsupportedMessage> {
        let address = Arc::as_ptr(tree) as usize;
        if let Some(&value) = self.shared.get(&address) {
            return Ok(value);
        }
        let value = self.value(tree)?;
        self.shared.insert(address, value);
        Ok(value)
    }

    fn leaf(&mut self, leaf: &BaseLeaf<F>) -> Result<Value, UnsupportedMessage> {
        let source = match leaf {
            BaseLeaf::Constant(constant) => {
                let next = self.constants.len() as u32;
                let index = *self.constant_ids.entry(*constant).or_insert(next);
                if index == next {
                    self.constants.push(*constant);
                }
                return Ok(Value::Constant(index));
            }
            BaseLeaf::Variable(variable) => match variable.entry {
                BaseEntry::Main { offset: 0 } => Source::Main(variable.index),
                BaseEntry::Main { offset: 1 } => Source::MainNext(variable.index),
                BaseEntry::Preprocessed { offset: 0 } => Source::Fixed(variable.index),
                BaseEntry::Preprocessed { offset: 1 } => Source::FixedNext(variable.index),
                BaseEntry::Periodic => Source::Periodic(variable.index),
                BaseEntry::Public => Source::Public(variable.index),
                BaseEntry::Main { .. } | BaseEntry::Preprocessed { .. } => {
                    return Err(UnsupportedMessage);
                }
            },
            BaseLeaf::IsFirstRow | BaseLeaf::IsLastRow | BaseLeaf::IsTransition => {
                return Err(UnsupportedMessage);
            }
        };
        let next = self.sources.len() as u32;
        let index = *self.source_ids.entry(source).or_insert(next);
        if index == next {
            self.sources.push(source);
        }
        Ok(Value::Source(index))
    }

    fn step(&mut self, step: ValueStep) -> Value {
        let next = self.steps.len() as u32;
        let index = *self.step_ids.entry(step).or_insert(next);
        if index == next {
            self.steps.push(step);
        }
        Value::Step(index)
    }

    fn finish(self, columns: &[(Terms, bool)]) -> Messages<F> {
        let first_constant = self.sources.len() as u32;
        let first_step = first_constant + self.constants.len() as u32;
        let slot = |value: Value| match value {
            Value::Source(index) => index,
            Value::Constant(index) => first_constant + index,
            Value::Step(index) => first_step + index,
        };
        let count = |value: Value| match value {
            Value::Constant(index) if self.constants[index as usize] == F::ONE => Count::One,
            Value::Constant(index) if self.constants[index as usize] == F::NEG_ONE => {
                Count::MinusOne
            }
            value => Count::Slot(slot(value)),
        };
        let is_zero = |value: Value| match value {
            Value::Constant(index) => self.constants[index as usize].is_zero(),
            _ => false,
        };
        let columns = columns
            .iter()
            .map(|(terms, exclusive)| Column {
                terms: terms
                    .iter()
                    .map(|(elements, multiplicity, flag)| {
                        let mut elements = elements
                            .iter()
                            .rev()
                            .zip(0..)
                            .filter(|(element, _)| !is_zero(**element))
                            .peekable();
                        let last = elements.next_if(|(_, exponent)| *exponent == 0);
                        let (elements, exponents) =
                            elements.map(|(&element, exponent)| (slot(element), exponent)).unzip();
                        Term {
                            elements,
                            exponents,
                            last: last.map(|(&last, _)| slot(last)),
                            count: count(*multiplicity),
                            flag: flag.map_or(0, slot),
                        }
                    })
                    .collect(),
                exclusive: *exclusive,
            })
            .collect();
        let steps = self
            .steps
            .iter()
            .map(|&step| match step {
                ValueStep::Add(a, b) => Step::Add(slot(a), slot(b)),
                ValueStep::Sub(a, b) => Step::Sub(slot(a), slot(b)),
                ValueStep::Mul(a, b) => Step::Mul(slot(a), slot(b)),
                ValueStep::Neg(a) => Step::Neg(slot(a)),
            })
            .collect();
        Messages { sources: self.sources, constants: self.constants, steps, columns }
    }
}
