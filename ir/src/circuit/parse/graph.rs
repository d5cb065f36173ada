//! Stage `expr`.

use std::collections::HashMap;

use super::SourceLines;
use super::values::{annotation, call, constant, external_types, hint_kind};
use crate::circuit::graph::{BinaryOp, Call, Graph, Hint, NodeId, Op, RuleKind};
use crate::circuit::print::is_name_character;
use crate::circuit::value::ValueType;
use crate::field::Field;
use crate::text::{Cursor, ParseError, Token};

pub(super) fn read(
    cursor: &mut Cursor<'_>,
    name: String,
    field: Field,
) -> Result<(Graph, SourceLines), ParseError> {
    let mut reader = Reader {
        graph: Graph::new(name, field),
        values: HashMap::new(),
        lines: SourceLines::default(),
    };
    while !cursor.eat("}")? {
        reader.line(cursor)?;
    }
    reader.graph.settle_types();
    Ok((reader.graph, reader.lines))
}

struct Reader<'a> {
    graph: Graph,
    values: HashMap<&'a str, NodeId>,
    lines: SourceLines,
}

impl<'a> Reader<'a> {
    fn line(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let start = cursor.position()?;
        let line = start.line;
        let rules = self.graph.rules().len();
        self.statement(cursor)?;
        self.lines.nodes.resize(self.graph.len(), start);
        self.lines.rules.resize(self.graph.rules().len(), start);
        // Reading on gives the comment of the line.
        let next = cursor.position()?;
        if next.line == line && cursor.peek()? != Token::Punctuation("}") {
            cursor.next()?;
            return Err(cursor.error("expected a new line"));
        }
        if self.graph.rules().len() > rules
            && let Some(comment) = cursor.comment_of(line)
        {
            self.graph.set_rule_label(comment);
        }
        Ok(())
    }

    fn statement(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let mut names = Vec::new();
        if let Token::Punctuation("%") = cursor.peek()? {
            names.push(name(cursor)?);
            while cursor.eat(",")? {
                names.push(name(cursor)?);
            }
            cursor.expect("=")?;
        }
        let position = cursor.position()?;
        let word = cursor.word("an operation")?;
        let kind = match word {
            "assert_zero" => RuleKind::Zero(self.value(cursor)?),
            "assert_bit" => RuleKind::Bit(self.value(cursor)?),
            "assert_eq" | "connect" => {
                let a = self.value(cursor)?;
                cursor.expect(",")?;
                let b = self.value(cursor)?;
                if word == "connect" { RuleKind::Connect(a, b) } else { RuleKind::Equal(a, b) }
            }
            _ => {
                let results = self.operation(cursor, word, position, names.len())?;
                if results.len() != names.len() {
                    let message = format!(
                        "`{word}` gives {} values, {} are named",
                        results.len(),
                        names.len()
                    );
                    return Err(ParseError { position, message });
                }
                for (name, id) in names.into_iter().zip(results) {
                    self.name(cursor, name, id)?;
                }
                return Ok(());
            }
        };
        if !names.is_empty() {
            return Err(ParseError { position, message: format!("`{word}` gives no value") });
        }
        // The type of the operand follows from the rule, as in the builder.
        match kind {
            RuleKind::Bit(a) => self.graph.assert_bit(a),
            RuleKind::Zero(a) => self.graph.assert_zero(a),
            RuleKind::Equal(a, b) => self.graph.assert_eq(a, b),
            RuleKind::Connect(a, b) => self.graph.connect(a, b),
        }
        Ok(())
    }

    fn name(&mut self, cursor: &Cursor<'a>, name: &'a str, id: NodeId) -> Result<(), ParseError> {
        if self.values.insert(name, id).is_some() {
            return Err(cursor.error(format!("%{name} is defined twice")));
        }
        if name.starts_with(|c: char| !c.is_ascii_digit()) {
            self.graph.set_label(id, name);
        }
        Ok(())
    }

    fn value(&mut self, cursor: &mut Cursor<'a>) -> Result<NodeId, ParseError> {
        let name = name(cursor)?;
        match self.values.get(name) {
            Some(&id) => Ok(id),
            None => Err(cursor.error(format!("V01 %{name} is used before it is defined"))),
        }
    }

