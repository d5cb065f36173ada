//! The text of a circuit, at each of its stages.
//!
//! Printing is a function of meaning: nodes are numbered in the order in which they stand, named ones
//! print their name, and everything derived (names of rules, numbers of reads, sizes) is in comments.
//! `{:#}` adds scopes and source lines.

mod graph;
mod slots;
mod tables;

pub(super) use graph::{PrintedNames, is_name_character, printed_labels};
pub(super) use slots::row_text;

use std::fmt::{self, Write as _};

use super::names::Names;
use super::rows::Origin;
use crate::field::Field;
use crate::text::visible;

/// The column at which comments start.
const COMMENT: usize = 34;

/// Writes a line, with its comment if it has one.
fn line(f: &mut fmt::Formatter<'_>, text: &str, comment: &str) -> fmt::Result {
    if comment.is_empty() {
        writeln!(f, "{text}")
    } else {
        writeln!(f, "{text:<COMMENT$}; {comment}")
    }
}

/// `circuit NAME over FIELD, stage STAGE {`
fn header(f: &mut fmt::Formatter<'_>, name: &str, field: Field, stage: &str) -> fmt::Result {
    writeln!(f, "circuit {} over {field}, stage {stage} {{", word_or_text(name))
}

/// A name as it is if it is a word, else in quotes.
fn word_or_text(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        format!("\"{}\"", visible(name).replace('"', "'"))
    }
}

/// A label as a comment: on one line.
fn label(names: &Names, origin: Origin) -> String {
    visible(names.text(origin.label))
}

/// ` [scope] @file:line:column`, for `{:#}`.
fn place(names: &Names, origin: Origin) -> String {
    let mut text = String::new();
    let scope = names.text(origin.scope);
    if !scope.is_empty() {
        let _ = write!(text, " [{scope}]");
    }
    if let Some(location) = origin.location {
        let _ = write!(text, " @{location}");
    }
    text
}
