//! Lets other chips call a chip: its inputs and outputs become the entries of a table.
//!
//! ```text
//!   a: input felt            a: input felt
//!   s: output felt     →     s: output felt
//!                            calls: multiplicity felt
//!                            provide double(a, s) times calls
//! ```
//!
//! # Soundness
//!
//! What a chip's types promise of its outputs is enforced on real rows only, so a padding row must give
//! nothing: if the chip has a padding bit, the rule `calls·real = calls` is added.

use super::build;
use crate::chip::{
    Chip, ColumnId, ColumnKind, Interaction, Label, Node, Origin, Port, PortId, PortKind, Rule,
    Section, Sign,
};

/// The chip with a port to its callers: a table on the bus with the chip's name, whose messages are the
/// input cells, then the output cells, in layout order. Without inputs and outputs there is nothing to
/// call, and the chip stays as it is; likewise if it provides such a table already.
#[must_use]
pub fn interface(chip: &Chip) -> Chip {
    let cells: Vec<ColumnId> =
        chip.columns_of(ColumnKind::Input).chain(chip.columns_of(ColumnKind::Output)).collect();
    let provides = |port: &Port| port.kind == PortKind::Table && port.bus == chip.name;
    if cells.is_empty() || chip.ports.iter().any(provides) {
        return chip.clone();
    }
    let mut chip = chip.clone();
    let name = build::free_name(&chip, "calls");
    let doc = "How often the row is asked for.";
    let column = build::add_column(&mut chip, &name, ColumnKind::Multiplicity, doc);
    let count = build::cell(&mut chip, column);
    let element = |id: &ColumnId| {
        let column = &chip.columns[id.index()];
        (column.name.clone(), column.ty)
    };
    let message = cells.iter().map(element).collect();
    let (bus, location) = (chip.name.clone(), None);
    chip.ports.push(Port { name: bus.clone(), bus, kind: PortKind::Table, message, location });
    let message = cells.iter().map(|id| build::cell(&mut chip, *id)).collect();
    chip.interactions.push(Interaction {
        port: PortId::new(chip.ports.len() - 1),
        sign: Sign::Minus,
        message,
        count,
        weight: 0,
        exclusive: None,
        origin: Origin::Interface,
        label: Label::default(),
    });
    if let Some(real) = chip.real() {
        let real = build::cell(&mut chip, real);
        let left = chip.graph.add(Node::Mul(count, real));
        chip.rules.push(Rule {
            section: Section::Row,
            guard: None,
            left,
            right: count,
            origin: Origin::Interface,
            label: Label { name: "padding is not called".to_owned(), ..Label::default() },
        });
    }
    chip
}
