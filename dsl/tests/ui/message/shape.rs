//! A message is a struct of values.
use chipwright_dsl::prelude::*;

#[message]
struct Empty {}

#[message]
struct Unit;

#[message]
enum Either {
    Left,
}

#[message]
struct Typed<T> {
    x: T,
}

#[message]
struct Borrowed<'a> {
    x: Felt,
}

#[message]
#[derive(Clone)]
struct Derived {
    x: Felt,
}

#[message(name = "fetch")]
struct Option {
    x: Felt,
}

#[message]
struct Fields {
    #[input]
    x: Felt,
    list: Vec<Felt>,
    number: u64,
    port: Lookup<Fields>,
    Camel: Felt,
}

fn main() {}
