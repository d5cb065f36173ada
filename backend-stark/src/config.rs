//! Named proof configurations: a field, and the parameters of the commitment scheme and its grinding.
//!
//! A [`Config`] is a value, and nothing about its security is written beside it: every claim is computed
//! from the parameters and the shape of the batch by [`crate::security`]. A configuration may state a
//! *target*, a number of proven bits; keys and proofs that fall short of it are refused.
//!
//! ```
//! use chipwright_backend_stark::config::Config;
//!
//! let config = Config::proven_100();
//! assert_eq!(config.field.to_string(), "goldilocks^2");
//! assert_eq!(Config::named("proven-100"), Some(config));
//! ```
//!
//! All configurations of a field share one hash, because every further hash is another instance of the
//! whole prover; the configurations that bear a peer's name take that peer's *query* parameters.

mod field;
mod instances;

use std::borrow::Cow;

use chipwright_ir::Field;
use serde::{Deserialize, Serialize};

pub use field::{
    Challenger, ConstraintSizes, Domain, Expressions, FriMmcs, SEED, Stark, StarkField,
    SymbolicConstraints,
};

/// A field and the parameters of the proof system over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The name shown in reports.
    pub name: Cow<'static, str>,
    /// The base field of traces and the extension field of challenges.
    pub field: Field,
    /// The proven bits below which keys and proofs are refused; `None` accepts everything.
    pub target: Option<u32>,
    /// The parameters of the commitment scheme.
    pub parameters: Parameters,
}

/// The parameters of FRI, of the Merkle trees and of the grinding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The base-2 logarithm of the blowup, the inverse of the code's rate.
    pub log_blowup: usize,
    /// The number of FRI queries.
    pub queries: usize,
    /// The base-2 logarithm of the largest folding arity.
    pub max_log_arity: usize,
    /// The base-2 logarithm of the number of coefficients at which folding ends. If it is not zero, every
    /// table needs more rows than that.
    pub log_final_poly_len: usize,
    /// The base-2 logarithm of the smallest height of a table. The bounds on the security of very low
    /// tables are weak: with fewer than 2^5 rows, too few rows are left over once both opening points
    /// are taken out of the code's dimension.
    pub min_log_height: usize,
    /// How many layers below the root Merkle trees are cut off; 0 commits to the root alone.
    pub cap_height: usize,
    /// The proof of work at each challenge.
    pub grinding: Grinding,
}

/// Bits of proof of work before each kind of challenge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grinding {
    /// Before the fingerprint challenges of the buses.
    pub lookup: usize,
    /// Before the out-of-domain point.
    pub out_of_domain: usize,
    /// Before the challenge that combines all openings.
    pub batch: usize,
    /// Before each folding challenge.
    pub fold: usize,
    /// Before the queries.
    pub query: usize,
}

impl Config {
    /// The default: 100 bits proven over the quadratic extension of Goldilocks, for tables of up to
    /// 2^5 to 2^20 rows and some 500 columns ([`crate::security::BatchShape::reference`]).
    pub const fn proven_100() -> Self {
        Self {
            name: Cow::Borrowed("proven-100"),
            field: Field::Goldilocks2,
            target: Some(100),
            parameters: Parameters {
                log_blowup: 3,
                queries: 64,
                max_log_arity: 3,
                log_final_poly_len: 0,
                min_log_height: 5,
                cap_height: 2,
                grinding: Grinding { lookup: 8, out_of_domain: 4, batch: 17, fold: 10, query: 17 },
            },
        }
    }

    /// 100 bits proven at blowup 2: a quarter of the commitments of [`Self::proven_100`], paid for by three times as many
    /// queries. For what is proven once and then verified by a circuit.
    pub fn fast_100() -> Self {
        let Self { parameters, .. } = Self::proven_100();
        Self {
            name: Cow::Borrowed("fast-100"),
            parameters: Parameters { log_blowup: 1, queries: 190, cap_height: 1, ..parameters },
            ..Self::proven_100()
        }
    }

