//! Reading a graph.

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::{Call, CallId, ConstantId, Graph, Hint, HintId, Node, NodeId, Op, Operands, Rule};
use crate::circuit::value::{Constant, ValueType};

impl Graph {
    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.dag.node_count()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The node of an index.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.dag[NodeIndex::new(id.index())]
    }

    /// The operation of a node.
    pub fn op(&self, id: NodeId) -> Op {
        self.node(id).op
    }

    /// The type of a node's value.
    pub fn ty(&self, id: NodeId) -> ValueType {
        self.node(id).ty
    }

    /// The nodes in a topological order, that of insertion.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.len()).map(NodeId::new)
    }

    /// The operands of a node, in order.
    pub fn operands(&self, id: NodeId) -> Operands {
        let edges = self.dag.edges_directed(NodeIndex::new(id.index()), Direction::Incoming);
        let mut operands = Operands::default();
        for edge in edges {
            operands.set(*edge.weight() as usize, NodeId::new(edge.source().index()));
        }
        operands
    }

    /// The underlying petgraph.
    pub fn dag(&self) -> &DiGraph<Node, u32> {
        &self.dag
    }

    /// The rules, in the order in which they were made.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A constant of the pool.
    pub fn constant_value(&self, id: ConstantId) -> &Constant {
        &self.constants[id.index()]
    }

    /// The value of a node, if it is a constant.
    pub fn as_constant(&self, id: NodeId) -> Option<&Constant> {
        match self.op(id) {
            Op::Const(constant) => Some(self.constant_value(constant)),
            _ => None,
        }
    }

    /// The hint of an index.
    pub fn hint_info(&self, id: HintId) -> &Hint {
        &self.hints[id.index()]
    }

    /// The call of an index.
    pub fn call_info(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    /// The calls.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The public inputs, by position.
    pub fn publics(&self) -> &[NodeId] {
        &self.publics
    }

    /// The private inputs, by position.
    pub fn privates(&self) -> &[NodeId] {
        &self.privates
    }

    /// The number of pieces of private data that calls ask of the prover.
    pub fn data_count(&self) -> usize {
        self.data as usize
    }
}
