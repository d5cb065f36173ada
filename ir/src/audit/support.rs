//! What polynomials depend on.

use crate::chip::{Cell, Chip, Node, NodeId, PublicId};

/// The cells and public values that a polynomial reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Support {
    pub(super) cells: Vec<Cell>,
    pub(super) publics: Vec<PublicId>,
}

/// The cells and public values that nodes depend on, in the order of the graph.
pub(super) fn support(chip: &Chip, roots: &[NodeId]) -> Support {
    let mut seen = vec![false; chip.graph.len()];
    let mut pending = roots.to_vec();
    let mut found = Vec::new();
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut seen[id.index()], true) {
            let node = chip.graph.node(id);
            if node.operands().next().is_none() {
                found.push(id);
            }
            pending.extend(node.operands());
        }
    }
    found.sort_unstable();
    let mut support = Support::default();
    for id in found {
        match chip.graph.node(id) {
            Node::Cell(cell) => support.cells.push(cell),
            Node::Public(public) => support.publics.push(public),
            _ => {}
        }
    }
    support
}
