//! Makes fewer messages out of many.
//!
//! Two messages that say the same on the same port are one message with the sum of their counts. Messages of
//! one exclusive group on one port, of which at most one is sent on a row, are one message whose elements
//! are selected by the flags, as long as its degree stays within the bound:
//!
//! ```text
//!   lookup bus(a) times f exclusive 0        lookup bus(a * f + b * g) times f + g
//!   lookup bus(b) times g exclusive 0   →
//! ```
//!
//! What is left exclusive is for the backend, which puts a group in one column of the bus's sum. A table of many
//! messages shares its columns among as many of them as degrees allow, and a column for one group alone is dear:
//! [`open_exclusive`] takes groups apart where that costs less.

use super::build;
use crate::chip::{Chip, Interaction, Node, NodeId};

/// The chip with fewer messages; the degree of a merged message's share of the bus's sum (one more than
/// its elements' degree) is at most `max`.
#[must_use]
pub fn pack_lookups(chip: &Chip, max: usize) -> Chip {
    let mut packer = Packer { chip: chip.clone(), max };
    let merged = packer.merge_equal();
    let packed = packer.merge_exclusive(&merged);
    packer.chip.interactions = packed;
    build::collect(&packer.chip)
}

/// The chip whose exclusive messages share columns with other messages of their bus, where that costs less than a column
/// of their own. `max` is the largest degree of a column's constraint.
///
/// A column has room for messages whose degrees add up to `max - 1`. Messages of a group on one bus stay messages,
/// counted by their flags; or they become one message, selected by the flags; or, if neither is less than a column,
/// they stay exclusive. Sums of a bus are the same in all three cases.
#[must_use]
pub fn open_exclusive(chip: &Chip, max: usize) -> Chip {
    let interactions = chip.interactions.clone();
    let mut packer = Packer { chip: chip.clone(), max };
    let mut kept: Vec<Interaction> = Vec::new();
    let bus = |interaction: &Interaction| &chip.ports[interaction.port.index()].bus;
    for (index, interaction) in interactions.iter().enumerate() {
        let alike = |other: &&Interaction| {
            other.exclusive == interaction.exclusive && bus(other) == bus(interaction)
        };
        if interaction.exclusive.is_none() {
            kept.push(interaction.clone());
        } else if !interactions[..index].iter().any(|other| alike(&other)) {
            let group: Vec<&Interaction> = interactions.iter().filter(alike).collect();
            kept.extend(packer.open(&group));
        }
    }
    packer.chip.interactions = kept;
    build::collect(&packer.chip)
}

struct Packer {
    chip: Chip,
    max: usize,
}

impl Packer {
    /// Adds the counts of messages that are the same.
    fn merge_equal(&mut self) -> Vec<Interaction> {
        let mut kept: Vec<Interaction> = Vec::new();
        for interaction in std::mem::take(&mut self.chip.interactions) {
            let same = |other: &&mut Interaction| {
                other.port == interaction.port
                    && other.message == interaction.message
                    && other.exclusive == interaction.exclusive
            };
            // Tables count readers, one column each.
            let is_table = interaction.weight == 0;
            match kept.iter_mut().find(same) {
                Some(other) if !is_table && other.weight != 0 => {
                    let count = if other.sign == interaction.sign {
                        Node::Add(other.count, interaction.count)
                    } else {
                        Node::Sub(other.count, interaction.count)
                    };
                    other.count = self.chip.graph.add(count);
                    // Exclusive counts are never added up on one row.
                    other.weight = match other.exclusive {
                        Some(_) => other.weight.max(interaction.weight),
                        None => other.weight.saturating_add(interaction.weight),
                    };
                    join(other, &interaction);
                }
                _ => kept.push(interaction),
            }
        }
        kept
    }

