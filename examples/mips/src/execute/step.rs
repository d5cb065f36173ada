//! One instruction.

use chipwright_mips_isa::{Instruction, Opcode, RA, Register, SP};

use super::fault::Fault;
use super::memory::Denied;
use super::observe::{Access, Observer};
use super::state::{Input, State};

/// An access so near to `$sp` is one to the stack.
const FRAME: u32 = 1 << 15;

/// Where the run goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// At the next instruction.
    Follow,
    /// At the next instruction, and then at an address.
    Jump(u32),
    /// Behind the next instruction.
    Skip,
    /// Nowhere: this is the exit code.
    Exit(u32),
}

/// An instruction in a state, before it is executed. If it cannot be, it changes nothing.
pub(super) struct Step<'a, O> {
    pub(super) state: &'a mut State,
    pub(super) input: &'a Input,
    pub(super) observer: &'a mut O,
}

impl<O: Observer> Step<'_, O> {
    /// Executes the instruction.
    #[inline]
    #[allow(clippy::too_many_lines, reason = "one line for each instruction of the architecture")]
    pub(super) fn execute(mut self, instruction: &Instruction) -> Result<Next, Fault> {
        let &Instruction { opcode, rs, rt, rd, amount, constant } = instruction;
        let (a, b) = (self.state.get(rs), self.state.get(rt));
        let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
        let signed = instruction.signed();
        let extended = signed.cast_unsigned();
        let amount = u32::from(amount);
        match opcode {
            Opcode::Add => return self.checked(rd, signed_a.checked_add(signed_b)),
            Opcode::Addi => return self.checked(rt, signed_a.checked_add(signed)),
            Opcode::Sub => return self.checked(rd, signed_a.checked_sub(signed_b)),
            Opcode::Addu => self.state.set(rd, a.wrapping_add(b)),
            Opcode::Addiu => self.state.set(rt, a.wrapping_add(extended)),
            Opcode::Subu => self.state.set(rd, a.wrapping_sub(b)),
            Opcode::Slt => self.state.set(rd, u32::from(signed_a < signed_b)),
            Opcode::Sltu => self.state.set(rd, u32::from(a < b)),
            Opcode::Slti => self.state.set(rt, u32::from(signed_a < signed)),
            Opcode::Sltiu => self.state.set(rt, u32::from(a < extended)),
            Opcode::Clz => self.state.set(rd, a.leading_zeros()),
            Opcode::Clo => self.state.set(rd, a.leading_ones()),
            Opcode::Seb => self.state.set(rd, sign_extended_byte(b)),
            Opcode::Seh => self.state.set(rd, sign_extended_half(b)),
            Opcode::Movz if b == 0 => self.state.set(rd, a),
            Opcode::Movn if b != 0 => self.state.set(rd, a),

            Opcode::And => self.state.set(rd, a & b),
            Opcode::Or => self.state.set(rd, a | b),
            Opcode::Xor => self.state.set(rd, a ^ b),
            Opcode::Nor => self.state.set(rd, !(a | b)),
            Opcode::Andi => self.state.set(rt, a & constant),
            Opcode::Ori => self.state.set(rt, a | constant),
            Opcode::Xori => self.state.set(rt, a ^ constant),
            Opcode::Lui => self.state.set(rt, constant << 16),
            Opcode::Ext => self.state.set(rt, a >> amount & low_bits(u32::from(rd.number()) + 1)),
            Opcode::Ins => {
                let mask = low_bits(u32::from(rd.number()) + 1 - amount) << amount;
                self.state.set(rt, b & !mask | a << amount & mask);
            }
            Opcode::Wsbh => self.state.set(rd, b >> 8 & 0x00ff_00ff | b << 8 & 0xff00_ff00),

            Opcode::Sll => self.state.set(rd, b << amount),
            Opcode::Srl => self.state.set(rd, b >> amount),
            Opcode::Rotr => self.state.set(rd, b.rotate_right(amount)),
            Opcode::Sra => self.state.set(rd, (signed_b >> amount).cast_unsigned()),
            Opcode::Sllv => self.state.set(rd, b.wrapping_shl(a)),
            Opcode::Srlv => self.state.set(rd, b.wrapping_shr(a)),
            Opcode::Rotrv => self.state.set(rd, b.rotate_right(a & 31)),
            Opcode::Srav => self.state.set(rd, signed_b.wrapping_shr(a).cast_unsigned()),

            Opcode::Mult => self.set_accumulator(signed_product(a, b)),
            Opcode::Multu => self.set_accumulator(product(a, b)),
            Opcode::Div | Opcode::Divu if b == 0 => return Err(Fault::DivisionByZero),
            Opcode::Div => {
                self.state.lo = signed_a.wrapping_div(signed_b).cast_unsigned();
                self.state.hi = signed_a.wrapping_rem(signed_b).cast_unsigned();
            }
            Opcode::Divu => (self.state.lo, self.state.hi) = (a / b, a % b),
            Opcode::Madd => self.accumulate(signed_product(a, b)),
            Opcode::Maddu => self.accumulate(product(a, b)),
            Opcode::Msub => self.accumulate(signed_product(a, b).wrapping_neg()),
            Opcode::Msubu => self.accumulate(product(a, b).wrapping_neg()),
            Opcode::Mul => self.state.set(rd, a.wrapping_mul(b)),
            Opcode::Mfhi => self.state.set(rd, self.state.hi),
            Opcode::Mthi => self.state.hi = a,
            Opcode::Mflo => self.state.set(rd, self.state.lo),
            Opcode::Mtlo => self.state.lo = a,

            Opcode::Lb => {
                let value = self.load_part(a.wrapping_add(extended), 1)?;
                self.state.set(rt, sign_extended_byte(value));
            }
            Opcode::Lbu => {
                let value = self.load_part(a.wrapping_add(extended), 1)?;
                self.state.set(rt, value & 0xff);
            }
            Opcode::Lh => {
                let value = self.load_part(a.wrapping_add(extended), 2)?;
                self.state.set(rt, sign_extended_half(value));
            }
            Opcode::Lhu => {
                let value = self.load_part(a.wrapping_add(extended), 2)?;
                self.state.set(rt, value & 0xffff);
            }
            Opcode::Lw => {
                let value = self.load_part(a.wrapping_add(extended), 4)?;
                self.state.set(rt, value);
            }
            Opcode::Lwl => {
                let address = a.wrapping_add(extended);
                let word = self.load(address)?;
                let shift = 8 * (3 - address % 4);
                self.state.set(rt, word << shift | b & low_bits(shift));
            }
            Opcode::Lwr => {
                let address = a.wrapping_add(extended);
                let word = self.load(address)?;
                let shift = 8 * (address % 4);
                self.state.set(rt, word >> shift | b & !(u32::MAX >> shift));
            }
            Opcode::Ll => {
                let address = a.wrapping_add(extended);
                let value = self.load_part(address, 4)?;
                self.state.set(rt, value);
                self.state.link = address + 1;
            }
            Opcode::Sb => self.store_part(a.wrapping_add(extended), 1, b)?,
            Opcode::Sh => self.store_part(a.wrapping_add(extended), 2, b)?,
            Opcode::Sw => self.store_part(a.wrapping_add(extended), 4, b)?,
            Opcode::Swl => {
                let address = a.wrapping_add(extended);
                let shift = 8 * (3 - address % 4);
                self.store_bits(address, b >> shift, u32::MAX >> shift)?;
            }
            Opcode::Swr => {
                let address = a.wrapping_add(extended);
                let shift = 8 * (address % 4);
                self.store_bits(address, b << shift, u32::MAX << shift)?;
            }
            Opcode::Sc => {
                let address = a.wrapping_add(extended);
                aligned(address, 4)?;
                let linked = self.state.link == address.wrapping_add(1);
                if linked {
                    self.store_part(address, 4, b)?;
                }
                self.state.link = 0;
                self.state.set(rt, u32::from(linked));
            }

            Opcode::Beq => return self.branch(instruction, a == b),
            Opcode::Bne => return self.branch(instruction, a != b),
            Opcode::Blez => return self.branch(instruction, signed_a <= 0),
            Opcode::Bgtz => return self.branch(instruction, signed_a > 0),
            Opcode::Bltz => return self.branch(instruction, signed_a < 0),
            Opcode::Bgez => return self.branch(instruction, signed_a >= 0),
            Opcode::Bltzal => return self.linking(instruction, signed_a < 0),
            Opcode::Bgezal => return self.linking(instruction, signed_a >= 0),
            Opcode::Beql => return Ok(likely(self.branch(instruction, a == b)?)),
            Opcode::Bnel => return Ok(likely(self.branch(instruction, a != b)?)),
            Opcode::Blezl => return Ok(likely(self.branch(instruction, signed_a <= 0)?)),
            Opcode::Bgtzl => return Ok(likely(self.branch(instruction, signed_a > 0)?)),
            Opcode::Bltzl => return Ok(likely(self.branch(instruction, signed_a < 0)?)),
            Opcode::Bgezl => return Ok(likely(self.branch(instruction, signed_a >= 0)?)),
            Opcode::Bltzall => return Ok(likely(self.linking(instruction, signed_a < 0)?)),
            Opcode::Bgezall => return Ok(likely(self.linking(instruction, signed_a >= 0)?)),
            Opcode::J => {
                self.outside_of_delay_slot()?;
                return Ok(Next::Jump(instruction.jump_target(self.state.pc)));
            }
            Opcode::Jal => {
                self.outside_of_delay_slot()?;
                self.link(RA);
                return Ok(Next::Jump(instruction.jump_target(self.state.pc)));
            }
            Opcode::Jr | Opcode::JrHb => {
                self.outside_of_delay_slot()?;
                return Ok(Next::Jump(a));
            }
            Opcode::Jalr | Opcode::JalrHb => {
                self.outside_of_delay_slot()?;
                if instruction.is_unpredictable() {
                    return Err(Fault::Unpredictable);
                }
                self.link(rd);
                return Ok(Next::Jump(a));
            }

            Opcode::Tge => return trap(signed_a >= signed_b, constant),
            Opcode::Tgeu => return trap(a >= b, constant),
            Opcode::Tlt => return trap(signed_a < signed_b, constant),
            Opcode::Tltu => return trap(a < b, constant),
            Opcode::Teq => return trap(a == b, constant),
            Opcode::Tne => return trap(a != b, constant),
            // What is in the place of a code is the constant here.
            Opcode::Tgei => return trap(signed_a >= signed, 0),
            Opcode::Tgeiu => return trap(a >= extended, 0),
            Opcode::Tlti => return trap(signed_a < signed, 0),
            Opcode::Tltiu => return trap(a < extended, 0),
            Opcode::Teqi => return trap(a == extended, 0),
            Opcode::Tnei => return trap(a != extended, 0),

            Opcode::Syscall => return self.call(),
            Opcode::Break => return Err(Fault::Break { code: constant }),
            Opcode::Rdhwr if rd.number() == 29 => self.state.set(rt, self.state.thread_pointer),
            Opcode::Rdhwr => return Err(Fault::HardwareRegister { number: rd.number() }),
            Opcode::Movz | Opcode::Movn | Opcode::Sync | Opcode::Synci | Opcode::Pref => {}
        }
        Ok(Next::Follow)
    }

    /// Sets a register, or traps.
    fn checked(&mut self, register: Register, value: Option<i32>) -> Result<Next, Fault> {
        self.state.set(register, value.ok_or(Fault::Overflow)?.cast_unsigned());
        Ok(Next::Follow)
    }

    fn set_accumulator(&mut self, value: u64) {
        (self.state.hi, self.state.lo) = ((value >> 32) as u32, value as u32);
    }

    fn accumulate(&mut self, value: u64) {
        let before = u64::from(self.state.hi) << 32 | u64::from(self.state.lo);
        self.set_accumulator(before.wrapping_add(value));
    }

    /// What a jump does in the delay slot of another is not defined. A jump to where the run goes anyway does not show.
    #[inline]
    fn outside_of_delay_slot(&self) -> Result<(), Fault> {
        if self.state.next_pc == self.state.pc.wrapping_add(4) {
            Ok(())
        } else {
            Err(Fault::DelaySlot)
        }
    }

    #[inline]
    fn branch(&self, instruction: &Instruction, taken: bool) -> Result<Next, Fault> {
        self.outside_of_delay_slot()?;
        let target = instruction.branch_target(self.state.pc);
        Ok(if taken { Next::Jump(target) } else { Next::Follow })
    }

    /// A branch that links, whether it is taken or not.
    fn linking(&mut self, instruction: &Instruction, taken: bool) -> Result<Next, Fault> {
        if instruction.is_unpredictable() {
            return Err(Fault::Unpredictable);
        }
        let next = self.branch(instruction, taken)?;
        self.link(RA);
        Ok(next)
    }

    fn link(&mut self, register: Register) {
        self.state.set(register, self.state.pc.wrapping_add(8));
    }

    /// The word that an address is in.
    #[inline]
    pub(super) fn load(&mut self, address: u32) -> Result<u32, Fault> {
        match self.state.memory.load(address) {
            Ok(value) => {
                if O::ACCESSES {
                    let address = address & !3;
                    self.observer.access(Access { address, before: value, after: value });
                }
                Ok(value)
            }
            Err(denied) => Err(self.denied(denied, address)),
        }
    }

    /// Sets the word that an address is in.
    #[inline]
    pub(super) fn store(&mut self, address: u32, value: u32) -> Result<(), Fault> {
        let before = if O::ACCESSES { self.state.memory.load(address) } else { Ok(0) };
        if let Err(denied) = self.state.memory.store(address, value) {
            return Err(self.denied(denied, address));
        }
        if O::ACCESSES {
            let before = before.unwrap_or_default();
            self.observer.access(Access { address: address & !3, before, after: value });
        }
        Ok(())
    }

    /// The word that an address is in from that address on, after checking that the size divides the address.
    #[inline]
    fn load_part(&mut self, address: u32, size: u32) -> Result<u32, Fault> {
        aligned(address, size)?;
        Ok(self.load(address)? >> (8 * (address % 4)))
    }

    #[inline]
    fn store_part(&mut self, address: u32, size: u32, value: u32) -> Result<(), Fault> {
        aligned(address, size)?;
        if size == 4 {
            return self.store(address, value);
        }
        let shift = 8 * (address % 4);
        self.store_bits(address, value << shift, low_bits(8 * size) << shift)
    }

    /// Sets those bits of the word that the mask has.
    #[inline]
    pub(super) fn store_bits(&mut self, address: u32, value: u32, mask: u32) -> Result<(), Fault> {
        let before = match self.state.memory.load(address) {
            Ok(before) => before,
            Err(denied) => return Err(self.denied(denied, address)),
        };
        self.store(address, before & !mask | value & mask)
    }

    #[cold]
    fn denied(&self, denied: Denied, address: u32) -> Fault {
        match denied {
            // A stack that was placed at the lower end of memory has grown beyond it.
            Denied::Free if address.abs_diff(self.state.get(SP)) < FRAME => {
                Fault::StackExhausted { address }
            }
            Denied::Free => Fault::BadAddress { address },
            Denied::Text => Fault::TextStore { address },
            Denied::Exhausted => {
                Fault::MemoryExhausted { address, limit: self.state.memory.limit() }
            }
        }
    }
}

/// A branch that skips its delay slot if it is not taken.
fn likely(next: Next) -> Next {
    if matches!(next, Next::Follow) { Next::Skip } else { next }
}

fn trap(condition: bool, code: u32) -> Result<Next, Fault> {
    if condition { Err(Fault::Trap { code }) } else { Ok(Next::Follow) }
}

#[inline]
fn aligned(address: u32, size: u32) -> Result<(), Fault> {
    if address & (size - 1) == 0 { Ok(()) } else { Err(Fault::Unaligned { address, size }) }
}

/// A word whose lowest bits are set: up to 32.
fn low_bits(count: u32) -> u32 {
    u32::MAX.checked_shr(32 - count).unwrap_or_default()
}

fn sign_extended_byte(value: u32) -> u32 {
    i32::from((value as u8).cast_signed()).cast_unsigned()
}

fn sign_extended_half(value: u32) -> u32 {
    i32::from((value as u16).cast_signed()).cast_unsigned()
}

fn product(a: u32, b: u32) -> u64 {
    u64::from(a) * u64::from(b)
}

fn signed_product(a: u32, b: u32) -> u64 {
    (i64::from(a.cast_signed()) * i64::from(b.cast_signed())).cast_unsigned()
}
