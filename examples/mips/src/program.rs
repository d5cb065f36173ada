//! A program: what is in memory when a run begins, where it begins, and which words are instructions.

use chipwright_mips_isa::Code;
use chipwright_mips_isa::Instruction;

/// The instruction after the last one, and the delay slot of that, have addresses below 2^32.
const TEXT_END: u64 = (1 << 32) - 16;

/// A part of memory that a program begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The address of its first byte.
    pub address: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its length, at least that of the bytes; what is behind them is zero.
    pub size: u32,
    /// Whether its words are instructions.
    pub executable: bool,
}

impl Segment {
    /// The address behind the last byte.
    fn end(&self) -> u64 {
        u64::from(self.address) + u64::from(self.size)
    }

    /// The address behind the last byte that is given.
    fn bytes_end(&self) -> u64 {
        u64::from(self.address) + self.bytes.len() as u64
    }
}

/// A name of an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol {
    /// The address.
    pub address: u32,
    /// The name.
    pub name: String,
}

/// An address by the symbol before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the symbol.
    pub name: String,
    /// How many bytes the address lies behind it.
    pub offset: u32,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.offset {
            0 => write!(f, "{}", self.name),
            offset => write!(f, "{}+{offset:#x}", self.name),
        }
    }
}

/// Why there is no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// Instructions are at addresses that four divides.
    #[error("the program begins at {entry:#x}, which four does not divide")]
    UnalignedEntry {
        /// Where it was to begin.
        entry: u32,
    },
    /// The program begins outside of its instructions.
    #[error("the program begins at {entry:#x}, where there are no instructions")]
    EntryOutside {
        /// Where it was to begin.
        entry: u32,
    },
    /// A segment leaves the address space.
    #[error("the segment at {address:#x} has {size:#x} bytes and ends above 2^32")]
    OutOfRange {
        /// Where it begins.
        address: u32,
        /// Its length.
        size: u32,
    },
    /// A segment has more bytes than its length.
    #[error("the segment at {address:#x} has {size:#x} bytes, {bytes:#x} of them in the file")]
    Longer {
        /// Where it begins.
        address: u32,
        /// Its length.
        size: u32,
        /// The bytes that are given.
        bytes: usize,
    },
    /// Two segments share addresses.
    #[error("the segments at {first:#x} and {second:#x} overlap")]
    Overlap {
        /// Where the first begins.
        first: u32,
        /// Where the second begins.
        second: u32,
    },
    /// The end of the address space is kept free of instructions.
    #[error("instructions at {address:#x} end above 2^32 − 16")]
    TextEnd {
        /// Where the segment begins.
        address: u32,
    },
}

/// The instructions of an executable segment.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The address of the first word.
    pub(crate) start: u32,
    /// The words as instructions, where they are any.
    pub(crate) instructions: Vec<Option<Instruction>>,
}

impl Text {
    /// The index of the instruction at an address.
    #[inline]
    pub(crate) fn index(&self, pc: u32) -> usize {
        // An address that four does not divide becomes an index beyond 2^30.
        pc.wrapping_sub(self.start).rotate_right(2) as usize
    }
}

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    entry: u32,
    segments: Vec<Segment>,
    text: Vec<Text>,
    symbols: Vec<Symbol>,
}

impl Program {
    /// A program of segments, whose first instruction is at `entry`.
    ///
    /// # Errors
    ///
    /// Fails if segments overlap or leave the address space, or the program does not begin at an instruction.
    pub fn new(
        entry: u32,
        mut segments: Vec<Segment>,
        mut symbols: Vec<Symbol>,
    ) -> Result<Self, ProgramError> {
        if !entry.is_multiple_of(4) {
            return Err(ProgramError::UnalignedEntry { entry });
        }
        segments.retain(|segment| segment.size > 0 || !segment.bytes.is_empty());
        segments.sort_by_key(|segment| segment.address);
        for segment in &segments {
            let &Segment { address, size, executable, ref bytes } = segment;
            if segment.end() > 1 << 32 {
                return Err(ProgramError::OutOfRange { address, size });
            }
            if bytes.len() as u64 > u64::from(size) {
                return Err(ProgramError::Longer { address, size, bytes: bytes.len() });
            }
            if executable && segment.bytes_end() > TEXT_END {
                return Err(ProgramError::TextEnd { address });
            }
        }
        for pair in segments.windows(2) {
            if pair[0].end() > u64::from(pair[1].address) {
                let (first, second) = (pair[0].address, pair[1].address);
                return Err(ProgramError::Overlap { first, second });
            }
        }
        let text: Vec<Text> = segments.iter().filter(|s| s.executable).map(Text::of).collect();
        symbols.sort();
        symbols.dedup_by_key(|symbol| symbol.address);
        let program = Self { entry, segments, text, symbols };
        if program.text_at(entry).is_none() {
            return Err(ProgramError::EntryOutside { entry });
        }
        Ok(program)
    }

