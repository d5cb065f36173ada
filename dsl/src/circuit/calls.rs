//! Calls of chips: `builder.call::<Add32>((x, y))`.
//!
//! Calling a chip records it and adds it to the circuit's library; its inputs and outputs become ports of the
//! witness bus. A call may need private data (the chip's `#[record]` columns), which the prover supplies when the
//! circuit runs, and it may span several rows whose wiring the call site fixes.

use std::sync::Arc;

use chipwright_ir::chip::passes::interface;
use chipwright_ir::chip::{Chip as IrChip, ColumnKind, PortKind};
use chipwright_ir::circuit::{
    CallPlan, CalledChip, ChipCall, ChipLibrary, Library, NodeId, Signature,
};
use chipwright_ir::machine::{ChipRows, FillOptions, Machine, MachineInput, fill_with};
use chipwright_ir::{Field, with_field};
use p3_field::PrimeField64;

use super::builder::CircuitBuilder;
use super::built::BuildError;
use super::target::{AnyTarget, BitTarget, ExtTarget, Target};
use crate::cell::{Bit, Limb, U32};
use crate::column_types::Felt;
use crate::ext::Ext;
use crate::range::{Range8, Range16};
use crate::recording::{RecordingErrors, record};
use crate::schema::{Cells, Chip, ColumnType};

/// A column type whose values can travel on the witness bus.
pub trait Wire: ColumnType {
    /// One target a value.
    type Targets: Clone;

    /// Appends the targets, in order.
    fn targets(targets: &Self::Targets, out: &mut Vec<AnyTarget>);
    /// Takes as many targets, in order.
    ///
    /// # Panics
    ///
    /// Panics if there are too few.
    fn take(targets: &mut dyn Iterator<Item = AnyTarget>) -> Self::Targets;
}

fn next(targets: &mut dyn Iterator<Item = AnyTarget>) -> NodeId {
    targets.next().expect("a call has as many outputs as its chip").0
}

macro_rules! wire {
    ($($type:ty, $target:ident;)*) => {$(
        impl Wire for $type {
            type Targets = $target;

            fn targets(targets: &$target, out: &mut Vec<AnyTarget>) {
                out.push((*targets).into());
            }

            fn take(targets: &mut dyn Iterator<Item = AnyTarget>) -> $target {
                $target(next(targets))
            }
        }
    )*};
}

wire! {
    Felt, Target;
    Bit, BitTarget;
    Ext, ExtTarget;
    Limb<8>, Target;
    Limb<16>, Target;
}

impl Wire for U32 {
    /// The 16-bit halves, the lower first.
    type Targets = [Target; 2];

    fn targets(targets: &[Target; 2], out: &mut Vec<AnyTarget>) {
        out.extend(targets.map(AnyTarget::from));
    }

    fn take(targets: &mut dyn Iterator<Item = AnyTarget>) -> [Target; 2] {
        std::array::from_fn(|_| Target(next(targets)))
    }
}

impl<T: Wire, const N: usize> Wire for [T; N] {
    type Targets = [T::Targets; N];

    fn targets(targets: &Self::Targets, out: &mut Vec<AnyTarget>) {
        for target in targets {
            T::targets(target, out);
        }
    }

    fn take(targets: &mut dyn Iterator<Item = AnyTarget>) -> Self::Targets {
        std::array::from_fn(|_| T::take(targets))
    }
}

macro_rules! tuple_wire {
    ($($type:ident $index:tt),*) => {
        impl<$($type: Wire),*> Wire for ($($type,)*) {
            type Targets = ($($type::Targets,)*);

            #[allow(unused_variables)]
            fn targets(targets: &Self::Targets, out: &mut Vec<AnyTarget>) {
                $($type::targets(&targets.$index, out);)*
            }

            #[allow(unused_variables, clippy::unused_unit)]
            fn take(targets: &mut dyn Iterator<Item = AnyTarget>) -> Self::Targets {
                ($($type::take(targets),)*)
            }
        }
    };
}

