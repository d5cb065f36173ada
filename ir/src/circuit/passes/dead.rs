//! `remove-dead`: drops what nothing depends on.

use super::rewrite::Rewrite;
use crate::circuit::graph::{Graph, Op};
use crate::circuit::lower::LowerError;

/// Drops the nodes that no rule, call or division depends on. Inputs and calls stay, and so do
/// divisions by values that may be 0: they demand that the divisor is not.
///
/// # Errors
///
/// The graph connects a value with one that is computed from it.
pub fn remove_dead(graph: &Graph) -> Result<Graph, LowerError> {
    let live = graph.live();
    let mut rewrite = Rewrite::of(graph)?;
    for id in graph.ids() {
        if live[id.index()] || matches!(graph.op(id), Op::Output(_)) {
            rewrite.copy(id);
        }
    }
    Ok(rewrite.finish(|_, rule| Some(rule)))
}
