//! Forged runs: rows that their own chips accept, and the rest of the machine does not.

use std::collections::BTreeSet;

use chipwright_dsl::Input as Rows;
use chipwright_ir::Field;
use chipwright_ir::chip::ColumnId;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{FillOptions, Forge, MachineInput, Report, check, fill_with};
use chipwright_mips::machine::bus::{number, register};
use chipwright_mips::machine::image::rows;
use chipwright_mips::machine::memory::{Leaf, Node};
use chipwright_mips::machine::trace::Tracer;
use chipwright_mips::{Executor, Input};
use chipwright_mips_isa::{A0, A1, Assembler, RA, T0, V0, V1, ZERO};

use crate::{DATA, assembled, machine_ir};

/// The shard of a program that is executed to its last instruction.
fn shard(emit: impl FnOnce(&mut Assembler)) -> (Tracer, MachineInput) {
    let program = assembled(emit, &[11, 22, 33]);
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    executor.state_mut().set(A0, DATA);
    let mut tracer = Tracer::new(&program, executor.state());
    let length = program.words().count() as u64;
    executor.run_until(length, &mut tracer).expect("nothing goes wrong");
    let machine_input = tracer.clone().finish(executor.state()).expect("there are chips");
    (tracer, machine_input)
}

/// What a check says of a shard with forged cells of a row of a chip.
fn report(input: &MachineInput, chip: &str, row: usize, forged: &[(&str, i128)]) -> Report {
    let machine = machine_ir();
    let columns = &machine.chips[machine.position(chip).expect("the chip is there")].columns;
    let forge = forged.iter().map(|&(name, value)| {
        let column = columns.iter().position(|column| column.name == name).expect("a column");
        let value = Field::Goldilocks2.reduce(value);
        Forge { chip: chip.to_owned(), row, column: ColumnId::new(column), value }
    });
    let forge = forge.collect();
    let options = FillOptions { forge, allow_missing_entries: true, ..FillOptions::default() };
    let trace = fill_with::<Goldilocks2>(machine, input, &options).expect("it can be filled");
    check::<Goldilocks2>(machine, &trace)
}

/// The buses that do not balance; no rule fails.
#[track_caller]
fn unbalanced(report: &Report) -> BTreeSet<&str> {
    assert!(report.rules.is_empty(), "{report}");
    report.tuples.iter().map(|tuple| tuple.bus.as_str()).collect()
}

#[test]
fn m_16_a_read_sees_the_latest_write() {
    let (_, input) = shard(|asm| {
        asm.addiu(V0, ZERO, 1);
        asm.addiu(V0, ZERO, 2);
        asm.addu(V1, V0, ZERO);
    });
    assert!(report(&input, "add_sub", 0, &[]).is_ok());
    // It was written at 3 and at 11, and is read at 16.
    let stale = report(&input, "add_sub", 0, &[("first.value", 1), ("first.elapsed", 12)]);
    assert_eq!(unbalanced(&stale), BTreeSet::from(["memory"]));
    let tuples: Vec<(&[u64], i128)> =
        stale.tuples.iter().map(|tuple| (&tuple.tuple[..], tuple.balance)).collect();
    assert!(tuples.contains(&(&[register(2), 3, 1], -1)), "taken twice, left once: {stale}");
    assert!(tuples.contains(&(&[register(2), 11, 2], 1)), "left and not taken: {stale}");
    // The reads of two rows swapped.
    let swapped = report(&input, "add_sub", 0, &[("first.elapsed", 12)]);
    assert_eq!(unbalanced(&swapped), BTreeSet::from(["memory"]));
}

#[test]
fn m_16_memory_begins_as_the_root_says() {
    let (_, input) = shard(|asm| {
        asm.lw(V0, 0, A0);
        asm.lw(V1, 12, A0);
    });
    assert!(report(&input, "leaf", 0, &[]).is_ok());
    // The first leaf is that of the data; its fourth word is zero.
    for word in ["before[0]", "before[3]"] {
        let forged = report(&input, "leaf", 0, &[(word, 99)]);
        assert!(unbalanced(&forged).contains("image"), "{forged}");
    }
}

#[test]
fn m_16_zero_is_never_written() {
    let (tracer, input) = shard(|asm| {
        asm.addiu(ZERO, A0, 5);
        asm.addu(V0, ZERO, ZERO);
    });
    assert_eq!(tracer.accesses().value(register(number::SCRATCH)), u64::from(DATA) + 5);
    let forged = report(&input, "add_constant", 0, &[("target.register", register(0).into())]);
    assert!(unbalanced(&forged).contains("program"), "{forged}");
}

#[test]
fn m_17_a_jump_goes_where_the_program_and_the_register_say() {
    let (_, input) = shard(|asm| {
        asm.jal("next");
        asm.nop();
        asm.routine("next");
        asm.addiu(RA, RA, 12);
        asm.jr(RA);
        asm.nop();
        asm.nop();
    });
    assert!(report(&input, "jump", 0, &[]).is_ok());
    let forged = report(&input, "jump", 0, &[("constant", 0x100c)]);
    assert!(unbalanced(&forged).contains("program"), "{forged}");
    let forged = report(&input, "jump_register", 0, &[("first.value", 0x1004)]);
    assert!(unbalanced(&forged).contains("memory"), "{forged}");
}

#[test]
fn a_leaf_between_memory_and_the_registers_has_no_path() {
    let (tracer, honest) = shard(|asm| {
        asm.lw(V0, 0, A0);
        asm.sw(V0, 4, A0);
        asm.addu(T0, V0, A1);
    });
    let mut accesses = tracer.accesses().clone();
    let (_, publics) = honest.publics.iter().find(|(chip, _)| chip == "boundary").unwrap();
    accesses.clear(publics[publics.len() - 5]);
    let (accessed, before) = (accesses.accessed(), accesses.before());
    let touched: BTreeSet<u64> = accessed.keys().map(|address| address / 64).collect();
    let time = |address| accessed.get(&address).map(|&(time, _)| time);
    for (leaf, is_sealed) in [(0, false), (1 << 26, true), (1 << 27, true), (3 << 26, false)] {
        let mut touched = touched.clone();
        touched.insert(leaf);
        let touched: Vec<u64> = touched.into_iter().collect();
        let mut after = before.clone();
        let replaced = touched.iter().map(|&index| {
            let mut words = before.leaf(index);
            for (place, word) in words.iter_mut().enumerate() {
                *word = accesses.value(64 * index + 4 * place as u64);
            }
            (index, words)
        });
        let replaced: Vec<_> = replaced.collect();
        after.update(replaced);
        let (leaves, nodes) = rows(before, &after, &touched, accesses.start(), time);
        let other = Rows::new(Field::Goldilocks2).rows::<Leaf>(leaves).rows::<Node>(nodes);
        let mut input = honest.clone();
        input.rows.retain(|(chip, _)| chip != "leaf" && chip != "node");
        input.rows.extend(other.into_ir().rows);
        let report = report(&input, "leaf", 0, &[]);
        assert_eq!(!report.is_ok(), is_sealed, "leaf {leaf:#x}: {report}");
        if is_sealed {
            assert_eq!(unbalanced(&report), BTreeSet::from(["image"]));
        }
    }
}
