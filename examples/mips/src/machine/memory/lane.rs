//! Parts of words: the rest of a word around a byte or a half that an address picks.

use chipwright_dsl::prelude::*;

/// The rest of a word around a byte.
///
/// # Soundness
///
/// The byte, the other one of its half and the other half are bounded by their types or by whoever has the byte, so a word
/// has one byte at each lane. Addresses are given out where four divides them: so an effective address has one lane.
#[derive(Debug, Columns)]
pub struct Byte {
    /// The other byte of its half.
    pub other: U8,
    /// The other half.
    pub half: U16,
}

/// The rest of a word around a half.
///
/// # Soundness
///
/// As that of [`Byte`]. At an odd address is no half: there is no lane for it.
#[derive(Debug, Columns)]
pub struct Half {
    /// The other half.
    pub other: U16,
}

impl Byte {
    /// The byte of a word that an address picks, and the rest.
    pub fn of(word: u64, address: u64) -> (u8, ByteNative) {
        let bytes = (word as u32).to_le_bytes();
        let lane = (address % 4) as usize;
        let half = (word >> (16 - 16 * (lane / 2))) as u16;
        (bytes[lane], ByteNative { other: bytes[lane ^ 1], half })
    }
}

impl Half {
    /// The half of a word that an address picks, and the rest.
    pub fn of(word: u64, address: u64) -> (u16, HalfNative) {
        let lane = address % 4 / 2;
        ((word >> (16 * lane)) as u16, HalfNative { other: (word >> (16 - 16 * lane)) as u16 })
    }
}

impl ByteRow {
    /// The address of the word, given that of the byte. The lane is its distance.
    #[track_caller]
    pub fn base(c: &Builder, address: Expr, lane: [Bit; 2]) -> Expr {
        c.fill(lane[0], address.int() & 1);
        c.fill(lane[1], (address.int() >> 1) & 1);
        address - lane[0] - lane[1] * 2
    }

    /// The word with a byte at a lane.
    pub fn word(self, byte: impl Into<Expr>, lane: [Bit; 2]) -> Expr {
        let byte = byte.into();
        let half = byte * (1 + lane[0] * 255) + self.other * (256 - lane[0] * 255);
        with_half(half, self.half.into(), lane[1])
    }
}

impl HalfRow {
    /// The address of the word, given that of the half. The lane is half their distance.
    #[track_caller]
    pub fn base(c: &Builder, address: Expr, lane: Bit) -> Expr {
        c.fill(lane, (address.int() >> 1) & 1);
        address - lane * 2
    }

    /// The word with a half at a lane.
    pub fn word(self, half: impl Into<Expr>, lane: Bit) -> Expr {
        with_half(half.into(), self.other.into(), lane)
    }
}

fn with_half(half: Expr, other: Expr, lane: Bit) -> Expr {
    half * (1 + lane * 0xffff) + other * ((1 << 16) - lane * 0xffff)
}
