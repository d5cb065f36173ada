//! Lowering: from the expression graph to slots, and from slots to tables.

mod classes;
mod to_slots;
mod to_tables;

pub use classes::LowerError;
pub(super) use classes::check_connections;
pub use to_slots::lower_to_slots;
pub use to_tables::lower_to_tables;
