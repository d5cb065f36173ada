//! A record names every column that the executor fills.
use chipwright_dsl::prelude::*;

#[chip]
struct Step {
    #[record]
    clk: Felt,
    #[record]
    pc: Felt,
}

impl Chip for Step {}

fn main() {
    let _ = StepRecord { clk: 4 };
    let _ = StepRecord { clk: 4, pc: 0, next: 4 };
}
