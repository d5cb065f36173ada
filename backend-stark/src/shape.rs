//! Shapes: what a machine under a configuration fixes before anything is committed to.
//!
//! A circuit that verifies proofs under a key is made from the key's shape alone. Whoever looks for the best layout of
//! such a circuit needs the shapes of many machines, and the commitments of none.

use std::fmt;
use std::sync::OnceLock;

use chipwright_ir::chip::Chip;
use chipwright_ir::machine::Machine;
use p3_air::BaseAir;
use p3_batch_stark::num_batched_openings;
#[cfg(feature = "reference")]
use p3_field::PrimeField64;
use p3_lookup::{Lookups, check_multiplicity_height_bound};
use p3_uni_stark::OpeningShape;

use crate::air::RecordedAir;
use crate::config::{Config, ConfigError, ConstraintSizes, StarkField};
use crate::security::{BatchShape, InsufficientSecurity, SecurityReport};
use crate::statement::{Statement, StatementError, max_log_height};

/// The tables of a machine under a configuration: their constraints, their lookups, their sizes.
pub struct KeyShape<P: StarkField> {
    statement: Statement,
    config: Config,
    airs: Vec<RecordedAir<P::Base>>,
    lookups: Vec<Lookups<P::Base>>,
    tables: Vec<TableShape>,
    /// What proofs are worth by the base-2 logarithm of their tallest table, once it is asked for.
    security: Box<[OnceLock<SecurityReport>]>,
}

/// Heights of tables that no proof under a key may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeightsError {
    /// There is not one height for each table.
    #[error("the key has {expected} tables, {found} heights are given")]
    Tables {
        /// The number of tables.
        expected: usize,
        /// The number of heights.
        found: usize,
    },
    /// A table cannot be so low, or so high.
    #[error("table `{table}` cannot have 2^{found} rows, expected 2^{low} to 2^{high}")]
    Height {
        /// The chip's name.
        table: String,
        /// The base-2 logarithm of the height.
        found: usize,
        /// The smallest logarithm possible.
        low: usize,
        /// The largest logarithm possible.
        high: usize,
    },
    /// Tables so tall that the multiplicities of a bus could wrap around the field's order.
    #[error("the tables are too tall for the buses: {reason}")]
    Multiplicities {
        /// The bound violated.
        reason: String,
    },
    /// The configuration does not reach its target for tables of these heights.
    #[error(transparent)]
    Security(#[from] InsufficientSecurity),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// The size of a table, but for its height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableShape {
    /// The chip's name.
    pub name: String,
    /// The number of main-trace columns.
    pub width: usize,
    /// The number of preprocessed columns.
    pub fixed_width: usize,
    /// The number of lookup columns, in extension-field elements; the running sum is one of them.
    pub lookup_columns: usize,
    /// The number of chunks, of extension-field elements, that the quotient is committed in; at most, if there
    /// are periodic columns and the key does not determine the height.
    pub quotient_chunks: usize,
    /// The number of public values.
    pub publics: usize,
    /// The number of constraints, those of the lookup argument included.
    pub constraints: usize,
    /// The highest degree of a constraint, in multiples of the height.
    pub degree: usize,
    /// The number of messages that a row exchanges.
    pub messages: usize,
    /// The number of elements of the longest message.
    pub message_width: usize,
    /// The number of polynomials opened, each counted once for every point.
    pub openings: usize,
    /// The base-2 logarithm of the height, if the key determines it.
    pub log_height: Option<usize>,
}

impl<P: StarkField> KeyShape<P> {
    /// The shape of the key that [`compile`](crate::key::compile) makes of a machine.
    ///
    /// # Errors
    ///
    /// Says what of the machine cannot be proven under the configuration.
    pub fn new(machine: &Machine, config: &Config) -> Result<Self, StatementError> {
        Self::of_statement(Statement::new(machine, config)?)
    }

    pub(crate) fn of_statement(statement: Statement) -> Result<Self, StatementError> {
        P::key_shape(statement)
    }

