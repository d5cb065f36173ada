//! And, or and exclusive or, by a table of all pairs of bytes.

use std::fmt::Debug;

use chipwright_dsl::prelude::*;

/// A fact about two bytes, on the bus `bytes`.
#[message]
pub struct ByteOperation {
    /// [`Operation::CODE`].
    pub code: Felt,
    /// The first byte.
    pub a: U8,
    /// The second byte.
    pub b: U8,
    /// The result: a byte too, since the table has no other entries.
    pub out: Felt,
}

/// All pairs of bytes with the results of the three operations: 2^16 rows, three entries each.
///
/// # Soundness
///
/// Assumes nothing: everything that it says is preprocessed.
#[chip(name = "byte_table")]
pub struct ByteTable {
    /// The first byte.
    #[fixed]
    pub a: U8,
    /// The second byte.
    #[fixed]
    pub b: U8,
    /// The bits that both have.
    #[fixed]
    pub and: U8,
    /// The bits that one of them has.
    #[fixed]
    pub or: U8,
    /// The bits that exactly one of them has.
    #[fixed]
    pub xor: U8,
    #[port(bus = "bytes")]
    entries: Provide<ByteOperation>,
}

impl Chip for ByteTable {
    fn row(c: &Builder, row: &Row<Self>) {
        let (a, b) = (row.a, row.b);
        for (code, out) in [(And::CODE, row.and), (Or::CODE, row.or), (Xor::CODE, row.xor)] {
            c.provide(row.entries, ByteOperation { code, a, b, out });
        }
    }

    fn fixed(_: Field) -> Vec<ByteTableFixed> {
        let pairs = (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).map(move |b| (a, b)));
        pairs.map(|(a, b)| ByteTableFixed { a, b, and: a & b, or: a | b, xor: a ^ b }).collect()
    }
}

/// An operation on bytes, bit by bit.
pub trait Operation: Debug + 'static {
    /// The operation's number on the bus.
    const CODE: i64;

    /// The result, as advice.
    fn hint(a: Hint, b: Hint) -> Hint;

    /// The result.
    fn native(a: u8, b: u8) -> u8;
}

macro_rules! operation {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $operator:tt;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Operation for $name {
            const CODE: i64 = $code;

            fn hint(a: Hint, b: Hint) -> Hint {
                a $operator b
            }

            fn native(a: u8, b: u8) -> u8 {
                a $operator b
            }
        }
    )*};
}

operation! {
    /// The bits that both have.
    And, 1, &;
    /// The bits that at least one has.
    Or, 2, |;
    /// The bits that exactly one has.
    Xor, 3, ^;
}

/// An operation on 32-bit integers of four bytes, the lowest first.
///
/// # Soundness
///
/// Assumes nothing: the table has an entry only for bytes, and one for each pair of them.
#[chip]
pub struct Bitwise<O: Operation> {
    /// The first integer.
    #[input]
    pub a: [U8; 4],
    /// The second integer.
    #[input]
    pub b: [U8; 4],
    /// The result, whose bytes the table bounds.
    #[output]
    pub out: [Felt; 4],
    #[port(bus = "bytes")]
    table: Lookup<ByteOperation>,
}

impl<O: Operation> Chip for Bitwise<O> {
    fn row(c: &Builder, row: &Row<Self>) {
        for i in 0..4 {
            let (a, b) = (row.a[i], row.b[i]);
            c.fill(row.out[i], O::hint(a.int(), b.int()));
            c.lookup(row.table, ByteOperation { code: O::CODE, a, b, out: row.out[i] })
                .named("byte");
        }
    }
}
