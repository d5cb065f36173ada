//! The table of a memory: what it held before the first access, and what it holds after the last.
//!
//! One row an address. It sends the initial value at time zero and receives the final one, so that the
//! accesses in between form one chain for each address. Addresses grow strictly from row to row: two rows of
//! one address would be two memories.

use crate::prelude::*;

/// The table of a memory of `V`. With `INPUT`, its initial contents are the prover's to choose; otherwise they
/// are zero.
///
/// Addresses are field elements whose distances are below 2^32. With fewer than 2^31 rows the addresses
/// cannot wrap around a field of 64 bits.
#[chip(name = "memory", field_bits = 64)]
pub struct MemoryTable<V: ColumnType, const INPUT: bool> {
    #[record]
    address: Felt,
    #[record]
    final_time: Felt,
    #[record]
    final_value: V,
    #[record]
    #[free("the initial contents are an input of the prover")]
    initial_value: V,
    /// Distance to the next address, less one.
    gap: U32,
    #[port]
    memory: Memory<V>,
}

impl<V: ColumnType, const INPUT: bool> Chip for MemoryTable<V, INPUT> {
    fn row(c: &Builder, row: &Row<Self>) {
        c.memory_entry(
            row.memory,
            row.address,
            (row.final_time.into(), row.final_value),
            row.initial_value,
        );
        if !INPUT {
            c.zero::<V>(row.initial_value).named("memory starts with zeros");
        }
    }

    fn step(c: &Builder, row: &Row<Self>, next: &Row<Self>) {
        let distance = next.address - row.address - 1;
        c.fill(row.gap[0], distance.int() & 0xffff);
        c.fill(row.gap[1], distance.int() >> 16);
        c.assert_eq(distance, row.gap.felt()).named("addresses grow");
    }
}
