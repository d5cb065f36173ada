//! Straight-line programs that evaluate nodes of a chip's graph on one row, or on several rows at once.
//!
//! A program computes every node that its results depend on, once, in the order of the graph. The slot of
//! a node is the node's own index, so that a result is found without a table. A slot holds a packed field element, whose
//! lanes are rows one below the other; a field element itself is one with a single lane.

use p3_field::{Field, PackedField, PrimeCharacteristicRing, PrimeField64};

use crate::chip::{Cell, Chip, ColumnId, ColumnKind, FixedData, IntOp, Node, NodeId};
use crate::field::from_canonical;

/// One step of a program: what to compute. Its slot is that of the node it computes.
#[derive(Clone, Copy, Debug)]
enum Instruction {
    Main { to: u32, position: u32, next: bool },
    Fixed { to: u32, position: u32, next: bool },
    Periodic { to: u32, position: u32, next: bool },
    Public { to: u32, index: u32 },
    Add { to: u32, a: u32, b: u32 },
    Sub { to: u32, a: u32, b: u32 },
    Mul { to: u32, a: u32, b: u32 },
    Neg { to: u32, a: u32 },
    Int { to: u32, a: u32 },
    IntOp { op: IntOp, to: u32, a: u32, b: u32 },
    IntSelect { to: u32, condition: u32, a: u32, b: u32 },
    Inverse { to: u32, a: u32 },
}

/// Instructions that evaluate nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    code: Vec<Instruction>,
}

/// The values of the nodes. Constants are there from the start.
#[derive(Clone, Debug)]
pub(crate) struct Slots<P> {
    field: Vec<P>,
    /// The lanes of a node side by side. Empty if no node is an integer.
    integer: Vec<u128>,
}

/// Everything that a row can see besides the main trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a, F> {
    pub(crate) fixed: Option<&'a FixedData>,
    pub(crate) periodic: &'a [Vec<u64>],
    pub(crate) publics: &'a [F],
    /// The index of this row: the first one, if there are several lanes.
    pub(crate) row: usize,
    /// The index of the row below, which wraps on the last row.
    pub(crate) next_row: usize,
}

impl<'a, F> Scene<'a, F> {
    /// The scene of a chip, on the first row.
    pub(crate) fn new(chip: &'a Chip, publics: &'a [F]) -> Self {
        Self { fixed: chip.fixed.as_ref(), periodic: &chip.periodic, publics, row: 0, next_row: 1 }
    }

    /// The same scene on another row.
    pub(crate) fn at(self, row: usize, next_row: usize) -> Self {
        Self { row, next_row, ..self }
    }

    fn index(&self, lane: usize, next: bool) -> usize {
        lane + if next { self.next_row } else { self.row }
    }
}

impl<P: PackedField> Slots<P>
where
    P::Scalar: PrimeField64,
{
    /// Slots for the graph of a chip.
    pub(crate) fn new(chip: &Chip) -> Self {
        let nodes = chip.graph.nodes();
        let integers =
            if nodes.iter().any(|node| node.is_integer()) { nodes.len() * P::WIDTH } else { 0 };
        let mut slots = Self { field: vec![P::ZERO; nodes.len()], integer: vec![0; integers] };
        for (index, node) in nodes.iter().enumerate() {
            match *node {
                Node::Const(value) => slots.field[index] = P::from_u64(value),
                Node::IntConst(value) => {
                    slots.integer[index * P::WIDTH..][..P::WIDTH].fill(value);
                }
                _ => {}
            }
        }
        slots
    }

    /// The value of a field node that a program has computed.
    pub(crate) fn field(&self, node: NodeId) -> P {
        self.field[node.index()]
    }

    /// Gives a field node its value.
    pub(crate) fn set(&mut self, node: NodeId, value: P) {
        self.field[node.index()] = value;
    }

    fn scalar(&self, node: NodeId, lane: usize) -> P::Scalar {
        self.field[node.index()].as_slice()[lane]
    }

    fn integer(&self, node: NodeId, lane: usize) -> u128 {
        self.integer[node.index() * P::WIDTH + lane]
    }

    /// The value of a node of either kind as a field element.
    pub(crate) fn reduced(&self, node: NodeId, is_integer: bool, lane: usize) -> P::Scalar {
        if is_integer {
            P::Scalar::from_u128(self.integer(node, lane))
        } else {
            self.scalar(node, lane)
        }
    }

    /// The canonical integer of a node of either kind; integer nodes are cut to 64 bits.
    pub(crate) fn canonical(&self, node: NodeId, is_integer: bool, lane: usize) -> u64 {
        if is_integer {
            self.integer(node, lane) as u64
        } else {
            self.scalar(node, lane).as_canonical_u64()
        }
    }

    /// Whether a node of either kind is zero.
    pub(crate) fn is_zero(&self, node: NodeId, is_integer: bool, lane: usize) -> bool {
        if is_integer { self.integer(node, lane) == 0 } else { self.scalar(node, lane).is_zero() }
    }
}

