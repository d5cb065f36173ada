//! Reading circuits from text: stages `expr` and `slots`.
//!
//! ```text
//! circuit    = "circuit" name "over" field "," "stage" ( "expr" | "slots" [ "," "form" form ] ) "{" { line } "}"
//! name       = word | text
//!
//! line(expr) = value "=" op [ ":" type ]
//!            | [ values "=" ] "hint" kind "(" [ values ] ")" [ ":" types ]
//!            | [ values "=" ] "call" name [ "<" integers ">" ] "(" inputs ")" [ "rows" n ] [ ":" outputs ]
//!            | ( "assert_zero" | "assert_bit" ) value
//!            | ( "assert_eq" | "connect" ) value "," value
//! op         = "const" constant | "public" n | "private" n
//!            | ( "add" | "sub" | "mul" | "div" | "mul_add" | "mul_sub" | "from_coefficients" ) values
//! kind       = "inverse_or_zero" | "bits" n | "limbs" n n | "coefficients" | "quotient" n
//!            | "remainder" n | "equal" | "extern" text
//! inputs     = [ input { "," input } ] [ "|" "data" n "[" n "]" ]
//! input      = value [ "@" row "." port ] [ ":" type ]
//! outputs    = type [ "@" row "." port ] { "," … }
//! values     = value { "," value }            value = "%" { letter | digit | "_" | "." | "/" | "[" | "]" }
//! constant   = integer | "[" integer { "," integer } "]"
//! type       = "bit" | "felt" | "ext"
//!
//! line(slots) = slot "=" ( "const" constant | "public" n | "add" slots | "mul" slots | "mul_add" slots
//!                        | "eq" slots | "solve" relation slots "->" slot ) [ ":" type ]
//!             | result "=" "private" n [ ":" type ]
//!             | ( "check_add" | "check_mul" | "check_mul_add" ) slots "->" slot [ ":" type ]
//!             | "check_eq" slot "," slot [ ":" type ] | "check_base" slot
//!             | hint and call as above, over slots; results with another creator in parentheses
//! ```
//!
//! A `;` after the line starts a comment: the name of the rule or row.

mod graph;
mod slots;
mod values;

use std::fmt;

use super::graph::Graph;
use super::slots::Slots;
use super::tables::Tables;
use super::verify::Item;
use crate::field::Field;
use crate::text::{Cursor, ParseError, Position, Token};

/// A circuit at the stage that its text names.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Circuit {
    /// Stage `expr`.
    Expr(Graph),
    /// Stage `slots`.
    Slots(Slots),
    /// Stage `tables`.
    Tables(Tables),
}

impl Circuit {
    /// The name of the stage.
    pub fn stage(&self) -> &'static str {
        match self {
            Self::Expr(_) => "expr",
            Self::Slots(_) => "slots",
            Self::Tables(_) => "tables",
        }
    }
}

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expr(graph) => graph.fmt(f),
            Self::Slots(slots) => slots.fmt(f),
            Self::Tables(tables) => tables.fmt(f),
        }
    }
}

/// Where in a text the items of a circuit stand.
#[derive(Clone, Debug, Default)]
pub struct SourceLines {
    pub(super) nodes: Vec<Position>,
    pub(super) rules: Vec<Position>,
    pub(super) rows: Vec<Position>,
}

impl SourceLines {
    /// The line of an item of the verifier.
    pub fn line(&self, item: &Item) -> Option<u32> {
        self.position(item).map(|position| position.line)
    }

    /// Where the statement of an item of the verifier begins.
    pub fn position(&self, item: &Item) -> Option<Position> {
        match item {
            Item::Node(id) => self.nodes.get(id.index()).copied(),
            Item::Rule(index) => self.rules.get(*index).copied(),
            Item::Row(index) => self.rows.get(*index).copied(),
            Item::Slot(_) | Item::TableRow { .. } => None,
        }
    }
}

/// Reads a circuit of stage `expr` or `slots`.
///
/// # Errors
///
/// The first line and column at which the text does not follow the grammar.
pub fn parse(text: &str) -> Result<Circuit, ParseError> {
    parse_with_lines(text).map(|(circuit, _)| circuit)
}

/// Reads a circuit of stage `expr`.
///
/// # Errors
///
/// The first line and column at which the text does not follow the grammar, or is of another stage.
pub fn parse_graph(text: &str) -> Result<Graph, ParseError> {
    match parse(text)? {
        Circuit::Expr(graph) => Ok(graph),
        other => {
            let mut cursor = Cursor::new(text);
            cursor.next()?;
            let message = "expected a circuit of stage expr, found one of stage";
            Err(cursor.error(format!("{message} {}", other.stage())))
        }
    }
}

/// Reads a circuit, and says where each of its items stands.
///
/// # Errors
///
/// The first line and column at which the text does not follow the grammar.
pub fn parse_with_lines(text: &str) -> Result<(Circuit, SourceLines), ParseError> {
    let mut cursor = Cursor::new(text);
    cursor.expect("circuit")?;
    let name = match cursor.next()? {
        Token::Word(name) | Token::Text(name) => name.to_owned(),
        other => return Err(cursor.error(format!("expected a name, found {other}"))),
    };
    cursor.expect("over")?;
    let field = field(&mut cursor)?;
    cursor.expect(",")?;
    cursor.expect("stage")?;
    let stage = cursor.word("a stage")?;
    let (circuit, lines) = match stage {
        "expr" => {
            cursor.expect("{")?;
            let (graph, lines) = graph::read(&mut cursor, name, field)?;
            (Circuit::Expr(graph), lines)
        }
        "slots" => {
            let form = slots::form(&mut cursor)?;
            cursor.expect("{")?;
            let (slots, lines) = slots::read(&mut cursor, name, field, form)?;
            (Circuit::Slots(slots), lines)
        }
        other => return Err(cursor.error(format!("stage `{other}` cannot be read"))),
    };
    match cursor.next()? {
        Token::End => Ok((circuit, lines)),
        other => Err(cursor.error(format!("expected the end, found {other}"))),
    }
}

/// `goldilocks`, `koala-bear^4`.
fn field(cursor: &mut Cursor<'_>) -> Result<Field, ParseError> {
    let mut name = cursor.word("a field")?.to_owned();
    let position = cursor.last_position();
    while cursor.eat("-")? {
        name = format!("{name}-{}", cursor.word("a field")?);
    }
    if cursor.eat("^")? {
        name = format!("{name}^{}", cursor.index()?);
    }
    name.parse().map_err(|error: crate::field::UnknownField| ParseError {
        position,
        message: error.to_string(),
    })
}
