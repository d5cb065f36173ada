//! How types, kinds and the contents of columns are written.

use std::fmt;

use super::{CellType, ColumnKind, Group, PortKind};
use crate::text::{Cursor, ParseError, Token};

/// The words of the kinds; private columns have none.
const COLUMN_KINDS: [(ColumnKind, &str); 9] = [
    (ColumnKind::Private, "private"),
    (ColumnKind::Input, "input"),
    (ColumnKind::Output, "output"),
    (ColumnKind::Record, "record"),
    (ColumnKind::Fixed, "fixed"),
    (ColumnKind::Periodic, "periodic"),
    (ColumnKind::Real, "real"),
    (ColumnKind::Multiplicity, "multiplicity"),
    (ColumnKind::Scratch, "scratch"),
];

const PORT_KINDS: [(PortKind, &str); 6] = [
    (PortKind::Lookup, "lookup"),
    (PortKind::Table, "table"),
    (PortKind::Send, "send"),
    (PortKind::Receive, "receive"),
    (PortKind::Memory, "memory"),
    (PortKind::Witness, "witness"),
];

fn word_of<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    words.iter().find(|(candidate, _)| candidate == value).map_or("?", |(_, word)| word)
}

impl ColumnKind {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        COLUMN_KINDS.iter().find(|(_, candidate)| *candidate == word).map(|(kind, _)| *kind)
    }
}

impl PortKind {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        PORT_KINDS.iter().find(|(_, candidate)| *candidate == word).map(|(kind, _)| *kind)
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&COLUMN_KINDS, self))
    }
}

impl fmt::Display for PortKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&PORT_KINDS, self))
    }
}

impl fmt::Display for CellType {
    /// `felt`, `bit`, `u16`, or `ext[0]` for a coordinate.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Felt => f.write_str("felt"),
            Self::Coordinate(index) => write!(f, "ext[{index}]"),
            Self::Bits(1) => f.write_str("bit"),
            Self::Bits(bits) => write!(f, "u{bits}"),
        }
    }
}

/// Reads a cell type.
pub(crate) fn cell_type(cursor: &mut Cursor<'_>) -> Result<CellType, ParseError> {
    let word = cursor.word("the type of a cell")?;
    match word {
        "felt" => Ok(CellType::Felt),
        "ext" => {
            cursor.expect("[")?;
            let index = cursor.index()?;
            cursor.expect("]")?;
            u8::try_from(index)
                .map(CellType::Coordinate)
                .map_err(|_| cursor.error(format!("there is no coordinate {index}")))
        }
        _ => cell_type_of(word)
            .ok_or_else(|| cursor.error(format!("`{word}` is not the type of a cell"))),
    }
}

fn cell_type_of(word: &str) -> Option<CellType> {
    match word {
        "felt" => Some(CellType::Felt),
        "bit" => Some(CellType::BIT),
        _ => {
            let bits: u8 = word.strip_prefix('u')?.parse().ok()?;
            let canonical = (2..=63).contains(&bits) && word == format!("u{bits}");
            canonical.then_some(CellType::Bits(bits))
        }
    }
}

/// The cells that a type of this name usually has; they are not written.
pub(crate) fn expected_cells(type_name: &str, len: usize) -> Option<Vec<CellType>> {
    if type_name.len() > 256 {
        return None;
    }
    if let Some(inner) = type_name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (element, count) = inner.rsplit_once(';')?;
        let count: usize = count.trim().parse().ok()?;
        let each = len.checked_div(count).filter(|each| each * count == len)?;
        return Some(expected_cells(element.trim(), each)?.repeat(count));
    }
    match type_name {
        "u32" if len == 2 => Some(vec![CellType::Bits(16); 2]),
        "ext" => Some((0..len).map(|index| CellType::Coordinate(index as u8)).collect()),
        "digest" => Some(vec![CellType::Felt; len]),
        _ if type_name.starts_with("one_hot(") => Some(vec![CellType::BIT; len]),
        _ if len == 1 => cell_type_of(type_name).map(|ty| vec![ty]),
        _ => None,
    }
}

/// The names that the cells of a column usually have; they are not written.
pub(crate) fn default_names(group: &Group) -> Vec<String> {
    match group.len {
        1 => vec![group.name.clone()],
        len => (0..len).map(|index| format!("{}[{index}]", group.name)).collect(),
    }
}

