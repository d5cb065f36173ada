//! Expressions compiled for evaluation: a tape of instructions in dependency order, with reused slots.
//!
//! Constraint evaluation is the one place where a recorded chip could be slower than a hand-written AIR:
//! it is interpreted. What an interpreter loses, it loses to mispredicted branches, so the tape is
//! scheduled in *runs* of one operation: the eight lanes of a permutation are squared one after the
//! other, and one branch serves them all. Rules are scheduled a window at a time, and a slot is free
//! again after its last reader, so the working set stays in the first-level cache.

use std::collections::HashMap;

use chipwright_ir::chip::{Chip, ColumnKind, Node, NodeId, Rule, Section};
use p3_air::{AirBuilder, WindowAccess};
use p3_field::{Algebra, Field, PrimeCharacteristicRing};

/// The rules that are scheduled together. More make longer runs, and more values alive at once.
const WINDOW: usize = 16;

/// Where the value of a leaf comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Main(usize),
    MainNext(usize),
    Fixed(usize),
    FixedNext(usize),
    Periodic(usize),
    Public(usize),
}

/// An operation on slots; `Const` variants take a constant as second operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Op {
    Add,
    Sub,
    Mul,
    AddConst,
    MulConst,
    /// The constant itself.
    Const,
    Neg,
    Double,
    Square,
    /// Asserts that the first operand is zero.
    Assert(Section),
    /// Asserts that both operands are equal.
    AssertEq(Section),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    target: u32,
    a: u32,
    b: u32,
}

/// Consecutive steps of one operation.
#[derive(Clone, Copy, Debug)]
struct Run {
    op: Op,
    start: u32,
    end: u32,
}

/// A straight-line program over the cells of two rows.
#[derive(Clone, Debug)]
pub struct Tape<F> {
    /// What is loaded into the first slots.
    sources: Vec<Source>,
    constants: Vec<F>,
    steps: Vec<Step>,
    runs: Vec<Run>,
    slots: usize,
    outputs: Vec<u32>,
    /// Symbolic builders have no window over an absent preprocessed trace.
    reads_fixed: bool,
}

impl<F: Field> Tape<F> {
    /// The tape that asserts every rule of a chip, in order.
    pub fn rules(chip: &Chip, constant: impl Fn(u64) -> F) -> Self {
        let mut compiler = Compiler::new(chip, constant);
        let roots: Vec<NodeId> = chip
            .rules
            .iter()
            .flat_map(|rule| rule.guard.into_iter().chain([rule.left, rule.right]))
            .collect();
        compiler.prepare(&roots);
        for window in chip.rules.chunks(WINDOW) {
            compiler.rules(window);
        }
        compiler.finish(Vec::new())
    }

    /// The tape that computes some nodes, all of them available at the end.
    pub fn values(chip: &Chip, nodes: &[NodeId], constant: impl Fn(u64) -> F) -> Self {
        let mut compiler = Compiler::new(chip, constant);
        compiler.prepare(nodes);
        compiler.schedule(nodes);
        let outputs = nodes.iter().map(|&node| compiler.slot(node)).collect();
        compiler.finish(outputs)
    }

