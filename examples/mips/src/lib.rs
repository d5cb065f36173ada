//! The MIPS machine.
