//! The meaning of stage `expr`: evaluation of the graph, rule by rule.
//!
//! Every pass is tested against this: the circuit before and after must accept the same inputs.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

use super::execute::{
    Environment, Inputs, Violation, WitnessError, answer, check_data, check_inputs,
};
use super::graph::{BinaryOp, Graph, NodeId, Op, Rule, RuleKind};
use super::hint::HintRegistry;
use super::value::{Constant, element};
use crate::field::FieldPair;

impl Graph {
    /// Evaluates every node; base elements are lifted, hints and calls have the value 0.
    ///
    /// # Errors
    ///
    /// [`WitnessError::Violated`] lists all rules that the inputs violate; every other error is the
    /// first of its run.
    pub fn interpret<P: FieldPair>(
        &self,
        inputs: &Inputs,
        environment: Environment<'_>,
    ) -> Result<Vec<P::Ext>, WitnessError> {
        P::interpret_graph(self, inputs, environment)
    }

    /// [`Self::interpret`], compiled here for each field.
    pub(crate) fn interpret_generic<P: FieldPair>(
        &self,
        inputs: &Inputs,
        environment: Environment<'_>,
    ) -> Result<Vec<P::Ext>, WitnessError> {
        let types = |ids: &[NodeId]| ids.iter().map(|&id| self.ty(id)).collect::<Vec<_>>();
        check_inputs::<P>("public", &inputs.publics, &types(self.publics()))?;
        check_inputs::<P>("private", &inputs.privates, &types(self.privates()))?;
        check_data::<P>(self.calls(), &inputs.data)?;
        let mut values = Vec::with_capacity(self.len());
        let mut outputs = Vec::new();
        for id in self.ids() {
            let value = self.value::<P>(id, &values, &mut outputs, inputs, environment)?;
            values.push(value);
        }
        let violations: Vec<_> =
            self.rules().iter().filter_map(|rule| self.check::<P>(rule, &values)).collect();
        if violations.is_empty() { Ok(values) } else { Err(WitnessError::Violated(violations)) }
    }

    fn value<P: FieldPair>(
        &self,
        id: NodeId,
        values: &[P::Ext],
        outputs: &mut Vec<P::Ext>,
        inputs: &Inputs,
        environment: Environment<'_>,
    ) -> Result<P::Ext, WitnessError> {
        let operands = self.operands(id);
        let operand = |i: usize| -> Result<P::Ext, WitnessError> {
            let operand = operands.get(i).and_then(|operand| values.get(operand.index()));
            operand.copied().ok_or_else(|| WitnessError::Function {
                place: id.to_string(),
                message: format!("operand {i} has no value"),
            })
        };
        let input = |list: &[Vec<u64>], index: u32| {
            element::<P>(list.get(index as usize).map_or(&[], |v| v))
        };
        Ok(match self.op(id) {
            Op::Const(constant) => self.constant_value(constant).to_ext::<P>(),
            Op::Public(index) => input(&inputs.publics, index),
            Op::Private(index) => input(&inputs.privates, index),
            Op::Binary(op) => {
                let (a, b) = (operand(0)?, operand(1)?);
                binary(op, a, b).ok_or_else(|| WitnessError::DivisionByZero {
                    dividend: show::<P>(self, a),
                    place: self.place(id),
                })?
            }
            Op::MulAdd => operand(0)? * operand(1)? + operand(2)?,
            Op::MulSub => operand(2)? - operand(0)? * operand(1)?,
            Op::FromCoefficients => P::Ext::from_basis_coefficients_fn(|i| {
                operand(i).map_or(P::Base::ZERO, |c| c.as_basis_coefficients_slice()[0])
            }),
            Op::Hint(hint) => {
                let hint = self.hint_info(hint);
                let arguments: Vec<_> =
                    (0..operands.len()).map(&operand).collect::<Result<_, _>>()?;
                outputs.clear();
                let none = HintRegistry::default();
                let registry = environment.hints.unwrap_or(&none);
                hint.kind.evaluate::<P>(registry, &arguments, &hint.inputs, outputs).map_err(
                    |message| WitnessError::Function {
                        place: format!("hint {}", hint.kind),
                        message,
                    },
                )?;
                P::Ext::ZERO
            }
            Op::Call(call) => {
                let call = self.call_info(call);
                let arguments: Vec<_> =
                    (0..operands.len()).map(&operand).collect::<Result<_, _>>()?;
                let answers = answer::<P>(environment, &[(call, arguments)], &inputs.data)?;
                *outputs = answers.into_iter().flat_map(|answer| answer.outputs).collect();
                P::Ext::ZERO
            }
            // Outputs follow their producer directly.
            Op::Output(index) => outputs.get(index as usize).copied().unwrap_or(P::Ext::ZERO),
        })
    }

    fn check<P: FieldPair>(&self, rule: &Rule, values: &[P::Ext]) -> Option<Violation> {
        let value = |id: NodeId| values.get(id.index()).copied().unwrap_or(P::Ext::ZERO);
        let holds = match rule.kind {
            RuleKind::Zero(a) => value(a) == P::Ext::ZERO,
            RuleKind::Equal(a, b) | RuleKind::Connect(a, b) => value(a) == value(b),
            RuleKind::Bit(a) => value(a) * value(a) == value(a),
        };
        if holds {
            return None;
        }
        let formula = match rule.kind {
            RuleKind::Zero(a) => format!("{} = 0", self.place(a)),
            RuleKind::Equal(a, b) | RuleKind::Connect(a, b) => {
                format!("{} = {}", self.place(a), self.place(b))
            }
            RuleKind::Bit(a) => format!("{} is 0 or 1", self.place(a)),
        };
        let shown: Vec<_> = rule
            .kind
            .nodes()
            .map(|id| format!("{} is {}", self.place(id), show::<P>(self, value(id))))
            .collect();
        let label = self.names.text(rule.label);
        Some(Violation {
            rule: if label.is_empty() { formula } else { label.to_owned() },
            scope: self.names.text(rule.scope).to_owned(),
            values: shown.join(", "),
            location: rule.location.map(ToString::to_string),
        })
    }

    fn place(&self, id: NodeId) -> String {
        match self.names.text(self.node(id).label) {
            "" => id.to_string(),
            label => label.to_owned(),
        }
    }
}

fn show<P: FieldPair>(graph: &Graph, value: P::Ext) -> String {
    Constant::from_ext::<P>(value).trimmed().display(graph.field).to_string()
}

/// The result of an operation; `None` for a division by 0.
pub(super) fn binary<F: p3_field::Field>(op: BinaryOp, a: F, b: F) -> Option<F> {
    Some(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a * b.try_inverse()?,
    })
}
