//! Instructions as text.

use std::fmt;

use crate::instruction::Instruction;
use crate::table::{Opcode, Operand};

/// An instruction at an address: branches and jumps show where they go.
#[derive(Clone, Copy, Debug)]
pub struct At {
    instruction: Instruction,
    pc: Option<u32>,
}

impl Instruction {
    /// The text of the instruction at an address.
    pub const fn at(self, pc: u32) -> At {
        At { instruction: self, pc: Some(pc) }
    }
}

impl fmt::Display for Instruction {
    /// Branches show the distance from themselves, jumps the lower bits of the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        At { instruction: *self, pc: None }.fmt(f)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { instruction, pc } = self;
        let Instruction { opcode, rs, rt, rd, amount, constant } = *instruction;
        let mut text = String::new();
        for operand in opcode.description().operands {
            let shown = match operand {
                Operand::Rd => rd.to_string(),
                Operand::Rs => rs.to_string(),
                Operand::Rt => rt.to_string(),
                Operand::ExtractSize => format!("{:#x}", rd.number() + 1),
                Operand::InsertSize => format!("{:#x}", (rd.number() + 1).saturating_sub(amount)),
                Operand::Signed | Operand::Offset => instruction.signed().to_string(),
                Operand::Base => {
                    text += &format!("({rs})");
                    continue;
                }
                Operand::Branch => match pc {
                    Some(pc) => format!("{:#x}", instruction.branch_target(*pc)),
                    None => format!(".{:+}", 4 * (instruction.signed() + 1)),
                },
                Operand::Target => {
                    format!("{:#x}", instruction.jump_target(pc.unwrap_or(0)))
                }
                Operand::Code if constant == 0 => continue,
                Operand::Unsigned | Operand::Code => format!("{constant:#x}"),
                Operand::BreakCode => match (constant >> 10, constant & 0x3ff) {
                    (0, 0) => continue,
                    (high, 0) => format!("{high:#x}"),
                    (high, low) => format!("{high:#x}, {low:#x}"),
                },
                Operand::Hardware => format!("${}", rd.number()),
                Operand::Barrier if amount == 0 => continue,
                Operand::Amount | Operand::Hint | Operand::Position | Operand::Barrier => {
                    format!("{amount:#x}")
                }
            };
            text += if text.is_empty() { " " } else { ", " };
            text += &shown;
        }
        write!(f, "{}{text}", opcode.name())
    }
}

/// The table of all instructions in Markdown.
pub fn instruction_table() -> String {
    let mut text = "| instruction | operands | word | meaning |\n|---|---|---|---|\n".to_owned();
    let mut group = None;
    for &opcode in Opcode::ALL {
        let line = opcode.description();
        if group.replace(line.group) != Some(line.group) {
            text += &format!("| **{}** | | | |\n", line.group.name());
        }
        let operands: Vec<&str> = line.operands.iter().map(|operand| operand.symbol()).collect();
        let operands = operands.join(", ").replace("c, (rs)", "c(rs)");
        let operands = if operands.is_empty() { operands } else { format!("`{operands}`") };
        // A bar would end the cell.
        let meaning = line.meaning.replace('|', "\\|");
        text += &format!("| `{}` | {operands} | `{}` | {meaning} |\n", line.name, line.layout);
    }
    text
}

impl Operand {
    /// What the table of the documentation calls it.
    const fn symbol(self) -> &'static str {
        match self {
            Self::Rd => "rd",
            Self::Rs => "rs",
            Self::Rt => "rt",
            Self::Amount | Self::Position | Self::Hint | Self::Barrier => "a",
            Self::ExtractSize => "d + 1",
            Self::InsertSize => "d − a + 1",
            Self::Signed
            | Self::Unsigned
            | Self::Offset
            | Self::Branch
            | Self::Target
            | Self::Code
            | Self::BreakCode => "c",
            Self::Base => "(rs)",
            Self::Hardware => "d",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_that_of_the_assembler() {
        let text =
            |word| Instruction::decode(word).expect("an instruction").at(0x40_0000).to_string();
        for (word, expected) in [
            (0x0085_1021, "addu $v0, $a0, $a1"),
            (0x27bd_ffe0, "addiu $sp, $sp, -32"),
            (0x8fbf_001c, "lw $ra, 28($sp)"),
            (0x1080_fffe, "beq $a0, $zero, 0x3ffffc"),
            (0x0c10_0004, "jal 0x400010"),
            (0x7c82_7a04, "ins $v0, $a0, 0x8, 0x8"),
            (0x0080_01f4, "teq $a0, $zero, 0x7"),
            (0x0007_000d, "break 0x7"),
            (0x7c03_e83b, "rdhwr $v1, $29"),
            (0x0000_000c, "syscall"),
        ] {
            assert_eq!(text(word), expected);
        }
        let branch = Instruction::decode(0x1080_fffe).expect("an instruction");
        assert_eq!(branch.to_string(), "beq $a0, $zero, .-4");
    }
}