    pub(crate) fn of_statement_generic(statement: Statement) -> Result<Self, StatementError> {
        let config = statement.config()?;
        if config.field != P::FIELD {
            return Err(StatementError::Field { machine: config.field, config: P::FIELD });
        }
        let chips = statement.chips()?;
        let airs: Vec<_> = chips.iter().map(RecordedAir::new).collect();
        let lookups: Vec<_> = airs.iter().map(|air| P::lookups(air, &config)).collect();
        let tables: Vec<_> = chips
            .iter()
            .zip(&airs)
            .zip(&lookups)
            .zip(statement.log_heights())
            .map(|(((chip, air), lookups), log_height)| {
                TableShape::new::<P>(chip, air, lookups, log_height)
            })
            .collect();
        for table in &tables {
            if table.quotient_chunks > 1 << config.max_log_chunks() {
                return Err(StatementError::Degree {
                    chip: table.name.clone(),
                    rule: table.constraints,
                    degree: table.degree,
                    limit: config.max_degree(),
                });
            }
        }
        let security = (0..=max_log_height(&config)).map(|_| OnceLock::new()).collect();
        Ok(Self { statement, config, airs, lookups, tables, security })
    }

    /// The one gate for heights of tables (base-2 logarithms): those of a trace, of a proof, and of the proofs that a
    /// circuit verifies. Tells what a proof of these heights is worth.
    ///
    /// # Errors
    ///
    /// Says why no proof under a key of this shape may have them. Nothing is computed with a height that was not
    /// compared with what the key allows.
    pub fn admit(&self, log_heights: &[usize]) -> Result<SecurityReport, HeightsError> {
        let (expected, found) = (self.tables.len(), log_heights.len());
        if expected != found {
            return Err(HeightsError::Tables { expected, found });
        }
        for (index, &found) in log_heights.iter().enumerate() {
            let (low, high) = self.log_height_range(index);
            if !(low..=high).contains(&found) {
                let table = self.tables[index].name.clone();
                return Err(HeightsError::Height { table, found, low, high });
            }
        }
        let heights: Vec<usize> = log_heights.iter().map(|log_height| 1 << log_height).collect();
        check_multiplicity_height_bound(&self.lookups, &heights)
            .map_err(|error| HeightsError::Multiplicities { reason: error.to_string() })?;
        let report = self.security(log_heights)?;
        if let Some(target) = self.config.target {
            report.require(target)?;
        }
        Ok(report)
    }

    /// The base-2 logarithms of the smallest and the largest height of table number `table`. Periods divide heights.
    pub(crate) fn log_height_range(&self, table: usize) -> (usize, usize) {
        let free = || (self.config.min_log_height(), max_log_height(&self.config));
        let (low, high) = self.tables[table].log_height.map_or_else(free, |fixed| (fixed, fixed));
        let periods = self.airs[table].periodic().iter();
        let longest = periods.map(|column| column.len().ilog2() as usize).max();
        (low.max(longest.unwrap_or(0)), high)
    }

    /// What a proof of tables of these heights is worth, whether they are admitted or not. That depends on the tallest
    /// one alone, and is computed once for each: it takes a fifth as long as verifying a proof.
    ///
    /// # Errors
    ///
    /// Fails as [`SecurityReport::new`] does.
    pub fn security(&self, log_heights: &[usize]) -> Result<SecurityReport, ConfigError> {
        let shape = self.batch_shape(log_heights);
        let known = self.security.get(shape.log_height);
        if let Some(report) = known.and_then(OnceLock::get) {
            return Ok(report.clone());
        }
        let report = SecurityReport::new(self.config(), &shape)?;
        if let Some(known) = known {
            known.get_or_init(|| report.clone());
        }
        Ok(report)
    }

