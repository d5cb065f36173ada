//! The chip language: a chip is a table, described by its columns, the rules that its rows obey, the
//! fills that compute its cells, and the messages that it exchanges on buses.
//!
//! A chip's IR is *physical*: it says exactly what is proven. Guards, padding gates and the rules that
//! column types stand for are spelled out as expressions; nothing is left for a backend to add. Its
//! expressions live in one arena ([`Graph`]) in topological order, shared by rules, fills and
//! interactions, so that "the same value" is the same [`NodeId`].
//!
//! ```text
//! chip double over goldilocks^2 {
//!   x: input felt         c0
//!   y: output felt        c1
//!   row {
//!     fill y = x + x
//!     eq y, x + x
//!   }
//! }
//! ```

mod contents;
pub(crate) mod cost;
pub mod counts;
pub mod explain;
mod expression;
mod formula;
pub mod graph;
pub mod interpret;
mod markdown;
mod normalise;
mod outline;
pub mod parse;
pub mod passes;
pub mod print;
mod public;
mod sample;
mod structure;
mod types;
pub mod verify;

use std::fmt;
use std::sync::Arc;

pub use contents::OpenContents;
pub use cost::{CostParameters, MAX_LOG_HEIGHT};
pub use graph::{Graph, IntOp, Node};
pub use public::{Public, StepPart, StepRole};

use crate::Field;

crate::typed_index!(
    /// A node of a chip's expression graph.
    NodeId, "%"
);
crate::typed_index!(
    /// A column of a chip, of any kind: its position in [`Chip::columns`].
    ColumnId, "c"
);
crate::typed_index!(
    /// A public value of a chip: its position in [`Chip::publics`].
    PublicId, "p"
);
crate::typed_index!(
    /// A port of a chip: its position in [`Chip::ports`].
    PortId, "port"
);

/// A chip: columns, rules, fills, and interactions with buses.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    /// The chip's name, `snake_case`.
    pub name: String,
    /// The field that the chip was recorded over.
    pub field: Field,
    /// One sentence or more from the author.
    pub doc: String,
    /// Every row is real: there is no padding, and heights are powers of two.
    pub dense: bool,
    /// The columns as the author declared them, each one or more cells wide.
    pub groups: Vec<Group>,
    /// One entry a cell, in layout order.
    pub columns: Vec<Column>,
    /// The public values, one entry an element.
    pub publics: Vec<Public>,
    /// Where messages go.
    pub ports: Vec<Port>,
    /// The expressions.
    pub graph: Graph,
    /// What must hold.
    pub rules: Vec<Rule>,
    /// How cells are computed, in execution order within each section.
    pub fills: Vec<Fill>,
    /// The messages that a row exchanges.
    pub interactions: Vec<Interaction>,
    /// The contents of the fixed columns, if the chip itself determines them.
    pub fixed: Option<FixedData>,
    /// The contents of the periodic columns, in the order of these columns.
    pub periodic: Vec<Vec<u64>>,
    /// The memory bus whose initial and final contents are this chip's rows, if the chip is the table of
    /// a memory: its [`ColumnKind::Record`] columns are then filled by the machine, one row for each
    /// address that was accessed or has initial contents: address, final time, final value, initial value.
    pub memory_of: Option<String>,
}

/// A column as the author declared it: a name for one or more consecutive cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name of the struct's field, or of the pass or verb that made the column.
    pub name: String,
    /// What the columns are for.
    pub kind: ColumnKind,
    /// The type as text: `u32`, `[bit; 2]`, `one_hot(add, lw, sw)`.
    pub type_name: String,
    /// The first cell.
    pub start: ColumnId,
    /// The number of cells.
    pub len: u32,
    /// The author's doc comment.
    pub doc: String,
    /// Why no rule need determine the cells, if the author declared them free.
    pub free: Option<String>,
    /// Where the column was declared.
    pub location: Option<Location>,
}

