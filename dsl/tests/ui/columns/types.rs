//! Column types are cells, not numbers, references or tuples.
use chipwright_dsl::prelude::*;

#[chip]
struct Numbers {
    a: bool,
    b: u8,
    c: u16,
    d: u32,
    e: u64,
    f: u128,
    g: usize,
    h: i32,
    i: char,
    j: String,
    k: [u32; 4],
}

#[chip]
struct Shapes {
    a: &'static Felt,
    b: &'static [Felt],
    c: [Felt],
    d: (Felt, Felt),
    e: fn(Felt) -> Felt,
    f: dyn Fn(),
    g: *const Felt,
    h: !,
    i: [&'static Felt; 2],
}

fn main() {}
