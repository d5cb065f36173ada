//! Products as multisets of factors, and what is known about nodes.

use std::collections::BTreeMap;

use super::{Lowering, Product, Reads};
use crate::chip::{Cell, ColumnKind, Node, NodeId};

impl Lowering {
    /// Parts of a product that a column could hold, each of degree 2 to `max`.
    pub(super) fn candidates(&mut self, product: &Product) -> Vec<Product> {
        let mut candidates: Vec<Product> = Vec::new();
        for next in [false, true] {
            let mut pool: Vec<(NodeId, usize, usize)> = Vec::new();
            for (factor, exponent) in product {
                let reads = self.reads(*factor);
                let fits = !reads.multiplicity && reads.next == next && reads.this != next;
                let degree = self.degree(*factor);
                if fits && degree <= self.max {
                    pool.push((*factor, *exponent, degree));
                }
            }
            pool.sort_by_key(|(factor, _, degree)| (std::cmp::Reverse(*degree), *factor));
            for (factor, exponent, degree) in &pool {
                for power in 1..=(self.max / degree).min(*exponent) {
                    candidates.push(Product::from([(*factor, power)]));
                }
            }
            let most = pool.iter().map(|(_, exponent, _)| *exponent).max().unwrap_or(0);
            for times in 1..=most.min(2 * self.max) {
                let mut room = self.max;
                let mut filled = Product::new();
                for (factor, exponent, degree) in &pool {
                    let copies = (exponent / times).min(room / degree);
                    if copies > 0 {
                        filled.insert(*factor, copies);
                        room -= copies * degree;
                    }
                }
                candidates.push(filled);
            }
        }
        candidates.retain(|candidate| self.total(candidate) >= 2);
        candidates
    }

    pub(super) fn reduction(&mut self, product: &Product, part: &Product) -> usize {
        divides(product, part) * self.total(part).saturating_sub(1)
    }

    pub(super) fn total(&mut self, product: &Product) -> usize {
        product.iter().map(|(factor, exponent)| self.degree(*factor) * exponent).sum()
    }

    /// The factors of a product with degree, and those without (constants and public values).
    pub(super) fn flatten(&mut self, node: NodeId) -> (Product, Vec<NodeId>) {
        let (mut product, mut scale) = (Product::new(), Vec::new());
        let mut pending = vec![node];
        // Squares of squares have exponentially many factors, but no more than the degree.
        while let Some(id) = pending.pop() {
            match self.chip.graph.node(id) {
                Node::Mul(a, b) => pending.extend([a, b]),
                _ if self.degree(id) == 0 => scale.push(id),
                _ => *product.entry(id).or_default() += 1,
            }
        }
        (product, scale)
    }

    pub(super) fn multiply(&mut self, product: &Product) -> NodeId {
        let mut result: Option<NodeId> = None;
        for (factor, exponent) in product {
            for _ in 0..*exponent {
                result = Some(match result {
                    None => *factor,
                    Some(result) => self.add(Node::Mul(result, *factor)),
                });
            }
        }
        result.unwrap_or_else(|| self.add(Node::Const(1)))
    }

    /// The same expression over this row instead of the next.
    pub(super) fn shift(&mut self, node: NodeId) -> NodeId {
        let mut order = Vec::new();
        let mut done = vec![false; node.index() + 1];
        crate::chip::outline::post_order(&self.chip, node, &mut done, |id| order.push(id));
        let mut map = BTreeMap::new();
        for id in order {
            let shifted = match self.chip.graph.node(id) {
                Node::Cell(cell) => Node::Cell(Cell { next: false, ..cell }),
                node => node.map_operands(|operand| map[&operand]),
            };
            let shifted = self.add(shifted);
            map.insert(id, shifted);
        }
        map[&node]
    }

    pub(super) fn add(&mut self, node: Node) -> NodeId {
        self.chip.graph.add(node)
    }

    pub(super) fn degree(&mut self, node: NodeId) -> usize {
        self.learn();
        self.degrees[node.index()]
    }

    pub(super) fn reads(&mut self, node: NodeId) -> Reads {
        self.learn();
        self.reads[node.index()]
    }

    /// Degrees and reads of the nodes that are new.
    pub(super) fn learn(&mut self) {
        let Self { chip, degrees, reads, .. } = self;
        for node in &chip.graph.nodes()[degrees.len()..] {
            let degree = |id: NodeId| degrees[id.index()];
            let own = match *node {
                Node::Cell(_) => 1,
                Node::Add(a, b) | Node::Sub(a, b) => degree(a).max(degree(b)),
                Node::Mul(a, b) => degree(a).saturating_add(degree(b)),
                Node::Neg(a) => degree(a),
                _ => 0,
            };
            let read = match *node {
                Node::Cell(Cell { column, next }) => Reads {
                    this: !next,
                    next,
                    multiplicity: chip.columns[column.index()].kind == ColumnKind::Multiplicity,
                },
                _ => node.operands().map(|id| reads[id.index()]).fold(
                    Reads::default(),
                    |a: Reads, b: Reads| Reads {
                        this: a.this || b.this,
                        next: a.next || b.next,
                        multiplicity: a.multiplicity || b.multiplicity,
                    },
                ),
            };
            degrees.push(own);
            reads.push(read);
        }
    }
}

pub(super) fn key(product: &Product) -> Vec<(NodeId, usize)> {
    product.iter().map(|(factor, exponent)| (*factor, *exponent)).collect()
}

/// How often `part` divides `product`.
pub(super) fn divides(product: &Product, part: &Product) -> usize {
    part.iter()
        .map(|(factor, exponent)| product.get(factor).map_or(0, |have| have / exponent))
        .min()
        .unwrap_or(0)
}
