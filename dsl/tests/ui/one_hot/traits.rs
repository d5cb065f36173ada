//! A flag is a plain value: copied, compared, and shown in reports.
use chipwright_dsl::prelude::*;

#[derive(OneHot)]
enum Bare {
    Add,
    Sub,
}

fn main() {}