tuple_wire!();
tuple_wire!(A 0);
tuple_wire!(A 0, B 1);
tuple_wire!(A 0, B 1, C 2);
tuple_wire!(A 0, B 1, C 2, D 3);
tuple_wire!(A 0, B 1, C 2, D 3, E 4);
tuple_wire!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_wire!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_wire!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// A chip whose calls span several rows, or take parameters: its `#[fixed]` columns are set by the call site.
///
/// Which row uses which of the chip's inputs and outputs is decided by [`MultiRowCall::signature`]; a port that
/// a row does not use is not on the bus there, so the chip's own rules must say what its cells are.
pub trait MultiRowCall: Chip {
    /// What a call takes and gives, row by row; `None` if the parameters or the number of rows make no sense.
    /// Ports are the chip's inputs, then its outputs, one a cell (one for all cells of an extension element),
    /// in order of declaration.
    fn signature(call: &ChipCall) -> Option<Signature>;
    /// The fixed columns in a row of the call.
    fn fixed_row(call: &ChipCall, row: u32) -> Self::Fixed;
}

/// A call's private data: its position among what a run supplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataTarget {
    pub(super) position: usize,
}

impl DataTarget {
    /// The position among the private data of a run: that of the vector in `Inputs::data`.
    pub fn position(self) -> usize {
        self.position
    }
}

/// The outputs of a call, and its private data if it has any.
#[derive(Clone, Debug)]
pub struct CallTargets<T> {
    /// The outputs.
    pub outputs: T,
    /// Where a run supplies the private data; `None` if the chip has no `#[record]` columns.
    pub data: Option<DataTarget>,
}

impl CircuitBuilder {
    /// Calls a chip that needs no private data; returns its outputs.
    #[track_caller]
    pub fn call<C: Chip>(
        &mut self,
        inputs: <C::Inputs as Wire>::Targets,
    ) -> <C::Outputs as Wire>::Targets
    where
        C::Inputs: Wire,
        C::Outputs: Wire,
    {
        self.call_with_data::<C>(inputs).outputs
    }

    /// Calls a chip whose `#[record]` columns are private data of the call.
    #[track_caller]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "targets are small, and read better unborrowed"
    )]
    pub fn call_with_data<C: Chip>(
        &mut self,
        inputs: <C::Inputs as Wire>::Targets,
    ) -> CallTargets<<C::Outputs as Wire>::Targets>
    where
        C::Inputs: Wire,
        C::Outputs: Wire,
    {
        self.here();
        let mut arguments = Vec::new();
        C::Inputs::targets(&inputs, &mut arguments);
        if self.library.called(&C::name()).is_none() {
            match called_chip::<C>(self.field()) {
                Ok((called, helpers)) => self.add_called(called, helpers),
                Err(errors) => self.errors.push(errors.into()),
            }
        }
        let CallTargets { outputs, data } = self.call_named(ChipCall::new(C::name()), &arguments);
        // Of a chip that could not be recorded nothing is known; the build reports it.
        let missing = std::iter::repeat_with(|| AnyTarget(NodeId::default()));
        let outputs = C::Outputs::take(&mut outputs.into_iter().chain(missing));
        CallTargets { outputs, data }
    }

    /// Calls a chip over several rows, or with parameters.
    #[track_caller]
    pub fn call_rows<C: MultiRowCall>(
        &mut self,
        parameters: &[u64],
        rows: u32,
        inputs: &[AnyTarget],
    ) -> CallTargets<Vec<AnyTarget>> {
        self.here();
        if self.library.called(&C::name()).is_none() {
            let field = self.field();
            match record::<C>(field) {
                Ok(chip) => {
                    let plan = CallPlan {
                        signature: Box::new(C::signature),
                        fixed: Box::new(move |call, row| {
                            let mut cells = Vec::new();
                            let fixed = C::fixed_row(call, row);
                            C::store_fixed(&fixed, &mut Cells::new(field, &mut cells));
                            cells
                        }),
                    };
                    let helpers = range_tables(&chip, field);
                    let called = CalledChip::planned(Arc::unwrap_or_clone(chip), plan);
                    match helpers {
                        Ok(helpers) => self.add_called(called, helpers),
                        Err(errors) => self.errors.push(errors.into()),
                    }
                }
                Err(errors) => self.errors.push(errors.into()),
            }
        }
        let call = ChipCall { chip: C::name(), parameters: parameters.to_vec(), rows };
        self.call_named(call, inputs)
    }

    /// Calls a chip of the library by name.
    #[track_caller]
    pub fn call_named(
        &mut self,
        call: ChipCall,
        inputs: &[AnyTarget],
    ) -> CallTargets<Vec<AnyTarget>> {
        self.here();
        let nothing = CallTargets { outputs: Vec::new(), data: None };
        let Some(signature) = self.library.signature(&call) else {
            let location = std::panic::Location::caller().to_string();
            self.errors.push(BuildError::NoSuchCall { call: call.to_string(), location });
            return nothing;
        };
        if signature.inputs.len() != inputs.len() {
            self.errors.push(BuildError::CallInputs {
                call: call.to_string(),
                expected: signature.inputs.len(),
                got: inputs.len(),
                location: std::panic::Location::caller().to_string(),
            });
            return nothing;
        }
        let nodes: Vec<NodeId> = inputs.iter().map(|target| target.0).collect();
        let result = self.graph.call(call, &signature, &nodes);
        let data = result.data.map(|position| {
            let position = position as usize;
            self.data.resize(self.data.len().max(position + 1), 0);
            self.data[position] = signature.data as usize;
            DataTarget { position }
        });
        CallTargets { outputs: result.outputs.into_iter().map(AnyTarget).collect(), data }
    }

    /// Makes a chip known that called chips call in turn.
    pub fn add_helper<C: Chip>(&mut self) {
        match record::<C>(self.field()) {
            Ok(chip) => {
                let helper = interface(&chip);
                self.change_library(|library| library.with_helper(helper));
                match range_tables(&chip, self.field()) {
                    Ok(tables) => {
                        for table in tables {
                            self.change_library(|library| library.with_helper(table));
                        }
                    }
                    Err(errors) => self.errors.push(errors.into()),
                }
            }
            Err(errors) => self.errors.push(errors.into()),
        }
    }

    fn add_called(&mut self, called: CalledChip, helpers: Vec<IrChip>) {
        self.change_library(|library| {
            helpers.into_iter().fold(library.with_chip(called), Library::with_helper)
        });
    }

    fn change_library(&mut self, change: impl FnOnce(Library) -> Library) {
        let library = std::mem::replace(&mut self.library, Library::new(self.graph.field));
        self.library = change(library);
    }
}

