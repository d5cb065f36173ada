//! The layout of a row is fixed.
use chipwright_dsl::prelude::*;

#[chip]
struct Lengths {
    #[output]
    bits: Vec<Bit>,
    #[input]
    limbs: Vec<U16>,
    #[public]
    values: Vec<Felt>,
    #[record]
    trace: Vec<Felt>,
    scratch: Vec<[Felt; 2]>,
    #[output]
    #[len(8)]
    sum: Vec<Bit>,
    #[len(8)]
    word: U32,
    #[len]
    state: Vec<Felt>,
    #[len()]
    other: Vec<Felt>,
    #[len(2)]
    #[len(3)]
    twice: Vec<Felt>,
    rows: [Vec<Felt>; 2],
    #[len(2)]
    nested: Vec<Vec<Felt>>,
}

fn main() {}
