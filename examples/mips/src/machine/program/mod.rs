//! The program: its text, a Merkle tree of words, and what these words mean.

mod decode;
mod opcodes;
mod text;

pub use decode::{Decode, DecodeRecord, Powers};
pub use opcodes::{Decoded, DecodedNative, Decoding, KINDS, Opcodes, decoding};
pub use text::{TextChild, TextLeaf, TextLeafRecord, TextNode, TextNodeRecord, TextWord};
