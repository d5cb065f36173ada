//! What a graph consists of: operations and rules.

use std::panic::Location;

use crate::circuit::call::{ChipCall, Signature};
use crate::circuit::hint::HintKind;
use crate::circuit::names::Symbol;
use crate::circuit::value::ValueType;

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

/// The result of [`Graph::call`](super::Graph::call).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// The node of the call itself.
    pub node: NodeId,
    /// The outputs.
    pub outputs: Vec<NodeId>,
    /// The position of the call's private data among the prover's inputs, if it has any.
    pub data: Option<u32>,
}

impl Default for NodeId {
    fn default() -> Self {
        Self(u32::MAX)
    }
}
