//! Reading expressions.
//!
//! Operators wait on a stack of their own until one that binds less strongly comes, so nesting is limited
//! by memory, not by the call stack.

use std::collections::BTreeMap;

use super::{Cell, ColumnId, Graph, IntOp, Node, NodeId, PublicId};
use crate::Field;
use crate::text::{Cursor, ParseError, Token};

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Column(ColumnId),
    Public(PublicId),
}

/// The names that expressions may use.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) values: BTreeMap<String, Value>,
    pub(crate) nodes: BTreeMap<u32, NodeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Plus,
    Minus,
    Times,
    Negate,
    Word(IntOp),
    Bracket,
    Int,
    Inverse,
    Select,
}

impl Pending {
    /// How strongly the operator binds; `None` for what only a `)` ends.
    fn strength(self) -> Option<u8> {
        match self {
            Self::Word(_) => Some(0),
            Self::Plus | Self::Minus => Some(1),
            Self::Times => Some(2),
            Self::Negate => Some(3),
            Self::Bracket | Self::Int | Self::Inverse | Self::Select => None,
        }
    }
}

struct Reader<'a, 'b> {
    cursor: &'a mut Cursor<'b>,
    graph: &'a mut Graph,
    field: Field,
    names: &'a Names,
    operands: Vec<NodeId>,
    /// Operators, with the number of operands below them.
    pending: Vec<(Pending, usize)>,
}

/// Reads an expression into the graph.
pub(crate) fn expression(
    cursor: &mut Cursor<'_>,
    graph: &mut Graph,
    field: Field,
    names: &Names,
) -> Result<NodeId, ParseError> {
    let mut reader =
        Reader { cursor, graph, field, names, operands: Vec::new(), pending: Vec::new() };
    reader.run()
}

/// Reads a cell: a name of a column, behind `next.` on the row below.
pub(crate) fn cell(cursor: &mut Cursor<'_>, names: &Names) -> Result<Cell, ParseError> {
    let next = cursor.peek()? == Token::Word("next");
    if next {
        cursor.next()?;
        cursor.expect(".")?;
    }
    let name = super::types::name(cursor)?;
    match names.values.get(&name) {
        Some(Value::Column(column)) => Ok(Cell { column: *column, next }),
        _ => Err(cursor.error(format!("there is no column `{name}`"))),
    }
}

impl Reader<'_, '_> {
    fn run(&mut self) -> Result<NodeId, ParseError> {
        loop {
            self.operand()?;
            if !self.operators()? {
                break;
            }
        }
        while let Some((operator, _)) = self.pending.last() {
            if operator.strength().is_none() {
                self.cursor.next()?;
                return Err(self.cursor.error("expected `)`"));
            }
            self.reduce()?;
        }
        self.pop()
    }

    /// Reads up to and including the next operand.
    fn operand(&mut self) -> Result<(), ParseError> {
        loop {
            match self.cursor.next()? {
                Token::Punctuation("(") => self.push(Pending::Bracket),
                Token::Punctuation("-") => {
                    if let Token::Integer(value) = self.cursor.peek()? {
                        self.cursor.next()?;
                        return self.constant(-i128::from(value));
                    }
                    self.push(Pending::Negate);
                }
                Token::Punctuation("#") => return self.integer(),
                Token::Punctuation("%") => return self.named(),
                Token::Integer(value) => return self.constant(value.into()),
                Token::Text(name) => return self.value(name),
                Token::Word(word) => {
                    let function = match word {
                        "int" => Some(Pending::Int),
                        "inverse" => Some(Pending::Inverse),
                        "select" => Some(Pending::Select),
                        _ => None,
                    };
                    match function {
                        Some(function) if self.cursor.eat("(")? => self.push(function),
                        _ if word == "next" => return self.next_cell(),
                        _ => {
                            let name = super::types::rest_of_name(self.cursor, word)?;
                            return self.value(&name);
                        }
                    }
                }
                other => {
                    return Err(self
                        .cursor
                        .error(format!("expected an expression, found {other}")));
                }
            }
        }
    }

    /// Reads what may follow an operand. Whether another operand must follow.
    fn operators(&mut self) -> Result<bool, ParseError> {
        loop {
            let token = self.cursor.peek()?;
            let operator = match token {
                Token::Punctuation("+") => Pending::Plus,
                Token::Punctuation("-") => Pending::Minus,
                Token::Punctuation("*") => Pending::Times,
                Token::Punctuation(")") if self.in_brackets() => {
                    self.cursor.next()?;
                    self.close()?;
                    continue;
                }
                Token::Punctuation(",") if self.in_brackets() => {
                    self.cursor.next()?;
                    self.reduce_to(0)?;
                    if self.pending.last().is_none_or(|(open, _)| *open != Pending::Select) {
                        return Err(self.cursor.error("only `select` has several arguments"));
                    }
                    return Ok(true);
                }
                Token::Word(word) => {
                    match IntOp::WORDS.iter().find(|(_, text)| text.trim() == word) {
                        Some((op, _)) => Pending::Word(*op),
                        None => return Ok(false),
                    }
                }
                _ => return Ok(false),
            };
            self.cursor.next()?;
            self.reduce_to(operator.strength().unwrap_or(0))?;
            self.push(operator);
            return Ok(true);
        }
    }

    fn in_brackets(&self) -> bool {
        self.pending.iter().rev().any(|(operator, _)| operator.strength().is_none())
    }

