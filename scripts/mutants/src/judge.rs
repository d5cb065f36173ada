//! Tests, run one by one: first as they are, to see which mutants each of them reaches and how long it takes; then
//! with a mutant switched on, until one fails.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::Outcome;
use crate::results::Verdict;
use crate::rewrite::Key;
use crate::tree::Binary;

/// Tests that say nothing about the guards, and take long: the messages of macros, and the numbers of the documentation.
const NOT_RUN: [&str; 2] = ["dsl/tests/ui.rs", "examples/tests/docs.rs"];

/// The longest that a test takes as it is, in seconds; others are left out.
const LONGEST: f64 = 120.0;

/// The memory of a test, in KiB of address space.
const MEMORY: u32 = 12 << 20;

/// A test, and what was seen of it.
#[derive(Debug)]
pub struct Test {
    path: PathBuf,
    directory: PathBuf,
    /// The root module of its binary.
    source: String,
    name: String,
    /// How long it takes.
    seconds: f64,
    /// The mutants that it reaches.
    reached: HashSet<usize>,
}

impl Test {
    /// The name by which results know it.
    pub fn label(&self) -> String {
        format!("{}: {}", self.source, self.name)
    }

    /// Runs it in a process group of its own, and says whether it passes. It fails if it takes more than so many seconds of
    /// the processor, or very much longer on a clock.
    fn passes(&self, seconds: f64, variable: Option<(&str, &str)>) -> Outcome<bool> {
        let status = Command::new("timeout")
            .args(["--signal=KILL", &format!("{}", 60.0 + 20.0 * seconds), "sh", "-c"])
            .arg(format!("ulimit -v {MEMORY}; ulimit -t {}; exec \"$@\"", seconds.ceil()))
            .arg("sh")
            .arg(&self.path)
            .args(["--exact", &self.name, "--test-threads=1"])
            .current_dir(&self.directory)
            .env("CARGO_MANIFEST_DIR", &self.directory)
            .env("INSTA_UPDATE", "no")
            .env("RAYON_NUM_THREADS", "1")
            .envs(variable)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(status.success())
    }

    /// Sees what the test does as it is; `false` if it does not pass. What was seen since the binary was built holds.
    fn observe(&mut self, records: &Path) -> Outcome<bool> {
        let name: String = self.label().replace(|c: char| !c.is_alphanumeric(), "-");
        let record = records.join(name);
        let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
        let known = modified(&record).is_ok_and(|at| modified(&self.path).is_ok_and(|t| at > t));
        let complete = |text: &str| text.lines().last().is_some_and(|line| line.contains(' '));
        let mut text = fs::read_to_string(&record).unwrap_or_default();
        if !known || !complete(&text) {
            fs::remove_file(&record).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
            let start = Instant::now();
            let variable = ("CHIPWRIGHT_MUTANTS_REACHED", &*record.to_string_lossy());
            let verdict = if self.passes(LONGEST, Some(variable))? { "passed" } else { "failed" };
            text = fs::read_to_string(&record).unwrap_or_default();
            text += &format!("{verdict} {}\n", start.elapsed().as_secs_f64());
            fs::write(&record, &text)?;
        }
        for line in text.lines() {
            match line.split_once(' ') {
                None => drop(self.reached.insert(line.parse()?)),
                Some(("passed", seconds)) => self.seconds = seconds.parse()?,
                Some(_) => {
                    println!("left out, as it fails: {}", self.label());
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// All tests of some binaries that pass, with what they reach.
///
/// # Errors
///
/// Fails if a binary cannot be run.
pub fn observe(binaries: &[Binary], records: &Path) -> Outcome<Vec<Test>> {
    fs::create_dir_all(records)?;
    let mut tests = Vec::new();
    for Binary { path, directory, source } in binaries {
        if NOT_RUN.contains(&&**source) {
            continue;
        }
        let listed = Command::new(path)
            .current_dir(directory)
            .args(["--list", "--format=terse"])
            .output()?;
        for line in String::from_utf8(listed.stdout)?.lines() {
            if let Some(name) = line.strip_suffix(": test") {
                tests.push(Test {
                    path: path.clone(),
                    directory: directory.clone(),
                    source: source.clone(),
                    name: name.to_owned(),
                    seconds: 0.0,
                    reached: HashSet::new(),
                });
            }
        }
    }
    let observed = in_parallel(tests, |mut test| Ok(test.observe(records)?.then_some(test)))?;
    Ok(observed.into_iter().flatten().collect())
}

/// Which tests killed mutants, by function and by module.
#[derive(Debug, Default)]
pub struct Kills(HashMap<String, HashMap<String, u32>>);

impl Kills {
    /// Notes that a test killed a mutant.
    pub fn add(&mut self, key: &Key, test: &str) {
        for place in [key.module.clone(), format!("{} {}", key.module, key.function)] {
            *self.0.entry(place).or_default().entry(test.to_owned()).or_default() += 1;
        }
    }

    /// How likely a test is to kill a mutant.
    fn weight(&self, key: &Key, test: &str) -> f64 {
        let of = |place: &str| self.0.get(place).and_then(|kills| kills.get(test)).copied();
        let near = of(&format!("{} {}", key.module, key.function)).unwrap_or(0);
        f64::from(1 + of(&key.module).unwrap_or(0) + 10 * near)
    }

    /// The tests that reach a mutant: quick ones first, and those that killed its neighbours.
    pub fn order<'a>(&self, number: usize, key: &Key, tests: &'a [Test]) -> Vec<&'a Test> {
        let mut reaching: Vec<_> = tests
            .iter()
            .filter(|test| test.reached.contains(&number))
            .map(|test| (test.seconds / self.weight(key, &test.label()), test))
            .collect();
        reaching.sort_by(|a, b| a.0.total_cmp(&b.0));
        reaching.into_iter().map(|(_, test)| test).collect()
    }
}

/// Runs tests with a mutant switched on until one fails, which has to pass without.
///
/// # Errors
///
/// Fails if a test cannot be run.
pub fn judge(number: usize, tests: &[&Test]) -> Outcome<(Verdict, String)> {
    for test in tests {
        let limit = 10.0 + 5.0 * test.seconds;
        let number = number.to_string();
        if !test.passes(limit, Some(("CHIPWRIGHT_MUTANT", &number)))? && test.passes(limit, None)? {
            return Ok((Verdict::Killed, test.label()));
        }
    }
    Ok((Verdict::Survived, String::new()))
}

/// Does something with every item, on all cores.
///
/// # Errors
///
/// Fails as `work` does.
pub fn in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Outcome<R> + Sync,
) -> Outcome<Vec<R>> {
    let cores = thread::available_parallelism()?.get();
    let items: Vec<_> = items.into_iter().map(|item| std::sync::Mutex::new(Some(item))).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let item = item.lock().map_err(|error| error.to_string())?.take();
            done.extend(item.map(&work).transpose()?);
        }
        Outcome::Ok(done)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let mut done = Vec::new();
        for worker in workers {
            done.extend(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok(done)
    })
}
