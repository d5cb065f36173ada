//! The fills of a chip, compiled.
//!
//! Each fill is preceded by the instructions for the nodes that it needs. A node that an earlier fill
//! computed is not computed again, unless a cell that it depends on has been set since. Most fills set one cell of the
//! row to one value: all lanes are stored at once, and whatever reads the cell later gets the value.

use p3_field::{PackedField, PrimeCharacteristicRing, PrimeField64};

use super::{Program, Scene, Slots};
use crate::chip::{Cell, Chip, ColumnId, ColumnKind, Fill, FillOp, Node, NodeId, PortId, Section};
use crate::field::NotCanonical;

/// The compiled fills of one section.
#[derive(Clone, Debug, Default)]
struct Strip {
    program: Program,
    /// For each fill: its position in [`Chip::fills`], what it does, and the end of its instructions.
    steps: Vec<(usize, Step, usize)>,
}

/// What a fill does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It sets a cell of this row, at a position in the trace, to a field element. Perhaps a node reads that cell.
    Store { position: usize, value: NodeId, reader: Option<NodeId> },
    /// Anything.
    Perform,
}

/// The compiled fills of a chip.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    positions: Vec<usize>,
    first: Strip,
    row: Strip,
    step: Strip,
}

/// What fills ask of the machine around the chip. Failures are reported by the machine; the cells then
/// keep what they had. Where there is no machine, calls and accesses have no answer.
pub(crate) trait Services {
    /// Answers a [`FillOp::Call`].
    fn call(&mut self, _: Site, _: PortId, _inputs: &[u64], _outputs: &mut [u64]) -> bool {
        false
    }

    /// Answers a [`FillOp::Access`]: the time and the value of the previous access.
    fn access(
        &mut self,
        _: Site,
        _: PortId,
        _address: &[u64],
        _time: u64,
        _write: Option<&[u64]>,
        _previous: &mut [u64],
    ) -> Option<u64> {
        None
    }

    /// Learns that a [`FillOp::Native`] failed.
    fn native_failed(&mut self, site: Site, message: String);
}

/// The fill that is being run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    /// The row.
    pub(crate) row: usize,
    /// The position in [`Chip::fills`].
    pub(crate) fill: usize,
}

/// The rows that fills may set: of each lane its own, and, if there is one lane, the row below.
#[derive(Debug)]
pub(crate) struct Rows<'a, F> {
    pub(crate) this: &'a mut [F],
    pub(crate) next: &'a mut [F],
}

/// A main-trace cell that keeps its value whatever the fills say: row, position in the trace, value.
pub(crate) type Pinned<F> = (usize, usize, F);

impl Tape {
    /// Compiles the fills of a chip whose structure has been checked.
    pub(crate) fn new(chip: &Chip) -> Self {
        let positions = chip.positions();
        let users = users_of_cells(chip);
        let strip = |section| Strip::new(chip, &positions, &users, section);
        let (first, row, step) = (strip(Section::First), strip(Section::Row), strip(Section::Step));
        Self { positions, first, row, step }
    }

    /// The position of each column in its trace.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Whether the fills of a row neither see nor set any other row, and ask nothing of the machine.
    pub(crate) fn rows_are_apart(&self, chip: &Chip) -> bool {
        let apart = |fill: &Fill| {
            matches!(fill.op, FillOp::Set { .. } | FillOp::Split { .. } | FillOp::Native { .. })
                && fill.cells().iter().all(|cell| !cell.next)
        };
        self.first.steps.is_empty()
            && self.step.steps.is_empty()
            && !self.row.program.reads_below()
            && self.row.steps.iter().all(|&(fill, ..)| apart(&chip.fills[fill]))
    }

    /// Runs the fills of a section on a row, or on as many rows as there are lanes, if these can be filled apart.
    pub(crate) fn run<P: PackedField>(
        &self,
        section: Section,
        chip: &Chip,
        slots: &mut Slots<P>,
        scene: &Scene<'_, P::Scalar>,
        rows: &mut Rows<'_, P::Scalar>,
        pinned: &[Pinned<P::Scalar>],
        services: &mut dyn Services,
    ) where
        P::Scalar: PrimeField64,
    {
        let strip = match section {
            Section::First => &self.first,
            Section::Step => &self.step,
            _ => &self.row,
        };
        let width = rows.this.len() / P::WIDTH;
        let mut start = 0;
        for &(fill, step, end) in &strip.steps {
            strip.program.run_part(start..end, slots, scene, rows.this, rows.next);
            start = end;
            match step {
                Step::Store { position, value, reader } => {
                    let value = slots.field(value);
                    let cells = rows.this.iter_mut().skip(position).step_by(width);
                    cells.zip(value.as_slice()).for_each(|(cell, value)| *cell = *value);
                    reader.into_iter().for_each(|reader| slots.set(reader, value));
                }
                Step::Perform => {
                    for lane in 0..P::WIDTH {
                        let (slots, positions) = (&*slots, self.positions.as_slice());
                        let row = scene.row + lane;
                        let mut pen = Pen { chip, positions, slots, lane, row, rows, services };
                        pen.perform(fill, &chip.fills[fill]);
                    }
                }
            }
            if pinned.is_empty() {
                continue;
            }
            for &(row, position, value) in pinned {
                if (scene.row..scene.row + P::WIDTH).contains(&row) {
                    rows.this[(row - scene.row) * width + position] = value;
                } else if row == scene.next_row && position < rows.next.len() {
                    rows.next[position] = value;
                }
            }
            if let Step::Store { position, reader: Some(reader), .. } = step {
                slots.set(reader, P::from_fn(|lane| rows.this[lane * width + position]));
            }
        }
    }
}