    /// A program of assembled code, and words of data.
    ///
    /// # Errors
    ///
    /// Fails if code and data overlap, or there is no code.
    pub fn assembled(code: &Code, data: (u32, &[u32])) -> Result<Self, ProgramError> {
        let segment = |address, words: &[u32], executable| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            Segment { address, size: bytes.len() as u32, bytes, executable }
        };
        let segments = vec![segment(code.base, &code.words, true), segment(data.0, data.1, false)];
        let routines = code.routines.iter().map(|&(name, at)| Symbol {
            address: code.base + 4 * at as u32,
            name: name.to_owned(),
        });
        Self::new(code.base, segments, routines.collect())
    }

    /// The address of the first instruction.
    pub fn entry(&self) -> u32 {
        self.entry
    }

    /// The segments, by address. They do not overlap.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The symbols, by address.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The address behind the last segment, if it is below 2^32.
    pub fn end(&self) -> u32 {
        self.segments.last().map_or(0, |last| u32::try_from(last.end()).unwrap_or(u32::MAX))
    }

    /// The instruction at an address: `None` if there is no text, `Some(None)` if its word is no instruction.
    pub fn instruction(&self, pc: u32) -> Option<Option<Instruction>> {
        let text = self.text_at(pc)?;
        text.instructions.get(text.index(pc)).copied()
    }

    /// The words of the executable segments with their addresses.
    pub fn words(&self) -> impl Iterator<Item = (u32, u32)> {
        self.segments.iter().filter(|segment| segment.executable).flat_map(words)
    }

    /// The symbol that an address belongs to: the last one before it, if the address is in the text.
    pub fn locate(&self, address: u32) -> Option<Location> {
        self.text_at(address & !3)?;
        let after = self.symbols.partition_point(|symbol| symbol.address <= address);
        let symbol = &self.symbols[after.checked_sub(1)?];
        Some(Location { name: symbol.name.clone(), offset: address - symbol.address })
    }

    pub(crate) fn text(&self) -> &[Text] {
        &self.text
    }

    /// The text that has an instruction at the address.
    pub(crate) fn text_at(&self, pc: u32) -> Option<&Text> {
        let after = self.text.partition_point(|text| text.start <= pc);
        let text = &self.text[after.checked_sub(1)?];
        (text.index(pc) < text.instructions.len()).then_some(text)
    }
}

/// The whole words of a segment's bytes with their addresses.
fn words(segment: &Segment) -> impl Iterator<Item = (u32, u32)> {
    let start = segment.address.next_multiple_of(4);
    let skipped = (start - segment.address) as usize;
    let (words, _) = segment.bytes.get(skipped..).unwrap_or_default().as_chunks::<4>();
    words.iter().enumerate().map(move |(i, word)| (start + 4 * i as u32, u32::from_le_bytes(*word)))
}

impl Text {
    fn of(segment: &Segment) -> Self {
        let instructions = words(segment).map(|(_, word)| Instruction::decode(word)).collect();
        Self { start: segment.address.next_multiple_of(4), instructions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(address: u32, bytes: usize, size: u32, executable: bool) -> Segment {
        Segment { address, bytes: vec![0; bytes], size, executable }
    }

    fn program(entry: u32, segments: &[Segment]) -> Result<Program, ProgramError> {
        Program::new(entry, segments.to_vec(), Vec::new())
    }

    #[test]
    fn segments_that_cannot_be_in_memory_are_refused() {
        let text = || segment(0x1000, 8, 8, true);
        let error = |entry, segments: &[Segment]| program(entry, segments).expect_err("refused");
        assert_eq!(error(0x1002, &[text()]), ProgramError::UnalignedEntry { entry: 0x1002 });
        assert_eq!(error(0x1008, &[text()]), ProgramError::EntryOutside { entry: 0x1008 });
        assert_eq!(error(0, &[]), ProgramError::EntryOutside { entry: 0 });
        assert_eq!(
            error(0x1000, &[text(), segment(0x1004, 0, 1, false)]),
            ProgramError::Overlap { first: 0x1000, second: 0x1004 }
        );
        assert_eq!(
            error(0x1000, &[text(), segment(0xffff_fff0, 0, 17, false)]),
            ProgramError::OutOfRange { address: 0xffff_fff0, size: 17 }
        );
        assert_eq!(
            error(0x1000, &[text(), segment(0x2000, 2, 1, false)]),
            ProgramError::Longer { address: 0x2000, size: 1, bytes: 2 }
        );
    }

    #[test]
    fn the_last_four_words_of_memory_are_no_text() {
        assert!(program(0xffff_ff00, &[segment(0xffff_ff00, 0xf0, 0xf0, true)]).is_ok());
        assert_eq!(
            program(0xffff_ff00, &[segment(0xffff_ff00, 0xf1, 0xf1, true)]).expect_err("refused"),
            ProgramError::TextEnd { address: 0xffff_ff00 }
        );
        assert!(
            program(0x1000, &[segment(0x1000, 4, 4, true), segment(0xffff_ff00, 0, 0x100, false)])
                .is_ok()
        );
    }

    #[test]
    fn text_is_the_whole_words_that_are_given() {
        let program = program(0x1004, &[segment(0x1001, 12, 4096, true)]).expect("sound");
        let found =
            [0x1000, 0x1004, 0x1006, 0x1008, 0x100c].map(|pc| program.instruction(pc).is_some());
        assert_eq!(found, [false, true, false, true, false]);
    }

    #[test]
    fn addresses_are_named_by_the_symbol_before_them() {
        let symbols = [(0x1004, "main"), (0x1000, "start"), (0x1004, "other")];
        let symbols = symbols.map(|(address, name)| Symbol { address, name: name.to_owned() });
        let text = vec![segment(0x1000, 16, 16, true)];
        let program = Program::new(0x1000, text, symbols.to_vec()).expect("sound");
        let name = |address| program.locate(address).map(|location| location.to_string());
        assert_eq!(name(0x1000).as_deref(), Some("start"));
        assert_eq!(name(0x100c).as_deref(), Some("main+0x8"));
        assert_eq!(name(0x1010), None);
    }
}
