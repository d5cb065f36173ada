//! The statement: everything about a machine that a verifier must know, as data that serialises.
//!
//! A proof says that *these* tables, with these rules and messages, have rows. The statement is the part
//! of a machine that this sentence depends on: names of columns, fills, source lines and the contents of
//! preprocessed columns (which a commitment stands for) are not in it. A verifying key is a statement
//! and that commitment; the BLAKE3 digest of both begins every transcript, so that no challenge of one
//! statement is a challenge of another.

mod error;
mod place;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chipwright_ir::Field;
use chipwright_ir::chip::counts::{count_faults, fixed_faults};
use chipwright_ir::chip::{
    Cell, Chip, Column, ColumnId, FixedData, Graph, Interaction, Label, Node, NodeId, Origin, Port,
    PortId, PortKind, Public, PublicId, Rule, Section, Sign,
};
use chipwright_ir::machine::Machine;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Parameters};

pub use error::StatementError;
use place::Place;

/// What a verifier must know about a machine, but for the preprocessed columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// The field's name.
    field: String,
    /// The name of the configuration.
    config: String,
    /// The proven bits below which proofs are refused.
    target: Option<u32>,
    /// The parameters of the proof system.
    parameters: Parameters,
    /// The tables, in the order of the machine's chips.
    tables: Vec<TableStatement>,
}

/// The rules and messages of one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TableStatement {
    name: String,
    /// The base-2 logarithm of the height, if the preprocessed columns determine it.
    log_height: Option<u8>,
    columns: Vec<Place>,
    publics: u32,
    periodic: Vec<Vec<u64>>,
    nodes: Vec<NodeCode>,
    rules: Vec<RuleCode>,
    messages: Vec<MessageCode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum NodeCode {
    Const(u64),
    Cell(u32, bool),
    Public(u32),
    Add(u32, u32),
    Sub(u32, u32),
    Mul(u32, u32),
    Neg(u32),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RuleCode {
    section: u8,
    guard: Option<u32>,
    left: u32,
    right: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MessageCode {
    bus: String,
    plus: bool,
    elements: Vec<u32>,
    count: u32,
    weight: u32,
    exclusive: Option<u32>,
}

impl Statement {
    /// The statement of a machine under a configuration, checked.
    pub(crate) fn new(machine: &Machine, config: &Config) -> Result<Self, StatementError> {
        config.validate()?;
        if machine.field != config.field {
            return Err(StatementError::Field { machine: machine.field, config: config.field });
        }
        let tables = machine
            .chips
            .iter()
            .map(|chip| TableStatement::new(chip, config))
            .collect::<Result<_, _>>()?;
        let statement = Self {
            field: config.field.to_string(),
            config: config.name.to_string(),
            target: config.target,
            parameters: config.parameters,
            tables,
        };
        statement.check()?;
        Ok(statement)
    }

    /// The configuration.
    pub(crate) fn config(&self) -> Result<Config, StatementError> {
        let field = self.field.parse().map_err(|_| StatementError::Malformed {
            chip: String::new(),
            reason: "its field is unknown",
        })?;
        let config = Config {
            name: self.config.clone().into(),
            field,
            target: self.target,
            parameters: self.parameters,
        };
        config.validate()?;
        Ok(config)
    }

    /// The base-2 logarithms of the heights that the statement determines.
    pub(crate) fn log_heights(&self) -> impl Iterator<Item = Option<usize>> + '_ {
        self.tables.iter().map(|table| table.log_height.map(usize::from))
    }

    /// The digest of the statement and of the commitment to its preprocessed columns.
    pub(crate) fn digest<C: Serialize>(&self, commitment: Option<&C>) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"chipwright statement 1");
        let bytes = postcard::to_allocvec(&(self, commitment)).expect("plain data serialises");
        hasher.update(&bytes);
        *hasher.finalize().as_bytes()
    }

    /// The chips as the verifier sees them: without names, fills and contents.
    pub(crate) fn chips(&self) -> Result<Vec<Chip>, StatementError> {
        let field = self.config()?.field;
        self.tables.iter().map(|table| table.chip(field)).collect()
    }

    /// Everything that the proof system takes for granted about its tables.
    fn check(&self) -> Result<(), StatementError> {
        let config = self.config()?;
        if self.tables.is_empty() {
            return Err(StatementError::Empty);
        }
        let mut widths: BTreeMap<&str, usize> = BTreeMap::new();
        for table in &self.tables {
            let chip = table.chip(config.field)?;
            counts_are_proven(&chip)?;
            table.check_heights(&config)?;
            table.check_degrees(&chip, config.max_degree())?;
            for message in &table.messages {
                let other = message.elements.len();
                let first = *widths.entry(&message.bus).or_insert(other);
                if first != other {
                    let (bus, chip) = (message.bus.clone(), table.name.clone());
                    return Err(StatementError::MessageWidth { bus, first, chip, other });
                }
            }
        }
        Ok(())
    }

    /// Checks a statement that was read from outside.
    pub(crate) fn checked(self) -> Result<Self, StatementError> {
        self.check()?;
        Ok(self)
    }
}

