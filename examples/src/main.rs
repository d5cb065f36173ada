//! The `chipwright` command line.
fn main() {}
