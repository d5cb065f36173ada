//! One chip on its own: its honest rows, and the same rows with forged cells, replayed.
//!
//! Only the chip under audit is played; the machine around it is its [`Environment`]. A chip whose fills
//! never leave their row is replayed on the forged rows alone.

use std::collections::BTreeMap;

use p3_field::PrimeField64;

use super::environment::Environment;
use super::judge::{Judge, RowVerdict};
use crate::chip::interpret::{Pinned, Rows, Scene, Services, Site, Slots, Tape};
use crate::chip::{Chip, ColumnKind, Fill, FillOp, PortId, PortKind, Section};
use crate::machine::memory::Memory;
use crate::machine::{MachineInput, MachineTrace};

/// The main trace of the chip, and its public values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Play<F> {
    pub(super) values: Vec<F>,
    pub(super) publics: Vec<F>,
}

/// Cells and public values that keep what they are given.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins<F> {
    pub(super) cells: Vec<Pinned<F>>,
    pub(super) publics: Vec<(usize, F)>,
}

/// One honest run of the chip.
pub(super) struct Case<F> {
    pub(super) height: usize,
    pub(super) real_rows: usize,
    /// The cells that no fill sets: records, padding bit, multiplicities. The others are zero.
    base: Vec<F>,
    pub(super) honest: Play<F>,
    /// Which cells a fill sets.
    pub(super) filled: Vec<bool>,
    /// The memories before the run, by bus.
    memories: BTreeMap<String, Memory>,
    /// What each honest row says.
    pub(super) rows: Vec<RowVerdict<F>>,
    /// The sums of the honest messages: bus, tuple, count.
    pub(super) sums: BTreeMap<(usize, Vec<u64>), F>,
}

impl<F> Case<F> {
    /// The message with which a memory gives an address, if messages have `width` elements.
    pub(super) fn initial(&self, bus: &str, address: &[u64], width: usize) -> Option<Vec<u64>> {
        let mut value = vec![0; width.checked_sub(address.len() + 1)?];
        self.memories.get(bus)?.clone().access(address, 0, None, &mut value);
        Some([address, &[0], &value].concat())
    }
}

/// The chip, ready to be played.
pub(super) struct Stage<'m, F> {
    pub(super) chip: &'m Chip,
    pub(super) width: usize,
    /// The position of each column in its trace.
    pub(super) positions: Vec<usize>,
    /// The column at each position of the main trace.
    pub(super) columns: Vec<usize>,
    tape: Tape,
    slots: Slots<F>,
    /// Fills never leave their row.
    local: bool,
    pub(super) environment: Environment<'m, F>,
    pub(super) judge: Judge<'m, F>,
}

impl<F: PrimeField64> Pins<F> {
    /// One forged cell.
    pub(super) fn cell(row: usize, position: usize, value: F) -> Self {
        Self { cells: vec![(row, position, value)], publics: Vec::new() }
    }

    /// One forged public value.
    pub(super) fn public(index: usize, value: F) -> Self {
        Self { cells: Vec::new(), publics: vec![(index, value)] }
    }

    /// These pins, and others.
    pub(super) fn and(&self, more: &Self) -> Self {
        let mut pins = self.clone();
        pins.cells.extend(&more.cells);
        pins.publics.extend(&more.publics);
        pins
    }

    pub(super) fn has_cell(&self, row: usize, position: usize) -> bool {
        self.cells.iter().any(|pin| (pin.0, pin.1) == (row, position))
    }

    pub(super) fn has_public(&self, index: usize) -> bool {
        self.publics.iter().any(|pin| pin.0 == index)
    }
}

impl<'m, F: PrimeField64> Stage<'m, F> {
    pub(super) fn new(chip: &'m Chip, environment: Environment<'m, F>, subject: usize) -> Self {
        let tape = Tape::new(chip);
        let positions = tape.positions().to_vec();
        let columns: Vec<usize> =
            (0..chip.columns.len()).filter(|column| chip.columns[*column].kind.is_main()).collect();
        let local = chip
            .fills
            .iter()
            .all(|fill| fill.section == Section::Row && !matches!(fill.op, FillOp::Access { .. }));
        let judge = Judge::new(chip, environment.machine(), subject);
        Self {
            chip,
            width: chip.width(),
            positions,
            columns,
            slots: Slots::new(chip),
            tape,
            local,
            environment,
            judge,
        }
    }

