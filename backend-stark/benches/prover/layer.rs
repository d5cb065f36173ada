//! A machine of the shape of a recursion layer: one wide table whose rows are a Poseidon2 permutation of
//! width 16, some products, and many messages on one bus whose addresses and counts are preprocessed.

use chipwright_chips::Poseidon2;
use chipwright_dsl::prelude::record;
use chipwright_ir::FieldPair;
use chipwright_ir::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, FixedData, Group, Interaction, Label, Node,
    NodeId, Origin, Port, PortId, PortKind, Rule, Section, Sign,
};
use chipwright_ir::machine::{ChipRows, Machine, MachineInput, MachineTrace, Table, fill};
use p3_field::PrimeCharacteristicRing;

/// The columns that hold a product of two others.
const PRODUCTS: usize = 34;
/// The cells that are messages; each is sent and received once.
const MESSAGES: usize = 48;

/// The machine, and a trace of it, of `2^log_height` rows.
pub(crate) fn layer<P: FieldPair>(log_height: usize) -> (Machine, MachineTrace<P::Base>) {
    let height = 1 << log_height;
    let mut chip: Chip = (*record::<Poseidon2<16>>(P::FIELD).expect("the chip records")).clone();
    let mut plain = Machine::new("permutations", P::FIELD);
    plain.chips.push(chip.clone());
    let state = |row: u64| (0..16).map(move |i| row.wrapping_mul(0x9e37_79b9) ^ i);
    let rows = (0..height as u64).map(state).collect::<ChipRows>();
    let input = MachineInput { rows: vec![(chip.name.clone(), rows)], ..MachineInput::default() };
    let filled = fill::<P>(&plain, &input).expect("every state has a permutation");
    let narrow = &filled.tables[0];

    let width = chip.width();
    let mut cells: Vec<NodeId> =
        (0..width).map(|column| cell(&mut chip, ColumnId::new(column))).collect();
    for index in 0..PRODUCTS {
        let product = column(&mut chip, &format!("product{index}"), ColumnKind::Private);
        let left = cell(&mut chip, product);
        let right = chip.graph.add(Node::Mul(cells[index], cells[index + 1]));
        let (label, origin) = (Label::default(), Origin::Author);
        chip.rules.push(Rule { section: Section::Row, guard: None, left, right, origin, label });
        cells.push(left);
    }
    let count = fixed(&mut chip, "count");
    for index in 0..MESSAGES {
        let slot = fixed(&mut chip, &format!("slot{index}"));
        let position = index * (cells.len() - 1) / (MESSAGES - 1);
        for sign in [Sign::Plus, Sign::Minus] {
            message(&mut chip, sign, vec![slot, cells[position]], count);
        }
    }
    let columns = (0..=MESSAGES as u64)
        .map(|column| (0..height as u64).map(|row| column * 3 + row % 5).collect())
        .collect();
    chip.fixed = Some(FixedData { columns });

    let values = narrow
        .values
        .chunks(narrow.width)
        .flat_map(|row| {
            let products = (0..PRODUCTS).map(|index| row[index] * row[index + 1]);
            row.iter().copied().chain(products).collect::<Vec<P::Base>>()
        })
        .collect();
    let table = Table { height, width: width + PRODUCTS, values, real_rows: height };
    let mut machine = Machine::new("layer", P::FIELD);
    machine.chips.push(chip);
    debug_assert!(P::Base::ONE != P::Base::ZERO);
    (machine, MachineTrace { tables: vec![table], publics: vec![vec![]] })
}

fn cell(chip: &mut Chip, column: ColumnId) -> NodeId {
    chip.graph.add(Node::Cell(Cell { column, next: false }))
}

fn column(chip: &mut Chip, name: &str, kind: ColumnKind) -> ColumnId {
    let start = ColumnId::new(chip.columns.len());
    chip.columns.push(Column { name: name.to_owned(), kind, ty: CellType::Felt });
    chip.groups.push(Group {
        name: name.to_owned(),
        kind,
        type_name: "felt".to_owned(),
        start,
        len: 1,
        doc: String::new(),
        free: None,
        location: None,
    });
    start
}

fn fixed(chip: &mut Chip, name: &str) -> NodeId {
    let column = column(chip, name, ColumnKind::Fixed);
    cell(chip, column)
}

fn message(chip: &mut Chip, sign: Sign, message: Vec<NodeId>, count: NodeId) {
    chip.ports.push(Port {
        name: "witness".to_owned(),
        bus: "witness".to_owned(),
        kind: if sign == Sign::Plus { PortKind::Lookup } else { PortKind::Table },
        message: message.iter().map(|_| ("x".to_owned(), CellType::Felt)).collect(),
        location: None,
    });
    chip.interactions.push(Interaction {
        port: PortId::new(chip.ports.len() - 1),
        sign,
        message,
        count,
        weight: 1,
        exclusive: None,
        origin: Origin::Author,
        label: Label::default(),
    });
}
