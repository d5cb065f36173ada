//! `simplify`: constants, neutral elements, and equations in their shortest form.

use super::rewrite::Rewrite;
use crate::circuit::graph::{BinaryOp, Graph, NodeId, Op, RuleKind};
use crate::circuit::interpret::binary;
use crate::circuit::lower::LowerError;
use crate::circuit::value::{Constant, ValueType};
use crate::field::FieldPair;

/// Folds constants, drops neutral elements (`x + 0`, `x · 1`, `x · 0`, `x − x`), turns a division by a
/// constant into a product, `assert_zero(a − b)` into `assert_eq(a, b)`, and drops rules that hold
/// always. What was used before and is not any more goes with it.
///
/// `x / x` is not 1, and `0 / x` is not 0: a division also demands that its divisor is not 0.
///
/// # Errors
///
/// The graph connects a value with one that is computed from it.
pub fn simplify(graph: &Graph) -> Result<Graph, LowerError> {
    crate::with_field!(graph.field, P => run::<P>(graph))
}

fn run<P: FieldPair>(graph: &Graph) -> Result<Graph, LowerError> {
    let mut pass = Simplify { rewrite: Rewrite::of(graph)? };
    for id in graph.ids() {
        pass.node::<P>(id);
    }
    let used = graph.used();
    let pinned: Vec<_> =
        graph.ids().filter(|id| !used[id.index()]).map(|id| pass.rewrite.mapped(id)).collect();
    let simplified = pass.rewrite.finish(rule);
    Ok(sweep(&simplified, &pinned))
}

struct Simplify<'a> {
    rewrite: Rewrite<'a>,
}

impl Simplify<'_> {
    fn node<P: FieldPair>(&mut self, id: NodeId) {
        let graph = self.rewrite.old;
        let operands = graph.operands(id);
        let x = |this: &Self, i: usize| this.rewrite.mapped(operands[i]);
        let new = match graph.op(id) {
            Op::Binary(op) => {
                let (a, b) = (x(self, 0), x(self, 1));
                self.binary::<P>(id, op, a, b)
            }
            Op::MulAdd => {
                let (a, b, c) = (x(self, 0), x(self, 1), x(self, 2));
                self.mul_add::<P>(id, a, b, c)
            }
            Op::MulSub => {
                let (a, b, c) = (x(self, 0), x(self, 1), x(self, 2));
                self.mul_sub::<P>(id, a, b, c)
            }
            Op::FromCoefficients => {
                let coefficients: Vec<_> = (0..operands.len()).map(|i| x(self, i)).collect();
                self.coefficients(id, &coefficients)
            }
            _ => {
                self.rewrite.copy(id);
                return;
            }
        };
        self.rewrite.replace(id, new);
    }

    fn known(&self, id: NodeId) -> Option<&Constant> {
        self.rewrite.new.as_constant(id)
    }

    fn is_zero(&self, id: NodeId) -> bool {
        self.known(id).is_some_and(Constant::is_zero)
    }

    fn is_one(&self, id: NodeId) -> bool {
        self.known(id).is_some_and(Constant::is_one)
    }

    fn emit(&mut self, like: NodeId, op: BinaryOp, a: NodeId, b: NodeId) -> NodeId {
        self.rewrite.emit(like, Op::Binary(op), &[a, b])
    }

    fn zero(&mut self, like: NodeId) -> NodeId {
        self.rewrite.constant(like, Constant::zero())
    }

    fn binary<P: FieldPair>(&mut self, like: NodeId, op: BinaryOp, a: NodeId, b: NodeId) -> NodeId {
        if let (Some(left), Some(right)) = (self.known(a), self.known(b))
            && let Some(value) = binary(op, left.to_ext::<P>(), right.to_ext::<P>())
        {
            return self.rewrite.constant(like, Constant::from_ext::<P>(value).trimmed());
        }
        match op {
            BinaryOp::Add if self.is_zero(a) => b,
            BinaryOp::Add | BinaryOp::Sub if self.is_zero(b) => a,
            BinaryOp::Sub if a == b => self.zero(like),
            BinaryOp::Mul if self.is_zero(a) || self.is_zero(b) => self.zero(like),
            BinaryOp::Mul if self.is_one(a) => b,
            BinaryOp::Mul | BinaryOp::Div if self.is_one(b) => a,
            BinaryOp::Div => match self
                .known(b)
                .map(|b| binary(BinaryOp::Div, Constant::one().to_ext::<P>(), b.to_ext::<P>()))
            {
                Some(Some(inverse)) => {
                    let inverse = Constant::from_ext::<P>(inverse).trimmed();
                    let inverse = self.rewrite.constant(like, inverse);
                    self.emit(like, BinaryOp::Mul, a, inverse)
                }
                _ => self.emit(like, op, a, b),
            },
            _ => self.emit(like, op, a, b),
        }
    }

    /// The product, if it is known without computing it.
    fn product<P: FieldPair>(&mut self, like: NodeId, a: NodeId, b: NodeId) -> Option<NodeId> {
        let constant = self.known(a).is_some() && self.known(b).is_some();
        let neutral = [a, b].iter().any(|&x| self.is_zero(x) || self.is_one(x));
        (constant || neutral).then(|| self.binary::<P>(like, BinaryOp::Mul, a, b))
    }

    fn mul_add<P: FieldPair>(&mut self, like: NodeId, a: NodeId, b: NodeId, c: NodeId) -> NodeId {
        if let Some(product) = self.product::<P>(like, a, b) {
            self.binary::<P>(like, BinaryOp::Add, product, c)
        } else if self.is_zero(c) {
            self.emit(like, BinaryOp::Mul, a, b)
        } else {
            self.rewrite.emit(like, Op::MulAdd, &[a, b, c])
        }
    }

    fn mul_sub<P: FieldPair>(&mut self, like: NodeId, a: NodeId, b: NodeId, c: NodeId) -> NodeId {
        match self.product::<P>(like, a, b) {
            Some(product) => self.binary::<P>(like, BinaryOp::Sub, c, product),
            None => self.rewrite.emit(like, Op::MulSub, &[a, b, c]),
        }
    }

    fn coefficients(&mut self, like: NodeId, coefficients: &[NodeId]) -> NodeId {
        let known: Option<Vec<u64>> = coefficients
            .iter()
            .map(|&c| self.known(c).map(|value| value.coefficients()[0]))
            .collect();
        if let Some(known) = known {
            return self.rewrite.constant(like, Constant::ext(known).trimmed());
        }
        match coefficients {
            [low, upper @ ..] if upper.iter().all(|&c| self.is_zero(c)) => *low,
            _ => self.rewrite.emit(like, Op::FromCoefficients, coefficients),
        }
    }
}

