//! What the rest of the machine says to the chip under audit.
//!
//! Other chips are taken to be right: a table has the entries of the honest run, and a chip that answers
//! calls answers every call that its own rules admit. Both are asked millions of times, so entries are
//! indexed and answers remembered.

use std::collections::BTreeMap;

use p3_field::PrimeField64;

use crate::chip::interpret::{Program, Rows, Scene, Services, Site, Slots, Tape, canonical};
use crate::chip::{Chip, ColumnKind, Interaction, Node, NodeId, PortId, PortKind, Rule, Section};
use crate::machine::tuples::TupleMap;
use crate::machine::{Machine, MachineTrace};

/// The lookup buses that chips other than the one under audit give entries on.
pub(super) struct Environment<'m, F> {
    machine: &'m Machine,
    sources: BTreeMap<&'m str, Source<'m, F>>,
}

/// Where the entries of a bus come from.
struct Source<'m, F> {
    entries: TupleMap<()>,
    /// The entries in order, to search for one that fits.
    list: Vec<Vec<u64>>,
    /// For each length of arguments asked for, the first entry with these arguments.
    prefixes: BTreeMap<usize, TupleMap<usize>>,
    /// `None` while the chip is being asked.
    callee: Option<Callee<'m, F>>,
    is_called: bool,
}

/// A chip that makes an entry for every tuple of arguments.
struct Callee<'m, F> {
    chip: &'m Chip,
    message: &'m [NodeId],
    inputs: Vec<usize>,
    tape: Tape,
    program: Program,
    slots: Slots<F>,
    answers: TupleMap<Option<Vec<u64>>>,
}

impl<'m, F: PrimeField64> Environment<'m, F> {
    /// The environment of the chip at position `subject`.
    pub(super) fn new(machine: &'m Machine, subject: usize, traces: &[MachineTrace<F>]) -> Self {
        let mut sources: BTreeMap<&'m str, Source<'m, F>> = BTreeMap::new();
        for (index, chip) in machine.chips.iter().enumerate() {
            if index == subject {
                continue;
            }
            for interaction in &chip.interactions {
                let port = &chip.ports[interaction.port.index()];
                if port.kind != PortKind::Table {
                    continue;
                }
                let source = sources.entry(&port.bus).or_insert_with(Source::new);
                match Callee::new(chip, &interaction.message) {
                    Some(callee) => {
                        source.callee = Some(callee);
                        source.is_called = true;
                    }
                    None => source.collect(chip, index, &interaction.message, traces),
                }
            }
        }
        Self { machine, sources }
    }

    /// Whether another chip gives entries on the bus.
    pub(super) fn gives(&self, bus: &str) -> bool {
        self.sources.contains_key(bus)
    }

    /// Whether a tuple is an entry of the bus.
    pub(super) fn has(&mut self, bus: &str, tuple: &[u64]) -> bool {
        let Some(source) = self.sources.get(bus) else { return false };
        if source.entries.get(tuple).is_some() {
            return true;
        }
        let Some(callee) = &source.callee else { return false };
        let inputs = callee.inputs.len();
        tuple.len() >= inputs
            && self.answer(bus, &tuple[..inputs]).is_some_and(|rest| rest == tuple[inputs..])
    }

    /// The elements that follow the arguments in the entry that starts with them.
    pub(super) fn call(&mut self, bus: &str, inputs: &[u64]) -> Option<Vec<u64>> {
        let source = self.sources.get_mut(bus)?;
        if source.is_called {
            return self.answer(bus, inputs);
        }
        let list = &source.list;
        let prefixes = source.prefixes.entry(inputs.len()).or_insert_with(|| {
            let mut first = TupleMap::default();
            for (position, entry) in list.iter().enumerate() {
                first.entry(&entry[..inputs.len().min(entry.len())], || position);
            }
            first
        });
        Some(list[*prefixes.get(inputs)?][inputs.len()..].to_vec())
    }

