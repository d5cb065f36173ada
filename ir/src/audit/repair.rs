//! "Almost correct" traces: where a forgery breaks a rule, other cells are changed until the rule holds.
//!
//! A broken rule is solved for one of its cells at a time, where it is linear in that cell; a message that
//! is no entry of its table is replaced by an entry. Then everything is replayed and judged again. The
//! search is a few steps deep: carries that compensate a limb, a remainder that compensates a quotient.

use p3_field::PrimeField64;

use super::judge::{Culprit, Objection, Verdict};
use super::stage::{Case, Pins, Play, Stage};
use super::values::is_of_type;
use crate::chip::{Cell, ColumnKind, Node};

/// What the search is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Nothing objects. Inputs, and records that are free anyway, keep their values.
    Accepted,
    /// Nothing but this objects, and this does; any cell may change.
    OnlyBroken(Culprit),
}

/// How cells that are not pinned follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Later fills are run again.
    Replayed,
    /// Everything else keeps its honest value.
    Overwritten,
}

/// A run that reached its goal.
#[derive(Clone, Debug)]
pub(super) struct Found<F> {
    pub(super) pins: Pins<F>,
    pub(super) play: Play<F>,
    pub(super) verdict: Verdict<F>,
}

impl Goal {
    /// Whether the search has found what it is for.
    fn is_reached(self, open: impl Fn(usize) -> bool, objections: &[Objection]) -> bool {
        match self {
            Self::Accepted => objections.is_empty(),
            Self::OnlyBroken(culprit) => {
                let mut hit = false;
                objections.iter().all(|objection| {
                    hit |= objection.culprit == culprit;
                    objection.culprit == culprit || is_claim(&open, objection)
                }) && hit
            }
        }
    }
}

/// What a chip takes from a bus without another end is a claim that somebody makes. A chip that proves
/// claims needs a rule if some false claim could be proven without it.
fn is_claim(open: &impl Fn(usize) -> bool, objection: &Objection) -> bool {
    matches!(objection.culprit, Culprit::Interaction(by) if open(by))
}

