//! Layouts as text: what is printed reads back.

use std::fmt;
use std::str::FromStr;

use super::{Apart, Fold, MachineLayout};

/// A text that is no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found `{found}`")]
pub struct ParseLayoutError {
    /// The line, from 1.
    pub line: usize,
    /// What a layout has there.
    pub expected: &'static str,
    /// What the text has.
    pub found: String,
}

/// The first line of a layout without folds.
const SEPARATE: &str = "layout of separate tables";

impl fmt::Display for MachineLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_separate() {
            f.write_str(SEPARATE)?;
        } else {
            write!(f, "layout of 2^{} rows", self.log_height)?;
        }
        for Fold { chip, copies } in &self.folded {
            let plural = if *copies == 1 { "copy" } else { "copies" };
            write!(f, "\n  {chip}: {copies} {plural}")?;
        }
        for Apart { chip, log_height } in &self.apart {
            write!(f, "\n  {chip}: apart")?;
            if let Some(log_height) = log_height {
                write!(f, ", 2^{log_height} rows")?;
            }
        }
        Ok(())
    }
}

impl FromStr for MachineLayout {
    type Err = ParseLayoutError;

    fn from_str(text: &str) -> Result<Self, ParseLayoutError> {
        let mut lines = text.trim_end().lines().enumerate();
        let (_, head) = lines.next().unwrap_or_default();
        let error = |line: usize, expected, found: &str| ParseLayoutError {
            line: line + 1,
            expected,
            found: found.trim().to_owned(),
        };
        let log_height = match head {
            SEPARATE => Some(0),
            head => head
                .strip_prefix("layout of 2^")
                .and_then(|rest| rest.strip_suffix(" rows"))
                .and_then(|log_height| log_height.parse().ok()),
        };
        let log_height =
            log_height.ok_or_else(|| error(0, "`layout of 2^N rows` or separate tables", head))?;
        let (mut folded, mut apart) = (Vec::new(), Vec::new());
        for (number, line) in lines {
            let wrong = || {
                error(number, "`CHIP: N copies` or `CHIP: apart` or `CHIP: apart, 2^N rows`", line)
            };
            let (chip, table) = line.trim_start().rsplit_once(": ").ok_or_else(wrong)?;
            if let Some(height) = table.strip_prefix("apart") {
                let log_height = match height {
                    "" => None,
                    height => {
                        let log =
                            height.strip_prefix(", 2^").and_then(|log| log.strip_suffix(" rows"));
                        Some(log.and_then(|log| log.parse().ok()).ok_or_else(wrong)?)
                    }
                };
                apart.push(Apart { chip: chip.to_owned(), log_height });
                continue;
            }
            let copies = table.strip_suffix(" copies").or_else(|| table.strip_suffix(" copy"));
            let copies = copies.and_then(|copies| copies.parse().ok()).ok_or_else(wrong)?;
            folded.push(Fold { chip: chip.to_owned(), copies });
        }
        if head == SEPARATE
            && let Some(Fold { chip, .. }) = folded.first()
        {
            return Err(error(0, "`layout of 2^N rows`, as tables are folded", chip));
        }
        Ok(Self { log_height, folded, apart })
    }
}