    /// The number of instructions.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The number of runs: of branches that an evaluation takes.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The number of values alive at once, loaded cells included.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// What the first slots hold.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The sections of the asserted rules, in order.
    pub(crate) fn sections(&self) -> impl Iterator<Item = Section> + '_ {
        self.runs.iter().flat_map(|run| {
            let section = match run.op {
                Op::Assert(section) | Op::AssertEq(section) => Some(section),
                _ => None,
            };
            section.into_iter().flat_map(|section| (run.start..run.end).map(move |_| section))
        })
    }

    /// Runs the tape on several blocks of rows at once, and hands every asserted value to `assert`, in
    /// order. `slots` begins with the [`Self::sources`]; the rest is overwritten.
    #[inline]
    pub(crate) fn run_blocks<V: Algebra<F> + Copy, const B: usize>(
        &self,
        slots: &mut Vec<[V; B]>,
        mut assert: impl FnMut(Section, [V; B]),
    ) {
        let constants = &self.constants;
        slots.resize(self.slots, [V::ZERO; B]);
        for run in &self.runs {
            let steps = &self.steps[run.start as usize..run.end as usize];
            match run.op {
                Op::Add => blocks(steps, slots, |s, a, b, i| s[a][i] + s[b][i]),
                Op::Sub => blocks(steps, slots, |s, a, b, i| s[a][i] - s[b][i]),
                Op::Mul => blocks(steps, slots, |s, a, b, i| s[a][i] * s[b][i]),
                Op::Neg => blocks(steps, slots, |s, a, _, i| -s[a][i]),
                Op::Double => blocks(steps, slots, |s, a, _, i| s[a][i].double()),
                Op::Square => blocks(steps, slots, |s, a, _, i| s[a][i].square()),
                Op::AddConst => blocks(steps, slots, |s, a, b, i| s[a][i] + constants[b]),
                Op::MulConst => blocks(steps, slots, |s, a, b, i| s[a][i] * constants[b]),
                Op::Const => blocks(steps, slots, |_, _, b, _| constants[b].into()),
                Op::Assert(section) => {
                    for step in steps {
                        assert(section, slots[step.a as usize]);
                    }
                }
                Op::AssertEq(section) => {
                    for step in steps {
                        let (a, b) = (slots[step.a as usize], slots[step.b as usize]);
                        assert(section, std::array::from_fn(|i| a[i] - b[i]));
                    }
                }
            }
        }
    }

    /// Runs the tape on the rows of a builder and returns the outputs.
    pub fn run<AB: AirBuilder<F = F>>(&self, builder: &mut AB) -> Vec<AB::Expr> {
        let mut slots = self.load(builder);
        for run in &self.runs {
            let steps = &self.steps[run.start as usize..run.end as usize];
            let constants = &self.constants;
            match run.op {
                Op::Add => each(steps, &mut slots, |s, a, b| s[a].clone() + s[b].clone()),
                Op::Sub => each(steps, &mut slots, |s, a, b| s[a].clone() - s[b].clone()),
                Op::Mul => each(steps, &mut slots, |s, a, b| s[a].clone() * s[b].clone()),
                Op::Neg => each(steps, &mut slots, |s, a, _| -s[a].clone()),
                Op::Double => each(steps, &mut slots, |s, a, _| s[a].double()),
                Op::Square => each(steps, &mut slots, |s, a, _| s[a].square()),
                Op::AddConst => each(steps, &mut slots, |s, a, b| s[a].clone() + constants[b]),
                Op::MulConst => each(steps, &mut slots, |s, a, b| s[a].clone() * constants[b]),
                Op::Const => each(steps, &mut slots, |_, _, b| constants[b].into()),
                Op::Assert(section) => {
                    for step in steps {
                        assert(builder, section, slots[step.a as usize].clone());
                    }
                }
                Op::AssertEq(section) => {
                    for step in steps {
                        let (a, b) =
                            (slots[step.a as usize].clone(), slots[step.b as usize].clone());
                        assert(builder, section, a - b);
                    }
                }
            }
        }
        self.outputs.iter().map(|&slot| slots[slot as usize].clone()).collect()
    }

    fn load<AB: AirBuilder<F = F>>(&self, builder: &AB) -> Vec<AB::Expr> {
        let main = builder.main();
        let fixed = builder.preprocessed();
        let periodic = builder.periodic_values();
        let public = builder.public_values();
        let (row, next) = (main.current_slice(), main.next_slice());
        let (fixed_row, fixed_next): (&[AB::Var], &[AB::Var]) =
            if self.reads_fixed { (fixed.current_slice(), fixed.next_slice()) } else { (&[], &[]) };
        let mut slots = Vec::with_capacity(self.slots);
        slots.extend(self.sources.iter().map(|source| -> AB::Expr {
            match *source {
                Source::Main(index) => row[index].into(),
                Source::MainNext(index) => next[index].into(),
                Source::Fixed(index) => fixed_row[index].into(),
                Source::FixedNext(index) => fixed_next[index].into(),
                Source::Periodic(index) => periodic[index].into(),
                Source::Public(index) => public[index].into(),
            }
        }));
        slots.resize(self.slots, AB::Expr::ZERO);
        slots
    }
}

