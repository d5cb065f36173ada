//! Which layout costs least.
//!
//! At each height, every table whose rows are known is folded, if it can be; then tables are taken out, or put back,
//! one at a time, as long as that costs less. What counts are the cells that a proof commits to, and what its
//! openings and its heights cost in the next layer ([`CostParameters`]).

use std::collections::BTreeSet;

use super::{Apart, Fold, MachineLayout, MachineLayoutError, fits};
use crate::chip::cost::{ChipSize, CostParameters};
use crate::chip::passes::{MAX_FOLDED_COLUMNS, lower_degree, open_exclusive};
use crate::chip::{Chip, ColumnKind, FixedData, MAX_LOG_HEIGHT};
use crate::machine::Machine;

/// More rows of one chip than any layout holds.
const MAX_ROWS: usize = 1 << 40;

/// A chip, as far as its costs are concerned.
struct Candidate<'a> {
    chip: &'a Chip,
    /// As a table of its own.
    apart: ChipSize,
    /// As a part of the fused table.
    folded: ChipSize,
    /// The rows, if they are known.
    rows: Option<usize>,
}

impl<'a> Candidate<'a> {
    fn new(chip: &'a Chip, rows: &[(String, usize)], max_degree: usize) -> Self {
        // A degree that cannot be lowered is found when the machine is compiled.
        let lowered = lower_degree(chip, max_degree).unwrap_or_else(|_| chip.clone());
        let given = rows.iter().find(|(name, _)| *name == chip.name).map(|(_, rows)| *rows);
        let contents = chip.fixed.as_ref().map(FixedData::rows);
        Self {
            chip,
            apart: ChipSize::new(&lowered),
            folded: ChipSize::new(&open_exclusive(&lowered, max_degree)),
            rows: contents.filter(|_| chip.fixed_width() > 0).or(given),
        }
    }

    /// The copies that hold the rows at a height, if the chip can be folded there.
    fn copies(&self, log_height: usize) -> Option<usize> {
        let (rows, height) = (self.rows?, 1_usize << log_height);
        let copies = rows.div_ceil(height).max(1);
        // All rows of a dense chip are real, so there are as many as the copies have; contents are not made longer, either.
        let exact = self.chip.dense || self.chip.fixed_width() > 0;
        let fills = !exact || self.chip.is_wired() || copies * height == rows;
        // A table without contents for its fixed columns has no key.
        let known =
            self.chip.fixed.is_some() || self.chip.columns_of(ColumnKind::Fixed).count() == 0;
        let narrow = self.chip.columns.len().max(1).saturating_mul(copies) <= MAX_FOLDED_COLUMNS;
        (fills && known && narrow && fits(self.chip, copies, log_height).is_ok()).then_some(copies)
    }

    /// The base-2 logarithm of the height of a table of its own.
    fn log_height(&self, parameters: &CostParameters) -> usize {
        let rows = self.rows.unwrap_or(0).next_power_of_two();
        (rows.trailing_zeros() as usize).max(parameters.min_log_height)
    }
}

/// The candidates at one height.
struct Level<'a> {
    candidates: &'a [Candidate<'a>],
    /// By candidate: the copies that hold its rows, if it can be folded.
    copies: Vec<Option<usize>>,
    log_height: usize,
    degree: usize,
    parameters: &'a CostParameters,
}

impl Level<'_> {
    /// The least cost that is found, and whether each chip is folded there.
    fn best(&self) -> (usize, Vec<bool>) {
        let mut folded: Vec<bool> = self.copies.iter().map(Option::is_some).collect();
        let mut least = self.cost(&folded);
        loop {
            let mut better = None;
            for index in (0..folded.len()).filter(|&index| self.copies[index].is_some()) {
                folded[index] = !folded[index];
                let cost = self.cost(&folded);
                folded[index] = !folded[index];
                if cost < least {
                    (least, better) = (cost, Some(index));
                }
            }
            match better {
                Some(index) => folded[index] = !folded[index],
                None => return (least, folded),
            }
        }
    }

    fn cost(&self, folded: &[bool]) -> usize {
        let mut fused = ChipSize::default();
        let mut heights = BTreeSet::new();
        let mut cost = 0_usize;
        let mut add = |size: &ChipSize, log_height: usize| {
            let (lookup, quotient) = size.columns(self.parameters.max_degree);
            let committed = size.main + self.degree * (lookup + quotient);
            let opened = self.parameters.opened.saturating_mul(committed + size.fixed);
            cost = cost.saturating_add((committed << log_height).saturating_add(opened));
            heights.insert(log_height);
        };
        for ((candidate, copies), folded) in self.candidates.iter().zip(&self.copies).zip(folded) {
            match copies {
                Some(copies) if *folded => fused.add(&candidate.folded, *copies),
                _ => add(&candidate.apart, candidate.log_height(self.parameters)),
            }
        }
        if fused.main > MAX_FOLDED_COLUMNS {
            return usize::MAX;
        }
        if folded.contains(&true) {
            add(&fused, self.log_height);
        }
        let levels = heights.last().map_or(0, |highest| highest + heights.len());
        cost.saturating_add(levels.saturating_mul(self.parameters.level))
    }
}

