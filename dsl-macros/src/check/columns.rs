//! Rules for the fields of chips, messages and nested structs.

use syn::Type;

use super::types;
use crate::ast::{Column, Kind};
use crate::ctxt::Ctxt;
use crate::names::{is_snake_case, snake_case};
use crate::syntax::{show, vec_element};

/// The length of the longest tuple that is a column type.
const MOST_IN_INTERFACE: usize = 12;

/// Names that the recorder gives to columns of its own.
const RESERVED: [(&str, &str); 2] = [
    ("real", "the padding bit; read it with `c.real()`"),
    ("calls", "the number of calls that a row answers"),
];

/// Checks a field under `#[chip]`.
pub(super) fn chip_column(ctxt: &Ctxt, column: &Column) {
    has_one_kind(ctxt, column);
    name_is_snake_case(ctxt, column);
    name_is_not_reserved(ctxt, column);
    bus_is_snake_case(ctxt, column);
    free_columns_are_filled_by_the_chip(ctxt, column);
    match column.kind() {
        Kind::Port => {
            ports_have_port_types(ctxt, column);
            no_len(ctxt, column);
        }
        Kind::Ports => {
            groups_are_no_ports(ctxt, column);
            no_len(ctxt, column);
        }
        Kind::Embed => {
            types::embedded(ctxt, &column.ty);
            no_len(ctxt, column);
        }
        Kind::Public if types::port_name(&column.ty).is_some() => {
            public_values_are_no_ports(ctxt, column);
        }
        _ => {
            columns_have_no_port_types(ctxt, column);
            length_is_known(ctxt, column);
            types::column(ctxt, column.len.as_ref().map_or(&column.ty, |_| element(&column.ty)));
        }
    }
}

/// Checks a field under `#[derive(Ports)]`.
pub(super) fn grouped_port(ctxt: &Ctxt, column: &Column) {
    has_one_kind(ctxt, column);
    name_is_snake_case(ctxt, column);
    bus_is_snake_case(ctxt, column);
    ports_have_port_types(ctxt, column);
}

/// An interface becomes a tuple of types; the library knows tuples of up to twelve.
pub(super) fn interface_is_small(ctxt: &Ctxt, columns: &[Column]) {
    for kind in [Kind::Input, Kind::Output] {
        let several: Vec<&Column> = columns.iter().filter(|column| column.kind() == kind).collect();
        if let Some(surplus) = several.get(MOST_IN_INTERFACE) {
            ctxt.error(
                &surplus.name,
                format!(
                    "a chip has at most {MOST_IN_INTERFACE} {kind}, and this one has {}; group them in \
                     arrays or in structs with `#[derive(Columns)]`",
                    several.len()
                ),
            );
        }
    }
}

/// A bus is a token of the text form of the IR.
fn bus_is_snake_case(ctxt: &Ctxt, column: &Column) {
    let Some(bus) = &column.bus else { return };
    let text = bus.value();
    if !is_snake_case(&text) {
        let better = snake_case(&text);
        let advice = if is_snake_case(&better) { better } else { column.plain_name() };
        ctxt.error(bus, format!("the name of a bus is snake_case; write `bus = \"{advice}\"`"));
    }
}

/// Checks a field under `#[message]` or `#[derive(Columns)]`.
pub(super) fn plain_column(ctxt: &Ctxt, column: &Column, what: &str) {
    name_is_snake_case(ctxt, column);
    if let Some(port) = types::port_name(&column.ty) {
        ctxt.error(&column.ty, format!("{what} are values, not ports; put the `{port}` on a chip"));
        return;
    }
    match vec_element(&column.ty) {
        Some(element) => fixed_length(ctxt, &column.ty, what, element),
        None => types::column(ctxt, &column.ty),
    }
}

fn element(ty: &Type) -> &Type {
    vec_element(ty).unwrap_or(ty)
}

/// A kind says who fills the cell and who may rely on it; two answers contradict each other.
fn has_one_kind(ctxt: &Ctxt, column: &Column) {
    for (kind, attribute) in column.kinds.iter().skip(1) {
        let (first, name) = (column.kind().name(), &column.name);
        let message = if *kind == column.kind() {
            format!("`#[{first}]` is given twice")
        } else {
            format!(
                "column `{name}` is `#[{first}]` already; a column has one kind, \
                 so remove `#[{first}]` or `#[{}]`",
                kind.name()
            )
        };
        ctxt.error(attribute, message);
    }
}

