//! Checks of the stages `slots` and `tables`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, Errors, Item, VerifierErrors};
use crate::circuit::print::row_text;
use crate::circuit::rows::{A, B, Port, Relation, Role, Row, RowOp, SlotId};
use crate::circuit::slots::{Form, Slots};
use crate::circuit::tables::{TableKind, Tables};
use crate::circuit::value::{Constant, ValueType};

/// Checks the invariants of the witness table: V01, V02, V03, V06 to V09, V11.
///
/// # Errors
///
/// All violations.
pub fn verify_slots(slots: &Slots) -> Result<(), VerifierErrors> {
    let mut errors = Errors::default();
    let count = slots.slots.len();
    let constants = Neutral::of(slots);
    let mut created = vec![false; count];
    let mut reads = vec![0u32; count];
    let (mut publics, mut privates) = (0, 0);
    for (index, row) in slots.rows.iter().enumerate() {
        let label = slots.names.text(row.origin.label).to_owned();
        let mut report = |code, message: String| {
            errors.add(code, Item::Row(index), message, label.clone());
        };
        if let Some(port) = row.ports.iter().find(|port| port.slot.index() >= count) {
            report(Code::V01, format!("there is no slot {}", port.slot));
            continue;
        }
        // Outputs of a hint or call come one after the other: a later one may meet an earlier one's
        // slot. The ports of an arithmetic row are read before its slot is created.
        let ordered = matches!(row.op, RowOp::Hint(_) | RowOp::Call { .. });
        let readers = row.ports.iter().filter(|port| port.role != Role::Creates);
        let creators = row.ports.iter().filter(|port| port.role == Role::Creates);
        let ports: Vec<_> =
            if ordered { row.ports.iter().collect() } else { readers.chain(creators).collect() };
        for &&Port { slot, role, .. } in &ports {
            let known = &mut created[slot.index()];
            reads[slot.index()] += u32::from(role == Role::Reads);
            if role == Role::Creates {
                if *known {
                    report(Code::V06, format!("slot {slot} already has a creator"));
                }
                *known = true;
            } else if !*known {
                report(Code::V01, format!("slot {slot} is used before it is created"));
            }
        }
        for message in shape(slots, row) {
            report(Code::V02, message);
        }
        if let Some(message) = constants.vacuous(slots, row) {
            report(Code::V11, message);
        }
        let next = match row.op {
            RowOp::Public(position) => Some(("public", *position, &mut publics)),
            RowOp::Private(position) => Some(("private", *position, &mut privates)),
            _ => None,
        };
        if let Some((what, position, next)) = next {
            if position != *next {
                report(Code::V03, format!("{what} {position} should be {next}"));
            }
            *next += 1;
        }
        if matches!(row.op, RowOp::Const(_) | RowOp::Public(_))
            && let Some(port) = row.ports.iter().find(|port| port.role != Role::Creates)
        {
            report(Code::V07, format!("slot {} is the result of another operation", port.slot));
        }
    }
    for (slot, info) in slots.slots.iter().enumerate() {
        let id = SlotId::new(slot);
        if !created[slot] {
            let message = format!("slot {id} has no creator");
            errors.add(Code::V06, Item::Slot(id), message, String::new());
        }
        if reads[slot] != info.reads {
            let message = format!("slot {id} is read {} times, not {}", reads[slot], info.reads);
            errors.add(Code::V08, Item::Slot(id), message, String::new());
        }
    }
    // Whether slots hold base elements is asked of rows that hang together.
    if errors.0.is_empty() {
        for (index, slot) in unproven_base_elements(slots) {
            let label = slots.names.text(slots.rows.get(index).origin.label).to_owned();
            let message = format!(
                "slot {slot} is read as a base element, but nothing says that it is one; \
                 `check_base {slot}` does"
            );
            errors.add(Code::V09, Item::Row(index), message, label);
        }
    }
    errors.finish()
}

