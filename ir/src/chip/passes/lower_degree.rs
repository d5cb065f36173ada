//! Lowers the degree of rules and messages to a bound by storing products in new columns.
//!
//! A product is seen as a multiset of factors, however it was associated: `x·x·x·x·x·x·x` with bound 3 needs
//! one column, `y = x³`, and becomes `y·y·x`. Each new column gets a rule that defines it on every row and a
//! fill, and is used wherever the same product occurs.
//!
//! ```text
//!   eq out, x * x * x * x * x * x * x      →     fill low = x * x * x
//!                                                eq low, x * x * x
//!                                                eq out, low * low * x
//! ```
//!
//! Columns hold expressions of one row. A product of cells of the next row is the next row's cell of a
//! column that is defined over this row.

mod products;

use std::collections::BTreeMap;

use products::{divides, key};

use super::build;
use crate::chip::{
    Cell, Chip, ColumnKind, Fill, FillOp, Label, Node, NodeId, Origin, Rule, Section,
};

/// Degrees beyond this are not lowered: a product has as many factors.
const LIMIT: usize = 1 << 12;

/// Why degrees cannot be lowered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LowerDegreeError {
    /// The bound is too small to define anything by a product.
    #[error("a degree bound of {0} allows no products; it must be at least 2")]
    Bound(usize),
    /// The degree is beyond reason.
    #[error("{what} of chip `{chip}` has degree {degree}; at most {LIMIT} can be lowered")]
    TooHigh {
        /// The chip.
        chip: String,
        /// The rule or message.
        what: String,
        /// Its degree.
        degree: usize,
    },
    /// What remains mixes this row and the next, or a multiplicity, so that no column can hold it.
    #[error(
        "{what} of chip `{chip}` has degree {degree}, the bound is {max}, and `{formula}` cannot be \
         stored in a column because it reads this row and the next, or a multiplicity; store a part \
         of it with `save`"
    )]
    Stuck {
        /// The chip.
        chip: String,
        /// The rule or message.
        what: String,
        /// Its degree.
        degree: usize,
        /// The bound.
        max: usize,
        /// The product or sum that cannot be stored.
        formula: String,
    },
}

/// The chip with all rules of degree at most `max`, and all messages such that their share of the bus's
/// sum has degree at most `max`: elements at most `max − 1` (less the degree of the flag for exclusive
/// ones), counts at most `max`. Rules that are low enough stay as they are.
///
/// # Errors
///
/// Fails if `max` is less than 2, or if a product of this and the next row's cells is too high.
pub fn lower_degree(chip: &Chip, max: usize) -> Result<Chip, LowerDegreeError> {
    if max < 2 {
        return Err(LowerDegreeError::Bound(max));
    }
    let mut lowering = Lowering {
        chip: chip.clone(),
        max,
        degrees: Vec::new(),
        reads: Vec::new(),
        stored: BTreeMap::new(),
        products: BTreeMap::new(),
        gains: BTreeMap::new(),
        done: BTreeMap::new(),
    };
    lowering.check_limit()?;
    lowering.find_stored();
    lowering.estimate_gains();
    for index in 0..chip.rules.len() {
        lowering.rule(index)?;
    }
    for index in 0..chip.interactions.len() {
        lowering.interaction(index)?;
    }
    let same = lowering.chip.rules == chip.rules && lowering.chip.interactions == chip.interactions;
    Ok(if same { chip.clone() } else { build::collect(&lowering.chip) })
}

/// Factors with their exponents.
type Product = BTreeMap<NodeId, usize>;

/// The expression that cannot be stored.
struct Stuck(NodeId);

/// Which cells a node reads.
#[derive(Clone, Copy, Default)]
struct Reads {
    this: bool,
    next: bool,
    multiplicity: bool,
}

struct Lowering {
    chip: Chip,
    max: usize,
    degrees: Vec<usize>,
    reads: Vec<Reads>,
    /// The cell that holds a node's value on every row.
    stored: BTreeMap<NodeId, NodeId>,
    /// The stored products, by their first factor.
    products: BTreeMap<NodeId, Vec<(Product, NodeId)>>,
    /// How much degree a product would save over the whole chip.
    gains: BTreeMap<Vec<(NodeId, usize)>, usize>,
    /// What a node was lowered to, by budget.
    done: BTreeMap<(NodeId, usize), NodeId>,
}

