//! The program: its text, a Merkle tree of words, and what these words mean.

mod decode;
mod opcodes;
mod text;

pub use decode::{Decode, DecodeRecord, DecodedNative, Powers};
pub use opcodes::{Decoding, KINDS, Opcodes, OpcodesFixed, decoding};
pub use text::{TextChild, TextLeaf, TextLeafRecord, TextNode, TextNodeRecord, TextWord};
