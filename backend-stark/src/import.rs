//! Chips from Plonky3 AIRs: the rules of an AIR that someone else wrote, recorded.
//!
//! An AIR is run once on symbolic values, and its constraints become the rules of a [`Chip`] with the
//! same columns. The chip proves exactly what the AIR proves; it has no fills, its traces come from
//! where the AIR's traces come from. Selector polynomials (`is_first_row · x`) become sections.
//!
//! A two-column AIR whose second column is the square of the first becomes
//!
//! ```text
//! chip square over goldilocks^2 {
//!   main: record [felt; 2]  c0..1
//!   row {
//!     eq main[0] * main[0] - main[1], 0
//!   }
//! }
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use chipwright_ir::Field;
use chipwright_ir::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, FixedData, Graph, Group, Label, Node,
    NodeId, Origin, Public, PublicId, Rule, Section,
};
use p3_air::symbolic::{
    AirLayout, BaseEntry, BaseLeaf, SymbolicAirBuilder, SymbolicExpression,
    get_symbolic_constraints,
};
use p3_air::{Air, BaseAir};
use p3_field::PrimeField64;
use p3_matrix::Matrix;

/// An AIR that cannot be a chip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The AIR's base field is not the chip's.
    #[error("the AIR is over a field of order {found}, {field} has order {expected}")]
    Field {
        /// The field asked for.
        field: Field,
        /// Its order.
        expected: u64,
        /// The order of the AIR's field.
        found: u64,
    },
    /// A constraint uses selectors otherwise than as one factor of the whole constraint.
    #[error("constraint {constraint} uses row selectors in a way that no section expresses")]
    Selector {
        /// The constraint's position.
        constraint: usize,
    },
    /// A constraint reads a row other than this one and the next.
    #[error("constraint {constraint} reads a row at distance {offset}")]
    Offset {
        /// The constraint's position.
        constraint: usize,
        /// The distance.
        offset: usize,
    },
}

/// Records the rules of an AIR without lookups as a chip.
///
/// # Errors
///
/// Fails if the AIR is over another field, or a constraint is not a rule on one section of the rows.
pub fn chip_from_air<F, A>(name: &str, field: Field, air: &A) -> Result<Chip, ImportError>
where
    F: PrimeField64,
    A: Air<SymbolicAirBuilder<F>>,
{
    if F::ORDER_U64 != field.modulus() {
        let (expected, found) = (field.modulus(), F::ORDER_U64);
        return Err(ImportError::Field { field, expected, found });
    }
    let constraints = get_symbolic_constraints::<F, A>(air, AirLayout::from_air(air));
    let mut import = Import::new(name, field, air);
    for (index, constraint) in constraints.iter().enumerate() {
        import.constraint(index, constraint)?;
    }
    Ok(import.chip)
}

/// An expression's node in the chip, and the section that a selector among its factors names. `None`: the
/// expression is a selector and nothing else.
type Value = (Option<NodeId>, Option<Section>);

struct Import<F> {
    chip: Chip,
    /// The first column of each trace: main, fixed, periodic.
    starts: [usize; 3],
    /// The values of shared expressions, by address; the constraints outlive the import.
    known: HashMap<*const SymbolicExpression<F>, Value>,
}

impl<F: PrimeField64> Import<F> {
    fn new<A: BaseAir<F>>(name: &str, field: Field, air: &A) -> Self {
        let widths = [air.width(), air.preprocessed_width(), air.num_periodic_columns()];
        let kinds = [ColumnKind::Record, ColumnKind::Fixed, ColumnKind::Periodic];
        let mut starts = [0; 3];
        let (mut groups, mut columns) = (Vec::new(), Vec::new());
        for (trace, kind) in kinds.into_iter().enumerate() {
            let name = ["main", "preprocessed", "periodic"][trace];
            starts[trace] = columns.len();
            if widths[trace] > 0 {
                groups.push(Group {
                    name: name.to_owned(),
                    kind,
                    type_name: format!("[felt; {}]", widths[trace]),
                    start: ColumnId::new(columns.len()),
                    len: widths[trace] as u32,
                    doc: String::new(),
                    free: None,
                    location: None,
                });
            }
            columns.extend((0..widths[trace]).map(|index| Column {
                name: format!("{name}[{index}]"),
                kind,
                ty: CellType::Felt,
            }));
        }
        let fixed = air.preprocessed_trace().map(|trace| FixedData {
            columns: (0..trace.width())
                .map(|column| {
                    trace.values.iter().skip(column).step_by(trace.width()).map(canonical).collect()
                })
                .collect(),
        });
        let periodic = air.periodic_columns();
        let chip = Chip {
            name: name.to_owned(),
            field,
            doc: "The rules of an imported AIR.".to_owned(),
            dense: true,
            groups,
            columns,
            publics: (0..air.num_public_values())
                .map(|index| Public::new(format!("public[{index}]")))
                .collect(),
            ports: Vec::new(),
            graph: Graph::new(),
            rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            fixed,
            periodic: periodic
                .iter()
                .map(|column| column.iter().map(canonical).collect())
                .collect(),
            memory_of: None,
        };
        Self { chip, starts, known: HashMap::new() }
    }

