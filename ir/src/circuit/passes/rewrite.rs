//! Building a new graph while walking an old one.

use crate::circuit::graph::{BinaryOp, Call, Graph, Hint, Node, NodeId, Op, RuleKind};
use crate::circuit::lower::{LowerError, check_connections};
use crate::circuit::value::{Constant, ValueType};

/// The graph that a pass builds, and what became of the nodes of the old one.
pub(super) struct Rewrite<'a> {
    pub(super) old: &'a Graph,
    pub(super) new: Graph,
    map: Vec<NodeId>,
    /// The nodes of the old graph that an `assert_bit` speaks of.
    bits: Vec<bool>,
}

impl<'a> Rewrite<'a> {
    /// Starts a pass.
    ///
    /// # Errors
    ///
    /// The graph is not well formed, or connects a value with one that is computed from it.
    pub(super) fn of(old: &'a Graph) -> Result<Self, LowerError> {
        check_connections(old)?;
        let mut bits = vec![false; old.len()];
        for rule in old.rules() {
            if let RuleKind::Bit(id) = rule.kind {
                bits[id.index()] = true;
            }
        }
        Ok(Self { old, new: old.empty_like(), map: vec![NodeId::default(); old.len()], bits })
    }

    /// What became of a node of the old graph.
    pub(super) fn mapped(&self, old: NodeId) -> NodeId {
        self.map[old.index()]
    }

    /// Says what becomes of a node. Its label goes along, and so does the knowledge that it is a bit,
    /// because its `assert_bit` will be one of the new node.
    pub(super) fn replace(&mut self, old: NodeId, new: NodeId) {
        self.map[old.index()] = new;
        let node = self.old.node(old);
        self.new.adopt(new, node, self.bits[old.index()]);
    }

    /// A node with the name and source of `like`, but another operation and operands of the new graph.
    pub(super) fn emit(&mut self, like: NodeId, op: Op, operands: &[NodeId]) -> NodeId {
        let node = Node { op, ..*self.old.node(like) };
        let mut types = operands.iter().map(|&operand| self.new.ty(operand));
        let ty = match op {
            Op::Binary(BinaryOp::Mul) if types.clone().all(|ty| ty == ValueType::Bit) => {
                ValueType::Bit
            }
            Op::Binary(_) | Op::MulAdd | Op::MulSub => {
                types.by_ref().fold(ValueType::Felt, ValueType::join)
            }
            _ => node.ty,
        };
        let node = Node { ty, ..node };
        self.new.push_node(node, operands)
    }

    /// A constant with the source of `like`.
    pub(super) fn constant(&mut self, like: NodeId, value: Constant) -> NodeId {
        let node = self.old.node(like);
        let id = self.new.constant(value);
        self.new.locate(id, node);
        id
    }

    /// Copies a node, with its operands mapped. The outputs of hints and calls are copied behind them,
    /// and nothing is done when their turn comes.
    pub(super) fn copy(&mut self, id: NodeId) -> NodeId {
        let mut operands = self.old.operands(id);
        operands.map(|operand| self.map[operand.index()]);
        let new = match self.old.op(id) {
            Op::Output(_) => return self.map[id.index()],
            Op::Const(constant) => {
                let value = self.old.constant_value(constant).clone();
                self.constant(id, value)
            }
            Op::Hint(hint) => {
                let Hint { kind, inputs, outputs } = self.old.hint_info(hint).clone();
                let hint = Hint { kind, inputs, outputs };
                let (node, outputs) = self.new.hint_with_outputs(hint, &operands);
                self.outputs(id, &outputs);
                node
            }
            Op::Call(call) => {
                let call: Call = self.old.call_info(call).clone();
                let result = self.new.push_call(call, &operands);
                self.outputs(id, &result.outputs);
                result.node
            }
            op => self.emit(id, op, &operands),
        };
        self.new.locate(new, self.old.node(id));
        self.replace(id, new);
        new
    }

    fn outputs(&mut self, producer: NodeId, outputs: &[NodeId]) {
        for (i, &new) in outputs.iter().enumerate() {
            let old = NodeId::new(producer.index() + 1 + i);
            self.new.locate(new, self.old.node(old));
            self.replace(old, new);
        }
    }

    /// Ends the pass: copies the rules that `keep` gives back, over the nodes of the new graph.
    pub(super) fn finish(
        mut self,
        mut keep: impl FnMut(&Graph, RuleKind) -> Option<RuleKind>,
    ) -> Graph {
        for rule in self.old.rules() {
            let kind = match rule.kind.map(|id| self.map[id.index()]) {
                RuleKind::Connect(a, b) => RuleKind::Equal(a, b),
                kind => kind,
            };
            if let Some(kind) = keep(&self.new, kind) {
                self.new.push_rule(crate::circuit::graph::Rule { kind, ..*rule });
            }
        }
        self.new
    }
}
