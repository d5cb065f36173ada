//! Rows of single instructions, honest and forged, with the tables that their chips ask.

use std::collections::BTreeSet;

use chipwright_ir::Field;
use chipwright_ir::field::Goldilocks2;
use chipwright_ir::machine::{
    ChipRows, FillOptions, Forge, Machine, MachineInput, Report, check, fill_with,
};
use chipwright_mips::machine::instruction::INSTRUCTIONS;
use chipwright_mips::machine::system::CALLS;
use chipwright_mips::machine::trace::Tracer;
use chipwright_mips::{Executor, Input, Program, State};
use chipwright_mips_isa::{A0, A1, Assembler, Instruction, V0};

use crate::{assembled, machine_ir};

/// A chip, and the tables that it asks. What it takes from the buses of registers, memory and the state of the run has no other
/// end.
pub(crate) fn alone(chip: &str) -> Machine {
    let mut machine = machine_ir().clone();
    let subject = &machine.chips[machine.position(chip).expect("the chip is there")];
    let buses: BTreeSet<String> = subject.ports.iter().map(|port| port.bus.clone()).collect();
    let tables = ["range8", "range16", "powers", "opcodes", "and_table"];
    machine.chips.retain(|other| {
        let asked = other.ports.iter().any(|port| buses.contains(&port.bus));
        other.name == chip || asked && tables.contains(&other.name.as_str())
    });
    machine
}

/// The one row of an instruction, and its chip.
#[derive(Clone, Debug)]
pub(crate) struct Single {
    pub(crate) chip: String,
    pub(crate) row: Vec<u64>,
}

/// A program with one instruction, and another one behind it.
pub(crate) fn one(emit: impl FnOnce(&mut Assembler)) -> Program {
    let data = [0x4332_2110, 0x8081_7f00, 0xffff_0000, 0x1234_5678];
    assembled(|asm| (emit(asm), asm.nop()).1, &data)
}

/// The instruction that the assembler is given.
pub(crate) fn instruction(emit: impl FnOnce(&mut Assembler)) -> Instruction {
    let program = one(emit);
    program.instruction(program.entry()).flatten().expect("an instruction")
}

/// The chips that have rows after one instruction, with `$a0`, `$a1` and what a closure sets. Whether it is executed, is
/// said, too: the row of a fault is one that somebody might try.
pub(crate) fn chips_of(
    instruction: Instruction,
    [a, b]: [u32; 2],
    change: impl FnOnce(&mut State),
) -> (Vec<Single>, bool) {
    let program = one(|asm| asm.push(instruction));
    let input = Input::default();
    let mut executor = Executor::new(&program, &input);
    let state = executor.state_mut();
    state.set(A0, a);
    state.set(A1, b);
    state.set(V0, 0);
    change(state);
    let mut tracer = Tracer::new(&program, executor.state());
    let executed = executor.run_until(1, &mut tracer).is_ok();
    let instructions = INSTRUCTIONS.iter().map(|chip| (chip.name)());
    let names: BTreeSet<String> =
        instructions.chain(CALLS.iter().map(|chip| (chip.name)())).collect();
    let input = tracer.finish(executor.state()).expect("there is a chip");
    let singles =
        input.rows.iter().filter(|(chip, _)| names.contains(chip)).flat_map(|(chip, rows)| {
            rows.iter().map(|row| Single { chip: chip.clone(), row: row.to_vec() })
        });
    (singles.collect(), executed)
}

impl Single {
    /// The row of an instruction.
    pub(crate) fn of(emit: impl FnOnce(&mut Assembler), operands: [u32; 2]) -> Self {
        Self::after(emit, operands, |_| {})
    }

    /// The row of an instruction, after a state was changed.
    pub(crate) fn after(
        emit: impl FnOnce(&mut Assembler),
        operands: [u32; 2],
        change: impl FnOnce(&mut State),
    ) -> Self {
        let (mut chips, _) = chips_of(instruction(emit), operands, change);
        assert_eq!(chips.len(), 1, "{chips:?}");
        chips.remove(0)
    }

    /// The row with forged cells, and all that follows from them: the rules and the buses of tables that object.
    pub(crate) fn objections(&self, forged: &[(&str, i128)]) -> BTreeSet<String> {
        let report = self.report(forged);
        let tables = ["u8", "u16", "powers", "and_table", "table", "opcodes"];
        let rules = report.rules.iter().map(|rule| rule.name.clone());
        let buses = report.tuples.iter().map(|tuple| tuple.bus.clone());
        rules.chain(buses.filter(|bus| tables.contains(&bus.as_str()))).collect()
    }

    /// What a check says of the row with forged cells.
    pub(crate) fn report(&self, forged: &[(&str, i128)]) -> Report {
        let machine = alone(&self.chip);
        let chip = &machine.chips[machine.position(&self.chip).expect("the chip is there")];
        let forge = forged.iter().map(|&(name, value)| {
            let column = chip.columns.iter().position(|column| column.name == name);
            let column = column.unwrap_or_else(|| panic!("`{}` has no column `{name}`", self.chip));
            let value = Field::Goldilocks2.reduce(value);
            let column = chipwright_ir::chip::ColumnId::new(column);
            Forge { chip: self.chip.clone(), row: 0, column, value }
        });
        let rows: ChipRows = [self.row.iter().copied()].into_iter().collect();
        let input =
            MachineInput { rows: vec![(self.chip.clone(), rows)], ..MachineInput::default() };
        let options = FillOptions {
            forge: forge.collect(),
            allow_missing_entries: true,
            ..FillOptions::default()
        };
        let trace = fill_with::<Goldilocks2>(&machine, &input, &options).expect("it can be filled");
        check::<Goldilocks2>(&machine, &trace)
    }

    /// Demands that nothing objects to the row, and that one rule or table objects to the forged one.
    #[track_caller]
    pub(crate) fn refuses(&self, forged: &[(&str, i128)], culprit: &str) {
        assert!(self.objections(&[]).is_empty(), "{}", self.report(&[]));
        let objections = self.objections(forged);
        let expected = BTreeSet::from([culprit.to_owned()]);
        assert_eq!(objections, expected, "{}: {forged:?}\n{}", self.chip, self.report(forged));
    }

    /// Demands that something objects to the row as it is.
    #[track_caller]
    pub(crate) fn is_refused(&self, culprit: &str) {
        let objections = self.objections(&[]);
        assert_eq!(objections, BTreeSet::from([culprit.to_owned()]), "{}", self.report(&[]));
    }

    /// What the row with forged cells takes from a bus (−) or puts there (+).
    pub(crate) fn messages(&self, bus: &str, forged: &[(&str, i128)]) -> Vec<(Vec<u64>, i128)> {
        let report = self.report(forged);
        let of_bus = report.tuples.into_iter().filter(|tuple| tuple.bus == bus);
        of_bus.map(|tuple| (tuple.tuple, tuple.balance)).collect()
    }
}
