//! What objects to a forged run: rules, tables, memories and the other ends of buses.
//!
//! Only rows that differ from the honest run are looked at, together with the rows above them; for buses,
//! only the difference to the honest messages counts.
//!
//! - A *lookup* must be an entry. On a bus that no other chip gives entries on, it must have been asked in
//!   the honest run.
//! - A *permutation* bus that another chip is on stays as balanced as it was. On a bus without another
//!   end, what the chip takes must be what it took honestly, and what it puts there is its result.
//! - A *memory* gives each address once, with its initial value, and takes it back once.

use std::collections::BTreeMap;

use p3_field::PrimeField64;

use super::environment::Environment;
use super::stage::{Case, Play};
use super::support::{Support, support};
use crate::chip::interpret::{Program, Scene, Slots};
use crate::chip::{Chip, ColumnKind, FillOp, NodeId, PortKind, Rule, Section, Sign};
use crate::machine::Machine;

/// What can object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Culprit {
    /// A rule of the chip.
    Rule(usize),
    /// A message that does not fit its bus.
    Interaction(usize),
}

/// Something objects on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Objection {
    pub(super) culprit: Culprit,
    pub(super) row: usize,
}

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowVerdict<F> {
    pub(super) broken: Vec<usize>,
    /// Interaction, tuple, signed count; only where the count is not zero.
    pub(super) messages: Vec<(usize, Vec<u64>, F)>,
}

/// What is wrong with a run, and how its messages differ from the honest ones.
#[derive(Clone, Debug)]
pub(super) struct Verdict<F> {
    pub(super) objections: Vec<Objection>,
    differences: BTreeMap<(usize, Vec<u64>), Difference<F>>,
}

#[derive(Clone, Debug)]
struct Difference<F> {
    count: F,
    by: Vec<Objection>,
}

/// A result that a forged run changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) what: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// How the messages of a bus are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Must be an entry.
    Lookup,
    /// The entries of the chip's own table.
    Table,
    /// Must stay as balanced as it was.
    Closed,
    /// What is taken must stay; what is put is a result.
    Open,
    /// Each address, of so many elements, is given and taken once.
    Memory(usize),
}

/// The chip's rules and messages, compiled.
pub(super) struct Judge<'m, F> {
    chip: &'m Chip,
    positions: Vec<usize>,
    width: usize,
    program: Program,
    slots: Slots<F>,
    rule_programs: Vec<Program>,
    rule_supports: Vec<Support>,
    message_supports: Vec<Support>,
    buses: Vec<String>,
    /// For each interaction: its bus, and how it is judged.
    manners: Vec<(usize, Manner)>,
    /// Public values that no fill reads.
    pub(super) results: Vec<bool>,
}

impl<'m, F: PrimeField64> Judge<'m, F> {
    pub(super) fn new(chip: &'m Chip, machine: &Machine, subject: usize) -> Self {
        let positions = chip.positions();
        let rule_nodes: Vec<Vec<NodeId>> =
            chip.rules.iter().map(|rule| rule.nodes().collect()).collect();
        let message_nodes: Vec<Vec<NodeId>> =
            chip.interactions.iter().map(|interaction| interaction.nodes().collect()).collect();
        let all = rule_nodes.iter().chain(&message_nodes).flatten().copied();
        let mut buses: Vec<String> = chip.ports.iter().map(|port| port.bus.clone()).collect();
        buses.sort_unstable();
        buses.dedup();
        let manners = chip
            .interactions
            .iter()
            .map(|interaction| {
                let port = &chip.ports[interaction.port.index()];
                let bus = buses.binary_search(&port.bus).unwrap_or(0);
                (bus, manner(chip, machine, subject, &port.bus, port.kind))
            })
            .collect();
        let mut results = vec![true; chip.publics.len()];
        for fill in &chip.fills {
            for public in support(chip, &fill.nodes()).publics {
                results[public.index()] = false;
            }
        }
        Self {
            chip,
            width: chip.width(),
            program: Program::new(chip, &positions, all),
            slots: Slots::new(chip),
            rule_programs: rule_nodes
                .iter()
                .map(|nodes| Program::new(chip, &positions, nodes.iter().copied()))
                .collect(),
            rule_supports: rule_nodes.iter().map(|nodes| support(chip, nodes)).collect(),
            message_supports: message_nodes.iter().map(|nodes| support(chip, nodes)).collect(),
            positions,
            buses,
            manners,
            results,
        }
    }

