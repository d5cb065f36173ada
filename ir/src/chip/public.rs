//! Public values, and what they are of a step.
//!
//! A machine that goes from one state to another has public values of three kinds: some are the same for all steps of a
//! run, some are of the state before, some of the state after. A public value says which, and names the part of the state
//! that it belongs to, so that steps can be linked by names and nobody counts positions.

use std::fmt;

/// One public value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    /// The name, with an index where one declaration makes several (`start[0]`).
    pub name: String,
    /// What it is of a step, if the author says so.
    pub part: Option<StepPart>,
}

/// What a public value is of a step. The values that a chip has of one part are its elements, in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepPart {
    /// Where in the step.
    pub role: StepRole,
    /// The name of the part: that of the state before is that of the state after.
    pub name: String,
}

/// Where in a step a public value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepRole {
    /// The same in all steps.
    Common,
    /// To the state before.
    Before,
    /// To the state after.
    After,
}

impl Public {
    /// A public value that belongs to no step.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), part: None }
    }
}

impl StepRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Common, Self::Before, Self::After];

    /// The role that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl fmt::Display for StepRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