/// Checks what is demanded of the author of a witness table: V04 and V05.
pub(super) fn demands(slots: &Slots) -> Result<(), VerifierErrors> {
    let mut errors = Errors::default();
    let mut named = vec![false; slots.slots.len()];
    let uses = slots.rows.ports().iter().filter(|port| port.role != Role::Creates);
    for slot in uses.map(|port| port.slot.index()).filter(|slot| *slot < slots.slots.len()) {
        named[slot] = true;
    }
    for (index, row) in slots.rows.iter().enumerate() {
        for port in row.ports.iter().filter(|port| port.role == Role::Creates) {
            let Some(info) = slots.slots.get(port.slot.index()) else { continue };
            let label = slots.names.text(row.origin.label).to_owned();
            let slot = port.slot;
            // A row that creates a factor demands that the other one is not zero.
            let divides = matches!(
                row.op,
                RowOp::Arithmetic(Relation::Mul | Relation::MulAdd, _)
                    if matches!(port.position, A | B)
            );
            match row.op {
                RowOp::Private(_) | RowOp::Hint(_) if info.reads == 0 => {
                    let message = format!("no row binds {slot}, which the prover chooses freely");
                    errors.add(Code::V04, Item::Row(index), message, label);
                }
                RowOp::Const(_) | RowOp::Arithmetic(..) if !named[slot.index()] && !divides => {
                    let message = format!("{slot} is not used");
                    errors.add(Code::V05, Item::Row(index), message, label);
                }
                _ => {}
            }
        }
    }
    errors.finish()
}

/// The slots of the constants 0 and 1.
struct Neutral {
    zeros: BTreeSet<SlotId>,
    ones: BTreeSet<SlotId>,
}

impl Neutral {
    fn of(slots: &Slots) -> Self {
        let those = |is: fn(&Constant) -> bool| {
            let rows = slots.rows.iter().filter(|row| matches!(row.op, RowOp::Const(c) if is(c)));
            rows.flat_map(|row| row.creates().collect::<Vec<_>>()).collect()
        };
        Self { zeros: those(Constant::is_zero), ones: those(Constant::is_one) }
    }

    /// Why a row says nothing, if it does.
    fn vacuous(&self, slots: &Slots, row: Row<'_>) -> Option<String> {
        let one = |slot| self.ones.contains(&slot);
        let is_ext =
            |port: &Port| slots.slots.get(port.slot.index()).is_some_and(|slot| slot.ty.is_ext());
        match row.op {
            // A row over base elements that reads others is not vacuous, but wrong: V09.
            RowOp::Arithmetic(relation, ty)
                if row.creates().next().is_none()
                    && (ty.is_ext() || !row.ports.iter().any(is_ext))
                    && relation.holds_always(row.ports, |slot| self.zeros.contains(&slot), one) =>
            {
                Some(format!("`{}` holds whatever the values are", row_text(slots, row)))
            }
            RowOp::Base => {
                let slot = row.ports.first()?.slot;
                let known = !slots.slots.get(slot.index())?.ty.is_ext();
                known.then(|| format!("slot {slot} is a base element by its type"))
            }
            _ => None,
        }
    }
}