impl TableStatement {
    fn new(chip: &Chip, config: &Config) -> Result<Self, StatementError> {
        let malformed = |reason| StatementError::Malformed { chip: chip.name.clone(), reason };
        let contents = chip.fixed.iter().flat_map(|fixed| &fixed.columns);
        check_canonical(&chip.name, "fixed", contents, config.field)?;
        counts_are_proven(chip)?;
        let log_height = fixed_log_height(chip, config.min_log_height())?;
        let rows = chip.fixed.as_ref().map_or(0, FixedData::rows);
        let height = log_height.map_or(0, |log_height| 1_usize << log_height);
        if rows < height
            && let Some(message) = chip.open_beyond_contents()
        {
            return Err(StatementError::Contents {
                chip: chip.name.clone(),
                rows,
                height,
                message,
            });
        }
        let proven = chip.proven_nodes();
        let mut renumbered = vec![0; chip.graph.len()];
        let mut nodes = Vec::new();
        for (index, node) in chip.graph.nodes().iter().enumerate() {
            if proven[index] {
                let code = NodeCode::of(*node, |operand| renumbered[operand.index()])
                    .ok_or_else(|| malformed("a rule or a message uses an integer node"))?;
                renumbered[index] = nodes.len() as u32;
                nodes.push(code);
            }
        }
        let node = |id: NodeId| renumbered[id.index()];
        let rules = chip.rules.iter().map(|rule| RuleCode {
            section: rule.section as u8,
            guard: rule.guard.map(node),
            left: node(rule.left),
            right: node(rule.right),
        });
        let messages = chip.interactions.iter().map(|message| MessageCode {
            bus: chip.ports[message.port.index()].bus.clone(),
            plus: message.sign == Sign::Plus,
            elements: message.message.iter().copied().map(node).collect(),
            count: node(message.count),
            weight: message.weight,
            exclusive: message.exclusive,
        });
        Ok(Self {
            name: chip.name.clone(),
            log_height,
            columns: chip.columns.iter().map(Place::of).collect(),
            publics: chip.publics.len() as u32,
            periodic: chip.periodic.clone(),
            nodes,
            rules: rules.collect(),
            messages: messages.collect(),
        })
    }

