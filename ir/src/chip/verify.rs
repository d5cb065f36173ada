//! What a chip must be, and what it had better be.
//!
//! [`lint`] collects everything; [`verify`] returns the errors among it. Errors:
//!
//! | code | a chip is wrong if |
//! |---|---|
//! | V01 | its data structure does not hang together: see [`Chip::malformation`] |
//! | V02 | a message has another width than its port, two columns or two ports have one name, a table gives with a plus |
//! | V04 | no rule and no message reads an output that is not declared free: the prover could claim anything |
//! | V05 | it has neither rules nor messages |
//! | V06 | its rules do not prove that a count is within its weight, or that an exclusive group is one: see [`counts`](super::counts) |
//! | V07 | a fixed column holds something else than its type, or than its message's weight, says |
//! | V09 | a rule's degree exceeds the bound (only by [`verify_degree`]) |
//! | V12 | a `row` rule does not hold on a padding row |
//!
//! Warnings:
//!
//! | code | a chip is suspicious if |
//! |---|---|
//! | L01 | nothing fills a private, output or scratch column |
//! | L02 | two unconditional fills of one section set the same cell |
//! | L03 | no rule and no message reads a private column that is not declared free, or an input |
//! | L05 | a rule holds whatever the cells are |
//! | L06 | two rules are the same |
//! | L08 | a padding row can give entries of a table, although messages of padding rows are switched off |
//!
//! Not verified: that rules determine the outputs (the forge tests sample that), and value ranges (the
//! recorder proves those of `split`).

use std::collections::BTreeMap;
use std::fmt;

use super::counts::{CountFault, count_faults, fixed_faults};
use super::sample::{open_tables, trivial_rules};
use super::{
    Chip, ColumnKind, FillOp, Interaction, Location, Node, NodeId, PortKind, Rule, Section, Sign,
};
use crate::machine::fill::FillOptions;
use crate::machine::{Machine, MachineInput, check, fill_with};
use crate::text::source;
use crate::{FieldPair, with_field};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The chip is not what it claims to be.
    Error,
    /// Probably a mistake.
    Warning,
}

/// Something that the verifier found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `V…` for errors, `L…` for warnings.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, a sentence without a full stop.
    pub message: String,
    /// Where it was written.
    pub location: Option<Location>,
    /// How it came about, and how to mend it.
    pub notes: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        if self.location.is_some() {
            writeln!(f)?;
            source::excerpt(f, self.location, "")?;
        }
        for (index, note) in self.notes.iter().enumerate() {
            if index > 0 || self.location.is_none() {
                writeln!(f)?;
            }
            write!(f, "   = {note}")?;
        }
        Ok(())
    }
}

/// Everything that makes a chip or a machine wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierErrors(pub Vec<Finding>);

impl fmt::Display for VerifierErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for VerifierErrors {}

/// Checks that a chip is what the table of errors in [this module](self) demands.
///
/// # Errors
///
/// All errors, in the order of the table.
pub fn verify(chip: &Chip) -> Result<(), VerifierErrors> {
    errors_of(lint(chip))
}

/// [`verify`], and that no rule's degree exceeds `max`.
///
/// # Errors
///
/// All errors; those of degree with the products they come from.
pub fn verify_degree(chip: &Chip, max: usize) -> Result<(), VerifierErrors> {
    let mut findings = lint(chip);
    if chip.malformation().is_none() {
        findings.extend(super::explain::degree_findings(chip, max));
    }
    errors_of(findings)
}

/// The part of [`verify`] that every pass must keep: V01 and V02.
///
/// # Errors
///
/// All errors.
pub fn verify_structure(chip: &Chip) -> Result<(), VerifierErrors> {
    errors_of(structure(chip).findings)
}

fn structure(chip: &Chip) -> Lints<'_> {
    let mut lints = Lints { chip, findings: Vec::new() };
    if let Some(reason) = chip.malformation() {
        lints.error("V01", format!("chip `{}` is malformed: {reason}", chip.name), None, &[]);
    } else {
        lints.names();
        lints.messages();
    }
    lints
}

pub(crate) fn errors_of(findings: Vec<Finding>) -> Result<(), VerifierErrors> {
    let errors: Vec<Finding> =
        findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    if errors.is_empty() { Ok(()) } else { Err(VerifierErrors(errors)) }
}

/// All errors and warnings.
pub fn lint(chip: &Chip) -> Vec<Finding> {
    let mut lints = structure(chip);
    if chip.malformation().is_some() {
        return lints.findings;
    }
    lints.unread();
    lints.emptiness();
    lints.counts();
    lints.padding();
    lints.fills();
    lints.rules();
    lints.entries_on_padding();
    lints.findings.sort_by_key(|finding| finding.severity);
    lints.findings
}

