//! Instructions and their encodings: of MIPS32 release 2, those that the routines need.
//!
//! `addu $v0, $a0, $a1` is `Alu(Addu, V0, A0, A1)` and `0x0085_1021`. Source: *MIPS32 Architecture for Programmers, Volume
//! II: The MIPS32 Instruction Set*, revision 2.

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(pub(super) u8);

macro_rules! registers {
    ($($name:ident $number:literal $text:literal;)*) => {$(
        #[doc = concat!("`", $text, "`")]
        pub const $name: Register = Register($number);
    )*};
}

registers! {
    ZERO 0 "$zero"; AT 1 "$at"; V0 2 "$v0"; V1 3 "$v1";
    A0 4 "$a0"; A1 5 "$a1"; A2 6 "$a2"; A3 7 "$a3";
    T0 8 "$t0"; T1 9 "$t1"; T2 10 "$t2"; T3 11 "$t3"; T4 12 "$t4"; T5 13 "$t5"; T6 14 "$t6"; T7 15 "$t7";
    S0 16 "$s0"; S1 17 "$s1"; S2 18 "$s2"; S3 19 "$s3"; S4 20 "$s4"; S5 21 "$s5"; S6 22 "$s6"; S7 23 "$s7";
    T8 24 "$t8"; T9 25 "$t9"; K0 26 "$k0"; K1 27 "$k1"; GP 28 "$gp"; SP 29 "$sp"; FP 30 "$fp"; RA 31 "$ra";
}

/// Operations with two operands in registers and a result in a third one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alu {
    /// The sum, modulo 2^32.
    Addu,
    /// The difference, modulo 2^32.
    Subu,
    /// Bitwise or.
    Or,
    /// The complement of bitwise or.
    Nor,
    /// Whether the first operand is below the second, both unsigned.
    Sltu,
}

/// What is done with the 64-bit product of two unsigned operands and with `HI:LO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// `HI:LO` becomes the product.
    Multu,
    /// The product is added, modulo 2^64.
    Maddu,
    /// The product is subtracted, modulo 2^64.
    Msubu,
}

/// Operations with a constant of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Immediate {
    /// The sum with the sign-extended constant, modulo 2^32.
    Addiu,
    /// Bitwise or with the zero-extended constant.
    Ori,
    /// The constant in the upper half.
    Lui,
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// `op rd, rs, rt`
    Alu(Alu, Register, Register, Register),
    /// `op rs, rt`
    Product(Product, Register, Register),
    /// `op rt, rs, constant`
    Immediate(Immediate, Register, Register, u16),
    /// `sll rd, rt, amount`
    Sll(Register, Register, u8),
    /// `srl rd, rt, amount`
    Srl(Register, Register, u8),
    /// `ins rt, rs, position, size`: bits `position..position + size` of `rt` become the lowest ones of `rs`. The
    /// fields are `rt`, `rs`, `position` and `position + size - 1`.
    Ins(Register, Register, u8, u8),
    /// `mfhi rd`
    Mfhi(Register),
    /// `mflo rd`
    Mflo(Register),
    /// `mthi rs`
    Mthi(Register),
    /// `mtlo rs`
    Mtlo(Register),
    /// `lw rt, offset(base)`
    Lw(Register, i16, Register),
    /// `sw rt, offset(base)`
    Sw(Register, i16, Register),
    /// `beq rs, rt, offset`: words after the delay slot.
    Beq(Register, Register, i16),
    /// `bne rs, rt, offset`
    Bne(Register, Register, i16),
    /// `j target`: the number of a word.
    J(u32),
    /// `jal target`
    Jal(u32),
    /// `jr rs`
    Jr(Register),
    /// `break`: ends a run.
    Break,
}

/// The opcodes in the upper six bits.
mod opcode {
    pub(super) const SPECIAL: u32 = 0;
    pub(super) const J: u32 = 2;
    pub(super) const JAL: u32 = 3;
    pub(super) const BEQ: u32 = 4;
    pub(super) const BNE: u32 = 5;
    pub(super) const ADDIU: u32 = 9;
    pub(super) const ORI: u32 = 13;
    pub(super) const LUI: u32 = 15;
    pub(super) const SPECIAL2: u32 = 28;
    pub(super) const SPECIAL3: u32 = 31;
    pub(super) const LW: u32 = 35;
    pub(super) const SW: u32 = 43;
}

/// A word of six fields: opcode, `rs`, `rt`, `rd`, amount of a shift, function.
fn fields(opcode: u32, [rs, rt, rd, amount]: [u8; 4], function: u32) -> u32 {
    opcode << 26
        | u32::from(rs) << 21
        | u32::from(rt) << 16
        | u32::from(rd) << 11
        | u32::from(amount) << 6
        | function
}

