//! The order in which witness generation visits the rows of stage `slots`.
//!
//! Calls are what takes time, and most of them do not wait for each other: the paths of a Merkle tree, the queries of
//! a proof. So rows are put into stages, by the number of calls that come one after the other before them: calls of
//! one stage can be computed at the same time, and those that call the same chip with the same parameters, together.

use std::collections::HashMap;

use super::call::ChipCall;
use super::rows::{Port, Role, RowOp, SlotId};
use super::slots::Slots;

/// The order in which the rows of one circuit are visited.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(super) stages: Vec<Stage>,
    /// The number of rows of the circuit.
    pub(super) rows: usize,
    /// A slot that is used before a row creates it: there is none in circuits that pass the verifier.
    pub(super) missing: Option<SlotId>,
}

/// Rows that wait for the calls of the stages before, and for no others.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    /// The rows that are no calls, in the order of the circuit.
    pub(super) rows: Vec<u32>,
    /// The rows that are calls, after all others: those of the same chip and parameters together.
    pub(super) calls: Vec<Vec<u32>>,
}

impl Schedule {
    /// The schedule of a circuit.
    pub fn new(circuit: &Slots) -> Self {
        let mut stages: Vec<Stage> = Vec::new();
        let mut groups: HashMap<(usize, &ChipCall), usize> = HashMap::new();
        let mut missing = None;
        // The stage from which on each slot has its value.
        let mut known: Vec<Option<usize>> = vec![None; circuit.slots.len()];
        for (index, row) in circuit.rows.iter().enumerate() {
            let mut at = 0;
            for (place, Port { slot, role, .. }) in row.ports.iter().enumerate() {
                // A later output of a hint or call may meet an earlier one's slot.
                let own = |port: &Port| port.role == Role::Creates && port.slot == *slot;
                match known.get(slot.index()).copied().flatten() {
                    _ if *role == Role::Creates || row.ports[..place].iter().any(own) => {}
                    Some(stage) => at = at.max(stage),
                    None => missing = missing.or(Some(*slot)),
                }
            }
            stages.resize_with(stages.len().max(at + 1), Stage::default);
            let Stage { rows, calls } = &mut stages[at];
            let mut created = at;
            if let RowOp::Call { call, .. } = row.op {
                let group = groups.entry((at, &circuit.calls[call.index()].chip));
                let group = *group.or_insert_with(|| {
                    calls.push(Vec::new());
                    calls.len() - 1
                });
                calls[group].push(index as u32);
                created += 1;
            } else {
                rows.push(index as u32);
            }
            for slot in row.creates() {
                if let Some(known) = known.get_mut(slot.index()) {
                    *known = Some(created);
                }
            }
        }
        Self { stages, rows: circuit.rows.len(), missing }
    }
}
