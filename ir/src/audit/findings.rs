//! What an audit found, and how it is told.

use std::fmt;

/// The result of auditing one chip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChipAudit {
    /// The chip's name.
    pub name: String,
    /// The number of rules.
    pub rules: usize,
    /// What was found.
    pub findings: Findings,
    /// The columns that the author declared free, with the reasons.
    pub free: Vec<Free>,
}

/// What the levels of an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What fails in honest runs. If anything does, nothing else was tried.
    pub honest: Vec<String>,
    /// What padding rows exchange with buses.
    pub padding: Vec<String>,
    /// The number of cells that were changed with everything else as it was.
    pub swept: usize,
    /// The number of forgeries that were replayed.
    pub forged: usize,
    /// Forgeries that nothing objects to and that change a result.
    pub escapes: Vec<Escape>,
    /// Forgeries that nothing objects to, of cells that are not declared free.
    pub undeclared: Vec<Escape>,
    /// The number of rules and lookups that were deleted.
    pub deletions: usize,
    /// The number of deletions after which some forgery succeeds.
    pub caught: usize,
    /// The other ones.
    pub uncaught: Vec<Uncaught>,
}

/// A column that the author declared free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Free {
    /// The column, as declared.
    pub column: String,
    /// Why no rule need determine it.
    pub reason: String,
}

/// A forgery that nothing objects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escape {
    /// The chip.
    pub chip: String,
    /// Whether later fills followed from the forged cells; otherwise everything else stayed as it was.
    pub replayed: bool,
    /// The forged cells.
    pub cells: Vec<ForgedCell>,
    /// The public values that were changed with them.
    pub publics: Vec<String>,
    /// The results that changed.
    pub changes: Vec<String>,
}

/// A wrong value in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgedCell {
    /// The column's name.
    pub column: String,
    /// The row.
    pub row: usize,
    /// The honest value.
    pub before: i128,
    /// The forged value.
    pub after: i128,
}

/// A rule or lookup without which no forgery succeeds either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncaught {
    /// Its name, or formula, and where it was written.
    pub rule: String,
    /// Why, if that is known.
    pub reason: Option<String>,
}

impl ChipAudit {
    /// Whether a forgery succeeded that no declaration covers: a replayed one, or one that changed cells
    /// and nothing else.
    pub fn accepts(&self, replayed: bool) -> bool {
        let Findings { escapes, undeclared, .. } = &self.findings;
        escapes.iter().chain(undeclared).any(|escape| escape.replayed == replayed)
    }

    /// Everything that must be mended. Empty if the chip passed.
    pub fn complaints(&self) -> Vec<String> {
        let Findings { honest, padding, escapes, undeclared, uncaught, .. } = &self.findings;
        let mut complaints: Vec<String> =
            honest.iter().map(|finding| format!("honest run: {finding}")).collect();
        complaints.extend(padding.iter().map(|finding| format!("padding: {finding}")));
        complaints.extend(escapes.iter().map(|escape| format!("forge: {escape}")));
        complaints.extend(undeclared.iter().map(|escape| {
            format!("free: {escape}\n   help: bind the cell, or declare it `#[free(\"reason\")]`")
        }));
        complaints.extend(uncaught.iter().filter(|rule| rule.reason.is_none()).map(|rule| {
            format!("rules: without {} no forgery succeeds either; is it redundant?", rule.rule)
        }));
        complaints
    }
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chip `{}` accepts a forged cell", self.chip)?;
        for cell in &self.cells {
            let ForgedCell { column, row, before, after } = cell;
            write!(f, "\n   {column}  row {row}   {before} → {after}")?;
            let step = (after - before).unsigned_abs();
            if step > 1 && step.is_power_of_two() {
                let sign = if after > before { '+' } else { '-' };
                write!(f, " ({sign}2^{})", step.trailing_zeros())?;
            }
        }
        for public in &self.publics {
            write!(f, "\n   public {public}")?;
        }
        for change in &self.changes {
            write!(f, "\n   {change}        ← result changed")?;
        }
        Ok(())
    }
}

impl fmt::Display for Uncaught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{}: {reason}", self.rule),
            None => write!(f, "{}: no forgery found", self.rule),
        }
    }
}

impl fmt::Display for ChipAudit {
    /// One line of counts, then one line or more a finding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Findings { deletions, caught, swept, forged, escapes, uncaught, .. } = &self.findings;
        write!(
            f,
            "{}: {} rules, {caught} of {deletions} deletions caught, {swept} cells swept, {forged} \
             forgeries, {} escapes",
            self.name,
            self.rules,
            escapes.len()
        )?;
        for Free { column, reason } in &self.free {
            write!(f, "\n  free {column}: {reason}")?;
        }
        for rule in uncaught.iter().filter(|rule| rule.reason.is_some()) {
            write!(f, "\n  not caught: {rule}")?;
        }
        for complaint in self.complaints() {
            write!(f, "\n  {complaint}")?;
        }
        Ok(())
    }
}