/// Rows over base elements with a slot that nothing says to hold one. What says so: its creator's type, if that is no
/// arithmetic; a row of its own ([`RowOp::Base`]); a call that takes or gives a base element there; or a row over base
/// elements whose other slots leave no choice. Rows over base elements may be proven in the table over the extension, so
/// reading a slot in one says nothing by itself, and neither does creating one. (A quotient is determined by the divisor,
/// which is not zero.)
fn unproven_base_elements(slots: &Slots) -> Vec<(usize, SlotId)> {
    let mut known: Vec<bool> = slots.slots.iter().map(|slot| !slot.ty.is_ext()).collect();
    for row in slots.rows.iter().filter(|row| matches!(row.op, RowOp::Arithmetic(..))) {
        row.creates().for_each(|slot| known[slot.index()] = false);
    }
    // By slot: the rows that wait for it.
    let mut waiting: BTreeMap<SlotId, Vec<usize>> = BTreeMap::new();
    for (index, row) in slots.rows.iter().enumerate() {
        match row.op {
            RowOp::Base => row.ports.iter().for_each(|port| known[port.slot.index()] = true),
            RowOp::Call { call, .. } => {
                let signature = &slots.calls[call.index()].signature;
                let places = signature.inputs.iter().chain(&signature.outputs);
                for (port, _) in
                    row.ports.iter().zip(places).filter(|(_, place)| !place.ty.is_ext())
                {
                    known[port.slot.index()] = true;
                }
            }
            RowOp::Arithmetic(_, ValueType::Felt | ValueType::Bit) => {
                for port in row.ports.iter().filter(|port| !known[port.slot.index()]) {
                    waiting.entry(port.slot).or_default().push(index);
                }
            }
            _ => {}
        }
    }
    let mut pending: Vec<usize> = waiting.values().flatten().copied().collect();
    while let Some(index) = pending.pop() {
        let row = slots.rows.get(index);
        let RowOp::Arithmetic(relation, _) = *row.op else { continue };
        let mut unknown = row.ports.iter().filter(|port| !known[port.slot.index()]);
        let (Some(port), None) = (unknown.next(), unknown.next()) else { continue };
        let determined = match relation {
            Relation::Add | Relation::Eq => true,
            Relation::Mul | Relation::MulAdd => {
                !matches!(port.position, A | B) || port.role == Role::Creates
            }
        };
        if determined {
            known[port.slot.index()] = true;
            pending.extend(waiting.remove(&port.slot).into_iter().flatten());
        }
    }
    let mut unproven: Vec<(usize, SlotId)> = waiting
        .into_iter()
        .filter(|(slot, _)| !known[slot.index()] && slots.slots[slot.index()].ty.is_ext())
        .flat_map(|(slot, rows)| rows.into_iter().map(move |row| (row, slot)))
        .collect();
    unproven.sort_unstable();
    unproven.dedup();
    unproven
}

/// What is wrong with the ports of a row.
fn shape(slots: &Slots, row: Row<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let creates = row.creates().count();
    let slot_ty = |port: &Port| slots.slots[port.slot.index()].ty;
    let expected = match row.op {
        RowOp::Const(_) | RowOp::Public(_) | RowOp::Private(_) => 1,
        RowOp::Arithmetic(relation, _) => relation.positions().len(),
        RowOp::Base => 2,
        RowOp::Hint(id) => match slots.hints.get(id.index()) {
            Some(hint) => hint.inputs.len() + hint.outputs.len(),
            None => return vec![format!("there is no hint {id}")],
        },
        RowOp::Call { call, .. } => match slots.calls.get(call.index()) {
            Some(call) => call.signature.inputs.len() + call.signature.outputs.len(),
            None => return vec![format!("there is no call {call}")],
        },
        RowOp::Witness | RowOp::Advice { .. } => {
            return vec!["this row belongs to the stage `tables`".to_owned()];
        }
    };
    if row.ports.len() != expected {
        return vec![format!("{expected} ports were expected, {} came", row.ports.len())];
    }
    match row.op {
        RowOp::Const(value) => {
            if !value.belongs_to(slots.field) {
                let shown = value.display(slots.field);
                wrong.push(format!("{shown} is not a canonical constant of {}", slots.field));
            }
            if value.ty().without_bit() != slot_ty(&row.ports[0]) {
                wrong.push(format!("the slot is not {}", value.ty().without_bit()));
            }
        }
        RowOp::Arithmetic(relation, ty) => {
            let positions = row.ports.iter().map(|port| port.position);
            if !positions.eq(relation.positions().iter().copied()) {
                wrong.push(format!("the ports are not those of {relation}"));
            }
            if creates > 1 {
                wrong.push(format!("the row creates {creates} slots"));
            }
            if row.ports.iter().any(|port| port.role == Role::Peeks) {
                wrong.push("every port of an arithmetic row is on the bus".to_owned());
            }
            let created = row.ports.iter().find(|port| port.role == Role::Creates);
            if created.is_some_and(|port| slot_ty(port) != *ty) {
                wrong.push(format!("the created slot is not {ty}"));
            }
            if slots.form == Form::Separate && !matches!(relation.name(), "add" | "mul") {
                wrong.push(format!("there is no {relation} row in the separate form"));
            }
        }
        RowOp::Base if row.ports != Port::of_base(row.ports[0].slot) => {
            wrong.push("one slot is read, and shown again as the result".to_owned());
        }
        RowOp::Hint(id) => {
            let hint = &slots.hints[id.index()];
            let (inputs, outputs) = row.ports.split_at(hint.inputs.len());
            if inputs.iter().any(|port| port.role != Role::Peeks)
                || outputs.iter().any(|port| port.role == Role::Reads)
            {
                wrong.push("a hint reads nothing from the bus".to_owned());
            }
            if creates_another_type(slots, outputs, hint.outputs.iter().copied()) {
                wrong.push("an output has another type than its slot".to_owned());
            }
        }
        RowOp::Call { call, .. } => {
            let signature = &slots.calls[call.index()].signature;
            let (inputs, outputs) = row.ports.split_at(signature.inputs.len());
            if inputs.iter().any(|port| port.role != Role::Reads)
                || outputs.iter().any(|port| port.role == Role::Peeks)
            {
                wrong.push("every input of a call is read, every output is on the bus".to_owned());
            }
            let places = signature.inputs.iter().chain(&signature.outputs);
            if !row.ports.iter().map(|port| port.position).eq(places.map(|place| place.port)) {
                wrong.push("the ports are not those of the call".to_owned());
            }
            if creates_another_type(slots, outputs, signature.outputs.iter().map(|port| port.ty)) {
                wrong.push("an output has another type than its slot".to_owned());
            }
        }
        _ => {}
    }
    wrong
}

