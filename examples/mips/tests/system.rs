//! System calls satisfy the rules of the machine, and only as the executor makes them.

use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{MachineInput, Report, check, fill};
use chipwright_mips::machine::image::image;
use chipwright_mips::machine::machine;
use chipwright_mips::machine::trace::Tracer;
use chipwright_mips::{Executor, Input, Program};
use chipwright_mips_isa::{A0, A1, A2, A3, Assembler, S0, T0, V0, ZERO};

/// Where data is.
const DATA: u32 = 0x2000;

fn program(body: impl FnOnce(&mut Assembler)) -> Program {
    let mut asm = Assembler::new();
    asm.routine("main");
    body(&mut asm);
    let code = asm.finish(0x1000).expect("labels have places");
    Program::assembled(&code, (DATA, &[0x0403_0201; 8])).expect("the program is sound")
}

/// A call with up to four arguments.
fn call(asm: &mut Assembler, number: u32, arguments: &[u32]) {
    for (register, &argument) in [A0, A1, A2, A3].into_iter().zip(arguments) {
        asm.li(register, argument);
    }
    asm.li(V0, number);
    asm.syscall(0);
}

/// The input of the machine for a whole run; its end is the executor's.
fn traced(program: &Program, input: &Input) -> MachineInput {
    let mut executor = Executor::new(program, input);
    let mut tracer = Tracer::new(program, executor.state());
    executor.run(10_000, &mut tracer).expect("the program ends");
    let state = executor.state();
    let traced = tracer.finish(state).expect("there are chips for all instructions");
    let (_, publics) = traced.publics.iter().find(|(chip, _)| chip == "boundary").unwrap();
    let end = &publics[publics.len() - 8..];
    assert_eq!(end[..2], [1, state.exit.unwrap().into()]);
    assert_eq!(end[4..], image(state).root(), "memory is that of the executor");
    traced
}

fn checked(input: &MachineInput) -> Report {
    let machine = machine().expect("the chips fit together");
    let trace = fill::<Goldilocks2>(&machine, input).expect("the tables can be filled");
    check::<Goldilocks2>(&machine, &trace)
}

/// How many rows a chip has.
fn rows(input: &MachineInput, chip: &str) -> usize {
    input.rows.iter().find(|(name, _)| name == chip).map_or(0, |(_, rows)| rows.len())
}

#[test]
fn every_kind_of_call_satisfies_the_machine() {
    let program = program(|asm| {
        call(asm, 0xf0, &[]);
        asm.addu(S0, V0, ZERO);
        asm.li(A0, DATA);
        asm.addu(A1, S0, ZERO);
        asm.li(V0, 0xf1);
        asm.syscall(0);
        // Unaligned, within a word, and more than there is.
        call(asm, 4003, &[0, DATA + 6, 1]);
        call(asm, 4003, &[0, DATA + 9, 2]);
        call(asm, 4003, &[0, DATA + 13, 7]);
        call(asm, 4003, &[0, DATA + 20, 100]);
        call(asm, 4003, &[0, DATA + 3, 0]);
        call(asm, 2, &[1, DATA, 8]);
        call(asm, 4004, &[2, DATA + 1, 3]);
        call(asm, 3, &[]);
        call(asm, 0x1a, &[0, 0]);
        call(asm, 4024, &[]);
        call(asm, 4338, &[]);
        call(asm, 4045, &[0]);
        asm.addiu(A0, V0, 256);
        asm.li(V0, 4045);
        asm.syscall(0);
        call(asm, 0x10, &[7, 0xffff_ffff]);
        call(asm, 0x10, &[0, 0]);
        call(asm, 0x10, &[0, 0]);
        call(asm, 4246, &[0x1234_5603]);
    });
    let buffers = vec![b"hello, world".to_vec(), b"further".to_vec()];
    let input = traced(&program, &Input { buffers });
    let report = checked(&input);
    assert!(report.is_ok(), "{report}");
    assert_eq!(rows(&input, "read"), 6);
    // Three words of the hint; one, one, two (up to byte 20), one.
    assert_eq!(rows(&input, "input_word"), 3 + 1 + 1 + 2 + 1);
    assert_eq!(rows(&input, "answer"), 7);
    assert_eq!([rows(&input, "commit"), rows(&input, "grow"), rows(&input, "halt")], [3, 2, 1]);
}

