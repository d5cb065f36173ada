//! The contents of a recording, and the elementary steps that verbs are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chipwright_ir::Field;
use chipwright_ir::chip::{
    Cell, CellType, Column, ColumnId, ColumnKind, Fill, FillOp, Graph, Group, Interaction, Label,
    Location, Node, NodeId, Origin, Port, PortId, PortKind, Public, Rule, Section, Sign,
};

use super::error::{ErrorKind, RecordingError};
use crate::binder::Entry;
use crate::builder::Builder;
use crate::expr::Binary;

/// The rules of an embedded chip for the sections after `row`.
type EmbeddedRules = Box<dyn Fn(&Builder, Section)>;

/// A recording in progress.
pub(crate) struct State {
    pub(crate) field: Field,
    pub(crate) dense: bool,
    pub(crate) graph: Graph,
    /// For each node, whether it reads the row below, and whether it reads a public value.
    reads: Vec<Reads>,
    pub(crate) groups: Vec<Group>,
    pub(crate) columns: Vec<Column>,
    pub(crate) publics: Vec<Public>,
    pub(crate) ports: Vec<Port>,
    pub(crate) rules: Vec<Rule>,
    /// Rules of types and of padding; they follow the author's.
    pub(crate) type_rules: Vec<Rule>,
    pub(crate) fills: Vec<Fill>,
    pub(crate) interactions: Vec<Interaction>,
    /// Range checks of types, recorded when it is known whether the chip is padded.
    pub(crate) type_lookups: Vec<(ColumnId, u8, Location)>,
    /// Multiplicity columns, with the condition under which their entry is provided.
    pub(crate) multiplicities: Vec<(ColumnId, Option<NodeId>, Label)>,
    pub(crate) real: Option<ColumnId>,
    pub(crate) embeddings: Vec<Rc<Vec<Entry>>>,
    pub(crate) embedded: Vec<EmbeddedRules>,
    pub(crate) errors: Vec<RecordingError>,
    pub(crate) section: Section,
    pub(crate) guards: Vec<NodeId>,
    pub(crate) scopes: Vec<String>,
    pub(crate) cases: Vec<Case>,
    /// Flags that are zero on padding rows by the rules of their type.
    real_flags: BTreeSet<NodeId>,
    case_count: u32,
    exclusive: BTreeMap<(u32, PortId, Sign, u32), u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Reads {
    next: bool,
    public: bool,
}

/// A `case` whose arms are being recorded.
#[derive(Debug)]
pub(crate) struct Case {
    id: u32,
    /// Scratch columns that the arms share, and whether the current arm has taken them.
    scratch: Vec<(ColumnId, CellType, bool)>,
    /// Messages of the current arm so far, by port and sign.
    messages: BTreeMap<(PortId, Sign), u32>,
}

/// Where a rule or fill holds: a section and the conditions within.
#[derive(Clone, Debug)]
pub(crate) struct Where {
    pub(crate) section: Section,
    pub(crate) guards: Vec<NodeId>,
}

impl State {
    pub(crate) fn new(field: Field, dense: bool) -> Self {
        Self {
            field,
            dense,
            graph: Graph::new(),
            reads: Vec::new(),
            groups: Vec::new(),
            columns: Vec::new(),
            publics: Vec::new(),
            ports: Vec::new(),
            rules: Vec::new(),
            type_rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            type_lookups: Vec::new(),
            multiplicities: Vec::new(),
            real: None,
            embeddings: Vec::new(),
            embedded: Vec::new(),
            errors: Vec::new(),
            section: Section::Row,
            guards: Vec::new(),
            scopes: Vec::new(),
            cases: Vec::new(),
            real_flags: BTreeSet::new(),
            case_count: 0,
            exclusive: BTreeMap::new(),
        }
    }

