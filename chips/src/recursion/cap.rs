//! The caps of Merkle trees, as a table.

use chipwright_dsl::prelude::*;

use super::index::cap_places;
use super::native::HashSizes;

/// An entry of the table of caps.
#[message]
pub struct CapEntry<const D: usize> {
    /// The number of the tree, not zero.
    pub tree: Felt,
    /// The position within the cap.
    pub position: Felt,
    /// The digest.
    pub digest: [Felt; D],
}

/// One digest of a Merkle cap, of `D` elements: what a path of that tree may end at.
///
/// A path looks its end up here, so choosing among 2^k digests costs one message and no arithmetic.
///
/// # Soundness
///
/// The tree and the position are fixed by the circuit, the digest is what the witness table holds. A circuit with two
/// rows of one tree and position is refused, or a path could end at either digest. Trees are numbered from 1, so that an
/// unused row, whose digest is anything, is no tree's. Positions are so few that an index has one path to them.
#[chip]
pub struct Cap<const D: usize> {
    /// Whether the row is in use.
    #[fixed]
    pub used: Bit,
    /// The number of the tree.
    #[fixed]
    pub tree: Felt,
    /// The position within the cap.
    #[fixed]
    pub position: Felt,
    /// The digest.
    #[input]
    pub digest: [Felt; D],
    #[port]
    cap: Provide<CapEntry<D>>,
}

impl<const D: usize> Chip for Cap<D> {
    fn row(c: &Builder, row: &Row<Self>) {
        let &CapRow { tree, position, digest, .. } = row;
        c.provide(row.cap, CapEntry { tree, position, digest });
    }
}

/// The recorded [`Cap`] as a chip that circuits call with the parameters `tree, position`.
pub(crate) fn cap_chip(chip: chipwright_ir::chip::Chip) -> chipwright_ir::circuit::CalledChip {
    use chipwright_ir::circuit::{CallPlan, CallPort, CalledChip, ChipCall, Signature, ValueType};
    let chip = chipwright_ir::chip::Chip { name: "cap".to_owned(), ..chip };
    let (modulus, places) = (chip.field.modulus(), cap_places(chip.field));
    let digest = HashSizes::of(chip.field).digest as u16;
    let plan = CallPlan {
        signature: Box::new(move |call: &ChipCall| {
            let [tree, position] = call.parameters[..] else { return None };
            let port = |port| CallPort { ty: ValueType::Felt, row: 0, port };
            let fits = call.rows == 1 && (1..modulus).contains(&tree) && position < places;
            let inputs = (0..digest).map(port).collect();
            fits.then(|| Signature { inputs, outputs: vec![], data: 0 })
        }),
        fixed: Box::new(|call, _| [&[1], &call.parameters[..]].concat()),
    };
    CalledChip::planned(chip, plan)
        .with_key(&["tree", "position"])
        .reading_if("used", &["digest"])
        .with_native(std::sync::Arc::new(|_: &ChipCall, _: &[u64], _: &[u64]| Ok(Vec::new())))
}