/// A chip as circuits call it, with the range tables that it asks.
///
/// # Errors
///
/// All mistakes of the chip's recording.
pub fn called_chip<C: Chip>(field: Field) -> Result<(CalledChip, Vec<IrChip>), RecordingErrors> {
    let chip = record::<C>(field)?;
    let helpers = range_tables(&chip, field)?;
    let calls_others = chip
        .ports
        .iter()
        .any(|port| port.kind == PortKind::Lookup && port.bus != "u8" && port.bus != "u16");
    let called = CalledChip::new((*chip).clone());
    // Filling range tables for the sake of one row would cost far more than the row.
    let called = if calls_others {
        called
    } else {
        called.with_native(Arc::new(move |_, inputs, data| results(&chip, inputs, data)))
    };
    Ok((called, helpers))
}

fn range_tables(chip: &IrChip, field: Field) -> Result<Vec<IrChip>, RecordingErrors> {
    let asks = |bus| chip.ports.iter().any(|port| port.kind == PortKind::Lookup && port.bus == bus);
    let mut tables = Vec::new();
    if asks("u8") {
        tables.push(Arc::unwrap_or_clone(record::<Range8>(field)?));
    }
    if asks("u16") {
        tables.push(Arc::unwrap_or_clone(record::<Range16>(field)?));
    }
    Ok(tables)
}

/// Fills one row of a chip and reads its outputs.
fn results(chip: &IrChip, inputs: &[u64], data: &[u64]) -> Result<Vec<u64>, String> {
    let (mut inputs, mut data) = (inputs.iter(), data.iter());
    let record = chip.columns.iter().filter_map(|column| match column.kind {
        ColumnKind::Input => Some(inputs.next().copied().unwrap_or(0)),
        ColumnKind::Record => Some(data.next().copied().unwrap_or(0)),
        _ => None,
    });
    let rows = ChipRows::from_iter([record]);
    let mut machine = Machine::new(chip.name.clone(), chip.field);
    machine.chips.push(chip.clone());
    let input = MachineInput { rows: vec![(chip.name.clone(), rows)], ..MachineInput::default() };
    let options = FillOptions { allow_missing_entries: true, ..FillOptions::default() };
    let positions = chip.positions();
    with_field!(chip.field, P => {
        let trace = fill_with::<P>(&machine, &input, &options)
            .map_err(|errors| errors.to_string())?;
        let row = trace.tables[0].row(0);
        let outputs = chip.columns_of(ColumnKind::Output);
        Ok(outputs.map(|column| row[positions[column.index()]].as_canonical_u64()).collect())
    })
}
