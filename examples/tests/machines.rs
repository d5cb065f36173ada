//! The example machines: honest proofs, and claims that are rejected.

use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::{ProvingKey, VerifyingKey, compile};
use chipwright_backend_stark::proof::VerifyError;
use chipwright_dsl::Schema;
use chipwright_examples::fibonacci::{self, Fibonacci};
use chipwright_examples::toy_cpu::{self, Cpu, Instruction, Op, RunError};
use chipwright_ir::chip::ColumnId;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{
    FillOptions, Forge, Machine, MachineInput, MachineTrace, check, fill_with,
};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

/// A forged cell: row, column, value.
type Cell<'a> = (usize, &'a str, u64);

/// A machine with its keys.
struct Example {
    machine: Machine,
    proving: ProvingKey<Goldilocks2>,
    verifying: VerifyingKey<Goldilocks2>,
}

impl Example {
    fn new(machine: Machine) -> Self {
        let (proving, verifying) =
            compile::<Goldilocks2>(&machine, &Config::testing()).expect("the machine compiles");
        Self { machine, proving, verifying }
    }

    /// The trace of an input, with forged cells.
    fn trace(&self, input: &MachineInput, forge: Vec<Forge>) -> MachineTrace<Goldilocks> {
        let min_height = self.verifying.config().min_height();
        let options = FillOptions { min_height, forge, ..FillOptions::default() };
        fill_with::<Goldilocks2>(&self.machine, input, &options).expect("the input fits")
    }

    /// Proves a trace as it is, and verifies the proof.
    fn verify(&self, trace: MachineTrace<Goldilocks>) -> Result<(), VerifyError> {
        let publics = trace.publics.clone();
        let proof = self.proving.prove(trace).expect("the trace has the right shape");
        self.verifying.verify(&publics, &proof)
    }

    #[track_caller]
    fn accepts(&self, input: &MachineInput) {
        let trace = self.trace(input, Vec::new());
        let report = check::<Goldilocks2>(&self.machine, &trace);
        assert!(report.is_ok(), "{report}");
        assert_eq!(self.verify(trace), Ok(()));
    }

    /// The trace with a forged cell, and everything that is filled later computed from it.
    fn forged(&self, input: &MachineInput, chip: &str, cell: Cell) -> MachineTrace<Goldilocks> {
        let (row, column, value) = cell;
        let index = self.machine.position(chip).expect("the machine has the chip");
        let columns = &self.machine.chips[index].columns;
        let position = columns.iter().position(|c| c.name == column);
        let column = ColumnId::new(position.expect("the chip has the column"));
        self.trace(input, vec![Forge { chip: chip.to_owned(), row, column, value }])
    }

    #[track_caller]
    fn rejects(&self, trace: MachineTrace<Goldilocks>, what: &str) {
        assert!(!check::<Goldilocks2>(&self.machine, &trace).is_ok(), "{what} is not reported");
        let result = self.verify(trace);
        assert!(matches!(result, Err(VerifyError::Rejected { .. })), "{what}: {result:?}");
    }
}

fn fibonacci() -> Example {
    Example::new(fibonacci::machine().expect("the chip is right"))
}

#[test]
fn fibonacci_terms_are_proven_for_every_start_and_height() {
    let example = fibonacci();
    let field = fibonacci::FIELD;
    for (start, rows) in [([1, 1], 1), ([0, 1], 2), ([1, 1], 64), ([field.modulus() - 1, 5], 128)] {
        example.accepts(&fibonacci::input(start, rows));
    }
    let trace = example.trace(&fibonacci::input([0, 1], 32), Vec::new());
    assert_eq!(trace.publics[0][2].as_canonical_u64(), 2_178_309);
}

#[test]
fn a_wrong_fibonacci_term_is_rejected() {
    let example = fibonacci();
    for index in 0..3 {
        let mut trace = example.trace(&fibonacci::input([1, 1], 32), Vec::new());
        trace.publics[0][index] += Goldilocks::ONE;
        example.rejects(trace, "a wrong public value");
    }
}