/// A word that ends in a constant.
fn with_constant(opcode: u32, rs: Register, rt: Register, constant: u16) -> u32 {
    opcode << 26 | u32::from(rs.0) << 21 | u32::from(rt.0) << 16 | u32::from(constant)
}

impl Instruction {
    /// The machine code.
    pub fn encode(self) -> u32 {
        use opcode::{ADDIU, BEQ, BNE, LUI, LW, ORI, SPECIAL, SPECIAL2, SPECIAL3, SW};
        match self {
            Self::Alu(op, rd, rs, rt) => {
                let function = match op {
                    Alu::Addu => 33,
                    Alu::Subu => 35,
                    Alu::Or => 37,
                    Alu::Nor => 39,
                    Alu::Sltu => 43,
                };
                fields(SPECIAL, [rs.0, rt.0, rd.0, 0], function)
            }
            Self::Product(op, rs, rt) => {
                let (opcode, function) = match op {
                    Product::Multu => (SPECIAL, 25),
                    Product::Maddu => (SPECIAL2, 1),
                    Product::Msubu => (SPECIAL2, 5),
                };
                fields(opcode, [rs.0, rt.0, 0, 0], function)
            }
            Self::Immediate(op, rt, rs, constant) => {
                let opcode = match op {
                    Immediate::Addiu => ADDIU,
                    Immediate::Ori => ORI,
                    Immediate::Lui => LUI,
                };
                with_constant(opcode, rs, rt, constant)
            }
            Self::Sll(rd, rt, amount) => fields(SPECIAL, [0, rt.0, rd.0, amount], 0),
            Self::Srl(rd, rt, amount) => fields(SPECIAL, [0, rt.0, rd.0, amount], 2),
            Self::Ins(rt, rs, low, high) => fields(SPECIAL3, [rs.0, rt.0, high, low], 4),
            Self::Mfhi(rd) => fields(SPECIAL, [0, 0, rd.0, 0], 16),
            Self::Mthi(rs) => fields(SPECIAL, [rs.0, 0, 0, 0], 17),
            Self::Mflo(rd) => fields(SPECIAL, [0, 0, rd.0, 0], 18),
            Self::Mtlo(rs) => fields(SPECIAL, [rs.0, 0, 0, 0], 19),
            Self::Lw(rt, offset, base) => with_constant(LW, base, rt, offset as u16),
            Self::Sw(rt, offset, base) => with_constant(SW, base, rt, offset as u16),
            Self::Beq(rs, rt, offset) => with_constant(BEQ, rs, rt, offset as u16),
            Self::Bne(rs, rt, offset) => with_constant(BNE, rs, rt, offset as u16),
            Self::J(target) => opcode::J << 26 | target,
            Self::Jal(target) => opcode::JAL << 26 | target,
            Self::Jr(rs) => fields(SPECIAL, [rs.0, 0, 0, 0], 8),
            Self::Break => fields(SPECIAL, [0; 4], 13),
        }
    }

    /// The instruction of a word: `None` if it is none of these, or has bits where it should have none.
    pub fn decode(word: u32) -> Option<Self> {
        let register = |shift: u32| Register((word >> shift & 31) as u8);
        let (rs, rt, rd) = (register(21), register(16), register(11));
        let amount = (word >> 6 & 31) as u8;
        let constant = word as u16;
        let offset = constant.cast_signed();
        let instruction = match (word >> 26, word & 63) {
            (opcode::SPECIAL, 0) => Self::Sll(rd, rt, amount),
            (opcode::SPECIAL, 2) => Self::Srl(rd, rt, amount),
            (opcode::SPECIAL, 8) => Self::Jr(rs),
            (opcode::SPECIAL, 13) => Self::Break,
            (opcode::SPECIAL, 16) => Self::Mfhi(rd),
            (opcode::SPECIAL, 17) => Self::Mthi(rs),
            (opcode::SPECIAL, 18) => Self::Mflo(rd),
            (opcode::SPECIAL, 19) => Self::Mtlo(rs),
            (opcode::SPECIAL, 25) => Self::Product(Product::Multu, rs, rt),
            (opcode::SPECIAL, 33) => Self::Alu(Alu::Addu, rd, rs, rt),
            (opcode::SPECIAL, 35) => Self::Alu(Alu::Subu, rd, rs, rt),
            (opcode::SPECIAL, 37) => Self::Alu(Alu::Or, rd, rs, rt),
            (opcode::SPECIAL, 39) => Self::Alu(Alu::Nor, rd, rs, rt),
            (opcode::SPECIAL, 43) => Self::Alu(Alu::Sltu, rd, rs, rt),
            (opcode::SPECIAL2, 1) => Self::Product(Product::Maddu, rs, rt),
            (opcode::SPECIAL2, 5) => Self::Product(Product::Msubu, rs, rt),
            (opcode::SPECIAL3, 4) if amount <= rd.0 => Self::Ins(rt, rs, amount, rd.0),
            (opcode::J, _) => Self::J(word & 0x3ff_ffff),
            (opcode::JAL, _) => Self::Jal(word & 0x3ff_ffff),
            (opcode::BEQ, _) => Self::Beq(rs, rt, offset),
            (opcode::BNE, _) => Self::Bne(rs, rt, offset),
            (opcode::ADDIU, _) => Self::Immediate(Immediate::Addiu, rt, rs, constant),
            (opcode::ORI, _) => Self::Immediate(Immediate::Ori, rt, rs, constant),
            (opcode::LUI, _) => Self::Immediate(Immediate::Lui, rt, rs, constant),
            (opcode::LW, _) => Self::Lw(rt, offset, rs),
            (opcode::SW, _) => Self::Sw(rt, offset, rs),
            _ => return None,
        };
        (instruction.encode() == word).then_some(instruction)
    }