    fn push(&mut self, operator: Pending) {
        self.pending.push((operator, self.operands.len()));
    }

    fn pop(&mut self) -> Result<NodeId, ParseError> {
        self.operands.pop().ok_or_else(|| self.cursor.error("expected an expression"))
    }

    /// Applies the operators that bind at least as strongly, up to the last open bracket.
    fn reduce_to(&mut self, strength: u8) -> Result<(), ParseError> {
        while let Some((operator, _)) = self.pending.last()
            && operator.strength().is_some_and(|own| own >= strength)
        {
            self.reduce()?;
        }
        Ok(())
    }

    /// Applies the last operator.
    fn reduce(&mut self) -> Result<(), ParseError> {
        let Some((operator, _)) = self.pending.pop() else { return Ok(()) };
        let b = self.pop()?;
        let node = if operator == Pending::Negate {
            self.check(&[b], false)?;
            Node::Neg(b)
        } else {
            let a = self.pop()?;
            let is_integer = self.graph.node(a).is_integer();
            match (operator, is_integer) {
                (Pending::Word(op), _) => {
                    self.check(&[a, b], true)?;
                    Node::IntOp(op, a, b)
                }
                (_, true) => {
                    self.check(&[b], true)?;
                    Node::IntOp(
                        match operator {
                            Pending::Plus => IntOp::Add,
                            Pending::Minus => IntOp::Sub,
                            _ => IntOp::Mul,
                        },
                        a,
                        b,
                    )
                }
                (_, false) => {
                    self.check(&[b], false)?;
                    match operator {
                        Pending::Plus => Node::Add(a, b),
                        Pending::Minus => Node::Sub(a, b),
                        _ => Node::Mul(a, b),
                    }
                }
            }
        };
        self.add(node);
        Ok(())
    }

    /// Applies what the bracket that closes here belongs to.
    fn close(&mut self) -> Result<(), ParseError> {
        self.reduce_to(0)?;
        let Some((open, below)) = self.pending.pop() else { return Ok(()) };
        let arguments = self.operands.split_off(below.min(self.operands.len()));
        let node = match (open, arguments.as_slice()) {
            (Pending::Bracket, [a]) => {
                self.operands.push(*a);
                return Ok(());
            }
            (Pending::Int, [a]) => {
                self.check(&[*a], false)?;
                Node::Int(*a)
            }
            (Pending::Inverse, [a]) => {
                self.check(&[*a], false)?;
                Node::Inverse(*a)
            }
            (Pending::Select, [c, a, b]) => {
                self.check(&[*c, *a, *b], true)?;
                Node::IntSelect(*c, *a, *b)
            }
            _ => return Err(self.cursor.error("wrong number of arguments")),
        };
        self.add(node);
        Ok(())
    }

    fn check(&self, operands: &[NodeId], integer: bool) -> Result<(), ParseError> {
        if operands.iter().all(|id| self.graph.node(*id).is_integer() == integer) {
            return Ok(());
        }
        let (wanted, found) = if integer {
            ("an integer of advice", "a field element; write `int(..)` or `#5`")
        } else {
            ("a field element", "an integer of advice, which rules cannot use")
        };
        Err(self.cursor.error(format!("expected {wanted}, found {found}")))
    }

    fn add(&mut self, node: Node) {
        let id = self.graph.add(node);
        self.operands.push(id);
    }

    fn constant(&mut self, value: i128) -> Result<(), ParseError> {
        if value.unsigned_abs() >= u128::from(self.field.modulus()) {
            let message = format!("{value} is not below the modulus of {}", self.field);
            return Err(self.cursor.error(message));
        }
        self.add(Node::Const(self.field.reduce(value)));
        Ok(())
    }

    fn integer(&mut self) -> Result<(), ParseError> {
        let mut read = || match self.cursor.next()? {
            Token::Integer(value) => Ok(value),
            other => Err(self.cursor.error(format!("expected an integer, found {other}"))),
        };
        let first = read()?;
        let value = if self.cursor.eat(":")? {
            let low = self.cursor.integer()?;
            (u128::from(first) << 64) | (low as u128 & u128::from(u64::MAX))
        } else {
            first.into()
        };
        self.add(Node::IntConst(value));
        Ok(())
    }

    fn named(&mut self) -> Result<(), ParseError> {
        let name = self.cursor.index()?;
        let Some(id) = self.names.nodes.get(&name) else {
            return Err(self.cursor.error(format!("%{name} is used before it is defined")));
        };
        self.operands.push(*id);
        Ok(())
    }

    fn next_cell(&mut self) -> Result<(), ParseError> {
        self.cursor.expect(".")?;
        let name = super::types::name(self.cursor)?;
        match self.names.values.get(&name) {
            Some(Value::Column(column)) => {
                self.add(Node::Cell(Cell { column: *column, next: true }));
            }
            _ => return Err(self.cursor.error(format!("there is no column `{name}`"))),
        }
        Ok(())
    }

    fn value(&mut self, name: &str) -> Result<(), ParseError> {
        match self.names.values.get(name) {
            Some(Value::Column(column)) => {
                self.add(Node::Cell(Cell { column: *column, next: false }));
            }
            Some(Value::Public(public)) => self.add(Node::Public(*public)),
            None => {
                let message = format!("there is no column or public value `{name}`");
                return Err(self.cursor.error(message));
            }
        }
        Ok(())
    }
}
