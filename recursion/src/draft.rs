//! Layers over layers before anything is committed to: first their circuit, then its layout.
//!
//! A circuit that verifies proofs depends on the shape of their key, not on the key, so layers can be drafted over
//! drafts. That is how the [layout that they settle on](crate::steady) is found.

use std::mem::discriminant;
use std::sync::Arc;

use chipwright_backend_stark::circuit::{CircuitError, PlacedCircuit, cost_parameters};
use chipwright_backend_stark::config::Config;
use chipwright_backend_stark::key::KeyShape;
use chipwright_dsl::circuit::{BitTarget, BuiltCircuit, DataTarget, Target};
use chipwright_ir::circuit::{Layout, Library, Tables};

use crate::batch::{BatchShape, ChildKey, ProofData, RecursiveField, verify_batch};
use crate::claims::{Claims, join_targets};
use crate::keys::{Places, member};
use crate::layer::{Below, Layer, LayerError, Publics, builder, heights, level_in};
use crate::level::Level;

/// What a layer needs to know of one below it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Under<'a, P: RecursiveField> {
    pub(crate) claims: &'a Claims,
    pub(crate) shape: &'a KeyShape<P>,
    /// What its proofs are worth.
    pub(crate) level: Level,
    /// Where its key is in the set, and those of other layers of the same shape.
    pub(crate) places: &'a Places,
}

/// A layer before its circuit is laid out.
#[derive(Debug)]
pub(crate) struct Outline {
    claims: Claims,
    below: Below,
    data: Vec<ProofData>,
    keys: Vec<Option<DataTarget>>,
    circuit: BuiltCircuit,
    config: Config,
    /// The least level of what is below.
    level: Level,
}

/// A layer before its preprocessed columns are committed to.
#[derive(Debug)]
pub(crate) struct Draft<P: RecursiveField> {
    claims: Claims,
    below: Below,
    data: Vec<ProofData>,
    keys: Vec<Option<DataTarget>>,
    circuit: PlacedCircuit,
    shape: Arc<KeyShape<P>>,
    level: Level,
}

impl Outline {
    /// A first layer: over proofs of a shape, under a key that is a constant of the circuit.
    pub(crate) fn over_base<P: RecursiveField>(
        shape: BatchShape,
        key: &ChildKey<P::Base>,
        claims: &Claims,
        config: &Config,
    ) -> Result<Self, LayerError> {
        let level = shape.level();
        level.require(config)?;
        let mut builder = builder(P::FIELD);
        let own = Publics::declare(&mut builder, claims);
        let child = key.constant(&mut builder);
        let values: Vec<Vec<Target>> = shape
            .publics()
            .map(|count| (0..count).map(|_| builder.add_private_input()).collect())
            .collect();
        let data = verify_batch::<P>(&mut builder, &shape, &child, &values)?;
        let claim = claims.of_targets(&mut builder, &values.concat())?;
        own.assert_claim(&mut builder, &claim);
        let circuit = builder.build()?;
        let (claims, below) = (claims.clone(), Below::Base(Box::new(shape)));
        let (data, keys) = (vec![data], Vec::new());
        Ok(Self { claims, below, data, keys, circuit, config: config.clone(), level })
    }

    /// A layer over a single one or, if `pair` says so, over two of its shape.
    pub(crate) fn over_alike<P: RecursiveField>(
        below: Under<'_, P>,
        pair: bool,
        config: &Config,
    ) -> Result<Self, LayerError> {
        let layers = [below; 2];
        Self::over(if pair { &layers } else { &layers[..1] }, pair, config)
    }

