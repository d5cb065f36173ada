//! A column has one kind.
use chipwright_dsl::prelude::*;

#[chip]
struct Contradictory {
    #[input]
    #[output]
    x: Felt,
    #[record]
    #[record]
    y: Felt,
    #[fixed]
    #[periodic]
    #[public]
    z: Felt,
}

#[chip]
struct Misspelt {
    #[inptu]
    x: Felt,
    #[outputs]
    y: Felt,
    #[argument]
    z: Felt,
}

#[chip]
struct WithArguments {
    #[input(3)]
    x: Felt,
    #[record = "executor"]
    y: Felt,
}

#[chip]
struct Configured {
    #[cfg(test)]
    x: Felt,
}

fn main() {}
