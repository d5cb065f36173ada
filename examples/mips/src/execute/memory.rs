//! Memory in pages.
//!
//! All 2^30 words exist and are zero until something is written to them; only pages that were written to take space. The first
//! and the last 64 KiB are kept free, unless the program has a segment there, so that pointers that are null, or small
//! negative numbers, are found. The text of the program is not written to.

use std::ops::Range;

use crate::program::Program;

/// The bytes of a page.
pub const PAGE_BYTES: u32 = 1 << 12;

/// The words of a page.
pub const PAGE_WORDS: usize = PAGE_BYTES as usize / 4;

/// So many bytes are kept free at either end.
const FREE: u32 = 1 << 16;

/// So many pages a run may have, unless it is told otherwise: 1 GiB.
const PAGES: usize = 1 << 18;

/// Why memory is not accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The address is one of those that are kept free.
    Free,
    /// The address is that of an instruction.
    Text,
    /// There are no more pages.
    Exhausted,
}

type Page = [u32; PAGE_WORDS];

/// The memory of a run.
#[derive(Clone)]
pub struct Memory {
    /// Where the page of an address is in `pages`; zero if it has none.
    table: Vec<u32>,
    /// The pages. The first is never written to, and belongs to no address.
    pages: Vec<Page>,
    /// The pages before this one have text in them.
    first_without_text: u32,
    /// Where the text is, in bytes, in order.
    text: Vec<Range<u32>>,
    /// The greatest number of pages.
    limit: usize,
}

impl Memory {
    /// The memory that a program begins with.
    pub fn new(program: &Program) -> Self {
        let mut memory = Self {
            table: vec![0; 1 << 20],
            pages: vec![[0; PAGE_WORDS]],
            first_without_text: 1,
            text: Vec::new(),
            limit: PAGES,
        };
        let (text, data): (Vec<_>, Vec<_>) =
            program.segments().iter().partition(|segment| segment.executable);
        for (executable, segments) in [(true, text), (false, data)] {
            for segment in segments {
                for (i, &byte) in segment.bytes.iter().enumerate() {
                    memory.put_byte(segment.address + i as u32, byte);
                }
                // What belongs to the program can be accessed at either end of memory, too.
                let end = u64::from(segment.address) + u64::from(segment.size);
                for page in free_pages() {
                    let first = u64::from(page);
                    if first < end && u64::from(segment.address) < first + u64::from(PAGE_BYTES) {
                        memory.place(page);
                    }
                }
                if executable {
                    // Text ends below 2^32.
                    memory.text.push(segment.address..segment.address + segment.bytes.len() as u32);
                }
            }
            if executable {
                memory.first_without_text = memory.pages.len() as u32;
            }
        }
        memory
    }

    /// Limits the pages that there may be, to so many bytes.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = usize::try_from(bytes / u64::from(PAGE_BYTES)).unwrap_or(usize::MAX);
        self
    }

    /// The number of bytes that there may be.
    pub fn limit(&self) -> u64 {
        self.limit as u64 * u64::from(PAGE_BYTES)
    }

    /// The number of bytes that pages take.
    pub fn resident(&self) -> u64 {
        (self.pages.len() as u64 - 1) * u64::from(PAGE_BYTES)
    }

    /// The word that an address is in.
    ///
    /// # Errors
    ///
    /// Fails at addresses that are kept free.
    #[inline]
    pub fn load(&self, address: u32) -> Result<u32, Denied> {
        let page = self.table[(address / PAGE_BYTES) as usize];
        if page == 0 && is_free(address) {
            return Err(Denied::Free);
        }
        Ok(self.pages[page as usize][word_of(address)])
    }

    /// The word that an address is in, wherever it is.
    pub fn word(&self, address: u32) -> u32 {
        self.pages[self.table[(address / PAGE_BYTES) as usize] as usize][word_of(address)]
    }

    /// Sets the word that an address is in.
    ///
    /// # Errors
    ///
    /// Fails at addresses that are kept free, in text, and if there are no more pages.
    #[inline]
    pub fn store(&mut self, address: u32, value: u32) -> Result<(), Denied> {
        let mut page = self.table[(address / PAGE_BYTES) as usize];
        if page < self.first_without_text {
            page = self.page_to_store(address, page)?;
        }
        self.pages[page as usize][word_of(address)] = value;
        Ok(())
    }

    /// The page to store to, where that is none, or has text in it.
    #[cold]
    fn page_to_store(&mut self, address: u32, page: u32) -> Result<u32, Denied> {
        let word = address & !3;
        // Texts are in order, so the last one that begins in the word or before it is the only one that can be there.
        let after = self.text.partition_point(|text| text.start <= word + 3);
        if self.text[..after].last().is_some_and(|text| word < text.end) {
            return Err(Denied::Text);
        }
        if page != 0 {
            return Ok(page);
        }
        if is_free(address) {
            return Err(Denied::Free);
        }
        if self.pages.len() > self.limit {
            return Err(Denied::Exhausted);
        }
        Ok(self.place(address))
    }

    /// The page of an address, which gets one if it has none.
    fn place(&mut self, address: u32) -> u32 {
        let entry = &mut self.table[(address / PAGE_BYTES) as usize];
        if *entry == 0 {
            *entry = self.pages.len() as u32;
            self.pages.push([0; PAGE_WORDS]);
        }
        *entry
    }

    fn put_byte(&mut self, address: u32, byte: u8) {
        let page = self.place(address);
        let word = &mut self.pages[page as usize][word_of(address)];
        let shift = 8 * (address % 4);
        *word = *word & !(0xff << shift) | u32::from(byte) << shift;
    }

    /// The words that are not zero with their addresses, in order.
    pub fn words(&self) -> impl Iterator<Item = (u32, u32)> {
        let pages = self.table.iter().enumerate().filter(|&(_, &page)| page != 0);
        pages.flat_map(|(number, &page)| {
            let words = self.pages[page as usize].iter().enumerate();
            let words =
                words.map(move |(i, &word)| (number as u32 * PAGE_BYTES + 4 * i as u32, word));
            words.filter(|&(_, word)| word != 0)
        })
    }
}