    /// The numbers that security depends on, for tables of these heights.
    pub fn batch_shape(&self, log_heights: &[usize]) -> BatchShape {
        let tables = self.tables();
        let sum = |of: fn(&TableShape) -> usize| tables.iter().map(of).sum();
        let max = |of: fn(&TableShape) -> usize| tables.iter().map(of).max().unwrap_or(0);
        BatchShape {
            log_height: log_heights.iter().copied().max().unwrap_or(0),
            openings: sum(|table| table.openings),
            constraints: sum(|table| table.constraints),
            degree: max(|table| table.degree),
            quotient_chunks: max(|table| table.quotient_chunks),
            messages: sum(|table| table.messages),
            message_width: max(|table| table.message_width),
        }
    }

    /// Whether a verifier does the same with keys of both shapes: the keys differ in the contents of preprocessed columns
    /// alone.
    pub fn is_like(&self, other: &Self) -> bool {
        self.statement == other.statement
    }

    /// Everything that a verifier must know, but for the contents of the preprocessed columns.
    pub(crate) fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The tables, in the order of the machine's chips.
    pub fn tables(&self) -> &[TableShape] {
        &self.tables
    }

    /// The tables' constraints. Their preprocessed columns have no contents.
    pub fn airs(&self) -> &[RecordedAir<P::Base>] {
        &self.airs
    }

    /// The lookups of every table.
    pub fn lookups(&self) -> &[Lookups<P::Base>] {
        &self.lookups
    }

    /// The base-2 logarithm of the number of chunks that the quotient of table number `table` is committed in. It
    /// depends on the height, `2^log_height` rows, if there are periodic columns.
    pub fn log_quotient_chunks(&self, table: usize, log_height: usize) -> usize {
        P::log_quotient_chunks(self, table, log_height)
    }

    pub(crate) fn log_quotient_chunks_generic(&self, table: usize, log_height: usize) -> usize {
        let (shape, air) = (&self.tables[table], &self.airs[table]);
        if air.periodic().is_empty() || shape.log_height == Some(log_height) {
            shape.quotient_chunks.ilog2() as usize
        } else {
            P::sizes(air, &self.lookups[table], Some(log_height)).log_chunks
        }
    }
}

impl<P: StarkField> fmt::Debug for KeyShape<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyShape")
            .field("config", &self.config.name)
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

/// Heights for what depends on a height only through the periods of periodic columns.
#[cfg(feature = "reference")]
pub(crate) fn nominal_log_heights<F: PrimeField64>(
    airs: &[RecordedAir<F>],
    log_heights: &[Option<usize>],
) -> Vec<usize> {
    airs.iter()
        .zip(log_heights)
        .map(|(air, log_height)| {
            let periods = air.periodic_columns();
            let longest = periods.iter().map(|column| column.len().ilog2() as usize).max();
            log_height.unwrap_or(0).max(longest.unwrap_or(0))
        })
        .collect()
}

impl TableShape {
    fn new<P: StarkField>(
        chip: &Chip,
        air: &RecordedAir<P::Base>,
        lookups: &Lookups<P::Base>,
        log_height: Option<usize>,
    ) -> Self {
        let ConstraintSizes { count: constraints, degree, log_chunks } =
            P::sizes(air, lookups, log_height);
        let quotient_chunks = 1 << log_chunks;
        Self {
            name: chip.name.clone(),
            width: air.width(),
            fixed_width: air.preprocessed_width(),
            lookup_columns: if lookups.is_empty() { 0 } else { lookups.len() + 1 },
            quotient_chunks,
            publics: air.num_public_values(),
            constraints,
            degree,
            messages: chip.interactions.len(),
            message_width: chip.interactions.iter().map(|i| i.message.len()).max().unwrap_or(0),
            openings: num_batched_openings(
                air.width(),
                !air.main_next_row_columns().is_empty(),
                air.preprocessed_width(),
                !air.preprocessed_next_row_columns().is_empty(),
                quotient_chunks,
                lookups.len(),
                P::FIELD.degree(),
                OpeningShape::new(),
            ),
            log_height,
        }
    }
}