    /// An entry that agrees with `tuple` where `fixed` says so, and elsewhere as far as possible.
    pub(super) fn complete(
        &mut self,
        bus: &str,
        tuple: &[u64],
        fixed: &[bool],
    ) -> Option<Vec<u64>> {
        let agrees = |entry: &[u64]| {
            (0..entry.len()).all(|position| !fixed[position] || entry[position] == tuple[position])
        };
        let source = self.sources.get(bus)?;
        if let Some(callee) = &source.callee {
            let inputs = callee.inputs.len().min(tuple.len());
            let rest = self.answer(bus, &tuple[..inputs])?;
            let entry = [&tuple[..inputs], &rest].concat();
            return (entry.len() == tuple.len() && agrees(&entry)).then_some(entry);
        }
        let distance = |entry: &&Vec<u64>| {
            entry.iter().zip(tuple).filter(|(given, wanted)| given != wanted).count()
        };
        let fits = |entry: &&Vec<u64>| entry.len() == tuple.len() && agrees(entry);
        source.list.iter().filter(fits).min_by_key(distance).cloned()
    }

    /// The largest value of one element over all entries; `None` if the bus is answered by calls.
    pub(super) fn largest(&self, bus: &str, element: usize) -> Option<u64> {
        let source = self.sources.get(bus).filter(|source| !source.is_called)?;
        source.list.iter().map(|entry| entry.get(element).copied().unwrap_or(0)).max()
    }

    /// Asks the chip that answers calls on the bus: `None` if its rules reject the arguments.
    fn answer(&mut self, bus: &str, inputs: &[u64]) -> Option<Vec<u64>> {
        let source = self.sources.get_mut(bus)?;
        if let Some(known) = source.callee.as_ref()?.answers.get(inputs) {
            return known.clone();
        }
        // A chip that calls itself has no answer.
        let mut callee = source.callee.take()?;
        let answer = callee.answer(self, inputs);
        callee.answers.insert(inputs, answer.clone());
        self.sources.get_mut(bus)?.callee = Some(callee);
        answer
    }

    /// The machine around the chip.
    pub(super) fn machine(&self) -> &'m Machine {
        self.machine
    }
}

impl<'m, F: PrimeField64> Source<'m, F> {
    fn new() -> Self {
        Self {
            entries: TupleMap::default(),
            list: Vec::new(),
            prefixes: BTreeMap::new(),
            callee: None,
            is_called: false,
        }
    }

    /// Takes the entries that the rows of an honest run give.
    fn collect(
        &mut self,
        chip: &'m Chip,
        index: usize,
        message: &'m [NodeId],
        traces: &[MachineTrace<F>],
    ) {
        let program = Program::new(chip, &chip.positions(), message.iter().copied());
        let mut slots = Slots::<F>::new(chip);
        // Fixed entries that see no other column are the same in every run.
        let runs = if only_fixed(chip, message) { 1 } else { traces.len() };
        for trace in &traces[..runs.min(traces.len())] {
            let table = &trace.tables[index];
            let scene = Scene::new(chip, &trace.publics[index]);
            for row in 0..table.real_rows {
                let next = (row + 1) % table.height;
                program.run(&mut slots, &scene.at(row, next), table.row(row), table.row(next));
                let tuple: Vec<u64> =
                    message.iter().map(|node| slots.field(*node).as_canonical_u64()).collect();
                if self.entries.get(&tuple).is_none() {
                    self.entries.insert(&tuple, ());
                    self.list.push(tuple);
                }
            }
        }
    }
}

fn only_fixed(chip: &Chip, message: &[NodeId]) -> bool {
    message.iter().all(|root| {
        let mut pending = vec![*root];
        while let Some(id) = pending.pop() {
            let node = chip.graph.node(id);
            match node {
                Node::Cell(cell) if chip.columns[cell.column.index()].kind.is_main() => {
                    return false;
                }
                Node::Public(_) => return false,
                _ => pending.extend(node.operands()),
            }
        }
        true
    })
}