/// Runs the steps of one operation.
#[inline]
fn each<E>(steps: &[Step], slots: &mut [E], f: impl Fn(&[E], usize, usize) -> E) {
    for step in steps {
        slots[step.target as usize] = f(slots, step.a as usize, step.b as usize);
    }
}

/// Runs the steps of one operation on several blocks.
#[inline]
fn blocks<V: Copy, const B: usize>(
    steps: &[Step],
    slots: &mut [[V; B]],
    f: impl Fn(&[[V; B]], usize, usize, usize) -> V,
) {
    for step in steps {
        let (a, b) = (step.a as usize, step.b as usize);
        slots[step.target as usize] = std::array::from_fn(|i| f(slots, a, b, i));
    }
}

#[inline]
fn assert<AB: AirBuilder>(builder: &mut AB, section: Section, value: AB::Expr) {
    match section {
        Section::Row => builder.assert_zero(value),
        Section::First => builder.when_first_row().assert_zero(value),
        Section::Step => builder.when_transition().assert_zero(value),
        Section::Last => builder.when_last_row().assert_zero(value),
    }
}

/// A node to compute: its operation, and its operands as nodes or constants.
struct Task {
    op: Op,
    a: Option<NodeId>,
    b: Second,
}

enum Second {
    Node(NodeId),
    Constant(u32),
    None,
}

struct Compiler<'a, F, C> {
    chip: &'a Chip,
    constant: C,
    constants: Vec<F>,
    constant_ids: HashMap<u64, u32>,
    /// How many readers of each node are still to come.
    readers: Vec<u32>,
    /// The slot of each computed node.
    places: Vec<Option<u32>>,
    sources: Vec<Source>,
    free: Vec<u32>,
    slots: u32,
    steps: Vec<Step>,
    runs: Vec<Run>,
}

