//! The menu: what kinds of shards there are.
//!
//! All shards are shards of one [machine](crate::machine), in different layouts. The menu is part of a release: the keys
//! of its kinds, and of what verifies their proofs, are the same for all programs.

use chipwright_backend_stark::circuit::cost_parameters;
use chipwright_backend_stark::config::Config;
use chipwright_dsl::schema::Schema;
use chipwright_ir::chip::FixedData;
use chipwright_ir::machine::layout::{Apart, Fold};
use chipwright_ir::machine::{Machine, MachineLayout};

use crate::machine::control::Boundary;
use crate::machine::memory::{Leaf, Node};
use crate::machine::program::{TextLeaf, TextNode};
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
    /// A kind of the menu. Its cells are those that a proof under the configuration commits to.
    pub(super) fn new(entry: &Entry, machine: &Machine, config: &Config) -> Self {
        let layout = entry.layout(machine);
        let cells = layout.cells(machine, &cost_parameters(config)) as u64;
        Self { name: entry.name, layout, cells }
    }

    /// How many rows a shard has for each of the chips of [`counted`].
    pub fn rows(&self) -> Vec<usize> {
        counted().iter().map(|chip| self.layout.rows(chip).unwrap_or(0)).collect()
    }
}

/// A kind, as it is written in the menu.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The base-2 logarithm of the common height.
    pub log_height: usize,
    /// The copies of chips that are folded; those that are not named have one.
    pub copies: &'static [(&'static str, usize)],
    /// The base-2 logarithms of the leaves and nodes of memory, and of text.
    pub trees: [usize; 4],
}

/// The kinds of shards, in order.
pub const MENU: &[Entry] = &[
    Entry { name: "small", log_height: 10, copies: &[], trees: [7, 9, 7, 9] },
    Entry { name: "general", log_height: 16, copies: &[], trees: [11, 12, 10, 10] },
];

/// The base-2 logarithm of the lowest table.
const LOG_LEAST: usize = 5;

impl Entry {
    /// The layout of the kind.
    pub fn layout(&self, machine: &Machine) -> MachineLayout {
        let Self { log_height, copies, trees, .. } = *self;
        let apart = [
            (Boundary::name(), LOG_LEAST),
            (Leaf::name(), trees[0]),
            (Node::name(), trees[1]),
            (TextLeaf::name(), trees[2]),
            (TextNode::name(), trees[3]),
        ];
        let mut layout = MachineLayout { log_height, folded: Vec::new(), apart: Vec::new() };
        for chip in &machine.chips {
            let contents = chip.fixed.as_ref().map(FixedData::rows);
            let contents = contents.filter(|_| chip.fixed_width() > 0);
            let stands = apart.iter().find(|(name, _)| *name == chip.name);
            if let Some((name, log_height)) = stands {
                layout.apart.push(Apart { chip: name.clone(), log_height: Some(*log_height) });
            } else if contents.is_some_and(|rows| rows > 1 << log_height) {
                // A table that is higher than all others.
                layout.apart.push(Apart::new(&chip.name));
            } else {
                let found = copies.iter().find(|(name, _)| *name == chip.name);
                let copies = found.map_or(1, |(_, copies)| *copies);
                layout.folded.push(Fold { chip: chip.name.clone(), copies });
            }
        }
        layout
    }
}