impl Program {
    /// A program for the given results.
    pub(crate) fn new(
        chip: &Chip,
        positions: &[usize],
        results: impl IntoIterator<Item = NodeId>,
    ) -> Self {
        let mut program = Self::default();
        let mut done = vec![false; chip.graph.len()];
        program.extend(chip, positions, results, &mut done);
        program
    }

    /// Appends the instructions for `results`, except those whose nodes are `done` already.
    pub(crate) fn extend(
        &mut self,
        chip: &Chip,
        positions: &[usize],
        results: impl IntoIterator<Item = NodeId>,
        done: &mut [bool],
    ) {
        let mut pending: Vec<NodeId> = results.into_iter().collect();
        let mut needed = Vec::new();
        while let Some(id) = pending.pop() {
            if !std::mem::replace(&mut done[id.index()], true) {
                needed.push(id);
                pending.extend(chip.graph.node(id).operands());
            }
        }
        needed.sort_unstable();
        self.code.extend(needed.into_iter().filter_map(|id| instruction(chip, positions, id)));
    }

    /// The number of instructions.
    pub(crate) fn len(&self) -> usize {
        self.code.len()
    }

    /// Whether some instruction reads a main-trace cell of the row below.
    pub(crate) fn reads_below(&self) -> bool {
        self.code
            .iter()
            .any(|instruction| matches!(instruction, Instruction::Main { next: true, .. }))
    }

    /// Runs the whole program, on as many rows as there are lanes, and the rows below them.
    pub(crate) fn run<P: PackedField>(
        &self,
        slots: &mut Slots<P>,
        scene: &Scene<'_, P::Scalar>,
        this: &[P::Scalar],
        next: &[P::Scalar],
    ) where
        P::Scalar: PrimeField64,
    {
        self.run_part(0..self.code.len(), slots, scene, this, next);
    }

