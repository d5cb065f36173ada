//! Stage `expr`: the expression graph.
//!
//! Nodes are operations of a petgraph DAG, edges lead from operands to users and carry the operand's
//! position. Nodes are only ever appended, so the order of insertion is a topological order, and every
//! pass builds a new graph by walking the old one once. Rules (`assert_eq`, `connect`, …) are a list
//! beside the graph: they are what a circuit *means*, and no pass may lose one.
//!
//! ```
//! use chipwright_ir::Field;
//! use chipwright_ir::circuit::{BinaryOp, Graph, ValueType};
//!
//! let mut toy = Graph::new("toy", Field::Goldilocks2);
//! let x = toy.public(ValueType::Felt);
//! let k = toy.constant(37);
//! let product = toy.binary(BinaryOp::Mul, k, x);
//! let k = toy.constant(111);
//! let difference = toy.binary(BinaryOp::Sub, product, k);
//! toy.assert_zero(difference);
//! assert_eq!(toy.len(), 5);
//! ```

mod node;
mod operands;
mod read;
mod rewritten;

use std::collections::HashMap;
use std::panic::Location;

use petgraph::graph::{DiGraph, NodeIndex};

use super::call::{ChipCall, Signature};
use super::hint::HintKind;
use super::names::{Names, Symbol};
use super::value::{Constant, ValueType};
use crate::field::Field;

pub use node::{
    BinaryOp, Call, CallId, CallResult, ConstantId, Hint, HintId, Node, NodeId, Op, Rule, RuleKind,
};
pub use operands::Operands;

/// An expression graph with its rules: a circuit at stage `expr`.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The name of the circuit.
    pub name: String,
    /// The field that it computes in.
    pub field: Field,
    /// The operations; edges lead from operand to user and carry the operand's position.
    dag: DiGraph<Node, u32>,
    rules: Vec<Rule>,
    /// The table of labels and scopes.
    pub names: Names,
    constants: Vec<Constant>,
    constant_ids: HashMap<Constant, ConstantId>,
    hints: Vec<Hint>,
    calls: Vec<Call>,
    publics: Vec<NodeId>,
    privates: Vec<NodeId>,
    data: u32,
    scope: Vec<Symbol>,
    pub(super) location: Option<&'static Location<'static>>,
}

impl Graph {
    /// An empty circuit.
    pub fn new(name: impl Into<String>, field: Field) -> Self {
        Self {
            name: name.into(),
            field,
            dag: DiGraph::new(),
            rules: Vec::new(),
            names: Names::default(),
            constants: Vec::new(),
            constant_ids: HashMap::new(),
            hints: Vec::new(),
            calls: Vec::new(),
            publics: Vec::new(),
            privates: Vec::new(),
            data: 0,
            scope: Vec::new(),
            location: None,
        }
    }

    /// A circuit with the same name, field and names, but without operations: what passes start from.
    #[must_use]
    pub fn empty_like(&self) -> Self {
        Self { names: self.names.clone(), ..Self::new(self.name.clone(), self.field) }
    }

    // Inputs and constants.

    /// The next public input. A [`ValueType::Bit`] comes with its rule.
    pub fn public(&mut self, ty: ValueType) -> NodeId {
        let index = self.publics.len() as u32;
        self.input(Op::Public(index), ty)
    }

    /// The next private input. A [`ValueType::Bit`] comes with its rule.
    pub fn private(&mut self, ty: ValueType) -> NodeId {
        let index = self.privates.len() as u32;
        self.input(Op::Private(index), ty)
    }

    fn input(&mut self, op: Op, ty: ValueType) -> NodeId {
        let node = self.push(op, ty, &[]);
        if ty == ValueType::Bit {
            self.assert_bit(node);
        }
        node
    }

    /// A constant.
    pub fn constant(&mut self, value: impl Into<Constant>) -> NodeId {
        let value = value.into();
        let ty = value.ty();
        let id = self.intern_constant(value);
        self.push(Op::Const(id), ty, &[])
    }

