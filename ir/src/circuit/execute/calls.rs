//! Calls of chips while a witness is generated.

use super::{Environment, WitnessError};
use crate::circuit::call::CallInput;
use crate::circuit::graph::Call;
use crate::circuit::hint::{flatten, unflatten};
use crate::field::FieldPair;
use crate::machine::ChipRows;

/// What the rows of a call hold, if its inputs and its data are these; none if that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::circuit) struct KnownRows {
    pub(in crate::circuit) inputs: Vec<u64>,
    pub(in crate::circuit) data: Vec<u64>,
    pub(in crate::circuit) rows: ChipRows,
}

/// What a chip says to a call.
pub(in crate::circuit) struct Answer<P: FieldPair> {
    pub(in crate::circuit) outputs: Vec<P::Ext>,
    pub(in crate::circuit) known: KnownRows,
}

/// Answers calls with the same parameters, each of which comes with its inputs. `data` is the private data of all calls
/// of the circuit.
pub(in crate::circuit) fn answer<P: FieldPair>(
    environment: Environment<'_>,
    calls: &[(&Call, Vec<P::Ext>)],
    data: &[Vec<u64>],
) -> Result<Vec<Answer<P>>, WitnessError> {
    let Some((first, _)) = calls.first() else { return Ok(Vec::new()) };
    let error = |message| WitnessError::Function { place: format!("call {}", first.chip), message };
    let types = |call: &Call| call.signature.inputs.iter().map(|port| port.ty).collect::<Vec<_>>();
    let inputs = calls.iter().map(|(call, inputs)| flatten::<P>(inputs, &types(call)));
    let inputs: Vec<Vec<u64>> = inputs.collect();
    let data = calls.iter().map(|(call, _)| {
        call.data.and_then(|index| data.get(index as usize)).map_or(&[][..], Vec::as_slice)
    });
    let given = inputs.iter().zip(data).map(|(inputs, data)| CallInput { inputs, data });
    let given: Vec<CallInput<'_>> = given.collect();
    let runs = environment.chips.run_all(&first.chip, &given);
    if runs.len() != calls.len() {
        return Err(error(format!("{} of {} calls have a result", runs.len(), calls.len())));
    }
    let mut answers = Vec::with_capacity(calls.len());
    for ((run, (call, _)), CallInput { inputs, data }) in runs.into_iter().zip(calls).zip(given) {
        let run = run.map_err(error)?;
        let mut outputs = Vec::with_capacity(call.signature.outputs.len());
        unflatten::<P>(&run.outputs, &call.signature.output_types(), &mut outputs)
            .map_err(error)?;
        let known = if run.rows.is_empty() {
            KnownRows::default()
        } else {
            KnownRows { inputs: inputs.to_vec(), data: data.to_vec(), rows: run.rows }
        };
        answers.push(Answer { outputs, known });
    }
    Ok(answers)
}
