//! Expressions as infix formulas.
//!
//! One writer serves the text form, where nodes that are used twice have names (`%3`), and reports, where
//! everything is spelled out up to a length. It keeps its own stack, so a sum of a million terms is fine.

use super::{Cell, Chip, IntOp, Node, NodeId, PublicId};
use crate::text::visible;

/// How formulas look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style<'a> {
    /// The sign of a product, with spaces.
    pub(crate) times: &'static str,
    /// The names of nodes that are printed elsewhere.
    pub(crate) names: Option<&'a [Option<u32>]>,
    /// Formulas longer than this, in bytes, are cut off.
    pub(crate) limit: usize,
}

impl Style<'_> {
    /// The style of reports.
    pub(crate) const REPORT: Self = Self { times: "·", names: None, limit: 240 };
}

enum Piece {
    Text(&'static str),
    Node(NodeId, Precedence),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precedence {
    Sum,
    Product,
    Sign,
    Atom,
}

impl Chip {
    /// A node as an infix formula over the names of cells: `a[0] + b[0] − 65536·carry`, cut off with
    /// `…` where it is long.
    pub fn formula(&self, node: NodeId) -> String {
        let mut out = String::new();
        self.write_formula(&mut out, node, Style::REPORT);
        out
    }

    /// The name of a cell: `next.a[0]` on the row below.
    pub fn cell_name(&self, cell: Cell) -> String {
        let name = quoted(&self.columns[cell.column.index()].name);
        if cell.next { format!("next.{name}") } else { name }
    }

    pub(crate) fn public_name(&self, public: PublicId) -> String {
        quoted(&self.publics[public.index()].name)
    }

    pub(crate) fn write_formula(&self, out: &mut String, root: NodeId, style: Style<'_>) {
        let limit = out.len() + style.limit;
        let mut stack = vec![Piece::Node(root, Precedence::Sum)];
        while let Some(piece) = stack.pop() {
            if out.len() > limit {
                out.push('…');
                return;
            }
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Node(id, least) => {
                    let name = style.names.and_then(|names| names[id.index()]);
                    match name {
                        Some(name) => out.push_str(&format!("%{name}")),
                        None => self.open(out, &mut stack, id, least, style),
                    }
                }
            }
        }
    }

    /// Writes a leaf, or puts the pieces of an operation on the stack.
    fn open(
        &self,
        out: &mut String,
        stack: &mut Vec<Piece>,
        id: NodeId,
        least: Precedence,
        style: Style<'_>,
    ) {
        let (own, pieces) = match self.graph.node(id) {
            Node::Const(value) => {
                let text = self.field.signed(value).to_string();
                // A negated constant is another node than a negative constant.
                let guarded = least == Precedence::Atom;
                out.push_str(&if guarded { format!("({text})") } else { text });
                return;
            }
            Node::Cell(cell) => return out.push_str(&self.cell_name(cell)),
            Node::Public(public) => return out.push_str(&self.public_name(public)),
            Node::IntConst(value) => {
                return out.push_str(&match u64::try_from(value) {
                    Ok(small) => format!("#{small}"),
                    Err(_) => format!("#{}:{}", (value >> 64) as u64, value as u64),
                });
            }
            Node::Add(a, b) | Node::IntOp(IntOp::Add, a, b) => (Precedence::Sum, sum(a, " + ", b)),
            Node::Sub(a, b) | Node::IntOp(IntOp::Sub, a, b) => (Precedence::Sum, sum(a, " - ", b)),
            Node::Mul(a, b) | Node::IntOp(IntOp::Mul, a, b) => (
                Precedence::Product,
                vec![
                    Piece::Node(a, Precedence::Product),
                    Piece::Text(style.times),
                    Piece::Node(b, Precedence::Sign),
                ],
            ),
            Node::Neg(a) => {
                (Precedence::Sign, vec![Piece::Text("-"), Piece::Node(a, Precedence::Atom)])
            }
            Node::Int(a) => (Precedence::Atom, call("int(", &[a])),
            Node::Inverse(a) => (Precedence::Atom, call("inverse(", &[a])),
            Node::IntSelect(c, a, b) => (Precedence::Atom, call("select(", &[c, a, b])),
            Node::IntOp(op, a, b) => (Precedence::Atom, {
                vec![
                    Piece::Text("("),
                    Piece::Node(a, Precedence::Sum),
                    Piece::Text(op.word()),
                    Piece::Node(b, Precedence::Sum),
                    Piece::Text(")"),
                ]
            }),
        };
        let bracket = own < least;
        if bracket {
            stack.push(Piece::Text(")"));
        }
        stack.extend(pieces.into_iter().rev());
        if bracket {
            stack.push(Piece::Text("("));
        }
    }
}

fn sum(a: NodeId, sign: &'static str, b: NodeId) -> Vec<Piece> {
    vec![Piece::Node(a, Precedence::Sum), Piece::Text(sign), Piece::Node(b, Precedence::Product)]
}

fn call(name: &'static str, arguments: &[NodeId]) -> Vec<Piece> {
    let mut pieces = vec![Piece::Text(name)];
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            pieces.push(Piece::Text(", "));
        }
        pieces.push(Piece::Node(*argument, Precedence::Sum));
    }
    pieces.push(Piece::Text(")"));
    pieces
}

impl IntOp {
    /// The operations that are written as a word between their operands, with spaces around it.
    pub(crate) const WORDS: [(Self, &'static str); 9] = [
        (Self::Div, " div "),
        (Self::Rem, " rem "),
        (Self::And, " and "),
        (Self::Or, " or "),
        (Self::Xor, " xor "),
        (Self::Shl, " shl "),
        (Self::Shr, " shr "),
        (Self::Less, " less "),
        (Self::Equal, " equal "),
    ];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(op, _)| *op == self).map_or(" ? ", |(_, word)| word)
    }
}

/// A name as it is written: bare if it is made of words, dots and indices, else in quotes.
pub(crate) fn quoted(name: &str) -> String {
    if is_bare(name) { name.to_owned() } else { format!("\"{}\"", printable(name)) }
}

/// A text without what cannot stand between quotes or behind a `;`.
pub(crate) fn printable(text: &str) -> String {
    visible(text).replace('"', "'")
}

fn is_bare(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.starts_with(|c: char| c.is_ascii_digit())
            && !word.is_empty()
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_part = |part: &str| {
        let (word, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
        let mut rest = indices;
        while let Some((index, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            let digits = !index.is_empty() && index.chars().all(|c| c.is_ascii_digit());
            // An index prints as it was read only without leading zeros.
            if !digits || (index.len() > 1 && index.starts_with('0')) || index.len() > 9 {
                return false;
            }
            rest = after;
        }
        is_word(word) && rest.is_empty()
    };
    // Words that mean something where a name may stand.
    let reserved = ["next", "split", "native", "call", "access"];
    let first = name.split(['.', '[']).next().unwrap_or_default();
    !reserved.contains(&first) && name.split('.').all(is_part)
}
