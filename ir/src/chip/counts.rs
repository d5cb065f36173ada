//! What a chip's own rules prove of the counts of its messages.
//!
//! A bus is a sum over fractions `count / (challenge − message)`, and two things are said of counts that the sum does
//! not show: that a count is at most its [`weight`](Interaction::weight), so that no sum of counts wraps around the
//! field, and that of an [`exclusive`](Interaction::exclusive) group at most one is not zero, which is then one, so that
//! the group is one fraction. Were either untrue, a row could ask for something between its messages, or for one of them
//! a negative number of times. So both are proven, from rules that hold on every row:
//!
//! - a cell is a bit by a rule `b·b = b`, or `b·(b − 1) = 0`;
//! - of several bits at most one is set by a rule whose sum of them is at most one: `a + b + c = real`; of two by a rule
//!   that their product is zero: `a·b = 0`;
//! - a cell has the value of an expression by a rule `cell = expression`;
//! - fixed columns have the values of their type, and counts in fixed columns are within the weight: whoever makes a key
//!   has the contents, and looks ([`fixed_faults`]);
//! - sums, differences and products of what is bounded are bounded.
//!
//! ```text
//! row {
//!   eq a * a, a                     ; a bit
//!   eq b * b, b
//!   eq a + b, 1                     ; exactly one of them
//!   lookup bus(x) times a exclusive 0
//!   lookup bus(y) times b exclusive 0
//! }
//! ```
//!
//! What these do not prove is refused, also where it is true.

mod facts;

use std::collections::BTreeMap;
use std::fmt;

use super::{CellType, Chip, ColumnKind, Interaction, Node, NodeId, PortKind, Sign};
use facts::Facts;

/// A count that is not proven to be what its message says, or contents of a fixed column that are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountFault {
    /// The position of the message among the chip's interactions, if the fault is one of a message.
    pub interaction: Option<usize>,
    /// What is wrong, a sentence without a full stop.
    pub problem: String,
}

impl fmt::Display for CountFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

/// Every count that the chip's rules do not prove to be within its weight, and every group of messages that they do not
/// prove to be exclusive.
///
/// Of a table's entries, which have weight 0, the count may be anything. Entries are messages of a table's port that enter
/// the sum with a minus.
pub fn count_faults(chip: &Chip) -> Vec<CountFault> {
    let mut facts = Facts::of(chip);
    let mut faults = Vec::new();
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, message) in chip.interactions.iter().enumerate() {
        if let Some(group) = message.exclusive {
            groups.entry(group).or_default().push(index);
        } else if !is_entry(chip, message) && fixed_count(chip, message.count).is_none() {
            let most = i64::from(message.weight);
            let within =
                facts.range(message.count).filter(|(low, high)| *low >= 0 && *high <= most);
            if within.is_none() {
                let problem = format!(
                    "no rule says that the count {} of message {index} is from 0 to its weight {most}",
                    chip.formula(message.count)
                );
                faults.push(CountFault { interaction: Some(index), problem });
            }
        }
    }
    for (group, members) in groups {
        faults.extend(group_fault(chip, &mut facts, group, &members));
    }
    faults
}

fn group_fault(
    chip: &Chip,
    facts: &mut Facts<'_>,
    group: u32,
    members: &[usize],
) -> Option<CountFault> {
    let count = |index: usize| chip.interactions[index].count;
    for (place, &index) in members.iter().enumerate() {
        let node = count(index);
        if facts.range(node).is_none_or(|(low, high)| low < 0 || high > 1) {
            let flag = chip.formula(node);
            let problem =
                format!("no rule says that {flag}, a flag of exclusive group {group}, is a bit");
            return Some(CountFault { interaction: Some(index), problem });
        }
        let both = members[..place].iter().find(|other| !facts.exclude(count(**other), node));
        if let Some(&other) = both {
            let (first, second) = (chip.formula(count(other)), chip.formula(node));
            let problem = format!(
                "no rule says that {first} and {second}, flags of exclusive group {group}, are not both set"
            );
            return Some(CountFault { interaction: Some(index), problem });
        }
    }
    None
}

/// Whether a message is an entry of a table, of which any number of copies may be given.
fn is_entry(chip: &Chip, message: &Interaction) -> bool {
    let is_table = chip.ports[message.port.index()].kind == PortKind::Table;
    message.weight == 0 && message.sign == Sign::Minus && is_table
}

/// The fixed column that is a count, and whether with a minus.
fn fixed_count(chip: &Chip, count: NodeId) -> Option<(usize, bool)> {
    let column = |node: NodeId| match chip.graph.node(node) {
        Node::Cell(cell) if chip.columns[cell.column.index()].kind == ColumnKind::Fixed => {
            Some(cell.column.index())
        }
        _ => None,
    };
    match chip.graph.node(count) {
        Node::Neg(of) => column(of).map(|column| (column, true)),
        _ => column(count).map(|column| (column, false)),
    }
}

/// Contents of fixed columns that are not of the column's type, or, where they are counts, not within the weight. Those on
/// the bus of a circuit's witness may be negative: they are the circuit's wiring.
pub fn fixed_faults(chip: &Chip) -> Vec<CountFault> {
    let Some(contents) = &chip.fixed else { return Vec::new() };
    let mut faults = Vec::new();
    let positions = chip.positions();
    let values = |column: usize| contents.columns.get(positions[column]).map_or(&[][..], |c| c);
    for id in chip.columns_of(ColumnKind::Fixed) {
        let column = &chip.columns[id.index()];
        let CellType::Bits(bits) = column.ty else { continue };
        let fits = |value: u64| value.checked_shr(bits.into()).unwrap_or(0) == 0;
        if let Some(value) = values(id.index()).iter().find(|value| !fits(**value)) {
            let (name, ty) = (&column.name, column.ty);
            let problem = format!("fixed column `{name}` holds {value}, which is no {ty}");
            faults.push(CountFault { interaction: None, problem });
        }
    }
    let modulus = chip.field.modulus();
    for (index, message) in chip.interactions.iter().enumerate() {
        let Some((column, minus)) = fixed_count(chip, message.count) else { continue };
        let wiring = chip.ports[message.port.index()].kind == PortKind::Witness;
        let weight = u64::from(message.weight);
        let fits = |value: u64| {
            let negated = if value == 0 { 0 } else { modulus - value };
            let count = if minus { negated } else { value };
            let other = if minus { value } else { negated };
            count <= weight || (wiring && other <= weight)
        };
        if message.exclusive.is_none()
            && !is_entry(chip, message)
            && let Some(value) = values(column).iter().find(|value| !fits(**value))
        {
            let name = &chip.columns[column].name;
            let problem = format!(
                "the count in fixed column `{name}` is {value}, message {index} has weight {weight}"
            );
            faults.push(CountFault { interaction: Some(index), problem });
        }
    }
    faults
}
