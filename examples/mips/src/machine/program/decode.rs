//! Decoding: from a word of the text to what the bus `program` says.

use chipwright_dsl::prelude::*;

use super::opcodes::{Decoded, DecodedRow, Decoding};
use super::powers::Power;
use super::text::TextWord;
use crate::machine::bus::{Fetch, REGISTERS, WORD, is_word, number};

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
    /// The inverse of the distance between the target and the first register.
    #[free("where they may be the same, nothing depends on it")]
    #[record]
    pub apart: Felt,
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
    /// The factor and the selector, if the constant is a power.
    #[record]
    pub power: [Felt; 2],
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
        let &DecodeRow { pc, fields, decoding, discards, inverse, apart, .. } = row;
        let &DecodeRow {
            negative, wraps, low, next, power, words, opcodes, powers, program, ..
        } = row;
        let [rs, rt, rd, amount, half, top] = fields;
        let DecodedRow { bits, bounds, place_of_rd, place_of_constant, operation, mode, .. } =
            decoding;
        let DecodedRow {
            first, second, target, constant: kinds, power: of_power, distinct, ..
        } = decoding;

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
        let first = first[0] + first[1] * rs + first[2] * rt;
        c.assert_zero(distinct * ((written - first) * apart - 1))
            .named("the target is not the register that is read, where that is unpredictable");

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

        let [factor, selector] = power;
        let [kind, has_amount, has_high] = of_power;
        let (amount, high) = (amount * has_amount, rd * has_high);
        c.lookup(powers, Power { kind, amount, high, factor, selector });

        let [k_signed, k_unsigned, k_upper, k_branch, k_jump] = kinds;
        let value = k_signed * signed(1)
            + k_unsigned * half
            + k_upper * half * (1 << 16)
            + k_branch * branch
            + k_jump * (region + field * 4)
            + factor;
        c.define(row.constant, value).named("constant");
        c.provide(
            program,
            Fetch {
                pc,
                operation,
                mode: mode + selector,
                target: numbered(written),
                first: numbered(first),
                second: numbered(second[0] + second[1] * rt),
                constant: row.constant,
            },
        );
    }
}
