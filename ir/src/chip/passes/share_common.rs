//! Computes what is the same only once: constants are folded, sums and products are ordered, neutral
//! elements vanish, and rules and messages that say the same are merged.
//!
//! Equal nodes are one node by construction of the graph; this pass makes more nodes equal.

use std::collections::BTreeSet;

use super::build;
use crate::chip::{Chip, Graph, IntOp, Node, NodeId};

/// The chip with simplified expressions and without repeated rules. What it accepts stays the same.
#[must_use]
pub fn share_common(chip: &Chip) -> Chip {
    let modulus = chip.field.modulus();
    let mut chip = build::rebuild(chip, |graph, node| simplify(graph, node, modulus));
    let mut seen = BTreeSet::new();
    chip.rules.retain(|rule| {
        let sides = (rule.left.min(rule.right), rule.left.max(rule.right));
        rule.left != rule.right && seen.insert((rule.section, rule.guard, sides))
    });
    build::collect(&chip)
}

/// Adds a node, or finds a simpler one with the same value.
fn simplify(graph: &mut Graph, node: Node, modulus: u64) -> NodeId {
    let constant = |graph: &Graph, id: NodeId| match graph.node(id) {
        Node::Const(value) => Some(value),
        _ => None,
    };
    let reduced = |value: u128| Node::Const((value % u128::from(modulus)) as u64);
    let node = match node {
        Node::Add(a, b) => match (constant(graph, a), constant(graph, b)) {
            (Some(a), Some(b)) => reduced(u128::from(a) + u128::from(b)),
            (Some(0), None) => return b,
            (None, Some(0)) => return a,
            _ => Node::Add(a.min(b), a.max(b)),
        },
        Node::Sub(a, b) if a == b => Node::Const(0),
        Node::Sub(a, b) => match (constant(graph, a), constant(graph, b)) {
            (Some(a), Some(b)) => reduced(u128::from(a) + u128::from(modulus - b)),
            (None, Some(0)) => return a,
            _ => node,
        },
        Node::Mul(a, b) => match (constant(graph, a), constant(graph, b)) {
            (Some(a), Some(b)) => reduced(u128::from(a) * u128::from(b)),
            (Some(0), None) | (None, Some(0)) => Node::Const(0),
            (Some(1), None) => return b,
            (None, Some(1)) => return a,
            _ => Node::Mul(a.min(b), a.max(b)),
        },
        Node::Neg(a) => match graph.node(a) {
            Node::Const(value) => reduced(u128::from(modulus - value)),
            Node::Neg(inner) => return inner,
            _ => node,
        },
        Node::IntOp(op, a, b) => {
            let commutes = matches!(
                op,
                IntOp::Add | IntOp::Mul | IntOp::And | IntOp::Or | IntOp::Xor | IntOp::Equal
            );
            match (graph.node(a), graph.node(b)) {
                (Node::IntConst(a), Node::IntConst(b)) => Node::IntConst(op.apply(a, b)),
                _ if commutes => Node::IntOp(op, a.min(b), a.max(b)),
                _ => node,
            }
        }
        Node::Int(a) => match constant(graph, a) {
            Some(value) => Node::IntConst(value.into()),
            None => node,
        },
        _ => node,
    };
    graph.add(node)
}
