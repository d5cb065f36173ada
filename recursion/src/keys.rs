//! Sets of allowed verifying keys, and the hashes that statements are made of.
//!
//! A circuit that verifies proofs under *some* allowed key takes the key as private data and proves that it is a
//! leaf of a Merkle tree whose root is public. So one circuit serves for proofs of all circuits of one shape,
//! itself included: its own key is data, and there is no fixed point of a hash to be found.

use std::ops::Range;

use chipwright_backend_stark::config::SEED;
use chipwright_backend_stark::key::VerifyingKey;
use chipwright_chips::recursion::{HashSizes, RowKind, RowSpec, Script};
use chipwright_dsl::circuit::{AnyTarget, CircuitBuilder, DataTarget, Target};
use p3_field::PrimeCharacteristicRing;
use p3_symmetric::Permutation;

use crate::batch::{ChildKey, Digest, RecursiveField};
use crate::domain::constant;
use crate::layer::Layer;
use crate::level::Level;
use crate::pcs::plant;

/// The number of levels of the tree over the keys of a chain or of a tree over one kind of proof, of four children each.
const LEVELS: usize = 2;

/// The largest number of keys in such a set.
pub const MAX_KEYS: usize = 1 << (2 * LEVELS);

/// Which keys of a set a layer takes for its children, by their places.
///
/// # Soundness
///
/// A layer verifies proofs of one shape: the constraints are constants of its circuit, the preprocessed columns are those
/// of the child's key. A key whose proofs have another shape would be read with constraints that are not its own. So
/// where a set has keys of several shapes, each has its places, and a layer takes those of the shape that it verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// The number of levels of the tree over the set.
    levels: usize,
    /// The places; all of the set, if there are none.
    places: Option<Range<usize>>,
}

impl Places {
    /// Any place of a set of at most [`MAX_KEYS`].
    pub(crate) const ANY: Self = Self { levels: LEVELS, places: None };

    /// Some places of a set with a tree of so many levels.
    pub(crate) fn of(levels: usize, places: Range<usize>) -> Self {
        Self { levels, places: Some(places) }
    }
}

/// A set of layers' verifying keys, by their positions, and the least level of them.
///
/// A proof over layers says that the proofs below are valid under *some* keys of the set, so it is worth no more than
/// the weakest of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet<D> {
    layers: Vec<Vec<D>>,
    level: Level,
}

/// A key that is not in a set, or does not fit into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Too many keys.
    #[error("{got} keys were given, a set has at most {most}")]
    TooMany {
        /// How many.
        got: usize,
        /// The largest number of the set.
        most: usize,
    },
    /// A key is in two places.
    #[error("keys {first} and {second} of the set are the same")]
    Twice {
        /// The one place.
        first: usize,
        /// The other.
        second: usize,
    },
    /// Numbers that are no digest of a key.
    #[error("a key of the set is not named by a digest")]
    NotADigest,
    /// The key is not a member.
    #[error("the verifying key is not one of the allowed set")]
    NotAMember,
}