struct Lints<'a> {
    chip: &'a Chip,
    findings: Vec<Finding>,
}

impl Lints<'_> {
    fn error(
        &mut self,
        code: &'static str,
        message: String,
        location: Option<Location>,
        notes: &[&str],
    ) {
        let notes = notes.iter().map(|&note| note.to_owned()).collect();
        let severity = Severity::Error;
        self.findings.push(Finding { code, severity, message, location, notes });
    }

    fn warning(
        &mut self,
        code: &'static str,
        message: String,
        location: Option<Location>,
        notes: &[&str],
    ) {
        self.error(code, message, location, notes);
        if let Some(finding) = self.findings.last_mut() {
            finding.severity = Severity::Warning;
        }
    }

    fn names(&mut self) {
        let chip = self.chip;
        let columns = chip.columns.iter().map(|column| ("column", &column.name));
        let ports = chip.ports.iter().map(|port| ("port", &port.name));
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (what, name) in columns.chain(ports) {
            *counts.entry((what, name)).or_default() += 1;
        }
        for ((what, name), count) in counts {
            if count > 1 {
                let message = format!("{count} {what}s of chip `{}` are named `{name}`", chip.name);
                self.error("V02", message, None, &[]);
            }
        }
    }

    fn messages(&mut self) {
        let chip = self.chip;
        for interaction in &chip.interactions {
            let port = &chip.ports[interaction.port.index()];
            let location = interaction.label.location;
            let (expected, actual) = (port.message.len(), interaction.message.len());
            if expected != actual {
                let message = format!(
                    "a message of port `{}` of chip `{}` has {actual} elements; the port has {expected}",
                    port.name, chip.name
                );
                self.error("V02", message, location, &[]);
            }
            if port.kind == PortKind::Table && interaction.sign == Sign::Plus {
                let (port, name) = (&port.name, &chip.name);
                let message = format!("table `{port}` of chip `{name}` asks instead of giving");
                self.error("V02", message, location, &[]);
            }
        }
    }

    /// Columns that no rule and no message reads.
    fn unread(&mut self) {
        let chip = self.chip;
        let rules = chip.rules.iter().flat_map(Rule::nodes);
        let messages = chip.interactions.iter().flat_map(Interaction::nodes);
        let read = columns_read(chip, rules.chain(messages));
        let fills = columns_read(chip, chip.fills.iter().flat_map(super::Fill::nodes));
        for group in chip.groups.iter().filter(|group| group.free.is_none()) {
            let cells = group.start.index()..group.start.index() + group.len as usize;
            for cell in cells.filter(|cell| !read[*cell]) {
                let name = &chip.columns[cell].name;
                let at = group.location;
                let chip_name = &chip.name;
                match group.kind {
                    ColumnKind::Output => self.error(
                        "V04",
                        format!("no rule reads output `{name}` of chip `{chip_name}`"),
                        at,
                        &["help: constrain it, or declare it free with a reason"],
                    ),
                    ColumnKind::Private | ColumnKind::Scratch | ColumnKind::Record => self.warning(
                        "L03",
                        format!("no rule reads `{name}` of chip `{chip_name}`"),
                        at,
                        &["help: constrain it, remove it, or declare it free with a reason"],
                    ),
                    ColumnKind::Input if !fills[cell] => self.warning(
                        "L03",
                        format!("nothing reads input `{name}` of chip `{chip_name}`"),
                        at,
                        &[],
                    ),
                    _ => {}
                }
            }
        }
    }

    fn emptiness(&mut self) {
        let chip = self.chip;
        if chip.rules.is_empty() && chip.interactions.is_empty() {
            let message = format!("chip `{}` has neither rules nor messages", chip.name);
            self.error("V05", message, None, &["note: any trace at all would be accepted"]);
        }
    }

    fn counts(&mut self) {
        let chip = self.chip;
        for (code, faults) in [("V06", count_faults(chip)), ("V07", fixed_faults(chip))] {
            for CountFault { interaction, problem } in faults {
                let at = interaction.and_then(|index| chip.interactions[index].label.location);
                self.error(code, format!("chip `{}`: {problem}", chip.name), at, &[]);
            }
        }
    }

    fn padding(&mut self) {
        for failure in padding_failures(self.chip) {
            let values: Vec<String> =
                failure.cells.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let message = format!(
                "rule `{}` of chip `{}` does not hold on a padding row: {} ≠ {}",
                failure.name, failure.chip, failure.left, failure.right
            );
            let notes = [
                format!("rule: {}", failure.formula),
                values.join(", "),
                "help: guard it with `when(row.real(), ..)`, or make it hold for zeros".to_owned(),
            ];
            let notes: Vec<&str> =
                notes.iter().map(String::as_str).filter(|note| !note.is_empty()).collect();
            self.error("V12", message, failure.location, &notes);
        }
    }

    fn fills(&mut self) {
        let chip = self.chip;
        let mut filled = vec![false; chip.columns.len()];
        let mut seen: BTreeMap<(Section, super::Cell), usize> = BTreeMap::new();
        for fill in &chip.fills {
            for cell in fill.cells() {
                filled[cell.column.index()] = true;
                if fill.guards.is_empty() {
                    let count = seen.entry((fill.section, cell)).or_default();
                    *count += 1;
                    if *count == 2 {
                        let name = chip.cell_name(cell);
                        let message = format!(
                            "`{name}` of chip `{}` is filled twice in `{}`",
                            chip.name, fill.section
                        );
                        self.warning("L02", message, fill.label.location, &[]);
                    }
                }
            }
        }
        for group in &chip.groups {
            let ours = matches!(
                group.kind,
                ColumnKind::Private | ColumnKind::Output | ColumnKind::Scratch
            );
            let cells = group.start.index()..group.start.index() + group.len as usize;
            for cell in cells.filter(|_| ours) {
                let (name, of) = (&chip.columns[cell].name, &chip.name);
                if !filled[cell] {
                    let message = format!("nothing fills `{name}` of chip `{of}`");
                    let help = "help: use `define`, `split` or `fill`, or make it a record column";
                    self.warning("L01", message, group.location, &[help]);
                }
            }
        }
    }

    fn rules(&mut self) {
        let chip = self.chip;
        let trivial = with_field!(chip.field, P => trivial_rules::<P>(chip));
        let mut seen = BTreeMap::new();
        for (index, rule) in chip.rules.iter().enumerate() {
            let name = chip.rule_name(index);
            if trivial[index] {
                let message = format!("rule `{name}` of chip `{}` holds for all values", chip.name);
                self.warning("L05", message, rule.label.location, &[]);
            }
            let sides = (rule.left.min(rule.right), rule.left.max(rule.right));
            if let Some(first) = seen.insert((rule.section, rule.guard, sides), index) {
                let first = chip.rule_name(first);
                let message =
                    format!("rule `{name}` of chip `{}` repeats rule `{first}`", chip.name);
                self.warning("L06", message, rule.label.location, &[]);
            }
        }
    }

    fn entries_on_padding(&mut self) {
        let open = with_field!(self.chip.field, P => open_tables::<P>(self.chip));
        for port in open {
            let message = format!(
                "a padding row of chip `{}` can give entries of table `{port}`",
                self.chip.name
            );
            let note = "note: messages of padding rows are switched off, so the types that they \
                        stand for are not checked there";
            let help = "help: add the rule `count·real = count` for the multiplicity";
            self.warning("L08", message, None, &[note, help]);
        }
    }
}

