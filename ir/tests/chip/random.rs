//! Random chips and random rows.

use chipwright_ir::Field;
use chipwright_ir::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, Fill, FillOp, FixedData, Graph, Group,
    IntOp, Interaction, Label, NativeFn, Node, NodeId, Origin, Port, PortId, PortKind, Public,
    PublicId, Rule, Section, Sign, StepPart, StepRole,
};
use proptest::prelude::*;
use std::sync::Arc;

/// What a random chip is made from: numbers that are read as indices into whatever there is.
pub(crate) type Seed = Vec<u32>;

pub(crate) fn seeds() -> impl Strategy<Value = Seed> {
    prop::collection::vec(any::<u32>(), 8..160)
}

/// Takes numbers from a seed, again from the start when it ends.
struct Dice<'a> {
    seed: &'a [u32],
    at: usize,
}

impl Dice<'_> {
    fn below(&mut self, limit: usize) -> usize {
        let value =
            self.seed[self.at % self.seed.len()].rotate_left((self.at / self.seed.len()) as u32);
        self.at += 1;
        value as usize % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn any_publics(dice: &mut Dice<'_>) -> Vec<Public> {
    let role = [None, Some(StepRole::Common), Some(StepRole::Before), Some(StepRole::After)];
    let part = |role| StepPart { role, name: "a part".to_owned() };
    let mut public = |name: &str| {
        let role = role[dice.below(role.len())];
        Public { name: name.to_owned(), part: role.map(part) }
    };
    ["p", "q[0]"].map(&mut public).to_vec()
}

/// Any chip whose structure is sound; most of them mean nothing.
pub(crate) fn any_chip(seed: &Seed) -> Chip {
    let mut dice = Dice { seed, at: 0 };
    let field = dice.pick(&Field::ALL);
    let mut chip = Chip {
        name: dice.pick(&["plain", "with space", "a.b[3]"]).to_owned(),
        field,
        doc: "A random chip.\nIn two lines.".to_owned(),
        dense: dice.below(2) == 0,
        groups: Vec::new(),
        columns: Vec::new(),
        publics: any_publics(&mut dice),
        ports: Vec::new(),
        graph: Graph::new(),
        rules: Vec::new(),
        fills: Vec::new(),
        interactions: Vec::new(),
        fixed: None,
        periodic: Vec::new(),
        memory_of: [None, Some("ram".to_owned())][dice.below(2)].clone(),
    };
    for _ in 0..=dice.below(7) {
        any_group(&mut chip, &mut dice);
    }
    let (fixed, periodic) = (chip.fixed_width(), chip.columns_of(ColumnKind::Periodic).count());
    let contents = [vec![5, 5, 5, 0], vec![0, 1, 2, 3], vec![9, 1, 7, field.modulus() - 1]];
    if dice.below(2) == 0 && fixed > 0 {
        let columns = (0..fixed).map(|i| contents[i % 3].clone()).collect();
        chip.fixed = Some(FixedData { columns });
    }
    chip.periodic = (0..periodic).map(|i| contents[i % 3].clone()).collect();
    for kind in [
        PortKind::Lookup,
        PortKind::Table,
        PortKind::Send,
        PortKind::Receive,
        PortKind::Memory,
        PortKind::Witness,
    ] {
        chip.ports.push(Port {
            name: format!("{kind}"),
            bus: dice.pick(&["bus", "other bus"]).to_owned(),
            kind,
            message: vec![("x".to_owned(), CellType::Felt), ("y z".to_owned(), CellType::Bits(9))],
            location: None,
        });
    }
    let cells: Vec<Cell> = (0..chip.columns.len())
        .flat_map(|index| [false, true].map(|next| Cell { column: ColumnId::new(index), next }))
        .filter(|cell| !cell.next || chip.columns[cell.column.index()].kind != ColumnKind::Periodic)
        .collect();
    let (fields, integers) = any_nodes(&mut chip, &mut dice, &cells);
    for _ in 0..dice.below(6) {
        let guard = [None, Some(dice.pick(&fields))][dice.below(2)];
        let rule = Rule {
            section: dice.pick(&Section::ALL),
            guard,
            left: dice.pick(&fields),
            right: dice.pick(&fields),
            origin: dice.pick(&[Origin::Author, Origin::Type, Origin::Pass]),
            label: label(&mut dice),
        };
        chip.rules.push(rule);
    }
    for _ in 0..dice.below(6) {
        any_fill(&mut chip, &mut dice, &cells, &fields, &integers);
    }
    for _ in 0..dice.below(4) {
        let interaction = Interaction {
            port: PortId::new(dice.below(chip.ports.len())),
            sign: dice.pick(&[Sign::Plus, Sign::Minus]),
            message: vec![dice.pick(&fields), dice.pick(&fields)],
            count: dice.pick(&fields),
            weight: dice.below(3) as u32,
            exclusive: [None, Some(dice.below(2) as u32)][dice.below(2)],
            origin: dice.pick(&[Origin::Author, Origin::Interface]),
            label: label(&mut dice),
        };
        chip.interactions.push(interaction);
    }
    chip
}

fn label(dice: &mut Dice<'_>) -> Label {
    let name = dice.pick(&["", "a name", "from type", "quoted \"name\"; and more", "two\nlines"]);
    Label { name: name.to_owned(), scope: "scope".to_owned(), ..Label::default() }
}

fn any_group(chip: &mut Chip, dice: &mut Dice<'_>) {
    let kind = dice.pick(&[
        ColumnKind::Private,
        ColumnKind::Private,
        ColumnKind::Input,
        ColumnKind::Output,
        ColumnKind::Record,
        ColumnKind::Fixed,
        ColumnKind::Periodic,
        ColumnKind::Multiplicity,
        ColumnKind::Scratch,
    ]);
    let (type_name, types): (&str, Vec<CellType>) = match dice.below(6) {
        0 => ("felt", vec![CellType::Felt]),
        1 => ("u32", vec![CellType::Bits(16); 2]),
        2 => ("[bit; 3]", vec![CellType::BIT; 3]),
        3 => ("ext", (0..2).map(CellType::Coordinate).collect()),
        4 => ("one_hot(add, lw)", vec![CellType::BIT; 2]),
        _ => ("odd \"type\" ]", vec![CellType::Bits(7), CellType::Felt]),
    };
    let name = dice.pick(&["a", "b", "next", "row", "x.y", "odd name", "split"]).to_owned();
    let start = ColumnId::new(chip.columns.len());
    for (index, ty) in types.iter().enumerate() {
        let name = match dice.below(4) {
            0 => format!("{name}.{index}"),
            _ if types.len() == 1 => name.clone(),
            _ => format!("{name}[{index}]"),
        };
        chip.columns.push(Column { name, kind, ty: *ty });
    }
    chip.groups.push(Group {
        name,
        kind,
        type_name: type_name.to_owned(),
        start,
        len: types.len() as u32,
        doc: "What it is for.".to_owned(),
        free: [None, Some("nobody reads it".to_owned())][dice.below(2)].clone(),
        location: None,
    });
}

fn any_nodes(chip: &mut Chip, dice: &mut Dice<'_>, cells: &[Cell]) -> (Vec<NodeId>, Vec<NodeId>) {
    let modulus = chip.field.modulus();
    let graph = &mut chip.graph;
    let mut fields = vec![graph.add(Node::Const(dice.pick(&[0, 1, 5, modulus - 1, modulus / 2])))];
    let mut integers = vec![graph.add(Node::IntConst(dice.pick(&[0, 7, u128::MAX, 1 << 64])))];
    for _ in 0..4 + dice.below(30) {
        let (a, b) = (dice.pick(&fields), dice.pick(&fields));
        let (i, j, k) = (dice.pick(&integers), dice.pick(&integers), dice.pick(&integers));
        let ops = [
            IntOp::Add,
            IntOp::Sub,
            IntOp::Mul,
            IntOp::Div,
            IntOp::Rem,
            IntOp::And,
            IntOp::Or,
            IntOp::Xor,
            IntOp::Shl,
            IntOp::Shr,
            IntOp::Less,
            IntOp::Equal,
        ];
        let node = match dice.below(14) {
            0..4 => Node::Cell(dice.pick(cells)),
            4 => Node::Const(dice.pick(&[0, 2, modulus - 3])),
            5 => Node::Public(PublicId::new(dice.below(2))),
            6 => Node::Add(a, b),
            7 => Node::Sub(a, b),
            8 | 9 => Node::Mul(a, b),
            10 => Node::Neg(a),
            11 => Node::Int(a),
            12 => Node::IntOp(dice.pick(&ops), i, j),
            _ => [Node::IntSelect(i, j, k), Node::Inverse(a)][dice.below(2)],
        };
        let list = if node.is_integer() { &mut integers } else { &mut fields };
        list.push(graph.add(node));
    }
    (fields, integers)
}

fn any_fill(
    chip: &mut Chip,
    dice: &mut Dice<'_>,
    cells: &[Cell],
    fields: &[NodeId],
    integers: &[NodeId],
) {
    let section = dice.pick(&[Section::Row, Section::First, Section::Step]);
    let settable: Vec<Cell> = cells
        .iter()
        .copied()
        .filter(|cell| chip.columns[cell.column.index()].kind.is_main())
        .filter(|cell| !cell.next || section == Section::Step)
        .collect();
    if settable.is_empty() {
        return;
    }
    let (x, y) = (dice.pick(&settable), dice.pick(&settable));
    let inputs = vec![dice.pick(fields), dice.pick(fields)];
    let op = match dice.below(6) {
        0 => FillOp::Set { cell: x, value: dice.pick(fields) },
        1 => FillOp::Set { cell: x, value: dice.pick(integers) },
        2 => FillOp::Split { parts: vec![(x, 3), (y, 16)], value: inputs[0] },
        3 => {
            let call: chipwright_ir::chip::NativeCall = Arc::new(|_, _| Ok(()));
            let function = NativeFn { name: "f \"g\"".to_owned(), call };
            FillOp::Native { cells: vec![x, y], inputs, function }
        }
        4 => FillOp::Call { port: PortId::new(0), inputs, outputs: vec![x] },
        _ => FillOp::Access {
            port: PortId::new(4),
            address: vec![inputs[0]],
            time: inputs[1],
            write: [None, Some(inputs.clone())][dice.below(2)].clone(),
            previous_time: x,
            previous_value: vec![y],
        },
    };
    let guards = [vec![], vec![dice.pick(fields)], inputs_of(integers)][dice.below(3)].clone();
    chip.fills.push(Fill { section, guards, op, label: label(dice) });
}

fn inputs_of(integers: &[NodeId]) -> Vec<NodeId> {
    integers.iter().copied().take(2).collect()
}

/// A chip of records and rules in all sections, of degrees that need lowering: every cell is advice, so any
/// rows can be its trace. Rules are biased so that sums and powers over one row occur often.
pub(crate) fn polynomial_chip(seed: &Seed) -> Chip {
    let mut dice = Dice { seed, at: 0 };
    let mut chip = any_chip(&vec![0; 8]);
    chip = Chip {
        name: "polynomials".to_owned(),
        field: Field::Goldilocks2,
        dense: true,
        groups: Vec::new(),
        columns: Vec::new(),
        publics: vec![Public::new("p")],
        ports: Vec::new(),
        graph: Graph::new(),
        rules: Vec::new(),
        fills: Vec::new(),
        interactions: Vec::new(),
        fixed: None,
        periodic: Vec::new(),
        memory_of: None,
        ..chip
    };
    for index in 0..4 {
        let name = format!("x{index}");
        let start = ColumnId::new(index);
        chip.columns.push(Column {
            name: name.clone(),
            kind: ColumnKind::Record,
            ty: CellType::Felt,
        });
        chip.groups.push(Group {
            name,
            kind: ColumnKind::Record,
            type_name: "felt".to_owned(),
            start,
            len: 1,
            doc: String::new(),
            free: None,
            location: None,
        });
    }
    chip.ports.push(Port {
        name: "bus".to_owned(),
        bus: "bus".to_owned(),
        kind: PortKind::Send,
        message: vec![("x".to_owned(), CellType::Felt)],
        location: None,
    });
    for _ in 0..=dice.below(5) {
        let section = dice.pick(&Section::ALL);
        let next = section == Section::Step && dice.below(2) == 0;
        let left = polynomial(&mut chip, &mut dice, next);
        // Half of the rules hold on many rows: products with a factor that is often zero.
        let right = match dice.below(3) {
            0 => left,
            1 => chip.graph.add(Node::Const(0)),
            _ => polynomial(&mut chip, &mut dice, next),
        };
        let left = match dice.below(2) {
            0 if left == right => {
                let extra = polynomial(&mut chip, &mut dice, false);
                let zero = Node::Cell(Cell { column: ColumnId(3), next: false });
                let zero = chip.graph.add(zero);
                let extra = chip.graph.add(Node::Mul(extra, zero));
                chip.graph.add(Node::Add(left, extra))
            }
            _ => left,
        };
        let guard = [None, Some(polynomial(&mut chip, &mut dice, false))][dice.below(2)];
        let (origin, label) = (Origin::Author, Label::default());
        chip.rules.push(Rule { section, guard, left, right, origin, label });
    }
    for _ in 0..dice.below(3) {
        let message = vec![polynomial(&mut chip, &mut dice, false)];
        let count = polynomial(&mut chip, &mut dice, false);
        chip.interactions.push(Interaction {
            port: PortId(0),
            sign: dice.pick(&[Sign::Plus, Sign::Minus]),
            message,
            count,
            weight: 1,
            exclusive: None,
            origin: Origin::Author,
            label: Label::default(),
        });
    }
    chip
}

fn polynomial(chip: &mut Chip, dice: &mut Dice<'_>, next: bool) -> NodeId {
    let cell = |chip: &mut Chip, dice: &mut Dice<'_>| {
        chip.graph.add(Node::Cell(Cell { column: ColumnId::new(dice.below(4)), next }))
    };
    let mut nodes = vec![cell(chip, dice), cell(chip, dice)];
    for _ in 0..=dice.below(6) {
        let (a, b) = (dice.pick(&nodes), nodes[nodes.len() - 1]);
        let constant = chip.graph.add(Node::Const(dice.below(3) as u64));
        let public = chip.graph.add(Node::Public(PublicId(0)));
        let node = match dice.below(9) {
            0 => Node::Add(a, b),
            1 => Node::Sub(a, b),
            2 => Node::Add(b, constant),
            3 => Node::Mul(b, public),
            4 => Node::Neg(b),
            5 | 6 => Node::Mul(b, b),
            _ => Node::Mul(a, b),
        };
        // Degrees beyond a dozen only cost time.
        if chip.graph.degrees(&chip.columns)[b.index()] < 12 {
            nodes.push(chip.graph.add(node));
        }
    }
    nodes[nodes.len() - 1]
}

/// Four rows for a [`polynomial_chip`], of few different values.
pub(crate) fn rows(seed: &Seed) -> Vec<Vec<u64>> {
    let mut dice = Dice { seed, at: 1 };
    (0..4)
        .map(|_| (0..4).map(|_| dice.pick(&[0, 0, 1, 1, 2, 3, u64::MAX >> 33])).collect())
        .collect()
}
