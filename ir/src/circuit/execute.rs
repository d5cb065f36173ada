//! Witness generation: one pass over the rows of stage `slots`, in the order of a [`Schedule`].
//!
//! A row that creates a slot is solved for it, any other row is checked. Calls that do not wait for each other are
//! computed several at a time, on all threads. Violations are collected, so that one run reports all of them; what
//! makes going on impossible (a wrong number of inputs, a division by zero) ends the run.

mod calls;

use std::fmt;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use rayon::prelude::*;

use super::call::{ChipLibrary, NoChips};
use super::graph::Call;
use super::hint::HintRegistry;
use super::rows::{A, B, C, OUT, Port, Relation, Role, Row, RowOp, SlotId};
use super::schedule::Schedule;
use super::slots::Slots;
use super::value::{Constant, ValueType, element};
use crate::field::FieldPair;

pub(super) use calls::{Answer, KnownRows, answer};

/// The calls with the same parameters that one thread computes together: as many as the widest vector has lanes.
const CALLS_AT_A_TIME: usize = 16;

/// What the prover knows: canonical integers of the coefficients, by position. A base element has one
/// coefficient, an extension element as many as the degree (or one, if it is a lifted base element).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The public inputs.
    pub publics: Vec<Vec<u64>>,
    /// The private inputs.
    pub privates: Vec<Vec<u64>>,
    /// The private data of calls: base elements, in the order of the calls that ask for it.
    pub data: Vec<Vec<u64>>,
}

impl Inputs {
    /// Public inputs that are base elements, and nothing else.
    pub fn publics(values: impl IntoIterator<Item = u64>) -> Self {
        Self { publics: values.into_iter().map(|v| vec![v]).collect(), ..Self::default() }
    }

    /// Adds private inputs that are base elements.
    #[must_use]
    pub fn with_privates(mut self, values: impl IntoIterator<Item = u64>) -> Self {
        self.privates.extend(values.into_iter().map(|v| vec![v]));
        self
    }
}

/// The functions that a circuit's text only names.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// The chips.
    pub chips: &'a dyn ChipLibrary,
    /// The external hints; `None` if there are none.
    pub hints: Option<&'a HintRegistry>,
}

impl Default for Environment<'_> {
    fn default() -> Self {
        Self { chips: &NoChips, hints: None }
    }
}

/// The value of every slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness<P: FieldPair> {
    /// The values, by slot; base elements are lifted.
    pub values: Vec<P::Ext>,
    /// The private data of calls, as given.
    pub data: Vec<Vec<u64>>,
    /// By call: what its rows hold.
    pub(super) calls: Vec<KnownRows>,
}

impl<P: FieldPair> Witness<P> {
    /// A witness from the values of all slots, and the private data of calls.
    pub fn new(values: Vec<P::Ext>, data: Vec<Vec<u64>>) -> Self {
        Self { values, data, calls: Vec::new() }
    }

    /// The value of a slot.
    pub fn value(&self, slot: SlotId) -> P::Ext {
        self.values[slot.index()]
    }
}

/// A rule that the inputs violate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the rule, or its formula if it has none.
    pub rule: String,
    /// The scope in which it was made; empty at the top.
    pub scope: String,
    /// The formula with the values that do not fit.
    pub values: String,
    /// The source line, `file:line:column`, if it is known.
    pub location: Option<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not hold: {}", self.rule, self.values)?;
        if !self.scope.is_empty() {
            write!(f, ", in scope {}", self.scope)?;
        }
        match &self.location {
            Some(location) => write!(f, ", at {location}"),
            None => Ok(()),
        }
    }
}

