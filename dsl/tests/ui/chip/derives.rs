//! The macro replaces the struct, so other macros must not rely on its fields.
use chipwright_dsl::prelude::*;

#[chip]
#[derive(Clone, Copy)]
struct Derived {
    x: Felt,
}

#[chip]
#[repr(C)]
struct Laid {
    x: Felt,
}

#[chip]
struct Borrowed<'a> {
    x: Felt,
}

fn main() {}
