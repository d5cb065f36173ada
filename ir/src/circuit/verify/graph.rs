//! Checks of stage `expr`.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Code, Errors, Item, Signatures, VerifierErrors};
use crate::circuit::call::ChipLibrary;
use crate::circuit::graph::{BinaryOp, Graph, NodeId, Op, RuleKind};
use crate::circuit::print::PrintedNames;
use crate::circuit::value::ValueType;

/// Checks the invariants of an expression graph that hold between any two passes: V01 to V03.
///
/// # Errors
///
/// All violations.
pub fn verify_structure(graph: &Graph) -> Result<(), VerifierErrors> {
    let mut check = Check::of(graph);
    check.structure();
    check.errors.finish()
}

/// Checks all invariants of an expression graph that need no library: V01 to V05, and V11.
///
/// # Errors
///
/// All violations.
pub fn verify(graph: &Graph) -> Result<(), VerifierErrors> {
    let mut check = Check::of(graph);
    check.structure();
    if check.errors.0.is_empty() {
        check.uses();
    }
    check.errors.0.sort_by(|a, b| a.item.cmp(&b.item));
    check.errors.finish()
}

/// Checks the calls of a graph against a library: V10.
///
/// # Errors
///
/// All violations.
pub fn verify_calls(graph: &Graph, library: &dyn ChipLibrary) -> Result<(), VerifierErrors> {
    let mut check = Check::of(graph);
    let mut signatures = Signatures { library, known: HashMap::new() };
    for id in graph.ids() {
        let Op::Call(call) = graph.op(id) else { continue };
        if let Some(message) = signatures.fault(graph.call_info(call)) {
            check.node(Code::V10, id, message);
        }
    }
    check.errors.finish()
}

struct Check<'a> {
    graph: &'a Graph,
    errors: Errors,
    names: OnceCell<PrintedNames>,
}

impl<'a> Check<'a> {
    fn of(graph: &'a Graph) -> Self {
        Self { graph, errors: Errors::default(), names: OnceCell::new() }
    }

    /// A value as the text of the circuit names it.
    fn name(&self, id: NodeId) -> String {
        format!("%{}", self.names.get_or_init(|| PrintedNames::of(self.graph)).name(id))
    }

    fn node(&mut self, code: Code, id: NodeId, message: impl Into<String>) {
        let node = self.graph.node(id);
        let mut source = self.graph.names.text(node.label).to_owned();
        if let Some(location) = node.location {
            source.push(' ');
            source.push_str(&location.to_string());
        }
        self.errors.add(code, Item::Node(id), message, source.trim().to_owned());
    }

    fn structure(&mut self) {
        for id in self.graph.ids() {
            let operands = self.graph.operands(id);
            self.operands_stand_before(id, &operands);
            self.arity_and_types(id, &operands);
        }
        self.bits();
        for (what, ids) in [("public", self.graph.publics()), ("private", self.graph.privates())] {
            self.positions(what, ids);
        }
        self.rules();
    }

    fn operands_stand_before(&mut self, id: NodeId, operands: &[NodeId]) {
        for &operand in operands {
            if operand >= id {
                let message = format!("{} is used before it is defined", self.name(operand));
                self.node(Code::V01, id, message);
            } else if !self.graph.op(operand).has_value()
                && !matches!(self.graph.op(id), Op::Output(_))
            {
                let message = format!("{} has outputs, but no value", self.name(operand));
                self.node(Code::V02, id, message);
            }
        }
    }

