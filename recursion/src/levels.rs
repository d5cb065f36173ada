//! Layers upon layers, until they no longer change.
//!
//! The circuit of a layer depends on the shape of the key below it, which is known before the preprocessed columns of that
//! are committed to. So while one layer is committed to, which takes all threads, the next one is drafted, which takes one.

use std::time::{Duration, Instant};

use chipwright_backend_stark::config::Config;

use crate::batch::RecursiveField;
use crate::draft::{Outline, Under};
use crate::keys::Places;
use crate::layer::{Layer, LayerError};
use crate::steady::steady_layout;

/// The layers from a first one on.
#[derive(Debug)]
pub(crate) struct Levels<P: RecursiveField> {
    pub(crate) layers: Vec<Layer<P>>,
    /// Whether the last layer verifies proofs of itself.
    pub(crate) closed: bool,
    /// How long after the layer below each one was ready, from the second on.
    pub(crate) build_times: Vec<Duration>,
}

impl<P: RecursiveField> Levels<P> {
    /// The layers over `first`, which is one of them: `most` at most, fewer if one verifies proofs of itself before.
    /// If `pair` says so, each verifies two proofs.
    ///
    /// # Errors
    ///
    /// Fails if a layer cannot be built.
    pub(crate) fn over(
        first: Layer<P>,
        pair: bool,
        config: &Config,
        most: usize,
    ) -> Result<Self, LayerError> {
        let mut levels = Self { layers: vec![first], closed: false, build_times: Vec::new() };
        if most <= 1 {
            return Ok(levels);
        }
        let claims = levels.layers[0].claims.clone();
        let places = &Places::ANY;
        let steady = steady_layout(levels.layers[0].under(), places, pair, config)?;
        let draft = |below: Under<'_, P>| {
            Outline::over_alike(below, pair, config)?.laid_out::<P>(steady.as_ref())
        };
        let mut start = Instant::now();
        let mut next = draft(levels.layers[0].under())?;
        loop {
            let below = &levels.layers[levels.layers.len() - 1];
            levels.closed = next.is(below);
            if levels.closed || levels.layers.len() == most {
                return Ok(levels);
            }
            let shape = next.shape();
            let under = Under { claims: &claims, shape: &shape, level: next.level(), places };
            let (layer, above) = rayon::join(|| next.compile(), || draft(under));
            levels.layers.push(layer?);
            next = above?;
            levels.build_times.push(start.elapsed());
            start = Instant::now();
        }
    }
}