impl PartialEq for Memory {
    /// Whether all words are the same.
    fn eq(&self, other: &Self) -> bool {
        self.words().eq(other.words())
    }
}

impl Eq for Memory {}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("pages", &(self.pages.len() - 1)).finish_non_exhaustive()
    }
}

/// The place of a word in its page.
#[inline]
fn word_of(address: u32) -> usize {
    (address / 4) as usize % PAGE_WORDS
}

/// The addresses of the pages that are kept free.
fn free_pages() -> impl Iterator<Item = u32> {
    let pages = (0..FREE).step_by(PAGE_BYTES as usize);
    pages.flat_map(|page| [page, page.wrapping_sub(FREE)])
}

#[inline]
fn is_free(address: u32) -> bool {
    address.wrapping_add(FREE) < 2 * FREE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Segment;

    fn memory(segments: &[(u32, &[u8], u32, bool)]) -> Memory {
        let text = Segment { address: 0x40_0000, bytes: vec![0; 4], size: 4, executable: true };
        let segments = segments.iter().map(|&(address, bytes, size, executable)| Segment {
            address,
            bytes: bytes.to_vec(),
            size,
            executable,
        });
        let segments = segments.chain([text]).collect();
        Memory::new(&Program::new(0x40_0000, segments, Vec::new()).expect("sound"))
    }

    #[test]
    fn bytes_are_in_words_from_the_lowest_on() {
        let memory = memory(&[(0x1_0002, &[1, 2, 3], 9, false)]);
        assert_eq!(memory.words().collect::<Vec<_>>(), [(0x1_0000, 0x0201_0000), (0x1_0004, 3)]);
        assert_eq!(memory.load(0x1_0008), Ok(0));
    }

    #[test]
    fn both_ends_are_free_unless_the_program_is_there() {
        let mut empty = memory(&[]);
        for address in [0, 0xfffc, 0xffff_0000, 0xffff_fffc] {
            assert_eq!(empty.load(address), Err(Denied::Free), "{address:#x}");
            assert_eq!(empty.store(address, 1), Err(Denied::Free), "{address:#x}");
        }
        for address in [0x1_0000, 0xfffe_fffc] {
            assert_eq!(empty.load(address), Ok(0), "{address:#x}");
            assert_eq!(empty.store(address, 1), Ok(()), "{address:#x}");
        }
        let mut low = memory(&[(0x1ffc, &[], 0x2000, false), (0xffff_f000, &[], 4, false)]);
        for address in [0x1ffc, 0x2000, 0x3ff8, 0xffff_f000] {
            assert_eq!(low.store(address, 1), Ok(()), "{address:#x}");
        }
        for address in [0xffc, 0x4000, 0xffff_effc] {
            assert_eq!(low.load(address), Err(Denied::Free), "{address:#x}");
        }
    }

    #[test]
    fn text_is_not_written_to_and_data_beside_it_is() {
        let mut memory = memory(&[(0x1_0000, &[1; 6], 4096, true), (0x2_0000, &[], 8, false)]);
        assert_eq!(memory.store(0x1_0000, 1), Err(Denied::Text));
        assert_eq!(memory.store(0x1_0004, 1), Err(Denied::Text), "a part of the word is text");
        assert_eq!(memory.store(0x1_0008, 1), Ok(()), "what the file does not give is data");
        assert_eq!(memory.store(0x2_0000, 1), Ok(()));
        assert_eq!(memory.load(0x1_0004), Ok(0x0101));
    }

    #[test]
    fn pages_are_limited() {
        let mut memory = memory(&[]).with_limit(2 * u64::from(PAGE_BYTES));
        assert_eq!(memory.load(0x2_0000), Ok(0), "reading takes no page");
        assert_eq!(memory.store(0x2_0000, 1), Ok(()));
        assert_eq!(memory.store(0x2_1000, 1), Err(Denied::Exhausted));
        assert_eq!(memory.store(0x2_0004, 1), Ok(()));
        assert_eq!(memory.resident(), memory.limit());
    }

    #[test]
    fn memories_are_equal_if_their_words_are() {
        let (mut a, mut b) = (memory(&[]), memory(&[]));
        a.store(0x2_0000, 1).expect("accessible");
        assert_ne!(a, b);
        b.store(0x3_0000, 0).expect("accessible");
        b.store(0x2_0000, 1).expect("accessible");
        assert_eq!(a, b);
    }
}
