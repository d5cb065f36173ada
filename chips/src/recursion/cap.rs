//! The caps of Merkle trees, as a table.

use chipwright_dsl::prelude::*;

/// An entry of the table of caps.
#[message]
pub struct CapEntry {
    /// The number of the tree, not zero.
    pub tree: Felt,
    /// The position within the cap.
    pub position: Felt,
    /// The digest.
    pub digest: Digest,
}

/// One digest of a Merkle cap: what a path of that tree may end at.
///
/// A path looks its end up here, so choosing among 2^k digests costs one message and no arithmetic.
///
/// # Soundness
///
/// The tree and the position are fixed by the circuit, the digest is what the witness table holds. No two
/// rows of a circuit may have the same tree and position; trees are numbered from 1, so that an unused row
/// is no tree's.
#[chip(field_bits = 64)]
pub struct Cap {
    /// The number of the tree.
    #[fixed]
    pub tree: Felt,
    /// The position within the cap.
    #[fixed]
    pub position: Felt,
    /// The digest.
    #[input]
    pub digest: Digest,
    #[port]
    cap: Provide<CapEntry>,
}

impl Chip for Cap {
    fn row(c: &Builder, row: &Row<Self>) {
        let &CapRow { tree, position, digest, .. } = row;
        c.provide(row.cap, CapEntry { tree, position, digest });
    }
}

/// The recorded [`Cap`] as a chip that circuits call with the parameters `tree, position`.
pub(crate) fn cap_chip(chip: chipwright_ir::chip::Chip) -> chipwright_ir::circuit::CalledChip {
    use chipwright_ir::circuit::{CallPlan, CallPort, CalledChip, ChipCall, Signature, ValueType};
    let plan = CallPlan {
        signature: Box::new(|call: &ChipCall| {
            let [tree, _position] = call.parameters[..] else { return None };
            let port = |port| CallPort { ty: ValueType::Felt, row: 0, port };
            let fits = call.rows == 1 && (1..1 << 32).contains(&tree);
            fits.then(|| Signature { inputs: (0..4).map(port).collect(), outputs: vec![], data: 0 })
        }),
        fixed: Box::new(|call, _| call.parameters.clone()),
    };
    CalledChip::planned(chip, plan)
        .with_native(std::sync::Arc::new(|_: &ChipCall, _: &[u64], _: &[u64]| Ok(Vec::new())))
}
