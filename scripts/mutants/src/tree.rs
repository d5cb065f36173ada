//! The tree that mutants are built in: a copy of the workspace with all of them compiled in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Outcome;
use crate::rewrite::{Mutant, mutants, rewrite, with_switch};

/// Where every mutant has to be judged: paths begin with one of these.
const ALL_OF: [&str; 5] = [
    "ir/src/circuit/verify",
    "ir/src/chip/verify",
    "backend-stark/src/key",
    "backend-stark/src/statement",
    "backend-stark/src/shape",
];

/// Where the other guards are.
const SOME_OF: [&str; 12] = [
    "backend-stark/src/encoding",
    "backend-stark/src/proof",
    "backend-stark/src/security",
    "backend-stark/src/verifier",
    "chips/src/recursion/",
    "examples/src/brainfuck/compress",
    "examples/src/brainfuck/proof",
    "ir/src/chip/counts",
    "ir/src/circuit/assemble",
    "ir/src/circuit/layout",
    "ir/src/circuit/lower",
    "recursion/src/",
];

/// Whether all mutants of a module have to be judged.
pub fn is_first(module: &str) -> bool {
    ALL_OF.iter().any(|prefix| module.starts_with(prefix))
}

/// The workspace, and the copy in which a mutant's number is its place in `mutants`.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    copy: PathBuf,
    target: PathBuf,
    /// The files of the workspace, by path from the root.
    files: BTreeMap<String, Vec<u8>>,
    /// All mutants, module by module.
    pub mutants: Vec<Mutant>,
}

/// Tests that were built together.
#[derive(Debug)]
pub struct Binary {
    /// What to run.
    pub path: PathBuf,
    /// Where to run it: the package's directory in the copy.
    pub directory: PathBuf,
    /// Its root module, from the root of the workspace.
    pub source: String,
}

/// An error of the compiler.
#[derive(Debug)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// The first and the last line.
    pub lines: (usize, usize),
    /// What is wrong.
    pub message: String,
}

