//! What each opcode's words look like and mean: a table that decoding looks up, made from that of the instructions.

use chipwright_dsl::prelude::*;
use chipwright_mips_isa::{Description, Opcode, Operand};

use crate::machine::bus::number;
use crate::machine::operation;

/// How the words of an opcode are cut and what they mean.
///
/// A number below `2^w` is one that is below `2^16` after multiplication with `2^(16 − w)`: `bound`s are such factors, and `2^16`
/// where a field is not there, so that it is zero. Numbers of registers are sums of fields and constants.
#[derive(Debug, Columns)]
pub struct Decoded {
    /// The fixed bits of the word.
    pub bits: Felt,
    /// The bounds of `rs`, `rt`, `rd`, the amount, and the two halves of the constant.
    pub bounds: [Felt; 6],
    /// What `rd` is multiplied with in the word: it may stand there twice.
    pub place_of_rd: Felt,
    /// What the constant is multiplied with in the word.
    pub place_of_constant: Felt,
    /// What is done.
    pub operation: Felt,
    /// Which variant of it.
    pub mode: Felt,
    /// The number of the first register: itself, and how often `rs` and `rt` count.
    pub first: [Felt; 3],
    /// The number of the second register: itself, and how often `rt` counts.
    pub second: [Felt; 2],
    /// The number of the target: itself, and how often `rt` and `rd` count.
    pub target: [Felt; 3],
    /// What the constant is: each kind, zero or one.
    pub constant: [Felt; KINDS],
}

/// An entry of the table of opcodes.
#[message]
pub struct Decoding {
    /// What it says.
    pub decoded: Decoded,
}

/// The number of kinds of constants.
pub const KINDS: usize = 7;

/// What an instruction's constant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The field, sign-extended.
    Signed,
    /// The field.
    Unsigned,
    /// The field, times `2^16`.
    Upper,
    /// The target of a branch.
    Branch,
    /// The target of a jump.
    Jump,
    /// `2^amount`.
    Left,
    /// `2^(32 − amount)`.
    Right,
}

/// The table: one opcode a row.
///
/// # Soundness
///
/// No word belongs to two opcodes, which a test of the table of instructions shows, and a word is cut into the fields of
/// its opcode in one way. Words that belong to none have no row.
#[chip]
pub struct Opcodes {
    #[fixed]
    decoded: Decoded,
    #[port(bus = "opcodes")]
    table: Provide<Decoding>,
}

impl Chip for Opcodes {
    fn row(c: &Builder, row: &Row<Self>) {
        c.provide(row.table, Decoding { decoded: row.decoded });
    }

    fn fixed(_: Field) -> Vec<OpcodesFixed> {
        let decoded = Opcode::ALL.iter().filter_map(|&opcode| decoding(opcode));
        decoded.map(|decoded| OpcodesFixed { decoded }).collect()
    }
}

/// What is done, in which mode, with which kind of constant. The modes of bitwise operations are factors in the field.
fn meaning(opcode: Opcode) -> Option<(i64, i64, Option<Kind>)> {
    use operation::{
        ADD, ADD_CONSTANT, BITWISE, BRANCH, JUMP, JUMP_REGISTER, LESS, LOAD_WORD, SHIFT,
        STORE_WORD, SYSTEM_CALL,
    };
    Some(match opcode {
        Opcode::Addu => (ADD, 0, None),
        Opcode::Subu => (ADD, 1, None),
        Opcode::Addiu => (ADD_CONSTANT, 0, Some(Kind::Signed)),
        Opcode::Lui => (ADD_CONSTANT, 0, Some(Kind::Upper)),
        Opcode::Mfhi | Opcode::Mflo | Opcode::Mthi | Opcode::Mtlo => (ADD_CONSTANT, 0, None),
        Opcode::Lw => (LOAD_WORD, 0, Some(Kind::Signed)),
        Opcode::Sw => (STORE_WORD, 0, Some(Kind::Signed)),
        Opcode::Sltu => (LESS, 0, None),
        Opcode::Slt => (LESS, 1, None),
        Opcode::Sltiu => (LESS, 0, Some(Kind::Signed)),
        Opcode::Slti => (LESS, 1, Some(Kind::Signed)),
        Opcode::And => (BITWISE, 1, None),
        Opcode::Or => (BITWISE + 1, -1, None),
        Opcode::Xor => (BITWISE + 1, -2, None),
        Opcode::Nor => (BITWISE - 1, 1, None),
        Opcode::Andi => (BITWISE, 1, Some(Kind::Unsigned)),
        Opcode::Ori => (BITWISE + 1, -1, Some(Kind::Unsigned)),
        Opcode::Xori => (BITWISE + 1, -2, Some(Kind::Unsigned)),
        Opcode::Sll => (SHIFT, 0, Some(Kind::Left)),
        Opcode::Srl => (SHIFT, 0, Some(Kind::Right)),
        Opcode::Beq => (BRANCH, 0, Some(Kind::Branch)),
        Opcode::Bne => (BRANCH, 1, Some(Kind::Branch)),
        Opcode::J | Opcode::Jal => (JUMP, 0, Some(Kind::Jump)),
        Opcode::Jr | Opcode::JrHb | Opcode::Jalr | Opcode::JalrHb => (JUMP_REGISTER, 0, None),
        Opcode::Syscall => (SYSTEM_CALL, 0, None),
        _ => return None,
    })
}