    /// The honest run whose trace is given: with padding where the chip has any, and without where it
    /// could do without.
    pub(super) fn cases(
        &mut self,
        subject: usize,
        trace: &MachineTrace<F>,
        input: &MachineInput,
    ) -> Vec<Case<F>> {
        let rows = trace.tables[subject].real_rows;
        let padded = self.chip.real().is_some() && self.chip.fixed.is_none();
        let mut heights = vec![None];
        if padded && rows.is_power_of_two() {
            heights.push(Some(rows));
        }
        heights.into_iter().map(|height| self.case(subject, trace, input, height)).collect()
    }

    fn case(
        &mut self,
        subject: usize,
        trace: &MachineTrace<F>,
        input: &MachineInput,
        height: Option<usize>,
    ) -> Case<F> {
        let chip = self.chip;
        let table = &trace.tables[subject];
        let given = table.real_rows;
        let padded = !chip.dense && chip.fixed.is_none();
        let natural = if padded { (given + 2).next_power_of_two() } else { table.height };
        let height = height.unwrap_or(natural);
        // Without a padding bit, nothing tells padding from a row whose record is zero.
        let real_rows = if padded && chip.real().is_none() { height } else { given };
        let mut base = vec![F::ZERO; height * self.width];
        for row in 0..given {
            for (position, column) in self.columns.iter().enumerate() {
                base[row * self.width + position] = match chip.columns[*column].kind {
                    ColumnKind::Input | ColumnKind::Record => table.row(row)[position],
                    ColumnKind::Real => F::ONE,
                    _ => F::ZERO,
                };
            }
        }
        let mut memories: BTreeMap<String, Memory> = BTreeMap::new();
        for port in chip.ports.iter().filter(|port| port.kind == PortKind::Memory) {
            memories.entry(port.bus.clone()).or_default();
        }
        for (bus, cells) in &input.memory {
            if let Some(memory) = memories.get_mut(bus) {
                for cell in cells {
                    memory.initialise(cell);
                }
            }
        }
        let publics = trace.publics[subject].clone();
        let mut case = Case {
            height,
            real_rows,
            honest: Play { values: base.clone(), publics },
            filled: vec![false; base.len()],
            base,
            memories,
            rows: Vec::new(),
            sums: BTreeMap::new(),
        };
        self.offer_entries(&mut case);
        case.honest = self.play_all(&case, case.base.clone(), &Pins::default());
        self.mark_filled(&mut case);
        self.judge.remember(&mut case);
        case
    }

    /// Lets every real row that may give its entry give it once.
    fn offer_entries(&mut self, case: &mut Case<F>) {
        let multiplicities: Vec<usize> = self
            .chip
            .columns_of(ColumnKind::Multiplicity)
            .map(|column| self.positions[column.index()])
            .collect();
        if multiplicities.is_empty() {
            return;
        }
        for row in 0..case.real_rows {
            for position in &multiplicities {
                case.base[row * self.width + position] = F::ONE;
            }
        }
        let play = self.play_all(case, case.base.clone(), &Pins::default());
        for row in 0..case.real_rows {
            for rule in self.judge.rules_broken(case, &play, row) {
                for position in &multiplicities {
                    if self.judge.reads(rule, *position) {
                        case.base[row * self.width + position] = F::ZERO;
                    }
                }
            }
        }
    }

    /// A cell is set by a fill if it does not matter what was there before.
    fn mark_filled(&mut self, case: &mut Case<F>) {
        let mut littered = case.base.clone();
        for (index, cell) in littered.iter_mut().enumerate() {
            let kind = self.chip.columns[self.columns[index % self.width]].kind;
            let given = matches!(
                kind,
                ColumnKind::Input
                    | ColumnKind::Record
                    | ColumnKind::Real
                    | ColumnKind::Multiplicity
            );
            if !given {
                *cell = F::from_u64(0x0bad_cafe + index as u64);
            }
        }
        let littered = self.play_all(case, littered, &Pins::default());
        let cells = case.filled.iter_mut().zip(case.honest.values.iter().zip(&littered.values));
        for (index, (filled, (clean, dirty))) in cells.enumerate() {
            let kind = self.chip.columns[self.columns[index % self.width]].kind;
            let by_fill = !matches!(
                kind,
                ColumnKind::Input
                    | ColumnKind::Record
                    | ColumnKind::Real
                    | ColumnKind::Multiplicity
            );
            *filled = by_fill && clean == dirty;
        }
        self.mark_handed_down(case);
    }