/// One cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The cell's name: the group's, with an index where the group has several cells (`sum[0]`).
    pub name: String,
    /// What the column is for.
    pub kind: ColumnKind,
    /// The set that the cell's value is known to lie in on every row.
    pub ty: CellType,
}

/// What a column is for, and who fills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Filled by the chip's own fills.
    Private,
    /// An argument: filled by the caller, and assumed to be of its type.
    Input,
    /// A result: filled by the chip's own fills.
    Output,
    /// Advice from an executor: nothing is assumed of it.
    Record,
    /// Preprocessed: committed once, part of the verifying key.
    Fixed,
    /// Repeats with a period that divides the height; never committed.
    Periodic,
    /// The implicit padding bit: ones, then zeros.
    Real,
    /// How often the row's entry is asked for; counted by the machine.
    Multiplicity,
    /// Made by a verb or a pass.
    Scratch,
}

impl ColumnKind {
    /// Whether the column belongs to the main trace.
    pub const fn is_main(self) -> bool {
        !matches!(self, Self::Fixed | Self::Periodic)
    }
}

/// The set that a cell's value lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CellType {
    /// Any base-field element.
    Felt,
    /// Any base-field element: a coordinate of an extension element. An element's coordinates are
    /// consecutive columns, from 0.
    Coordinate(u8),
    /// An integer below `2^bits`, with `1 ≤ bits ≤ 63`. One bit is a `bit`, eight a `u8`, and so on.
    Bits(u8),
}

impl CellType {
    /// Zero or one.
    pub const BIT: Self = Self::Bits(1);
}

/// A place where the chip exchanges messages with a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name of the struct's field, or of the rule-emitting type (`u16`).
    pub name: String,
    /// The bus. Chips that name the same bus exchange messages.
    pub bus: String,
    /// The chip's role on the bus.
    pub kind: PortKind,
    /// The names and types of the message's elements, in order.
    pub message: Vec<(String, CellType)>,
    /// Where the port was declared.
    pub location: Option<Location>,
}

/// The role of a chip on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PortKind {
    /// Asks a table: every message must be one of the table's entries.
    Lookup,
    /// Is the table: entries with multiplicities.
    Table,
    /// Sends messages, each received exactly once.
    Send,
    /// Receives messages, each sent exactly once.
    Receive,
    /// Sends and receives: the two halves of a memory access.
    Memory,
    /// Puts slots of a witness table on the bus and takes them; counts are signed.
    Witness,
}

impl PortKind {
    /// Whether the bus is a lookup (subset) bus; otherwise it is a permutation (multiset equality) bus.
    pub const fn is_lookup(self) -> bool {
        matches!(self, Self::Lookup | Self::Table)
    }
}

/// A polynomial that vanishes on the rows of a section: `guard · (left − right) = 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rows on which the rule holds.
    pub section: Section,
    /// The product of all conditions, padding gates included. `None`: unconditional.
    pub guard: Option<NodeId>,
    /// The left side.
    pub left: NodeId,
    /// The right side.
    pub right: NodeId,
    /// Who made the rule.
    pub origin: Origin,
    /// The rule's name and source.
    pub label: Label,
}

impl Rule {
    /// The nodes that the rule is about: the guard, if there is one, and both sides.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.guard.into_iter().chain([self.left, self.right])
    }

    /// The polynomial degree, in multiples of the height: section selector, guard and body. `degrees` are
    /// those of the chip's nodes ([`Graph::degrees`]).
    pub fn degree(&self, degrees: &[usize]) -> usize {
        let of = |node: NodeId| degrees[node.index()];
        let body = of(self.left).max(of(self.right));
        body.saturating_add(self.guard.map_or(0, of)).saturating_add(self.section.degree())
    }
}

/// The rows that a rule or a fill speaks of. These are the physical rows of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Every row.
    Row,
    /// The first row.
    First,
    /// Every row but the last, together with the row below it.
    Step,
    /// The last row.
    Last,
}

