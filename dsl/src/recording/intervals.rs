//! Which integers an expression can take, so that a split is known not to wrap.
//!
//! The analysis computes over the integers, not modulo the field's order: an interval that stays within
//! `0 .. p` at the end is also the interval of the canonical value, whatever happened in between.

use chipwright_ir::chip::{CellType, Node, NodeId};

use super::State;

/// An inclusive interval of integers.
pub(crate) type Interval = (i128, i128);

impl State {
    /// The interval of a node, or the name of what makes it unbounded.
    pub(crate) fn interval(&self, id: NodeId) -> Result<Interval, String> {
        let mut known: Vec<Option<Interval>> = Vec::with_capacity(id.index() + 1);
        for node in &self.graph.nodes()[..=id.index()] {
            known.push(self.step(*node, |operand| known[operand.index()]));
        }
        known[id.index()].ok_or_else(|| self.culprit(id, &known))
    }

    fn step(&self, node: Node, of: impl Fn(NodeId) -> Option<Interval>) -> Option<Interval> {
        match node {
            Node::Const(value) => {
                let value = i128::from(value);
                let modulus = i128::from(self.field.modulus());
                let signed = if value > modulus / 2 { value - modulus } else { value };
                Some((signed, signed))
            }
            Node::Cell(cell) => match self.columns[cell.column.index()].ty {
                CellType::Bits(bits) => Some((0, (1 << bits) - 1)),
                _ => None,
            },
            Node::Add(a, b) => {
                let (a, b) = (of(a)?, of(b)?);
                Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?))
            }
            Node::Sub(a, b) => {
                let (a, b) = (of(a)?, of(b)?);
                Some((a.0.checked_sub(b.1)?, a.1.checked_sub(b.0)?))
            }
            Node::Neg(a) => of(a).map(|a| (-a.1, -a.0)),
            // Flags appear as `1 − bit`, whose square and products stay within the corner products.
            Node::Mul(a, b) => {
                let (a, b) = (of(a)?, of(b)?);
                let corners = [
                    a.0.checked_mul(b.0)?,
                    a.0.checked_mul(b.1)?,
                    a.1.checked_mul(b.0)?,
                    a.1.checked_mul(b.1)?,
                ];
                Some((
                    corners.into_iter().fold(i128::MAX, i128::min),
                    corners.into_iter().fold(i128::MIN, i128::max),
                ))
            }
            _ => None,
        }
    }

    /// The first cell or public value below a node of which nothing is known.
    fn culprit(&self, id: NodeId, known: &[Option<Interval>]) -> String {
        let mut id = id;
        loop {
            match self.graph.node(id) {
                Node::Cell(cell) => {
                    return format!("`{}`", self.columns[cell.column.index()].name);
                }
                Node::Public(public) => {
                    return format!("public value `{}`", self.publics[public.index()].name);
                }
                node => match node.operands().find(|operand| known[operand.index()].is_none()) {
                    Some(operand) => id = operand,
                    None => return "a product beyond 127 bits".to_owned(),
                },
            }
        }
    }
}
