//! Proving and verifying: Plonky3's batch STARK over the tables of a machine.
//!
//! [`ProvingKey::prove`] takes the tables as they are: whether they satisfy the rules is the question that
//! verification answers, and `chipwright_ir::machine::check` explains. [`VerifyingKey::verify`] checks the
//! shape of a proof against the key before it hands it to `p3_batch_stark::verify_batch`.
//!
//! # Soundness
//!
//! Rules, tables, publics counts, preprocessed columns and parameters come from the key, public values
//! from the caller. A proof chooses the heights of the tables that have no preprocessed columns; the
//! security of the heights it chose is computed, and must reach the configuration's target.

use std::fmt;

use chipwright_ir::machine::MachineTrace;
use p3_batch_stark::BatchProof;
#[cfg(feature = "reference")]
use p3_batch_stark::StarkInstance;
use p3_matrix::dense::RowMajorMatrix;

use crate::config::{ConfigError, Stark, StarkField};
use crate::encoding::{self, DecodeError, Kind};
use crate::key::{ProvingKey, VerifyingKey};
use crate::prover::{Instance, Phases};
use crate::security::SecurityReport;
use crate::shape::HeightsError;
use crate::verifier::VerifierAir;

/// A proof that the tables of a machine satisfy its rules and that its buses balance.
pub struct Proof<P: StarkField> {
    statement: [u8; 32],
    batch: BatchProof<Stark<P>>,
}

