//! What each opcode means: the operation, its mode, which registers it reads and writes, and what its constant is.

use chipwright_mips_isa::Opcode;

use super::powers::power;
use crate::machine::alu::SIGNED;
use crate::machine::bus::number;
use crate::machine::operation;

/// What an opcode means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    /// What is done.
    pub(super) operation: i64,
    /// Which variant of it: an element of the field.
    pub(super) mode: i64,
    /// What the constant is.
    pub(super) constant: Constant,
    /// The first register that is read.
    pub(super) first: Place,
    /// The second register that is read.
    pub(super) second: Place,
    /// The register that is written.
    pub(super) target: Place,
    /// Whether the target must not be the first register: the architecture does not say what happens then.
    pub(super) distinct: bool,
}

/// Where the number of a register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the opcode.
    Number(u64),
    /// In `rs`.
    Rs,
    /// In `rt`.
    Rt,
    /// In `rd`.
    Rd,
}

use Place::{Number, Rd, Rs, Rt};

/// What an instruction's constant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    /// Zero.
    None,
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
    /// The factor of a power, by its kind; the selector is added to the mode.
    Power(u64),
}

impl Constant {
    /// The number among the kinds that are no powers.
    pub(super) const fn kind(self) -> usize {
        match self {
            Self::None | Self::Signed | Self::Power(_) => 0,
            Self::Unsigned => 1,
            Self::Upper => 2,
            Self::Branch => 3,
            Self::Jump => 4,
        }
    }
}

impl Meaning {
    /// An operation without operands: it reads and writes nothing that shows.
    const fn of(operation: i64, mode: i64) -> Self {
        let (constant, first, second) = (Constant::None, Number(0), Number(0));
        Self { operation, mode, constant, first, second, target: Number(0), distinct: false }
    }

    const fn reads(self, first: Place, second: Place) -> Self {
        Self { first, second, ..self }
    }

    const fn writes(self, target: Place) -> Self {
        Self { target, ..self }
    }

    const fn constant(self, constant: Constant) -> Self {
        Self { constant, ..self }
    }

    /// The target must not be the first register.
    const fn distinct(self) -> Self {
        Self { distinct: true, ..self }
    }
}

/// `rd` from `rs` and `rt`.
const fn registers(operation: i64, mode: i64) -> Meaning {
    Meaning::of(operation, mode).reads(Rs, Rt).writes(Rd)
}

/// `rt` from `rs` and a constant.
const fn immediate(operation: i64, mode: i64, constant: Constant) -> Meaning {
    Meaning::of(operation, mode).reads(Rs, Number(0)).writes(Rt).constant(constant)
}

/// `rd` from `rt` and a power.
const fn shift(operation: i64, kind: u64) -> Meaning {
    Meaning::of(operation, 0).reads(Rt, Number(0)).writes(Rd).constant(Constant::Power(kind))
}

/// `rd` from `rt`.
const fn of_rt(operation: i64, mode: i64) -> Meaning {
    Meaning::of(operation, mode).reads(Rt, Number(0)).writes(Rd)
}

/// What is done with `rs` and `rt`, but no register that is written has a number.
const fn two(operation: i64, mode: i64) -> Meaning {
    Meaning::of(operation, mode).reads(Rs, Rt)
}

/// What is done with `rs` and a constant with a sign, and writes nothing.
const fn one(operation: i64, mode: i64) -> Meaning {
    Meaning::of(operation, mode).reads(Rs, Number(0)).constant(Constant::Signed)
}

/// `rt` from memory.
const fn load(operation: i64, mode: i64) -> Meaning {
    immediate(operation, mode, Constant::Signed)
}

/// `rt` to memory.
const fn store(operation: i64, mode: i64) -> Meaning {
    Meaning::of(operation, mode).reads(Rs, Rt).constant(Constant::Signed)
}

/// A condition of two registers.
const fn branch(operation: i64, mode: i64, second: Place) -> Meaning {
    Meaning::of(operation, mode).reads(Rs, second).constant(Constant::Branch)
}

/// A register that is copied to another.
const fn moves(from: Place, to: Place) -> Meaning {
    Meaning::of(operation::ADD_CONSTANT, 0).reads(from, Number(0)).writes(to)
}

