//! The expression graph as a Graphviz picture, for people who would rather look than read.

use petgraph::dot::{Config, Dot};
use petgraph::visit::EdgeRef;

use super::graph::{Graph, NodeId, Op, Rule, RuleKind};
use super::print::PrintedNames;

impl Graph {
    /// The graph in the DOT language. Values that a rule speaks of have a double outline, and the
    /// rule's name beside them.
    pub fn to_dot(&self) -> String {
        let names = PrintedNames::of(self);
        let mut rules = vec![None::<&Rule>; self.len()];
        for rule in self.rules().iter().rev() {
            for id in rule.kind.nodes() {
                rules[id.index()] = Some(rule);
            }
        }
        let node = |_, (index, _): (petgraph::graph::NodeIndex, _)| {
            let id = NodeId::new(index.index());
            let mut label = match self.op(id) {
                Op::Const(constant) => {
                    self.constant_value(constant).display(self.field).to_string()
                }
                Op::Hint(hint) => format!("hint {}", self.hint_info(hint).kind),
                Op::Call(call) => format!("call {}", self.call_info(call).chip),
                Op::Binary(op) => format!("%{} = {op}", names.name(id)),
                Op::MulAdd => format!("%{} = mul_add", names.name(id)),
                Op::MulSub => format!("%{} = mul_sub", names.name(id)),
                Op::FromCoefficients => format!("%{} = from_coefficients", names.name(id)),
                Op::Public(index) => format!("%{} = public {index}", names.name(id)),
                Op::Private(index) => format!("%{} = private {index}", names.name(id)),
                Op::Output(index) => format!("%{} = output {index}", names.name(id)),
            };
            let mut outline = "";
            if let Some(rule) = rules[id.index()] {
                outline = ", peripheries = 2";
                label += match rule.kind {
                    RuleKind::Zero(_) => "\\n= 0",
                    RuleKind::Bit(_) => "\\nis a bit",
                    RuleKind::Equal(..) | RuleKind::Connect(..) => "\\nequal",
                };
                let name = self.names.text(rule.label);
                if !name.is_empty() {
                    label.push_str(": ");
                    label.push_str(name);
                }
            }
            format!("label = \"{}\"{outline}", label.replace('"', "'"))
        };
        // The positions of operands matter where they do not commute.
        let edge = |_, edge: petgraph::graph::EdgeReference<'_, u32>| match self
            .op(NodeId::new(edge.target().index()))
        {
            Op::Output(_) => String::new(),
            _ => format!("label = \"{}\"", edge.weight()),
        };
        let config = [Config::EdgeNoLabel, Config::NodeNoLabel];
        let dot = Dot::with_attr_getters(self.dag(), &config, &edge, &node);
        format!("{dot:?}")
    }
}
