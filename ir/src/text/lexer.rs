//! A cursor over IR text.
//!
//! Tokens are read on demand, one ahead at most, so a text of a million lines costs no memory beside
//! itself. Comments run from `;` to the end of the line; they are kept, because the languages use the
//! comment of a line as the name of what the line says, and tests use `; error:`.
//!
//! A byte order mark at the start is skipped. Other characters that a terminal obeys or that cannot be seen are
//! errors wherever they stand, in comments too: names come from there, and names are printed.
//!
//! ```
//! use chipwright_ir::text::{Cursor, Token};
//!
//! let mut cursor = Cursor::new("w3 = -0x10 ; sixteen");
//! assert_eq!(cursor.next()?, Token::Word("w3"));
//! cursor.expect("=")?;
//! assert_eq!(cursor.integer()?, -16);
//! assert_eq!(cursor.next()?, Token::End);
//! assert_eq!(cursor.comments()[0].text, "sixteen");
//! # Ok::<(), chipwright_ir::text::ParseError>(())
//! ```

use std::fmt;

use super::echo::{echo, is_hidden, quoted};

/// A place in a text; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The text is not what the grammar expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {}", echo(.message))]
pub struct ParseError {
    /// Where.
    pub position: Position,
    /// What was expected and what came.
    pub message: String,
}

/// The smallest piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A letter or `_`, then letters, digits and `_`.
    Word(&'a str),
    /// An unsigned integer, decimal or `0x`.
    Integer(u64),
    /// What stands between double quotes; there are no escapes.
    Text(&'a str),
    /// Any other character, or one of `->`, `=>`, `==`, `!=`, `<=`, `>=`, `..`, `++`.
    Punctuation(&'a str),
    /// The end of the text.
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) | Self::Punctuation(text) => quoted(text).fmt(f),
            Self::Integer(value) => write!(f, "`{value}`"),
            Self::Text(text) => write!(f, "\"{}\"", echo(text)),
            Self::End => f.write_str("the end of the text"),
        }
    }
}

/// A comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'a> {
    /// Where its `;` stands.
    pub position: Position,
    /// What follows the `;`, without white space around it.
    pub text: &'a str,
}

const PAIRS: [&str; 8] = ["->", "=>", "==", "!=", "<=", ">=", "..", "++"];

/// Reads tokens from a text.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    position: Position,
    peeked: Option<(Token<'a>, Position)>,
    last: Position,
    comments: Vec<Comment<'a>>,
    /// Where the first character stands that no text may hold; the length of the text if there is none.
    hidden: usize,
    /// How many items the text may still ask for that it does not spell out.
    unwritten: usize,
}

/// The items that a text may ask for without spelling them out, besides as many as it has bytes: rows of a run such as
/// `0 * 65536`, for example. A short text then cannot fill the memory.
const UNWRITTEN: usize = 1 << 22;

