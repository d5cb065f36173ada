//! What each instruction does, in tables: the architecture's manual, and what is easy to get wrong.

use chipwright_mips::{Access, Executor, Fault, Input, Observer, Program, State};
use chipwright_mips_isa::{
    A0, A1, A2, A3, Assembler, Instruction, RA, Register, S0, SP, T0, T1, T2, V0, V1, ZERO,
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

type ThreeRegisters = fn(&mut Assembler, Register, Register, Register);

#[test]
fn m_03_operations_of_two_registers() {
    let cases: &[(&str, ThreeRegisters, [u32; 3])] = &[
        ("addu", Assembler::addu, [MINUS_ONE, 2, 1]),
        ("add", Assembler::add, [MINUS_ONE, 2, 1]),
        ("subu", Assembler::subu, [1, 2, MINUS_ONE]),
        ("sub", Assembler::sub, [1, 2, MINUS_ONE]),
        ("slt", Assembler::slt, [MINUS_ONE, 0, 1]),
        ("slt", Assembler::slt, [0, MIN, 0]),
        ("sltu", Assembler::sltu, [MINUS_ONE, 0, 0]),
        ("sltu", Assembler::sltu, [0, MIN, 1]),
        ("and", Assembler::and, [0xff00_ff00, 0x0ff0_0ff0, 0x0f00_0f00]),
        ("or", Assembler::or, [0xff00_0000, 0x0ff0_0000, 0xfff0_0000]),
        ("xor", Assembler::xor, [0xff00_0000, 0x0ff0_0000, 0xf0f0_0000]),
        ("nor", Assembler::nor, [0xff00_0000, 0x0ff0_0000, 0x000f_ffff]),
        ("mul", Assembler::mul, [MIN, 3, MIN]),
        ("mul", Assembler::mul, [MINUS_ONE, MINUS_ONE, 1]),
    ];
    for &(name, emit, [a, b, expected]) in cases {
        let state = after([a, b], &[], |asm| emit(asm, V0, A0, A1));
        assert_eq!(state.get(V0), expected, "{name} {a:#x}, {b:#x}");
        let state = after([a, b], &[], |asm| {
            asm.or(V1, A1, ZERO);
            emit(asm, V1, A0, V1);
        });
        assert_eq!(state.get(V1), expected, "{name}, an operand is overwritten");
    }
}

#[test]
fn m_03_immediates_are_extended_by_their_sign_or_not() {
    let of = |a: u32, emit: fn(&mut Assembler)| after([a, 0], &[], emit).get(V0);
    assert_eq!(of(5, |asm| asm.addiu(V0, A0, -7)), MINUS_ONE - 1);
    assert_eq!(of(5, |asm| asm.addi(V0, A0, -7)), MINUS_ONE - 1);
    assert_eq!(of(5, |asm| asm.slti(V0, A0, -7)), 0);
    assert_eq!(of(5, |asm| asm.sltiu(V0, A0, -7)), 1, "extended by its sign, then unsigned");
    assert_eq!(of(MINUS_ONE, |asm| asm.andi(V0, A0, 0xffff)), 0xffff);
    assert_eq!(of(0, |asm| asm.ori(V0, A0, 0x8000)), 0x8000);
    assert_eq!(of(MINUS_ONE, |asm| asm.xori(V0, A0, 0xffff)), 0xffff_0000);
    assert_eq!(of(0, |asm| asm.lui(V0, 0x8000)), MIN);
    assert_eq!(fault([MINUS_ONE, 0], |asm| asm.teqi(A0, -1)), Fault::Trap { code: 0 });
    assert_eq!(fault([MINUS_ONE, 0], |asm| asm.tgeiu(A0, -1)), Fault::Trap { code: 0 });
    after([MINUS_ONE - 1, 0], &[], |asm| asm.tgeiu(A0, -1));
    assert_eq!(fault([5, 0], |asm| asm.tltiu(A0, -1)), Fault::Trap { code: 0 });
}

#[test]
fn m_14_signed_overflows_trap_and_change_nothing() {
    let sums: [(&str, ThreeRegisters, [u32; 2]); 4] = [
        ("add", Assembler::add, [MAX, 1]),
        ("add", Assembler::add, [MIN, MINUS_ONE]),
        ("sub", Assembler::sub, [MIN, 1]),
        ("sub", Assembler::sub, [0, MIN]),
    ];
    for (name, emit, operands) in sums {
        let (state, fault) = run(operands, &[], |asm| emit(asm, A0, A0, A1));
        assert_eq!(fault, Fault::Overflow, "{name} {operands:x?}");
        assert_eq!((state.get(A0), state.pc, state.clock), (operands[0], BASE, 0), "{name}");
    }
    assert_eq!(fault([MAX, 0], |asm| asm.addi(V0, A0, 1)), Fault::Overflow);
    assert_eq!(after([MAX, 1], &[], |asm| asm.addu(V0, A0, A1)).get(V0), MIN);
    assert_eq!(after([MIN, 1], &[], |asm| asm.subu(V0, A0, A1)).get(V0), MAX);
}

#[test]
fn m_15_products_and_quotients() {
    type TwoRegisters = fn(&mut Assembler, Register, Register);
    let minus = |n: u32| n.wrapping_neg();
    let cases: &[(&str, TwoRegisters, [u32; 2], [u32; 2])] = &[
        ("mult", Assembler::mult, [MIN, MIN], [0x4000_0000, 0]),
        ("mult", Assembler::mult, [MINUS_ONE, 1], [MINUS_ONE, MINUS_ONE]),
        ("multu", Assembler::multu, [MINUS_ONE, MINUS_ONE], [0xffff_fffe, 1]),
        ("div", Assembler::div, [MIN, MINUS_ONE], [0, MIN]),
        ("div", Assembler::div, [minus(7), 2], [MINUS_ONE, minus(3)]),
        ("div", Assembler::div, [7, minus(2)], [1, minus(3)]),
        ("div", Assembler::div, [minus(7), minus(2)], [MINUS_ONE, 3]),
        ("divu", Assembler::divu, [minus(7), 2], [1, 0x7fff_fffc]),
    ];
    for &(name, emit, operands, expected) in cases {
        let state = after(operands, &[], |asm| emit(asm, A0, A1));
        assert_eq!([state.hi, state.lo], expected, "{name} {operands:x?}");
    }
    for emit in [Assembler::div, Assembler::divu] {
        assert_eq!(fault([1, 0], |asm| emit(asm, A0, A1)), Fault::DivisionByZero);
    }
    let state = after([3, 5], &[], |asm| {
        asm.mthi(A0);
        asm.mtlo(A1);
        asm.mul(V0, A0, A1);
        asm.mfhi(T0);
        asm.mflo(T1);
    });
    assert_eq!(
        [V0, T0, T1].map(|register| state.get(register)),
        [15, 3, 5],
        "mul leaves HI and LO"
    );
}

#[test]
fn m_15_sums_of_products_are_modulo_2_to_the_64() {
    type TwoRegisters = fn(&mut Assembler, Register, Register);
    let cases: &[(&str, TwoRegisters, [[u32; 2]; 3])] = &[
        ("madd", Assembler::madd, [[0, MINUS_ONE], [1, 1], [1, 0]]),
        ("madd", Assembler::madd, [[0, 0], [MINUS_ONE, 1], [MINUS_ONE, MINUS_ONE]]),
        ("maddu", Assembler::maddu, [[MINUS_ONE, MINUS_ONE], [1, 1], [0, 0]]),
        ("maddu", Assembler::maddu, [[0, 0], [MINUS_ONE, 1], [0, MINUS_ONE]]),
        ("msub", Assembler::msub, [[0, 0], [1, 1], [MINUS_ONE, MINUS_ONE]]),
        ("msub", Assembler::msub, [[0, 0], [MINUS_ONE, 1], [0, 1]]),
        ("msubu", Assembler::msubu, [[0, 0], [MINUS_ONE, 1], [MINUS_ONE, 1]]),
    ];
    for &(name, emit, [[hi, lo], operands, expected]) in cases {
        let state = after(operands, &[], |asm| {
            asm.li(T0, hi);
            asm.li(T1, lo);
            asm.mthi(T0);
            asm.mtlo(T1);
            emit(asm, A0, A1);
        });
        assert_eq!([state.hi, state.lo], expected, "{name} {operands:x?}");
    }
}

#[test]
fn m_03_shifts_take_amounts_modulo_32() {
    let by_register: &[(&str, ThreeRegisters, u32)] = &[
        ("sllv", Assembler::sllv, 0x0000_0010),
        ("srlv", Assembler::srlv, 0x0800_0000),
        ("srav", Assembler::srav, 0xf800_0000),
        ("rorv", Assembler::rotrv, 0x1800_0000),
    ];
    for &(name, emit, expected) in by_register {
        for amount in [4, 36, 0xffff_ffe4] {
            let state = after([amount, 0x8000_0001], &[], |asm| emit(asm, V0, A1, A0));
            assert_eq!(state.get(V0), expected, "{name} by {amount}");
        }
    }
    let of = |a: u32, emit: fn(&mut Assembler)| after([a, 0], &[], emit).get(V0);
    assert_eq!(of(MIN, |asm| asm.sra(V0, A0, 31)), MINUS_ONE);
    assert_eq!(of(MIN, |asm| asm.srl(V0, A0, 31)), 1);
    assert_eq!(of(3, |asm| asm.sll(V0, A0, 31)), MIN);
    assert_eq!(of(1, |asm| asm.rotr(V0, A0, 1)), MIN);
    assert_eq!(of(7, |asm| asm.rotr(V0, A0, 0)), 7);
}

#[test]
fn m_03_bits_and_bytes_of_a_register() {
    let of = |a: u32, b: u32, emit: fn(&mut Assembler)| after([a, b], &[], emit).get(V0);
    assert_eq!(of(0, 0, |asm| asm.clz(V0, A0)), 32);
    assert_eq!(of(1, 0, |asm| asm.clz(V0, A0)), 31);
    assert_eq!(of(MINUS_ONE, 0, |asm| asm.clo(V0, A0)), 32);
    assert_eq!(of(MAX, 0, |asm| asm.clo(V0, A0)), 0);
    assert_eq!(of(0x180, 0, |asm| asm.seb(V0, A0)), 0xffff_ff80);
    assert_eq!(of(0x1_7fff, 0, |asm| asm.seh(V0, A0)), 0x7fff);
    assert_eq!(of(0x1122_3344, 0, |asm| asm.wsbh(V0, A0)), 0x2211_4433);
    assert_eq!(of(0x1234_5678, 0, |asm| asm.ext(V0, A0, 4, 8)), 0x67);
    assert_eq!(of(0x1234_5678, 0, |asm| asm.ext(V0, A0, 0, 32)), 0x1234_5678);
    let inserted = |position, size| {
        let state = after([MINUS_ONE, 0x1234_5678], &[], |asm| asm.ins(A0, A1, position, size));
        state.get(A0)
    };
    assert_eq!(inserted(4, 8), 0xffff_f78f);
    assert_eq!(inserted(0, 32), 0x1234_5678);
    assert_eq!(inserted(31, 1), MAX);
    for (b, moved) in [(0, [7, 9]), (1, [9, 7])] {
        let state = after([7, b], &[], |asm| {
            asm.li(V0, 9);
            asm.li(V1, 9);
            asm.movz(V0, A0, A1);
            asm.movn(V1, A0, A1);
        });
        assert_eq!(
            [state.get(V0), state.get(V1)],
            moved,
            "a condition that fails leaves the register"
        );
    }
}

#[test]
fn m_03_the_register_zero_stays_zero() {
    let state = after([DATA, 7], &[99], |asm| {
        asm.addu(ZERO, A0, A1);
        asm.lw(ZERO, 0, A0);
        asm.movn(ZERO, A0, A1);
        asm.mthi(A0);
        asm.mfhi(ZERO);
        asm.or(V0, ZERO, ZERO);
    });
    assert_eq!((state.get(ZERO), state.get(V0)), (0, 0));
    let unaligned = fault([DATA + 2, 0], |asm| asm.lw(ZERO, 0, A0));
    assert_eq!(unaligned, Fault::Unaligned { address: DATA + 2, size: 4 });
}

#[test]
fn m_03_bytes_and_halves_of_memory() {
    let data = [0x8001_7fff, 0xffff_ffff];
    let loaded = |emit: fn(&mut Assembler)| after([DATA, 0], &data, emit).get(V0);
    assert_eq!(loaded(|asm| asm.lb(V0, 0, A0)), MINUS_ONE);
    assert_eq!(loaded(|asm| asm.lbu(V0, 0, A0)), 0xff);
    assert_eq!(loaded(|asm| asm.lb(V0, 1, A0)), 0x7f);
    assert_eq!(loaded(|asm| asm.lb(V0, 3, A0)), 0xffff_ff80);
    assert_eq!(loaded(|asm| asm.lh(V0, 0, A0)), 0x7fff);
    assert_eq!(loaded(|asm| asm.lh(V0, 2, A0)), 0xffff_8001);
    assert_eq!(loaded(|asm| asm.lhu(V0, 2, A0)), 0x8001);
    let stored = |emit: fn(&mut Assembler)| {
        let state = after([DATA, 0xaabb_ccdd], &data, emit);
        state.memory.load(DATA).expect("there is memory")
    };
    assert_eq!(stored(|asm| asm.sb(A1, 2, A0)), 0x80dd_7fff);
    assert_eq!(stored(|asm| asm.sh(A1, 2, A0)), 0xccdd_7fff);
    assert_eq!(stored(|asm| asm.sh(A1, 0, A0)), 0x8001_ccdd);
    assert_eq!(stored(|asm| asm.sw(A1, 0, A0)), 0xaabb_ccdd);
    for (address, size) in [(DATA + 1, 2), (DATA + 1, 4), (DATA + 2, 4)] {
        let expected = Fault::Unaligned { address, size };
        let emit =
            |asm: &mut Assembler| if size == 2 { asm.lh(V0, 0, A0) } else { asm.lw(V0, 0, A0) };
        assert_eq!(fault([address, 0], emit), expected);
        let emit =
            |asm: &mut Assembler| if size == 2 { asm.sh(V0, 0, A0) } else { asm.sw(V0, 0, A0) };
        assert_eq!(fault([address, 0], emit), expected);
    }
}

#[test]
fn m_03_words_wherever_they_are() {
    type Partial = fn(&mut Assembler, Register, i16, Register);
    let loads: &[(&str, Partial, [u32; 4])] = &[
        ("lwl", Assembler::lwl, [0x10bb_ccdd, 0x2110_ccdd, 0x3221_10dd, 0x4332_2110]),
        ("lwr", Assembler::lwr, [0x4332_2110, 0xaa43_3221, 0xaabb_4332, 0xaabb_cc43]),
    ];
    for (name, emit, expected) in loads {
        for (offset, &expected) in (0..).zip(expected) {
            let state = after([DATA, 0xaabb_ccdd], &[0x4332_2110], |asm| emit(asm, A1, offset, A0));
            assert_eq!(state.get(A1), expected, "{name} +{offset}");
        }
    }
    let stores: &[(&str, Partial, [u32; 4])] = &[
        ("swl", Assembler::swl, [0x4332_21aa, 0x4332_aabb, 0x43aa_bbcc, 0xaabb_ccdd]),
        ("swr", Assembler::swr, [0xaabb_ccdd, 0xbbcc_dd10, 0xccdd_2110, 0xdd32_2110]),
    ];
    for (name, emit, expected) in stores {
        for (offset, &expected) in (0..).zip(expected) {
            let state = after([DATA, 0xaabb_ccdd], &[0x4332_2110], |asm| emit(asm, A1, offset, A0));
            assert_eq!(state.memory.load(DATA), Ok(expected), "{name} +{offset}");
        }
    }
}

#[test]
fn m_03_a_conditional_store_needs_its_link() {
    let stored = |emit: fn(&mut Assembler)| {
        let state = after([DATA, 7], &[1, 2], emit);
        (state.get(A1), state.memory.load(DATA).expect("there is memory"), state.link)
    };
    assert_eq!(stored(|asm| asm.sc(A1, 0, A0)), (0, 1, 0), "nothing is linked");
    let linked = stored(|asm| {
        asm.ll(V0, 0, A0);
        asm.sw(V0, 4, A0);
        asm.sc(A1, 0, A0);
    });
    assert_eq!(linked, (1, 7, 0), "other stores do not matter");
    let other = stored(|asm| {
        asm.ll(V0, 4, A0);
        asm.sc(A1, 0, A0);
    });
    assert_eq!(other, (0, 1, 0), "another address is linked");
    let called = stored(|asm| {
        asm.ll(T0, 0, A0);
        asm.li(V0, 3);
        asm.syscall(0);
        asm.sc(A1, 0, A0);
    });
    assert_eq!(called, (0, 1, 0), "a system call ends the link");
    let twice = stored(|asm| {
        asm.ll(V0, 0, A0);
        asm.or(T0, A1, ZERO);
        asm.sc(T0, 0, A0);
        asm.sc(A1, 0, A0);
    });
    assert_eq!(twice, (0, 7, 0), "the link is used up");
    assert_eq!(
        fault([DATA + 1, 0], |asm| asm.sc(A1, 0, A0)),
        Fault::Unaligned { address: DATA + 1, size: 4 }
    );
}

type BranchOfTwo = fn(&mut Assembler, Register, Register, chipwright_mips_isa::Label);
type BranchOfOne = fn(&mut Assembler, Register, chipwright_mips_isa::Label);

/// Whether a branch is taken, whether its delay slot is executed, and what `$ra` becomes.
fn branch(
    operands: [u32; 2],
    emit: impl FnOnce(&mut Assembler, chipwright_mips_isa::Label),
) -> (bool, bool, u32) {
    let state = after(operands, &[], |asm| {
        let label = asm.label();
        emit(asm, label);
        asm.li(V0, 1);
        asm.li(V1, 1);
        asm.place(label);
    });
    (state.get(V1) == 0, state.get(V0) == 1, state.get(RA))
}

#[test]
fn m_17_branches_are_taken_by_their_condition_after_their_delay_slot() {
    let signed = [
        (MIN, [true, false]),
        (MINUS_ONE, [true, false]),
        (0, [false, false]),
        (1, [false, true]),
        (MAX, [false, true]),
    ];
    for (a, [negative, positive]) in signed {
        let of = |emit: BranchOfOne| branch([a, 0], |asm, label| emit(asm, A0, label));
        let plain: [(BranchOfOne, BranchOfOne, bool); 4] = [
            (Assembler::bltz, Assembler::bltzl, negative),
            (Assembler::bgez, Assembler::bgezl, !negative),
            (Assembler::blez, Assembler::blezl, !positive),
            (Assembler::bgtz, Assembler::bgtzl, positive),
        ];
        for (plain, likely, taken) in plain {
            assert_eq!(of(plain), (taken, true, 0), "{a:#x}");
            assert_eq!(
                of(likely),
                (taken, taken, 0),
                "{a:#x}: a slot is skipped if the branch is not taken"
            );
        }
        let linking: [(BranchOfOne, BranchOfOne, bool); 2] = [
            (Assembler::bltzal, Assembler::bltzall, negative),
            (Assembler::bgezal, Assembler::bgezall, !negative),
        ];
        for (plain, likely, taken) in linking {
            assert_eq!(of(plain), (taken, true, BASE + 8), "{a:#x}: links in any case");
            assert_eq!(of(likely), (taken, taken, BASE + 8), "{a:#x}");
        }
    }
    for (operands, equal) in [([5, 5], true), ([5, 6], false), ([MIN, MIN], true)] {
        let of = |emit: BranchOfTwo| branch(operands, |asm, label| emit(asm, A0, A1, label));
        assert_eq!(of(Assembler::beq), (equal, true, 0));
        assert_eq!(of(Assembler::bne), (!equal, true, 0));
        assert_eq!(of(Assembler::beql), (equal, equal, 0));
        assert_eq!(of(Assembler::bnel), (!equal, !equal, 0));
    }
}

#[test]
fn m_17_the_condition_is_read_before_the_delay_slot() {
    let state = after([0, 0], &[], |asm| {
        let label = asm.label();
        asm.beq(A0, ZERO, label);
        asm.li(A0, 1);
        asm.li(V0, 1);
        asm.place(label);
    });
    assert_eq!((state.get(A0), state.get(V0)), (1, 0));
}

#[test]
fn m_17_jumps_link_behind_their_delay_slot() {
    let state = after([0, 0], &[], |asm| {
        asm.routine("main");
        asm.jal("callee");
        asm.li(A0, 5);
        let over = asm.label();
        asm.j(over);
        asm.nop();
        asm.routine("callee");
        asm.addu(V0, A0, A0);
        asm.jr_hb(RA);
        asm.nop();
        asm.place(over);
    });
    assert_eq!((state.get(V0), state.get(RA)), (10, BASE + 8));
    let state = after([BASE + 12, 0], &[], |asm| {
        asm.jalr(S0, A0);
        asm.nop();
        asm.stop();
        asm.li(V0, 9);
    });
    assert_eq!((state.get(V0), state.get(S0), state.get(RA)), (9, BASE + 8, 0));
}

#[test]
fn m_17_jumps_in_delay_slots_and_to_nowhere_are_refused() {
    // The assembler refuses such programs, so their words are given.
    let run = |words: &[u32], operand: u32| {
        let code =
            chipwright_mips_isa::Code { base: BASE, words: words.to_vec(), routines: Vec::new() };
        let program = Program::assembled(&code, (DATA, &[])).expect("sound");
        let input = Input::default();
        let mut executor = Executor::new(&program, &input);
        executor.state_mut().set(A0, operand);
        let error = executor.run(10, &mut ()).expect_err("nothing ends the program");
        (error.fault, error.pc)
    };
    let (beq, j, jr_a0) = (0x1000_0004, 0x0810_0000, 0x0080_0008);
    assert_eq!(run(&[beq, j, 0], 0), (Fault::DelaySlot, BASE + 4));
    assert_eq!(run(&[jr_a0, beq, 0], BASE), (Fault::DelaySlot, BASE + 4));
    for target in [BASE + 2, BASE + 12, 0, DATA] {
        assert_eq!(run(&[jr_a0, 0, 0], target), (Fault::BadJump { target }, target));
    }
    assert_eq!(run(&[0, 0], 0), (Fault::BadJump { target: BASE + 8 }, BASE + 8), "behind the text");
    // `jalr $a0, $a0` and `bgezal $ra`.
    assert_eq!(run(&[0x0080_2009, 0], BASE).0, Fault::Unpredictable);
    assert_eq!(run(&[0x07f1_0001, 0], 0).0, Fault::Unpredictable);
}

#[test]
fn m_03_traps_end_the_run_where_they_are() {
    type Trap = fn(&mut Assembler, Register, Register, u32);
    let traps: &[(&str, Trap, [u32; 2], bool)] = &[
        ("tge", Assembler::tge, [0, MIN], true),
        ("tge", Assembler::tge, [MIN, 0], false),
        ("tgeu", Assembler::tgeu, [MIN, 0], true),
        ("tgeu", Assembler::tgeu, [0, 1], false),
        ("tlt", Assembler::tlt, [MIN, 0], true),
        ("tlt", Assembler::tlt, [0, 0], false),
        ("tltu", Assembler::tltu, [0, MIN], true),
        ("tltu", Assembler::tltu, [MIN, 0], false),
        ("teq", Assembler::teq, [3, 3], true),
        ("teq", Assembler::teq, [3, 4], false),
        ("tne", Assembler::tne, [3, 4], true),
        ("tne", Assembler::tne, [3, 3], false),
    ];
    for &(name, emit, operands, traps) in traps {
        let (state, fault) = run(operands, &[], |asm| emit(asm, A0, A1, 7));
        let expected = if traps { Fault::Trap { code: 7 } } else { Fault::Break { code: 0 } };
        assert_eq!(fault, expected, "{name} {operands:x?}");
        assert_eq!(state.pc, if traps { BASE } else { BASE + 4 });
    }
    assert_eq!(fault([0, 0], |asm| asm.breakpoint(0x1c00)), Fault::Break { code: 0x1c00 });
    assert_eq!(fault([0, 0], |asm| asm.rdhwr(V0, 0)), Fault::HardwareRegister { number: 0 });
    let state = after([0, 0], &[], |asm| {
        asm.sync(0);
        asm.pref(0, 0, ZERO);
        asm.synci(0, ZERO);
    });
    assert_eq!(state.clock, 3, "nothing happens, even at address zero");
}

#[test]
fn m_03_addresses_without_memory_and_stores_into_text_are_refused() {
    assert_eq!(fault([0, 0], |asm| asm.lw(V0, 8, A0)), Fault::BadAddress { address: 8 });
    assert_eq!(
        fault([MINUS_ONE - 3, 0], |asm| asm.sw(V0, 0, A0)),
        Fault::BadAddress { address: MINUS_ONE - 3 }
    );
    assert_eq!(fault([BASE, 0], |asm| asm.sb(V0, 1, A0)), Fault::TextStore { address: BASE + 1 });
    let exhausted = fault([0x1_0000, 0], |asm| {
        asm.or(SP, A0, ZERO);
        asm.sw(V0, -8, SP);
    });
    assert_eq!(exhausted, Fault::StackExhausted { address: 0xfff8 });
    // Text can be read.
    assert_eq!(after([BASE, 0], &[], |asm| asm.lw(V0, 0, A0)).get(V0), 0x8c82_0000);
}

#[test]
fn memory_has_a_limit() {
    let program = program(
        |asm| {
            let again = asm.here();
            asm.sw(A0, 0, A0);
            asm.lui(T0, 1);
            asm.beq(ZERO, ZERO, again);
            asm.addu(A0, A0, T0);
        },
        &[],
    );
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    let state = executor.state_mut();
    state.memory = state.memory.clone().with_limit(1 << 16);
    state.set(A0, DATA);
    let error = executor.run(1000, &mut ()).expect_err("memory ends");
    let expected = Fault::MemoryExhausted { address: DATA + 15 * (1 << 16), limit: 1 << 16 };
    assert_eq!(error.fault, expected);
}

/// Keeps all accesses.
#[derive(Default)]
struct Accesses(Vec<Access>);

impl Observer for Accesses {
    const ACCESSES: bool = true;

    fn access(&mut self, access: Access) {
        self.0.push(access);
    }
}

#[test]
fn accesses_are_seen_by_words_with_what_was_there_before() {
    let program = program(
        |asm| {
            asm.lbu(V0, 1, A0);
            asm.sb(A1, 6, A0);
            asm.swr(A1, 7, A0);
            asm.sw(ZERO, 0, A0);
        },
        &[0x4433_2211, 0x8877_6655],
    );
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    executor.state_mut().set(A0, DATA);
    executor.state_mut().set(A1, 0xff);
    let mut accesses = Accesses::default();
    executor.run(100, &mut accesses).expect_err("it ends with a break");
    let access = |address, before, after| Access { address, before, after };
    assert_eq!(
        accesses.0,
        [
            access(DATA, 0x4433_2211, 0x4433_2211),
            access(DATA + 4, 0x8877_6655, 0x88ff_6655),
            access(DATA + 4, 0x88ff_6655, 0xffff_6655),
            access(DATA, 0x4433_2211, 0),
        ]
    );
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
fn every_instruction_is_executed_by_some_case() {
    // A word that can be decoded and is not executed would be a hole: all of them do something or fault.
    let input = Input::default();
    for &opcode in chipwright_mips_isa::Opcode::ALL {
        let code = chipwright_mips_isa::Code {
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