/// The name is a token of the text form of the IR.
fn name_is_snake_case(ctxt: &Ctxt, column: &Column) {
    let name = column.plain_name();
    if is_snake_case(&name) {
        return;
    }
    let better = snake_case(&name);
    let advice = if is_snake_case(&better) { format!("; write `{better}`") } else { String::new() };
    ctxt.error(&column.name, format!("names of columns and fields are snake_case{advice}"));
}

/// A second column of the same name would make rules and reports ambiguous.
fn name_is_not_reserved(ctxt: &Ctxt, column: &Column) {
    let name = column.plain_name();
    if let Some((_, what)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        ctxt.error(
            &column.name,
            format!("every chip has a column `{name}` already, {what}; choose another name"),
        );
    }
}

/// `#[free]` excuses a fill that no rule determines. Inputs, public values and fixed columns are
/// determined by someone else, and ports and embedded chips have no fills of this chip.
fn free_columns_are_filled_by_the_chip(ctxt: &Ctxt, column: &Column) {
    let Some(free) = &column.free else { return };
    if !matches!(column.kind(), Kind::Private | Kind::Output | Kind::Record) {
        ctxt.error(
            &free.attribute,
            format!("{} are not the prover's choice; remove `#[free(..)]`", column.kind()),
        );
    }
}

/// What a port does follows from its type.
fn ports_have_port_types(ctxt: &Ctxt, column: &Column) {
    if types::port_name(&column.ty).is_none() {
        ctxt.error(
            &column.ty,
            format!(
                "`{}` is not a port; write `Lookup<..>`, `Provide<..>`, `Send<..>`, `Receive<..>` or \
                 `Memory<..>`",
                show(&column.ty)
            ),
        );
    }
}

/// A group is a struct with `#[derive(Ports)]`; a single port has an attribute of its own.
fn groups_are_no_ports(ctxt: &Ctxt, column: &Column) {
    if let Some(port) = types::port_name(&column.ty) {
        ctxt.error(&column.ty, format!("`{port}` is a single port; mark the field `#[port]`"));
    }
}

/// Ports have no cells; without the attribute a reader would look for them in the layout.
fn columns_have_no_port_types(ctxt: &Ctxt, column: &Column) {
    let Some(port) = types::port_name(&column.ty) else { return };
    let message = if column.kind() == Kind::Private {
        format!("`{port}` is a port; mark the field `#[port]`")
    } else {
        format!("`{port}` is a port; write `#[port]` instead of `#[{}]`", column.kind().name())
    };
    ctxt.error(&column.ty, message);
}

/// The verifier knows public values; it does not take part in a bus.
fn public_values_are_no_ports(ctxt: &Ctxt, column: &Column) {
    ctxt.error(
        &column.ty,
        "a `#[public]` value is one or more field elements, such as `Felt` or `[Felt; 2]`; \
         mark a port `#[port]`",
    );
}

/// The layout is fixed when the chip is recorded, and the interface with callers and the verifier when
/// it is compiled.
fn length_is_known(ctxt: &Ctxt, column: &Column) {
    let kind = column.kind();
    let at_run_time = matches!(kind, Kind::Private | Kind::Record | Kind::Fixed | Kind::Periodic);
    match (vec_element(&column.ty), &column.len) {
        (Some(element), None) if at_run_time => {
            let element = show(element);
            ctxt.error(
                &column.ty,
                format!(
                    "{kind} need a fixed length; write `[{element}; 4]` or `#[len(..)] Vec<{element}>`"
                ),
            );
        }
        (Some(element), None) => fixed_length(ctxt, &column.ty, &kind.to_string(), element),
        (Some(element), Some(len)) if !at_run_time => {
            fixed_length(ctxt, &len.attribute, &kind.to_string(), element);
        }
        (None, Some(len)) => ctxt.error(
            &len.attribute,
            format!(
                "`#[len(..)]` gives the length of a `Vec<..>`; the length of `{}` is known",
                show(&column.ty)
            ),
        ),
        _ => {}
    }
}

fn fixed_length(ctxt: &Ctxt, place: impl quote::ToTokens, what: &str, element: &Type) {
    ctxt.error(place, format!("{what} need a fixed length; write `[{}; 4]`", show(element)));
}

/// Ports are single, and embedded chips are counted by arrays.
fn no_len(ctxt: &Ctxt, column: &Column) {
    if let Some(len) = &column.len {
        ctxt.error(
            &len.attribute,
            format!("{} have no run-time length; remove `#[len(..)]`", column.kind()),
        );
    }
}
