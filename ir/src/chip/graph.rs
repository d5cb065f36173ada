//! The expressions of a chip: an arena of nodes in topological order.
//!
//! A node refers only to nodes before it, so every walk is a loop over a vector. Nodes are hash-consed:
//! building the same node twice gives the same [`NodeId`]. There are two kinds. *Field* nodes are
//! polynomials over cells and public values; rules and messages are made of them. *Integer* nodes are
//! advice, computed on canonical integers while a row is filled; only fills may use them.

use std::collections::HashMap;

use super::{Cell, CellType, Column, ColumnKind, NodeId, PublicId};

/// An operation of the expression graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Node {
    /// A base-field constant, canonical.
    Const(u64),
    /// A cell of this row or the next.
    Cell(Cell),
    /// A public value.
    Public(PublicId),
    /// A sum.
    Add(NodeId, NodeId),
    /// A difference.
    Sub(NodeId, NodeId),
    /// A product.
    Mul(NodeId, NodeId),
    /// A negation.
    Neg(NodeId),
    /// Integer: the canonical representative of a field node.
    Int(NodeId),
    /// Integer: a constant.
    IntConst(u128),
    /// Integer: an operation on two integer nodes.
    IntOp(IntOp, NodeId, NodeId),
    /// Integer: the second node where the first is non-zero, else the third.
    IntSelect(NodeId, NodeId, NodeId),
    /// Integer: the inverse of a field node, or zero where the node is zero.
    Inverse(NodeId),
}

impl Node {
    /// Whether the node is an integer (advice) node.
    pub const fn is_integer(self) -> bool {
        matches!(
            self,
            Self::Int(_)
                | Self::IntConst(_)
                | Self::IntOp(..)
                | Self::IntSelect(..)
                | Self::Inverse(_)
        )
    }

    /// The operands, in order.
    pub fn operands(self) -> impl Iterator<Item = NodeId> {
        let operands = match self {
            Self::Const(_) | Self::Cell(_) | Self::Public(_) | Self::IntConst(_) => {
                [None, None, None]
            }
            Self::Neg(a) | Self::Int(a) | Self::Inverse(a) => [Some(a), None, None],
            Self::Add(a, b) | Self::Sub(a, b) | Self::Mul(a, b) | Self::IntOp(_, a, b) => {
                [Some(a), Some(b), None]
            }
            Self::IntSelect(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        operands.into_iter().flatten()
    }

    /// The same node with every operand replaced.
    #[must_use]
    pub fn map_operands(self, mut f: impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Const(_) | Self::Cell(_) | Self::Public(_) | Self::IntConst(_) => self,
            Self::Neg(a) => Self::Neg(f(a)),
            Self::Int(a) => Self::Int(f(a)),
            Self::Inverse(a) => Self::Inverse(f(a)),
            Self::Add(a, b) => Self::Add(f(a), f(b)),
            Self::Sub(a, b) => Self::Sub(f(a), f(b)),
            Self::Mul(a, b) => Self::Mul(f(a), f(b)),
            Self::IntOp(op, a, b) => Self::IntOp(op, f(a), f(b)),
            Self::IntSelect(a, b, c) => Self::IntSelect(f(a), f(b), f(c)),
        }
    }
}

/// An operation on 128-bit unsigned integers; sums, differences and products wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntOp {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient; zero if the divisor is zero.
    Div,
    /// Remainder; the dividend if the divisor is zero.
    Rem,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// Shift to the left; zero from 128 bits on.
    Shl,
    /// Shift to the right; zero from 128 bits on.
    Shr,
    /// One if less, else zero.
    Less,
    /// One if equal, else zero.
    Equal,
}

/// A hash-consed arena of nodes, in topological order.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    ids: HashMap<Node, NodeId>,
}

impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node, or finds it.
    ///
    /// # Panics
    ///
    /// Panics if an operand is not in the graph yet.
    pub fn add(&mut self, node: Node) -> NodeId {
        assert!(
            node.operands().all(|operand| operand.index() < self.nodes.len()),
            "operands come before their users"
        );
        *self.ids.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            NodeId::new(self.nodes.len() - 1)
        })
    }

    /// All nodes, operands before users.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node with an index.
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes[id.index()]
    }

    /// The degree of a field node in the trace polynomials; fixed and periodic columns count as one,
    /// public values and constants as zero.
    pub fn degree(&self, id: NodeId, columns: &[Column]) -> usize {
        let mut degrees: Vec<usize> = Vec::with_capacity(id.index() + 1);
        for node in &self.nodes[..=id.index()] {
            degrees.push(node_degree(*node, |operand| degrees[operand.index()], columns));
        }
        degrees[id.index()]
    }

    /// [`Self::degree`] of every node, in one pass. Integer nodes have degree zero.
    pub fn degrees(&self, columns: &[Column]) -> Vec<usize> {
        let mut degrees: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            degrees.push(node_degree(*node, |operand| degrees[operand.index()], columns));
        }
        degrees
    }

    /// The set that each field node's canonical value lies in, as an inclusive interval of integers
    /// computed without wrapping; `None` where the interval leaves `0 … p − 1` or nothing is known.
    pub fn intervals(&self, columns: &[Column], modulus: u64) -> Vec<Option<(u64, u64)>> {
        let mut intervals: Vec<Option<(u64, u64)>> = Vec::with_capacity(self.nodes.len());
        let checked = |low: i128, high: i128| {
            (low >= 0 && high < i128::from(modulus)).then_some((low as u64, high as u64))
        };
        for node in &self.nodes {
            let of = |id: NodeId| intervals[id.index()];
            let interval = match *node {
                Node::Const(value) => Some((value, value)),
                Node::Cell(cell) => match columns[cell.column.index()].ty {
                    CellType::Bits(bits) => checked(0, (1_i128 << bits) - 1),
                    CellType::Felt | CellType::Coordinate(_) => None,
                },
                Node::Add(a, b) => of(a).zip(of(b)).and_then(|(a, b)| {
                    checked(i128::from(a.0) + i128::from(b.0), i128::from(a.1) + i128::from(b.1))
                }),
                Node::Sub(a, b) => of(a).zip(of(b)).and_then(|(a, b)| {
                    checked(i128::from(a.0) - i128::from(b.1), i128::from(a.1) - i128::from(b.0))
                }),
                Node::Mul(a, b) => of(a).zip(of(b)).and_then(|(a, b)| {
                    checked(
                        i128::from(a.0) * i128::from(b.0),
                        i128::from(a.1).checked_mul(i128::from(b.1)).unwrap_or(i128::MAX),
                    )
                }),
                _ => None,
            };
            intervals.push(interval);
        }
        intervals
    }
}

fn node_degree(node: Node, of: impl Fn(NodeId) -> usize, columns: &[Column]) -> usize {
    match node {
        Node::Cell(cell) => {
            debug_assert!(!cell.next || columns[cell.column.index()].kind != ColumnKind::Periodic);
            1
        }
        Node::Add(a, b) | Node::Sub(a, b) => of(a).max(of(b)),
        Node::Mul(a, b) => of(a).saturating_add(of(b)),
        Node::Neg(a) => of(a),
        // Constants and public values are the same on every row; integers never reach a polynomial.
        _ => 0,
    }
}
