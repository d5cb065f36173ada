//! The tables that range checks look up: every integer of 8, or of 16 bits.

use crate::prelude::*;

/// All bytes, on the bus `u8`.
#[chip(name = "range8")]
pub struct Range8 {
    #[fixed]
    value: U8,
    #[port(bus = "u8")]
    bytes: Provide<Byte>,
}

/// All 16-bit integers, on the bus `u16`.
#[chip(name = "range16")]
pub struct Range16 {
    #[fixed]
    value: U16,
    #[port(bus = "u16")]
    words: Provide<Half>,
}

/// An integer below 2^8.
#[message]
pub struct Byte {
    /// The integer.
    pub value: U8,
}

/// An integer below 2^16.
#[message]
pub struct Half {
    /// The integer.
    pub value: U16,
}

impl Chip for Range8 {
    fn row(c: &Builder, row: &Row<Self>) {
        c.provide(row.bytes, Byte { value: row.value });
    }

    fn fixed(_: Field) -> Vec<Range8Fixed> {
        (0..=u8::MAX).map(|value| Range8Fixed { value }).collect()
    }
}

impl Chip for Range16 {
    fn row(c: &Builder, row: &Row<Self>) {
        c.provide(row.words, Half { value: row.value });
    }

    fn fixed(_: Field) -> Vec<Range16Fixed> {
        (0..=u16::MAX).map(|value| Range16Fixed { value }).collect()
    }
}
