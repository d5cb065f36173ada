//! A layer against its verifier as a program: rows and columns against cycles.

use std::error::Error;
use std::fmt;

use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::LayoutCost;
use chipwright_ir::field::Goldilocks2;
use chipwright_recursion::chain::Chain;

use super::run::Cycles;
use super::work::Work;
use crate::{Below, Square};

/// A layer, and the work of one of its runs as a program.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What the layer's circuit costs.
    pub layout: LayoutCost,
    /// What there is to do.
    pub work: Work,
    /// The cycles of the program.
    pub cycles: Cycles,
}

impl Comparison {
    /// The rows of the layer's table.
    pub fn rows(&self) -> u64 {
        1 << self.layout.log_height
    }

    /// The columns that the layer commits to, in base elements.
    pub fn columns(&self) -> u64 {
        self.cells() >> self.layout.log_height
    }

    /// The cells that the layer commits to.
    pub fn cells(&self) -> u64 {
        self.layout.cells as u64
    }
}

/// Compares the steady layer of a configuration with the program: proves a chain of layers over a small circuit up to
/// the one below, and takes the run that verifies that proof.
///
/// # Panics
///
/// Panics if there is no steady layer, or it has no single table.
///
/// # Errors
///
/// Fails if a layer cannot be built or proven, or the program's results are not those of the run.
pub fn compare_steady_layer(config: &Config) -> Result<Comparison, Box<dyn Error>> {
    let square = Square::<Goldilocks2>::new(config);
    let (key, below) = (square.verifier.key(), square.prove());
    let chain = Chain::<Goldilocks2>::new(key, below.log_heights(), &config.for_layers(), 8)?;
    let at = chain.fixed_point_at().expect("the layers reach a fixed point");
    let layer = chain.layer(at);
    let below = Below::climb(&square, &below, chain.keys(), at, 1, |number| chain.layer(number))?;
    let (inputs, _) = below.inputs_above(layer, chain.keys())?;
    let layout = layer.cost()?.layout.expect("layers are laid out in one table");
    let work = Work::of(layer.prover(), &inputs)?;
    let cycles = work.run()?;
    Ok(Comparison { layout, work, cycles })
}

impl fmt::Display for Comparison {
    /// Two Markdown tables: the cycles by part, and the comparison. Cycles are in thousands, as rare cases in arithmetic
    /// depend on the transcript.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, cycles, .. } = self;
        writeln!(f, "| MIPS | calls | thousand cycles |")?;
        writeln!(f, "|---|---|---|")?;
        for (part, calls, cycles) in [
            ("permutations", work.permutations(), cycles.permutations),
            ("opening combinations, by element", work.combined(), cycles.combinations),
            ("other arithmetic", work.operations(), cycles.arithmetic),
        ] {
            writeln!(f, "| {part} | {calls} | {} |", cycles / 1000)?;
        }
        writeln!(f, "| all | | {} |", cycles.total() / 1000)?;
        writeln!(f)?;
        let (all, rest) = (cycles.total(), cycles.without_permutations());
        let (rows, cells) = (self.rows(), self.cells());
        let thousand = |cycles: u64| format!("{} thousand", cycles / 1000);
        writeln!(f, "| | layer | MIPS | ratio | MIPS, permutations free | ratio |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        let (whole, part) = (thousand(all), thousand(rest));
        let mut row = |what: &str, layer: u64| {
            let (more, less) = (all / layer, rest / layer);
            writeln!(f, "| {what} | {layer} | {whole} | {more} | {part} | {less} |")
        };
        row("rows, a cycle each", rows)?;
        row("cells, one a cycle", cells)?;
        writeln!(f, "| columns | {} | 1 or more | | 1 or more | |", self.columns())
    }
}
