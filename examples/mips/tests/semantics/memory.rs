//! Loads and stores.

use chipwright_mips::{Access, Executor, Fault, Input, Observer};
use chipwright_mips_isa::{A0, A1, Assembler, Register, SP, T0, V0, ZERO};

use crate::{BASE, DATA, MINUS_ONE, after, fault, program};

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
