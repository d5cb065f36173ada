//! Advice can fill a cell, and cannot enter a rule.
use chipwright_dsl::prelude::*;

#[chip]
struct Low {
    #[input]
    x: Felt,
    low: Felt,
}

impl Chip for Low {
    fn row(c: &Builder, row: &Row<Self>) {
        c.assert_eq(row.low, row.x.int() & 0xffff);
        let _ = row.x + row.x.int();
    }
}

fn main() {}
