//! A type that the macro cannot judge by its name is judged by its traits.
use chipwright_dsl::prelude::*;

struct Unknown;

#[chip]
struct Holder {
    x: Unknown,
}

fn main() {}