impl Lowering {
    fn check_limit(&mut self) -> Result<(), LowerDegreeError> {
        let too_high = |what, degree| {
            let chip = self.chip.name.clone();
            Err(LowerDegreeError::TooHigh { chip, what, degree })
        };
        let degrees = self.chip.graph.degrees(&self.chip.columns);
        for (index, rule) in self.chip.rules.iter().enumerate() {
            let degree = rule.degree(&degrees);
            if degree > LIMIT {
                return too_high(format!("rule `{}`", self.chip.rule_name(index)), degree);
            }
        }
        for interaction in &self.chip.interactions {
            let nodes = interaction.message.iter().chain([&interaction.count]);
            let degree = nodes.map(|node| degrees[node.index()]).max().unwrap_or(0);
            if degree > LIMIT {
                let port = &self.chip.ports[interaction.port.index()].name;
                return too_high(format!("a message of port `{port}`"), degree);
            }
        }
        Ok(())
    }

    /// Columns that hold a low enough expression already, by an unconditional rule `cell = expression`.
    fn find_stored(&mut self) {
        for rule in self.chip.rules.clone() {
            if rule.section != Section::Row || rule.guard.is_some() {
                continue;
            }
            for (cell, value) in [(rule.left, rule.right), (rule.right, rule.left)] {
                let is_cell = matches!(self.chip.graph.node(cell), Node::Cell(c) if !c.next);
                let degree = self.degree(value);
                if is_cell && (2..=self.max).contains(&degree) && !self.reads(value).next {
                    self.remember(value, cell);
                    break;
                }
            }
        }
    }

    fn estimate_gains(&mut self) {
        let mut roots = Vec::new();
        for rule in &self.chip.rules {
            let guard = rule.section.degree();
            roots.extend([(rule.left, guard, rule.guard), (rule.right, guard, rule.guard)]);
        }
        let mut seen = vec![false; self.chip.graph.len()];
        for (root, section, guard) in roots {
            let used = section + guard.map_or(0, |guard| self.degree(guard));
            let budget = self.max.saturating_sub(used).max(1);
            let mut pending = vec![root];
            while let Some(id) = pending.pop() {
                if self.degree(id) <= budget || std::mem::replace(&mut seen[id.index()], true) {
                    continue;
                }
                match self.chip.graph.node(id) {
                    Node::Mul(..) => {
                        let (product, _) = self.flatten(id);
                        pending.extend(product.keys());
                        let excess = self.total(&product).saturating_sub(budget);
                        for candidate in self.candidates(&product) {
                            let gain = self.reduction(&product, &candidate).min(excess);
                            *self.gains.entry(key(&candidate)).or_default() += gain;
                        }
                    }
                    node => pending.extend(node.operands()),
                }
            }
        }
    }

    fn rule(&mut self, index: usize) -> Result<(), LowerDegreeError> {
        let rule = self.chip.rules[index].clone();
        let section = rule.section.degree();
        let body = self.degree(rule.left).max(self.degree(rule.right));
        let guard_degree = rule.guard.map_or(0, |guard| self.degree(guard));
        let degree = section + guard_degree + body;
        if degree <= self.max {
            return Ok(());
        }
        let mut lower = || -> Result<Rule, Stuck> {
            let mut lowered = rule.clone();
            let mut left_over = self.max.saturating_sub(section);
            if let Some(guard) = rule.guard {
                // The guard is stored if that alone is enough, if nothing else can be, or if other
                // rules are too high for it as well.
                let enough = section + 1 + body <= self.max;
                let crowded = section + guard_degree >= self.max;
                if guard_degree > 1 && (enough || crowded || self.is_shared(guard)) {
                    lowered.guard = Some(self.lower(guard, 1)?);
                }
                let guard = lowered.guard.unwrap_or(guard);
                left_over = left_over.saturating_sub(self.degree(guard));
            }
            lowered.left = self.lower(rule.left, left_over)?;
            lowered.right = self.lower(rule.right, left_over)?;
            Ok(lowered)
        };
        let lowered = lower();
        let lowered = lowered.map_err(|Stuck(node)| {
            self.stuck(format!("rule `{}`", self.chip.rule_name(index)), degree, node)
        })?;
        self.chip.rules[index] = lowered;
        Ok(())
    }

