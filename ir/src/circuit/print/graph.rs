//! Text of stage `expr`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use super::{header, label, line, place, word_or_text};
use crate::circuit::call::{CallPort, Signature};
use crate::circuit::graph::{BinaryOp, Call, Graph, NodeId, Op, Rule, RuleKind};
use crate::circuit::rows::Origin;
use crate::circuit::value::ValueType;

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = PrintedNames::of(self);
        header(f, &self.name, self.field, "expr")?;
        for id in self.ids() {
            if matches!(self.op(id), Op::Output(_)) {
                continue;
            }
            let node = self.node(id);
            let mut comment = String::new();
            if f.alternate() {
                let origin =
                    Origin { label: node.label, scope: node.scope, location: node.location };
                comment.push_str(place(&self.names, origin).trim());
            }
            line(f, &format!("  {}", names.node(self, id)), &comment)?;
        }
        for rule in self.rules() {
            let origin = Origin { label: rule.label, scope: rule.scope, location: rule.location };
            let mut comment = label(&self.names, origin);
            if f.alternate() {
                comment += &place(&self.names, origin);
            }
            line(f, &format!("  {}", names.rule(rule)), &comment)?;
        }
        writeln!(f, "}}")
    }
}

/// The names that labelled values have in the text, without the `%`.
pub(in crate::circuit) fn printed_labels(graph: &Graph) -> BTreeMap<NodeId, String> {
    PrintedNames::of(graph).labels
}

/// What stands for each node: its label, or else its number among the nodes without one.
#[derive(Debug)]
pub(in crate::circuit) struct PrintedNames {
    numbers: Vec<u32>,
    labels: BTreeMap<NodeId, String>,
}

impl PrintedNames {
    pub(in crate::circuit) fn of(graph: &Graph) -> Self {
        let mut numbers = Vec::with_capacity(graph.len());
        let mut labels = BTreeMap::new();
        let mut used = BTreeSet::new();
        let mut next = 0;
        for id in graph.ids() {
            numbers.push(next);
            if !graph.op(id).has_value() {
                continue;
            }
            let label = graph.names.text(graph.node(id).label);
            if label.is_empty() {
                next += 1;
            } else {
                let label = clean(label);
                let mut name = label.clone();
                let mut suffix = 0;
                while !used.insert(name.clone()) {
                    suffix += 1;
                    name = format!("{label}.{suffix}");
                }
                labels.insert(id, name);
            }
        }
        Self { numbers, labels }
    }

    pub(in crate::circuit) fn name(&self, id: NodeId) -> String {
        match self.labels.get(&id) {
            Some(label) => label.clone(),
            None => self.numbers.get(id.index()).map_or_else(|| "?".into(), u32::to_string),
        }
    }

    fn list(&self, ids: &[NodeId]) -> String {
        let names: Vec<_> = ids.iter().map(|&id| format!("%{}", self.name(id))).collect();
        names.join(", ")
    }

    fn node(&self, graph: &Graph, id: NodeId) -> String {
        let operands = graph.operands(id);
        let ty = graph.ty(id);
        let name = self.name(id);
        let annotated = |op: String| match ty {
            ValueType::Felt => format!("%{name} = {op}"),
            _ => format!("%{name} = {op} : {ty}"),
        };
        match graph.op(id) {
            Op::Const(constant) => {
                let value = graph.constant_value(constant).display(graph.field);
                format!("%{name} = const {value}")
            }
            Op::Public(index) => annotated(format!("public {index}")),
            Op::Private(index) => annotated(format!("private {index}")),
            Op::Binary(op) => format!("%{name} = {op} {}", self.list(&operands)),
            Op::MulAdd => format!("%{name} = mul_add {}", self.list(&operands)),
            Op::MulSub => format!("%{name} = mul_sub {}", self.list(&operands)),
            Op::FromCoefficients => {
                format!("%{name} = from_coefficients {}", self.list(&operands))
            }
            Op::Hint(hint) => {
                let hint = graph.hint_info(hint);
                let outputs = self.outputs(id, hint.outputs.len());
                let text = format!("{outputs}hint {}({})", hint.kind, self.list(&operands));
                let external = matches!(hint.kind, crate::circuit::HintKind::Extern { .. });
                text + &types_text(if external { &hint.outputs } else { &[] })
            }
            Op::Call(call) => {
                let call = graph.call_info(call);
                let outputs = self.outputs(id, call.signature.outputs.len());
                let inputs = operands.iter().map(|&o| (format!("%{}", self.name(o)), graph.ty(o)));
                outputs + &call_text(call, inputs)
            }
            Op::Output(index) => format!("%{name} = output {index} of {}", self.list(&operands)),
        }
    }

