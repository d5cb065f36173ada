//! Replaying constraints over the targets of a circuit.
//!
//! Every operation of a circuit is a row, so this is about saving operations. Values carry their sign
//! beside them: a negation costs nothing, and `a·b − c`, which is no row, is folded as the negative of
//! `c − a·b`, which is one. Constraints in a row that share a factor (the selector of a step, the guard of a
//! case) are folded first and multiplied by it once.

use chipwright_dsl::circuit::{CircuitBuilder, ExtTarget, Target, TargetType};
use chipwright_ir::circuit::{BinaryOp, Constant, NodeId as TargetId};

use super::graph::{Constraints, Leaf, Node, NodeId};
use super::rewrite::rewrite;
use super::{ConstraintsError, Row};
use crate::domain::Selectors;

/// The values of everything that constraints are about.
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    /// The main-trace columns.
    pub main: &'a Row,
    /// The preprocessed columns.
    pub fixed: &'a Row,
    /// The lookup columns, one extension element each.
    pub lookups: &'a Row,
    /// The public values.
    pub publics: &'a [Target],
    /// The periodic columns.
    pub periodic: &'a [ExtTarget],
    /// The selectors.
    pub selectors: Selectors,
    /// For each lookup, what messages on its bus are subtracted from.
    pub prefixes: &'a [ExtTarget],
    /// The challenge that combines the elements of messages; `None` without lookups.
    pub beta: Option<ExtTarget>,
    /// The sum of the table's lookups; `None` without lookups.
    pub terminal: Option<ExtTarget>,
    /// The challenge that folds the constraints.
    pub alpha: ExtTarget,
}

impl Evaluation<'_> {
    fn leaf(&self, leaf: Leaf, builder: &mut CircuitBuilder) -> Option<TargetId> {
        let mut cell = |row: &Row, column: usize, next: bool| -> Option<TargetId> {
            // A row that is not opened counts as zero: no constraint reads it.
            if next && row.next.is_empty() {
                return Some(builder.graph_mut().constant(Constant::zero()));
            }
            let cells = if next { &row.next } else { &row.local };
            cells.get(column).map(|target| target.id())
        };
        match leaf {
            Leaf::Main { column, next } => cell(self.main, column, next),
            Leaf::Fixed { column, next } => cell(self.fixed, column, next),
            Leaf::Lookup { column, next } => cell(self.lookups, column, next),
            Leaf::Public(index) => self.publics.get(index).map(|target| target.id()),
            Leaf::Periodic(index) => self.periodic.get(index).map(|target| target.id()),
            Leaf::First => Some(self.selectors.first.id()),
            Leaf::Last => Some(self.selectors.last.id()),
            Leaf::Transition => Some(self.selectors.transition.id()),
            Leaf::Prefix(lookup) => self.prefixes.get(lookup).map(|target| target.id()),
            Leaf::Beta => self.beta.map(TargetType::id),
            Leaf::Terminal => self.terminal.map(TargetType::id),
        }
    }
}

impl Constraints {
    /// The constraints at a point, folded by powers of a challenge: with `n` constraints,
    /// `Σ alpha^(n−1−i) · constraint_i`.
    ///
    /// # Errors
    ///
    /// Fails if a column, a public value, a challenge or the terminal is missing.
    pub fn evaluate(
        &self,
        builder: &mut CircuitBuilder,
        at: &Evaluation<'_>,
    ) -> Result<ExtTarget, ConstraintsError> {
        Ok(self.fold(builder, at)?.positive(builder))
    }

    /// [`Self::evaluate`] up to its sign.
    pub(super) fn fold(
        &self,
        builder: &mut CircuitBuilder,
        at: &Evaluation<'_>,
    ) -> Result<Signed, ConstraintsError> {
        let constraints = rewrite(self);
        let mut replay = Replay::new(&constraints, builder, at);
        let folded = replay.fold(constraints.roots())?;
        Ok(folded.unwrap_or_else(|| replay.constant(Constant::zero())))
    }
}

/// A value, or its negative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed {
    pub(super) target: TargetId,
    pub(super) negative: bool,
}

impl Signed {
    /// The value without a sign beside it.
    pub(super) fn positive(self, builder: &mut CircuitBuilder) -> ExtTarget {
        let value = ExtTarget::of(self.target);
        if self.negative { builder.sub(0, value) } else { value }
    }
}

struct Replay<'a> {
    constraints: &'a Constraints,
    builder: &'a mut CircuitBuilder,
    at: &'a Evaluation<'a>,
    values: Vec<Option<Signed>>,
    /// `alpha^(2^k)` by `k`.
    squares: Vec<TargetId>,
}

impl<'a> Replay<'a> {
    fn new(
        constraints: &'a Constraints,
        builder: &'a mut CircuitBuilder,
        at: &'a Evaluation<'a>,
    ) -> Self {
        let values = vec![None; constraints.nodes().len()];
        Self { constraints, builder, at, values, squares: vec![at.alpha.id()] }
    }

