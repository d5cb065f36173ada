//! Small machines written directly in IR, with honest traces.

use chipwright_ir::Field;
use chipwright_ir::chip::{
    Cell, CellType, Chip, Column, ColumnId, ColumnKind, FixedData, Graph, Group, Interaction,
    Label, Node, NodeId, Origin, Port, PortId, PortKind, Public, PublicId, Rule, Section, Sign,
};
use chipwright_ir::machine::{Machine, MachineTrace, Table};
use p3_field::PrimeField64;

/// Writes a chip column by column and rule by rule.
pub(crate) struct Writer {
    pub(crate) chip: Chip,
}

impl Writer {
    pub(crate) fn new(name: &str, field: Field) -> Self {
        let chip = Chip {
            name: name.to_owned(),
            field,
            doc: String::new(),
            dense: true,
            groups: Vec::new(),
            columns: Vec::new(),
            publics: Vec::new(),
            ports: Vec::new(),
            graph: Graph::new(),
            rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            fixed: None,
            periodic: Vec::new(),
            memory_of: None,
        };
        Self { chip }
    }

    pub(crate) fn column(&mut self, name: &str, kind: ColumnKind) -> ColumnId {
        let start = ColumnId::new(self.chip.columns.len());
        self.chip.columns.push(Column { name: name.to_owned(), kind, ty: CellType::Felt });
        self.chip.groups.push(Group {
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

    pub(crate) fn node(&mut self, node: Node) -> NodeId {
        self.chip.graph.add(node)
    }

    pub(crate) fn cell(&mut self, column: ColumnId, next: bool) -> NodeId {
        self.node(Node::Cell(Cell { column, next }))
    }

    pub(crate) fn public(&mut self, name: &str) -> NodeId {
        self.chip.publics.push(Public::new(name));
        let public = PublicId::new(self.chip.publics.len() - 1);
        self.node(Node::Public(public))
    }

    pub(crate) fn rule(&mut self, section: Section, left: NodeId, right: NodeId) {
        self.chip.rules.push(Rule {
            section,
            guard: None,
            left,
            right,
            origin: Origin::Author,
            label: Label::default(),
        });
    }

    pub(crate) fn message(
        &mut self,
        bus: &str,
        sign: Sign,
        message: Vec<NodeId>,
        count: NodeId,
        weight: u32,
    ) {
        let kind = if sign == Sign::Plus { PortKind::Lookup } else { PortKind::Table };
        self.chip.ports.push(Port {
            name: bus.to_owned(),
            bus: bus.to_owned(),
            kind,
            message: message.iter().map(|_| ("x".to_owned(), CellType::Felt)).collect(),
            location: None,
        });
        self.chip.interactions.push(Interaction {
            port: PortId::new(self.chip.ports.len() - 1),
            sign,
            message,
            count,
            weight,
            exclusive: None,
            origin: Origin::Author,
            label: Label::default(),
        });
    }
}

/// `a, b` become `b, a + b`; publics are the first `a`, the first `b` and the last `b`.
pub(crate) fn fibonacci(field: Field) -> Machine {
    let mut w = Writer::new("fibonacci", field);
    let [a, b] = ["a", "b"].map(|name| w.column(name, ColumnKind::Private));
    let [a0, b0, last] = ["a0", "b0", "last"].map(|name| w.public(name));
    let [a_here, b_here] = [a, b].map(|column| w.cell(column, false));
    let [a_next, b_next] = [a, b].map(|column| w.cell(column, true));
    let sum = w.node(Node::Add(a_here, b_here));
    w.rule(Section::First, a_here, a0);
    w.rule(Section::First, b_here, b0);
    w.rule(Section::Step, a_next, b_here);
    w.rule(Section::Step, b_next, sum);
    w.rule(Section::Last, b_here, last);
    Machine { name: "fibonacci".to_owned(), field, chips: vec![w.chip] }
}

pub(crate) fn fibonacci_trace<F: PrimeField64>(log_height: usize) -> MachineTrace<F> {
    let height = 1 << log_height;
    let (mut a, mut b) = (F::ZERO, F::ONE);
    let mut values = Vec::new();
    for _ in 0..height {
        values.extend([a, b]);
        (a, b) = (b, a + b);
    }
    let last = values[values.len() - 1];
    MachineTrace {
        tables: vec![Table { height, width: 2, values, real_rows: height }],
        publics: vec![vec![F::ZERO, F::ONE, last]],
    }
}

/// Chip `squares` asks, for every row, for the square of `x`; chip `table` has the squares of 0 … 15 in
/// fixed columns, and counts how often each is asked for.
pub(crate) fn squares(field: Field) -> Machine {
    let mut asking = Writer::new("squares", field);
    let [x, y] = ["x", "y"].map(|name| asking.column(name, ColumnKind::Private));
    let message = [x, y].map(|column| asking.cell(column, false)).to_vec();
    let one = asking.node(Node::Const(1));
    asking.message("square", Sign::Plus, message, one, 1);

    let mut table = Writer::new("table", field);
    let [x, y] = ["x", "y"].map(|name| table.column(name, ColumnKind::Fixed));
    let count = table.column("count", ColumnKind::Multiplicity);
    let message = [x, y].map(|column| table.cell(column, false)).to_vec();
    let count = table.cell(count, false);
    table.message("square", Sign::Minus, message, count, 0);
    table.chip.fixed = Some(FixedData {
        columns: vec![(0..16).collect(), (0..16).map(|value| value * value).collect()],
    });
    Machine { name: "squares".to_owned(), field, chips: vec![asking.chip, table.chip] }
}

pub(crate) fn squares_trace<F: PrimeField64>(xs: &[u64]) -> MachineTrace<F> {
    let values = xs.iter().flat_map(|&x| [F::from_u64(x), F::from_u64(x * x)]).collect();
    let count = |value| F::from_usize(xs.iter().filter(|&&x| x == value).count());
    MachineTrace {
        tables: vec![
            Table { height: xs.len(), width: 2, values, real_rows: xs.len() },
            Table { height: 16, width: 1, values: (0..16).map(count).collect(), real_rows: 16 },
        ],
        publics: vec![vec![], vec![]],
    }
}
