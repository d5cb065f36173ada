//! Merkle trees over matrices in tiles, with the digests that `p3-merkle-tree` computes.
//!
//! Rows of equal height are hashed together, block by block without gathering. Matrices that are lower
//! than the tallest join where a layer has their height; a layer that would jump over one takes a step
//! of two instead of the tree's arity.

use std::fmt::Debug;

use p3_field::{Field, PackedValue};
use p3_merkle_tree::{MerkleCap, PrunedMerklePaths};
use p3_symmetric::{CryptographicHasher, PseudoCompressionFunction};
use rayon::prelude::*;

use super::tiles::{Tiles, lanes};

/// The fewest nodes of a layer that are worth the use of several threads.
const PARALLEL: usize = 256;

/// How the nodes of a tree are computed.
pub trait TreeHash<F: Field>: Clone + Send + Sync + 'static {
    /// A node.
    type Digest: Copy + Default + Debug + PartialEq + Send + Sync;
    /// What a tree is committed to by.
    type Commitment;
    /// What proves that some leaves belong to a commitment.
    type MultiProof;

    /// The number of children of a node.
    const ARITY: usize;

    /// How many layers below the root trees are cut off.
    fn cap_height(&self) -> usize;
    /// The digests of the rows of a block, given column by column; there are at most as many as lanes.
    fn leaves(&self, columns: &[F::Packing], digests: &mut [Self::Digest]);
    /// The parents of groups of [`Self::ARITY`] children.
    fn parents(&self, children: &[Self::Digest], digests: &mut [Self::Digest]);
    /// A commitment from the nodes of its layer.
    fn commitment(&self, cap: &[Self::Digest]) -> Self::Commitment;
    /// A proof from the nodes that a verifier lacks.
    fn multi_proof(&self, siblings: Vec<Self::Digest>) -> Self::MultiProof;
}

/// The hash of trees whose leaves are hashed by `H` and whose nodes are compressed by `C`, `N` to one.
#[derive(Clone, Debug)]
pub struct Nodes<H, C, const N: usize, const D: usize> {
    leaf: H,
    node: C,
    cap_height: usize,
}

impl<H, C, const N: usize, const D: usize> Nodes<H, C, N, D> {
    /// A tree hash that commits to the layer `cap_height` below the root.
    pub const fn new(leaf: H, node: C, cap_height: usize) -> Self {
        Self { leaf, node, cap_height }
    }
}

impl<F, H, C, const N: usize, const D: usize> TreeHash<F> for Nodes<H, C, N, D>
where
    F: Field + Default,
    H: CryptographicHasher<F::Packing, [F::Packing; D]> + Send + Sync + 'static,
    C: PseudoCompressionFunction<[F::Packing; D], N>
        + PseudoCompressionFunction<[F; D], N>
        + Send
        + Sync
        + 'static,
    [F; D]: Default,
{
    type Digest = [F; D];
    type Commitment = MerkleCap<F, [F; D]>;
    type MultiProof = PrunedMerklePaths<F, D>;

    const ARITY: usize = N;

    fn cap_height(&self) -> usize {
        self.cap_height
    }

    fn leaves(&self, columns: &[F::Packing], digests: &mut [[F; D]]) {
        let packed = self.leaf.hash_iter(columns.iter().copied());
        for (lane, digest) in digests.iter_mut().enumerate() {
            *digest = packed.map(|value| value.extract(lane));
        }
    }

    fn parents(&self, children: &[[F; D]], digests: &mut [[F; D]]) {
        let lanes = lanes::<F>();
        let groups = children.as_chunks::<N>().0;
        for (groups, digests) in groups.chunks(lanes).zip(digests.chunks_mut(lanes)) {
            if groups.len() == lanes {
                let packed = std::array::from_fn(|child| {
                    std::array::from_fn(|element| {
                        F::Packing::from_fn(|lane| groups[lane][child][element])
                    })
                });
                let packed: [F::Packing; D] = self.node.compress(packed);
                for (lane, digest) in digests.iter_mut().enumerate() {
                    *digest = packed.map(|value| value.extract(lane));
                }
            } else {
                for (&group, digest) in groups.iter().zip(digests) {
                    *digest = self.node.compress(group);
                }
            }
        }
    }

    fn commitment(&self, cap: &[[F; D]]) -> Self::Commitment {
        MerkleCap::new(cap.to_vec())
    }

    fn multi_proof(&self, siblings: Vec<[F; D]>) -> Self::MultiProof {
        PrunedMerklePaths { sibling_hashes: siblings }
    }
}

