//! Parts of runs of programs that compilers made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chipwright_mips::{Executor, Input, Program};
use chipwright_mips_isa::Opcode;

use crate::{assert_holds, filled, traced};

/// The instructions of a part, at most.
const PART: u64 = 1_500;

/// Whether the next instruction is a system call.
fn is_at_call(executor: &Executor, program: &Program) -> bool {
    let instruction = program.instruction(executor.state().pc).flatten();
    instruction.is_some_and(|instruction| instruction.opcode == Opcode::Syscall)
}

/// Executes up to a system call, or a clock.
fn run_to_call(executor: &mut Executor, program: &Program, limit: u64) {
    while executor.state().clock < limit && !is_at_call(executor, program) {
        let next = executor.state().clock + 1;
        executor.run_until(next, &mut ()).expect("nothing goes wrong");
    }
}

#[test]
fn parts_of_runs_satisfy_the_machine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for guest in
        ["atomic", "bits.O0", "crc32.Os", "div64", "json", "matrix.O0", "sha256", "sort.Os"]
    {
        let file = fs::read(folder.join("elf").join(format!("{guest}.elf"))).expect("it is there");
        let program = Program::from_elf(&file).expect("compilers make sound programs");
        let input = Input::default();
        // From the beginning, and from the middle of what is executed until a fault or the end.
        let mut whole = Executor::new(&program, &input);
        let _ = whole.run(20_000_000, &mut ());
        for start in [0, whole.state().clock / 2] {
            let mut executor = Executor::new(&program, &input);
            executor.run_until(start, &mut ()).expect("nothing goes wrong");
            while is_at_call(&executor, &program) {
                let next = executor.state().clock + 1;
                executor.run_until(next, &mut ()).expect("nothing goes wrong");
            }
            let mut ahead = executor.clone();
            let limit = executor.state().clock + PART;
            run_to_call(&mut ahead, &program, limit);
            let tracer = traced(&mut executor, &program, ahead.state().clock);
            for (chip, count) in tracer.rows() {
                *rows.entry(chip).or_default() += count;
            }
            assert_holds(&filled(tracer, executor.state()));
        }
    }
    let used = rows.values().filter(|count| **count > 0).count();
    assert!(used >= 20, "compilers use most of the chips: {rows:?}");
}
