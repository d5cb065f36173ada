//! What does not hold in a trace, told like a compiler tells errors.
//!
//! ```text
//! error[R0001]: rule `limb` of chip `add32` fails on row 5
//!    = 131070 ≠ 65534
//!    = a[0] = 65535, b[0] = 65535, sum[0] = 65534, carry[0] = 0
//!    = rule: a[0] + b[0] = sum[0] + 65536·carry[0]
//! ```

use std::fmt;

use super::BusKind;
use crate::chip::{Location, Section};
use crate::text::source;

/// Everything that does not hold: the first failures in full, and the number of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What makes the trace no trace of the machine; if anything, nothing else was checked.
    pub shape: Vec<String>,
    /// Rules that fail.
    pub rules: Vec<RuleFailure>,
    /// The number of rows on which a rule fails, summed over the rules.
    pub failing_rules: usize,
    /// Messages that do not balance.
    pub tuples: Vec<Unbalanced>,
    /// The number of tuples that do not balance.
    pub unbalanced_tuples: usize,
}

/// A rule that fails on a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFailure {
    /// The chip's position in the machine.
    pub chip_index: usize,
    /// The rule's position in [`Chip::rules`](crate::chip::Chip::rules).
    pub rule: usize,
    /// On how many rows the rule fails.
    pub rows: usize,
    /// The chip.
    pub chip: String,
    /// The rule's name with its scope.
    pub name: String,
    /// The rows that the rule holds on.
    pub section: Section,
    /// The row, from 0.
    pub row: usize,
    /// Whether it is a padding row.
    pub padding: bool,
    /// The guard.
    pub guard: Option<String>,
    /// The rule, `left = right`.
    pub formula: String,
    /// The value of the left side; small negatives as such.
    pub left: i128,
    /// The value of the right side.
    pub right: i128,
    /// The cells and public values that the rule reads, with their values.
    pub cells: Vec<(String, i128)>,
    /// Why the rule should hold.
    pub because: String,
    /// Where it was written.
    pub location: Option<Location>,
}

/// A tuple whose messages do not sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbalanced {
    /// The bus.
    pub bus: String,
    /// Its kind.
    pub kind: BusKind,
    /// The message, canonical.
    pub tuple: Vec<u64>,
    /// What is left: positive if it was asked (sent) more often than given (received).
    pub balance: i128,
    /// Who asked or sent.
    pub plus: Vec<Party>,
    /// Who gave or received.
    pub minus: Vec<Party>,
    /// Whether a table has the tuple at all, even if it gives it zero times.
    pub is_entry: bool,
    /// The chips that provide tables on the bus.
    pub tables: Vec<String>,
}

/// A row that exchanges a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The chip.
    pub chip: String,
    /// Its port.
    pub port: String,
    /// The name of the interaction.
    pub label: String,
    /// The row, from 0.
    pub row: usize,
    /// How often.
    pub count: i128,
    /// Where the message was written.
    pub location: Option<Location>,
}

impl Report {
    /// Failures listed of each sort.
    pub const LISTED: usize = 64;
    /// Rows listed of one rule.
    pub const ROWS_PER_RULE: usize = 4;
    /// Tuples listed of one bus.
    pub const TUPLES_PER_BUS: usize = 16;
    /// Parties shown on each side of a tuple.
    const PARTIES: usize = 4;