fn creates_another_type(
    slots: &Slots,
    ports: &[Port],
    types: impl Iterator<Item = ValueType>,
) -> bool {
    ports.iter().zip(types).any(|(port, ty)| {
        let slot = slots.slots[port.slot.index()].ty;
        port.role == Role::Creates && slot != ty.without_bit()
    })
}

/// Checks the invariants of the tables: those of the program, and the balance of the witness bus
/// (V08).
///
/// # Errors
///
/// All violations.
pub fn verify_tables(tables: &Tables) -> Result<(), VerifierErrors> {
    let mut errors = Errors::default();
    if let Err(VerifierErrors(found)) = verify_slots(&tables.program) {
        errors.0.extend(found);
    }
    let count = tables.slot_count();
    let mut reads = vec![0i64; count];
    let mut creators = vec![0u32; count];
    for table in &tables.tables {
        for (index, row) in table.rows.iter().enumerate() {
            let item = || Item::TableRow { table: table.kind.to_string(), row: index };
            for port in row.ports {
                if port.slot.index() >= count {
                    let message = format!("there is no slot {}", port.slot);
                    errors.add(Code::V01, item(), message, String::new());
                    continue;
                }
                match port.role {
                    Role::Creates => creators[port.slot.index()] += 1,
                    Role::Reads => reads[port.slot.index()] += 1,
                    Role::Peeks => {}
                }
            }
            let witness = table.kind == TableKind::Witness;
            if witness && row.ports.first().map(|port| port.slot.index()) != Some(index) {
                let message = "row i of the witness table holds slot i".to_owned();
                errors.add(Code::V08, item(), message, String::new());
            }
        }
    }
    for slot in 0..count {
        let id = SlotId::new(slot);
        let mut report = |code, message| errors.add(code, Item::Slot(id), message, String::new());
        if creators[slot] != 1 {
            report(Code::V06, format!("slot {id} has {} creators", creators[slot]));
        }
        let given = tables.multiplicities.get(slot).copied().unwrap_or(0);
        if i64::from(given) != reads[slot] {
            let message = format!(
                "slot {id} is put on the bus {given} times, but read {} times",
                reads[slot]
            );
            report(Code::V08, message);
        }
    }
    errors.finish()
}
