//! Reading the text form of [`print`](super::print).
//!
//! Comments behind rules and messages become their names; all other comments are skipped. A chip that was
//! read knows its Rust functions by name only: [`Chip::resolve_natives`] puts them back, and until then
//! filling fails with an error that names the function.
//!
//! ```
//! let text = "chip double over goldilocks^2 {
//!   x: input felt   c0
//!   y: output felt  c1
//!   row {
//!     fill y = x + x
//!     eq y, x + x   ; twice
//!   }
//! }";
//! let chip = chipwright_ir::chip::parse::parse(text)?;
//! assert_eq!(chip.rules[0].label.name, "twice");
//! # Ok::<(), chipwright_ir::text::ParseError>(())
//! ```

use std::sync::Arc;

use super::expression::{Names, Value, cell, expression};
use super::normalise::read_comment;
use super::print::default_weight;
use super::types::{
    cell_type, default_names, expected_cells, name, read_runs, rest_of_name, type_name,
};
use super::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, Fill, FillOp, FixedData, Graph, Group,
    Interaction, Label, NativeFn, NodeId, Origin, Port, PortId, PortKind, Public, PublicId, Rule,
    Section, Sign, StepPart, StepRole,
};
use crate::Field;
use crate::machine::Machine;
use crate::text::{Cursor, ParseError, Token};

/// Reads one chip.
///
/// # Errors
///
/// Fails where the text leaves the grammar, or names something that does not exist.
pub fn parse(text: &str) -> Result<Chip, ParseError> {
    let mut cursor = Cursor::new(text);
    let chip = Parser::chip(&mut cursor)?;
    end(&mut cursor)?;
    Ok(chip)
}

/// Reads a machine.
///
/// # Errors
///
/// Fails as [`parse`] does.
pub fn parse_machine(text: &str) -> Result<Machine, ParseError> {
    let mut cursor = Cursor::new(text);
    cursor.expect("machine")?;
    let name = name(&mut cursor)?;
    cursor.expect("over")?;
    let mut machine = Machine::new(name, field(&mut cursor)?);
    cursor.expect("{")?;
    while !cursor.eat("}")? {
        machine.chips.push(Parser::chip(&mut cursor)?);
    }
    end(&mut cursor)?;
    Ok(machine)
}

fn end(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    match cursor.next()? {
        Token::End => Ok(()),
        other => Err(cursor.error(format!("expected the end of the text, found {other}"))),
    }
}

fn field(cursor: &mut Cursor<'_>) -> Result<Field, ParseError> {
    let mut text = cursor.word("a field")?.to_owned();
    while cursor.eat("-")? {
        text = format!("{text}-{}", cursor.word("the rest of a field's name")?);
    }
    if cursor.eat("^")? {
        text = format!("{text}^{}", cursor.index()?);
    }
    text.parse().map_err(|error: crate::field::UnknownField| cursor.error(error.to_string()))
}

impl Chip {
    /// Puts Rust functions in the place of those of the same name, for a chip that was read from text.
    pub fn resolve_natives(&mut self, functions: &[NativeFn]) {
        for fill in &mut self.fills {
            if let FillOp::Native { function, .. } = &mut fill.op
                && let Some(found) = functions.iter().find(|f| f.name == function.name)
            {
                *function = found.clone();
            }
        }
    }
}

/// The size of a column's cell, with its name, in numbers.
const CELL: u64 = 32;

struct Parser<'a, 'b> {
    cursor: &'a mut Cursor<'b>,
    chip: Chip,
    names: Names,
    /// The contents of columns, which are put in their places at the end.
    contents: Vec<Option<Vec<u64>>>,
}

