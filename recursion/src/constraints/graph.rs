//! A table's constraints as one graph without repetitions.
//!
//! Plonky3 records constraints as expressions that share operands by pointer. [`Constraints`] walks each
//! shared operand once and gives equal operations one node, so that its size is that of the recording. It
//! belongs to no field type: constants are canonical integers.

use std::collections::HashMap;
use std::sync::Arc;

use chipwright_ir::circuit::Constant;
use chipwright_ir::{Field, FieldPair};
use p3_air::symbolic::{
    BaseEntry, BaseLeaf, ExtEntry, ExtLeaf, SymLeaf, SymbolicExpr, SymbolicExpression,
    SymbolicExpressionExt,
};
use p3_field::{BasedVectorSpace, PrimeField64};

chipwright_ir::typed_index!(
    /// A node of a table's constraints.
    NodeId,
    "n"
);

/// What constraints are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leaf {
    /// A main-trace column, in this row or the next.
    Main {
        /// The position among the main-trace columns.
        column: usize,
        /// Whether it is the next row's.
        next: bool,
    },
    /// A preprocessed column, in this row or the next.
    Fixed {
        /// The position among the preprocessed columns.
        column: usize,
        /// Whether it is the next row's.
        next: bool,
    },
    /// A lookup column, an extension element, in this row or the next. The first is the running sum.
    Lookup {
        /// The position among the lookup columns.
        column: usize,
        /// Whether it is the next row's.
        next: bool,
    },
    /// A public value, by position.
    Public(usize),
    /// A periodic column, by position.
    Periodic(usize),
    /// The polynomial that vanishes on every row but the first.
    First,
    /// The polynomial that vanishes on every row but the last.
    Last,
    /// The polynomial that vanishes on the last row alone.
    Transition,
    /// What a message on the bus of a lookup is subtracted from; the lookup by position.
    Prefix(usize),
    /// The challenge that combines the elements of messages.
    Beta,
    /// The sum of all of the table's lookups.
    Terminal,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A value given from outside.
    Leaf(Leaf),
    /// A constant.
    Constant(Constant),
    /// `a + b`
    Add(NodeId, NodeId),
    /// `a − b`
    Sub(NodeId, NodeId),
    /// `a · b`
    Mul(NodeId, NodeId),
    /// `−a`
    Neg(NodeId),
}

impl Node {
    /// The nodes that the operation takes.
    pub fn operands(&self) -> impl Iterator<Item = NodeId> {
        let (a, b) = match *self {
            Self::Leaf(_) | Self::Constant(_) => (None, None),
            Self::Add(a, b) | Self::Sub(a, b) | Self::Mul(a, b) => (Some(a), Some(b)),
            Self::Neg(a) => (Some(a), None),
        };
        a.into_iter().chain(b)
    }
}

/// Constraints: a graph of operations, operands before users, and the nodes that have to be zero on every
/// row, in the order in which a verifier folds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraints {
    field: Field,
    nodes: Vec<Node>,
    roots: Vec<NodeId>,
}

impl Constraints {
    /// Constraints from their nodes, operands before users.
    pub(super) fn from_parts(field: Field, nodes: Vec<Node>, roots: Vec<NodeId>) -> Self {
        Self { field, nodes, roots }
    }

    /// The field of the table.
    pub fn field(&self) -> Field {
        self.field
    }

    /// The nodes, in topological order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The constraints, in the order of folding.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// The highest degree of a constraint, in multiples of the height.
    pub fn degree(&self) -> usize {
        let mut degrees: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let of = |id: NodeId| degrees[id.index()];
            degrees.push(match *node {
                Node::Leaf(
                    Leaf::Public(_)
                    | Leaf::Transition
                    | Leaf::Prefix(_)
                    | Leaf::Beta
                    | Leaf::Terminal,
                )
                | Node::Constant(_) => 0,
                Node::Leaf(_) => 1,
                Node::Add(a, b) | Node::Sub(a, b) => of(a).max(of(b)),
                Node::Mul(a, b) => of(a) + of(b),
                Node::Neg(a) => of(a),
            });
        }
        self.roots.iter().map(|root| degrees[root.index()]).max().unwrap_or(0)
    }

    /// The same without the constraint at a position: for tests that a constraint is needed. The powers of
    /// the challenge that fold the others are the same as before.
    #[must_use]
    pub fn without(&self, constraint: usize) -> Self {
        let mut others = self.clone();
        let zero = Node::Constant(Constant::zero());
        let id = NodeId::new(others.nodes.len());
        others.nodes.push(zero);
        if let Some(root) = others.roots.get_mut(constraint) {
            *root = id;
        }
        others
    }
}

/// Nodes in the making, each there once.
#[derive(Default)]
pub(super) struct Nodes {
    list: Vec<Node>,
    ids: HashMap<Node, NodeId>,
}

impl Nodes {
    /// The place of a node, which is added if it is new.
    pub(super) fn add(&mut self, node: Node) -> NodeId {
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        let id = NodeId::new(self.list.len());
        self.list.push(node.clone());
        self.ids.insert(node, id);
        id
    }

    /// The node at a place.
    pub(super) fn get(&self, id: NodeId) -> &Node {
        &self.list[id.index()]
    }

    /// All nodes, operands first.
    pub(super) fn into_list(self) -> Vec<Node> {
        self.list
    }
}

