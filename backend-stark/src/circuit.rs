//! Proving circuits: witness generation, assembly into a machine, and the machine's proof, in one place.
//!
//! ```
//! use chipwright_ir::circuit::{BinaryOp, Form, Graph, ValueType, lower_to_slots, lower_to_tables};
//! use chipwright_ir::Field;
//!
//! // 37·x − 111 = 0
//! let mut toy = Graph::new("toy", Field::Goldilocks2);
//! let x = toy.public(ValueType::Felt);
//! let k = toy.constant(37);
//! let product = toy.binary(BinaryOp::Mul, k, x);
//! let k = toy.constant(111);
//! let difference = toy.binary(BinaryOp::Sub, product, k);
//! toy.assert_zero(difference);
//! let tables = lower_to_tables(lower_to_slots(&toy, Form::Fused)?);
//! // `compile_circuit::<Goldilocks2>(tables, &library, &config)` gives a prover and a verifier; the
//! // library of standard chips is in the crate `chipwright-chips`.
//! # assert_eq!(tables.row_count(), 6);
//! # Ok::<(), chipwright_ir::circuit::LowerError>(())
//! ```

use chipwright_ir::circuit::{
    AssembleError, Assembly, Environment, HintRegistry, Inputs, Library, PUBLIC_TABLE, Tables,
    Witness, WitnessError,
};
use chipwright_ir::machine::{Machine, MachineTrace};

use crate::config::{Config, StarkField};
use crate::key::{ProvingKey, VerifyingKey};
use crate::machine::{MachineError, MachineProver, MachineVerifier, compile_machine};
use crate::proof::Proof;

/// Why a circuit cannot be compiled, proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// The tables have no machine.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// There is no witness.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The machine cannot be compiled, proven or verified.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The public inputs do not fit the circuit.
    #[error("public input {index} has {found} base elements, the circuit expects {expected}")]
    PublicWidth {
        /// The position.
        index: usize,
        /// The number of base elements that the circuit declares.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// Too many or too few public inputs.
    #[error("{found} public inputs were given, the circuit has {expected}")]
    PublicCount {
        /// How many the circuit has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
}

/// Proves a circuit for given inputs.
pub struct CircuitProver<P: StarkField> {
    tables: Tables,
    library: Library,
    assembly: Assembly,
    machine: MachineProver<P>,
}

/// Verifies proofs of a circuit.
pub struct CircuitVerifier<P: StarkField> {
    machine: MachineVerifier<P>,
    /// The number of base elements of each public input.
    widths: Vec<usize>,
}

impl<P: StarkField> std::fmt::Debug for CircuitProver<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CircuitProver")
            .field("circuit", &self.tables.program.name)
            .finish_non_exhaustive()
    }
}

impl<P: StarkField> std::fmt::Debug for CircuitVerifier<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CircuitVerifier").field("publics", &self.widths).finish_non_exhaustive()
    }
}

/// Compiles a circuit: assembles its machine, and commits to its preprocessed columns.
///
/// # Errors
///
/// Fails if the library lacks a chip, or the machine cannot be proven under the configuration.
pub fn compile_circuit<P: StarkField>(
    tables: Tables,
    library: &Library,
    config: &Config,
) -> Result<(CircuitProver<P>, CircuitVerifier<P>), CircuitError> {
    let assembly = tables.assemble(library)?;
    let (machine, verifier) = compile_machine::<P>(assembly.machine.clone(), config)?;
    let verifier =
        CircuitVerifier { machine: verifier, widths: assembly.public_widths().collect() };
    Ok((CircuitProver { tables, library: library.clone(), assembly, machine }, verifier))
}

impl<P: StarkField> CircuitProver<P> {
    /// Computes the witness, the traces and the proof.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not fit the circuit or violate one of its rules.
    pub fn prove(&self, inputs: &Inputs) -> Result<Proof<P>, CircuitError> {
        self.prove_with_hints(inputs, None)
    }

    /// [`Self::prove`] with a registry that resolves the external hints by name.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::prove`] does.
    pub fn prove_with_hints(
        &self,
        inputs: &Inputs,
        hints: Option<&HintRegistry>,
    ) -> Result<Proof<P>, CircuitError> {
        let witness = self.witness(inputs, hints)?;
        Ok(self.machine.prove(&self.assembly.input(&witness))?)
    }

    /// Computes the value of every slot. `hints` resolves the external hints by name.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not fit the circuit or violate one of its rules.
    pub fn witness(
        &self,
        inputs: &Inputs,
        hints: Option<&HintRegistry>,
    ) -> Result<Witness<P>, CircuitError> {
        let environment = Environment { chips: &self.library, hints };
        Ok(self.tables.program.execute::<P>(inputs, environment)?)
    }

    /// Fills the tables.
    ///
    /// # Errors
    ///
    /// Fails if a chip cannot be filled.
    pub fn trace(&self, witness: &Witness<P>) -> Result<MachineTrace<P::Base>, CircuitError> {
        Ok(self.machine.trace(&self.assembly.input(witness))?)
    }

    /// The machine that is proven: the circuit's, its degrees lowered.
    pub fn machine(&self) -> &Machine {
        self.machine.machine()
    }

    /// The machine together with where its rows come from.
    pub fn assembly(&self) -> &Assembly {
        &self.assembly
    }

    /// The circuit at stage `tables`.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The key of the machine.
    pub fn key(&self) -> &ProvingKey<P> {
        self.machine.key()
    }
}

impl<P: StarkField> CircuitVerifier<P> {
    /// Verifies a proof for some public inputs: the canonical integers of each one's coefficients.
    ///
    /// # Errors
    ///
    /// Fails if the public inputs do not fit the circuit, or the proof does not prove them.
    pub fn verify(&self, publics: &[Vec<u64>], proof: &Proof<P>) -> Result<(), CircuitError> {
        if publics.len() != self.widths.len() {
            let (expected, found) = (self.widths.len(), publics.len());
            return Err(CircuitError::PublicCount { expected, found });
        }
        for (index, (value, &expected)) in publics.iter().zip(&self.widths).enumerate() {
            if value.len() != expected {
                return Err(CircuitError::PublicWidth { index, expected, found: value.len() });
            }
        }
        let values: Vec<u64> = publics.iter().flatten().copied().collect();
        let publics =
            if values.is_empty() { Vec::new() } else { vec![(PUBLIC_TABLE.to_owned(), values)] };
        Ok(self.machine.verify(&publics, proof)?)
    }

    /// The key of the machine.
    pub fn key(&self) -> &VerifyingKey<P> {
        self.machine.key()
    }
}
