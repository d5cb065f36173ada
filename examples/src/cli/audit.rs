//! `chipwright audit`: forges cells and deletes rules of every standard chip, and reports what nobody noticed.

use std::io::Write;

use chipwright_chips::{CatalogEntry, catalog};
use chipwright_ir::FieldPair;
use chipwright_ir::audit::{AuditOptions, ChipAudit, audit};
use chipwright_ir::field::Goldilocks2;
use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::error::CliError;
use super::progress::Progress;
use super::table;

/// The arguments of `chipwright audit`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The chips to audit; all of them if none is named.
    chips: Vec<String>,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// The report on all chips.
#[derive(Debug, Serialize)]
struct Report {
    chips: Vec<Line>,
}

/// The report on one chip.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    rules: usize,
    /// Rules and lookups that were deleted, one at a time.
    deletions: usize,
    /// Deletions after which a forgery succeeded.
    caught: usize,
    /// Forgeries that were replayed.
    forged: usize,
    /// Forgeries that changed a result and that nothing objected to.
    escapes: usize,
    /// Columns that are declared free.
    free: Vec<Free>,
    /// Deletions that were not caught.
    uncaught: Vec<Uncaught>,
    /// Everything that has to be mended.
    complaints: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Free {
    column: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Uncaught {
    rule: String,
    reason: Option<String>,
}

impl From<ChipAudit> for Line {
    fn from(audit: ChipAudit) -> Self {
        let complaints = audit.complaints();
        let ChipAudit { name, rules, findings, free, .. } = audit;
        let free = free.into_iter().map(|free| Free { column: free.column, reason: free.reason });
        let uncaught = findings.uncaught.into_iter();
        let uncaught = uncaught.map(|rule| Uncaught { rule: rule.rule, reason: rule.reason });
        Self {
            name,
            rules,
            deletions: findings.deletions,
            caught: findings.caught,
            forged: findings.forged,
            escapes: findings.escapes.len(),
            free: free.collect(),
            uncaught: uncaught.collect(),
            complaints,
        }
    }
}

/// Audits, and writes the report.
///
/// # Errors
///
/// Fails if there is no chip of a name, if a chip has to be mended, or if `out` cannot be written.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let mut entries = catalog(Goldilocks2::FIELD);
    let known: Vec<String> = entries.iter().map(|entry| entry.chip.name.clone()).collect();
    if let Some(name) = arguments.chips.iter().find(|name| !known.contains(name)) {
        return Err(CliError::UnknownChip { name: name.clone(), known });
    }
    if !arguments.chips.is_empty() {
        entries.retain(|entry| arguments.chips.contains(&entry.chip.name));
    }
    let progress = Progress::new(format!("auditing {} chips", entries.len()));
    let lines: Result<Vec<Line>, CliError> = entries.par_iter().map(audit_entry).collect();
    drop(progress);
    let report = Report { chips: lines? };
    if arguments.json {
        super::write_json(out, &report)?;
    } else {
        write!(out, "{}", text(&report))?;
    }
    let complaints = report.chips.iter().map(|line| line.complaints.len()).sum();
    if complaints > 0 {
        return Err(CliError::Audit { complaints });
    }
    Ok(())
}

fn audit_entry(entry: &CatalogEntry) -> Result<Line, CliError> {
    let name = &entry.chip.name;
    let failed = |reason: String| CliError::Chip { chip: name.clone(), reason };
    let options = AuditOptions::default();
    let audit = audit(&entry.machine(), name, &entry.inputs(options.seed), &options)
        .map_err(|error| failed(error.to_string()))?;
    Ok(audit.into())
}

fn text(report: &Report) -> String {
    let header = ["chip", "rules", "deletions", "caught", "forged", "escapes", "free"];
    let rows = report.chips.iter().map(|line| {
        let numbers =
            [line.rules, line.deletions, line.caught, line.forged, line.escapes, line.free.len()];
        let numbers = numbers.map(|number| number.to_string());
        std::iter::once(line.name.clone()).chain(numbers).collect()
    });
    let mut text = table::markdown(&header, rows);
    let mut list = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            text.extend(["\n", title, ":\n", &items.join("\n"), "\n"]);
        }
    };
    let of = |f: fn(&Line) -> Vec<String>| -> Vec<String> {
        let lines = report.chips.iter();
        lines
            .flat_map(|line| f(line).into_iter().map(|item| format!("  {}: {item}", line.name)))
            .collect()
    };
    list(
        "free cells",
        of(|line| {
            line.free
                .iter()
                .map(|free| format!("{}, because {}", free.column, free.reason))
                .collect()
        }),
    );
    list(
        "deletions that no forgery notices",
        of(|line| {
            let reason = |rule: &Uncaught| {
                rule.reason.clone().unwrap_or_else(|| "no reason known".to_owned())
            };
            line.uncaught.iter().map(|rule| format!("{}: {}", rule.rule, reason(rule))).collect()
        }),
    );
    list("to be mended", of(|line| line.complaints.clone()));
    text
}
