//! Text of stage `slots`.

use std::fmt;

use super::graph::{call_text, types_text};
use super::{header, label, line, place};
use crate::circuit::hint::HintKind;
use crate::circuit::rows::{OUT, Port, Relation, Role, Row, RowOp};
use crate::circuit::slots::{Form, Slots};
use crate::circuit::value::ValueType;

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fused => "fused",
            Self::Separate => "separate",
        })
    }
}

/// `slots`, or `slots, form separate`.
pub(super) fn stage(name: &str, form: Form) -> String {
    if form == Form::Fused { name.to_owned() } else { format!("{name}, form {form}") }
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        header(f, &self.name, self.field, &stage("slots", self.form))?;
        for row in self.rows.iter() {
            let mut comment = label(&self.names, row.origin);
            let reads: Vec<_> =
                row.creates().map(|slot| format!("{}×", self.slots[slot.index()].reads)).collect();
            if !reads.is_empty() {
                let separator = if comment.is_empty() { "" } else { ", " };
                comment.push_str(separator);
                comment.push_str("read ");
                comment.push_str(&reads.join(" "));
            }
            if f.alternate() {
                comment += &place(&self.names, row.origin);
            }
            line(f, &format!("  {}", row_text(self, row)), &comment)?;
        }
        writeln!(f, "}}")
    }
}

/// A row of stage `slots` as text.
pub(in crate::circuit) fn row_text(circuit: &Slots, row: Row<'_>) -> String {
    match row.op {
        RowOp::Witness => format!("witness {}", slots(row.ports)),
        RowOp::Const(value) => {
            format!("{} = const {}", slots(row.ports), value.display(circuit.field))
        }
        RowOp::Public(index) => {
            let ty = row.ports.first().map_or(ValueType::Felt, |port| slot_type(circuit, *port));
            format!("{} = public {index}{}", slots(row.ports), types_text(&[ty]))
        }
        RowOp::Private(index) => {
            let ty = circuit.privates.get(*index as usize).copied().unwrap_or(ValueType::Felt);
            format!("{} = private {index}{}", results(row.ports), types_text(&[ty]))
        }
        RowOp::Arithmetic(relation, ty) => arithmetic_text(*relation, *ty, row.ports),
        RowOp::Base => format!("check_base {}", slots(&row.ports[..row.ports.len().min(1)])),
        RowOp::Hint(id) => match circuit.hints.get(id.index()) {
            Some(hint) => {
                let (inputs, outputs) = split(row.ports, hint.inputs.len());
                let inputs: Vec<_> = inputs
                    .iter()
                    .zip(&hint.inputs)
                    .map(|(&port, &ty)| match slot_type(circuit, port) {
                        known if known == ty.without_bit() => port.slot.to_string(),
                        _ => format!("{}: {}", port.slot, ty.without_bit()),
                    })
                    .collect();
                let external = matches!(hint.kind, HintKind::Extern { .. });
                let types = types_text(if external { &hint.outputs } else { &[] });
                let outputs = assignment(outputs);
                format!("{outputs}hint {}({}){types}", hint.kind, inputs.join(", "))
            }
            None => format!("hint {id}"),
        },
        RowOp::Advice { hint, output } => format!("{} = {hint}.{output}", slots(row.ports)),
        RowOp::Call { call, .. } => match circuit.calls.get(call.index()) {
            Some(call) => {
                let (inputs, outputs) = split(row.ports, call.signature.inputs.len());
                let inputs =
                    inputs.iter().map(|&port| (port.slot.to_string(), slot_type(circuit, port)));
                assignment(outputs) + &call_text(call, inputs)
            }
            None => call.to_string(),
        },
    }
}

pub(super) fn arithmetic_text(relation: Relation, ty: ValueType, ports: &[Port]) -> String {
    let ty = types_text(&[ty]);
    let operands: Vec<_> = ports.iter().filter(|port| port.position != OUT).copied().collect();
    let out: Vec<_> = ports.iter().filter(|port| port.position == OUT).copied().collect();
    let created = ports.iter().find(|port| port.role == Role::Creates);
    match created {
        Some(port) if port.position == OUT => {
            format!("{} = {relation} {}{ty}", port.slot, slots(&operands))
        }
        Some(port) => {
            let body = format!("{relation} {} -> {}", slots(&operands), slots(&out));
            format!("{} = solve {body}{ty}", port.slot)
        }
        None if relation == Relation::Eq => format!("check_eq {}{ty}", slots(ports)),
        None => format!("check_{relation} {} -> {}{ty}", slots(&operands), slots(&out)),
    }
}

fn split(ports: &[Port], at: usize) -> (&[Port], &[Port]) {
    ports.split_at(at.min(ports.len()))
}

fn slot_type(circuit: &Slots, port: Port) -> ValueType {
    circuit.slots.get(port.slot.index()).map_or(ValueType::Felt, |slot| slot.ty)
}

pub(super) fn slots(ports: &[Port]) -> String {
    let slots: Vec<_> = ports.iter().map(|port| port.slot.to_string()).collect();
    slots.join(", ")
}

/// The outputs of a row; those with another creator are in parentheses.
fn results(ports: &[Port]) -> String {
    let slots = ports.iter().map(|port| match port.role {
        Role::Creates => port.slot.to_string(),
        Role::Reads | Role::Peeks => format!("({})", port.slot),
    });
    slots.collect::<Vec<_>>().join(", ")
}

fn assignment(outputs: &[Port]) -> String {
    if outputs.is_empty() { String::new() } else { format!("{} = ", results(outputs)) }
}
