//! Stage `slots`.

use super::SourceLines;
use super::values::{annotation, call, constant, external_types, hint_kind};
use crate::circuit::graph::{Call, CallId, Hint, HintId};
use crate::circuit::hint::HintKind;
use crate::circuit::names::Names;
use crate::circuit::rows::{OUT, Origin, Port, Relation, Role, RowOp, Rows, SlotId};
use crate::circuit::slots::{Form, SlotInfo, Slots};
use crate::circuit::value::ValueType;
use crate::field::Field;
use crate::text::{Cursor, ParseError, Token};

/// `, form separate`, if it is there.
pub(super) fn form(cursor: &mut Cursor<'_>) -> Result<Form, ParseError> {
    if !cursor.eat(",")? {
        return Ok(Form::Fused);
    }
    cursor.expect("form")?;
    match cursor.word("a form")? {
        "fused" => Ok(Form::Fused),
        "separate" => Ok(Form::Separate),
        other => Err(cursor.error(format!("unknown form `{other}`; known are fused and separate"))),
    }
}

pub(super) fn read(
    cursor: &mut Cursor<'_>,
    name: String,
    field: Field,
    form: Form,
) -> Result<(Slots, SourceLines), ParseError> {
    let slots = Slots {
        name,
        field,
        form,
        names: Names::default(),
        slots: Vec::new(),
        rows: Rows::default(),
        hints: Vec::new(),
        calls: Vec::new(),
        publics: Vec::new(),
        privates: Vec::new(),
    };
    let mut reader = Reader { slots, lines: SourceLines::default() };
    while !cursor.eat("}")? {
        reader.line(cursor)?;
    }
    // Slots that only readers name do not exist; the verifier says so.
    let count = reader.slots.slots.len();
    if reader.slots.rows.ports().iter().all(|port| port.slot.index() < count) {
        reader.slots.count_reads();
    }
    Ok((reader.slots, reader.lines))
}

struct Reader {
    slots: Slots,
    lines: SourceLines,
}

/// A slot on the left of `=`.
#[derive(Clone, Copy)]
struct Target {
    slot: SlotId,
    created: bool,
}

impl Reader {
    fn line(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        let start = cursor.position()?;
        let line = start.line;
        let (op, ports) = self.statement(cursor)?;
        let next = cursor.position()?;
        if next.line == line && cursor.peek()? != Token::Punctuation("}") {
            cursor.next()?;
            return Err(cursor.error("expected a new line"));
        }
        let label = label_of(cursor.comment_of(line).unwrap_or(""));
        let origin = Origin { label: self.slots.names.intern(label), ..Origin::default() };
        self.slots.rows.push(op, ports, origin);
        self.lines.rows.push(start);
        Ok(())
    }

    fn statement(&mut self, cursor: &mut Cursor<'_>) -> Result<(RowOp, Vec<Port>), ParseError> {
        let mut targets = Vec::new();
        if is_target(cursor)? {
            targets.push(target(cursor)?);
            while cursor.eat(",")? {
                targets.push(target(cursor)?);
            }
            cursor.expect("=")?;
        }
        let position = cursor.position()?;
        let word = cursor.word("a row")?;
        if let Some(relation) = word.strip_prefix("check_") {
            if !targets.is_empty() {
                let message = format!("`{word}` creates no slot");
                return Err(ParseError { position, message });
            }
            if relation == "base" {
                return Ok((RowOp::Base, Port::of_base(slot(cursor)?).to_vec()));
            }
            let relation = relation_of(relation)
                .ok_or_else(|| cursor.error(format!("unknown row `{word}`")))?;
            return self.check(cursor, relation);
        }
        match word {
            "hint" => return self.hint(cursor, &targets),
            "call" => return self.call(cursor, &targets),
            _ => {}
        }
        let &[target] = &targets[..] else {
            let message = format!("`{word}` gives one value, {} are named", targets.len());
            return Err(ParseError { position, message });
        };
        let input = |ty: ValueType, reader: &mut Self| {
            let role = if target.created { Role::Creates } else { Role::Peeks };
            if target.created {
                reader.create(target.slot, ty, position)?;
            }
            Ok(vec![Port { slot: target.slot, position: 0, role }])
        };
        match word {
            "const" => {
                let value = constant(cursor, self.slots.field)?;
                let ports = input(value.ty(), self)?;
                Ok((RowOp::Const(value), ports))
            }
            "public" => {
                let index = cursor.index()?;
                let ty = annotation(cursor)?.unwrap_or(ValueType::Felt);
                self.slots.publics.push(target.slot);
                Ok((RowOp::Public(index), input(ty, self)?))
            }
            "private" => {
                let index = cursor.index()?;
                let ty = annotation(cursor)?.unwrap_or(ValueType::Felt);
                self.slots.privates.push(ty);
                Ok((RowOp::Private(index), input(ty, self)?))
            }
            "solve" => {
                let word = cursor.word("a relation")?;
                let relation = relation_of(word)
                    .ok_or_else(|| cursor.error(format!("unknown relation `{word}`")))?;
                let mut slots = slots(cursor)?;
                cursor.expect("->")?;
                slots.push(slot(cursor)?);
                self.arithmetic(cursor, relation, &slots, Some(target.slot))
            }
            _ => match relation_of(word) {
                Some(relation) => {
                    let mut slots = slots(cursor)?;
                    slots.push(target.slot);
                    self.arithmetic(cursor, relation, &slots, Some(target.slot))
                }
                None => Err(ParseError { position, message: format!("unknown row `{word}`") }),
            },
        }
    }

