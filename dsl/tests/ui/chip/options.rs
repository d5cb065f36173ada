//! The arguments of `#[chip(..)]`.
use chipwright_dsl::prelude::*;

#[chip(densee)]
struct Misspelt {
    x: Felt,
}

#[chip(parallel)]
struct Unknown {
    x: Felt,
}

#[chip(dense, name = "twice", dense)]
struct Twice {
    x: Felt,
}

#[chip(dense = true, name = 3, field_bits = "many", crate = "chipwright_dsl")]
struct Forms {
    x: Felt,
}

#[chip(name = "CamelCase")]
struct Camel {
    x: Felt,
}

#[chip(name = "größe")]
struct NotAscii {
    x: Felt,
}

#[chip(field_bits = 65)]
struct TooWide {
    x: Felt,
}

#[chip(field_bits = 0)]
struct TooNarrow {
    x: Felt,
}

#[chip(name)]
struct NoValue {
    x: Felt,
}

#[chip(dense name = "x")]
struct NoComma {
    x: Felt,
}

fn main() {}