impl<'a> Cursor<'a> {
    /// A cursor at the start of a text.
    pub fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let start = Position { line: 1, column: 1 };
        let hidden = first_hidden(text).unwrap_or(text.len());
        Self {
            text,
            offset: 0,
            position: start,
            peeked: None,
            last: start,
            comments: Vec::new(),
            hidden,
            unwritten: UNWRITTEN.saturating_add(text.len()),
        }
    }

    /// The comments read so far, in order.
    pub fn comments(&self) -> &[Comment<'a>] {
        &self.comments
    }

    /// The comment of a line, if the cursor has read it.
    pub fn comment_of(&self, line: u32) -> Option<&'a str> {
        let mut recent = self.comments.iter().rev().take_while(|c| c.position.line >= line);
        recent.find(|comment| comment.position.line == line).map(|comment| comment.text)
    }

    /// Where the token that was read last stands.
    pub fn last_position(&self) -> Position {
        self.last
    }

    /// Where the next token stands.
    ///
    /// # Errors
    ///
    /// There is no token there.
    pub fn position(&mut self) -> Result<Position, ParseError> {
        self.peek()?;
        Ok(self.peeked.as_ref().map_or(self.position, |(_, position)| *position))
    }

    /// Takes note that the text asks for `count` items, each about as large as a number, that it does not spell out.
    ///
    /// # Errors
    ///
    /// They are too many, those before included.
    pub fn spend(&mut self, count: u64) -> Result<(), ParseError> {
        let left = usize::try_from(count).ok().and_then(|count| self.unwritten.checked_sub(count));
        self.unwritten = left.ok_or_else(|| {
            self.error(format!("{count} more items than are written are too many for this text"))
        })?;
        Ok(())
    }

    /// An error at the token that was read last.
    pub fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError { position: self.last, message: message.into() }
    }

    /// The next token, which stays where it is.
    ///
    /// # Errors
    ///
    /// There is no token there.
    pub fn peek(&mut self) -> Result<Token<'a>, ParseError> {
        if self.peeked.is_none() {
            self.skip_space();
            let position = self.position;
            let token = self.lex()?;
            if self.offset > self.hidden {
                return Err(self.hidden_error());
            }
            self.peeked = Some((token, position));
        }
        Ok(self.peeked.as_ref().map_or(Token::End, |(token, _)| token.clone()))
    }

    /// The next token.
    ///
    /// # Errors
    ///
    /// There is no token there.
    #[allow(clippy::should_implement_trait, reason = "the end is a token, and reading can fail")]
    pub fn next(&mut self) -> Result<Token<'a>, ParseError> {
        self.peek()?;
        let (token, position) = self.peeked.take().unwrap_or((Token::End, self.position));
        self.last = position;
        Ok(token)
    }

    /// Takes the next token if it is this punctuation or word.
    ///
    /// # Errors
    ///
    /// There is no token there.
    pub fn eat(&mut self, expected: &str) -> Result<bool, ParseError> {
        let found = match self.peek()? {
            Token::Punctuation(text) | Token::Word(text) => text == expected,
            _ => false,
        };
        if found {
            self.next()?;
        }
        Ok(found)
    }

    /// Takes the next token, which must be this punctuation or word.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn expect(&mut self, expected: &str) -> Result<(), ParseError> {
        match self.next()? {
            Token::Punctuation(text) | Token::Word(text) if text == expected => Ok(()),
            other => Err(self.error(format!("expected `{expected}`, found {other}"))),
        }
    }

    /// Takes the next token, which must be a word; `what` says which kind in the error.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn word(&mut self, what: &str) -> Result<&'a str, ParseError> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(self.error(format!("expected {what}, found {other}"))),
        }
    }

    /// Takes an integer, which may be negative.
    ///
    /// # Errors
    ///
    /// Something else comes.
    pub fn integer(&mut self) -> Result<i128, ParseError> {
        let negative = self.eat("-")?;
        match self.next()? {
            Token::Integer(value) if negative => Ok(-i128::from(value)),
            Token::Integer(value) => Ok(value.into()),
            other => Err(self.error(format!("expected an integer, found {other}"))),
        }
    }

    /// Takes an unsigned integer of 32 bits.
    ///
    /// # Errors
    ///
    /// Something else comes.
    pub fn index(&mut self) -> Result<u32, ParseError> {
        match self.next()? {
            Token::Integer(value) => u32::try_from(value)
                .map_err(|_| self.error(format!("{value} does not fit 32 bits"))),
            other => Err(self.error(format!("expected a number, found {other}"))),
        }
    }

    /// Takes the characters from here on that `accept` accepts, without skipping white space first.
    /// For names that are no words, such as `fri/alpha[0].1`; the token before must not be peeked
    /// beyond.
    pub fn run(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        if self.peeked.is_some() {
            return "";
        }
        let rest = &self.text[self.offset..];
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.last = self.position;
        self.advance(end)
    }

    fn hidden_error(&self) -> ParseError {
        let before = &self.text[..self.hidden];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() as u32 + 1;
        let found = self.text[self.hidden..].chars().next().map_or(0, u32::from);
        let message = format!("the character U+{found:04X} cannot be seen, and may not stand here");
        ParseError { position: Position { line, column }, message }
    }

    fn skip_space(&mut self) {
        loop {
            let rest = &self.text[self.offset..];
            let space = rest.len() - rest.trim_start().len();
            self.advance(space);
            if !self.text[self.offset..].starts_with(';') {
                return;
            }
            let position = self.position;
            let rest = &self.text[self.offset..];
            let comment = self.advance(rest.find('\n').unwrap_or(rest.len()));
            self.comments.push(Comment { position, text: comment[1..].trim() });
        }
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let text = &self.text[self.offset..self.offset + bytes];
        for c in text.chars() {
            if c == '\n' {
                self.position.line += 1;
                self.position.column = 1;
            } else {
                self.position.column += 1;
            }
        }
        self.offset += bytes;
        text
    }

    fn lex(&mut self) -> Result<Token<'a>, ParseError> {
        let rest = &self.text[self.offset..];
        let start = self.position;
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if first.is_ascii_digit() {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let digits = self.advance(end);
            let value = match digits.strip_prefix("0x") {
                Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16),
                None => digits.parse(),
            };
            return value.map(Token::Integer).map_err(|_| ParseError {
                position: start,
                message: format!("`{digits}` is not an integer of 64 bits"),
            });
        }
        if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            return Ok(Token::Word(self.advance(end)));
        }
        if first == '"' {
            let line = rest[1..].split('\n').next().unwrap_or("");
            let Some(length) = line.find('"') else {
                let message = "a text has no closing quote on its line".to_owned();
                return Err(ParseError { position: start, message });
            };
            let quoted = self.advance(length + 2);
            return Ok(Token::Text(&quoted[1..=length]));
        }
        let length = PAIRS
            .iter()
            .find(|pair| rest.starts_with(**pair))
            .map_or(first.len_utf8(), |p| p.len());
        Ok(Token::Punctuation(self.advance(length)))
    }
}

