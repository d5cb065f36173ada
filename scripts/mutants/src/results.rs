//! The results of all runs, as a committed file.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::Outcome;
use crate::rewrite::Key;

const HEADER: &str = "module\tfunction\tmutation\tverdict\ttest\treason";

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A test failed, or did not end.
    Killed,
    /// All tests that reach it pass.
    Survived,
    /// It is not Rust.
    Unbuildable,
}

/// A line of the file.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The test that failed.
    pub test: String,
    /// Why a survivor is no mistake, by hand.
    pub reason: String,
}

/// The file.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    /// The judgements.
    pub judged: BTreeMap<Key, Judgement>,
}

impl Results {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if it was not written by [`Self::write`].
    pub fn read(path: &Path) -> Outcome<Self> {
        let text = if path.exists() { fs::read_to_string(path)? } else { String::new() };
        let mut judged = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<_> = line.split('\t').map(str::to_owned).collect();
            let cells: Result<[String; 6], _> = cells.try_into();
            let [module, function, mutation, verdict, test, reason] =
                cells.map_err(|cells| format!("{} cells instead of 6: {line}", cells.len()))?;
            let judgement = Judgement { verdict: verdict.parse()?, test, reason };
            judged.insert(Key { module, function, mutation }, judgement);
        }
        Ok(Self { path: path.to_owned(), judged })
    }

    /// Adds a judgement. A survivor's reason is kept for as long as it survives.
    pub fn add(&mut self, key: &Key, verdict: Verdict, test: String) {
        let known = self.judged.remove(key);
        let kept = known.filter(|known| verdict == Verdict::Survived && known.verdict == verdict);
        let reason = kept.map(|known| known.reason).unwrap_or_default();
        self.judged.insert(key.clone(), Judgement { verdict, test, reason });
    }

    /// The number of mutants with a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.judged.values().filter(|judgement| judgement.verdict == verdict).count()
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub fn write(&self) -> Outcome<()> {
        let mut text = format!("{HEADER}\n");
        for (Key { module, function, mutation }, judgement) in &self.judged {
            let Judgement { verdict, test, reason } = judgement;
            writeln!(text, "{module}\t{function}\t{mutation}\t{verdict}\t{test}\t{reason}")?;
        }
        Ok(fs::write(&self.path, text)?)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "killed",
            Self::Survived => "survived",
            Self::Unbuildable => "unbuildable",
        })
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Killed, Self::Survived, Self::Unbuildable]
            .into_iter()
            .find(|verdict| verdict.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no verdict"))
    }
}