/// Why there is no witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// Too many or too few inputs.
    #[error("{expected} {what} inputs were expected, {got} were given")]
    InputCount {
        /// `public` or `private`.
        what: &'static str,
        /// How many the circuit has.
        expected: usize,
        /// How many were given.
        got: usize,
    },
    /// An input that is not an element of its type.
    #[error("{what} input {index} is not a canonical {ty}: {value:?}")]
    InputValue {
        /// `public` or `private`.
        what: &'static str,
        /// The position.
        index: usize,
        /// The type that the circuit declares.
        ty: ValueType,
        /// The integers that were given.
        value: Vec<u64>,
    },
    /// Private data of a call is missing or has the wrong length.
    #[error(
        "the call of `{chip}` needs {expected} elements of private data at position {index}, \
         {got} were given"
    )]
    Data {
        /// The chip.
        chip: String,
        /// The position among the private data.
        index: usize,
        /// The number of base elements that the call needs.
        expected: usize,
        /// The number that was given; 0 if the position is missing.
        got: usize,
    },
    /// More pieces of private data than calls ask for.
    #[error("{expected} pieces of private data were expected, {got} were given")]
    DataCount {
        /// How many the circuit's calls ask for.
        expected: usize,
        /// How many were given.
        got: usize,
    },
    /// A division by zero.
    #[error("division of {dividend} by 0 in {place}")]
    DivisionByZero {
        /// The dividend.
        dividend: String,
        /// The name or the text of the row.
        place: String,
    },
    /// A hint or a call failed.
    #[error("{place}: {message}")]
    Function {
        /// The hint or the chip.
        place: String,
        /// What it said.
        message: String,
    },
    /// A row uses a slot that no row before it creates: the circuit does not pass the verifier.
    #[error("slot {slot} is used before it has a value")]
    Undefined {
        /// The slot.
        slot: SlotId,
    },
    /// The inputs violate rules of the circuit.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Violated(Vec<Violation>),
}

impl Slots {
    /// Computes the value of every slot.
    ///
    /// # Errors
    ///
    /// [`WitnessError::Violated`] lists all rules that the inputs violate, in the order of the rows; every other error is
    /// the first that the run meets, in the order of the schedule.
    pub fn execute<P: FieldPair>(
        &self,
        inputs: &Inputs,
        environment: Environment<'_>,
    ) -> Result<Witness<P>, WitnessError> {
        self.execute_in(&Schedule::new(self), inputs, environment)
    }

    /// [`Self::execute`] in the order of the circuit's own schedule, [`Schedule::new`], which serves all inputs. By the
    /// schedule of another circuit, the values are no witness.
    ///
    /// # Errors
    ///
    /// As [`Self::execute`].
    ///
    /// # Panics
    ///
    /// Panics if the schedule is of a circuit with another number of rows, or of other calls.
    pub fn execute_in<P: FieldPair>(
        &self,
        schedule: &Schedule,
        inputs: &Inputs,
        environment: Environment<'_>,
    ) -> Result<Witness<P>, WitnessError> {
        P::execute_slots(self, schedule, inputs, environment)
    }

    /// [`Self::execute_in`], compiled here for each field.
    pub(crate) fn execute_generic<P: FieldPair>(
        &self,
        schedule: &Schedule,
        inputs: &Inputs,
        environment: Environment<'_>,
    ) -> Result<Witness<P>, WitnessError> {
        assert_eq!(schedule.rows, self.rows.len(), "the schedule is of another circuit");
        if let Some(slot) = schedule.missing {
            return Err(WitnessError::Undefined { slot });
        }
        let public_types = self.public_types().collect::<Vec<_>>();
        check_inputs::<P>("public", &inputs.publics, &public_types)?;
        check_inputs::<P>("private", &inputs.privates, &self.privates)?;
        check_data::<P>(&self.calls, &inputs.data)?;
        let mut run = Run::<P> {
            circuit: self,
            inputs,
            environment,
            values: vec![P::Ext::ZERO; self.slots.len()],
            defined: vec![false; self.slots.len()],
            calls: vec![KnownRows::default(); self.calls.len()],
            at: 0,
            violations: Vec::new(),
        };
        for stage in &schedule.stages {
            stage.rows.iter().try_for_each(|&row| run.row(row as usize))?;
            run.call_rows(&stage.calls)?;
        }
        if run.violations.is_empty() {
            return Ok(Witness { values: run.values, data: inputs.data.clone(), calls: run.calls });
        }
        run.violations.sort_by_key(|(row, _)| *row);
        let violations = run.violations.into_iter().map(|(_, violation)| violation);
        Err(WitnessError::Violated(violations.collect()))
    }
}

