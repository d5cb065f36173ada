//! Rules name columns as fields, so a name that does not exist is a compile error.
use chipwright_dsl::prelude::*;

#[chip]
struct Double {
    #[input]
    x: Felt,
    #[output]
    y: Felt,
}

impl Chip for Double {
    fn row(c: &Builder, row: &Row<Self>) {
        c.define(row.z, row.x + row.x);
    }
}

fn main() {}