impl Strip {
    fn new(chip: &Chip, positions: &[usize], users: &[Vec<NodeId>], section: Section) -> Self {
        let mut strip = Self::default();
        let mut done = vec![false; chip.graph.len()];
        for (index, fill) in chip.fills.iter().enumerate() {
            if fill.section == section {
                strip.program.extend(chip, positions, fill.nodes(), &mut done);
                for cell in fill.cells() {
                    forget(chip, users, cell, &mut done);
                }
                let step = match fill.op {
                    FillOp::Set { cell, value }
                        if !cell.next
                            && fill.guards.is_empty()
                            && !chip.graph.node(value).is_integer() =>
                    {
                        let reads = |id: &NodeId| chip.graph.node(*id) == Node::Cell(cell);
                        let reader = users[cell.column.index()].iter().copied().find(reads);
                        reader.into_iter().for_each(|reader| done[reader.index()] = true);
                        Step::Store { position: positions[cell.column.index()], value, reader }
                    }
                    _ => Step::Perform,
                };
                strip.steps.push((index, step, strip.program.len()));
            }
        }
        strip
    }
}

/// For each column, the nodes that read it (on this row or the next), and for each node its users:
/// the columns come first.
fn users_of_cells(chip: &Chip) -> Vec<Vec<NodeId>> {
    let columns = chip.columns.len();
    let mut users = vec![Vec::new(); columns + chip.graph.len()];
    for (index, node) in chip.graph.nodes().iter().enumerate() {
        let id = NodeId::new(index);
        if let Node::Cell(cell) = node {
            users[cell.column.index()].push(id);
        }
        for operand in node.operands() {
            users[columns + operand.index()].push(id);
        }
    }
    users
}

/// Marks every node that depends on a cell as not computed.
fn forget(chip: &Chip, users: &[Vec<NodeId>], cell: Cell, done: &mut [bool]) {
    let reads = users[cell.column.index()].iter();
    let mut stale: Vec<NodeId> =
        reads.copied().filter(|id| chip.graph.node(*id) == Node::Cell(cell)).collect();
    while let Some(id) = stale.pop() {
        if std::mem::replace(&mut done[id.index()], false) {
            stale.extend(&users[chip.columns.len() + id.index()]);
        }
    }
}

/// Writes the cells of one row.
struct Pen<'a, 'b, P: PackedField> {
    chip: &'a Chip,
    positions: &'a [usize],
    slots: &'a Slots<P>,
    lane: usize,
    row: usize,
    rows: &'a mut Rows<'b, P::Scalar>,
    services: &'a mut dyn Services,
}

