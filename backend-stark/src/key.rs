//! Keys: a machine compiled under a configuration.
//!
//! Compiling checks the machine, commits to its preprocessed columns, and lays out its lookup columns,
//! once for all proofs. The verifying key keeps the [`Statement`] and the commitment; everything else
//! that a verifier needs is computed from these two when the key is read.
//!
//! ```
//! # use chipwright_backend_stark::{config::Config, key::{StatementError, compile}};
//! # use chipwright_ir::{field::Goldilocks2, machine::Machine};
//! # fn example(machine: &Machine) -> Result<(), StatementError> {
//! let (proving_key, verifying_key) = compile::<Goldilocks2>(machine, &Config::proven_100())?;
//! assert_eq!(proving_key.verifying_key().digest(), verifying_key.digest());
//! # Ok(()) }
//! ```

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "reference")]
use std::sync::OnceLock;

use chipwright_ir::chip::Chip;
use chipwright_ir::field::from_canonical;
use chipwright_ir::machine::Machine;
#[cfg(feature = "reference")]
use p3_batch_stark::ProverData;
use p3_batch_stark::common::{GlobalPreprocessed, PreprocessedInstanceMeta};
use p3_batch_stark::{Commitment, CommonData};
use p3_field::PrimeField64;
use p3_matrix::dense::RowMajorMatrix;
use serde::{Deserialize, Serialize};

use crate::air::RecordedAir;
use crate::config::{Config, ConfigError, Stark, StarkField};
use crate::encoding::{self, DecodeError, Kind};
use crate::prover::Prepared;
use crate::security::SecurityReport;
#[cfg(feature = "reference")]
use crate::shape::nominal_log_heights;
pub use crate::shape::{HeightsError, KeyShape, TableShape};
use crate::statement::max_log_height;
pub use crate::statement::{Statement, StatementError};

/// What a verifier needs to know about a machine: cheap to clone.
pub struct VerifyingKey<P: StarkField> {
    inner: Arc<Inner<P>>,
}

struct Inner<P: StarkField> {
    digest: [u8; 32],
    shape: Arc<KeyShape<P>>,
    stark: Stark<P>,
    common: CommonData<Stark<P>>,
}

/// What a prover needs to know about a machine.
pub struct ProvingKey<P: StarkField> {
    verifying: VerifyingKey<P>,
    airs: Vec<RecordedAir<P::Base>>,
    prepared: Prepared<P>,
    /// The data of Plonky3's prover, once it is asked for.
    #[cfg(feature = "reference")]
    reference: OnceLock<Result<ProverData<Stark<P>>, String>>,
}

/// A verifying key as it is written.
#[derive(Serialize, Deserialize)]
struct KeyBody<C> {
    statement: Statement,
    fixed: Option<C>,
}

/// Compiles a machine: checks it, and commits to its preprocessed columns.
///
/// # Errors
///
/// Says what of the machine cannot be proven under the configuration.
pub fn compile<P: StarkField>(
    machine: &Machine,
    config: &Config,
) -> Result<(ProvingKey<P>, VerifyingKey<P>), StatementError> {
    P::keys(machine, Arc::new(KeyShape::new(machine, config)?))
}

/// [`compile`], if the shape of the key is known already.
///
/// # Errors
///
/// Fails as [`compile`] does, and if the shape is that of another machine.
pub fn compile_shaped<P: StarkField>(
    machine: &Machine,
    shape: Arc<KeyShape<P>>,
) -> Result<(ProvingKey<P>, VerifyingKey<P>), StatementError> {
    if *shape.statement() != Statement::new(machine, shape.config())? {
        return Err(StatementError::Shape);
    }
    P::keys(machine, shape)
}

pub(crate) fn keys_generic<P: StarkField>(
    machine: &Machine,
    shape: Arc<KeyShape<P>>,
) -> Result<(ProvingKey<P>, VerifyingKey<P>), StatementError> {
    let log_heights = shape.statement().log_heights();
    let airs: Vec<RecordedAir<P::Base>> = machine
        .chips
        .iter()
        .zip(shape.airs())
        .zip(log_heights)
        .map(|((chip, air), log_height)| match log_height {
            Some(log_height) => air.with_fixed(fixed_matrix(chip, log_height)),
            None => air.clone(),
        })
        .collect();
    let mut prepared = P::prepare(shape.config(), &airs);
    let verifying = VerifyingKey::new(shape, prepared.commitment())?;
    prepared
        .compile(&machine.chips, &verifying.common().lookups)
        .map_err(|reason| StatementError::Commitment { reason })?;
    let key = ProvingKey {
        verifying: verifying.clone(),
        airs,
        prepared,
        #[cfg(feature = "reference")]
        reference: OnceLock::new(),
    };
    Ok((key, verifying))
}

/// A chip's fixed columns row by row, as high as its table.
fn fixed_matrix<F: PrimeField64>(chip: &Chip, log_height: usize) -> RowMajorMatrix<F> {
    let columns = chip.contents(1 << log_height);
    let width = columns.len();
    let mut values = F::zero_vec(width << log_height);
    for (index, column) in columns.iter().enumerate() {
        for (row, &value) in column.iter().enumerate() {
            values[row * width + index] = from_canonical(value);
        }
    }
    RowMajorMatrix::new(values, width)
}

impl<P: StarkField> VerifyingKey<P> {
    fn new(
        shape: Arc<KeyShape<P>>,
        commitment: Option<Commitment<Stark<P>>>,
    ) -> Result<Self, StatementError> {
        let digest = shape.statement().digest(commitment.as_ref());
        let stark = P::stark(&shape.config().parameters, &digest);
        let preprocessed = preprocessed::<P>(shape.tables(), commitment)?;
        let common = CommonData::new(preprocessed, shape.lookups().to_vec());
        Ok(Self { inner: Arc::new(Inner { digest, shape, stark, common }) })
    }

