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

use std::collections::HashMap;
use std::panic::Location;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::call::{ChipCall, Signature};
use super::hint::HintKind;
use super::names::{Names, Symbol};
use super::value::{Constant, ValueType};
use crate::field::Field;

crate::typed_index!(
    /// A node of the expression graph: an operation, and the value that it gives.
    NodeId,
    "%"
);
crate::typed_index!(
    /// A constant in the pool of the graph.
    ConstantId,
    "c"
);
crate::typed_index!(
    /// A hint of the circuit.
    HintId,
    "h"
);
crate::typed_index!(
    /// A call of the circuit.
    CallId,
    "call"
);

/// An operation with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BinaryOp {
    /// `a + b`
    Add,
    /// `a − b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`: the `c` with `b·c = a`. A divisor 0 is an error when the witness is generated.
    ///
    /// # Soundness
    ///
    /// The rule is `b·c = a`. With `a = b = 0` it leaves `c` free: a prover who writes his own witness
    /// generator may choose it. Where the divisor is not known to be non-zero, assert that it has an
    /// inverse.
    Div,
}

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// A constant.
    Const(ConstantId),
    /// A public input, by position.
    Public(u32),
    /// A private input, by position: supplied by the prover, bound only by the rules that use it.
    Private(u32),
    /// `a + b`, `a − b`, `a · b`, `a / b`.
    Binary(BinaryOp),
    /// `a·b + c`
    MulAdd,
    /// `c − a·b`, with operands in the order `a, b, c`.
    MulSub,
    /// The extension element with the given coefficients.
    FromCoefficients,
    /// A hint; its values are the [`Op::Output`] nodes behind it.
    Hint(HintId),
    /// A call of a chip; its values are the [`Op::Output`] nodes behind it.
    Call(CallId),
    /// An output, by position, of the hint or call that is the operand.
    Output(u32),
}

impl Op {
    /// Whether the node has a value. Hints and calls have outputs instead.
    pub fn has_value(self) -> bool {
        !matches!(self, Self::Hint(_) | Self::Call(_))
    }
}

/// A node of the graph.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// The type of the value (of no meaning for hints and calls).
    pub ty: ValueType,
    /// The name given by the author.
    pub label: Symbol,
    /// The path of scopes in which it was made.
    pub scope: Symbol,
    /// The source line that made it.
    pub location: Option<&'static Location<'static>>,
}

/// What a rule demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// `a = 0`
    Zero(NodeId),
    /// `a = b`
    Equal(NodeId, NodeId),
    /// `a` is 0 or 1
    Bit(NodeId),
    /// `a` and `b` are the same value: they share a slot. As a demand on values this is `a = b`; in
    /// addition, neither may be computed from the other.
    Connect(NodeId, NodeId),
}

impl RuleKind {
    /// The nodes of the rule.
    pub fn nodes(self) -> impl Iterator<Item = NodeId> {
        let (a, b) = match self {
            Self::Zero(a) | Self::Bit(a) => (a, None),
            Self::Equal(a, b) | Self::Connect(a, b) => (a, Some(b)),
        };
        std::iter::once(a).chain(b)
    }

    /// The same rule over other nodes.
    #[must_use]
    pub fn map(self, mut f: impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Zero(a) => Self::Zero(f(a)),
            Self::Bit(a) => Self::Bit(f(a)),
            Self::Equal(a, b) => Self::Equal(f(a), f(b)),
            Self::Connect(a, b) => Self::Connect(f(a), f(b)),
        }
    }
}

/// A rule with its name and source.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The demand.
    pub kind: RuleKind,
    /// The name given by the author.
    pub label: Symbol,
    /// The path of scopes in which it was made.
    pub scope: Symbol,
    /// The source line that made it.
    pub location: Option<&'static Location<'static>>,
}

/// A hint of the circuit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hint {
    /// What it computes.
    pub kind: HintKind,
    /// The types of its inputs, `felt` or `ext`.
    pub inputs: Vec<ValueType>,
    /// The types of its outputs.
    pub outputs: Vec<ValueType>,
}

/// A call of a chip.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// The chip, its parameters, the number of rows.
    pub chip: ChipCall,
    /// What it takes and gives.
    pub signature: Signature,
    /// The position of its private data among the prover's inputs, if it has any.
    pub data: Option<u32>,
}

/// The result of [`Graph::call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// The node of the call itself.
    pub node: NodeId,
    /// The outputs.
    pub outputs: Vec<NodeId>,
    /// The position of the call's private data among the prover's inputs, if it has any.
    pub data: Option<u32>,
}

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

    // Reading.

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

/// The operands of a node, in order. Up to three are kept in place.
#[derive(Clone, Debug, Default)]
pub struct Operands {
    short: [NodeId; 3],
    long: Vec<NodeId>,
    len: usize,
}

impl Default for NodeId {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Operands {
    fn set(&mut self, position: usize, node: NodeId) {
        if position < self.short.len() {
            self.short[position] = node;
        }
        if position >= self.short.len() || !self.long.is_empty() {
            let size = self.long.len().max(position + 1);
            if self.long.is_empty() {
                self.long.extend(self.short);
            }
            self.long.resize(size.max(self.long.len()), NodeId::default());
            self.long[position] = node;
        }
        self.len = self.len.max(position + 1);
    }

    pub(super) fn map(&mut self, mut f: impl FnMut(NodeId) -> NodeId) {
        let len = self.len;
        let slots =
            if self.long.is_empty() { &mut self.short[..len] } else { &mut self.long[..len] };
        for slot in slots {
            *slot = f(*slot);
        }
    }
}

impl std::ops::Deref for Operands {
    type Target = [NodeId];

    fn deref(&self) -> &[NodeId] {
        if self.long.is_empty() { &self.short[..self.len] } else { &self.long[..self.len] }
    }
}

/// What passes do to the names and types of nodes that they replace.
impl Graph {
    /// Gives a node the scope and source of the node that it is made from.
    pub(super) fn locate(&mut self, id: NodeId, like: &Node) {
        let node = &mut self.dag[NodeIndex::new(id.index())];
        node.scope = like.scope;
        node.location = node.location.or(like.location);
    }

    /// Gives a node what is known of a node that it stands for: a name, and (if its `assert_bit` will
    /// be one of this node) that it is a bit.
    pub(super) fn adopt(&mut self, id: NodeId, like: &Node, bit: bool) {
        let node = &mut self.dag[NodeIndex::new(id.index())];
        node.label = node.label.or(like.label);
        if bit && node.ty == ValueType::Felt && !matches!(node.op, Op::Const(_)) {
            node.ty = ValueType::Bit;
        }
    }

    /// Gives operations the types that follow from all rules of the circuit, wherever they stand: a
    /// product of bits is a bit, also if the `assert_bit` came after it.
    pub(super) fn settle_types(&mut self) {
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
    pub(super) fn forget_label(&mut self, id: NodeId) {
        self.dag[NodeIndex::new(id.index())].label = Symbol::NONE;
    }
}

impl Graph {
    /// The graph as its text has it: values have the names that they are printed with; scopes, source
    /// lines and constants that nothing refers to are gone.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut graph = self.clone();
        for (id, name) in super::print::printed_labels(self) {
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
