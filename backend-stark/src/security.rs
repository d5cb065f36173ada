//! What a configuration is worth, computed: proven and conjectured bits, each with its limiting term.
//!
//! The bounds are `p3-security`'s. *Proven* is the better of unique decoding and list decoding up to the
//! Johnson bound; *conjectured* is the random-words regime. Every term is a bound on one round of the
//! protocol: the level is that of the weakest round, grinding included, or the collision resistance of
//! the hash if that is less. Several tables are accounted as one: the tallest height, the highest
//! degree, and the sums of everything that is combined or looked up.
//!
//! ```
//! use chipwright_backend_stark::config::Config;
//! use chipwright_backend_stark::security::{BatchShape, SecurityReport};
//!
//! let report = SecurityReport::new(&Config::proven_100(), &BatchShape::reference())?;
//! assert!(report.require(100).is_ok());
//! # Ok::<(), chipwright_backend_stark::config::ConfigError>(())
//! ```

use std::fmt;

use chipwright_ir::Field;
use p3_security::fri::FriRegime;
use p3_security::logup::{self, LogUpAir};
use p3_security::report::RegimeReport;
use p3_security::stark::{conjectured_security_report, proven_security_report};
use p3_security::{GrindingSites, InstanceShape, Regime, StarkAirParams};
use serde::Serialize;

use crate::config::{Config, ConfigError, Grinding, StarkField};
use crate::with_stark_field;

/// The numbers of a batch of tables that its security depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BatchShape {
    /// The base-2 logarithm of the tallest table's height.
    pub log_height: usize,
    /// The polynomials that are combined into one: columns, each counted once for every point at which it
    /// is opened, over all tables and commitments.
    pub openings: usize,
    /// The constraints of all tables, those of the lookup argument included.
    pub constraints: usize,
    /// The highest degree of a constraint, in multiples of the height.
    pub degree: usize,
    /// The largest number of quotient chunks of a table.
    pub quotient_chunks: usize,
    /// The messages that one row of each table exchanges, over all tables.
    pub messages: usize,
    /// The number of elements of the widest message.
    pub message_width: usize,
}

impl BatchShape {
    /// The shape at which named configurations are compared: 2^20 rows of 512 columns, all of them read
    /// on the row below too, 64 preprocessed columns, and 64 messages of 8 elements in 32 lookup columns,
    /// over the quadratic extension.
    pub const fn reference() -> Self {
        Self {
            log_height: 20,
            openings: 2 * 512 + 64 + 8 * 2 + 2 * 33 * 2,
            constraints: 1 << 10,
            degree: 9,
            quotient_chunks: 8,
            messages: 64,
            message_width: 8,
        }
    }

    /// More than the shape of a layer of self-recursion: 2^13 rows of 300 columns and 200 preprocessed ones, read on
    /// the row below too.
    pub const fn recursion() -> Self {
        Self {
            log_height: 13,
            openings: 2 * 300 + 2 * 200 + 8 * 2 + 2 * 9 * 2,
            constraints: 1 << 10,
            degree: 9,
            quotient_chunks: 8,
            messages: 64,
            message_width: 4,
        }
    }

    /// More than the shape of most layers over proofs of other machines: 2^14 rows of 2000 columns and 1000
    /// preprocessed ones.
    pub const fn wide_recursion() -> Self {
        Self {
            log_height: 14,
            openings: 2 * 2000 + 2 * 1000 + 8 * 2 + 2 * 9 * 2,
            ..Self::recursion()
        }
    }
}

/// The most bits of proof of work that a layer of self-recursion is worth at each site.
///
/// Over Goldilocks, a query costs some 2^14 permutations of the hash: sixty rows more in the layer above, of two to three
/// hundred cells each, at blowup 8 and twelve cells a permutation, and as long again for all that is not hashing. A bit of
/// proof of work replaces two thirds of a query there, and costs as many permutations as there are without it. Over
/// KoalaBear a query costs several times as many, but the rows have room for those that three bits more would save.
const LAYER_GRINDING: usize = 14;

