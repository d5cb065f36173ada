//! Every opcode, with operands at edges.

use chipwright_mips::{Executor, Input, Program};
use chipwright_mips_isa::{
    A0, A1, Assembler, Group, Instruction, Opcode, RA, Register, S0, V0, ZERO,
};

use crate::{DATA, assembled, assert_holds, filled, traced};

/// Operands at edges.
const EDGES: [u32; 12] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0x8000,
    0xffff,
    0x1234_5678,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
];

/// Constants at edges.
const CONSTANTS: [u16; 5] = [0, 1, 0x7fff, 0x8000, 0xffff];

/// The opcodes of some groups.
fn of_groups(groups: &[Group]) -> impl Iterator<Item = Opcode> {
    Opcode::ALL.iter().copied().filter(move |opcode| groups.contains(&opcode.group()))
}

/// Whether an instruction changes a state in which `$a0` and `$a1` have these values without a fault.
fn is_defined(instruction: Instruction, [a, b]: [u32; 2]) -> bool {
    let program = assembled(|asm| (asm.push(instruction), asm.nop()).1, &[0; 64]);
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    executor.state_mut().set(A0, a);
    executor.state_mut().set(A1, b);
    executor.run_until(1, &mut ()).is_ok()
}

/// An instruction, and what `$a0` and `$a1` hold before it.
type Case = (Instruction, [u32; 2]);

/// A program that executes instructions with operands in `$a0` and `$a1`, and how many it has in all.
fn program_of(cases: &[Case]) -> (Program, u64) {
    assert!(!cases.is_empty());
    let emit = |asm: &mut Assembler| {
        for &(instruction, [a, b]) in cases {
            asm.li(A0, a);
            asm.li(A1, b);
            asm.push(instruction);
        }
    };
    let data = [0x4332_2110, 0x8081_7f00, 0xffff_0000, 0x1234_5678];
    let program = assembled(emit, &data);
    let length = program.words().count() as u64;
    (program, length)
}

/// Executes a program up to a clock, and checks it.
fn assert_runs((program, length): (Program, u64)) {
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    let tracer = traced(&mut executor, &program, length);
    assert_eq!(executor.state().clock, length);
    assert_holds(&filled(tracer, executor.state()));
}

/// An opcode with `$a0` and `$a1` for the operands, `$v0` for the target, an amount and a constant.
pub(crate) fn instruction(opcode: Opcode, amount: u8, constant: u16) -> Instruction {
    let new = Instruction::new(opcode);
    let constant = u32::from(constant);
    let rd = if opcode == Opcode::Rdhwr { Register::new(29) } else { Some(V0) };
    let full = Instruction { rs: A0, rt: A1, rd: rd.unwrap_or(V0), amount, constant, ..new };
    // Fields that the opcode does not have are zero again.
    Instruction::decode(full.encode()).unwrap_or(full)
}

/// Operations on registers.
fn of_registers() -> Vec<Case> {
    let groups = [Group::Arithmetic, Group::Logic, Group::Shift, Group::Multiply, Group::Trap];
    let mut cases = Vec::new();
    for opcode in of_groups(&groups) {
        let (amounts, constants): (&[u8], &[u16]) = match opcode {
            Opcode::Sll | Opcode::Srl | Opcode::Sra | Opcode::Rotr => (&[0, 1, 16, 31], &[0]),
            Opcode::Ext | Opcode::Ins => continue,
            _ if opcode.description().layout.contains('c') => (&[0], &CONSTANTS),
            _ => (&[0], &[0]),
        };
        for &amount in amounts {
            for &constant in constants {
                let instruction = instruction(opcode, amount, constant);
                for a in EDGES {
                    for b in EDGES {
                        if is_defined(instruction, [a, b]) {
                            cases.push((instruction, [a, b]));
                        }
                    }
                }
            }
        }
    }
    cases
}

#[test]
fn operations_on_registers_satisfy_the_machine() {
    assert_runs(program_of(&of_registers()));
}

/// Operations on fields of bits.
fn of_fields() -> Vec<Case> {
    let mut cases = Vec::new();
    for (position, size) in [(0, 1), (0, 32), (4, 8), (31, 1), (1, 31), (16, 16), (0, 31), (7, 9)] {
        let mut asm = Assembler::new();
        asm.ext(V0, A0, position, size);
        asm.ins(A1, A0, position, size);
        for word in asm.finish(0).expect("no jumps").words {
            let instruction = Instruction::decode(word).expect("an instruction");
            cases.extend(EDGES.map(|a| (instruction, [a, 0x5555_5555])));
            cases.extend(EDGES.map(|a| (instruction, [!a, a])));
        }
    }
    cases
}

