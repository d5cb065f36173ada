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
use p3_air::Air;
use p3_uni_stark::{PreprocessedVerifierKey, StarkShape, SymbolicAirBuilder};

use crate::batch::{BatchShape, CapTree, ChildKey, Protocol, RecursiveField, ShapeError};
use crate::constraints::{BatchConstraints, ConstraintsError, TableConstraints};

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
/// Fails if the table cannot be so high, if the AIR has constraints over the extension field, or if such proofs
/// do not reach the configuration's target.
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
    let table = TableConstraints::of_air::<P, A>(name, air, log_height)?;
    let degree = P::FIELD.degree();
    let chunks = 1 << table.log_chunks();
    if let Some(target) = config.target {
        let points = |next: bool| 1 + usize::from(next);
        let shape = security::BatchShape {
            log_height,
            openings: table.width() * points(table.opens_next())
                + table.fixed_width() * points(table.opens_next_fixed())
                + degree * chunks,
            constraints: table.constraints().roots().len(),
            degree: table.constraints().degree(),
            quotient_chunks: chunks,
            messages: 0,
            message_width: 0,
        };
        SecurityReport::new(config, &shape)?.require(target)?;
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
    Ok(BatchShape::assemble(P::FIELD, config.parameters, constraints, protocol)?)
}

/// What names a foreign statement: the elements that the transcript observed before the proof began (none, if
/// the proof's challenger was fresh), and the commitment to the preprocessed columns.
pub fn foreign_key<P: RecursiveField>(
    seed: &[P::Base],
    fixed: Option<&PreprocessedVerifierKey<Stark<P>>>,
) -> ChildKey<P::Base> {
    let fixed_cap = fixed.map(|fixed| P::Mmcs::elements(&fixed.commitment)).unwrap_or_default();
    ChildKey { seed: seed.to_vec(), fixed_cap }
}
