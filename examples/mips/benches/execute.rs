//! Instructions a second, without and with observers, and qemu's on the same program: `cargo bench -p chipwright-mips`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use chipwright_mips::{Counts, Executor, Input, Observer, Program};

/// The best of several runs: others use the machine, too.
const RUNS: usize = 5;

fn best(mut run: impl FnMut()) -> f64 {
    let seconds = (0..RUNS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

fn execute(program: &Program, observer: &mut impl Observer) -> u64 {
    let input = Input::default();
    let mut executor = Executor::new(program, &input);
    executor.run(1 << 32, observer).expect("the guest ends");
    executor.state().clock
}

fn main() {
    println!("| guest | instructions | million a second | counting | qemu-mipsel |");
    println!("|---|---|---|---|---|");
    for name in ["million", "million.O0", "modexp.O0", "sort.O0", "strings"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("guests/elf/{name}.elf"));
        let file = std::fs::read(&path).expect("the guest is there");
        let program = Program::from_elf(&file).expect("the guest is sound");
        let mut instructions = 0;
        let plain = best(|| instructions = execute(&program, &mut ()));
        let counted = best(|| {
            execute(&program, &mut Counts::new(&program));
        });
        let qemu = || Command::new("qemu-mipsel").arg(&path).stdout(Stdio::null()).status();
        let qemu = match qemu() {
            Ok(_) => Some(best(|| drop(qemu()))),
            Err(_) => None,
        };
        let rate = |seconds: f64| format!("{:.0}", instructions as f64 / seconds / 1e6);
        let qemu = qemu.map_or("not installed".to_owned(), rate);
        println!("| {name} | {instructions} | {} | {} | {qemu} |", rate(plain), rate(counted));
    }
}
