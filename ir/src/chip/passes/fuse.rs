//! Puts chips side by side: one row of the fused chip is one row of each part.
//!
//! Every table that a proof speaks of has a height, commitments and quotient chunks of its own. Tables of
//! one height can share all of these: their columns become the columns of one chip, their rules and
//! messages its rules and messages. Nothing of a part changes but its names, so a trace of the fused chip
//! is right exactly if its columns, part by part, are traces of one height that are right.
//!
//! ```text
//!   chip a { x: felt, row { eq x, 1 } }        chip both { a.x: felt, b.y: felt
//!   chip b { y: felt, row { eq y, 2 } }   →      row { eq a.x, 1   eq b.y, 2 } }
//! ```
//!
//! # Soundness
//!
//! Every part keeps its own padding bit and its own contents of fixed columns. Shorter ones are continued as
//! [`Chip::contents`] says, and a part that could exchange messages there is refused. What
//! `first`, `step` and `last` say of a part holds of the rows of the common height, as it did of the rows
//! of its own. Ports of one bus and role become one port; groups of exclusive messages stay apart.

use std::collections::BTreeMap;

use super::FoldError;
use crate::Field;
use crate::chip::{
    Cell, Chip, Column, ColumnId, Fill, FillOp, FixedData, Graph, Group, Interaction, Label, Node,
    NodeId, OpenContents, Port, PortId, Public, PublicId, Rule,
};

/// Why chips cannot be put side by side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FuseError {
    /// There is nothing to fuse.
    #[error("there are no chips to fuse")]
    Empty,
    /// Two parts have one name, so that their columns would, too.
    #[error("two chips to fuse are named `{0}`")]
    Name(String),
    /// The parts are over different fields.
    #[error("chip `{chip}` is over {found}, the others are over {expected}")]
    Field {
        /// The part.
        chip: String,
        /// The field of the first part.
        expected: Field,
        /// The field of this part.
        found: Field,
    },
    /// The contents of some part's fixed columns are known, those of this one are not.
    #[error(
        "the contents of the fixed columns of chip `{0}` are unknown, those of others are known"
    )]
    Contents(String),
    /// A part has fewer rows of contents than the others, and could exchange messages in rows beyond them.
    #[error(transparent)]
    Short(#[from] OpenContents),
    /// A part cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

/// The parts side by side, as one chip.
///
/// Names of columns, public values and scopes get the name of their part in front. The fixed columns are
/// as long as the longest of the parts. The table of a memory is a part like any other: it is filled before it is
/// fused, and its rules say what its rows are.
///
/// # Errors
///
/// Fails if the parts do not agree on the field or share a name, if the contents of fixed columns are known for
/// some parts only, or if a part is open beyond its own.
pub fn fuse(parts: &[&Chip], name: &str) -> Result<Chip, FuseError> {
    let first = parts.first().ok_or(FuseError::Empty)?;
    let names: Vec<String> = parts.iter().map(|part| format!("`{}`", part.name)).collect();
    let mut fused = Chip {
        name: name.to_owned(),
        field: first.field,
        doc: format!("Side by side: {}.", names.join(", ")),
        dense: parts.iter().all(|part| part.dense),
        groups: Vec::new(),
        columns: Vec::new(),
        publics: Vec::new(),
        ports: Vec::new(),
        graph: Graph::new(),
        rules: Vec::new(),
        fills: Vec::new(),
        interactions: Vec::new(),
        fixed: contents(parts)?,
        periodic: Vec::new(),
        memory_of: None,
    };
    for (index, part) in parts.iter().enumerate() {
        if part.field != fused.field {
            let (expected, found) = (fused.field, part.field);
            return Err(FuseError::Field { chip: part.name.clone(), expected, found });
        }
        if parts[..index].iter().any(|other| other.name == part.name) {
            return Err(FuseError::Name(part.name.clone()));
        }
        Joiner::new(&mut fused, part).join(part);
    }
    Ok(fused)
}

/// The contents of all fixed columns, as long as the longest.
fn contents(parts: &[&Chip]) -> Result<Option<FixedData>, FuseError> {
    let with_fixed = || parts.iter().filter(|part| part.fixed_width() > 0);
    if with_fixed().all(|part| part.fixed.is_none()) {
        return Ok(None);
    }
    if let Some(unknown) = with_fixed().find(|part| part.fixed.is_none()) {
        return Err(FuseError::Contents(unknown.name.clone()));
    }
    let data = || with_fixed().filter_map(|part| part.fixed.as_ref());
    let rows = data().map(FixedData::rows).max().unwrap_or(0);
    let mut columns = Vec::new();
    for part in with_fixed() {
        columns.extend(part.closed_contents(rows)?);
    }
    Ok(Some(FixedData { columns }))
}

/// Where the things of a part are in the fused chip.
struct Joiner<'a> {
    fused: &'a mut Chip,
    first_column: usize,
    first_public: usize,
    /// By port of the part.
    ports: Vec<PortId>,
    /// By exclusive group of the part.
    groups: BTreeMap<u32, u32>,
}

