//! Which values share a slot.
//!
//! `connect`, `assert_eq` and `assert_zero` cost no row: they unite the classes of their operands, and
//! the operation that would have created the second value becomes a check of the first. What cannot be
//! united is two inputs that are both declared from outside (two publics, a public and a constant):
//! each keeps its slot, and an `eq` row compares them.

use petgraph::unionfind::UnionFind;

use crate::circuit::graph::{Graph, NodeId, Op, Rule, RuleKind};
use crate::circuit::value::Constant;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Why a circuit cannot be lowered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LowerError {
    /// Two different constants are demanded to be equal.
    #[error("the constants {first} and {second} cannot be equal, as {rule} demands")]
    Contradiction {
        /// One constant, with its source.
        first: String,
        /// The other one, with its source.
        second: String,
        /// The rule that brings them together.
        rule: String,
    },
    /// A `connect` makes a value one with another that is computed from it.
    #[error(
        "{rule} connects {first} and {second}, but one of them is computed from the other; \
         `assert_eq` demands such an equation"
    )]
    Cycle {
        /// One value, with its source.
        first: String,
        /// The other one, with its source.
        second: String,
        /// The `connect`.
        rule: String,
    },
    /// The circuit does not pass the verifier.
    #[error("{0}")]
    Invalid(#[from] crate::circuit::verify::VerifierErrors),
}

/// The classes of values that share a slot.
#[derive(Debug)]
pub(super) struct Classes {
    /// The class of each node; `zero` follows the nodes.
    pub(super) of: Vec<u32>,
    /// What is known of each class.
    pub(super) info: Vec<ClassInfo>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ClassInfo {
    /// The first constant of the class.
    pub(super) constant: Option<Constant>,
    /// The first public input of the class.
    pub(super) public: Option<NodeId>,
}

impl Classes {
    pub(super) fn class(&self, node: NodeId) -> usize {
        self.of[node.index()] as usize
    }

    /// The class of the constant 0, if a rule speaks of it.
    pub(super) fn of_graph(graph: &Graph) -> Result<Self, LowerError> {
        let count = graph.len();
        let mut union = UnionFind::<u32>::new(count + 1);
        unite_constants(graph, &mut union);
        check_connections(graph)?;
        for rule in graph.rules() {
            match rule.kind {
                RuleKind::Equal(a, b) | RuleKind::Connect(a, b) => {
                    union.union(a.0, b.0);
                }
                RuleKind::Zero(a) => {
                    union.union(a.0, count as u32);
                }
                RuleKind::Bit(_) => {}
            }
        }
        let mut classes = Self { of: union.into_labeling(), info: Vec::new() };
        classes.info = vec![ClassInfo::default(); count + 1];
        classes.describe(graph)?;
        Ok(classes)
    }

