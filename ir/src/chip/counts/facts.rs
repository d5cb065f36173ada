//! What the rules of a chip say of its expressions on every row: bounds, and which of them exclude each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::chip::{CellType, Chip, ColumnId, ColumnKind, Node, NodeId, Rule, Section};

/// Integers beyond this are not followed: within it, equal field elements are equal integers over every field.
const LIMIT: i64 = 1 << 29;
/// How much work a chip is worth, and each of its messages besides. A chip that needs more is refused.
const STEPS: usize = 1 << 20;
const STEPS_OF_MESSAGE: usize = 1 << 10;
/// How much work it is worth to read one rule. Rules about flags are short.
const STEPS_OF_RULE: usize = 1 << 12;
/// How deep expressions and definitions lie one in another.
const DEPTH: usize = 64;

/// An interval of integers.
type Range = (i64, i64);

/// A sum of multiples of expressions that are no sums, and a constant.
#[derive(Clone, Debug, Default)]
struct Linear {
    terms: BTreeMap<NodeId, i64>,
    constant: i64,
}

/// What is known of a chip's expressions.
pub(super) struct Facts<'a> {
    chip: &'a Chip,
    /// By column: whether a rule says that it is a bit.
    bits: Vec<bool>,
    /// What rules say that a cell of the row is equal to.
    definitions: BTreeMap<ColumnId, Vec<NodeId>>,
    /// By expression: the sets, of which at most one member is not zero, that it belongs to.
    sets: BTreeMap<NodeId, BTreeSet<usize>>,
    known: BTreeMap<NodeId, Option<Range>>,
    steps: usize,
}

impl<'a> Facts<'a> {
    pub(super) fn of(chip: &'a Chip) -> Self {
        let mut facts = Self {
            chip,
            bits: vec![false; chip.columns.len()],
            definitions: BTreeMap::new(),
            sets: BTreeMap::new(),
            known: BTreeMap::new(),
            steps: 0,
        };
        if chip.interactions.is_empty() {
            return facts;
        }
        let everywhere = |rule: &&Rule| rule.section == Section::Row && rule.guard.is_none();
        let rules: Vec<(&Rule, Option<Linear>)> = chip
            .rules
            .iter()
            .filter(everywhere)
            .map(|rule| {
                facts.steps = STEPS_OF_RULE;
                (rule, facts.difference(rule.left, rule.right))
            })
            .collect();
        for (rule, difference) in &rules {
            facts.steps = STEPS_OF_RULE;
            if let Some(bit) = difference.as_ref().and_then(|linear| facts.bit_of(linear)) {
                facts.bits[bit.index()] = true;
            }
            for (cell, value) in [(rule.left, rule.right), (rule.right, rule.left)] {
                if let Node::Cell(cell) = chip.graph.node(cell)
                    && !cell.next
                {
                    facts.definitions.entry(cell.column).or_default().push(value);
                }
            }
        }
        facts.steps = STEPS + STEPS_OF_MESSAGE * chip.interactions.len();
        for (number, (_, difference)) in rules.iter().enumerate() {
            for sign in [1, -1] {
                let set = difference.as_ref().map(|linear| facts.at_most_one(linear, sign));
                for bit in set.into_iter().flatten() {
                    facts.sets.entry(bit).or_default().insert(2 * number + usize::from(sign < 0));
                }
            }
        }
        facts.known.clear();
        facts
    }

    /// The interval that a node's value lies in on every row, if there is one.
    pub(super) fn range(&mut self, node: NodeId) -> Option<Range> {
        self.bounded(node, DEPTH)
    }

    /// Whether at most one of two flags is set on every row.
    pub(super) fn exclude(&mut self, a: NodeId, b: NodeId) -> bool {
        self.disjoint(a, b, DEPTH)
    }

