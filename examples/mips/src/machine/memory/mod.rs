//! Memory and registers.

mod access;
mod image;
mod lane;
mod linked;
mod part;
mod unaligned;

pub use access::{LoadWord, LoadWordRecord, Refresh, RefreshRecord, StoreWord, StoreWordRecord};
pub use image::{Child, LEVELS, Leaf, LeafRecord, Node, NodeRecord, WORDS, digest};
pub use lane::{Byte, ByteNative, ByteRow, Half, HalfNative, HalfRow};
pub use linked::{Linked, LinkedRecord};
pub use part::{
    LoadByte, LoadByteRecord, LoadHalf, LoadHalfRecord, StoreByte, StoreByteRecord, StoreHalf,
    StoreHalfRecord,
};
pub use unaligned::{Unaligned, UnalignedRecord};
