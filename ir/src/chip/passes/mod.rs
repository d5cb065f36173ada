//! Rewrites of chips.

mod witness_bus;

pub use witness_bus::{WITNESS_BUS, WitnessBusError, WitnessValue, on_witness_bus, witness_values};
