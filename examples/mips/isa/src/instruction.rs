//! Instructions, and their words.

use std::sync::LazyLock;

use crate::layout::Field;
use crate::register::Register;
use crate::table::Opcode;

/// An instruction with its operands, by the fields of its word. Fields that it does not have are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// Which one.
    pub opcode: Opcode,
    /// The register `rs`.
    pub rs: Register,
    /// The register `rt`.
    pub rt: Register,
    /// The register `rd`; for `ext` the size of the field less one, for `ins` its highest bit.
    pub rd: Register,
    /// The amount of a shift, the lowest bit of a field, the kind of a barrier or a prefetch: below 32.
    pub amount: u8,
    /// The constant as it is in the word, of 10, 16, 20 or 26 bits.
    pub constant: u32,
}

/// The instructions whose words begin with the same six bits.
static BY_FIRST_BITS: LazyLock<[Vec<Opcode>; 64]> = LazyLock::new(|| {
    let mut lists = [const { Vec::new() }; 64];
    for &opcode in Opcode::ALL {
        lists[(opcode.description().fields.bits >> 26) as usize].push(opcode);
    }
    lists
});

impl Instruction {
    /// An instruction all of whose fields are zero.
    pub const fn new(opcode: Opcode) -> Self {
        let zero = Register::of_field(0);
        Self { opcode, rs: zero, rt: zero, rd: zero, amount: 0, constant: 0 }
    }

    const fn get(&self, field: Field) -> u32 {
        match field {
            Field::Rs => self.rs.number() as u32,
            Field::Rt => self.rt.number() as u32,
            Field::Rd | Field::RdAgain => self.rd.number() as u32,
            Field::Amount => self.amount as u32,
            Field::Constant => self.constant,
        }
    }

    /// The word. Of a field that holds too much, the lowest bits are taken.
    pub fn encode(&self) -> u32 {
        let layout = &self.opcode.description().fields;
        Field::ALL
            .into_iter()
            .fold(layout.bits, |word, field| word | layout.put(field, self.get(field)))
    }

    /// The instruction of a word: `None` if it is none, or has bits where it should have none.
    pub fn decode(word: u32) -> Option<Self> {
        let candidates = &BY_FIRST_BITS[(word >> 26) as usize];
        let opcode = *candidates.iter().find(|opcode| {
            let layout = &opcode.description().fields;
            word & layout.mask == layout.bits
        })?;
        let layout = &opcode.description().fields;
        let register = |field| Register::of_field(layout.get(field, word));
        let instruction = Self {
            opcode,
            rs: register(Field::Rs),
            rt: register(Field::Rt),
            rd: register(Field::Rd),
            amount: layout.get(Field::Amount, word) as u8,
            constant: layout.get(Field::Constant, word),
        };
        let (low, high) = (instruction.amount, instruction.rd.number());
        let is_field = match opcode {
            Opcode::Ext => low + high < 32,
            Opcode::Ins => low <= high,
            _ => true,
        };
        // A register that stands in a word twice may be two different ones.
        let says_one_thing = layout.width(Field::RdAgain) == 0
            || layout.get(Field::RdAgain, word) == layout.get(Field::Rd, word);
        (is_field && says_one_thing).then_some(instruction)
    }

    /// The constant of 16 bits with its sign.
    pub const fn signed(&self) -> i32 {
        (self.constant as u16).cast_signed() as i32
    }

    /// Where a branch at an address goes if it is taken.
    pub const fn branch_target(&self, pc: u32) -> u32 {
        pc.wrapping_add(4).wrapping_add_signed(self.signed() << 2)
    }

    /// Where `j` or `jal` at an address goes.
    pub const fn jump_target(&self, pc: u32) -> u32 {
        pc.wrapping_add(4) & 0xf000_0000 | self.constant << 2
    }

