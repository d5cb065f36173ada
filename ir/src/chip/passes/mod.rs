//! Rewrites of chips.
//!
//! Each pass is a function from chips to chips, and a value for [pipelines](crate::pass). What a pass must
//! keep is what the chip *accepts*: a trace that satisfies the rules satisfies the rewritten ones, after the
//! new columns have been filled, and one that violates them still does.

mod build;
mod fuse;
mod gate_contents;
mod interface;
mod lower_degree;
mod pack_lookups;
mod pipeline;
mod remove_unused;
mod share_common;
mod witness_bus;

pub use fuse::{FuseError, fuse};
pub use gate_contents::gate_contents;
pub use interface::interface;
pub use lower_degree::{LowerDegreeError, lower_degree};
pub use pack_lookups::pack_lookups;
pub use pipeline::{
    Interface, LowerDegree, PackLookups, RemoveUnused, ShareCommon, default_pipeline,
};
pub use remove_unused::remove_unused;
pub use share_common::share_common;
pub use witness_bus::{
    CountSource, SlotSource, WITNESS_BUS, Wire, WiredChip, WitnessBusError, WitnessValue,
    on_witness_bus, witness_values,
};
