//! The arguments of the macros: `#[chip(dense, name = "add32", field_bits = 33, crate = path)]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitInt, LitStr, Meta, Path, Token};

use crate::ast::{ChipOptions, Part, Role, default_crate_path, plain};
use crate::ctxt::Ctxt;
use crate::suggest::suggestion;

const CHIP: [&str; 4] = ["dense", "name", "field_bits", "crate"];

/// The arguments of `#[chip]`.
pub(super) fn chip(ctxt: &Ctxt, args: TokenStream) -> ChipOptions {
    let mut options = ChipOptions {
        dense: false,
        name: None,
        field_bits: None,
        crate_path: default_crate_path(),
    };
    for (name, meta) in metas(ctxt, "#[chip]", &CHIP, args) {
        match name.as_str() {
            "dense" => {
                options.dense = true;
                if !matches!(meta, Meta::Path(_)) {
                    ctxt.error(meta, "`dense` takes no value; write `#[chip(dense)]`");
                }
            }
            "name" => options.name = string(ctxt, &meta, "add32"),
            "field_bits" => options.field_bits = integer(ctxt, &meta),
            _ => options.crate_path = path(ctxt, &meta).unwrap_or(options.crate_path),
        }
    }
    options
}

/// The argument of `#[port(bus = "ram")]`.
pub(super) fn bus(ctxt: &Ctxt, args: TokenStream) -> Option<LitStr> {
    let metas = metas(ctxt, "#[port]", &["bus"], args);
    metas.into_iter().find_map(|(_, meta)| string(ctxt, &meta, "ram"))
}

/// The argument of `#[public(before = "pc")]`; `name` is that of the field.
pub(super) fn part(
    ctxt: &Ctxt,
    attribute: &Attribute,
    args: TokenStream,
    name: &Ident,
) -> Option<Part> {
    let roles = [Role::Common, Role::Before, Role::After];
    let metas = metas(ctxt, "#[public]", &roles.map(Role::name), args);
    let [(word, meta)] = metas.as_slice() else {
        if !metas.is_empty() {
            ctxt.error(
                attribute,
                "a public value is common to all steps, of the state before or of the state after: \
                 one of the three",
            );
        }
        return None;
    };
    let role = roles.into_iter().find(|role| role.name() == word)?;
    let name = match (role, meta) {
        (Role::Common, Meta::Path(_)) => LitStr::new(&plain(name), name.span()),
        (_, Meta::Path(_)) => {
            ctxt.error(
                meta,
                format!(
                    "`{word}` takes the name of the part of the state, by which the state before and \
                     the state after are compared; write `{word} = \"pc\"`"
                ),
            );
            return None;
        }
        _ => string(ctxt, meta, "pc")?,
    };
    if name.value().is_empty() {
        ctxt.error(&name, "a part of a state has a name that is not empty");
    }
    Some(Part { role, name })
}

/// The arguments of a macro whose only option is `crate`.
pub(super) fn crate_only(ctxt: &Ctxt, attribute: &str, args: TokenStream) -> Path {
    metas(ctxt, attribute, &["crate"], args)
        .into_iter()
        .find_map(|(_, meta)| path(ctxt, &meta))
        .unwrap_or_else(default_crate_path)
}

/// The helper attribute of a derive, `#[columns(crate = path)]` for example.
pub(super) fn helper(ctxt: &Ctxt, name: &str, attributes: &[Attribute]) -> Path {
    let mut found = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    let Some(attribute) = found.next() else { return default_crate_path() };
    if let Some(second) = found.next() {
        ctxt.error(second, format!("`#[{name}(..)]` is given twice"));
    }
    match &attribute.meta {
        Meta::List(list) => crate_only(ctxt, &format!("#[{name}]"), list.tokens.clone()),
        other => {
            ctxt.error(
                other,
                format!("`#[{name}]` needs an option; write `#[{name}(crate = path)]`"),
            );
            default_crate_path()
        }
    }
}

/// The options by name: known ones, the first of each name.
fn metas(ctxt: &Ctxt, attribute: &str, known: &[&str], args: TokenStream) -> Vec<(String, Meta)> {
    let all = match Punctuated::<Meta, Token![,]>::parse_terminated.parse2(args) {
        Ok(all) => all,
        Err(error) => {
            ctxt.push(error);
            return Vec::new();
        }
    };
    let mut accepted: Vec<(String, Meta)> = Vec::new();
    for meta in all {
        let name = meta.path().to_token_stream().to_string();
        if !known.contains(&name.as_str()) {
            let near = suggestion(&name, known.iter().copied(), |near| format!("`{near}`"));
            ctxt.error(meta.path(), format!("unknown option `{name}` of `{attribute}`{near}"));
        } else if accepted.iter().any(|(earlier, _)| *earlier == name) {
            ctxt.error(&meta, format!("option `{name}` is given twice"));
        } else {
            accepted.push((name, meta));
        }
    }
    accepted
}

fn value(meta: &Meta) -> Option<&Expr> {
    match meta {
        Meta::NameValue(pair) => Some(&pair.value),
        Meta::Path(_) | Meta::List(_) => None,
    }
}

fn string(ctxt: &Ctxt, meta: &Meta, example: &str) -> Option<LitStr> {
    if let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = value(meta) {
        return Some(text.clone());
    }
    let option = meta.path().to_token_stream();
    ctxt.error(meta, format!("`{option}` takes a string; write `{option} = \"{example}\"`"));
    None
}

fn integer(ctxt: &Ctxt, meta: &Meta) -> Option<LitInt> {
    if let Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) = value(meta) {
        return Some(number.clone());
    }
    ctxt.error(meta, "`field_bits` takes a number of bits; write `field_bits = 33`");
    None
}

fn path(ctxt: &Ctxt, meta: &Meta) -> Option<Path> {
    if let Some(Expr::Path(path)) = value(meta) {
        return Some(path.path.clone());
    }
    ctxt.error(meta, "`crate` takes the path of the library; write `crate = ::chipwright_dsl`");
    None
}