/// Which columns the nodes depend on.
pub(super) fn columns_read(chip: &Chip, nodes: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
    let mut read = vec![false; chip.columns.len()];
    let mut seen = vec![false; chip.graph.len()];
    let mut pending: Vec<NodeId> = nodes.into_iter().collect();
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut seen[id.index()], true) {
            if let Node::Cell(cell) = chip.graph.node(id) {
                read[cell.column.index()] = true;
            }
            pending.extend(chip.graph.node(id).operands());
        }
    }
    read
}

/// The `row` rules that do not hold on a padding row: a row whose record and fixed columns are zero, filled
/// by the chip's own fills. Rules over the row below see a padding row there, too.
///
/// A chip whose fills fail without a record (because a Rust function refuses it, or is known by name only)
/// has no failures: its padding rows are checked when a trace is.
pub fn padding_failures(chip: &Chip) -> Vec<crate::machine::report::RuleFailure> {
    if chip.dense || chip.malformation().is_some() {
        return Vec::new();
    }
    with_field!(chip.field, P => padding_failures_over::<P>(chip))
}

fn padding_failures_over<P: FieldPair>(chip: &Chip) -> Vec<crate::machine::report::RuleFailure> {
    let mut machine = Machine::new("padding", chip.field);
    let name = chip.name.clone();
    let calls = chip.fills.iter().any(|fill| matches!(fill.op, FillOp::Call { .. }));
    machine.chips.push(Chip { fixed: None, memory_of: None, ..chip.clone() });
    let input = MachineInput {
        publics: vec![(name, vec![0; chip.publics.len()])],
        ..MachineInput::default()
    };
    let options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
    let Ok(trace) = fill_with::<P>(&machine, &input, &options) else { return Vec::new() };
    let report = check::<P>(&machine, &trace);
    let holds_everywhere = |section| section == Section::Row && !calls;
    report.rules.into_iter().filter(|failure| holds_everywhere(failure.section)).collect()
}