    fn arity_and_types(&mut self, id: NodeId, operands: &[NodeId]) {
        let graph = self.graph;
        let ty = |operand: NodeId| {
            if operand < id { graph.ty(operand) } else { ValueType::Felt }
        };
        let mut types = operands.iter().map(|&operand| ty(operand));
        let degree = graph.field.degree();
        let expected = match graph.op(id) {
            Op::Const(_) | Op::Public(_) | Op::Private(_) => Some(0),
            Op::Binary(_) => Some(2),
            Op::MulAdd | Op::MulSub => Some(3),
            Op::FromCoefficients => Some(degree),
            Op::Output(_) => Some(1),
            Op::Call(call) => Some(graph.call_info(call).signature.inputs.len()),
            Op::Hint(_) => None,
        };
        if let Some(expected) = expected.filter(|&expected| expected != operands.len()) {
            let message = format!("{expected} operands were expected, {} came", operands.len());
            self.node(Code::V02, id, message);
            return;
        }
        match graph.op(id) {
            Op::Const(constant) => {
                let value = graph.constant_value(constant);
                if !value.belongs_to(graph.field) {
                    let shown = value.display(graph.field);
                    let message = format!("{shown} is not a canonical constant of {}", graph.field);
                    self.node(Code::V02, id, message);
                }
            }
            Op::Binary(_) | Op::MulAdd | Op::MulSub => {
                let join = types.fold(ValueType::Felt, ValueType::join);
                if graph.ty(id).without_bit() != join {
                    let message = format!("the result is {join}, not {}", graph.ty(id));
                    self.node(Code::V02, id, message);
                }
            }
            Op::FromCoefficients => {
                if types.any(ValueType::is_ext) {
                    self.node(Code::V02, id, "coefficients are base elements, not ext");
                }
            }
            Op::Hint(hint) => self.hint(id, hint, &types.collect::<Vec<_>>()),
            Op::Call(call) => {
                let signature = &graph.call_info(call).signature;
                for (i, (ty, port)) in types.zip(&signature.inputs).enumerate() {
                    if ty > port.ty {
                        let message = format!("input {i} is {ty}, expected {}", port.ty);
                        self.node(Code::V02, id, message);
                    }
                }
                let rows = graph.call_info(call).chip.rows;
                let mut ports = signature.inputs.iter().chain(&signature.outputs);
                if rows == 0 || ports.any(|port| port.row >= rows) {
                    self.node(Code::V02, id, format!("a port lies outside of the {rows} rows"));
                }
                self.outputs_follow(id, signature.outputs.iter().map(|port| port.ty));
            }
            Op::Output(_) if operands.iter().all(|&o| o >= id || graph.op(o).has_value()) => {
                self.node(Code::V02, id, "only hints and calls have outputs");
            }
            Op::Output(_) | Op::Public(_) | Op::Private(_) => {}
        }
    }

    fn hint(&mut self, id: NodeId, hint: crate::circuit::HintId, types: &[ValueType]) {
        let hint = self.graph.hint_info(hint);
        if !hint.kind.is_well_formed() {
            self.node(Code::V02, id, format!("the parameters of `{}` make no sense", hint.kind));
        }
        if let Some(expected) = hint.kind.inputs() {
            let fits = expected.len() == types.len()
                && expected.iter().zip(types).all(|(expected, ty)| ty <= expected);
            if !fits {
                let message = format!("`{}` takes {}", hint.kind, list(&expected));
                self.node(Code::V02, id, message + &format!(", not {}", list(types)));
            }
        }
        let outputs = hint.kind.outputs(self.graph.field, &hint.inputs);
        let narrower = types.len() == hint.inputs.len()
            && types.iter().zip(&hint.inputs).all(|(ty, declared)| ty.without_bit() <= *declared);
        if outputs != hint.outputs || !narrower {
            let message = format!("`{}` gives {}", hint.kind, list(&outputs));
            self.node(Code::V02, id, message + &format!(", not {}", list(&hint.outputs)));
        }
        self.outputs_follow(id, hint.outputs.iter().copied());
    }

    /// The outputs of a hint or call are the nodes directly behind it, in order.
    fn outputs_follow(&mut self, id: NodeId, types: impl ExactSizeIterator<Item = ValueType>) {
        let count = types.len();
        for (i, ty) in types.enumerate() {
            let next = NodeId::new(id.index() + 1 + i);
            let fits = next.index() < self.graph.len()
                && self.graph.op(next) == Op::Output(i as u32)
                && *self.graph.operands(next) == [id]
                && self.graph.ty(next).without_bit() == ty.without_bit();
            if !fits {
                self.node(Code::V02, id, format!("output {i} of {count} is missing or not {ty}"));
            }
        }
        let beyond = NodeId::new(id.index() + 1 + count);
        if beyond.index() < self.graph.len() && matches!(self.graph.op(beyond), Op::Output(_)) {
            let message = format!("{} has only {count} outputs", self.name(id));
            self.node(Code::V02, beyond, message);
        }
    }

