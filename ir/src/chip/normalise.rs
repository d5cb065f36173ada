//! The canonical form of a chip: what is left after printing and reading back.
//!
//! Nodes are renumbered in the order in which they are written, nodes that nothing uses are dropped, rules
//! and fills are sorted by section, and everything that is not meaning (docs, scopes, source locations) is
//! taken away. Names of rules stay, because they are written as comments.

use super::formula::printable;
use super::outline::{Line, outline, post_order, roots};
use super::{Chip, Graph, Label, NodeId, Origin};

impl Chip {
    /// The canonical form. `parse(print(chip))` gives exactly this.
    #[must_use]
    pub fn normalise(&self) -> Self {
        let mut chip = Self {
            doc: String::new(),
            graph: Graph::new(),
            rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            ..self.clone()
        };
        let mut map = vec![None; self.graph.len()];
        let mut done = vec![false; self.graph.len()];
        for line in outline(self).iter().flatten() {
            let line = *line;
            let roots = roots(self, line);
            for root in &roots {
                post_order(self, *root, &mut done, |id| {
                    let node = self.graph.node(id).map_operands(|operand| mapped(&map, operand));
                    map[id.index()] = Some(chip.graph.add(node));
                });
            }
            match line {
                Line::Node(_) => {}
                Line::Fill(index) => {
                    let mut fill = self.fills[index].map_nodes(|node| mapped(&map, node));
                    fill.label = Label::default();
                    chip.fills.push(fill);
                }
                Line::Rule(index) => {
                    let mut rule = self.rules[index].clone();
                    rule.guard = rule.guard.map(|node| mapped(&map, node));
                    rule.left = mapped(&map, rule.left);
                    rule.right = mapped(&map, rule.right);
                    (rule.origin, rule.label) = read_comment(&comment(rule.origin, &rule.label));
                    chip.rules.push(rule);
                }
                Line::Interaction(index) => {
                    let mut interaction = self.interactions[index].clone();
                    interaction.message.iter_mut().for_each(|node| *node = mapped(&map, *node));
                    interaction.count = mapped(&map, interaction.count);
                    (interaction.origin, interaction.label) =
                        read_comment(&comment(interaction.origin, &interaction.label));
                    chip.interactions.push(interaction);
                }
            }
        }
        chip.normalise_names();
        chip
    }

    /// Makes names unique and printable, and drops what is not printed.
    fn normalise_names(&mut self) {
        self.name = printable(&self.name);
        self.fixed = self.fixed.take().filter(|data| !data.columns.is_empty());
        self.memory_of = self.memory_of.as_deref().map(printable);
        for group in &mut self.groups {
            group.name = printable(&group.name);
            group.type_name = printable(&group.type_name);
            group.doc.clear();
            group.free = group.free.as_deref().map(printable);
            group.location = None;
        }
        let values = self.columns.iter_mut().map(|column| &mut column.name);
        make_unique(values.chain(self.publics.iter_mut().map(|public| &mut public.name)));
        for port in &mut self.ports {
            port.location = None;
            port.bus = printable(&port.bus);
            for (name, _) in &mut port.message {
                *name = printable(name);
            }
        }
        make_unique(self.ports.iter_mut().map(|port| &mut port.name));
        for fill in &mut self.fills {
            if let super::FillOp::Native { function, .. } = &mut fill.op {
                function.name = printable(&function.name);
            }
        }
    }
}

fn mapped(map: &[Option<NodeId>], id: NodeId) -> NodeId {
    map[id.index()].expect("operands are visited before their users")
}

/// What the comment of a rule or an interaction says: who made it, and its name.
pub(crate) fn comment(origin: Origin, label: &Label) -> String {
    let name = printable(&label.name).trim().to_owned();
    match (origin_word(origin), name.is_empty()) {
        (None, _) => name,
        (Some(word), true) => format!("from {word}"),
        (Some(word), false) => format!("from {word}: {name}"),
    }
}

/// Reads what [`comment`] has written.
pub(crate) fn read_comment(text: &str) -> (Origin, Label) {
    let label = |name: &str| Label { name: name.trim().to_owned(), ..Label::default() };
    if text.starts_with("error:") {
        return (Origin::Author, Label::default());
    }
    if let Some(rest) = text.strip_prefix("from ") {
        let (word, name) = rest.split_once(':').unwrap_or((rest, ""));
        let all = [Origin::Type, Origin::Padding, Origin::Interface, Origin::Pass];
        if let Some(origin) = all.into_iter().find(|origin| origin_word(*origin) == Some(word)) {
            return (origin, label(name));
        }
    }
    (Origin::Author, label(text))
}

fn origin_word(origin: Origin) -> Option<&'static str> {
    match origin {
        Origin::Author => None,
        Origin::Type => Some("type"),
        Origin::Padding => Some("padding"),
        Origin::Interface => Some("interface"),
        Origin::Pass => Some("pass"),
    }
}

fn make_unique<'a>(names: impl Iterator<Item = &'a mut String>) {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        let base = printable(name);
        let mut candidate = base.clone();
        let mut number = 1;
        while !seen.insert(candidate.clone()) {
            candidate = format!("{base}.{number}");
            number += 1;
        }
        *name = candidate;
    }
}
