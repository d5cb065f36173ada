//! Proofs of foreign AIRs: any AIR over the base field, proven by `p3_uni_stark::prove`.
//!
//! Such a proof has one table, no lookups, and a transcript that begins with the statement's own numbers. Its
//! shape is that of a batch of one table, so that [`crate::batch::verify_batch`] verifies it like any other:
//! the AIR's constraints are recorded from its own `eval`.
//!
//! ```
//! use chipwright_backend_stark::config::Config;
//! use chipwright_ir::field::Goldilocks2;
//! use chipwright_recursion::foreign::{ForeignError, foreign_shape};
//! use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
//!
//! /// Every row is the square of the one before.
//! struct Squares;
//!
//! impl<F> BaseAir<F> for Squares {
//!     fn width(&self) -> usize {
//!         1
//!     }
//! }
//!
//! impl<AB: AirBuilder> Air<AB> for Squares {
//!     fn eval(&self, builder: &mut AB) {
//!         let main = builder.main();
//!         let (here, next) = (main.current_slice()[0], main.next_slice()[0]);
//!         builder.when_transition().assert_eq(here * here, next);
//!     }
//! }
//!
//! let shape = foreign_shape::<Goldilocks2, _>("squares", &Squares, &Config::testing(), 10)?;
//! assert_eq!(shape.log_heights().collect::<Vec<_>>(), [10]);
//! # Ok::<(), ForeignError>(())
//! ```
//!
//! # Soundness
//!
//! A verifier of `p3-uni-stark` believes the AIR about its own width, next-row columns and degree; so does this
//! one. An AIR that declares fewer next-row columns than it reads is not sound in either. What the transcript
//! observed before the proof began, if anything, is [`ChildKey::seed`](crate::batch::ChildKey::seed), and the
//! commitment to the preprocessed columns `fixed_cap`.

use chipwright_backend_stark::config::{Config, ConfigError, Stark};
use chipwright_backend_stark::security::{self, InsufficientSecurity, SecurityReport};
use chipwright_ir::Field;
use p3_air::Air;
use p3_uni_stark::{PreprocessedVerifierKey, StarkShape, SymbolicAirBuilder};

use crate::batch::{BatchShape, CapTree, ChildKey, Protocol, RecursiveField, ShapeError};
use crate::constraints::{BatchConstraints, ConstraintsError, TableConstraints};
use crate::level::Level;

/// Why proofs of an AIR cannot be verified in a circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// The constraints cannot be evaluated in a circuit, or a parameter is not supported.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The configuration does not reach its target for a table of this shape.
    #[error(transparent)]
    Security(#[from] InsufficientSecurity),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A configuration over another field: what it proves is not what proofs over this one do.
    #[error("the circuit is over {circuit}, the configuration over {config}")]
    Field {
        /// The field of the circuit.
        circuit: Field,
        /// The field of the configuration.
        config: Field,
    },
    /// Fewer rows than the configuration allows.
    #[error("table `{table}` has 2^{log_height} rows, the configuration wants {least} or more")]
    TooLow {
        /// The name of the AIR.
        table: String,
        /// The base-2 logarithm of the height.
        log_height: usize,
        /// The smallest height.
        least: usize,
    },
    /// Preprocessed columns of another shape than the AIR's.
    #[error("the shape has {expected} {what}, the key of the preprocessed columns {got}")]
    Fixed {
        /// What differs.
        what: &'static str,
        /// The number that the shape has.
        expected: usize,
        /// The number that the key has.
        got: usize,
    },
}

impl From<ConstraintsError> for ForeignError {
    fn from(error: ConstraintsError) -> Self {
        Self::Shape(error.into())
    }
}

/// The shape of proofs of an AIR for tables of `2^log_height` rows, by `p3_uni_stark` with the parameters of
/// a configuration.
///
/// # Errors
///
/// Fails if the configuration is over another field or cannot be used, if the table cannot be so high or so low, if the
/// AIR has constraints over the extension field, or if such proofs do not reach the configuration's target.
pub fn foreign_shape<P, A>(
    name: &str,
    air: &A,
    config: &Config,
    log_height: usize,
) -> Result<BatchShape, ForeignError>
where
    P: RecursiveField,
    A: Air<SymbolicAirBuilder<P::Base>>,
{
    config.validate()?;
    if config.field != P::FIELD {
        return Err(ForeignError::Field { circuit: P::FIELD, config: config.field });
    }
    let table = TableConstraints::of_air::<P, A>(name, air, log_height)?;
    // The height is at most the field's two-adicity from here on.
    if 1 << log_height < config.min_height() {
        let (table, least) = (name.to_owned(), config.min_height());
        return Err(ForeignError::TooLow { table, log_height, least });
    }
    let degree = P::FIELD.degree();
    let chunks = 1 << table.log_chunks();
    let points = |next: bool| 1 + usize::from(next);
    let report = SecurityReport::new(
        config,
        &security::BatchShape {
            log_height,
            openings: table.width() * points(table.opens_next())
                + table.fixed_width() * points(table.opens_next_fixed())
                + degree * chunks,
            constraints: table.constraints().roots().len(),
            degree: table.constraints().degree(),
            quotient_chunks: chunks,
            messages: 0,
            message_width: 0,
        },
    )?;
    if let Some(target) = config.target {
        report.require(target)?;
    }
    let protocol = Protocol::Single(StarkShape::new::<P::Base, A>(
        air,
        table.fixed_width(),
        log_height,
        log_height,
        chunks,
        false,
        config.parameters.grinding.out_of_domain,
    ));
    let constraints = BatchConstraints::single(table);
    let level = Level::of(&report);
    Ok(BatchShape::assemble(P::FIELD, config.parameters, constraints, protocol, level)?)
}

/// What names a foreign statement of some shape: the elements that the transcript observed before the proof began (none,
/// if the proof's challenger was fresh), and the commitment to the preprocessed columns.
///
/// # Errors
///
/// Fails if the preprocessed columns do not have the shape's width and height, which Plonky3's verifier compares too.
pub fn foreign_key<P: RecursiveField>(
    shape: &BatchShape,
    seed: &[P::Base],
    fixed: Option<&PreprocessedVerifierKey<Stark<P>>>,
) -> Result<ChildKey<P::Base>, ForeignError> {
    let table = &shape.constraints().tables()[0];
    let width = fixed.map_or(0, |fixed| fixed.width);
    let log_height = fixed.map_or(table.log_height(), |fixed| fixed.degree_bits);
    for (what, expected, got) in [
        ("preprocessed columns", table.fixed_width(), width),
        ("levels of rows", table.log_height(), log_height),
    ] {
        if expected != got {
            return Err(ForeignError::Fixed { what, expected, got });
        }
    }
    let fixed_cap = fixed.map(|fixed| P::Mmcs::elements(&fixed.commitment)).unwrap_or_default();
    Ok(ChildKey { seed: seed.to_vec(), fixed_cap })
}
