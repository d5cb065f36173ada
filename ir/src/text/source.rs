//! Source lines in reports.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::chip::Location;

/// Writes a place with its source line, and a remark below the word that stands there; the remark alone if
/// the source is not at hand.
pub(crate) fn excerpt(
    f: &mut fmt::Formatter<'_>,
    location: Option<Location>,
    remark: &str,
) -> fmt::Result {
    let Some(location) = location else { return writeln!(f, "   = {remark}") };
    let number = location.line.to_string();
    let margin = " ".repeat(number.len());
    writeln!(f, " {margin}--> {location}")?;
    let Some(line) = source_line(location) else { return writeln!(f, "   = {remark}") };
    let start = (location.column as usize).saturating_sub(1).min(line.chars().count());
    let word = line.chars().skip(start).take_while(|c| c.is_alphanumeric() || *c == '_').count();
    let carets = "^".repeat(word.max(1));
    writeln!(f, " {margin} |")?;
    writeln!(f, " {number} | {line}")?;
    writeln!(f, " {margin} | {}{carets} {remark}", " ".repeat(start))
}

/// The line of a source file, if the file can be read: paths of the compiler are relative to the root of
/// the workspace, which is here or above.
fn source_line(location: Location) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let paths = here.ancestors().map(|root: &Path| root.join(location.file));
    let path: PathBuf = paths.take(4).find(|path| path.is_file())?;
    let text = std::fs::read_to_string(path).ok()?;
    text.lines()
        .nth((location.line as usize).checked_sub(1)?)
        .map(|line| line.trim_end().to_owned())
}