/// The base-2 logarithm of the blowup of layers of self-recursion.
///
/// Over the cubic extension a layer takes 2^13 rows even if it is as narrow as can be, and fills two thirds of them with the
/// queries of blowup 8. Those of blowup 4, half as many again, fit too, and leave half as much to extend and to hash.
const fn layer_log_blowup(config: &Config) -> usize {
    match config.field {
        Field::Goldilocks3 => 2,
        _ => config.parameters.log_blowup,
    }
}

/// The height of Merkle caps of layers, in levels of four children.
///
/// A lower cap is less to send and to absorb, and each path has a permutation more, which costs nothing while the rows have
/// room: so they do at blowup 4, not at blowup 8.
const fn layer_cap_height(log_blowup: usize) -> usize {
    if log_blowup > 2 { 3 } else { 2 }
}

/// The most for layers that verify more than one proof, or that of a wide table: there a few queries decide on twice the rows.
const WIDE_GRINDING: usize = 17;

/// Up to here the arithmetic of a long final polynomial costs less than the hashes of a round of folding.
const FEW_QUERIES: usize = 32;

/// Where a prover grinds.
const GRINDING_SITES: [fn(&mut Grinding) -> &mut usize; 5] = [
    |grinding| &mut grinding.query,
    |grinding| &mut grinding.batch,
    |grinding| &mut grinding.fold,
    |grinding| &mut grinding.lookup,
    |grinding| &mut grinding.out_of_domain,
];

/// The most queries that a layer is given.
const LAYER_QUERIES: usize = 256;

impl Config {
    /// The configuration for layers of self-recursion that proves as many bits as this one targets, at
    /// [`BatchShape::recursion`]: with no longer a proof of work than is cheaper than further queries, with the fewest
    /// queries that then do, and with Merkle caps and a final polynomial of the sizes that make a layer cheap to
    /// verify in the next. Over Goldilocks³ the blowup is 4.
    ///
    /// A layer of another shape that proves less than the target is refused when it is compiled, as everywhere.
    #[must_use]
    pub fn for_layers(&self) -> Self {
        self.sized_for_layers().in_proportion(&BatchShape::recursion(), LAYER_GRINDING)
    }

    /// The configuration for layers that verify two proofs of the same configuration each: as [`Self::for_layers`], but
    /// with fewer queries and a longer proof of work. If there are few queries, a final polynomial of 64 coefficients, which
    /// each of them evaluates, takes the place of a round of folding.
    #[must_use]
    pub fn for_pairs(&self) -> Self {
        let mut config = self.sized_for_layers();
        if self.parameters.queries <= FEW_QUERIES {
            config.parameters.log_final_poly_len = 6;
        }
        config.in_proportion(&BatchShape::recursion(), WIDE_GRINDING)
    }

    /// The configuration for layers over proofs of wide tables, and those above them: as [`Self::for_pairs`], at
    /// [`BatchShape::wide_recursion`].
    #[must_use]
    pub fn for_wide_layers(&self) -> Self {
        self.sized_for_layers().in_proportion(&BatchShape::wide_recursion(), WIDE_GRINDING)
    }

    /// The configuration for the last layer, whose proof is kept and sent, not verified in a circuit: as
    /// [`Self::for_pairs`], but with blowup 32, for which far fewer queries prove as much. Proving takes several times
    /// as long.
    #[must_use]
    pub fn for_last_layer(&self) -> Self {
        self.sized_for_recursion(5).in_proportion(&BatchShape::recursion(), WIDE_GRINDING)
    }

    fn sized_for_layers(&self) -> Self {
        self.sized_for_recursion(layer_log_blowup(self))
    }

    fn sized_for_recursion(&self, log_blowup: usize) -> Self {
        let mut config = self.clone();
        config.parameters.log_blowup = log_blowup;
        config.parameters.cap_height = layer_cap_height(log_blowup);
        config.parameters.log_final_poly_len = 4;
        config
    }

