//! The levels of an audit, run on sampled rows of honest runs.

use std::collections::BTreeSet;

use p3_field::PrimeField64;

use super::AuditOptions;
use super::findings::{Escape, Findings, ForgedCell};
use super::judge::Culprit;
use super::repair::{Found, Goal, Manner};
use super::stage::{Case, Pins, Stage};
use super::values::{Rng, is_of_type, wrong_values};
use crate::chip::{Cell, CellType, ColumnKind, Origin, PortKind, Section};

/// Rows of one run that are forged, at most.
const ROWS_A_CASE: usize = 8;

/// Runs that are tried from each forgery for a deleted rule, and on each row.
const TRIES_A_START: usize = 10;
const TRIES_A_SITE: usize = 400;

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
    forged_columns: BTreeSet<(bool, Vec<usize>)>,
    /// Scratch columns of verbs that are free on some rows.
    pub(super) free_scratch: BTreeSet<usize>,
}

impl<'m, 'o, F: PrimeField64> Auditor<'m, 'o, F> {
    pub(super) fn new(stage: Stage<'m, F>, cases: Vec<Case<F>>, options: &'o AuditOptions) -> Self {
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
            free_scratch: BTreeSet::new(),
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
                    // A cell that is in its range on every row harms nobody.
                    if self.stage.chip.interactions[*by].origin == Origin::Type {
                        continue;
                    }
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
                let ty = CellType::Felt;
                for value in wrong_values(honest, ty, &others, &mut self.rng) {
                    self.forge(site.0, &Pins::public(index, value), manner);
                }
            }
        }
    }

    /// Cuts values into other parts: those of the value plus the field's order.
    pub(super) fn aliases(&mut self) {
        for rule in 0..self.stage.chip.rules.len() {
            if !matches!(self.stage.chip.rules[rule].section, Section::Row | Section::Step) {
                continue;
            }
            for site in self.sites.clone() {
                if let Some(pins) = self.alias(site, rule) {
                    self.forge(site.0, &pins, Manner::Replayed);
                }
            }
        }
    }

    /// Other values for the bounded cells of a rule, such that their weighted sum grows by the field's
    /// order and the rule still holds.
    fn alias(&mut self, (index, row): (usize, usize), rule: usize) -> Option<Pins<F>> {
        let case = &self.cases[index];
        let Stage { chip, width, positions, judge, .. } = &mut self.stage;
        let mut play = case.honest.clone();
        let mut parts = Vec::new();
        for cell in judge.support(Culprit::Rule(rule)).cells.clone() {
            let column = &chip.columns[cell.column.index()];
            let CellType::Bits(bits) = column.ty else { continue };
            let given = matches!(column.kind, ColumnKind::Input | ColumnKind::Real);
            if given || !column.kind.is_main() {
                continue;
            }
            let at = if cell.next { (row + 1) % case.height } else { row };
            let place = at * *width + positions[cell.column.index()];
            let honest = play.values[place];
            let before = judge.rule_value(rule, case, &play, row);
            play.values[place] = honest + F::ONE;
            let weight = judge.rule_value(rule, case, &play, row) - before;
            play.values[place] = honest;
            parts.push((weight, bits, place, honest.as_canonical_u64()));
        }
        let negative = |weight: F| weight.as_canonical_u64() > F::ORDER_U64 / 2;
        let flipped = parts.first().is_some_and(|part| negative(part.0));
        let mut weighted: Vec<(u64, u8, usize, u64)> = parts
            .into_iter()
            .map(|(weight, bits, place, value)| {
                let weight = if flipped { -weight } else { weight };
                (weight.as_canonical_u64(), bits, place, value)
            })
            .collect();
        weighted.sort_unstable_by(|a, b| b.cmp(a));
        if weighted.len() < 2 || weighted.iter().any(|part| part.0 == 0) {
            return None;
        }
        let term = |part: &(u64, u8, usize, u64)| u128::from(part.0).checked_mul(part.3.into());
        let sum = weighted.iter().try_fold(0_u128, |sum, part| sum.checked_add(term(part)?))?;
        let mut rest = sum.checked_add(F::ORDER_U64.into())?;
        let mut pins = Pins::default();
        for (weight, bits, place, _) in weighted {
            let value = (rest / u128::from(weight)).min((1 << bits) - 1);
            rest -= value * u128::from(weight);
            pins.cells.push((place / *width, place % *width, F::from_u64(value as u64)));
        }
        (rest == 0).then_some(pins)
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
            self.accepted(case, manner, &Found { pins: pins.clone(), play, verdict });
            return;
        }
        if let Some(culprit) = self.stage.only_culprit(&verdict) {
            self.caught.insert(culprit);
        }
        // Two mendings at most: the deeper search is for rules that have been deleted.
        let may_mend = manner == Manner::Replayed
            && verdict.objections.len() <= 3
            && self.may_forge(case, pins, Goal::Accepted);
        if may_mend {
            let case_index = case;
            let case = &self.cases[case_index];
            let mut tries = 6;
            let found =
                self.stage.search(case, pins.clone(), manner, Goal::Accepted, 2, &mut tries);
            self.findings.forged += 6 - tries;
            if let Some(found) = found {
                self.accepted(case_index, manner, &found);
            }
        }
    }

    fn may_forge(&self, case: usize, pins: &Pins<F>, goal: Goal) -> bool {
        let case = &self.cases[case];
        pins.cells.iter().all(|pin| self.stage.may_change(case, (pin.0, pin.1), goal))
            && pins.publics.iter().all(|pin| self.stage.judge.results[pin.0])
    }

    /// Nothing objects: the chip is unsound, or the cells are free, or they do not matter.
    fn accepted(&mut self, case: usize, manner: Manner, found: &Found<F>) {
        let Found { pins, play, verdict } = found;
        let chip = self.stage.chip;
        let kind = |pin: &(usize, usize, F)| chip.columns[self.stage.columns[pin.1]].kind;
        let filled =
            |pin: &(usize, usize, F)| self.cases[case].filled[pin.0 * self.stage.width + pin.1];
        // Other inputs, and more or fewer rows, are other honest runs.
        let another = |pin: &(usize, usize, F)| match kind(pin) {
            ColumnKind::Input => !filled(pin),
            kind => kind == ColumnKind::Real,
        };
        if pins.cells.iter().any(another)
            || pins.publics.iter().any(|pin| !self.stage.judge.results[pin.0])
        {
            return;
        }
        let mut columns: Vec<usize> =
            pins.cells.iter().map(|pin| self.stage.columns[pin.1]).collect();
        columns.sort_unstable();
        columns.dedup();
        let free = columns.iter().any(|column| self.stage.is_free(*column));
        let advice = pins.cells.iter().any(|pin| kind(pin) == ColumnKind::Record && !filled(pin));
        let mut changes = self.stage.judge.changes(&self.cases[case], play, verdict);
        if advice {
            if free || !pins.cells.iter().any(|pin| pin.0 < self.cases[case].real_rows) {
                return;
            }
        } else if changes.is_empty() {
            let matters =
                pins.cells.iter().any(|pin| pin.0 < self.cases[case].real_rows && filled(pin));
            if free || !matters {
                return;
            }
            let scratch = |pin: &&(usize, usize, F)| kind(pin) == ColumnKind::Scratch;
            if let Some(pin) = pins.cells.iter().find(scratch) {
                let column = self.stage.columns[pin.1];
                self.free_scratch.insert(column);
                return;
            }
        }
        if !self.forged_columns.insert((manner == Manner::Replayed, columns)) {
            return;
        }
        changes.truncate(8);
        let cells = pins.cells.iter().map(|pin| self.forged_cell(case, pin)).collect();
        let escape = Escape {
            chip: chip.name.clone(),
            replayed: manner == Manner::Replayed,
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
        for site in self.active_sites(target) {
            let mut here = left.min(TRIES_A_SITE);
            left -= here;
            for pins in self.starts(target, site) {
                for manner in [Manner::Replayed, Manner::Overwritten] {
                    let mut tries = here.min(TRIES_A_START);
                    here -= tries;
                    let before = tries;
                    let goal = Goal::OnlyBroken(target);
                    let case = &self.cases[site.0];
                    let found = self.stage.search(case, pins.clone(), manner, goal, 3, &mut tries);
                    here += tries;
                    self.findings.forged += before - tries;
                    if found.is_some() {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Forgeries that may end in a run which only the target objects to: of what it reads, of what is
    /// linked to that by another rule, and of what the row is computed from.
    fn starts(&mut self, target: Culprit, (index, row): (usize, usize)) -> Vec<Pins<F>> {
        let support = self.stage.judge.support(target).clone();
        let mut starts = Vec::new();
        for public in &support.publics {
            let honest = self.cases[index].honest.publics[public.index()];
            starts.push(Pins::public(public.index(), honest + F::ONE));
        }
        let mut read = Vec::new();
        let mut linked = Vec::new();
        let place = |stage: &Stage<'m, F>, cell: &Cell, height: usize| {
            let main = stage.chip.columns[cell.column.index()].kind.is_main();
            let at = if cell.next { (row + 1) % height } else { row };
            main.then(|| (at, stage.positions[cell.column.index()]))
        };
        let height = self.cases[index].height;
        read.extend(support.cells.iter().filter_map(|cell| place(&self.stage, cell, height)));
        for rule in (0..self.stage.chip.rules.len()).map(Culprit::Rule) {
            let cells = &self.stage.judge.support(rule).cells;
            let shares = cells.iter().any(|cell| support.cells.contains(cell));
            if rule != target && shares && linked.len() < 24 {
                linked.extend(cells.iter().filter_map(|cell| place(&self.stage, cell, height)));
            }
        }
        linked.sort_unstable();
        linked.dedup();
        linked.retain(|place| !read.contains(place));
        let given = (0..self.stage.width).filter(|position| {
            let kind = self.stage.chip.columns[self.stage.columns[*position]].kind;
            matches!(kind, ColumnKind::Input | ColumnKind::Record)
        });
        let given: Vec<(usize, usize)> = given.map(|position| (row, position)).collect();
        let mut values = |auditor: &mut Self, places: Vec<(usize, usize)>, most: usize| {
            for (at, position) in places {
                let values = auditor.values((index, at), position).into_iter().take(most);
                starts.extend(values.map(|value| Pins::cell(at, position, value)));
            }
        };
        values(self, read, 8);
        values(self, linked, 4);
        values(self, given, 3);
        starts.extend(self.cut_off(index, row));
        starts
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