/// The shortest form of a rule; `None` if it holds always.
fn rule(graph: &Graph, rule: RuleKind) -> Option<RuleKind> {
    let zero = |id| graph.as_constant(id).is_some_and(Constant::is_zero);
    match rule {
        RuleKind::Zero(a) if zero(a) => None,
        RuleKind::Zero(a) if graph.op(a) == Op::Binary(BinaryOp::Sub) => {
            let operands = graph.operands(a);
            self::rule(graph, RuleKind::Equal(operands[0], operands[1]))
        }
        RuleKind::Equal(a, b) if a == b => None,
        RuleKind::Equal(a, b) if zero(b) => self::rule(graph, RuleKind::Zero(a)),
        RuleKind::Equal(a, b) if zero(a) => self::rule(graph, RuleKind::Zero(b)),
        RuleKind::Equal(a, b) => match (graph.as_constant(a), graph.as_constant(b)) {
            (Some(a), Some(b)) if a.trimmed() == b.trimmed() => None,
            _ => Some(rule),
        },
        RuleKind::Bit(a) if is_bit(graph, a) => None,
        rule => Some(rule),
    }
}

/// Whether an operation guarantees a bit without an `assert_bit`.
fn is_bit(graph: &Graph, id: NodeId) -> bool {
    match graph.op(id) {
        Op::Const(_) => graph.as_constant(id).is_some_and(|c| c.trimmed().ty() == ValueType::Bit),
        Op::Output(i) => match graph.op(graph.operands(id)[0]) {
            Op::Call(call) => {
                let outputs = &graph.call_info(call).signature.outputs;
                outputs.get(i as usize).is_some_and(|port| port.ty == ValueType::Bit)
            }
            _ => false,
        },
        _ => false,
    }
}

impl Graph {
    /// Which nodes an operation or a rule uses.
    pub(super) fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.len()];
        for id in self.ids() {
            for &operand in &*self.operands(id) {
                used[operand.index()] = true;
            }
        }
        for rule in self.rules() {
            for id in rule.kind.nodes() {
                used[id.index()] = true;
            }
        }
        used
    }
}

/// Drops what became unused; `pinned` was unused before and is left to `remove-dead`.
fn sweep(graph: &Graph, pinned: &[NodeId]) -> Graph {
    let mut needed = graph.live();
    for &id in pinned {
        needed[id.index()] = true;
    }
    for id in graph.ids().rev() {
        if needed[id.index()] {
            for &operand in &*graph.operands(id) {
                needed[operand.index()] = true;
            }
        }
    }
    match Rewrite::of(graph) {
        Ok(mut rewrite) => {
            for id in graph.ids() {
                if needed[id.index()] {
                    rewrite.copy(id);
                }
            }
            rewrite.finish(|_, rule| Some(rule))
        }
        Err(_) => graph.clone(),
    }
}