    /// Selects the elements of exclusive messages by their flags, where degrees allow.
    fn merge_exclusive(&mut self, interactions: &[Interaction]) -> Vec<Interaction> {
        let mut kept: Vec<Interaction> = Vec::new();
        let mut taken = vec![false; interactions.len()];
        for (index, interaction) in interactions.iter().enumerate() {
            if taken[index] {
                continue;
            }
            let partners: Vec<usize> = (index..interactions.len())
                .filter(|other| {
                    let other = &interactions[*other];
                    interaction.exclusive.is_some()
                        && other.exclusive == interaction.exclusive
                        && other.port == interaction.port
                        && other.sign == interaction.sign
                        && other.weight == 1
                })
                .collect();
            let group: Vec<&Interaction> = partners.iter().map(|i| &interactions[*i]).collect();
            let whole =
                interactions.iter().filter(|i| i.exclusive == interaction.exclusive).count();
            // A group with messages for other ports too stays as it is: its flags are shared.
            match self.select(&group).filter(|_| partners.len() > 1 && whole == partners.len()) {
                Some(selected) => {
                    partners.iter().for_each(|partner| taken[*partner] = true);
                    kept.push(selected);
                }
                None => kept.push(interaction.clone()),
            }
        }
        kept
    }

    /// The messages of a group on one bus, as they cost least.
    fn open(&mut self, group: &[&Interaction]) -> Vec<Interaction> {
        let room = self.max.saturating_sub(1);
        let plain = |other: &&Interaction| Interaction { exclusive: None, ..(*other).clone() };
        let apart: usize = group.iter().map(|other| self.room_of(other)).sum();
        // Flags select if each is a bit.
        let first = group[0];
        let selects = group.iter().all(|other| other.sign == first.sign && other.weight == 1);
        let selected = (group.len() > 1 && selects).then(|| self.select(group)).flatten();
        match selected {
            Some(selected) if self.room_of(&selected) < apart.min(room) => vec![selected],
            _ if apart < room => group.iter().map(plain).collect(),
            _ => group.iter().copied().cloned().collect(),
        }
    }

    /// What a message takes of the degree of its column.
    fn room_of(&self, message: &Interaction) -> usize {
        let degree = |node: &NodeId| self.chip.graph.degree(*node, &self.chip.columns);
        let elements = message.message.iter().map(degree).max().unwrap_or(0);
        elements.max(1)
    }

    fn select(&mut self, group: &[&Interaction]) -> Option<Interaction> {
        let mut merged = (*group.first()?).clone();
        for position in 0..merged.message.len() {
            let elements: Vec<NodeId> = group.iter().map(|other| other.message[position]).collect();
            if elements.iter().any(|element| *element != elements[0]) {
                let terms: Vec<NodeId> = group
                    .iter()
                    .zip(elements)
                    .map(|(other, element)| self.chip.graph.add(Node::Mul(other.count, element)))
                    .collect();
                merged.message[position] = self.sum(&terms)?;
            }
        }
        let counts: Vec<NodeId> = group.iter().map(|other| other.count).collect();
        merged.count = self.sum(&counts)?;
        merged.exclusive = None;
        for other in &group[1..] {
            join(&mut merged, other);
        }
        let degree = |node: &NodeId| self.chip.graph.degree(*node, &self.chip.columns);
        let elements = merged.message.iter().map(degree).max().unwrap_or(0);
        let fits = elements < self.max && degree(&merged.count) <= self.max;
        fits.then_some(merged)
    }

    fn sum(&mut self, terms: &[NodeId]) -> Option<NodeId> {
        let (first, rest) = terms.split_first()?;
        let mut sum = *first;
        for term in rest {
            sum = self.chip.graph.add(Node::Add(sum, *term));
        }
        Some(sum)
    }
}

fn join(into: &mut Interaction, other: &Interaction) {
    let label = &mut into.label;
    label.name = match (label.name.is_empty(), other.label.name.is_empty()) {
        (_, true) => std::mem::take(&mut label.name),
        (true, false) => other.label.name.clone(),
        (false, false) => format!("{} / {}", label.name, other.label.name),
    };
    label.location = label.location.or(other.label.location);
}
