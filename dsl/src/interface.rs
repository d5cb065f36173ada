//! The interface of a chip that others call: one entry a row, its inputs and its outputs.

use chipwright_ir::chip::{
    Cell, Chip, Column, ColumnId, ColumnKind, Group, Interaction, Label, Node, Origin, Port,
    PortId, PortKind, Rule, Section, Sign,
};

use crate::schema::CellType;

/// Provides the rows of a chip as a table on the bus of its name. A padding row of a chip that has any is no
/// entry.
pub(crate) fn interface(chip: &Chip) -> Chip {
    let mut chip = chip.clone();
    let ends: Vec<usize> = [ColumnKind::Input, ColumnKind::Output]
        .into_iter()
        .flat_map(|kind| chip.columns_of(kind).collect::<Vec<_>>())
        .map(ColumnId::index)
        .collect();
    let calls = ColumnId::new(chip.columns.len());
    chip.groups.push(Group {
        name: "calls".to_owned(),
        kind: ColumnKind::Multiplicity,
        type_name: "felt".to_owned(),
        start: calls,
        len: 1,
        doc: "How often the row is asked for.".to_owned(),
        free: None,
        location: None,
    });
    chip.columns.push(Column {
        name: "calls".to_owned(),
        kind: ColumnKind::Multiplicity,
        ty: CellType::Felt,
    });
    let element = |&index: &usize| (chip.columns[index].name.clone(), chip.columns[index].ty);
    let port = PortId::new(chip.ports.len());
    chip.ports.push(Port {
        name: chip.name.clone(),
        bus: chip.name.clone(),
        kind: PortKind::Table,
        message: ends.iter().map(element).collect(),
        location: None,
    });
    let label = |name: &str| Label { name: name.to_owned(), ..Label::default() };
    let cell = |column| Node::Cell(Cell { column, next: false });
    let count = chip.graph.add(cell(calls));
    if let Some(real) = chip.real() {
        let real = chip.graph.add(cell(real));
        let gated = chip.graph.add(Node::Mul(real, count));
        chip.rules.push(Rule {
            section: Section::Row,
            guard: None,
            left: count,
            right: gated,
            origin: Origin::Interface,
            label: label("padding is not called"),
        });
    }
    let message = ends.iter().map(|&index| chip.graph.add(cell(ColumnId::new(index)))).collect();
    chip.interactions.push(Interaction {
        port,
        sign: Sign::Minus,
        message,
        count,
        weight: 0,
        exclusive: None,
        origin: Origin::Interface,
        label: label("interface"),
    });
    chip
}