    /// Folds a list of constraints, the last one with factor one; `None` if there are none.
    fn fold(&mut self, constraints: &[NodeId]) -> Result<Option<Signed>, ConstraintsError> {
        let mut sum: Option<Signed> = None;
        let mut rest = constraints;
        while let Some(&first) = rest.first() {
            let (factor, cofactors) = self.shared_factor(rest);
            let (count, value) = match factor {
                Some(factor) if cofactors.len() > 1 => {
                    let count = cofactors.len();
                    let factor = self.value(factor)?;
                    match self.fold(&cofactors)? {
                        Some(inner) => (count, self.product(factor, inner)),
                        None => (1, self.value(first)?),
                    }
                }
                _ => (1, self.value(first)?),
            };
            sum = Some(match sum {
                Some(sum) => {
                    let power = Signed { target: self.power(count), negative: false };
                    let shifted = self.product(sum, power);
                    self.sum(shifted, value)
                }
                None => value,
            });
            rest = &rest[count..];
        }
        Ok(sum)
    }

    /// The factor that most constraints at the head of a list share, and what they multiply it by.
    fn shared_factor(&self, list: &[NodeId]) -> (Option<NodeId>, Vec<NodeId>) {
        let Some(&Node::Mul(a, b)) = list.first().map(|&id| self.constraints.node(id)) else {
            return (None, Vec::new());
        };
        let cofactors = |factor: NodeId| -> Vec<NodeId> {
            list.iter()
                .map_while(|&id| match *self.constraints.node(id) {
                    Node::Mul(x, y) if x == factor => Some(y),
                    Node::Mul(x, y) if y == factor => Some(x),
                    _ => None,
                })
                .collect()
        };
        let (with_a, with_b) = (cofactors(a), cofactors(b));
        if with_a.len() >= with_b.len() { (Some(a), with_a) } else { (Some(b), with_b) }
    }

    /// `alpha^exponent`
    fn power(&mut self, exponent: usize) -> TargetId {
        let mut result = None;
        for bit in 0..usize::BITS - exponent.leading_zeros() {
            let bit = bit as usize;
            if self.squares.len() <= bit {
                let last = self.squares[bit - 1];
                let square = self.binary(BinaryOp::Mul, last, last);
                self.squares.push(square);
            }
            if exponent >> bit & 1 == 1 {
                let square = self.squares[bit];
                result = Some(match result {
                    Some(result) => self.binary(BinaryOp::Mul, result, square),
                    None => square,
                });
            }
        }
        result.unwrap_or_else(|| self.builder.graph_mut().constant(Constant::one()))
    }

    /// The value of a node; operands first, without recursion.
    fn value(&mut self, root: NodeId) -> Result<Signed, ConstraintsError> {
        let mut stack = vec![root];
        while let Some(&id) = stack.last() {
            if self.values[id.index()].is_some() {
                stack.pop();
                continue;
            }
            let node = self.constraints.node(id);
            let missing = stack.len();
            stack.extend(node.operands().filter(|id| self.values[id.index()].is_none()));
            if stack.len() > missing {
                continue;
            }
            let value = match *node {
                Node::Leaf(leaf) => {
                    let target = self
                        .at
                        .leaf(leaf, self.builder)
                        .ok_or(ConstraintsError::Missing { leaf })?;
                    Signed { target, negative: false }
                }
                Node::Constant(ref constant) => self.constant(constant.clone()),
                Node::Add(a, b) => {
                    let (a, b) = (self.known(a), self.known(b));
                    self.sum(a, b)
                }
                Node::Sub(a, b) => {
                    let (a, b) = (self.known(a), self.known(b));
                    self.sum(a, Signed { negative: !b.negative, ..b })
                }
                Node::Mul(a, b) => {
                    let (a, b) = (self.known(a), self.known(b));
                    self.product(a, b)
                }
                Node::Neg(a) => {
                    let a = self.known(a);
                    Signed { negative: !a.negative, ..a }
                }
            };
            self.values[id.index()] = Some(value);
            stack.pop();
        }
        Ok(self.known(root))
    }

    fn known(&self, id: NodeId) -> Signed {
        self.values[id.index()].expect("operands are evaluated before users")
    }

    fn constant(&mut self, constant: Constant) -> Signed {
        Signed { target: self.builder.graph_mut().constant(constant), negative: false }
    }

    fn product(&mut self, a: Signed, b: Signed) -> Signed {
        let target = self.binary(BinaryOp::Mul, a.target, b.target);
        Signed { target, negative: a.negative != b.negative }
    }

    fn sum(&mut self, a: Signed, b: Signed) -> Signed {
        if a.negative == b.negative {
            let target = self.binary(BinaryOp::Add, a.target, b.target);
            return Signed { target, negative: a.negative };
        }
        // A product is what is taken away: `c − a·b` is one row.
        let (minuend, subtrahend) = if self.is_product(b.target) { (a, b) } else { (b, a) };
        let target = self.binary(BinaryOp::Sub, minuend.target, subtrahend.target);
        Signed { target, negative: minuend.negative }
    }

    fn is_product(&self, target: TargetId) -> bool {
        let op = self.builder.graph().op(target);
        op == chipwright_ir::circuit::Op::Binary(BinaryOp::Mul)
    }

    fn binary(&mut self, op: BinaryOp, a: TargetId, b: TargetId) -> TargetId {
        self.builder.graph_mut().binary(op, a, b)
    }
}
