//! The passes as values, for pipelines, dumps and tests.

use super::{interface, lower_degree, pack_lookups, remove_unused, share_common};
use crate::chip::Chip;
use crate::chip::verify::verify_structure;
use crate::pass::{Ir, Pass, PassError, Pipeline};

impl Ir for Chip {
    /// That the structure is sound, names are unique and messages fit their ports.
    fn verify(&self) -> Result<(), PassError> {
        verify_structure(self).map_err(Into::into)
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("columns", self.columns.len()),
            ("nodes", self.graph.len()),
            ("rules", self.rules.len()),
            ("messages", self.interactions.len()),
            ("degree", self.degree()),
        ]
    }
}

/// [`share_common()`] as a value.
#[derive(Clone, Copy, Debug)]
pub struct ShareCommon;

impl Pass<Chip> for ShareCommon {
    fn name(&self) -> &'static str {
        "share-common"
    }

    fn run(&self, chip: &Chip) -> Result<Chip, PassError> {
        Ok(share_common(chip))
    }
}

/// [`remove_unused()`] as a value.
#[derive(Clone, Copy, Debug)]
pub struct RemoveUnused;

impl Pass<Chip> for RemoveUnused {
    fn name(&self) -> &'static str {
        "remove-unused"
    }

    fn run(&self, chip: &Chip) -> Result<Chip, PassError> {
        Ok(remove_unused(chip))
    }
}

/// [`interface()`] as a value.
#[derive(Clone, Copy, Debug)]
pub struct Interface;

impl Pass<Chip> for Interface {
    fn name(&self) -> &'static str {
        "interface"
    }

    fn run(&self, chip: &Chip) -> Result<Chip, PassError> {
        Ok(interface(chip))
    }
}

/// [`pack_lookups()`] as a value.
#[derive(Clone, Copy, Debug)]
pub struct PackLookups {
    /// The degree bound.
    pub max: usize,
}

impl Pass<Chip> for PackLookups {
    fn name(&self) -> &'static str {
        "pack-lookups"
    }

    fn run(&self, chip: &Chip) -> Result<Chip, PassError> {
        Ok(pack_lookups(chip, self.max))
    }
}

/// [`lower_degree()`] as a value.
#[derive(Clone, Copy, Debug)]
pub struct LowerDegree {
    /// The degree bound.
    pub max: usize,
}

impl Pass<Chip> for LowerDegree {
    fn name(&self) -> &'static str {
        "lower-degree"
    }

    fn run(&self, chip: &Chip) -> Result<Chip, PassError> {
        Ok(lower_degree(chip, self.max)?)
    }
}

/// What a chip goes through before it is proven with rules of degree at most `max`.
pub fn default_pipeline(max: usize) -> Pipeline<Chip> {
    Pipeline::new()
        .then(ShareCommon)
        .then(RemoveUnused)
        .then(PackLookups { max })
        .then(LowerDegree { max })
}
