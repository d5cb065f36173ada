//! Folds a chip: one row of the folded chip is several rows of the chip, one after the other.
//!
//! Row-major, a table of `k·h` rows of `w` cells is the same bytes as one of `h` rows of `k·w` cells. So the
//! folded chip has `k` copies of the chip's columns, and *the same trace*: copy `j` of row `r` is row
//! `k·r + j` of the chip as it is written. Tables of many heights become tables of one height, which can be
//! [fused](super::fuse()).
//!
//! ```text
//!   chip count { n: felt                      chip count { copy0.n: felt, copy1.n: felt
//!     first { eq n, 0 }                         first { eq copy0.n, 0 }
//!     step  { eq next.n, n + 1 } }     →        row   { eq copy1.n, copy0.n + 1 }
//!                                               step  { eq next.copy0.n, copy1.n + 1 } }
//! ```
//!
//! # Soundness
//!
//! What holds of the rows of the chip, of neighbours among them, of the first and of the last one, holds of
//! the copies, and nothing else does:
//!
//! | of the chip | of the folded chip |
//! |---|---|
//! | `row`, messages | `row`, of every copy |
//! | `step` | `row`, of every copy but the last and the one beside it; `step`, of the last copy and the first one of the row below |
//! | `first` | `first`, of the first copy |
//! | `last` | `last`, of the last copy |
//! | the row below, where a rule of `row` or a message reads it | the copy beside it; behind the last copy, the first one of the row below, which is the first row below the last |
//!
//! The padding bit is a column like any other: the rule that it never rises holds from copy to copy, and from
//! row to row. Groups of exclusive messages are each copy's own. Public values are shared. The number of
//! copies need not be a power of two: then the chip has a number of rows that is none, either.

use crate::chip::{
    Cell, Chip, Column, ColumnId, ColumnKind, FixedData, Graph, Group, Interaction, Label, Node,
    NodeId, OpenContents, Rule, Section,
};

/// Why a chip cannot be folded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// A row consists of no rows.
    #[error("chip `{0}` is folded into no copies")]
    NoCopies(String),
    /// The folded chip has too many columns.
    #[error("chip `{chip}` has {columns} columns; {copies} copies would have more than {limit}")]
    TooWide {
        /// The chip.
        chip: String,
        /// Its columns.
        columns: usize,
        /// The copies.
        copies: usize,
        /// The largest number of columns.
        limit: usize,
    },
    /// The contents do not fill the copies, and the rows beyond them could exchange messages.
    #[error(transparent)]
    Short(#[from] OpenContents),
}

/// The largest number of columns of a folded chip.
pub const MAX_FOLDED_COLUMNS: usize = 1 << 16;

/// The chip whose rows are `copies` rows of a chip each.
///
/// Copies of columns and scopes get `copy0`, `copy1`, … in front of their names. Known contents of fixed columns are
/// dealt to the copies in order, padded to as many rows as the copies of a whole number of rows. A periodic
/// column has a shorter period in each copy; where that is one row, it is a constant.
///
/// A folded chip has no fills: the rows of the chip are filled as they are written, and their bytes are the trace
/// of the folded chip.
///
/// # Errors
///
/// Fails if there are no copies, or too many, or if rows beyond the contents of fixed columns could exchange messages.
pub fn fold(chip: &Chip, copies: usize) -> Result<Chip, FoldError> {
    let name = || chip.name.clone();
    if copies == 0 {
        return Err(FoldError::NoCopies(name()));
    }
    if copies == 1 {
        return Ok(chip.clone());
    }
    let (columns, limit) = (chip.columns.len(), MAX_FOLDED_COLUMNS);
    if columns.max(1).saturating_mul(copies) > limit {
        return Err(FoldError::TooWide { chip: name(), columns, copies, limit });
    }
    let mut folded = Chip {
        doc: format!("{copies} rows of `{}` in one.", chip.name),
        groups: Vec::new(),
        columns: Vec::new(),
        graph: Graph::new(),
        rules: Vec::new(),
        fills: Vec::new(),
        interactions: Vec::new(),
        fixed: chip
            .fixed
            .as_ref()
            .map(|fixed| deal_fixed(chip, fixed.rows(), copies))
            .transpose()?,
        periodic: Vec::new(),
        memory_of: None,
        ..chip.clone()
    };
    let places = add_columns(&mut folded, chip, copies);
    Ok(Folder { chip, copies, proven: chip.proven_nodes(), places, folded }.fold_rows())
}

/// One period of each copy's share of a periodic column.
pub(crate) fn deal_period(period: &[u64], copies: usize) -> Vec<Vec<u64>> {
    // Periods are powers of two, so the common divisor is the lower power of two.
    let common = 1 << copies.trailing_zeros().min(period.len().trailing_zeros());
    let rows = period.len() / common;
    let of = |copy: usize, row: usize| period[(row * copies + copy) % period.len()];
    (0..copies).map(|copy| (0..rows).map(|row| of(copy, row)).collect()).collect()
}

/// The contents of the copies' fixed columns, copy by copy.
fn deal_fixed(chip: &Chip, rows: usize, copies: usize) -> Result<FixedData, OpenContents> {
    let contents = chip.closed_contents(rows.next_multiple_of(copies))?;
    let share = |copy: usize| {
        let of = move |column: &Vec<u64>| column[copy..].iter().step_by(copies).copied().collect();
        contents.iter().map(of)
    };
    Ok(FixedData { columns: (0..copies).flat_map(share).collect() })
}