    /// [`Self::proven_100`] over the extension of KoalaBear of degree four. That has four bits fewer than the quadratic
    /// one of Goldilocks: up to the Johnson bound, where lists of candidates cost several bits, it would take a
    /// proof of work of 22 bits before the openings are combined. Within unique decoding there are no lists, and more
    /// queries instead. Layers are lower, and have room for lists again ([`Self::for_layers`]).
    pub const fn proven_100_over_koala_bear() -> Self {
        Self {
            name: Cow::Borrowed("proven-100"),
            field: Field::KoalaBear4,
            target: Some(100),
            parameters: Parameters {
                log_blowup: 3,
                queries: 100,
                max_log_arity: 3,
                log_final_poly_len: 0,
                min_log_height: 5,
                cap_height: 2,
                grinding: Grinding { lookup: 8, out_of_domain: 2, batch: 12, fold: 4, query: 18 },
            },
        }
    }

    /// 128 bits proven over the cubic extension of Goldilocks, for the same shapes. The tree hash, whose
    /// digests are four elements, bounds every level at 128 bits.
    pub const fn proven_128() -> Self {
        Self {
            name: Cow::Borrowed("proven-128"),
            field: Field::Goldilocks3,
            target: Some(128),
            parameters: Parameters {
                log_blowup: 3,
                queries: 76,
                max_log_arity: 3,
                log_final_poly_len: 0,
                min_log_height: 5,
                cap_height: 2,
                grinding: Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 18 },
            },
        }
    }

    /// The query parameters of plonky2's standard recursion configuration, for comparison only: 28
    /// queries at blowup 8, and 16 bits of grinding before the queries. It is far from 100 proven bits.
    pub const fn peer_plonky2() -> Self {
        Self {
            name: Cow::Borrowed("peer-plonky2"),
            field: Field::Goldilocks2,
            target: None,
            parameters: Parameters {
                log_blowup: 3,
                queries: 28,
                max_log_arity: 3,
                log_final_poly_len: 0,
                min_log_height: 0,
                cap_height: 2,
                grinding: Grinding { query: 16, ..Grinding::NONE },
            },
        }
    }

    /// The query parameters of Plonky3's recursion, for comparison only: 54 queries at blowup 4, and 15
    /// bits of grinding before the queries. It is far from 100 proven bits.
    pub const fn peer_plonky3_recursion() -> Self {
        Self {
            name: Cow::Borrowed("peer-plonky3-recursion"),
            field: Field::Goldilocks2,
            target: None,
            parameters: Parameters {
                log_blowup: 2,
                queries: 54,
                max_log_arity: 3,
                log_final_poly_len: 0,
                min_log_height: 0,
                cap_height: 2,
                grinding: Grinding { query: 15, ..Grinding::NONE },
            },
        }
    }

    /// A cheap and *insecure* configuration for tests: two queries at the blowup of [`Self::proven_100`].
    ///
    /// # Soundness
    ///
    /// Its report says what it is worth: almost nothing. It is not among the named configurations.
    pub const fn testing() -> Self {
        Self {
            name: Cow::Borrowed("testing (insecure)"),
            field: Field::Goldilocks2,
            target: None,
            parameters: Parameters {
                log_blowup: 3,
                queries: 2,
                max_log_arity: 3,
                log_final_poly_len: 0,
                min_log_height: 0,
                cap_height: 1,
                grinding: Grinding { lookup: 1, out_of_domain: 1, batch: 1, fold: 1, query: 1 },
            },
        }
    }

    /// [`Self::testing`] over another field.
    #[must_use]
    pub fn testing_over(field: Field) -> Self {
        Self { field, ..Self::testing() }
    }

    /// The named configurations, the default first. A name stands for one configuration over each base field, at most.
    pub fn all() -> Vec<Self> {
        vec![
            Self::proven_100(),
            Self::proven_128(),
            Self::peer_plonky2(),
            Self::peer_plonky3_recursion(),
            Self::proven_100_over_koala_bear(),
            Self { field: Field::KoalaBear4, ..Self::peer_plonky3_recursion() },
        ]
    }

    /// The configuration with a name, if there is one: over Goldilocks, if it is there.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|config| config.name == name)
    }

    /// The configuration with a name over the base field of `field`, whatever the degree of its extension.
    ///
    /// ```
    /// use chipwright_backend_stark::config::Config;
    /// use chipwright_ir::Field;
    ///
    /// let config = Config::named_over("proven-100", Field::KoalaBear5).unwrap();
    /// assert_eq!(config.field, Field::KoalaBear4);
    /// // An extension of 124 bits cannot prove 128.
    /// assert_eq!(Config::named_over("proven-128", Field::KoalaBear4), None);
    /// ```
    pub fn named_over(name: &str, field: Field) -> Option<Self> {
        let of_base = |config: &Self| config.field.modulus() == field.modulus();
        Self::all().into_iter().find(|config| config.name == name && of_base(config))
    }

    /// Refuses parameters that the proof system cannot run with.
    ///
    /// # Errors
    ///
    /// Names the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Parameters {
            log_blowup,
            queries,
            max_log_arity,
            log_final_poly_len,
            min_log_height,
            cap_height,
            grinding: _,
        } = self.parameters;
        let Grinding { lookup, out_of_domain, batch, fold, query } = self.parameters.grinding;
        let grinding = lookup.max(out_of_domain).max(batch).max(fold).max(query);
        for (name, value, low, high) in [
            ("log_blowup", log_blowup, 1, 8),
            ("queries", queries, 1, 1 << 12),
            ("max_log_arity", max_log_arity, 1, 6),
            ("log_final_poly_len", log_final_poly_len, 0, 15),
            ("min_log_height", min_log_height, 0, 16),
            // A tree of fewer layers is all cap.
            ("cap_height", cap_height, 0, 8),
            ("grinding", grinding, 0, 30),
        ] {
            if value < low || value > high {
                return Err(ConfigError::OutOfRange { name, value, low, high });
            }
        }
        Ok(())
    }

    /// The base-2 logarithm of the largest number of chunks that a quotient is committed in.
    ///
    /// It is not bound by the blowup. Each chunk is a polynomial of the trace's degree and is committed at the
    /// rate of the code like any other column; that the out-of-domain check holds of polynomials of that
    /// degree is all that is used of it. A quotient of more chunks than the blowup costs its prover values of
    /// the trace on a larger domain, which are never hashed.
    pub const fn max_log_chunks(&self) -> usize {
        /// Up to here more chunks cost less than the columns that lower degrees take.
        const LEAST: usize = 3;
        if self.parameters.log_blowup > LEAST { self.parameters.log_blowup } else { LEAST }
    }

    /// The largest degree of a constraint, in multiples of the height.
    pub const fn max_degree(&self) -> usize {
        (1 << self.max_log_chunks()) + 1
    }

    /// The smallest height of a table: what `FillOptions::min_height` of `chipwright_ir` has to be.
    pub fn min_height(&self) -> usize {
        1 << self.min_log_height()
    }

    /// The base-2 logarithm of [`Self::min_height`].
    pub(crate) fn min_log_height(&self) -> usize {
        let Parameters { log_final_poly_len, min_log_height, .. } = self.parameters;
        if log_final_poly_len == 0 {
            min_log_height
        } else {
            min_log_height.max(log_final_poly_len + 1)
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::proven_100()
    }
}

impl Grinding {
    /// No proof of work anywhere.
    pub const NONE: Self = Self { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 0 };
}

/// A configuration that the proof system cannot run with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A parameter is out of range.
    #[error("parameter `{name}` is {value}, expected {low} to {high}")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: usize,
        /// The smallest value accepted.
        low: usize,
        /// The largest value accepted.
        high: usize,
    },
    /// There is no hash for the field.
    #[error(
        "no configuration over {0} is available; known are goldilocks^2, goldilocks^3 and koala-bear^4"
    )]
    UnsupportedField(Field),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_is_valid_and_found_by_its_name() {
        for config in Config::all() {
            assert_eq!(config.validate(), Ok(()));
            assert_eq!(Config::named_over(&config.name, config.field).as_ref(), Some(&config));
            assert!(Config::named(&config.name).is_some());
        }
        assert_eq!(Config::testing().validate(), Ok(()));
        assert_eq!(Config::named(&Config::testing().name), None);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let mut config = Config::proven_100();
        config.parameters.log_blowup = 0;
        let error = config.validate().expect_err("no blowup");
        assert_eq!(error.to_string(), "parameter `log_blowup` is 0, expected 1 to 8");
    }
}