impl<'a> Joiner<'a> {
    fn new(fused: &'a mut Chip, part: &Chip) -> Self {
        let ports = part.ports.iter().map(|port| joined_port(fused, part, port)).collect();
        let taken = fused.interactions.iter().filter_map(|other| other.exclusive).max();
        let mut next = taken.map_or(0, |last| last + 1);
        let mut groups = BTreeMap::new();
        for group in part.interactions.iter().filter_map(|interaction| interaction.exclusive) {
            groups.entry(group).or_insert_with(|| {
                next += 1;
                next - 1
            });
        }
        let (first_column, first_public) = (fused.columns.len(), fused.publics.len());
        Self { fused, first_column, first_public, ports, groups }
    }

    fn join(&mut self, part: &Chip) {
        let prefixed = |name: &str| format!("{}.{name}", part.name);
        let columns = part
            .columns
            .iter()
            .map(|column| Column { name: prefixed(&column.name), ..column.clone() });
        self.fused.columns.extend(columns);
        let groups = part.groups.iter().map(|group| Group {
            name: prefixed(&group.name),
            start: ColumnId::new(group.start.index() + self.first_column),
            ..group.clone()
        });
        self.fused.groups.extend(groups);
        let publics = part
            .publics
            .iter()
            .map(|public| Public { name: prefixed(&public.name), ..public.clone() });
        self.fused.publics.extend(publics);
        self.fused.periodic.extend(part.periodic.iter().cloned());
        let nodes = self.nodes(part);
        let node = |id: NodeId| nodes[id.index()];
        let label = |label: &Label| {
            let mut label = label.clone();
            label.scope = match label.scope.as_str() {
                "" => part.name.clone(),
                scope => format!("{}/{scope}", part.name),
            };
            label
        };
        let rules = part.rules.iter().map(|rule| Rule {
            guard: rule.guard.map(node),
            left: node(rule.left),
            right: node(rule.right),
            label: label(&rule.label),
            ..rule.clone()
        });
        self.fused.rules.extend(rules);
        for fill in &part.fills {
            let fill = self.fill(fill.map_nodes(node));
            self.fused.fills.push(Fill { label: label(&fill.label), ..fill });
        }
        let interactions = part.interactions.iter().map(|interaction| Interaction {
            port: self.ports[interaction.port.index()],
            message: interaction.message.iter().copied().map(node).collect(),
            count: node(interaction.count),
            exclusive: interaction.exclusive.map(|group| self.groups[&group]),
            label: label(&interaction.label),
            ..interaction.clone()
        });
        self.fused.interactions.extend(interactions);
    }

    /// Adds the nodes of a part: where each one is.
    fn nodes(&mut self, part: &Chip) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = Vec::with_capacity(part.graph.len());
        for &node in part.graph.nodes() {
            let node = match node {
                Node::Cell(cell) => Node::Cell(self.cell(cell)),
                Node::Public(public) => {
                    Node::Public(PublicId::new(public.index() + self.first_public))
                }
                node => node.map_operands(|operand| nodes[operand.index()]),
            };
            nodes.push(self.fused.graph.add(node));
        }
        nodes
    }

    fn cell(&self, cell: Cell) -> Cell {
        Cell { column: ColumnId::new(cell.column.index() + self.first_column), ..cell }
    }

    /// A fill, whose nodes are in place, with its cells and ports.
    fn fill(&self, mut fill: Fill) -> Fill {
        let moved = |cell: &mut Cell| *cell = self.cell(*cell);
        let joined = |port: &mut PortId| *port = self.ports[port.index()];
        match &mut fill.op {
            FillOp::Set { cell, .. } => moved(cell),
            FillOp::Split { parts, .. } => parts.iter_mut().for_each(|(cell, _)| moved(cell)),
            FillOp::Native { cells, .. } => cells.iter_mut().for_each(moved),
            FillOp::Call { port, outputs, .. } => {
                joined(port);
                outputs.iter_mut().for_each(moved);
            }
            FillOp::Access { port, previous_time, previous_value, .. } => {
                joined(port);
                moved(previous_time);
                previous_value.iter_mut().for_each(moved);
            }
        }
        fill
    }
}

/// The port of the fused chip that takes the place of a part's: one with the same bus, role and types, or
/// a new one.
fn joined_port(fused: &mut Chip, part: &Chip, port: &Port) -> PortId {
    let same = |other: &Port| {
        other.bus == port.bus
            && other.kind == port.kind
            && other.message.iter().map(|(_, ty)| ty).eq(port.message.iter().map(|(_, ty)| ty))
    };
    if let Some(known) = fused.ports.iter().position(same) {
        return PortId::new(known);
    }
    let free = |name: &str| fused.ports.iter().all(|other| other.name != name);
    let mut name = port.bus.clone();
    if !free(&name) {
        name = format!("{}.{}", part.name, port.name);
    }
    fused.ports.push(Port { name, ..port.clone() });
    PortId::new(fused.ports.len() - 1)
}
