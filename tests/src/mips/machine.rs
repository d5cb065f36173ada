//! The machine that runs a program and counts.
//!
//! Code is at address 0, data at [`DATA`]. Words are decoded once, so code cannot be written; what was no instruction is
//! an error when it would be executed. A jump takes effect after the instruction in its delay slot.

use super::assembler::Program;
use super::instruction::{Alu, Immediate, Instruction, Product, RA, Register, ZERO};

/// The address of the first word of data.
pub const DATA: u32 = 0x1000_0000;

/// Why a run ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// A word that is no instruction of the machine.
    #[error("word {at} of the code, {word:#010x}, is no instruction")]
    Unknown {
        /// Which word.
        at: usize,
        /// The word.
        word: u32,
    },
    /// A jump out of the code.
    #[error("a jump went to {address:#x}, where there is no code")]
    Fetch {
        /// The address.
        address: u32,
    },
    /// A load or a store outside of memory, or in the middle of a word.
    #[error("word {at} of the code accesses {address:#x}, which is no address of memory")]
    Address {
        /// Which word of the code.
        at: usize,
        /// The address.
        address: u32,
    },
    /// The program goes on for too long.
    #[error("the program did not end within {limit} cycles")]
    Limit {
        /// The cycles that it had.
        limit: u64,
    },
}

/// How often each word of a program was executed, by routine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Names and cycles, in the order of the program.
    pub routines: Vec<(&'static str, u64)>,
}

impl Profile {
    /// The cycles within a routine, without those of the routines that it calls.
    pub fn cycles(&self, routine: &str) -> u64 {
        self.routines.iter().filter(|(name, _)| *name == routine).map(|(_, cycles)| cycles).sum()
    }

    /// All cycles.
    pub fn total(&self) -> u64 {
        self.routines.iter().map(|(_, cycles)| cycles).sum()
    }
}

/// A machine with a program in it.
#[derive(Clone, Debug)]
pub struct Machine {
    code: Vec<Result<Instruction, u32>>,
    counts: Vec<u64>,
    registers: [u32; 32],
    /// `HI:LO`.
    accumulator: u64,
    /// The words from [`DATA`] on.
    memory: Vec<u32>,
}

impl Machine {
    /// A machine whose memory has `words` words, all zero.
    pub fn new(program: &Program, words: usize) -> Self {
        let decode = |&word: &u32| Instruction::decode(word).ok_or(word);
        Self {
            code: program.words.iter().map(decode).collect(),
            counts: vec![0; program.words.len()],
            registers: [0; 32],
            accumulator: 0,
            memory: vec![0; words],
        }
    }

    /// The memory, word by word.
    pub fn memory(&mut self) -> &mut [u32] {
        &mut self.memory
    }

    /// What a register holds.
    pub fn get(&self, register: Register) -> u32 {
        self.registers[usize::from(register.0 & 31)]
    }

    /// Sets a register; `$zero` stays zero.
    pub fn set(&mut self, register: Register, value: u32) {
        if register != ZERO {
            self.registers[usize::from(register.0 & 31)] = value;
        }
    }

