//! `fuse`: products that are used once, in a sum, become `mul_add`.
//!
//! A sum of additions that are each used once is flattened to its terms. Terms that are products used
//! once become `mul_add` rows that carry the partial sum: a Horner step is one row, a dot product of
//! `n` terms is `n` rows whatever the shape of the tree. Base elements are summed before extension
//! elements, so that the former stay in the cheaper table.

use super::rewrite::Rewrite;
use crate::circuit::graph::{BinaryOp, Graph, NodeId, Op};
use crate::circuit::lower::LowerError;

/// Fuses multiplications with the additions and subtractions that use them.
///
/// # Errors
///
/// The graph connects a value with one that is computed from it.
pub fn fuse(graph: &Graph) -> Result<Graph, LowerError> {
    let mut pass = Fuse { rewrite: Rewrite::of(graph)?, uses: Uses::of(graph) };
    for id in graph.ids() {
        pass.node(id);
    }
    Ok(pass.rewrite.finish(|_, rule| Some(rule)))
}

/// How often nodes are used, and by what.
struct Uses {
    count: Vec<u32>,
    /// Used by an addition.
    by_add: Vec<bool>,
    /// Used as what a subtraction takes away.
    by_sub: Vec<bool>,
}

impl Uses {
    fn of(graph: &Graph) -> Self {
        let mut uses = Self {
            count: vec![0; graph.len()],
            by_add: vec![false; graph.len()],
            by_sub: vec![false; graph.len()],
        };
        for id in graph.ids() {
            let op = graph.op(id);
            for (i, operand) in graph.operands(id).iter().enumerate() {
                uses.count[operand.index()] += 1;
                uses.by_add[operand.index()] |= op == Op::Binary(BinaryOp::Add);
                uses.by_sub[operand.index()] |= op == Op::Binary(BinaryOp::Sub) && i == 1;
            }
        }
        for rule in graph.rules() {
            for id in rule.kind.nodes() {
                uses.count[id.index()] += 1;
            }
        }
        uses
    }
}

struct Fuse<'a> {
    rewrite: Rewrite<'a>,
    uses: Uses,
}

impl Fuse<'_> {
    fn node(&mut self, id: NodeId) {
        if self.is_inner_sum(id) || self.is_fused_product(id) {
            return;
        }
        match self.rewrite.old.op(id) {
            Op::Binary(BinaryOp::Add) => self.sum(id),
            Op::Binary(BinaryOp::Sub) => self.difference(id),
            _ => {
                self.rewrite.copy(id);
            }
        }
    }

    /// An addition used once, by another addition, and without a name of its own.
    fn is_inner_sum(&self, id: NodeId) -> bool {
        let graph = self.rewrite.old;
        graph.op(id) == Op::Binary(BinaryOp::Add)
            && self.uses.count[id.index()] == 1
            && self.uses.by_add[id.index()]
            && graph.node(id).label.is_none()
    }

    /// A product used once, by an addition or as what a subtraction takes away.
    fn is_fused_product(&self, id: NodeId) -> bool {
        self.rewrite.old.op(id) == Op::Binary(BinaryOp::Mul)
            && self.uses.count[id.index()] == 1
            && (self.uses.by_add[id.index()] || self.uses.by_sub[id.index()])
    }

    fn factors(&self, product: NodeId) -> [NodeId; 2] {
        let factors = self.rewrite.old.operands(product);
        [self.rewrite.mapped(factors[0]), self.rewrite.mapped(factors[1])]
    }

    fn difference(&mut self, id: NodeId) {
        let operands = self.rewrite.old.operands(id);
        if !self.is_fused_product(operands[1]) {
            self.rewrite.copy(id);
            return;
        }
        let [a, b] = self.factors(operands[1]);
        let c = self.rewrite.mapped(operands[0]);
        let new = self.rewrite.emit(id, Op::MulSub, &[a, b, c]);
        self.rewrite.replace(id, new);
    }

    fn sum(&mut self, id: NodeId) {
        let graph = self.rewrite.old;
        let (mut products, mut others) = (Vec::new(), Vec::new());
        let mut stack = vec![id];
        while let Some(term) = stack.pop() {
            if term == id || self.is_inner_sum(term) {
                stack.extend(graph.operands(term).iter().rev());
            } else if self.is_fused_product(term) {
                products.push(term);
            } else {
                others.push(term);
            }
        }
        if products.is_empty() {
            self.additions(id);
            return;
        }
        let is_ext = |term: &NodeId| graph.ty(*term).is_ext();
        let (ext_products, products) = products.into_iter().partition(is_ext);
        let (ext_others, others) = others.into_iter().partition(is_ext);
        let mut sum = None;
        self.accumulate(id, &mut sum, products, others);
        self.accumulate(id, &mut sum, ext_products, ext_others);
        if let Some(sum) = sum {
            self.rewrite.replace(id, sum);
        }
    }

    /// Adds terms to a partial sum: one that is no product starts it, then the products follow.
    fn accumulate(
        &mut self,
        id: NodeId,
        sum: &mut Option<NodeId>,
        products: Vec<NodeId>,
        others: Vec<NodeId>,
    ) {
        let mut others = others.into_iter().map(|term| self.rewrite.mapped(term));
        *sum = sum.or_else(|| others.next());
        let others: Vec<_> = others.collect();
        for product in products {
            let [a, b] = self.factors(product);
            *sum = Some(match *sum {
                Some(sum) => self.partial(id, Op::MulAdd, &[a, b, sum]),
                None => self.partial(product, Op::Binary(BinaryOp::Mul), &[a, b]),
            });
        }
        for other in others {
            *sum = Some(match *sum {
                Some(sum) => self.partial(id, Op::Binary(BinaryOp::Add), &[sum, other]),
                None => other,
            });
        }
    }

    /// A partial sum: it has the source of the sum, but neither its name nor its type.
    fn partial(&mut self, like: NodeId, op: Op, operands: &[NodeId]) -> NodeId {
        let id = self.rewrite.emit(like, op, operands);
        self.rewrite.new.forget_label(id);
        id
    }

    /// A sum without products: as it was, inner sums included.
    fn additions(&mut self, id: NodeId) {
        let graph = self.rewrite.old;
        let mut order = Vec::new();
        let mut stack = vec![id];
        while let Some(term) = stack.pop() {
            order.push(term);
            let operands = graph.operands(term);
            stack.extend(operands.iter().copied().filter(|&term| self.is_inner_sum(term)));
        }
        order.sort_unstable();
        for term in order {
            self.rewrite.copy(term);
        }
    }
}
