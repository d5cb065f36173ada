//! The table of the instructions.

use crate::layout::Layout;

/// What kind of instruction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Sums, differences, comparisons, bit counts.
    Arithmetic,
    /// Bitwise operations, and fields of bits.
    Logic,
    /// Shifts and rotations.
    Shift,
    /// Products, quotients, and what is done with `HI` and `LO`.
    Multiply,
    /// Loads and stores.
    Memory,
    /// Jumps under a condition: what follows is a delay slot.
    Branch,
    /// Branches that skip their delay slot if they are not taken.
    LikelyBranch,
    /// Jumps: what follows is a delay slot.
    Jump,
    /// Traps under a condition.
    Trap,
    /// System calls, and what concerns the processor.
    System,
}

impl Group {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arithmetic => "arithmetic",
            Self::Logic => "logic",
            Self::Shift => "shifts",
            Self::Multiply => "products and quotients",
            Self::Memory => "memory",
            Self::Branch => "branches",
            Self::LikelyBranch => "likely branches",
            Self::Jump => "jumps",
            Self::Trap => "traps",
            Self::System => "system",
        }
    }

    /// Whether the next instruction is a delay slot.
    pub const fn jumps(self) -> bool {
        matches!(self, Self::Branch | Self::LikelyBranch | Self::Jump)
    }
}

/// An operand, as assembly text shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The register `rd`.
    Rd,
    /// The register `rs`.
    Rs,
    /// The register `rt`.
    Rt,
    /// The amount of a shift.
    Amount,
    /// The lowest bit of a field of bits.
    Position,
    /// The size of a field that is read.
    ExtractSize,
    /// The size of a field that is written.
    InsertSize,
    /// A constant with a sign.
    Signed,
    /// A constant without a sign.
    Unsigned,
    /// A displacement, followed by the register `rs` in parentheses.
    Offset,
    /// The register `rs`, in parentheses.
    Base,
    /// A distance in words from the delay slot.
    Branch,
    /// A word's number within 256 MiB.
    Target,
    /// A number that hardware ignores.
    Code,
    /// The two halves of the number of a `break`.
    BreakCode,
    /// What a prefetch is for.
    Hint,
    /// The number of a hardware register.
    Hardware,
    /// The kind of a barrier, not shown if zero.
    Barrier,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The instruction.
    pub opcode: Opcode,
    /// Its name in assembly text.
    pub name: &'static str,
    /// Its word from bit 31 down: fixed bits, and letters for fields.
    pub layout: &'static str,
    /// Its operands, in the order of assembly text.
    pub operands: &'static [Operand],
    /// What kind of instruction it is.
    pub group: Group,
    /// What it does.
    pub meaning: &'static str,
    pub(crate) fields: Layout,
}

macro_rules! operand {
    (rd) => {
        Operand::Rd
    };
    (rs) => {
        Operand::Rs
    };
    (rt) => {
        Operand::Rt
    };
    (amount) => {
        Operand::Amount
    };
    (position) => {
        Operand::Position
    };
    (extract_size) => {
        Operand::ExtractSize
    };
    (insert_size) => {
        Operand::InsertSize
    };
    (signed) => {
        Operand::Signed
    };
    (unsigned) => {
        Operand::Unsigned
    };
    (offset) => {
        Operand::Offset
    };
    (base) => {
        Operand::Base
    };
    (branch) => {
        Operand::Branch
    };
    (target) => {
        Operand::Target
    };
    (code) => {
        Operand::Code
    };
    (break_code) => {
        Operand::BreakCode
    };
    (hint) => {
        Operand::Hint
    };
    (hardware) => {
        Operand::Hardware
    };
    (barrier) => {
        Operand::Barrier
    };
}

macro_rules! define_opcodes {
    ($($opcode:ident $method:ident $name:literal $layout:literal ($($operand:ident)*) $group:ident $meaning:literal;)*) => {
        /// The instructions, without their operands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Opcode {
            $(#[doc = concat!("`", $name, "`: ", $meaning)] $opcode,)*
        }

        impl Opcode {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$opcode,)*];
        }

        const TABLE: &[Description] = &[$(Description {
            opcode: Opcode::$opcode,
            name: $name,
            layout: $layout,
            operands: &[$(operand!($operand),)*],
            group: Group::$group,
            meaning: $meaning,
            fields: Layout::parse($layout),
        },)*];
    };
}