    pub(crate) fn error(&mut self, location: Option<Location>, kind: ErrorKind) {
        let error = RecordingError { location, kind };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    pub(crate) fn foreign(
        &mut self,
        other: &str,
        location: &'static std::panic::Location<'static>,
    ) {
        self.error(Some(location.into()), ErrorKind::Foreign { other: other.to_owned() });
    }

    // Nodes.

    pub(crate) fn node(&mut self, node: Node) -> NodeId {
        let mut reads = Reads::default();
        match node {
            Node::Cell(cell) => reads.next = cell.next,
            Node::Public(_) => reads.public = true,
            _ => {}
        }
        for operand in node.operands() {
            reads.next |= self.reads[operand.index()].next;
            reads.public |= self.reads[operand.index()].public;
        }
        let id = self.graph.add(node);
        if id.index() == self.reads.len() {
            self.reads.push(reads);
        }
        id
    }

    pub(crate) fn cell(&mut self, cell: Cell) -> NodeId {
        let column = &self.columns[cell.column.index()];
        if cell.next && column.kind == ColumnKind::Periodic {
            let name = column.name.clone();
            self.error(None, ErrorKind::PeriodicNext { name });
            return self.constant(0);
        }
        self.node(Node::Cell(cell))
    }

    pub(crate) fn this(&mut self, column: ColumnId) -> NodeId {
        self.cell(Cell { column, next: false })
    }

    pub(crate) fn constant(&mut self, value: i128) -> NodeId {
        let value = self.field.reduce(value);
        self.node(Node::Const(value))
    }

    pub(crate) fn binary(&mut self, op: Binary, a: NodeId, b: NodeId) -> NodeId {
        let known = |id| match self.graph.node(id) {
            Node::Const(value) => Some(value),
            _ => None,
        };
        let modulus = u128::from(self.field.modulus());
        let fold = |value: u128| Node::Const((value % modulus) as u64);
        let node = match (op, known(a), known(b)) {
            (Binary::Add, Some(x), Some(y)) => fold(u128::from(x) + u128::from(y)),
            (Binary::Sub, Some(x), Some(y)) => fold(u128::from(x) + modulus - u128::from(y)),
            (Binary::Mul, Some(x), Some(y)) => fold(u128::from(x) * u128::from(y)),
            (Binary::Add | Binary::Sub, _, Some(0)) | (Binary::Mul, _, Some(1)) => return a,
            (Binary::Add, Some(0), _) | (Binary::Mul, Some(1), _) => return b,
            (Binary::Mul, Some(0), _) | (Binary::Mul, _, Some(0)) => Node::Const(0),
            (Binary::Sub, Some(0), _) => Node::Neg(b),
            (Binary::Add, ..) => Node::Add(a, b),
            (Binary::Sub, ..) => Node::Sub(a, b),
            (Binary::Mul, ..) => Node::Mul(a, b),
        };
        self.node(node)
    }

    pub(crate) fn negate(&mut self, a: NodeId) -> NodeId {
        match self.graph.node(a) {
            Node::Const(value) => self.constant(-i128::from(value)),
            Node::Neg(inner) => inner,
            _ => self.node(Node::Neg(a)),
        }
    }

    pub(crate) fn reads_next(&self, id: NodeId) -> bool {
        self.reads[id.index()].next
    }

    pub(crate) fn reads_public(&self, id: NodeId) -> bool {
        self.reads[id.index()].public
    }

    pub(crate) fn product(&mut self, factors: &[NodeId]) -> Option<NodeId> {
        let mut factors = factors.iter().copied();
        let first = factors.next()?;
        Some(factors.fold(first, |product, factor| self.binary(Binary::Mul, product, factor)))
    }

    // Columns.

    /// Appends a group of columns; its `start` and `len` are filled in.
    pub(crate) fn allocate(
        &mut self,
        mut group: Group,
        columns: impl IntoIterator<Item = Column>,
    ) -> ColumnId {
        group.start = ColumnId::new(self.columns.len());
        self.columns.extend(columns);
        group.len = (self.columns.len() - group.start.index()) as u32;
        if self.groups.iter().any(|other| other.name == group.name) {
            self.error(group.location, ErrorKind::DuplicateColumn { name: group.name.clone() });
        }
        let start = group.start;
        self.groups.push(group);
        start
    }

    fn allocate_one(
        &mut self,
        name: &str,
        kind: ColumnKind,
        ty: CellType,
        location: Option<Location>,
    ) -> ColumnId {
        let type_name = match ty {
            CellType::Bits(1) => "bit".to_owned(),
            CellType::Bits(bits) => format!("u{bits}"),
            _ => "felt".to_owned(),
        };
        let mut unique = name.to_owned();
        let mut number = 0;
        while self.groups.iter().any(|group| group.name == unique) {
            number += 1;
            unique = format!("{name}.{number}");
        }
        self.allocate(
            Group {
                name: unique.clone(),
                kind,
                type_name,
                start: ColumnId(0),
                len: 0,
                doc: String::new(),
                free: None,
                location,
            },
            [Column { name: unique.clone(), kind, ty }],
        )
    }

    /// A column for a verb. Inside the arms of a `case`, arms share columns; a shared bit keeps its type
    /// by a rule of its own, because each arm's rules hold only where the arm is taken.
    pub(crate) fn scratch(&mut self, name: &str, ty: CellType, location: Location) -> ColumnId {
        self.scratch_at(self.cases.len(), name, ty, location)
    }

    /// Gives a scratch bit its type on the rows where its definition does not hold.
    pub(crate) fn bit_elsewhere(&mut self, place: &Where, column: ColumnId, location: Location) {
        if place.section != Section::Row && self.cases.is_empty() {
            self.type_rule(column, location);
        }
    }

    fn scratch_at(&mut self, depth: usize, name: &str, ty: CellType, at: Location) -> ColumnId {
        if depth == 0 {
            let name = if self.scopes.is_empty() || !self.cases.is_empty() {
                name.to_owned()
            } else {
                format!("{}/{name}", self.scopes.join("/"))
            };
            let column = self.allocate_one(&name, ColumnKind::Scratch, ty, Some(at));
            if !self.cases.is_empty() && ty != CellType::Felt {
                self.type_rule(column, at);
            }
            return column;
        }
        let free = self.cases[depth - 1].scratch.iter_mut().find(|slot| slot.1 == ty && !slot.2);
        if let Some(slot) = free {
            slot.2 = true;
            return slot.0;
        }
        let column = self.scratch_at(depth - 1, name, ty, at);
        self.cases[depth - 1].scratch.push((column, ty, true));
        column
    }

    /// The padding bit of this row, which is one in a dense chip.
    pub(crate) fn real(&mut self, next: bool) -> NodeId {
        if self.dense {
            return self.constant(1);
        }
        let column = self
            .real
            .unwrap_or_else(|| self.allocate_one("real", ColumnKind::Real, CellType::BIT, None));
        self.real = Some(column);
        self.cell(Cell { column, next })
    }

    pub(crate) fn multiplicity(&mut self, name: &str, location: Location) -> ColumnId {
        self.allocate_one(name, ColumnKind::Multiplicity, CellType::Felt, Some(location))
    }

    // Rules.

    pub(crate) fn label(&self, location: Location) -> Label {
        Label {
            name: String::new(),
            scope: self.scopes.join("/"),
            because: String::new(),
            location: Some(location),
        }
    }

    /// The rules of the type of a cell.
    pub(crate) fn type_rule(&mut self, column: ColumnId, location: Location) {
        let Column { name, ty, .. } = self.columns[column.index()].clone();
        match ty {
            CellType::Bits(1) => {
                let bit = self.this(column);
                let square = self.binary(Binary::Mul, bit, bit);
                self.type_rules.push(Rule {
                    section: Section::Row,
                    guard: None,
                    left: square,
                    right: bit,
                    origin: Origin::Type,
                    label: Label {
                        name: format!("{name} is a bit"),
                        location: Some(location),
                        ..Label::default()
                    },
                });
            }
            CellType::Bits(bits @ (8 | 16)) => self.type_lookups.push((column, bits, location)),
            CellType::Bits(bits) => {
                self.error(Some(location), ErrorKind::NoRangeTable { name, bits });
            }
            _ => {}
        }
    }

    /// `Σ cells = real`.
    pub(crate) fn one_hot_rule(&mut self, cells: &[Cell], name: &str, location: Location) {
        let mut sum = self.constant(0);
        for &cell in cells {
            let flag = self.cell(cell);
            self.real_flags.insert(flag);
            sum = self.binary(Binary::Add, sum, flag);
        }
        let real = self.real(false);
        self.type_rules.push(Rule {
            section: Section::Row,
            guard: None,
            left: sum,
            right: real,
            origin: Origin::Type,
            label: Label {
                name: format!("one flag of {name} is set"),
                location: Some(location),
                ..Label::default()
            },
        });
    }

    /// Where a rule holds by the section and the guards at hand.
    pub(crate) fn here(&self) -> Where {
        Where { section: self.section, guards: self.guards.clone() }
    }

    /// Where the definition of a new cell holds: on every row, unless the cell is shared by the arms of
    /// a `case` or the value reads the row below.
    pub(crate) fn everywhere(&self, values: &[NodeId]) -> Where {
        let arm = if self.cases.is_empty() { Vec::new() } else { self.guards.clone() };
        let next = |ids: &[NodeId]| ids.iter().any(|&id| self.reads_next(id));
        if next(values) || next(&arm) {
            self.here()
        } else {
            Where { section: Section::Row, guards: arm }
        }
    }

    /// Records `left = right`; returns the number of rules, which are the last ones.
    pub(crate) fn rule(
        &mut self,
        place: &Where,
        left: NodeId,
        right: NodeId,
        label: &Label,
    ) -> usize {
        let push = |state: &mut Self, section, guards: &[NodeId]| {
            let guard = state.product(guards);
            state.rules.push(Rule {
                section,
                guard,
                left,
                right,
                origin: Origin::Author,
                label: label.clone(),
            });
        };
        let gated = |gate: NodeId| [&[gate], place.guards.as_slice()].concat();
        match place.section {
            section if self.dense || section == Section::Row => {
                push(self, section, &place.guards);
                1
            }
            Section::First => {
                let real = self.real(false);
                push(self, Section::First, &gated(real));
                1
            }
            Section::Step => {
                let next = self.real(true);
                push(self, Section::Step, &gated(next));
                1
            }
            // The last real row is the one before the padding, or the last row of all.
            _ => {
                let (real, next) = (self.real(false), self.real(true));
                let ends = self.binary(Binary::Sub, real, next);
                push(self, Section::Step, &gated(ends));
                push(self, Section::Last, &gated(real));
                2
            }
        }
    }

    pub(crate) fn fill(&mut self, place: &Where, op: FillOp, label: &Label) {
        if place.section == Section::Last {
            self.error(label.location, ErrorKind::FillInLast);
            return;
        }
        self.fills.push(Fill {
            section: place.section,
            guards: place.guards.clone(),
            op,
            label: label.clone(),
        });
    }

    /// The guards at hand and the padding gate: where a message is exchanged.
    pub(crate) fn on_real_rows(&mut self) -> Where {
        let mut place = self.here();
        // A flag that padding rows cannot set is gate enough.
        if !self.dense && !place.guards.iter().any(|guard| self.real_flags.contains(guard)) {
            let real = self.real(false);
            place.guards.insert(0, real);
        }
        place
    }

    // Messages.

    /// Records a message under the guards at hand. `count` is a factor besides the gates.
    pub(crate) fn message(
        &mut self,
        port: PortId,
        sign: Sign,
        message: Vec<NodeId>,
        count: Option<NodeId>,
        weight: u32,
        label: Label,
    ) {
        if self.section != Section::Row {
            self.error(label.location, ErrorKind::MessageOutsideRow);
            return;
        }
        let mut factors = self.on_real_rows().guards;
        factors.extend(count);
        let count = self.product(&factors);
        let count = count.unwrap_or_else(|| self.constant(1));
        let exclusive = if weight == 1 { self.exclusive_group(port, sign) } else { None };
        self.interactions.push(Interaction {
            port,
            sign,
            message,
            count,
            weight,
            exclusive,
            origin: Origin::Author,
            label,
        });
    }

    /// Records an entry of a table. It needs no gate: a rule on `count` keeps it to rows that may provide.
    pub(crate) fn provide(
        &mut self,
        port: PortId,
        message: Vec<NodeId>,
        count: NodeId,
        label: Label,
    ) {
        if self.section != Section::Row {
            self.error(label.location, ErrorKind::MessageOutsideRow);
            return;
        }
        self.interactions.push(Interaction {
            port,
            sign: Sign::Minus,
            message,
            count,
            weight: 0,
            exclusive: None,
            origin: Origin::Author,
            label,
        });
    }

    /// The k-th messages of all arms of a `case` to one port exclude each other.
    fn exclusive_group(&mut self, port: PortId, sign: Sign) -> Option<u32> {
        let case = self.cases.last_mut()?;
        let count = case.messages.entry((port, sign)).or_default();
        let key = (case.id, port, sign, *count);
        *count += 1;
        let fresh = self.exclusive.len() as u32;
        Some(*self.exclusive.entry(key).or_insert(fresh))
    }

    /// The port of a range table, made on first use.
    pub(crate) fn range_port(&mut self, bits: u8) -> PortId {
        let name = format!("u{bits}");
        let known = |port: &Port| port.bus == name && port.kind == PortKind::Lookup;
        if let Some(index) = self.ports.iter().position(known) {
            return PortId::new(index);
        }
        self.ports.push(Port {
            name: name.clone(),
            bus: name,
            kind: PortKind::Lookup,
            message: vec![("value".to_owned(), CellType::Bits(bits))],
            location: None,
        });
        PortId::new(self.ports.len() - 1)
    }

    // Cases.

    pub(crate) fn open_case(&mut self) {
        let case = Case { id: self.case_count, scratch: Vec::new(), messages: BTreeMap::new() };
        self.case_count += 1;
        self.cases.push(case);
    }

    pub(crate) fn open_arm(&mut self) {
        if let Some(case) = self.cases.last_mut() {
            case.messages.clear();
            for slot in &mut case.scratch {
                slot.2 = false;
            }
        }
    }

    pub(crate) fn close_case(&mut self) {
        self.cases.pop();
    }
}
