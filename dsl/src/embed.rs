//! Embedding: another chip's columns and rules in the same row.
//!
//! `#[embed] sum: Add32` reserves the columns that [`Add32`] computes; its inputs are cells of the row
//! around it, given by [`Builder::embed`](crate::Builder::embed). No bus is involved, so nothing is
//! committed but the columns themselves.
//!
//! [`Add32`]: https://docs.rs/chipwright-chips

use std::fmt;
use std::marker::PhantomData;

/// The place of an embedded chip in a row.
pub struct Embedded<C> {
    pub(crate) index: usize,
    chip: PhantomData<fn() -> C>,
}

impl<C> Embedded<C> {
    pub(crate) fn new(index: usize) -> Self {
        Self { index, chip: PhantomData }
    }
}

impl<C> Clone for Embedded<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Embedded<C> {}

impl<C> fmt::Debug for Embedded<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "embedded {}", self.index)
    }
}
