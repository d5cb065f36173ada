//! What chips cost, as far as layouts are concerned.
//!
//! A layout brings tables to one height, so that they share a quotient and lookup columns. How many columns that
//! takes depends on nothing but degrees: those of the rules, and those of the messages of each bus.

use std::collections::BTreeMap;

use super::{Chip, NodeId};

/// The largest base-2 logarithm of a height.
pub const MAX_LOG_HEIGHT: usize = 30;

/// What a layout is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostParameters {
    /// The largest degree of a constraint, one more than a power of two: messages are packed and the
    /// quotient is cut up to it.
    pub max_degree: usize,
    /// The base-2 logarithm of the lowest height.
    pub min_log_height: usize,
    /// The base-2 logarithm of the largest height.
    pub max_log_height: usize,
    /// The cells that an opened element of a query costs in the next layer, for all queries.
    pub opened: usize,
    /// The cells that a level of the tallest table, or a further height, costs in the next layer, for all queries: nodes
    /// of the paths, and its part of the low-degree test.
    pub level: usize,
}

impl Default for CostParameters {
    /// Blowup 8, any height, 64 queries whose elements are absorbed twelve a row of some 200 cells; five such rows a
    /// level.
    fn default() -> Self {
        let (max_degree, min_log_height, max_log_height) = (9, 0, MAX_LOG_HEIGHT);
        Self { max_degree, min_log_height, max_log_height, opened: 1067, level: 64_000 }
    }
}

/// What counts of a chip.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChipSize {
    pub(crate) main: usize,
    pub(crate) fixed: usize,
    degree: usize,
    /// By bus: for each message, the degrees of its elements and of its count. Exclusive groups, which
    /// are not packed, by the degree of their constraint.
    messages: BTreeMap<String, Vec<(usize, usize)>>,
    groups: Vec<usize>,
    pub(crate) count: usize,
}

impl ChipSize {
    pub(crate) fn new(chip: &Chip) -> Self {
        let degrees = chip.graph.degrees(&chip.columns);
        let of = |node: NodeId| degrees[node.index()];
        let mut messages: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        let mut groups: BTreeMap<(u32, &str), usize> = BTreeMap::new();
        for message in &chip.interactions {
            let bus = chip.ports[message.port.index()].bus.as_str();
            let elements = message.message.iter().copied().map(of).max().unwrap_or(0);
            match message.exclusive {
                Some(group) => {
                    let degree = groups.entry((group, bus)).or_default();
                    *degree = (*degree).max(1 + elements + of(message.count));
                }
                None => {
                    messages.entry(bus.to_owned()).or_default().push((elements, of(message.count)));
                }
            }
        }
        Self {
            main: chip.width(),
            fixed: chip.fixed_width(),
            degree: chip.degree(),
            groups: groups.into_values().collect(),
            messages,
            count: chip.interactions.len(),
        }
    }

    pub(crate) fn add(&mut self, other: &Self, lanes: usize) {
        self.main += lanes * other.main;
        self.fixed += lanes * other.fixed;
        self.count += lanes * other.count;
        if lanes > 0 {
            self.degree = self.degree.max(other.degree);
        }
        for _ in 0..lanes {
            self.groups.extend(&other.groups);
            for (bus, messages) in &other.messages {
                self.messages.entry(bus.clone()).or_default().extend(messages);
            }
        }
    }

    /// Lookup columns and quotient chunks: of the degrees up to the largest, the one that needs the
    /// fewest columns in all.
    pub(crate) fn columns(&self, max_degree: usize) -> (usize, usize) {
        let group = self.groups.iter().copied().max().unwrap_or(0);
        let least = self.degree.max(group).max(2) - 1;
        let largest = max_degree.max(2) - 1;
        let mut best = (usize::MAX, 0);
        let mut chunks = least.next_power_of_two();
        while chunks <= largest.max(least.next_power_of_two()) {
            let packed: usize =
                self.messages.values().map(|messages| packed(messages, chunks + 1)).sum();
            let lookup = if self.count == 0 { 0 } else { packed + self.groups.len() + 1 };
            if best.0 == usize::MAX || lookup + chunks < best.0 + best.1 {
                best = (lookup, chunks);
            }
            chunks *= 2;
        }
        best
    }
}

/// The columns that messages of one bus are packed into, one after the other, as the backend does.
fn packed(messages: &[(usize, usize)], max_degree: usize) -> usize {
    let mut columns = 0;
    let (mut sum, mut excess) = (0, 0);
    for &(elements, count) in messages {
        // The degree of `fraction · Π denominators`, and of `Σ count · Π other denominators`.
        let (with, most) = (sum + elements, excess.max(count.saturating_sub(elements)));
        if columns > 0 && with + most.max(1) <= max_degree {
            (sum, excess) = (with, most);
        } else {
            columns += 1;
            (sum, excess) = (elements, count.saturating_sub(elements));
        }
    }
    columns
}