impl Section {
    /// All sections, in the order of the text form.
    pub const ALL: [Self; 4] = [Self::Row, Self::First, Self::Step, Self::Last];

    /// The degree that the section's selector polynomial adds to a rule, in multiples of the height.
    pub const fn degree(self) -> usize {
        match self {
            Self::Row | Self::Step => 0,
            Self::First | Self::Last => 1,
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Row => "row",
            Self::First => "first",
            Self::Step => "step",
            Self::Last => "last",
        })
    }
}

/// Who made a rule or an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The chip's author.
    Author,
    /// The type of a column.
    Type,
    /// The padding convention.
    Padding,
    /// The chip's interface with its callers.
    Interface,
    /// A pass.
    Pass,
}

/// The name of a rule, and where it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Given by the author with `.named(..)`, or empty.
    pub name: String,
    /// The enclosing scopes, joined by `/`.
    pub scope: String,
    /// Why the rule holds, if the author said so.
    pub because: String,
    /// The source line.
    pub location: Option<Location>,
}

/// A place in a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl From<&'static std::panic::Location<'static>> for Location {
    fn from(place: &'static std::panic::Location<'static>) -> Self {
        Self { file: place.file(), line: place.line(), column: place.column() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A cell relative to the row at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The column.
    pub column: ColumnId,
    /// Whether the cell is on the row below.
    pub next: bool,
}

/// A step of the tape that fills a row.
///
/// A cell that no executed fill sets keeps what the record gave it, or zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// [`Section::Row`], [`Section::First`] (run before the row's own fills on the first real row) or
    /// [`Section::Step`] (run after the row's own fills, when the row below is real too).
    pub section: Section,
    /// Run only where all these are non-zero.
    pub guards: Vec<NodeId>,
    /// What to do.
    pub op: FillOp,
    /// Where it was written.
    pub label: Label,
}

/// What a fill does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FillOp {
    /// `cell := value`. An integer value is reduced.
    Set {
        /// The cell to set.
        cell: Cell,
        /// A field or an integer node.
        value: NodeId,
    },
    /// Cuts the canonical integer of `value` into parts, lowest first; the highest part gets what is
    /// left, cut to its width.
    Split {
        /// The cells, with their widths in bits.
        parts: Vec<(Cell, u8)>,
        /// The field node to cut.
        value: NodeId,
    },
    /// Runs a Rust function.
    Native {
        /// The cells to set, in order.
        cells: Vec<Cell>,
        /// The field nodes whose canonical integers are the arguments.
        inputs: Vec<NodeId>,
        /// The function.
        function: NativeFn,
    },
    /// Asks the machine for the results of the chip that provides the table of `port`.
    Call {
        /// A [`PortKind::Lookup`] port.
        port: PortId,
        /// The arguments: the first elements of the message.
        inputs: Vec<NodeId>,
        /// The results: the remaining elements of the message.
        outputs: Vec<Cell>,
    },
    /// Asks the machine's memory for the previous access to `address`, and records this one.
    Access {
        /// A [`PortKind::Memory`] port.
        port: PortId,
        /// The address.
        address: Vec<NodeId>,
        /// The time of this access.
        time: NodeId,
        /// The value that the access leaves behind; `None` for a read whose value is asked for.
        write: Option<Vec<NodeId>>,
        /// Gets the time of the previous access.
        previous_time: Cell,
        /// Gets the value that the previous access left behind.
        previous_value: Vec<Cell>,
    },
}

/// A Rust function in a fill: from canonical integers to canonical integers.
#[derive(Clone)]
pub struct NativeFn {
    /// The name in dumps.
    pub name: String,
    /// Writes one value per cell. An error is a sentence.
    pub call: NativeCall,
}

/// The type of [`NativeFn::call`].
pub type NativeCall = Arc<dyn Fn(&[u64], &mut [u64]) -> Result<(), String> + Send + Sync>;

impl PartialEq for NativeFn {
    /// Functions are compared by name.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for NativeFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NativeFn({:?})", self.name)
    }
}

