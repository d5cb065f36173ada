//! Which chip plays which role: the names are those of the documents that describe Ziren's machine.

use std::fmt::Write;

use chipwright_ir::machine::Machine;
use chipwright_mips_isa::Opcode;

use super::instruction::INSTRUCTIONS;
use super::program::decoding;

/// The roles, with the chips that play them.
const ROLES: &[(&str, &[&str])] = &[
    ("ProgramChip", &["decode", "text_leaf", "text_node", "opcodes", "powers"]),
    ("CpuChip: the columns `Cycle` of each row", &["boundary"]),
    ("AddSubChip", &["add_sub", "add_constant", "add_checked"]),
    ("MulChip", &["multiply_low", "multiply"]),
    ("DivRemChip", &["divide"]),
    ("LtChip", &["less"]),
    ("BitwiseChip", &["bitwise", "and_table"]),
    ("ShiftLeft, ShiftRight", &["shift", "shift_signed", "shift_variable"]),
    ("CloClzChip", &["count"]),
    ("fields, signs, moves, traps", &["bit_field", "extend", "move_if", "trap_equal", "trap"]),
    (
        "MemoryInstructionsChip",
        &[
            "load_word",
            "store_word",
            "load_byte",
            "load_half",
            "store_byte",
            "store_half",
            "unaligned",
            "linked",
        ],
    ),
    ("MemoryGlobalChip", &["leaf", "node", "refresh"]),
    ("BranchChip", &["branch", "branch_sign", "branch_rare"]),
    ("JumpChip", &["jump", "jump_register"]),
    ("SyscallInstrsChip", &["halt", "answer", "commit", "read", "grow", "assign", "vector"]),
    ("SyscallChip: what calls ask", &["answers", "input_word"]),
    ("ByteChip: ranges", &["range8", "range16"]),
];

/// The names of the opcodes whose rows a chip has.
fn instructions(chip: &str) -> Vec<&'static str> {
    let operations = INSTRUCTIONS.iter().find(|other| (other.name)() == chip);
    let operations = operations.map_or(&[][..], |chip| chip.operations);
    let is_own = |opcode: &&Opcode| {
        decoding(**opcode)
            .is_some_and(|decoded| operations.contains(&decoded.operation.cast_signed()))
    };
    Opcode::ALL.iter().filter(is_own).map(|opcode| opcode.name()).collect()
}

/// The chips of a machine that play no role, or two.
pub fn without_one_role(machine: &Machine) -> Vec<&str> {
    let names = machine.chips.iter().map(|chip| chip.name.as_str());
    let roles = |name: &str| {
        ROLES.iter().flat_map(|(_, chips)| *chips).filter(|chip| **chip == name).count()
    };
    names.filter(|name| roles(name) != 1).collect()
}

/// The table of the chips of a machine in Markdown. Main columns are those that are committed for each proof.
pub fn markdown(machine: &Machine) -> String {
    let mut text = "| role | chip | main columns | messages | instructions |\n".to_owned();
    text += "|---|---|---:|---:|---|\n";
    for (role, chips) in ROLES {
        let mut role = *role;
        for name in *chips {
            let Some(position) = machine.position(name) else { continue };
            let chip = &machine.chips[position];
            let (width, messages) = (chip.width(), chip.interactions.len());
            let instructions = instructions(name).join(", ");
            let _ = writeln!(text, "| {role} | `{name}` | {width} | {messages} | {instructions} |");
            role = "";
        }
    }
    text
}
