//! Whatever bytes a reader is given, it says what is wrong with them: it does not panic, it takes no more than a second
//! for 64 KiB, and its process no more than 256 MiB.
//!
//! Inputs are those of a corpus with pieces changed, as `proptest` chooses them from a seed. A child process reads them,
//! so that its memory can be told, and its death survived. `scripts/soak.sh` reads a million; the test some thousands.

mod child;
mod edit;
mod targets;

use std::process::{Child, Command};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use child::{Job, Report};
use targets::TARGETS;

/// The most memory that the process may take, in MiB.
const MOST_MIB: u64 = 256;

/// The longest time for one input, of a processor.
const LONGEST: Duration = Duration::from_secs(1);

/// The inputs of a run of the tests; `FUZZ_INPUTS` asks for another number, `FUZZ_SEED` for others.
const INPUTS: u64 = 12_000;

/// How long a child may be silent, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_mins(5);

#[test]
fn hostile_bytes_are_refused_in_a_second_and_256_mib_by_every_reader() {
    let number = |name, otherwise| match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => otherwise,
    };
    let (inputs, seed): (u64, u64) = (number("FUZZ_INPUTS", INPUTS), number("FUZZ_SEED", 1));
    let whole: u64 = TARGETS.iter().map(|target| target.share).sum();
    let jobs = TARGETS.iter().map(|target| Job {
        target: target.name.to_owned(),
        seed,
        inputs: (inputs * target.share).div_ceil(whole),
    });
    let waiting = Mutex::new(jobs.collect::<Vec<_>>());
    let reports = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(job) = waiting.lock().expect("no thread panics").pop() else { break };
                    let report = run(&job);
                    reports.lock().expect("no thread panics").push(report);
                }
            });
        }
    });
    let reports = reports.into_inner().expect("no thread panics");
    let faults: Vec<String> = reports.iter().flat_map(Report::faults).collect();
    let read: u64 = reports.iter().map(|report| report.inputs).sum();
    for report in &reports {
        println!("{report}");
    }
    println!("{read} inputs, {} faults", faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(read >= inputs, "{read} of {inputs} inputs were read");
}

/// The entry of child processes, which are told by their environment what to read. On its own it reads a few inputs of
/// every target in this process.
#[test]
fn a_child_reads_the_inputs_of_its_job() {
    match Job::of_this_process() {
        Some(job) => job.read_all(),
        None => {
            for target in &TARGETS {
                let job = Job { target: target.name.to_owned(), seed: 0, inputs: 3 };
                assert_eq!(job.read_all_here().panics, Vec::<String>::new());
            }
        }
    }
}

/// Runs a job in a child.
fn run(job: &Job) -> Report {
    let this = std::env::current_exe().expect("this program has a file");
    let mut command = Command::new(this);
    command.args(["--exact", "a_child_reads_the_inputs_of_its_job", "--nocapture"]);
    // What is measured is the work of one thread.
    command.env("RAYON_NUM_THREADS", "1");
    job.describe(&mut command);
    let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("the child starts");
    let end = wait(&mut child, job);
    job.report().unwrap_or_else(|| {
        let text = format!("{}: {end} at input {}", job.target, job.progress());
        Report { target: job.target.clone(), panics: vec![text], ..Report::default() }
    })
}

/// Waits until a child ends, or does not go on. Says what became of it.
fn wait(child: &mut Child, job: &Job) -> String {
    let (mut last, mut since) = (String::new(), Instant::now());
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return format!("the child ended with {status}");
        }
        let progress = job.progress();
        if progress != last {
            (last, since) = (progress, Instant::now());
        }
        if since.elapsed() > PATIENCE {
            let killed = child.kill().and_then(|()| child.wait());
            return format!("the child did not go on, and was ended: {killed:?}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