    fn intern_constant(&mut self, value: Constant) -> ConstantId {
        if let Some(&id) = self.constant_ids.get(&value) {
            return id;
        }
        let id = ConstantId::new(self.constants.len());
        self.constants.push(value.clone());
        self.constant_ids.insert(value, id);
        id
    }

    // Operations.

    /// `a + b`, `a − b`, `a · b` or `a / b`. A base operand is lifted if the other one is not.
    pub fn binary(&mut self, op: BinaryOp, a: NodeId, b: NodeId) -> NodeId {
        let (left, right) = (self.ty(a), self.ty(b));
        let both_bits = left == ValueType::Bit && right == ValueType::Bit;
        let ty = if op == BinaryOp::Mul && both_bits { ValueType::Bit } else { left.join(right) };
        self.push(Op::Binary(op), ty, &[a, b])
    }

    /// `a·b + c`
    pub fn mul_add(&mut self, a: NodeId, b: NodeId, c: NodeId) -> NodeId {
        let ty = self.ty(a).join(self.ty(b)).join(self.ty(c));
        self.push(Op::MulAdd, ty, &[a, b, c])
    }

    /// `c − a·b`
    pub fn mul_sub(&mut self, a: NodeId, b: NodeId, c: NodeId) -> NodeId {
        let ty = self.ty(a).join(self.ty(b)).join(self.ty(c));
        self.push(Op::MulSub, ty, &[a, b, c])
    }

    /// The extension element with the given coefficients, lowest first; as many as the degree.
    pub fn from_coefficients(&mut self, coefficients: &[NodeId]) -> NodeId {
        self.push(Op::FromCoefficients, ValueType::Ext, coefficients)
    }

    /// The coefficients of a value, lowest first, *with the rule that binds them*: a hint, and
    /// `from_coefficients` of its outputs equal to the value.
    pub fn coefficients(&mut self, value: NodeId) -> Vec<NodeId> {
        let coefficients = self.hint(HintKind::Coefficients, &[value]);
        let again = self.from_coefficients(&coefficients);
        self.assert_eq(again, value);
        coefficients
    }

    /// Advice from the prover. Nothing is known of the outputs until rules bind them.
    pub fn hint(&mut self, kind: HintKind, inputs: &[NodeId]) -> Vec<NodeId> {
        let types: Vec<_> = inputs.iter().map(|&input| self.ty(input).without_bit()).collect();
        let outputs = kind.outputs(self.field, &types);
        self.hint_with_outputs(Hint { kind, inputs: types, outputs }, inputs).1
    }

    /// A hint whose output types are given, as in a text; the verifier checks them.
    pub(super) fn hint_with_outputs(
        &mut self,
        hint: Hint,
        inputs: &[NodeId],
    ) -> (NodeId, Vec<NodeId>) {
        let outputs = hint.outputs.clone();
        let id = HintId::new(self.hints.len());
        self.hints.push(hint);
        let node = self.push(Op::Hint(id), ValueType::Felt, inputs);
        let outputs = self.outputs(node, outputs);
        (node, outputs)
    }

    /// A call of a chip. If the signature asks for private data, the call gets the next position among
    /// the prover's data.
    pub fn call(&mut self, chip: ChipCall, signature: &Signature, inputs: &[NodeId]) -> CallResult {
        let data = (signature.data > 0).then_some(self.data);
        self.push_call(Call { chip, signature: signature.clone(), data }, inputs)
    }

    pub(super) fn push_call(&mut self, call: Call, inputs: &[NodeId]) -> CallResult {
        let data = call.data;
        if let Some(data) = data {
            self.data = self.data.max(data.saturating_add(1));
        }
        let types = call.signature.output_types();
        let id = CallId::new(self.calls.len());
        self.calls.push(call);
        let node = self.push(Op::Call(id), ValueType::Felt, inputs);
        CallResult { node, outputs: self.outputs(node, types), data }
    }

