//! Small steps that passes share: new columns, and graphs without the nodes that nothing uses.

use crate::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, Graph, Group, Interaction, Node, NodeId,
    Rule,
};

/// A column name that the chip does not use: `name`, or `name` with a number.
pub(super) fn free_name(chip: &Chip, name: &str) -> String {
    let taken = |candidate: &str| {
        chip.columns.iter().any(|column| column.name == candidate)
            || chip.groups.iter().any(|group| group.name == candidate)
            || chip.publics.iter().any(|public| public.name == candidate)
    };
    if !taken(name) {
        return name.to_owned();
    }
    let mut number = 1_usize;
    while taken(&format!("{name}{number}")) {
        number += 1;
    }
    format!("{name}{number}")
}

/// Adds a column of one field element behind all others.
pub(super) fn add_column(chip: &mut Chip, name: &str, kind: ColumnKind, doc: &str) -> ColumnId {
    let start = ColumnId::new(chip.columns.len());
    chip.columns.push(Column { name: name.to_owned(), kind, ty: CellType::Felt });
    chip.groups.push(Group {
        name: name.to_owned(),
        kind,
        type_name: "felt".to_owned(),
        start,
        len: 1,
        doc: doc.to_owned(),
        free: None,
        location: None,
    });
    start
}

/// The node of a cell on this row.
pub(super) fn cell(chip: &mut Chip, column: ColumnId) -> NodeId {
    chip.graph.add(Node::Cell(Cell { column, next: false }))
}

/// Rebuilds the graph from the nodes that anything uses. `rewrite` adds a node whose operands have been
/// rewritten.
pub(super) fn rebuild(chip: &Chip, mut rewrite: impl FnMut(&mut Graph, Node) -> NodeId) -> Chip {
    let mut used = vec![false; chip.graph.len()];
    let mut pending: Vec<NodeId> = roots(chip).collect();
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut used[id.index()], true) {
            pending.extend(chip.graph.node(id).operands());
        }
    }
    let mut graph = Graph::new();
    let mut map: Vec<Option<NodeId>> = vec![None; chip.graph.len()];
    for (index, node) in chip.graph.nodes().iter().enumerate() {
        if used[index] {
            let node = node.map_operands(|id| map[id.index()].unwrap_or(id));
            map[index] = Some(rewrite(&mut graph, node));
        }
    }
    // Every root is used, so every root has been mapped.
    map_roots(&Chip { graph, ..chip.clone() }, |id| map[id.index()].unwrap_or(id))
}

/// The chip without the nodes that nothing uses.
pub(super) fn collect(chip: &Chip) -> Chip {
    rebuild(chip, Graph::add)
}

/// Every node that a rule, a fill or an interaction names.
pub(super) fn roots(chip: &Chip) -> impl Iterator<Item = NodeId> + '_ {
    let rules = chip.rules.iter().flat_map(Rule::nodes);
    let fills = chip.fills.iter().flat_map(crate::chip::Fill::nodes);
    let interactions = chip.interactions.iter().flat_map(Interaction::nodes);
    rules.chain(fills).chain(interactions)
}

/// Replaces the nodes that rules, fills and interactions name.
fn map_roots(chip: &Chip, map: impl Fn(NodeId) -> NodeId) -> Chip {
    let mut chip = chip.clone();
    for rule in &mut chip.rules {
        rule.left = map(rule.left);
        rule.right = map(rule.right);
        rule.guard = rule.guard.map(&map);
    }
    chip.fills = chip.fills.iter().map(|fill| fill.map_nodes(&map)).collect();
    for interaction in &mut chip.interactions {
        interaction.message.iter_mut().for_each(|node| *node = map(*node));
        interaction.count = map(interaction.count);
    }
    chip
}