    /// A layer over layers. If `pair` says so these are two of one shape, and the second proof need not count.
    pub(crate) fn over<P: RecursiveField>(
        layers: &[Under<'_, P>],
        pair: bool,
        config: &Config,
    ) -> Result<Self, LayerError> {
        let Some(first) = layers.first() else {
            return Err(LayerError::Children { expected: 1, got: 0 });
        };
        let rule = first.claims;
        if layers.iter().any(|layer| discriminant(layer.claims) != discriminant(rule)) {
            return Err(LayerError::Mixed);
        }
        let level = layers.iter().fold(Level::NOTHING, |least, layer| least.least(layer.level));
        level.require(config)?;
        let mut builder = builder(P::FIELD);
        let own = Publics::declare(&mut builder, rule);
        let mut shapes = Vec::new();
        let mut data = Vec::new();
        let mut keys = Vec::new();
        let mut claims = Vec::new();
        for &Under { shape: key, places, .. } in layers {
            let shape = BatchShape::new(key, &heights(key)?)?;
            let cap = shape.fixed_cap_elements();
            let child = member(&mut builder, &own.keys, cap, places);
            let mut digest =
                || (0..P::SIZES.digest).map(|_| builder.add_private_input()).collect::<Vec<_>>();
            let claim = rule.declare(&mut digest);
            // Only an incomplete proof has a layer above it, and it is about the same set of keys.
            let incomplete = builder.add_const(0);
            let digests = claim.digests();
            let values = own.keys.iter().chain(digests.iter().flatten()).copied();
            let values: Vec<Target> = values.chain([incomplete]).collect();
            let publics: Vec<Vec<Target>> = shape
                .publics()
                .map(|count| if count == values.len() { values.clone() } else { Vec::new() })
                .collect();
            data.push(verify_batch::<P>(&mut builder, &shape, &child.key, &publics)?);
            keys.push(child.data);
            claims.push(claim);
            shapes.push(shape);
        }
        // Whether the second proof counts is the prover's choice.
        let single: Option<BitTarget> = pair.then(|| builder.private());
        let claim = join_targets(&mut builder, &claims, single);
        own.assert_claim(&mut builder, &claim);
        let circuit = builder.build()?;
        let below = Below::Layers { shapes, pair };
        Ok(Self { claims: rule.clone(), below, data, keys, circuit, config: config.clone(), level })
    }

    /// The circuit.
    pub(crate) fn tables(&self) -> &Tables {
        &self.circuit.tables
    }

    /// The chips of the circuit.
    pub(crate) fn library(&self) -> &Library {
        &self.circuit.library
    }

    /// The shape of the layer's key in a layout, if it fits that.
    pub(crate) fn shape_in<P: RecursiveField>(
        &self,
        layout: &Layout,
    ) -> Result<Option<KeyShape<P>>, LayerError> {
        let placed = self.placed(Some(layout))?;
        Ok(placed.map(|placed| placed.shape()).transpose()?)
    }

    /// The layer laid out as it is given if the circuit fits into that, or else as is cheapest at the same height. A layer
    /// as wide and as high as the one below it makes the next layer the same circuit as this one; those that do not fit
    /// yet go the way on which the [search](crate::steady) came to the layout, which it did height by height.
    pub(crate) fn laid_out<P: RecursiveField>(
        self,
        layout: Option<&Layout>,
    ) -> Result<Draft<P>, LayerError> {
        let circuit = match self.placed(layout)? {
            Some(placed) => placed,
            None => self.fused(self.cheapest_as_high_as(layout)?.as_ref())?,
        };
        let shape = Arc::new(circuit.shape()?);
        let level = level_in(&shape)?.least(self.level);
        let Self { claims, below, data, keys, .. } = self;
        Ok(Draft { claims, below, data, keys, circuit, shape, level })
    }

    /// The cheapest layout of each height, with what it costs.
    pub(crate) fn layouts(&self) -> Result<Vec<(usize, Layout)>, LayerError> {
        let parameters = cost_parameters(&self.config);
        Ok(Layout::of_each_height(self.tables(), self.library(), &parameters)
            .map_err(CircuitError::from)?)
    }

    fn cheapest_as_high_as(&self, layout: Option<&Layout>) -> Result<Option<Layout>, LayerError> {
        let height = layout.map(|layout| layout.log_height);
        let mut layouts = self.layouts()?.into_iter().map(|(_, layout)| layout);
        Ok(layouts.find(|layout| Some(layout.log_height) == height))
    }

    fn placed(&self, layout: Option<&Layout>) -> Result<Option<PlacedCircuit>, LayerError> {
        match self.fused(layout) {
            Ok(placed) => Ok(Some(placed)),
            Err(CircuitError::Assemble(_)) if layout.is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn fused(&self, layout: Option<&Layout>) -> Result<PlacedCircuit, CircuitError> {
        PlacedCircuit::fused(self.tables().clone(), self.library(), &self.config, layout)
    }
}

impl<P: RecursiveField> Draft<P> {
    /// The shape of the layer's key.
    pub(crate) fn shape(&self) -> Arc<KeyShape<P>> {
        Arc::clone(&self.shape)
    }

    /// What the layer's proofs will be worth.
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// Commits to the preprocessed columns.
    pub(crate) fn compile(self) -> Result<Layer<P>, LayerError> {
        let Self { claims, below, data, keys, circuit, shape, level } = self;
        let (prover, verifier) = circuit.compile_shaped(shape)?;
        Ok(Layer { claims, below, data, keys, prover, verifier, level })
    }

    /// Whether the draft is that of a layer, which then has the same key: the same machine under the same configuration,
    /// down to the contents of the preprocessed columns.
    pub(crate) fn is(&self, layer: &Layer<P>) -> bool {
        self.shape.config() == layer.key().config()
            && self.circuit.machine() == layer.prover.machine()
    }
}
