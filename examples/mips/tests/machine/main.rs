//! Runs satisfy the rules of the machine, and forged ones do not.

mod audit;
mod forged;
mod opcodes;
mod roles;
mod routing;
mod runs;
mod single;
mod whole;

use chipwright_ir::field::Goldilocks2;
use std::sync::OnceLock;

use chipwright_ir::machine::{Machine, MachineTrace, check, fill};
use chipwright_mips::machine::bus::{number, register};
use chipwright_mips::machine::machine;
use chipwright_mips::machine::trace::Tracer;
use chipwright_mips::{Executor, Input, Observer, Program, State};
use chipwright_mips_isa::{
    A0, Assembler, Instruction, Register, S0, S1, S2, T0, T1, T2, T3, V0, ZERO,
};
use p3_goldilocks::Goldilocks;

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

/// Sees a run, and compares what the rows leave with the state before each instruction.
struct Compared {
    tracer: Tracer,
}

/// Compares what the rows of a shard leave with a state.
fn compare(tracer: &Tracer, state: &State, instruction: &dyn std::fmt::Display) {
    let numbered = Register::all().map(|r| (u64::from(r.number()), state.get(r)));
    let others = [(number::HI, state.hi), (number::LO, state.lo), (number::LINK, state.link)];
    for (number, value) in numbered.chain(others) {
        let left = tracer.accesses().value(register(number));
        assert_eq!(left, u64::from(value), "register {number} before {instruction}, {state:?}");
    }
}

impl Observer for Compared {
    fn instruction(&mut self, state: &State, instruction: &Instruction) {
        compare(&self.tracer, state, &instruction.at(state.pc));
        self.tracer.instruction(state, instruction);
    }
}

/// Traces a run up to a clock, and compares its registers and its memory with the state after it.
fn traced(executor: &mut Executor, program: &Program, limit: u64) -> Tracer {
    let tracer = Tracer::new(program, executor.state());
    let mut compared = Compared { tracer };
    executor.run_until(limit, &mut compared).expect("nothing goes wrong");
    let (tracer, state) = (compared.tracer, executor.state());
    compare(&tracer, state, &"the end");
    for (address, (_, value)) in tracer.accesses().accessed() {
        if address < 1 << 32 {
            let held = state.memory.load(address as u32).expect("what was accessed is memory");
            assert_eq!(value, u64::from(held), "the word at {address:#x}");
        }
    }
    tracer
}

/// Fills the tables of a shard.
fn filled(tracer: Tracer, state: &State) -> MachineTrace<Goldilocks> {
    let input = tracer.finish(state).expect("there are chips for all instructions");
    fill::<Goldilocks2>(machine_ir(), &input).expect("the tables can be filled")
}

fn machine_ir() -> &'static Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(|| machine().expect("the chips fit together"))
}

#[track_caller]
fn assert_holds(trace: &MachineTrace<Goldilocks>) {
    let report = check::<Goldilocks2>(machine_ir(), trace);
    assert!(report.is_ok(), "{report}");
}

/// A program of instructions, which begins at `0x1000`, with data at `0x2000`.
fn assembled(emit: impl FnOnce(&mut Assembler), data: &[u32]) -> Program {
    let mut asm = Assembler::new();
    asm.routine("main");
    emit(&mut asm);
    Program::assembled(&asm.finish(0x1000).expect("labels have places"), (DATA, data))
        .expect("the program is sound")
}

/// Where the data of [`assembled`] are.
const DATA: u32 = 0x10_0000;

#[test]
fn a_run_in_one_shard_satisfies_the_machine() {
    let (program, input) = (program(), Input::default());
    let mut executor = Executor::new(&program, &input);
    let tracer = traced(&mut executor, &program, 10_000);
    assert!(executor.state().exit.is_some(), "the program ends");
    assert_holds(&filled(tracer, executor.state()));
}
