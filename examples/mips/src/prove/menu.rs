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
    /// The chips that are folded, with their copies.
    pub copies: &'static [(&'static str, usize)],
    /// The base-2 logarithms of the heights of chips that stand apart, where these are not [`LOG_RARE`].
    pub apart: &'static [(&'static str, usize)],
}

/// The base-2 logarithm of the height of tables that the menu says nothing of: those of chips with few rows.
const LOG_RARE: usize = 8;

/// The base-2 logarithm of the height of the boundary's table, which has one row.
const LOG_BOUNDARY: usize = 5;

impl Entry {
    /// The layout of the kind. Tables of fixed contents are folded, unless they are higher than the others.
    pub fn layout(&self, machine: &Machine) -> MachineLayout {
        let Self { log_height, copies, apart, .. } = *self;
        let of = |list: &[(&str, usize)], name: &str| {
            list.iter().find(|(chip, _)| *chip == name).map(|&(_, number)| number)
        };
        let mut layout = MachineLayout { log_height, folded: Vec::new(), apart: Vec::new() };
        for chip in &machine.chips {
            let contents = chip.fixed.as_ref().map(FixedData::rows);
            let copies = match contents.filter(|_| chip.fixed_width() > 0) {
                Some(rows) if rows > 1 << log_height => {
                    layout.apart.push(Apart::new(&chip.name));
                    continue;
                }
                Some(_) => Some(1),
                None => of(copies, &chip.name),
            };
            let chip = chip.name.clone();
            if let Some(copies) = copies {
                layout.folded.push(Fold { chip, copies });
                continue;
            }
            let least = if chip == Boundary::name() { LOG_BOUNDARY } else { LOG_RARE };
            let log_height = Some(of(apart, &chip).unwrap_or(least));
            layout.apart.push(Apart { chip, log_height });
        }
        layout
    }
}

