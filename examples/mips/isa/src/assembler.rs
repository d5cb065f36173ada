//! Programs from instructions, labels and routines.
//!
//! A method of [`Assembler`] appends the instruction of its name. Rare cases that would disturb straight code are put
//! behind the routine ([`Assembler::behind`]).

use std::fmt;

use crate::instruction::Instruction;
use crate::register::{RA, Register, ZERO};
use crate::table::{Group, Opcode, for_each_instruction};

/// A place in the program, once [`Assembler::place`] has said where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// Where a branch or a jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a label.
    Label(Label),
    /// To the first instruction of a routine.
    Routine(&'static str),
}

impl From<Label> for Target {
    fn from(label: Label) -> Self {
        Self::Label(label)
    }
}

impl From<&'static str> for Target {
    fn from(routine: &'static str) -> Self {
        Self::Routine(routine)
    }
}

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
    /// A jump keeps the upper four bits of the address.
    #[error("the jump at instruction {at} leaves its 256 MiB")]
    Region {
        /// The position of the instruction.
        at: usize,
    },
    /// What a jump in a delay slot does is not defined.
    #[error("instruction {at} jumps, and is in the delay slot of a jump")]
    DelaySlot {
        /// The position of the instruction.
        at: usize,
    },
    /// Words are at addresses that four divides, below 2^32.
    #[error("{words} words do not fit behind address {base:#x}")]
    Base {
        /// Where the program was to begin.
        base: u32,
        /// Its length.
        words: usize,
    },
}