impl<D: Copy + Default + PartialEq> KeySet<D> {
    /// The set of the keys of some layers.
    ///
    /// # Errors
    ///
    /// Fails if there are more than [`MAX_KEYS`].
    pub fn new<'a, P: RecursiveField<Digest = D>>(
        layers: impl IntoIterator<Item = &'a Layer<P>>,
    ) -> Result<Self, KeySetError> {
        Self::of_keys::<P>(layers.into_iter().map(|layer| (key_digest(layer.key()), layer.level())))
    }

    /// The set of some keys, by their digests and levels.
    fn of_keys<P: RecursiveField<Digest = D>>(
        keys: impl IntoIterator<Item = (D, Level)>,
    ) -> Result<Self, KeySetError> {
        let mut leaves: Vec<D> = Vec::new();
        let mut least = Level::NOTHING;
        for (digest, level) in keys {
            least = least.least(level);
            if !leaves.contains(&digest) {
                leaves.push(digest);
            }
        }
        Self::of_leaves::<P>(leaves, LEVELS, least)
    }

    /// The set of some keys, by their digests and levels, each in its place, with a tree of so many levels. Not all places are
    /// taken.
    ///
    /// # Errors
    ///
    /// Fails if the set has not as many places, or a key is in two of them.
    pub(crate) fn in_places<P: RecursiveField<Digest = D>>(
        keys: impl IntoIterator<Item = Option<(D, Level)>>,
        levels: usize,
    ) -> Result<Self, KeySetError> {
        let mut leaves: Vec<D> = Vec::new();
        let mut least = Level::NOTHING;
        for key in keys {
            let Some((digest, level)) = key else {
                leaves.push(D::default());
                continue;
            };
            least = least.least(level);
            let second = leaves.len();
            if let Some(first) = leaves.iter().position(|leaf| *leaf == digest) {
                return Err(KeySetError::Twice { first, second });
            }
            leaves.push(digest);
        }
        Self::of_leaves::<P>(leaves, levels, least)
    }

    fn of_leaves<P: RecursiveField<Digest = D>>(
        mut leaves: Vec<D>,
        levels: usize,
        level: Level,
    ) -> Result<Self, KeySetError> {
        let most = 1 << (2 * levels);
        if leaves.len() > most {
            return Err(KeySetError::TooMany { got: leaves.len(), most });
        }
        leaves.resize(most, D::default());
        let mut layers = vec![leaves];
        for below in 0..levels {
            let parents = layers[below].chunks_exact(4).map(P::digest_children).collect();
            layers.push(parents);
        }
        Ok(Self { layers, level })
    }

    /// The least level of the set's layers, each with all that it stands on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The number of levels of the tree.
    fn levels(&self) -> usize {
        self.layers.len() - 1
    }

    /// The root of the tree.
    pub fn root(&self) -> D {
        self.layers[self.levels()][0]
    }

    /// The position of a key and the siblings of its path.
    pub(crate) fn path<P: RecursiveField<Digest = D>>(
        &self,
        key: &VerifyingKey<P>,
    ) -> Result<(usize, Vec<D>), KeySetError> {
        let digest = key_digest(key);
        let index = self.layers[0].iter().position(|leaf| *leaf == digest);
        let index = index.ok_or(KeySetError::NotAMember)?;
        let mut siblings = Vec::new();
        for level in 0..self.levels() {
            let node = index >> (2 * level);
            let children = &self.layers[level][node / 4 * 4..node / 4 * 4 + 4];
            let others = children.iter().enumerate().filter(|(place, _)| *place != node % 4);
            siblings.extend(others.map(|(_, &digest)| digest));
        }
        Ok((index, siblings))
    }
}

/// The digest of a node with four children.
pub(crate) fn parent_generic<P: RecursiveField>(children: &[Digest<P>]) -> Digest<P> {
    let mut state = P::State::default();
    let elements = children.iter().flat_map(AsRef::as_ref);
    for (place, &element) in state.as_mut().iter_mut().zip(elements) {
        *place = element;
    }
    P::digest(&P::permutation().permute(state))
}

/// The digest of a key: the hash of its seed and of the commitment to its preprocessed columns, as leaves are hashed.
pub fn key_digest<P: RecursiveField>(key: &VerifyingKey<P>) -> Digest<P> {
    P::digest_key(key)
}

pub(crate) fn key_digest_generic<P: RecursiveField>(key: &VerifyingKey<P>) -> Digest<P> {
    let permutation = P::permutation();
    let mut state = P::State::default();
    let elements: Vec<P::Base> = ChildKey::of(key).elements().collect();
    for chunk in elements.chunks(P::SIZES.rate()) {
        state.as_mut()[..chunk.len()].copy_from_slice(chunk);
        permutation.permute_mut(&mut state);
    }
    P::digest(&state)
}

/// What a digest is of.
///
/// # Soundness
///
/// Digests of different things never mean each other: the eight public values of a proof could otherwise be the
/// claims of two proofs that nobody made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// The public values of a proof below the first layer.
    Publics = 1,
    /// Claims.
    Claims = 2,
    /// What steps have in common.
    Common = 3,
    /// The state before or after a step.
    State = 4,
}

impl Domain {
    /// What the sponge absorbs before `length` elements.
    fn prefix(self, length: usize) -> [usize; 2] {
        [self as usize, length]
    }
}

/// The digest of a list of elements: a sponge that marks how many elements each permutation absorbs, begun with
/// what the elements are and how many.
pub fn digest<P: RecursiveField>(domain: Domain, elements: &[P::Base]) -> Digest<P> {
    P::digest_elements(domain, elements)
}