impl<'a, F: Field, C: Fn(u64) -> F> Compiler<'a, F, C> {
    fn new(chip: &'a Chip, constant: C) -> Self {
        Self {
            chip,
            constant,
            constants: Vec::new(),
            constant_ids: HashMap::new(),
            readers: vec![0; chip.graph.len()],
            places: vec![None; chip.graph.len()],
            sources: Vec::new(),
            free: Vec::new(),
            slots: 0,
            steps: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Counts the readers below the roots (a root has one reader more: the rule or the caller), and gives
    /// the cells and public values among them the first slots.
    fn prepare(&mut self, roots: &[NodeId]) {
        let mut stack = roots.to_vec();
        while let Some(node) = stack.pop() {
            self.readers[node.index()] += 1;
            if self.readers[node.index()] == 1 {
                stack.extend(self.chip.graph.node(node).operands());
            }
        }
        let positions = self.chip.positions();
        for (index, node) in self.chip.graph.nodes().iter().enumerate() {
            if self.readers[index] == 0 {
                continue;
            }
            let source = match *node {
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
            self.places[index] = Some(self.slots);
            self.slots += 1;
            self.sources.push(source);
            // A loaded cell keeps its slot: one reader that never comes.
            self.readers[index] += 1;
        }
    }

    fn constant(&mut self, node: NodeId) -> Option<u32> {
        let Node::Const(value) = self.chip.graph.node(node) else { return None };
        let next = self.constants.len() as u32;
        let index = *self.constant_ids.entry(value).or_insert(next);
        if index == next {
            self.constants.push((self.constant)(value));
        }
        Some(index)
    }

    /// Chooses the instruction of a node that is not loaded.
    fn task(&mut self, id: NodeId) -> Task {
        let node = |op, a, b| Task { op, a: Some(a), b: Second::Node(b) };
        let unary = |op, a| Task { op, a: Some(a), b: Second::None };
        match self.chip.graph.node(id) {
            Node::Const(_) => {
                let index = self.constant(id).expect("matched above");
                Task { op: Op::Const, a: None, b: Second::Constant(index) }
            }
            Node::Add(a, b) if a == b => unary(Op::Double, a),
            Node::Mul(a, b) if a == b => unary(Op::Square, a),
            Node::Add(a, b) => match (self.constant(a), self.constant(b)) {
                (_, Some(c)) => Task { op: Op::AddConst, a: Some(a), b: Second::Constant(c) },
                (Some(c), None) => Task { op: Op::AddConst, a: Some(b), b: Second::Constant(c) },
                (None, None) => node(Op::Add, a, b),
            },
            Node::Mul(a, b) => match (self.constant(a), self.constant(b)) {
                (_, Some(c)) if self.constants[c as usize] == F::TWO => unary(Op::Double, a),
                (_, Some(c)) => Task { op: Op::MulConst, a: Some(a), b: Second::Constant(c) },
                (Some(c), None) if self.constants[c as usize] == F::TWO => unary(Op::Double, b),
                (Some(c), None) => Task { op: Op::MulConst, a: Some(b), b: Second::Constant(c) },
                (None, None) => node(Op::Mul, a, b),
            },
            Node::Sub(a, b) => node(Op::Sub, a, b),
            Node::Neg(a) => unary(Op::Neg, a),
            other => unreachable!("the IR verifier lets no {other:?} into a rule or message"),
        }
    }

    /// Computes the roots and all that they need, in runs of one operation.
    fn schedule(&mut self, roots: &[NodeId]) {
        let (order, tasks) = self.pending(roots);
        let position: HashMap<NodeId, usize> =
            order.iter().enumerate().map(|(index, &id)| (id, index)).collect();
        let mut waiting = vec![0_u32; order.len()];
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
        for (index, task) in tasks.iter().enumerate() {
            let second = if let Second::Node(b) = task.b { Some(b) } else { None };
            for operand in task.a.into_iter().chain(second) {
                if let Some(&operand) = position.get(&operand) {
                    waiting[index] += 1;
                    users[operand].push(index);
                }
            }
        }
        let mut ready: Vec<usize> = (0..order.len()).filter(|&i| waiting[i] == 0).collect();
        let mut current: Option<Op> = None;
        while !ready.is_empty() {
            // Stay with the operation of the run; else take the one with the most ready tasks.
            let stay = current.filter(|op| ready.iter().any(|&index| tasks[index].op == *op));
            let op = stay.unwrap_or_else(|| most_frequent(&ready, &tasks));
            current = Some(op);
            let (now, later): (Vec<usize>, Vec<usize>) =
                ready.into_iter().partition(|&index| tasks[index].op == op);
            ready = later;
            for index in now {
                self.compute(order[index], &tasks[index]);
                for &user in &users[index] {
                    waiting[user] -= 1;
                    if waiting[user] == 0 {
                        ready.push(user);
                    }
                }
            }
        }
    }

    /// The nodes below the roots that are still to be computed, operands first.
    fn pending(&mut self, roots: &[NodeId]) -> (Vec<NodeId>, Vec<Task>) {
        let (mut order, mut tasks) = (Vec::new(), Vec::new());
        let mut seen = std::collections::HashSet::new();
        let mut stack: Vec<(NodeId, bool)> =
            roots.iter().rev().map(|&root| (root, false)).collect();
        while let Some((id, done)) = stack.pop() {
            if done {
                let task = self.task(id);
                order.push(id);
                tasks.push(task);
                continue;
            }
            if self.places[id.index()].is_some() || !seen.insert(id) {
                continue;
            }
            stack.push((id, true));
            let task = self.task(id);
            if let Second::Node(b) = task.b {
                stack.push((b, false));
            }
            stack.extend(task.a.map(|a| (a, false)));
        }
        (order, tasks)
    }

    fn compute(&mut self, id: NodeId, task: &Task) {
        let slot = |operand: NodeId, places: &[Option<u32>]| {
            places[operand.index()].expect("operands are scheduled first")
        };
        let a = task.a.map_or(0, |a| slot(a, &self.places));
        let b = match task.b {
            Second::Node(b) => slot(b, &self.places),
            Second::Constant(index) => index,
            Second::None => 0,
        };
        // The result may take an operand's slot: operands are read before it is stored.
        self.release(self.chip.graph.node(id).operands());
        let target = self.allocate();
        self.emit(task.op, target, a, b);
        self.places[id.index()] = Some(target);
    }

    fn slot(&self, node: NodeId) -> u32 {
        self.places[node.index()].expect("scheduled before it is read")
    }

    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    fn emit(&mut self, op: Op, target: u32, a: u32, b: u32) {
        let index = self.steps.len() as u32;
        self.steps.push(Step { target, a, b });
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
            {
                self.free.push(place);
            }
        }
    }

    /// Schedules some rules together, then asserts them in order.
    fn rules(&mut self, rules: &[Rule]) {
        let zero = |side: NodeId| self.chip.graph.node(side) == Node::Const(0);
        let roots: Vec<NodeId> = rules
            .iter()
            .flat_map(|rule| rule.guard.into_iter().chain([rule.left, rule.right]))
            .filter(|&root| !zero(root))
            .collect();
        self.schedule(&roots);
        for rule in rules {
            let sides: Vec<u32> = [rule.left, rule.right]
                .into_iter()
                .filter(|&side| self.chip.graph.node(side) != Node::Const(0))
                .map(|side| self.slot(side))
                .collect();
            let guard = rule.guard.map(|guard| self.slot(guard));
            match (sides.as_slice(), guard) {
                ([], _) => {
                    // The rule `0 = 0` still counts as a constraint.
                    let target = self.allocate();
                    let index = self.zero();
                    self.emit(Op::Const, target, 0, index);
                    self.emit(Op::Assert(rule.section), 0, target, 0);
                    self.free.push(target);
                }
                (&[side], None) => self.emit(Op::Assert(rule.section), 0, side, 0),
                (&[left, right, ..], None) => {
                    self.emit(Op::AssertEq(rule.section), 0, left, right);
                }
                (&[side], Some(guard)) => {
                    let target = self.allocate();
                    self.emit(Op::Mul, target, guard, side);
                    self.emit(Op::Assert(rule.section), 0, target, 0);
                    self.free.push(target);
                }
                (&[left, right, ..], Some(guard)) => {
                    let target = self.allocate();
                    self.emit(Op::Sub, target, left, right);
                    self.emit(Op::Mul, target, guard, target);
                    self.emit(Op::Assert(rule.section), 0, target, 0);
                    self.free.push(target);
                }
            }
            self.release(rule.guard.into_iter().chain([rule.left, rule.right]));
        }
    }

    fn zero(&mut self) -> u32 {
        let next = self.constants.len() as u32;
        let index = *self.constant_ids.entry(0).or_insert(next);
        if index == next {
            self.constants.push(F::ZERO);
        }
        index
    }

    fn finish(self, outputs: Vec<u32>) -> Tape<F> {
        let reads_fixed = self
            .sources
            .iter()
            .any(|source| matches!(source, Source::Fixed(_) | Source::FixedNext(_)));
        Tape {
            sources: self.sources,
            constants: self.constants,
            steps: self.steps,
            runs: self.runs,
            slots: self.slots as usize,
            outputs,
            reads_fixed,
        }
    }
}

fn most_frequent(ready: &[usize], tasks: &[Task]) -> Op {
    let mut ops: Vec<Op> = ready.iter().map(|&index| tasks[index].op).collect();
    ops.sort_unstable();
    ops.chunk_by(|a, b| a == b)
        .max_by_key(|chunk| chunk.len())
        .map(|chunk| chunk[0])
        .expect("something is ready")
}
