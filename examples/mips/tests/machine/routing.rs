//! Which chip each opcode is.

use std::collections::BTreeMap;

use chipwright_mips_isa::Opcode;

use crate::DATA;
use crate::opcodes::instruction;
use crate::single::chips_of;

/// The opcodes of each chip.
const CHIPS: &[(&str, &str)] = &[
    ("add_sub", "addu subu"),
    ("add_constant", "addiu lui mfhi mflo mthi mtlo rdhwr sync synci pref"),
    ("less", "slt sltu slti sltiu"),
    ("shift", "sll srl ror"),
    ("bitwise", "and or xor nor andi ori xori"),
    ("shift_signed", "sra"),
    ("shift_variable", "sllv srlv rorv srav"),
    ("multiply_low", "mul"),
    ("multiply", "mult multu madd maddu msub msubu"),
    ("divide", "div divu"),
    ("add_checked", "add addi sub"),
    ("move_if", "movz movn"),
    ("extend", "seb seh wsbh"),
    ("count", "clz clo"),
    ("bit_field", "ext ins"),
    ("load_word", "lw"),
    ("store_word", "sw"),
    ("load_byte", "lb lbu"),
    ("load_half", "lh lhu"),
    ("store_byte", "sb"),
    ("store_half", "sh"),
    ("unaligned", "lwl lwr swl swr"),
    ("linked", "ll sc"),
    ("branch", "beq bne"),
    ("branch_sign", "blez bgtz bltz bgez"),
    ("branch_rare", "bltzal bgezal beql bnel blezl bgtzl bltzl bgezl bltzall bgezall"),
    ("jump", "j jal"),
    ("jump_register", "jr jr.hb jalr jalr.hb"),
    ("trap_equal", "teq teqi"),
    ("trap", "tne tnei tge tgei tgeu tgeiu tlt tlti tltu tltiu"),
    ("halt", "syscall"),
];

#[test]
fn m_12_each_opcode_adds_one_row_to_its_chip() {
    let expected: BTreeMap<&str, &str> = CHIPS
        .iter()
        .flat_map(|&(chip, opcodes)| opcodes.split(' ').map(move |opcode| (opcode, chip)))
        .collect();
    for &opcode in Opcode::ALL {
        if opcode == Opcode::Break {
            // It has no proof, and so no chip.
            assert_eq!(expected.get(opcode.name()), None);
            continue;
        }
        let operands = [[DATA, 1], [1, DATA], [1, 1], [0, 1], [1 << 31, 1]];
        let cases = operands.into_iter().flat_map(|operands| [(operands, 0), (operands, 0xffff)]);
        let found = cases.into_iter().find_map(|(operands, constant)| {
            let (rows, executed) = chips_of(instruction(opcode, 0, constant), operands, |_| {});
            executed.then_some(rows)
        });
        let rows = found.unwrap_or_else(|| panic!("{} is never executed", opcode.name()));
        let chips: Vec<&str> = rows.iter().map(|single| single.chip.as_str()).collect();
        assert_eq!(chips, [expected[opcode.name()]], "{}", opcode.name());
    }
}
