//! Mutation testing: every guard is weakened, one at a time, and some test has to notice.
//!
//! All mutants are compiled in at once ([`rewrite`]) in a copy of the workspace ([`tree`]); a test is then a mutant's
//! by an environment variable, and only tests that reach the mutant are run ([`judge`]). Results of all runs are merged
//! into `docs/mutants.tsv` ([`results`]), which names mutants by what they change, not by line.

mod judge;
mod results;
mod rewrite;
mod tree;

use std::collections::HashSet;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Parser;

use judge::{Kills, Test};
use results::{Results, Verdict};
use rewrite::{Key, Mutant};
use tree::{Tree, is_first};

/// A result, or a sentence that says what went wrong.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Weakens one guard at a time, and says which test notices.
#[derive(Debug, Parser)]
struct Options {
    /// No mutant is begun later than this after the start.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Decides the order in which mutants are judged: first those that never were.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only mutants whose module and function, with a space between them, contain this.
    #[arg(long, default_value = "")]
    only: String,
    /// Only integration tests with such names, `lib` for unit tests: quicker, but what survives them may not survive all.
    /// Mutants that none of them reaches are not judged.
    #[arg(long = "test")]
    names: Vec<String>,
    /// Only tests of such packages: quicker to build; those of the whole workspace otherwise.
    #[arg(long = "package")]
    packages: Vec<String>,
    /// Only mutants that are not known to be killed.
    #[arg(long)]
    open: bool,
    /// Print the mutants with their verdicts, and do nothing.
    #[arg(long)]
    list: bool,
}

impl Options {
    /// Whether there are tests that are not run, by which a mutant may be reached.
    fn is_restricted(&self) -> bool {
        !self.names.is_empty() || !self.packages.is_empty()
    }
}

fn main() -> Outcome<()> {
    let start = Instant::now();
    let options = Options::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let tree = Tree::read(&root)?;
    let mut results = Results::read(&root.join("docs/mutants.tsv"))?;
    let keys: HashSet<&Key> = tree.mutants.iter().map(|mutant| &mutant.key).collect();
    results.judged.retain(|key, _| keys.contains(key));
    if options.list {
        for number in order(&tree.mutants, &results, &options) {
            let Mutant { key, lines, .. } = &tree.mutants[number];
            let verdict = results.judged.get(key).map(|judgement| judgement.verdict.to_string());
            let verdict = verdict.as_deref().unwrap_or("not judged");
            println!("{}:{}: {}: {verdict}", key.module, lines.start, key.mutation);
        }
        return Ok(());
    }
    let tests = built(&tree, &mut results, &options)?;
    println!("{:.0?}: {} tests are observed", start.elapsed(), tests.len());
    let deadline = start + Duration::from_secs(60 * options.minutes);
    let judged = run(&tree, &tests, results, &options, deadline)?;
    let killed = judged.iter().filter(|&&verdict| verdict == Verdict::Killed).count();
    println!("{} judged, {killed} killed, {} survivors", judged.len(), judged.len() - killed);
    Ok(())
}

/// Builds the tests, without mutants that are not Rust, and observes them.
fn built(tree: &Tree, results: &mut Results, options: &Options) -> Outcome<Vec<Test>> {
    loop {
        let built = |mutant: &Mutant| {
            let known = results.judged.get(&mutant.key);
            known.is_none_or(|judgement| judgement.verdict != Verdict::Unbuildable)
        };
        tree.write(built)?;
        let faults = match tree.build(&options.packages, &options.names)? {
            Ok(binaries) => return judge::observe(&binaries, &tree.scratch().join("reached")),
            Err(faults) => faults,
        };
        let mut wrong: HashSet<&Key> = HashSet::new();
        for fault in faults {
            // A variable that is used after it moved is reported where it is used; that it gets no new value is elsewhere.
            let moved = fault.message.strip_prefix("borrow of moved value: ");
            let assigns = moved.map(|name| format!("delete `{} =", name.trim_matches('`')));
            let of_file = |mutant: &&Mutant| mutant.key.module == fault.file && built(mutant);
            let around =
                tree.mutants.iter().filter(of_file).filter(|Mutant { key, lines, .. }| {
                    assigns.as_ref().map_or_else(
                        || lines.start <= fault.lines.1 && lines.end > fault.lines.0,
                        |assigns| key.mutation.starts_with(assigns),
                    )
                });
            // The smallest mutants around the error: if it was not them, the next build has it again.
            let around: Vec<_> = around.collect();
            let smallest = around.iter().map(|mutant| mutant.lines.len()).min();
            let smallest = around.iter().filter(|mutant| Some(mutant.lines.len()) == smallest);
            wrong.extend(smallest.map(|mutant| &mutant.key));
        }
        if wrong.is_empty() {
            return Err("the tests cannot be built".into());
        }
        for key in wrong {
            println!("not Rust: {}: {}: {}", key.module, key.function, key.mutation);
            results.add(key, Verdict::Unbuildable, String::new());
        }
        results.write()?;
    }
}

