//! What is echoed of a file, a name or an argument.
//!
//! A terminal obeys the control characters that it is shown, and nobody reads a message of megabytes. So whatever was
//! written by others is shown by this one function: characters that move the cursor or cannot be seen are escaped, and
//! of a long text the middle is left out.
//!
//! ```
//! use chipwright_ir::text::{echo, quoted};
//!
//! assert_eq!(echo("a\u{1b}[2Jb").to_string(), r"a\u{1b}[2Jb");
//! assert_eq!(quoted("best").to_string(), "`best`");
//! assert!(echo(&"9".repeat(1 << 20)).to_string().len() < 300);
//! ```

use std::fmt::{self, Write};

/// The most characters of a text that a message repeats.
pub const MOST_ECHOED: usize = 200;

/// A text as it may be shown; made by [`echo`], [`echo_up_to`] and [`quoted`].
#[derive(Clone, Copy, Debug)]
pub struct Echo<'a> {
    text: &'a str,
    most: usize,
    mark: &'static str,
}

/// A text without control characters, and of a long one the beginning and the end.
pub const fn echo(text: &str) -> Echo<'_> {
    echo_up_to(text, MOST_ECHOED)
}

/// [`echo`] with another limit, in characters.
pub const fn echo_up_to(text: &str, most: usize) -> Echo<'_> {
    Echo { text, most, mark: "" }
}

/// [`echo`] in backticks: a name, or something else that was written.
pub const fn quoted(text: &str) -> Echo<'_> {
    Echo { text, most: MOST_ECHOED, mark: "`" }
}

/// Whether a character moves the cursor, turns the direction of reading, or cannot be seen.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

impl Echo<'_> {
    /// The place where the beginning ends and the place where the end begins; `None` if the text is short.
    fn cut(&self) -> Option<(usize, usize)> {
        // A character has at least one byte.
        if self.text.len() <= self.most || self.text.chars().nth(self.most).is_none() {
            return None;
        }
        let end = self.most / 3;
        let (head, _) = self.text.char_indices().nth(self.most - end)?;
        let (tail, _) = self.text.char_indices().nth_back(end.max(1) - 1)?;
        Some((head, tail))
    }
}

impl fmt::Display for Echo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mark)?;
        match self.cut() {
            None => escape(self.text, f)?,
            Some((head, tail)) => {
                escape(&self.text[..head], f)?;
                f.write_str(" … ")?;
                escape(&self.text[tail..], f)?;
            }
        }
        f.write_str(self.mark)
    }
}

fn escape(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_char(' ')?,
            _ if is_hidden(c) => write!(f, "{}", c.escape_unicode())?,
            _ => f.write_char(c)?,
        }
    }
    Ok(())
}

/// A text as a comment or between quotes: what is hidden becomes a space, so that the text reads back.
pub(crate) fn visible(text: &str) -> String {
    text.replace(is_hidden, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_hides_is_escaped() {
        for (text, shown) in [
            ("plain – text ü", "plain – text ü"),
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("a\r\nb", r"a\r\nb"),
            ("\u{202e}txt", r"\u{202e}txt"),
            ("\u{9b}31m\u{7f}", r"\u{9b}31m\u{7f}"),
        ] {
            assert_eq!(echo(text).to_string(), shown);
            assert!(!echo(text).to_string().chars().any(is_hidden));
        }
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        let long = format!("begins{}ends", "ü".repeat(1 << 20));
        let shown = quoted(&long).to_string();
        assert!(shown.starts_with("`beginsü") && shown.ends_with("üends`"), "{shown}");
        assert!(shown.chars().count() <= MOST_ECHOED + 5, "{shown}");
        let short = "ü".repeat(MOST_ECHOED);
        assert_eq!(echo(&short).to_string(), short);
        assert_eq!(echo_up_to("abcdef", 3).to_string(), "ab … f");
    }
}
