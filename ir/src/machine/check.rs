//! Checking a trace against the rules and buses of its machine.
//!
//! This is what a proof would show, evaluated in the open: every rule on every row of its section, and the
//! balance of every bus, tuple by tuple. Everything that does not hold ends up in the [`Report`].

use p3_field::{Field, PackedField, PackedValue, PrimeField64};
use rayon::prelude::*;

use super::evaluator::Evaluator;
use super::report::{Party, Report, RuleFailure, Unbalanced};
use super::tuples::TupleMap;
use super::{BusKind, Machine, MachineTrace};
use crate::FieldPair;
use crate::chip::interpret::Slots;
use crate::chip::{Chip, Interaction, Node, NodeId, PortKind, Rule, Section, Sign};

/// Evaluates every rule and every bus of a machine on a trace.
pub fn check<P: FieldPair>(machine: &Machine, trace: &MachineTrace<P::Base>) -> Report {
    P::check_trace(machine, trace)
}

/// [`check`], compiled here for each field.
pub(crate) fn check_over<F: PrimeField64>(machine: &Machine, trace: &MachineTrace<F>) -> Report {
    let mut report = Report::default();
    check_shape(machine, trace, &mut report);
    if !report.shape.is_empty() {
        return report;
    }
    let (rules, mut report) = rayon::join(
        || -> Vec<Report> {
            let chips = (0..machine.chips.len()).into_par_iter();
            chips.map(|index| check_rules(machine, trace, index)).collect()
        },
        || check_buses(machine, trace),
    );
    for chip in rules {
        report.failing_rules += chip.failing_rules;
        report.rules.extend(chip.rules);
    }
    report.rules.truncate(Report::LISTED);
    report
}

fn check_shape<F: PrimeField64>(machine: &Machine, trace: &MachineTrace<F>, report: &mut Report) {
    let chips = machine.chips.len();
    if trace.tables.len() != chips || trace.publics.len() != chips {
        report.shape.push(format!(
            "the machine has {chips} chips; the trace has {} tables and {} lists of public values",
            trace.tables.len(),
            trace.publics.len()
        ));
        return;
    }
    for ((chip, table), publics) in machine.chips.iter().zip(&trace.tables).zip(&trace.publics) {
        let name = &chip.name;
        if let Some(reason) = chip.malformation() {
            report.shape.push(format!("chip `{name}` is malformed: {reason}"));
        }
        if chip.field.modulus() != F::ORDER_U64 {
            report.shape.push(format!("chip `{name}` is over {}, the trace is not", chip.field));
        }
        if table.width != chip.width() {
            let (width, expected) = (table.width, chip.width());
            report
                .shape
                .push(format!("the table of `{name}` has {width} columns instead of {expected}"));
        }
        if !table.height.is_power_of_two() || table.values.len() != table.height * table.width {
            report.shape.push(format!(
                "the table of `{name}` has {} cells, which is not {} rows, a power of two, of {}",
                table.values.len(),
                table.height,
                table.width
            ));
        }
        if publics.len() != chip.publics.len() {
            let (actual, expected) = (publics.len(), chip.publics.len());
            report.shape.push(format!("`{name}` has {expected} public values, not {actual}"));
        }
    }
}

