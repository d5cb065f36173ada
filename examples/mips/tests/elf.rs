//! Files that are no programs are refused, one by one and by the thousand.

mod image;

use chipwright_mips::{ElfError, Executor, Input, Program, ProgramError};
use chipwright_mips_isa::{Assembler, T0, V0, ZERO};
use image::{HEADER, PROGRAM_HEADER};
use proptest::prelude::*;

const BASE: u32 = 0x40_0000;
const DATA: u32 = 0x1000_0000;

/// A program that stores a word and ends.
fn file() -> Vec<u8> {
    let mut asm = Assembler::new();
    asm.li(T0, DATA);
    asm.sw(T0, 4, T0);
    asm.li(V0, 0);
    asm.syscall(0);
    asm.nop();
    image::elf(&asm.finish(BASE).expect("sound"), (DATA, &[1, 2, 3]))
}

/// The file with other bytes at an offset.
fn with(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    file
}

fn error(file: &[u8]) -> ElfError {
    Program::from_elf(file).expect_err("the file is no program")
}

/// The offset of a word of the second program header.
fn second(word: usize) -> usize {
    HEADER + PROGRAM_HEADER + 4 * word
}

#[test]
fn m_01_a_program_is_loaded() {
    let program = Program::from_elf(&file()).expect("sound");
    assert_eq!((program.entry(), program.end()), (BASE, DATA + 12));
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    assert_eq!(executor.run(10, &mut ()), Ok(0));
    assert_eq!(executor.state().memory.load(DATA + 4), Ok(DATA));
}

#[test]
fn m_01_other_formats_are_refused() {
    assert_eq!(error(b""), ElfError::Magic);
    assert_eq!(error(b"#!/bin/sh"), ElfError::Magic);
    assert_eq!(error(&with(0, &[0])), ElfError::Magic);
    assert_eq!(error(&with(4, &[2])), ElfError::Class);
    assert_eq!(error(&with(5, &[2])), ElfError::BigEndian);
    assert_eq!(error(&with(4, &[7])), ElfError::Magic, "no class");
    assert_eq!(error(&with(18, &[243, 0])), ElfError::Machine { machine: 243 });
    assert_eq!(error(&with(16, &[3, 0])), ElfError::Kind { kind: 3 });
}

#[test]
fn m_01_an_entry_that_is_no_instruction_is_refused() {
    let entry = |entry: u32| error(&with(24, &entry.to_le_bytes()));
    let program = |error| ElfError::Program(error);
    assert_eq!(entry(BASE + 2), program(ProgramError::UnalignedEntry { entry: BASE + 2 }));
    assert_eq!(entry(DATA), program(ProgramError::EntryOutside { entry: DATA }));
    assert_eq!(entry(BASE + 24), program(ProgramError::EntryOutside { entry: BASE + 24 }));
}

#[test]
fn m_01_segments_that_cannot_be_in_memory_are_refused() {
    let address = |address: u32| error(&with(second(2), &address.to_le_bytes()));
    let overlap = ProgramError::Overlap { first: BASE, second: BASE + 16 };
    assert_eq!(address(BASE + 16), ElfError::Program(overlap));
    let outside = ProgramError::OutOfRange { address: 0xffff_fff8, size: 12 };
    assert_eq!(address(0xffff_fff8), ElfError::Program(outside));
    let short = error(&with(second(5), &4_u32.to_le_bytes()));
    let longer = ProgramError::Longer { address: DATA, size: 4, bytes: 12 };
    assert_eq!(short, ElfError::Program(longer));
    let mut text = with(HEADER + 8, &0xffff_ffe0_u32.to_le_bytes());
    text[24..28].copy_from_slice(&0xffff_ffe0_u32.to_le_bytes());
    let end = ProgramError::TextEnd { address: 0xffff_ffe0 };
    assert_eq!(error(&text), ElfError::Program(end));
}

