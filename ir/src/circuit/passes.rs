//! The passes over circuits.
//!
//! | pass | does |
//! |---|---|
//! | [`simplify`] | folds constants, drops neutral elements, turns `a − b = 0` into `a = b` |
//! | [`share_common`] | computes equal expressions once; `a·b` and `b·a` are equal; never hints or calls |
//! | [`fuse`] | turns products that are used once, in a sum, into `mul_add` and `mul_sub` |
//! | [`remove_dead`] | drops what no rule, call or division depends on |
//! | `lower-to-slots`, `lower-to-tables` | see [`lower_to_slots`] and [`lower_to_tables`] |
//!
//! A pass walks a graph once and builds another. All of them first reject a `connect` of a value with
//! one that is computed from it, and then treat `connect` as `assert_eq`: sharing and simplifying could
//! otherwise create the dependency that the author did not write.
//!
//! # Soundness
//!
//! No pass drops a rule unless it holds for every input, and no pass merges rules over different
//! values: two operations that define one slot "backwards" stay two operations, because passes see
//! values, not slots.

mod dead;
mod fuse;
mod rewrite;
mod share;
mod simplify;

pub use dead::remove_dead;
pub use fuse::fuse;
pub use share::share_common;
pub use simplify::simplify;

use super::graph::Graph;
use super::lower::{LowerError, lower_to_slots, lower_to_tables};
use super::parse::Circuit;
use super::slots::Form;
use crate::pass::{Ir, Pass, PassError, Pipeline};

type GraphPass = fn(&Graph) -> Result<Graph, LowerError>;

/// A pass from stage `expr` to stage `expr`.
#[derive(Clone, Copy, Debug)]
pub struct Optimise {
    name: &'static str,
    run: GraphPass,
}

/// The pass [`simplify`].
pub const SIMPLIFY: Optimise = Optimise { name: "simplify", run: simplify };
/// The pass [`share_common`].
pub const SHARE_COMMON: Optimise = Optimise { name: "share-common", run: share_common };
/// The pass [`fuse`].
pub const FUSE: Optimise = Optimise { name: "fuse", run: fuse };
/// The pass [`remove_dead`].
pub const REMOVE_DEAD: Optimise = Optimise { name: "remove-dead", run: remove_dead };
/// The passes from stage `expr` to stage `expr`, in the order in which they run.
pub const OPTIMISATIONS: [Optimise; 4] = [SIMPLIFY, SHARE_COMMON, FUSE, REMOVE_DEAD];

impl Optimise {
    /// Runs the pass on a graph.
    ///
    /// # Errors
    ///
    /// The graph connects a value with one that is computed from it.
    pub fn apply(&self, graph: &Graph) -> Result<Graph, LowerError> {
        (self.run)(graph)
    }
}

impl Pass<Circuit> for Optimise {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, circuit: &Circuit) -> Result<Circuit, PassError> {
        match circuit {
            Circuit::Expr(graph) => Ok(Circuit::Expr(self.apply(graph)?)),
            other => Err(wrong_stage(self.name, "expr", other)),
        }
    }
}

/// The pass [`lower_to_slots`].
#[derive(Clone, Copy, Debug, Default)]
pub struct LowerToSlots(pub Form);

impl Pass<Circuit> for LowerToSlots {
    fn name(&self) -> &'static str {
        "lower-to-slots"
    }

    fn run(&self, circuit: &Circuit) -> Result<Circuit, PassError> {
        match circuit {
            Circuit::Expr(graph) => Ok(Circuit::Slots(lower_to_slots(graph, self.0)?)),
            other => Err(wrong_stage(self.name(), "expr", other)),
        }
    }
}

/// The pass [`lower_to_tables`].
#[derive(Clone, Copy, Debug, Default)]
pub struct LowerToTables;

impl Pass<Circuit> for LowerToTables {
    fn name(&self) -> &'static str {
        "lower-to-tables"
    }

    fn run(&self, circuit: &Circuit) -> Result<Circuit, PassError> {
        match circuit {
            Circuit::Slots(slots) => Ok(Circuit::Tables(lower_to_tables(slots.clone()))),
            other => Err(wrong_stage(self.name(), "slots", other)),
        }
    }
}

fn wrong_stage(pass: &'static str, expected: &'static str, found: &Circuit) -> PassError {
    format!("{pass} takes a circuit of stage {expected}, not of stage {}", found.stage()).into()
}

/// All passes, from the graph as built to tables.
pub fn default_pipeline(form: Form) -> Pipeline<Circuit> {
    optimisations().then(LowerToSlots(form)).then(LowerToTables)
}

/// The passes from stage `expr` to stage `expr`.
pub fn optimisations() -> Pipeline<Circuit> {
    OPTIMISATIONS.into_iter().fold(Pipeline::new(), Pipeline::then)
}

/// The lowering alone: tables of the circuit as it was built.
pub fn lowering(form: Form) -> Pipeline<Circuit> {
    Pipeline::new().then(LowerToSlots(form)).then(LowerToTables)
}

/// A pass by the name it has in texts.
pub fn pass_by_name(name: &str) -> Option<Box<dyn Pass<Circuit>>> {
    if let Some(pass) = OPTIMISATIONS.into_iter().find(|pass| pass.name == name) {
        return Some(Box::new(pass));
    }
    match name {
        "lower-to-slots" => Some(Box::new(LowerToSlots(Form::Fused))),
        "lower-to-tables" => Some(Box::new(LowerToTables)),
        _ => None,
    }
}

impl Ir for Circuit {
    fn verify(&self) -> Result<(), PassError> {
        match self {
            Self::Expr(graph) => super::verify::verify_structure(graph)?,
            Self::Slots(slots) => super::verify::verify_slots(slots)?,
            Self::Tables(tables) => super::verify::verify_tables(tables)?,
        }
        Ok(())
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        match self {
            Self::Expr(graph) => vec![("nodes", graph.len()), ("rules", graph.rules().len())],
            Self::Slots(slots) => vec![("slots", slots.slots.len()), ("rows", slots.rows.len())],
            Self::Tables(tables) => {
                vec![("slots", tables.program.slots.len()), ("rows", tables.row_count())]
            }
        }
    }
}
