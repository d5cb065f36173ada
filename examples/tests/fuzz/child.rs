//! The process that reads: inputs one after the other, with the time and the memory of each.

use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::{Deserialize, Serialize};

use crate::edit::{apply, edits};
use crate::targets::{Reader, reader};
use crate::{LONGEST, MOST_MIB};

const JOB: &str = "FUZZ_JOB";

/// Inputs of a target to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) target: String,
    pub(crate) seed: u64,
    pub(crate) inputs: u64,
}

/// What reading did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) target: String,
    pub(crate) inputs: u64,
    /// Inputs that were accepted.
    pub(crate) accepted: u64,
    pub(crate) panics: Vec<String>,
    /// The longest time of an input in milliseconds, and its file.
    pub(crate) slowest: (u64, String),
    /// The most memory in MiB, and the file of the input that took it.
    pub(crate) largest: (u64, String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, inputs, accepted, slowest: (ms, _), largest: (mib, _), .. } = self;
        write!(
            f,
            "{target}: {inputs} inputs, {accepted} accepted, {ms} ms at most, {mib} MiB at most"
        )
    }
}

impl Report {
    /// Everything that must not be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.panics.clone();
        let (ms, slow) = &self.slowest;
        if u128::from(*ms) > LONGEST.as_millis() {
            faults.push(format!("{}: {ms} ms for {slow}", self.target));
        }
        let (mib, large) = &self.largest;
        if *mib > MOST_MIB {
            faults.push(format!("{}: {mib} MiB for {large}", self.target));
        }
        faults
    }
}

impl Job {
    /// The job that the environment of this process describes.
    pub(crate) fn of_this_process() -> Option<Self> {
        let text = std::env::var(JOB).ok()?;
        Some(serde_json::from_str(&text).expect("a job"))
    }

    /// Describes the job to a child.
    pub(crate) fn describe(&self, command: &mut Command) {
        let _ = fs::remove_file(self.file("json"));
        command.env(JOB, serde_json::to_string(self).expect("plain data"));
    }

    fn file(&self, kind: &str) -> PathBuf {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
        fs::create_dir_all(&directory).expect("the directory of tests is writable");
        directory.join(format!("{}-{}.{kind}", self.target, self.seed))
    }

    /// What the child has written when it ended.
    pub(crate) fn report(&self) -> Option<Report> {
        serde_json::from_str(&fs::read_to_string(self.file("json")).ok()?).ok()
    }

    /// The input that the child reads.
    pub(crate) fn progress(&self) -> String {
        fs::read_to_string(self.file("progress")).unwrap_or_default()
    }

    /// Reads all inputs and writes the report.
    pub(crate) fn read_all(&self) {
        let report = self.read_all_here();
        let text = serde_json::to_string(&report).expect("plain data");
        fs::write(self.file("json"), text).expect("the directory of tests is writable");
    }

    /// Reads all inputs.
    pub(crate) fn read_all_here(&self) -> Report {
        let Reader { corpus, mut read } = reader(&self.target);
        let mut runner = runner(self.seed);
        let strategy = edits();
        let mut report = Report { target: self.target.clone(), ..Report::default() };
        // The inputs of the corpus come first, as they are.
        for index in 0..self.inputs.max(corpus.len() as u64) {
            let input = match corpus.get(index as usize) {
                Some(input) => input.clone(),
                None => {
                    let edits = strategy.new_tree(&mut runner).expect("edits").current();
                    apply(&edits, &corpus)
                }
            };
            fs::write(self.file("progress"), index.to_string()).expect("progress can be written");
            let before = Usage::start();
            match catch_unwind(AssertUnwindSafe(|| read(&input))) {
                Ok(accepted) => report.accepted += u64::from(accepted),
                Err(_) => {
                    let file = self.keep(&input, index);
                    report.panics.push(format!("{}: panics at {file}", self.target));
                }
            }
            let (ms, mib) = before.end();
            if ms > report.slowest.0 {
                let over = u128::from(ms) > LONGEST.as_millis();
                let file = if over { self.keep(&input, index) } else { String::new() };
                report.slowest = (ms, file);
            }
            if mib > report.largest.0 {
                let file = if mib > MOST_MIB { self.keep(&input, index) } else { String::new() };
                report.largest = (mib, file);
            }
            report.inputs += 1;
        }
        report
    }

    /// Keeps an input to look at.
    fn keep(&self, input: &[u8], index: u64) -> String {
        let file = self.file(&format!("{index}.input"));
        fs::write(&file, input).expect("the directory of tests is writable");
        file.display().to_string()
    }
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

/// What this process has used before an input.
struct Usage {
    clock: Instant,
    processor: Option<Duration>,
}

impl Usage {
    fn start() -> Self {
        // The high-water mark of memory is from here on, where Linux can set it.
        let _ = fs::write("/proc/self/clear_refs", "5");
        Self { clock: Instant::now(), processor: processor_time() }
    }

    /// Milliseconds of the processor, or of a clock where no system tells that, and MiB.
    fn end(&self) -> (u64, u64) {
        let spent = match (self.processor, processor_time()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => self.clock.elapsed(),
        };
        (spent.as_millis() as u64, peak_mib().unwrap_or(0))
    }
}

/// The time that all threads of the process have taken, where Linux tells it, in hundredths of a second.
fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may have spaces; it ends with a bracket.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u64>().ok());
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}

fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}
