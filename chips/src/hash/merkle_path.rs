//! Merkle paths: one level a row, as many rows as the tree is deep.

use chipwright_dsl::prelude::*;
use chipwright_ir::chip::Chip as IrChip;
use chipwright_ir::circuit::{CallPlan, CallPort, CalledChip, ChipCall, Signature, ValueType};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{Goldilocks, default_goldilocks_poseidon2_8};
use p3_symmetric::Permutation;

use super::Poseidon2;

/// The deepest tree whose paths can be proven.
pub const MAX_DEPTH: u32 = 32;

/// One level of an authentication path a row, from the leaf to the root.
///
/// A call of `d` rows takes a digest and an index below `2^d` in its first row, and gives the root in its
/// last one. The siblings are private data, so a path costs the caller nine slots whatever its depth.
///
/// # Soundness
///
/// Assumes nothing of its inputs. The fixed columns say where a path ends; the index is halved from row to
/// row and must be a single bit in the last one, so it is below `2^d`, and its bits are the only ones.
/// What is guaranteed is that *some* siblings lead from the leaf to the root. Nodes are hashed as [`Compress`](super::Compress)
/// does, so the leaf may be any four elements: it need not be a digest.
#[chip(field_bits = 64)]
pub struct MerklePath {
    /// One on every row of a path but the last.
    #[fixed]
    inner: Bit,
    /// One on the last row of a path.
    #[fixed]
    end: Bit,
    /// The node on this level: the leaf, on the first row.
    #[input]
    pub node: Digest,
    /// What is left of the index: its lowest bit says whether the node is the right child.
    #[input]
    pub index: Felt,
    /// The node on the next level: the root, on the last row.
    #[output]
    pub parent: Digest,
    #[record]
    #[free("any sibling that leads to the root proves that the leaf is in the tree")]
    sibling: Digest,
    /// Whether the node is the right child.
    right: Bit,
    /// The children, in order.
    children: [Digest; 2],
    #[embed]
    permutation: Poseidon2<8>,
}

impl Chip for MerklePath {
    fn row(c: &Builder, row: &Row<Self>) {
        c.fill(row.right, row.index.int() & 1);
        c.define(row.children, c.swap_if(row.right, [row.node, row.sibling])).named("children");
        let [[a, b, d, e], [f, g, h, i]] = row.children;
        let permuted = c.embed(row.permutation, [a, b, d, e, f, g, h, i]);
        let parent = [0, 1, 2, 3].map(|i| permuted.after[i] + row.children[0][i]);
        c.define(row.parent, parent).named("parent");
        c.when(row.end, |c| c.assert_eq(row.index, row.right).named("the index ends"));
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        c.when(row.inner, |c| {
            c.define(next.node, row.parent).named("the parent is the next node");
            c.fill(next.index, row.index.int() >> 1);
            c.assert_eq(row.index, row.right + 2 * next.index).named("the index is halved");
        });
    }
}

/// The recorded [`MerklePath`] as a chip that circuits call: `(leaf, index) → root`, with as many rows as
/// the path has levels and four elements of private data a row, the siblings from the leaf up.
pub fn merkle_path(chip: IrChip) -> CalledChip {
    const DIGEST: u16 = 4;
    const INDEX: u16 = DIGEST;
    let plan = CallPlan {
        signature: Box::new(|call: &ChipCall| {
            if !(1..=MAX_DEPTH).contains(&call.rows) || !call.parameters.is_empty() {
                return None;
            }
            let felt = |row, port| CallPort { ty: ValueType::Felt, row, port };
            let last = call.rows - 1;
            Some(Signature {
                inputs: (0..=INDEX).map(|port| felt(0, port)).collect(),
                outputs: (0..DIGEST).map(|port| felt(last, INDEX + 1 + port)).collect(),
                data: u32::from(DIGEST) * call.rows,
            })
        }),
        fixed: Box::new(|call, row| {
            let end = row + 1 == call.rows;
            vec![u64::from(!end), u64::from(end)]
        }),
    };
    CalledChip::planned(chip, plan)
        .with_native(std::sync::Arc::new(|call, inputs, data| root(call.rows, inputs, data)))
}

/// The root that a path leads to.
fn root(depth: u32, inputs: &[u64], siblings: &[u64]) -> Result<Vec<u64>, String> {
    let [leaf @ .., index] = inputs else {
        return Err("a Merkle path needs a leaf and an index".to_owned());
    };
    if *index >> depth != 0 {
        return Err(format!("index {index} is not below 2^{depth}, the number of leaves"));
    }
    if leaf.len() != 4 || siblings.len() != 4 * depth as usize {
        return Err(format!(
            "a path of depth {depth} needs a leaf of 4 elements and {} of siblings, not {} and {}",
            4 * depth,
            leaf.len(),
            siblings.len()
        ));
    }
    let permutation = default_goldilocks_poseidon2_8();
    let mut node = leaf.to_vec();
    for (level, sibling) in siblings.chunks_exact(4).enumerate() {
        let pair = [node.as_slice(), sibling];
        let [left, right] = if index >> level & 1 == 0 { pair } else { [pair[1], pair[0]] };
        let state: [Goldilocks; 8] = std::array::from_fn(|i| {
            Goldilocks::from_u64(if i < 4 { left[i] } else { right[i - 4] })
        });
        let permuted = permutation.permute(state);
        node = (0..4).map(|i| (permuted[i] + state[i]).as_canonical_u64()).collect();
    }
    Ok(node)
}
