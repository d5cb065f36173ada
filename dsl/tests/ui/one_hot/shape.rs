//! A one-hot enum is a list of names.
use chipwright_dsl::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
struct Flags {
    add: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
enum Never {}

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
enum Data {
    Add(u32),
    Load { address: u32 },
    Halt,
}

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
enum Codes {
    Add = 3,
    Sub = 5,
}

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
enum Clash {
    AddI,
    Add_I,
}

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
enum Generic<T> {
    One(T),
}

#[derive(Clone, Copy, Debug, PartialEq, OneHot)]
#[one_hot(path = elsewhere)]
enum Misspelt {
    One,
}

fn main() {}
