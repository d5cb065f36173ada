//! The constraints of tables of fixed heights, against what a proof opens of them.

use chipwright_backend_stark::config::StarkField;
use chipwright_backend_stark::key::KeyShape;
use chipwright_dsl::circuit::{CircuitBuilder, ExtTarget, TargetType};
use chipwright_ir::circuit::{BinaryOp, Constant};
use chipwright_ir::{Field, FieldPair};
use p3_air::{Air, BaseAir};
use p3_field::PrimeField64;
use p3_lookup::check_multiplicity_height_bound;
use p3_uni_stark::{
    AirLayout, SymbolicAirBuilder, get_all_symbolic_constraints, get_log_num_quotient_chunks,
};

use super::ConstraintsError;
use super::evaluate::{Evaluation, Signed};
use super::graph::{Constraints, NodeId, Reader};
use super::lookups::{Buses, assert_terminals, prefix};
use super::opened::{Opened, Row, quotient};
use crate::domain::{OutOfDomain, constant, interpolate, two_adicity};

/// The challenges of constraint evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Challenges {
    /// The challenge that messages are subtracted from, and the one that combines their elements; `None` if
    /// no table has lookups.
    pub lookup: Option<(ExtTarget, ExtTarget)>,
    /// The challenge that folds the constraints.
    pub constraint: ExtTarget,
}

/// The constraints of a table of fixed height, and everything else that its check is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableConstraints {
    name: String,
    constraints: Constraints,
    log_height: usize,
    log_chunks: usize,
    main: Columns,
    fixed: Columns,
    publics: usize,
    /// The values of every periodic column, canonical integers.
    periodic: Vec<Vec<u64>>,
    /// The bus of each lookup.
    buses: Vec<usize>,
    message_width: usize,
}

/// The number of columns of a matrix, and whether they are opened for the next row too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    width: usize,
    next: bool,
}

impl TableConstraints {
    /// The constraints of a table of a key's shape, as high as `2^log_height`; `buses` are those of all its tables.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be so high.
    pub fn of_key<P: StarkField>(
        key: &KeyShape<P>,
        table: usize,
        log_height: usize,
        buses: &Buses,
    ) -> Result<Self, ConstraintsError> {
        let shape = &key.tables()[table];
        if let Some(expected) = shape.log_height
            && expected != log_height
        {
            let table = shape.name.clone();
            return Err(ConstraintsError::Height { table, expected, found: log_height });
        }
        let (air, lookups) = (&key.airs()[table], &key.lookups()[table]);
        let periodic = periodic::<P::Base, _>(air);
        // Before the height enters any arithmetic.
        check_height(P::FIELD, &shape.name, log_height, 0, &periodic)?;
        let log_chunks = key.log_quotient_chunks(table, log_height);
        check_height(P::FIELD, &shape.name, log_height, log_chunks, &periodic)?;

        let symbolic = P::symbolic(air, lookups);
        let mut reader = Reader::<P>::new();
        let base = symbolic.base.iter().map(|constraint| reader.base(constraint));
        let mut roots: Vec<(usize, NodeId)> =
            symbolic.order.base_indices.iter().copied().zip(base).collect();
        let extension = symbolic.extension.iter().map(|constraint| reader.extension(constraint));
        roots.extend(symbolic.order.ext_indices.iter().copied().zip(extension));
        roots.sort_unstable();
        Ok(Self {
            name: shape.name.clone(),
            constraints: reader.finish(roots.into_iter().map(|(_, root)| root).collect()),
            log_height,
            log_chunks,
            main: Columns { width: shape.width, next: !air.main_next_row_columns().is_empty() },
            fixed: Columns {
                width: shape.fixed_width,
                next: !air.preprocessed_next_row_columns().is_empty(),
            },
            publics: shape.publics,
            periodic,
            buses: buses.of_tables[table].clone(),
            message_width: buses.message_width,
        })
    }

