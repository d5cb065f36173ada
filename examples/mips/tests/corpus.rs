//! The guests do what the table of the corpus says: `UPDATE_CORPUS=1` rewrites it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chipwright_backend_stark::config::Config;
use chipwright_mips::prove::menu::Kind;
use chipwright_mips::prove::{MipsProver, Options, Shard};
use chipwright_mips::{Executor, Input, Output, Program};
use serde::{Deserialize, Serialize};

/// What a guest does.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    guest: String,
    /// The exit code, unless the run ends with a fault.
    exit_code: Option<u32>,
    /// The fault.
    fault: Option<String>,
    instructions: u64,
    output: String,
    errors: String,
    committed: Vec<String>,
}

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")
}

/// The input of a guest.
fn input(guest: &str) -> Input {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let buffers: Vec<Vec<u8>> = match guest.split('.').next() {
        Some("echo") => vec![b"What is read is written in capitals.\n".to_vec()],
        Some("hints") => vec![words(&[1, 2, 3]), words(&[u32::MAX; 64]), vec![9, 0, 1], Vec::new()],
        _ => Vec::new(),
    };
    Input { buffers }
}

fn line(guest: &str) -> Line {
    let file = fs::read(guests().join("elf").join(guest)).expect("the guest is there");
    let program = Program::from_elf(&file).expect("compilers make sound programs");
    let input = input(guest);
    let mut executor = Executor::new(&program, &input);
    let mut output = Output::default();
    let result = executor.run(100_000_000, &mut output);
    let committed = executor.state().committed.iter().flatten();
    let text = |bytes| String::from_utf8(bytes).expect("guests write text");
    Line {
        guest: guest.to_owned(),
        exit_code: result.as_ref().ok().copied(),
        fault: result.err().map(|error| error.fault.to_string()),
        instructions: executor.state().clock,
        output: text(output.output),
        errors: text(output.errors),
        committed: committed.map(|word| format!("{word:08x}")).collect(),
    }
}

/// The table of the corpus.
fn table() -> Vec<Line> {
    let table = fs::read_to_string(guests().join("corpus.json")).expect("the table is there");
    serde_json::from_str(&table).expect("the table is JSON")
}

/// The names of the files in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).expect("the directory is there");
    let name = |file: fs::DirEntry| file.file_name().into_string().expect("a plain name");
    let mut names: Vec<String> = files.map(|file| name(file.expect("readable"))).collect();
    names.sort();
    names
}

#[test]
fn m_03_guests_do_what_the_table_of_the_corpus_says() {
    let found: Vec<Line> = names(&guests().join("elf")).iter().map(|guest| line(guest)).collect();
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("lines are JSON");
        fs::write(guests().join("corpus.json"), text + "\n").expect("the table is writable");
    }
    let expected = table();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_run_is_the_same_each_time() {
    assert_eq!(line("rbtree.O0.elf"), line("rbtree.O0.elf"));
}

#[test]
fn levels_of_optimisation_change_nothing_but_the_number_of_instructions() {
    let table = table();
    let line = |guest: String| table.iter().find(|line| line.guest == guest).expect("a guest");
    for source in names(&guests().join("src")) {
        let name = source.strip_suffix(".c").expect("sources are C");
        let [plain, fast, small] =
            ["O0.elf", "elf", "Os.elf"].map(|suffix| line(format!("{name}.{suffix}")));
        // Where the stack ends depends on the compiler.
        if name == "overflow" {
            continue;
        }
        for other in [fast, small] {
            let seen = |line: &'_ Line| {
                (line.exit_code, line.fault.clone(), line.output.clone(), line.committed.clone())
            };
            assert_eq!(seen(plain), seen(other), "{}", other.guest);
        }
    }
}

#[test]
fn the_committed_guests_are_what_the_compiler_makes_of_their_sources() {
    let version = Command::new("mipsel-linux-gnu-gcc").arg("-dumpfullversion").output();
    match version {
        Ok(version) if version.stdout == b"12.2.0\n" => {}
        Ok(_) => return println!("skipped: the guests were built by mipsel-linux-gnu-gcc 12.2.0"),
        Err(_) => return println!("skipped: mipsel-linux-gnu-gcc is not installed"),
    }
    let built = std::env::temp_dir().join(format!("chipwright-guests-{}", std::process::id()));
    let build =
        Command::new(guests().join("build")).arg(&built).output().expect("there is a shell");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let committed = guests().join("elf");
    assert_eq!(names(&built), names(&committed));
    for name in names(&built) {
        let [ours, theirs] = [&committed, &built].map(|directory| fs::read(directory.join(&name)));
        assert!(ours.expect("readable") == theirs.expect("readable"), "{name} is built otherwise");
    }
    fs::remove_dir_all(&built).expect("the directory is there");
}

/// Of a guest's shards, so many are looked at.
const LOOKED_AT: usize = 12;

#[test]
fn shards_of_the_menu_are_full() {
    let prover = MipsProver::new(Config::fast_100()).expect("the chips fit together");
    let options = Options::default();
    let (mut guests, mut least) = (Vec::new(), 1.0_f64);
    for guest in table().iter().filter(|line| line.fault.is_none()).map(|line| &line.guest) {
        let file = fs::read(self::guests().join("elf").join(guest)).expect("the guest is there");
        let program = Program::from_elf(&file).expect("compilers make sound programs");
        let input = input(guest);
        let shards: Result<Vec<Shard>, _> =
            prover.shards(&program, &input, &options, ()).take(LOOKED_AT).collect();
        let mut shards = shards.expect("it can be cut");
        // What is left of a run fills no shard.
        if shards.len() < LOOKED_AT {
            shards.pop();
        }
        let rate = |shard: &Shard| {
            let rows = shard.rows(&program, &input).expect("all instructions have chips");
            let rate = prover.fill_rate(shard.kind, &rows);
            let Kind { name, .. } = prover.menu()[shard.kind];
            println!("{guest}: {} instructions, {name}: {rate:.2}", shard.instructions());
            rate
        };
        // The small kind is for short runs, whatever they do.
        let small = |shard: &&Shard| prover.menu()[shard.kind].name == "small";
        let rates: Vec<f64> = shards.iter().filter(|shard| !small(shard)).map(rate).collect();
        if let Some(lowest) = rates.iter().copied().reduce(f64::min) {
            least = least.min(lowest);
            guests.push(rates.iter().sum::<f64>() / rates.len() as f64);
        }
    }
    guests.sort_by(f64::total_cmp);
    let median = guests[guests.len() / 2];
    println!("{} guests with several shards: median {median:.3}, least {least:.3}", guests.len());
    assert!(median >= 0.7, "the median is {median}");
    assert!(least >= 0.5, "the least is {least}");
}