/// The kinds of shards, in order.
///
/// One that is small, then those of certain mixes of instructions, each low, for the rest of a run, and high.
pub const MENU: &[Entry] = &[
    Entry {
        name: "small",
        log_height: 10,
        copies: &[
            ("add_sub", 2),
            ("add_constant", 2),
            ("shift", 2),
            ("bitwise", 2),
            ("load_byte", 2),
            ("branch", 2),
            ("less", 1),
            ("shift_signed", 1),
            ("shift_variable", 1),
            ("multiply_low", 1),
            ("multiply", 1),
            ("move_if", 1),
            ("extend", 1),
            ("load_word", 1),
            ("store_word", 1),
            ("load_half", 1),
            ("store_byte", 1),
            ("store_half", 1),
            ("unaligned", 1),
            ("branch_sign", 1),
            ("jump", 1),
            ("jump_register", 1),
            ("trap_equal", 1),
            ("refresh", 1),
            ("decode", 1),
        ],
        apart: &[
            ("text_node", 7),
            ("answer", 7),
            ("leaf", 6),
            ("text_leaf", 6),
            ("commit", 5),
            ("read", 5),
            ("grow", 5),
            ("halt", 5),
        ],
    },
    Entry {
        name: "general-13",
        log_height: 13,
        copies: &[
            ("bitwise", 9),
            ("add_constant", 8),
            ("load_word", 6),
            ("store_word", 6),
            ("branch", 5),
            ("add_sub", 4),
            ("shift", 4),
            ("less", 3),
            ("load_byte", 3),
            ("store_byte", 2),
            ("multiply", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("unaligned", 12),
            ("decode", 11),
            ("multiply_low", 11),
            ("shift_variable", 10),
            ("node", 10),
            ("text_node", 9),
            ("leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "bits-13",
        log_height: 13,
        copies: &[
            ("bitwise", 9),
            ("add_constant", 4),
            ("shift", 4),
            ("load_word", 4),
            ("store_word", 4),
            ("branch", 4),
            ("add_sub", 3),
            ("less", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("decode", 11),
            ("multiply_low", 11),
            ("multiply", 11),
            ("shift_variable", 10),
            ("unaligned", 10),
            ("node", 10),
            ("text_node", 9),
            ("leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "memory-13",
        log_height: 13,
        copies: &[
            ("add_constant", 8),
            ("load_word", 7),
            ("store_word", 6),
            ("branch", 6),
            ("bitwise", 5),
            ("shift", 4),
            ("add_sub", 3),
            ("less", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("leaf", 12),
            ("decode", 11),
            ("node", 11),
            ("multiply_low", 10),
            ("multiply", 10),
            ("unaligned", 10),
            ("text_node", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "multiply-13",
        log_height: 13,
        copies: &[
            ("add_constant", 8),
            ("add_sub", 4),
            ("shift", 3),
            ("load_word", 3),
            ("branch", 3),
            ("less", 2),
            ("bitwise", 2),
            ("store_word", 2),
            ("multiply_low", 1),
            ("multiply", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("unaligned", 12),
            ("decode", 11),
            ("node", 10),
            ("text_node", 9),
            ("leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "divide-13",
        log_height: 13,
        copies: &[
            ("bitwise", 5),
            ("add_constant", 4),
            ("add_sub", 3),
            ("shift", 3),
            ("less", 2),
            ("multiply", 2),
            ("load_word", 2),
            ("branch", 2),
            ("shift_variable", 1),
            ("extend", 1),
            ("store_word", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("multiply_low", 12),
            ("divide", 12),
            ("count", 12),
            ("branch_sign", 12),
            ("trap_equal", 12),
            ("decode", 11),
            ("shift_signed", 11),
            ("unaligned", 10),
            ("node", 10),
            ("text_node", 9),
            ("leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "bytes-13",
        log_height: 13,
        copies: &[
            ("add_sub", 8),
            ("add_constant", 6),
            ("branch", 6),
            ("store_byte", 5),
            ("less", 4),
            ("shift", 4),
            ("load_byte", 4),
            ("load_word", 3),
            ("bitwise", 2),
            ("jump_register", 2),
            ("store_word", 1),
            ("jump", 1),
        ],
        apart: &[
            ("unaligned", 12),
            ("input_word", 12),
            ("decode", 11),
            ("node", 11),
            ("multiply_low", 10),
            ("multiply", 10),
            ("load_half", 10),
            ("leaf", 10),
            ("text_node", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "general-16",
        log_height: 16,
        copies: &[
            ("add_constant", 8),
            ("bitwise", 7),
            ("load_word", 6),
            ("store_word", 6),
            ("branch", 5),
            ("add_sub", 4),
            ("shift", 4),
            ("less", 3),
            ("load_byte", 3),
            ("store_byte", 2),
            ("multiply", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("unaligned", 15),
            ("multiply_low", 14),
            ("shift_variable", 13),
            ("decode", 12),
            ("node", 12),
            ("shift_signed", 11),
            ("load_half", 11),
            ("store_half", 11),
            ("branch_sign", 11),
            ("leaf", 11),
            ("text_node", 10),
            ("divide", 10),
            ("move_if", 10),
            ("extend", 10),
            ("count", 10),
            ("trap_equal", 10),
            ("answer", 10),
            ("input_word", 10),
            ("text_leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "bits-16",
        log_height: 16,
        copies: &[
            ("bitwise", 7),
            ("add_sub", 3),
            ("add_constant", 3),
            ("shift", 3),
            ("load_word", 3),
            ("store_word", 3),
            ("branch", 3),
            ("less", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("multiply_low", 14),
            ("multiply", 14),
            ("shift_variable", 13),
            ("unaligned", 13),
            ("decode", 12),
            ("node", 12),
            ("shift_signed", 11),
            ("load_half", 11),
            ("store_half", 11),
            ("branch_sign", 11),
            ("leaf", 11),
            ("text_node", 10),
            ("divide", 10),
            ("move_if", 10),
            ("extend", 10),
            ("count", 10),
            ("trap_equal", 10),
            ("answer", 10),
            ("input_word", 10),
            ("text_leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "memory-16",
        log_height: 16,
        copies: &[
            ("add_constant", 8),
            ("load_word", 7),
            ("branch", 6),
            ("store_word", 5),
            ("shift", 4),
            ("bitwise", 4),
            ("add_sub", 2),
            ("less", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("leaf", 15),
            ("node", 14),
            ("multiply_low", 13),
            ("multiply", 13),
            ("unaligned", 13),
            ("decode", 12),
            ("shift_signed", 11),
            ("shift_variable", 11),
            ("load_half", 11),
            ("store_half", 11),
            ("branch_sign", 11),
            ("text_node", 10),
            ("divide", 10),
            ("move_if", 10),
            ("extend", 10),
            ("count", 10),
            ("trap_equal", 10),
            ("input_word", 10),
            ("text_leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "multiply-16",
        log_height: 16,
        copies: &[
            ("add_constant", 5),
            ("add_sub", 4),
            ("shift", 3),
            ("load_word", 2),
            ("branch", 2),
            ("less", 1),
            ("bitwise", 1),
            ("multiply_low", 1),
            ("multiply", 1),
            ("store_word", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("unaligned", 15),
            ("decode", 12),
            ("node", 12),
            ("shift_signed", 11),
            ("shift_variable", 11),
            ("load_half", 11),
            ("store_half", 11),
            ("branch_sign", 11),
            ("leaf", 11),
            ("text_node", 10),
            ("divide", 10),
            ("move_if", 10),
            ("extend", 10),
            ("count", 10),
            ("trap_equal", 10),
            ("input_word", 10),
            ("text_leaf", 9),
            ("refresh", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "divide-16",
        log_height: 16,
        copies: &[
            ("bitwise", 5),
            ("add_constant", 4),
            ("add_sub", 3),
            ("shift", 3),
            ("less", 2),
            ("multiply", 2),
            ("load_word", 2),
            ("branch", 2),
            ("shift_variable", 1),
            ("extend", 1),
            ("store_word", 1),
            ("load_byte", 1),
            ("store_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("multiply_low", 15),
            ("divide", 15),
            ("count", 15),
            ("branch_sign", 15),
            ("trap_equal", 15),
            ("shift_signed", 14),
            ("unaligned", 13),
            ("decode", 12),
            ("node", 12),
            ("load_half", 11),
            ("store_half", 11),
            ("leaf", 11),
            ("text_node", 10),
            ("move_if", 10),
            ("answer", 10),
            ("input_word", 10),
            ("text_leaf", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "bytes-16",
        log_height: 16,
        copies: &[
            ("add_sub", 8),
            ("add_constant", 5),
            ("branch", 5),
            ("less", 4),
            ("shift", 4),
            ("store_byte", 4),
            ("load_word", 3),
            ("load_byte", 3),
            ("bitwise", 2),
            ("jump_register", 2),
            ("store_word", 1),
            ("jump", 1),
        ],
        apart: &[
            ("unaligned", 15),
            ("input_word", 15),
            ("node", 14),
            ("multiply_low", 13),
            ("multiply", 13),
            ("load_half", 13),
            ("leaf", 13),
            ("decode", 12),
            ("shift_signed", 11),
            ("shift_variable", 11),
            ("store_half", 11),
            ("branch_sign", 11),
            ("answer", 11),
            ("text_node", 10),
            ("divide", 10),
            ("move_if", 10),
            ("extend", 10),
            ("count", 10),
            ("trap_equal", 10),
            ("text_leaf", 9),
            ("refresh", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
    Entry {
        name: "scattered-14",
        log_height: 14,
        copies: &[
            ("load_word", 7),
            ("add_constant", 5),
            ("add_sub", 4),
            ("store_word", 4),
            ("branch", 3),
            ("less", 2),
            ("shift", 2),
            ("store_byte", 2),
            ("bitwise", 1),
            ("load_byte", 1),
            ("jump", 1),
            ("jump_register", 1),
        ],
        apart: &[
            ("node", 15),
            ("multiply_low", 13),
            ("leaf", 13),
            ("decode", 11),
            ("text_node", 9),
            ("commit", 6),
            ("read", 6),
            ("halt", 5),
            ("grow", 5),
        ],
    },
];