    /// Whether the next word is a delay slot.
    pub fn jumps(self) -> bool {
        matches!(self, Self::Beq(..) | Self::Bne(..) | Self::J(_) | Self::Jal(_) | Self::Jr(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words were put together by hand, field by field.
    const ENCODINGS: [(Instruction, u32); 26] = [
        (Instruction::Alu(Alu::Addu, V0, A0, A1), 0x0085_1021),
        (Instruction::Alu(Alu::Subu, V0, A0, A1), 0x0085_1023),
        (Instruction::Alu(Alu::Or, T0, A0, ZERO), 0x0080_4025),
        (Instruction::Alu(Alu::Nor, T0, ZERO, A1), 0x0005_4027),
        (Instruction::Alu(Alu::Sltu, T0, T1, T2), 0x012a_402b),
        (Instruction::Product(Product::Multu, T0, T1), 0x0109_0019),
        (Instruction::Product(Product::Maddu, A0, A1), 0x7085_0001),
        (Instruction::Product(Product::Msubu, A0, A1), 0x7085_0005),
        (Instruction::Immediate(Immediate::Addiu, SP, SP, 0xffe0), 0x27bd_ffe0),
        (Instruction::Immediate(Immediate::Ori, T0, T0, 0x1234), 0x3508_1234),
        (Instruction::Immediate(Immediate::Lui, T0, ZERO, 0x1234), 0x3c08_1234),
        (Instruction::Sll(T0, T1, 4), 0x0009_4100),
        (Instruction::Srl(T0, T1, 4), 0x0009_4102),
        (Instruction::Ins(V0, A0, 8, 15), 0x7c82_7a04),
        (Instruction::Mfhi(V0), 0x0000_1010),
        (Instruction::Mflo(V0), 0x0000_1012),
        (Instruction::Mthi(A0), 0x0080_0011),
        (Instruction::Mtlo(A0), 0x0080_0013),
        (Instruction::Lw(RA, 28, SP), 0x8fbf_001c),
        (Instruction::Sw(RA, -4, SP), 0xafbf_fffc),
        (Instruction::Beq(A0, ZERO, -2), 0x1080_fffe),
        (Instruction::Bne(A0, A1, 3), 0x1485_0003),
        (Instruction::J(0x10_0000), 0x0810_0000),
        (Instruction::Jal(0x10_0000), 0x0c10_0000),
        (Instruction::Jr(RA), 0x03e0_0008),
        (Instruction::Break, 0x0000_000d),
    ];

    #[test]
    fn encodings_are_those_of_the_architecture() {
        for (instruction, word) in ENCODINGS {
            assert_eq!(
                instruction.encode(),
                word,
                "{instruction:?}: {:#010x}",
                instruction.encode()
            );
            assert_eq!(Instruction::decode(word), Some(instruction));
        }
    }

    #[test]
    fn a_word_with_bits_where_there_should_be_none_is_no_instruction() {
        // `multu` with a destination, `jr` with a second operand, `ins` of a negative size.
        for word in [0x0109_0819, 0x03e1_0008, 0x7c82_3a04, 0xffff_ffff] {
            assert_eq!(Instruction::decode(word), None, "{word:#010x}");
        }
    }
}
