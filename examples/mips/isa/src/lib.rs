//! The integer instructions of MIPS32 release 2, little endian.
//!
//! One table, in `table.rs`, says of each instruction how its word is laid out, which operands it has and what it does; the
//! [decoder](Instruction::decode), the [encoder](Instruction::encode), the disassembler (the [`Display`](std::fmt::Display)
//! of an instruction, or [`Instruction::at`] an address), the methods of the [`Assembler`] and the
//! [table of the documentation](instruction_table) are readings of it.
//!
//! ```
//! use chipwright_mips_isa::{A0, A1, Assembler, Instruction, V0};
//!
//! let mut asm = Assembler::new();
//! asm.routine("sum");
//! asm.addu(V0, A0, A1);
//! let program = asm.finish(0x40_0000)?;
//! let sum = Instruction::decode(program.words[0]).expect("this is an instruction");
//! assert_eq!((sum.encode(), sum.to_string()), (0x0085_1021, "addu $v0, $a0, $a1".to_owned()));
//! # Ok::<(), chipwright_mips_isa::AssemblerError>(())
//! ```
//!
//! Source: *MIPS32 Architecture for Programmers, Volume II: The MIPS32 Instruction Set*, revision 2. Instructions of
//! coprocessors are no instructions here.

mod assembler;
mod instruction;
mod layout;
mod register;
mod table;
mod text;

pub use assembler::{Assembler, AssemblerError, Code, Label, Target};
pub use instruction::Instruction;
pub use register::*;
pub use table::{Description, Group, Opcode, Operand};
pub use text::{At, instruction_table};