    /// Whether the architecture does not say what the instruction does: it links to the register that it reads.
    pub fn is_unpredictable(&self) -> bool {
        match self.opcode {
            Opcode::Jalr | Opcode::JalrHb => self.rd == self.rs,
            Opcode::Bltzal | Opcode::Bgezal | Opcode::Bltzall | Opcode::Bgezall => {
                self.rs == crate::RA
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{A0, A1, RA, SP, T0, T1, T2, V0, ZERO};

    /// An instruction from all of its fields.
    fn of(opcode: Opcode, [rs, rt, rd]: [Register; 3], amount: u8, constant: u32) -> Instruction {
        Instruction { opcode, rs, rt, rd, amount, constant }
    }

    #[test]
    fn encodings_are_those_of_the_architecture() {
        // The words were put together by hand, field by field.
        for (instruction, word) in [
            (of(Opcode::Addu, [A0, A1, V0], 0, 0), 0x0085_1021),
            (of(Opcode::Subu, [A0, A1, V0], 0, 0), 0x0085_1023),
            (of(Opcode::Or, [A0, ZERO, T0], 0, 0), 0x0080_4025),
            (of(Opcode::Nor, [ZERO, A1, T0], 0, 0), 0x0005_4027),
            (of(Opcode::Sltu, [T1, T2, T0], 0, 0), 0x012a_402b),
            (of(Opcode::Multu, [T0, T1, ZERO], 0, 0), 0x0109_0019),
            (of(Opcode::Maddu, [A0, A1, ZERO], 0, 0), 0x7085_0001),
            (of(Opcode::Msubu, [A0, A1, ZERO], 0, 0), 0x7085_0005),
            (of(Opcode::Addiu, [SP, SP, ZERO], 0, 0xffe0), 0x27bd_ffe0),
            (of(Opcode::Ori, [T0, T0, ZERO], 0, 0x1234), 0x3508_1234),
            (of(Opcode::Lui, [ZERO, T0, ZERO], 0, 0x1234), 0x3c08_1234),
            (of(Opcode::Sll, [ZERO, T1, T0], 4, 0), 0x0009_4100),
            (of(Opcode::Srl, [ZERO, T1, T0], 4, 0), 0x0009_4102),
            (of(Opcode::Rotr, [ZERO, T1, T0], 4, 0), 0x0029_4102),
            (of(Opcode::Ins, [A0, V0, Register::of_field(15)], 8, 0), 0x7c82_7a04),
            (of(Opcode::Mfhi, [ZERO, ZERO, V0], 0, 0), 0x0000_1010),
            (of(Opcode::Mtlo, [A0, ZERO, ZERO], 0, 0), 0x0080_0013),
            (of(Opcode::Lw, [SP, RA, ZERO], 0, 28), 0x8fbf_001c),
            (of(Opcode::Sw, [SP, RA, ZERO], 0, 0xfffc), 0xafbf_fffc),
            (of(Opcode::Beq, [A0, ZERO, ZERO], 0, 0xfffe), 0x1080_fffe),
            (of(Opcode::Jal, [ZERO; 3], 0, 0x10_0000), 0x0c10_0000),
            (of(Opcode::Jr, [RA, ZERO, ZERO], 0, 0), 0x03e0_0008),
            (of(Opcode::Clz, [A0, ZERO, V0], 0, 0), 0x7082_1020),
            (of(Opcode::Break, [ZERO; 3], 0, 0), 0x0000_000d),
        ] {
            assert_eq!(
                instruction.encode(),
                word,
                "{instruction:?}: {:#010x}",
                instruction.encode()
            );
            assert_eq!(Instruction::decode(word), Some(instruction), "{word:#010x}");
        }
    }

    #[test]
    fn a_word_with_bits_where_there_should_be_none_is_no_instruction() {
        // `multu` with a destination, `jr` with a second operand, `ins` of a negative size, `ext` beyond the word, `clz` with
        // two destinations, `mfc0`, `add.s`.
        for word in [
            0x0109_0819,
            0x03e1_0008,
            0x7c82_3a04,
            0x7c82_7c40,
            0x7083_1020,
            0x4002_6000,
            0x4600_0000,
            0xffff_ffff,
        ] {
            assert_eq!(Instruction::decode(word), None, "{word:#010x}");
        }
    }

    #[test]
    fn targets_are_modulo_the_address_space() {
        let branch = of(Opcode::Beq, [ZERO; 3], 0, 0x8000);
        assert_eq!(branch.branch_target(0x10), 0x14_u32.wrapping_sub(1 << 17));
        let jump = of(Opcode::J, [ZERO; 3], 0, 0x3ff_ffff);
        assert_eq!(jump.jump_target(0x0fff_fffc), 0x1fff_fffc, "the delay slot decides");
    }
}