/// Passes the lines of the table to a macro: the opcode, the assembler's method, the name, the word, the operands, the
/// group, the meaning.
macro_rules! for_each_instruction {
    ($callback:ident) => { $callback! {
        Add add "add" "000000 sssss ttttt ddddd 00000 100000" (rd rs rt) Arithmetic "`rd = rs + rt`; a signed overflow traps";
        Addu addu "addu" "000000 sssss ttttt ddddd 00000 100001" (rd rs rt) Arithmetic "`rd = rs + rt` mod 2^32";
        Sub sub "sub" "000000 sssss ttttt ddddd 00000 100010" (rd rs rt) Arithmetic "`rd = rs − rt`; a signed overflow traps";
        Subu subu "subu" "000000 sssss ttttt ddddd 00000 100011" (rd rs rt) Arithmetic "`rd = rs − rt` mod 2^32";
        Addi addi "addi" "001000 sssss ttttt cccccccccccccccc" (rt rs signed) Arithmetic "`rt = rs + c`, `c` sign-extended; a signed overflow traps";
        Addiu addiu "addiu" "001001 sssss ttttt cccccccccccccccc" (rt rs signed) Arithmetic "`rt = rs + c` mod 2^32, `c` sign-extended";
        Slt slt "slt" "000000 sssss ttttt ddddd 00000 101010" (rd rs rt) Arithmetic "`rd = rs < rt`, both signed";
        Sltu sltu "sltu" "000000 sssss ttttt ddddd 00000 101011" (rd rs rt) Arithmetic "`rd = rs < rt`, both unsigned";
        Slti slti "slti" "001010 sssss ttttt cccccccccccccccc" (rt rs signed) Arithmetic "`rt = rs < c`, both signed";
        Sltiu sltiu "sltiu" "001011 sssss ttttt cccccccccccccccc" (rt rs signed) Arithmetic "`rt = rs < c`, `c` sign-extended, then both unsigned";
        Clz clz "clz" "011100 sssss DDDDD ddddd 00000 100000" (rd rs) Arithmetic "`rd` = the leading zeros of `rs`, 32 for zero";
        Clo clo "clo" "011100 sssss DDDDD ddddd 00000 100001" (rd rs) Arithmetic "`rd` = the leading ones of `rs`";
        Seb seb "seb" "011111 00000 ttttt ddddd 10000 100000" (rd rt) Arithmetic "`rd` = the lowest byte of `rt`, sign-extended";
        Seh seh "seh" "011111 00000 ttttt ddddd 11000 100000" (rd rt) Arithmetic "`rd` = the lower half of `rt`, sign-extended";
        Movz movz "movz" "000000 sssss ttttt ddddd 00000 001010" (rd rs rt) Arithmetic "`rd = rs` if `rt` is zero";
        Movn movn "movn" "000000 sssss ttttt ddddd 00000 001011" (rd rs rt) Arithmetic "`rd = rs` if `rt` is not zero";
        And and "and" "000000 sssss ttttt ddddd 00000 100100" (rd rs rt) Logic "`rd = rs & rt`";
        Or or "or" "000000 sssss ttttt ddddd 00000 100101" (rd rs rt) Logic "`rd = rs | rt`";
        Xor xor "xor" "000000 sssss ttttt ddddd 00000 100110" (rd rs rt) Logic "`rd = rs ^ rt`";
        Nor nor "nor" "000000 sssss ttttt ddddd 00000 100111" (rd rs rt) Logic "`rd = ~(rs | rt)`";
        Andi andi "andi" "001100 sssss ttttt cccccccccccccccc" (rt rs unsigned) Logic "`rt = rs & c`";
        Ori ori "ori" "001101 sssss ttttt cccccccccccccccc" (rt rs unsigned) Logic "`rt = rs | c`";
        Xori xori "xori" "001110 sssss ttttt cccccccccccccccc" (rt rs unsigned) Logic "`rt = rs ^ c`";
        Lui lui "lui" "001111 00000 ttttt cccccccccccccccc" (rt unsigned) Logic "`rt = c · 2^16`";
        Ext ext "ext" "011111 sssss ttttt ddddd aaaaa 000000" (rt rs position extract_size) Logic "`rt` = bits `a ..= a + d` of `rs`";
        Ins ins "ins" "011111 sssss ttttt ddddd aaaaa 000100" (rt rs position insert_size) Logic "bits `a ..= d` of `rt` = the lowest of `rs`";
        Wsbh wsbh "wsbh" "011111 00000 ttttt ddddd 00010 100000" (rd rt) Logic "`rd = rt` with the bytes of each half swapped";
        Sll sll "sll" "000000 00000 ttttt ddddd aaaaa 000000" (rd rt amount) Shift "`rd = rt << a`";
        Srl srl "srl" "000000 00000 ttttt ddddd aaaaa 000010" (rd rt amount) Shift "`rd = rt >> a`, unsigned";
        Rotr rotr "ror" "000000 00001 ttttt ddddd aaaaa 000010" (rd rt amount) Shift "`rd = rt` rotated right by `a`";
        Sra sra "sra" "000000 00000 ttttt ddddd aaaaa 000011" (rd rt amount) Shift "`rd = rt >> a`, signed";
        Sllv sllv "sllv" "000000 sssss ttttt ddddd 00000 000100" (rd rt rs) Shift "`rd = rt << (rs mod 32)`";
        Srlv srlv "srlv" "000000 sssss ttttt ddddd 00000 000110" (rd rt rs) Shift "`rd = rt >> (rs mod 32)`, unsigned";
        Rotrv rotrv "rorv" "000000 sssss ttttt ddddd 00001 000110" (rd rt rs) Shift "`rd = rt` rotated right by `rs mod 32`";
        Srav srav "srav" "000000 sssss ttttt ddddd 00000 000111" (rd rt rs) Shift "`rd = rt >> (rs mod 32)`, signed";
        Mult mult "mult" "000000 sssss ttttt 00000 00000 011000" (rs rt) Multiply "`HI:LO = rs · rt`, signed";
        Multu multu "multu" "000000 sssss ttttt 00000 00000 011001" (rs rt) Multiply "`HI:LO = rs · rt`, unsigned";
        Div div "div" "000000 sssss ttttt 00000 00000 011010" (rs rt) Multiply "`LO = rs / rt`, `HI` = the remainder, signed, towards zero; by zero traps";
        Divu divu "divu" "000000 sssss ttttt 00000 00000 011011" (rs rt) Multiply "`LO = rs / rt`, `HI` = the remainder, unsigned; by zero traps";
        Madd madd "madd" "011100 sssss ttttt 00000 00000 000000" (rs rt) Multiply "`HI:LO += rs · rt`, signed, mod 2^64";
        Maddu maddu "maddu" "011100 sssss ttttt 00000 00000 000001" (rs rt) Multiply "`HI:LO += rs · rt`, unsigned, mod 2^64";
        Msub msub "msub" "011100 sssss ttttt 00000 00000 000100" (rs rt) Multiply "`HI:LO −= rs · rt`, signed, mod 2^64";
        Msubu msubu "msubu" "011100 sssss ttttt 00000 00000 000101" (rs rt) Multiply "`HI:LO −= rs · rt`, unsigned, mod 2^64";
        Mul mul "mul" "011100 sssss ttttt ddddd 00000 000010" (rd rs rt) Multiply "`rd = rs · rt` mod 2^32; `HI` and `LO` stay";
        Mfhi mfhi "mfhi" "000000 00000 00000 ddddd 00000 010000" (rd) Multiply "`rd = HI`";
        Mthi mthi "mthi" "000000 sssss 00000 00000 00000 010001" (rs) Multiply "`HI = rs`";
        Mflo mflo "mflo" "000000 00000 00000 ddddd 00000 010010" (rd) Multiply "`rd = LO`";
        Mtlo mtlo "mtlo" "000000 sssss 00000 00000 00000 010011" (rs) Multiply "`LO = rs`";
        Lb lb "lb" "100000 sssss ttttt cccccccccccccccc" (rt offset base) Memory "`rt` = the byte at `rs + c`, sign-extended";
        Lh lh "lh" "100001 sssss ttttt cccccccccccccccc" (rt offset base) Memory "`rt` = the half at `rs + c`, sign-extended";
        Lwl lwl "lwl" "100010 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the upper bytes of `rt` = those that end at `rs + c` in its word";
        Lw lw "lw" "100011 sssss ttttt cccccccccccccccc" (rt offset base) Memory "`rt` = the word at `rs + c`";
        Lbu lbu "lbu" "100100 sssss ttttt cccccccccccccccc" (rt offset base) Memory "`rt` = the byte at `rs + c`";
        Lhu lhu "lhu" "100101 sssss ttttt cccccccccccccccc" (rt offset base) Memory "`rt` = the half at `rs + c`";
        Lwr lwr "lwr" "100110 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the lower bytes of `rt` = those that begin at `rs + c` in its word";
        Sb sb "sb" "101000 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the byte at `rs + c` = the lowest of `rt`";
        Sh sh "sh" "101001 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the half at `rs + c` = the lower of `rt`";
        Swl swl "swl" "101010 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the bytes that end at `rs + c` in its word = the upper of `rt`";
        Sw sw "sw" "101011 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the word at `rs + c` = `rt`";
        Swr swr "swr" "101110 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the bytes that begin at `rs + c` in its word = the lower of `rt`";
        Ll ll "ll" "110000 sssss ttttt cccccccccccccccc" (rt offset base) Memory "`rt` = the word at `rs + c`, which is then linked";
        Sc sc "sc" "111000 sssss ttttt cccccccccccccccc" (rt offset base) Memory "the word at `rs + c` = `rt` if it is linked; `rt` = whether it was; nothing is linked any more";
        Beq beq "beq" "000100 sssss ttttt cccccccccccccccc" (rs rt branch) Branch "jumps if `rs = rt`";
        Bne bne "bne" "000101 sssss ttttt cccccccccccccccc" (rs rt branch) Branch "jumps if `rs ≠ rt`";
        Blez blez "blez" "000110 sssss 00000 cccccccccccccccc" (rs branch) Branch "jumps if `rs ≤ 0`";
        Bgtz bgtz "bgtz" "000111 sssss 00000 cccccccccccccccc" (rs branch) Branch "jumps if `rs > 0`";
        Bltz bltz "bltz" "000001 sssss 00000 cccccccccccccccc" (rs branch) Branch "jumps if `rs < 0`";
        Bgez bgez "bgez" "000001 sssss 00001 cccccccccccccccc" (rs branch) Branch "jumps if `rs ≥ 0`";
        Bltzal bltzal "bltzal" "000001 sssss 10000 cccccccccccccccc" (rs branch) Branch "`$ra` = the address behind the delay slot; jumps if `rs < 0`";
        Bgezal bgezal "bgezal" "000001 sssss 10001 cccccccccccccccc" (rs branch) Branch "`$ra` = the address behind the delay slot; jumps if `rs ≥ 0`";
        Beql beql "beql" "010100 sssss ttttt cccccccccccccccc" (rs rt branch) LikelyBranch "`beq`; skips its delay slot if it does not jump";
        Bnel bnel "bnel" "010101 sssss ttttt cccccccccccccccc" (rs rt branch) LikelyBranch "`bne`; skips its delay slot if it does not jump";
        Blezl blezl "blezl" "010110 sssss 00000 cccccccccccccccc" (rs branch) LikelyBranch "`blez`; skips its delay slot if it does not jump";
        Bgtzl bgtzl "bgtzl" "010111 sssss 00000 cccccccccccccccc" (rs branch) LikelyBranch "`bgtz`; skips its delay slot if it does not jump";
        Bltzl bltzl "bltzl" "000001 sssss 00010 cccccccccccccccc" (rs branch) LikelyBranch "`bltz`; skips its delay slot if it does not jump";
        Bgezl bgezl "bgezl" "000001 sssss 00011 cccccccccccccccc" (rs branch) LikelyBranch "`bgez`; skips its delay slot if it does not jump";
        Bltzall bltzall "bltzall" "000001 sssss 10010 cccccccccccccccc" (rs branch) LikelyBranch "`bltzal`; skips its delay slot if it does not jump";
        Bgezall bgezall "bgezall" "000001 sssss 10011 cccccccccccccccc" (rs branch) LikelyBranch "`bgezal`; skips its delay slot if it does not jump";
        J j "j" "000010 cccccccccccccccccccccccccc" (target) Jump "jumps to word `c` of the 256 MiB of the delay slot";
        Jal jal "jal" "000011 cccccccccccccccccccccccccc" (target) Jump "`$ra` = the address behind the delay slot; jumps as `j`";
        Jr jr "jr" "000000 sssss 00000 00000 00000 001000" (rs) Jump "jumps to `rs`";
        JrHb jr_hb "jr.hb" "000000 sssss 00000 00000 10000 001000" (rs) Jump "`jr`, and a barrier for hazards";
        Jalr jalr "jalr" "000000 sssss 00000 ddddd 00000 001001" (rd rs) Jump "`rd` = the address behind the delay slot; jumps to `rs`";
        JalrHb jalr_hb "jalr.hb" "000000 sssss 00000 ddddd 10000 001001" (rd rs) Jump "`jalr`, and a barrier for hazards";
        Tge tge "tge" "000000 sssss ttttt cccccccccc 110000" (rs rt code) Trap "traps if `rs ≥ rt`, both signed";
        Tgeu tgeu "tgeu" "000000 sssss ttttt cccccccccc 110001" (rs rt code) Trap "traps if `rs ≥ rt`, both unsigned";
        Tlt tlt "tlt" "000000 sssss ttttt cccccccccc 110010" (rs rt code) Trap "traps if `rs < rt`, both signed";
        Tltu tltu "tltu" "000000 sssss ttttt cccccccccc 110011" (rs rt code) Trap "traps if `rs < rt`, both unsigned";
        Teq teq "teq" "000000 sssss ttttt cccccccccc 110100" (rs rt code) Trap "traps if `rs = rt`";
        Tne tne "tne" "000000 sssss ttttt cccccccccc 110110" (rs rt code) Trap "traps if `rs ≠ rt`";
        Tgei tgei "tgei" "000001 sssss 01000 cccccccccccccccc" (rs signed) Trap "traps if `rs ≥ c`, both signed";
        Tgeiu tgeiu "tgeiu" "000001 sssss 01001 cccccccccccccccc" (rs signed) Trap "traps if `rs ≥ c`, `c` sign-extended, then both unsigned";
        Tlti tlti "tlti" "000001 sssss 01010 cccccccccccccccc" (rs signed) Trap "traps if `rs < c`, both signed";
        Tltiu tltiu "tltiu" "000001 sssss 01011 cccccccccccccccc" (rs signed) Trap "traps if `rs < c`, `c` sign-extended, then both unsigned";
        Teqi teqi "teqi" "000001 sssss 01100 cccccccccccccccc" (rs signed) Trap "traps if `rs = c`, `c` sign-extended";
        Tnei tnei "tnei" "000001 sssss 01110 cccccccccccccccc" (rs signed) Trap "traps if `rs ≠ c`, `c` sign-extended";
        Syscall syscall "syscall" "000000 cccccccccccccccccccc 001100" (code) System "a system call, by the number in `$v0`";
        Break breakpoint "break" "000000 cccccccccccccccccccc 001101" (break_code) System "traps";
        Rdhwr rdhwr "rdhwr" "011111 00000 ttttt ddddd 00000 111011" (rt hardware) System "`rt` = hardware register `d`: 29 is the pointer of `set_thread_area`, others trap";
        Sync sync "sync" "000000 00000 00000 00000 aaaaa 001111" (barrier) System "nothing: memory is always in order";
        Synci synci "synci" "000001 sssss 11111 cccccccccccccccc" (offset base) System "nothing: instructions do not change";
        Pref pref "pref" "110011 sssss aaaaa cccccccccccccccc" (hint offset base) System "nothing";
    } };
}

for_each_instruction!(define_opcodes);

pub(crate) use for_each_instruction;

impl Opcode {
    /// Its line of the table.
    pub const fn description(self) -> &'static Description {
        &TABLE[self as usize]
    }

    /// Its name in assembly text.
    pub const fn name(self) -> &'static str {
        self.description().name
    }

    /// What kind of instruction it is.
    pub const fn group(self) -> Group {
        self.description().group
    }

    /// Whether the next instruction is a delay slot.
    pub const fn jumps(self) -> bool {
        self.group().jumps()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_belongs_to_two_instructions() {
        for (index, a) in TABLE.iter().enumerate() {
            assert_eq!(a.opcode as usize, index);
            for b in &TABLE[..index] {
                let both = a.fields.mask & b.fields.mask;
                assert_ne!(a.fields.bits & both, b.fields.bits & both, "{} and {}", a.name, b.name);
            }
        }
    }
}
