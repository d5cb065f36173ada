//! The lookups' challenges and terminals.
//!
//! A message `(m₀ … mₖ₋₁)` on bus `b` is the element `α + (b + 1)·β^W − Σ mᵢ·β^(k−1−i)`, where `W` is the
//! number of elements of the longest message of all buses: no two messages on any buses are the same
//! polynomial. Which bus a lookup is on is fixed by the order in which Plonky3 meets them.

use std::collections::BTreeMap;

use chipwright_dsl::circuit::{CircuitBuilder, ExtTarget};
use p3_field::Field;
use p3_lookup::{Kind, Lookup};

/// The buses of all lookups of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buses {
    /// For each table, the bus of each lookup.
    pub of_tables: Vec<Vec<usize>>,
    /// The number of elements of the longest message, at least one.
    pub message_width: usize,
}

impl Buses {
    /// The buses of the lookups of all tables, in order. Lookups of one name are on one bus; each that is
    /// local to its table is on one of its own.
    pub fn of<F: Field, T: AsRef<[Lookup<F>]>>(tables: &[T]) -> Self {
        let mut named = BTreeMap::new();
        let (mut count, mut message_width) = (0, 1);
        let mut fresh = || {
            count += 1;
            count - 1
        };
        let of_tables = tables
            .iter()
            .map(|lookups| {
                let bus = |lookup: &Lookup<F>| {
                    let widths = lookup.elements.iter().map(Vec::len);
                    message_width = widths.fold(message_width, usize::max);
                    match &lookup.kind {
                        Kind::Global(name) => *named.entry(name.clone()).or_insert_with(&mut fresh),
                        Kind::Local => fresh(),
                    }
                };
                lookups.as_ref().iter().map(bus).collect()
            })
            .collect();
        Self { of_tables, message_width }
    }
}

/// What messages on a bus are subtracted from: `α + (bus + 1)·β^W`.
pub(super) fn prefix(
    builder: &mut CircuitBuilder,
    alpha: ExtTarget,
    beta: ExtTarget,
    message_width: usize,
    bus: usize,
) -> ExtTarget {
    let offset = builder.exp(beta, message_width as u64);
    builder.mul_add(offset, i64::from(bus as u32) + 1, alpha)
}

/// Demands that the terminals of all tables add up to zero: every message sent is received.
pub fn assert_terminals(
    builder: &mut CircuitBuilder,
    terminals: impl IntoIterator<Item = ExtTarget>,
) {
    let sum = terminals.into_iter().reduce(|sum, terminal| builder.add(sum, terminal));
    if let Some(sum) = sum {
        builder.assert_zero(sum).named("terminals");
    }
}
