//! Expressions as linear forms in the cells that are not determined yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::chip::{Chip, ColumnId, ColumnKind, Node, NodeId};

/// What a cell is multiplied by; never zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    /// A constant.
    Constant(u64),
    /// A determined value that is not zero in the case at hand.
    NonZero,
}

/// A determined value plus a combination of undetermined cells.
#[derive(Clone)]
pub(super) struct Form {
    /// The determined part, where it is a constant.
    pub(super) constant: Option<u64>,
    pub(super) terms: BTreeMap<ColumnId, Factor>,
    /// The determined part is not zero, though its value is not known.
    non_zero: bool,
}

/// Whether a determined node is zero, by node.
pub(super) type Case = BTreeMap<NodeId, bool>;

impl Form {
    fn known(constant: Option<u64>) -> Self {
        Self { constant, terms: BTreeMap::new(), non_zero: false }
    }

    /// Whether the form is determined and cannot be zero.
    pub(super) fn is_non_zero(&self) -> bool {
        self.terms.is_empty() && (self.non_zero || self.constant.is_some_and(|value| value != 0))
    }

    fn times(&self, factor: Factor, modulus: u64) -> Self {
        if factor == Factor::Constant(0) {
            return Self::known(Some(0));
        }
        let product = |a: u64, b: u64| mul(a, b, modulus);
        let scale = |own: Factor| match (own, factor) {
            (Factor::Constant(a), Factor::Constant(b)) => Factor::Constant(product(a, b)),
            _ => Factor::NonZero,
        };
        let constant = match factor {
            Factor::Constant(by) => self.constant.map(|value| product(value, by)),
            Factor::NonZero => self.constant.filter(|value| *value == 0),
        };
        Self {
            constant,
            terms: self.terms.iter().map(|(cell, own)| (*cell, scale(*own))).collect(),
            non_zero: self.is_non_zero(),
        }
    }

    pub(super) fn minus(&self, other: &Self, modulus: u64) -> Option<Self> {
        self.plus(&other.times(Factor::Constant(modulus - 1), modulus), modulus)
    }

    fn plus(&self, other: &Self, modulus: u64) -> Option<Self> {
        let sum = |a: u64, b: u64| add(a, b, modulus);
        let constant = self.constant.zip(other.constant).map(|(a, b)| sum(a, b));
        let mut terms = self.terms.clone();
        for (cell, by) in &other.terms {
            let total = match (terms.get(cell), by) {
                (None, by) => *by,
                (Some(Factor::Constant(a)), Factor::Constant(b)) => Factor::Constant(sum(*a, *b)),
                _ => return None,
            };
            if total == Factor::Constant(0) {
                terms.remove(cell);
            } else {
                terms.insert(*cell, total);
            }
        }
        Some(Self { constant, terms, non_zero: false })
    }
}

/// The forms of all nodes of a real row; `None` where a node is not linear in the undetermined cells.
pub(super) fn forms(chip: &Chip, known: &BTreeSet<ColumnId>, case: &Case) -> Vec<Option<Form>> {
    let modulus = chip.field.modulus();
    let mut forms: Vec<Option<Form>> = Vec::with_capacity(chip.graph.len());
    for (index, node) in chip.graph.nodes().iter().enumerate() {
        let of = |id: NodeId| forms[id.index()].as_ref();
        let negated = |form: &Form| form.times(Factor::Constant(modulus - 1), modulus);
        let mut form = match *node {
            Node::Const(value) => Some(Form::known(Some(value % modulus))),
            Node::Public(_) => Some(Form::known(None)),
            Node::Cell(cell) if cell.next => None,
            Node::Cell(cell) => Some(match chip.columns[cell.column.index()].kind {
                ColumnKind::Real => Form::known(Some(1)),
                _ if known.contains(&cell.column) => Form::known(None),
                _ => Form {
                    constant: Some(0),
                    terms: BTreeMap::from([(cell.column, Factor::Constant(1))]),
                    non_zero: false,
                },
            }),
            Node::Add(a, b) => of(a).zip(of(b)).and_then(|(a, b)| a.plus(b, modulus)),
            Node::Sub(a, b) => of(a).zip(of(b)).and_then(|(a, b)| a.minus(b, modulus)),
            Node::Neg(a) => of(a).map(negated),
            Node::Mul(a, b) => product(of(a), of(b), modulus),
            _ => None,
        };
        if let (Some(form), Some(zero)) = (&mut form, case.get(&NodeId::new(index)))
            && form.terms.is_empty()
        {
            if *zero {
                *form = Form::known(Some(0));
            } else {
                form.non_zero = true;
            }
        }
        forms.push(form);
    }
    forms
}

fn product(a: Option<&Form>, b: Option<&Form>, modulus: u64) -> Option<Form> {
    let is_zero = |form: &Form| form.terms.is_empty() && form.constant == Some(0);
    if a.is_some_and(is_zero) || b.is_some_and(is_zero) {
        return Some(Form::known(Some(0)));
    }
    let (a, b) = a.zip(b)?;
    let (scalar, form) = if a.terms.is_empty() { (a, b) } else { (b, a) };
    match scalar.constant {
        Some(value) if scalar.terms.is_empty() => {
            Some(form.times(Factor::Constant(value), modulus))
        }
        _ if scalar.is_non_zero() => Some(form.times(Factor::NonZero, modulus)),
        _ => (a.terms.is_empty() && b.terms.is_empty()).then(|| Form::known(None)),
    }
}

fn add(a: u64, b: u64, modulus: u64) -> u64 {
    ((u128::from(a) + u128::from(b)) % u128::from(modulus)) as u64
}

fn mul(a: u64, b: u64, modulus: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(modulus)) as u64
}
