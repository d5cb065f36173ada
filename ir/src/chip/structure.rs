//! Whether a chip's data structure hangs together, so that code that walks it cannot run into nothing.

use super::{Cell, Chip, FillOp, Node, NodeId, PortKind, Section};

impl Chip {
    /// What is wrong with the data structure itself: an index that points nowhere, an integer node where
    /// only field nodes may be, a fill that sets a cell outside the main trace. `None` if it is sound.
    ///
    /// Everything that walks a chip relies on this; whether the chip *means* anything sensible is for the
    /// verifier.
    pub fn malformation(&self) -> Option<String> {
        self.graph_malformation()
            .or_else(|| self.column_malformation())
            .or_else(|| self.rule_malformation())
            .or_else(|| self.fill_malformation())
            .or_else(|| self.interaction_malformation())
    }

    fn graph_malformation(&self) -> Option<String> {
        let wrong_kind = |id: NodeId, integer| self.graph.node(id).is_integer() != integer;
        for (index, node) in self.graph.nodes().iter().enumerate() {
            let fault = match *node {
                Node::Const(value) => value >= self.field.modulus(),
                // Periodic columns are read on their own row only.
                Node::Cell(cell) => self
                    .columns
                    .get(cell.column.index())
                    .is_none_or(|column| cell.next && column.kind == super::ColumnKind::Periodic),
                Node::Public(public) => public.index() >= self.publics.len(),
                Node::Add(..) | Node::Sub(..) | Node::Mul(..) | Node::Neg(_) => {
                    node.operands().any(|operand| wrong_kind(operand, false))
                }
                Node::Int(a) | Node::Inverse(a) => wrong_kind(a, false),
                Node::IntOp(..) | Node::IntSelect(..) => {
                    node.operands().any(|operand| wrong_kind(operand, true))
                }
                Node::IntConst(_) => false,
            };
            if fault {
                return Some(format!("node %{index} refers to something that does not exist"));
            }
        }
        None
    }

    fn column_malformation(&self) -> Option<String> {
        let mut end = 0;
        for group in &self.groups {
            if group.start.index() != end {
                return Some(format!(
                    "the cells of column `{}` do not follow the ones before",
                    group.name
                ));
            }
            end += group.len as usize;
        }
        if end != self.columns.len() {
            return Some(format!(
                "columns declare {end} cells, but there are {}",
                self.columns.len()
            ));
        }
        let fixed = self.fixed_width();
        let lengths = |columns: &[Vec<u64>]| columns.iter().all(|c| c.len() == columns[0].len());
        match &self.fixed {
            Some(data) if data.columns.len() != fixed || !lengths(&data.columns) => {
                return Some(format!(
                    "the contents of the {fixed} fixed columns have another shape"
                ));
            }
            _ => {}
        }
        let contents = self.fixed.iter().flat_map(|data| &data.columns).chain(&self.periodic);
        let modulus = self.field.modulus();
        if let Some(value) = contents.flatten().find(|value| **value >= modulus) {
            return Some(format!(
                "its columns hold {value}, which is not below the modulus {modulus}"
            ));
        }
        let periodic = self.columns_of(super::ColumnKind::Periodic).count();
        if self.periodic.len() != periodic
            || self.periodic.iter().any(|column| !column.len().is_power_of_two())
        {
            return Some(format!(
                "the contents of the {periodic} periodic columns are not as many powers of two"
            ));
        }
        None
    }

    fn rule_malformation(&self) -> Option<String> {
        self.rules.iter().enumerate().find_map(|(index, rule)| {
            rule.nodes()
                .any(|node| !self.is_field_node(node))
                .then(|| format!("rule {index} is not made of field nodes"))
        })
    }

    fn fill_malformation(&self) -> Option<String> {
        self.fills.iter().enumerate().find_map(|(index, fill)| {
            let settable = |cell: &Cell| {
                self.columns.get(cell.column.index()).is_some_and(|column| column.kind.is_main())
                    && (!cell.next || fill.section == Section::Step)
            };
            let port = match &fill.op {
                FillOp::Call { port, .. } => Some((*port, PortKind::Lookup)),
                FillOp::Access { port, .. } => Some((*port, PortKind::Memory)),
                _ => None,
            };
            let reason = if fill.nodes().iter().any(|node| node.index() >= self.graph.len()) {
                "reads a node that does not exist"
            } else if !fill.cells().iter().all(settable) {
                "sets a cell that its section cannot set"
            } else if port.is_some_and(|(port, kind)| {
                self.ports.get(port.index()).is_none_or(|port| port.kind != kind)
            }) {
                "uses a port of another kind"
            } else if fill.section == Section::Last {
                "is for the last row, which no fill is"
            } else {
                return None;
            };
            Some(format!("fill {index} {reason}"))
        })
    }

    fn interaction_malformation(&self) -> Option<String> {
        self.interactions.iter().enumerate().find_map(|(index, interaction)| {
            (interaction.port.index() >= self.ports.len()
                || interaction.nodes().any(|node| !self.is_field_node(node)))
            .then(|| format!("interaction {index} is not made of a port and field nodes"))
        })
    }

    fn is_field_node(&self, node: NodeId) -> bool {
        self.graph.nodes().get(node.index()).is_some_and(|node| !node.is_integer())
    }
}