/// The layers of a tree, leaves first.
#[derive(Clone, Debug)]
pub(crate) struct Tree<D> {
    layers: Vec<Vec<D>>,
    /// How many children each node of the next layer has.
    steps: Vec<usize>,
    /// The number of layers that the commitment cuts off.
    cut: usize,
}

impl<D: Copy + Default + Send + Sync> Tree<D> {
    /// Hashes matrices whose heights are powers of two.
    pub(crate) fn new<F: Field, H: TreeHash<F, Digest = D>>(
        hash: &H,
        matrices: &[Tiles<F>],
    ) -> Self {
        let tallest = matrices.iter().map(Tiles::height).max().unwrap_or(1);
        let of_height = |height: usize| -> Vec<&Tiles<F>> {
            matrices.iter().filter(|matrix| matrix.height() == height).collect()
        };
        let arity = H::ARITY;
        let mut layers =
            vec![hash_rows(hash, &of_height(tallest), tallest, padded(tallest, arity))];
        let mut steps = Vec::new();
        let mut joined = tallest;
        while layers[layers.len() - 1].len() > 1 {
            let below = &layers[layers.len() - 1];
            let target = (below.len() / arity).next_power_of_two();
            let waiting =
                matrices.iter().any(|matrix| matrix.height() < joined && matrix.height() > target);
            let step = if below.len() < arity || waiting { 2 } else { arity };
            let nodes = below.len() / step;
            let mut layer = compress(hash, below, step, nodes);
            let height = nodes.next_power_of_two();
            let joining = of_height(height);
            if height < joined && !joining.is_empty() {
                let rows = hash_rows(hash, &joining, height, height);
                let mut children = vec![D::default(); nodes * arity];
                for (index, group) in children.chunks_exact_mut(arity).enumerate() {
                    group[0] = layer[index];
                    group[1] = rows.get(index).copied().unwrap_or_default();
                }
                layer = compress(hash, &children, arity, nodes);
                joined = height;
            }
            layer.resize(padded(nodes, arity), D::default());
            steps.push(step);
            layers.push(layer);
        }
        let cut = hash.cap_height().min(layers.len() - 1);
        Self { layers, steps, cut }
    }

    /// The nodes that the tree is committed to by.
    pub(crate) fn cap(&self) -> &[D] {
        let layer = self.layers.len() - 1 - self.cut;
        let nodes: usize = self.steps[layer..].iter().product();
        &self.layers[layer][..nodes.min(self.layers[layer].len())]
    }

    /// The nodes that a verifier lacks who knows the leaves at some indices: layer by layer, from left
    /// to right.
    pub(crate) fn siblings(&self, indices: &[usize]) -> Vec<D> {
        let mut known = indices.to_vec();
        known.sort_unstable();
        known.dedup();
        let mut siblings = Vec::new();
        for (layer, &step) in self.layers.iter().zip(&self.steps[..self.steps.len() - self.cut]) {
            let mut parents = Vec::with_capacity(known.len());
            for family in known.chunk_by(|a, b| a / step == b / step) {
                let parent = family[0] / step;
                let children = parent * step..(parent + 1) * step;
                siblings.extend(
                    children.filter(|child| !family.contains(child)).map(|child| layer[child]),
                );
                parents.push(parent);
            }
            known = parents;
        }
        siblings
    }
}

/// The length of a layer of `nodes` nodes once it holds whole groups.
fn padded(nodes: usize, arity: usize) -> usize {
    if nodes <= 1 { nodes } else { nodes.next_multiple_of(arity) }
}

/// The digests of the rows of matrices of equal height, followed by default digests.
fn hash_rows<F: Field, H: TreeHash<F>>(
    hash: &H,
    matrices: &[&Tiles<F>],
    height: usize,
    length: usize,
) -> Vec<H::Digest> {
    let mut digests = vec![H::Digest::default(); length];
    let width = matrices.iter().map(|matrix| matrix.width()).sum();
    digests[..height].par_chunks_mut(lanes::<F>()).enumerate().for_each_init(
        || Vec::with_capacity(width),
        |columns, (block, digests)| {
            columns.clear();
            for matrix in matrices {
                matrix.extend_with_block(block, columns);
            }
            hash.leaves(columns, digests);
        },
    );
    digests
}