/// The row of an opcode, if there is a chip for it.
pub fn decoding(opcode: Opcode) -> Option<DecodedNative> {
    let (operation, mode, kind) = meaning(opcode)?;
    let description = opcode.description();
    let layout = Word::of(description);
    let reads = |operand| description.operands.contains(&operand);
    let base = reads(Operand::Offset) || reads(Operand::Base);
    let (rs, rt, rd) = (reads(Operand::Rs) || base, reads(Operand::Rt), reads(Operand::Rd));
    let flag = u64::from;
    // With an immediate operand or a load, `rt` is the target; in shifts it is the first operand.
    let rt_is_target = rt && !rd && !matches!(opcode, Opcode::Sw | Opcode::Beq | Opcode::Bne);
    let shifts = matches!(kind, Some(Kind::Left | Kind::Right));
    let first = match opcode {
        Opcode::Mfhi => [number::HI, 0, 0],
        Opcode::Mflo => [number::LO, 0, 0],
        Opcode::Syscall => [2, 0, 0],
        _ => [0, flag(rs), flag(shifts)],
    };
    let second = match opcode {
        Opcode::Syscall => [4, 0],
        _ => [0, flag(rt && !rt_is_target && !shifts)],
    };
    let target = match opcode {
        Opcode::Mthi => [number::HI, 0, 0],
        Opcode::Mtlo => [number::LO, 0, 0],
        Opcode::Jal => [31, 0, 0],
        _ => [0, flag(rt_is_target), flag(rd)],
    };
    let mut constant = [0; KINDS];
    if let Some(kind) = kind {
        constant[kind as usize] = 1;
    }
    Some(DecodedNative {
        bits: layout.fixed,
        bounds: layout.bounds,
        place_of_rd: layout.place_of_rd,
        place_of_constant: layout.place_of_constant,
        operation: operation as u64,
        mode: Field::Goldilocks2.reduce(mode.into()),
        first,
        second,
        target,
        constant,
    })
}

/// A word's layout as numbers.
struct Word {
    fixed: u64,
    bounds: [u64; 6],
    place_of_rd: u64,
    place_of_constant: u64,
}

impl Word {
    /// From the text of the layout: fixed bits, and letters for fields.
    fn of(description: &Description) -> Self {
        let letters: Vec<char> =
            description.layout.chars().filter(|c| !c.is_whitespace()).collect();
        let place = |letter: char| {
            let last = letters.iter().rposition(|&other| other == letter)?;
            Some(1_u64 << (31 - last))
        };
        let width = |letter: char| letters.iter().filter(|&&other| other == letter).count() as u32;
        let fixed = letters.iter().fold(0, |bits, &letter| 2 * bits + u64::from(letter == '1'));
        let bound = |width: u32| if width == 0 { 1 << 16 } else { 1 << (16 - width) };
        let constant = width('c');
        Self {
            fixed,
            bounds: [
                bound(width('s')),
                bound(width('t')),
                bound(width('d')),
                bound(width('a')),
                bound(constant.min(16)),
                bound(constant.saturating_sub(16)),
            ],
            place_of_rd: place('d').unwrap_or(0) + place('D').unwrap_or(0),
            place_of_constant: place('c').unwrap_or(0),
        }
    }
}