    fn chip(&self, field: Field) -> Result<Chip, StatementError> {
        let malformed = |reason| StatementError::Malformed { chip: self.name.clone(), reason };
        let columns: Vec<Column> = self.columns.iter().map(|place| place.column()).collect();
        let periodic = self.columns.iter().filter(|place| matches!(place, Place::Periodic)).count();
        if self.periodic.len() != periodic {
            return Err(malformed("periodic columns and their contents differ in number"));
        }
        if self.periodic.iter().any(|column| !column.len().is_power_of_two()) {
            return Err(malformed("a period is not a power of two"));
        }
        check_canonical(&self.name, "periodic", &self.periodic, field)?;
        if self.publics > MAX_PUBLICS {
            return Err(malformed("it has more than 2^20 public values"));
        }
        let mut chip = Chip {
            name: self.name.clone(),
            field,
            doc: String::new(),
            dense: false,
            groups: Vec::new(),
            columns,
            publics: vec![Public::new(""); self.publics as usize],
            ports: Vec::new(),
            graph: Graph::new(),
            rules: Vec::new(),
            fills: Vec::new(),
            interactions: Vec::new(),
            fixed: None,
            periodic: self.periodic.clone(),
            memory_of: None,
        };
        for (index, code) in self.nodes.iter().enumerate() {
            let node = code.node();
            if !self.in_range(node, index, field) {
                return Err(malformed("an expression refers to what does not exist"));
            }
            if chip.graph.add(node).index() != index {
                return Err(malformed("an expression appears twice"));
            }
        }
        let exists = |&node: &u32| (node as usize) < self.nodes.len();
        for rule in &self.rules {
            if ![rule.left, rule.right].iter().chain(rule.guard.as_ref()).all(exists) {
                return Err(malformed("a rule refers to an expression that does not exist"));
            }
            let section = Section::ALL
                .into_iter()
                .find(|&section| section as u8 == rule.section)
                .ok_or_else(|| malformed("a rule is in a section that does not exist"))?;
            chip.rules.push(Rule {
                section,
                guard: rule.guard.map(NodeId),
                left: NodeId(rule.left),
                right: NodeId(rule.right),
                origin: Origin::Author,
                label: Label::default(),
            });
        }
        for message in &self.messages {
            if !message.elements.iter().chain([&message.count]).all(exists) {
                return Err(malformed("a message refers to an expression that does not exist"));
            }
            // An entry of a table has no bound on its count, all other messages have.
            let is_entry = !message.plus && message.weight == 0 && message.exclusive.is_none();
            let kind = if is_entry { PortKind::Table } else { PortKind::Send };
            let known =
                chip.ports.iter().position(|port| port.bus == message.bus && port.kind == kind);
            let port = known.unwrap_or(chip.ports.len());
            if known.is_none() {
                chip.ports.push(Port {
                    name: message.bus.clone(),
                    bus: message.bus.clone(),
                    kind,
                    message: Vec::new(),
                    location: None,
                });
            }
            chip.interactions.push(Interaction {
                port: PortId::new(port),
                sign: if message.plus { Sign::Plus } else { Sign::Minus },
                message: message.elements.iter().copied().map(NodeId).collect(),
                count: NodeId(message.count),
                weight: message.weight,
                exclusive: message.exclusive,
                origin: Origin::Author,
                label: Label::default(),
            });
        }
        if chip.width() == 0 {
            return Err(StatementError::NoColumns { chip: self.name.clone() });
        }
        Ok(chip)
    }

    /// Whether a node's operands come before it, and its cell, public value or constant exists.
    fn in_range(&self, node: Node, index: usize, field: Field) -> bool {
        let leaf = match node {
            Node::Const(value) => value < field.modulus(),
            Node::Cell(cell) => self
                .columns
                .get(cell.column.index())
                .is_some_and(|place| !(cell.next && matches!(place, Place::Periodic))),
            Node::Public(public) => public.0 < self.publics,
            _ => true,
        };
        leaf && node.operands().all(|operand| operand.index() < index)
    }

    fn check_heights(&self, config: &Config) -> Result<(), StatementError> {
        let limit = max_log_height(config);
        let fixed = self.columns.iter().any(|place| matches!(place, Place::Fixed(_)));
        if fixed != self.log_height.is_some() {
            return Err(StatementError::Malformed {
                chip: self.name.clone(),
                reason: "a table's height is stated exactly if it has preprocessed columns",
            });
        }
        let periods = || self.periodic.iter().map(|column| column.len().ilog2() as usize);
        let fixed = self.log_height.map(usize::from);
        for log_height in fixed.into_iter().chain(periods()) {
            if log_height > limit {
                return Err(StatementError::Height { chip: self.name.clone(), log_height, limit });
            }
        }
        let least = periods().max().unwrap_or(0).max(config.min_log_height());
        match fixed {
            Some(log_height) if log_height < least => {
                Err(StatementError::TooLow { chip: self.name.clone(), log_height, least })
            }
            _ => Ok(()),
        }
    }

