//! `chipwright security`: what each named configuration is worth.

use std::io::Write;

use chipwright_backend_stark::security::{BatchShape, SecurityReport, named_reports};
use clap::Args;
use serde::Serialize;

use super::error::CliError;

/// The arguments of `chipwright security`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Write JSON, one object for each configuration.
    #[arg(long)]
    json: bool,
}

/// A line of the report.
#[derive(Debug, Serialize)]
struct Line<'a> {
    name: &'a str,
    field: &'a str,
    extension_degree: usize,
    log_blowup: usize,
    queries: usize,
    pow_bits: usize,
    proven_bits: u32,
    conjectured_bits: u32,
    limiting_term: &'a str,
    conjectured_limiting_term: &'a str,
}

impl<'a> From<&'a SecurityReport> for Line<'a> {
    fn from(report: &'a SecurityReport) -> Self {
        Self {
            name: &report.name,
            field: &report.field,
            extension_degree: report.extension_degree,
            log_blowup: report.log_blowup,
            queries: report.queries,
            pow_bits: report.pow_bits,
            proven_bits: report.proven_bits,
            conjectured_bits: report.conjectured_bits,
            limiting_term: &report.limiting_term,
            conjectured_limiting_term: &report.conjectured_limiting_term,
        }
    }
}

/// Writes the report.
///
/// # Errors
///
/// Fails if `out` cannot be written.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let reports = named_reports()?;
    if arguments.json {
        let lines: Vec<Line<'_>> = reports.iter().map(Line::from).collect();
        return super::write_json(out, &lines);
    }
    write!(out, "{}", table(&reports))?;
    let BatchShape { log_height, openings, messages, .. } = BatchShape::reference();
    writeln!(
        out,
        "\nfor tables of up to 2^{log_height} rows, {openings} openings and {messages} messages a row"
    )?;
    Ok(())
}

/// The report as a Markdown table.
///
/// # Errors
///
/// Fails if a named configuration is not valid.
pub fn markdown() -> Result<String, CliError> {
    Ok(table(&named_reports()?))
}

fn table(reports: &[SecurityReport]) -> String {
    let header = [
        "configuration",
        "field",
        "blowup",
        "queries",
        "grinding",
        "proven",
        "conjectured",
        "limit of the proven level",
    ];
    let rows = reports.iter().map(|report| {
        vec![
            report.name.clone(),
            report.field.clone(),
            (1 << report.log_blowup).to_string(),
            report.queries.to_string(),
            report.pow_bits.to_string(),
            report.proven_bits.to_string(),
            report.conjectured_bits.to_string(),
            report.limiting_term.clone(),
        ]
    });
    super::table::markdown(&header, rows)
}
