//! What a proof is worth with everything that it stands on.
//!
//! A layer's proof says that proofs below it are valid: whoever can forge one of those has a layer over it, too. So
//! the level of a proof is the least of its own and those of all proofs below, down to the leaves. It is computed
//! from keys and heights, by whoever builds the layers; nothing of it is read from a proof.
//!
//! ```text
//! leaf, by its key and its heights ─► layer: the least of both ─► … ─► set of keys: the least of its layers
//! ```

use std::fmt;

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::security::SecurityReport;
use serde::{Deserialize, Serialize};

/// The least level of a proof and of all that it stands on, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The proven level.
    pub proven: u32,
    /// The conjectured level.
    pub conjectured: u32,
}

/// A layer is to prove more bits than what it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the layer is to prove {target} bits, what it stands on proves {below}")]
pub struct InsufficientLevel {
    /// The bits that the layer's configuration targets.
    pub target: u32,
    /// The bits that all below it proves.
    pub below: u32,
}

impl Level {
    /// Nothing to stand on.
    pub(crate) const NOTHING: Self = Self { proven: u32::MAX, conjectured: u32::MAX };

    /// The level of a report.
    pub fn of(report: &SecurityReport) -> Self {
        Self { proven: report.proven_bits, conjectured: report.conjectured_bits }
    }

    /// The level of what stands on both.
    #[must_use]
    pub fn least(self, other: Self) -> Self {
        Self {
            proven: self.proven.min(other.proven),
            conjectured: self.conjectured.min(other.conjectured),
        }
    }

    /// Refuses a level below the target of a configuration, if it has one.
    ///
    /// # Errors
    ///
    /// Names both numbers.
    pub fn require(self, config: &Config) -> Result<(), InsufficientLevel> {
        match config.target {
            Some(target) if self.proven < target => {
                Err(InsufficientLevel { target, below: self.proven })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bits proven, {} conjectured", self.proven, self.conjectured)
    }
}