pub(crate) fn digest_generic<P: RecursiveField>(domain: Domain, elements: &[P::Base]) -> Digest<P> {
    let permutation = P::permutation();
    let rate = P::SIZES.rate();
    let mut state = P::State::default();
    let prefix = domain.prefix(elements.len()).map(P::Base::from_usize);
    for chunk in [&prefix, elements].concat().chunks(rate) {
        let (absorbed, capacity) = state.as_mut().split_at_mut(rate);
        absorbed.fill(P::Base::ZERO);
        absorbed[..chunk.len()].copy_from_slice(chunk);
        capacity[0] += P::Base::from_usize(chunk.len());
        permutation.permute_mut(&mut state);
    }
    P::digest(&state)
}

/// [`digest`] in a circuit.
pub(crate) fn digest_targets(
    builder: &mut CircuitBuilder,
    domain: Domain,
    elements: &[Target],
) -> Vec<Target> {
    let sizes = HashSizes::of(builder.field());
    let prefix = domain.prefix(elements.len());
    let prefix = prefix.map(|value| constant(builder, value as u64));
    let all = [&prefix, elements].concat();
    let mut rows: Vec<RowSpec> = all
        .chunks(sizes.rate())
        .enumerate()
        .map(|(number, chunk)| {
            let kind = if number == 0 { RowKind::Begin } else { RowKind::Absorb };
            RowSpec { read: (1 << chunk.len()) - 1, ..RowSpec::new(kind, chunk.len()) }
        })
        .collect();
    rows.push(RowSpec { written: sizes.mask(0), ..RowSpec::new(RowKind::Echo, 0) });
    let inputs: Vec<AnyTarget> = all.into_iter().map(AnyTarget::from).collect();
    let outputs = builder.call_named(Script { tree: 0, rows }.call(), &inputs).outputs;
    outputs.into_iter().map(|output| builder.as_felt(output)).collect()
}

/// A key that is private data of a circuit, and a member of a set whose root is given.
pub(crate) struct MemberKey {
    pub(crate) key: ChildKey<Target>,
    pub(crate) data: Option<DataTarget>,
}

/// Takes a key with `fixed_cap` elements of its commitment, and proves that it is in one of some places of the set.
///
/// # Soundness
///
/// The elements are created by the call that hashes them, so the key that is used is the key that is in the
/// set. Digests of the empty places of a set are zero: nobody knows elements that hash to zero.
pub(crate) fn member(
    builder: &mut CircuitBuilder,
    root: &[Target],
    fixed_cap: usize,
    places: &Places,
) -> MemberKey {
    let tree = plant(builder, root);
    let index = builder.add_private_input();
    if let Some(allowed) = &places.places {
        assert_among(builder, index, allowed);
    }
    let count = SEED + fixed_cap;
    let rate = HashSizes::of(builder.field()).rate();
    let mut rows: Vec<RowSpec> = (0..count.div_ceil(rate))
        .map(|chunk| {
            let kind = if chunk == 0 { RowKind::Leaf } else { RowKind::LeafNext };
            let taken = rate.min(count - rate * chunk);
            RowSpec { written: (1 << taken) - 1, enter: chunk == 0, ..RowSpec::new(kind, taken) }
        })
        .collect();
    rows.extend(vec![RowSpec::new(RowKind::Parent4, 0); places.levels]);
    if let Some(last) = rows.last_mut() {
        last.end = true;
    }
    // Nothing is combined, wherever the point is.
    let zero = constant(builder, 0);
    let point = builder.lift(zero);
    let inputs = [index.into(), point.into()];
    let called = builder.call_named(Script { tree, rows }.call(), &inputs);
    let elements: Vec<Target> =
        called.outputs.into_iter().map(|output| builder.as_felt(output)).collect();
    let (seed, fixed_cap) = elements.split_at(SEED.min(elements.len()));
    let key = ChildKey { seed: seed.to_vec(), fixed_cap: fixed_cap.to_vec() };
    MemberKey { key, data: called.data }
}

/// Demands that a value is one of a range: it is a root of the polynomial that has all of them.
fn assert_among(builder: &mut CircuitBuilder, value: Target, range: &Range<usize>) {
    let mut product = constant(builder, 1);
    for allowed in range.clone() {
        let allowed = constant(builder, allowed as u64);
        let difference = builder.sub(value, allowed);
        product = builder.mul(product, difference);
    }
    let zero = constant(builder, 0);
    builder.assert_eq(product, zero).named("the key's place");
}

