//! Branches, jumps and traps.

use chipwright_mips::{Executor, Fault, Input, Program};
use chipwright_mips_isa::{A0, A1, Assembler, Code, Label, RA, Register, S0, V0, V1, ZERO};

use crate::{BASE, DATA, MAX, MIN, MINUS_ONE, after, fault, run};

type BranchOfTwo = fn(&mut Assembler, Register, Register, Label);
type BranchOfOne = fn(&mut Assembler, Register, Label);

/// Whether a branch is taken, whether its delay slot is executed, and what `$ra` becomes.
fn branch(operands: [u32; 2], emit: impl FnOnce(&mut Assembler, Label)) -> (bool, bool, u32) {
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
        let code = Code { base: BASE, words: words.to_vec(), routines: Vec::new() };
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
