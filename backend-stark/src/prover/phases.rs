//! Where the time of a proof goes.

use std::fmt;
use std::time::{Duration, Instant};

/// A part of the prover's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Phase {
    /// Extending columns to the committed domain.
    Extension,
    /// Hashing rows and nodes of the trees.
    Hashing,
    /// Filling the lookup columns.
    Lookups,
    /// Evaluating the constraints.
    Quotient,
    /// Values at the opening points, and their combination.
    Openings,
    /// The commitments and folds of the low-degree test.
    LowDegreeTest,
    /// Proof of work.
    Grinding,
    /// Answering queries, and assembling the proof.
    Queries,
}

impl Phase {
    /// All phases, in the order of their first time.
    pub const ALL: [Self; 8] = [
        Self::Extension,
        Self::Hashing,
        Self::Lookups,
        Self::Quotient,
        Self::Openings,
        Self::LowDegreeTest,
        Self::Grinding,
        Self::Queries,
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Extension => "extension",
            Self::Hashing => "hashing",
            Self::Lookups => "lookups",
            Self::Quotient => "quotient",
            Self::Openings => "openings",
            Self::LowDegreeTest => "low-degree test",
            Self::Grinding => "grinding",
            Self::Queries => "queries",
        })
    }
}

/// The wall-clock time of each phase of a proof.
#[derive(Clone, Debug)]
pub struct Phases {
    last: Instant,
    spent: [Duration; Phase::ALL.len()],
}

impl Phases {
    pub(crate) fn start() -> Self {
        Self { last: Instant::now(), spent: Default::default() }
    }

    /// Books the time since the last call on a phase.
    pub(crate) fn end(&mut self, phase: Phase) {
        let now = Instant::now();
        self.spent[phase as usize] += now - self.last;
        self.last = now;
    }

    /// The time spent in a phase.
    pub fn spent(&self, phase: Phase) -> Duration {
        self.spent[phase as usize]
    }

    /// The time spent in all phases.
    pub fn total(&self) -> Duration {
        self.spent.iter().sum()
    }
}
