//! Layers: circuits that verify one or more proofs, and pass on what these prove.
//!
//! The first layer over a circuit of a user knows that circuit's key and hashes its public values into a *claim*.
//! Every further layer verifies layers: their keys are members of an allowed set, whose root all layers of a
//! tree share. One child's claim is passed on, several claims become one as [`Claims`] says.
//!
//! ```text
//! public values of a layer:  keys[D]  claim[D or 3·D]  complete    with digests of D elements
//! ```
//!
//! Which layer is the last is said by `complete`: a complete proof is not accepted as a child, an incomplete one
//! is not accepted as a result.
//!
//! Who verifies a layer says what it should claim ([`Expected`]), and learns what that is worth ([`Level`]): the least of
//! the layer's level and of all below it. A layer that is to prove more than what it stands on is not built.

use chipwright_backend_stark::circuit::{CircuitError, CircuitProver, CircuitVerifier};
use chipwright_backend_stark::config::{Config, Stark, StarkField};
use chipwright_backend_stark::key::{KeyShape, TableShape, VerifyingKey};
use chipwright_backend_stark::proof::Proof;
use chipwright_chips::recursion::HashSizes;
use chipwright_dsl::circuit::{BitTarget, BuildError, CircuitBuilder, DataTarget, Target};
use chipwright_ir::Field;
use chipwright_ir::circuit::{Inputs, Layout, TableKind};
use p3_field::PrimeField64;

use crate::WitnessError;
use crate::batch::{BatchShape, ChildKey, Digest, ProofData, RecursiveField, ShapeError};
use crate::claims::{Claim, Claims, Expected, StepError, joined};
use crate::draft::{Outline, Under};
use crate::keys::{KeySet, KeySetError, Places};
use crate::level::{InsufficientLevel, Level};
use crate::store::StoreError;
use crate::witness::ProofWitness;

/// What a layer's proof says: for whoever verifies it in another layer. A verifier of the last one does not need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<D> {
    /// The root of the set of keys that layers below may have.
    pub keys: D,
    /// What was proven.
    pub claim: Claim<D>,
    /// Whether this is the last layer.
    pub complete: bool,
}

impl<D: Clone> Statement<D> {
    /// The public values.
    pub fn publics<F: PrimeField64>(&self) -> Vec<F>
    where
        D: AsRef<[F]>,
    {
        let claim = self.claim.digests();
        let digests = [&self.keys].into_iter().chain(&claim).flat_map(AsRef::as_ref).copied();
        digests.chain([F::from_bool(self.complete)]).collect()
    }

    /// The inputs of a run that proves the statement, without the proofs below.
    fn inputs<F: PrimeField64>(&self) -> Inputs
    where
        D: AsRef<[F]>,
    {
        Inputs::publics(self.publics().iter().map(PrimeField64::as_canonical_u64))
    }
}

/// Why a layer cannot be built, proven or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The proofs below cannot be verified in a circuit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The circuit has a mistake.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The circuit cannot be compiled, proven or verified.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// A proof below does not have the shape that the layer verifies.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A key below is not in the set.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// The public values of proofs below are no steps, or the steps do not follow each other.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Layers that claim different kinds of things.
    #[error("the layers below claim facts and steps, one layer joins either the one or the other")]
    Mixed,
    /// The layer is to prove more than what it stands on.
    #[error(transparent)]
    Level(#[from] InsufficientLevel),
    /// A table's height is not fixed by its key.
    #[error("the height of table `{0}` is not fixed by its key")]
    Height(String),
    /// Another number of proofs.
    #[error("the layer verifies {expected} proofs, {got} were given")]
    Children {
        /// How many the layer verifies.
        expected: usize,
        /// How many were given.
        got: usize,
    },
    /// Layers keep changing.
    #[error(
        "the layers still change after {levels} levels; a layout of fixed size would settle them"
    )]
    NoFixedPoint {
        /// How many were tried.
        levels: usize,
    },
    /// A proof cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a layer verifies.
#[derive(Debug)]
pub(crate) enum Below {
    /// One proof under a key that is a constant.
    Base(Box<BatchShape>),
    /// Layers, under keys of the allowed set.
    Layers {
        shapes: Vec<BatchShape>,
        /// Whether there may be a single proof, which then is verified in both places.
        pair: bool,
    },
}

/// A circuit that verifies proofs, compiled.
#[derive(Debug)]
pub struct Layer<P: StarkField> {
    pub(crate) claims: Claims,
    pub(crate) below: Below,
    pub(crate) data: Vec<ProofData>,
    /// The private data of the keys below.
    pub(crate) keys: Vec<Option<DataTarget>>,
    pub(crate) prover: CircuitProver<P>,
    pub(crate) verifier: CircuitVerifier<P>,
    /// The least level of the layer and of what it was built over.
    pub(crate) level: Level,
}

