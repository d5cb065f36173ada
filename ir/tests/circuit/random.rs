//! Random circuits.
//!
//! A circuit is a list of steps; each step picks its operands among the values made so far. Constants
//! and inputs are small, so that rules between random values hold now and then, and zero, one and
//! repeated operands are frequent.

use chipwright_ir::Field;
use chipwright_ir::circuit::{BinaryOp, Constant, Graph, HintKind, NodeId, ValueType};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(crate) struct Step {
    kind: u8,
    a: u16,
    b: u16,
    c: u16,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0u8..30, any::<u16>(), any::<u16>(), any::<u16>());
    let step = step.prop_map(|(kind, a, b, c)| Step { kind, a, b, c });
    prop::collection::vec(step, 1..24)
}

pub(crate) fn build(field: Field, steps: &[Step]) -> Graph {
    let mut builder = Builder { graph: Graph::new("random", field), values: Vec::new() };
    builder.start();
    for step in steps {
        builder.step(step);
    }
    builder.graph
}

struct Builder {
    graph: Graph,
    values: Vec<NodeId>,
}

impl Builder {
    fn start(&mut self) {
        for ty in [ValueType::Felt, ValueType::Felt, ValueType::Ext] {
            let id = self.graph.public(ty);
            self.values.push(id);
        }
        let id = self.graph.private(ValueType::Felt);
        self.values.push(id);
        let id = self.graph.private(ValueType::Ext);
        self.values.push(id);
        for constant in [0, 1, 2] {
            let id = self.graph.constant(constant);
            self.values.push(id);
        }
        let mut coefficients = vec![0; self.graph.field.degree()];
        coefficients[1] = 1;
        let id = self.graph.constant(Constant::ext(coefficients));
        self.values.push(id);
    }

    fn pick(&self, index: u16) -> NodeId {
        // Recent values are picked more often, which makes deep circuits.
        let count = self.values.len();
        let recent = usize::from(index / 8) % count.min(6);
        let any = usize::from(index / 8) % count;
        self.values[if index.is_multiple_of(2) { any } else { count - 1 - recent }]
    }

    fn pick_base(&self, index: u16) -> NodeId {
        let id = self.pick(index);
        if self.graph.ty(id).is_ext() { self.values[usize::from(index) % 2] } else { id }
    }

    fn step(&mut self, step: &Step) {
        let (a, b, c) = (self.pick(step.a), self.pick(step.b), self.pick(step.c));
        let graph = &mut self.graph;
        let value = match step.kind {
            0..=4 => graph.binary(BinaryOp::Add, a, b),
            5..=7 => graph.binary(BinaryOp::Sub, a, b),
            8..=13 => graph.binary(BinaryOp::Mul, a, b),
            14 => graph.binary(BinaryOp::Div, a, b),
            15..=16 => graph.mul_add(a, b, c),
            17 => graph.mul_sub(a, b, c),
            18 => {
                let degree = graph.field.degree();
                let low = self.pick_base(step.a);
                let high = self.pick_base(step.b);
                let mut coefficients = vec![high; degree];
                coefficients[0] = low;
                self.graph.from_coefficients(&coefficients)
            }
            19 => {
                let coefficients = graph.coefficients(a);
                self.values.extend(&coefficients);
                coefficients[0]
            }
            20 => {
                let x = self.pick_base(step.a);
                let bits = self.graph.hint(HintKind::Bits(2), &[x]);
                for &bit in &bits {
                    self.graph.assert_bit(bit);
                }
                let two = self.values[7];
                let sum = self.graph.mul_add(bits[1], two, bits[0]);
                self.graph.assert_eq(sum, x);
                self.values.extend(&bits);
                sum
            }
            21 => {
                let inverse = graph.hint(HintKind::InverseOrZero, &[a])[0];
                let product = graph.binary(BinaryOp::Mul, a, inverse);
                let again = graph.binary(BinaryOp::Mul, product, a);
                graph.assert_eq(again, a);
                product
            }
            22 => graph.public(ValueType::Felt),
            23 => graph.constant(u64::from(step.a) % 5),
            24 => {
                graph.assert_zero(a);
                return;
            }
            25..=26 => {
                graph.assert_eq(a, b);
                return;
            }
            27 => {
                graph.connect(a, b);
                return;
            }
            _ => {
                graph.assert_bit(a);
                return;
            }
        };
        self.values.push(value);
    }
}