    fn interaction(&mut self, index: usize) -> Result<(), LowerDegreeError> {
        let mut interaction = self.chip.interactions[index].clone();
        let exclusive = interaction.exclusive.is_some();
        let degree_of = |lowering: &mut Self, nodes: &[NodeId]| {
            nodes.iter().map(|node| lowering.degree(*node)).max().unwrap_or(0)
        };
        let message = degree_of(self, &interaction.message);
        let count = self.degree(interaction.count);
        let degree = (1 + message + if exclusive { count } else { 0 }).max(count);
        if degree <= self.max {
            return Ok(());
        }
        let mut lower = || -> Result<(), Stuck> {
            // An exclusive flag multiplies its message.
            let flag =
                if exclusive { self.max.saturating_sub(1 + message).max(1) } else { self.max };
            interaction.count = self.lower(interaction.count, flag)?;
            let flag = if exclusive { self.degree(interaction.count) } else { 0 };
            let budget = self.max.saturating_sub(1 + flag);
            for element in &mut interaction.message {
                *element = self.lower(*element, budget)?;
            }
            Ok(())
        };
        let lowered = lower();
        lowered.map_err(|Stuck(node)| {
            let port = &self.chip.ports[interaction.port.index()].name;
            self.stuck(format!("a message of port `{port}`"), degree, node)
        })?;
        self.chip.interactions[index] = interaction;
        Ok(())
    }

    fn stuck(&self, what: String, degree: usize, node: NodeId) -> LowerDegreeError {
        LowerDegreeError::Stuck {
            chip: self.chip.name.clone(),
            what,
            degree,
            max: self.max,
            formula: self.chip.formula(node),
        }
    }

    /// Whether several rules with this guard are too high.
    fn is_shared(&mut self, guard: NodeId) -> bool {
        let guarded: Vec<Rule> =
            self.chip.rules.iter().filter(|rule| rule.guard == Some(guard)).cloned().collect();
        let high = |rule: &Rule| {
            let body = self.degree(rule.left).max(self.degree(rule.right));
            rule.section.degree() + self.degree(guard) + body > self.max
        };
        guarded.iter().map(high).filter(|high| *high).count() > 1
    }

    /// The same value, of degree at most `budget`.
    fn lower(&mut self, node: NodeId, budget: usize) -> Result<NodeId, Stuck> {
        if self.degree(node) <= budget {
            return Ok(node);
        }
        if budget == 0 {
            return Err(Stuck(node));
        }
        if let Some(cell) = self.stored.get(&node) {
            return Ok(*cell);
        }
        if let Some(lowered) = self.done.get(&(node, budget)) {
            return Ok(*lowered);
        }
        let lowered = match self.chip.graph.node(node) {
            Node::Mul(..) => self.lower_product(node, budget)?,
            _ => self.lower_sum(node, budget)?,
        };
        self.done.insert((node, budget), lowered);
        Ok(lowered)
    }

    fn lower_sum(&mut self, node: NodeId, budget: usize) -> Result<NodeId, Stuck> {
        let (spine, terms) = self.spine(node, budget);
        if terms.len() > 1 && budget < self.max {
            // One column for the sum is less than one for each term.
            let sum = self.lower(node, self.max)?;
            if self.is_storable(sum) {
                return Ok(self.store(sum));
            }
        }
        let mut map = BTreeMap::new();
        for term in terms {
            let lowered = self.lower(term, budget)?;
            map.insert(term, lowered);
        }
        for id in spine {
            let sum = self.chip.graph.node(id).map_operands(|a| map.get(&a).copied().unwrap_or(a));
            let sum = self.add(sum);
            map.insert(id, sum);
        }
        Ok(map[&node])
    }

    /// The sums from which `node` is made, operands first, and their terms that exceed the budget.
    fn spine(&mut self, node: NodeId, budget: usize) -> (Vec<NodeId>, Vec<NodeId>) {
        let (mut spine, mut terms) = (Vec::new(), Vec::new());
        let mut seen = std::collections::BTreeSet::new();
        let mut pending = vec![node];
        while let Some(id) = pending.pop() {
            if self.degree(id) <= budget || !seen.insert(id) {
                continue;
            }
            match self.chip.graph.node(id) {
                sum @ (Node::Add(..) | Node::Sub(..) | Node::Neg(_)) => {
                    spine.push(id);
                    pending.extend(sum.operands());
                }
                _ => terms.push(id),
            }
        }
        // Nodes are numbered operands first.
        spine.sort_unstable();
        terms.sort_unstable();
        (spine, terms)
    }

    fn lower_product(&mut self, node: NodeId, budget: usize) -> Result<NodeId, Stuck> {
        let (mut product, mut scale) = self.flatten(node);
        for (factor, exponent) in product.clone() {
            let max = self.max;
            let lowered = self.lower(factor, max)?;
            if lowered != factor {
                product.remove(&factor);
                *product.entry(lowered).or_default() += exponent;
            }
        }
        while self.total(&product) > budget {
            let (factors, cell) = match self.reusable(&product) {
                Some(found) => found,
                None => {
                    let factors = self.best(&product, budget).ok_or(Stuck(node))?;
                    let value = self.multiply(&factors);
                    let cell = self.store(value);
                    (factors, cell)
                }
            };
            let times = divides(&product, &factors);
            for (factor, exponent) in &factors {
                let left = product[factor] - times * exponent;
                if left == 0 {
                    product.remove(factor);
                } else {
                    product.insert(*factor, left);
                }
            }
            *product.entry(cell).or_default() += times;
        }
        let mut result = self.multiply(&product);
        scale.sort_unstable();
        for factor in scale {
            result = self.add(Node::Mul(factor, result));
        }
        Ok(result)
    }