/// Checks the number, the length and the canonicity of inputs.
pub(super) fn check_inputs<P: FieldPair>(
    what: &'static str,
    values: &[Vec<u64>],
    types: &[ValueType],
) -> Result<(), WitnessError> {
    if values.len() != types.len() {
        return Err(WitnessError::InputCount { what, expected: types.len(), got: values.len() });
    }
    for (index, (value, &ty)) in values.iter().zip(types).enumerate() {
        let length_fits = value.len() == 1 || (ty.is_ext() && value.len() == P::FIELD.degree());
        if !length_fits || value.iter().any(|&c| c >= P::FIELD.modulus()) {
            return Err(WitnessError::InputValue { what, index, ty, value: value.clone() });
        }
    }
    Ok(())
}

/// Checks that every call finds its private data.
pub(super) fn check_data<P: FieldPair>(
    calls: &[Call],
    data: &[Vec<u64>],
) -> Result<(), WitnessError> {
    for call in calls {
        let Some(index) = call.data else { continue };
        let given = data.get(index as usize).map_or(&[][..], |values| values);
        let expected = call.signature.data as usize;
        let canonical = given.iter().all(|&value| value < P::FIELD.modulus());
        if given.len() != expected || !canonical {
            return Err(WitnessError::Data {
                chip: call.chip.chip.clone(),
                index: index as usize,
                expected,
                got: given.len(),
            });
        }
    }
    let expected = calls.iter().filter_map(|call| call.data).max().map_or(0, |last| last + 1);
    if data.len() > expected as usize {
        return Err(WitnessError::DataCount { expected: expected as usize, got: data.len() });
    }
    Ok(())
}

struct Run<'a, P: FieldPair> {
    circuit: &'a Slots,
    inputs: &'a Inputs,
    environment: Environment<'a>,
    values: Vec<P::Ext>,
    defined: Vec<bool>,
    calls: Vec<KnownRows>,
    /// The row that is visited.
    at: usize,
    /// With the rows that they are of.
    violations: Vec<(usize, Violation)>,
}