#[test]
fn a_forged_fibonacci_row_is_rejected() {
    let example = fibonacci();
    let input = fibonacci::input([1, 1], 32);
    for (row, column) in [(0, "a"), (5, "a"), (5, "b"), (31, "b")] {
        let trace = example.forged(&input, &Fibonacci::name(), (row, column, 77));
        example.rejects(trace, column);
    }
}

fn cpu(program: &[Instruction]) -> Example {
    Example::new(toy_cpu::machine(program).expect("the chips are right"))
}

#[test]
fn a_program_is_proven() {
    let program = toy_cpu::sum_to(10);
    let run = toy_cpu::run(&program, 1000).expect("the program halts");
    assert_eq!((run.result, run.records.len()), (55, 66));
    let example = cpu(&program);
    example.accepts(&toy_cpu::input(&run));
}

#[test]
fn one_key_proves_every_run_of_a_program_and_none_of_another() {
    let (ten, eleven) = (toy_cpu::sum_to(10), toy_cpu::sum_to(11));
    assert_ne!(cpu(&ten).verifying, cpu(&eleven).verifying);
    // The run of another program asks for instructions that the program does not have.
    let run = toy_cpu::run(&eleven, 1000).expect("the program halts");
    let example = cpu(&ten);
    let options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
    let trace = fill_with::<Goldilocks2>(&example.machine, &toy_cpu::input(&run), &options);
    example.rejects(trace.expect("missing entries are allowed"), "another program");
}

#[test]
fn a_wrong_result_of_a_program_is_rejected() {
    let program = toy_cpu::sum_to(3);
    let mut run = toy_cpu::run(&program, 1000).expect("the program halts");
    run.result = 7;
    let example = cpu(&program);
    let trace = example.trace(&toy_cpu::input(&run), Vec::new());
    example.rejects(trace, "a wrong result");
}

#[test]
fn what_the_executor_claims_is_not_believed() {
    let program = toy_cpu::sum_to(3);
    let input = toy_cpu::input(&toy_cpu::run(&program, 1000).expect("the program halts"));
    let example = cpu(&program);
    let forged = |cell| example.forged(&input, &Cpu::name(), cell);
    for cell in [
        (0, "pc", 1),
        (3, "pc", 9),
        (2, "clk", 8),
        (4, "op.add", 0),
        (4, "rd", 7),
        (4, "imm", 3),
        (6, "x[0]", 5),
        (6, "z[0]", 9),
        (6, "z[0]", 65536),
        (5, "z[1]", 1),
        (3, "same", 1),
    ] {
        let report = check::<Goldilocks2>(&example.machine, &forged(cell));
        assert!(!report.is_ok(), "{cell:?} is not reported");
    }
    example.rejects(forged((3, "pc", 9)), "a forged jump");
    example.rejects(forged((6, "z[0]", 9)), "a forged sum");
}

#[test]
fn a_run_that_stops_early_is_rejected() {
    let program = toy_cpu::sum_to(3);
    let mut run = toy_cpu::run(&program, 1000).expect("the program halts");
    let example = cpu(&program);
    // The last instruction left is `add r2, r2, r3` of the first round, with r2 = 0.
    run.records.truncate(5);
    run.result = 0;
    let trace = example.trace(&toy_cpu::input(&run), Vec::new());
    example.rejects(trace, "a run without its end");
}

#[test]
fn a_program_without_an_end_is_not_executed() {
    let endless = [Instruction::new(Op::Branch, 0, 0, 0, 0)];
    assert_eq!(toy_cpu::run(&endless, 9).unwrap_err(), RunError::Endless { limit: 9 });
    let leaves = [Instruction::new(Op::Branch, 0, 0, 0, -1)];
    assert_eq!(toy_cpu::run(&leaves, 9).unwrap_err(), RunError::NoInstruction { pc: -1 });
    let loads = [Instruction::new(Op::Load, 1, 0, 0, -1)];
    assert_eq!(toy_cpu::run(&loads, 9).unwrap_err(), RunError::Constant { pc: 0, imm: -1 });
}