/// The parents of a layer's nodes; groups of `step` children are filled up with default digests.
fn compress<F: Field, H: TreeHash<F>>(
    hash: &H,
    children: &[H::Digest],
    step: usize,
    nodes: usize,
) -> Vec<H::Digest> {
    if step != H::ARITY {
        let mut padded = vec![H::Digest::default(); nodes * H::ARITY];
        for (group, children) in padded.chunks_exact_mut(H::ARITY).zip(children.chunks_exact(step))
        {
            group[..step].copy_from_slice(children);
        }
        return compress(hash, &padded, H::ARITY, nodes);
    }
    let mut digests = vec![H::Digest::default(); nodes];
    let children = &children[..nodes * step];
    if nodes < PARALLEL {
        hash.parents(children, &mut digests);
    } else {
        let task = PARALLEL / 4;
        digests
            .par_chunks_mut(task)
            .zip(children.par_chunks(task * step))
            .for_each(|(digests, children)| hash.parents(children, digests));
    }
    digests
}

#[cfg(test)]
mod tests {
    use chipwright_ir::field::{Goldilocks2, KoalaBear4};
    use p3_commit::Mmcs;
    use p3_field::{PackedFieldPow2, PrimeCharacteristicRing};
    use p3_matrix::dense::RowMajorMatrix;

    use super::super::tiles::pack;
    use super::*;
    use crate::config::StarkField;

    fn tiles<F: Field<Packing: PackedFieldPow2>>(values: &[F], width: usize) -> Tiles<F> {
        let height = values.len() / width;
        let lanes = lanes::<F>();
        let slabs = (0..width.div_ceil(lanes))
            .map(|slab| {
                let columns = slab * lanes..width.min((slab + 1) * lanes);
                (0..height.div_ceil(lanes))
                    .flat_map(|block| {
                        columns.clone().map(move |column| {
                            let rows = block * lanes..height.min((block + 1) * lanes);
                            let cells: Vec<_> =
                                rows.map(|row| values[row * width + column]).collect();
                            pack(&cells)
                        })
                    })
                    .collect()
            })
            .collect();
        Tiles::new(height, width, slabs)
    }

    fn check<P: StarkField>() {
        let shapes: [&[(usize, usize)]; 9] = [
            &[(0, 3)],
            &[(1, 5)],
            &[(2, 12)],
            &[(3, 1), (3, 30)],
            &[(9, 13), (9, 2), (5, 4)],
            &[(6, 3), (4, 3), (3, 2), (0, 1)],
            &[(10, 2), (9, 3), (8, 14), (8, 1), (1, 2)],
            &[(5, 1), (10, 7), (2, 3)],
            &[(11, 20), (4, 3)],
        ];
        for cap_height in 0..3 {
            for shape in shapes {
                let matrices: Vec<_> = shape
                    .iter()
                    .enumerate()
                    .map(|(index, &(log_height, width))| {
                        let cells = (0..width << log_height)
                            .map(|cell| P::Base::from_usize(cell * cell + 31 * index));
                        RowMajorMatrix::new(cells.collect(), width)
                    })
                    .collect();
                let ours: Vec<_> =
                    matrices.iter().map(|matrix| tiles(&matrix.values, matrix.width)).collect();
                let mmcs = P::mmcs(cap_height);
                let (commitment, data) = mmcs.commit(matrices);
                let hash = P::tree_hash(cap_height);
                let tree = Tree::new(&hash, &ours);
                assert_eq!(hash.commitment(tree.cap()), commitment, "{shape:?}");
                let height =
                    1 << shape.iter().map(|&(log_height, _)| log_height).max().unwrap_or(0);
                let indices: Vec<usize> = [0, 5, 5, 77, 300, 1023].map(|i| i % height).to_vec();
                let (_, proof) = mmcs.open_multi_batch(&indices, &data);
                let own = hash.multi_proof(tree.siblings(&indices));
                let bytes = [postcard::to_allocvec(&own), postcard::to_allocvec(&proof)];
                assert_eq!(bytes[0], bytes[1], "{shape:?}");
            }
        }
    }

    #[test]
    fn trees_agree_with_plonky3_for_every_mix_of_heights() {
        check::<Goldilocks2>();
        check::<KoalaBear4>();
    }
}
