//! The chips behind a circuit: those that the lowering itself needs, those that the circuit calls, and
//! those that these in turn ask (range tables, and chips called by chips).
//!
//! A [`Library`] is a value: recorded chips by name. It answers both questions that a circuit asks of a
//! chip: what a call computes (by replaying the chip's fills), and which table proves it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::call::{CallInput, CallPort, CallRun, ChipCall, ChipLibrary, Signature};
use super::interface::Interface;
use super::tables::TableKind;
use super::value::ValueType;
use crate::chip::passes::{Wire, WitnessValue};
use crate::chip::{Chip, ColumnId, ColumnKind, FixedData};
use crate::machine::{ChipRows, Machine, MachineInput, fill};
use crate::{Field, with_field};

/// Chips for the circuits of one field. Copies share the chips.
#[derive(Clone, Debug)]
pub struct Library {
    field: Field,
    primitives: BTreeMap<TableKind, Arc<Chip>>,
    called: BTreeMap<String, CalledChip>,
    helpers: Vec<Arc<Chip>>,
}

/// A chip that circuits call.
#[derive(Clone)]
pub struct CalledChip {
    chip: Arc<Chip>,
    interface: Arc<Interface>,
    plan: Option<Arc<CallPlan>>,
    key: Vec<usize>,
    native: Option<NativeEvaluation>,
    runs: Option<NativeRuns>,
}

/// Computes the outputs of a call: `(call, inputs, data) → outputs`, as [`ChipLibrary::run`] does.
pub type NativeEvaluation =
    Arc<dyn Fn(&ChipCall, &[u64], &[u64]) -> Result<Vec<u64>, String> + Send + Sync>;

/// Computes the outputs of a call and what its rows hold: `(call, inputs, data) → run`, as [`ChipLibrary::run`] does.
pub type NativeRun =
    Arc<dyn Fn(&ChipCall, &[u64], &[u64]) -> Result<CallRun, String> + Send + Sync>;

/// [`NativeRun`] for several calls with the same parameters: a result for each, as [`ChipLibrary::run_all`] does.
pub type NativeRuns =
    Arc<dyn Fn(&ChipCall, &[CallInput<'_>]) -> Vec<Result<CallRun, String>> + Send + Sync>;

/// What a call takes and gives, from its parameters and its number of rows.
pub type CallSignature = Box<dyn Fn(&ChipCall) -> Option<Signature> + Send + Sync>;

/// The contents of a chip's own fixed columns in one row of a call.
pub type CallRow = Box<dyn Fn(&ChipCall, u32) -> Vec<u64> + Send + Sync>;

/// What a call site decides about the rows of a chip whose calls span several rows or have parameters.
pub struct CallPlan {
    /// What the call takes and gives, or `None` if the parameters or the number of rows make no sense.
    pub signature: CallSignature,
    /// The contents of the chip's own fixed columns in one row of the call.
    pub fixed: CallRow,
}

impl fmt::Debug for CallPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallPlan")
    }
}

impl fmt::Debug for CalledChip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalledChip").field("chip", &self.chip.name).finish_non_exhaustive()
    }
}

impl CalledChip {
    /// A chip whose calls take one row: its inputs are the inputs of the call, its record columns the
    /// private data, its outputs the results.
    pub fn new(chip: Chip) -> Self {
        let interface = Arc::new(Interface::new(&chip));
        let (plan, key, native, runs) = (None, Vec::new(), None, None);
        Self { chip: Arc::new(chip), interface, plan, key, native, runs }
    }

    /// A chip whose fixed columns and wiring depend on the call.
    pub fn planned(chip: Chip, plan: CallPlan) -> Self {
        Self { plan: Some(Arc::new(plan)), ..Self::new(chip) }
    }

    /// With values that rows read exactly where a fixed column, a bit, is one. A name stands for one value, or for all
    /// values of a column of several.
    ///
    /// # Panics
    ///
    /// Panics if the chip has no such column or value.
    #[must_use]
    pub fn reading_if(self, flag: &str, names: &[&str]) -> Self {
        let position = self.fixed_position(flag);
        self.wired(|_, value| value.wire = Wire::ReadIf(position), names)
    }

    /// With values that rows never read: those that use them create their slots. Names are as in
    /// [`Self::reading_if`].
    ///
    /// # Panics
    ///
    /// Panics if the chip has no such value.
    #[must_use]
    pub fn creating(self, names: &[&str]) -> Self {
        self.wired(|_, value| value.wire = Wire::Create, names)
    }

