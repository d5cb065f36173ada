//! A nested struct has columns, and the column that holds it has the kind.
use chipwright_dsl::prelude::*;

#[derive(Columns)]
struct Positional(Felt);

#[derive(Columns)]
struct Empty {}

#[derive(Columns)]
enum Either {
    Left(Felt),
}

#[derive(Columns)]
struct Borrowed<'a> {
    x: Felt,
    y: &'a Felt,
}

#[derive(Columns)]
struct Kinds {
    #[input]
    x: Felt,
    #[free("why not")]
    y: Felt,
    #[len(3)]
    z: Vec<Felt>,
    port: Lookup<Kinds>,
    number: u32,
    Camel: Felt,
}

#[derive(Columns)]
#[columns(crat = elsewhere)]
struct Misspelt {
    x: Felt,
}

#[derive(Columns)]
#[columns]
struct NoOption {
    x: Felt,
}

fn main() {}