impl<F: PrimeField64> Stage<'_, F> {
    /// The run with these pins.
    pub(super) fn play(
        &mut self,
        case: &Case<F>,
        pins: &Pins<F>,
        manner: Manner,
    ) -> (Play<F>, Verdict<F>) {
        let play = match manner {
            Manner::Replayed => self.replay(case, pins),
            Manner::Overwritten => self.overwrite(case, pins),
        };
        let verdict = self.judge.judge(case, &play, &mut self.environment);
        (play, verdict)
    }

    /// The one thing that objects, apart from claims.
    pub(super) fn only_culprit(&self, verdict: &Verdict<F>) -> Option<Culprit> {
        let open = |by| self.judge.is_open(by);
        let mut culprits = verdict
            .objections
            .iter()
            .filter(|objection| !is_claim(&open, objection))
            .map(|objection| objection.culprit);
        let first = culprits.next()?;
        culprits.all(|culprit| culprit == first).then_some(first)
    }

    /// Plays, and repairs what objects, at most `depth` times in a row and `tries` times in all.
    pub(super) fn search(
        &mut self,
        case: &Case<F>,
        pins: Pins<F>,
        manner: Manner,
        goal: Goal,
        depth: usize,
        tries: &mut usize,
    ) -> Option<Found<F>> {
        if *tries == 0 {
            return None;
        }
        *tries -= 1;
        let (play, verdict) = self.play(case, &pins, manner);
        let judge = &self.judge;
        if goal.is_reached(|by| judge.is_open(by), &verdict.objections) {
            return Some(Found { pins, play, verdict });
        }
        let wanted = match goal {
            Goal::Accepted => None,
            Goal::OnlyBroken(culprit) => Some(culprit),
        };
        if depth == 0 || verdict.objections.len() > 12 {
            return None;
        }
        let claims = matches!(goal, Goal::OnlyBroken(_));
        let bad = *verdict.objections.iter().find(|objection| {
            Some(objection.culprit) != wanted
                && !(claims && is_claim(&|by| self.judge.is_open(by), objection))
        })?;
        for change in self.mendings(case, &play, &pins, bad, goal) {
            let more = pins.and(&change);
            if let Some(found) = self.search(case, more, manner, goal, depth - 1, tries) {
                return Some(found);
            }
        }
        None
    }

    /// Changes after which an objection is gone, as far as it alone is concerned.
    fn mendings(
        &mut self,
        case: &Case<F>,
        play: &Play<F>,
        pins: &Pins<F>,
        bad: Objection,
        goal: Goal,
    ) -> Vec<Pins<F>> {
        match bad.culprit {
            Culprit::Rule(rule) => self.solve(case, play, pins, (rule, bad.row), goal),
            Culprit::Interaction(interaction) => {
                self.adopt(case, play, pins, (interaction, bad.row), goal).into_iter().collect()
            }
        }
    }

    /// Whether the search may change a cell of the main trace.
    pub(super) fn may_change(
        &self,
        case: &Case<F>,
        (row, position): (usize, usize),
        goal: Goal,
    ) -> bool {
        let column = self.columns[position];
        match self.chip.columns[column].kind {
            ColumnKind::Private | ColumnKind::Output | ColumnKind::Scratch => true,
            ColumnKind::Record => goal != Goal::Accepted || !self.is_free(column),
            ColumnKind::Input => goal != Goal::Accepted || case.filled[row * self.width + position],
            _ => goal != Goal::Accepted,
        }
    }

    /// Whether the author declared a column free.
    pub(super) fn is_free(&self, column: usize) -> bool {
        self.chip.groups.iter().any(|group| {
            let start = group.start.index();
            group.free.is_some() && (start..start + group.len as usize).contains(&column)
        })
    }

    /// Solves a broken rule for each of its cells and results in turn.
    fn solve(
        &mut self,
        case: &Case<F>,
        play: &Play<F>,
        pins: &Pins<F>,
        (rule, row): (usize, usize),
        goal: Goal,
    ) -> Vec<Pins<F>> {
        let support = self.judge.support(Culprit::Rule(rule)).clone();
        let mut play = play.clone();
        // In the type first: anything else is likely to be objected to at once.
        let (mut likely, mut unlikely) = (Vec::new(), Vec::new());
        for cell in support.cells {
            let column = cell.column.index();
            if !self.chip.columns[column].kind.is_main() {
                continue;
            }
            let at = if cell.next { (row + 1) % case.height } else { row };
            let position = self.positions[column];
            if !self.may_change(case, (at, position), goal) || pins.has_cell(at, position) {
                continue;
            }
            let index = at * self.width + position;
            let before = play.values[index];
            let root = self.root(rule, case, &mut play, row, |play| &mut play.values[index]);
            let ty = self.chip.columns[column].ty;
            match root {
                Some(value) if value != before => {
                    let pin = Pins::cell(at, position, value);
                    if is_of_type(value, ty) {
                        likely.push(pin);
                    } else if self.chip.columns[column].kind != ColumnKind::Input {
                        unlikely.push(pin);
                    }
                }
                _ => {}
            }
        }
        for public in support.publics {
            let index = public.index();
            let allowed = goal != Goal::Accepted || self.judge.results[index];
            if allowed && !pins.has_public(index) {
                let root = self.root(rule, case, &mut play, row, |play| &mut play.publics[index]);
                likely.extend(root.map(|value| Pins::public(index, value)));
            }
        }
        // What was filled last is the likeliest to have nothing depend on it.
        likely.reverse();
        likely.append(&mut unlikely);
        likely.truncate(8);
        likely
    }

    /// The value of one variable at which a rule holds, if the rule is linear in the variable.
    fn root(
        &mut self,
        rule: usize,
        case: &Case<F>,
        play: &mut Play<F>,
        row: usize,
        place: impl Fn(&mut Play<F>) -> &mut F,
    ) -> Option<F> {
        let before = *place(play);
        let mut at = |play: &mut Play<F>, value: F| {
            *place(play) = value;
            self.judge.rule_value(rule, case, play, row)
        };
        let values = [F::ZERO, F::ONE, F::TWO].map(|step| at(play, before + step));
        let slope = values[1] - values[0];
        let linear = values[2] - values[1] == slope;
        let root = if linear {
            slope.try_inverse().map(|inverse| before - values[0] * inverse)
        } else {
            [F::ZERO, F::ONE].into_iter().find(|candidate| at(play, *candidate).is_zero())
        };
        *place(play) = before;
        root
    }

    /// Puts an entry of the table in the place of a message that is none.
    fn adopt(
        &mut self,
        case: &Case<F>,
        play: &Play<F>,
        pins: &Pins<F>,
        (interaction, row): (usize, usize),
        goal: Goal,
    ) -> Option<Pins<F>> {
        let bus = self.judge.lookup_bus(interaction)?.to_owned();
        let tuple = self.judge.tuple(interaction, case, play, row);
        let message = &self.chip.interactions[interaction].message;
        let changeable = |cell: &Cell| {
            let position = self.positions[cell.column.index()];
            !cell.next
                && self.chip.columns[cell.column.index()].kind.is_main()
                && self.may_change(case, (row, position), goal)
                && !pins.has_cell(row, position)
        };
        let cells: Vec<Option<Cell>> = message
            .iter()
            .map(|node| match self.chip.graph.node(*node) {
                Node::Cell(cell) => Some(cell).filter(changeable),
                _ => None,
            })
            .collect();
        let fixed: Vec<bool> = cells.iter().map(Option::is_none).collect();
        // A range alone does not say which of its values would do.
        if message.len() < 2 || fixed.iter().all(|fixed| *fixed) {
            return None;
        }
        let entry = self.environment.complete(&bus, &tuple, &fixed)?;
        let mut change = Pins::default();
        for ((cell, wanted), given) in cells.into_iter().zip(entry).zip(tuple) {
            if let Some(cell) = cell
                && wanted != given
            {
                let position = self.positions[cell.column.index()];
                change.cells.push((row, position, F::from_u64(wanted)));
            }
        }
        (!change.cells.is_empty()).then_some(change)
    }
}
