//! Names of columns are tokens of the text form.
use chipwright_dsl::prelude::*;

#[chip]
struct Names {
    Sum: Felt,
    camelCase: Felt,
    _unused: Felt,
    two__bars: Felt,
    größe: Felt,
    real: Bit,
    calls: Felt,
}

fn main() {}
