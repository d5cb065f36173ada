//! Programs from instructions, labels and routines.
//!
//! A method of [`Assembler`] appends the instruction of its name. Rare cases that would disturb straight code are put
//! behind the routine ([`Assembler::behind`]).

use std::fmt;

use super::instruction::{Alu, Immediate, Instruction, Product, RA, Register, ZERO};

/// A place in the program, once [`Assembler::place`] has said where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// Why there is no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssemblerError {
    /// A jump to a label that was never placed.
    #[error("instruction {at} jumps to a label that has no place")]
    Unplaced {
        /// The position of the instruction.
        at: usize,
    },
    /// A call of a routine that does not exist.
    #[error("instruction {at} calls `{name}`, which does not exist")]
    UnknownRoutine {
        /// The position of the instruction.
        at: usize,
        /// The name.
        name: String,
    },
    /// A branch reaches 2^15 instructions.
    #[error("the branch at instruction {at} goes {distance} instructions far")]
    Far {
        /// The position of the instruction.
        at: usize,
        /// The distance.
        distance: isize,
    },
    /// What a jump in a delay slot does is not defined.
    #[error("instruction {at} jumps, and is in the delay slot of a jump")]
    DelaySlot {
        /// The position of the instruction.
        at: usize,
    },
}

/// Machine code, and where its routines begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The words.
    pub words: Vec<u32>,
    /// Names and first words, in the order of the words. A routine ends where the next one begins.
    pub routines: Vec<(&'static str, usize)>,
}

enum Target {
    Label(Label),
    Routine(&'static str),
}

type Behind = Box<dyn FnOnce(&mut Assembler)>;

/// Collects a program.
#[derive(Default)]
pub struct Assembler {
    code: Vec<Instruction>,
    /// The position of each label.
    labels: Vec<Option<usize>>,
    /// Jumps, and where they go.
    jumps: Vec<(usize, Target)>,
    routines: Vec<(&'static str, usize)>,
    behind: Vec<Behind>,
}

impl fmt::Debug for Assembler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assembler").field("code", &self.code.len()).finish_non_exhaustive()
    }
}

macro_rules! three_registers {
    ($($method:ident $op:ident;)*) => {$(
        #[doc = concat!("`", stringify!($method), " rd, rs, rt`")]
        pub fn $method(&mut self, rd: Register, rs: Register, rt: Register) {
            self.code.push(Instruction::Alu(Alu::$op, rd, rs, rt));
        }
    )*};
}

macro_rules! products {
    ($($method:ident $op:ident;)*) => {$(
        #[doc = concat!("`", stringify!($method), " rs, rt`")]
        pub fn $method(&mut self, rs: Register, rt: Register) {
            self.code.push(Instruction::Product(Product::$op, rs, rt));
        }
    )*};
}

macro_rules! one_register {
    ($($method:ident $op:ident;)*) => {$(
        #[doc = concat!("`", stringify!($method), " register`")]
        pub fn $method(&mut self, register: Register) {
            self.code.push(Instruction::$op(register));
        }
    )*};
}

macro_rules! memory {
    ($($method:ident $op:ident;)*) => {$(
        #[doc = concat!("`", stringify!($method), " rt, offset(base)`")]
        pub fn $method(&mut self, rt: Register, offset: i16, base: Register) {
            self.code.push(Instruction::$op(rt, offset, base));
        }
    )*};
}

macro_rules! branches {
    ($($method:ident $op:ident;)*) => {$(
        #[doc = concat!("`", stringify!($method), " rs, rt, label`")]
        pub fn $method(&mut self, rs: Register, rt: Register, label: Label) {
            self.jumps.push((self.code.len(), Target::Label(label)));
            self.code.push(Instruction::$op(rs, rt, 0));
        }
    )*};
}

impl Assembler {
    /// No instructions yet.
    pub fn new() -> Self {
        Self::default()
    }

    three_registers! { addu Addu; subu Subu; or Or; nor Nor; sltu Sltu; }
    products! { multu Multu; maddu Maddu; msubu Msubu; }
    one_register! { mfhi Mfhi; mflo Mflo; mthi Mthi; mtlo Mtlo; }
    memory! { lw Lw; sw Sw; }
    branches! { beq Beq; bne Bne; }

    /// `addiu rt, rs, constant`
    pub fn addiu(&mut self, rt: Register, rs: Register, constant: i16) {
        self.code.push(Instruction::Immediate(Immediate::Addiu, rt, rs, constant as u16));
    }

    /// `sll rd, rt, amount`
    pub fn sll(&mut self, rd: Register, rt: Register, amount: u8) {
        self.code.push(Instruction::Sll(rd, rt, amount));
    }

    /// `srl rd, rt, amount`
    pub fn srl(&mut self, rd: Register, rt: Register, amount: u8) {
        self.code.push(Instruction::Srl(rd, rt, amount));
    }

    /// `ins rt, rs, position, size`
    pub fn ins(&mut self, rt: Register, rs: Register, position: u8, size: u8) {
        self.code.push(Instruction::Ins(rt, rs, position, position + size - 1));
    }

    /// A constant of 32 bits, in one instruction or two.
    pub fn li(&mut self, rt: Register, constant: u32) {
        let (high, low) = ((constant >> 16) as u16, constant as u16);
        if constant.cast_signed() >> 15 == 0 || constant.cast_signed() >> 15 == -1 {
            self.addiu(rt, ZERO, low.cast_signed());
            return;
        }
        self.code.push(Instruction::Immediate(Immediate::Lui, rt, ZERO, high));
        if low != 0 {
            self.code.push(Instruction::Immediate(Immediate::Ori, rt, rt, low));
        }
    }