/// Machine code, and where its routines begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The address of the first word.
    pub base: u32,
    /// The words.
    pub words: Vec<u32>,
    /// Names and first words, in the order of the words. A routine ends where the next one begins.
    pub routines: Vec<(&'static str, usize)>,
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

/// The type of an operand of a method.
macro_rules! operand_type {
    (rd) => { Register };
    (rs) => { Register };
    (rt) => { Register };
    (base) => { Register };
    (signed) => { i16 };
    (offset) => { i16 };
    (unsigned) => { u16 };
    (branch) => { impl Into<Target> };
    (target) => { impl Into<Target> };
    (code) => { u32 };
    (break_code) => { u32 };
    ($small:ident) => { u8 };
}

/// The instruction with an operand in its field.
macro_rules! with_operand {
    ($asm:ident $from:ident $value:ident rd) => { Instruction { rd: $value, ..$from } };
    ($asm:ident $from:ident $value:ident rs) => { Instruction { rs: $value, ..$from } };
    ($asm:ident $from:ident $value:ident rt) => { Instruction { rt: $value, ..$from } };
    ($asm:ident $from:ident $value:ident base) => { Instruction { rs: $value, ..$from } };
    ($asm:ident $from:ident $value:ident signed) => {
        Instruction { constant: u32::from($value.cast_unsigned()), ..$from }
    };
    ($asm:ident $from:ident $value:ident offset) => {
        with_operand!($asm $from $value signed)
    };
    ($asm:ident $from:ident $value:ident unsigned) => {
        Instruction { constant: u32::from($value), ..$from }
    };
    ($asm:ident $from:ident $value:ident code) => { Instruction { constant: $value, ..$from } };
    ($asm:ident $from:ident $value:ident break_code) => { Instruction { constant: $value, ..$from } };
    ($asm:ident $from:ident $value:ident branch) => {{
        $asm.jumps.push(($asm.code.len(), $value.into()));
        $from
    }};
    ($asm:ident $from:ident $value:ident target) => { with_operand!($asm $from $value branch) };
    ($asm:ident $from:ident $value:ident extract_size) => {
        Instruction { rd: Register::of_field(u32::from($value).wrapping_sub(1)), ..$from }
    };
    ($asm:ident $from:ident $value:ident insert_size) => {{
        let end = u32::from($from.amount) + u32::from($value);
        Instruction { rd: Register::of_field(end.wrapping_sub(1)), ..$from }
    }};
    ($asm:ident $from:ident $value:ident hardware) => {
        Instruction { rd: Register::of_field(u32::from($value)), ..$from }
    };
    ($asm:ident $from:ident $value:ident $small:ident) => { Instruction { amount: $value, ..$from } };
}

macro_rules! define_methods {
    ($($opcode:ident $method:ident $name:literal $layout:literal ($($operand:ident)*) $group:ident $meaning:literal;)*) => {
        /// One method for each instruction. Of an operand that is too large for its field, the lowest bits are taken.
        impl Assembler {$(
            #[doc = concat!("`", $name, "`: ", $meaning)]
            pub fn $method(&mut self, $($operand: operand_type!($operand)),*) {
                let instruction = Instruction::new(Opcode::$opcode);
                $(let instruction = with_operand!(self instruction $operand $operand);)*
                self.push(instruction);
            }
        )*}
    };
}

for_each_instruction!(define_methods);

impl Assembler {
    /// No instructions yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of instructions so far.
    pub fn len(&self) -> usize {
        self.code.len()
    }

    /// Whether there are no instructions yet.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// Appends an instruction as it is.
    pub fn push(&mut self, instruction: Instruction) {
        self.code.push(instruction);
    }

    /// A constant of 32 bits, in one instruction or two.
    pub fn li(&mut self, rt: Register, constant: u32) {
        let (high, low) = ((constant >> 16) as u16, constant as u16);
        if constant.cast_signed() >> 15 == 0 || constant.cast_signed() >> 15 == -1 {
            self.addiu(rt, ZERO, low.cast_signed());
            return;
        }
        self.lui(rt, high);
        if low != 0 {
            self.ori(rt, rt, low);
        }
    }

    /// `jr $ra`
    pub fn ret(&mut self) {
        self.jr(RA);
    }

    /// `nop`
    pub fn nop(&mut self) {
        self.sll(ZERO, ZERO, 0);
    }

    /// `break`
    pub fn stop(&mut self) {
        self.breakpoint(0);
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

    /// The program, to be loaded at an address.
    ///
    /// # Errors
    ///
    /// Fails if a jump goes nowhere or too far, or is in the delay slot of another, or if the program does not fit.
    pub fn finish(mut self, base: u32) -> Result<Code, AssemblerError> {
        self.end_routine();
        let words = self.code.len();
        let fits = (words as u64) << 2 <= (1 << 32) - u64::from(base);
        if !fits || !base.is_multiple_of(4) {
            return Err(AssemblerError::Base { base, words });
        }
        for (at, pair) in self.code.windows(2).enumerate() {
            if pair.iter().all(|instruction| instruction.opcode.jumps()) {
                return Err(AssemblerError::DelaySlot { at: at + 1 });
            }
        }
        for (at, target) in std::mem::take(&mut self.jumps) {
            let target = self.position(at, target)?;
            let instruction = &mut self.code[at];
            if instruction.opcode.group() == Group::Jump {
                let address = base + 4 * target as u32;
                instruction.constant = address >> 2 & 0x3ff_ffff;
                if instruction.jump_target(base + 4 * at as u32) != address {
                    return Err(AssemblerError::Region { at });
                }
            } else {
                let distance = target.cast_signed() - (at.cast_signed() + 1);
                let offset =
                    i16::try_from(distance).map_err(|_| AssemblerError::Far { at, distance })?;
                instruction.constant = u32::from(offset.cast_unsigned());
            }
        }
        let words = self.code.iter().map(Instruction::encode).collect();
        Ok(Code { base, words, routines: self.routines })
    }

    /// The position of the target of the jump at a position.
    fn position(&self, at: usize, target: Target) -> Result<usize, AssemblerError> {
        match target {
            Target::Label(label) => self.labels[label.0].ok_or(AssemblerError::Unplaced { at }),
            Target::Routine(name) => {
                let found = self.routines.iter().find(|(routine, _)| *routine == name);
                let name = name.to_owned();
                found.map_or(Err(AssemblerError::UnknownRoutine { at, name }), |found| Ok(found.1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{T0, V0};

    fn words(asm: Assembler) -> Vec<u32> {
        asm.finish(0).expect("the program is sound").words
    }

    #[test]
    fn branches_count_from_their_delay_slot() {
        let mut asm = Assembler::new();
        let start = asm.here();
        let end = asm.label();
        asm.beq(T0, ZERO, end);
        asm.nop();
        asm.bgezl(T0, start);
        asm.nop();
        asm.place(end);
        asm.stop();
        let text: Vec<String> = words(asm)
            .into_iter()
            .map(|word| Instruction::decode(word).expect("an instruction").to_string())
            .collect();
        assert_eq!(text[0], "beq $t0, $zero, .+16");
        assert_eq!(text[2], "bgezl $t0, .-8");
    }

    #[test]
    fn jumps_hold_addresses() {
        let mut asm = Assembler::new();
        asm.routine("main");
        asm.jal("main");
        asm.nop();
        let code = asm.finish(0x40_0000).expect("the routine exists");
        assert_eq!(code.words[0], 0x0c10_0000);

        let mut asm = Assembler::new();
        asm.routine("main");
        asm.nop();
        asm.j("main");
        asm.nop();
        let error = asm.finish(0x0fff_fff8);
        assert_eq!(error, Err(AssemblerError::Region { at: 1 }));
    }

    #[test]
    fn jumps_to_nowhere_and_in_delay_slots_are_refused() {
        let mut nowhere = Assembler::new();
        let label = nowhere.label();
        nowhere.j(label);
        assert_eq!(nowhere.finish(0), Err(AssemblerError::Unplaced { at: 0 }));

        let mut unknown = Assembler::new();
        unknown.jal("sort");
        let name = "sort".to_owned();
        assert_eq!(unknown.finish(0), Err(AssemblerError::UnknownRoutine { at: 0, name }));

        let mut slot = Assembler::new();
        let label = slot.here();
        slot.j(label);
        slot.ret();
        assert_eq!(slot.finish(0), Err(AssemblerError::DelaySlot { at: 1 }));

        let mut far = Assembler::new();
        let label = far.here();
        (0..1 << 15).for_each(|_| far.nop());
        far.beq(ZERO, ZERO, label);
        let distance = -(1 << 15) - 1;
        assert_eq!(far.finish(0), Err(AssemblerError::Far { at: 1 << 15, distance }));

        for base in [2, 0xffff_fffc] {
            let mut asm = Assembler::new();
            asm.nop();
            asm.nop();
            assert_eq!(asm.finish(base), Err(AssemblerError::Base { base, words: 2 }));
        }
    }

    #[test]
    fn fields_of_bits_are_given_by_position_and_size() {
        let mut asm = Assembler::new();
        asm.ins(V0, T0, 8, 8);
        asm.ext(V0, T0, 4, 8);
        assert_eq!(words(asm), [0x7d02_7a04, 0x7d02_3900]);
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
        let code = asm.finish(0).expect("there are no jumps");
        assert_eq!(code.words[2], 0x0000_1010);
        assert_eq!(code.routines, [("first", 0), ("second", 3)]);
    }
}
