//! The text form that both languages share: words, integers, punctuation and comments.

pub mod lexer;
pub(crate) mod source;

pub use lexer::{Comment, Cursor, ParseError, Position, Token};
