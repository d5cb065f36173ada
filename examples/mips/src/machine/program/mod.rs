//! The program: its text, a Merkle tree of words, and what these words mean.

mod decode;
mod meaning;
mod opcodes;
mod places;
mod powers;
mod text;

pub use decode::{Decode, DecodeRecord};
pub use opcodes::{Decoded, DecodedNative, Decoding, KINDS, Opcodes, decoding};
pub use places::{decode, step};
pub use powers::{BOTH, LOWER, Power, Powers, UPPER, entry as power_entry, power};
pub use text::{TextChild, TextLeaf, TextLeafRecord, TextNode, TextNodeRecord, TextWord};
