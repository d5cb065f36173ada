//! Counting how often the entries of tables are asked for.
//!
//! The Multiplicity column of a table's row gets the sum of the counts of all lookups that ask for the
//! row's entry. Where several rows give the same entry, the first one takes all.

use p3_field::{Field, PrimeField64};

use super::evaluator::Evaluator;
use super::fill::{FillError, FillErrors};
use super::tuples::TupleMap;
use super::{BusKind, Machine, MachineTrace};
use crate::chip::interpret::Slots;
use crate::chip::{Chip, Interaction, PortKind, Sign};

/// Where an entry is, and how often it was asked for.
struct Entry<F> {
    chip: usize,
    cell: usize,
    asked: F,
}

/// Fills the Multiplicity columns of all tables. If not `lenient`, lookups that hit no entry are errors.
pub(crate) fn count<F: PrimeField64>(
    machine: &Machine,
    trace: &mut MachineTrace<F>,
    lenient: bool,
) -> Result<(), FillErrors> {
    let mut errors = FillErrors::default();
    let buses = machine.buses();
    let mut tables: Vec<TupleMap<Entry<F>>> = buses.iter().map(|_| TupleMap::default()).collect();
    let bus_of = |chip: &Chip, interaction: &Interaction| {
        let name = &chip.ports[interaction.port.index()].bus;
        buses.binary_search_by(|bus| bus.name.cmp(name)).ok()
    };

    for (index, chip) in machine.chips.iter().enumerate() {
        let positions = chip.positions();
        let mut given = Vec::new();
        for interaction in interactions(chip, PortKind::Table) {
            match (bus_of(chip, interaction), chip.multiplicity_of(interaction.count)) {
                (Some(bus), Some(column)) => {
                    given.push((interaction, bus, positions[column.index()]));
                }
                _ => errors.push(FillError::NoMultiplicity {
                    chip: chip.name.clone(),
                    port: chip.ports[interaction.port.index()].name.clone(),
                }),
            }
        }
        let nodes = given.iter().flat_map(|(interaction, ..)| interaction.message.iter().copied());
        let rows = trace.tables[index].real_rows;
        let width = trace.tables[index].width;
        let mut evaluator =
            Evaluator::new(chip, &trace.tables[index], &trace.publics[index], nodes);
        for row in 0..rows {
            let slots = evaluator.row(row);
            for (interaction, bus, position) in &given {
                let tuple = message(interaction, slots);
                let cell = row * width + position;
                tables[*bus].entry(&tuple, || Entry { chip: index, cell, asked: F::ZERO });
            }
        }
    }

    for (index, chip) in machine.chips.iter().enumerate() {
        let asking: Vec<_> = interactions(chip, PortKind::Lookup)
            .filter_map(|interaction| Some((interaction, bus_of(chip, interaction)?)))
            .collect();
        let mut hopeless = vec![false; buses.len()];
        for (interaction, bus) in &asking {
            let provided = buses[*bus].ports.iter().any(|(chip, port)| {
                machine.chips[*chip].ports[port.index()].kind == PortKind::Table
            });
            if !provided && !lenient && !std::mem::replace(&mut hopeless[*bus], true) {
                errors.push(FillError::NoTable {
                    chip: chip.name.clone(),
                    port: chip.ports[interaction.port.index()].name.clone(),
                    bus: buses[*bus].name.clone(),
                });
            }
        }
        let (table, publics) = (&trace.tables[index], &trace.publics[index]);
        let evaluator = |nodes: Vec<_>| Evaluator::new(chip, table, publics, nodes);
        let mut of_counts =
            evaluator(asking.iter().map(|(interaction, _)| interaction.count).collect());
        let mut of_messages = evaluator(
            asking.iter().flat_map(|(interaction, _)| &interaction.message).copied().collect(),
        );
        let mut counts = Vec::with_capacity(asking.len());
        for row in 0..table.height {
            let slots = of_counts.row(row);
            counts.clear();
            counts.extend(asking.iter().map(|(interaction, _)| slots.field(interaction.count)));
            // Most rows of most tables ask for nothing.
            if counts.iter().all(Field::is_zero) {
                continue;
            }
            let slots = of_messages.row(row);
            for ((interaction, bus), &count) in asking.iter().zip(&counts) {
                if count.is_zero() {
                    continue;
                }
                let tuple = message(interaction, slots);
                if let Some(entry) = tables[*bus].get_mut(&tuple) {
                    match interaction.sign {
                        Sign::Plus => entry.asked += count,
                        Sign::Minus => entry.asked -= count,
                    }
                } else if !lenient && !hopeless[*bus] {
                    errors.push(FillError::NoEntry {
                        chip: chip.name.clone(),
                        port: chip.ports[interaction.port.index()].name.clone(),
                        row,
                        bus: buses[*bus].name.clone(),
                        tuple,
                    });
                }
            }
        }
    }
    errors.into_result()?;

    for (bus, entries) in buses.iter().zip(tables) {
        if bus.kind == BusKind::Lookup {
            for entry in entries.into_values() {
                trace.tables[entry.chip].values[entry.cell] = entry.asked;
            }
        }
    }
    Ok(())
}

fn interactions(chip: &Chip, kind: PortKind) -> impl Iterator<Item = &Interaction> {
    chip.interactions
        .iter()
        .filter(move |interaction| chip.ports[interaction.port.index()].kind == kind)
}

fn message<F: PrimeField64>(interaction: &Interaction, slots: &Slots<F>) -> Vec<u64> {
    interaction.message.iter().map(|node| slots.field(*node).as_canonical_u64()).collect()
}
