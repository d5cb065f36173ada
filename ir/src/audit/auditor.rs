//! The levels of an audit, run on sampled rows of honest runs.

use std::collections::BTreeSet;

use p3_field::PrimeField64;

use super::findings::{Escape, Findings, ForgedCell};
use super::judge::{Culprit, Verdict};
use super::repair::{Found, Goal, Manner};
use super::stage::{Case, Pins, Play, Stage};
use super::values::{Rng, is_of_type, wrong_values};
use super::AuditOptions;
use crate::chip::{Cell, ColumnKind, FillOp, PortKind, Section};

/// Rows of one run that are forged, at most.
const ROWS_A_CASE: usize = 8;

/// A chip with its honest runs, and what has been found so far.
pub(super) struct Auditor<'m, 'o, F> {
    pub(super) stage: Stage<'m, F>,
    pub(super) cases: Vec<Case<F>>,
    options: &'o AuditOptions,
    rng: Rng,
    /// Sampled rows: run and row, in a random order.
    pub(super) sites: Vec<(usize, usize)>,
    pub(super) findings: Findings,
    caught: BTreeSet<Culprit>,
    forged_columns: BTreeSet<Vec<usize>>,
}

impl<'m, 'o, F: PrimeField64> Auditor<'m, 'o, F> {
    pub(super) fn new(
        stage: Stage<'m, F>,
        cases: Vec<Case<F>>,
        options: &'o AuditOptions,
    ) -> Self {
        let mut rng = Rng::new(options.seed);
        let mut sites = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            let mut rows = vec![0, case.real_rows.saturating_sub(1)];
            rows.extend([case.real_rows, case.height - 1].map(|row| row.min(case.height - 1)));
            let mut middle: Vec<usize> =
                (0..4 * ROWS_A_CASE).map(|_| rng.below(case.height)).collect();
            if case.height <= 4 * ROWS_A_CASE {
                middle = (0..case.height).collect();
                rng.shuffle(&mut middle);
            }
            for row in middle {
                if rows.len() < ROWS_A_CASE {
                    rows.push(row);
                }
            }
            rows.sort_unstable();
            rows.dedup();
            sites.extend(rows.into_iter().map(|row| (index, row)));
        }
        rng.shuffle(&mut sites);
        // Real rows first: they are where results are.
        sites.sort_by_key(|(case, row)| *row >= cases[*case].real_rows);
        Self {
            stage,
            cases,
            options,
            rng,
            sites,
            findings: Findings::default(),
            caught: BTreeSet::new(),
            forged_columns: BTreeSet::new(),
        }
    }

    /// Every rule and message of the honest runs holds.
    pub(super) fn honest(&mut self) {
        for index in 0..self.cases.len() {
            for row in 0..self.cases[index].height {
                let case = &self.cases[index];
                for rule in &case.rows[row].broken {
                    let rule = self.describe(Culprit::Rule(*rule));
                    self.findings.honest.push(format!("{rule} fails on row {row} of run {index}"));
                }
                for (by, tuple, _) in &case.rows[row].messages {
                    let Some(bus) = self.stage.judge.lookup_bus(*by) else { continue };
                    let environment = &mut self.stage.environment;
                    if environment.gives(bus) && !environment.has(bus, tuple) {
                        self.findings.honest.push(format!(
                            "bus `{bus}` has no entry {tuple:?}, asked on row {row} of run {index}"
                        ));
                    }
                }
            }
        }
    }

    /// Padding rows send nothing.
    pub(super) fn padding(&mut self) {
        for (index, case) in self.cases.iter().enumerate() {
            for row in case.real_rows..case.height {
                for (by, tuple, _) in &case.rows[row].messages {
                    let message = self.describe(Culprit::Interaction(*by));
                    self.findings.padding.push(format!(
                        "{message} exchanges {tuple:?} on padding row {row} of run {index}"
                    ));
                }
            }
        }
    }

    /// Gives every cell wrong values and asks whether anything objects.
    pub(super) fn sweep(&mut self, manner: Manner) {
        let share = (self.options.forgeries / self.stage.width.max(1)).max(24);
        for position in 0..self.stage.width {
            let mut left = share;
            for site in self.sites.clone() {
                for value in self.values(site, position) {
                    if left == 0 {
                        break;
                    }
                    left -= 1;
                    self.forge(site.0, &Pins::cell(site.1, position, value), manner);
                }
            }
        }
        for site in self.sites.clone() {
            for index in 0..self.stage.chip.publics.len() {
                let honest = self.cases[site.0].honest.publics[index];
                let others = [self.random()];
                let ty = crate::chip::CellType::Felt;
                for value in wrong_values(honest, ty, &others, &mut self.rng) {
                    self.forge(site.0, &Pins::public(index, value), manner);
                }
            }
        }
    }

    /// Cuts values into other parts: those of the value plus a multiple of the field's order.
    pub(super) fn aliases(&mut self) {
        let splits: Vec<Vec<(Cell, u8)>> = self
            .stage
            .chip
            .fills
            .iter()
            .filter_map(|fill| match &fill.op {
                FillOp::Split { parts, .. } if fill.section != Section::First => {
                    Some(parts.clone())
                }
                _ => None,
            })
            .collect();
        for parts in splits {
            for site in self.sites.clone() {
                if let Some(pins) = self.alias(site, &parts) {
                    self.forge(site.0, &pins, Manner::Replayed);
                }
            }
        }
    }

    fn alias(&self, (index, row): (usize, usize), parts: &[(Cell, u8)]) -> Option<Pins<F>> {
        let case = &self.cases[index];
        let place = |cell: &Cell| {
            let row = if cell.next { row + 1 } else { row };
            (row < case.height).then(|| (row, self.stage.positions[cell.column.index()]))
        };
        let mut value = 0_u128;
        let mut offset = 0_u32;
        for (cell, bits) in parts {
            let (row, position) = place(cell)?;
            let part = case.honest.values[row * self.stage.width + position].as_canonical_u64();
            value += u128::from(part).checked_shl(offset)?;
            offset += u32::from(*bits);
        }
        let mut rest = value + u128::from(F::ORDER_U64);
        if rest >> offset.min(127) != 0 {
            return None;
        }
        let mut pins = Pins::default();
        for (cell, bits) in parts {
            let (row, position) = place(cell)?;
            pins.cells.push((row, position, F::from_u64((rest as u64) & ((1 << bits) - 1))));
            rest >>= bits;
        }
        Some(pins)
    }

    /// One forgery: what came of it is kept.
    fn forge(&mut self, case: usize, pins: &Pins<F>, manner: Manner) {
        let (play, verdict) = self.stage.play(&self.cases[case], pins, manner);
        if play == self.cases[case].honest {
            return;
        }
        match manner {
            Manner::Replayed => self.findings.forged += 1,
            Manner::Overwritten => self.findings.swept += 1,
        }
        if verdict.objections.is_empty() {
            self.accepted(case, pins, &play, &verdict);
            return;
        }
        if let Some(culprit) = self.stage.only_culprit(&verdict) {
            self.caught.insert(culprit);
        }
        // Two mendings at most: the deeper search is for rules that have been deleted.
        let may_mend = manner == Manner::Replayed
            && verdict.objections.len() <= 3
            && self.may_forge(pins, Goal::Accepted);
        if may_mend {
            let case_index = case;
            let case = &self.cases[case_index];
            let mut tries = 6;
            let found =
                self.stage.search(case, pins.clone(), manner, Goal::Accepted, 2, &mut tries);
            self.findings.forged += 6 - tries;
            if let Some(Found { pins, play, verdict }) = found {
                self.accepted(case_index, &pins, &play, &verdict);
            }
        }
    }

    fn may_forge(&self, pins: &Pins<F>, goal: Goal) -> bool {
        pins.cells.iter().all(|pin| self.stage.may_change(self.stage.columns[pin.1], goal))
            && pins.publics.iter().all(|pin| self.stage.judge.results[pin.0])
    }

    /// Nothing objects: the chip is unsound, or the cells are free, or they do not matter.
    fn accepted(&mut self, case: usize, pins: &Pins<F>, play: &Play<F>, verdict: &Verdict<F>) {
        let chip = self.stage.chip;
        let kind = |pin: &(usize, usize, F)| chip.columns[self.stage.columns[pin.1]].kind;
        // Other inputs, and more or fewer rows, are other honest runs.
        let others = [ColumnKind::Input, ColumnKind::Real];
        if pins.cells.iter().any(|pin| others.contains(&kind(pin)))
            || pins.publics.iter().any(|pin| !self.stage.judge.results[pin.0])
        {
            return;
        }
        let mut columns: Vec<usize> =
            pins.cells.iter().map(|pin| self.stage.columns[pin.1]).collect();
        columns.sort_unstable();
        columns.dedup();
        let free = columns.iter().any(|column| self.stage.is_free(*column));
        let advice = pins.cells.iter().any(|pin| kind(pin) == ColumnKind::Record);
        let mut changes = self.stage.judge.changes(&self.cases[case], play, verdict);
        if advice {
            if free {
                return;
            }
        } else if changes.is_empty() {
            let matters = pins.cells.iter().any(|pin| {
                pin.0 < self.cases[case].real_rows
                    && self.cases[case].filled[pin.0 * self.stage.width + pin.1]
            });
            if free || !matters {
                return;
            }
        }
        if !self.forged_columns.insert(columns) {
            return;
        }
        changes.truncate(8);
        let cells = pins.cells.iter().map(|pin| self.forged_cell(case, pin)).collect();
        let escape = Escape {
            chip: chip.name.clone(),
            cells,
            publics: pins.publics.iter().map(|pin| chip.publics[pin.0].name.clone()).collect(),
            changes: changes
                .into_iter()
                .map(|change| format!("{}: {} → {}", change.what, change.before, change.after))
                .collect(),
        };
        if escape.changes.is_empty() || advice {
            self.findings.undeclared.push(escape);
        } else {
            self.findings.escapes.push(escape);
        }
    }

    fn forged_cell(&self, case: usize, pin: &(usize, usize, F)) -> ForgedCell {
        let chip = self.stage.chip;
        let honest = self.cases[case].honest.values[pin.0 * self.stage.width + pin.1];
        ForgedCell {
            column: chip.columns[self.stage.columns[pin.1]].name.clone(),
            row: pin.0,
            before: chip.field.signed(honest.as_canonical_u64()),
            after: chip.field.signed(pin.2.as_canonical_u64()),
        }
    }

    /// Deletes each rule and each lookup in turn.
    pub(super) fn deletions(&mut self) {
        let chip = self.stage.chip;
        let lookups = chip.interactions.iter().enumerate().filter(|(_, interaction)| {
            chip.ports[interaction.port.index()].kind == PortKind::Lookup
        });
        let targets: Vec<Culprit> = (0..chip.rules.len())
            .map(Culprit::Rule)
            .chain(lookups.map(|(index, _)| Culprit::Interaction(index)))
            .collect();
        self.findings.deletions = targets.len();
        for target in targets {
            if self.caught.contains(&target) || self.outwit(target) {
                self.findings.caught += 1;
            } else {
                let rule = self.describe(target);
                let reason = self.reason(target, self.options);
                self.findings.uncaught.push(super::findings::Uncaught { rule, reason });
            }
        }
    }

    /// Looks for a run that only the target objects to.
    fn outwit(&mut self, target: Culprit) -> bool {
        let mut left = self.options.tries_per_deletion;
        let support = self.stage.judge.support(target).clone();
        for (index, row) in self.active_sites(target) {
            let mut starts = Vec::new();
            for public in &support.publics {
                let honest = self.cases[index].honest.publics[public.index()];
                starts.push(Pins::public(public.index(), honest + F::ONE));
            }
            for cell in &support.cells {
                let at = if cell.next { (row + 1) % self.cases[index].height } else { row };
                if !chip_is_main(&self.stage, *cell) {
                    continue;
                }
                let position = self.stage.positions[cell.column.index()];
                starts.extend(
                    self.values((index, at), position)
                        .into_iter()
                        .take(8)
                        .map(|value| Pins::cell(at, position, value)),
                );
            }
            starts.extend(self.cut_off(index, row));
            for position in 0..self.stage.width {
                let kind = self.stage.chip.columns[self.stage.columns[position]].kind;
                if matches!(kind, ColumnKind::Input | ColumnKind::Record) {
                    starts.extend(
                        self.values((index, row), position)
                            .into_iter()
                            .take(3)
                            .map(|value| Pins::cell(row, position, value)),
                    );
                }
            }
            for pins in starts {
                for manner in [Manner::Replayed, Manner::Overwritten] {
                    if left == 0 {
                        return false;
                    }
                    let mut tries = left.min(24);
                    let before = tries;
                    let goal = Goal::OnlyBroken(target);
                    let case = &self.cases[index];
                    let found = self.stage.search(case, pins.clone(), manner, goal, 3, &mut tries);
                    left -= before - tries;
                    self.findings.forged += before - tries;
                    if found.is_some() {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// The padding bit zero from a row on, or up to it, or everywhere.
    fn cut_off(&self, index: usize, row: usize) -> Vec<Pins<F>> {
        let Some(real) = self.stage.chip.real() else { return Vec::new() };
        let position = self.stage.positions[real.index()];
        let case = &self.cases[index];
        let zeros = |rows: std::ops::Range<usize>| Pins {
            cells: rows.map(|row| (row, position, F::ZERO)).collect(),
            publics: Vec::new(),
        };
        if case.height > 64 {
            return Vec::new();
        }
        vec![zeros(row..case.height), zeros(0..row), zeros(0..case.height)]
    }

    /// The sampled rows, those first on which the target does something.
    fn active_sites(&mut self, target: Culprit) -> Vec<(usize, usize)> {
        let chip = self.stage.chip;
        let mut sites = self.sites.clone();
        match target {
            Culprit::Interaction(by) => sites.sort_by_key(|(case, row)| {
                !self.cases[*case].rows[*row].messages.iter().any(|message| message.0 == by)
            }),
            Culprit::Rule(rule) => {
                let rows = |case: &Case<F>| match chip.rules[rule].section {
                    Section::First => vec![0],
                    Section::Last => vec![case.height - 1],
                    _ => Vec::new(),
                };
                let fixed: Vec<(usize, usize)> = self
                    .cases
                    .iter()
                    .enumerate()
                    .flat_map(|(index, case)| rows(case).into_iter().map(move |row| (index, row)))
                    .collect();
                if !fixed.is_empty() {
                    return fixed;
                }
                let guard = chip.rules[rule].guard;
                let stage = &mut self.stage;
                let cases = &self.cases;
                sites.sort_by_cached_key(|(case, row)| {
                    guard.is_some_and(|guard| {
                        let case = &cases[*case];
                        stage.judge.node_value(guard, case, &case.honest, *row).is_zero()
                    })
                });
            }
        }
        sites.truncate(12);
        sites
    }

    /// Wrong values for a cell; inputs stay in their types.
    fn values(&mut self, (index, row): (usize, usize), position: usize) -> Vec<F> {
        let case = &self.cases[index];
        let width = self.stage.width;
        let column = &self.stage.chip.columns[self.stage.columns[position]];
        let cell = |row: usize, position: usize| case.honest.values[row * width + position];
        let others = [
            cell(row, (position + 1) % width),
            cell(row, (position + width - 1) % width),
            cell((row + 1) % case.height, position),
        ];
        let mut values = wrong_values(cell(row, position), column.ty, &others, &mut self.rng);
        if column.kind == ColumnKind::Input {
            values.retain(|value| is_of_type(*value, column.ty));
        }
        values
    }

    fn random(&mut self) -> F {
        F::from_u64(self.rng.bits() % F::ORDER_U64)
    }
}

fn chip_is_main<F>(stage: &Stage<'_, F>, cell: Cell) -> bool {
    stage.chip.columns[cell.column.index()].kind.is_main()
}
