//! An embedded chip is one chip, by name.
use chipwright_dsl::prelude::*;

#[chip]
struct Inner {
    #[input]
    x: Felt,
}

#[chip]
struct Outer {
    #[embed]
    several: [Inner; 2],
    #[embed]
    port: Lookup<Inner>,
    #[embed]
    borrowed: &'static Inner,
    #[embed]
    #[len(2)]
    counted: Inner,
}

fn main() {}