    /// Whether everything holds.
    pub fn is_ok(&self) -> bool {
        self.shape.is_empty() && self.failing_rules == 0 && self.unbalanced_tuples == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.shape {
            writeln!(f, "error[T0001]: {fault}")?;
        }
        for failure in &self.rules {
            writeln!(f, "{failure}")?;
        }
        let listed = self.rules.len();
        if self.failing_rules > listed {
            writeln!(f, "… and {} more failures of rules\n", self.failing_rules - listed)?;
        }
        let mut bus = None;
        for tuple in &self.tuples {
            if bus.replace(&tuple.bus) != Some(&tuple.bus) {
                writeln!(f, "error[B0001]: bus `{}` does not balance", tuple.bus)?;
            }
            write!(f, "{tuple}")?;
        }
        let listed = self.tuples.len();
        if self.unbalanced_tuples > listed {
            writeln!(f, "… and {} more tuples", self.unbalanced_tuples - listed)?;
        }
        if self.is_ok() {
            return f.write_str("every rule holds and every bus balances");
        }
        write!(
            f,
            "\nfailures of rules: {}, tuples that do not balance: {}",
            self.failing_rules, self.unbalanced_tuples
        )
    }
}

impl fmt::Display for RuleFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let padding = if self.padding { ", which is padding" } else { "" };
        writeln!(
            f,
            "error[R0001]: rule `{}` of chip `{}` fails on row {}{padding}",
            self.name, self.chip, self.row
        )?;
        let values = format!("{} ≠ {}", self.left, self.right);
        source::excerpt(f, self.location, &values)?;
        let cells: Vec<String> =
            self.cells.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        if !cells.is_empty() {
            writeln!(f, "   = {}", cells.join(", "))?;
        }
        write!(f, "   = rule: {}", self.formula)?;
        match (&self.guard, self.section) {
            (None, Section::Row) => {}
            (None, section) => write!(f, " ({section})")?,
            (Some(guard), Section::Row) => write!(f, " when {guard}")?,
            (Some(guard), section) => write!(f, " when {guard} ({section})")?,
        }
        writeln!(f)?;
        if !self.because.is_empty() {
            writeln!(f, "   = because: {}", self.because)?;
        }
        if self.rows > 1 {
            writeln!(f, "   = note: the rule fails on {} rows", self.rows)?;
        }
        Ok(())
    }
}

impl fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements: Vec<String> = self.tuple.iter().map(ToString::to_string).collect();
        let tuple = format!("({})", elements.join(", "));
        let (asked, given) = match self.kind {
            BusKind::Lookup => ("asked", "given"),
            BusKind::Permutation => ("sent", "received"),
        };
        let tables = self.tables.join("`, `");
        parties(f, &tuple, asked, &self.plus, "")?;
        parties(
            f,
            &" ".repeat(tuple.chars().count()),
            given,
            &self.minus,
            &self.tables.join(", "),
        )?;
        match self.kind {
            BusKind::Lookup if self.tables.is_empty() => {
                writeln!(f, "   = help: no chip of the machine provides a table on `{}`", self.bus)
            }
            BusKind::Lookup if !self.is_entry => {
                writeln!(f, "   = help: {tuple} is no entry of `{tables}`")
            }
            _ => Ok(()),
        }
    }
}

fn parties(
    f: &mut fmt::Formatter<'_>,
    head: &str,
    verb: &str,
    parties: &[Party],
    others: &str,
) -> fmt::Result {
    if parties.is_empty() {
        let by = if others.is_empty() { String::new() } else { format!("  by {others}") };
        return writeln!(f, "   | {head}  {verb} 0×{by}");
    }
    let blank = " ".repeat(head.chars().count());
    for (index, party) in parties.iter().take(Report::PARTIES).enumerate() {
        let head = if index == 0 { head } else { &blank };
        let label = match party.label.as_str() {
            "" => String::new(),
            label => format!(" ({label})"),
        };
        let Party { chip, port, row, count, .. } = party;
        let line = format!("   | {head}  {verb} {count}×  by {chip}.{port}{label}, row {row}");
        match party.location {
            Some(location) => writeln!(f, "{line:<56}  {}:{}", location.file, location.line)?,
            None => writeln!(f, "{line}")?,
        }
    }
    match parties.len().saturating_sub(Report::PARTIES) {
        0 => Ok(()),
        more => writeln!(f, "   | {blank}  … and {more} more"),
    }
}
