//! The end of a recording: padding and range checks are spelled out, columns get their final order, and
//! nodes that nothing uses are dropped.

use std::collections::BTreeMap;

use chipwright_ir::chip::{
    Cell, Chip, ColumnId, ColumnKind, FillOp, FixedData, Graph, Interaction, Label, Node, NodeId,
    Origin, Rule, Section, Sign,
};

use super::State;
use super::error::{ErrorKind, RecordingErrors};
use super::padding::padding_errors;
use crate::expr::Binary;

/// Turns a recording into IR.
pub(super) fn finish(
    name: String,
    doc: &str,
    mut state: State,
    fixed: Option<FixedData>,
    periodic: Vec<Vec<u64>>,
) -> Result<Chip, RecordingErrors> {
    padding_rules(&mut state);
    type_lookups(&mut state);
    lone_exclusives(&mut state.interactions);
    if state.rules.is_empty() && state.interactions.is_empty() && state.type_rules.is_empty() {
        state.error(None, ErrorKind::Empty);
    }
    let rows = periodic.first().map_or(1, Vec::len);
    if !rows.is_power_of_two() {
        state.error(None, ErrorKind::Period { what: "the periodic columns", rows });
    }

    let mut rules = state.rules;
    rules.append(&mut state.type_rules);
    let mut chip = Chip {
        name,
        field: state.field,
        doc: doc.trim().to_owned(),
        dense: state.dense,
        groups: state.groups,
        columns: state.columns,
        publics: state.publics,
        ports: state.ports,
        graph: state.graph,
        rules,
        fills: state.fills,
        interactions: state.interactions,
        fixed,
        periodic,
        memory_of: None,
    };
    order_columns(&mut chip);
    rebuild_graph(&mut chip);
    if state.errors.is_empty() {
        state.errors = padding_errors(&chip);
    }
    if !state.errors.is_empty() {
        return Err(RecordingErrors { chip: chip.name, errors: state.errors });
    }
    Ok(chip)
}

fn padding_rules(state: &mut State) {
    let Some(real) = state.real else { return };
    let label = |name: &str| Label { name: name.to_owned(), ..Label::default() };
    let mut rule = |section, guard, left, right, name| {
        let origin = Origin::Padding;
        state.type_rules.push(Rule { section, guard, left, right, origin, label: label(name) });
    };
    let graph = &mut state.graph;
    let this = graph.add(Node::Cell(Cell { column: real, next: false }));
    let next = graph.add(Node::Cell(Cell { column: real, next: true }));
    let square = graph.add(Node::Mul(this, this));
    let both = graph.add(Node::Mul(this, next));
    rule(Section::Row, None, square, this, "real is a bit");
    rule(Section::Step, None, next, both, "padding comes last");

    // Without this, a trace of padding alone would prove any public values.
    let boundary = |rule: &Rule| matches!(rule.section, Section::First | Section::Last);
    let reads_public = state.rules.iter().any(|rule| {
        boundary(rule) && (state.reads_public(rule.left) || state.reads_public(rule.right))
    });
    if reads_public {
        let one = state.constant(1);
        let this = state.this(real);
        state.type_rules.push(Rule {
            section: Section::First,
            guard: None,
            left: this,
            right: one,
            origin: Origin::Padding,
            label: label("the first row is real"),
        });
    }
}

/// Range checks of types, and entries that only some rows provide.
fn type_lookups(state: &mut State) {
    for (column, bits, location) in std::mem::take(&mut state.type_lookups) {
        let port = state.range_port(bits);
        let value = state.this(column);
        let count = match state.real {
            Some(real) => state.this(real),
            None => state.constant(1),
        };
        let name = format!("{} is below 2^{bits}", state.columns[column.index()].name);
        state.interactions.push(Interaction {
            port,
            sign: Sign::Plus,
            message: vec![value],
            count,
            weight: 1,
            exclusive: None,
            origin: Origin::Type,
            label: Label { name, location: Some(location), ..Label::default() },
        });
    }
    // A padding row proves nothing that depends on its neighbours, so it must not provide; the count of
    // the entry itself stays linear.
    for (column, guard, label) in std::mem::take(&mut state.multiplicities) {
        let mut conditions = Vec::new();
        if let Some(real) = state.real {
            conditions.push(state.this(real));
        }
        conditions.extend(guard);
        let Some(condition) = state.product(&conditions) else { continue };
        let count = state.this(column);
        let gated = state.binary(Binary::Mul, condition, count);
        let name = format!("{} only where the entry holds", state.columns[column.index()].name);
        state.type_rules.push(Rule {
            section: Section::Row,
            guard: None,
            left: count,
            right: gated,
            origin: Origin::Padding,
            label: Label { name, ..label },
        });
    }
}

