//! The operands of a node.

use super::NodeId;

/// The operands of a node, in order. Up to three are kept in place.
#[derive(Clone, Debug, Default)]
pub struct Operands {
    short: [NodeId; 3],
    long: Vec<NodeId>,
    len: usize,
}

impl Operands {
    pub(super) fn set(&mut self, position: usize, node: NodeId) {
        if position < self.short.len() {
            self.short[position] = node;
        }
        if position >= self.short.len() || !self.long.is_empty() {
            let size = self.long.len().max(position + 1);
            if self.long.is_empty() {
                self.long.extend(self.short);
            }
            self.long.resize(size.max(self.long.len()), NodeId::default());
            self.long[position] = node;
        }
        self.len = self.len.max(position + 1);
    }

    pub(in crate::circuit) fn map(&mut self, mut f: impl FnMut(NodeId) -> NodeId) {
        let len = self.len;
        let slots =
            if self.long.is_empty() { &mut self.short[..len] } else { &mut self.long[..len] };
        for slot in slots {
            *slot = f(*slot);
        }
    }
}

impl std::ops::Deref for Operands {
    type Target = [NodeId];

    fn deref(&self) -> &[NodeId] {
        if self.long.is_empty() { &self.short[..self.len] } else { &self.long[..self.len] }
    }
}