    /// Inputs and records that the row above sets.
    fn mark_handed_down(&mut self, case: &mut Case<F>) {
        let chip = self.chip;
        let handed: Vec<usize> = chip
            .fills
            .iter()
            .flat_map(Fill::cells)
            .filter(|cell| {
                let kind = chip.columns[cell.column.index()].kind;
                cell.next && matches!(kind, ColumnKind::Input | ColumnKind::Record)
            })
            .map(|cell| self.positions[cell.column.index()])
            .collect();
        let mut littered = case.base.clone();
        for row in 1..case.height {
            for position in &handed {
                littered[row * self.width + position] = F::from_u64(0x0bad_cafe + row as u64);
            }
        }
        let littered = self.play_all(case, littered, &Pins::default());
        for row in 1..case.height {
            for position in &handed {
                let index = row * self.width + position;
                case.filled[index] = case.honest.values[index] == littered.values[index];
            }
        }
    }

    /// The honest run with some cells replaced, and nothing else changed.
    pub(super) fn overwrite(&self, case: &Case<F>, pins: &Pins<F>) -> Play<F> {
        let mut play = case.honest.clone();
        self.place(&mut play, pins);
        play
    }

    /// The run in which the pinned cells have their values, and every later fill follows from them.
    pub(super) fn replay(&mut self, case: &Case<F>, pins: &Pins<F>) -> Play<F> {
        if !self.local || !pins.publics.is_empty() {
            return self.play_all(case, case.base.clone(), pins);
        }
        let mut play = case.honest.clone();
        for &(row, ..) in &pins.cells {
            let cells = row * self.width..(row + 1) * self.width;
            play.values[cells.clone()].copy_from_slice(&case.base[cells]);
        }
        self.place(&mut play, pins);
        let mut done: Vec<usize> = Vec::with_capacity(pins.cells.len());
        let mut memories = BTreeMap::new();
        for &(row, ..) in &pins.cells {
            if !done.contains(&row) {
                done.push(row);
                self.run(Section::Row, row, &mut play, pins, &mut memories);
            }
        }
        play
    }

    fn place(&self, play: &mut Play<F>, pins: &Pins<F>) {
        for &(row, position, value) in &pins.cells {
            play.values[row * self.width + position] = value;
        }
        for &(index, value) in &pins.publics {
            play.publics[index] = value;
        }
    }

    fn play_all(&mut self, case: &Case<F>, values: Vec<F>, pins: &Pins<F>) -> Play<F> {
        let mut play = Play { values, publics: case.honest.publics.clone() };
        self.place(&mut play, pins);
        let mut memories = case.memories.clone();
        for row in 0..case.height {
            if row == 0 && case.real_rows > 0 {
                self.run(Section::First, row, &mut play, pins, &mut memories);
            }
            self.run(Section::Row, row, &mut play, pins, &mut memories);
            if row + 1 < case.real_rows {
                self.run(Section::Step, row, &mut play, pins, &mut memories);
            }
        }
        play
    }

    fn run(
        &mut self,
        section: Section,
        row: usize,
        play: &mut Play<F>,
        pins: &Pins<F>,
        memories: &mut BTreeMap<String, Memory>,
    ) {
        let (before, after) = play.values.split_at_mut((row + 1) * self.width);
        let end = self.width.min(after.len());
        let mut rows = Rows { this: &mut before[row * self.width..], next: &mut after[..end] };
        let scene = Scene::new(self.chip, &play.publics).at(row, row + 1);
        let mut services =
            Helpers { chip: self.chip, environment: &mut self.environment, memories };
        let (tape, slots) = (&self.tape, &mut self.slots);
        tape.run(section, self.chip, slots, &scene, &mut rows, &pins.cells, &mut services);
    }
}

/// Answers the fills of the chip under audit; what cannot be answered stays as it is.
struct Helpers<'a, 'm, F> {
    chip: &'m Chip,
    environment: &'a mut Environment<'m, F>,
    memories: &'a mut BTreeMap<String, Memory>,
}

impl<F: PrimeField64> Services for Helpers<'_, '_, F> {
    fn call(&mut self, _: Site, port: PortId, inputs: &[u64], outputs: &mut [u64]) -> bool {
        let bus = &self.chip.ports[port.index()].bus;
        match self.environment.call(bus, inputs) {
            Some(answer) if answer.len() == outputs.len() => {
                outputs.copy_from_slice(&answer);
                true
            }
            _ => false,
        }
    }

    fn access(
        &mut self,
        _: Site,
        port: PortId,
        address: &[u64],
        time: u64,
        write: Option<&[u64]>,
        previous: &mut [u64],
    ) -> Option<u64> {
        let bus = self.chip.ports[port.index()].bus.as_str();
        let memory = self.memories.get_mut(bus)?;
        Some(memory.access(address, time, write, previous))
    }

    fn native_failed(&mut self, _: Site, _: String) {}
}
