//! Hashing: the Poseidon2 permutation, compression, and Merkle paths.

mod compress;
mod linear;
mod merkle_path;
mod parameters;
mod poseidon2;

pub use compress::Compress;
pub use merkle_path::{MAX_DEPTH, MerklePath, merkle_path};
pub(crate) use parameters::Parameters;
pub use poseidon2::Poseidon2;
