//! Rules for the types of columns.

use syn::Type;

use crate::ctxt::Ctxt;
use crate::syntax::{last_segment, show, vec_element};

/// The port types of the library.
const PORTS: [&str; 5] = ["Lookup", "Provide", "Send", "Receive", "Memory"];

/// Rust's own types, and the column types that hold their values.
const NATIVE: [(&str, &str); 14] = [
    ("bool", "`Bit`"),
    ("u8", "`U8`"),
    ("u16", "`U16`"),
    ("u32", "`U32`"),
    ("u64", "`Felt`, or `[U32; 2]` for all 64 bits"),
    ("usize", "`Felt`, or `U32` for a range"),
    ("u128", "`[U32; 4]`"),
    ("i8", "`Felt`, and give its range by rules"),
    ("i16", "`Felt`, and give its range by rules"),
    ("i32", "`Felt`, and give its range by rules"),
    ("i64", "`Felt`, and give its range by rules"),
    ("isize", "`Felt`, and give its range by rules"),
    ("char", "`U32`"),
    ("String", "`[U8; 16]`"),
];

/// The name of the port type that `ty` is, by its last segment.
pub(super) fn port_name(ty: &Type) -> Option<String> {
    let name = last_segment(ty)?.ident.to_string();
    PORTS.contains(&name.as_str()).then_some(name)
}

/// Checks the type of a column, through arrays.
pub(super) fn column(ctxt: &Ctxt, ty: &Type) {
    match ty {
        Type::Array(array) => array_element(ctxt, &array.elem),
        Type::Paren(inner) => column(ctxt, &inner.elem),
        Type::Group(inner) => column(ctxt, &inner.elem),
        Type::Path(_) => is_not_native(ctxt, ty),
        Type::Reference(reference) => borrows_nothing(ctxt, ty, &reference.elem),
        Type::Slice(slice) => has_a_length(ctxt, ty, &slice.elem),
        Type::Tuple(_) => is_not_a_tuple(ctxt, ty),
        _ => ctxt.error(
            ty,
            format!(
                "`{}` cannot be a column; write a column type such as `Felt` or `U32`",
                show(ty)
            ),
        ),
    }
}

/// Checks the type of an embedded chip. Each has its own columns and its own inputs, so each is a field.
pub(super) fn embedded(ctxt: &Ctxt, ty: &Type) {
    match ty {
        Type::Array(array) => ctxt.error(
            ty,
            format!(
                "an `#[embed]` field is one chip; write one field for each `{}`",
                show(&array.elem)
            ),
        ),
        Type::Paren(inner) => embedded(ctxt, &inner.elem),
        Type::Group(inner) => embedded(ctxt, &inner.elem),
        Type::Path(_) if port_name(ty).is_none() && vec_element(ty).is_none() => {}
        _ => ctxt.error(
            ty,
            format!("`#[embed]` places the columns of a chip here; `{}` is not a chip", show(ty)),
        ),
    }
}

/// A `Vec` inside an array has one length for each element, which no attribute could give.
fn array_element(ctxt: &Ctxt, element: &Type) {
    match vec_element(element) {
        Some(inner) => {
            let inner = show(inner);
            ctxt.error(
                element,
                format!(
                    "the elements of an array need a fixed length; write `[{inner}; 4]`, or \
                     `#[len(..)] Vec<[{inner}; 4]>` for the whole column"
                ),
            );
        }
        None => column(ctxt, element),
    }
}

/// `u32` is a number, `U32` the cells that hold one; the record uses the former already.
fn is_not_native(ctxt: &Ctxt, ty: &Type) {
    let Type::Path(path) = ty else { return };
    let Some(name) = path.path.get_ident().map(ToString::to_string) else { return };
    if let Some((_, column)) = NATIVE.iter().find(|(native, _)| *native == name) {
        ctxt.error(ty, format!("`{name}` is not a column type; write {column}"));
    }
}

/// A column owns its cells.
fn borrows_nothing(ctxt: &Ctxt, ty: &Type, element: &Type) {
    ctxt.error(
        ty,
        format!(
            "a column owns its cells and borrows nothing; write `{}`",
            match element {
                Type::Slice(slice) => format!("[{}; 4]", show(&slice.elem)),
                other => show(other),
            }
        ),
    );
}

/// Cells have fixed positions in a row.
fn has_a_length(ctxt: &Ctxt, ty: &Type, element: &Type) {
    ctxt.error(ty, format!("a column needs a fixed length; write `[{}; 4]`", show(element)));
}

/// Every cell has a name in rules and reports; the parts of a tuple have none.
fn is_not_a_tuple(ctxt: &Ctxt, ty: &Type) {
    ctxt.error(
        ty,
        "the parts of a tuple have no names; write a struct with `#[derive(Columns)]`, or an array",
    );
}