    /// With the fewest queries that prove the target at a shape, if proofs of work may be so long, and then with no longer ones
    /// than that takes. As it is, if no number of queries does.
    fn in_proportion(&self, shape: &BatchShape, most_grinding: usize) -> Self {
        let Some(target) = self.target else { return self.clone() };
        let mut config = self.clone();
        for site in GRINDING_SITES {
            *site(&mut config.parameters.grinding) = most_grinding;
        }
        match config.fewest_queries(target, shape) {
            Some(queries) => {
                config.parameters.queries = queries;
                config.without_needless_grinding(target, shape, self.parameters.grinding)
            }
            None => self.clone(),
        }
    }

    /// Whether a batch of a shape proves `target` bits.
    fn proves(&self, target: u32, shape: &BatchShape) -> bool {
        SecurityReport::new(self, shape).is_ok_and(|report| report.require(target).is_ok())
    }

    /// The fewest queries with which a batch of a shape proves `target` bits.
    fn fewest_queries(&self, target: u32, shape: &BatchShape) -> Option<usize> {
        let with = |queries: usize| {
            let mut config = self.clone();
            config.parameters.queries = queries;
            config
        };
        // More queries never prove less.
        least(LAYER_QUERIES, |queries| with(queries).proves(target, shape))
    }

    /// The same, with no bit of a proof of work beyond those of `named` that proves nothing.
    fn without_needless_grinding(
        mut self,
        target: u32,
        shape: &BatchShape,
        named: Grinding,
    ) -> Self {
        for site in GRINDING_SITES {
            let with = |bits: usize| {
                let mut config = self.clone();
                *site(&mut config.parameters.grinding) = bits;
                config
            };
            let most = *site(&mut { self.parameters.grinding });
            if let Some(bits) = least(most, |bits| with(bits).proves(target, shape)) {
                self = with(bits.max(most.min(*site(&mut { named }))));
            }
        }
        self
    }
}

/// The least number that has a property, of those up to `most`, if that has it: so has every number above one that does.
fn least(most: usize, has: impl Fn(usize) -> bool) -> Option<usize> {
    if !has(most) {
        return None;
    }
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = usize::midpoint(low, high);
        if has(middle) { high = middle } else { low = middle + 1 }
    }
    Some(high)
}

/// What a configuration is worth for a batch of a certain shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecurityReport {
    /// The name of the configuration.
    pub name: String,
    /// The base field with the extension degree.
    pub field: String,
    /// The degree of the challenge field over the base field.
    pub extension_degree: usize,
    /// The base-2 logarithm of the blowup.
    pub log_blowup: usize,
    /// The number of queries.
    pub queries: usize,
    /// The bits of proof of work before the queries.
    pub pow_bits: usize,
    /// The proven level in whole bits, rounded down.
    pub proven_bits: u32,
    /// The conjectured level in whole bits, rounded down.
    pub conjectured_bits: u32,
    /// The round that limits the proven level.
    pub limiting_term: String,
    /// The regime of the proven level.
    pub regime: String,
    /// The round that limits the conjectured level.
    pub conjectured_limiting_term: String,
    /// The collision resistance of the hash, in bits.
    pub hash_bits: u32,
    /// The hash.
    pub hash: &'static str,
    /// The shape that the report speaks of.
    pub shape: BatchShape,
    /// Every round of the proven level's regime.
    pub proven_terms: Vec<Term>,
    /// Every round of the conjectured regime.
    pub conjectured_terms: Vec<Term>,
}

/// One round of the protocol, and how hard it is to cheat in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    /// The round.
    pub name: &'static str,
    /// The bits of work that cheating takes.
    pub bits: f64,
}

impl SecurityReport {
    /// Computes what `config` is worth for a batch of shape `shape`.
    ///
    /// # Errors
    ///
    /// Fails if the configuration is not valid, or its field has no hash.
    pub fn new(config: &Config, shape: &BatchShape) -> Result<Self, ConfigError> {
        config.validate()?;
        with_stark_field!(config.field, P => Ok(Self::over::<P>(config, shape)))
    }

