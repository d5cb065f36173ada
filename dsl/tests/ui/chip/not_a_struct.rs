//! A chip is a struct with named fields.
use chipwright_dsl::prelude::*;

#[chip]
enum Op {
    Add,
}

#[chip]
union Overlay {
    x: Felt,
}

#[chip]
struct Positional(Felt, Felt);

#[chip]
struct Unit;

#[chip]
struct Empty {}

#[chip]
fn function(x: Felt) {}

fn main() {}
