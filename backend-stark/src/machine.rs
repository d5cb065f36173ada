//! Proving machines: from an executor's records to a proof, and from named public values to a verdict.
//!
//! [`MachineProver::prove`] fills the tables, checks them in the open, and proves them; what does not hold
//! is reported with rules, cells and rows before any time is spent on a proof. Those who need no such
//! check fill for themselves and use [`ProvingKey::prove`].
//!
//! ```
//! # use chipwright_backend_stark::{config::Config, machine::{MachineError, compile_machine}};
//! # use chipwright_ir::{field::Goldilocks2, machine::{Machine, MachineInput}};
//! # fn example(machine: Machine, input: &MachineInput) -> Result<(), MachineError> {
//! let (prover, verifier) = compile_machine::<Goldilocks2>(machine, &Config::proven_100())?;
//! let proof = prover.prove(input)?;
//! verifier.verify(&input.publics, &proof)?;
//! # Ok(()) }
//! ```

use std::fmt;

use chipwright_ir::chip::FixedData;
use chipwright_ir::chip::passes::{LowerDegreeError, gate_contents, lower_degree};
use chipwright_ir::chip::verify::VerifierErrors;
use chipwright_ir::machine::fill::{FillErrors, FillOptions, fill_with};
use chipwright_ir::machine::{Machine, MachineInput, MachineTrace, Report, check, verify};
use p3_field::PrimeCharacteristicRing;

use crate::config::{Config, StarkField};
use crate::key::{ProvingKey, StatementError, VerifyingKey, compile};
use crate::proof::{Proof, ProveError, VerifyError};

/// Why a machine cannot be compiled, proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// The machine is not well formed.
    #[error(transparent)]
    Invalid(#[from] VerifierErrors),
    /// A rule or a message has too high a degree, and no column can help.
    #[error(transparent)]
    Degree(#[from] LowerDegreeError),
    /// The machine has no keys.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The tables cannot be filled.
    #[error(transparent)]
    Fill(#[from] FillErrors),
    /// The records do not satisfy the rules.
    #[error("the trace does not satisfy the machine\n{0}")]
    Violated(Report),
    /// The tables cannot be proven.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Public values for a chip that is not there, or twice for one.
    #[error("public values were given for chip `{chip}`, which {problem}")]
    PublicChip {
        /// The name given.
        chip: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A public value is not a canonical base element.
    #[error("public value {index} of chip `{chip}` is {value}, not below the modulus {modulus}")]
    NotCanonical {
        /// The chip.
        chip: String,
        /// The position among the chip's public values.
        index: usize,
        /// The integer given.
        value: u64,
        /// The order of the base field.
        modulus: u64,
    },
}

/// Proves that a machine ran as an executor says.
pub struct MachineProver<P: StarkField> {
    machine: Machine,
    key: ProvingKey<P>,
}

/// Verifies proofs of a machine.
#[derive(Clone)]
pub struct MachineVerifier<P: StarkField> {
    key: VerifyingKey<P>,
}

/// Compiles a machine: verifies its IR, closes the rows beyond fixed contents, lowers rules and messages to the
/// degree that the configuration allows, and commits to its preprocessed columns.
///
/// # Errors
///
/// Says what of the machine cannot be proven under the configuration.
pub fn compile_machine<P: StarkField>(
    mut machine: Machine,
    config: &Config,
) -> Result<(MachineProver<P>, MachineVerifier<P>), MachineError> {
    verify(&machine)?;
    for chip in &mut machine.chips {
        let rows = chip.fixed.as_ref().map_or(0, FixedData::rows);
        let height = rows.next_power_of_two().max(config.min_height());
        *chip = lower_degree(&gate_contents(chip, height), config.max_degree())?;
    }
    let (key, verifying) = compile(&machine, config)?;
    Ok((MachineProver { machine, key }, MachineVerifier { key: verifying }))
}

impl<P: StarkField> MachineProver<P> {
    /// Fills the tables, checks them, and proves them.
    ///
    /// # Errors
    ///
    /// Reports everything that does not hold.
    pub fn prove(&self, input: &MachineInput) -> Result<Proof<P>, MachineError> {
        let trace = self.trace(input)?;
        let report = self.check(&trace);
        if !report.is_ok() {
            return Err(MachineError::Violated(report));
        }
        Ok(self.key.prove(trace)?)
    }

    /// Fills the tables, as high as the configuration needs them.
    ///
    /// # Errors
    ///
    /// Says which cells have no value.
    pub fn trace(&self, input: &MachineInput) -> Result<MachineTrace<P::Base>, MachineError> {
        let min_height = self.key.verifying_key().config().min_height();
        let options = FillOptions { min_height, ..FillOptions::default() };
        Ok(fill_with::<P>(&self.machine, input, &options)?)
    }

    /// Everything that does not hold in a trace.
    pub fn check(&self, trace: &MachineTrace<P::Base>) -> Report {
        check::<P>(&self.machine, trace)
    }

    /// The machine, its degrees lowered.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine's key.
    pub fn key(&self) -> &ProvingKey<P> {
        &self.key
    }
}

impl<P: StarkField> MachineVerifier<P> {
    /// Verifies a proof for public values given by chip. Chips without public values are left out.
    ///
    /// # Errors
    ///
    /// Fails if the public values do not fit the machine, or the proof does not prove them.
    pub fn verify(
        &self,
        publics: &[(String, Vec<u64>)],
        proof: &Proof<P>,
    ) -> Result<(), MachineError> {
        Ok(self.key.verify(&self.publics(publics)?, proof)?)
    }

    /// Public values in the order of the machine's chips, as elements.
    ///
    /// # Errors
    ///
    /// Fails if there is no such chip, or a value is not canonical: none is reduced.
    pub fn publics(&self, named: &[(String, Vec<u64>)]) -> Result<Vec<Vec<P::Base>>, MachineError> {
        let tables = self.key.tables();
        let mut publics: Vec<Option<Vec<P::Base>>> = vec![None; tables.len()];
        let modulus = P::FIELD.modulus();
        for (chip, values) in named {
            let problem = |problem| MachineError::PublicChip { chip: chip.clone(), problem };
            let position = tables
                .iter()
                .position(|table| table.name == *chip)
                .ok_or_else(|| problem("does not exist"))?;
            if let Some(index) = values.iter().position(|&value| value >= modulus) {
                let (chip, value) = (chip.clone(), values[index]);
                return Err(MachineError::NotCanonical { chip, index, value, modulus });
            }
            let values = values.iter().map(|&value| P::Base::from_u64(value)).collect();
            if publics[position].replace(values).is_some() {
                return Err(problem("was given some already"));
            }
        }
        Ok(publics.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// The machine's key.
    pub fn key(&self) -> &VerifyingKey<P> {
        &self.key
    }
}

impl<P: StarkField> From<VerifyingKey<P>> for MachineVerifier<P> {
    fn from(key: VerifyingKey<P>) -> Self {
        Self { key }
    }
}

impl<P: StarkField> fmt::Debug for MachineProver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineProver")
            .field("machine", &self.machine.name)
            .field("key", &self.key)
            .finish()
    }
}

impl<P: StarkField> fmt::Debug for MachineVerifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineVerifier").field("key", &self.key).finish()
    }
}