/// A proof below a layer.
#[derive(Debug)]
pub struct Child<'a, P: RecursiveField> {
    /// Its key.
    pub key: &'a VerifyingKey<P>,
    /// What it says.
    pub statement: Statement<Digest<P>>,
    /// The proof.
    pub proof: &'a Proof<P>,
}

/// The public values of a layer in its circuit.
pub(crate) struct Publics {
    pub(crate) keys: Vec<Target>,
    claim: Claim<Vec<Target>>,
}

impl Publics {
    pub(crate) fn declare(builder: &mut CircuitBuilder, claims: &Claims) -> Self {
        let elements = HashSizes::of(builder.field()).digest;
        let mut digest = || (0..elements).map(|_| builder.add_public_input()).collect::<Vec<_>>();
        let publics = Self { keys: digest(), claim: claims.declare(digest) };
        // Whoever proves a layer says whether it is the last; all that the circuit demands is a bit.
        builder.public::<BitTarget>();
        publics
    }

    /// Demands that the layer claims what its proofs claim.
    pub(crate) fn assert_claim(&self, builder: &mut CircuitBuilder, claim: &Claim<Vec<Target>>) {
        let (own, claim) = (self.claim.digests(), claim.digests());
        for (own, claim) in own.iter().flatten().zip(claim.iter().flatten()) {
            builder.assert_eq(*own, *claim).named("claim");
        }
    }
}

impl<P: RecursiveField> Layer<P> {
    /// The first layer over a circuit or a machine: its key is a constant of the layer, and its public values
    /// are hashed into the claim, table by table.
    ///
    /// # Errors
    ///
    /// Fails if proofs of these heights (base-2 logarithms) cannot be verified in a circuit, or prove less than the layer's
    /// target, or if their public values are no steps although they should be.
    pub fn over(
        key: &VerifyingKey<P>,
        log_heights: &[usize],
        claims: &Claims,
        config: &Config,
    ) -> Result<Self, LayerError> {
        Self::over_shape(
            BatchShape::new(key.shape(), log_heights)?,
            &ChildKey::of(key),
            claims,
            config,
        )
    }

    /// The first layer over proofs of any shape, under a key that is a constant of the layer: those of a foreign
    /// AIR, for example.
    ///
    /// # Errors
    ///
    /// Fails if such proofs cannot be verified in a circuit, or prove less than the layer's target.
    pub fn over_shape(
        shape: BatchShape,
        key: &ChildKey<P::Base>,
        claims: &Claims,
        config: &Config,
    ) -> Result<Self, LayerError> {
        P::layer_over_shape(shape, key, claims, config)
    }

    pub(crate) fn over_shape_generic(
        shape: BatchShape,
        key: &ChildKey<P::Base>,
        claims: &Claims,
        config: &Config,
    ) -> Result<Self, LayerError> {
        Outline::over_base::<P>(shape, key, claims, config)?.laid_out(None)?.compile()
    }

    /// A layer over layers: one proof under the key of each, or under keys of the same shape. It has the layout
    /// of the first of them if it fits into that.
    ///
    /// # Errors
    ///
    /// Fails if such proofs cannot be verified in a circuit.
    pub fn above(layers: &[&Self], config: &Config) -> Result<Self, LayerError> {
        P::layer_above(layers, config)
    }

    pub(crate) fn above_generic(layers: &[&Self], config: &Config) -> Result<Self, LayerError> {
        let under: Vec<_> = layers.iter().map(|layer| layer.under()).collect();
        let layout = layers.first().and_then(|first| first.layout());
        Outline::over(&under, false, config)?.laid_out(layout)?.compile()
    }

    /// A layer over two layers of one shape, or over a single one, whose claim it passes on.
    ///
    /// # Errors
    ///
    /// Fails if such proofs cannot be verified in a circuit.
    pub fn pair(layer: &Self, config: &Config) -> Result<Self, LayerError> {
        P::layer_pair(layer, config)
    }

    pub(crate) fn pair_generic(layer: &Self, config: &Config) -> Result<Self, LayerError> {
        Outline::over_alike(layer.under(), true, config)?.laid_out(layer.layout())?.compile()
    }

