//! Hashing: the Poseidon2 permutation, its hash with feed-forward, compression, and Merkle paths.

mod compress;
mod feed_forward;
mod linear;
mod merkle_path;
mod parameters;
mod poseidon2;

pub use compress::Compress;
pub use feed_forward::FeedForward;
pub use merkle_path::{MAX_DEPTH, MerklePath, merkle_path};
pub(crate) use parameters::Parameters;
pub use poseidon2::Poseidon2;
