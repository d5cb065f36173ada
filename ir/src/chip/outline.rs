//! The order in which a chip is written down, shared by the printer and by normalisation.
//!
//! Rules, fills and interactions live in separate lists. For reading they are interleaved: a rule stands
//! below the last fill of its section that sets one of its cells, messages stand below the rules. Only
//! the structure decides, so that a chip that is read back is written in the same order.

use super::{Chip, Node, NodeId, Section};

/// A line of a section's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A node that is used more than once.
    Node(NodeId),
    /// An entry of [`Chip::fills`].
    Fill(usize),
    /// An entry of [`Chip::rules`].
    Rule(usize),
    /// An entry of [`Chip::interactions`].
    Interaction(usize),
}

/// The lines of each section, in the order of [`Section::ALL`].
pub(crate) fn outline(chip: &Chip) -> [Vec<Line>; 4] {
    let mut lines = Section::ALL.map(|section| statements(chip, section));
    insert_shared(chip, &mut lines);
    lines
}

/// The roots of a line, in the order in which they are written.
pub(crate) fn roots(chip: &Chip, line: Line) -> Vec<NodeId> {
    match line {
        Line::Node(node) => vec![node],
        Line::Fill(index) => {
            let fill = &chip.fills[index];
            let mut nodes = fill.nodes();
            // Guards are written last.
            nodes.rotate_left(fill.guards.len());
            nodes
        }
        Line::Rule(index) => {
            let rule = &chip.rules[index];
            [rule.left, rule.right].into_iter().chain(rule.guard).collect()
        }
        Line::Interaction(index) => {
            let interaction = &chip.interactions[index];
            interaction.nodes().collect()
        }
    }
}

fn statements(chip: &Chip, section: Section) -> Vec<Line> {
    let fills: Vec<usize> =
        (0..chip.fills.len()).filter(|index| chip.fills[*index].section == section).collect();
    // For each cell, the number of the last fill that sets it, from 1.
    let mut set_by = vec![[0_usize; 2]; chip.columns.len()];
    for (number, index) in fills.iter().enumerate() {
        for cell in chip.fills[*index].cells() {
            set_by[cell.column.index()][usize::from(cell.next)] = number + 1;
        }
    }
    let mut ready = vec![0_usize; chip.graph.len()];
    for (index, node) in chip.graph.nodes().iter().enumerate() {
        ready[index] = match node {
            Node::Cell(cell) => set_by[cell.column.index()][usize::from(cell.next)],
            _ => node.operands().map(|operand| ready[operand.index()]).max().unwrap_or(0),
        };
    }
    let mut rules: Vec<Vec<Line>> = vec![Vec::new(); fills.len() + 1];
    for (index, rule) in chip.rules.iter().enumerate() {
        if rule.section == section {
            let line = Line::Rule(index);
            let time = roots(chip, line).iter().map(|node| ready[node.index()]).max();
            rules[time.unwrap_or(0)].push(line);
        }
    }
    let mut lines = std::mem::take(&mut rules[0]);
    for (number, index) in fills.into_iter().enumerate() {
        lines.push(Line::Fill(index));
        lines.append(&mut rules[number + 1]);
    }
    if section == Section::Row {
        lines.extend((0..chip.interactions.len()).map(Line::Interaction));
    }
    lines
}

/// Puts a line for every shared node above the first line that needs it.
fn insert_shared(chip: &Chip, sections: &mut [Vec<Line>; 4]) {
    let mut uses = vec![0_u8; chip.graph.len()];
    let mut count = |id: NodeId| {
        let first = uses[id.index()] == 0;
        uses[id.index()] = uses[id.index()].saturating_add(1);
        first
    };
    let mut pending: Vec<NodeId> =
        sections.iter().flatten().flat_map(|line| roots(chip, *line)).collect();
    while let Some(id) = pending.pop() {
        if count(id) {
            pending.extend(chip.graph.node(id).operands());
        }
    }
    let shared =
        |id: NodeId| uses[id.index()] > 1 && chip.graph.node(id).operands().next().is_some();
    let mut done = vec![false; chip.graph.len()];
    for lines in sections {
        let mut with_nodes = Vec::with_capacity(lines.len());
        for line in lines.drain(..) {
            for root in roots(chip, line) {
                post_order(chip, root, &mut done, |id| {
                    if shared(id) {
                        with_nodes.push(Line::Node(id));
                    }
                });
            }
            with_nodes.push(line);
        }
        *lines = with_nodes;
    }
}

/// Visits the nodes below and including `root` that are not `done`, operands first, left to right.
pub(crate) fn post_order(
    chip: &Chip,
    root: NodeId,
    done: &mut [bool],
    mut visit: impl FnMut(NodeId),
) {
    let mut stack = vec![(root, false)];
    while let Some((id, finished)) = stack.pop() {
        if finished {
            if !std::mem::replace(&mut done[id.index()], true) {
                visit(id);
            }
        } else if !done[id.index()] {
            stack.push((id, true));
            let operands: Vec<NodeId> = chip.graph.node(id).operands().collect();
            stack.extend(operands.into_iter().rev().map(|operand| (operand, false)));
        }
    }
}