    /// `j label`
    pub fn j(&mut self, label: Label) {
        self.jumps.push((self.code.len(), Target::Label(label)));
        self.code.push(Instruction::J(0));
    }

    /// `jal routine`
    pub fn jal(&mut self, routine: &'static str) {
        self.jumps.push((self.code.len(), Target::Routine(routine)));
        self.code.push(Instruction::Jal(0));
    }

    /// `jr $ra`
    pub fn ret(&mut self) {
        self.code.push(Instruction::Jr(RA));
    }

    /// `nop`
    pub fn nop(&mut self) {
        self.sll(ZERO, ZERO, 0);
    }

    /// `break`
    pub fn stop(&mut self) {
        self.code.push(Instruction::Break);
    }

    /// A label for later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    pub fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.code.len());
    }

    /// A label that is here.
    pub fn here(&mut self) -> Label {
        let label = self.label();
        self.place(label);
        label
    }

    /// A routine begins here, and the one before ends.
    pub fn routine(&mut self, name: &'static str) {
        self.end_routine();
        self.routines.push((name, self.code.len()));
    }

    /// Instructions for the end of the routine.
    pub fn behind(&mut self, emit: impl FnOnce(&mut Self) + 'static) {
        self.behind.push(Box::new(emit));
    }

    fn end_routine(&mut self) {
        for emit in std::mem::take(&mut self.behind) {
            emit(self);
        }
    }

    /// The program.
    ///
    /// # Errors
    ///
    /// Fails if a jump goes nowhere or too far, or is in the delay slot of another.
    pub fn finish(mut self) -> Result<Program, AssemblerError> {
        self.end_routine();
        for (at, pair) in self.code.windows(2).enumerate() {
            if pair.iter().all(|instruction| instruction.jumps()) {
                return Err(AssemblerError::DelaySlot { at: at + 1 });
            }
        }
        for (at, target) in self.jumps {
            let target = match target {
                Target::Label(label) => {
                    self.labels[label.0].ok_or(AssemblerError::Unplaced { at })?
                }
                Target::Routine(name) => {
                    let mut routines = self.routines.iter();
                    let found = routines.find(|(routine, _)| *routine == name);
                    let name = name.to_owned();
                    found.ok_or(AssemblerError::UnknownRoutine { at, name })?.1
                }
            };
            let distance = target.cast_signed() - (at.cast_signed() + 1);
            let offset = i16::try_from(distance).map_err(|_| AssemblerError::Far { at, distance });
            self.code[at] = match self.code[at] {
                Instruction::Beq(rs, rt, _) => Instruction::Beq(rs, rt, offset?),
                Instruction::Bne(rs, rt, _) => Instruction::Bne(rs, rt, offset?),
                Instruction::Jal(_) => Instruction::Jal(target as u32),
                _ => Instruction::J(target as u32),
            };
        }
        let words = self.code.into_iter().map(Instruction::encode).collect();
        Ok(Program { words, routines: self.routines })
    }
}

#[cfg(test)]
mod tests {
    use super::super::instruction::{T0, V0};
    use super::*;

    #[test]
    fn branches_count_from_their_delay_slot() {
        let mut asm = Assembler::new();
        let start = asm.here();
        let end = asm.label();
        asm.beq(T0, ZERO, end);
        asm.nop();
        asm.bne(T0, ZERO, start);
        asm.nop();
        asm.place(end);
        asm.stop();
        let words = asm.finish().expect("all labels are placed").words;
        assert_eq!(Instruction::decode(words[0]), Some(Instruction::Beq(T0, ZERO, 3)));
        assert_eq!(Instruction::decode(words[2]), Some(Instruction::Bne(T0, ZERO, -3)));
    }

    #[test]
    fn jumps_to_nowhere_and_in_delay_slots_are_refused() {
        let mut nowhere = Assembler::new();
        let label = nowhere.label();
        nowhere.j(label);
        assert_eq!(nowhere.finish(), Err(AssemblerError::Unplaced { at: 0 }));

        let mut unknown = Assembler::new();
        unknown.jal("sort");
        let name = "sort".to_owned();
        assert_eq!(unknown.finish(), Err(AssemblerError::UnknownRoutine { at: 0, name }));

        let mut slot = Assembler::new();
        let label = slot.here();
        slot.j(label);
        slot.ret();
        assert_eq!(slot.finish(), Err(AssemblerError::DelaySlot { at: 1 }));

        let mut far = Assembler::new();
        let label = far.here();
        (0..1 << 15).for_each(|_| far.nop());
        far.beq(ZERO, ZERO, label);
        let distance = -(1 << 15) - 1;
        assert_eq!(far.finish(), Err(AssemblerError::Far { at: 1 << 15, distance }));
    }

    #[test]
    fn rare_cases_are_behind_their_routine() {
        let mut asm = Assembler::new();
        asm.routine("first");
        asm.behind(|asm| asm.mfhi(V0));
        asm.ret();
        asm.nop();
        asm.routine("second");
        asm.stop();
        let program = asm.finish().expect("there are no jumps");
        assert_eq!(program.words[2], Instruction::Mfhi(V0).encode());
        assert_eq!(program.routines, [("first", 0), ("second", 3)]);
    }
}
