//! What each instruction does, in tables: the architecture's manual, and what is easy to get wrong.

mod control;
mod memory;
mod registers;

use chipwright_mips::{Counts, Executor, Fault, Input, Program, Segment, State};
use chipwright_mips_isa::{
    A0, A1, A2, A3, Assembler, Code, Instruction, Opcode, RA, T0, T1, T2, V0, ZERO,
};

const BASE: u32 = 0x40_0000;
const DATA: u32 = 0x1000_0000;

const MIN: u32 = 0x8000_0000;
const MAX: u32 = 0x7fff_ffff;
const MINUS_ONE: u32 = u32::MAX;

/// A program of an emitted routine, with some words of data.
fn program(emit: impl FnOnce(&mut Assembler), data: &[u32]) -> Program {
    let mut asm = Assembler::new();
    emit(&mut asm);
    asm.stop();
    Program::assembled(&asm.finish(BASE).expect("sound"), (DATA, data)).expect("sound")
}

/// The state at the `break` behind an emitted routine, which begins with operands in `$a0` and `$a1`.
fn after(operands: [u32; 2], data: &[u32], emit: impl FnOnce(&mut Assembler)) -> State {
    match run(operands, data, emit) {
        (state, Fault::Break { .. }) => state,
        (_, fault) => panic!("{fault}"),
    }
}

/// How a routine ends, and the state then.
fn run(operands: [u32; 2], data: &[u32], emit: impl FnOnce(&mut Assembler)) -> (State, Fault) {
    let program = program(emit, data);
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    executor.state_mut().set(A0, operands[0]);
    executor.state_mut().set(A1, operands[1]);
    let error = executor.run(1000, &mut ()).expect_err("nothing ends the program but a fault");
    (executor.into_state(), error.fault)
}

fn fault(operands: [u32; 2], emit: impl FnOnce(&mut Assembler)) -> Fault {
    run(operands, &[], emit).1
}

#[test]
fn m_05_a_run_can_be_cut_after_every_instruction() {
    let program = program(
        |asm| {
            asm.routine("main");
            asm.li(T0, 5);
            let again = asm.here();
            asm.jal("step");
            asm.addiu(T0, T0, -1);
            asm.bgtz(T0, again);
            asm.addu(A2, A2, V0);
            asm.ll(T1, 0, A0);
            asm.addiu(T1, T1, 1);
            asm.sc(T1, 0, A0);
            asm.beql(ZERO, A0, again);
            asm.li(A3, 99);
            let end = asm.label();
            asm.j(end);
            asm.mult(T0, A2);
            asm.routine("step");
            asm.lwr(T2, 2, A0);
            asm.sw(T2, 4, A0);
            asm.jr(RA);
            asm.addu(V0, V0, T2);
            asm.place(end);
        },
        &[0x0102_0304, 0],
    );
    let input = Input::default();
    let start = |state: &mut State| state.set(A0, DATA);
    let mut whole = Executor::new(&program, &input);
    start(whole.state_mut());
    let error = whole.run(1000, &mut ()).expect_err("it ends with a break");
    let length = whole.state().clock;
    assert!(length > 40, "{length} instructions");
    let mut pending = 0;
    for cut in 0..=length {
        let mut first = Executor::new(&program, &input);
        start(first.state_mut());
        first.run_until(cut, &mut ()).expect("nothing goes wrong before the end");
        assert_eq!(first.state().clock, cut);
        let state = first.into_state();
        pending += u32::from(state.next_pc != state.pc + 4);
        let mut second = Executor::resume(&program, &input, state);
        assert_eq!(second.run(1000, &mut ()), Err(error.clone()), "cut at {cut}");
        assert_eq!(second.state(), whole.state(), "cut at {cut}");
    }
    // Five calls, five returns, four branches back, a jump to the end.
    assert_eq!(pending, 15, "cuts between a jump and its delay slot");
}

#[test]
fn a_program_may_have_several_texts() {
    let segment = |address, words: &[u32]| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Segment { address, size: bytes.len() as u32, bytes, executable: true }
    };
    // `jr $a0`, `addiu $v0, $v0, 1` and, where that goes, `jr $a1`, `nop` back to a `break`.
    let here = segment(BASE, &[0x0080_0008, 0x2442_0001, 0x0000_000d]);
    let there = segment(DATA, &[0x00a0_0008, 0]);
    let program = Program::new(BASE, vec![there, here], Vec::new()).expect("sound");
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    executor.state_mut().set(A0, DATA);
    executor.state_mut().set(A1, BASE + 8);
    let mut counts = Counts::new(&program);
    let error = executor.run(100, &mut counts).expect_err("it ends with a break");
    assert_eq!((error.fault, error.pc), (Fault::Break { code: 0 }, BASE + 8));
    let counts: Vec<(u32, u64)> = counts.by_address().map(|(pc, _, count)| (pc, count)).collect();
    assert_eq!(counts, [BASE, BASE + 4, BASE + 8, DATA, DATA + 4].map(|pc| (pc, 1)));
}

#[test]
fn a_fault_is_reported_with_all_that_helps() {
    let program = program(
        |asm| {
            asm.routine("main");
            asm.jal("divide");
            asm.nop();
            asm.routine("divide");
            asm.teq(A1, ZERO, 7);
        },
        &[],
    );
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    executor.state_mut().set(A0, 6);
    let error = executor.run(100, &mut ()).expect_err("it traps");
    assert_eq!(
        error.to_string(),
        "a trap (7: a division by zero) at 0x400008 in divide: `teq $a1, $zero, 0x7`, after 2 instructions; registers that \
         are not zero: $a0=0x6 $sp=0x7ffff000 $ra=0x400008; $ra is in divide"
    );
    assert_eq!(executor.run(2, &mut ()).expect_err("too early").fault, Fault::Limit { limit: 2 });
}

#[test]
fn an_instruction_is_counted_if_and_only_if_it_is_executed() {
    let input = Input::default();
    for &opcode in Opcode::ALL {
        let code = Code {
            base: BASE,
            words: vec![Instruction::new(opcode).encode(), 0, 0],
            routines: Vec::new(),
        };
        let program = Program::assembled(&code, (DATA, &[])).expect("sound");
        let mut executor = Executor::new(&program, &input);
        let result = executor.run_until(1, &mut ());
        assert_eq!(executor.state().clock, u64::from(result.is_ok()), "{}", opcode.name());
    }
}
