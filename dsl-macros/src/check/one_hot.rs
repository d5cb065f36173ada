//! Rules for one-hot enums: variant `i` is flag `i`.

use std::collections::BTreeMap;

use syn::Fields;

use crate::ast::{OneHot, plain};
use crate::ctxt::Ctxt;
use crate::names::snake_case;

/// The largest number of flags.
const MOST: usize = 64;

pub(super) fn check(ctxt: &Ctxt, item: &OneHot) {
    is_not_generic(ctxt, item);
    has_variants(ctxt, item);
    variants_carry_no_data(ctxt, item);
    codes_are_positions(ctxt, item);
    flags_have_names_of_their_own(ctxt, item);
}

/// The variants are the same for every parameter, and a parameter would need a variant to hold it.
fn is_not_generic(ctxt: &Ctxt, item: &OneHot) {
    let generics = &item.shell.generics;
    if !generics.params.is_empty() {
        ctxt.error(generics, "a one-hot enum has no generic parameters; remove them");
    }
}

/// Exactly one flag is set, so there is at least one; each costs a column, so a long list is a mistake.
fn has_variants(ctxt: &Ctxt, item: &OneHot) {
    let name = &item.shell.name;
    match item.variants.len() {
        0 => ctxt
            .error(name, format!("a one-hot enum needs at least one variant; `{name}` has none")),
        count if count > MOST => ctxt.error(
            name,
            format!(
                "`{name}` has {count} variants, and each costs a column; the limit is {MOST}, so \
                 split it into two enums or encode it in bits"
            ),
        ),
        _ => {}
    }
}

/// A flag is one bit; data belongs in columns of its own.
fn variants_carry_no_data(ctxt: &Ctxt, item: &OneHot) {
    for variant in &item.variants {
        if !matches!(variant.fields, Fields::Unit) {
            ctxt.error(
                &variant.fields,
                format!(
                    "a flag carries no data; make this a column, and write `{}`",
                    variant.ident
                ),
            );
        }
    }
}

/// `code()` is the variant's position; another number here would look like the code and not be it.
fn codes_are_positions(ctxt: &Ctxt, item: &OneHot) {
    for variant in &item.variants {
        if let Some((_, value)) = &variant.discriminant {
            ctxt.error(
                value,
                "the code of a flag is its position, from 0; remove the discriminant, and map codes \
                 of your own with a lookup",
            );
        }
    }
}

/// Flags are printed in `snake_case`, where `AddI` and `Add_i` would be one name.
fn flags_have_names_of_their_own(ctxt: &Ctxt, item: &OneHot) {
    let mut seen = BTreeMap::new();
    for variant in &item.variants {
        let name = snake_case(&plain(&variant.ident));
        if let Some(earlier) = seen.insert(name.clone(), &variant.ident) {
            ctxt.error(
                &variant.ident,
                format!(
                    "`{earlier}` and `{}` are both printed as `{name}`; rename one",
                    variant.ident
                ),
            );
        }
    }
}