impl<'b> Parser<'_, 'b> {
    fn chip(cursor: &mut Cursor<'b>) -> Result<Chip, ParseError> {
        cursor.expect("chip")?;
        let chip_name = name(cursor)?;
        cursor.expect("over")?;
        let chip = Chip {
            name: chip_name,
            field: field(cursor)?,
            doc: String::new(),
            dense: false,
            groups: Vec::new(),
            columns: Vec::new(),
            publics: Vec::new(),
            ports: Vec::new(),
            graph: Graph::new(),
            rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            fixed: None,
            periodic: Vec::new(),
            memory_of: None,
        };
        let mut parser = Parser { cursor, chip, names: Names::default(), contents: Vec::new() };
        parser.body()?;
        Ok(parser.chip)
    }

    fn body(&mut self) -> Result<(), ParseError> {
        while self.cursor.eat(",")? {
            if self.cursor.eat("dense")? {
                self.chip.dense = true;
            } else {
                self.cursor.expect("memory")?;
                self.cursor.expect("of")?;
                self.chip.memory_of = Some(name(self.cursor)?);
            }
        }
        self.cursor.expect("{")?;
        while !self.cursor.eat("}")? {
            self.fact()?;
        }
        self.place_contents()?;
        match self.chip.malformation() {
            None => Ok(()),
            Some(reason) => Err(self.cursor.error(reason)),
        }
    }

    fn fact(&mut self) -> Result<(), ParseError> {
        if let Token::Text(_) = self.cursor.peek()? {
            let name = name(self.cursor)?;
            return self.group(name);
        }
        let word = self.cursor.word("a column, a port or a section")?;
        let next = self.cursor.peek()?;
        let names_something = matches!(next, Token::Word(_) | Token::Text(_));
        let section = Section::ALL.into_iter().find(|section| section.to_string() == word);
        match (word, section) {
            (_, Some(section)) if next == Token::Punctuation("{") => self.section(section),
            ("public", _) if names_something => self.public(),
            ("port", _) if names_something => self.port(),
            ("contents", _) if names_something => self.column_contents(),
            _ => {
                let name = rest_of_name(self.cursor, word)?;
                self.group(name)
            }
        }
    }

    fn group(&mut self, group_name: String) -> Result<(), ParseError> {
        self.cursor.expect(":")?;
        let kind = match self.cursor.peek()? {
            Token::Word(word) => ColumnKind::from_word(word),
            _ => None,
        };
        if kind.is_some() {
            self.cursor.next()?;
        }
        let kind = kind.unwrap_or(ColumnKind::Private);
        let type_name = type_name(self.cursor)?;
        let start = self.chip.columns.len();
        let len = self.place(start)?;
        let types = self.cell_types(&type_name, len as usize)?;
        let mut group = Group {
            name: group_name,
            kind,
            type_name,
            start: ColumnId::new(start),
            len,
            doc: String::new(),
            free: None,
            location: None,
        };
        let names = if self.cursor.eat("named")? {
            let mut names = vec![name(self.cursor)?];
            while self.cursor.eat(",")? {
                names.push(name(self.cursor)?);
            }
            names
        } else {
            default_names(&group)
        };
        if names.len() != types.len() {
            let (names, cells) = (names.len(), types.len());
            return Err(self.cursor.error(format!("{names} names for {cells} cells")));
        }
        if self.cursor.eat("free")? {
            group.free = Some(self.quoted()?);
        }
        for (name, ty) in names.into_iter().zip(types) {
            let column = ColumnId::new(self.chip.columns.len());
            self.declare(&name, Value::Column(column))?;
            self.chip.columns.push(Column { name, kind, ty });
            self.contents.push(None);
        }
        self.chip.groups.push(group);
        Ok(())
    }

    /// Reads `c3` or `c3..c5`: the cells that follow the ones before. Their number.
    fn place(&mut self, start: usize) -> Result<u32, ParseError> {
        let first = self.column_number()?;
        let end = if self.cursor.eat("..")? { self.column_number()? } else { first + 1 };
        // A group may be empty; a chip has at most this many columns.
        if first != start || end < first || end - first > 1 << 20 {
            return Err(self.cursor.error(format!(
                "cells c{first}..c{end} do not follow those before, which end at c{start}"
            )));
        }
        let cells = (end - first) as u32;
        self.cursor.spend(CELL * u64::from(cells))?;
        Ok(cells)
    }

    fn column_number(&mut self) -> Result<usize, ParseError> {
        let word = self.cursor.word("a place such as `c3`")?;
        let number = word.strip_prefix('c').and_then(|digits| digits.parse::<u32>().ok());
        number.map(|number| number as usize).ok_or_else(|| {
            self.cursor.error(format!("expected a place such as `c3`, found `{word}`"))
        })
    }

    fn cell_types(&mut self, type_name: &str, len: usize) -> Result<Vec<CellType>, ParseError> {
        if !self.cursor.eat("of")? {
            return expected_cells(type_name, len).ok_or_else(|| {
                self.cursor.error(format!(
                    "`{type_name}` does not say what its {len} cells are; add `of` and their types"
                ))
            });
        }
        let mut types = vec![cell_type(self.cursor)?];
        while self.cursor.eat(",")? {
            types.push(cell_type(self.cursor)?);
        }
        if types.len() == len {
            Ok(types)
        } else {
            Err(self.cursor.error(format!("{} types for {len} cells", types.len())))
        }
    }

    fn declare(&mut self, name: &str, value: Value) -> Result<(), ParseError> {
        if self.names.values.insert(name.to_owned(), value).is_some() {
            return Err(self.cursor.error(format!("`{name}` is declared twice")));
        }
        Ok(())
    }

    fn public(&mut self) -> Result<(), ParseError> {
        let name = name(self.cursor)?;
        self.declare(&name, Value::Public(PublicId::new(self.chip.publics.len())))?;
        let part = if self.cursor.eat(",")? {
            let word = self.cursor.word("what the value is of a step")?;
            let Some(role) = StepRole::from_word(word) else {
                let message = format!("`{word}` is not what a public value is of a step");
                return Err(self.cursor.error(message));
            };
            Some(StepPart { role, name: self::name(self.cursor)? })
        } else {
            None
        };
        self.chip.publics.push(Public { name, part });
        Ok(())
    }

    fn port(&mut self) -> Result<(), ParseError> {
        let port_name = name(self.cursor)?;
        if self.chip.ports.iter().any(|port| port.name == port_name) {
            return Err(self.cursor.error(format!("port `{port_name}` is declared twice")));
        }
        self.cursor.expect(":")?;
        let word = self.cursor.word("the kind of a port")?;
        let Some(kind) = PortKind::from_word(word) else {
            return Err(self.cursor.error(format!("`{word}` is not the kind of a port")));
        };
        let bus = name(self.cursor)?;
        let message = self.list(|parser| {
            let element = name(parser.cursor)?;
            parser.cursor.expect(":")?;
            Ok((element, cell_type(parser.cursor)?))
        })?;
        self.chip.ports.push(Port { name: port_name, bus, kind, message, location: None });
        Ok(())
    }

    fn column_contents(&mut self) -> Result<(), ParseError> {
        let Cell { column, .. } = cell(self.cursor, &self.names)?;
        self.cursor.expect("=")?;
        let values = read_runs(self.cursor)?;
        let kind = self.chip.columns[column.index()].kind;
        if !matches!(kind, ColumnKind::Fixed | ColumnKind::Periodic) {
            return Err(self.cursor.error("only fixed and periodic columns have contents"));
        }
        if values.iter().any(|value| *value >= self.chip.field.modulus()) {
            return Err(self.cursor.error("contents are not below the modulus"));
        }
        self.contents[column.index()] = Some(values);
        Ok(())
    }

    fn place_contents(&mut self) -> Result<(), ParseError> {
        let mut take = |kind| -> Vec<Option<Vec<u64>>> {
            let columns: Vec<ColumnId> = self.chip.columns_of(kind).collect();
            columns.into_iter().map(|column| self.contents[column.index()].take()).collect()
        };
        let (fixed, periodic) = (take(ColumnKind::Fixed), take(ColumnKind::Periodic));
        if fixed.iter().any(Option::is_some) {
            let columns: Option<Vec<Vec<u64>>> = fixed.into_iter().collect();
            let Some(columns) = columns else {
                return Err(self
                    .cursor
                    .error("some fixed columns have contents and some have none"));
            };
            self.chip.fixed = Some(FixedData { columns });
        }
        self.chip.periodic = periodic.into_iter().flatten().collect();
        Ok(())
    }

    fn section(&mut self, section: Section) -> Result<(), ParseError> {
        self.cursor.expect("{")?;
        while !self.cursor.eat("}")? {
            match self.cursor.next()? {
                Token::Punctuation("%") => self.node()?,
                Token::Word("eq") => self.rule(section)?,
                Token::Word("fill") => self.fill(section)?,
                Token::Word(verb) => self.interaction(verb)?,
                other => {
                    let message = format!(
                        "expected `%`, `eq`, `fill` or a message in `{section}`, found {other}"
                    );
                    return Err(self.cursor.error(message));
                }
            }
        }
        Ok(())
    }

    fn node(&mut self) -> Result<(), ParseError> {
        let number = self.cursor.index()?;
        self.cursor.expect("=")?;
        let id = self.expression()?;
        if self.names.nodes.insert(number, id).is_some() {
            return Err(self.cursor.error(format!("%{number} is defined twice")));
        }
        Ok(())
    }

    fn rule(&mut self, section: Section) -> Result<(), ParseError> {
        let left = self.expression()?;
        self.cursor.expect(",")?;
        let right = self.expression()?;
        let guard = if self.cursor.eat("when")? { Some(self.expression()?) } else { None };
        let (origin, label) = self.comment()?;
        self.chip.rules.push(Rule { section, guard, left, right, origin, label });
        Ok(())
    }

    fn fill(&mut self, section: Section) -> Result<(), ParseError> {
        let mut cells = vec![cell(self.cursor, &self.names)?];
        while self.cursor.eat(",")? {
            cells.push(cell(self.cursor, &self.names)?);
        }
        self.cursor.expect("=")?;
        let op = self.fill_op(cells)?;
        let mut guards = Vec::new();
        if self.cursor.eat("when")? {
            guards.push(self.expression()?);
            while self.cursor.eat(",")? {
                guards.push(self.expression()?);
            }
        }
        self.chip.fills.push(Fill { section, guards, op, label: Label::default() });
        Ok(())
    }

    fn fill_op(&mut self, cells: Vec<Cell>) -> Result<FillOp, ParseError> {
        match self.cursor.peek()? {
            Token::Word("split") => {
                self.cursor.next()?;
                self.split(&cells)
            }
            Token::Word("native") => {
                self.cursor.next()?;
                let name = self.quoted()?;
                let inputs = self.expressions()?;
                let missing = format!("the function `{name}` is known by name only");
                let call: super::NativeCall = Arc::new(move |_, _| Err(missing.clone()));
                Ok(FillOp::Native { cells, inputs, function: NativeFn { name, call } })
            }
            Token::Word("call") => {
                self.cursor.next()?;
                let port = self.port_name()?;
                Ok(FillOp::Call { port, inputs: self.expressions()?, outputs: cells })
            }
            Token::Word("access") => {
                self.cursor.next()?;
                let port = self.port_name()?;
                let address = self.expressions()?;
                self.cursor.expect("at")?;
                let time = self.expression()?;
                let write = if self.cursor.eat("set")? { Some(self.expressions()?) } else { None };
                let (previous_time, previous_value) = (cells[0], cells[1..].to_vec());
                Ok(FillOp::Access { port, address, time, write, previous_time, previous_value })
            }
            _ => match cells.as_slice() {
                [cell] => Ok(FillOp::Set { cell: *cell, value: self.expression()? }),
                _ => Err(self.cursor.error(format!("one value for {} cells", cells.len()))),
            },
        }
    }

    fn split(&mut self, cells: &[Cell]) -> Result<FillOp, ParseError> {
        self.cursor.expect("(")?;
        let value = self.expression()?;
        let mut parts = Vec::new();
        for cell in cells {
            self.cursor.expect(",")?;
            let bits = self.cursor.index()?;
            let Some(bits) = u8::try_from(bits).ok().filter(|bits| *bits <= 64) else {
                return Err(self.cursor.error(format!("a part of {bits} bits")));
            };
            parts.push((*cell, bits));
        }
        self.cursor.expect(")")?;
        Ok(FillOp::Split { parts, value })
    }

    fn interaction(&mut self, verb: &str) -> Result<(), ParseError> {
        let known = ["lookup", "provide", "send", "receive", "plus", "minus"];
        if !known.contains(&verb) {
            return Err(self.cursor.error(format!("`{verb}` begins no line")));
        }
        let port = self.port_name()?;
        let kind = self.chip.ports[port.index()].kind;
        let Some(sign) = [Sign::Plus, Sign::Minus]
            .into_iter()
            .find(|sign| verb == super::print::verb(kind, *sign) || verb == sign_word(*sign))
        else {
            return Err(self.cursor.error(format!("a port of kind `{kind}` does not `{verb}`")));
        };
        let message = self.expressions()?;
        let count = if self.cursor.eat("times")? {
            self.expression()?
        } else {
            self.chip.graph.add(super::Node::Const(1))
        };
        let weight =
            if self.cursor.eat("weight")? { self.cursor.index()? } else { default_weight(kind) };
        let exclusive =
            if self.cursor.eat("exclusive")? { Some(self.cursor.index()?) } else { None };
        let (origin, label) = self.comment()?;
        self.chip.interactions.push(Interaction {
            port,
            sign,
            message,
            count,
            weight,
            exclusive,
            origin,
            label,
        });
        Ok(())
    }

    fn port_name(&mut self) -> Result<PortId, ParseError> {
        let name = name(self.cursor)?;
        match self.chip.ports.iter().position(|port| port.name == name) {
            Some(index) => Ok(PortId::new(index)),
            None => Err(self.cursor.error(format!("there is no port `{name}`"))),
        }
    }

    /// Reads `(x, y, z)`.
    fn expressions(&mut self) -> Result<Vec<NodeId>, ParseError> {
        self.list(Self::expression)
    }

    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        self.cursor.expect("(")?;
        let mut items = Vec::new();
        while !self.cursor.eat(")")? {
            items.push(item(self)?);
            if !self.cursor.eat(",")? {
                self.cursor.expect(")")?;
                break;
            }
        }
        Ok(items)
    }

    fn expression(&mut self) -> Result<NodeId, ParseError> {
        expression(self.cursor, &mut self.chip.graph, self.chip.field, &self.names)
    }

    fn quoted(&mut self) -> Result<String, ParseError> {
        match self.cursor.next()? {
            Token::Text(text) => Ok(text.to_owned()),
            other => Err(self.cursor.error(format!("expected a text in quotes, found {other}"))),
        }
    }

    /// What the comment at the end of the line says.
    fn comment(&mut self) -> Result<(Origin, Label), ParseError> {
        let line = self.cursor.last_position().line;
        self.cursor.peek()?;
        Ok(read_comment(self.cursor.comment_of(line).unwrap_or_default()))
    }
}

fn sign_word(sign: Sign) -> &'static str {
    match sign {
        Sign::Plus => "plus",
        Sign::Minus => "minus",
    }
}
