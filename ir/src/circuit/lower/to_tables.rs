//! From `slots` to `tables`: each row goes to the table of its kind.

use std::collections::BTreeMap;

use crate::circuit::rows::{Origin, Port, Relation, Role, Row, RowOp, Rows, SlotId};
use crate::circuit::slots::{Form, Slots};
use crate::circuit::tables::{Table, TableKind, Tables};
use crate::circuit::value::ValueType;

/// Distributes the rows of a circuit over tables.
pub fn lower_to_tables(slots: Slots) -> Tables {
    let separate = slots.form == Form::Separate;
    let mut tables = BTreeMap::<TableKind, Rows>::new();
    for row in slots.rows.iter() {
        match row.op {
            RowOp::Hint(hint) if !separate => {
                let inputs = slots.hints[hint.index()].inputs.len();
                let rows = tables.entry(TableKind::Private).or_default();
                for (output, &port) in row.ports[inputs.min(row.ports.len())..].iter().enumerate() {
                    if port.role == Role::Creates {
                        let op = RowOp::Advice { hint: *hint, output: output as u32 };
                        rows.push(op, [Port { position: 0, ..port }], row.origin);
                    }
                }
            }
            RowOp::Private(_) if !separate && row.ports.iter().all(|port| creates(*port)) => {
                tables.entry(TableKind::Private).or_default().push(
                    row.op.clone(),
                    row.ports.iter().copied(),
                    row.origin,
                );
            }
            // The witness table says what the slots are.
            RowOp::Base if separate => {}
            RowOp::Hint(_) | RowOp::Private(_) | RowOp::Advice { .. } | RowOp::Witness => {}
            RowOp::Call { call, .. } => call_rows(&slots, row, *call, separate, &mut tables),
            RowOp::Const(_) | RowOp::Public(_) | RowOp::Arithmetic(..) | RowOp::Base => {
                let ports = row.ports.iter().map(|&port| on_bus(port, separate));
                let rows = tables.entry(kind_of(row.op, slots.form)).or_default();
                rows.push(row.op.clone(), ports, row.origin);
            }
        }
    }
    // A table of hints all of whose outputs have another creator.
    tables.retain(|_, rows| !rows.is_empty());
    let mut multiplicities = vec![0u32; slots.slots.len()];
    for port in tables.values().flat_map(Rows::ports) {
        if port.role == Role::Reads {
            multiplicities[port.slot.index()] += 1;
        }
    }
    if separate {
        let mut witness = Rows::default();
        for slot in 0..slots.slots.len() {
            let port = Port { slot: SlotId::new(slot), position: 0, role: Role::Creates };
            witness.push(RowOp::Witness, [port], Origin::default());
        }
        tables.insert(TableKind::Witness, witness);
    }
    let tables = tables.into_iter().map(|(kind, rows)| Table { kind, rows }).collect();
    Tables { program: slots, tables, multiplicities, copies: Vec::new() }
}

fn creates(port: Port) -> bool {
    port.role == Role::Creates
}

/// In the separate form only the witness table creates.
fn on_bus(port: Port, separate: bool) -> Port {
    let role = if separate && port.role == Role::Creates { Role::Reads } else { port.role };
    Port { role, ..port }
}

fn kind_of(op: &RowOp, form: Form) -> TableKind {
    match (op, form) {
        (RowOp::Const(_), _) => TableKind::Const,
        (RowOp::Public(_), _) => TableKind::Public,
        (RowOp::Arithmetic(Relation::Mul, _), Form::Separate) => TableKind::Mul,
        (RowOp::Arithmetic(_, _), Form::Separate) => TableKind::Add,
        (RowOp::Arithmetic(_, ty), Form::Fused) => TableKind::Alu(*ty),
        (RowOp::Base, Form::Fused) => TableKind::Alu(ValueType::Felt),
        _ => TableKind::Private,
    }
}

/// The rows of a call: each port goes to the row that the signature says.
fn call_rows(
    slots: &Slots,
    row: Row<'_>,
    call: crate::circuit::CallId,
    separate: bool,
    tables: &mut BTreeMap<TableKind, Rows>,
) {
    let info = &slots.calls[call.index()];
    let rows = tables.entry(TableKind::Call(info.chip.chip.clone())).or_default();
    let places: Vec<_> = info.signature.inputs.iter().chain(&info.signature.outputs).collect();
    for number in 0..info.chip.rows {
        let here = row.ports.iter().zip(&places).filter(|(_, place)| place.row == number);
        let mut ports: Vec<Port> = here.map(|(&port, _)| on_bus(port, separate)).collect();
        ports.sort_by_key(|port| port.position);
        rows.push(RowOp::Call { call, row: number }, ports, row.origin);
    }
}
