//! Every message of the macros, and the mistakes that the types make impossible, as `rustc` shows them.
//!
//! `TRYBUILD=overwrite cargo test -p chipwright-dsl --test ui` rewrites the expected output.

#[test]
fn mistakes_do_not_compile_and_say_why() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/*.rs");
}
