//! Random programs that end, against another interpreter: Debian's `beef`.

use std::fs;
use std::path::Path;
use std::process::Command;

use chipwright_examples::brainfuck::{Options, Program, generate, programs, run};

use crate::forging::Case;

/// What `beef` makes of a program; `None` if it is not installed.
fn beef(name: &str, source: &str, input: &[u8]) -> Option<Vec<u8>> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (program, data) =
        (directory.join(format!("{name}.bf")), directory.join(format!("{name}.in")));
    // Standard output would be converted to the locale's characters.
    let out = directory.join(format!("{name}.out"));
    fs::write(&program, source).expect("the directory of tests is writable");
    fs::write(&data, input).expect("the directory of tests is writable");
    let mut command = Command::new("beef");
    command.args(["-s", "zero"]).arg("-i").arg(&data).arg("-o").arg(&out).arg(&program);
    let output = command.output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(fs::read(out).expect("the output is written"))
}

/// Input for a random program: some bytes, of which it may read fewer or more. The byte 255 is not among them:
/// `beef` takes it for the end of the input.
fn input(seed: u64) -> Vec<u8> {
    (0..seed % 40).map(|i| ((seed * 31 + i * i * 17) % 255) as u8).collect()
}

#[test]
fn b_10_random_programs_do_what_another_interpreter_says() {
    if beef("probe", "+.", b"").is_none() {
        println!("skipped: `beef` is not installed (apt-get install beef)");
        return;
    }
    let (mut cycles, mut bytes) = (0, 0);
    for seed in 0..240 {
        let source = generate(seed, 20 + seed as usize % 60);
        let program = Program::compile(&source).expect("generated programs compile");
        let input = input(seed);
        let ours = run(&program, &input, &Options::default()).expect("generated programs end");
        let theirs = beef(&format!("random_{seed}"), &source, &input).expect("it is installed");
        assert_eq!(ours.output, theirs, "seed {seed}: {source}");
        (cycles, bytes) = (cycles + ours.cycles, bytes + ours.output.len());
    }
    assert!(
        cycles > 100_000 && bytes > 1_000,
        "the programs are dull: {cycles} cycles, {bytes} bytes"
    );
    for (name, source) in [
        ("hello", programs::HELLO),
        ("echo", programs::ECHO),
        ("reverse", programs::REVERSE),
        ("squares", programs::SQUARES),
        ("sort", programs::SORT),
        ("million", programs::MILLION),
    ] {
        let program = Program::compile(source).expect("our programs compile");
        let input = b"pack my box with five dozen jugs";
        let ours = run(&program, input, &Options::default()).expect("our programs end");
        assert_eq!(Some(ours.output), beef(name, source, input), "{name}");
    }
}

#[test]
fn b_10_random_programs_are_proven() {
    for seed in 0..12 {
        let source = generate(seed, 12);
        let program = Program::compile(&source).expect("generated programs compile");
        let run = run(&program, &input(seed), &Options::default()).expect("generated programs end");
        if run.cycles > 0 {
            Case::new(&source, &input(seed)).accepts();
        }
    }
}
