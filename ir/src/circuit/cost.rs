//! What each scope of a circuit costs.

use std::collections::BTreeMap;
use std::fmt;

use super::tables::{TableKind, Tables};

/// The rows that one scope, without the scopes inside it, adds to each table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeCost {
    /// The path of the scope, `fri/fold`; empty for what was made outside of any.
    pub scope: String,
    /// Rows by table.
    pub rows: BTreeMap<TableKind, usize>,
}

impl fmt::Display for ScopeCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", if self.scope.is_empty() { "(top)" } else { &self.scope })?;
        for (i, (table, rows)) in self.rows.iter().enumerate() {
            write!(f, "{} {rows} {table}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl Tables {
    /// The rows of each scope, sorted by path. Rows of the witness table belong to no scope and are
    /// left out.
    pub fn costs(&self) -> Vec<ScopeCost> {
        let mut costs = BTreeMap::<&str, BTreeMap<TableKind, usize>>::new();
        for (kind, row) in self.rows().filter(|(kind, _)| **kind != TableKind::Witness) {
            let scope = self.program.names.text(row.origin.scope);
            *costs.entry(scope).or_default().entry(kind.clone()).or_default() += 1;
        }
        let cost = |(scope, rows): (&str, _)| ScopeCost { scope: scope.to_owned(), rows };
        costs.into_iter().map(cost).collect()
    }
}
