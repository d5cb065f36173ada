//! Instructions a second of processor time, without and with observers, and qemu's on the same program:
//! `cargo bench -p chipwright-mips`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use chipwright_mips::{Counts, Executor, Input, Observer, Program};

/// The best of several runs: others use the machine, too.
const RUNS: usize = 5;

/// The seconds that this process has had on a processor, and those of its children, as Linux counts them.
fn processor_time() -> (f64, f64) {
    let own = fs::read_to_string("/proc/self/schedstat").expect("the bench runs on Linux");
    let nanoseconds = own.split(' ').next().and_then(|text| text.parse().ok());
    let status = fs::read_to_string("/proc/self/stat").expect("the bench runs on Linux");
    // Behind the name, which may have blanks, the fourteenth and fifteenth numbers are ticks of children.
    let numbers = status.rsplit(") ").next().unwrap_or_default();
    let ticks = numbers.split(' ').skip(13).take(2).filter_map(|text| text.parse::<f64>().ok());
    (nanoseconds.unwrap_or(f64::NAN) / 1e9, ticks.sum::<f64>() / 100.0)
}

fn best(mut run: impl FnMut()) -> f64 {
    let seconds = (0..RUNS).map(|_| {
        let before = processor_time();
        run();
        let after = processor_time();
        (after.0 - before.0) + (after.1 - before.1)
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
    for name in ["million", "million.O0", "modexp.O0", "sort.O0"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("guests/elf/{name}.elf"));
        let file = fs::read(&path).expect("the guest is there");
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