#[test]
fn fields_of_bits_satisfy_the_machine() {
    assert_runs(program_of(&of_fields()));
}

/// Accesses to memory.
fn of_memory() -> Vec<Case> {
    let mut cases = Vec::new();
    for opcode in of_groups(&[Group::Memory]) {
        for lane in 0..8_u32 {
            // Addresses are sums with and without a carry.
            for (base, offset) in [(DATA - 16, 16 + lane), (DATA + 16, lane.wrapping_sub(16))] {
                let instruction = instruction(opcode, 0, offset as u16);
                for b in [0x8081_8283, 0x1234_5678] {
                    if is_defined(instruction, [base, b]) {
                        cases.push((instruction, [base, b]));
                    }
                }
            }
        }
    }
    // Links that hold, that do not, and that are gone.
    for (opcode, offset) in [
        (Opcode::Ll, 0),
        (Opcode::Sc, 0),
        (Opcode::Sc, 0),
        (Opcode::Ll, 4),
        (Opcode::Sc, 0),
        (Opcode::Ll, 8),
        (Opcode::Sw, 8),
        (Opcode::Sc, 8),
    ] {
        cases.push((instruction(opcode, 0, offset), [DATA, 77]));
    }
    cases
}

#[test]
fn accesses_satisfy_the_machine() {
    assert_runs(program_of(&of_memory()));
}

#[test]
fn what_does_nothing_satisfies_the_machine() {
    let opcodes = [Opcode::Sync, Opcode::Synci, Opcode::Pref, Opcode::Rdhwr];
    assert_runs(program_of(&opcodes.map(|opcode| (instruction(opcode, 3, 0x8001), [1, 2]))));
}

/// What writes to `$zero`.
fn to_zero() -> Vec<Case> {
    let mut cases = Vec::new();
    for &opcode in Opcode::ALL {
        let full = instruction(opcode, 0, 0);
        let group = opcode.group();
        let has_target = [Group::Arithmetic, Group::Logic, Group::Shift].contains(&group)
            || matches!(
                opcode,
                Opcode::Mul | Opcode::Mfhi | Opcode::Mflo | Opcode::Lw | Opcode::Lb
            )
            || matches!(opcode, Opcode::Lhu | Opcode::Lwl | Opcode::Ll | Opcode::Sc);
        let to_zero = if full.rd == V0 {
            Instruction { rd: ZERO, ..full }
        } else {
            Instruction { rt: ZERO, ..full }
        };
        let to_zero = Instruction::decode(to_zero.encode());
        if let Some(instruction) = to_zero.filter(|_| has_target) {
            cases.push((instruction, [DATA, 0]));
            cases.push((instruction, [DATA, 9]));
        }
    }
    cases
}

#[test]
fn writes_to_zero_are_discarded() {
    assert_runs(program_of(&to_zero()));
}

/// Branches, taken and not, and jumps.
fn of_branches() -> (Program, u64) {
    let opcodes: Vec<Opcode> = of_groups(&[Group::Branch, Group::LikelyBranch]).collect();
    let pairs = [
        [0, 0],
        [1, 1],
        [5, 7],
        [0x7fff_ffff, 0],
        [0x8000_0000, 0x8000_0000],
        [0x8000_0000, 0],
        [0xffff_ffff, 1],
    ];
    let emit = |asm: &mut Assembler| {
        for &opcode in &opcodes {
            for [a, b] in pairs {
                asm.li(A0, a);
                asm.li(A1, b);
                // Two instructions further, over one that is skipped if the branch is taken.
                asm.push(instruction(opcode, 0, 2));
                asm.addiu(V0, V0, 1);
                asm.addiu(S0, S0, 1);
            }
        }
        asm.jal("end");
        asm.addiu(V0, V0, 1);
        asm.routine("end");
        asm.addiu(RA, RA, 12);
        asm.jalr(V0, RA);
        asm.nop();
        asm.nop();
    };
    let program = assembled(emit, &[]);
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    let mut last = 0;
    let end = 0x1000 + 4 * program.words().count() as u32 - 4;
    while executor.state().pc != end {
        last = executor.state().clock + 1;
        executor.run_until(last, &mut ()).expect("nothing goes wrong");
    }
    (program, last)
}

#[test]
fn m_17_branches_taken_and_not_satisfy_the_machine() {
    assert_runs(of_branches());
}

/// Programs that together have rows of all chips, and how many instructions of them to execute.
pub(crate) fn programs() -> Vec<(Program, u64)> {
    let mut programs: Vec<(Program, u64)> =
        [of_registers(), of_fields(), of_memory()].iter().map(|cases| program_of(cases)).collect();
    programs.push(of_branches());
    programs
}