/// What proofs of a machine commit to in one layout or another.
pub struct LayoutCells<'a> {
    candidates: Vec<Candidate<'a>>,
    degree: usize,
    parameters: CostParameters,
}

impl std::fmt::Debug for LayoutCells<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LayoutCells").field("chips", &self.candidates.len()).finish_non_exhaustive()
    }
}

impl<'a> LayoutCells<'a> {
    /// The chips of a machine, whose degrees are lowered once.
    pub fn new(machine: &'a Machine, parameters: &CostParameters) -> Self {
        let of = |chip| Candidate::new(chip, &[], parameters.max_degree);
        Self {
            candidates: machine.chips.iter().map(of).collect(),
            degree: machine.field.degree(),
            parameters: *parameters,
        }
    }

    /// The base-field cells that a proof of the machine in a layout commits to: traces, lookup columns and quotients of all
    /// tables. Tables whose heights nobody says count as lowest ones.
    pub fn of(&self, layout: &MachineLayout) -> usize {
        let Self { candidates, degree, parameters } = self;
        let cells = |size: &ChipSize, height: usize| {
            let (lookup, quotient) = size.columns(parameters.max_degree);
            (size.main + degree * (lookup + quotient)).saturating_mul(height)
        };
        let mut fused = ChipSize::default();
        let mut sum = 0_usize;
        for Candidate { chip, apart, folded, .. } in candidates {
            if let Some(fold) = layout.folded.iter().find(|fold| fold.chip == chip.name) {
                fused.add(folded, fold.copies);
                continue;
            }
            let contents = chip.fixed.as_ref().map_or(0, FixedData::rows);
            let height = layout.rows(&chip.name).unwrap_or_else(|| contents.next_power_of_two());
            let height = height.max(1 << parameters.min_log_height);
            sum = sum.saturating_add(cells(apart, height));
        }
        if layout.is_separate() {
            return sum;
        }
        sum.saturating_add(cells(&fused, 1 << layout.log_height))
    }
}

impl MachineLayout {
    /// The layout that costs a machine least, if its tables have so many rows, by chip; those of fixed columns with known
    /// contents need not be told. Tables of which nothing is known stand apart, and so do those of dense chips
    /// at heights that their rows are no multiple of.
    ///
    /// # Errors
    ///
    /// Fails if the rows are those of a chip that the machine does not have, or no height that is allowed holds them.
    pub fn choose(
        machine: &Machine,
        rows: &[(String, usize)],
        parameters: &CostParameters,
    ) -> Result<Self, MachineLayoutError> {
        if let Some((chip, _)) = rows.iter().find(|(chip, _)| machine.position(chip).is_none()) {
            let (chip, problem) = (chip.clone(), "does not exist");
            return Err(MachineLayoutError::Chip { chip, problem });
        }
        let of = |chip| Candidate::new(chip, rows, parameters.max_degree);
        let candidates: Vec<Candidate<'_>> = machine.chips.iter().map(of).collect();
        let most = candidates.iter().filter_map(|candidate| candidate.rows).max().unwrap_or(0);
        let (low, high) = (parameters.min_log_height, parameters.max_log_height);
        let high = high.min(MAX_LOG_HEIGHT);
        if low > high || most > MAX_ROWS {
            return Err(MachineLayoutError::NoHeight { low, high });
        }
        let highest = most.next_power_of_two().trailing_zeros() as usize;
        let levels = low..=highest.clamp(low, high);
        let best = levels.map(|log_height| {
            let copies = candidates.iter().map(|candidate| candidate.copies(log_height)).collect();
            let degree = machine.field.degree();
            let candidates = &candidates;
            let level = Level { candidates, copies, log_height, degree, parameters };
            let (cost, folded) = level.best();
            (cost, log_height, level.copies, folded)
        });
        // Of layouts that cost the same, the highest has the fewest columns.
        let best = best.rev().min_by_key(|(cost, ..)| *cost);
        let (_, log_height, copies, folded) =
            best.ok_or(MachineLayoutError::NoHeight { low, high })?;
        let mut layout = Self { log_height, folded: Vec::new(), apart: Vec::new() };
        for ((candidate, copies), folded) in candidates.iter().zip(copies).zip(folded) {
            let chip = candidate.chip.name.clone();
            match copies {
                Some(copies) if folded => layout.folded.push(Fold { chip, copies }),
                _ => layout.apart.push(Apart::new(chip)),
            }
        }
        Ok(if layout.is_separate() { Self::separate(machine) } else { layout })
    }
}