impl<P: PackedField> Pen<'_, '_, P>
where
    P::Scalar: PrimeField64,
{
    fn perform(&mut self, index: usize, fill: &Fill) {
        let is_zero =
            |guard: &NodeId| self.slots.is_zero(*guard, self.is_integer(*guard), self.lane);
        if fill.guards.iter().any(is_zero) {
            return;
        }
        let site = Site { row: self.row, fill: index };
        match &fill.op {
            FillOp::Set { cell, value } => {
                let value = self.slots.reduced(*value, self.is_integer(*value), self.lane);
                self.set(*cell, value);
            }
            FillOp::Split { parts, value } => {
                let mut rest = self.canonical(*value);
                for &(cell, bits) in parts {
                    let mask = 1_u64.checked_shl(bits.into()).map_or(u64::MAX, |limit| limit - 1);
                    self.set(cell, P::Scalar::from_u64(rest & mask));
                    rest = rest.checked_shr(bits.into()).unwrap_or(0);
                }
            }
            FillOp::Native { cells, inputs, function } => {
                let inputs = self.canonicals(inputs);
                let mut outputs = vec![0; cells.len()];
                let order = P::Scalar::ORDER_U64;
                match (function.call)(&inputs, &mut outputs) {
                    Ok(()) => match outputs.iter().find(|output| **output >= order) {
                        None => self.set_all(cells, &outputs),
                        Some(&value) => {
                            let error = NotCanonical { value, modulus: order };
                            self.services.native_failed(site, error.to_string());
                        }
                    },
                    Err(message) => self.services.native_failed(site, message),
                }
            }
            FillOp::Call { port, inputs, outputs } => {
                let inputs = self.canonicals(inputs);
                let mut results = vec![0; outputs.len()];
                if self.services.call(site, *port, &inputs, &mut results) {
                    self.set_all(outputs, &results);
                }
            }
            FillOp::Access { port, address, time, write, previous_time, previous_value } => {
                let address = self.canonicals(address);
                let time = self.canonical(*time);
                let write = write.as_ref().map(|values| self.canonicals(values));
                let mut previous = vec![0; previous_value.len()];
                let answer = self.services.access(
                    site,
                    *port,
                    &address,
                    time,
                    write.as_deref(),
                    &mut previous,
                );
                if let Some(before) = answer {
                    self.set(*previous_time, P::Scalar::from_u64(before));
                    self.set_all(previous_value, &previous);
                }
            }
        }
    }

    fn is_integer(&self, node: NodeId) -> bool {
        self.chip.graph.node(node).is_integer()
    }

    fn canonical(&self, node: NodeId) -> u64 {
        self.slots.canonical(node, self.is_integer(node), self.lane)
    }

    fn canonicals(&self, nodes: &[NodeId]) -> Vec<u64> {
        nodes.iter().map(|node| self.canonical(*node)).collect()
    }

    fn set_all(&mut self, cells: &[Cell], values: &[u64]) {
        for (cell, value) in cells.iter().zip(values) {
            self.set(*cell, P::Scalar::from_u64(*value));
        }
    }

    /// Sets a main-trace cell. There is no row below the last one, and cells of it are dropped.
    fn set(&mut self, cell: Cell, value: P::Scalar) {
        let position = self.positions[cell.column.index()];
        let row = if cell.next {
            &mut *self.rows.next
        } else {
            let width = self.rows.this.len() / P::WIDTH;
            &mut self.rows.this[self.lane * width..][..width]
        };
        if let Some(place) = row.get_mut(position) {
            *place = value;
        }
    }
}

impl Fill {
    /// The cells that the fill sets.
    pub fn cells(&self) -> Vec<Cell> {
        match &self.op {
            FillOp::Set { cell, .. } => vec![*cell],
            FillOp::Split { parts, .. } => parts.iter().map(|(cell, _)| *cell).collect(),
            FillOp::Native { cells, .. } => cells.clone(),
            FillOp::Call { outputs, .. } => outputs.clone(),
            FillOp::Access { previous_time, previous_value, .. } => {
                std::iter::once(*previous_time).chain(previous_value.iter().copied()).collect()
            }
        }
    }

    /// The nodes that the fill reads, guards first.
    pub fn nodes(&self) -> Vec<NodeId> {
        let mut nodes = self.guards.clone();
        match &self.op {
            FillOp::Set { value, .. } | FillOp::Split { value, .. } => nodes.push(*value),
            FillOp::Native { inputs, .. } | FillOp::Call { inputs, .. } => nodes.extend(inputs),
            FillOp::Access { address, time, write, .. } => {
                nodes.extend(address);
                nodes.push(*time);
                nodes.extend(write.iter().flatten());
            }
        }
        nodes
    }

    /// The same fill with every node replaced.
    #[must_use]
    pub fn map_nodes(&self, mut f: impl FnMut(NodeId) -> NodeId) -> Self {
        let mut fill = self.clone();
        let mut map = |node: &mut NodeId| *node = f(*node);
        fill.guards.iter_mut().for_each(&mut map);
        match &mut fill.op {
            FillOp::Set { value, .. } | FillOp::Split { value, .. } => map(value),
            FillOp::Native { inputs, .. } | FillOp::Call { inputs, .. } => {
                inputs.iter_mut().for_each(&mut map);
            }
            FillOp::Access { address, time, write, .. } => {
                address.iter_mut().for_each(&mut map);
                map(time);
                write.iter_mut().flatten().for_each(&mut map);
            }
        }
        fill
    }
}

impl Chip {
    /// The Multiplicity column that a table's count reads; `None` if it reads none, or several.
    pub fn multiplicity_of(&self, count: NodeId) -> Option<ColumnId> {
        let mut seen = vec![false; count.index() + 1];
        let mut found = None;
        let mut pending = vec![count];
        while let Some(id) = pending.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let node = self.graph.node(id);
            if let Node::Cell(cell) = node
                && self.columns[cell.column.index()].kind == ColumnKind::Multiplicity
            {
                match found {
                    Some(other) if other != cell.column => return None,
                    _ => found = Some(cell.column),
                }
            }
            pending.extend(node.operands());
        }
        found
    }
}