    fn bits(&mut self) {
        let graph = self.graph;
        let mut guaranteed = vec![false; graph.len()];
        for rule in graph.rules() {
            if let RuleKind::Bit(id) = rule.kind
                && id.index() < graph.len()
            {
                guaranteed[id.index()] = true;
            }
        }
        for id in graph.ids() {
            let known = match graph.op(id) {
                Op::Const(constant) => graph.constant_value(constant).ty() == ValueType::Bit,
                Op::Binary(BinaryOp::Mul) => {
                    graph.operands(id).iter().all(|&o| o < id && graph.ty(o) == ValueType::Bit)
                }
                Op::Output(i) => match graph.operands(id).first().map(|&call| graph.op(call)) {
                    Some(Op::Call(call)) => {
                        let outputs = &graph.call_info(call).signature.outputs;
                        outputs.get(i as usize).is_some_and(|port| port.ty == ValueType::Bit)
                    }
                    _ => false,
                },
                _ => false,
            };
            if graph.ty(id) == ValueType::Bit && !known && !guaranteed[id.index()] {
                let message = format!("nothing guarantees that {} is a bit", self.name(id));
                self.node(Code::V02, id, message);
            }
        }
    }

    fn positions(&mut self, what: &str, ids: &[NodeId]) {
        for (expected, &id) in ids.iter().enumerate() {
            let (Op::Public(found) | Op::Private(found)) = self.graph.op(id) else { continue };
            if found as usize != expected {
                let message =
                    format!("{what} inputs are numbered in order: {found} should be {expected}");
                self.node(Code::V03, id, message);
            }
        }
    }

    fn rules(&mut self) {
        for (index, rule) in self.graph.rules().iter().enumerate() {
            for id in rule.kind.nodes() {
                let known = id.index() < self.graph.len() && self.graph.op(id).has_value();
                if !known {
                    let message = format!("{} has no value", self.name(id));
                    let label = self.graph.names.text(rule.label).to_owned();
                    self.errors.add(Code::V02, Item::Rule(index), message, label);
                }
            }
        }
    }

    fn uses(&mut self) {
        let graph = self.graph;
        let mut bound = vec![false; graph.len()];
        let live = graph.live();
        for rule in graph.rules() {
            for id in rule.kind.nodes() {
                bound[id.index()] = true;
            }
        }
        for id in graph.ids() {
            let is_hint = matches!(graph.op(id), Op::Hint(_));
            for &operand in &*graph.operands(id) {
                bound[operand.index()] |= !is_hint;
            }
        }
        for (index, rule) in graph.rules().iter().enumerate() {
            if let RuleKind::Equal(a, b) | RuleKind::Connect(a, b) = rule.kind
                && a == b
            {
                let message = format!("{} is demanded to equal itself", self.name(a));
                let label = graph.names.text(rule.label).to_owned();
                self.errors.add(Code::V11, Item::Rule(index), message, label);
            }
        }
        for id in graph.ids() {
            let free = match graph.op(id) {
                Op::Private(_) => true,
                Op::Output(_) => {
                    let producer = graph.operands(id)[0];
                    matches!(graph.op(producer), Op::Hint(_))
                }
                _ => false,
            };
            if free && !bound[id.index()] {
                let name = self.name(id);
                let message = format!("no rule binds {name}, which the prover chooses freely");
                self.node(Code::V04, id, message);
            } else if !live[id.index()] {
                let message = format!("{} is not used", self.name(id));
                self.node(Code::V05, id, message);
            }
        }
    }
}

impl Graph {
    /// Which nodes matter: those that a rule, a call or a division depends on, all inputs, and all
    /// outputs of calls and of hints that matter.
    pub(in crate::circuit) fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.len()];
        for rule in self.rules() {
            for id in rule.kind.nodes() {
                live[id.index()] = true;
            }
        }
        for id in self.ids().rev() {
            let kept = match self.op(id) {
                Op::Public(_) | Op::Private(_) | Op::Call(_) => true,
                Op::Binary(BinaryOp::Div) => !self.divisor_is_nonzero(id),
                _ => false,
            };
            live[id.index()] |= kept;
            if live[id.index()] {
                for &operand in &*self.operands(id) {
                    live[operand.index()] = true;
                }
            }
        }
        for id in self.ids() {
            if matches!(self.op(id), Op::Output(_)) {
                live[id.index()] |= live[self.operands(id)[0].index()];
            }
        }
        live
    }

    fn divisor_is_nonzero(&self, division: NodeId) -> bool {
        self.as_constant(self.operands(division)[1]).is_some_and(|divisor| !divisor.is_zero())
    }
}

fn list(types: &[ValueType]) -> String {
    let names: Vec<_> = types.iter().map(ToString::to_string).collect();
    format!("({})", names.join(", "))
}
