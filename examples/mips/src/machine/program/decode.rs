//! Decoding: from a word of the text to what the bus `program` says.

use chipwright_dsl::prelude::*;

use super::opcodes::{Decoded, DecodedRow, Decoding};
use super::text::TextWord;
use crate::machine::bus::{Fetch, REGISTERS, WORD, is_word, number};

/// `2^amount` and `2^(32 − amount)`.
#[message]
pub struct Power {
    /// The amount of a shift.
    pub amount: Felt,
    /// `2^amount`.
    pub left: Felt,
    /// `2^(32 − amount)`; 1 for a shift to the right by zero, which is one to the left.
    pub right: Felt,
    /// Whether the amount is not zero.
    pub shifts: Felt,
}

/// The powers of two.
#[chip]
pub struct Powers {
    #[fixed]
    amount: Felt,
    #[fixed]
    left: Felt,
    #[fixed]
    right: Felt,
    #[fixed]
    shifts: Felt,
    #[port(bus = "powers")]
    table: Provide<Power>,
}

impl Chip for Powers {
    fn row(c: &Builder, row: &Row<Self>) {
        let &PowersRow { amount, left, right, shifts, table } = row;
        c.provide(table, Power { amount, left, right, shifts });
    }

    fn fixed(_: Field) -> Vec<PowersFixed> {
        let row = |amount: u64| PowersFixed {
            amount,
            left: 1 << amount,
            right: if amount == 0 { 1 } else { 1 << (32 - amount) },
            shifts: u64::from(amount > 0),
        };
        (0..32).map(row).collect()
    }
}

/// An instruction that the shard executes: a word of the text, decoded.
///
/// # Soundness
///
/// The word is that of the text at `pc`. The table of opcodes says how it is cut; fields are bounded, and lie side by
/// side, so there is one opcode and one way. Everything else follows.
#[chip]
pub struct Decode {
    #[record]
    pub pc: Felt,
    /// `rs`, `rt`, `rd`, the amount, and the halves of the constant.
    #[record]
    pub fields: [U16; 6],
    /// The bits of the opcode: what the table of opcodes has the rest by.
    #[record]
    pub decoding: Decoded,
    /// Whether the target is `$zero`.
    #[record]
    pub discards: Bit,
    /// The inverse of the number of the target.
    #[free("where the target is `$zero`, nothing is multiplied with it")]
    #[record]
    pub inverse: Felt,
    /// The sign of the constant.
    #[record]
    pub negative: Bit,
    /// Whether the target of a branch is beyond `2^32`.
    #[record]
    pub wraps: Bit,
    /// The lower half of the target of a branch.
    #[record]
    pub low: U16,
    /// `pc + 4`, cut below bit 28: 16 bits, 12 bits, 4 bits.
    #[record]
    pub next: [U16; 3],
    /// `2^amount`, `2^(32 − amount)`, and whether the amount is not zero.
    #[record]
    pub power: [Felt; 3],
    /// The constant.
    constant: Felt,
    #[port(bus = "words")]
    words: Lookup<TextWord>,
    #[port(bus = "opcodes")]
    opcodes: Lookup<Decoding>,
    #[port(bus = "powers")]
    powers: Lookup<Power>,
    #[port(bus = "program")]
    program: Provide<Fetch>,
}

impl Chip for Decode {
    fn row(c: &Builder, row: &Row<Self>) {
        let &DecodeRow { pc, fields, decoding, discards, inverse, negative, .. } = row;
        let &DecodeRow { wraps, low, next, power, words, opcodes, powers, program, .. } = row;
        let [rs, rt, rd, amount, half, top] = fields;
        let DecodedRow { bits, bounds, place_of_rd, place_of_constant, operation, mode, .. } =
            decoding;
        let DecodedRow { first, second, target, constant: kinds, .. } = decoding;

        c.lookup(opcodes, Decoding { decoded: decoding });
        for (field, bound) in fields.into_iter().zip(bounds) {
            c.range::<16>(field * bound);
        }
        let field = half + top * (1 << 16);
        let word = bits
            + rs * (1 << 21)
            + rt * (1 << 16)
            + rd * place_of_rd
            + amount * (1 << 6)
            + field * place_of_constant;
        c.lookup(words, TextWord { address: pc, word });

        let numbered = |number: Expr| number * 4 + REGISTERS;
        let written = target[0] + target[1] * rt + target[2] * rd;
        c.assert_zero(written * discards).named("a target that is discarded is `$zero`");
        c.assert_eq(written * inverse, c.real().expr() - discards).named("others have an inverse");
        let written = written + discards * number::SCRATCH.cast_signed();

        // The sign of sixteen bits: without it, they are below `2^15`.
        c.range::<16>((half - negative * (1 << 15)) * 2);
        let signed = |scale: i64| (half + negative * (WORD / scale - (1 << 16))) * scale;

        let branch = pc + 4 + signed(4) - wraps * WORD;
        is_word(c, branch, low);

        let region = next[2] * (1 << 28);
        c.assert_eq(next[0] + next[1] * (1 << 16) + region, pc + 4 * c.real().expr())
            .named("the next address");
        c.range::<16>(next[1] * (1 << 4));
        c.range::<16>(next[2] * (1 << 12));

        let [left, right, shifts] = power;
        c.lookup(powers, Power { amount, left, right, shifts });

        let [k_signed, k_unsigned, k_upper, k_branch, k_jump, k_left, k_right] = kinds;
        let value = k_signed * signed(1)
            + k_unsigned * half
            + k_upper * half * (1 << 16)
            + k_branch * branch
            + k_jump * (region + field * 4)
            + k_left * left
            + k_right * right;
        c.define(row.constant, value).named("constant");
        c.provide(
            program,
            Fetch {
                pc,
                operation,
                mode: mode + k_right * shifts,
                target: numbered(written),
                first: numbered(first[0] + first[1] * rs + first[2] * rt),
                second: numbered(second[0] + second[1] * rt),
                constant: row.constant,
            },
        );
    }
}
