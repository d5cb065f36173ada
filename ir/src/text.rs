//! The text form that both languages share: words, integers, punctuation and comments.

pub mod lexer;

pub use lexer::{Comment, Cursor, ParseError, Position, Token};
