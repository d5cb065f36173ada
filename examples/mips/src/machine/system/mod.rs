//! System calls: one chip for each kind, told apart by the number in `$v0`.
//!
//! A call is recorded after it was executed, since what it returns and stores may be the prover's choice.

mod answer;
mod assign;
mod commit;
mod grow;
mod halt;
mod read;
mod vector;

use std::collections::BTreeMap;

use chipwright_dsl::prelude::*;
use chipwright_dsl::schema::{Cells, Schema};
use chipwright_ir::machine::ChipRows;
use chipwright_mips_isa::{A0, A1, A2, A3, Register, V0};

pub use answer::{Answer, AnswerRecord, Answers};
pub use assign::{Assign, AssignRecord};
pub use commit::{Commit, CommitRecord};
pub use grow::{Grow, GrowRecord};
pub use halt::{Halt, HaltRecord};
pub use read::{Fill, InputWord, InputWordRecord, Read, ReadRecord};
pub use vector::{Vector, VectorRecord};

use super::FIELD;
use super::access::Accesses;
use super::bus::{
    Access, Cycle, CycleNative, CycleRow, Fetch, Instruction, NO_TARGET, Slot, number, register,
};
use super::operation;
use crate::execute::State;

/// A chip whose rows are system calls.
pub trait CallChip: Chip {
    /// The row of a call, and what it adds to chips that the call needs besides. `None` if the call is none of the chip's.
    fn record(
        call: &Call,
        accesses: &mut Accesses,
        words: &mut Vec<InputWordRecord>,
    ) -> Option<Self::Record>;
}

/// A system call that was executed.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where the run is.
    pub cycle: CycleNative,
    /// The registers before.
    before: [u32; Register::COUNT],
    /// The registers afterwards.
    after: [u32; Register::COUNT],
    /// The words that it stored to, by address, afterwards.
    pub stored: BTreeMap<u32, u32>,
}

impl Call {
    /// A call that will be executed.
    pub fn new(state: &State) -> Self {
        let cycle =
            CycleNative { clk: state.clock, pc: state.pc.into(), next_pc: state.next_pc.into() };
        let registers = state.registers;
        Self { cycle, before: registers, after: registers, stored: BTreeMap::new() }
    }

    /// The call was executed.
    pub fn returned(&mut self, state: &State) {
        self.after = state.registers;
    }

    /// The number of the call.
    pub fn number(&self) -> u64 {
        self.argument(V0)
    }

    /// What a register held before.
    pub fn argument(&self, register: Register) -> u64 {
        self.before[register.index()].into()
    }

    /// What a register holds afterwards.
    pub fn result(&self, register: Register) -> u64 {
        self.after[register.index()].into()
    }
}

/// A register whose number is fixed.
#[derive(Debug, Columns)]
pub struct Fixed {
    /// What it held.
    pub value: Felt,
    /// The time since the access before, less one.
    pub elapsed: U16,
}

/// A call that returns: the registers that calls have to do with.
#[derive(Debug, Columns)]
pub struct Returning {
    /// Where the run is.
    pub cycle: Cycle,
    /// `$v0`: the number of the call, then the result.
    pub number: Fixed,
    /// `$a0` to `$a2`.
    pub arguments: [Fixed; 3],
    /// `$a3`; for Linux, then whether the call failed.
    pub failed: Fixed,
    /// What is linked: no longer, after a call.
    pub linked: Fixed,
}

impl Returning {
    /// The columns of a call. `result` and `failed` are what `$v0` and `$a3` hold afterwards.
    fn record(call: &Call, accesses: &mut Accesses) -> ReturningNative {
        let clk = call.cycle.clk;
        let mut access = |slot, number, after: Option<u64>| {
            let register = register(number);
            let after = after.unwrap_or_else(|| accesses.value(register));
            let (value, elapsed) = accesses.replace(register, clk, slot, after);
            FixedNative { value, elapsed }
        };
        let number_of = |register: Register| u64::from(register.number());
        ReturningNative {
            cycle: call.cycle.clone(),
            number: access(Slot::First, number_of(V0), Some(call.result(V0))),
            arguments: [(Slot::Second, A0), (Slot::Target, A1), (Slot::High, A2)]
                .map(|(slot, register)| access(slot, number_of(register), None)),
            failed: access(Slot::Low, number_of(A3), Some(call.result(A3))),
            linked: access(Slot::Link, number::LINK, Some(0)),
        }
    }
}

