//! The text form that both languages share: words, integers, punctuation and comments.

pub mod echo;
pub mod lexer;
pub(crate) mod source;

pub(crate) use echo::visible;
pub use echo::{echo, echo_up_to, quoted};
pub use lexer::{Comment, Cursor, ParseError, Position, Token};
