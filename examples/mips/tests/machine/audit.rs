//! The chips on their own: nobody can make a row say anything else.

use std::collections::BTreeMap;

use chipwright_ir::audit::{AuditOptions, audit};
use chipwright_ir::machine::{ChipRows, MachineInput};
use chipwright_mips::machine::instruction::INSTRUCTIONS;
use chipwright_mips::machine::trace::Tracer;
use chipwright_mips::{Executor, Input};

use crate::opcodes::programs;
use crate::program;
use crate::single::alone;

/// The rows of all chips of instructions, from programs that have them.
fn honest_rows() -> BTreeMap<String, ChipRows> {
    let mut all: BTreeMap<String, ChipRows> = BTreeMap::new();
    let mut programs = programs();
    programs.push((program(), 10_000));
    for (program, limit) in programs {
        let input = Input::default();
        let mut executor = Executor::new(&program, &input);
        let mut tracer = Tracer::new(&program, executor.state());
        executor.run_until(limit, &mut tracer).expect("nothing goes wrong");
        let input = tracer.finish(executor.state()).expect("there are chips");
        for (chip, rows) in input.rows {
            all.entry(chip).or_default().append(&rows);
        }
    }
    all
}

/// Rows of each run that is forged: no more are looked at.
const ROWS: usize = 8;

/// Honest runs of a chip.
const RUNS: usize = 6;

/// Rules that are needed though no forgery of the audit needs them: the chip, the rule, and why. Tests in `forged.rs` violate them.
const NOT_FOUND: &[(&str, &str, &str)] = &[
    ("multiply", "a carry is −1, 0 or 1", "only a fraction of 2^32 is another one"),
    ("divide", "without a sign, it is the magnitude", "only a large divisor has an alias"),
    ("trap", "equal numbers have no difference", "a trap has no result"),
];

#[test]
fn every_chip_of_an_instruction_passes_its_audit() {
    let rows = honest_rows();
    let only = std::env::var("CHIP").ok();
    let mut complaints = Vec::new();
    let names = INSTRUCTIONS.iter().map(|chip| (chip.name)());
    for name in names.chain(["refresh".to_owned()]) {
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let rows = &rows[&name];
        let step = rows.len().div_ceil(ROWS * RUNS).max(1);
        let picked: Vec<&[u64]> = rows.iter().step_by(step).collect();
        let runs = picked.len().div_ceil(ROWS);
        let inputs: Vec<MachineInput> = (0..runs)
            .map(|run| {
                let rows = picked.iter().skip(run).step_by(runs).map(|row| row.iter().copied());
                MachineInput { rows: vec![(name.clone(), rows.collect())], ..Default::default() }
            })
            .collect();
        let redundant = NOT_FOUND.iter().filter(|(chip, ..)| *chip == name);
        let redundant =
            redundant.map(|&(_, rule, why)| (rule.to_owned(), why.to_owned())).collect();
        let options = AuditOptions { redundant, ..AuditOptions::default() };
        let audited = audit(&alone(&name), &name, &inputs, &options)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        complaints.extend(audited.complaints().iter().map(|text| format!("{name}: {text}")));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
