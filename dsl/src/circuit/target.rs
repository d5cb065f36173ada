//! Targets: the values of a circuit, typed by what they hold.

use chipwright_ir::circuit::{Constant, Graph, NodeId, ValueType};
use p3_field::PrimeField64;
use p3_goldilocks::Goldilocks;
use p3_koala_bear::KoalaBear;

/// A base-field element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(pub(crate) NodeId);

/// An extension-field element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtTarget(pub(crate) NodeId);

/// A base-field element that is zero or one, by a rule or by what produced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitTarget(pub(crate) NodeId);

/// A target of any type, for lists of mixed types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnyTarget(pub(crate) NodeId);

/// A type of targets.
pub trait TargetType: Copy {
    /// What the targets hold.
    const TYPE: ValueType;

    /// The target of a node that is known to hold a value of the type.
    fn of(node: NodeId) -> Self;

    /// The node in the circuit's graph.
    fn id(self) -> NodeId;
}

macro_rules! target_type {
    ($($type:ident, $value:ident;)*) => {$(
        impl TargetType for $type {
            const TYPE: ValueType = ValueType::$value;

            fn of(node: NodeId) -> Self {
                Self(node)
            }

            fn id(self) -> NodeId {
                self.0
            }
        }

        impl Operand for $type {
            type Type = Self;

            fn node(self, _: &mut Graph) -> NodeId {
                self.0
            }
        }

        impl From<$type> for AnyTarget {
            fn from(target: $type) -> Self {
                Self(target.0)
            }
        }
    )*};
}

target_type! {
    Target, Felt;
    ExtTarget, Ext;
    BitTarget, Bit;
}

impl From<BitTarget> for Target {
    fn from(bit: BitTarget) -> Self {
        Self(bit.0)
    }
}

impl AnyTarget {
    /// The node in the circuit's graph.
    pub fn id(self) -> NodeId {
        self.0
    }
}

/// What the builder's operations take: targets, and constants.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a target nor a constant",
    note = "operands are Target, ExtTarget, BitTarget, i64 and base-field elements"
)]
pub trait Operand: Copy {
    /// The type of the target that the operand is or becomes.
    type Type: TargetType;

    /// The node of the operand; a constant is added to the circuit.
    fn node(self, graph: &mut Graph) -> NodeId;
}

impl Operand for i64 {
    type Type = Target;

    fn node(self, graph: &mut Graph) -> NodeId {
        let value = graph.field.reduce(self.into());
        graph.constant(Constant::felt(value))
    }
}

macro_rules! constant_operand {
    ($($type:ty),*) => {$(
        impl Operand for $type {
            type Type = Target;

            fn node(self, graph: &mut Graph) -> NodeId {
                graph.constant(Constant::felt(self.as_canonical_u64()))
            }
        }
    )*};
}

constant_operand!(Goldilocks, KoalaBear);

/// The type of a sum or a product: an extension element if one operand is.
pub trait Join<Other> {
    /// The type.
    type Output: TargetType;
}

macro_rules! join {
    ($($left:ident, $right:ident => $output:ident;)*) => {$(
        impl Join<$right> for $left {
            type Output = $output;
        }
    )*};
}

join! {
    Target, Target => Target;
    Target, BitTarget => Target;
    Target, ExtTarget => ExtTarget;
    BitTarget, Target => Target;
    BitTarget, BitTarget => Target;
    BitTarget, ExtTarget => ExtTarget;
    ExtTarget, Target => ExtTarget;
    ExtTarget, BitTarget => ExtTarget;
    ExtTarget, ExtTarget => ExtTarget;
}