    /// The cells and public values that a rule or a message reads.
    pub(super) fn support(&self, culprit: Culprit) -> &Support {
        match culprit {
            Culprit::Rule(rule) => &self.rule_supports[rule],
            Culprit::Interaction(interaction) => &self.message_supports[interaction],
        }
    }

    /// Whether a rule reads the cell at a position of this row.
    pub(super) fn reads(&self, rule: usize, position: usize) -> bool {
        self.rule_supports[rule].cells.iter().any(|cell| {
            !cell.next
                && self.chip.columns[cell.column.index()].kind.is_main()
                && self.positions[cell.column.index()] == position
        })
    }

    /// The bus of an interaction, if it must be an entry there.
    pub(super) fn lookup_bus(&self, interaction: usize) -> Option<&str> {
        let (bus, manner) = self.manners[interaction];
        (manner == Manner::Lookup).then(|| self.buses[bus].as_str())
    }

    /// Whether the bus of an interaction has no other end.
    pub(super) fn is_open(&self, interaction: usize) -> bool {
        self.manners[interaction].1 == Manner::Open
    }

    /// The rules that fail on a row.
    pub(super) fn rules_broken(
        &mut self,
        case: &Case<F>,
        play: &Play<F>,
        row: usize,
    ) -> Vec<usize> {
        self.evaluate(case, play, row);
        self.broken(case, row)
    }

    /// The value of a rule's polynomial on a row.
    pub(super) fn rule_value(
        &mut self,
        rule: usize,
        case: &Case<F>,
        play: &Play<F>,
        row: usize,
    ) -> F {
        let (this, next, scene) = self.rows(case, play, row);
        self.rule_programs[rule].run(&mut self.slots, &scene, this, next);
        self.polynomial(&self.chip.rules[rule])
    }

    /// The value of any node that a rule or message reads.
    pub(super) fn node_value(
        &mut self,
        node: NodeId,
        case: &Case<F>,
        play: &Play<F>,
        row: usize,
    ) -> F {
        self.evaluate(case, play, row);
        self.slots.field(node)
    }

    /// The elements of a message on a row.
    pub(super) fn tuple(
        &mut self,
        interaction: usize,
        case: &Case<F>,
        play: &Play<F>,
        row: usize,
    ) -> Vec<u64> {
        self.evaluate(case, play, row);
        self.message(interaction)
    }

    /// Evaluates the honest run.
    pub(super) fn remember(&mut self, case: &mut Case<F>) {
        let mut sums: BTreeMap<(usize, Vec<u64>), F> = BTreeMap::new();
        let mut rows = Vec::with_capacity(case.height);
        for row in 0..case.height {
            let verdict = self.row(case, &case.honest, row);
            for (interaction, tuple, count) in &verdict.messages {
                let key = (self.manners[*interaction].0, tuple.clone());
                *sums.entry(key).or_insert(F::ZERO) += *count;
            }
            rows.push(verdict);
        }
        (case.rows, case.sums) = (rows, sums);
    }

    /// What objects to a run.
    pub(super) fn judge(
        &mut self,
        case: &Case<F>,
        play: &Play<F>,
        environment: &mut Environment<'m, F>,
    ) -> Verdict<F> {
        let mut verdict = Verdict { objections: Vec::new(), differences: BTreeMap::new() };
        let all = play.publics != case.honest.publics;
        let differs: Vec<bool> = play
            .values
            .chunks(self.width.max(1))
            .zip(case.honest.values.chunks(self.width.max(1)))
            .map(|(forged, honest)| forged != honest)
            .collect();
        for row in 0..case.height {
            let touched = all
                || differs.get(row).copied().unwrap_or(false)
                || differs.get((row + 1) % case.height).copied().unwrap_or(false);
            if !touched {
                continue;
            }
            let RowVerdict { broken, messages } = self.row(case, play, row);
            for rule in broken {
                verdict.objections.push(Objection { culprit: Culprit::Rule(rule), row });
            }
            let honest = &case.rows[row].messages;
            if *honest == messages {
                continue;
            }
            let forged = messages.iter().map(|(by, tuple, count)| (by, tuple, *count));
            let gone = honest.iter().map(|(by, tuple, count)| (by, tuple, -*count));
            for (by, tuple, count) in forged.chain(gone) {
                let key = (self.manners[*by].0, tuple.clone());
                let difference = verdict
                    .differences
                    .entry(key)
                    .or_insert(Difference { count: F::ZERO, by: Vec::new() });
                difference.count += count;
                difference.by.push(Objection { culprit: Culprit::Interaction(*by), row });
            }
        }
        verdict.differences.retain(|_, difference| !difference.count.is_zero());
        self.judge_buses(case, environment, &mut verdict);
        verdict.objections.sort_unstable();
        verdict.objections.dedup();
        verdict
    }