/// The numbers of the mutants to judge: those that never were, then survivors that nobody explained, then others; each
/// beginning with the modules of which all are to be judged.
fn order(mutants: &[Mutant], results: &Results, options: &Options) -> Vec<usize> {
    let mut order = Vec::new();
    for (number, Mutant { key, .. }) in mutants.iter().enumerate() {
        let known = results.judged.get(key);
        let rank = match known.map(|judgement| (judgement.verdict, judgement.reason.is_empty())) {
            None => 0,
            Some((Verdict::Survived, true)) => 1,
            Some((Verdict::Survived, false)) => 2,
            Some((Verdict::Killed, _)) if !options.open => 3,
            Some(_) => continue,
        };
        let mut hasher = DefaultHasher::new();
        (options.seed, key).hash(&mut hasher);
        if format!("{} {}", key.module, key.function).contains(&options.only) {
            order.push((rank, !is_first(&key.module), hasher.finish(), number));
        }
    }
    order.sort_unstable();
    order.into_iter().map(|(.., number)| number).collect()
}

/// Judges mutants until the deadline, and writes down what became of each.
fn run(
    tree: &Tree,
    tests: &[Test],
    results: Results,
    options: &Options,
    deadline: Instant,
) -> Outcome<Vec<Verdict>> {
    let numbers = order(&tree.mutants, &results, options);
    let mut kills = Kills::default();
    for (key, judgement) in &results.judged {
        kills.add(key, &judgement.test);
    }
    let known = Mutex::new((results, kills));
    let lock = || known.lock().map_err(|error| error.to_string());
    let verdicts = judge::in_parallel(numbers, |number| {
        if Instant::now() >= deadline {
            return Ok(None);
        }
        let key = &tree.mutants[number].key;
        let reaching = lock()?.1.order(number, key, tests);
        if reaching.is_empty() && options.is_restricted() {
            return Ok(None);
        }
        let (verdict, test) = judge::judge(number, &reaching)?;
        let by = if test.is_empty() { format!("{} tests", reaching.len()) } else { test.clone() };
        println!("{verdict}: {}: {}: {} ({by})", key.module, key.function, key.mutation);
        let (results, kills) = &mut *lock()?;
        kills.add(key, &test);
        results.add(key, verdict, test);
        results.write()?;
        Ok(Some(verdict))
    })?;
    let results = &lock()?.0;
    let survivors = results.judged.values().filter(|known| known.verdict == Verdict::Survived);
    println!(
        "in all runs: {} of {} judged, {} killed, {} survivors, of which {} have no reason",
        results.judged.len() - results.count(Verdict::Unbuildable),
        tree.mutants.len() - results.count(Verdict::Unbuildable),
        results.count(Verdict::Killed),
        results.count(Verdict::Survived),
        survivors.filter(|known| known.reason.is_empty()).count(),
    );
    let left = |mutant: &&Mutant| !results.judged.contains_key(&mutant.key);
    let left = tree.mutants.iter().filter(left).filter(|mutant| is_first(&mutant.key.module));
    println!("not judged yet where all have to be: {}", left.count());
    Ok(verdicts.into_iter().flatten().collect())
}
