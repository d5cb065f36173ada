//! Calls of chips: operations that a table of their own verifies.
//!
//! The circuit knows a chip only by its [`Signature`]; what it computes is behind [`ChipLibrary`]. A
//! call may span several rows of the chip's table (a Merkle path, one row per level), and it may read
//! private data that never enters the witness table (the siblings on the path).

use std::fmt;

use super::value::ValueType;
use crate::machine::ChipRows;

/// Which chip is called, with the constants that the call site fixes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChipCall {
    /// The name in the [`ChipLibrary`].
    pub chip: String,
    /// Parameters of this call, such as its mode; constants of the circuit.
    pub parameters: Vec<u64>,
    /// The number of rows in the chip's table.
    pub rows: u32,
}

impl ChipCall {
    /// A call of one row without parameters.
    pub fn new(chip: impl Into<String>) -> Self {
        Self { chip: chip.into(), parameters: Vec::new(), rows: 1 }
    }
}

impl fmt::Display for ChipCall {
    /// `merkle<1, 0>`; the number of rows is printed at the end of the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chip)?;
        for (i, parameter) in self.parameters.iter().enumerate() {
            write!(f, "{}{parameter}", if i == 0 { "<" } else { ", " })?;
        }
        f.write_str(if self.parameters.is_empty() { "" } else { ">" })
    }
}

/// Where a value of a call meets the chip's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallPort {
    /// The type of the value.
    pub ty: ValueType,
    /// The row, counted from the first one of the call.
    pub row: u32,
    /// The port of the chip that is used in that row.
    pub port: u16,
}

/// What a call takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The inputs, in order.
    pub inputs: Vec<CallPort>,
    /// The outputs, in order.
    pub outputs: Vec<CallPort>,
    /// The number of base elements of private data, over all rows.
    pub data: u32,
}

impl Signature {
    /// A call of one row: the inputs use ports `0..n`, the outputs the following ones.
    pub fn one_row(inputs: &[ValueType], outputs: &[ValueType], data: u32) -> Self {
        let port = |(i, &ty): (usize, &ValueType)| CallPort { ty, row: 0, port: i as u16 };
        let mut ports = inputs.iter().chain(outputs).enumerate().map(port);
        let inputs = ports.by_ref().take(inputs.len()).collect();
        Self { inputs, outputs: ports.collect(), data }
    }

    /// What is at a port in a row of the call.
    pub fn at(&self, row: u32, port: u16) -> impl Iterator<Item = &CallPort> {
        let places = self.inputs.iter().chain(&self.outputs);
        places.filter(move |place| (place.row, place.port) == (row, port))
    }

    /// The types of the outputs.
    pub fn output_types(&self) -> Vec<ValueType> {
        self.outputs.iter().map(|port| port.ty).collect()
    }
}

/// What a call is given, as canonical integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallInput<'a> {
    /// The coefficients of the inputs, one after the other: one for each base element, as many as the degree for each
    /// extension element.
    pub inputs: &'a [u64],
    /// The private data of all rows.
    pub data: &'a [u64],
}

/// What a call computes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRun {
    /// The coefficients of the outputs, canonical, one after the other as those of inputs in [`CallInput::inputs`].
    pub outputs: Vec<u64>,
    /// What the call's rows hold, as far as the chip says so: those that are left out hold the call's inputs and data.
    pub rows: ChipRows,
}

/// The chips that circuits may call.
pub trait ChipLibrary: fmt::Debug + Send + Sync {
    /// What the call takes and gives, or `None` if there is no such chip or it refuses the parameters.
    fn signature(&self, call: &ChipCall) -> Option<Signature>;

    /// Computes a call natively: its outputs, and what its rows hold if that is known at once.
    ///
    /// `inputs` and `data` are those of [`CallInput`]. Calls come from several threads, in no order.
    ///
    /// # Errors
    ///
    /// A sentence, if the inputs violate the chip's rules.
    fn run(&self, call: &ChipCall, inputs: &[u64], data: &[u64]) -> Result<CallRun, String>;

    /// [`Self::run`] for several calls with the same parameters: a result for each, in order. Another number of results
    /// ends witness generation with an error.
    fn run_all(&self, call: &ChipCall, given: &[CallInput<'_>]) -> Vec<Result<CallRun, String>> {
        given.iter().map(|given| self.run(call, given.inputs, given.data)).collect()
    }

    /// The outputs of [`Self::run`], added to `outputs`.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    fn evaluate(
        &self,
        call: &ChipCall,
        inputs: &[u64],
        data: &[u64],
        outputs: &mut Vec<u64>,
    ) -> Result<(), String> {
        outputs.extend(self.run(call, inputs, data)?.outputs);
        Ok(())
    }
}

/// The library without chips.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChips;

impl ChipLibrary for NoChips {
    fn signature(&self, _call: &ChipCall) -> Option<Signature> {
        None
    }

    fn run(&self, call: &ChipCall, _inputs: &[u64], _data: &[u64]) -> Result<CallRun, String> {
        Err(format!("there is no chip `{}`", call.chip))
    }
}
