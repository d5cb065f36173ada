//! The same polynomials by operations that make fewer rows.
//!
//! A row of the arithmetic tables is `a·b + c`, with any sign of the product. So a product pays only for what
//! is around it: `x·(x − 1)` is two rows, `x·x − x` is one; `x + y − x·2y` is three, `y + x·(1 − 2y)` is two;
//! and `acc + acc + bit` is one as soon as `acc + acc` is a product by two.

use chipwright_ir::circuit::Constant;

use super::graph::{Constraints, Node, NodeId, Nodes};

/// Rewrites constraints for rows. Values, and the order of the constraints, stay as they are.
pub(super) fn rewrite(constraints: &Constraints) -> Constraints {
    let mut pass = Rewrite { nodes: Nodes::default() };
    let minus_one = Node::Constant(Constant::felt(constraints.field().reduce(-1)));
    let uses = Uses::of(constraints);
    let mut new: Vec<NodeId> = Vec::with_capacity(constraints.nodes().len());
    for (index, node) in constraints.nodes().iter().enumerate() {
        let of = |id: NodeId| new[id.index()];
        let id = match *node {
            Node::Leaf(_) | Node::Constant(_) => pass.nodes.add(node.clone()),
            Node::Neg(a) => pass.nodes.add(Node::Neg(of(a))),
            Node::Add(a, b) if a == b => pass.product(Constant::felt(2), of(a)),
            Node::Add(a, b) => pass.add(of(a), of(b)),
            Node::Sub(a, b) => match uses.exclusive_or(constraints, a, b) {
                Some((x, y, z)) => {
                    let one = pass.constant(Constant::one());
                    let complement = pass.nodes.add(Node::Sub(one, of(z)));
                    let product = pass.mul(of(x), complement);
                    pass.add(of(y), product)
                }
                None => pass.nodes.add(Node::Sub(of(a), of(b))),
            },
            Node::Mul(a, b) => {
                let expanded = if uses.only_in_sum[index] || uses.guarded[index] {
                    None
                } else {
                    let (a, b) = (of(a), of(b));
                    pass.expanded(a, b, &minus_one).or_else(|| pass.expanded(b, a, &minus_one))
                };
                expanded.unwrap_or_else(|| pass.mul(of(a), of(b)))
            }
        };
        new.push(id);
    }
    let roots = constraints.roots().iter().map(|root| new[root.index()]).collect();
    Constraints::from_parts(constraints.field(), pass.nodes.into_list(), roots)
}

/// How nodes are used.
struct Uses {
    count: Vec<u32>,
    /// Used once, by an addition or a subtraction, of which a product then is a part.
    only_in_sum: Vec<bool>,
    /// A constraint that shares a factor with the one before or after it.
    guarded: Vec<bool>,
}

impl Uses {
    fn of(constraints: &Constraints) -> Self {
        let mut count = vec![0; constraints.nodes().len()];
        let mut in_sum = vec![false; count.len()];
        for node in constraints.nodes() {
            for operand in node.operands() {
                count[operand.index()] += 1;
                in_sum[operand.index()] |= matches!(node, Node::Add(..) | Node::Sub(..));
            }
        }
        for root in constraints.roots() {
            count[root.index()] += 1;
        }
        let only_in_sum = in_sum.iter().zip(&count).map(|(&sum, &count)| sum && count == 1);
        let mut guarded = vec![false; count.len()];
        for pair in constraints.roots().windows(2) {
            if let (&Node::Mul(a, b), &Node::Mul(c, d)) =
                (constraints.node(pair[0]), constraints.node(pair[1]))
                && (a == c || a == d || b == c || b == d)
            {
                guarded[pair[0].index()] = true;
                guarded[pair[1].index()] = true;
            }
        }
        Self { only_in_sum: only_in_sum.collect(), guarded, count }
    }

    /// `x`, `y` and `z` of `(x + y) − x·z`, if neither the sum nor the product is used elsewhere.
    fn exclusive_or(
        &self,
        constraints: &Constraints,
        sum: NodeId,
        product: NodeId,
    ) -> Option<(NodeId, NodeId, NodeId)> {
        let (&Node::Add(a, b), &Node::Mul(c, d)) =
            (constraints.node(sum), constraints.node(product))
        else {
            return None;
        };
        if a == b || self.count[sum.index()] > 1 || self.count[product.index()] > 1 {
            return None;
        }
        let matches = [(a, b, c, d), (a, b, d, c), (b, a, c, d), (b, a, d, c)];
        matches.into_iter().find(|&(x, _, factor, _)| x == factor).map(|(x, y, _, z)| (x, y, z))
    }
}

struct Rewrite {
    nodes: Nodes,
}

impl Rewrite {
    /// `a·(b ± 1)` as `a·b ± a`, and `a·(1 − b)` as `a − a·b`.
    fn expanded(&mut self, a: NodeId, sum: NodeId, minus_one: &Node) -> Option<NodeId> {
        let one = Node::Constant(Constant::one());
        let is = |this: &Self, id: NodeId, node: &Node| this.nodes.get(id) == node;
        match *self.nodes.get(sum) {
            Node::Sub(b, k) if is(self, k, &one) => {
                let product = self.mul(a, b);
                Some(self.nodes.add(Node::Sub(product, a)))
            }
            Node::Sub(k, b) if is(self, k, &one) => {
                let product = self.mul(a, b);
                Some(self.nodes.add(Node::Sub(a, product)))
            }
            Node::Add(b, k) | Node::Add(k, b) if is(self, k, &one) => {
                let product = self.mul(a, b);
                Some(self.add(product, a))
            }
            Node::Add(b, k) | Node::Add(k, b) if is(self, k, minus_one) => {
                let product = self.mul(a, b);
                Some(self.nodes.add(Node::Sub(product, a)))
            }
            _ => None,
        }
    }

    fn product(&mut self, constant: Constant, a: NodeId) -> NodeId {
        let constant = self.constant(constant);
        self.mul(constant, a)
    }

    fn constant(&mut self, constant: Constant) -> NodeId {
        self.nodes.add(Node::Constant(constant))
    }

    fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.nodes.add(Node::Add(a.min(b), a.max(b)))
    }

    fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.nodes.add(Node::Mul(a.min(b), a.max(b)))
    }
}