fn check_rules<F: PrimeField64>(
    machine: &Machine,
    trace: &MachineTrace<F>,
    index: usize,
) -> Report {
    let mut report = Report::default();
    let chip = &machine.chips[index];
    let height = trace.tables[index].height;
    let sections = Section::ALL.map(|section| {
        let rules: Vec<usize> =
            (0..chip.rules.len()).filter(|rule| chip.rules[*rule].section == section).collect();
        let rows = match section {
            Section::Row => 0..height,
            Section::First => 0..1,
            Section::Step => 0..height - 1,
            Section::Last => height - 1..height,
        };
        (rules, rows)
    });
    let mut totals = vec![0_usize; chip.rules.len()];
    for (rules, rows) in sections {
        let nodes = rules.iter().flat_map(|rule| chip.rules[*rule].nodes());
        let mut evaluator =
            Evaluator::new(chip, &trace.tables[index], &trace.publics[index], nodes);
        let mut pack = Slots::new(chip);
        let lanes = F::Packing::WIDTH;
        for start in rows.clone().step_by(lanes) {
            let end = rows.end.min(start + lanes);
            if end - start == lanes
                && evaluator.pack(start, &mut pack)
                && !rules.iter().any(|rule| may_fail(&chip.rules[*rule], &pack))
            {
                continue;
            }
            for row in start..end {
                let slots = evaluator.row(row);
                for rule_index in &rules {
                    let rule = &chip.rules[*rule_index];
                    if fails(rule, slots) {
                        totals[*rule_index] += 1;
                        report.failing_rules += 1;
                        if totals[*rule_index] <= Report::ROWS_PER_RULE
                            && report.rules.len() < Report::LISTED
                        {
                            let failure = failure(machine, trace, index, *rule_index, row, slots);
                            report.rules.push(failure);
                        }
                    }
                }
            }
        }
    }
    for failure in &mut report.rules {
        failure.rows = totals[failure.rule];
    }
    report
}

/// Whether a rule fails on one of several rows.
fn may_fail<P: PackedField>(rule: &Rule, slots: &Slots<P>) -> bool
where
    P::Scalar: PrimeField64,
{
    let difference = slots.field(rule.left) - slots.field(rule.right);
    let guarded = rule.guard.map_or(difference, |guard| difference * slots.field(guard));
    guarded.as_slice().iter().any(|value| !value.is_zero())
}

fn fails<F: PrimeField64>(rule: &Rule, slots: &Slots<F>) -> bool {
    slots.field(rule.left) != slots.field(rule.right)
        && rule.guard.is_none_or(|guard| !slots.field(guard).is_zero())
}

fn failure<F: PrimeField64>(
    machine: &Machine,
    trace: &MachineTrace<F>,
    index: usize,
    rule_index: usize,
    row: usize,
    slots: &Slots<F>,
) -> RuleFailure {
    let chip = &machine.chips[index];
    let rule = &chip.rules[rule_index];
    let mut leaves = Vec::new();
    let mut seen = vec![false; chip.graph.len()];
    let mut pending: Vec<NodeId> =
        [Some(rule.left), Some(rule.right), rule.guard].into_iter().rev().flatten().collect();
    while let Some(id) = pending.pop() {
        if !std::mem::replace(&mut seen[id.index()], true) {
            match chip.graph.node(id) {
                Node::Cell(cell) => leaves.push((chip.cell_name(cell), id)),
                Node::Public(public) => leaves.push((chip.public_name(public), id)),
                node => {
                    let operands: Vec<NodeId> = node.operands().collect();
                    pending.extend(operands.into_iter().rev());
                }
            }
        }
    }
    let value = |id: NodeId| chip.field.signed(slots.field(id).as_canonical_u64());
    RuleFailure {
        chip_index: index,
        rule: rule_index,
        rows: 0,
        chip: chip.name.clone(),
        name: chip.rule_name(rule_index),
        section: rule.section,
        row,
        padding: row >= trace.tables[index].real_rows,
        guard: rule.guard.map(|guard| chip.formula(guard)),
        formula: format!("{} = {}", chip.formula(rule.left), chip.formula(rule.right)),
        left: value(rule.left),
        right: value(rule.right),
        cells: leaves.into_iter().map(|(name, id)| (name, value(id))).collect(),
        because: rule.label.because.clone(),
        location: rule.label.location,
    }
}

/// What a tuple's messages sum to.
#[derive(Clone, Copy)]
struct Balance<F> {
    sum: F,
}