    fn check_degrees(&self, chip: &Chip, limit: usize) -> Result<(), StatementError> {
        let degrees = chip.graph.degrees(&chip.columns);
        for (rule, code) in chip.rules.iter().enumerate() {
            let of = |node: NodeId| degrees[node.index()];
            let degree = code.section.degree()
                + code.guard.map_or(0, of)
                + of(code.left).max(of(code.right));
            if degree > limit {
                return Err(StatementError::Degree {
                    chip: self.name.clone(),
                    rule,
                    degree,
                    limit,
                });
            }
        }
        for (message, code) in chip.interactions.iter().enumerate() {
            // fraction · (challenge − message) = count, or its sum over the branches of a group.
            let elements = code.message.iter().map(|node| degrees[node.index()]).max().unwrap_or(0);
            let flag = if code.exclusive.is_some() { degrees[code.count.index()] } else { 0 };
            let degree = (1 + elements + flag).max(degrees[code.count.index()]);
            if degree > limit {
                return Err(StatementError::MessageDegree {
                    chip: self.name.clone(),
                    bus: chip.ports[code.port.index()].bus.clone(),
                    message,
                    degree,
                    limit,
                });
            }
        }
        Ok(())
    }
}

/// Whether the chip's rules prove what its messages say of their counts, and its fixed columns hold what they say, as far
/// as their contents are known: the rest is in the commitment of a key.
fn counts_are_proven(chip: &Chip) -> Result<(), StatementError> {
    let fault = count_faults(chip).into_iter().chain(fixed_faults(chip)).next();
    fault.map_or(Ok(()), |fault| {
        Err(StatementError::Count { chip: chip.name.clone(), reason: fault.problem })
    })
}

/// The most public values of a table: what a key says takes no more memory than this.
const MAX_PUBLICS: u32 = 1 << 20;

/// Refuses numbers that would be reduced.
fn check_canonical<'a>(
    chip: &str,
    what: &'static str,
    columns: impl IntoIterator<Item = &'a Vec<u64>>,
    field: Field,
) -> Result<(), StatementError> {
    match columns.into_iter().flatten().find(|&&value| value >= field.modulus()) {
        Some(&value) => Err(StatementError::NotCanonical { chip: chip.to_owned(), what, value }),
        None => Ok(()),
    }
}

/// The base-2 logarithm of the tallest table that the field has domains for.
pub(crate) fn max_log_height(config: &Config) -> usize {
    let two_adicity = match config.field {
        Field::KoalaBear4 | Field::KoalaBear5 => 24,
        _ => 32,
    };
    // Quotients live on a domain that may be larger than the committed one, and twice as large in p3's count.
    two_adicity - config.max_log_chunks() - 1
}

/// The base-2 logarithm of the height that a chip's fixed columns determine.
pub(crate) fn fixed_log_height(
    chip: &Chip,
    min_log_height: usize,
) -> Result<Option<u8>, StatementError> {
    let columns = chip.fixed_width();
    if columns == 0 {
        return Ok(None);
    }
    let given = chip.fixed.as_ref().map_or(0, |fixed| {
        fixed.columns.iter().filter(|column| column.len() == fixed.rows()).count()
    });
    if given != columns {
        return Err(StatementError::FixedContents { chip: chip.name.clone(), columns, given });
    }
    let rows = chip.fixed.as_ref().map_or(0, FixedData::rows);
    Ok(Some(rows.next_power_of_two().trailing_zeros().max(min_log_height as u32) as u8))
}

impl NodeCode {
    fn of(node: Node, renumber: impl Fn(NodeId) -> u32) -> Option<Self> {
        Some(match node {
            Node::Const(value) => Self::Const(value),
            Node::Cell(cell) => Self::Cell(cell.column.0, cell.next),
            Node::Public(public) => Self::Public(public.0),
            Node::Add(a, b) => Self::Add(renumber(a), renumber(b)),
            Node::Sub(a, b) => Self::Sub(renumber(a), renumber(b)),
            Node::Mul(a, b) => Self::Mul(renumber(a), renumber(b)),
            Node::Neg(a) => Self::Neg(renumber(a)),
            _ => return None,
        })
    }

    const fn node(self) -> Node {
        match self {
            Self::Const(value) => Node::Const(value),
            Self::Cell(column, next) => Node::Cell(Cell { column: ColumnId(column), next }),
            Self::Public(public) => Node::Public(PublicId(public)),
            Self::Add(a, b) => Node::Add(NodeId(a), NodeId(b)),
            Self::Sub(a, b) => Node::Sub(NodeId(a), NodeId(b)),
            Self::Mul(a, b) => Node::Mul(NodeId(a), NodeId(b)),
            Self::Neg(a) => Node::Neg(NodeId(a)),
        }
    }
}
