//! How honest runs of a chip are made.

use std::fmt;

use chipwright_ir::audit::{AuditOptions, Rng};
use chipwright_ir::machine::{ChipRows, MachineInput};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::Specimen;
use crate::Field;
use crate::machine::{Input, Machine};
use crate::recording::record;
use crate::schema::{Cells, Chip, ColumnType};

/// Runs of each chip, unless it says how many.
const RUNS: usize = 3;

type Inputs<C> = <<C as crate::Schema>::Inputs as ColumnType>::Native;
type Outputs<C> = <<C as crate::Schema>::Outputs as ColumnType>::Native;
type Draw<T> = Box<dyn Fn(&mut TestRunner) -> T>;
type Spec<A, C> = Box<dyn Fn(A) -> Outputs<C>>;
type Expected<C> = Box<dyn Fn(&<C as crate::Schema>::Record) -> Outputs<C>>;
type Runs = Box<dyn Fn(&mut Rng) -> Input>;

/// Describes honest runs of a chip: the values of its rows, and what it should make of them.
pub struct Sample<C: Chip> {
    field: Field,
    machine: Box<dyn FnOnce(Machine) -> Machine>,
    fixed: Option<Vec<C::Fixed>>,
    rows: usize,
    inputs: Option<Draw<Inputs<C>>>,
    records: Option<Draw<C::Record>>,
    spec: Option<Spec<Inputs<C>, C>>,
    expected: Option<Expected<C>>,
    runs: Option<Runs>,
    options: AuditOptions,
}

impl<C: Chip> fmt::Debug for Sample<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample").field("chip", &C::name()).finish_non_exhaustive()
    }
}

impl<C: Chip> Default for Sample<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Chip> Sample<C> {
    /// A chip over the default field, with nothing around it but range tables.
    pub fn new() -> Self {
        Self {
            field: Field::default(),
            machine: Box::new(|machine| machine),
            fixed: None,
            // Not a power of two, so that there is padding where there can be.
            rows: if C::OPTIONS.dense { 8 } else { 5 },
            inputs: None,
            records: None,
            spec: None,
            expected: None,
            runs: None,
            options: AuditOptions::default(),
        }
    }

    /// Records over another field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.field = field;
        self
    }

    /// Adds a chip that this one asks.
    #[must_use]
    pub fn provider<P: Chip>(self) -> Self {
        self.around(Machine::add::<P>)
    }

    /// Adds anything else to the machine: memories, chips with contents of their own.
    #[must_use]
    pub fn around(mut self, add: impl FnOnce(Machine) -> Machine + 'static) -> Self {
        let before = self.machine;
        self.machine = Box::new(|machine| add(before(machine)));
        self
    }

    /// The contents of the chip's fixed columns, one entry a row, if the chip leaves them to the machine.
    #[must_use]
    pub fn fixed(mut self, rows: Vec<C::Fixed>) -> Self {
        self.rows = rows.len();
        self.fixed = Some(rows);
        self
    }

    /// The number of real rows of a run: 5, or 8 if the chip is dense.
    #[must_use]
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// Draws the inputs of each row.
    #[must_use]
    pub fn inputs(mut self, strategy: impl Strategy<Value = Inputs<C>> + 'static) -> Self {
        self.inputs = Some(Box::new(move |runner| draw(&strategy, runner)));
        self
    }

    /// Draws the record of each row: inputs and advice.
    #[must_use]
    pub fn records(mut self, strategy: impl Strategy<Value = C::Record> + 'static) -> Self {
        self.records = Some(Box::new(move |runner| draw(&strategy, runner)));
        self
    }

    /// Makes whole runs, of this chip and of others.
    #[must_use]
    pub fn runs(mut self, run: impl Fn(&mut Rng) -> Input + 'static) -> Self {
        self.runs = Some(Box::new(run));
        self
    }

    /// What the outputs of a row should be, from its inputs.
    #[must_use]
    pub fn spec(mut self, spec: impl Fn(Inputs<C>) -> Outputs<C> + 'static) -> Self {
        self.spec = Some(Box::new(spec));
        self
    }

    /// What the outputs of a row should be, from its record.
    #[must_use]
    pub fn expected(mut self, expected: impl Fn(&C::Record) -> Outputs<C> + 'static) -> Self {
        self.expected = Some(Box::new(expected));
        self
    }

    /// Declares that a rule may be deleted without harm: a part of its name, and the reason.
    #[must_use]
    pub fn redundant(mut self, (rule, reason): (&str, &str)) -> Self {
        self.options.redundant.push((rule.to_owned(), reason.to_owned()));
        self
    }

    /// How much the audit tries for each deleted rule.
    #[must_use]
    pub fn tries_per_deletion(mut self, tries: usize) -> Self {
        self.options.tries_per_deletion = tries;
        self
    }

    /// The chip with its runs.
    ///
    /// # Panics
    ///
    /// Panics if the chip or the machine around it cannot be recorded: this is part of a test.
    pub fn build(mut self) -> Specimen {
        let chip = record::<C>(self.field).unwrap_or_else(|errors| panic!("{errors}"));
        let machine = Machine::new(C::name(), self.field);
        let machine = match &self.fixed {
            Some(rows) => machine.add_with::<C>(rows),
            None => machine.add::<C>(),
        };
        let around = std::mem::replace(&mut self.machine, Box::new(|machine| machine));
        let machine = around(machine).build().unwrap_or_else(|errors| panic!("{errors}"));
        let mut runner = TestRunner::deterministic();
        let mut rng = Rng::new(self.options.seed);
        let (mut inputs, mut expected) = (Vec::new(), Vec::new());
        for run in 0..RUNS {
            if let Some(make) = &self.runs {
                inputs.push(make(&mut rng).into_ir());
                expected.push(None);
                continue;
            }
            let mut rows = Vec::new();
            let mut results = Vec::new();
            // One run without padding: the last row is real then.
            let full = run == 1 && self.fixed.is_none();
            let count = if full { self.rows.next_power_of_two() } else { self.rows };
            for _ in 0..count {
                let mut cells = Vec::new();
                if let Some(draw) = &self.inputs {
                    let native = draw(&mut runner);
                    Cells::new(self.field, &mut cells).put::<C::Inputs>(&native);
                    results.extend(self.spec.as_ref().map(|spec| self.output(&spec(native))));
                } else if let Some(draw) = &self.records {
                    let native = draw(&mut runner);
                    C::store(&native, &mut Cells::new(self.field, &mut cells));
                    results.extend(self.expected.as_ref().map(|spec| self.output(&spec(&native))));
                }
                rows.push(cells);
            }
            inputs.push(MachineInput {
                rows: vec![(C::name(), ChipRows::from(rows))],
                ..MachineInput::default()
            });
            expected.push((!results.is_empty()).then_some(results));
        }
        Specimen::new(chip, machine, inputs).expecting(expected).with_options(self.options)
    }

    fn output(&self, native: &Outputs<C>) -> Vec<u64> {
        let mut cells = Vec::new();
        Cells::new(self.field, &mut cells).put::<C::Outputs>(native);
        cells
    }
}

fn draw<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    let tree = strategy.new_tree(runner);
    tree.unwrap_or_else(|reason| panic!("no value can be drawn: {reason}")).current()
}
