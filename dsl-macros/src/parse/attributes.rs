//! The attributes of a column: its kind, `#[free("reason")]`, `#[len(EXPR)]`, docs and lints.

use syn::{Attribute, Expr, LitStr, Meta};

use super::options;
use crate::ast::{Column, Doc, Free, Kind, Len};
use crate::ctxt::Ctxt;
use crate::suggest::suggestion;

/// Whose field an attribute stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// A column of a chip: kinds, `free`, `len`.
    Chip,
    /// A field of a message: none of ours.
    Message,
    /// A column of a nested struct: none of ours.
    Columns,
    /// A port of a group: `port`, to name its bus.
    Ports,
}

/// Attributes of the language that mean the same on a generated field as on the declared one.
const FORWARDED: [&str; 6] = ["allow", "expect", "warn", "deny", "forbid", "deprecated"];

pub(super) fn doc(attributes: Vec<Attribute>) -> Doc {
    Doc { attributes }
}

/// Reads one attribute into `column`.
pub(super) fn read(ctxt: &Ctxt, allowed: Allowed, attribute: &Attribute, column: &mut Column) {
    let path = attribute.path();
    let Some(name) = path.get_ident().map(ToString::to_string) else {
        // `rustfmt::skip`, `clippy::..`: another tool's.
        column.attributes.push(attribute.clone());
        return;
    };
    match name.as_str() {
        "doc" => column.doc.attributes.push(attribute.clone()),
        "cfg" | "cfg_attr" => ctxt.error(
            attribute,
            format!(
                "`#[{name}]` on a column would give one chip several layouts; put it on the whole item"
            ),
        ),
        known if FORWARDED.contains(&known) => column.attributes.push(attribute.clone()),
        ours if allowed == Allowed::Chip || (allowed == Allowed::Ports && ours == "port") => {
            read_ours(ctxt, ours, attribute, column);
        }
        ours if is_ours(ours) => ctxt.error(
            attribute,
            format!("`#[{ours}]` has a meaning only on the columns of a `#[chip]`; {}", whose(allowed)),
        ),
        // A derive sees the helper attributes of its neighbours too.
        _ if matches!(allowed, Allowed::Columns | Allowed::Ports) => {}
        _ => column.attributes.push(attribute.clone()),
    }
}

fn whose(allowed: Allowed) -> &'static str {
    match allowed {
        Allowed::Columns => "a nested struct takes the kind of the column that holds it",
        Allowed::Ports => "a group of ports has no columns",
        Allowed::Chip | Allowed::Message => "the fields of a message are plain values",
    }
}

fn is_ours(name: &str) -> bool {
    name == "free" || name == "len" || Kind::NAMED.iter().any(|kind| kind.name() == name)
}

fn read_ours(ctxt: &Ctxt, name: &str, attribute: &Attribute, column: &mut Column) {
    if let Some(kind) = Kind::NAMED.into_iter().find(|kind| kind.name() == name) {
        if kind == Kind::Port {
            read_bus(ctxt, attribute, column);
        } else if kind == Kind::Public {
            read_part(ctxt, attribute, column);
        } else if !matches!(attribute.meta, Meta::Path(_)) {
            ctxt.error(attribute, format!("`#[{name}]` takes no arguments"));
        }
        column.kinds.push((kind, attribute.clone()));
        return;
    }
    match name {
        "free" => read_free(ctxt, attribute, column),
        "len" => read_len(ctxt, attribute, column),
        _ => {
            let known = Kind::NAMED.iter().map(|kind| kind.name()).chain(["free", "len"]);
            ctxt.error(
                attribute,
                format!(
                    "unknown column attribute `#[{name}]`{}",
                    suggestion(name, known, |near| { format!("`#[{near}]`") })
                ),
            );
        }
    }
}

fn read_bus(ctxt: &Ctxt, attribute: &Attribute, column: &mut Column) {
    match &attribute.meta {
        Meta::Path(_) => {}
        Meta::List(list) => column.bus = options::bus(ctxt, list.tokens.clone()),
        Meta::NameValue(_) => {
            ctxt.error(
                attribute,
                "`#[port]` takes options in parentheses; write `#[port(bus = \"ram\")]`",
            );
        }
    }
}

/// A public value may say what it is of a step.
fn read_part(ctxt: &Ctxt, attribute: &Attribute, column: &mut Column) {
    match &attribute.meta {
        Meta::Path(_) => {}
        Meta::List(list) => {
            column.part = options::part(ctxt, attribute, list.tokens.clone(), &column.name);
        }
        Meta::NameValue(_) => ctxt.error(
            attribute,
            "`#[public]` takes options in parentheses; write `#[public(before = \"pc\")]`",
        ),
    }
}

/// A free cell is a promise to the reader, so it must say why nothing goes wrong.
fn read_free(ctxt: &Ctxt, attribute: &Attribute, column: &mut Column) {
    let reason = match &attribute.meta {
        Meta::List(_) => attribute.parse_args::<LitStr>().ok(),
        Meta::Path(_) | Meta::NameValue(_) => None,
    };
    match reason {
        Some(reason) if !reason.value().trim().is_empty() => {
            if column.free.is_some() {
                ctxt.error(attribute, "`#[free(..)]` is given twice");
            }
            column.free = Some(Free { attribute: attribute.clone(), reason });
        }
        _ => ctxt.error(
            attribute,
            "`#[free]` needs the reason why no rule has to determine the cells; \
             write `#[free(\"any value will do, because ..\")]`",
        ),
    }
}

fn read_len(ctxt: &Ctxt, attribute: &Attribute, column: &mut Column) {
    let expr = match &attribute.meta {
        Meta::List(_) => attribute.parse_args::<Expr>().ok(),
        Meta::Path(_) | Meta::NameValue(_) => None,
    };
    if column.len.is_some() {
        ctxt.error(attribute, "`#[len(..)]` is given twice");
    }
    let expr = expr.unwrap_or_else(|| {
        ctxt.error(
            attribute,
            "`#[len]` needs the number of elements, an expression of type `usize`; \
             write `#[len(P::ROUNDS)]`",
        );
        syn::parse_quote!(0)
    });
    column.len = Some(Len { attribute: attribute.clone(), expr });
}
