//! What an instruction costs: the cells of its row, by chip, weighted by a mix.

use std::fmt::Write;

use chipwright_backend_stark::key::TableShape;
use chipwright_ir::chip::Chip;
use chipwright_ir::machine::layout::FUSED_TABLE;
use chipwright_recursion::shard::ShardError;
use serde::{Deserialize, Serialize};

use super::MipsProver;
use crate::machine::FIELD;
use crate::machine::instruction::INSTRUCTIONS;

/// What the rows of a chip cost.
#[derive(Clone, Debug, Serialize)]
pub struct ChipCells {
    /// The chip.
    pub name: String,
    /// The columns of the main trace.
    pub main: usize,
    /// The share of its messages in the columns of lookups, in base-field cells.
    pub lookup: f64,
    /// Its share of the quotient, in base-field cells.
    pub quotient_share: f64,
    /// All of these, and its share of the tables that are looked up.
    pub cells: f64,
    /// How many instructions of a hundred are its rows.
    pub instructions: f64,
}

/// What instructions cost.
#[derive(Clone, Debug, Serialize)]
pub struct Cells {
    /// The kind of shard.
    pub kind: &'static str,
    /// The base-field cells of an instruction of the mix, without those of the trees.
    pub weighted_cells: f64,
    /// What they are made of.
    pub by_chip: Vec<ChipCells>,
    /// The mix.
    pub mix: Vec<Share>,
}

impl Cells {
    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = "| chip | main | lookup | quotient | cells | of 100 instructions |\n\
                        |---|---:|---:|---:|---:|---:|\n"
            .to_owned();
        for chip in &self.by_chip {
            let ChipCells { name, main, lookup, quotient_share, cells, instructions } = chip;
            let _ = writeln!(
                text,
                "| `{name}` | {main} | {lookup:.2} | {quotient_share:.2} | {cells:.1} | {instructions:.2} |"
            );
        }
        let Self { kind, weighted_cells, .. } = self;
        let _ = writeln!(text, "| the mix, kind `{kind}` | | | | **{weighted_cells:.1}** | 100 |");
        text
    }
}

/// A part of a mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The chip.
    pub chip: String,
    /// How many instructions of a hundred are its rows.
    pub percent: f64,
}

/// The mix of instructions that costs are weighted by: it sums to a hundred.
///
/// # Panics
///
/// Never: the file is part of the crate, and a test reads it.
pub fn mix() -> Vec<Share> {
    serde_json::from_str(include_str!("mix.json")).expect("the mix is sound")
}

impl MipsProver {
    /// What the rows of instructions cost in shards of a kind.
    ///
    /// # Errors
    ///
    /// Fails if the configuration cannot prove the kind.
    pub fn cells(&self, kind: usize) -> Result<Cells, ShardError> {
        let tables = self.keys(kind)?.key().tables();
        let layout = &self.menu()[kind].layout;
        let degree = FIELD.degree() as f64;
        let shape = |name: &str| tables.iter().find(|table| table.name == name);
        let is_instruction =
            |chip: &str| INSTRUCTIONS.iter().any(|registered| (registered.name)() == chip);
        let chip = |name: &str| self.machine.chips.iter().find(|chip| chip.name == name);

        let (mut messages, mut copies, mut others) = (0, 0, 0.0);
        let folded = layout.folded.iter().filter_map(|fold| Some((chip(&fold.chip)?, fold.copies)));
        for (chip, count) in folded.clone() {
            messages += chip.interactions.len() * count;
            copies += if is_instruction(&chip.name) { count } else { 0 };
        }
        let lookup = |table: &TableShape| degree * table.lookup_columns as f64;
        let fused = shape(FUSED_TABLE);
        let by_message = fused.map_or(0.0, |table| lookup(table) / messages.max(1) as f64);
        let quotient = fused.map_or(0.0, |table| degree * table.quotient_chunks as f64);
        let row = |chip: &Chip| chip.width() as f64 + by_message * chip.interactions.len() as f64;
        for (chip, count) in folded.filter(|(chip, _)| !is_instruction(&chip.name)) {
            others += row(chip) * count as f64;
        }
        let share = |sum: f64| sum / copies.max(1) as f64;

        let mix = mix();
        let mut by_chip = Vec::new();
        for name in INSTRUCTIONS.iter().map(|registered| (registered.name)()) {
            let Some(chip) = chip(&name) else { continue };
            let (lookup, quotient_share) = match shape(&name) {
                Some(table) => (lookup(table), degree * table.quotient_chunks as f64),
                None => (by_message * chip.interactions.len() as f64, share(quotient)),
            };
            let main = chip.width();
            let cells = main as f64 + lookup + quotient_share + share(others);
            let share = mix.iter().find(|share| share.chip == name);
            let instructions = share.map_or(0.0, |share| share.percent);
            by_chip.push(ChipCells { name, main, lookup, quotient_share, cells, instructions });
        }
        let weighted = by_chip.iter().map(|chip| chip.cells * chip.instructions / 100.0).sum();
        Ok(Cells { kind: self.menu()[kind].name, weighted_cells: weighted, by_chip, mix })
    }
}
