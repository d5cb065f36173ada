//! The layout that the layers of all ladders come to, and the layer that pairs them.
//!
//! Layers over one kind settle on the [cheapest layout that holds its own verifier](crate::steady). Over several kinds that
//! layout has to hold the last rung of each ladder, too, which are circuits over different proofs. So it is the cheapest common
//! layout of them all, and grows with the circuit over layers in it until that fits as well. A kind whose proofs take so much
//! larger a circuit that all others would pay for it gets a rung of its own between.

use chipwright_backend_stark::circuit::{CircuitError, cost_parameters};
use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::{CostParameters, Layout, Tables};

use crate::batch::RecursiveField;
use crate::draft::{Outline, Under};
use crate::keys::Places;
use crate::layer::{Layer, LayerError};
use crate::level::Level;
use crate::steady::steady_layout;

/// The largest number of layers of a ladder.
const MOST_RUNGS: usize = 6;

/// The largest number of levels of the tree over a set of keys.
const MOST_LEVELS: usize = 8;

/// The largest number of layouts that are tried.
const MOST_LAYOUTS: usize = 16;

/// Where the keys of a tree are in its set: the layer that pairs, the last rungs of all ladders, and the others.
#[derive(Debug)]
pub(super) struct KeyPlaces {
    /// The number of levels of the tree over the set.
    pub(super) levels: usize,
    kinds: usize,
    others: usize,
}

impl KeyPlaces {
    /// The places for so many kinds: most ladders have two rungs.
    pub(super) fn new(kinds: usize) -> Self {
        let levels =
            (1..MOST_LEVELS).find(|levels| 3 * kinds < 1 << (2 * levels)).unwrap_or(MOST_LEVELS);
        Self { levels, kinds, others: 0 }
    }

    /// All layers of the common shape.
    fn common(&self) -> Places {
        Places::of(self.levels, 0..1 + self.kinds)
    }

    /// The next of the others.
    fn other(&mut self) -> Places {
        let place = 1 + self.kinds + self.others;
        self.others += 1;
        Places::of(self.levels, place..place + 1)
    }
}

/// The layers over some kinds, all but the first of each.
pub(super) struct Settled<P: RecursiveField> {
    /// By kind, the rungs above the first; the last one has the common shape.
    pub(super) ladders: Vec<Vec<Layer<P>>>,
    /// The layer over two of the common shape, which has that shape itself.
    pub(super) pair: Layer<P>,
}

fn unsettled() -> LayerError {
    LayerError::NoFixedPoint { levels: MOST_RUNGS }
}

/// The layers above the first ones of all kinds.
///
/// # Errors
///
/// Fails if a layer cannot be built, or if there is no common layout.
pub(super) fn settle<P: RecursiveField>(
    firsts: &[Layer<P>],
    places: &mut KeyPlaces,
    config: &Config,
) -> Result<Settled<P>, LayerError> {
    let common = places.common();
    let any = firsts.first().ok_or(LayerError::Children { expected: 1, got: 0 })?;
    let steady = steady_layout(any.under(), &common, true, config)?.ok_or_else(unsettled)?;
    let search = Search::new(steady.log_height, config);
    let mut ladders = Vec::new();
    let mut lasts = Vec::new();
    for first in firsts {
        let mut rungs: Vec<Layer<P>> = Vec::new();
        let last = loop {
            let own = places.other();
            let below = rungs.last().unwrap_or(first);
            let outline =
                Outline::over_alike(Under { places: &own, ..below.under() }, true, config)?;
            if search.is_near(&outline, &steady)? {
                break outline;
            }
            if rungs.len() + 2 >= MOST_RUNGS {
                return Err(unsettled());
            }
            rungs.push(outline.laid_out(None)?.compile()?);
        };
        ladders.push(rungs);
        lasts.push(last);
    }
    let level = firsts.iter().fold(Level::NOTHING, |least, first| least.least(first.level()));
    let mut circuits: Vec<Tables> =
        lasts.iter().map(|last| search.placed(last)).collect::<Result<_, _>>()?;
    for _ in 0..MOST_LAYOUTS {
        let layout = search.common(&circuits, &lasts[0])?;
        let shape = lasts[0].shape_in::<P>(&layout)?.ok_or_else(unsettled)?;
        let under = Under { claims: any.under().claims, shape: &shape, level, places: &common };
        let outline = Outline::over_alike(under, true, config)?;
        if outline.shape_in::<P>(&layout)?.is_none() {
            circuits.push(search.placed(&outline)?);
            continue;
        }
        let pair: Layer<P> = outline.laid_out(Some(&layout))?.compile()?;
        for (ladder, last) in ladders.iter_mut().zip(lasts) {
            let last: Layer<P> = last.laid_out(Some(&layout))?.compile()?;
            if !last.key().shape().is_like(pair.key().shape()) {
                return Err(unsettled());
            }
            ladder.push(last);
        }
        return Ok(Settled { ladders, pair });
    }
    Err(unsettled())
}

/// Layouts of one height.
struct Search {
    log_height: usize,
    parameters: CostParameters,
}

impl Search {
    fn new(log_height: usize, config: &Config) -> Self {
        let parameters = cost_parameters(config);
        let parameters =
            CostParameters { min_log_height: log_height, max_log_height: log_height, ..parameters };
        Self { log_height, parameters }
    }

    /// The cheapest layout of a circuit.
    fn own(&self, outline: &Outline) -> Result<Option<(usize, Layout)>, LayerError> {
        let layouts = outline.layouts()?;
        Ok(layouts.into_iter().find(|(_, layout)| layout.log_height == self.log_height))
    }

    /// Whether a circuit costs not much more than one in a layout, so that the others had rather pay for it.
    fn is_near(&self, outline: &Outline, layout: &Layout) -> Result<bool, LayerError> {
        let Some((_, own)) = self.own(outline)? else { return Ok(false) };
        let lanes = |layout: &Layout| layout.tables.iter().map(|table| table.lanes).sum::<usize>();
        Ok(4 * lanes(&own) <= 5 * lanes(layout) + 4)
    }

    /// A circuit, placed as is cheapest for itself.
    fn placed(&self, outline: &Outline) -> Result<Tables, LayerError> {
        let (_, layout) = self.own(outline)?.ok_or_else(unsettled)?;
        Ok(layout.place(outline.tables().clone()))
    }

    /// The cheapest layout that holds all circuits, whose chips are those of `outline`.
    fn common(&self, circuits: &[Tables], outline: &Outline) -> Result<Layout, LayerError> {
        let circuits: Vec<&Tables> = circuits.iter().collect();
        let layout = Layout::choose_common(&circuits, outline.library(), &self.parameters);
        Ok(layout.map_err(CircuitError::from)?)
    }
}
