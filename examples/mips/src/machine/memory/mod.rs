//! Memory and registers.

mod access;
mod image;

pub use access::{LoadWord, LoadWordRecord, Refresh, RefreshRecord, StoreWord, StoreWordRecord};
pub use image::{Child, LEVELS, Leaf, LeafRecord, Node, NodeRecord, WORDS, digest};