/// Tables that cannot be proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// There is not one table for each chip.
    #[error("the machine has {expected} tables, the trace {found} and public values for {publics}")]
    Tables {
        /// The number of chips.
        expected: usize,
        /// The number of tables given.
        found: usize,
        /// The number of vectors of public values given.
        publics: usize,
    },
    /// A table has the wrong shape.
    #[error(
        "table `{table}` has {cells} cells in {height} rows; expected rows of {width} cells, and \
         {expected_height} of them"
    )]
    Shape {
        /// The chip's name.
        table: String,
        /// The number of cells given.
        cells: usize,
        /// The number of rows given.
        height: usize,
        /// The number of columns.
        width: usize,
        /// What is expected of the height.
        expected_height: String,
    },
    /// A table has the wrong number of public values.
    #[error("table `{table}` has {expected} public values, {found} were given")]
    Publics {
        /// The chip's name.
        table: String,
        /// The number of public values.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// No proof under the key may have tables of these heights.
    #[error(transparent)]
    Heights(#[from] HeightsError),
    /// The commitment scheme refused.
    #[error("the prover failed: {reason}")]
    Prover {
        /// What it said.
        reason: String,
    },
}

/// A proof that does not prove the statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The proof belongs to another key.
    #[error("the proof is of statement {found}, the key of {expected}")]
    Statement {
        /// The digest of the key, abbreviated.
        expected: String,
        /// The digest that the proof names, abbreviated.
        found: String,
    },
    /// The public values do not fit the key.
    #[error("the key takes {expected:?} public values per table, {found:?} were given")]
    Publics {
        /// The number of public values of each table.
        expected: Vec<usize>,
        /// The numbers given.
        found: Vec<usize>,
    },
    /// No proof under the key may have tables of the heights that this one claims.
    #[error(transparent)]
    Heights(#[from] HeightsError),
    /// The verifier rejected the proof.
    #[error("the proof is rejected: {reason}")]
    Rejected {
        /// What the verifier found.
        reason: String,
    },
}

impl<P: StarkField> ProvingKey<P> {
    /// Proves that tables satisfy the machine's rules.
    ///
    /// # Errors
    ///
    /// Fails if the tables do not have the shapes that the key demands, or are too tall for the
    /// configuration's target. Tables that violate a rule give a proof that does not verify.
    pub fn prove(&self, trace: MachineTrace<P::Base>) -> Result<Proof<P>, ProveError> {
        Ok(self.prove_with_phases(trace)?.0)
    }

    /// [`Self::prove`], with the time that each phase took.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::prove`] does.
    pub fn prove_with_phases(
        &self,
        trace: MachineTrace<P::Base>,
    ) -> Result<(Proof<P>, Phases), ProveError> {
        P::prove_trace(self, trace)
    }

    pub(crate) fn prove_generic(
        &self,
        trace: MachineTrace<P::Base>,
    ) -> Result<(Proof<P>, Phases), ProveError> {
        let key = self.verifying_key();
        let checked = self.checked(trace)?;
        let tables = self.airs().iter().zip(&checked.matrices).zip(&checked.publics);
        let instances: Vec<_> = tables
            .zip(&checked.log_heights)
            .zip(&key.common().lookups)
            .enumerate()
            .map(|(table, ((((air, main), publics), &log_height), lookups))| Instance {
                air,
                lookups,
                main: &main.values,
                publics,
                log_height,
                log_chunks: key.shape().log_quotient_chunks(table, log_height),
            })
            .collect();
        let (batch, phases) = P::prove_prepared(self.prepared(), key.stark(), &instances)
            .map_err(|reason| ProveError::Prover { reason })?;
        Ok((Proof { statement: *key.digest(), batch }, phases))
    }

    /// Proves with Plonky3's prover, whose proofs this crate's own prover reproduces: slower, and an
    /// oracle for tests.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::prove`] does.
    #[cfg(feature = "reference")]
    pub fn prove_by_reference(&self, trace: MachineTrace<P::Base>) -> Result<Proof<P>, ProveError> {
        let key = self.verifying_key();
        let Checked { matrices, publics, .. } = self.checked(trace)?;
        let data =
            self.reference().map_err(|reason| ProveError::Prover { reason: reason.clone() })?;
        let instances: Vec<_> = self
            .airs()
            .iter()
            .zip(&matrices)
            .zip(publics)
            .map(|((air, trace), public_values)| StarkInstance { air, trace, public_values })
            .collect();
        let batch = P::prove(key.stark(), &instances, data)
            .map_err(|reason| ProveError::Prover { reason })?;
        Ok(Proof { statement: *key.digest(), batch })
    }

    /// Tables of the shapes that the key demands.
    fn checked(&self, trace: MachineTrace<P::Base>) -> Result<Checked<P::Base>, ProveError> {
        let key = self.verifying_key();
        let MachineTrace { tables, publics } = trace;
        let expected = key.tables().len();
        if tables.len() != expected || publics.len() != expected {
            let (found, publics) = (tables.len(), publics.len());
            return Err(ProveError::Tables { expected, found, publics });
        }
        let mut matrices = Vec::with_capacity(expected);
        let mut log_heights = Vec::with_capacity(expected);
        let shapes = key.tables().iter().enumerate();
        for (((index, shape), table), publics) in shapes.zip(tables).zip(&publics) {
            let (low, high) = key.shape().log_height_range(index);
            let log_height = table.height.checked_ilog2().unwrap_or(0) as usize;
            if table.width != shape.width
                || table.height.checked_mul(shape.width) != Some(table.values.len())
                || !table.height.is_power_of_two()
                || !(low..=high).contains(&log_height)
            {
                return Err(ProveError::Shape {
                    table: shape.name.clone(),
                    cells: table.values.len(),
                    height: table.height,
                    width: shape.width,
                    expected_height: if low == high {
                        format!("2^{low}")
                    } else {
                        format!("a power of two from 2^{low} to 2^{high}")
                    },
                });
            }
            if publics.len() != shape.publics {
                return Err(ProveError::Publics {
                    table: shape.name.clone(),
                    expected: shape.publics,
                    found: publics.len(),
                });
            }
            log_heights.push(log_height);
            matrices.push(RowMajorMatrix::new(table.values, shape.width));
        }
        key.shape().admit(&log_heights)?;
        Ok(Checked { matrices, publics, log_heights })
    }
}

/// Tables that fit their key.
struct Checked<F> {
    matrices: Vec<RowMajorMatrix<F>>,
    publics: Vec<Vec<F>>,
    log_heights: Vec<usize>,
}

impl<P: StarkField> VerifyingKey<P> {
    /// Verifies a proof against the public values of each table.
    ///
    /// # Errors
    ///
    /// Says why the proof does not prove the statement.
    pub fn verify(&self, publics: &[Vec<P::Base>], proof: &Proof<P>) -> Result<(), VerifyError> {
        P::verify_proof(self, publics, proof)
    }

    pub(crate) fn verify_generic(
        &self,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
    ) -> Result<(), VerifyError> {
        if proof.statement != *self.digest() {
            return Err(VerifyError::Statement {
                expected: encoding::abbreviate(self.digest()),
                found: encoding::abbreviate(&proof.statement),
            });
        }
        let tables = self.tables();
        if !publics.iter().map(Vec::len).eq(tables.iter().map(|table| table.publics)) {
            return Err(VerifyError::Publics {
                expected: tables.iter().map(|table| table.publics).collect(),
                found: publics.iter().map(Vec::len).collect(),
            });
        }
        let log_heights = proof.log_heights();
        self.shape().admit(log_heights)?;
        let airs: Vec<_> = self
            .airs()
            .iter()
            .zip(log_heights)
            .enumerate()
            .map(|(table, (air, &log_height))| {
                VerifierAir::new(air, self.shape().log_quotient_chunks(table, log_height))
            })
            .collect();
        P::verify(self.stark(), &airs, &proof.batch, publics, self.common())
            .map_err(|reason| VerifyError::Rejected { reason })
    }
}

impl<P: StarkField> Proof<P> {
    /// The digest of the statement that the proof claims to be about.
    pub fn statement(&self) -> &[u8; 32] {
        &self.statement
    }

    /// The proof as Plonky3 knows it.
    pub fn batch(&self) -> &BatchProof<Stark<P>> {
        &self.batch
    }

    /// Mutable access to the proof as Plonky3 knows it, for tests that forge proofs.
    pub fn batch_mut(&mut self) -> &mut BatchProof<Stark<P>> {
        &mut self.batch
    }

    /// The base-2 logarithms of the heights of the tables.
    pub fn log_heights(&self) -> &[usize] {
        &self.batch.degree_bits
    }

    /// What the proof is worth under a key.
    ///
    /// # Errors
    ///
    /// Fails as [`SecurityReport::new`] does.
    pub fn security(&self, key: &VerifyingKey<P>) -> Result<SecurityReport, ConfigError> {
        key.security(self.log_heights())
    }

    /// The proof as versioned bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        P::write_proof(self)
    }

    pub(crate) fn to_bytes_generic(&self) -> Vec<u8> {
        encoding::encode(Kind::Proof, &self.statement, &self.batch)
    }

    /// Reads a proof that is to be verified under `key`.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not the encoding of a proof of the key's statement.
    pub fn from_bytes(key: &VerifyingKey<P>, bytes: &[u8]) -> Result<Self, DecodeError> {
        P::read_proof(key, bytes)
    }

    pub(crate) fn from_bytes_generic(
        key: &VerifyingKey<P>,
        bytes: &[u8],
    ) -> Result<Self, DecodeError> {
        let (statement, batch) = encoding::decode(Kind::Proof, Some(key.digest()), bytes)?;
        Ok(Self { statement, batch })
    }
}

impl<P: StarkField> fmt::Debug for Proof<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("statement", &encoding::abbreviate(&self.statement))
            .field("log_heights", &self.log_heights())
            .finish_non_exhaustive()
    }
}
