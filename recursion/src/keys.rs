//! Sets of allowed verifying keys, and the hashes that statements are made of.
//!
//! A circuit that verifies proofs under *some* allowed key takes the key as private data and proves that it is a
//! leaf of a Merkle tree whose root is public. So one circuit serves for proofs of all circuits of one shape,
//! itself included: its own key is data, and there is no fixed point of a hash to be found.

use chipwright_backend_stark::key::VerifyingKey;
use chipwright_chips::recursion::{RowKind, RowSpec, Script};
use chipwright_dsl::circuit::{AnyTarget, CircuitBuilder, DataTarget, Target};
use p3_field::PrimeCharacteristicRing;
use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_16};
use p3_symmetric::{
    CryptographicHasher, PaddingFreeSponge, Permutation, PseudoCompressionFunction,
    TruncatedPermutation,
};

use crate::batch::{ChildKey, RecursiveField, SEED};
use crate::pcs::Forest;

/// Four elements.
pub type Digest = [Goldilocks; 4];

const RATE: usize = 12;
/// The number of levels of the tree, of four children each.
const LEVELS: usize = 2;

/// The largest number of keys in a set.
pub const MAX_KEYS: usize = 1 << (2 * LEVELS);

/// A set of verifying keys, by their positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    layers: Vec<Vec<Digest>>,
}

/// A key that is not in a set, or does not fit into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Too many keys.
    #[error("{got} keys were given, a set has at most {MAX_KEYS}")]
    TooMany {
        /// How many.
        got: usize,
    },
    /// The key is not a member.
    #[error("the verifying key is not one of the allowed set")]
    NotAMember,
}

impl KeySet {
    /// The set of some keys.
    ///
    /// # Errors
    ///
    /// Fails if there are more than [`MAX_KEYS`].
    pub fn new<'a, P: RecursiveField>(
        keys: impl IntoIterator<Item = &'a VerifyingKey<P>>,
    ) -> Result<Self, KeySetError> {
        let mut leaves: Vec<Digest> = Vec::new();
        for key in keys {
            let digest = key_digest(key);
            if !leaves.contains(&digest) {
                leaves.push(digest);
            }
        }
        if leaves.len() > MAX_KEYS {
            return Err(KeySetError::TooMany { got: leaves.len() });
        }
        leaves.resize(MAX_KEYS, Digest::default());
        let compress = TruncatedPermutation::<_, 4, 4, 16>::new(default_goldilocks_poseidon2_16());
        let mut layers = vec![leaves];
        for level in 0..LEVELS {
            let parents = layers[level]
                .chunks_exact(4)
                .map(|children| compress.compress([0, 1, 2, 3].map(|i| children[i])));
            let parents = parents.collect();
            layers.push(parents);
        }
        Ok(Self { layers })
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        self.layers[LEVELS][0]
    }

    /// The position of a key and the siblings of its path.
    pub(crate) fn path<P: RecursiveField>(
        &self,
        key: &VerifyingKey<P>,
    ) -> Result<(usize, Vec<Goldilocks>), KeySetError> {
        let digest = key_digest(key);
        let index = self.layers[0].iter().position(|leaf| *leaf == digest);
        let index = index.ok_or(KeySetError::NotAMember)?;
        let mut siblings = Vec::new();
        for level in 0..LEVELS {
            let node = index >> (2 * level);
            let children = &self.layers[level][node / 4 * 4..node / 4 * 4 + 4];
            let others = children.iter().enumerate().filter(|(place, _)| *place != node % 4);
            siblings.extend(others.flat_map(|(_, digest)| digest));
        }
        Ok((index, siblings))
    }
}

/// The digest of a key: the hash of its seed and of the commitment to its preprocessed columns.
pub fn key_digest<P: RecursiveField>(key: &VerifyingKey<P>) -> Digest {
    let sponge = PaddingFreeSponge::<_, 16, 12, 4>::new(default_goldilocks_poseidon2_16());
    sponge.hash_iter(ChildKey::of(key).elements())
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
pub fn digest(domain: Domain, elements: &[Goldilocks]) -> Digest {
    let permutation = default_goldilocks_poseidon2_16();
    let mut state = [Goldilocks::ZERO; 16];
    let prefix = domain.prefix(elements.len()).map(Goldilocks::from_usize);
    let all = [&prefix, elements].concat();
    for chunk in all.chunks(RATE) {
        state[..RATE].fill(Goldilocks::ZERO);
        state[..chunk.len()].copy_from_slice(chunk);
        state[RATE] += Goldilocks::from_usize(chunk.len());
        state = permutation.permute(state);
    }
    [0, 1, 2, 3].map(|i| state[i])
}

/// [`digest`] in a circuit.
pub(crate) fn digest_targets(
    builder: &mut CircuitBuilder,
    domain: Domain,
    elements: &[Target],
) -> [Target; 4] {
    let prefix = domain.prefix(elements.len());
    let prefix = prefix.map(|value| builder.add_const(Goldilocks::from_usize(value)));
    let all = [&prefix, elements].concat();
    let mut rows: Vec<RowSpec> = all
        .chunks(RATE)
        .enumerate()
        .map(|(number, chunk)| {
            let kind = if number == 0 { RowKind::Begin } else { RowKind::Absorb };
            RowSpec { read: (1 << chunk.len()) - 1, ..RowSpec::new(kind, chunk.len()) }
        })
        .collect();
    rows.push(RowSpec { written: 0xf, ..RowSpec::new(RowKind::Echo, 0) });
    let inputs: Vec<AnyTarget> = all.into_iter().map(AnyTarget::from).collect();
    let outputs = builder.call_named(Script { tree: 0, rows }.call(), &inputs).outputs;
    std::array::from_fn(|i| builder.as_felt(outputs[i]))
}

/// A key that is private data of a circuit, and a member of a set whose root is given.
pub(crate) struct MemberKey {
    pub(crate) key: ChildKey<Target>,
    pub(crate) data: Option<DataTarget>,
}

/// Takes a key with `fixed_cap` elements of its commitment, and proves that it is in the set.
///
/// # Soundness
///
/// The elements are created by the call that hashes them, so the key that is used is the key that is in the
/// set. Digests of the empty places of a set are zero: nobody knows elements that hash to zero.
pub(crate) fn member(
    builder: &mut CircuitBuilder,
    forest: &mut Forest,
    root: &[Target; 4],
    fixed_cap: usize,
) -> MemberKey {
    let tree = forest.plant(builder, root);
    let index = builder.add_private_input();
    let count = SEED + fixed_cap;
    let mut rows: Vec<RowSpec> = (0..count.div_ceil(RATE))
        .map(|chunk| {
            let kind = if chunk == 0 { RowKind::Leaf } else { RowKind::LeafNext };
            let taken = RATE.min(count - RATE * chunk);
            RowSpec { written: (1 << taken) - 1, enter: chunk == 0, ..RowSpec::new(kind, taken) }
        })
        .collect();
    rows.extend([RowSpec::new(RowKind::Parent4, 0); LEVELS]);
    if let Some(last) = rows.last_mut() {
        last.end = true;
    }
    let called = builder.call_named(Script { tree, rows }.call(), &[index.into()]);
    let elements: Vec<Target> =
        called.outputs.into_iter().map(|output| builder.as_felt(output)).collect();
    let (seed, fixed_cap) = elements.split_at(SEED.min(elements.len()));
    let key = ChildKey { seed: seed.to_vec(), fixed_cap: fixed_cap.to_vec() };
    MemberKey { key, data: called.data }
}