/// Where the first character stands that a terminal obeys or that cannot be seen; lines may end in `\r\n`.
fn first_hidden(text: &str) -> Option<usize> {
    let is_allowed = |(at, c): (usize, char)| match c {
        '\n' | '\t' => true,
        '\r' => text.as_bytes().get(at + 1) == Some(&b'\n'),
        _ => !is_hidden(c),
    };
    text.char_indices().find(|&place| !is_allowed(place)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<String>, ParseError> {
        let mut cursor = Cursor::new(text);
        let mut tokens = Vec::new();
        loop {
            match cursor.next()? {
                Token::End => return Ok(tokens),
                token => tokens.push(token.to_string()),
            }
        }
    }

    #[test]
    fn a_text_is_split_into_words_integers_and_punctuation() {
        let expected = ["`a`", "`[`", "`0`", "`]`", "`->`", "`-`", "`16`", "\"x y\"", "`(`"];
        assert_eq!(
            tokens("a[0] -> -0x10 \"x y\" ( ; rest"),
            Ok(expected.map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn errors_name_line_and_column() {
        let error = tokens("a\n  99999999999999999999").unwrap_err();
        assert_eq!(error.to_string(), "2:3: `99999999999999999999` is not an integer of 64 bits");
        let error = tokens("b\n\n \"open").unwrap_err();
        assert_eq!(error.to_string(), "3:2: a text has no closing quote on its line");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_takes_no_column() {
        let error = tokens("\u{feff}0x").unwrap_err();
        assert_eq!(error.position, Position { line: 1, column: 1 });
        assert_eq!(tokens("\u{feff}a\r\nb"), Ok(vec!["`a`".to_owned(), "`b`".to_owned()]));
    }

    #[test]
    fn characters_that_a_terminal_obeys_are_errors_wherever_they_stand() {
        for (text, message) in [
            ("a ; \u{1b}[2J", "1:5: the character U+001B cannot be seen, and may not stand here"),
            ("a\n \"\u{7}\"", "2:3: the character U+0007 cannot be seen, and may not stand here"),
            ("a ; one\rtwo", "1:8: the character U+000D cannot be seen, and may not stand here"),
            ("a\n; \u{202e}", "2:3: the character U+202E cannot be seen, and may not stand here"),
            ("a \u{feff}", "1:3: the character U+FEFF cannot be seen, and may not stand here"),
        ] {
            assert_eq!(tokens(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn an_error_is_short_however_long_the_token() {
        for text in
            ["9".repeat(1 << 20), "a".repeat(1 << 20), format!("\"{}\"", "ü".repeat(1 << 20))]
        {
            let mut cursor = Cursor::new(&text);
            let error = cursor.expect("b").unwrap_err().to_string();
            assert!(error.chars().count() < 300, "{}", error.len());
        }
    }

    #[test]
    fn a_comment_is_found_by_its_line() {
        let mut cursor = Cursor::new("a ; one\nb\nc ; three");
        while cursor.next() != Ok(Token::End) {}
        assert_eq!(cursor.comment_of(1), Some("one"));
        assert_eq!(cursor.comment_of(2), None);
        assert_eq!(cursor.comment_of(3), Some("three"));
    }
}