    /// With base elements that rows join where a fixed column, a bit, is one. Of the values of the column called
    /// `name`, as many as the degree are an extension element there, at the port of the first of them: those
    /// behind each of `firsts`. The others stay what they are.
    ///
    /// # Panics
    ///
    /// Panics if the chip has no such columns, or not as many base elements.
    #[must_use]
    pub fn joining_if(
        self,
        flag: &str,
        name: &str,
        firsts: impl IntoIterator<Item = usize>,
    ) -> Self {
        let (position, degree) = (self.fixed_position(flag), self.chip.field.degree());
        let firsts: Vec<usize> = firsts.into_iter().collect();
        let chip = Arc::clone(&self.chip);
        self.wired(
            |(index, count), value| {
                if firsts.contains(&index) {
                    let fits =
                        index + degree <= count && value_type(&chip, value) == ValueType::Felt;
                    assert!(fits, "`{}` has no {degree} base elements behind it", value.name);
                    value.joined_if = Some(position);
                }
            },
            &[name],
        )
    }

    /// With fixed columns that no two rows of a circuit may have the same contents in, all together: a circuit with two
    /// such rows is refused, however they come into it.
    ///
    /// # Panics
    ///
    /// Panics if the chip has no such columns.
    #[must_use]
    pub fn with_key(mut self, columns: &[&str]) -> Self {
        self.key = columns.iter().map(|column| self.fixed_position(column)).collect();
        self
    }

    /// The key of a row of a call: the contents of the columns of [`Self::with_key`], if there are any.
    pub(super) fn key(&self, call: &ChipCall, row: u32) -> Option<Vec<u64>> {
        if self.key.is_empty() {
            return None;
        }
        let fixed = self.fixed_row(call, row);
        Some(self.key.iter().map(|&column| fixed.get(column).copied().unwrap_or(0)).collect())
    }

    /// The names of the columns of a key.
    pub(super) fn key_columns(&self) -> Vec<String> {
        let fixed: Vec<_> = self.chip.columns_of(ColumnKind::Fixed).collect();
        let name = |&column: &usize| self.chip.columns[fixed[column].index()].name.clone();
        self.key.iter().map(name).collect()
    }

    /// The position of a fixed column among them.
    fn fixed_position(&self, name: &str) -> usize {
        let named = |id: ColumnId| self.chip.columns[id.index()].name == name;
        let position = self.chip.columns_of(ColumnKind::Fixed).position(named);
        position.unwrap_or_else(|| panic!("`{}` has no `{name}`", self.chip.name))
    }

    /// Changes the values with some names; of each, `change` is told which one of how many it is.
    fn wired(mut self, change: impl Fn((usize, usize), &mut WitnessValue), names: &[&str]) -> Self {
        let interface = Arc::make_mut(&mut self.interface);
        for name in names {
            let is_named = |value: &&mut WitnessValue| {
                let index = value.name.strip_prefix(name);
                index.is_some_and(|index| index.is_empty() || index.starts_with('['))
            };
            let mut named: Vec<_> = interface.values.iter_mut().filter(is_named).collect();
            assert!(!named.is_empty(), "`{}` has no value `{name}`", self.chip.name);
            let count = named.len();
            for (index, value) in named.iter_mut().enumerate() {
                change((index, count), value);
            }
        }
        self
    }

    /// With a native function that computes the results faster than the chip's fills do. The trace is
    /// still filled by the chip, so a function that is wrong makes honest proofs fail.
    #[must_use]
    pub fn with_native(mut self, native: NativeEvaluation) -> Self {
        self.native = Some(native);
        self
    }

    /// With a native function that computes the results, as [`Self::with_native`], and says what the executor
    /// puts in the rows of a call, for chips whose rows hold more of the executor's knowledge than the call's
    /// inputs and data: the values of intermediate rows, for example. The private data may then have any length.
    #[must_use]
    pub fn with_run(self, run: NativeRun) -> Self {
        self.with_runs(Arc::new(move |call, given| {
            given.iter().map(|given| run(call, given.inputs, given.data)).collect()
        }))
    }

    /// [`Self::with_run`] with a function that computes several calls at once, perhaps in less time than one after the
    /// other. It gives a result for each, in order.
    #[must_use]
    pub fn with_runs(mut self, runs: NativeRuns) -> Self {
        self.runs = Some(runs);
        self
    }

    /// The results of a call and what its rows hold, if a native function says both.
    pub fn native_run(
        &self,
        call: &ChipCall,
        inputs: &[u64],
        data: &[u64],
    ) -> Option<Result<CallRun, String>> {
        let runs = self.native_runs(call, &[CallInput { inputs, data }])?;
        Some(runs.into_iter().next().unwrap_or_else(|| Err("the call has no result".to_owned())))
    }

