//! Which cells of a row are determined by the others?
//!
//! A cell is determined if any two real rows that obey all rules, and agree in what is given, agree in it. Given are
//! inputs, fixed and periodic columns, public values, and the records that the caller claims. From these the
//! analysis propagates to a fixed point; each conclusion cites its rule, so that a reviewer can follow it.
//!
//! ```
//! use chipwright_ir::{chip::parse::parse, determinism::analyse};
//!
//! let chip = parse("chip double over goldilocks^2 {
//!   x: input felt    c0
//!   y: output felt   c1
//!   row {
//!     eq y, x + x
//!   }
//! }").unwrap();
//! assert!(analyse(&chip, &[]).undetermined.is_empty());
//! ```
//!
//! # Soundness
//!
//! "Determined" is proven, "undetermined" is not refuted: it means that no rule of the analysis applies. Three things are
//! assumed: an input is of its type, as its caller ensures; what is looked up is of the types of the port, as the table ensures; rows
//! are real. Types of other columns are not assumed: only rules and lookups that enforce them count. Rules
//! between rows are not used.

mod form;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::chip::{CellType, Chip, ColumnId, ColumnKind, Node, NodeId, PortKind, Section};
use form::{Case, Factor, Form, forms};

/// The most determined factors that are split into a zero and a non-zero case.
const MAX_SPLITS: usize = 64;

/// What the analysis found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Determinism {
    /// The derivation: later steps use earlier ones.
    pub steps: Vec<Step>,
    /// The cells that nothing was concluded of.
    pub undetermined: Vec<ColumnId>,
}

/// A conclusion: a cell is determined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The cell.
    pub column: ColumnId,
    /// Why, with the rule that is used.
    pub because: String,
}

/// Finds the cells that are determined by inputs, fixed columns, public values and `claimed` columns.
/// Multiplicities are not of interest: the machine's buses count them.
pub fn analyse(chip: &Chip, claimed: &[ColumnId]) -> Determinism {
    let mut known: BTreeSet<ColumnId> = claimed.iter().copied().collect();
    for (index, column) in chip.columns.iter().enumerate() {
        if is_given(column.kind) {
            known.insert(ColumnId::new(index));
        }
    }
    let limits = limits(chip);
    let mut steps = propagate(chip, &limits, &mut known, &Case::new());
    while let Some(found) = split(chip, &limits, &known) {
        known.extend(found.iter().map(|step| step.column));
        steps.extend(found);
        steps.extend(propagate(chip, &limits, &mut known, &Case::new()));
    }
    let all = (0..chip.columns.len()).map(ColumnId::new);
    Determinism { steps, undetermined: all.filter(|column| !known.contains(column)).collect() }
}

const fn is_given(kind: ColumnKind) -> bool {
    matches!(
        kind,
        ColumnKind::Input
            | ColumnKind::Fixed
            | ColumnKind::Periodic
            | ColumnKind::Real
            | ColumnKind::Multiplicity
    )
}

/// The largest values of cells, as inputs' types, boolean rules and lookups enforce them on real rows.
fn limits(chip: &Chip) -> BTreeMap<ColumnId, u64> {
    let mut limits = BTreeMap::new();
    let mut limit = |column: ColumnId, ty: CellType| {
        if let CellType::Bits(bits) = ty {
            let most = (1_u64 << bits) - 1;
            let least = limits.entry(column).or_insert(most);
            *least = most.min(*least);
        }
    };
    for (index, column) in chip.columns.iter().enumerate() {
        if column.kind == ColumnKind::Input {
            limit(ColumnId::new(index), column.ty);
        }
    }
    let none = BTreeSet::new();
    let forms = forms(chip, &none, &Case::new());
    let holds = |node: NodeId| forms[node.index()].as_ref().is_some_and(Form::is_non_zero);
    for rule in &chip.rules {
        if rule.section == Section::Row && rule.guard.is_none_or(holds) {
            for (a, b) in [(rule.left, rule.right), (rule.right, rule.left)] {
                if let Some(column) = boolean(chip, a, b) {
                    limit(column, CellType::BIT);
                }
            }
        }
    }
    for interaction in &chip.interactions {
        let port = &chip.ports[interaction.port.index()];
        if port.kind == PortKind::Lookup && holds(interaction.count) {
            for (element, (_, ty)) in interaction.message.iter().zip(&port.message) {
                if let Some(column) = own_cell(chip, *element) {
                    limit(column, *ty);
                }
            }
        }
    }
    limits
}

