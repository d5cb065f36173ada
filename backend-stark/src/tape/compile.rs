//! From the graph of a chip to a tape.

use std::collections::{BTreeMap, HashMap};

use chipwright_ir::chip::{Chip, ColumnKind, Node, NodeId, Rule};
use p3_field::Field;

use super::{Op, Run, Source, Step, Tape};

/// The rules that are scheduled together. More make longer runs, and more values alive at once.
const WINDOW: usize = 48;

/// What becomes of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// One instruction for each node.
    Expressions,
    /// As few instructions as possible.
    Short,
}

/// A node to compute: its operation, the nodes that it reads, each as often as it is read, and a constant.
struct Task {
    op: Op,
    operands: Vec<NodeId>,
    constant: u32,
}

pub(super) struct Compiler<'a, F, C> {
    chip: &'a Chip,
    style: Style,
    constant: C,
    constants: Vec<F>,
    constant_ids: HashMap<u64, u32>,
    /// How many readers of each node are still to come.
    readers: Vec<u32>,
    /// The slot of each computed node.
    places: Vec<Option<u32>>,
    /// When it is the turn of each node that is being scheduled, if all goes by dependency.
    turns: Vec<Option<u32>>,
    sources: Vec<Source>,
    free: Vec<u32>,
    slots: u32,
    lists: Vec<u32>,
    steps: Vec<Step>,
    runs: Vec<Run>,
}