    /// [`Self::native_run`] for several calls with the same parameters.
    pub fn native_runs(
        &self,
        call: &ChipCall,
        given: &[CallInput<'_>],
    ) -> Option<Vec<Result<CallRun, String>>> {
        self.runs.as_ref().map(|runs| runs(call, given))
    }

    /// Whether a native function says what the rows of a call hold.
    pub(super) fn has_run(&self) -> bool {
        self.runs.is_some()
    }

    /// The chip.
    pub fn chip(&self) -> &Chip {
        &self.chip
    }

    /// The contents of the chip's own fixed columns in one row of a call.
    pub fn fixed_row(&self, call: &ChipCall, row: u32) -> Vec<u64> {
        self.plan.as_ref().map_or_else(Vec::new, |plan| (plan.fixed)(call, row))
    }

    fn signature(&self, call: &ChipCall) -> Option<Signature> {
        match &self.plan {
            Some(plan) => (plan.signature)(call).filter(|signature| self.fits(call, signature)),
            None if call.rows == 1 && call.parameters.is_empty() && !self.has_fixed() => {
                let of = |output: bool| -> Vec<ValueType> {
                    self.interface
                        .values
                        .iter()
                        .filter(|value| value.output == output)
                        .map(|value| value_type(&self.chip, value))
                        .collect()
                };
                let data = self.interface.data as u32;
                Some(Signature::one_row(&of(false), &of(true), data))
            }
            None => None,
        }
    }

    fn has_fixed(&self) -> bool {
        self.chip.fixed_width() > 0
    }

    /// Whether a planned signature agrees with the chip: rows, ports, types and data exist.
    fn fits(&self, call: &ChipCall, signature: &Signature) -> bool {
        let Interface { values, data, .. } = &*self.interface;
        let row_fits = |ports: &[CallPort]| {
            let fixed = OnceCell::new();
            let is_one = |flag: usize| {
                let fixed = fixed.get_or_init(|| self.fixed_row(call, ports[0].row));
                fixed.get(flag) == Some(&1)
            };
            ports.iter().all(|port| {
                values.get(usize::from(port.port)).is_some_and(|value| {
                    let joined = value.joined_if.is_some_and(is_one);
                    port.row < call.rows
                        && port.ty.is_ext() == (joined || value_type(&self.chip, value).is_ext())
                })
            })
        };
        let fit = |ports: &[CallPort]| ports.chunk_by(|a, b| a.row == b.row).all(row_fits);
        fit(&signature.inputs)
            && fit(&signature.outputs)
            && (self.has_run() || signature.data as usize == data * call.rows as usize)
    }

    /// How circuits see the chip.
    pub(super) fn interface(&self) -> &Arc<Interface> {
        &self.interface
    }
}

/// The type that a circuit sees.
fn value_type(chip: &Chip, value: &WitnessValue) -> ValueType {
    use crate::chip::CellType;
    match chip.columns[value.start.index()].ty {
        CellType::Coordinate(_) => ValueType::Ext,
        CellType::Bits(1) => ValueType::Bit,
        _ => ValueType::Felt,
    }
}

impl Library {
    /// A library with nothing in it.
    pub fn new(field: Field) -> Self {
        Self { field, primitives: BTreeMap::new(), called: BTreeMap::new(), helpers: Vec::new() }
    }

    /// The field of all chips.
    pub fn field(&self) -> Field {
        self.field
    }

    /// Adds the chip that proves the rows of a primitive table.
    #[must_use]
    pub fn with_primitive(mut self, kind: TableKind, chip: Chip) -> Self {
        self.primitives.insert(kind, Arc::new(chip));
        self
    }

    /// Adds a chip that circuits may call, by its name.
    #[must_use]
    pub fn with_chip(mut self, chip: CalledChip) -> Self {
        self.called.insert(chip.chip.name.clone(), chip);
        self
    }

    /// Adds a chip that other chips of the library ask: a range table, or a chip with an interface.
    #[must_use]
    pub fn with_helper(mut self, chip: Chip) -> Self {
        if self.helpers.iter().all(|helper| helper.name != chip.name) {
            self.helpers.push(Arc::new(chip));
        }
        self
    }

    /// The chip of a primitive table.
    pub fn primitive(&self, kind: &TableKind) -> Option<&Chip> {
        self.primitives.get(kind).map(Arc::as_ref)
    }

    /// The chip that circuits call by a name.
    pub fn called(&self, name: &str) -> Option<&CalledChip> {
        self.called.get(name)
    }

    /// The chip behind a table, and what is known of its calls if it is called.
    pub(super) fn chip_of(&self, kind: &TableKind) -> Option<(&Chip, Option<&CalledChip>)> {
        match kind {
            TableKind::Call(name) => self.called(name).map(|called| (called.chip(), Some(called))),
            _ => self.primitive(kind).map(|chip| (chip, None)),
        }
    }