    /// The executed instructions of all runs, by routine of the program.
    pub fn profile(&self, program: &Program) -> Profile {
        let ends = program.routines.iter().skip(1).map(|&(_, start)| start);
        let routines = program.routines.iter().zip(ends.chain([self.counts.len()]));
        let cycles = |(&(name, start), end): (&(&'static str, usize), usize)| {
            (name, self.counts[start..end].iter().sum())
        };
        Profile { routines: routines.map(cycles).collect() }
    }

    /// Runs the program from its first word to a `break`.
    ///
    /// # Errors
    ///
    /// Fails if the program leaves its code or memory, comes to a word that is no instruction, or does not end
    /// within `limit` cycles.
    pub fn run(&mut self, limit: u64) -> Result<(), MachineError> {
        let (mut at, mut next) = (0_usize, 1_usize);
        for _ in 0..limit {
            let fetched = self
                .code
                .get(at)
                .ok_or(MachineError::Fetch { address: 4_u32.wrapping_mul(at as u32) })?;
            let instruction = fetched.map_err(|word| MachineError::Unknown { at, word })?;
            self.counts[at] += 1;
            let mut after = next.wrapping_add(1);
            match instruction {
                Instruction::Alu(op, rd, rs, rt) => {
                    let (a, b) = (self.get(rs), self.get(rt));
                    let value = match op {
                        Alu::Addu => a.wrapping_add(b),
                        Alu::Subu => a.wrapping_sub(b),
                        Alu::Or => a | b,
                        Alu::Nor => !(a | b),
                        Alu::Sltu => u32::from(a < b),
                    };
                    self.set(rd, value);
                }
                Instruction::Product(op, rs, rt) => {
                    let product = u64::from(self.get(rs)) * u64::from(self.get(rt));
                    self.accumulator = match op {
                        Product::Multu => product,
                        Product::Maddu => self.accumulator.wrapping_add(product),
                        Product::Msubu => self.accumulator.wrapping_sub(product),
                    };
                }
                Instruction::Immediate(op, rt, rs, constant) => {
                    let value = match op {
                        Immediate::Addiu => {
                            let constant = i32::from(constant.cast_signed());
                            self.get(rs).wrapping_add_signed(constant)
                        }
                        Immediate::Ori => self.get(rs) | u32::from(constant),
                        Immediate::Lui => u32::from(constant) << 16,
                    };
                    self.set(rt, value);
                }
                Instruction::Sll(rd, rt, amount) => self.set(rd, self.get(rt) << (amount & 31)),
                Instruction::Srl(rd, rt, amount) => self.set(rd, self.get(rt) >> (amount & 31)),
                Instruction::Ins(rt, rs, low, high) => {
                    let mask = (u32::MAX >> (31 - (high - low))) << low;
                    self.set(rt, self.get(rt) & !mask | self.get(rs) << low & mask);
                }
                Instruction::Mfhi(rd) => self.set(rd, (self.accumulator >> 32) as u32),
                Instruction::Mflo(rd) => self.set(rd, self.accumulator as u32),
                Instruction::Mthi(rs) => {
                    let high = u64::from(self.get(rs)) << 32;
                    self.accumulator = high | self.accumulator & 0xffff_ffff;
                }
                Instruction::Mtlo(rs) => {
                    self.accumulator = self.accumulator >> 32 << 32 | u64::from(self.get(rs));
                }
                Instruction::Lw(rt, offset, base) => {
                    let value = *self.word(at, offset, base)?;
                    self.set(rt, value);
                }
                Instruction::Sw(rt, offset, base) => {
                    let value = self.get(rt);
                    *self.word(at, offset, base)? = value;
                }
                Instruction::Beq(rs, rt, offset) => {
                    if self.get(rs) == self.get(rt) {
                        after = next.wrapping_add_signed(offset.into());
                    }
                }
                Instruction::Bne(rs, rt, offset) => {
                    if self.get(rs) != self.get(rt) {
                        after = next.wrapping_add_signed(offset.into());
                    }
                }
                Instruction::J(target) => after = target as usize,
                Instruction::Jal(target) => {
                    // The address after the delay slot.
                    self.set(RA, 4_u32.wrapping_mul((next as u32).wrapping_add(1)));
                    after = target as usize;
                }
                Instruction::Jr(rs) => {
                    let address = self.get(rs);
                    if !address.is_multiple_of(4) {
                        return Err(MachineError::Fetch { address });
                    }
                    after = address as usize / 4;
                }
                Instruction::Break => return Ok(()),
            }
            (at, next) = (next, after);
        }
        Err(MachineError::Limit { limit })
    }

    /// The word of memory that an instruction accesses.
    fn word(&mut self, at: usize, offset: i16, base: Register) -> Result<&mut u32, MachineError> {
        let address = self.get(base).wrapping_add_signed(offset.into());
        let place = address.wrapping_sub(DATA);
        let word = self.memory.get_mut(place as usize / 4).filter(|_| place.is_multiple_of(4));
        word.ok_or(MachineError::Address { at, address })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assembler::Assembler;
    use super::super::instruction::{A0, A1, T0, T1, V0, V1};
    use super::*;

    /// What `$v0` and `$v1` hold after some instructions with operands in `$a0` and `$a1`.
    fn results(operands: [u32; 2], emit: impl FnOnce(&mut Assembler)) -> [u32; 2] {
        let mut asm = Assembler::new();
        emit(&mut asm);
        asm.stop();
        let program = asm.finish().expect("the program is sound");
        let mut machine = Machine::new(&program, 4);
        machine.set(A0, operands[0]);
        machine.set(A1, operands[1]);
        machine.run(100).expect("the program ends");
        [machine.get(V0), machine.get(V1)]
    }

    const MINUS_ONE: u32 = u32::MAX;

    #[test]
    fn comparisons_are_unsigned() {
        let below = |a, b| results([a, b], |asm| asm.sltu(V0, A0, A1))[0];
        assert_eq!([below(0, MINUS_ONE), below(MINUS_ONE, 0), below(7, 7)], [1, 0, 0]);
    }

    #[test]
    fn products_are_unsigned_and_have_64_bits() {
        let halves = |asm: &mut Assembler| {
            asm.mfhi(V0);
            asm.mflo(V1);
        };
        let square = results([MINUS_ONE; 2], |asm| {
            asm.multu(A0, A1);
            halves(asm);
        });
        assert_eq!(square, [0xffff_fffe, 1]);
        let overflow = results([MINUS_ONE; 2], |asm| {
            asm.multu(A0, A1);
            asm.maddu(A0, A1);
            halves(asm);
        });
        assert_eq!(overflow, [0xffff_fffc, 2], "modulo 2^64");
        let negative = results([3, 1], |asm| {
            asm.mthi(ZERO);
            asm.mtlo(A1);
            asm.msubu(A0, A1);
            halves(asm);
        });
        assert_eq!(negative, [MINUS_ONE, MINUS_ONE - 1]);
    }

    #[test]
    fn small_constants_are_extended_by_their_sign_and_large_ones_are_not() {
        let values = results([5, 0], |asm| {
            asm.addiu(V0, A0, -7);
            asm.li(V1, 0xffff_8000);
        });
        assert_eq!(values, [MINUS_ONE - 1, 0xffff_8000]);
        let values = results([0, 0], |asm| {
            asm.li(V0, 0x1234_8765);
            asm.li(V1, 0x8000);
        });
        assert_eq!(values, [0x1234_8765, 0x8000]);
    }

    #[test]
    fn bits_are_shifted_and_inserted() {
        let values = results([0x1234_5678, 0xabcd_ef01], |asm| {
            asm.srl(V0, A0, 8);
            asm.ins(V0, A1, 24, 8);
            asm.sll(V1, A1, 28);
        });
        assert_eq!(values, [0x0112_3456, 0x1000_0000]);
        assert_eq!(results([1, 9], |asm| asm.ins(V0, A1, 0, 32))[0], 9);
        assert_eq!(results([1, 9], |asm| asm.nor(V0, A0, A1))[0], !9);
    }

    #[test]
    fn the_delay_slot_is_executed_before_the_jump() {
        let values = results([3, 0], |asm| {
            let skip = asm.label();
            let again = asm.here();
            asm.addiu(A0, A0, -1);
            asm.bne(A0, ZERO, again);
            asm.addiu(V0, V0, 1);
            asm.j(skip);
            asm.addiu(V1, V1, 1);
            asm.addiu(V1, V1, 100);
            asm.place(skip);
        });
        assert_eq!(values, [3, 1]);
    }

    #[test]
    fn a_call_comes_back_behind_its_delay_slot() {
        let mut asm = Assembler::new();
        asm.routine("main");
        asm.addiu(A0, ZERO, 1);
        asm.jal("double");
        asm.addiu(A0, A0, 10);
        asm.stop();
        asm.routine("double");
        asm.ret();
        asm.addu(V0, A0, A0);
        let program = asm.finish().expect("the routine exists");
        let mut machine = Machine::new(&program, 0);
        machine.run(10).expect("the program ends");
        assert_eq!(machine.get(V0), 22);
        let profile = machine.profile(&program);
        assert_eq!(profile.routines, [("main", 4), ("double", 2)]);
        assert_eq!(profile.total(), 6);
    }

    #[test]
    fn memory_is_little_more_than_words_at_addresses() {
        let mut asm = Assembler::new();
        asm.lw(T0, 8, A0);
        asm.sw(T0, -4, A1);
        asm.stop();
        let program = asm.finish().expect("there are no jumps");
        let mut machine = Machine::new(&program, 3);
        machine.memory()[2] = 77;
        machine.set(A0, DATA);
        machine.set(A1, DATA + 4);
        machine.run(10).expect("the program ends");
        assert_eq!(machine.memory(), [77, 0, 77]);
        for (address, at) in [(DATA + 4, 0), (DATA - 12, 0), (DATA + 1, 0)] {
            machine.set(A0, address);
            let expected = MachineError::Address { at, address: address + 8 };
            assert_eq!(machine.run(10), Err(expected));
        }
    }

    #[test]
    fn runs_that_go_wrong_are_errors() {
        let run = |words: &[u32]| {
            let program = Program { words: words.to_vec(), routines: Vec::new() };
            Machine::new(&program, 0).run(10)
        };
        assert_eq!(run(&[0xffff_ffff]), Err(MachineError::Unknown { at: 0, word: 0xffff_ffff }));
        assert_eq!(run(&[0]), Err(MachineError::Fetch { address: 4 }));
        let forever = Instruction::Beq(ZERO, ZERO, -1).encode();
        assert_eq!(run(&[forever, 0]), Err(MachineError::Limit { limit: 10 }));
    }

    #[test]
    fn the_register_zero_stays_zero() {
        let values = results([5, 6], |asm| {
            asm.addu(ZERO, A0, A1);
            asm.or(V0, ZERO, ZERO);
            asm.or(V1, A0, T1);
        });
        assert_eq!(values, [0, 5]);
    }
}
