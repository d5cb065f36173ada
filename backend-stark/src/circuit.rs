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
    AssembleError, Assembly, Environment, HintRegistry, Inputs, Library, Tables, Witness,
    WitnessError,
};
use chipwright_ir::machine::fill::{FillErrors, FillOptions, fill_with};
use chipwright_ir::machine::{Machine, MachineTrace};
use p3_field::PrimeCharacteristicRing;

use crate::config::{Config, StarkField};
use crate::key::{ProvingKey, StatementError, VerifyingKey, compile};
use crate::proof::{Proof, ProveError, VerifyError};

/// Why a circuit cannot be compiled, proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// The tables have no machine.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The machine has no keys.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// There is no witness.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The tables cannot be filled.
    #[error(transparent)]
    Fill(#[from] FillErrors),
    /// The tables cannot be proven.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
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
    /// A public input is not a canonical base element.
    #[error("public input {index} is {value}, which is not below the modulus {modulus}")]
    NotCanonical {
        /// The position.
        index: usize,
        /// The offending integer.
        value: u64,
        /// The order of the base field.
        modulus: u64,
    },
}

/// Proves a circuit for given inputs.
pub struct CircuitProver<P: StarkField> {
    tables: Tables,
    library: Library,
    assembly: Assembly,
    key: ProvingKey<P>,
}

/// Verifies proofs of a circuit.
pub struct CircuitVerifier<P: StarkField> {
    key: VerifyingKey<P>,
    /// The number of base elements of each public input.
    widths: Vec<usize>,
    /// The chips' names, to find the one with the public values.
    public_table: Option<usize>,
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
    let (key, verifying) = compile::<P>(&assembly.machine, config)?;
    let verifier = CircuitVerifier {
        key: verifying,
        widths: assembly.public_widths().collect(),
        public_table: assembly.machine.position("public"),
    };
    Ok((CircuitProver { tables, library: library.clone(), assembly, key }, verifier))
}

impl<P: StarkField> CircuitProver<P> {
    /// Computes the witness, the traces and the proof.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not fit the circuit or violate one of its rules.
    pub fn prove(&self, inputs: &Inputs) -> Result<Proof<P>, CircuitError> {
        let witness = self.witness(inputs, None)?;
        Ok(self.key.prove(self.trace(&witness)?)?)
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
        let options = FillOptions {
            min_height: self.key.verifying_key().config().min_height(),
            ..FillOptions::default()
        };
        Ok(fill_with::<P>(&self.assembly.machine, &self.assembly.input(witness), &options)?)
    }

    /// The machine that the circuit is assembled into.
    pub fn machine(&self) -> &Machine {
        &self.assembly.machine
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
        &self.key
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
        let modulus = P::FIELD.modulus();
        for (index, (value, &expected)) in publics.iter().zip(&self.widths).enumerate() {
            if value.len() != expected {
                return Err(CircuitError::PublicWidth { index, expected, found: value.len() });
            }
            if let Some(&value) = value.iter().find(|&&value| value >= modulus) {
                return Err(CircuitError::NotCanonical { index, value, modulus });
            }
        }
        let values = publics.iter().flatten().map(|&value| P::Base::from_u64(value)).collect();
        let mut by_table = vec![Vec::new(); self.key.tables().len()];
        if let Some(table) = self.public_table {
            by_table[table] = values;
        }
        Ok(self.key.verify(&by_table, proof)?)
    }

    /// The key of the machine.
    pub fn key(&self) -> &VerifyingKey<P> {
        &self.key
    }
}