impl<'m, F: PrimeField64> Callee<'m, F> {
    /// The chip as one that is called, if the message starts with all of its inputs.
    fn new(chip: &'m Chip, message: &'m [NodeId]) -> Option<Self> {
        let tape = Tape::new(chip);
        let input = |node: &NodeId| match chip.graph.node(*node) {
            Node::Cell(cell) if !cell.next => (chip.columns[cell.column.index()].kind
                == ColumnKind::Input)
                .then(|| tape.positions()[cell.column.index()]),
            _ => None,
        };
        let inputs: Vec<usize> = message.iter().map_while(input).collect();
        if inputs.is_empty() || inputs.len() != chip.columns_of(ColumnKind::Input).count() {
            return None;
        }
        let rules = chip.rules.iter().filter(|rule| rule.section == Section::Row);
        let nodes = rules.flat_map(Rule::nodes);
        let messages = chip.interactions.iter().flat_map(Interaction::nodes);
        let program = Program::new(chip, tape.positions(), nodes.chain(messages));
        let answers = TupleMap::default();
        Some(Self { chip, message, inputs, program, slots: Slots::new(chip), answers, tape })
    }

    fn answer(&mut self, environment: &mut Environment<'m, F>, inputs: &[u64]) -> Option<Vec<u64>> {
        let chip = self.chip;
        let mut cells = vec![F::ZERO; chip.width()];
        for (position, value) in self.inputs.iter().zip(inputs) {
            cells[*position] = F::from_u64(*value);
        }
        if let Some(real) = chip.real() {
            cells[self.tape.positions()[real.index()]] = F::ONE;
        }
        let scene = Scene::new(chip, &[]);
        let mut rows = Rows { this: &mut cells, next: &mut [] };
        let mut services = Calls { chip, environment, failed: false };
        self.tape.run(Section::Row, chip, &mut self.slots, &scene, &mut rows, &[], &mut services);
        if services.failed {
            return None;
        }
        self.program.run(&mut self.slots, &scene, &cells, &[]);
        let slots = &self.slots;
        let holds = chip.rules.iter().filter(|rule| rule.section == Section::Row).all(|rule| {
            rule.guard.is_some_and(|guard| slots.field(guard).is_zero())
                || slots.field(rule.left) == slots.field(rule.right)
        });
        let admitted = holds
            && chip.interactions.iter().all(|interaction| {
                let port = &chip.ports[interaction.port.index()];
                if port.kind != PortKind::Lookup || slots.field(interaction.count).is_zero() {
                    return true;
                }
                let tuple: Vec<F> =
                    interaction.message.iter().map(|node| slots.field(*node)).collect();
                !environment.gives(&port.bus) || environment.has(&port.bus, &canonical(&tuple))
            });
        let output = |node: &NodeId| slots.field(*node).as_canonical_u64();
        admitted.then(|| self.message[self.inputs.len()..].iter().map(output).collect())
    }
}

/// Answers the calls of a called chip.
struct Calls<'a, 'm, F> {
    chip: &'m Chip,
    environment: &'a mut Environment<'m, F>,
    failed: bool,
}

impl<F: PrimeField64> Services for Calls<'_, '_, F> {
    fn call(&mut self, _: Site, port: PortId, inputs: &[u64], outputs: &mut [u64]) -> bool {
        let bus = &self.chip.ports[port.index()].bus;
        match self.environment.call(bus, inputs) {
            Some(answer) if answer.len() == outputs.len() => {
                outputs.copy_from_slice(&answer);
                true
            }
            _ => {
                self.failed = true;
                false
            }
        }
    }

    fn access(
        &mut self,
        _: Site,
        _: PortId,
        _: &[u64],
        _: u64,
        _: Option<&[u64]>,
        _: &mut [u64],
    ) -> Option<u64> {
        self.failed = true;
        None
    }

    fn native_failed(&mut self, _: Site, _: String) {
        self.failed = true;
    }
}