/// Mappings, a thread pointer, the time, buffers at once, randomness, and answers about descriptors.
fn linux(asm: &mut Assembler) {
    // Anonymous and private: one byte, a page, and more than a page, with other flags that do not matter.
    call(asm, 4090, &[0, 1, 3, 0x802]);
    call(asm, 4210, &[0x5000_0000, 4096, 3, 0x802]);
    call(asm, 4090, &[0, 0x1_0001, 7, 0x8000_f80f]);
    call(asm, 4283, &[0xffff_fff0]);
    call(asm, 4263, &[1, DATA + 8]);
    // A list of two buffers, of four and seven bytes.
    for (offset, word) in [(16, DATA), (20, 4), (24, DATA + 1), (28, 7)] {
        asm.li(S0, DATA);
        asm.li(T0, word);
        asm.sw(T0, offset, S0);
    }
    for count in [0, 1, 2] {
        call(asm, 4146, &[1, DATA + 16, count]);
    }
    call(asm, 4353, &[DATA + 1, 6, 0]);
    call(asm, 4353, &[DATA + 1, 0, 0]);
    call(asm, 4054, &[1, 0x5401, DATA]);
    for (descriptor, command) in [(0, 3), (1, 3), (2, 4)] {
        call(asm, 4055, &[descriptor, command, 0]);
    }
    asm.sw(V0, 0, S0);
    call(asm, 4246, &[0]);
}

#[test]
fn calls_of_linux_satisfy_the_machine() {
    let input = traced(&program(linux), &Input::default());
    let report = checked(&input);
    assert!(report.is_ok(), "{report}");
    assert_eq!([rows(&input, "assign"), rows(&input, "vector")], [4, 4]);
    assert_eq!([rows(&input, "read"), rows(&input, "answer")], [2, 4]);
}

#[test]
fn calls_that_fail_otherwise_than_by_a_table_have_no_chip() {
    for arguments in [
        // Mappings of a file, at a fixed address, of nothing.
        &[4090, 0, 4096, 3, 0x002][..],
        &[4090, 0, 4096, 3, 0x812],
        &[4090, 0, 0, 3, 0x802],
        // Descriptors that are none.
        &[4003, 1, DATA, 4],
        &[4004, 4, DATA, 4],
        &[4054, 3, 0, 0],
        // Three buffers, and a time at an address that is not aligned.
        &[4146, 1, DATA, 3],
        &[4263, 0, DATA + 2],
    ] {
        let program = program(|asm| {
            for offset in [4, 12, 20] {
                asm.li(S0, DATA);
                asm.sw(ZERO, offset, S0);
                asm.sw(S0, offset - 4, S0);
            }
            call(asm, arguments[0], &arguments[1..]);
            call(asm, 0, &[0]);
        });
        let input = Input::default();
        let mut executor = Executor::new(&program, &input);
        let mut tracer = Tracer::new(&program, executor.state());
        executor.run(10_000, &mut tracer).expect("the program ends");
        let error = tracer.finish(executor.state()).expect_err("no chip proves it");
        assert!(error.to_string().contains("syscall"), "{arguments:?}: {error}");
    }
}

#[test]
fn programs_end_with_all_of_their_exit_code_or_its_lowest_byte() {
    for (number, code) in [(0, 0x1234_5678), (4001, 0x1ff), (4246, 0), (0, 0xffff_ffff)] {
        let program = program(|asm| call(asm, number, &[code]));
        let report = checked(&traced(&program, &Input::default()));
        assert!(report.is_ok(), "{report}");
    }
}

/// What a run is, with one cell of a record changed. The record is that of the only row of a chip.
fn forged(input: &MachineInput, chip: &str, cell: usize, value: u64) -> MachineInput {
    let mut input = input.clone();
    let (_, rows) = input.rows.iter_mut().find(|(name, _)| name == chip).unwrap();
    let mut changed: Vec<Vec<u64>> = rows.iter().map(<[u64]>::to_vec).collect();
    assert_ne!(changed[0][cell], value);
    changed[0][cell] = value;
    *rows = changed.into_iter().collect();
    input
}

#[test]
fn no_cell_of_a_call_can_be_another() {
    let program = program(|asm| {
        call(asm, 4003, &[0, DATA + 1, 2]);
        call(asm, 0x10, &[3, 77]);
        call(asm, 4045, &[0x10_0000]);
        call(asm, 4004, &[1, DATA, 4]);
        call(asm, 0, &[5]);
    });
    let input = traced(&program, &Input { buffers: vec![b"ab".to_vec()] });
    // What the prover may choose: the bytes of the input, which show in memory, and a hint that is not asked for.
    let chips = ["read", "input_word", "commit", "grow", "halt"].map(|chip| (chip, &[][..]));
    no_cell_can_be_another(&input, &chips);
    no_cell_can_be_another(&input, &[("answer", &[26])]);
}