/// What stands for a column of the chip in a copy.
#[derive(Clone, Copy, Debug)]
enum Place {
    Column(ColumnId),
    /// A periodic column that does not change from row to row.
    Constant(u64),
}

/// Adds the copies of all columns: where each of them is, by copy and column.
fn add_columns(folded: &mut Chip, chip: &Chip, copies: usize) -> Vec<Vec<Place>> {
    let periods: Vec<Vec<Vec<u64>>> =
        chip.periodic.iter().map(|period| deal_period(period, copies)).collect();
    let positions = chip.positions();
    let mut places = Vec::with_capacity(copies);
    for copy in 0..copies {
        let mut of_copy = Vec::with_capacity(chip.columns.len());
        for group in &chip.groups {
            let start = folded.columns.len();
            let cells = group.start.index()..group.start.index() + group.len as usize;
            for index in cells {
                let column = &chip.columns[index];
                if column.kind == ColumnKind::Periodic {
                    let period = &periods[positions[index]][copy];
                    if let [value] = period[..] {
                        of_copy.push(Place::Constant(value));
                        continue;
                    }
                    folded.periodic.push(period.clone());
                }
                of_copy.push(Place::Column(ColumnId::new(folded.columns.len())));
                let name = copy_name(copy, &column.name);
                folded.columns.push(Column { name, ..column.clone() });
            }
            let len = (folded.columns.len() - start) as u32;
            if len > 0 {
                let (name, start) = (copy_name(copy, &group.name), ColumnId::new(start));
                folded.groups.push(Group { name, start, len, ..group.clone() });
            }
        }
        places.push(of_copy);
    }
    places
}

/// The name of a copy of something.
fn copy_name(copy: usize, name: &str) -> String {
    format!("copy{copy}.{name}")
}

struct Folder<'a> {
    chip: &'a Chip,
    copies: usize,
    /// The nodes of the chip that rules and messages depend on.
    proven: Vec<bool>,
    /// By copy, by column.
    places: Vec<Vec<Place>>,
    folded: Chip,
}

impl Folder<'_> {
    fn fold_rows(mut self) -> Chip {
        let groups = self.chip.interactions.iter().filter_map(|message| message.exclusive);
        let groups = groups.max().map_or(0, |last| last + 1);
        for copy in 0..self.copies {
            let nodes = self.nodes(copy);
            let node = |id: NodeId| nodes[id.index()];
            let label = |label: &Label| scoped(label, copy);
            for rule in &self.chip.rules {
                let Some(section) = self.section(rule.section, copy) else { continue };
                self.folded.rules.push(Rule {
                    section,
                    guard: rule.guard.map(node),
                    left: node(rule.left),
                    right: node(rule.right),
                    label: label(&rule.label),
                    ..rule.clone()
                });
            }
            let messages = self.chip.interactions.iter().map(|message| Interaction {
                message: message.message.iter().copied().map(node).collect(),
                count: node(message.count),
                exclusive: message.exclusive.map(|group| group + copy as u32 * groups),
                label: label(&message.label),
                ..message.clone()
            });
            self.folded.interactions.extend(messages);
        }
        self.folded
    }

    /// Where a rule of a section speaks of a copy, if it does.
    fn section(&self, section: Section, copy: usize) -> Option<Section> {
        let last = self.copies - 1;
        match section {
            Section::Row => Some(Section::Row),
            Section::First => (copy == 0).then_some(Section::First),
            Section::Step if copy < last => Some(Section::Row),
            Section::Step => Some(Section::Step),
            Section::Last => (copy == last).then_some(Section::Last),
        }
    }

    /// Adds the nodes of a copy that rules and messages depend on: where each one is. The others have no place.
    fn nodes(&mut self, copy: usize) -> Vec<NodeId> {
        // What is proven depends on what is proven alone, so the others' places are read by nobody.
        let mut nodes: Vec<NodeId> = vec![NodeId::new(0); self.chip.graph.len()];
        for (index, &node) in self.chip.graph.nodes().iter().enumerate() {
            if self.proven[index] {
                let node = match node {
                    Node::Cell(cell) => self.cell(cell, copy),
                    node => node.map_operands(|operand| nodes[operand.index()]),
                };
                nodes[index] = self.folded.graph.add(node);
            }
        }
        nodes
    }

    /// What a cell of a copy is in the folded chip.
    fn cell(&self, cell: Cell, copy: usize) -> Node {
        let below = usize::from(cell.next);
        let (copy, next) = ((copy + below) % self.copies, copy + below == self.copies);
        match self.places[copy][cell.column.index()] {
            Place::Column(column) => Node::Cell(Cell { column, next }),
            Place::Constant(value) => Node::Const(value),
        }
    }
}

/// A label within the scope of a copy.
fn scoped(label: &Label, copy: usize) -> Label {
    let scope = match label.scope.as_str() {
        "" => format!("copy{copy}"),
        scope => format!("copy{copy}/{scope}"),
    };
    Label { scope, ..label.clone() }
}