    /// The constraints of any AIR over the base field, as `p3_uni_stark::verify` evaluates them on a table
    /// of `2^log_height` rows with the AIR's own number of preprocessed columns.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be so high, if the AIR has constraints over the extension field, or if it has public
    /// values that are to be bound by something else than constraints.
    pub fn of_air<P, A>(name: &str, air: &A, log_height: usize) -> Result<Self, ConstraintsError>
    where
        P: FieldPair,
        A: Air<SymbolicAirBuilder<P::Base>>,
    {
        let boundary = air.public_boundary_io().len();
        if boundary > 0 {
            return Err(ConstraintsError::Boundary { count: boundary });
        }
        let periodic = periodic::<P::Base, _>(air);
        check_height(P::FIELD, name, log_height, 0, &periodic)?;
        let layout = AirLayout::from_air(air);
        let log_chunks = get_log_num_quotient_chunks(air, layout, 1 << log_height, 0);
        check_height(P::FIELD, name, log_height, log_chunks, &periodic)?;
        let (base, extension) = get_all_symbolic_constraints::<P::Base, P::Base, A>(air, layout);
        if !extension.is_empty() {
            return Err(ConstraintsError::Extension { count: extension.len() });
        }
        let mut reader = Reader::<P>::new();
        let roots = base.iter().map(|constraint| reader.base(constraint)).collect();
        Ok(Self {
            name: name.to_owned(),
            constraints: reader.finish(roots),
            log_height,
            log_chunks,
            main: Columns { width: air.width(), next: !air.main_next_row_columns().is_empty() },
            fixed: Columns {
                width: layout.preprocessed_width,
                next: !air.preprocessed_next_row_columns().is_empty(),
            },
            publics: air.num_public_values(),
            periodic,
            buses: Vec::new(),
            message_width: 1,
        })
    }