#[test]
fn no_cell_of_a_call_of_linux_can_be_another() {
    let calls: [(&str, &[u32]); 8] = [
        ("assign", &[4090, 0, 5000, 3, 0x8765_f82f]),
        ("assign", &[4210, 0, 4096, 3, 0x802]),
        ("assign", &[4283, 0xffff_fff0, 1, 2, 3]),
        ("vector", &[4263, 0, DATA]),
        ("vector", &[4146, 1, DATA, 2]),
        ("vector", &[4146, 2, DATA, 1]),
        ("vector", &[4146, 3, DATA, 0]),
        ("read", &[4353, DATA + 1, 2]),
    ];
    for (chip, arguments) in calls {
        let program = program(|asm| {
            asm.li(S0, DATA);
            for (offset, word) in [(0, DATA), (4, 3), (8, DATA), (12, 5)] {
                asm.li(T0, word);
                asm.sw(T0, offset, S0);
            }
            call(asm, arguments[0], &arguments[1..]);
            call(asm, 0, &[5]);
        });
        let input = traced(&program, &Input::default());
        no_cell_can_be_another(&input, &[(chip, &[])]);
    }
}

#[test]
fn a_mapping_ends_at_the_first_page_behind_it() {
    let program = program(|asm| {
        call(asm, 4090, &[0, 5000, 3, 0x802]);
        call(asm, 0, &[5]);
    });
    let input = traced(&program, &Input::default());
    // `pages`, `less` and `room`, of two digits each, behind the registers of the call, two bits and the end before.
    let (_, rows) = input.rows.iter().find(|(name, _)| name == "assign").unwrap();
    let row = rows.iter().next().unwrap();
    let word = |cell: usize| row[cell] + (row[cell + 1] << 16);
    assert_eq!([word(19) * 4096 + word(23), word(21)], [0x7000_0000, 4999]);
    for (pages, room) in [(1_i64, -4096_i64), (-1, 4096)] {
        let mut other = input.clone();
        for (cell, by) in [(19, pages), (23, room)] {
            let value = word(cell).wrapping_add_signed(by);
            for (cell, digit) in [(cell, value & 0xffff), (cell + 1, value >> 16)] {
                if row[cell] != digit {
                    other = forged(&other, "assign", cell, digit);
                }
            }
        }
        // The distance to the end of what was asked for is computed, and in no range.
        let verdict = fill::<Goldilocks2>(&machine().unwrap(), &other);
        let error = verdict.expect_err("the distance is below a page").to_string();
        assert!(error.contains("u16"), "{error}");
    }
}

/// Whether runs in which a cell of the first row of these chips is changed are refused, but for some that are free.
fn no_cell_can_be_another(input: &MachineInput, chips: &[(&str, &[usize])]) {
    assert!(checked(input).is_ok(), "{}", checked(input));
    for &(chip, free) in chips {
        let (_, rows) = input.rows.iter().find(|(name, _)| name == chip).unwrap();
        let row = rows.iter().next().unwrap().to_vec();
        for (cell, &value) in row.iter().enumerate().filter(|(cell, _)| !free.contains(cell)) {
            let other = forged(input, chip, cell, u64::from(value == 0));
            let machine = machine().unwrap();
            // A cell that has a type is refused when tables are filled.
            let Ok(trace) = fill::<Goldilocks2>(&machine, &other) else { continue };
            let report = check::<Goldilocks2>(&machine, &trace);
            assert!(!report.is_ok(), "cell {cell} of `{chip}` may be another than {value}");
        }
    }
}

#[test]
fn a_word_is_committed_once() {
    let program = program(|asm| {
        call(asm, 0x10, &[3, 77]);
        call(asm, 0x10, &[3, 78]);
        call(asm, 0, &[0]);
    });
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    let mut tracer = Tracer::new(&program, executor.state());
    while executor.state().committed[3].is_none() {
        let next = executor.state().clock + 1;
        executor.run_until(next, &mut tracer).expect("the first call is fine");
    }
    // An executor that forgets what was committed.
    executor.state_mut().committed[3] = None;
    executor.run(10_000, &mut tracer).expect("the program ends");
    let input = tracer.finish(executor.state()).expect("there are chips for all instructions");
    let report = checked(&input).to_string();
    assert!(report.contains("a word is set once"), "{report}");
}

#[test]
fn what_is_discarded_does_not_show_in_memory() {
    let program = program(|asm| {
        asm.addiu(ZERO, ZERO, 7);
        call(asm, 0, &[0]);
    });
    let input = traced(&program, &Input::default());
    let report = checked(&input);
    assert!(report.is_ok(), "{report}");
}
