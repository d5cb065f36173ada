//! `share-common`: equal expressions are computed once.

use std::collections::{HashMap, HashSet};

use super::rewrite::Rewrite;
use crate::circuit::graph::{BinaryOp, Graph, NodeId, Op, RuleKind};
use crate::circuit::lower::LowerError;

/// Computes equal expressions once. Sums and products are equal whatever the order of their operands;
/// the accumulator of a `mul_add` is part of what makes it equal to another. Hints and calls are never
/// shared; of equal rules one stays, and none that demands a value to be itself.
///
/// # Errors
///
/// The graph connects a value with one that is computed from it.
pub fn share_common(graph: &Graph) -> Result<Graph, LowerError> {
    let mut rewrite = Rewrite::of(graph)?;
    let mut known = HashMap::<(Op, [NodeId; 3]), NodeId>::with_capacity(graph.len());
    let mut elements = HashMap::<Vec<NodeId>, NodeId>::new();
    for id in graph.ids() {
        let mut operands = graph.operands(id);
        operands.map(|operand| rewrite.mapped(operand));
        let shared = match graph.op(id) {
            op @ (Op::Const(_) | Op::Binary(_) | Op::MulAdd | Op::MulSub) => {
                let mut key = [NodeId::default(); 3];
                key[..operands.len()].copy_from_slice(&operands);
                let commutes = matches!(
                    op,
                    Op::Binary(BinaryOp::Add | BinaryOp::Mul) | Op::MulAdd | Op::MulSub
                );
                if commutes && key[0] > key[1] {
                    key.swap(0, 1);
                }
                Some(*known.entry((op, key)).or_insert_with(|| rewrite.copy(id)))
            }
            Op::FromCoefficients => {
                Some(*elements.entry(operands.to_vec()).or_insert_with(|| rewrite.copy(id)))
            }
            Op::Public(_) | Op::Private(_) | Op::Hint(_) | Op::Call(_) | Op::Output(_) => None,
        };
        match shared {
            Some(new) => rewrite.replace(id, new),
            None => {
                rewrite.copy(id);
            }
        }
    }
    let mut demanded = HashSet::new();
    Ok(rewrite.finish(|_, rule| {
        let key = match rule {
            RuleKind::Equal(a, b) if b < a => RuleKind::Equal(b, a),
            rule => rule,
        };
        // Two computations of one value are one now, and a value equals itself.
        let holds = matches!(key, RuleKind::Equal(a, b) if a == b);
        (!holds && demanded.insert(key)).then_some(rule)
    }))
}