/// The name of a type as it is written: bare if it reads back, else in quotes.
pub(crate) fn written(type_name: &str) -> String {
    let mut cursor = Cursor::new(type_name);
    let bare = bare_type(&mut cursor).is_ok_and(|read| read == type_name)
        && cursor.next() == Ok(Token::End)
        && ColumnKind::from_word(type_name).is_none();
    if bare {
        type_name.to_owned()
    } else {
        format!("\"{}\"", super::formula::printable(type_name))
    }
}

/// Reads the name of a type, bare or in quotes.
pub(crate) fn type_name(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    if let Token::Text(text) = cursor.peek()? {
        cursor.next()?;
        return Ok(text.to_owned());
    }
    bare_type(cursor)
}

/// `word`, `word(..)` or `[..]`, with balanced brackets. A `;` in brackets begins no comment, which is why
/// their contents are read as they stand.
fn bare_type(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    if cursor.eat("[")? {
        return Ok(format!("[{}]", bracketed(cursor, '[', ']')?));
    }
    let word = cursor.word("a type")?.to_owned();
    if cursor.eat("(")? {
        return Ok(format!("{word}({})", bracketed(cursor, '(', ')')?));
    }
    Ok(word)
}

/// Reads up to the bracket that closes one which has been read.
fn bracketed<'a>(cursor: &mut Cursor<'a>, open: char, close: char) -> Result<&'a str, ParseError> {
    let depth = std::cell::Cell::new(0_usize);
    let text = cursor.run(|c| {
        if c == open {
            depth.set(depth.get() + 1);
        }
        if c == close {
            if depth.get() == 0 {
                return false;
            }
            depth.set(depth.get() - 1);
        }
        c != '\n' && c != '"'
    });
    cursor.expect(close.encode_utf8(&mut [0; 4]))?;
    Ok(text)
}

/// The contents of a column as runs: `7`, `0..256` (below), `5 * 12` (times).
pub(crate) fn runs(values: &[u64]) -> Vec<String> {
    let mut runs = Vec::new();
    let mut rest = values;
    while let Some((&first, _)) = rest.split_first() {
        let same = rest.iter().take_while(|value| **value == first).count();
        let rising = (0..)
            .zip(rest)
            .take_while(|(offset, value)| first.checked_add(*offset) == Some(**value))
            .count();
        let taken = if same > 1 {
            runs.push(format!("{first} * {same}"));
            same
        } else if rising > 2 {
            runs.push(format!("{first}..{}", u128::from(first) + rising as u128));
            rising
        } else {
            runs.push(first.to_string());
            1
        };
        rest = &rest[taken..];
    }
    runs
}

/// Reads what [`runs`] has written.
pub(crate) fn read_runs(cursor: &mut Cursor<'_>) -> Result<Vec<u64>, ParseError> {
    let mut values = Vec::new();
    while let Token::Integer(first) = cursor.peek()? {
        cursor.next()?;
        let run = if cursor.eat("..")? {
            let end = cursor.integer()?;
            let end = u64::try_from(end).unwrap_or(0);
            (first, end.saturating_sub(first), true)
        } else if cursor.eat("*")? {
            (first, cursor.index()?.into(), false)
        } else {
            (first, 1, false)
        };
        let (first, len, rising) = run;
        cursor.spend(len)?;
        values.extend((0..len).map(|offset| if rising { first + offset } else { first }));
        if !cursor.eat(",")? {
            break;
        }
    }
    Ok(values)
}

/// Reads a name: words joined by dots, with indices, or a text in quotes.
pub(crate) fn name(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    if let Token::Text(text) = cursor.peek()? {
        cursor.next()?;
        return Ok(text.to_owned());
    }
    let first = cursor.word("a name")?;
    rest_of_name(cursor, first)
}

/// Reads the rest of a name whose first word has been read.
pub(crate) fn rest_of_name(cursor: &mut Cursor<'_>, first: &str) -> Result<String, ParseError> {
    let mut text = first.to_owned();
    loop {
        if cursor.eat(".")? {
            text.extend([".", cursor.word("a name behind `.`")?]);
        } else if cursor.eat("[")? {
            text.extend(["[", &cursor.index()?.to_string(), "]"]);
            cursor.expect("]")?;
        } else {
            return Ok(text);
        }
    }
}