    /// What the key fixes but for the contents of the preprocessed columns.
    pub fn shape(&self) -> &KeyShape<P> {
        &self.inner.shape
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        self.shape().config()
    }

    /// The digest of everything that a proof under this key is about.
    pub fn digest(&self) -> &[u8; 32] {
        &self.inner.digest
    }

    /// The tables, in the order of the machine's chips.
    pub fn tables(&self) -> &[TableShape] {
        self.shape().tables()
    }

    /// The proof system, its transcript begun with [`Self::digest`].
    pub fn stark(&self) -> &Stark<P> {
        &self.inner.stark
    }

    /// The tables' constraints. Their preprocessed columns have no contents.
    pub fn airs(&self) -> &[RecordedAir<P::Base>] {
        self.shape().airs()
    }

    /// The commitment to the preprocessed columns, and the lookups of every table.
    pub fn common(&self) -> &CommonData<Stark<P>> {
        &self.inner.common
    }

    /// What a proof of tables of these heights is worth ([`KeyShape::security`]).
    ///
    /// # Errors
    ///
    /// Fails as [`SecurityReport::new`] does.
    pub fn security(&self, log_heights: &[usize]) -> Result<SecurityReport, ConfigError> {
        self.shape().security(log_heights)
    }

    /// The base-2 logarithm of the tallest table possible.
    pub fn max_log_height(&self) -> usize {
        max_log_height(self.config())
    }

    /// The key as versioned bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        P::write_key(self)
    }

    pub(crate) fn to_bytes_generic(&self) -> Vec<u8> {
        let fixed = self.common().preprocessed.as_ref().map(|fixed| fixed.commitment.clone());
        let body = KeyBody { statement: self.shape().statement().clone(), fixed };
        encoding::encode(Kind::VerifyingKey, self.digest(), &body)
    }

    /// Reads a key.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not the encoding of a verifying key of this field, or not of this version,
    /// or if they were altered.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        P::read_key(bytes)
    }

    pub(crate) fn from_bytes_generic(bytes: &[u8]) -> Result<Self, KeyError> {
        type Body<P> = KeyBody<Commitment<Stark<P>>>;
        let (digest, body) = encoding::decode::<Body<P>>(Kind::VerifyingKey, None, bytes)?;
        let shape = KeyShape::of_statement(body.statement.checked()?)?;
        let key = Self::new(Arc::new(shape), body.fixed)?;
        if *key.digest() != digest {
            return Err(KeyError::Decode(DecodeError::Statement {
                expected: encoding::abbreviate(key.digest()),
                found: encoding::abbreviate(&digest),
            }));
        }
        Ok(key)
    }
}

/// Bytes that are not a usable verifying key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes do not hold a key.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The key is not one that [`compile`] makes.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

fn preprocessed<P: StarkField>(
    tables: &[TableShape],
    commitment: Option<Commitment<Stark<P>>>,
) -> Result<Option<GlobalPreprocessed<Stark<P>>>, StatementError> {
    let mut matrix_to_instance = Vec::new();
    let mut instances = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        instances.push(table.log_height.map(|degree_bits| PreprocessedInstanceMeta {
            matrix_index: matrix_to_instance.len(),
            width: table.fixed_width,
            degree_bits,
        }));
        if table.log_height.is_some() {
            matrix_to_instance.push(index);
        }
    }
    if commitment.is_some() == matrix_to_instance.is_empty() {
        return Err(StatementError::Commitment {
            reason: "a commitment is present exactly if there are preprocessed columns".to_owned(),
        });
    }
    Ok(commitment.map(|commitment| GlobalPreprocessed {
        commitment,
        instances,
        matrix_to_instance,
    }))
}

impl<P: StarkField> ProvingKey<P> {
    /// The key that verifies this key's proofs.
    pub fn verifying_key(&self) -> &VerifyingKey<P> {
        &self.verifying
    }

    /// The tables' constraints, with the contents of their preprocessed columns.
    pub(crate) fn airs(&self) -> &[RecordedAir<P::Base>] {
        &self.airs
    }

    /// What this crate's own prover keeps of the machine.
    pub(crate) fn prepared(&self) -> &Prepared<P> {
        &self.prepared
    }

    /// The data of Plonky3's prover, made when they are first asked for.
    #[cfg(feature = "reference")]
    pub(crate) fn reference(&self) -> Result<&ProverData<Stark<P>>, &String> {
        let made = self.reference.get_or_init(|| {
            let key = self.verifying_key();
            let log_heights: Vec<_> = key.shape().statement().log_heights().collect();
            let nominal = nominal_log_heights(&self.airs, &log_heights);
            P::prover_data(key.stark(), &self.airs, &nominal, key.config())
        });
        made.as_ref()
    }
}

impl<P: StarkField> Clone for VerifyingKey<P> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<P: StarkField> PartialEq for VerifyingKey<P> {
    /// Keys are equal if they are about the same statement.
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl<P: StarkField> Eq for VerifyingKey<P> {}

impl<P: StarkField> fmt::Debug for VerifyingKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("digest", &encoding::abbreviate(self.digest()))
            .field("config", &self.config().name)
            .field("tables", &self.tables())
            .finish_non_exhaustive()
    }
}

impl<P: StarkField> fmt::Debug for ProvingKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvingKey").field("verifying", &self.verifying).finish_non_exhaustive()
    }
}