fn check_buses<F: PrimeField64>(machine: &Machine, trace: &MachineTrace<F>) -> Report {
    let mut report = Report::default();
    let buses = machine.buses();
    let bus_of = |chip: &Chip, interaction: &Interaction| {
        let name = &chip.ports[interaction.port.index()].bus;
        buses.binary_search_by(|bus| bus.name.cmp(name)).unwrap_or(0)
    };
    let mut balances: Vec<TupleMap<Balance<F>>> =
        buses.iter().map(|_| TupleMap::default()).collect();
    for (index, chip) in machine.chips.iter().enumerate() {
        messages(machine, trace, index, false, |_, interaction, tuple, count| {
            let balance = &mut balances[bus_of(chip, interaction)];
            balance.entry(tuple, || Balance { sum: F::ZERO }).sum += count;
        });
    }
    // Where the tuples that do not balance are in the report.
    let mut places: Vec<TupleMap<usize>> = buses.iter().map(|_| TupleMap::default()).collect();
    for (bus_index, bus) in buses.iter().enumerate() {
        let mut listed = 0;
        for (tuple, balance) in balances[bus_index].sorted(|balance| !balance.sum.is_zero()) {
            report.unbalanced_tuples += 1;
            listed += 1;
            if listed > Report::TUPLES_PER_BUS || report.tuples.len() >= Report::LISTED {
                continue;
            }
            places[bus_index].insert(tuple, report.tuples.len());
            report.tuples.push(Unbalanced {
                bus: bus.name.clone(),
                kind: bus.kind,
                tuple: tuple.to_vec(),
                balance: machine.field.signed(balance.sum.as_canonical_u64()),
                plus: Vec::new(),
                minus: Vec::new(),
                is_entry: false,
                tables: tables_of(machine, bus.kind, &bus.name),
            });
        }
    }
    drop(balances);
    if report.tuples.is_empty() {
        return report;
    }
    for (index, chip) in machine.chips.iter().enumerate() {
        messages(machine, trace, index, true, |row, interaction, tuple, count| {
            let Some(place) = places[bus_of(chip, interaction)].get(tuple) else { return };
            let unbalanced = &mut report.tuples[*place];
            let port = &chip.ports[interaction.port.index()];
            unbalanced.is_entry |= port.kind == PortKind::Table;
            if count.is_zero() {
                return;
            }
            let count = machine.field.signed(count.as_canonical_u64());
            let party = Party {
                chip: chip.name.clone(),
                port: port.name.clone(),
                label: interaction.label.name.clone(),
                row,
                count: count.abs(),
                location: interaction.label.location.or(port.location),
            };
            if count > 0 { unbalanced.plus.push(party) } else { unbalanced.minus.push(party) }
        });
    }
    report
}

fn tables_of(machine: &Machine, kind: BusKind, bus: &str) -> Vec<String> {
    let provides = |chip: &&Chip| {
        chip.ports.iter().any(|port| port.kind == PortKind::Table && port.bus == bus)
    };
    match kind {
        BusKind::Lookup => machine.chips.iter().filter(provides).map(|c| c.name.clone()).collect(),
        BusKind::Permutation => Vec::new(),
    }
}

/// Visits every message of every row of a chip, with its signed count; those that count zero times only if `idle`.
fn messages<F: PrimeField64>(
    machine: &Machine,
    trace: &MachineTrace<F>,
    index: usize,
    idle: bool,
    mut visit: impl FnMut(usize, &Interaction, &[u64], F),
) {
    let chip = &machine.chips[index];
    let nodes = chip.interactions.iter().flat_map(Interaction::nodes);
    let mut tuple = Vec::new();
    let mut evaluator = Evaluator::new(chip, &trace.tables[index], &trace.publics[index], nodes);
    for row in 0..trace.tables[index].height {
        let slots = evaluator.row(row);
        for interaction in &chip.interactions {
            let count = slots.field(interaction.count);
            if count.is_zero() && !idle {
                continue;
            }
            tuple.clear();
            tuple.extend(
                interaction.message.iter().map(|node| slots.field(*node).as_canonical_u64()),
            );
            let signed = if interaction.sign == Sign::Plus { count } else { -count };
            visit(row, interaction, &tuple, signed);
        }
    }
}

impl Chip {
    /// What a rule is called: its name, or its place among the rules.
    pub fn rule_name(&self, rule: usize) -> String {
        let label = &self.rules[rule].label;
        match (label.scope.is_empty(), label.name.is_empty()) {
            (true, true) => format!("rule {rule}"),
            (false, true) => format!("{}/rule {rule}", label.scope),
            (true, false) => label.name.clone(),
            (false, false) => format!("{}/{}", label.scope, label.name),
        }
    }
}