    /// Takes a step, if there is one left.
    fn step(&mut self) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        Some(())
    }

    fn signed(&self, value: u64) -> Option<i64> {
        let modulus = self.chip.field.modulus();
        let (value, sign) = if value > modulus / 2 { (modulus - value, -1) } else { (value, 1) };
        i64::try_from(value).ok().filter(|value| *value <= LIMIT).map(|value| sign * value)
    }

    // Sums.

    fn linear(&mut self, node: NodeId) -> Option<Linear> {
        self.sum(BTreeMap::from([(node, 1)]))
    }

    fn difference(&mut self, left: NodeId, right: NodeId) -> Option<Linear> {
        if left == right {
            return Some(Linear::default());
        }
        self.sum(BTreeMap::from([(left, 1), (right, -1)]))
    }

    /// A sum of multiples of nodes. Operands stand before their users, so each node is met once.
    fn sum(&mut self, mut pending: BTreeMap<NodeId, i64>) -> Option<Linear> {
        let mut sum = Linear::default();
        while let Some((node, factor)) = pending.pop_last() {
            self.step()?;
            if factor == 0 {
                continue;
            }
            let mut push = |node, by: i64| {
                let entry = pending.entry(node).or_insert(0);
                *entry = checked(entry.checked_add(factor.checked_mul(by)?)?)?;
                Some(())
            };
            match self.chip.graph.node(node) {
                Node::Const(value) => {
                    let value = self.signed(value)?.checked_mul(factor)?;
                    sum.constant = checked(sum.constant.checked_add(value)?)?;
                }
                Node::Add(a, b) => {
                    push(a, 1)?;
                    push(b, 1)?;
                }
                Node::Sub(a, b) => {
                    push(a, 1)?;
                    push(b, -1)?;
                }
                Node::Neg(a) => push(a, -1)?,
                Node::Mul(a, b) => match (self.constant(a), self.constant(b)) {
                    (Some(by), _) => push(b, by)?,
                    (_, Some(by)) => push(a, by)?,
                    _ => _ = sum.terms.insert(node, factor),
                },
                _ => _ = sum.terms.insert(node, factor),
            }
        }
        Some(sum)
    }

    fn constant(&self, node: NodeId) -> Option<i64> {
        match self.chip.graph.node(node) {
            Node::Const(value) => self.signed(value),
            _ => None,
        }
    }

    // What a rule says.

    /// The column that `sum = 0` says to be a bit: `b·b − b`, or `b·(b − 1)`, or a multiple of these.
    fn bit_of(&mut self, sum: &Linear) -> Option<ColumnId> {
        let mut terms = sum.terms.iter().map(|(node, factor)| (*node, *factor));
        let (first, second, none) = (terms.next()?, terms.next(), terms.next());
        if sum.constant != 0 || none.is_some() {
            return None;
        }
        let product = |(node, _): (NodeId, i64)| match self.chip.graph.node(node) {
            Node::Mul(a, b) => Some((a, b)),
            _ => None,
        };
        let cell = |node: NodeId| match self.chip.graph.node(node) {
            Node::Cell(cell) if self.chip.columns[cell.column.index()].kind.is_main() => {
                Some(cell.column)
            }
            _ => None,
        };
        match second {
            Some(second) => {
                [(first, second), (second, first)].into_iter().find_map(|(square, of)| {
                    let (a, b) = product(square)?;
                    (a == b && a == of.0 && square.1 == -of.1).then(|| cell(a)).flatten()
                })
            }
            None => {
                let (a, b) = product(first)?;
                [(a, b), (b, a)].into_iter().find_map(|(bit, other)| {
                    let column = cell(bit)?;
                    let Linear { terms, constant } = self.linear(other)?;
                    let factor = *terms.get(&bit)?;
                    (terms.len() == 1 && constant == -factor).then_some(column)
                })
            }
        }
    }

    /// What a product is a multiple of by a constant that is not zero.
    fn without_constants(&self, node: NodeId) -> NodeId {
        let is_factor =
            |node: NodeId| matches!(self.chip.graph.node(node), Node::Const(value) if value != 0);
        // Operands stand before their users, so this ends.
        match self.chip.graph.node(node) {
            Node::Mul(a, b) if is_factor(a) => self.without_constants(b),
            Node::Mul(a, b) if is_factor(b) => self.without_constants(a),
            _ => node,
        }
    }

    /// Expressions of which `sum = 0` says that at most one is not zero: the factors of a product that is all of the sum, or
    /// bits with the factor `sign`, if all the rest is such that their sum is at most one.
    fn at_most_one(&mut self, sum: &Linear, sign: i64) -> Vec<NodeId> {
        if let Some((&product, _)) = sum.terms.first_key_value()
            && sum.terms.len() == 1
            && sum.constant == 0
            && let Node::Mul(a, b) = self.chip.graph.node(product)
        {
            return [a, b].map(|factor| self.without_constants(factor)).into();
        }
        let is_bit = |node: NodeId| match self.chip.graph.node(node) {
            Node::Cell(cell) => self.of_column(cell.column).is_some_and(|(a, b)| a >= 0 && b <= 1),
            _ => false,
        };
        let bits = sum.terms.iter().filter(|(node, factor)| **factor == sign && is_bit(**node));
        if bits.take(2).count() < 2 {
            return Vec::new();
        }
        let (mut set, mut most, mut size) = (Vec::new(), -sign * sum.constant, sum.constant.abs());
        for (&node, &factor) in &sum.terms {
            let Some((low, high)) = self.bounded(node, DEPTH) else { return Vec::new() };
            let largest = factor.abs().saturating_mul(low.abs().max(high.abs()));
            size = size.saturating_add(largest);
            if factor == sign && low >= 0 && high <= 1 {
                set.push(node);
            } else {
                let by = -sign * factor;
                most = most.saturating_add(by.saturating_mul(if by > 0 { high } else { low }));
            }
        }
        if size <= LIMIT && most <= 1 { set } else { Vec::new() }
    }

    // Bounds.

    fn bounded(&mut self, node: NodeId, depth: usize) -> Option<Range> {
        if let Some(&known) = self.known.get(&node) {
            return known;
        }
        self.step()?;
        let depth = depth.checked_sub(1)?;
        // While it is asked for, nothing is known: a definition may lead back.
        self.known.insert(node, None);
        let range = match self.chip.graph.node(node) {
            Node::Const(value) => self.signed(value).map(|value| (value, value)),
            Node::Cell(cell) => self.of_column(cell.column).or_else(|| {
                let definitions = self.definitions.get(&cell.column).filter(|_| !cell.next)?;
                let definitions = definitions.clone();
                definitions.into_iter().find_map(|value| self.bounded(value, depth))
            }),
            Node::Mul(a, b) if self.constant(a).or(self.constant(b)).is_none() => {
                let (a, b) = (self.bounded(a, depth)?, self.bounded(b, depth)?);
                let products = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
                let least = *products.iter().min()?;
                interval(least, *products.iter().max()?)
            }
            Node::Add(..) | Node::Sub(..) | Node::Neg(_) | Node::Mul(..) => {
                let sum = self.linear(node)?;
                self.bounded_sum(&sum, depth)
            }
            _ => None,
        };
        self.known.insert(node, range);
        range
    }

    fn of_column(&self, column: ColumnId) -> Option<Range> {
        let Self { chip, bits, .. } = self;
        let of = &chip.columns[column.index()];
        match (of.kind, of.ty) {
            (ColumnKind::Fixed, CellType::Bits(bits @ 1..=28)) => Some((0, (1 << bits) - 1)),
            (ColumnKind::Periodic, _) => {
                let place = chip.columns_of(ColumnKind::Periodic).position(|id| id == column)?;
                let values = chip.periodic.get(place)?.iter().map(|value| self.signed(*value));
                let values: Option<Vec<i64>> = values.collect();
                let values = values?;
                Some((*values.iter().min()?, *values.iter().max()?))
            }
            (kind, _) => (kind.is_main() && bits[column.index()]).then_some((0, 1)),
        }
    }

    /// Bounds of a sum. Of flags that exclude each other only the one with the largest factor counts.
    fn bounded_sum(&mut self, sum: &Linear, depth: usize) -> Option<Range> {
        let (mut low, mut high) = (sum.constant, sum.constant);
        let mut classes: Vec<(bool, i64, Vec<NodeId>)> = Vec::new();
        for (&node, &factor) in &sum.terms {
            let (least, most) = self.bounded(node, depth)?;
            if least < 0 || most > 1 {
                let ends = [factor.checked_mul(least)?, factor.checked_mul(most)?];
                low = checked(low + ends[0].min(ends[1]))?;
                high = checked(high + ends[0].max(ends[1]))?;
                continue;
            }
            let mut fits = None;
            for (place, (positive, _, members)) in classes.iter().enumerate() {
                if *positive == (factor > 0)
                    && members.iter().all(|&member| self.disjoint(member, node, depth))
                {
                    fits = Some(place);
                    break;
                }
            }
            match fits {
                Some(place) => {
                    let (_, largest, members) = &mut classes[place];
                    *largest = (*largest).max(factor.abs());
                    members.push(node);
                }
                None => classes.push((factor > 0, factor.abs(), vec![node])),
            }
        }
        for (positive, largest, _) in classes {
            if positive {
                high = checked(high + largest)?;
            } else {
                low = checked(low - largest)?;
            }
        }
        interval(low, high)
    }

    // Exclusion.

    /// Whether the product of two expressions is zero on every row.
    fn disjoint(&mut self, a: NodeId, b: NodeId, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let (of_a, of_b) = (self.factors(a), self.factors(b));
        of_a.iter().any(|&a| of_b.iter().any(|&b| self.apart(a, b, depth)))
    }

    /// The factors of an expression, those of the expressions that cells are defined as included.
    fn factors(&mut self, node: NodeId) -> Vec<NodeId> {
        let (mut factors, mut pending) = (BTreeSet::new(), vec![node]);
        while let Some(node) = pending.pop() {
            if self.step().is_none() || !factors.insert(node) {
                continue;
            }
            match self.chip.graph.node(node) {
                Node::Mul(a, b) => pending.extend([a, b]),
                Node::Cell(cell) if !cell.next => {
                    pending.extend(self.definitions.get(&cell.column).into_iter().flatten());
                }
                _ => {}
            }
        }
        factors.into_iter().collect()
    }

    /// Whether at most one of two factors is not zero.
    fn apart(&mut self, a: NodeId, b: NodeId, depth: usize) -> bool {
        if self.step().is_none() || a == b {
            return false;
        }
        if let (Some(of_a), Some(of_b)) = (self.sets.get(&a), self.sets.get(&b))
            && !of_a.is_disjoint(of_b)
        {
            return true;
        }
        self.sum_apart(a, b, depth) || self.sum_apart(b, a, depth)
    }

    /// Whether a sum and a factor exclude each other: if the factor excludes each term, or if it is a term and the sum is
    /// one less all terms, of which at most one is set.
    fn sum_apart(&mut self, sum: NodeId, other: NodeId, depth: usize) -> bool {
        if !matches!(self.chip.graph.node(sum), Node::Add(..) | Node::Sub(..)) {
            return false;
        }
        let Some(Linear { terms, constant }) = self.linear(sum) else { return false };
        if constant == 0 && !terms.is_empty() {
            return terms.keys().all(|&term| self.disjoint(term, other, depth));
        }
        let complement = constant == 1 && terms.values().all(|&factor| factor == -1);
        let mut is_flag = |node| self.bounded(node, depth).is_some_and(|(a, b)| a >= 0 && b <= 1);
        complement
            && terms.contains_key(&other)
            && terms.keys().all(|&term| is_flag(term))
            && is_flag(sum)
    }
}

fn checked(value: i64) -> Option<i64> {
    (value.abs() <= LIMIT).then_some(value)
}

fn interval(low: i64, high: i64) -> Option<Range> {
    Some((checked(low)?, checked(high)?))
}
