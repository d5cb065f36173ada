//! The one AIR of this crate: a recorded chip, evaluated by interpretation.
//!
//! There is a single `impl Air`, so the prover and the verifier are compiled once for all chips. Widths,
//! next-row columns and constraint counts are *derived* from the recording; nothing can be declared
//! wrongly.

use std::borrow::Cow;
use std::sync::Arc;

use chipwright_ir::chip::{Chip, ColumnKind, Interaction, Node, Sign};
use p3_air::{Air, BaseAir};
use p3_field::PrimeField64;
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::dense::RowMajorMatrix;

use crate::tape::Tape;

/// A chip as an AIR over `F`.
#[derive(Clone, Debug)]
pub struct RecordedAir<F> {
    shared: Arc<Shared<F>>,
    /// The contents of the preprocessed columns.
    fixed: Option<Arc<RowMajorMatrix<F>>>,
}

#[derive(Debug)]
struct Shared<F> {
    name: String,
    width: usize,
    fixed_width: usize,
    publics: usize,
    rules: usize,
    main_next: Vec<usize>,
    fixed_next: Vec<usize>,
    periodic: Vec<Vec<F>>,
    tape: Tape<F>,
    messages: Vec<Message<F>>,
}

/// One term, or one exclusive group of terms, of the chip's bus sums.
#[derive(Debug)]
struct Message<F> {
    bus: String,
    /// Per branch: a tape whose outputs are the count (or flag) and the elements.
    branches: Vec<Branch<F>>,
    exclusive: bool,
}

#[derive(Debug)]
struct Branch<F> {
    tape: Tape<F>,
    negative: bool,
    weight: u32,
}

impl<F: PrimeField64> RecordedAir<F> {
    /// Compiles a chip. Its preprocessed columns have no contents.
    ///
    /// The chip is expected to have passed the IR verifier.
    pub fn new(chip: &Chip) -> Self {
        let positions = chip.positions();
        let (mut main_next, mut fixed_next) = (Vec::new(), Vec::new());
        let proven = chip.proven_nodes();
        for (node, proven) in chip.graph.nodes().iter().zip(proven) {
            if let Node::Cell(cell) = node
                && cell.next
                && proven
            {
                let position = positions[cell.column.index()];
                match chip.columns[cell.column.index()].kind {
                    ColumnKind::Fixed => fixed_next.push(position),
                    _ => main_next.push(position),
                }
            }
        }
        for columns in [&mut main_next, &mut fixed_next] {
            columns.sort_unstable();
            columns.dedup();
        }
        Self {
            shared: Arc::new(Shared {
                name: chip.name.clone(),
                width: chip.width(),
                fixed_width: chip.fixed_width(),
                publics: chip.publics.len(),
                rules: chip.rules.len(),
                main_next,
                fixed_next,
                periodic: chip
                    .periodic
                    .iter()
                    .map(|column| column.iter().map(|&value| F::from_u64(value)).collect())
                    .collect(),
                tape: Tape::rules(chip, F::from_u64),
                messages: messages(chip),
            }),
            fixed: None,
        }
    }

    /// The same table with the contents of its preprocessed columns, `[height × fixed width]`.
    #[must_use]
    pub fn with_fixed(&self, fixed: RowMajorMatrix<F>) -> Self {
        Self { shared: Arc::clone(&self.shared), fixed: Some(Arc::new(fixed)) }
    }

    /// The chip's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The preprocessed columns, row by row.
    pub(crate) fn fixed(&self) -> Option<&RowMajorMatrix<F>> {
        self.fixed.as_deref().filter(|fixed| fixed.width > 0)
    }

    /// One period of each periodic column.
    pub(crate) fn periodic(&self) -> &[Vec<F>] {
        &self.shared.periodic
    }
}

/// Groups a chip's interactions into fractions, exclusive ones together, in order of first appearance.
fn messages<F: PrimeField64>(chip: &Chip) -> Vec<Message<F>> {
    let mut messages: Vec<(Option<u32>, Message<F>)> = Vec::new();
    for interaction in &chip.interactions {
        let bus = &chip.ports[interaction.port.index()].bus;
        let branch = branch(chip, interaction);
        let group = interaction.exclusive;
        let open = messages
            .iter_mut()
            .find(|(other, message)| group.is_some() && *other == group && message.bus == *bus);
        match open {
            Some((_, message)) => message.branches.push(branch),
            None => messages.push((
                group,
                Message { bus: bus.clone(), branches: vec![branch], exclusive: group.is_some() },
            )),
        }
    }
    messages.into_iter().map(|(_, message)| message).collect()
}

fn branch<F: PrimeField64>(chip: &Chip, interaction: &Interaction) -> Branch<F> {
    let mut nodes = vec![interaction.count];
    nodes.extend(&interaction.message);
    Branch {
        tape: Tape::values(chip, &nodes, F::from_u64),
        negative: interaction.sign == Sign::Minus,
        weight: interaction.weight,
    }
}

impl<F: PrimeField64> BaseAir<F> for RecordedAir<F> {
    fn width(&self) -> usize {
        self.shared.width
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        self.shared.fixed_width
    }

    fn num_periodic_columns(&self) -> usize {
        self.shared.periodic.len()
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        Cow::Borrowed(&self.shared.periodic)
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        self.shared.main_next.clone()
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        self.shared.fixed_next.clone()
    }

    fn num_constraints(&self) -> Option<usize> {
        Some(self.shared.rules)
    }

    fn num_public_values(&self) -> usize {
        self.shared.publics
    }
}

impl<F: PrimeField64, AB: InteractionBuilder<F = F>> Air<AB> for RecordedAir<F> {
    fn eval(&self, builder: &mut AB) {
        self.shared.tape.run(builder);
        for (index, message) in self.shared.messages.iter().enumerate() {
            // Only recording builders keep interactions; the others drop them unseen, so that after the
            // first one there is no need to compute the rest.
            if index == 1
                && builder.num_global_interactions() + builder.num_exclusive_interactions() == 0
            {
                break;
            }
            message.push(builder);
        }
    }
}

impl<F: PrimeField64> Message<F> {
    fn push<AB: InteractionBuilder<F = F>>(&self, builder: &mut AB) {
        let mut branches = self.branches.iter().map(|branch| {
            let mut values = branch.tape.run(builder).into_iter();
            let count = values.next().expect("the first output is the count");
            (branch, count, values.collect::<Vec<_>>())
        });
        if self.exclusive {
            let branches: Vec<_> = branches
                .map(|(branch, flag, elements)| {
                    (flag, Count::from(if branch.negative { -1 } else { 1 }), elements)
                })
                .collect();
            builder.push_exclusive_interaction(&self.bus, branches);
        } else if let Some((branch, count, elements)) = branches.next() {
            drop(branches);
            let count = if branch.negative { -count } else { count };
            builder.push_interaction(&self.bus, elements, Count::bounded(count, branch.weight));
        }
    }
}