    /// Runs some of the instructions. Cells beyond the end of a row read as zero.
    pub(crate) fn run_part<P: PackedField>(
        &self,
        part: std::ops::Range<usize>,
        slots: &mut Slots<P>,
        scene: &Scene<'_, P::Scalar>,
        this: &[P::Scalar],
        next: &[P::Scalar],
    ) where
        P::Scalar: PrimeField64,
    {
        let Slots { field, integer } = slots;
        let lanes = |node: u32| node as usize * P::WIDTH..(node as usize + 1) * P::WIDTH;
        for instruction in &self.code[part] {
            match *instruction {
                Instruction::Main { to, position, next: below } => {
                    let rows = if below { next } else { this };
                    let (width, position) = (rows.len() / P::WIDTH, position as usize);
                    field[to as usize] = if position < width {
                        P::from_fn(|lane| rows[lane * width + position])
                    } else {
                        P::ZERO
                    };
                }
                Instruction::Fixed { to, position, next: below } => {
                    let column = scene.fixed.and_then(|data| data.columns.get(position as usize));
                    let cells = column.map_or(&[][..], Vec::as_slice);
                    field[to as usize] = P::from_fn(|lane| {
                        let value = cells.get(scene.index(lane, below));
                        from_canonical(value.copied().unwrap_or(0))
                    });
                }
                Instruction::Periodic { to, position, next: below } => {
                    let cells =
                        scene.periodic.get(position as usize).map_or(&[][..], Vec::as_slice);
                    field[to as usize] = P::from_fn(|lane| {
                        let index = scene.index(lane, below).checked_rem(cells.len());
                        let value = cells.get(index.unwrap_or(0));
                        from_canonical(value.copied().unwrap_or(0))
                    });
                }
                Instruction::Public { to, index } => {
                    let value = scene.publics.get(index as usize);
                    field[to as usize] = P::from(value.copied().unwrap_or(P::Scalar::ZERO));
                }
                Instruction::Add { to, a, b } => {
                    field[to as usize] = field[a as usize] + field[b as usize];
                }
                Instruction::Sub { to, a, b } => {
                    field[to as usize] = field[a as usize] - field[b as usize];
                }
                Instruction::Mul { to, a, b } => {
                    field[to as usize] = field[a as usize] * field[b as usize];
                }
                Instruction::Neg { to, a } => field[to as usize] = -field[a as usize],
                Instruction::Int { to, a } => {
                    for (to, value) in lanes(to).zip(field[a as usize].as_slice()) {
                        integer[to] = value.as_canonical_u64().into();
                    }
                }
                Instruction::IntOp { op, to, a, b } => {
                    for ((to, a), b) in lanes(to).zip(lanes(a)).zip(lanes(b)) {
                        integer[to] = op.apply(integer[a], integer[b]);
                    }
                }
                Instruction::IntSelect { to, condition, a, b } => {
                    for (((to, condition), a), b) in
                        lanes(to).zip(lanes(condition)).zip(lanes(a)).zip(lanes(b))
                    {
                        integer[to] = integer[if integer[condition] == 0 { b } else { a }];
                    }
                }
                Instruction::Inverse { to, a } => {
                    for (to, value) in lanes(to).zip(field[a as usize].as_slice()) {
                        let inverse = value.try_inverse().unwrap_or(P::Scalar::ZERO);
                        integer[to] = inverse.as_canonical_u64().into();
                    }
                }
            }
        }
    }
}

fn instruction(chip: &Chip, positions: &[usize], id: NodeId) -> Option<Instruction> {
    let to = id.0;
    Some(match chip.graph.node(id) {
        Node::Const(_) | Node::IntConst(_) => return None,
        Node::Cell(Cell { column, next }) => cell(chip, positions, to, column, next),
        Node::Public(public) => Instruction::Public { to, index: public.0 },
        Node::Add(a, b) => Instruction::Add { to, a: a.0, b: b.0 },
        Node::Sub(a, b) => Instruction::Sub { to, a: a.0, b: b.0 },
        Node::Mul(a, b) => Instruction::Mul { to, a: a.0, b: b.0 },
        Node::Neg(a) => Instruction::Neg { to, a: a.0 },
        Node::Int(a) => Instruction::Int { to, a: a.0 },
        Node::IntOp(op, a, b) => Instruction::IntOp { op, to, a: a.0, b: b.0 },
        Node::IntSelect(condition, a, b) => {
            Instruction::IntSelect { to, condition: condition.0, a: a.0, b: b.0 }
        }
        Node::Inverse(a) => Instruction::Inverse { to, a: a.0 },
    })
}

fn cell(chip: &Chip, positions: &[usize], to: u32, column: ColumnId, next: bool) -> Instruction {
    let position = positions[column.index()] as u32;
    match chip.columns[column.index()].kind {
        ColumnKind::Fixed => Instruction::Fixed { to, position, next },
        ColumnKind::Periodic => Instruction::Periodic { to, position, next },
        _ => Instruction::Main { to, position, next },
    }
}

impl IntOp {
    /// The result on two integers.
    pub fn apply(self, a: u128, b: u128) -> u128 {
        match self {
            Self::Add => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::Mul => a.wrapping_mul(b),
            Self::Div => a.checked_div(b).unwrap_or(0),
            Self::Rem => a.checked_rem(b).unwrap_or(a),
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
            Self::Shl => u32::try_from(b).ok().and_then(|by| a.checked_shl(by)).unwrap_or(0),
            Self::Shr => u32::try_from(b).ok().and_then(|by| a.checked_shr(by)).unwrap_or(0),
            Self::Less => u128::from(a < b),
            Self::Equal => u128::from(a == b),
        }
    }
}