    /// The constraints.
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
    }

    /// The same table with other constraints: for tests that forge.
    #[must_use]
    pub fn with_constraints(self, constraints: Constraints) -> Self {
        Self { constraints, ..self }
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The base-2 logarithm of the height.
    pub fn log_height(&self) -> usize {
        self.log_height
    }

    /// The base-2 logarithm of the number of the quotient's chunks.
    pub fn log_chunks(&self) -> usize {
        self.log_chunks
    }

    /// The number of main-trace columns.
    pub fn width(&self) -> usize {
        self.main.width
    }

    /// The number of preprocessed columns.
    pub fn fixed_width(&self) -> usize {
        self.fixed.width
    }

    /// The number of lookup columns, extension elements: one for each lookup and the running sum, or none.
    pub fn lookup_columns(&self) -> usize {
        if self.buses.is_empty() { 0 } else { self.buses.len() + 1 }
    }

    /// The number of public values.
    pub fn publics(&self) -> usize {
        self.publics
    }

    /// Whether the main-trace columns are opened for the next row too.
    pub fn opens_next(&self) -> bool {
        self.main.next
    }

    /// Whether the preprocessed columns are opened for the next row too.
    pub fn opens_next_fixed(&self) -> bool {
        self.fixed.next
    }

    /// The constraints at ζ, folded: `Σ alpha^(n−1−i) · constraint_i`.
    ///
    /// # Errors
    ///
    /// Fails if the opened values do not have the table's shape.
    pub fn evaluate(
        &self,
        builder: &mut CircuitBuilder,
        zeta: &mut OutOfDomain,
        opened: &Opened,
        challenges: &Challenges,
    ) -> Result<ExtTarget, ConstraintsError> {
        let folded = self.fold(builder, zeta, opened, challenges)?;
        Ok(folded.positive(builder))
    }

    fn fold(
        &self,
        builder: &mut CircuitBuilder,
        zeta: &mut OutOfDomain,
        opened: &Opened,
        challenges: &Challenges,
    ) -> Result<Signed, ConstraintsError> {
        self.check_shape(builder.field(), opened, challenges)?;
        let selectors = zeta.selectors(builder, self.log_height);
        let periodic = self.periodic_at(builder, zeta);
        let lookups = opened.lookups.recomposed(builder);
        let prefixes: Vec<ExtTarget> = match challenges.lookup {
            Some((alpha, beta)) => self
                .buses
                .iter()
                .map(|&bus| prefix(builder, alpha, beta, self.message_width, bus))
                .collect(),
            None => Vec::new(),
        };
        let at = Evaluation {
            main: &opened.main,
            fixed: &opened.fixed,
            lookups: &lookups,
            publics: &opened.publics,
            periodic: &periodic,
            selectors,
            prefixes: &prefixes,
            beta: challenges.lookup.map(|(_, beta)| beta),
            terminal: opened.terminal,
            alpha: challenges.constraint,
        };
        self.constraints.fold(builder, &at)
    }

    /// Demands that the constraints hold at ζ: folded and divided by the vanishing polynomial, they are the
    /// quotient.
    ///
    /// # Errors
    ///
    /// Fails if the opened values do not have the table's shape.
    pub fn assert_quotient(
        &self,
        builder: &mut CircuitBuilder,
        zeta: &mut OutOfDomain,
        opened: &Opened,
        challenges: &Challenges,
    ) -> Result<(), ConstraintsError> {
        let folded = self.fold(builder, zeta, opened, challenges)?;
        let selectors = zeta.selectors(builder, self.log_height);
        let weights = zeta.chunk_weights(builder, self.log_height, self.log_chunks);
        let quotient = quotient(builder, &opened.quotient, &weights);
        let inverse = selectors.inverse_vanishing.id();
        let divided = builder.graph_mut().binary(BinaryOp::Mul, folded.target, inverse);
        let divided = ExtTarget::of(divided);
        if folded.negative {
            let sum = builder.add(quotient, divided);
            builder.assert_zero(sum).named(&self.name);
        } else {
            builder.assert_eq(divided, quotient).named(&self.name);
        }
        Ok(())
    }

    /// The periodic columns at ζ: a column of period `p` is a polynomial in `ζ^(2^h / p)`, interpolated over
    /// the subgroup of order `p`.
    fn periodic_at(&self, builder: &mut CircuitBuilder, zeta: &mut OutOfDomain) -> Vec<ExtTarget> {
        self.periodic
            .iter()
            .map(|values| {
                let log_period = values.len().trailing_zeros() as usize;
                let point = zeta.power_of_two(builder, self.log_height - log_period);
                let mut sum: Option<ExtTarget> = None;
                for coefficient in interpolate(builder.field(), values).into_iter().rev() {
                    let coefficient = constant(builder, coefficient);
                    sum = Some(match sum {
                        None => builder.lift(coefficient),
                        Some(sum) => builder.mul_add(sum, point, coefficient),
                    });
                }
                sum.unwrap_or_else(|| ExtTarget::of(builder.graph_mut().constant(Constant::zero())))
            })
            .collect()
    }

    fn check_shape(
        &self,
        field: Field,
        opened: &Opened,
        challenges: &Challenges,
    ) -> Result<(), ConstraintsError> {
        let degree = field.degree();
        let lookups =
            Columns { width: self.lookup_columns() * degree, next: !self.buses.is_empty() };
        let next = |columns: Columns| if columns.next { columns.width } else { 0 };
        let chunk = opened.quotient.iter().find(|chunk| chunk.len() != degree);
        let with_lookups = usize::from(!self.buses.is_empty());
        for (what, expected, found) in [
            ("main-trace columns", self.main.width, opened.main.local.len()),
            ("main-trace columns of the next row", next(self.main), opened.main.next.len()),
            ("preprocessed columns", self.fixed.width, opened.fixed.local.len()),
            ("preprocessed columns of the next row", next(self.fixed), opened.fixed.next.len()),
            ("lookup coefficients", lookups.width, opened.lookups.local.len()),
            ("lookup coefficients of the next row", next(lookups), opened.lookups.next.len()),
            ("quotient chunks", 1 << self.log_chunks, opened.quotient.len()),
            ("coefficients of a quotient chunk", degree, chunk.map_or(degree, Vec::len)),
            ("public values", self.publics, opened.publics.len()),
            ("terminals", with_lookups, usize::from(opened.terminal.is_some())),
            (
                "pairs of lookup challenges",
                with_lookups,
                with_lookups & usize::from(challenges.lookup.is_some()),
            ),
        ] {
            if expected != found {
                let table = self.name.clone();
                return Err(ConstraintsError::Shape { table, what, expected, found });
            }
        }
        Ok(())
    }
}