#[test]
fn m_01_a_truncated_file_is_refused_wherever_it_ends() {
    let file = file();
    for length in 0..file.len() {
        let error = error(&file[..length]);
        let expected = matches!(error, ElfError::Magic | ElfError::Truncated { .. });
        assert!(expected, "{length} bytes: {error}");
    }
    let offset = error(&with(28, &0xffff_fff0_u32.to_le_bytes()));
    assert!(matches!(offset, ElfError::Truncated { what: "program headers", .. }), "{offset}");
    let segment = error(&with(second(1), &0xffff_ffff_u32.to_le_bytes()));
    assert!(matches!(segment, ElfError::Truncated { what: "segment", .. }), "{segment}");
}

#[test]
fn a_segment_without_bytes_in_the_file_may_begin_beyond_its_end() {
    // The second segment: its offset, and the number of its bytes in the file.
    let mut file = with(second(1), &0xffff_0000_u32.to_le_bytes());
    let bytes = second(4);
    file[bytes..bytes + 4].fill(0);
    Program::from_elf(&file).expect("its bytes are zero");
}

#[test]
fn m_01_absurd_counts_are_refused() {
    let headers = |count: u16, size: u16| {
        let bytes = [size.to_le_bytes(), count.to_le_bytes()].concat();
        error(&with(42, &bytes))
    };
    assert_eq!(headers(0, 32), ElfError::Headers { count: 0, size: 32 });
    assert_eq!(headers(0xffff, 32), ElfError::Headers { count: 0xffff, size: 32 });
    assert_eq!(headers(2, 0), ElfError::Headers { count: 2, size: 0 });
    let many = headers(0xfffe, 32);
    assert!(matches!(many, ElfError::Truncated { what: "program headers", .. }), "{many}");
}

#[test]
fn a_file_whose_segments_share_bytes_is_refused() {
    // The second segment becomes all of the file, as every one of a thousand could.
    let length = file().len() as u32;
    let mut file = with(second(1), &0_u32.to_le_bytes());
    for word in [4, 5] {
        file[second(word)..second(word) + 4].copy_from_slice(&length.to_le_bytes());
    }
    let taken = u64::from(length) + 20;
    assert_eq!(error(&file), ElfError::Shared { bytes: taken, len: length as usize });
}

#[test]
fn memory_that_a_header_promises_is_not_taken() {
    let program =
        Program::from_elf(&with(second(5), &0xe000_0000_u32.to_le_bytes())).expect("it fits");
    let input = Input::default();
    let executor = Executor::new(&program, &input);
    assert!(executor.state().memory.resident() < 1 << 16);
    assert_eq!(executor.state().memory.load(DATA + 0xdfff_fffc), Ok(0));
}

#[test]
fn m_01_words_that_are_no_instructions_are_an_error_only_if_they_are_executed() {
    let mut asm = Assembler::new();
    let end = asm.label();
    asm.beq(ZERO, ZERO, end);
    asm.li(V0, 0);
    asm.nop();
    asm.place(end);
    asm.syscall(0);
    let mut code = asm.finish(BASE).expect("sound");
    code.words[2] = 0x4600_0000;
    let run = |code: &_| {
        let program = Program::from_elf(&image::elf(code, (DATA, &[0]))).expect("sound");
        let input = Input::default();
        let result = Executor::new(&program, &input).run(10, &mut ());
        result.map_err(|error| error.to_string())
    };
    assert_eq!(run(&code), Ok(0));
    code.words.swap(0, 2);
    let error = run(&code).expect_err("it is executed now");
    assert!(
        error.starts_with("0x46000000 is no instruction (of the floating-point unit"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn m_01_no_file_makes_the_loader_panic(
        bytes in prop::collection::vec((0..200_usize, any::<u8>()), 1..6),
        late in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        length in any::<prop::sample::Index>(),
    ) {
        let mut file = file();
        for (offset, byte) in bytes {
            file[offset] = byte;
        }
        for (offset, byte) in late {
            let offset = offset.index(file.len());
            file[offset] = byte;
        }
        // Every other file is cut.
        let length = length.index(2 * file.len()).max(60).min(file.len());
        if let Ok(program) = Program::from_elf(&file[..length]) {
            let input = Input::default();
            let mut executor = Executor::new(&program, &input);
            // Whatever happens is an error or an exit code.
            let _ = executor.run(100, &mut ());
            prop_assert!(executor.state().memory.resident() <= 64 << 12);
        }
    }
}