impl<'a, F: Field, C: Fn(u64) -> F> Compiler<'a, F, C> {
    pub(super) fn new(chip: &'a Chip, constant: C, style: Style) -> Self {
        Self {
            chip,
            style,
            constant,
            constants: Vec::new(),
            constant_ids: HashMap::new(),
            readers: vec![0; chip.graph.len()],
            places: vec![None; chip.graph.len()],
            turns: vec![None; chip.graph.len()],
            sources: Vec::new(),
            free: Vec::new(),
            slots: 0,
            lists: Vec::new(),
            steps: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// The tape that asserts every rule.
    pub(super) fn all_rules(mut self) -> Tape<F> {
        let rules = &self.chip.rules;
        self.prepare(&rules.iter().flat_map(Rule::nodes).collect::<Vec<_>>());
        for window in rules.chunks(WINDOW) {
            self.rules(window);
        }
        self.finish(Vec::new())
    }

    /// The tape that computes some nodes.
    pub(super) fn all_values(mut self, nodes: &[NodeId]) -> Tape<F> {
        self.prepare(nodes);
        self.schedule(nodes);
        let outputs = nodes.iter().map(|&node| self.slot(node)).collect();
        self.finish(outputs)
    }

    /// Counts the readers below the roots (a root has one reader more: the rule or the caller), and gives the
    /// cells and public values among them the first slots, for good.
    fn prepare(&mut self, roots: &[NodeId]) {
        let (mut stack, mut reached) = (roots.to_vec(), Vec::new());
        while let Some(node) = stack.pop() {
            self.readers[node.index()] += 1;
            if self.readers[node.index()] == 1 {
                reached.push(node);
                stack.extend(self.chip.graph.node(node).operands());
            }
        }
        reached.sort_unstable();
        let positions = self.chip.positions();
        let mut loaded = Vec::new();
        for node in reached {
            let source = match self.chip.graph.node(node) {
                Node::Cell(cell) => {
                    let position = positions[cell.column.index()];
                    match (self.chip.columns[cell.column.index()].kind, cell.next) {
                        (ColumnKind::Periodic, _) => Source::Periodic(position),
                        (ColumnKind::Fixed, false) => Source::Fixed(position),
                        (ColumnKind::Fixed, true) => Source::FixedNext(position),
                        (_, false) => Source::Main(position),
                        (_, true) => Source::MainNext(position),
                    }
                }
                Node::Public(public) => Source::Public(public.index()),
                _ => continue,
            };
            loaded.push((source, node));
        }
        loaded.sort_unstable();
        for (source, node) in loaded {
            self.places[node.index()] = Some(self.sources.len() as u32);
            self.sources.push(source);
        }
        self.slots = self.sources.len() as u32;
    }

    fn constant(&mut self, node: NodeId) -> Option<u32> {
        match self.chip.graph.node(node) {
            Node::Const(value) => Some(self.constant_of(value)),
            _ => None,
        }
    }

    fn constant_of(&mut self, value: u64) -> u32 {
        let next = self.constants.len() as u32;
        let index = *self.constant_ids.entry(value).or_insert(next);
        if index == next {
            self.constants.push((self.constant)(value));
        }
        index
    }

    /// Chooses the instruction of a node.
    fn task(&mut self, id: NodeId) -> Task {
        let task =
            |op, operands: &[NodeId], constant| Task { op, operands: operands.into(), constant };
        match self.chip.graph.node(id) {
            Node::Const(_) => task(Op::Const, &[], self.constant(id).expect("matched above")),
            Node::Add(a, b) if a == b => task(Op::Double, &[a, a], 0),
            Node::Mul(a, b) if a == b => task(Op::Square, &[a, a], 0),
            Node::Add(a, b) => match (self.constant(a), self.constant(b)) {
                (_, Some(c)) => task(Op::AddConst, &[a], c),
                (Some(c), None) => task(Op::AddConst, &[b], c),
                (None, None) => self.sum(a, b),
            },
            Node::Mul(a, b) => match (self.constant(a), self.constant(b)) {
                (_, Some(c)) if self.constants[c as usize] == F::TWO => task(Op::Double, &[a], 0),
                (_, Some(c)) => task(Op::MulConst, &[a], c),
                (Some(c), None) if self.constants[c as usize] == F::TWO => {
                    task(Op::Double, &[b], 0)
                }
                (Some(c), None) => task(Op::MulConst, &[b], c),
                (None, None) => task(Op::Mul, &[a, b], 0),
            },
            Node::Sub(a, b) => task(Op::Sub, &[a, b], 0),
            Node::Neg(a) => task(Op::Neg, &[a], 0),
            other => unreachable!("the IR verifier lets no {other:?} into a rule or message"),
        }
    }

    /// The instruction of `a + b`: in short tapes, together with what only this sum reads.
    fn sum(&mut self, a: NodeId, b: NodeId) -> Task {
        let pair = Task { op: Op::Add, operands: vec![a, b], constant: 0 };
        if self.style == Style::Expressions {
            return pair;
        }
        let mut terms = Vec::new();
        let mut pending = vec![b, a];
        while let Some(term) = pending.pop() {
            match self.chip.graph.node(term) {
                Node::Add(a, b)
                    if self.is_inner(term) && self.is_plain(a) && self.is_plain(b) && a != b =>
                {
                    pending.extend([b, a]);
                }
                _ => terms.push(term),
            }
        }
        if terms.len() > 2 {
            return Task { op: Op::Sum, operands: terms, constant: 0 };
        }
        for (multiple, other) in [(a, b), (b, a)] {
            if self.is_inner(multiple)
                && let Task { op: Op::MulConst, mut operands, constant } = self.task(multiple)
            {
                operands.push(other);
                return Task { op: Op::MulConstAdd, operands, constant };
            }
        }
        pair
    }

    /// Whether a node is not computed yet, and whoever asks is its only reader.
    fn is_inner(&self, id: NodeId) -> bool {
        self.readers[id.index()] == 1 && self.places[id.index()].is_none()
    }

    fn is_plain(&self, id: NodeId) -> bool {
        !matches!(self.chip.graph.node(id), Node::Const(_))
    }

    /// Computes the roots and all that they need, in runs of one operation.
    fn schedule(&mut self, roots: &[NodeId]) {
        let (order, tasks) = self.pending(roots);
        let mut waiting = vec![0_u32; order.len()];
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
        for (index, task) in tasks.iter().enumerate() {
            for operand in &task.operands {
                if let Some(operand) = self.turns[operand.index()] {
                    waiting[index] += 1;
                    users[operand as usize].push(index);
                }
            }
        }
        let mut ready: BTreeMap<Op, Vec<usize>> = BTreeMap::new();
        for index in (0..order.len()).filter(|&index| waiting[index] == 0) {
            ready.entry(tasks[index].op).or_default().push(index);
        }
        let mut current: Option<Op> = None;
        // Stay with the operation of the run; else take the one with the most ready tasks.
        while let Some(op) = current
            .filter(|op| ready.contains_key(op))
            .or_else(|| ready.iter().max_by_key(|(_, tasks)| tasks.len()).map(|(&op, _)| op))
        {
            current = Some(op);
            for index in ready.remove(&op).unwrap_or_default() {
                self.compute(order[index], &tasks[index]);
                for &user in &users[index] {
                    waiting[user] -= 1;
                    if waiting[user] == 0 {
                        ready.entry(tasks[user].op).or_default().push(user);
                    }
                }
            }
        }
        order.iter().for_each(|id| self.turns[id.index()] = None);
    }

    /// The nodes below the roots that are still to be computed, operands first.
    fn pending(&mut self, roots: &[NodeId]) -> (Vec<NodeId>, Vec<Task>) {
        let (mut order, mut tasks) = (Vec::new(), Vec::new());
        let mut stack: Vec<(NodeId, Option<Task>)> =
            roots.iter().rev().map(|&root| (root, None)).collect();
        while let Some((id, task)) = stack.pop() {
            if let Some(task) = task {
                self.turns[id.index()] = Some(order.len() as u32);
                order.push(id);
                tasks.push(task);
            } else if self.places[id.index()].is_none() && self.turns[id.index()].is_none() {
                self.turns[id.index()] = Some(0);
                let task = self.task(id);
                let operands = task.operands.clone();
                stack.push((id, Some(task)));
                stack.extend(operands.into_iter().rev().map(|operand| (operand, None)));
            }
        }
        (order, tasks)
    }

    fn compute(&mut self, id: NodeId, task: &Task) {
        let slots: Vec<u32> = task.operands.iter().map(|&operand| self.slot(operand)).collect();
        // The result may take an operand's slot: operands are read before it is stored.
        self.release(task.operands.iter().copied());
        let target = self.allocate();
        let (a, b) = match (task.op, slots.as_slice()) {
            (Op::Sum, slots) => {
                let start = self.lists.len() as u32;
                self.lists.extend(slots);
                (start, slots.len() as u32)
            }
            (_, slots) => (slots.first().copied().unwrap_or(0), slots.get(1).copied().unwrap_or(0)),
        };
        self.emit(task.op, Step { target, a, b, constant: task.constant });
        self.places[id.index()] = Some(target);
    }

    fn slot(&self, node: NodeId) -> u32 {
        self.places[node.index()].expect("computed before it is read")
    }

    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    fn emit(&mut self, op: Op, step: Step) {
        let index = self.steps.len() as u32;
        self.steps.push(step);
        match self.runs.last_mut() {
            Some(run) if run.op == op => run.end = index + 1,
            _ => self.runs.push(Run { op, start: index, end: index + 1 }),
        }
    }

    /// Takes one reader off each node; a computed node without readers gives its slot back.
    fn release(&mut self, nodes: impl Iterator<Item = NodeId>) {
        for node in nodes {
            self.readers[node.index()] -= 1;
            if self.readers[node.index()] == 0
                && let Some(place) = self.places[node.index()]
                && place as usize >= self.sources.len()
            {
                self.free.push(place);
            }
        }
    }

    /// Schedules some rules together, then asserts them in order.
    fn rules(&mut self, rules: &[Rule]) {
        let graph = &self.chip.graph;
        let is_there = |node: &NodeId| graph.node(*node) != Node::Const(0);
        let roots: Vec<NodeId> = rules.iter().flat_map(Rule::nodes).filter(is_there).collect();
        self.schedule(&roots);
        for rule in rules {
            let sides: Vec<u32> = [rule.left, rule.right]
                .into_iter()
                .filter(is_there)
                .map(|side| self.slot(side))
                .collect();
            let guard = rule.guard.map(|guard| self.slot(guard));
            match (sides.as_slice(), guard) {
                ([], _) => {
                    // The rule `0 = 0` still counts as a constraint.
                    let target = self.allocate();
                    let constant = self.constant_of(0);
                    self.emit(Op::Const, Step { target, a: 0, b: 0, constant });
                    self.emit(Op::Assert(rule.section), Step::of(0, target, 0));
                    self.free.push(target);
                }
                (&[side], None) => self.emit(Op::Assert(rule.section), Step::of(0, side, 0)),
                (&[left, right, ..], None) => {
                    self.emit(Op::AssertEq(rule.section), Step::of(0, left, right));
                }
                (&[side], Some(guard)) => {
                    let target = self.allocate();
                    self.emit(Op::Mul, Step::of(target, guard, side));
                    self.emit(Op::Assert(rule.section), Step::of(0, target, 0));
                    self.free.push(target);
                }
                (&[left, right, ..], Some(guard)) => {
                    let target = self.allocate();
                    self.emit(Op::Sub, Step::of(target, left, right));
                    self.emit(Op::Mul, Step::of(target, guard, target));
                    self.emit(Op::Assert(rule.section), Step::of(0, target, 0));
                    self.free.push(target);
                }
            }
            self.release(rule.nodes());
        }
    }

    fn finish(self, outputs: Vec<u32>) -> Tape<F> {
        let reads_fixed = self
            .sources
            .iter()
            .any(|source| matches!(source, Source::Fixed(_) | Source::FixedNext(_)));
        Tape {
            sources: self.sources,
            constants: self.constants,
            lists: self.lists,
            steps: self.steps,
            runs: self.runs,
            slots: self.slots as usize,
            outputs,
            reads_fixed,
        }
    }
}

impl Step {
    fn of(target: u32, a: u32, b: u32) -> Self {
        Self { target, a, b, constant: 0 }
    }
}