/// The constraints of all tables of a key, at fixed heights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchConstraints {
    tables: Vec<TableConstraints>,
}

impl BatchConstraints {
    /// The constraints of a key's tables, as high as `2^log_height` each.
    ///
    /// # Errors
    ///
    /// Fails if a table cannot be so high, or if so many rows could make the multiplicities of a bus wrap.
    pub fn of_key<P: StarkField>(
        key: &KeyShape<P>,
        log_heights: &[usize],
    ) -> Result<Self, ConstraintsError> {
        let (expected, found) = (key.tables().len(), log_heights.len());
        if expected != found {
            return Err(ConstraintsError::Tables { what: "heights", expected, found });
        }
        let lookups = key.lookups();
        let buses = Buses::of(lookups);
        let tables = log_heights
            .iter()
            .enumerate()
            .map(|(table, &log_height)| TableConstraints::of_key(key, table, log_height, &buses))
            .collect::<Result<_, _>>()?;
        let heights: Vec<usize> = log_heights.iter().map(|log_height| 1 << log_height).collect();
        check_multiplicity_height_bound(lookups, &heights)
            .map_err(|error| ConstraintsError::Multiplicities { reason: error.to_string() })?;
        Ok(Self { tables })
    }

    /// The constraints of a single table without lookups.
    pub fn single(table: TableConstraints) -> Self {
        Self { tables: vec![table] }
    }

    /// The tables, in the order of the key.
    pub fn tables(&self) -> &[TableConstraints] {
        &self.tables
    }

    /// Demands that all tables' constraints hold at ζ and that the lookups balance.
    ///
    /// # Errors
    ///
    /// Fails if the opened values do not have the tables' shapes.
    pub fn assert_all(
        &self,
        builder: &mut CircuitBuilder,
        zeta: &mut OutOfDomain,
        opened: &[Opened],
        challenges: &Challenges,
    ) -> Result<(), ConstraintsError> {
        let (expected, found) = (self.tables.len(), opened.len());
        if expected != found {
            return Err(ConstraintsError::Tables { what: "opened values", expected, found });
        }
        for (table, opened) in self.tables.iter().zip(opened) {
            builder.scope(&table.name, |builder| {
                table.assert_quotient(builder, zeta, opened, challenges)
            })?;
        }
        assert_terminals(builder, opened.iter().filter_map(|opened| opened.terminal));
        Ok(())
    }
}

fn periodic<F: PrimeField64, A: BaseAir<F>>(air: &A) -> Vec<Vec<u64>> {
    let columns = air.periodic_columns();
    let canonical = |column: &Vec<F>| column.iter().map(PrimeField64::as_canonical_u64).collect();
    columns.iter().map(canonical).collect()
}

/// Checks that a table can have `2^log_height` rows and a quotient of `2^log_chunks` as many, which has its
/// domain, and that all periods divide the height.
fn check_height(
    field: Field,
    table: &str,
    log_height: usize,
    log_chunks: usize,
    periodic: &[Vec<u64>],
) -> Result<(), ConstraintsError> {
    let limit = two_adicity(field).saturating_sub(log_chunks);
    if log_height > limit {
        let table = table.to_owned();
        return Err(ConstraintsError::TooTall { table, found: log_height, limit });
    }
    let fits = |period: usize| period.is_power_of_two() && period <= 1 << log_height;
    match periodic.iter().map(Vec::len).find(|&period| !fits(period)) {
        Some(period) => {
            Err(ConstraintsError::Period { table: table.to_owned(), log_height, period })
        }
        None => Ok(()),
    }
}

/// A row without columns.
impl Row {
    /// Values at ζ alone.
    pub fn local(local: Vec<ExtTarget>) -> Self {
        Self { local, next: Vec::new() }
    }
}