    fn judge_buses(
        &self,
        case: &Case<F>,
        environment: &mut Environment<'m, F>,
        verdict: &mut Verdict<F>,
    ) {
        for ((bus, tuple), difference) in &verdict.differences {
            let Culprit::Interaction(first) = difference.by[0].culprit else { continue };
            let key = (*bus, tuple.clone());
            let honest = case.sums.get(&key).copied().unwrap_or(F::ZERO);
            let sum = honest + difference.count;
            let fine = match self.manners[first].1 {
                Manner::Table => true,
                Manner::Lookup => {
                    let name = &self.buses[*bus];
                    sum.is_zero()
                        || environment.has(name, tuple)
                        || self.gives(case, *bus, tuple)
                        || (!environment.gives(name) && case.sums.contains_key(&key))
                }
                Manner::Closed => false,
                Manner::Open => taken(sum) == taken(honest),
                Manner::Memory(address) => {
                    self.memory_balances(case, verdict, *bus, &tuple[..address.min(tuple.len())])
                }
            };
            if !fine {
                verdict.objections.extend(&difference.by);
            }
        }
    }

    /// Whether the chip's own table has the entry, honestly.
    fn gives(&self, case: &Case<F>, bus: usize, tuple: &[u64]) -> bool {
        let is_table = |by: usize| self.manners[by] == (bus, Manner::Table);
        (0..self.manners.len()).any(is_table)
            && case.rows.iter().any(|row| {
                row.messages.iter().any(|(by, given, _)| is_table(*by) && given == tuple)
            })
    }

    fn memory_balances(
        &self,
        case: &Case<F>,
        verdict: &Verdict<F>,
        bus: usize,
        address: &[u64],
    ) -> bool {
        let mut sums: BTreeMap<&[u64], F> = BTreeMap::new();
        let start = (bus, address.to_vec());
        let here = |key: &(usize, Vec<u64>)| key.0 == bus && key.1.starts_with(address);
        for (key, sum) in case.sums.range(start.clone()..).take_while(|(key, _)| here(key)) {
            *sums.entry(&key.1).or_insert(F::ZERO) += *sum;
        }
        for (key, difference) in verdict.differences.range(start..).take_while(|(key, _)| here(key))
        {
            *sums.entry(&key.1).or_insert(F::ZERO) += difference.count;
        }
        sums.retain(|_, sum| !sum.is_zero());
        let (mut given, mut put) = (0, 0);
        for (tuple, sum) in sums {
            if sum == F::ONE {
                put += 1;
            } else if sum == -F::ONE
                && case.initial(&self.buses[bus], address, tuple.len()).as_deref() == Some(tuple)
            {
                given += 1;
            } else {
                return false;
            }
        }
        given == put && given <= 1
    }

    /// The results that an accepted run changed.
    pub(super) fn changes(
        &self,
        case: &Case<F>,
        play: &Play<F>,
        verdict: &Verdict<F>,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let show = |value: F| self.chip.field.signed(value.as_canonical_u64()).to_string();
        let real = self.chip.real().map(|column| self.positions[column.index()]);
        for column in self.chip.columns_of(ColumnKind::Output) {
            let position = self.positions[column.index()];
            for row in 0..case.real_rows {
                let index = row * self.width + position;
                let (before, after) = (case.honest.values[index], play.values[index]);
                let is_real = real.is_none_or(|real| play.values[row * self.width + real].is_one());
                if before != after && is_real {
                    let what = format!("{}, row {row}", self.chip.columns[column.index()].name);
                    changes.push(Change { what, before: show(before), after: show(after) });
                }
            }
        }
        for (index, public) in self.chip.publics.iter().enumerate() {
            let (before, after) = (case.honest.publics[index], play.publics[index]);
            if before != after {
                let what = format!("public {}", public.name);
                changes.push(Change { what, before: show(before), after: show(after) });
            }
        }
        for ((bus, tuple), difference) in &verdict.differences {
            let Culprit::Interaction(first) = difference.by[0].culprit else { continue };
            let honest = case.sums.get(&(*bus, tuple.clone())).copied().unwrap_or(F::ZERO);
            let after = honest + difference.count;
            let counts = match self.manners[first].1 {
                Manner::Open | Manner::Memory(_) => !after.is_zero() && put(after) != put(honest),
                Manner::Table => honest.is_zero(),
                Manner::Lookup | Manner::Closed => false,
            };
            if counts {
                let elements: Vec<String> =
                    tuple.iter().map(|value| show(F::from_u64(*value))).collect();
                let what = format!("bus {}, ({})", self.buses[*bus], elements.join(", "));
                changes.push(Change { what, before: show(honest), after: show(after) });
            }
        }
        changes
    }

