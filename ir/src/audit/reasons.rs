//! Why a rule can be deleted without harm.
//!
//! Some redundancy is harmless and intended: a cell's type repeats what a table guarantees, padding follows a
//! convention. What can be computed from the chip is computed here; the rest the author declares.

use p3_field::PrimeField64;

use super::AuditOptions;
use super::auditor::Auditor;
use super::judge::Culprit;
use crate::chip::{CellType, Node, Origin};

impl<F: PrimeField64> Auditor<'_, '_, F> {
    /// A rule or message by name or formula, with its source.
    pub(super) fn describe(&self, culprit: Culprit) -> String {
        let chip = self.stage.chip;
        let (text, label, what) = match culprit {
            Culprit::Rule(index) => {
                let rule = &chip.rules[index];
                let text = format!("{} = {}", chip.formula(rule.left), chip.formula(rule.right));
                (text, &rule.label, "rule")
            }
            Culprit::Interaction(index) => {
                let interaction = &chip.interactions[index];
                let elements: Vec<String> =
                    interaction.message.iter().map(|node| chip.formula(*node)).collect();
                let port = &chip.ports[interaction.port.index()];
                let text = format!("{}({})", port.bus, elements.join(", "));
                (text, &interaction.label, "message")
            }
        };
        let name = match (label.scope.as_str(), label.name.as_str()) {
            (_, "") => text,
            ("", name) => name.to_owned(),
            (scope, name) => format!("{scope}/{name}"),
        };
        match &label.location {
            Some(location) => format!("{what} `{name}` ({location})"),
            None => format!("{what} `{name}`"),
        }
    }

    /// Why no forgery succeeds without the rule or message, if that can be said.
    pub(super) fn reason(&self, culprit: Culprit, options: &AuditOptions) -> Option<String> {
        let name = self.describe(culprit);
        let declared = options.redundant.iter().find(|(part, _)| name.contains(part.as_str()));
        if let Some((_, reason)) = declared {
            return Some(reason.clone());
        }
        let chip = self.stage.chip;
        let (computed, origin) = match culprit {
            Culprit::Rule(index) => (self.rule_reason(index), chip.rules[index].origin),
            Culprit::Interaction(index) => {
                (self.message_reason(index), chip.interactions[index].origin)
            }
        };
        let repeated = "a column's type repeats what other rules ensure: they object to every value \
                        outside the type that was tried";
        computed.or_else(|| (origin == Origin::Type).then(|| repeated.to_owned()))
    }

    fn rule_reason(&self, index: usize) -> Option<String> {
        let chip = self.stage.chip;
        let rule = &chip.rules[index];
        if rule.left == rule.right {
            return Some("both sides are the same".to_owned());
        }
        let twin = chip.rules.iter().enumerate().find(|(other, twin)| {
            *other != index
                && (twin.section, twin.guard) == (rule.section, rule.guard)
                && ([twin.left, twin.right] == [rule.left, rule.right]
                    || [twin.left, twin.right] == [rule.right, rule.left])
        });
        if let Some((twin, _)) = twin {
            return Some(format!("says the same as {}", self.describe(Culprit::Rule(twin))));
        }
        (rule.origin == Origin::Padding)
            .then(|| "padding convention; no result of this chip depends on it".to_owned())
    }

    /// A range check is implied where another message of the row puts the cell into a table that is
    /// narrower still.
    fn message_reason(&self, index: usize) -> Option<String> {
        let chip = self.stage.chip;
        let interaction = &chip.interactions[index];
        let [element] = interaction.message[..] else { return None };
        let Node::Cell(cell) = chip.graph.node(element) else { return None };
        let CellType::Bits(bits) = chip.columns[cell.column.index()].ty else { return None };
        chip.interactions.iter().enumerate().find_map(|(other, by)| {
            let position = by.message.iter().position(|node| *node == element)?;
            if other == index || by.count != interaction.count {
                return None;
            }
            let bus = &chip.ports[by.port.index()].bus;
            let largest = self.stage.environment.largest(bus, position)?;
            (largest < 1 << bits && self.stage.judge.lookup_bus(other).is_some()).then(|| {
                format!(
                    "implied by {}, whose entries are at most {largest} there",
                    self.describe(Culprit::Interaction(other))
                )
            })
        })
    }
}