    fn describe(&mut self, graph: &Graph) -> Result<(), LowerError> {
        let zero = self.of[graph.len()] as usize;
        let zero_is_used = graph.rules().iter().any(|rule| matches!(rule.kind, RuleKind::Zero(_)));
        if zero_is_used {
            self.info[zero].constant = Some(Constant::zero());
        }
        let mut sources = HashMap::new();
        for id in graph.ids() {
            let class = self.class(id);
            let info = &mut self.info[class];
            match graph.op(id) {
                Op::Const(constant) => {
                    let value = graph.constant_value(constant).trimmed();
                    match &info.constant {
                        Some(known) if *known != value => {
                            let first = match sources.get(&class) {
                                Some(&source) => describe(graph, source),
                                None => "0".to_owned(),
                            };
                            return Err(LowerError::Contradiction {
                                first,
                                second: describe(graph, id),
                                rule: self.culprit(graph, class, id),
                            });
                        }
                        Some(_) => {}
                        None => info.constant = Some(value),
                    }
                    sources.entry(class).or_insert(id);
                }
                Op::Public(_) => info.public = info.public.or(Some(id)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The rule to name in a contradiction: one that mentions the second constant, else the first one
    /// of the class.
    fn culprit(&self, graph: &Graph, class: usize, constant: NodeId) -> String {
        let of_class = |rule: &&Rule| {
            !matches!(rule.kind, RuleKind::Bit(_))
                && rule.kind.nodes().any(|node| self.class(node) == class)
        };
        let mut rules = graph.rules().iter().filter(of_class);
        let first = rules.clone().next();
        let exact = rules.find(|rule| rule.kind.nodes().any(|node| node == constant));
        exact.or(first).map_or_else(String::new, |rule| describe_rule(graph, rule))
    }
}

fn unite_constants(graph: &Graph, union: &mut UnionFind<u32>) {
    let mut first = HashMap::from([(Constant::zero(), graph.len() as u32)]);
    for id in graph.ids() {
        if let Some(value) = graph.as_constant(id) {
            let known = *first.entry(value.trimmed()).or_insert(id.0);
            union.union(known, id.0);
        }
    }
}

/// Rejects circuits that are not well formed, and connections of a value with one that is computed from
/// it.
pub(in crate::circuit) fn check_connections(graph: &Graph) -> Result<(), LowerError> {
    crate::circuit::verify::verify_structure(graph)?;
    let connected = graph.rules().iter().filter_map(|rule| match rule.kind {
        RuleKind::Connect(a, b) => Some((a, b)),
        _ => None,
    });
    if connected.clone().next().is_none() {
        return Ok(());
    }
    let mut union = UnionFind::<u32>::new(graph.len() + 1);
    unite_constants(graph, &mut union);
    connected.for_each(|(a, b)| {
        union.union(a.0, b.0);
    });
    check_acyclic(graph, &union.into_labeling())
}

/// Rejects connections of a value with one that is computed from it. Values of hints are not computed
/// from their inputs as far as the circuit is concerned, and constants not from anything.
fn check_acyclic(graph: &Graph, class: &[u32]) -> Result<(), LowerError> {
    let count = class.len();
    let mut constant = vec![false; count];
    for id in graph.ids().filter(|&id| graph.as_constant(id).is_some()) {
        constant[class[id.index()] as usize] = true;
    }
    let edges = || {
        graph.ids().filter(|&id| !matches!(graph.op(id), Op::Hint(_))).flat_map(|id| {
            let user = class[id.index()];
            let from = graph.operands(id).to_vec();
            from.into_iter().map(move |operand| (class[operand.index()], user))
        })
    };
    let edges = || edges().filter(|&(from, to)| !constant[from as usize] && !constant[to as usize]);

    // Kahn's algorithm from both ends: what remains lies on a cycle or between two of them.
    let mut remains = vec![true; count];
    for reversed in [false, true] {
        let oriented =
            || edges().map(move |(from, to)| if reversed { (to, from) } else { (from, to) });
        let mut start = vec![0u32; count + 1];
        let mut incoming = vec![0u32; count];
        for (from, to) in oriented() {
            start[from as usize + 1] += 1;
            incoming[to as usize] += u32::from(remains[from as usize]);
        }
        for i in 0..count {
            start[i + 1] += start[i];
        }
        let mut next = start.clone();
        let mut targets = vec![0u32; start[count] as usize];
        for (from, to) in oriented() {
            targets[next[from as usize] as usize] = to;
            next[from as usize] += 1;
        }
        let mut ready: Vec<usize> =
            (0..count).filter(|&c| remains[c] && incoming[c] == 0).collect();
        while let Some(c) = ready.pop() {
            remains[c] = false;
            for &to in &targets[start[c] as usize..start[c + 1] as usize] {
                incoming[to as usize] -= 1;
                if incoming[to as usize] == 0 && remains[to as usize] {
                    ready.push(to as usize);
                }
            }
        }
    }
    let culprit = graph.rules().iter().find_map(|rule| match rule.kind {
        RuleKind::Connect(a, b) if remains[class[a.index()] as usize] => Some((rule, a, b)),
        _ => None,
    });
    match culprit {
        Some((rule, a, b)) => Err(LowerError::Cycle {
            first: describe(graph, a),
            second: describe(graph, b),
            rule: describe_rule(graph, rule),
        }),
        None => Ok(()),
    }
}

/// A value for a message: its name or number, what it is, its source.
pub(super) fn describe(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let mut text = match (graph.names.text(node.label), graph.as_constant(id)) {
        ("", Some(value)) => value.display(graph.field).to_string(),
        ("", None) => id.to_string(),
        (label, Some(value)) => format!("{label} = {}", value.display(graph.field)),
        (label, None) => label.to_owned(),
    };
    if let Some(location) = node.location {
        let _ = write!(text, " ({location})");
    }
    text
}

pub(super) fn describe_rule(graph: &Graph, rule: &Rule) -> String {
    let kind = match rule.kind {
        RuleKind::Zero(_) => "assert_zero",
        RuleKind::Equal(..) => "assert_eq",
        RuleKind::Bit(_) => "assert_bit",
        RuleKind::Connect(..) => "connect",
    };
    let mut text = kind.to_owned();
    let label = graph.names.text(rule.label);
    if !label.is_empty() {
        let _ = write!(text, " \"{label}\"");
    }
    if let Some(location) = rule.location {
        let _ = write!(text, " at {location}");
    }
    text
}
