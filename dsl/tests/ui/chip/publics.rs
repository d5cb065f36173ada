//! A public value says what it is of a step, or nothing.
use chipwright_dsl::prelude::*;

#[chip]
struct Publics {
    #[public]
    a: Felt,
    #[public(common)]
    b: Felt,
    #[public(common = "program")]
    c: Felt,
    #[public(before = "pc")]
    d: Felt,
    #[public(after = "pc")]
    e: Felt,
}

impl Chip for Publics {}

#[chip]
struct Mistaken {
    #[public(before)]
    a: Felt,
    #[public(before = "pc", after = "pc")]
    b: Felt,
    #[public(after = 3)]
    c: Felt,
    #[public(befor = "pc")]
    d: Felt,
    #[public = "pc"]
    e: Felt,
    #[public(common = "")]
    f: Felt,
}

fn main() {}
