//! What a shard's chips have rows of, while the executor runs.
//!
//! A [`Tracer`] observes a run. It knows memory and registers by itself: the image at the start, and what was accessed since.

use std::collections::BTreeMap;
use std::sync::Arc;

use chipwright_dsl::Input;
use chipwright_dsl::schema::Schema;
use chipwright_ir::machine::MachineInput;
use chipwright_mips_isa::{Instruction, Opcode};

use super::FIELD;
use super::access::Accesses;
use super::control::{Boundary, BoundaryPublics, BoundaryRecord};
use super::image::{Touched, Tree, image, leaf_of, rows};
use super::instruction::{INSTRUCTIONS, InstructionRows};
use super::memory::{LEVELS, Leaf, Node, Refresh};
use super::program::{Decode, TextLeaf, TextLeafRecord, TextNode, TextNodeRecord, decode, step};
use super::system::{CALLS, Call, CallRows, InputWord};
use crate::execute::{Access, Observer, State};
use crate::program::Program;

/// Collects what a shard's chips have rows of.
#[derive(Clone, Debug)]
pub struct Tracer {
    /// The text of the program.
    text: Arc<Tree>,
    /// `pc`, `next_pc`, `clk` at the start.
    from: [u64; 3],
    /// Memory and registers.
    accesses: Accesses,
    /// The instructions executed, by address.
    executed: BTreeMap<u32, Instruction>,
    rows: InstructionRows,
    calls: CallRows,
    /// The system call that is being executed.
    call: Option<(Instruction, Call)>,
    /// The first instruction without a chip.
    missing: Option<(u32, Instruction)>,
    /// The text that is touched.
    read: Touched,
    limits: Limits,
    /// The clock of the last instruction.
    last: u64,
}

/// How many rows shards of each kind have, and when each is full.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// By kind: the rows of the chips of instructions, of those of calls, and of [`OTHERS`].
    rows: Vec<Vec<usize>>,
    full: Vec<Option<u64>>,
    /// For so many instructions no chip of instructions or calls gets full.
    quiet: usize,
    /// The rows of [`OTHERS`] when that was found out.
    seen: [usize; OTHERS.len()],
}

/// The chips besides those of instructions and calls whose rows a run decides.
pub const OTHERS: [fn() -> String; 7] = [
    InputWord::name,
    Refresh::name,
    Leaf::name,
    Node::name,
    Decode::name,
    TextLeaf::name,
    TextNode::name,
];

/// The names of the chips whose rows a run decides.
pub fn counted() -> Vec<String> {
    let instructions = INSTRUCTIONS.iter().map(|chip| (chip.name)());
    let calls = CALLS.iter().map(|chip| (chip.name)());
    instructions.chain(calls).chain(OTHERS.map(|name| name())).collect()
}

impl Limits {
    /// Kinds with so many rows of each of the chips of [`counted`].
    pub fn new(rows: Vec<Vec<usize>>) -> Self {
        let full = vec![None; rows.len()];
        Self { rows, full, quiet: 0, seen: [0; OTHERS.len()] }
    }

    /// By kind: the clock of the first instruction that has no room in a shard, if there was one.
    pub fn full(&self) -> &[Option<u64>] {
        &self.full
    }

