//! A built circuit: its three stages, and runs of it.

use chipwright_ir::circuit::{
    Circuit, DuplicateKey, Environment, Form, Graph, HintRegistry, Inputs, Library, Slots, Tables,
    Witness, WitnessError, passes, verify,
};
use chipwright_ir::pass::PipelineError;
use chipwright_ir::{FieldPair, with_field};
use p3_field::{BasedVectorSpace, PrimeField64};

use super::builder::CircuitBuilder;
use super::calls::DataTarget;
use crate::recording::RecordingErrors;
use crate::schema::{Cells, Chip};

/// Why a circuit cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A pass rejected the circuit: a contradiction, or a value connected with one that is computed from it.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The circuit violates an invariant of circuits: advice that no rule binds, for example.
    #[error(transparent)]
    Verify(#[from] verify::VerifierErrors),
    /// A called chip has mistakes.
    #[error(transparent)]
    Recording(#[from] RecordingErrors),
    /// A call that no chip answers.
    #[error("{location}: no chip of the circuit answers the call `{call}`")]
    NoSuchCall {
        /// The call.
        call: String,
        /// Where it was made.
        location: String,
    },
    /// A call with too few or too many inputs.
    #[error("{location}: the call `{call}` takes {expected} inputs, {got} were given")]
    CallInputs {
        /// The call.
        call: String,
        /// Inputs of the chip.
        expected: usize,
        /// Inputs given.
        got: usize,
        /// Where it was made.
        location: String,
    },
    /// A decomposition that is not unique.
    #[error("{count} bits can represent elements of a field of {field_bits} bits in two ways")]
    TooManyBits {
        /// Bits asked for.
        count: u32,
        /// Bits of the field.
        field_bits: u32,
    },
    /// More coefficients than the extension has.
    #[error("{count} coefficients were given for an extension of degree {degree}")]
    TooManyCoefficients {
        /// Coefficients given.
        count: usize,
        /// The degree.
        degree: usize,
    },
    /// An extension element where a base element is needed.
    #[error("{location}: the target holds an extension element, not a base element")]
    NotABaseElement {
        /// Where.
        location: String,
    },
    /// Two calls are about one thing of which there is one: a place in the cap of a tree, for example.
    #[error(transparent)]
    Key(#[from] DuplicateKey),
    /// Several of these.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<BuildError>),
}

/// A circuit at all its stages.
#[derive(Debug)]
pub struct BuiltCircuit {
    /// The operations as they were written.
    pub expr: Graph,
    /// The operations after the optimising passes.
    pub optimised: Graph,
    /// The rows of the tables, and the program that computes a witness.
    pub tables: Tables,
    /// The chips that the circuit calls.
    pub library: Library,
}

impl BuiltCircuit {
    /// The witness table: slots, and the rows that fill and check them.
    pub fn slots(&self) -> &Slots {
        &self.tables.program
    }

    /// A run of the circuit, without inputs yet.
    pub fn runner(&self) -> Runner<'_> {
        Runner { circuit: self, inputs: Inputs::default(), hints: None }
    }
}

/// The values of all slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// For each slot, the canonical integers of the coefficients, the constant one first.
    pub slots: Vec<Vec<u64>>,
}

/// A run of a circuit: collects inputs and computes the witness.
#[derive(Debug)]
pub struct Runner<'a> {
    circuit: &'a BuiltCircuit,
    inputs: Inputs,
    hints: Option<&'a HintRegistry>,
}

impl<'a> Runner<'a> {
    /// Sets all public inputs, for circuits whose publics are base elements.
    pub fn set_public_inputs(&mut self, values: &[u64]) -> &mut Self {
        self.inputs.publics = values.iter().map(|&value| vec![value]).collect();
        self
    }

    /// Sets all public inputs, by coefficients.
    pub fn set_public_values(&mut self, values: Vec<Vec<u64>>) -> &mut Self {
        self.inputs.publics = values;
        self
    }

    /// Sets all private inputs, for circuits whose privates are base elements.
    pub fn set_private_inputs(&mut self, values: &[u64]) -> &mut Self {
        self.inputs.privates = values.iter().map(|&value| vec![value]).collect();
        self
    }

    /// Sets all private inputs, by coefficients.
    pub fn set_private_values(&mut self, values: Vec<Vec<u64>>) -> &mut Self {
        self.inputs.privates = values;
        self
    }

    /// Sets the private data of a call: canonical values of the chip's record columns, row after row.
    pub fn set_data(&mut self, target: DataTarget, values: Vec<u64>) -> &mut Self {
        let data = &mut self.inputs.data;
        data.resize(data.len().max(target.position + 1), Vec::new());
        data[target.position] = values;
        self
    }

    /// Sets the private data of a call from native records, one a row. The chip must have no `#[input]`
    /// columns besides: inputs come from the circuit.
    pub fn set_records<C: Chip>(
        &mut self,
        target: DataTarget,
        records: impl IntoIterator<Item = C::Record>,
    ) -> &mut Self {
        let mut values = Vec::new();
        for record in records {
            C::store(&record, &mut Cells::new(self.circuit.tables.program.field, &mut values));
        }
        self.set_data(target, values)
    }

    /// The functions behind the circuit's external hints.
    pub fn set_hints(&mut self, hints: &'a HintRegistry) -> &mut Self {
        self.hints = Some(hints);
        self
    }

    /// The inputs so far, as a prover takes them.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Computes the witness and checks every rule.
    ///
    /// # Errors
    ///
    /// A wrong number of inputs, missing private data, a division by zero, or all violated rules by name.
    pub fn run(&self) -> Result<Values, WitnessError> {
        with_field!(self.circuit.tables.program.field, P => {
            let witness = self.run_over::<P>()?;
            let canonical = |value: &<P as FieldPair>::Ext| -> Vec<u64> {
                let coefficients: &[<P as FieldPair>::Base] = value.as_basis_coefficients_slice();
                coefficients.iter().map(PrimeField64::as_canonical_u64).collect()
            };
            Ok(Values { slots: witness.values.iter().map(canonical).collect() })
        })
    }

    /// [`Self::run`] over a field given as a type, which must be the circuit's.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn run_over<P: FieldPair>(&self) -> Result<Witness<P>, WitnessError> {
        let environment = Environment { chips: &self.circuit.library, hints: self.hints };
        self.circuit.tables.program.execute::<P>(&self.inputs, environment)
    }
}

pub(super) fn build(
    builder: CircuitBuilder,
    form: Form,
    optimise: bool,
) -> Result<BuiltCircuit, BuildError> {
    let CircuitBuilder { graph, library, mut errors, .. } = builder;
    match errors.len() {
        0 => {}
        1 => return Err(errors.remove(0)),
        _ => return Err(BuildError::Several(errors)),
    }
    verify::verify_calls(&graph, &library)?;
    let expr = Circuit::Expr(graph);
    let optimised = if optimise { passes::optimisations().run_on(&expr)? } else { None };
    if let Some(Circuit::Expr(optimised)) = &optimised {
        verify::verify(optimised)?;
    }
    let lowered = passes::lowering(form).run_on(optimised.as_ref().unwrap_or(&expr))?;
    let optimised = optimised.unwrap_or_else(|| expr.clone());
    let (Circuit::Expr(expr), Circuit::Expr(optimised), Some(Circuit::Tables(tables))) =
        (expr, optimised, lowered)
    else {
        unreachable!("optimisations stay at stage expr, lowering ends at stage tables")
    };
    tables.check_keys(&library)?;
    let tables = tables.with_copies(&library);
    Ok(BuiltCircuit { expr, optimised, tables, library })
}
