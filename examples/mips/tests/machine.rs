//! Runs satisfy the rules of the machine.

use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{check, fill};
use chipwright_mips::machine::machine;
use chipwright_mips::machine::trace::Tracer;
use chipwright_mips::{Executor, Input, Program};
use chipwright_mips_isa::{A0, Assembler, S0, S1, S2, T0, T1, T2, T3, V0, ZERO};

/// Sums an array through memory, and compares, shifts and masks on the way.
fn program() -> Program {
    let mut asm = Assembler::new();
    asm.routine("main");
    asm.li(S0, 0x2000);
    asm.li(T0, 0x8000_0001);
    asm.li(S2, 8);
    let store = asm.here();
    asm.sw(T0, 0, S0);
    asm.addiu(S0, S0, 4);
    asm.addiu(S2, S2, -1);
    asm.sll(T1, T0, 3);
    asm.xor(T0, T0, T1);
    asm.bne(S2, ZERO, store);
    asm.nop();
    asm.li(S1, 0x2000);
    asm.addu(T2, ZERO, ZERO);
    let load = asm.here();
    asm.lw(T1, 0, S1);
    asm.addu(T2, T2, T1);
    asm.srl(T3, T2, 7);
    asm.nor(T3, T3, T1);
    asm.or(T2, T2, T3);
    asm.sltu(T3, S1, S0);
    asm.slt(T3, T1, T2);
    asm.subu(T2, T2, T3);
    asm.andi(T2, T2, 0xff0f);
    asm.addiu(S1, S1, 4);
    asm.bne(S1, S0, load);
    asm.nop();
    asm.mthi(T2);
    asm.mfhi(A0);
    asm.addiu(V0, ZERO, 0);
    asm.syscall(0);
    let code = asm.finish(0x1000).expect("labels have places");
    Program::assembled(&code, (0x2000, &[0; 8])).expect("the program is sound")
}

#[test]
fn a_run_in_one_shard_satisfies_the_machine() {
    let (program, input) = (program(), Input::default());
    let mut executor = Executor::new(&program, &input);
    let mut tracer = Tracer::new(&program, executor.state());
    executor.run(10_000, &mut tracer).expect("the program ends");
    let input = tracer.finish(executor.state()).expect("there are chips for all instructions");
    let machine = machine().expect("the chips fit together");
    let trace = fill::<Goldilocks2>(&machine, &input).expect("the tables can be filled");
    let report = check::<Goldilocks2>(&machine, &trace);
    assert!(report.is_ok(), "{report}");
}