    fn check(
        &mut self,
        cursor: &mut Cursor<'_>,
        relation: Relation,
    ) -> Result<(RowOp, Vec<Port>), ParseError> {
        let mut slots = slots(cursor)?;
        if relation != Relation::Eq {
            cursor.expect("->")?;
            slots.push(slot(cursor)?);
        }
        self.arithmetic(cursor, relation, &slots, None)
    }

    fn arithmetic(
        &mut self,
        cursor: &mut Cursor<'_>,
        relation: Relation,
        slots: &[SlotId],
        created: Option<SlotId>,
    ) -> Result<(RowOp, Vec<Port>), ParseError> {
        let position = cursor.last_position();
        let ty = annotation(cursor)?.unwrap_or(ValueType::Felt).without_bit();
        let positions = relation.positions();
        if slots.len() != positions.len() {
            let message = format!(
                "V02 `{relation}` has {} operands and a result, found {} slots",
                positions.len() - 1,
                slots.len()
            );
            return Err(ParseError { position, message });
        }
        let mut ports: Vec<_> = slots
            .iter()
            .zip(positions)
            .map(|(&slot, &position)| Port { slot, position, role: Role::Reads })
            .collect();
        if let Some(created) = created {
            // `w3 = add w3, w1` creates its result, `w3 = solve add w1, w3 -> w0` an operand.
            let result = ports.iter().position(|p| p.position == OUT && p.slot == created);
            let place = result.or_else(|| ports.iter().position(|port| port.slot == created));
            let Some(place) = place else {
                let message = format!("{created} does not stand in its row");
                return Err(ParseError { position, message });
            };
            ports[place].role = Role::Creates;
            self.create(created, ty, position)?;
        }
        Ok((RowOp::Arithmetic(relation, ty), ports))
    }

    /// Gives a new slot its type. A second creator keeps the first one's; the verifier complains.
    fn create(
        &mut self,
        slot: SlotId,
        ty: ValueType,
        position: crate::text::Position,
    ) -> Result<(), ParseError> {
        let count = self.slots.slots.len();
        if slot.index() > count {
            let message = format!("slots are created in order: expected w{count}, found {slot}");
            return Err(ParseError { position, message });
        }
        if slot.index() == count {
            self.slots.slots.push(SlotInfo { ty: ty.without_bit(), reads: 0 });
        }
        Ok(())
    }

    fn ty(&self, slot: SlotId) -> ValueType {
        self.slots.slots.get(slot.index()).map_or(ValueType::Felt, |info| info.ty)
    }

    fn outputs(
        &mut self,
        cursor: &Cursor<'_>,
        targets: &[Target],
        types: &[ValueType],
        otherwise: Role,
    ) -> Result<Vec<Port>, ParseError> {
        let position = cursor.last_position();
        if targets.len() != types.len() {
            let message = format!("{} results are given, {} named", types.len(), targets.len());
            return Err(ParseError { position, message });
        }
        let mut ports = Vec::with_capacity(targets.len());
        for (target, &ty) in targets.iter().zip(types) {
            let role = if target.created { Role::Creates } else { otherwise };
            if target.created {
                self.create(target.slot, ty, position)?;
            }
            ports.push(Port { slot: target.slot, position: 0, role });
        }
        Ok(ports)
    }

