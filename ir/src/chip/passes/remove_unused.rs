//! Removes what nobody can notice: private columns that no rule and no message reads, with their fills, and
//! ports without messages.
//!
//! Columns that the outside knows (inputs, outputs, records, fixed and multiplicity columns) stay, and so
//! does every rule.

use super::build;
use crate::chip::{
    Cell, Chip, Column, ColumnId, ColumnKind, Fill, FillOp, Group, Node, NodeId, PortId,
};

/// The chip without unused private and scratch columns, their fills, unused ports and unused nodes.
#[must_use]
pub fn remove_unused(chip: &Chip) -> Chip {
    let live = live_columns(chip);
    let mut chip = chip.clone();
    chip.fills.retain(|fill| is_live(fill, &live));
    let chip = build::collect(&chip);
    remove_ports(&remove_columns(&chip, &live))
}

fn is_live(fill: &Fill, live: &[bool]) -> bool {
    // An access changes the memory even if nobody reads what was there.
    matches!(fill.op, FillOp::Access { .. })
        || fill.cells().iter().any(|cell| live[cell.column.index()])
}

/// The columns that stay: a group is kept or dropped as a whole.
fn live_columns(chip: &Chip) -> Vec<bool> {
    let mut live: Vec<bool> = chip
        .columns
        .iter()
        .map(|column| !matches!(column.kind, ColumnKind::Private | ColumnKind::Scratch))
        .collect();
    let mut seen = vec![false; chip.graph.len()];
    let rules_only = Chip { fills: Vec::new(), ..chip.clone() };
    let roots: Vec<NodeId> = build::roots(&rules_only).collect();
    read(chip, roots, &mut seen, &mut live);
    loop {
        let before = live.clone();
        for group in &chip.groups {
            let cells = group.start.index()..group.start.index() + group.len as usize;
            if live[cells.clone()].contains(&true) {
                live[cells].fill(true);
            }
        }
        for fill in chip.fills.iter().filter(|fill| is_live(fill, &before)) {
            fill.cells().iter().for_each(|cell| live[cell.column.index()] = true);
            read(chip, fill.nodes(), &mut seen, &mut live);
        }
        if live == before {
            return live;
        }
    }
}

fn read(chip: &Chip, mut pending: Vec<NodeId>, seen: &mut [bool], live: &mut [bool]) {
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut seen[id.index()], true) {
            if let Node::Cell(cell) = chip.graph.node(id) {
                live[cell.column.index()] = true;
            }
            pending.extend(chip.graph.node(id).operands());
        }
    }
}

fn remove_columns(chip: &Chip, live: &[bool]) -> Chip {
    let mut map = Vec::with_capacity(chip.columns.len());
    let mut columns: Vec<Column> = Vec::new();
    for (column, live) in chip.columns.iter().zip(live) {
        map.push(ColumnId::new(columns.len()));
        if *live {
            columns.push(column.clone());
        }
    }
    let moved = |cell: Cell| Cell { column: map[cell.column.index()], ..cell };
    let groups: Vec<Group> = chip
        .groups
        .iter()
        .filter(|group| group.len == 0 || live[group.start.index()])
        .map(|group| {
            // An empty group at the very end starts behind the last column.
            let start = map.get(group.start.index()).copied();
            Group { start: start.unwrap_or(ColumnId::new(columns.len())), ..group.clone() }
        })
        .collect();
    let mut chip = build::rebuild(chip, |graph, node| {
        graph.add(match node {
            Node::Cell(cell) => Node::Cell(moved(cell)),
            node => node,
        })
    });
    for fill in &mut chip.fills {
        match &mut fill.op {
            FillOp::Set { cell, .. } => *cell = moved(*cell),
            FillOp::Split { parts, .. } => {
                parts.iter_mut().for_each(|(cell, _)| *cell = moved(*cell));
            }
            FillOp::Native { cells, .. } | FillOp::Call { outputs: cells, .. } => {
                cells.iter_mut().for_each(|cell| *cell = moved(*cell));
            }
            FillOp::Access { previous_time, previous_value, .. } => {
                *previous_time = moved(*previous_time);
                previous_value.iter_mut().for_each(|cell| *cell = moved(*cell));
            }
        }
    }
    Chip { columns, groups, ..chip }
}

fn remove_ports(chip: &Chip) -> Chip {
    let mut used = vec![false; chip.ports.len()];
    chip.interactions.iter().for_each(|interaction| used[interaction.port.index()] = true);
    for fill in &chip.fills {
        if let FillOp::Call { port, .. } | FillOp::Access { port, .. } = fill.op {
            used[port.index()] = true;
        }
    }
    let mut chip = chip.clone();
    let mut map = Vec::new();
    let mut ports = Vec::new();
    for (port, used) in std::mem::take(&mut chip.ports).into_iter().zip(&used) {
        map.push(PortId::new(ports.len()));
        if *used {
            ports.push(port);
        }
    }
    chip.ports = ports;
    for interaction in &mut chip.interactions {
        interaction.port = map[interaction.port.index()];
    }
    for fill in &mut chip.fills {
        if let FillOp::Call { port, .. } | FillOp::Access { port, .. } = &mut fill.op {
            *port = map[port.index()];
        }
    }
    chip
}
