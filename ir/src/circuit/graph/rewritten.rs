//! What passes do to the names and types of nodes that they replace, and when two graphs are the same.

use petgraph::graph::NodeIndex;

use super::{BinaryOp, Graph, Node, NodeId, Op, Rule, RuleKind};
use crate::circuit::names::Symbol;
use crate::circuit::value::ValueType;

impl Graph {
    /// Gives a node the scope and source of the node that it is made from.
    pub(in crate::circuit) fn locate(&mut self, id: NodeId, like: &Node) {
        let node = &mut self.dag[NodeIndex::new(id.index())];
        node.scope = like.scope;
        node.location = node.location.or(like.location);
    }

    /// Gives a node what is known of a node that it stands for: a name, and (if its `assert_bit` will
    /// be one of this node) that it is a bit.
    pub(in crate::circuit) fn adopt(&mut self, id: NodeId, like: &Node, bit: bool) {
        let node = &mut self.dag[NodeIndex::new(id.index())];
        node.label = node.label.or(like.label);
        if bit && node.ty == ValueType::Felt && !matches!(node.op, Op::Const(_)) {
            node.ty = ValueType::Bit;
        }
    }

    /// Gives operations the types that follow from all rules of the circuit, wherever they stand: a
    /// product of bits is a bit, also if the `assert_bit` came after it.
    pub(in crate::circuit) fn settle_types(&mut self) {
        for index in 0..self.rules.len() {
            if let RuleKind::Bit(id) = self.rules[index].kind
                && self.ty(id) == ValueType::Felt
                && !matches!(self.op(id), Op::Const(_))
            {
                self.dag[NodeIndex::new(id.index())].ty = ValueType::Bit;
            }
        }
        for id in self.ids() {
            let operands = self.operands(id);
            if self.op(id) == Op::Binary(BinaryOp::Mul)
                && operands.iter().all(|&operand| self.ty(operand) == ValueType::Bit)
            {
                self.dag[NodeIndex::new(id.index())].ty = ValueType::Bit;
            }
        }
    }

    /// Takes the name away.
    pub(in crate::circuit) fn forget_label(&mut self, id: NodeId) {
        self.dag[NodeIndex::new(id.index())].label = Symbol::NONE;
    }
}

impl Graph {
    /// The graph as its text has it: values have the names that they are printed with; scopes, source
    /// lines and constants that nothing refers to are gone.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut graph = self.clone();
        for (id, name) in crate::circuit::print::printed_labels(self) {
            graph.set_label(id, &name);
        }
        for node in graph.dag.node_weights_mut() {
            node.scope = Symbol::NONE;
            node.location = None;
        }
        for rule in &mut graph.rules {
            rule.scope = Symbol::NONE;
            rule.location = None;
        }
        graph.scope.clear();
        graph.settle_types();
        graph
    }
}

impl PartialEq for Graph {
    /// Equality of operations, types, rules and labels; scopes and source lines do not count.
    fn eq(&self, other: &Self) -> bool {
        let node = |id| {
            let (a, b) = (self.node(id), other.node(id));
            let same_op = match (a.op, b.op) {
                (Op::Const(x), Op::Const(y)) => self.constant_value(x) == other.constant_value(y),
                (Op::Hint(x), Op::Hint(y)) => self.hint_info(x) == other.hint_info(y),
                (Op::Call(x), Op::Call(y)) => self.call_info(x) == other.call_info(y),
                (x, y) => x == y,
            };
            same_op
                && (a.ty == b.ty || !a.op.has_value())
                && self.names.text(a.label) == other.names.text(b.label)
                && *self.operands(id) == *other.operands(id)
        };
        let rule = |(a, b): (&Rule, &Rule)| {
            a.kind == b.kind && self.names.text(a.label) == other.names.text(b.label)
        };
        self.name == other.name
            && self.field == other.field
            && self.len() == other.len()
            && self.rules.len() == other.rules.len()
            && self.ids().all(node)
            && self.rules.iter().zip(&other.rules).all(rule)
    }
}