/// A message that every row exchanges with a bus, `count` times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Where it goes.
    pub port: PortId,
    /// Whether the message enters the bus's sum with a plus (ask, send) or a minus (give, receive).
    pub sign: Sign,
    /// The elements.
    pub message: Vec<NodeId>,
    /// How often, padding gates included.
    pub count: NodeId,
    /// An upper bound on `count` that the rules enforce; 0 for the entries of a table.
    pub weight: u32,
    /// Interactions of one group exclude each other: on each row at most one has a non-zero `count`,
    /// which is then its flag.
    pub exclusive: Option<u32>,
    /// Who made it.
    pub origin: Origin,
    /// Its name and source.
    pub label: Label,
}

impl Interaction {
    /// The nodes that the interaction is about: the elements, then the count.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.message.iter().copied().chain([self.count])
    }
}

/// The sign of a message in its bus's sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// Asked, or sent.
    Plus,
    /// Given, or received.
    Minus,
}

/// The contents of a chip's fixed columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedData {
    /// One vector a fixed column, in the order of these columns; all of the same length, the number of
    /// real rows. What follows in a higher table says [`Chip::contents`].
    pub columns: Vec<Vec<u64>>,
}

impl FixedData {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }
}

impl Chip {
    /// The columns of a kind, in layout order.
    pub fn columns_of(&self, kind: ColumnKind) -> impl Iterator<Item = ColumnId> + '_ {
        self.columns
            .iter()
            .enumerate()
            .filter(move |(_, column)| column.kind == kind)
            .map(|(index, _)| ColumnId::new(index))
    }

    /// The number of main-trace columns.
    pub fn width(&self) -> usize {
        self.columns.iter().filter(|column| column.kind.is_main()).count()
    }

    /// Whether the chip is wired to the witness table of a circuit. Its fixed columns say what each of its rows is,
    /// and are zero in rows that are nothing.
    pub fn is_wired(&self) -> bool {
        self.ports.iter().any(|port| port.kind == PortKind::Witness)
    }

    /// The number of preprocessed columns.
    pub fn fixed_width(&self) -> usize {
        self.columns_of(ColumnKind::Fixed).count()
    }

    /// The position of each column within its own trace (main, preprocessed or periodic).
    pub fn positions(&self) -> Vec<usize> {
        let (mut main, mut fixed, mut periodic) = (0, 0, 0);
        let next = |counter: &mut usize| std::mem::replace(counter, *counter + 1);
        self.columns
            .iter()
            .map(|column| match column.kind {
                ColumnKind::Fixed => next(&mut fixed),
                ColumnKind::Periodic => next(&mut periodic),
                _ => next(&mut main),
            })
            .collect()
    }

    /// The padding column, if the chip has one.
    pub fn real(&self) -> Option<ColumnId> {
        self.columns_of(ColumnKind::Real).next()
    }

    /// The polynomial degree of a rule, in multiples of the height: section selector, guard and body.
    pub fn rule_degree(&self, rule: &Rule) -> usize {
        rule.degree(&self.graph.degrees(&self.columns))
    }

    /// The largest degree of any rule; interactions are not counted.
    pub fn degree(&self) -> usize {
        let degrees = self.graph.degrees(&self.columns);
        self.rules.iter().map(|rule| rule.degree(&degrees)).max().unwrap_or(0)
    }

    /// Which nodes rules and interactions depend on; the others serve fills alone.
    pub fn proven_nodes(&self) -> Vec<bool> {
        let mut proven = vec![false; self.graph.len()];
        let rules = self.rules.iter().flat_map(Rule::nodes);
        let messages = self.interactions.iter().flat_map(Interaction::nodes);
        for node in rules.chain(messages) {
            proven[node.index()] = true;
        }
        for index in (0..proven.len()).rev() {
            if proven[index] {
                for operand in self.graph.nodes()[index].operands() {
                    proven[operand.index()] = true;
                }
            }
        }
        proven
    }
}
