//! What a well-formed chip, message, nested struct or one-hot enum must obey.
//!
//! One function a rule, each with the reason for the rule. They look at the whole [AST](crate::ast) and
//! record every violation; expansion runs only if there was none.

mod columns;
mod one_hot;
mod types;

use crate::ast::{Chip, OneHot, Plain, Shell};
use crate::ctxt::Ctxt;
use crate::names::{is_snake_case, snake_case};

/// Checks a struct under `#[chip]`.
pub(crate) fn chip(ctxt: &Ctxt, chip: &Chip) {
    no_lifetimes(ctxt, &chip.shell, "a chip");
    no_derives(ctxt, &chip.shell, "#[chip]");
    name_is_snake_case(ctxt, chip);
    field_bits_are_possible(ctxt, chip);
    has_columns(ctxt, &chip.shell, chip.columns.is_empty(), "a chip", "column");
    for column in &chip.columns {
        columns::chip_column(ctxt, column);
    }
    columns::interface_is_small(ctxt, &chip.columns);
}

/// Checks a struct under `#[derive(Columns)]`.
pub(crate) fn nested(ctxt: &Ctxt, plain: &Plain) {
    no_lifetimes(ctxt, &plain.shell, "a struct of columns");
    has_columns(ctxt, &plain.shell, plain.columns.is_empty(), "a struct of columns", "column");
    for column in &plain.columns {
        columns::plain_column(ctxt, column, "the fields of a struct of columns");
    }
}

/// Checks a struct under `#[message]`.
pub(crate) fn message(ctxt: &Ctxt, plain: &Plain) {
    no_lifetimes(ctxt, &plain.shell, "a message");
    no_type_parameters(ctxt, &plain.shell);
    no_derives(ctxt, &plain.shell, "#[message]");
    has_columns(ctxt, &plain.shell, plain.columns.is_empty(), "a message", "field");
    for column in &plain.columns {
        columns::plain_column(ctxt, column, "the fields of a message");
    }
}

/// Checks a struct under `#[derive(Ports)]`.
pub(crate) fn ports(ctxt: &Ctxt, plain: &Plain) {
    no_lifetimes(ctxt, &plain.shell, "a group of ports");
    has_columns(ctxt, &plain.shell, plain.columns.is_empty(), "a group of ports", "port");
    for column in &plain.columns {
        columns::grouped_port(ctxt, column);
    }
}

/// Checks an enum under `#[derive(OneHot)]`.
pub(crate) fn one_hot(ctxt: &Ctxt, item: &OneHot) {
    one_hot::check(ctxt, item);
}

/// Columns are values of a recording that lives as long as the program, so nothing is borrowed.
fn no_lifetimes(ctxt: &Ctxt, shell: &Shell, what: &str) {
    for parameter in shell.generics.lifetimes() {
        let lifetime = &parameter.lifetime;
        ctxt.error(parameter, format!("{what} borrows nothing; remove the lifetime `{lifetime}`"));
    }
}

/// The type parameters of a message are taken: each field gets one, for the value that it is given.
fn no_type_parameters(ctxt: &Ctxt, shell: &Shell) {
    for parameter in shell.generics.type_params() {
        ctxt.error(
            parameter,
            "a message has no type parameters, only `const` ones; write one message for each type",
        );
    }
}

/// The struct that remains has other fields than the one written, so a derive would see neither.
fn no_derives(ctxt: &Ctxt, shell: &Shell, attribute: &str) {
    for found in &shell.attributes {
        if found.path().is_ident("derive") || found.path().is_ident("repr") {
            ctxt.error(
                found,
                format!(
                    "`{attribute}` replaces the struct, and implements `Clone`, `Copy` and `Debug` \
                     itself; remove this attribute"
                ),
            );
        }
    }
}

/// Without a column there is nothing to prove, and a table without cells cannot be committed.
fn has_columns(ctxt: &Ctxt, shell: &Shell, empty: bool, what: &str, part: &str) {
    if empty {
        ctxt.error(
            &shell.name,
            format!("{what} needs at least one {part}; `{}` has none", shell.name),
        );
    }
}

/// The name is a token of the text form of the IR.
fn name_is_snake_case(ctxt: &Ctxt, chip: &Chip) {
    let Some(name) = &chip.options.name else { return };
    let text = name.value();
    if is_snake_case(&text) {
        return;
    }
    let better = snake_case(&text);
    let advice =
        if is_snake_case(&better) { better } else { snake_case(&chip.shell.name.to_string()) };
    ctxt.error(name, format!("a chip's name is snake_case; write `name = \"{advice}\"`"));
}

/// Cells are 64-bit integers at most, and a field of no bits does not exist.
fn field_bits_are_possible(ctxt: &Ctxt, chip: &Chip) {
    let Some(bits) = &chip.options.field_bits else { return };
    if !bits.base10_parse::<u32>().is_ok_and(|bits| (1..=64).contains(&bits)) {
        ctxt.error(bits, format!("`field_bits` is a number of bits from 1 to 64, not {bits}"));
    }
}
