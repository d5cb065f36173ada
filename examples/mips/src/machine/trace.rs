//! What a shard's chips have rows of, while the executor runs.
//!
//! A [`Tracer`] observes a run. It knows memory and registers by itself: the image at the start, and what was accessed since.

use std::collections::{BTreeMap, BTreeSet};

use chipwright_dsl::Input;
use chipwright_ir::machine::MachineInput;
use chipwright_mips_isa::Instruction;

use super::FIELD;
use super::access::Accesses;
use super::control::{Boundary, BoundaryPublics, BoundaryRecord};
use super::image::{Tree, image, leaf_of, rows};
use super::instruction::InstructionRows;
use super::memory::{Leaf, Node, Refresh};
use super::program::{Decode, TextLeaf, TextLeafRecord, TextNode, TextNodeRecord, decode, step};
use crate::execute::{Observer, State};
use crate::program::Program;

/// Collects what a shard's chips have rows of.
#[derive(Clone, Debug)]
pub struct Tracer {
    /// The text of the program.
    text: Tree,
    /// `pc`, `next_pc`, `clk` at the start.
    from: [u64; 3],
    /// Memory and registers.
    accesses: Accesses,
    /// The instructions executed, by address.
    executed: BTreeMap<u32, Instruction>,
    rows: InstructionRows,
    /// The first instruction without a chip.
    missing: Option<(u32, Instruction)>,
}

/// An instruction that the machine cannot prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the instruction `{instruction}` at {pc:#x} has no chip")]
pub struct NoChip {
    /// Its address.
    pub pc: u32,
    /// The instruction.
    pub instruction: Instruction,
}

impl Tracer {
    /// Begins a shard.
    pub fn new(program: &Program, state: &State) -> Self {
        Self {
            text: super::image::text(program),
            from: [state.pc.into(), state.next_pc.into(), state.clock],
            accesses: Accesses::new(image(state), state.clock),
            executed: BTreeMap::new(),
            rows: InstructionRows::default(),
            missing: None,
        }
    }

    /// Memory and registers, as the rows so far leave them.
    pub fn accesses(&self) -> &Accesses {
        &self.accesses
    }

    /// The chips of instructions, and how many rows each of them has.
    pub fn rows(&self) -> impl Iterator<Item = (String, usize)> {
        self.rows.counts()
    }

    /// Ends the shard: the input of the machine.
    ///
    /// # Errors
    ///
    /// Fails if an instruction was executed that has no chip.
    pub fn finish(self, state: &State) -> Result<MachineInput, NoChip> {
        if let Some((pc, instruction)) = self.missing {
            return Err(NoChip { pc, instruction });
        }
        let (accessed, start) = (self.accesses.accessed(), self.accesses.start());
        let before = self.accesses.before();
        let touched: BTreeSet<u64> = accessed.keys().map(|&address| leaf_of(address)).collect();
        let touched: Vec<u64> = touched.into_iter().collect();
        let mut after = before.clone();
        let mut leaves: BTreeMap<u64, _> =
            touched.iter().map(|&index| (index, before.leaf(index))).collect();
        for (&address, &(_, value)) in &accessed {
            if let Some(leaf) = leaves.get_mut(&leaf_of(address)) {
                leaf[(address / 4 % 16) as usize] = value;
            }
        }
        after.update(leaves);
        let time = |address| accessed.get(&address).map(|&(time, _)| time);
        let (leaf_rows, node_rows) = rows(before, &after, &touched, start, time);

        let to = match state.exit {
            Some(code) => [1, code.into(), 0, state.clock],
            None => [0, state.pc.into(), state.next_pc.into(), state.clock],
        };
        let (root_before, root_after) = (before.root(), after.root());
        let program = self.text.root();
        let boundary = BoundaryRecord {
            from: self.from,
            to,
            before: root_before,
            after: root_after,
            text: program,
        };
        let publics = BoundaryPublics {
            program,
            start: self.from,
            start_memory: root_before,
            end: to,
            end_memory: root_after,
        };

        let read: BTreeSet<u64> = self.executed.keys().map(|&pc| leaf_of(pc.into())).collect();
        let read: Vec<u64> = read.into_iter().collect();
        let text_leaves =
            read.iter().map(|&index| TextLeafRecord { index, words: self.text.leaf(index) });
        let text_nodes =
            self.text.paths(&read).into_iter().map(|(level, index, children, touched)| {
                TextNodeRecord { level, index, children, touched }
            });
        let decode = self.executed.iter().filter_map(|(&pc, instruction)| decode(pc, instruction));
        let mut input = Input::new(FIELD)
            .rows::<Boundary>([boundary])
            .publics::<Boundary>(&publics)
            .rows::<Refresh>(self.accesses.refreshes().iter().cloned())
            .rows::<Leaf>(leaf_rows)
            .rows::<Node>(node_rows)
            .rows::<Decode>(decode)
            .rows::<TextLeaf>(text_leaves)
            .rows::<TextNode>(text_nodes)
            .into_ir();
        input.rows.extend(self.rows.into_rows());
        Ok(input)
    }
}

impl Observer for Tracer {
    fn instruction(&mut self, state: &State, instruction: &Instruction) {
        self.executed.insert(state.pc, *instruction);
        if self.missing.is_some() {
            return;
        }
        let step = step(state, instruction);
        if step.and_then(|step| self.rows.record(&step, &mut self.accesses)).is_none() {
            self.missing = Some((state.pc, *instruction));
        }
    }
}