    /// What a layer over this one needs to know of it.
    pub(crate) fn under(&self) -> Under<'_, P> {
        let places = &Places::ANY;
        Under { claims: &self.claims, shape: self.key().shape(), level: self.level, places }
    }

    /// What the layer's proofs are worth: the least level of its own and of those that it was built over. Other keys of
    /// the same shapes may stand below it, as a [set](KeySet::level) allows.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The key of the layer's proofs.
    pub fn key(&self) -> &VerifyingKey<P> {
        self.verifier.key()
    }

    /// The layout of the layer's circuit.
    pub fn layout(&self) -> Option<&Layout> {
        self.prover.layout()
    }

    /// The compiled circuit.
    pub fn prover(&self) -> &CircuitProver<P> {
        &self.prover
    }

    /// The shapes of the proofs that the layer verifies.
    pub fn shapes(&self) -> Vec<&BatchShape> {
        match &self.below {
            Below::Base(shape) => vec![shape],
            Below::Layers { shapes, .. } => shapes.iter().collect(),
        }
    }

    /// The number of permutations of the hash chip, which hashes for everything that the layer verifies.
    pub fn permutations(&self) -> usize {
        let tables = self.prover.tables().tables.iter();
        let hasher = TableKind::Call("hasher".to_owned());
        tables.filter(|table| table.kind == hasher).map(|table| table.rows.len()).sum()
    }

    /// What a run of a first layer needs: its inputs, and the statement that the proof will make.
    ///
    /// # Errors
    ///
    /// Fails if the layer is not a first one, or the proof does not have its shape. The proof need not be
    /// valid: an invalid one has inputs that do not satisfy the circuit.
    pub fn inputs_over(
        &self,
        key: &VerifyingKey<P>,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
        keys: Digest<P>,
        complete: bool,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        P::inputs_over(self, key, publics, proof, keys, complete)
    }

    pub(crate) fn inputs_over_generic(
        &self,
        key: &VerifyingKey<P>,
        publics: &[Vec<P::Base>],
        proof: &Proof<P>,
        keys: Digest<P>,
        complete: bool,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        self.first_inputs(publics, keys, complete, |shape| shape.witness(key, publics, proof))
    }

    /// [`Self::inputs_over`] for a `p3-uni-stark` proof of a foreign AIR.
    ///
    /// # Errors
    ///
    /// As [`Self::inputs_over`].
    pub fn inputs_over_foreign(
        &self,
        key: &ChildKey<P::Base>,
        publics: &[P::Base],
        proof: &p3_uni_stark::Proof<Stark<P>>,
        keys: Digest<P>,
        complete: bool,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        P::inputs_over_foreign(self, key, publics, proof, keys, complete)
    }

    pub(crate) fn inputs_over_foreign_generic(
        &self,
        key: &ChildKey<P::Base>,
        publics: &[P::Base],
        proof: &p3_uni_stark::Proof<Stark<P>>,
        keys: Digest<P>,
        complete: bool,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        let rows = [publics.to_vec()];
        self.first_inputs(&rows, keys, complete, |shape| {
            shape.single_witness::<P>(key, publics, proof)
        })
    }

    fn first_inputs(
        &self,
        publics: &[Vec<P::Base>],
        keys: Digest<P>,
        complete: bool,
        witness: impl FnOnce(&BatchShape) -> Result<ProofWitness, WitnessError>,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        let Below::Base(shape) = &self.below else {
            return Err(LayerError::Children { expected: self.data.len(), got: 0 });
        };
        let claim = self.claims.of::<P>(&publics.concat())?;
        let statement = Statement { keys, claim, complete };
        let mut inputs = statement.inputs();
        inputs.privates = publics.concat().iter().map(|v| vec![v.as_canonical_u64()]).collect();
        self.data[0].supply(witness(shape)?, &mut inputs.data);
        Ok((inputs, statement))
    }

    /// What a run of a layer over layers needs: its inputs, and the statement that the proof will make.
    ///
    /// # Errors
    ///
    /// Fails if there are too few or too many proofs, a key is not in the set, or a proof does not have the
    /// shape of its place.
    pub fn inputs_above(
        &self,
        children: &[Child<'_, P>],
        keys: &KeySet<Digest<P>>,
        complete: bool,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        P::inputs_above(self, children, keys, complete)
    }

    pub(crate) fn inputs_above_generic(
        &self,
        children: &[Child<'_, P>],
        keys: &KeySet<Digest<P>>,
        complete: bool,
    ) -> Result<(Inputs, Statement<Digest<P>>), LayerError> {
        let Below::Layers { shapes, pair } = &self.below else {
            return Err(LayerError::Children { expected: 0, got: children.len() });
        };
        let single = *pair && children.len() == 1;
        if children.len() != shapes.len() && !single {
            return Err(LayerError::Children { expected: shapes.len(), got: children.len() });
        }
        let claims: Vec<Claim<Digest<P>>> =
            children.iter().map(|child| child.statement.claim).collect();
        let statement = Statement { keys: keys.root(), claim: joined::<P>(&claims)?, complete };
        let mut inputs = statement.inputs();
        for (position, (child, shape)) in children.iter().cycle().zip(shapes).enumerate() {
            let (index, siblings) = keys.path(child.key)?;
            inputs.privates.push(vec![index as u64]);
            let digests = child.statement.claim.digests();
            let digests = digests.iter().flat_map(AsRef::as_ref);
            inputs.privates.extend(digests.map(|value| vec![value.as_canonical_u64()]));
            let values = child.statement.publics();
            let publics: Vec<Vec<P::Base>> = shape
                .publics()
                .map(|count| if count == values.len() { values.clone() } else { Vec::new() })
                .collect();
            let witness = shape.witness(child.key, &publics, child.proof)?;
            self.data[position].supply(witness, &mut inputs.data);
            if let Some(target) = self.keys[position] {
                let elements: Vec<u64> = ChildKey::of(child.key)
                    .elements()
                    .chain(siblings.iter().flat_map(AsRef::as_ref).copied())
                    .map(|v| v.as_canonical_u64())
                    .collect();
                let position = target.position();
                inputs.data.resize(inputs.data.len().max(position + 1), Vec::new());
                inputs.data[position] = elements;
            }
        }
        if *pair {
            inputs.privates.push(vec![u64::from(single)]);
        }
        Ok((inputs, statement))
    }

    /// Proves a run.
    ///
    /// # Errors
    ///
    /// Fails if the inputs do not satisfy the circuit.
    pub fn prove(&self, inputs: &Inputs) -> Result<Proof<P>, LayerError> {
        Ok(self.prover.prove(inputs)?)
    }

    /// Verifies the last proof of a chain or a tree: it is complete, below it are keys of this set alone, and it claims
    /// what is expected. Tells what that is worth.
    ///
    /// # Errors
    ///
    /// Fails if the proof does not prove it, or if it is worth less than the layer's target.
    pub fn verify(
        &self,
        keys: &KeySet<Digest<P>>,
        expected: Expected<Digest<P>>,
        proof: &Proof<P>,
    ) -> Result<Level, LayerError> {
        self.verify_expected(keys, expected, true, proof)
    }

    /// Verifies a proof that is to have a layer above it.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`].
    pub fn verify_incomplete(
        &self,
        keys: &KeySet<Digest<P>>,
        expected: Expected<Digest<P>>,
        proof: &Proof<P>,
    ) -> Result<Level, LayerError> {
        self.verify_expected(keys, expected, false, proof)
    }

    fn verify_expected(
        &self,
        keys: &KeySet<Digest<P>>,
        expected: Expected<Digest<P>>,
        complete: bool,
        proof: &Proof<P>,
    ) -> Result<Level, LayerError> {
        let level = match &self.below {
            Below::Base(_) => self.level,
            Below::Layers { .. } => self.level.least(keys.level()),
        };
        level.require(self.key().config())?;
        self.check(&Statement { keys: keys.root(), claim: expected.claim(), complete }, proof)?;
        Ok(level)
    }

    /// Verifies a proof of a statement that a prover made itself.
    pub(crate) fn check(
        &self,
        statement: &Statement<Digest<P>>,
        proof: &Proof<P>,
    ) -> Result<(), LayerError> {
        let publics: Vec<Vec<u64>> =
            statement.publics().iter().map(|value| vec![value.as_canonical_u64()]).collect();
        Ok(self.verifier.verify(&publics, proof)?)
    }
}

/// The heights that a key fixes.
pub(crate) fn heights<P: RecursiveField>(key: &KeyShape<P>) -> Result<Vec<usize>, LayerError> {
    let height =
        |table: &TableShape| table.log_height.ok_or_else(|| LayerError::Height(table.name.clone()));
    key.tables().iter().map(height).collect()
}

/// The level of proofs under a key of a shape that fixes all heights. A layer of another shape than its configuration was
/// made for may prove less than the target: no layer of it is built.
pub(crate) fn level_in<P: RecursiveField>(key: &KeyShape<P>) -> Result<Level, LayerError> {
    let report = key.admit(&heights(key)?).map_err(ShapeError::from)?;
    Ok(Level::of(&report))
}

pub(crate) fn builder(field: Field) -> CircuitBuilder {
    CircuitBuilder::with_library("layer", chipwright_chips::library(field))
}
