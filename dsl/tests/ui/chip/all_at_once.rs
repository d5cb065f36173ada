//! Every mistake of a struct is reported in one run.
use chipwright_dsl::prelude::*;

#[chip(dens)]
pub struct Many<'a> {
    #[input]
    #[output]
    pub x: Felt,
    #[free]
    y: u32,
    bits: Vec<Bit>,
    Flag: Bit,
}

fn main() {}
