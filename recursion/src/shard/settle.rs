//! The layouts of the layers over shards of several kinds.
//!
//! First layers verify proofs of different shapes, so their circuits differ. They all get one layout, the cheapest that holds
//! each of them: their proofs have one shape, and from there on it does not matter of what kinds the shards are. *Joins* then
//! lead from that shape to the one that layers over layers [settle on](crate::steady), where one circuit pairs two proofs of
//! its own.

use chipwright_backend_stark::circuit::{CircuitError, cost_parameters};
use chipwright_backend_stark::config::Config;
use chipwright_ir::circuit::{CostParameters, Layout, Tables};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ShardError;
use super::tree::Bases;
use crate::batch::{BatchShape, ChildKey, RecursiveField};
use crate::draft::{Outline, Under};
use crate::keys::Places;
use crate::layer::{Layer, LayerError};
use crate::steady::steady_layout;

/// The largest number of joins.
const MOST_JOINS: usize = 5;

/// The largest number of levels of the tree over a set of keys.
const MOST_LEVELS: usize = 8;

/// The largest number of layouts that are tried.
const MOST_LAYOUTS: usize = 16;

/// How the layers of a tree are laid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeLayouts {
    /// The layout of all first layers.
    pub first: Layout,
    /// Those of the joins, from the first layers up. The last one is that of the layer that pairs, too.
    pub joins: Vec<Layout>,
}

/// Where the keys of a tree are in its set: the layer that pairs, the last join, the other joins, the first layers.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyPlaces {
    /// The number of levels of the tree over the set.
    pub(super) levels: usize,
    kinds: usize,
}

impl KeyPlaces {
    /// The places for so many kinds.
    pub(super) fn new(kinds: usize) -> Self {
        let all = 1 + MOST_JOINS + kinds;
        let levels = (1..MOST_LEVELS).find(|levels| all <= 1 << (2 * levels));
        Self { levels: levels.unwrap_or(MOST_LEVELS), kinds }
    }

    /// All layers of the common shape.
    fn common(&self) -> Places {
        Places::of(self.levels, 0..2)
    }

    /// The join of this number from the last one on.
    fn join(&self, from_last: usize) -> Places {
        Places::of(self.levels, 1 + from_last..2 + from_last)
    }

    /// All first layers.
    fn firsts(&self) -> Places {
        let before = 1 + MOST_JOINS;
        Places::of(self.levels, before..before + self.kinds)
    }

    /// The keys of the set in the order of their places, with none in those that are not taken.
    pub(super) fn order<T>(pair: T, joins: Vec<T>, firsts: Vec<T>) -> Vec<Option<T>> {
        let mut places: Vec<Option<T>> =
            [pair].into_iter().chain(joins.into_iter().rev()).map(Some).collect();
        places.resize_with(1 + MOST_JOINS, || None);
        places.extend(firsts.into_iter().map(Some));
        places
    }
}

/// The layers above the first ones.
#[derive(Debug)]
pub(crate) struct Upper<P: RecursiveField> {
    /// From the first layers up; the last one has the common shape.
    pub(super) joins: Vec<Layer<P>>,
    /// The layer over two of the common shape, which has that shape itself.
    pub(super) pair: Layer<P>,
}

fn unsettled() -> LayerError {
    LayerError::NoFixedPoint { levels: MOST_JOINS }
}

/// The circuit of a kind's first layer.
pub(super) fn first<P: RecursiveField>(
    bases: &dyn Bases<P>,
    kind: usize,
    config: &Config,
) -> Result<Outline, ShardError> {
    let base = bases.base(kind)?;
    let shape = BatchShape::new(base.key.shape(), base.log_heights).map_err(LayerError::from)?;
    Ok(Outline::over_base::<P>(shape, &ChildKey::of(base.key), &base.claims, config)?)
}

