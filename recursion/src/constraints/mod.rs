//! Constraint evaluation in a circuit: the last step of a STARK's verification.
//!
//! A proof opens all columns of a table at a random point ζ. The verifier evaluates the table's constraints
//! on them, folds the results with powers of a challenge, and compares with the opened quotient: the
//! folded constraints divided by the polynomial that vanishes on all rows. The constraints are those of the
//! verifying key: they are recorded once, by Plonky3's own symbolic evaluation, and [replayed over
//! targets](Constraints::evaluate).
//!
//! ```
//! use chipwright_backend_stark::config::StarkField;
//! use chipwright_backend_stark::key::KeyShape;
//! use chipwright_dsl::circuit::CircuitBuilder;
//! use chipwright_recursion::constraints::{BatchConstraints, Challenges, ConstraintsError, Opened};
//! use chipwright_recursion::domain::OutOfDomain;
//!
//! fn check<P: StarkField>(
//!     builder: &mut CircuitBuilder,
//!     key: &KeyShape<P>,
//!     log_heights: &[usize],
//!     zeta: &mut OutOfDomain,
//!     opened: &[Opened],
//!     challenges: &Challenges,
//! ) -> Result<(), ConstraintsError> {
//!     BatchConstraints::of_key(key, log_heights)?.assert_all(builder, zeta, opened, challenges)
//! }
//! ```
//!
//! # Soundness
//!
//! Everything here is about the values that it is given: that they are the columns' values at ζ is the
//! opening argument's business, that the challenges are random the transcript's, that heights and shapes are
//! those of the statement the caller's.

mod evaluate;
mod graph;
mod lookups;
mod opened;
mod rewrite;
mod table;

pub use evaluate::Evaluation;
pub use graph::{Constraints, Leaf, Node, NodeId};
pub use lookups::{Buses, assert_terminals};
pub use opened::{Opened, Row};
pub use table::{BatchConstraints, Challenges, TableConstraints};

/// Why constraints cannot be evaluated in a circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintsError {
    /// There is not one height, or not one set of opened values, for each table.
    #[error("{expected} tables were expected, {what} are given for {found}")]
    Tables {
        /// What there is not one of for each table.
        what: &'static str,
        /// The number of tables.
        expected: usize,
        /// The number given.
        found: usize,
    },
    /// The key demands another height.
    #[error("table `{table}` cannot have 2^{found} rows, the key says 2^{expected}")]
    Height {
        /// The table.
        table: String,
        /// The base-2 logarithm that the key says.
        expected: usize,
        /// The one given.
        found: usize,
    },
    /// A table so tall that its quotient has no domain.
    #[error("table `{table}` has 2^{found} rows, its quotient leaves room for 2^{limit}")]
    TooTall {
        /// The table.
        table: String,
        /// The base-2 logarithm of its height.
        found: usize,
        /// The largest possible.
        limit: usize,
    },
    /// A table with fewer rows than the period of a periodic column.
    #[error("table `{table}` has 2^{log_height} rows, a periodic column a period of {period}")]
    Period {
        /// The table.
        table: String,
        /// The base-2 logarithm of the height.
        log_height: usize,
        /// The period: not a power of two, or beyond the height.
        period: usize,
    },
    /// Tables so tall that the multiplicities of a bus could wrap around the field's order.
    #[error("the tables are too tall for the buses: {reason}")]
    Multiplicities {
        /// The bound violated.
        reason: String,
    },
    /// Constraints over the extension field where only the base field is expected.
    #[error("the AIR has {count} constraints over the extension, a uni-stark proof has none")]
    Extension {
        /// The number of such constraints.
        count: usize,
    },
    /// Public values that no constraint is about.
    #[error("the AIR has {count} public values at its boundary, which no constraint binds")]
    Boundary {
        /// The number of such values.
        count: usize,
    },
    /// Opened values of another shape than the table's.
    #[error("table `{table}` has {expected} {what}, {found} were opened")]
    Shape {
        /// The table.
        table: String,
        /// Of what there is another number.
        what: &'static str,
        /// The number that the table has.
        expected: usize,
        /// The number opened.
        found: usize,
    },
    /// A value that a constraint is about is not given.
    #[error("a constraint is about {leaf:?}, which has no value")]
    Missing {
        /// The value.
        leaf: Leaf,
    },
}
