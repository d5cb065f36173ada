//! The documentation of a chip: its columns, rules and ports as Markdown tables.

use std::fmt::Write as _;

use super::print::verb;
use super::{Chip, Origin, StepPart};

impl Chip {
    /// A page with the author's words, and tables of columns, rules (with formula and degree) and ports.
    pub fn markdown(&self) -> String {
        let mut page = format!("# `{}`\n", self.name);
        if !self.doc.trim().is_empty() {
            let _ = write!(page, "\n{}\n", self.doc.trim());
        }
        let _ = write!(
            page,
            "\nOver {}: {} columns, {} rules of degree at most {}, {} messages a row.\n",
            self.field,
            self.columns.len(),
            self.rules.len(),
            self.degree(),
            self.interactions.len()
        );
        self.columns_table(&mut page);
        self.publics_table(&mut page);
        self.rules_table(&mut page);
        self.ports_table(&mut page);
        page
    }

    fn columns_table(&self, page: &mut String) {
        page.push_str("\n## Columns\n\n| name | kind | type | cells | |\n|---|---|---|---|---|\n");
        for group in &self.groups {
            let mut doc = in_cell(&group.doc);
            if let Some(reason) = &group.free {
                let _ = write!(doc, " Free: {}.", in_cell(reason));
            }
            let _ = writeln!(
                page,
                "| `{}` | {} | `{}` | {} | {} |",
                group.name,
                group.kind,
                group.type_name,
                group.len,
                doc.trim()
            );
        }
    }

    fn publics_table(&self, page: &mut String) {
        if !self.publics.is_empty() {
            page.push_str("\n## Public values\n\n");
            for public in &self.publics {
                let _ = write!(page, "- `{}`", public.name);
                let _ = match &public.part {
                    Some(StepPart { role, name }) => writeln!(page, ", {role}: `{name}`"),
                    None => writeln!(page),
                };
            }
        }
    }

    fn rules_table(&self, page: &mut String) {
        if self.rules.is_empty() {
            return;
        }
        let degrees = self.graph.degrees(&self.columns);
        page.push_str("\n## Rules\n\n| rule | on | formula | degree | |\n|---|---|---|---|---|\n");
        for (index, rule) in self.rules.iter().enumerate() {
            let mut formula = format!("{} = {}", self.formula(rule.left), self.formula(rule.right));
            if let Some(guard) = rule.guard {
                let _ = write!(formula, " when {}", self.formula(guard));
            }
            let origin = match rule.origin {
                Origin::Author => "",
                Origin::Type => "from its type",
                Origin::Padding => "padding comes last",
                Origin::Interface => "interface",
                Origin::Pass => "lowers degrees",
            };
            let remark = [origin, &rule.label.because].join(" ");
            let _ = writeln!(
                page,
                "| {} | {} | `{formula}` | {} | {} |",
                in_cell(&self.rule_name(index)),
                rule.section,
                rule.degree(&degrees),
                in_cell(&remark)
            );
        }
    }

    fn ports_table(&self, page: &mut String) {
        if self.ports.is_empty() {
            return;
        }
        page.push_str("\n## Ports\n\n| port | kind | bus | message |\n|---|---|---|---|\n");
        for port in &self.ports {
            let elements: Vec<String> =
                port.message.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
            let _ = writeln!(
                page,
                "| `{}` | {} | `{}` | `{}` |",
                port.name,
                port.kind,
                port.bus,
                elements.join(", ")
            );
        }
        page.push_str("\n| message | times |\n|---|---|\n");
        for interaction in &self.interactions {
            let port = &self.ports[interaction.port.index()];
            let elements: Vec<String> =
                interaction.message.iter().map(|node| self.formula(*node)).collect();
            let _ = writeln!(
                page,
                "| {} `{}({})` | `{}` |",
                verb(port.kind, interaction.sign),
                port.name,
                elements.join(", "),
                self.formula(interaction.count)
            );
        }
    }
}

/// Text for a cell of a table.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}