#[cfg(test)]
mod tests {
    use chipwright_backend_stark::config::Config;
    use chipwright_ir::field::Goldilocks2;
    use chipwright_tests::Square;
    use p3_goldilocks::Goldilocks;

    use super::*;
    use crate::claims::Claims;
    use crate::draft::{Outline, Under};
    use crate::layer::{Child, LayerError};

    fn set(
        keys: impl IntoIterator<Item = (u64, u32)>,
    ) -> Result<KeySet<[Goldilocks; 4]>, KeySetError> {
        let key =
            |(name, proven)| ([Goldilocks::from_u64(name); 4], Level { proven, conjectured: 128 });
        KeySet::of_keys::<Goldilocks2>(keys.into_iter().map(key))
    }

    /// The key of a layer, and what it is worth.
    fn named(layer: &Layer<Goldilocks2>) -> ([Goldilocks; 4], Level) {
        (key_digest(layer.key()), layer.level())
    }

    #[test]
    fn a_set_has_sixteen_keys_at_most_however_often_each_is_named() {
        let most = MAX_KEYS as u64;
        let full = set((1..=most).map(|key| (key, 100))).expect("sixteen");
        let twice = set((1..=most).chain(1..=most).map(|key| (key, 100))).expect("sixteen, twice");
        assert_eq!(full, twice);
        let error = set((0..=most).map(|key| (key, 100))).expect_err("seventeen");
        assert_eq!(error, KeySetError::TooMany { got: 17, most: 16 });
    }

    #[test]
    fn a_layer_takes_keys_in_its_own_places_alone() {
        let config = Config::testing();
        let below = Square::<Goldilocks2>::new(&config);
        let (key, proof) = (below.verifier.key(), below.prove());
        let first = Layer::over(key, proof.log_heights(), &Claims::Facts, &config);
        let first = first.expect("a layer");
        let above = |places: Range<usize>| {
            let under = Under { places: &Places::of(1, places), ..first.under() };
            let outline = Outline::over_alike(under, false, &config).expect("a circuit");
            let draft = outline.laid_out::<Goldilocks2>(None).expect("a layout");
            draft.compile().expect("a layer")
        };
        let [before, own, among] = [0..1, 1..2, 0..3].map(above);
        // The first layer is in place 1; the others' keys are there to be members, too.
        let keys = [&before, &first, &own].map(|layer| Some(named(layer)));
        let keys = KeySet::in_places::<Goldilocks2>(keys, 1).expect("three keys");
        let (inputs, statement) = first
            .inputs_over(key, &below.publics(), &proof, keys.root(), false)
            .expect("the proof has the shape");
        let proof = first.prove(&inputs).expect("the proof is valid");
        let over = |layer: &Layer<Goldilocks2>| {
            let child = Child { key: first.key(), statement, proof: &proof };
            let (inputs, _) = layer.inputs_above(&[child], &keys, true).expect("a member");
            layer.prove(&inputs)
        };
        over(&own).expect("the key is in its place");
        over(&among).expect("the key is in one of three places");
        let verdict = over(&before);
        assert!(matches!(verdict, Err(LayerError::Circuit(_))), "{:?}", verdict.err());
    }

    #[test]
    fn a_set_has_each_key_in_one_place() {
        let config = Config::testing();
        let below = Square::<Goldilocks2>::new(&config);
        let proof = below.prove();
        let layer = |offset: usize| {
            let claims = Claims::Facts;
            let mut config = config.clone();
            config.parameters.queries += offset;
            Layer::over(below.verifier.key(), proof.log_heights(), &claims, &config).expect("one")
        };
        let (one, two) = (layer(0), layer(1));
        let set = |layers: &[&Layer<Goldilocks2>]| {
            KeySet::in_places::<Goldilocks2>(layers.iter().map(|layer| Some(named(layer))), 1)
        };
        assert!(set(&[&one, &two]).is_ok());
        assert_eq!(set(&[&one, &two, &one]), Err(KeySetError::Twice { first: 0, second: 2 }));
    }

    #[test]
    fn h_05_a_set_is_worth_as_much_as_its_weakest_key() {
        let level =
            |keys: &[(u64, u32)]| set(keys.iter().copied()).expect("few keys").level().proven;
        assert_eq!(level(&[(1, 100), (2, 19), (3, 101)]), 19);
        // One key that stands on different things.
        assert_eq!(level(&[(1, 100), (1, 19)]), 19);
        assert_eq!(level(&[(1, 100)]), 100);
    }
}