    /// The stored product that lowers a product most.
    fn reusable(&mut self, product: &Product) -> Option<(Product, NodeId)> {
        let mut best: Option<(usize, Product, NodeId)> = None;
        let first: Vec<NodeId> = product.keys().copied().collect();
        for (stored, cell) in first.iter().filter_map(|f| self.products.get(f)).flatten() {
            let times = divides(product, stored);
            let degree: usize = stored.iter().map(|(f, e)| self.degrees[f.index()] * e).sum();
            let reduction = times * degree.saturating_sub(1);
            if reduction > best.as_ref().map_or(0, |(most, ..)| *most) {
                best = Some((reduction, stored.clone(), *cell));
            }
        }
        best.map(|(_, stored, cell)| (stored, cell))
    }

    /// The product that is best stored next: it lowers this product most, as far as needed, then the
    /// whole chip most.
    fn best(&mut self, product: &Product, budget: usize) -> Option<Product> {
        let excess = self.total(product) - budget;
        let mut best: Option<((usize, usize), Product)> = None;
        for candidate in self.candidates(product) {
            let reduction = self.reduction(product, &candidate).min(excess);
            let gain = self.gains.get(&key(&candidate)).copied().unwrap_or(0);
            let score = (reduction, gain);
            if reduction > 0 && best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }

    fn is_storable(&mut self, node: NodeId) -> bool {
        let reads = self.reads(node);
        !(reads.multiplicity || reads.this && reads.next)
    }

    /// Puts a storable node of degree at most `max` in a column.
    fn store(&mut self, node: NodeId) -> NodeId {
        if let Some(cell) = self.stored.get(&node) {
            return *cell;
        }
        if self.reads(node).next {
            let shifted = self.shift(node);
            let cell = self.store(shifted);
            let Node::Cell(Cell { column, .. }) = self.chip.graph.node(cell) else { return cell };
            let below = self.add(Node::Cell(Cell { column, next: true }));
            self.remember(node, below);
            return below;
        }
        let name = build::free_name(&self.chip, "low");
        let formula = self.chip.formula(node);
        let doc = format!("Lowers degrees: `{formula}`.");
        let column = build::add_column(&mut self.chip, &name, ColumnKind::Scratch, &doc);
        let cell = self.add(Node::Cell(Cell { column, next: false }));
        let label = Label { name, because: formula, ..Label::default() };
        self.chip.rules.push(Rule {
            section: Section::Row,
            guard: None,
            left: cell,
            right: node,
            origin: Origin::Pass,
            label: label.clone(),
        });
        let op = FillOp::Set { cell: Cell { column, next: false }, value: node };
        let mut sections = vec![Section::Row];
        if self.is_set_late(node) {
            sections.push(Section::Step);
        }
        for section in sections {
            let (op, label) = (op.clone(), label.clone());
            self.chip.fills.push(Fill { section, guards: Vec::new(), op, label });
        }
        self.remember(node, cell);
        cell
    }

    fn remember(&mut self, node: NodeId, cell: NodeId) {
        self.stored.entry(node).or_insert(cell);
        if matches!(self.chip.graph.node(node), Node::Mul(..)) {
            let (product, scale) = self.flatten(node);
            if let (true, Some(first)) = (scale.is_empty(), product.keys().next().copied()) {
                self.products.entry(first).or_default().push((product, cell));
            }
        }
    }

    /// Whether a cell that the node reads is set after the fills of its row have run.
    fn is_set_late(&self, node: NodeId) -> bool {
        let mut late = vec![false; self.chip.columns.len()];
        for fill in self.chip.fills.iter().filter(|fill| fill.section == Section::Step) {
            for cell in fill.cells().into_iter().filter(|cell| !cell.next) {
                late[cell.column.index()] = true;
            }
        }
        let mut found = false;
        let mut done = vec![false; node.index() + 1];
        crate::chip::outline::post_order(&self.chip, node, &mut done, |id| {
            if let Node::Cell(cell) = self.chip.graph.node(id) {
                found |= late[cell.column.index()];
            }
        });
        found
    }
}
