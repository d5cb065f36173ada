//! Evaluating a chip at random points: what holds there holds everywhere, but for a small probability.

use p3_field::{Field as _, PrimeField64};

use super::interpret::{Program, Scene, Slots};
use super::verify::columns_read;
use super::{Chip, ColumnId, FixedData, NodeId, PortKind, Rule, Section};
use crate::FieldPair;

/// Rules that hold at random points: identities, but for a probability of degree / p.
pub(super) fn trivial_rules<P: FieldPair>(chip: &Chip) -> Vec<bool> {
    let mut trivial = vec![true; chip.rules.len()];
    let nodes: Vec<NodeId> = chip.rules.iter().flat_map(Rule::nodes).collect();
    for seed in 0..2 {
        at_random_point::<P::Base>(chip, &nodes, seed, None, |slots| {
            for (rule, trivial) in chip.rules.iter().zip(&mut trivial) {
                let guard = rule.guard.is_none_or(|guard| !slots.field(guard).is_zero());
                *trivial &= !guard || slots.field(rule.left) == slots.field(rule.right);
            }
        });
    }
    trivial
}

/// The tables whose entries a padding row can give although some of the chip's messages are switched off
/// there.
pub(super) fn open_tables<P: FieldPair>(chip: &Chip) -> Vec<String> {
    let Some(real) = chip.real() else { return Vec::new() };
    let counts: Vec<NodeId> = chip.interactions.iter().map(|message| message.count).collect();
    let mut vanishes = vec![false; counts.len()];
    at_random_point::<P::Base>(chip, &counts, 0, Some((real.index(), 0)), |slots| {
        for (vanishes, count) in vanishes.iter_mut().zip(&counts) {
            *vanishes = slots.field(*count).is_zero();
        }
    });
    if !vanishes.contains(&true) {
        return Vec::new();
    }
    let tables = chip.interactions.iter().zip(&vanishes).filter(|(interaction, vanishes)| {
        chip.ports[interaction.port.index()].kind == PortKind::Table && !**vanishes
    });
    let mut tables = tables.peekable();
    // A rule over nothing but a multiplicity and the padding bit may close the table.
    let closing: Vec<Option<usize>> =
        if tables.peek().is_some() { closing::<P>(chip, real) } else { Vec::new() };
    let mut open = Vec::new();
    for (interaction, _) in tables {
        let multiplicity = chip.multiplicity_of(interaction.count).map(ColumnId::index);
        let closes = |column: &Option<usize>| column.is_none() || *column == multiplicity;
        if !closing.iter().any(closes) {
            open.push(chip.ports[interaction.port.index()].name.clone());
        }
    }
    open
}

/// The rules of all rows that fail on padding rows and read one column at most, apart from the padding bit: that column.
fn closing<P: FieldPair>(chip: &Chip, real: ColumnId) -> Vec<Option<usize>> {
    let mut closing = Vec::new();
    for rule in chip.rules.iter().filter(|rule| rule.section == Section::Row) {
        let read = columns_read(chip, rule.nodes());
        let mut others = (0..read.len()).filter(|&column| read[column] && column != real.index());
        let (column, None) = (others.next(), others.next()) else { continue };
        let nodes: Vec<NodeId> = rule.nodes().collect();
        at_random_point::<P::Base>(chip, &nodes, 0, Some((real.index(), 0)), |slots| {
            let guard = rule.guard.is_none_or(|guard| !slots.field(guard).is_zero());
            if guard && slots.field(rule.left) != slots.field(rule.right) {
                closing.push(column);
            }
        });
    }
    closing
}

/// Evaluates nodes where all cells and public values are pseudo-random, but for one column.
fn at_random_point<F: PrimeField64>(
    chip: &Chip,
    nodes: &[NodeId],
    seed: u64,
    fixed: Option<(usize, u64)>,
    visit: impl FnOnce(&Slots<F>),
) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut random = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state ^ (state >> 31)) % F::ORDER_U64
    };
    let mut columns = |main: bool| -> Vec<u64> {
        let kept = chip.columns.iter().enumerate().filter(|(_, c)| c.kind.is_main() == main);
        kept.map(|(index, _)| match fixed {
            Some((column, value)) if column == index => value,
            _ => random(),
        })
        .collect()
    };
    let row = |values: Vec<u64>| values.into_iter().map(F::from_u64).collect::<Vec<F>>();
    let (this, next) = (row(columns(true)), row(columns(true)));
    // Fixed and periodic columns get two random values, so that they look like columns.
    let fixed_cells = |_: usize| vec![random(), random()];
    let others = FixedData { columns: (0..chip.fixed_width()).map(fixed_cells).collect() };
    let mut state = 77_u64;
    let mut cells = |_: &Vec<u64>| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(99);
        vec![state % F::ORDER_U64, (state >> 3) % F::ORDER_U64]
    };
    let periodic: Vec<Vec<u64>> = chip.periodic.iter().map(&mut cells).collect();
    let publics: Vec<F> =
        (0..chip.publics.len()).map(|i| F::from_u64(i as u64 * 7919 + seed + 13)).collect();
    let scene =
        Scene { fixed: Some(&others), periodic: &periodic, publics: &publics, row: 0, next_row: 1 };
    let mut slots = Slots::new(chip);
    let program = Program::new(chip, &chip.positions(), nodes.iter().copied());
    program.run(&mut slots, &scene, &this, &next);
    visit(&slots);
}