fn own_cell(chip: &Chip, node: NodeId) -> Option<ColumnId> {
    match chip.graph.node(node) {
        Node::Cell(cell) if !cell.next => Some(cell.column),
        _ => None,
    }
}

/// The cell that `left = right` makes a bit: `x·x = x`, or `x·(x − 1) = 0`.
fn boolean(chip: &Chip, left: NodeId, right: NodeId) -> Option<ColumnId> {
    let Node::Mul(a, b) = chip.graph.node(left) else { return None };
    if a == b && a == right {
        return own_cell(chip, a);
    }
    let is = |node: NodeId, value: u64| chip.graph.node(node) == Node::Const(value);
    [(a, b), (b, a)].into_iter().find_map(|(x, rest)| {
        let complement = match chip.graph.node(rest) {
            Node::Sub(c, d) => (c == x && is(d, 1)) || (is(c, 1) && d == x),
            _ => false,
        };
        if complement && is(right, 0) { own_cell(chip, x) } else { None }
    })
}

/// Applies rules until nothing new follows.
fn propagate(
    chip: &Chip,
    limits: &BTreeMap<ColumnId, u64>,
    known: &mut BTreeSet<ColumnId>,
    case: &Case,
) -> Vec<Step> {
    let mut steps = Vec::new();
    loop {
        let forms = forms(chip, known, case);
        let before = steps.len();
        for (index, rule) in chip.rules.iter().enumerate() {
            let holds = |node: NodeId| forms[node.index()].as_ref().is_some_and(Form::is_non_zero);
            if rule.section != Section::Row || !rule.guard.is_none_or(holds) {
                continue;
            }
            let sides = [rule.left, rule.right].map(|node| forms[node.index()].as_ref());
            let [Some(left), Some(right)] = sides else { continue };
            let Some(difference) = left.minus(right, chip.field.modulus()) else { continue };
            let Some(how) = conclude(&difference, limits, chip.field.modulus()) else { continue };
            for column in difference.terms.keys() {
                if known.insert(*column) {
                    let because = format!("{how} in rule `{}`", chip.rule_name(index));
                    steps.push(Step { column: *column, because });
                }
            }
        }
        if steps.len() == before {
            return steps;
        }
    }
}

/// Whether `form = 0` determines all its cells, and how.
fn conclude(form: &Form, limits: &BTreeMap<ColumnId, u64>, modulus: u64) -> Option<&'static str> {
    match form.terms.len() {
        0 => return None,
        1 => return Some("linear, with a coefficient that is not zero,"),
        _ => {}
    }
    let mut limbs = Vec::with_capacity(form.terms.len());
    for (column, factor) in &form.terms {
        let Factor::Constant(value) = factor else { return None };
        limbs.push((*value.min(&(modulus - value)), *limits.get(column)?));
    }
    limbs.sort_unstable();
    let mut below = 0_u128;
    for (weight, most) in limbs {
        if u128::from(weight) <= below {
            return None;
        }
        below = below.checked_add(u128::from(weight) * u128::from(most))?;
    }
    (below < u128::from(modulus)).then_some("one of limbs that neither overlap nor wrap")
}

/// Splits a determined factor or guard into zero and not zero: what is determined in both cases is.
fn split(
    chip: &Chip,
    limits: &BTreeMap<ColumnId, u64>,
    known: &BTreeSet<ColumnId>,
) -> Option<Vec<Step>> {
    let forms = forms(chip, known, &Case::new());
    let factors = chip.graph.nodes().iter().flat_map(|node| match *node {
        Node::Mul(a, b) => vec![a, b],
        _ => Vec::new(),
    });
    let guards = chip.rules.iter().filter_map(|rule| rule.guard);
    let candidates: BTreeSet<NodeId> = factors
        .chain(guards)
        .filter(|node| {
            let form = forms[node.index()].as_ref();
            form.is_some_and(|form| form.terms.is_empty() && form.constant.is_none())
        })
        .collect();
    candidates.into_iter().take(MAX_SPLITS).find_map(|node| {
        let [zero, other] = [true, false].map(|is_zero| {
            propagate(chip, limits, &mut known.clone(), &Case::from([(node, is_zero)]))
        });
        let both = zero.into_iter().filter_map(|step| {
            let twin = other.iter().find(|twin| twin.column == step.column)?;
            let because = format!(
                "where `{0}` is 0: {1}; where it is not: {2}",
                chip.formula(node),
                step.because,
                twin.because
            );
            Some(Step { column: step.column, because })
        });
        let both: Vec<Step> = both.collect();
        (!both.is_empty()).then_some(both)
    })
}
