//! Operations on registers.

use chipwright_mips::Fault;
use chipwright_mips_isa::{A0, A1, Assembler, Register, T0, T1, V0, V1, ZERO};

use crate::{BASE, MAX, MIN, MINUS_ONE, after, fault, run};

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