    /// How circuits see the chip behind a table.
    pub(super) fn interface_of(&self, kind: &TableKind) -> Option<Arc<Interface>> {
        let (bare, called) = self.chip_of(kind)?;
        let own = || Arc::new(Interface::new(bare));
        Some(called.map_or_else(own, |called| Arc::clone(called.interface())))
    }

    /// The helpers that the given chips need, directly or through other helpers, in the order in which
    /// they were added.
    pub fn helpers_of<'a>(&'a self, chips: impl IntoIterator<Item = &'a Chip>) -> Vec<&'a Chip> {
        let asks = |chip: &Chip| -> Vec<String> {
            let ports = chip.ports.iter().filter(|port| port.kind == crate::chip::PortKind::Lookup);
            ports.map(|port| port.bus.clone()).collect()
        };
        let gives = |chip: &Chip, bus: &str| {
            chip.ports
                .iter()
                .any(|port| port.kind == crate::chip::PortKind::Table && port.bus == bus)
        };
        let mut wanted: Vec<String> = chips.into_iter().flat_map(asks).collect();
        let mut used = vec![false; self.helpers.len()];
        while let Some(bus) = wanted.pop() {
            for (index, helper) in self.helpers.iter().enumerate() {
                if !used[index] && gives(helper, &bus) {
                    used[index] = true;
                    wanted.extend(asks(helper));
                }
            }
        }
        let helpers = self.helpers.iter().zip(used).filter(|(_, used)| *used);
        helpers.map(|(helper, _)| helper.as_ref()).collect()
    }
}

impl ChipLibrary for Library {
    fn signature(&self, call: &ChipCall) -> Option<Signature> {
        self.called.get(&call.chip)?.signature(call)
    }

    fn run_all(&self, call: &ChipCall, given: &[CallInput<'_>]) -> Vec<Result<CallRun, String>> {
        let called = self.called.get(&call.chip);
        if let Some(runs) = called.and_then(|called| called.native_runs(call, given)) {
            return runs;
        }
        given.iter().map(|given| self.run(call, given.inputs, given.data)).collect()
    }

    fn run(&self, call: &ChipCall, inputs: &[u64], data: &[u64]) -> Result<CallRun, String> {
        let called = self
            .called
            .get(&call.chip)
            .ok_or_else(|| format!("there is no chip `{}`", call.chip))?;
        if let Some(run) = called.native_run(call, inputs, data) {
            return run;
        }
        let mut run = CallRun::default();
        if let Some(native) = &called.native {
            run.outputs = native(call, inputs, data)?;
            return Ok(run);
        }
        let signature = called
            .signature(call)
            .ok_or_else(|| format!("chip `{}` refuses the parameters of the call", call.chip))?;
        let degree = self.field.degree();
        let mut values: Vec<Vec<u64>> = Vec::new();
        let mut rest = inputs;
        for port in &signature.inputs {
            let width = if port.ty.is_ext() { degree } else { 1 };
            let (value, tail) = rest
                .split_at_checked(width)
                .ok_or_else(|| format!("a call of `{}` has too few inputs", call.chip))?;
            values.push(value.to_vec());
            rest = tail;
        }
        let mut rows = ChipRows::default();
        for row in 0..call.rows {
            rows.push(called.interface.record(row, data, |port, coefficient| {
                let wired = |input: &CallPort| input.row == row && usize::from(input.port) == port;
                let input = signature.inputs.iter().position(wired);
                input.and_then(|input| values[input].get(coefficient).copied())
            }));
        }
        let mut machine = Machine::new(call.chip.clone(), self.field);
        machine.chips.push(Chip::clone(&called.chip));
        machine.chips.extend(self.helpers_of([called.chip()]).into_iter().cloned());
        if called.has_fixed() {
            let rows: Vec<Vec<u64>> =
                (0..call.rows).map(|row| called.fixed_row(call, row)).collect();
            let columns = (0..called.chip.fixed_width())
                .map(|column| {
                    rows.iter().map(|row| row.get(column).copied().unwrap_or(0)).collect()
                })
                .collect();
            machine.chips[0].fixed = Some(FixedData { columns });
        }
        let input =
            MachineInput { rows: vec![(call.chip.clone(), rows)], ..MachineInput::default() };
        with_field!(self.field, P => {
            use p3_field::PrimeField64;
            let trace = fill::<P>(&machine, &input).map_err(|errors| errors.to_string())?;
            let positions = called.chip.positions();
            let interface = &called.interface.values;
            for port in &signature.outputs {
                let value = &interface[usize::from(port.port)];
                let row = trace.tables[0].row(port.row as usize);
                let cells = value.start.index()..value.start.index() + value.cells;
                run.outputs.extend(cells.map(|cell| row[positions[cell]].as_canonical_u64()));
            }
        });
        Ok(run)
    }
}