    fn outputs(&self, id: NodeId, count: usize) -> String {
        let outputs: Vec<_> = (0..count).map(|i| NodeId::new(id.index() + 1 + i)).collect();
        if outputs.is_empty() { String::new() } else { format!("{} = ", self.list(&outputs)) }
    }

    fn rule(&self, rule: &Rule) -> String {
        let name = |id| self.name(id);
        match rule.kind {
            RuleKind::Zero(a) => format!("assert_zero %{}", name(a)),
            RuleKind::Equal(a, b) => format!("assert_eq %{}, %{}", name(a), name(b)),
            RuleKind::Bit(a) => format!("assert_bit %{}", name(a)),
            RuleKind::Connect(a, b) => format!("connect %{}, %{}", name(a), name(b)),
        }
    }
}

/// ` : felt, ext`, or nothing if all are `felt`.
pub(super) fn types_text(types: &[ValueType]) -> String {
    if types.iter().all(|&ty| ty == ValueType::Felt) {
        return String::new();
    }
    let names: Vec<_> = types.iter().map(ToString::to_string).collect();
    format!(" : {}", names.join(", "))
}

/// `call merkle<1>(%a, %b | data 0[4]) rows 2 : felt`. Ports that are not in their default place are
/// printed as `%a@row.port`, input types that are not those of the operand as `%a: ext`.
pub(super) fn call_text(call: &Call, inputs: impl Iterator<Item = (String, ValueType)>) -> String {
    let signature = &call.signature;
    let input_types: Vec<_> = signature.inputs.iter().map(|port| port.ty).collect();
    let default = Signature::one_row(&input_types, &signature.output_types(), signature.data);
    let placed = *signature != default;
    let at = |port: &CallPort| {
        if placed { format!("@{}.{}", port.row, port.port) } else { String::new() }
    };
    let mut parameters = String::new();
    for (i, parameter) in call.chip.parameters.iter().enumerate() {
        let _ = write!(parameters, "{}{parameter}", if i == 0 { "<" } else { ", " });
    }
    if !parameters.is_empty() {
        parameters += ">";
    }
    let mut text = format!("call {}{parameters}(", word_or_text(&call.chip.chip));
    for (i, ((name, ty), port)) in inputs.zip(&signature.inputs).enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}{name}{}", at(port));
        if ty.without_bit() != port.ty {
            let _ = write!(text, ": {}", port.ty);
        }
    }
    if let Some(data) = call.data {
        let _ = write!(text, " | data {data}[{}]", signature.data);
    }
    text += ")";
    if call.chip.rows != 1 {
        let _ = write!(text, " rows {}", call.chip.rows);
    }
    let all_felt = signature.outputs.iter().all(|port| port.ty == ValueType::Felt);
    if !all_felt || (placed && !signature.outputs.is_empty()) {
        for (i, port) in signature.outputs.iter().enumerate() {
            let separator = if i == 0 { " : " } else { ", " };
            let _ = write!(text, "{separator}{}{}", port.ty, at(port));
        }
    }
    text
}

/// A label as a name of the text: characters that are not allowed become `_`.
fn clean(label: &str) -> String {
    let mut name: String =
        label.chars().map(|c| if is_name_character(c) { c } else { '_' }).collect();
    if name.starts_with(|c: char| !(c.is_ascii_alphabetic() || c == '_')) {
        name.insert(0, '_');
    }
    name
}

/// The characters of a value's name.
pub(in crate::circuit) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '[' | ']')
}

impl fmt::Display for BinaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
        })
    }
}