impl<P: FieldPair> Run<'_, P> {
    /// Visits a row.
    fn row(&mut self, index: usize) -> Result<(), WitnessError> {
        self.at = index;
        let row = self.circuit.rows.get(index);
        match row.op {
            RowOp::Witness | RowOp::Advice { .. } => Ok(()),
            RowOp::Call { .. } => self.call_rows(&[vec![index as u32]]),
            RowOp::Const(constant) => self.settle(row, 0, constant.to_ext::<P>()),
            RowOp::Public(index) => {
                let value = self.inputs.publics.get(*index as usize).map_or(&[][..], |v| v);
                self.settle(row, 0, element::<P>(value))
            }
            RowOp::Private(index) => {
                let value = self.inputs.privates.get(*index as usize).map_or(&[][..], |v| v);
                self.settle(row, 0, element::<P>(value))
            }
            RowOp::Arithmetic(relation, ty) => self.arithmetic(row, *relation, *ty),
            RowOp::Base => self.base_element(row),
            RowOp::Hint(id) => {
                let hint = &self.circuit.hints[id.index()];
                let count = hint.inputs.len();
                let inputs = self.gather(&row.ports[..count.min(row.ports.len())])?;
                let mut outputs = Vec::with_capacity(hint.outputs.len());
                let empty = HintRegistry::default();
                let registry = self.environment.hints.unwrap_or(&empty);
                hint.kind.evaluate::<P>(registry, &inputs, &hint.inputs, &mut outputs).map_err(
                    |message| WitnessError::Function {
                        place: format!("hint {}", hint.kind),
                        message,
                    },
                )?;
                self.settle_all(row, count, &outputs)
            }
        }
    }

    /// Visits rows that are calls, none of which waits for another: those of a group have the same parameters.
    fn call_rows(&mut self, groups: &[Vec<u32>]) -> Result<(), WitnessError> {
        let Self { circuit, inputs, environment, .. } = *self;
        let call_of = |row: u32| match circuit.rows.get(row as usize).op {
            RowOp::Call { call, .. } => *call,
            other => unreachable!("a schedule has {other:?} among the rows that are no calls"),
        };
        let mut batches = Vec::new();
        for rows in groups.iter().flat_map(|rows| rows.chunks(CALLS_AT_A_TIME)) {
            let mut calls = Vec::with_capacity(rows.len());
            for &row in rows {
                let call = &circuit.calls[call_of(row).index()];
                let ports = circuit.rows.get(row as usize).ports;
                let count = call.signature.inputs.len().min(ports.len());
                calls.push((call, self.gather(&ports[..count])?));
            }
            batches.push((rows, calls));
        }
        let evaluate = |(rows, calls): (_, Vec<_>)| {
            answer::<P>(environment, &calls, &inputs.data).map(|answers| (rows, answers))
        };
        // Collected as results, of which the first error counts: rayon would take any.
        let batches: Vec<Result<(&[_], _), _>> = batches.into_par_iter().map(evaluate).collect();
        for batch in batches {
            let (rows, answers) = batch?;
            for (&row, Answer { outputs, known }) in rows.iter().zip(answers) {
                let call = call_of(row);
                self.at = row as usize;
                self.calls[call.index()] = known;
                let count = circuit.calls[call.index()].signature.inputs.len();
                self.settle_all(circuit.rows.get(self.at), count, &outputs)?;
            }
        }
        Ok(())
    }

    fn gather(&self, ports: &[Port]) -> Result<Vec<P::Ext>, WitnessError> {
        ports.iter().map(|port| self.value(port.slot)).collect()
    }

    fn value(&self, slot: SlotId) -> Result<P::Ext, WitnessError> {
        match self.defined.get(slot.index()) {
            Some(true) => Ok(self.values[slot.index()]),
            _ => Err(WitnessError::Undefined { slot }),
        }
    }

    fn settle_all(
        &mut self,
        row: Row<'_>,
        first: usize,
        values: &[P::Ext],
    ) -> Result<(), WitnessError> {
        for (i, &value) in values.iter().enumerate() {
            self.settle(row, first + i, value)?;
        }
        Ok(())
    }

    /// Gives the slot of a port its value, or checks that it has this value already.
    fn settle(&mut self, row: Row<'_>, port: usize, value: P::Ext) -> Result<(), WitnessError> {
        let Some(&Port { slot, role, .. }) = row.ports.get(port) else { return Ok(()) };
        if role == Role::Creates {
            if slot.index() >= self.values.len() {
                return Err(WitnessError::Undefined { slot });
            }
            self.values[slot.index()] = value;
            self.defined[slot.index()] = true;
        } else if self.value(slot)? != value {
            let found = self.show(self.values[slot.index()]);
            let computed = self.show(value);
            self.violation(row, format!("{slot} is {found}, but {computed} was computed"));
        }
        Ok(())
    }

    fn arithmetic(
        &mut self,
        row: Row<'_>,
        relation: Relation,
        ty: ValueType,
    ) -> Result<(), WitnessError> {
        let mut operands = [P::Ext::ZERO; 4];
        let mut created = None;
        for port in row.ports {
            if port.role == Role::Creates {
                created = Some(*port);
            } else if let Some(operand) = operands.get_mut(port.position as usize) {
                *operand = self.value(port.slot)?;
            }
        }
        if !ty.is_ext() {
            return self.base_arithmetic(row, relation, operands, created);
        }
        let [a, b, c, d] = operands;
        match created.map(|port| (port, port.position)) {
            None => {
                let expected = evaluate(relation, a, b, c);
                if expected != d {
                    self.mismatch(row, &operands, expected);
                }
            }
            Some((port, position)) => {
                let value = solve(relation, position, operands)
                    .ok_or_else(|| self.division_by_zero(row, relation, &operands))?;
                self.create(port.slot, value)?;
            }
        }
        Ok(())
    }

    fn base_arithmetic(
        &mut self,
        row: Row<'_>,
        relation: Relation,
        operands: [P::Ext; 4],
        created: Option<Port>,
    ) -> Result<(), WitnessError> {
        if operands.iter().any(is_lifted::<P>) {
            let shown = self.show_operands(row, &operands);
            self.violation(row, format!("an operand is not a base element: {shown}"));
        }
        let base = operands.map(|x| x.as_basis_coefficients_slice()[0]);
        match created {
            None => {
                let expected = evaluate(relation, base[0], base[1], base[2]);
                if expected != base[3] {
                    self.mismatch(row, &operands, P::Ext::from(expected));
                }
                Ok(())
            }
            Some(port) => {
                let value = solve(relation, port.position, base)
                    .ok_or_else(|| self.division_by_zero(row, relation, &operands))?;
                self.create(port.slot, P::Ext::from(value))
            }
        }
    }

    fn base_element(&mut self, row: Row<'_>) -> Result<(), WitnessError> {
        for port in row.ports.iter().filter(|port| port.role == Role::Reads) {
            let value = self.value(port.slot)?;
            if is_lifted::<P>(&value) {
                let shown = self.show(value);
                self.violation(row, format!("{} = {shown} is not a base element", port.slot));
            }
        }
        Ok(())
    }

    fn create(&mut self, slot: SlotId, value: P::Ext) -> Result<(), WitnessError> {
        if slot.index() >= self.values.len() {
            return Err(WitnessError::Undefined { slot });
        }
        self.values[slot.index()] = value;
        self.defined[slot.index()] = true;
        Ok(())
    }

    // Messages.

    fn show(&self, value: P::Ext) -> String {
        Constant::from_ext::<P>(value).trimmed().display(self.circuit.field).to_string()
    }

    fn show_operands(&self, row: Row<'_>, operands: &[P::Ext; 4]) -> String {
        let shown = row.ports.iter().map(|port| match operands.get(port.position as usize) {
            Some(&value) if port.role != Role::Creates => {
                format!("{} = {}", port.slot, self.show(value))
            }
            _ => port.slot.to_string(),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    fn mismatch(&mut self, row: Row<'_>, operands: &[P::Ext; 4], expected: P::Ext) {
        let shown = self.show_operands(row, operands);
        let values = format!("{}, but {} was computed", shown, self.show(expected));
        self.violation(row, values);
    }

    fn place(&self, row: Row<'_>) -> String {
        match self.circuit.names.text(row.origin.label) {
            "" => super::print::row_text(self.circuit, row),
            label => label.to_owned(),
        }
    }

    fn division_by_zero(
        &self,
        row: Row<'_>,
        relation: Relation,
        operands: &[P::Ext; 4],
    ) -> WitnessError {
        let [_, _, c, d] = *operands;
        let dividend = if relation == Relation::MulAdd { d - c } else { d };
        WitnessError::DivisionByZero { dividend: self.show(dividend), place: self.place(row) }
    }

    fn violation(&mut self, row: Row<'_>, values: String) {
        let violation = Violation {
            rule: self.place(row),
            scope: self.circuit.names.text(row.origin.scope).to_owned(),
            values,
            location: row.origin.location.map(ToString::to_string),
        };
        self.violations.push((self.at, violation));
    }
}

/// Whether a value has other coefficients than the constant one.
fn is_lifted<P: FieldPair>(value: &P::Ext) -> bool {
    value.as_basis_coefficients_slice()[1..].iter().any(|&upper| upper != P::Base::ZERO)
}

/// The result of a relation.
pub(super) fn evaluate<F: PrimeCharacteristicRing + Copy>(
    relation: Relation,
    a: F,
    b: F,
    c: F,
) -> F {
    match relation {
        Relation::Add => a + b,
        Relation::Mul => a * b,
        Relation::MulAdd => a * b + c,
        Relation::Eq => a,
    }
}

/// The value of the operand at `position`, given the others; `None` if that takes a division by 0.
fn solve<F: p3_field::Field>(relation: Relation, position: u16, operands: [F; 4]) -> Option<F> {
    let [a, b, c, d] = operands;
    let other = if position == A { b } else { a };
    match (relation, position) {
        (_, OUT) => Some(evaluate(relation, a, b, c)),
        (Relation::Add, A | B) => Some(d - other),
        (Relation::Mul, A | B) => other.try_inverse().map(|inverse| d * inverse),
        (Relation::MulAdd, A | B) => other.try_inverse().map(|inverse| (d - c) * inverse),
        (Relation::MulAdd, C) => Some(d - a * b),
        _ => Some(d),
    }
}