impl Tree {
    /// Reads a workspace.
    ///
    /// # Errors
    ///
    /// Fails if git does not list its files, or if a module with guards is not Rust.
    pub fn read(root: &Path) -> Outcome<Self> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = Command::new("git").current_dir(root).args(list).output()?;
        if !listed.status.success() {
            return Err(format!("git: {}", String::from_utf8_lossy(&listed.stderr)).into());
        }
        let mut files = BTreeMap::new();
        for path in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            // Git lists deleted files until the deletion is committed. Cargo's configuration is found above the copy; a second
            // one there would add its flags again.
            if root.join(path).is_file() && !path.starts_with(".cargo/") {
                files.insert(path.to_owned(), fs::read(root.join(path))?);
            }
        }
        let mut all = Vec::new();
        for (path, bytes) in &files {
            let guards = is_first(path) || SOME_OF.iter().any(|prefix| path.starts_with(prefix));
            let is_rust = Path::new(path).extension().is_some_and(|name| name == "rs");
            if guards && is_rust && !path.ends_with("/tests.rs") {
                let found = mutants(path, std::str::from_utf8(bytes)?);
                all.extend(found.map_err(|error| format!("{path}: {error}"))?);
            }
        }
        let scratch = root.join("target/mutants");
        let (copy, target) = (scratch.join("tree"), scratch.join("build"));
        Ok(Self { root: root.to_owned(), copy, target, files, mutants: all })
    }

    /// Writes the copy, with mutants for which `included` holds. Files that are as they should be are not touched, so that
    /// cargo does not build them again.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written.
    pub fn write(&self, included: impl Fn(&Mutant) -> bool) -> Outcome<()> {
        let mut of_module: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in self.mutants.iter().enumerate() {
            of_module.entry(&mutant.key.module).or_default().push((number, mutant));
        }
        let crate_of = |path: &str| path.split_once("/src/").map(|(name, _)| name.to_owned());
        let crates: BTreeSet<_> = of_module.keys().filter_map(|path| crate_of(path)).collect();
        let root_of = |path: &str| path.strip_suffix("/src/lib.rs").map(str::to_owned);
        for (path, bytes) in &self.files {
            let mut text = None;
            if let Some(found) = of_module.get(path.as_str()) {
                let found = found.iter().copied().filter(|(_, mutant)| included(mutant));
                text = Some(rewrite(std::str::from_utf8(bytes)?, found));
            }
            if root_of(path).is_some_and(|name| crates.contains(&name)) {
                let root = text.unwrap_or(String::from_utf8(bytes.clone())?);
                text = Some(with_switch(&root));
            }
            let bytes = text.as_ref().map_or(&bytes[..], |text| text.as_bytes());
            let place = self.copy.join(path);
            if fs::read(&place).ok().as_deref() != Some(bytes) {
                fs::create_dir_all(place.parent().unwrap_or(&self.copy))?;
                fs::write(&place, bytes)?;
            }
        }
        self.remove_others(&self.copy)
    }

    /// Removes what is not in the workspace any more.
    fn remove_others(&self, directory: &Path) -> Outcome<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                self.remove_others(&path)?;
            } else if !self.files.contains_key(&*path.strip_prefix(&self.copy)?.to_string_lossy()) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Builds the tests of the copy, of some packages or all: integration tests with such names, `lib` for unit tests, or
    /// all. The inner error says where the compiler found errors.
    ///
    /// # Errors
    ///
    /// Fails if cargo cannot be run, or if there are errors without a place.
    pub fn build(
        &self,
        packages: &[String],
        names: &[String],
    ) -> Outcome<Result<Vec<Binary>, Vec<Fault>>> {
        let all = packages.is_empty().then_some("--workspace");
        let output = Command::new("cargo")
            .current_dir(&self.copy)
            .args(["test", "--no-run", "--quiet", "--message-format=json"])
            .args(all)
            .args(packages.iter().flat_map(|name| ["--package", name]))
            .args(names.iter().flat_map(|name| match name.as_str() {
                "lib" => vec!["--lib"],
                name => vec!["--test", name],
            }))
            .arg("--target-dir")
            .arg(&self.target)
            .stderr(Stdio::inherit())
            .output()?;
        let (mut binaries, mut faults) = (Vec::new(), Vec::new());
        for line in output.stdout.split(|&byte| byte == b'\n') {
            let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
            let path = |value: &Value| value.as_str().map(PathBuf::from);
            let relative = |path: &Path| {
                path.strip_prefix(&self.copy).unwrap_or(path).to_string_lossy().into_owned()
            };
            if message["profile"]["test"] == true
                && let Some(executable) = path(&message["executable"])
                && let Some(mut directory) = path(&message["manifest_path"])
                && let Some(source) = path(&message["target"]["src_path"])
            {
                directory.pop();
                let source = relative(&source);
                binaries.push(Binary { path: executable, directory, source });
            } else if message["message"]["level"] == "error" {
                let spans = message["message"]["spans"].as_array().into_iter().flatten();
                for span in spans.filter(|span| span["is_primary"] == true) {
                    let file = relative(Path::new(span["file_name"].as_str().unwrap_or_default()));
                    let line = |name: &str| span[name].as_u64().unwrap_or(0) as usize;
                    let lines = (line("line_start"), line("line_end"));
                    let text = message["message"]["message"].as_str().unwrap_or_default();
                    eprintln!("{file}:{}: {text}", lines.0);
                    faults.push(Fault { file, lines, message: text.to_owned() });
                }
            }
        }
        if output.status.success() {
            Ok(Ok(binaries))
        } else if faults.is_empty() {
            Err("the tests cannot be built".into())
        } else {
            Ok(Err(faults))
        }
    }

    /// Where records of former runs are kept.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("target/mutants")
    }
}