/// Reads expressions into a graph. Each is kept alive by the caller while reading, as shared operands are
/// known by their addresses.
pub(super) struct Reader<P: FieldPair> {
    nodes: Nodes,
    base: HashMap<*const SymbolicExpression<P::Base>, NodeId>,
    extension: HashMap<*const SymbolicExpressionExt<P::Base, P::Ext>, NodeId>,
}

/// A kind of expressions that [`Reader`] reads: what its leaves are, and where it is memoised.
trait Readable<P: FieldPair>: SymLeaf + Sized {
    fn memo(reader: &mut Reader<P>) -> &mut HashMap<*const SymbolicExpr<Self>, NodeId>;
    fn leaf(&self, reader: &mut Reader<P>) -> NodeId;
}

impl<P: FieldPair> Readable<P> for BaseLeaf<P::Base> {
    fn memo(reader: &mut Reader<P>) -> &mut HashMap<*const SymbolicExpr<Self>, NodeId> {
        &mut reader.base
    }

    fn leaf(&self, reader: &mut Reader<P>) -> NodeId {
        let leaf = match self {
            Self::Variable(variable) => {
                let column = variable.index;
                match variable.entry {
                    BaseEntry::Main { offset } => Leaf::Main { column, next: offset > 0 },
                    BaseEntry::Preprocessed { offset } => Leaf::Fixed { column, next: offset > 0 },
                    BaseEntry::Periodic => Leaf::Periodic(column),
                    BaseEntry::Public => Leaf::Public(column),
                }
            }
            Self::IsFirstRow => Leaf::First,
            Self::IsLastRow => Leaf::Last,
            Self::IsTransition => Leaf::Transition,
            Self::Constant(value) => {
                return reader.nodes.add(Node::Constant(Constant::felt(value.as_canonical_u64())));
            }
        };
        reader.nodes.add(Node::Leaf(leaf))
    }
}

impl<P: FieldPair> Readable<P> for ExtLeaf<P::Base, P::Ext> {
    fn memo(reader: &mut Reader<P>) -> &mut HashMap<*const SymbolicExpr<Self>, NodeId> {
        &mut reader.extension
    }

    fn leaf(&self, reader: &mut Reader<P>) -> NodeId {
        let leaf = match self {
            Self::Base(expression) => return reader.read(expression),
            Self::ExtConstant(value) => {
                let coefficients: &[P::Base] = value.as_basis_coefficients_slice();
                let coefficients: Vec<u64> =
                    coefficients.iter().map(PrimeField64::as_canonical_u64).collect();
                return reader.nodes.add(Node::Constant(Constant::ext(coefficients).trimmed()));
            }
            Self::ExtVariable(variable) => match variable.entry {
                ExtEntry::Permutation { offset } => {
                    Leaf::Lookup { column: variable.index, next: offset > 0 }
                }
                // Laid out as prefix, β, prefix, β, …: a pair for every lookup.
                ExtEntry::Challenge if variable.index % 2 == 0 => Leaf::Prefix(variable.index / 2),
                ExtEntry::Challenge => Leaf::Beta,
                ExtEntry::PermutationValue => Leaf::Terminal,
            },
        };
        reader.nodes.add(Node::Leaf(leaf))
    }
}

impl<P: FieldPair> Reader<P> {
    pub(super) fn new() -> Self {
        Self { nodes: Nodes::default(), base: HashMap::new(), extension: HashMap::new() }
    }

    pub(super) fn base(&mut self, expression: &SymbolicExpression<P::Base>) -> NodeId {
        self.read(expression)
    }

    pub(super) fn extension(
        &mut self,
        expression: &SymbolicExpressionExt<P::Base, P::Ext>,
    ) -> NodeId {
        self.read(expression)
    }

    pub(super) fn finish(self, roots: Vec<NodeId>) -> Constraints {
        Constraints { field: P::FIELD, nodes: self.nodes.into_list(), roots }
    }

    /// Reads an expression, operands first, without recursion: expressions may be deep.
    fn read<L: Readable<P>>(&mut self, root: &SymbolicExpr<L>) -> NodeId {
        let mut stack = vec![root];
        while let Some(&expression) = stack.last() {
            let address = std::ptr::from_ref(expression);
            if L::memo(self).contains_key(&address) {
                stack.pop();
                continue;
            }
            let operand = |this: &mut Self, operand: &Arc<SymbolicExpr<L>>| {
                L::memo(this).get(&Arc::as_ptr(operand)).copied()
            };
            let node = match expression {
                SymbolicExpr::Leaf(leaf) => Some(leaf.leaf(self)),
                SymbolicExpr::Add { x, y, .. }
                | SymbolicExpr::Sub { x, y, .. }
                | SymbolicExpr::Mul { x, y, .. } => {
                    match (operand(self, x), operand(self, y)) {
                        (Some(a), Some(b)) => {
                            // One order for operations that have none.
                            let (low, high) = (a.min(b), a.max(b));
                            Some(self.nodes.add(match expression {
                                SymbolicExpr::Add { .. } => Node::Add(low, high),
                                SymbolicExpr::Mul { .. } => Node::Mul(low, high),
                                _ => Node::Sub(a, b),
                            }))
                        }
                        _ => {
                            stack.extend([&**y, &**x]);
                            None
                        }
                    }
                }
                SymbolicExpr::Neg { x, .. } => match operand(self, x) {
                    Some(a) => Some(self.nodes.add(Node::Neg(a))),
                    None => {
                        stack.push(x);
                        None
                    }
                },
            };
            if let Some(node) = node {
                L::memo(self).insert(address, node);
                stack.pop();
            }
        }
        L::memo(self)[&std::ptr::from_ref(root)]
    }
}
