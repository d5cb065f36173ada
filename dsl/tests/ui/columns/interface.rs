//! The interface of a chip is a tuple, and tuples end at twelve.
use chipwright_dsl::prelude::*;

#[chip]
struct Wide {
    #[input]
    a: Felt,
    #[input]
    b: Felt,
    #[input]
    c: Felt,
    #[input]
    d: Felt,
    #[input]
    e: Felt,
    #[input]
    f: Felt,
    #[input]
    g: Felt,
    #[input]
    h: Felt,
    #[input]
    i: Felt,
    #[input]
    j: Felt,
    #[input]
    k: Felt,
    #[input]
    l: Felt,
    #[input]
    m: Felt,
}

fn main() {}
