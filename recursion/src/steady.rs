//! The layout that layers settle on: the cheapest one that holds the verifier of its own proofs.
//!
//! A layer's circuit depends on the layout of the layer below, and so does what is the cheapest layout for it. At each
//! height there may be a layout that reproduces itself, and layers that are laid out greedily may end in a dear one:
//! wide layers make a circuit that is cheapest if it is as wide. So the search keeps one candidate at each height, and
//! always drafts a layer over the cheapest. A candidate that holds its own verifier while it is the cheapest is the one.

use std::rc::Rc;

use chipwright_backend_stark::circuit::{CircuitError, cost_parameters};
use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::{CostParameters, Layout, Tables};

use crate::batch::RecursiveField;
use crate::draft::{Outline, Under};
use crate::keys::Places;
use crate::layer::{LayerError, level_in};

/// The largest number of layers that a search drafts.
const MOST_DRAFTS: usize = 24;

/// What the search knows of a height.
#[derive(Debug)]
struct Candidate {
    cost: usize,
    layout: Layout,
    /// The circuit that the layout is for.
    outline: Rc<Outline>,
    /// The layouts before this one, with the circuits that they were for.
    left: Vec<(Layout, Tables)>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The layout is the cheapest for its circuit.
    Greedy,
    /// The cheapest layouts alternate; this one is for all circuits on the way, and grows until it holds.
    Common,
    /// The layout holds the verifier of its own proofs.
    Holds,
}

/// The layout that the layers over `first` have from some height on, whose keys are in some places of the set. `None` if
/// there is nothing to lay out.
///
/// # Errors
///
/// Fails if a layer cannot be drafted.
pub(crate) fn steady_layout<P: RecursiveField>(
    first: Under<'_, P>,
    places: &Places,
    pair: bool,
    config: &Config,
) -> Result<Option<Layout>, LayerError> {
    let parameters = cost_parameters(config);
    // The candidates for a layer over this one.
    let over = |under: Under<'_, P>| {
        let outline = Rc::new(Outline::over_alike(under, pair, config)?);
        let layouts = outline.layouts()?;
        let fresh = |(cost, layout)| Candidate {
            cost,
            layout,
            outline: Rc::clone(&outline),
            left: Vec::new(),
            state: State::Greedy,
        };
        Ok::<Vec<Candidate>, LayerError>(layouts.into_iter().map(fresh).collect())
    };
    let mut candidates = over(first)?;
    for _ in 0..MOST_DRAFTS {
        let Some(at) = cheapest(&candidates) else { return Ok(None) };
        if candidates[at].state == State::Holds {
            break;
        }
        let candidate = candidates.swap_remove(at);
        let Some(shape) = candidate.outline.shape_in(&candidate.layout)? else { continue };
        // So high or so wide a layer may prove less than the target.
        let Ok(level) = level_in(&shape) else { continue };
        let level = level.least(first.level);
        let above = over(Under { claims: first.claims, shape: &shape, level, places })?;
        let Some(followed) = candidate.follow::<P>(&above, &parameters)? else { continue };
        let holds = followed.state == State::Holds;
        candidates.push(followed);
        if holds {
            // The circuits at the start may be much larger than those over layers of this layout.
            for fresh in above {
                match candidates.iter_mut().find(|other| other.height() == fresh.height()) {
                    Some(other) if other.is_fresh() => *other = fresh,
                    Some(_) => {}
                    None => candidates.push(fresh),
                }
            }
        }
    }
    Ok(cheapest(&candidates).map(|at| candidates.swap_remove(at).layout))
}

fn cheapest(candidates: &[Candidate]) -> Option<usize> {
    let key = |at: &usize| (candidates[*at].cost, candidates[*at].height());
    (0..candidates.len()).min_by_key(key)
}

impl Candidate {
    fn height(&self) -> usize {
        self.layout.log_height
    }

    /// Whether no layer over one of this layout was drafted.
    fn is_fresh(&self) -> bool {
        self.left.is_empty() && self.state == State::Greedy
    }

    /// What becomes of the candidate once it is known what layers over one of this layout look like. Nothing, if the
    /// height is too low for them.
    fn follow<P: RecursiveField>(
        mut self,
        above: &[Self],
        parameters: &CostParameters,
    ) -> Result<Option<Self>, LayerError> {
        let Some(next) = above.iter().find(|next| next.height() == self.height()) else {
            return Ok(None);
        };
        let holds = match self.state {
            State::Common => next.outline.shape_in::<P>(&self.layout)?.is_some(),
            _ => next.layout == self.layout,
        };
        if holds {
            return Ok(Some(Self { state: State::Holds, ..self }));
        }
        if self.state == State::Greedy {
            let tables = self.layout.place(self.outline.tables().clone());
            self.left.push((self.layout, tables));
            let Some(again) = self.left.iter().position(|(layout, _)| *layout == next.layout)
            else {
                let Self { cost, layout, outline, .. } = next;
                let (cost, layout, outline) = (*cost, layout.clone(), Rc::clone(outline));
                return Ok(Some(Self { cost, layout, outline, ..self }));
            };
            self.left.drain(..again);
        }
        self.left.push((next.layout.clone(), next.layout.place(next.outline.tables().clone())));
        let circuits: Vec<&Tables> = self.left.iter().map(|(_, tables)| tables).collect();
        let height = next.height();
        let at_height =
            CostParameters { min_log_height: height, max_log_height: height, ..*parameters };
        let library = next.outline.library();
        let layout =
            Layout::choose_common(&circuits, library, &at_height).map_err(CircuitError::from)?;
        let tables = layout.place(next.outline.tables().clone());
        let cost = layout.cost(&tables, library, parameters).map_err(CircuitError::from)?;
        let (cost, outline) = (cost.total(parameters), Rc::clone(&next.outline));
        Ok(Some(Self { cost, layout, outline, left: self.left, state: State::Common }))
    }
}