impl ReturningRow {
    /// The call is made, and returns `result` in `$v0` and `failed` in `$a3`: both have to be known to be below `2^32`.
    #[track_caller]
    fn returns(
        self,
        c: &Builder,
        ports: Instruction,
        result: impl Into<Expr>,
        failed: impl Into<Expr>,
    ) {
        fetch(c, ports, self.cycle);
        ports.goes_on(c, self.cycle);
        let clk = self.cycle.clk;
        let access = |fixed: FixedRow, slot, number, after: Expr| {
            let address = Expr::from(register(number).cast_signed());
            let access = Access { clk, slot, address, elapsed: fixed.elapsed.into() };
            ports.access(c, access, fixed.value, after);
        };
        let number_of = |register: Register| u64::from(register.number());
        access(self.number, Slot::First, number_of(V0), result.into());
        let slots = [(Slot::Second, A0), (Slot::Target, A1), (Slot::High, A2)];
        for (argument, (slot, register)) in self.arguments.into_iter().zip(slots) {
            access(argument, slot, number_of(register), argument.value.into());
        }
        access(self.failed, Slot::Low, number_of(A3), failed.into());
        access(self.linked, Slot::Link, number::LINK, Expr::ZERO);
    }
}

/// Accesses a register that no program names, in the slot of memory.
#[track_caller]
fn pseudo_register(
    c: &Builder,
    ports: Instruction,
    (clk, slot): (Cell, Slot),
    number: impl Into<Expr>,
    before: FixedRow,
    after: impl Into<Expr>,
) {
    let address = number.into() * 4 + register(0).cast_signed();
    let access = Access { clk, slot, address, elapsed: before.elapsed.into() };
    ports.access(c, access, before.value, after);
}

/// The program says that there is a system call.
#[track_caller]
fn fetch(c: &Builder, ports: Instruction, cycle: CycleRow) {
    ports.fetch(
        c,
        Fetch {
            pc: cycle.pc,
            operation: operation::SYSTEM_CALL,
            mode: 0,
            target: NO_TARGET,
            first: register(V0.number().into()).cast_signed(),
            second: register(A0.number().into()).cast_signed(),
            constant: 0,
        },
    );
}

/// A chip in the list of [`CALLS`].
#[derive(Clone, Copy, Debug)]
pub struct RegisteredCall {
    /// Its name.
    pub name: fn() -> String,
    /// Adds it to a machine.
    pub add: fn(chipwright_dsl::Machine) -> chipwright_dsl::Machine,
    record: fn(&Call, &mut Accesses, &mut CallRows, usize) -> Option<()>,
}

impl RegisteredCall {
    /// The entry of a chip.
    pub const fn of<C: CallChip>() -> Self {
        Self {
            name: C::name,
            add: chipwright_dsl::Machine::add::<C>,
            record: |call, accesses, rows, chip| {
                let record = C::record(call, accesses, &mut rows.words)?;
                let mut cells = Vec::new();
                C::store(&record, &mut Cells::new(FIELD, &mut cells));
                rows.rows[chip].push(cells);
                Some(())
            },
        }
    }
}

/// The chips of system calls.
pub const CALLS: &[RegisteredCall] = &[
    RegisteredCall::of::<Halt>(),
    RegisteredCall::of::<Answer>(),
    RegisteredCall::of::<Commit>(),
    RegisteredCall::of::<Read>(),
    RegisteredCall::of::<Grow>(),
    RegisteredCall::of::<Assign>(),
    RegisteredCall::of::<Vector>(),
];

/// The rows of all chips of [`CALLS`], and of the words that calls read.
#[derive(Clone, Debug)]
pub struct CallRows {
    rows: Vec<ChipRows>,
    words: Vec<InputWordRecord>,
}

impl Default for CallRows {
    fn default() -> Self {
        Self { rows: vec![ChipRows::default(); CALLS.len()], words: Vec::new() }
    }
}

impl CallRows {
    /// Adds the rows of a call. `None` if no chip can prove it.
    pub fn record(&mut self, call: &Call, accesses: &mut Accesses) -> Option<()> {
        (0..CALLS.len()).find_map(|chip| (CALLS[chip].record)(call, accesses, self, chip))
    }

    /// How many rows each chip has.
    pub fn lengths(&self) -> impl Iterator<Item = usize> + Clone {
        self.rows.iter().map(ChipRows::len)
    }

    /// How many words of the input were read.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// The rows, with the names of the chips.
    pub fn into_rows(self) -> impl Iterator<Item = (String, ChipRows)> {
        let mut words = ChipRows::default();
        for record in &self.words {
            let mut cells = Vec::new();
            InputWord::store(record, &mut Cells::new(FIELD, &mut cells));
            words.push(cells);
        }
        let named = CALLS.iter().map(|chip| (chip.name)()).zip(self.rows);
        named.chain([(InputWord::name(), words)])
    }
}