    fn constraint(
        &mut self,
        index: usize,
        constraint: &SymbolicExpression<F>,
    ) -> Result<(), ImportError> {
        let (node, section) = self.value(index, constraint)?;
        let left = node.unwrap_or_else(|| self.chip.graph.add(Node::Const(1)));
        let right = self.chip.graph.add(Node::Const(0));
        self.chip.rules.push(Rule {
            section: section.unwrap_or(Section::Row),
            guard: None,
            left,
            right,
            origin: Origin::Author,
            label: Label { name: format!("constraint {index}"), ..Label::default() },
        });
        Ok(())
    }

    fn value(
        &mut self,
        index: usize,
        expression: &SymbolicExpression<F>,
    ) -> Result<Value, ImportError> {
        Ok(match expression {
            SymbolicExpression::Leaf(leaf) => self.leaf(index, leaf)?,
            SymbolicExpression::Add { x, y, .. } => {
                let (x, y) = (self.plain(index, x)?, self.plain(index, y)?);
                (Some(self.chip.graph.add(Node::Add(x, y))), None)
            }
            SymbolicExpression::Sub { x, y, .. } => {
                let (x, y) = (self.plain(index, x)?, self.plain(index, y)?);
                (Some(self.chip.graph.add(Node::Sub(x, y))), None)
            }
            SymbolicExpression::Neg { x, .. } => {
                let x = self.plain(index, x)?;
                (Some(self.chip.graph.add(Node::Neg(x))), None)
            }
            SymbolicExpression::Mul { x, y, .. } => {
                let (x, x_section) = self.shared(index, x)?;
                let (y, y_section) = self.shared(index, y)?;
                if x_section.is_some() && y_section.is_some() {
                    return Err(ImportError::Selector { constraint: index });
                }
                let product = match (x, y) {
                    (Some(x), Some(y)) => Some(self.chip.graph.add(Node::Mul(x, y))),
                    (factor, None) | (None, factor) => factor,
                };
                (product, x_section.or(y_section))
            }
        })
    }

    fn shared(
        &mut self,
        index: usize,
        expression: &Arc<SymbolicExpression<F>>,
    ) -> Result<Value, ImportError> {
        let address = Arc::as_ptr(expression);
        if let Some(&value) = self.known.get(&address) {
            return Ok(value);
        }
        let value = self.value(index, expression)?;
        self.known.insert(address, value);
        Ok(value)
    }

    /// The node of an expression without selectors.
    fn plain(
        &mut self,
        index: usize,
        expression: &Arc<SymbolicExpression<F>>,
    ) -> Result<NodeId, ImportError> {
        match self.shared(index, expression)? {
            (Some(node), None) => Ok(node),
            _ => Err(ImportError::Selector { constraint: index }),
        }
    }

    fn leaf(&mut self, constraint: usize, leaf: &BaseLeaf<F>) -> Result<Value, ImportError> {
        let node = match leaf {
            BaseLeaf::IsFirstRow => return Ok((None, Some(Section::First))),
            BaseLeaf::IsLastRow => return Ok((None, Some(Section::Last))),
            BaseLeaf::IsTransition => return Ok((None, Some(Section::Step))),
            BaseLeaf::Constant(value) => Node::Const(value.as_canonical_u64()),
            BaseLeaf::Variable(variable) => {
                let (trace, offset) = match variable.entry {
                    BaseEntry::Main { offset } => (0, offset),
                    BaseEntry::Preprocessed { offset } => (1, offset),
                    BaseEntry::Periodic => (2, 0),
                    BaseEntry::Public => {
                        let public = Node::Public(PublicId::new(variable.index));
                        return Ok((Some(self.chip.graph.add(public)), None));
                    }
                };
                if offset > 1 {
                    return Err(ImportError::Offset { constraint, offset });
                }
                let column = ColumnId::new(self.starts[trace] + variable.index);
                Node::Cell(Cell { column, next: offset == 1 })
            }
        };
        Ok((Some(self.chip.graph.add(node)), None))
    }
}

fn canonical<F: PrimeField64>(value: &F) -> u64 {
    value.as_canonical_u64()
}