    fn over<P: StarkField>(config: &Config, batch: &BatchShape) -> Self {
        let parameters = &config.parameters;
        let fri = FriRegime {
            log_blowup: parameters.log_blowup,
            num_queries: parameters.queries,
            log_final_poly_len: parameters.log_final_poly_len,
            max_log_arity: parameters.max_log_arity,
            commit_pow_bits: parameters.grinding.fold,
            query_pow_bits: parameters.grinding.query,
        };
        let grinding = GrindingSites {
            out_of_domain: parameters.grinding.out_of_domain,
            batch_combination: parameters.grinding.batch,
            lookup_challenge: parameters.grinding.lookup,
        };
        let air = StarkAirParams {
            num_constraints: batch.constraints.max(1),
            max_constraint_degree: batch.degree.max(1),
            num_quotient_chunks: batch.quotient_chunks.max(1),
            // Cells of a row and the next: two opening points a column.
            max_combo: 2,
        };
        let shape = InstanceShape {
            log_trace_length: batch.log_height,
            modulus_bits: extension_bits(config.field),
            collision_resistance: P::COLLISION_BITS,
            num_batched_functions: batch.openings.max(1),
        };
        let buses =
            LogUpAir { num_interactions: batch.messages, max_message_width: batch.message_width };
        let extras: Vec<_> = logup::security_term(&buses, &shape, &grinding).into_iter().collect();

        let proven = proven_security_report(&fri, &air, &shape, &extras, &grinding);
        let conjectured = conjectured_security_report(&fri, &air, &shape, &extras, &grinding);
        let (regime, binding) = proven.binding();
        let winner = match (&proven.ldr, regime) {
            (Some(list), Regime::ListDecoding { .. }) => list,
            _ => &proven.udr,
        };
        Self {
            name: config.name.to_string(),
            field: config.field.to_string(),
            extension_degree: config.field.degree(),
            log_blowup: parameters.log_blowup,
            queries: parameters.queries,
            pow_bits: parameters.grinding.query,
            proven_bits: whole_bits(proven.security_bits()),
            conjectured_bits: whole_bits(conjectured.security_bits()),
            limiting_term: binding.label.to_owned(),
            regime: regime_name(regime),
            conjectured_limiting_term: conjectured.binding().label.to_owned(),
            hash_bits: P::COLLISION_BITS as u32,
            hash: P::HASH,
            shape: *batch,
            proven_terms: terms(winner),
            conjectured_terms: terms(&conjectured),
        }
    }

    /// Refuses a level below `bits` proven bits.
    ///
    /// # Errors
    ///
    /// Names the level reached and the round that limits it.
    pub fn require(&self, bits: u32) -> Result<(), InsufficientSecurity> {
        if self.proven_bits >= bits {
            return Ok(());
        }
        Err(InsufficientSecurity {
            config: self.name.clone(),
            required: bits,
            proven: self.proven_bits,
            term: self.limiting_term.clone(),
            log_height: self.shape.log_height,
        })
    }
}

/// A configuration is worth less than it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "configuration `{config}` proves {proven} bits for tables of 2^{log_height} rows, {required} are \
     required; the limit is {term}"
)]
pub struct InsufficientSecurity {
    /// The configuration.
    pub config: String,
    /// The proven bits required.
    pub required: u32,
    /// The proven bits reached.
    pub proven: u32,
    /// The round that limits the level.
    pub term: String,
    /// The base-2 logarithm of the tallest table's height.
    pub log_height: usize,
}

impl fmt::Display for SecurityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} over {}: proven {} ({}, {}) / conjectured {} ({}) / hash {}",
            self.name,
            self.field,
            self.proven_bits,
            self.regime,
            self.limiting_term,
            self.conjectured_bits,
            self.conjectured_limiting_term,
            self.hash_bits,
        )
    }
}