    fn is_full(&self) -> bool {
        self.full.iter().all(Option::is_some)
    }
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
        let text = Arc::new(super::image::text(program));
        Self::with_trees(text, Arc::new(image(state)), state)
    }

    /// Begins a shard whose program and state have these trees.
    pub fn with_trees(text: Arc<Tree>, before: Arc<Tree>, state: &State) -> Self {
        Self {
            text,
            from: [state.pc.into(), state.next_pc.into(), state.clock],
            accesses: Accesses::new(before, state.clock),
            executed: BTreeMap::new(),
            rows: InstructionRows::default(),
            calls: CallRows::default(),
            call: None,
            missing: None,
            read: Touched::new(LEVELS - 1),
            limits: Limits::default(),
            last: state.clock,
        }
    }

    /// Finds out when shards of certain kinds are full.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether no kind has room for what was executed.
    pub fn is_full(&self) -> bool {
        self.limits.is_full()
    }

    /// When the kinds are full.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The run stops here: which leaves of memory were accessed.
    ///
    /// # Errors
    ///
    /// Fails if an instruction was executed that has no chip.
    pub fn ends(&mut self, state: &State) -> Result<Vec<u64>, NoChip> {
        self.return_from_call(state);
        self.look();
        match self.missing {
            Some((pc, instruction)) => Err(NoChip { pc, instruction }),
            None => Ok(self.accesses.touched().leaves().collect()),
        }
    }

    /// The chips of [`counted`], and how many rows each of them has.
    pub fn rows(&self) -> impl Iterator<Item = (String, usize)> {
        let chips = self.rows.lengths().chain(self.calls.lengths());
        counted().into_iter().zip(chips.chain(self.others()))
    }

    fn others(&self) -> [usize; 7] {
        let memory = self.accesses.touched();
        let refreshes = self.accesses.refreshes().len();
        [
            self.calls.words(),
            refreshes,
            memory.count(),
            memory.nodes(),
            self.executed.len(),
            self.read.count(),
            self.read.nodes(),
        ]
    }

    /// Looks which kinds had no room for the last instruction.
    fn look(&mut self) {
        if self.limits.is_full() {
            return;
        }
        // An instruction has one row at most in a chip of instructions or calls.
        let others = self.others();
        if self.limits.quiet > 0 && self.limits.seen == others {
            self.limits.quiet -= 1;
            return;
        }
        let lengths = self.rows.lengths().chain(self.calls.lengths());
        let chips = INSTRUCTIONS.len() + CALLS.len();
        let mut quiet = usize::MAX;
        let kinds = self.limits.rows.iter().zip(&mut self.limits.full);
        for (rows, full) in kinds.filter(|(_, full)| full.is_none()) {
            let has_room = |(found, room): (usize, &usize)| found <= *room;
            let left = lengths.clone().zip(rows).map(|(found, room)| room.checked_sub(found));
            let left = left.reduce(|least, left| Some(least?.min(left?))).flatten();
            match left.filter(|_| others.into_iter().zip(&rows[chips..]).all(has_room)) {
                Some(left) => quiet = quiet.min(left),
                None => *full = Some(self.last),
            }
        }
        (self.limits.quiet, self.limits.seen) = (quiet, others);
    }

    /// Records the system call that was executed last, if there is one.
    fn return_from_call(&mut self, state: &State) {
        let Some((instruction, mut call)) = self.call.take() else { return };
        call.returned(state);
        if self.missing.is_none() && self.calls.record(&call, &mut self.accesses).is_none() {
            self.missing = Some((call.cycle.pc as u32, instruction));
        }
    }

    /// Memory and registers, as the rows so far leave them.
    pub fn accesses(&self) -> &Accesses {
        &self.accesses
    }

    /// Ends the shard: the input of the machine.
    ///
    /// # Errors
    ///
    /// Fails if an instruction was executed that has no chip.
    pub fn finish(mut self, state: &State) -> Result<MachineInput, NoChip> {
        self.return_from_call(state);
        if let Some((pc, instruction)) = self.missing {
            return Err(NoChip { pc, instruction });
        }
        let (discarded, since) = self.accesses.clear(state.clock);
        let since = since as u32;
        let (accessed, start) = (self.accesses.accessed(), self.accesses.start());
        let before = self.accesses.before();
        let touched: Vec<u64> = self.accesses.touched().leaves().collect();
        let mut after = Tree::clone(before);
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
            discarded,
            since,
        };
        let [pc, next_pc, clk] = self.from;
        let publics = BoundaryPublics {
            program,
            start: [0, pc, next_pc, clk],
            start_memory: root_before,
            end: to,
            end_memory: root_after,
        };

        let read: Vec<u64> = self.read.leaves().collect();
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
        input.rows.extend(self.calls.into_rows());
        Ok(input)
    }
}

impl Observer for Tracer {
    const ACCESSES: bool = true;

    fn instruction(&mut self, state: &State, instruction: &Instruction) {
        self.return_from_call(state);
        if !self.limits.rows.is_empty() {
            self.look();
        }
        self.last = state.clock;
        if self.executed.insert(state.pc, *instruction).is_none() {
            self.read.touch(leaf_of(state.pc.into()));
        }
        if self.missing.is_some() {
            return;
        }
        if instruction.opcode == Opcode::Syscall {
            self.call = Some((*instruction, Call::new(state)));
            return;
        }
        let step = step(state, instruction);
        if step.and_then(|step| self.rows.record(&step, &mut self.accesses)).is_none() {
            self.missing = Some((state.pc, *instruction));
        }
    }

    fn access(&mut self, access: Access) {
        if let Some((_, call)) = &mut self.call {
            call.stored.insert(access.address, access.after);
        }
    }
}