/// The cheapest layout that holds the first layers of all kinds.
///
/// # Errors
///
/// Fails if there are no kinds, or if proofs of one of them cannot be verified in a circuit.
pub(super) fn first_layout<P: RecursiveField>(
    bases: &dyn Bases<P>,
    config: &Config,
) -> Result<Layout, ShardError> {
    // The circuits, with the cost and the height of the cheapest layout of each.
    let outlined = (0..bases.kinds()).into_par_iter().map(|kind| {
        let outline = first(bases, kind, config)?;
        let layouts = outline.layouts()?.into_iter();
        let cheapest = layouts.map(|(cost, layout)| (cost, layout.log_height)).min();
        Ok((outline, cheapest))
    });
    let outlined: Vec<(Outline, _)> = outlined.collect::<Result<_, ShardError>>()?;
    let (outlines, cheapest): (Vec<Outline>, Vec<_>) = outlined.into_iter().unzip();
    // The height at which the dearest one is cheapest.
    let dearest = cheapest.into_iter().max().flatten();
    let (Some((_, log_height)), Some(any)) = (dearest, outlines.first()) else {
        return Err(ShardError::NoKinds);
    };
    let circuits = outlines.iter().map(|outline| outline.tables().clone().free_in_arithmetic());
    let circuits: Vec<Tables> = circuits.collect();
    Ok(Search::new(log_height, config).common(&circuits, any)?)
}

/// The layers above first layers of one shape, with the layouts that are given, or such as they settle on.
///
/// # Errors
///
/// Fails if a layer cannot be built, or if there is no common layout.
pub(super) fn upper<P: RecursiveField>(
    first: Under<'_, P>,
    places: KeyPlaces,
    layouts: Option<&[Layout]>,
    config: &Config,
) -> Result<Upper<P>, LayerError> {
    let firsts = places.firsts();
    let first = Under { places: &firsts, ..first };
    match layouts {
        Some(layouts) => upper_in(first, places, layouts, config),
        None => settle(first, places, config),
    }
}

fn upper_in<P: RecursiveField>(
    first: Under<'_, P>,
    places: KeyPlaces,
    layouts: &[Layout],
    config: &Config,
) -> Result<Upper<P>, LayerError> {
    let mut joins: Vec<Layer<P>> = Vec::new();
    for (number, layout) in layouts.iter().enumerate() {
        let own = places.join(layouts.len() - number);
        let below = joins.last().map_or(first, |join| Under { places: &own, ..join.under() });
        joins.push(Outline::over_alike(below, true, config)?.laid_out(Some(layout))?.compile()?);
    }
    let last = joins.last().ok_or_else(unsettled)?;
    let common = places.common();
    let under = Under { places: &common, ..last.under() };
    let pair = Outline::over_alike(under, true, config)?.laid_out(last.layout())?.compile()?;
    if pair.key().shape().is_like(last.key().shape()) {
        Ok(Upper { joins, pair })
    } else {
        Err(unsettled())
    }
}

fn settle<P: RecursiveField>(
    first: Under<'_, P>,
    places: KeyPlaces,
    config: &Config,
) -> Result<Upper<P>, LayerError> {
    let common = places.common();
    let steady = steady_layout(first, &common, true, config)?.ok_or_else(unsettled)?;
    let search = Search::new(steady.log_height, config);
    // How many joins it takes shows as they are drafted, and so do their places.
    let mut before: Vec<Layout> = Vec::new();
    let (joins, last) = loop {
        let mut joins: Vec<Layer<P>> = Vec::new();
        for (number, layout) in before.iter().enumerate() {
            let own = places.join(1 + before.len() - number);
            let below = joins.last().map_or(first, |join| Under { places: &own, ..join.under() });
            let outline = Outline::over_alike(below, true, config)?;
            joins.push(outline.laid_out(Some(layout))?.compile()?);
        }
        let own = places.join(1);
        let below = joins.last().map_or(first, |join| Under { places: &own, ..join.under() });
        let outline = Outline::over_alike(below, true, config)?;
        if search.is_near(&outline, &steady)? {
            break (joins, outline);
        }
        if before.len() + 2 > MOST_JOINS {
            return Err(unsettled());
        }
        let layouts = outline.layouts()?.into_iter();
        let (_, layout) = layouts.min_by_key(|(cost, _)| *cost).ok_or_else(unsettled)?;
        before.push(layout);
    };
    let level = joins.last().map_or(first.level, Layer::level);
    let mut circuits = vec![search.placed(&last)?];
    for _ in 0..MOST_LAYOUTS {
        let layout = search.common(&circuits, &last)?;
        let shape = last.shape_in::<P>(&layout)?.ok_or_else(unsettled)?;
        let under = Under { claims: first.claims, shape: &shape, level, places: &common };
        let outline = Outline::over_alike(under, true, config)?;
        if outline.shape_in::<P>(&layout)?.is_none() {
            circuits.push(search.placed(&outline)?);
            continue;
        }
        let layouts: Vec<Layout> = before.into_iter().chain([layout]).collect();
        return upper_in(first, places, &layouts, config);
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
