//! What a layer costs: permutations by part of the verifier, and the tables that they are laid out in.
//!
//! All of it is fixed by the circuit, so the numbers are exact: they are counted, not measured.

use std::fmt;

use chipwright_backend_stark::circuit::cost_parameters;
use chipwright_chips::recursion::{Leaf, RowKind, RowSpec, Script};
use chipwright_ir::circuit::{Layout, LayoutCost};

use crate::batch::RecursiveField;
use crate::layer::{Layer, LayerError};

/// Permutations of the hash chip, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashCost {
    /// Of transcripts and of the digests of claims.
    pub transcript: usize,
    /// Of leaves whose elements are combined: the openings.
    pub opened_leaves: usize,
    /// Of the other leaves: keys, and matrices that are not combined.
    pub plain_leaves: usize,
    /// Of leaves of FRI.
    pub folded_leaves: usize,
    /// Of the paths above opened and plain leaves.
    pub paths: usize,
    /// Of the paths above leaves of FRI.
    pub folded_paths: usize,
}

/// What a layer costs.
#[derive(Clone, Debug)]
pub struct LayerCost {
    /// Its permutations.
    pub hashes: HashCost,
    /// Its tables, if they are laid out in one.
    pub layout: Option<LayoutCost>,
}

impl HashCost {
    /// All permutations.
    pub const fn total(&self) -> usize {
        let Self { transcript, opened_leaves, plain_leaves, folded_leaves, paths, folded_paths } =
            *self;
        transcript + opened_leaves + plain_leaves + folded_leaves + paths + folded_paths
    }

    fn add(&mut self, script: &Script) {
        let mut folded = false;
        for RowSpec { kind, leaf, .. } in &script.rows {
            let count = match kind {
                RowKind::Begin | RowKind::Absorb | RowKind::Resume | RowKind::Echo => {
                    &mut self.transcript
                }
                RowKind::Leaf | RowKind::LeafNext => match leaf {
                    Leaf::Plain => &mut self.plain_leaves,
                    Leaf::Combine => &mut self.opened_leaves,
                    Leaf::Fold { .. } => {
                        folded = true;
                        &mut self.folded_leaves
                    }
                },
                _ if folded => &mut self.folded_paths,
                _ => &mut self.paths,
            };
            *count += 1;
        }
    }
}

impl<P: RecursiveField> Layer<P> {
    /// What the layer costs.
    ///
    /// # Errors
    ///
    /// Fails if the layer's chips are not those of the library, which cannot happen for a compiled layer.
    pub fn cost(&self) -> Result<LayerCost, LayerError> {
        let mut hashes = HashCost::default();
        let tables = self.prover().tables();
        for call in &tables.program.calls {
            if let Some(script) = Script::of(&call.chip) {
                hashes.add(&script);
            }
        }
        let parameters = cost_parameters(self.key().config());
        let library = chipwright_chips::library(P::FIELD);
        let cost = |layout: &Layout| layout.cost(tables, &library, &parameters);
        let layout = self.prover().layout().map(cost).transpose();
        Ok(LayerCost {
            hashes,
            layout: layout.map_err(chipwright_backend_stark::circuit::CircuitError::from)?,
        })
    }
}

impl fmt::Display for HashCost {
    /// A Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| permutations of | |")?;
        writeln!(f, "|---|---|")?;
        for (what, count) in [
            ("leaves of openings, combined", self.opened_leaves),
            ("their paths, and those of keys", self.paths),
            ("leaves of folds", self.folded_leaves),
            ("their paths", self.folded_paths),
            ("other leaves", self.plain_leaves),
            ("the transcript and claims", self.transcript),
            ("all", self.total()),
        ] {
            writeln!(f, "| {what} | {count} |")?;
        }
        Ok(())
    }
}
