//! The menu: what kinds of shards there are.
//!
//! All shards are shards of one [machine](crate::machine), in different layouts. The menu is part of a release: the keys
//! of its kinds, and of what verifies their proofs, are the same for all programs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chipwright_backend_stark::circuit::cost_parameters;
use chipwright_backend_stark::config::Config;
use chipwright_dsl::schema::Schema;
use chipwright_ir::chip::FixedData;
use chipwright_ir::machine::layout::{Apart, Fold, LayoutCells};
use chipwright_ir::machine::{Machine, MachineLayout};
use serde::Deserialize;

use crate::machine::control::Boundary;
use crate::machine::trace::counted;

/// A kind of shard.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// How the tables of the machine become one, and how high those are that stand apart.
    pub layout: MachineLayout,
    /// The cells that a proof commits to.
    pub cells: u64,
}

impl Kind {
    /// The kinds of the menu. Their cells are those that a proof under the configuration commits to.
    pub(super) fn all(machine: &Machine, config: &Config) -> Vec<Self> {
        let cells = LayoutCells::new(machine, &cost_parameters(config));
        let kind = |entry: &'static Entry| {
            let layout = entry.layout(machine);
            Self { name: &entry.name, cells: cells.of(&layout) as u64, layout }
        };
        menu().iter().map(kind).collect()
    }

    /// How many rows a shard has for each of the chips of [`counted`].
    pub fn rows(&self) -> Vec<usize> {
        counted().iter().map(|chip| self.layout.rows(chip).unwrap_or(0)).collect()
    }
}

/// A kind, as it is written in the menu.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name: that of a chip of which it has more than others, and the base-2 logarithm of the common height.
    pub name: String,
    /// The base-2 logarithm of the common height.
    pub log_height: usize,
    /// The chips that are folded, with their copies.
    pub copies: BTreeMap<String, usize>,
    /// The base-2 logarithms of the heights of chips that stand apart, where these are not `2^8`.
    pub apart: BTreeMap<String, usize>,
}

/// The kinds of shards, in order: one that is small, then those of certain mixes of instructions, each low, for short runs and
/// the rest of a run, or high.
///
/// # Panics
///
/// Never: the file is part of the crate, and a test reads it.
pub fn menu() -> &'static [Entry] {
    static MENU: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("menu.json")).expect("the menu is sound")
    });
    &MENU
}

/// The base-2 logarithm of the height of tables that the menu says nothing of: those of chips with few rows.
const LOG_RARE: usize = 8;

/// The base-2 logarithm of the height of the boundary's table, which has one row.
const LOG_BOUNDARY: usize = 5;

impl Entry {
    /// The layout of the kind. Tables of fixed contents are folded, unless they are higher than the others.
    pub fn layout(&self, machine: &Machine) -> MachineLayout {
        let Self { log_height, copies, apart, .. } = self;
        let log_height = *log_height;
        let mut layout = MachineLayout { log_height, folded: Vec::new(), apart: Vec::new() };
        for chip in &machine.chips {
            let contents = chip.fixed.as_ref().map(FixedData::rows);
            let copies = match contents.filter(|_| chip.fixed_width() > 0) {
                Some(rows) if rows > 1 << log_height => {
                    layout.apart.push(Apart::new(&chip.name));
                    continue;
                }
                Some(_) => Some(1),
                None => copies.get(&chip.name).copied(),
            };
            let chip = chip.name.clone();
            if let Some(copies) = copies {
                layout.folded.push(Fold { chip, copies });
                continue;
            }
            let least = if chip == Boundary::name() { LOG_BOUNDARY } else { LOG_RARE };
            let log_height = Some(apart.get(&chip).copied().unwrap_or(least));
            layout.apart.push(Apart { chip, log_height });
        }
        layout
    }
}
