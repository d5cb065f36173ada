//! ELF files of assembled programs.

use chipwright_mips_isa::Code;

/// The bytes of the file header, and those of each program header.
pub(crate) const HEADER: usize = 52;
pub(crate) const PROGRAM_HEADER: usize = 32;

/// An ELF file of code and writable data: two segments, and nothing else.
pub(crate) fn elf(code: &Code, data: (u32, &[u32])) -> Vec<u8> {
    let bytes =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let segments = [(code.base, bytes(&code.words), 5), (data.0, bytes(data.1), 6)];
    let mut file = vec![0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    half(&mut file, 2);
    half(&mut file, 8);
    // Version, entry, program headers, section headers, flags: o32 for release 2.
    for value in [1, code.base, HEADER as u32, 0, 0x7000_1000] {
        word(&mut file, value);
    }
    for value in [HEADER as u16, PROGRAM_HEADER as u16, segments.len() as u16, 40, 0, 0] {
        half(&mut file, value);
    }
    // Files are mapped in pages, so an offset is that of the address in its page.
    let mut offset = 0x1000;
    let mut contents = Vec::new();
    for (address, bytes, flags) in segments {
        let at = offset + address % 0x1000;
        let size = bytes.len() as u32;
        for value in [1, at, address, address, size, size, flags, 0x1000] {
            word(&mut file, value);
        }
        contents.push((at as usize, bytes));
        offset = (at + size).next_multiple_of(0x1000);
    }
    for (at, bytes) in contents {
        file.resize(at, 0);
        file.extend(bytes);
    }
    file
}