/// Groups of one message exclude nothing; the others are numbered in order.
fn lone_exclusives(interactions: &mut [Interaction]) {
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for interaction in &*interactions {
        if let Some(group) = interaction.exclusive {
            *sizes.entry(group).or_default() += 1;
        }
    }
    let mut numbers: BTreeMap<u32, u32> = BTreeMap::new();
    for interaction in interactions {
        interaction.exclusive =
            interaction.exclusive.filter(|group| sizes[group] > 1).map(|group| {
                let fresh = numbers.len() as u32;
                *numbers.entry(group).or_insert(fresh)
            });
    }
}

/// Declared columns first, then the padding bit, scratch columns, and multiplicities.
fn order_columns(chip: &mut Chip) {
    let rank = |kind: ColumnKind| match kind {
        ColumnKind::Real => 1,
        ColumnKind::Scratch => 2,
        ColumnKind::Multiplicity => 3,
        _ => 0,
    };
    chip.groups.sort_by_key(|group| rank(group.kind));
    let mut new_ids = vec![ColumnId(0); chip.columns.len()];
    let mut columns = Vec::with_capacity(chip.columns.len());
    for group in &mut chip.groups {
        let start = columns.len();
        for offset in 0..group.len as usize {
            let old = group.start.index() + offset;
            new_ids[old] = ColumnId::new(columns.len());
            columns.push(chip.columns[old].clone());
        }
        group.start = ColumnId::new(start);
    }
    chip.columns = columns;

    let moved = |cell: Cell| Cell { column: new_ids[cell.column.index()], ..cell };
    let mut graph = Graph::new();
    let mut ids: Vec<NodeId> = Vec::with_capacity(chip.graph.len());
    for node in chip.graph.nodes() {
        let node = match node.map_operands(|operand| ids[operand.index()]) {
            Node::Cell(cell) => Node::Cell(moved(cell)),
            node => node,
        };
        ids.push(graph.add(node));
    }
    chip.graph = graph;
    map_nodes(chip, |id| ids[id.index()]);
    for fill in &mut chip.fills {
        match &mut fill.op {
            FillOp::Set { cell, .. } => *cell = moved(*cell),
            FillOp::Split { parts, .. } => {
                for part in parts {
                    part.0 = moved(part.0);
                }
            }
            FillOp::Native { cells, .. } | FillOp::Call { outputs: cells, .. } => {
                for cell in cells {
                    *cell = moved(*cell);
                }
            }
            FillOp::Access { previous_time, previous_value, .. } => {
                *previous_time = moved(*previous_time);
                for cell in previous_value {
                    *cell = moved(*cell);
                }
            }
            op => unreachable!("the recorder makes no {op:?}"),
        }
    }
}

/// Drops the nodes that no rule, fill or message uses.
fn rebuild_graph(chip: &mut Chip) {
    let mut used = vec![false; chip.graph.len()];
    map_nodes(chip, |id| {
        used[id.index()] = true;
        id
    });
    for index in (0..used.len()).rev() {
        if used[index] {
            for operand in chip.graph.nodes()[index].operands() {
                used[operand.index()] = true;
            }
        }
    }
    let mut graph = Graph::new();
    let mut ids = vec![NodeId(0); used.len()];
    for (index, node) in chip.graph.nodes().iter().enumerate() {
        if used[index] {
            ids[index] = graph.add(node.map_operands(|operand| ids[operand.index()]));
        }
    }
    chip.graph = graph;
    map_nodes(chip, |id| ids[id.index()]);
}

/// Replaces every reference to a node.
fn map_nodes(chip: &mut Chip, mut f: impl FnMut(NodeId) -> NodeId) {
    for rule in &mut chip.rules {
        rule.guard = rule.guard.map(&mut f);
        rule.left = f(rule.left);
        rule.right = f(rule.right);
    }
    for fill in &mut chip.fills {
        fill.guards.iter_mut().for_each(|id| *id = f(*id));
        let mut all = |ids: &mut Vec<NodeId>| ids.iter_mut().for_each(|id| *id = f(*id));
        match &mut fill.op {
            FillOp::Set { value, .. } | FillOp::Split { value, .. } => *value = f(*value),
            FillOp::Native { inputs, .. } | FillOp::Call { inputs, .. } => all(inputs),
            FillOp::Access { address, time, write, .. } => {
                all(address);
                write.iter_mut().for_each(&mut all);
                *time = f(*time);
            }
            op => unreachable!("the recorder makes no {op:?}"),
        }
    }
    for interaction in &mut chip.interactions {
        interaction.message.iter_mut().for_each(|id| *id = f(*id));
        interaction.count = f(interaction.count);
    }
}