    fn row(&mut self, case: &Case<F>, play: &Play<F>, row: usize) -> RowVerdict<F> {
        self.evaluate(case, play, row);
        let mut messages = Vec::new();
        for (index, interaction) in self.chip.interactions.iter().enumerate() {
            let count = self.slots.field(interaction.count);
            if !count.is_zero() {
                let signed = if interaction.sign == Sign::Plus { count } else { -count };
                messages.push((index, self.message(index), signed));
            }
        }
        RowVerdict { broken: self.broken(case, row), messages }
    }

    fn message(&self, interaction: usize) -> Vec<u64> {
        let message = &self.chip.interactions[interaction].message;
        message.iter().map(|node| self.slots.field(*node).as_canonical_u64()).collect()
    }

    fn broken(&self, case: &Case<F>, row: usize) -> Vec<usize> {
        let applies = |section| match section {
            Section::Row => true,
            Section::First => row == 0,
            Section::Step => row + 1 < case.height,
            Section::Last => row + 1 == case.height,
        };
        let rules = self.chip.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| applies(rule.section) && !self.polynomial(rule).is_zero())
            .map(|(index, _)| index)
            .collect()
    }

    fn polynomial(&self, rule: &Rule) -> F {
        let difference = self.slots.field(rule.left) - self.slots.field(rule.right);
        rule.guard.map_or(difference, |guard| self.slots.field(guard) * difference)
    }

    fn evaluate(&mut self, case: &Case<F>, play: &Play<F>, row: usize) {
        let (this, next, scene) = self.rows(case, play, row);
        self.program.run(&mut self.slots, &scene, this, next);
    }

    fn rows<'a>(
        &self,
        case: &Case<F>,
        play: &'a Play<F>,
        row: usize,
    ) -> (&'a [F], &'a [F], Scene<'a, F>)
    where
        'm: 'a,
    {
        let next = (row + 1) % case.height;
        let cells = |row: usize| &play.values[row * self.width..(row + 1) * self.width];
        (cells(row), cells(next), Scene::new(self.chip, &play.publics).at(row, next))
    }
}

/// How the messages of a port are judged.
fn manner(chip: &Chip, machine: &Machine, subject: usize, bus: &str, kind: PortKind) -> Manner {
    match kind {
        PortKind::Lookup => return Manner::Lookup,
        PortKind::Table => return Manner::Table,
        _ => {}
    }
    let mut others = machine.chips.iter().enumerate().filter(|(index, other)| {
        *index != subject && other.ports.iter().any(|port| port.bus == bus)
    });
    if kind != PortKind::Memory {
        return if others.next().is_some() { Manner::Closed } else { Manner::Open };
    }
    let address = chip.fills.iter().find_map(|fill| match &fill.op {
        FillOp::Access { port, address, .. } if chip.ports[port.index()].bus == bus => {
            Some(address.len())
        }
        _ => None,
    });
    let shared = others.any(|(_, other)| other.memory_of.as_deref() != Some(bus));
    match address {
        Some(address) if !shared => Manner::Memory(address),
        _ => Manner::Closed,
    }
}

/// How often a tuple is taken off the bus in sum.
fn taken<F: PrimeField64>(sum: F) -> u64 {
    let canonical = (-sum).as_canonical_u64();
    if canonical <= F::ORDER_U64 / 2 { canonical } else { 0 }
}

/// How often a tuple is put on the bus in sum.
fn put<F: PrimeField64>(sum: F) -> u64 {
    taken(-sum)
}
