//! The order in which witness generation visits the rows of stage `slots`.
//!
//! Calls are what takes time, and most of them do not wait for each other: the paths of a Merkle tree, the queries of
//! a proof. So rows are put into stages, by the number of calls that come one after the other before them: calls of
//! one stage can be computed at the same time, and those that call the same chip with the same parameters, together.

use std::collections::HashMap;

use super::call::ChipCall;
use super::graph::CallId;
use super::rows::{Role, RowOp};
use super::slots::Slots;

/// The order in which the rows of one circuit are visited.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(super) stages: Vec<Stage>,
    /// The number of rows of the circuit.
    pub(super) rows: usize,
}

/// Rows that wait for the calls of the stages before, and for no others.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    /// The rows that are no calls, in the order of the circuit.
    pub(super) rows: Vec<u32>,
    /// The rows that are calls, after all others: those of the same chip and parameters together.
    pub(super) calls: Vec<Vec<(u32, CallId)>>,
}

impl Schedule {
    /// The schedule of a circuit.
    pub fn new(circuit: &Slots) -> Self {
        let mut stages: Vec<Stage> = Vec::new();
        let mut groups: HashMap<(u32, &ChipCall), usize> = HashMap::new();
        // The stage from which on each slot has its value.
        let mut known: Vec<Option<u32>> = vec![None; circuit.slots.len()];
        for (index, row) in circuit.rows.iter().enumerate() {
            let read = row.ports.iter().filter(|port| port.role != Role::Creates);
            let stages_read = read.map(|port| known.get(port.slot.index()).copied().flatten());
            // A slot that no row before creates is missed at once.
            let stage = stages_read.collect::<Option<Vec<_>>>().unwrap_or_default();
            let stage = stage.into_iter().max().unwrap_or(0);
            if stages.len() <= stage as usize {
                stages.resize_with(stage as usize + 1, Stage::default);
            }
            let Stage { rows, calls } = &mut stages[stage as usize];
            let mut created = stage;
            if let RowOp::Call { call, .. } = row.op {
                let chip = &circuit.calls[call.index()].chip;
                let group = *groups.entry((stage, chip)).or_insert(calls.len());
                calls.resize_with(calls.len().max(group + 1), Vec::new);
                calls[group].push((index as u32, *call));
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
        Self { stages, rows: circuit.rows.len() }
    }
}