    fn outputs(&mut self, producer: NodeId, types: Vec<ValueType>) -> Vec<NodeId> {
        let output = |(i, ty): (usize, ValueType)| self.push(Op::Output(i as u32), ty, &[producer]);
        types.into_iter().enumerate().map(output).collect()
    }

    /// Appends a node as it is. Public and private inputs register themselves; everything else that
    /// could be wrong is found by the verifier.
    ///
    /// # Panics
    ///
    /// Panics if an operand is not a node of this graph.
    pub(super) fn push(&mut self, op: Op, ty: ValueType, operands: &[NodeId]) -> NodeId {
        let scope = self.scope.last().copied().unwrap_or_default();
        let node = Node { op, ty, label: Symbol::NONE, scope, location: self.location };
        self.push_node(node, operands)
    }

    pub(super) fn push_node(&mut self, node: Node, operands: &[NodeId]) -> NodeId {
        let index = self.dag.add_node(node);
        for (position, operand) in operands.iter().enumerate() {
            self.dag.add_edge(NodeIndex::new(operand.index()), index, position as u32);
        }
        let id = NodeId::new(index.index());
        match node.op {
            Op::Public(_) => self.publics.push(id),
            Op::Private(_) => self.privates.push(id),
            _ => {}
        }
        id
    }

    // Rules.

    /// Demands `a = 0`.
    pub fn assert_zero(&mut self, a: NodeId) {
        self.rule(RuleKind::Zero(a));
    }

    /// Demands `a = b`.
    pub fn assert_eq(&mut self, a: NodeId, b: NodeId) {
        self.rule(RuleKind::Equal(a, b));
    }

    /// Demands that `a` is 0 or 1; from here on the type of a base element is [`ValueType::Bit`]. (A
    /// constant is what it is.)
    pub fn assert_bit(&mut self, a: NodeId) {
        let node = &mut self.dag[NodeIndex::new(a.index())];
        if node.ty == ValueType::Felt && !matches!(node.op, Op::Const(_)) {
            node.ty = ValueType::Bit;
        }
        self.rule(RuleKind::Bit(a));
    }

    /// Makes `a` and `b` one value. Neither may be computed from the other; to demand that a value
    /// equals one that it is computed from, use [`Graph::assert_eq`].
    pub fn connect(&mut self, a: NodeId, b: NodeId) {
        self.rule(RuleKind::Connect(a, b));
    }

    fn rule(&mut self, kind: RuleKind) {
        let scope = self.scope.last().copied().unwrap_or_default();
        let location = self.location;
        self.push_rule(Rule { kind, label: Symbol::NONE, scope, location });
    }

    pub(super) fn push_rule(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    // Names and places.

    /// Opens a scope: everything made until [`Graph::pop_scope`] belongs to it.
    pub fn push_scope(&mut self, name: &str) {
        let path = match self.scope.last() {
            Some(&outer) => format!("{}/{name}", self.names.text(outer)),
            None => name.to_owned(),
        };
        let symbol = self.names.intern(&path);
        self.scope.push(symbol);
    }

    /// Closes the innermost scope.
    pub fn pop_scope(&mut self) {
        self.scope.pop();
    }

    /// Names a value.
    pub fn set_label(&mut self, node: NodeId, label: &str) {
        let label = self.names.intern(label);
        self.dag[NodeIndex::new(node.index())].label = label;
    }

    /// Names the rule made last.
    pub fn set_rule_label(&mut self, label: &str) {
        let label = self.names.intern(label);
        if let Some(rule) = self.rules.last_mut() {
            rule.label = label;
        }
    }

    /// The source line of everything made from here on.
    pub fn set_location(&mut self, location: Option<&'static Location<'static>>) {
        self.location = location;
    }
}
