//! `chipwright chips`: the standard chips, and the IR of each.

use std::io::Write;

use chipwright_backend_stark::air::RecordedAir;
use chipwright_backend_stark::config::{Config, StarkField};
use chipwright_chips::{CatalogEntry, catalog};
use chipwright_ir::chip::Chip;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::{Field, FieldPair};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::error::CliError;
use super::table;

/// The arguments of `chipwright chips`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<ChipsCommand>,
    /// Write JSON, one object for each chip.
    #[arg(long)]
    json: bool,
}

/// Commands over the standard chips.
#[derive(Debug, Subcommand)]
enum ChipsCommand {
    /// Print the IR of a chip.
    Show {
        /// The chip's name, as `chipwright chips` lists it.
        name: String,
        /// With the source lines of rules.
        #[arg(long)]
        sources: bool,
    },
}

/// What a chip costs.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    /// Columns of the main trace.
    columns: usize,
    /// Committed base elements a row: main, preprocessed and lookup columns.
    cells_per_row: usize,
    rules: usize,
    degree: usize,
    /// Messages that a row exchanges.
    lookups: usize,
    source_lines: usize,
}

const FIELD: Field = Goldilocks2::FIELD;

impl Line {
    fn new(entry: &CatalogEntry) -> Self {
        let chip: &Chip = &entry.chip;
        Self {
            name: chip.name.clone(),
            columns: chip.width(),
            cells_per_row: cells_per_row::<Goldilocks2>(chip),
            rules: chip.rules.len(),
            degree: chip.degree(),
            lookups: chip.interactions.len(),
            source_lines: entry.source_lines,
        }
    }
}

/// The committed base elements of a row: the lookup columns are elements of the extension, one of them a running
/// sum.
fn cells_per_row<P: StarkField>(chip: &Chip) -> usize {
    let lookups = P::lookups(&RecordedAir::new(chip), &Config::default()).len();
    let lookup_columns = if lookups == 0 { 0 } else { lookups + 1 };
    chip.width() + chip.fixed_width() + lookup_columns * P::FIELD.degree()
}

/// Writes the list, or the IR of one chip.
///
/// # Errors
///
/// Fails if there is no chip of the name, or `out` cannot be written.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let entries = catalog(FIELD);
    match &arguments.command {
        Some(ChipsCommand::Show { name, sources }) => {
            let entry = entries.iter().find(|entry| entry.chip.name == *name);
            let entry = entry.ok_or_else(|| CliError::UnknownChip {
                name: name.clone(),
                known: entries.iter().map(|entry| entry.chip.name.clone()).collect(),
            })?;
            if *sources {
                writeln!(out, "{:#}", entry.chip)?;
            } else {
                writeln!(out, "{}", entry.chip)?;
            }
            Ok(())
        }
        None if arguments.json => super::write_json(out, &lines()),
        None => Ok(out.write_all(markdown().as_bytes())?),
    }
}

fn lines() -> Vec<Line> {
    catalog(FIELD).iter().map(Line::new).collect()
}

/// The standard chips as a Markdown table.
pub fn markdown() -> String {
    let header = ["chip", "columns", "cells a row", "rules", "degree", "messages", "source lines"];
    let rows = lines().into_iter().map(|line| {
        let numbers = [
            line.columns,
            line.cells_per_row,
            line.rules,
            line.degree,
            line.lookups,
            line.source_lines,
        ];
        std::iter::once(line.name).chain(numbers.map(|number| number.to_string())).collect()
    });
    table::markdown(&header, rows)
}