    fn values(&mut self, cursor: &mut Cursor<'a>) -> Result<Vec<NodeId>, ParseError> {
        let mut values = vec![self.value(cursor)?];
        while cursor.eat(",")? {
            values.push(self.value(cursor)?);
        }
        Ok(values)
    }

    fn operation(
        &mut self,
        cursor: &mut Cursor<'a>,
        word: &str,
        position: crate::text::Position,
        count: usize,
    ) -> Result<Vec<NodeId>, ParseError> {
        let one = |id| Ok(vec![id]);
        let binary = match word {
            "add" => Some(BinaryOp::Add),
            "sub" => Some(BinaryOp::Sub),
            "mul" => Some(BinaryOp::Mul),
            "div" => Some(BinaryOp::Div),
            _ => None,
        };
        let arity = |values: &[NodeId], expected: usize| {
            let message = format!("`{word}` takes {expected} operands, found {}", values.len());
            if values.len() == expected { Ok(()) } else { Err(ParseError { position, message }) }
        };
        match word {
            "const" => {
                let value = constant(cursor, self.graph.field)?;
                one(self.graph.constant(value))
            }
            "public" | "private" => {
                let index = cursor.index()?;
                let ty = annotation(cursor)?.unwrap_or(ValueType::Felt);
                let op = if word == "public" { Op::Public(index) } else { Op::Private(index) };
                one(self.graph.push(op, ty, &[]))
            }
            "mul_add" | "mul_sub" => {
                let v = self.values(cursor)?;
                arity(&v, 3)?;
                let id = if word == "mul_add" {
                    self.graph.mul_add(v[0], v[1], v[2])
                } else {
                    self.graph.mul_sub(v[0], v[1], v[2])
                };
                self.check_annotation(cursor, id)?;
                one(id)
            }
            "from_coefficients" => {
                let values = self.values(cursor)?;
                one(self.graph.from_coefficients(&values))
            }
            "hint" => self.hint(cursor, count),
            "call" => self.call(cursor, count),
            _ => {
                let Some(op) = binary else {
                    let message = format!("unknown operation `{word}`");
                    return Err(ParseError { position, message });
                };
                let values = self.values(cursor)?;
                arity(&values, 2)?;
                let id = self.graph.binary(op, values[0], values[1]);
                self.check_annotation(cursor, id)?;
                one(id)
            }
        }
    }

    /// Types of results follow from those of the operands; one that is written must agree.
    fn check_annotation(&mut self, cursor: &mut Cursor<'a>, id: NodeId) -> Result<(), ParseError> {
        match annotation(cursor)? {
            Some(ty) if ty != self.graph.ty(id) => {
                Err(cursor.error(format!("V02 the result is {}, not {ty}", self.graph.ty(id))))
            }
            _ => Ok(()),
        }
    }

    fn hint(&mut self, cursor: &mut Cursor<'a>, count: usize) -> Result<Vec<NodeId>, ParseError> {
        let mut kind = hint_kind(cursor)?;
        cursor.expect("(")?;
        let mut inputs = Vec::new();
        while cursor.peek()? != Token::Punctuation(")") {
            if !inputs.is_empty() {
                cursor.expect(",")?;
            }
            inputs.push(self.value(cursor)?);
        }
        cursor.expect(")")?;
        external_types(cursor, &mut kind, count)?;
        let ty = |&input: &NodeId| self.graph.ty(input).without_bit();
        let types: Vec<_> = inputs.iter().map(ty).collect();
        let outputs = kind.outputs(self.graph.field, &types);
        let hint = Hint { kind, inputs: types, outputs };
        Ok(self.graph.hint_with_outputs(hint, &inputs).1)
    }

    fn call(&mut self, cursor: &mut Cursor<'a>, count: usize) -> Result<Vec<NodeId>, ParseError> {
        let text = call(cursor, count, |cursor| {
            let id = self.value(cursor)?;
            Ok((id, self.graph.ty(id).without_bit()))
        })?;
        let call = Call { chip: text.chip, signature: text.signature, data: text.data };
        Ok(self.graph.push_call(call, &text.inputs).outputs)
    }
}

/// The name of a value, without its `%`.
fn name<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, ParseError> {
    cursor.expect("%")?;
    let name = cursor.run(is_name_character);
    if name.is_empty() {
        return Err(cursor.error("expected the name of a value"));
    }
    Ok(name)
}