    fn hint(
        &mut self,
        cursor: &mut Cursor<'_>,
        targets: &[Target],
    ) -> Result<(RowOp, Vec<Port>), ParseError> {
        let mut kind = hint_kind(cursor)?;
        cursor.expect("(")?;
        let mut ports = Vec::new();
        let mut inputs = Vec::new();
        while cursor.peek()? != Token::Punctuation(")") {
            if !ports.is_empty() {
                cursor.expect(",")?;
            }
            let slot = slot(cursor)?;
            let ty = annotation(cursor)?.unwrap_or_else(|| self.ty(slot)).without_bit();
            ports.push(Port { slot, position: 0, role: Role::Peeks });
            inputs.push(ty);
        }
        cursor.expect(")")?;
        external_types(cursor, &mut kind, targets.len())?;
        let outputs = kind.outputs(self.slots.field, &inputs);
        ports.extend(self.outputs(cursor, targets, &outputs, Role::Peeks)?);
        for (i, port) in ports.iter_mut().enumerate() {
            port.position = i as u16;
        }
        let id = HintId::new(self.slots.hints.len());
        let kind = match kind {
            HintKind::Extern { name, .. } => HintKind::Extern { name, outputs: outputs.clone() },
            kind => kind,
        };
        self.slots.hints.push(Hint { kind, inputs, outputs });
        Ok((RowOp::Hint(id), ports))
    }

    fn call(
        &mut self,
        cursor: &mut Cursor<'_>,
        targets: &[Target],
    ) -> Result<(RowOp, Vec<Port>), ParseError> {
        let text = call(cursor, targets.len(), |cursor| {
            let slot = slot(cursor)?;
            Ok((slot, self.ty(slot)))
        })?;
        let read = |&slot: &SlotId| Port { slot, position: 0, role: Role::Reads };
        let mut ports: Vec<_> = text.inputs.iter().map(read).collect();
        let types = text.signature.output_types();
        ports.extend(self.outputs(cursor, targets, &types, Role::Reads)?);
        let places = text.signature.inputs.iter().chain(&text.signature.outputs);
        for (port, place) in ports.iter_mut().zip(places) {
            port.position = place.port;
        }
        let id = CallId::new(self.slots.calls.len());
        let call = Call { chip: text.chip, signature: text.signature, data: text.data };
        self.slots.calls.push(call);
        Ok((RowOp::Call { call: id, row: 0 }, ports))
    }
}

fn relation_of(word: &str) -> Option<Relation> {
    [Relation::Add, Relation::Mul, Relation::MulAdd, Relation::Eq]
        .into_iter()
        .find(|relation| relation.name() == word)
}

/// Whether a slot, or one in parentheses, comes next.
fn is_target(cursor: &mut Cursor<'_>) -> Result<bool, ParseError> {
    Ok(match cursor.peek()? {
        Token::Punctuation("(") => true,
        Token::Word(word) => number(word).is_some(),
        _ => false,
    })
}

fn target(cursor: &mut Cursor<'_>) -> Result<Target, ParseError> {
    if cursor.eat("(")? {
        let slot = slot(cursor)?;
        cursor.expect(")")?;
        return Ok(Target { slot, created: false });
    }
    Ok(Target { slot: slot(cursor)?, created: true })
}

fn slot(cursor: &mut Cursor<'_>) -> Result<SlotId, ParseError> {
    let word = cursor.word("a slot")?;
    number(word).map(SlotId).ok_or_else(|| cursor.error(format!("`{word}` is not a slot")))
}

fn slots(cursor: &mut Cursor<'_>) -> Result<Vec<SlotId>, ParseError> {
    let mut slots = vec![slot(cursor)?];
    while cursor.eat(",")? {
        slots.push(slot(cursor)?);
    }
    Ok(slots)
}

/// The number of `w7`.
fn number(word: &str) -> Option<u32> {
    word.strip_prefix('w').and_then(|digits| digits.parse().ok())
}

/// The name in a comment: what stands before the number of reads.
fn label_of(comment: &str) -> &str {
    if comment.starts_with("read ") {
        return "";
    }
    comment.rfind(", read ").map_or(comment, |end| &comment[..end])
}