/// What an opcode means, if there is a chip for it.
#[allow(clippy::too_many_lines, reason = "one line for each instruction of the architecture")]
pub(super) const fn meaning(opcode: Opcode) -> Option<Meaning> {
    use Constant::{Jump, Signed, Unsigned, Upper};
    use operation::{
        ADD, ADD_CHECKED, ADD_CONSTANT, BIT_FIELD, BITWISE, BRANCH, BRANCH_RARE, BRANCH_SIGN,
        COUNT, DIVIDE, EXTEND, JUMP, JUMP_REGISTER, LESS, LINKED, LOAD_BYTE, LOAD_HALF, LOAD_WORD,
        MOVE_IF, MULTIPLY, MULTIPLY_LOW, SHIFT, SHIFT_SIGNED, SHIFT_VARIABLE, STORE_BYTE,
        STORE_HALF, STORE_WORD, SYSTEM_CALL, TRAP, TRAP_EQUAL, UNALIGNED,
    };
    Some(match opcode {
        Opcode::Addu => registers(ADD, 0),
        Opcode::Subu => registers(ADD, 1),
        Opcode::Add => registers(ADD_CHECKED, 0),
        Opcode::Addi => immediate(ADD_CHECKED, 0, Signed),
        Opcode::Sub => registers(ADD_CHECKED, 1),
        Opcode::Addiu => immediate(ADD_CONSTANT, 0, Signed),
        Opcode::Lui => immediate(ADD_CONSTANT, 0, Upper).reads(Number(0), Number(0)),
        Opcode::Sltu => registers(LESS, 0),
        Opcode::Slt => registers(LESS, 1),
        Opcode::Sltiu => immediate(LESS, 0, Signed),
        Opcode::Slti => immediate(LESS, 1, Signed),
        // The modes of bitwise operations are factors.
        Opcode::And => registers(BITWISE, 1),
        Opcode::Or => registers(BITWISE + 1, -1),
        Opcode::Xor => registers(BITWISE + 1, -2),
        Opcode::Nor => registers(BITWISE - 1, 1),
        Opcode::Andi => immediate(BITWISE, 1, Unsigned),
        Opcode::Ori => immediate(BITWISE + 1, -1, Unsigned),
        Opcode::Xori => immediate(BITWISE + 1, -2, Unsigned),

        Opcode::Sll => shift(SHIFT, power::LEFT),
        Opcode::Srl => shift(SHIFT, power::RIGHT),
        Opcode::Rotr => shift(SHIFT, power::ROTATE),

        Opcode::Sra => shift(SHIFT_SIGNED, power::RIGHT),
        Opcode::Sllv => registers(SHIFT_VARIABLE, power::LEFT.cast_signed()),
        Opcode::Srlv => registers(SHIFT_VARIABLE, power::RIGHT.cast_signed()),
        Opcode::Rotrv => registers(SHIFT_VARIABLE, power::ROTATE.cast_signed()),
        Opcode::Srav => registers(SHIFT_VARIABLE, SIGNED + power::RIGHT.cast_signed()),

        Opcode::Mul => registers(MULTIPLY_LOW, 0),
        Opcode::Multu => two(MULTIPLY, 0),
        Opcode::Mult => two(MULTIPLY, 1),
        Opcode::Maddu => two(MULTIPLY, 2),
        Opcode::Madd => two(MULTIPLY, 3),
        Opcode::Msubu => two(MULTIPLY, 6),
        Opcode::Msub => two(MULTIPLY, 7),
        Opcode::Divu => two(DIVIDE, 0),
        Opcode::Div => two(DIVIDE, 1),

        Opcode::Movz => registers(MOVE_IF, 0),
        Opcode::Movn => registers(MOVE_IF, 1),
        Opcode::Wsbh => of_rt(EXTEND, 0),
        Opcode::Seb => of_rt(EXTEND, 1),
        Opcode::Seh => of_rt(EXTEND, 2),
        Opcode::Clz => Meaning::of(COUNT, 0).reads(Rs, Number(0)).writes(Rd),
        Opcode::Clo => Meaning::of(COUNT, 1).reads(Rs, Number(0)).writes(Rd),
        Opcode::Ext => immediate(BIT_FIELD, 0, Constant::Power(power::EXTRACT)),
        Opcode::Ins => immediate(BIT_FIELD, 0, Constant::Power(power::INSERT)).reads(Rs, Rt),

        Opcode::Mfhi => moves(Number(number::HI), Rd),
        Opcode::Mflo => moves(Number(number::LO), Rd),
        Opcode::Mthi => moves(Rs, Number(number::HI)),
        Opcode::Mtlo => moves(Rs, Number(number::LO)),
        Opcode::Rdhwr => moves(Number(number::THREAD_POINTER), Rt),
        // Nothing is nothing to nowhere.
        Opcode::Sync | Opcode::Synci | Opcode::Pref => moves(Number(0), Number(0)),

        Opcode::Lw => load(LOAD_WORD, 0),
        Opcode::Sw => store(STORE_WORD, 0),

        Opcode::Lbu => load(LOAD_BYTE, 0),
        Opcode::Lb => load(LOAD_BYTE, 1),
        Opcode::Lhu => load(LOAD_HALF, 0),
        Opcode::Lh => load(LOAD_HALF, 1),
        Opcode::Sb => store(STORE_BYTE, 0),
        Opcode::Sh => store(STORE_HALF, 0),
        Opcode::Lwr => load(UNALIGNED, 0).reads(Rs, Rt),
        Opcode::Lwl => load(UNALIGNED, 1).reads(Rs, Rt),
        Opcode::Swr => store(UNALIGNED, 2),
        Opcode::Swl => store(UNALIGNED, 3),
        Opcode::Ll => load(LINKED, 0),
        Opcode::Sc => load(LINKED, 1).reads(Rs, Rt),

        Opcode::Beq => branch(BRANCH, 0, Rt),
        Opcode::Bne => branch(BRANCH, 1, Rt),
        Opcode::Bltz => branch(BRANCH_SIGN, 0, Number(0)),
        Opcode::Bgez => branch(BRANCH_SIGN, 1, Number(0)),
        Opcode::Blez => branch(BRANCH_SIGN, 2, Number(0)),
        Opcode::Bgtz => branch(BRANCH_SIGN, 3, Number(0)),
        Opcode::Bltzal => branch(BRANCH_RARE, 2, Number(0)).writes(Number(31)).distinct(),
        Opcode::Bgezal => branch(BRANCH_RARE, 2 + 4, Number(0)).writes(Number(31)).distinct(),
        Opcode::Beql => branch(BRANCH_RARE, 8 + 1, Rt),
        Opcode::Bnel => branch(BRANCH_RARE, 8 + 1 + 4, Rt),
        Opcode::Blezl => branch(BRANCH_RARE, 8 + 1 + 2, Number(0)),
        Opcode::Bgtzl => branch(BRANCH_RARE, 8 + 1 + 2 + 4, Number(0)),
        Opcode::Bltzl => branch(BRANCH_RARE, 8 + 2, Number(0)),
        Opcode::Bgezl => branch(BRANCH_RARE, 8 + 2 + 4, Number(0)),
        Opcode::Bltzall => branch(BRANCH_RARE, 8 + 2, Number(0)).writes(Number(31)).distinct(),
        Opcode::Bgezall => branch(BRANCH_RARE, 8 + 2 + 4, Number(0)).writes(Number(31)).distinct(),
        Opcode::J => Meaning::of(JUMP, 0).constant(Jump),
        Opcode::Jal => Meaning::of(JUMP, 0).writes(Number(31)).constant(Jump),
        Opcode::Jr | Opcode::JrHb => Meaning::of(JUMP_REGISTER, 0).reads(Rs, Number(0)),
        Opcode::Jalr | Opcode::JalrHb => {
            Meaning::of(JUMP_REGISTER, 0).reads(Rs, Number(0)).writes(Rd).distinct()
        }
        Opcode::Teq => two(TRAP_EQUAL, 0),
        Opcode::Teqi => one(TRAP_EQUAL, 0),
        Opcode::Tltu => two(TRAP, 0),
        Opcode::Tltiu => one(TRAP, 0),
        Opcode::Tlt => two(TRAP, 1),
        Opcode::Tlti => one(TRAP, 1),
        Opcode::Tgeu => two(TRAP, 2),
        Opcode::Tgeiu => one(TRAP, 2),
        Opcode::Tge => two(TRAP, 2 + 1),
        Opcode::Tgei => one(TRAP, 2 + 1),
        Opcode::Tne => two(TRAP, 4),
        Opcode::Tnei => one(TRAP, 4),
        Opcode::Syscall => Meaning::of(SYSTEM_CALL, 0).reads(Number(2), Number(4)),
        // It has no proof.
        Opcode::Break => return None,
    })
}