/// The security of every named configuration at [`BatchShape::reference`].
///
/// # Errors
///
/// Fails if a configuration is not valid.
pub fn named_reports() -> Result<Vec<SecurityReport>, ConfigError> {
    Config::all()
        .iter()
        .map(|config| SecurityReport::new(config, &BatchShape::reference()))
        .collect()
}

/// The bits of the extension's order, rounded down, if more than a hair is missing: two elements of Goldilocks have
/// 128 − 7·10⁻¹⁰ bits, which is 128, and four elements of KoalaBear have 123.95, which is 123.
fn extension_bits(field: Field) -> usize {
    ((field.modulus() as f64).log2() * field.degree() as f64 + 1e-6) as usize
}

fn whole_bits(bits: f64) -> u32 {
    bits.max(0.0).floor() as u32
}

fn regime_name(regime: Regime) -> String {
    match regime {
        Regime::UniqueDecoding => "unique decoding".to_owned(),
        Regime::ListDecoding { m } => format!("list decoding, m = {m}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn terms(report: &RegimeReport) -> Vec<Term> {
    report.terms().iter().map(|term| Term { name: term.label, bits: term.bits.bits() }).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::config::Parameters;

    fn table(shape: &BatchShape) -> String {
        Config::all().iter().chain([&Config::testing()]).fold(String::new(), |mut text, config| {
            let report = SecurityReport::new(config, shape).expect("valid configuration");
            writeln!(text, "{report}").expect("strings grow");
            text
        })
    }

    #[test]
    fn named_configurations_at_the_reference_shape() {
        insta::assert_snapshot!(table(&BatchShape::reference()), @r"
        proven-100 over goldilocks^2: proven 100 (list decoding, m = 4, batch-combination) / conjectured 106 (logup-fingerprint) / hash 128
        proven-128 over goldilocks^3: proven 128 (list decoding, m = 436, commitment-collision) / conjectured 128 (commitment-collision) / hash 128
        peer-plonky2 over goldilocks^2: proven 57 (list decoding, m = 1000, low-degree-test) / conjectured 94 (batch-combination) / hash 128
        peer-plonky3-recursion over goldilocks^2: proven 68 (list decoding, m = 226, low-degree-test) / conjectured 95 (batch-combination) / hash 128
        proven-100 over koala-bear^4: proven 101 (unique decoding, low-degree-test) / conjectured 101 (ldt-commit-phase) / hash 123
        peer-plonky3-recursion over koala-bear^4: proven 68 (list decoding, m = 76, low-degree-test) / conjectured 90 (batch-combination) / hash 123
        testing (insecure) over goldilocks^2: proven 3 (list decoding, m = 1000, low-degree-test) / conjectured 6 (ldt-query-phase) / hash 128
        ");
    }

    #[test]
    fn named_configurations_at_a_recursion_layer() {
        insta::assert_snapshot!(table(&BatchShape::recursion()), @r"
        proven-100 over goldilocks^2: proven 105 (list decoding, m = 7, batch-combination) / conjectured 114 (logup-fingerprint) / hash 128
        proven-128 over goldilocks^3: proven 128 (list decoding, m = 1000, commitment-collision) / conjectured 128 (commitment-collision) / hash 128
        peer-plonky2 over goldilocks^2: proven 57 (list decoding, m = 1000, low-degree-test) / conjectured 98 (ldt-query-phase) / hash 128
        peer-plonky3-recursion over goldilocks^2: proven 68 (list decoding, m = 1000, low-degree-test) / conjectured 102 (batch-combination) / hash 128
        proven-100 over koala-bear^4: proven 101 (unique decoding, low-degree-test) / conjectured 108 (ldt-commit-phase) / hash 123
        peer-plonky3-recursion over koala-bear^4: proven 68 (list decoding, m = 374, low-degree-test) / conjectured 97 (batch-combination) / hash 123
        testing (insecure) over goldilocks^2: proven 3 (list decoding, m = 1000, low-degree-test) / conjectured 6 (ldt-query-phase) / hash 128
        ");
    }

    #[test]
    fn layers_take_the_queries_and_the_proof_of_work_that_cost_least() {
        let mut table = String::new();
        for config in Config::all() {
            writeln!(table, "{} over {}", config.name, config.field).expect("strings grow");
            let narrow = BatchShape::recursion();
            for (layers, shape) in [
                (config.for_layers(), narrow),
                (config.for_pairs(), narrow),
                (config.for_wide_layers(), BatchShape::wide_recursion()),
            ] {
                if let Some(target) = config.target {
                    assert!(layers.proves(target, &shape), "{}", config.name);
                    let mut fewer = layers.clone();
                    fewer.parameters.queries -= 1;
                    assert!(!fewer.proves(target, &shape), "{}", config.name);
                }
                let Parameters { queries, grinding, .. } = layers.parameters;
                writeln!(table, "  {queries}, {grinding:?}").expect("strings grow");
            }
        }
        insta::assert_snapshot!(table, @r"
        proven-100 over goldilocks^2
          60, Grinding { lookup: 8, out_of_domain: 4, batch: 14, fold: 10, query: 14 }
          57, Grinding { lookup: 8, out_of_domain: 4, batch: 17, fold: 10, query: 17 }
          58, Grinding { lookup: 8, out_of_domain: 4, batch: 17, fold: 10, query: 17 }
        proven-128 over goldilocks^3
          115, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 14 }
          112, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 17 }
          112, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 17 }
        peer-plonky2 over goldilocks^2
          28, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 16 }
          28, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 16 }
          28, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 16 }
        peer-plonky3-recursion over goldilocks^2
          54, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 15 }
          54, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 15 }
          54, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 15 }
        proven-100 over koala-bear^4
          65, Grinding { lookup: 8, out_of_domain: 2, batch: 14, fold: 7, query: 14 }
          59, Grinding { lookup: 8, out_of_domain: 2, batch: 17, fold: 10, query: 17 }
          65, Grinding { lookup: 8, out_of_domain: 2, batch: 17, fold: 7, query: 17 }
        peer-plonky3-recursion over koala-bear^4
          54, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 15 }
          54, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 15 }
          54, Grinding { lookup: 0, out_of_domain: 0, batch: 0, fold: 0, query: 15 }
        ");
    }

    #[test]
    fn the_terms_of_the_default_at_the_reference_shape() {
        let report = SecurityReport::new(&Config::default(), &BatchShape::reference())
            .expect("valid configuration");
        let text = report.proven_terms.iter().fold(String::new(), |mut text, term| {
            writeln!(text, "{:.2} {}", term.bits, term.name).expect("strings grow");
            text
        });
        insta::assert_snapshot!(text, @r"
        114.33 air-composition
        105.01 deep-ali
        101.27 low-degree-test
        100.80 batch-combination
        106.68 logup-fingerprint
        128.00 commitment-collision
        ");
    }

    #[test]
    fn every_target_is_reached_at_the_reference_shape() {
        for config in Config::all() {
            let report = SecurityReport::new(&config, &BatchShape::reference())
                .expect("valid configuration");
            report.require(config.target.unwrap_or(0)).expect("the target is reached");
        }
    }

    #[test]
    fn a_level_below_the_target_is_refused() {
        let report = SecurityReport::new(&Config::peer_plonky2(), &BatchShape::recursion())
            .expect("valid configuration");
        let error = report.require(100).expect_err("far from 100 bits");
        assert_eq!((error.required, error.proven), (100, report.proven_bits));
    }

    #[test]
    fn the_target_is_reached_at_every_height_up_to_the_reference() {
        for config in Config::all().into_iter().filter(|config| config.target.is_some()) {
            let bits: Vec<_> = (config.parameters.min_log_height..=20)
                .map(|log_height| {
                    let shape = BatchShape { log_height, ..BatchShape::reference() };
                    SecurityReport::new(&config, &shape).expect("valid").proven_bits
                })
                .collect();
            assert!(bits.iter().all(|&bits| Some(bits) >= config.target), "{bits:?}");
        }
    }
}
