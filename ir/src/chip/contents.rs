//! Rows beyond the contents of a chip's fixed columns.
//!
//! A table is as high as a power of two, as the configuration's least height, or as a layout; the contents of its fixed
//! columns may be shorter. What stands in the rows beyond them is part of what is proven: a table of the inverses of 1 to
//! 16 that goes on with zeros says that 0 has the inverse 0. So
//!
//! - a chip that does nothing but give its fixed contents repeats the last of them: no entry is new ([`Chip::contents`]);
//! - of all other chips, zeros follow, and a row of zeros must not exchange a message, other than to ask a table: by
//!   counts that are fixed themselves, or by rules ([`Chip::open_beyond_contents`]). The pass
//!   [`gate_contents`](super::passes::gate_contents) makes that so; a key is not made of a chip of which it is not.
//!
//! Messages of the rows of circuits are exempt: the rows that a circuit does not use are zeros in all fixed columns by the
//! contract of the chips that it calls ([`Chip::is_wired`]).

use petgraph::unionfind::UnionFind;

use super::{
    Chip, ColumnKind, FixedData, Interaction, Node, NodeId, PortKind, Rule, Section, Sign,
};

/// How many rules may lie between a fixed column and a count for it to be seen that the count is zero with it.
const CHAIN: usize = 16;

impl Chip {
    /// Whether the chip's rows do nothing but give entries of tables that are made of fixed cells.
    pub fn gives_only_contents(&self) -> bool {
        let mut of_contents = vec![true; self.graph.len()];
        for (index, node) in self.graph.nodes().iter().enumerate() {
            of_contents[index] = match node {
                Node::Const(_) => true,
                Node::Cell(cell) => !cell.next && self.is_fixed(*node),
                Node::Add(..) | Node::Sub(..) | Node::Mul(..) | Node::Neg(_) => {
                    node.operands().all(|operand| of_contents[operand.index()])
                }
                _ => false,
            };
        }
        let gives = |message: &Interaction| {
            self.ports[message.port.index()].kind == PortKind::Table
                && message.sign == Sign::Minus
                && message.message.iter().all(|node| of_contents[node.index()])
        };
        self.rules.is_empty()
            && !self.interactions.is_empty()
            && self.interactions.iter().all(gives)
    }

    /// The contents of the fixed columns in a table of `height` rows, or of as many as there are contents if these are
    /// more.
    pub fn contents(&self, height: usize) -> Vec<Vec<u64>> {
        let columns = self.fixed.as_ref().map_or(&[][..], |FixedData { columns }| columns);
        let repeats = self.gives_only_contents();
        let continued = |column: &Vec<u64>| {
            let next = if repeats { column.last().copied().unwrap_or(0) } else { 0 };
            let mut column = column.clone();
            column.resize(height.max(column.len()), next);
            column
        };
        columns.iter().map(continued).collect()
    }

    /// The first message that a row beyond the contents could exchange, other than to ask a table.
    pub fn open_beyond_contents(&self) -> Option<usize> {
        if self.gives_only_contents() {
            return None;
        }
        let zero = self.zero_beyond_contents();
        let wired = self.wired_messages();
        self.interactions.iter().enumerate().position(|(index, message)| {
            let asks = self.ports[message.port.index()].kind == PortKind::Lookup
                && message.sign == Sign::Plus;
            !asks && !wired[index] && !zero[message.count.index()]
        })
    }

    fn is_fixed(&self, node: Node) -> bool {
        matches!(node, Node::Cell(cell) if self.columns[cell.column.index()].kind == ColumnKind::Fixed)
    }

    /// Which nodes are zero, by the rules that hold on every row, where all fixed cells are.
    fn zero_beyond_contents(&self) -> Vec<bool> {
        let mut cells = vec![false; self.columns.len()];
        let mut zero = Vec::new();
        for _ in 0..CHAIN {
            zero.clear();
            for node in self.graph.nodes() {
                let is = |node: NodeId| zero.get(node.index()).is_some_and(|zero| *zero);
                let now = match *node {
                    Node::Const(value) => value == 0,
                    Node::Cell(cell) => {
                        !cell.next && (self.is_fixed(*node) || cells[cell.column.index()])
                    }
                    Node::Mul(a, b) => is(a) || is(b),
                    Node::Add(a, b) | Node::Sub(a, b) => is(a) && is(b),
                    Node::Neg(a) => is(a),
                    _ => false,
                };
                zero.push(now);
            }
            let mut more = false;
            let everywhere = |rule: &&Rule| rule.section == Section::Row && rule.guard.is_none();
            for rule in self.rules.iter().filter(everywhere) {
                for (cell, value) in [(rule.left, rule.right), (rule.right, rule.left)] {
                    if let Node::Cell(cell) = self.graph.node(cell)
                        && !cell.next
                        && zero[value.index()]
                    {
                        more |= !std::mem::replace(&mut cells[cell.column.index()], true);
                    }
                }
            }
            if !more {
                break;
            }
        }
        zero
    }

    /// By message: whether it has to do with a row of a circuit: whether rules and messages connect its cells with those of
    /// a message to the witness bus.
    fn wired_messages(&self) -> Vec<bool> {
        let columns = self.columns.len();
        let place = |node: NodeId| match self.graph.node(node) {
            Node::Const(_) | Node::Public(_) => None,
            Node::Cell(cell) => Some(cell.column.index()),
            _ => Some(columns + node.index()),
        };
        let mut union = UnionFind::<usize>::new(columns + self.graph.len());
        let mut unite = |nodes: &mut dyn Iterator<Item = NodeId>| {
            let mut places = nodes.filter_map(place);
            if let Some(first) = places.next() {
                places.for_each(|other| _ = union.union(first, other));
            }
        };
        for (index, node) in self.graph.nodes().iter().enumerate() {
            unite(&mut std::iter::once(NodeId::new(index)).chain(node.operands()));
        }
        self.rules.iter().for_each(|rule| unite(&mut rule.nodes()));
        self.interactions.iter().for_each(|message| unite(&mut message.nodes()));
        let part =
            |message: &Interaction| message.nodes().find_map(place).map(|place| union.find(place));
        let is_wiring =
            |message: &&Interaction| self.ports[message.port.index()].kind == PortKind::Witness;
        let wired: Vec<_> = self.interactions.iter().filter(is_wiring).filter_map(part).collect();
        let is_wired = |message| part(message).is_some_and(|part| wired.contains(&part));
        self.interactions.iter().map(is_wired).collect()
    }
}
